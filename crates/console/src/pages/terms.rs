//! The terms for system users: read in full, and accepted by an admin person.

use valetkey_domain::noun::terms::Terms;
use valetkey_domain::rules::person::live_people;
use valetkey_domain::{Role, Status};
use valetkey_http::Reply;
use valetkey_service::authz::Question;

use crate::failure::Failure;
use crate::open::safe_next;
use crate::view::parts::{FieldError, Form, Time};
use crate::view::terms::{Accepted, TermsPage, TermsPart};
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell};

const HERE: &str = "/console/system-users";

/// The terms.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    page(&view(&visit, visit.new_form())?)
}

/// Accepts the version that was shown.
///
/// # Errors
/// The refusal.
pub async fn accept(visit: Visit) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return page(&view(&visit, visit.new_form())?);
    }
    visit.once("/console/terms").await?;
    let version = visit.form.text("version").and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
    match visit.service.accept_terms(&visit.call, version).await {
        Ok(_) => {
            let next = visit.form.text("return_to").map(|path| safe_next(Some(path)));
            Ok(reply::see_other(next.unwrap_or("/console/system-users/new?done=terms")))
        }
        Err(refusal) => {
            // The version is no field that anybody types: what is wrong with it is wrong with the whole.
            let errors =
                forms::errors(refusal)?.into_iter().map(|e| FieldError { field: String::new(), ..e }).collect();
            again(&view(&visit, Form { errors, ..visit.new_form() })?)
        }
    }
}

fn view(visit: &Visit, form: Form) -> Result<TermsPage, Failure> {
    let business = visit.who.business;
    let now = visit.now();
    let (terms, accepted, admins) = visit.step(Question::alive(), |facts| {
        let accepted = facts.business(business).and_then(|b| b.accepted);
        let accepted = accepted.map(|a| (a.version, names::user(&**facts, a.person), a.at));
        let is_admin = |p: &valetkey_domain::noun::person::Person| p.role == Role::Admin && p.status == Status::Active;
        let admins = live_people(&**facts, business).into_iter().filter(is_admin).map(|p| p.name.to_string());
        (facts.terms(), accepted, admins.collect())
    })?;
    let renewed = accepted.as_ref().is_some_and(|(version, ..)| *version != terms.version);
    let title = "Terms for system users";
    Ok(TermsPage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        version: terms.version.to_string(),
        paragraphs: paragraphs(&terms),
        accepted: accepted
            .filter(|(version, ..)| *version == terms.version)
            .map(|(_, by, at)| Accepted { by, at: Time::inside(at, now) }),
        renewed,
        return_to: visit.query.text("return_to").or(visit.form.text("return_to")).map(str::to_owned),
        admins,
    })
}

/// The text, by empty lines. A short line without a full stop is a heading.
fn paragraphs(terms: &Terms) -> Vec<TermsPart> {
    let parts = terms.text.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let text = part.trim_start_matches('#').trim().split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
            let heading = part.starts_with('#') || (text.len() < 80 && !text.ends_with(['.', ':', '!', '?', ';']));
            TermsPart { text, heading }
        })
        .collect()
}
