//! A leaked token, pasted: whose it is, what it may do, and the button that ends it. The text is never
//! kept, never shown again, and never part of an address.

use valetkey_http::Reply;
use valetkey_service::found_token::FoundText;

use super::tokens::HERE;
use crate::failure::Failure;
use crate::view::parts::Form;
use crate::view::tokens::FindPage;
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, shell};

/// The form.
///
/// # Errors
/// None.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    page(&view(&visit, visit.new_form()))
}

/// Looks the text up, and leads to the token's own page. It changes nothing, so it may be sent again.
///
/// # Errors
/// The refusal.
pub async fn find(visit: Visit) -> Result<Reply, Failure> {
    let text = visit.form.text("text").unwrap_or_default();
    // What is copied from a program often has the word before it.
    let text = text.strip_prefix("Bearer ").unwrap_or(text);
    let wrong = if text.is_empty() {
        "Paste the text of a token."
    } else {
        match visit.service.find_token_text(&visit.call, text).await? {
            FoundText::Token(found) => {
                return Ok(reply::see_other(&format!("{HERE}/{}?found=yes", found.listed.token.id)));
            }
            FoundText::Malformed => {
                "This text is no token of this server: it is cut off, mistyped, or belongs to another service."
            }
            FoundText::Unknown => {
                "The text has the right form, but no token of this business has it. Another business of this server, or another server, may have issued it."
            }
        }
    };
    again(&view(&visit, Form { errors: forms::error("text", wrong), ..visit.new_form() }))
}

fn view(visit: &Visit, form: Form) -> FindPage {
    let title = "Find a token by its text";
    FindPage { shell: shell::of_form(visit, title, HERE, &form), form }
}
