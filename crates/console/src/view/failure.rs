//! Pages for what goes wrong. Each says what happened, what is unchanged and what to do next.
//! None may show the text of an error from inside.

use super::parts::{Form, Kept};
use super::shell::{Bare, Shell};

/// 403: the signed-in person may not do this, or the form came from elsewhere.
#[derive(Debug, askama::Template)]
#[template(path = "failure_403.html")]
pub struct ForbiddenPage {
    pub bare: Bare,
    /// One sentence: what is missing. From the refusal's own words.
    pub why: String,
    /// Who can grant it: "ADMIN of the business".
    pub granted_by: Option<String>,
    /// The id by which the refusal is found.
    pub trace: Option<String>,
}

/// 404: nothing is shown at this address, or not to this person.
#[derive(Debug, askama::Template)]
#[template(path = "failure_404.html")]
pub struct NotFoundPage {
    pub bare: Bare,
}

/// 500: a fault of the server.
#[derive(Debug, askama::Template)]
#[template(path = "failure_500.html")]
pub struct BrokenPage {
    pub bare: Bare,
    /// The id under which the server's log has the fault.
    pub trace: Option<String>,
}

/// 503: the server can't answer now. What was refused so was not done.
#[derive(Debug, askama::Template)]
#[template(path = "failure_503.html")]
pub struct UnavailablePage {
    pub bare: Bare,
    /// True if a form was sent, which may hold several changes.
    pub sent: bool,
    /// The page to try again.
    pub retry: String,
    pub trace: Option<String>,
}

/// 503: what was sent may have been done, or is in force and not stored yet. It must never say that nothing
/// was changed.
#[derive(Debug, askama::Template)]
#[template(path = "failure_unsettled.html")]
pub struct UnsettledPage {
    pub bare: Bare,
    pub title: String,
    /// What is known, and what to do.
    pub why: String,
    pub trace: Option<String>,
}

/// A form was sent twice, or is older than the server's memory of it. Nothing was changed.
#[derive(Debug, askama::Template)]
#[template(path = "failure_replayed.html")]
pub struct ReplayedPage {
    pub shell: Shell,
    /// The page from which it came, or the one that shows the outcome.
    pub back: String,
}

/// Somebody else renamed the thing since the form was opened. Nothing was overwritten.
#[derive(Debug, askama::Template)]
#[template(path = "stale.html")]
pub struct StalePage {
    pub shell: Shell,
    /// A new one-use id.
    pub form: Form,
    /// Where "Save mine" sends to.
    pub action: String,
    /// The name of the thing now.
    pub name: String,
    /// What was typed.
    pub typed: String,
    /// Its page.
    pub href: String,
    /// What was typed, sent again by "Save mine".
    pub kept: Vec<Kept>,
}
