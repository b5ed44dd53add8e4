//! One's own sign-in: the sessions of a person, and its tokens for the command line.

use super::parts::{Form, LastUse, Time};
use super::shell::Shell;

/// One's own sign-in.
#[derive(Debug, askama::Template)]
#[template(path = "security.html")]
pub struct SecurityPage {
    pub shell: Shell,
    /// For its forms.
    pub form: Form,
    /// The address that signs in.
    pub email: String,
    pub sessions: Vec<SessionRow>,
    /// Tokens for the command line.
    pub tokens: Vec<SessionRow>,
    /// How many sessions there are besides this one.
    pub others: usize,
}

/// A session, or a token for the command line.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// The token's id.
    pub id: String,
    /// "Firefox on Linux", "Command line".
    pub what: String,
    /// Whether it is the one that looks at the page.
    pub here: bool,
    /// Not used for so long that the console asks for a new sign-in.
    pub idle: bool,
    pub last_seen: Option<LastUse>,
    pub since: Time,
    pub ends: Time,
}
