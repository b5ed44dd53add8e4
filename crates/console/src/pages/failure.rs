//! Pages for what went wrong: what happened, what is unchanged, what to do next. They show no text of an
//! inner error; the log has that, under the trace.

use askama::Template;
use http::header::RETRY_AFTER;
use http::{Method, StatusCode};
use valetkey_domain::id::of;
use valetkey_domain::refusal::Class;
use valetkey_domain::{Id, Reason, Refusal, Words};
use valetkey_http::{Failure as HttpFailure, Late, Reply};

use crate::failure::Failure;
use crate::shell;
use crate::view::failure::{BrokenPage, ForbiddenPage, NotFoundPage, ReplayedPage, UnavailablePage, UnsettledPage};
use crate::view::parts::Kept;
use crate::view::shell::Bare;
use crate::view::sign_in::SessionEndedPage;
use crate::visit::Visit;
use crate::web::form::Form;
use crate::web::reply;

/// Fields that are never kept in a page: secrets, and ids that work once.
const NEVER_KEPT: [&str; 7] = ["form", "code", "password", "new_password", "text", "secret", "answer"];

/// The page for a failure, for nobody in particular.
pub fn reply(visit: Option<&Visit>, failure: &Failure, trace: &str) -> Reply {
    let bare = |title: &str| shell::bare(title, visit.is_some());
    let trace = Some(trace.to_owned());
    match failure {
        Failure::Refused(refusal) => refused(visit, refusal, trace),
        Failure::AdminsOnly => page(
            StatusCode::FORBIDDEN,
            &ForbiddenPage {
                bare: bare("Not for you"),
                why: "This page is for admins of the business.".to_owned(),
                granted_by: Some("An admin of the business can change your role".to_owned()),
                trace: None,
            },
        ),
        Failure::Foreign => page(
            StatusCode::FORBIDDEN,
            &ForbiddenPage {
                bare: bare("Not accepted"),
                why: "The form did not come from a page of this console, so nothing was done.".to_owned(),
                granted_by: None,
                trace,
            },
        ),
        Failure::NotFound => page(StatusCode::NOT_FOUND, &NotFoundPage { bare: bare("Not found") }),
        Failure::Method => page(StatusCode::METHOD_NOT_ALLOWED, &NotFoundPage { bare: bare("Not found") }),
        Failure::Replayed { back } => reply::see_other(back),
        Failure::Fault(what) => {
            tracing::error!(trace = trace.as_deref().unwrap_or_default(), what, "a page could not be written");
            page(StatusCode::INTERNAL_SERVER_ERROR, &BrokenPage { bare: bare("Something failed"), trace })
        }
    }
}

/// The same for somebody who is signed in; the way back leads into the console.
pub fn in_shell(visit: Option<Visit>, failure: Failure, trace: &str) -> Reply {
    match (&visit, failure) {
        (Some(visit), Failure::Replayed { back }) => {
            let shell = shell::of(visit, "Sent already", "");
            page(StatusCode::CONFLICT, &ReplayedPage { shell, back })
        }
        (_, failure) => reply(visit.as_ref(), &failure, trace),
    }
}

fn refused(visit: Option<&Visit>, refusal: &Refusal, trace: Option<String>) -> Reply {
    let bare = |title: &str| shell::bare(title, visit.is_some());
    match refusal.reason.class() {
        Class::Absent => page(StatusCode::NOT_FOUND, &NotFoundPage { bare: bare("Not found") }),
        Class::Away => {
            let retry = visit.map_or_else(|| "/console".to_owned(), |visit| visit.here.clone());
            let sent = visit.is_some_and(|visit| !visit.form.fields().is_empty());
            let view = UnavailablePage { bare: bare("Unavailable"), sent, retry, trace };
            page(StatusCode::SERVICE_UNAVAILABLE, &view).header(RETRY_AFTER, http::HeaderValue::from_static("5"))
        }
        Class::Unsettled => unsettled(bare("Not settled"), refusal, trace),
        Class::Fault => page(StatusCode::INTERNAL_SERVER_ERROR, &BrokenPage { bare: bare("Something failed"), trace }),
        Class::Credential | Class::Proof | Class::Right | Class::Wider | Class::State | Class::Rate | Class::Input => {
            let sentence = refusal.sentence(&Words::default());
            let view = ForbiddenPage {
                bare: bare(&sentence.title),
                why: sentence.text(),
                granted_by: sentence.granted_by.map(str::to_owned),
                trace,
            };
            page(StatusCode::FORBIDDEN, &view)
        }
    }
}

/// No `Retry-After`: what may have been done must not be sent again blindly.
fn unsettled(bare: Bare, refusal: &Refusal, trace: Option<String>) -> Reply {
    let sentence = refusal.sentence(&Words::default());
    let view = UnsettledPage { bare, title: sentence.title.clone(), why: sentence.text(), trace };
    page(StatusCode::SERVICE_UNAVAILABLE, &view)
}

/// For somebody whose session has ended. A page that was only opened leads to the sign-in and back; a
/// form keeps what was typed. `begin` is the page to begin anew from.
pub fn signed_out(here: &str, begin: &str, form: &Form) -> Reply {
    if form.fields().is_empty() {
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", here).finish();
        return reply::see_other(&format!("/console/sign-in?{query}"));
    }
    // A field called `token` names one by its id; anything else in it is a text that must not come back.
    let is_kept = |name: &str, value: &str| {
        !NEVER_KEPT.contains(&name) && (name != "token" || Id::<of::Token>::parse(value).is_some())
    };
    let kept = form.fields().iter().filter(|(name, value)| is_kept(name, value));
    let view = SessionEndedPage {
        bare: shell::bare("Your session has ended", false),
        action: here.to_owned(),
        kept: kept.map(|(name, value)| Kept { name: name.clone(), value: value.clone() }).collect(),
        about: "What you typed".to_owned(),
        return_to: begin.to_owned(),
    };
    page(StatusCode::UNAUTHORIZED, &view)
}

/// For a server that no browser could find under its configured address.
pub fn no_address() -> Reply {
    let text = "The console needs to know its own address. Set public_url in the configuration, for example \
                public_url = \"https://keys.example.com\", and start the server again.\n";
    Reply::text(StatusCode::SERVICE_UNAVAILABLE, text)
}

/// For a request that the listener could not hand on.
pub fn unhandled(method: &Method, failure: HttpFailure, trace: &str) -> Reply {
    let trace = Some(trace.to_owned());
    match failure {
        HttpFailure::Fault => {
            page(StatusCode::INTERNAL_SERVER_ERROR, &BrokenPage { bare: shell::bare("Something failed", false), trace })
        }
        HttpFailure::Late(Late::Answer) if !method.is_safe() => {
            unsettled(shell::bare("Not settled", false), &Refusal::of(Reason::OutcomeUnknown), trace)
        }
        HttpFailure::Late(Late::Answer) | HttpFailure::Busy => {
            let bare = shell::bare("Unavailable", false);
            let view = UnavailablePage { bare, sent: false, retry: "/console".to_owned(), trace };
            page(StatusCode::SERVICE_UNAVAILABLE, &view)
        }
        HttpFailure::Late(Late::Body) => Reply::text(StatusCode::REQUEST_TIMEOUT, "The form did not arrive in time.\n"),
        HttpFailure::TooLarge { .. } => Reply::text(StatusCode::PAYLOAD_TOO_LARGE, "The form is too large.\n"),
        HttpFailure::BadRequest(why) => Reply::text(StatusCode::BAD_REQUEST, format!("{why}.\n")),
    }
}

/// A page of these words; plain ones if even that can't be written.
fn page(status: StatusCode, view: &impl Template) -> Reply {
    match view.render() {
        Ok(html) => reply::page(status, html),
        Err(error) => {
            tracing::error!(%error, "a page about a failure could not be written");
            Reply::text(StatusCode::INTERNAL_SERVER_ERROR, "The server failed.\n")
        }
    }
}
