//! The terms for system users. Only an admin person, signed in, may accept them.

use super::parts::{Form, Time};
use super::shell::Shell;

/// The terms in full, and one button.
#[derive(Debug, askama::Template)]
#[template(path = "terms.html")]
pub struct TermsPage {
    pub shell: Shell,
    pub form: Form,
    /// The version of the text.
    pub version: String,
    /// The text in paragraphs.
    pub paragraphs: Vec<TermsPart>,
    /// Who accepted this version and when, if it is accepted.
    pub accepted: Option<Accepted>,
    /// Whether an earlier version was accepted: new users and tokens wait, running ones don't.
    pub renewed: bool,
    /// Where to go afterwards; sent as `return_to`.
    pub return_to: Option<String>,
    /// Admin persons who can accept it, by name; shown to who can't.
    pub admins: Vec<String>,
}

/// A paragraph of the terms.
#[derive(Debug, Clone)]
pub struct TermsPart {
    pub text: String,
    /// Whether it is a heading.
    pub heading: bool,
}

/// By whom this version was accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub by: String,
    pub at: Time,
}
