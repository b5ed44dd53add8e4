//! Generate a token, and the one page that shows it.
//!
//! The form's fields: `app`, `purpose`, `end` (`60`, `date`, `never`), `date`, `scope` (repeated), and
//! `go`, the button: `generate`, `app`, `tick:SCOPE`, `untick:SCOPE`, or `refresh` from the script. Only
//! `generate` makes a token or uses up the one-use id. Locked scopes are not sent; the handler adds
//! what the ticked ones need.

use super::parts::{Form, Sentence, Time, UserHead};
use super::shell::Shell;

/// The form.
#[derive(Debug, askama::Template)]
#[template(path = "token_new.html")]
pub struct TokenPage {
    pub shell: Shell,
    pub form: Form,
    pub user: UserHead,
    pub apps: Vec<AppChoice>,
    /// The name of the chosen app.
    pub app: String,
    /// Whether the chosen app is installed; if not, generating installs it.
    pub installed: bool,
    /// What was typed as `purpose`.
    pub purpose: String,
    pub end: EndChoice,
    /// When a token of 60 days would end.
    pub in_60_days: Time,
    /// What was typed as `date`, as `2027-01-23`.
    pub date: String,
    /// The first day that can be chosen, as `2026-11-25`.
    pub date_from: String,
    /// The chosen end, for the summary; `None` if never.
    pub ends: Option<Time>,
    /// The scopes that something assigned needs, and those that are ticked.
    pub groups: Vec<ScopeGroup>,
    /// The scopes that nothing assigned needs.
    pub more: Vec<ScopeGroup>,
    /// How many those are.
    pub more_count: usize,
    /// What who holds the token can do, each a sentence.
    pub can: Vec<Sentence>,
    /// What doesn't match, in short.
    pub mismatches: Vec<Sentence>,
}

/// When a token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndChoice {
    Days60,
    Date,
    Never,
}

impl EndChoice {
    pub fn is_60_days(self) -> bool {
        self == EndChoice::Days60
    }

    pub fn is_date(self) -> bool {
        self == EndChoice::Date
    }

    pub fn is_never(self) -> bool {
        self == EndChoice::Never
    }
}

/// An app to choose.
#[derive(Debug, Clone)]
pub struct AppChoice {
    pub id: String,
    pub name: String,
    pub installed: bool,
    pub chosen: bool,
}

/// Scopes that belong together.
#[derive(Debug, Clone)]
pub struct ScopeGroup {
    /// "Pages".
    pub title: String,
    /// "6 of 11".
    pub counted: String,
    pub rows: Vec<ScopeRow>,
}

/// A scope to tick.
#[derive(Debug, Clone)]
pub struct ScopeRow {
    /// The word of the wire.
    pub name: String,
    pub sentence: String,
    pub ticked: bool,
    /// Needed by a ticked one, so it can't be unticked.
    pub locked: bool,
    /// "For Content on 2 Pages", "Needed by the comments scope", "Nothing assigned needs it".
    pub reason: String,
    /// What doesn't match: "No assignment needs this".
    pub note: Option<ScopeNote>,
}

/// What doesn't match about a scope, with the button that mends it.
#[derive(Debug, Clone)]
pub struct ScopeNote {
    pub text: Sentence,
    /// True if the button ticks the scope, false if it unticks it.
    pub tick: bool,
}

/// The token, this once. The page is the answer to the form and is never shown again.
#[derive(askama::Template)]
#[template(path = "token_once.html")]
pub struct TokenOncePage {
    pub shell: Shell,
    pub user: UserHead,
    /// The token's text. It is left out of `Debug`.
    pub text: String,
    pub id: String,
    pub purpose: String,
    pub app: String,
    /// `None` if never.
    pub ends: Option<Time>,
    pub ends_in: Option<Time>,
    /// "Publish posts on 2 Pages, answer comments on 1".
    pub can: String,
    /// How many scopes it has.
    pub scopes: usize,
    /// What the snippets do: "it lists the Pages that this token reaches".
    pub snippets_do: String,
    pub snippets: Vec<Snippet>,
    /// The page that revokes it.
    pub revoke: String,
}

impl std::fmt::Debug for TokenOncePage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenOncePage").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Code to paste. It only reads.
#[derive(Clone)]
pub struct Snippet {
    /// The word in its element's id: "curl", "python", "node".
    pub word: &'static str,
    /// "Python".
    pub title: &'static str,
    /// "facebook_business".
    pub detail: &'static str,
    /// The code up to the token, the token left out.
    pub before: String,
    /// The code after the token.
    pub after: String,
    /// Whether it takes the whole width.
    pub wide: bool,
}

impl std::fmt::Debug for Snippet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snippet").field("word", &self.word).finish_non_exhaustive()
    }
}
