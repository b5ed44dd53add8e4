//! Revoking a Page token or a person's sign-in. Tokens of system users have a page of their own, with
//! the choice of several and a receipt.

use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{Refusal, TokenId};
use valetkey_http::Reply;
use valetkey_service::preview::Act;
use valetkey_service::rights;
use valetkey_service::token::Listed;

use super::tokens::{HERE, revoke_href, title};
use crate::failure::Failure;
use crate::view::confirm::ConfirmPage;
use crate::view::parts::{Form, Link, Piece, Sentence};
use crate::visit::{Visit, again, page};
use crate::web::{cookie, reply};
use crate::{forms, shell, stops};

/// What would stop.
///
/// # Errors
/// The refusal; a token that the viewer may not see looks like none.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let listed = of_path(&visit).await?;
    match listed.token.kind {
        TokenKind::SystemUser => Ok(reply::see_other(&revoke_href(&listed.token))),
        TokenKind::Page | TokenKind::User => page(&view(&visit, &listed.token, visit.new_form()).await?),
    }
}

/// Revokes it.
///
/// # Errors
/// The refusal.
pub async fn revoke(visit: Visit) -> Result<Reply, Failure> {
    let listed = of_path(&visit).await?;
    let token = &listed.token;
    if visit.is_resumed() {
        return page(&view(&visit, token, visit.new_form()).await?);
    }
    let back = format!("{HERE}/{}", token.id);
    visit.once_to_end(&back).await?;
    match visit.service.revoke_token_with_descendants(&visit.call, token.id).await {
        // Nothing can be shown with a session that has just ended.
        Ok(_) if token.id == visit.who.token => {
            let onward = reply::see_other("/console/sign-in?ended=yes");
            Ok(reply::with_cookie(onward, &cookie::clear(&visit.address)))
        }
        Ok(_) => Ok(reply::see_other(&format!("{back}?done=revoked"))),
        Err(refusal) => failed(&visit, token, refusal).await,
    }
}

async fn failed(visit: &Visit, token: &Token, refusal: Refusal) -> Result<Reply, Failure> {
    let errors = forms::errors(refusal)?;
    again(&view(visit, token, Form { errors, ..visit.new_form() }).await?)
}

async fn of_path(visit: &Visit) -> Result<Listed, Failure> {
    let id: TokenId = visit.id()?;
    Ok(visit.service.get_token(&visit.call, id).await?)
}

async fn view(visit: &Visit, token: &Token, form: Form) -> Result<ConfirmPage, Failure> {
    let now = visit.now();
    let act = Act::RevokeToken { id: token.id, with_descendants: true };
    let preview = visit.service.preview(&visit.call, act).await?;
    let question = rights::MANAGE_OR_SELF.on_user(token.business, token.user);
    let name = visit.step(question, |facts| title(facts, token))?;
    let href = format!("{HERE}/{}", token.id);
    let said = |text: &str| -> Sentence { vec![Piece::plain(text)] };
    let stays = match token.kind {
        TokenKind::Page => vec![
            said("The token that it was derived from goes on, and a program can derive a new Page token from it."),
            said("To keep a program from the Page, revoke that token, or take the assignment away."),
        ],
        TokenKind::SystemUser | TokenKind::User => {
            vec![said("The person can sign in again. To keep somebody out, deactivate the person.")]
        }
    };
    Ok(ConfirmPage {
        shell: shell::of_form(visit, "Revoke", HERE, &form),
        form,
        list: Link::new("Tokens", HERE),
        here: "Revoke".to_owned(),
        verb: "Revoke".to_owned(),
        lede: if token.id == visit.who.token {
            "This is the session that you use now: you are signed out at once.".to_owned()
        } else {
            "From the moment the next page shows, no server accepts it any more. It can't be brought back.".to_owned()
        },
        stops: stops::sentences(&preview, now),
        lately: stops::lately(&preview, now),
        stays,
        action: format!("{href}/revoke"),
        kept: Vec::new(),
        button: "Revoke 1 token".to_owned(),
        danger: true,
        keep: "Keep it".to_owned(),
        subject: Link::new(name, href),
    })
}
