//! The page before an act that takes something away: what stops, what it did lately, what stays, and
//! one button. Assets, apps and tokens share it.

use super::parts::{Form, Kept, Link, Sentence};
use super::shell::Shell;

/// The question, and its button. Nothing has happened yet.
#[derive(Debug, askama::Template)]
#[template(path = "confirm.html")]
pub struct ConfirmPage {
    pub shell: Shell,
    pub form: Form,
    /// The list that the subject stands in.
    pub list: Link,
    /// The subject, with its page.
    pub subject: Link,
    /// The last word of the breadcrumbs: "Delete".
    pub here: String,
    /// The heading up to the name: "Delete"; a question mark follows the name.
    pub verb: String,
    /// What the act is and whether it can be undone, one or two sentences.
    pub lede: String,
    pub stops: Vec<Sentence>,
    pub lately: Vec<Sentence>,
    pub stays: Vec<Sentence>,
    /// Where the form is sent.
    pub action: String,
    /// Further fields of the form.
    pub kept: Vec<Kept>,
    /// The button: "Delete this Page".
    pub button: String,
    /// Whether the button is red: it only takes away.
    pub danger: bool,
    /// The way out: "Keep it".
    pub keep: String,
}
