//! The pages of who has no session yet, or none any more.
//! Nothing on them may change anything when it is merely opened: one button sends a form.

use super::parts::{Form, Kept, Time};
use super::shell::Bare;

/// A single-use link, opened: whom it signs in where, and one button. Opening it redeems nothing.
#[derive(Debug, askama::Template)]
#[template(path = "sign_in_link.html")]
pub struct LinkPage {
    pub bare: Bare,
    /// Carries no session; the id still guards against a form that is sent twice.
    pub form: Form,
    /// Where the button sends to: the link's own path.
    pub action: String,
    /// The link's code, when it isn't part of `action`; sent as `code`.
    pub code: Option<String>,
    /// The person that is signed in.
    pub person: String,
    /// The business that is opened.
    pub business: String,
    /// The business's one or two letters.
    pub initials: String,
    /// "Admin" or "Employee".
    pub role: String,
    /// When the link ends.
    pub ends: Time,
    /// Where to go afterwards; sent as `return_to`.
    pub return_to: Option<String>,
}

/// Sign in: how to get a link.
#[derive(Debug, askama::Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    pub bare: Bare,
    /// The page that was asked for, which opens after the sign-in.
    pub return_to: Option<String>,
    /// Why the person is here, if something ended: one sentence.
    pub reason: Option<String>,
}

/// Signed out.
#[derive(Debug, askama::Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    pub bare: Bare,
}

/// A link that was used or has ended, or that never was one.
#[derive(Debug, askama::Template)]
#[template(path = "link_ended.html")]
pub struct LinkEndedPage {
    pub bare: Bare,
    /// When it was used, if it was.
    pub used: Option<Time>,
    /// When it ended, if time was up.
    pub ended: Option<Time>,
}

/// The session ended in the middle of a form. What was typed is in the page and can be sent again.
#[derive(Debug, askama::Template)]
#[template(path = "session_ended.html")]
pub struct SessionEndedPage {
    pub bare: Bare,
    /// Where the form goes, once the person is signed in again.
    pub action: String,
    /// What was typed, never a secret, never the old one-use id.
    pub kept: Vec<Kept>,
    /// What the form was about: "New system user".
    pub about: String,
    /// The page of the form, for who wants to begin anew.
    pub return_to: String,
}
