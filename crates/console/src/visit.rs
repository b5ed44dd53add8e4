//! One request of somebody who is signed in: who it is, what was sent, and the call under which
//! everything is read and done.
//!
//! A visit must never carry a right: each step of a handler asks the service anew.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use valetkey_domain::refusal::Class;
use valetkey_domain::{BusinessId, Id, Name, Refusal, Role, TokenId, UserId};
use valetkey_http::Reply;
use valetkey_service::authz::{Allowed, Question};
use valetkey_service::{Call, Checked, Facts, Service};

use crate::failure::Failure;
use crate::view;
use crate::web::address::Address;
use crate::web::form::Form;
use crate::web::reply;

/// How long a form that was shown may be sent: one day, as long as a session lives.
const FORM_LIFETIME_MS: i64 = 24 * 60 * 60 * 1000;

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub person: UserId,
    pub name: Name,
    pub role: Role,
    pub business: BusinessId,
    pub business_name: Name,
    /// The token of the session.
    pub token: TokenId,
}

impl Visitor {
    /// Whether it is an admin of its business.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Visit {
    pub service: Service,
    pub address: Arc<Address>,
    pub call: Call,
    pub who: Visitor,
    /// The parts of the path that the route left open.
    pub open: Vec<String>,
    /// Path and query of this request.
    pub here: String,
    pub query: Form,
    pub form: Form,
}

impl Visit {
    /// The open part of the path, as an id.
    ///
    /// # Errors
    /// `NotFound` if it is no id.
    pub fn id<Of>(&self) -> Result<Id<Of>, Failure> {
        self.open.first().and_then(|text| Id::parse(text)).ok_or(Failure::NotFound)
    }

    /// The open part of the path, as text.
    pub fn word(&self) -> &str {
        self.open.first().map_or("", String::as_str)
    }

    /// One step: decides, and reads on the same revision.
    ///
    /// # Errors
    /// The refusal.
    pub fn step<R>(&self, question: Question, read: impl FnOnce(&Facts<'_>) -> R) -> Result<R, Refusal> {
        Ok(self.service.step(&self.call, question, read)?.into_inner())
    }

    /// The same, for something that may be missing.
    ///
    /// # Errors
    /// The refusal, or `NotFound`.
    pub fn find<R>(&self, question: Question, read: impl FnOnce(&Facts<'_>) -> Option<R>) -> Result<R, Failure> {
        self.step(question, read)?.ok_or(Failure::NotFound)
    }

    /// The same for a part of a page that is left out when the right is missing.
    pub fn part<R>(&self, question: Question, read: impl FnOnce(&Facts<'_>) -> R) -> Option<R> {
        self.service.quiet_step(&self.call, question, read).map(Checked::into_inner)
    }

    /// Whether the visitor may do something.
    pub fn may(&self, question: Question) -> Option<Allowed> {
        self.service.may(&self.call, question)
    }

    /// Takes the form's id, which works once: a form that was sent twice, by a second press or a reload,
    /// does its work once.
    ///
    /// # Errors
    /// `Replayed`, which leads back to `back`.
    pub async fn once(&self, back: &str) -> Result<(), Failure> {
        let id = self.form.text("form").filter(|id| id.len() <= 64).ok_or(Failure::Foreign)?;
        // The person stands in the key, so that nobody uses up the form of another; the path, because all
        // forms of a page share its id.
        let path = self.here.split('?').next().unwrap_or_default();
        let key = format!("form {} {path} {id}", self.who.person);
        if self.service.once(&key, FORM_LIFETIME_MS).await? {
            Ok(())
        } else {
            Err(Failure::Replayed { back: back.to_owned() })
        }
    }

    /// The same for an act that only ends something. Revocations bite although the store can't write, so
    /// they must not wait for a store that can't remember the form; done twice they change nothing more.
    ///
    /// # Errors
    /// `Replayed`, which leads back to `back`.
    pub async fn once_to_end(&self, back: &str) -> Result<(), Failure> {
        match self.once(back).await {
            Err(Failure::Refused(refusal)) if matches!(refusal.reason.class(), Class::Away | Class::Unsettled) => {
                Ok(())
            }
            taken => taken,
        }
    }

    /// Whether a form comes back from the page that kept it when the session ended: it is shown again,
    /// and nothing is done yet.
    pub fn is_resumed(&self) -> bool {
        self.form.has("resumed") || !self.form.has("form")
    }

    /// The one-use id for the forms of the page that this visit gets: the trace of the request, which no
    /// other request has.
    pub fn form_id(&self) -> String {
        self.call.trace().to_owned()
    }

    /// A form of that page.
    pub fn new_form(&self) -> view::parts::Form {
        view::parts::Form { id: self.form_id(), ..view::parts::Form::default() }
    }

    /// The time by the server's clock.
    pub fn now(&self) -> i64 {
        self.service.now()
    }
}

/// Writes a page.
///
/// # Errors
/// When the template fails, which is a fault of this program.
pub fn page(view: &impl Template) -> Result<Reply, Failure> {
    Ok(reply::page(StatusCode::OK, view.render()?))
}

/// The same for a form that was refused: the browser shows the page, and programs see that nothing was
/// done.
///
/// # Errors
/// When the template fails.
pub fn again(view: &impl Template) -> Result<Reply, Failure> {
    Ok(reply::page(StatusCode::UNPROCESSABLE_ENTITY, view.render()?))
}
