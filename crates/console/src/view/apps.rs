//! Apps after they exist: the list, one of them, its scopes, its proof, and a new secret.
//! The secret of an app is shown once, in the answer to the form that made it.

use super::parts::{Badge, Form, LastUse, Link, Time};
use super::shell::Shell;

/// All apps of the business.
#[derive(Debug, askama::Template)]
#[template(path = "apps.html")]
pub struct ListPage {
    pub shell: Shell,
    pub rows: Vec<AppRow>,
    /// That not all tokens were counted, since there are so many.
    pub cut: bool,
}

/// An app in the list.
#[derive(Debug, Clone)]
pub struct AppRow {
    pub id: String,
    pub name: String,
    pub href: String,
    /// "Connected", or "Disconnected".
    pub state: Badge,
    /// "3 system users", "None".
    pub installed: String,
    /// "5 live", "None".
    pub tokens: String,
    /// "Every scope", "12 of 50 scopes".
    pub scopes: String,
    pub proof: bool,
    pub created: Time,
}

/// One app.
#[derive(Debug, askama::Template)]
#[template(path = "app_page.html")]
pub struct AppPage {
    pub shell: Shell,
    pub app: AppHead,
    /// The one-use form for acts that have one button on this page.
    pub form: Form,
    pub created: Time,
    /// When the secret before stops working, while it still works.
    pub previous_until: Option<Time>,
    pub proof: bool,
    /// "Every scope", "12 of 50".
    pub scopes: String,
    pub groups: Vec<AllowedGroup>,
    /// The system users that it is installed on.
    pub users: Vec<Link>,
    /// How many those are, ready to show.
    pub user_count: String,
    pub tokens: Vec<TokenRow>,
    /// "3 live".
    pub token_count: String,
    /// All of them, if the list was cut.
    pub more_tokens: Option<Link>,
}

/// The app itself.
#[derive(Debug, Clone)]
pub struct AppHead {
    pub id: String,
    pub name: String,
    pub href: String,
    pub connected: bool,
}

/// The scopes of one group that an app may ask for.
#[derive(Debug, Clone)]
pub struct AllowedGroup {
    /// "Pages".
    pub title: String,
    /// "11 of 11".
    pub counted: String,
    /// Those that it may not ask for, by their words.
    pub missing: Vec<String>,
}

/// A live token of the app.
#[derive(Debug, Clone)]
pub struct TokenRow {
    pub href: String,
    pub purpose: String,
    pub id: String,
    pub user: Link,
    pub ends: Option<Time>,
    /// Whether that is soon, or never.
    pub soon: bool,
    pub last_used: Option<LastUse>,
    pub revoke: String,
}

/// The scopes that an app may ask for. The form's fields: `scope` (repeated), `seen` (how the effect was
/// shown), and `go`: `review` or `save`.
#[derive(Debug, askama::Template)]
#[template(path = "app_page_scopes.html")]
pub struct ScopesPage {
    pub shell: Shell,
    pub form: Form,
    pub app: AppHead,
    pub groups: Vec<ScopeGroup>,
    /// What tokens would lose; `None` before it was looked up.
    pub effect: Option<Effect>,
    /// The set that the effect was worked out for; sent as `seen`.
    pub seen: String,
}

/// Scopes that belong together, to tick.
#[derive(Debug, Clone)]
pub struct ScopeGroup {
    pub title: String,
    pub counted: String,
    pub rows: Vec<ScopeRow>,
}

/// A scope to tick.
#[derive(Debug, Clone)]
pub struct ScopeRow {
    pub name: &'static str,
    pub sentence: String,
    pub ticked: bool,
}

/// What tokens would lose.
#[derive(Debug, Clone)]
pub struct Effect {
    /// How many tokens lose something.
    pub tokens: usize,
    pub rows: Vec<LostScope>,
    /// How many scopes the app may ask for anew.
    pub gained: usize,
}

/// A scope that tokens would lose.
#[derive(Debug, Clone)]
pub struct LostScope {
    pub name: &'static str,
    pub sentence: String,
    /// "3 tokens".
    pub tokens: String,
}

/// Whether each call must bring a proof.
#[derive(Debug, askama::Template)]
#[template(path = "app_page_proof.html")]
pub struct ProofPage {
    pub shell: Shell,
    pub form: Form,
    pub app: AppHead,
    /// How it is now.
    pub demanded: bool,
    /// How many live tokens it has.
    pub live: usize,
}

/// A new secret.
#[derive(Debug, askama::Template)]
#[template(path = "app_secret.html")]
pub struct SecretPage {
    pub shell: Shell,
    pub form: Form,
    pub app: AppHead,
    pub choices: Vec<Overlap>,
    /// When the secret before the present one stops, if it still works: it then stops at once.
    pub previous_until: Option<Time>,
    pub proof: bool,
}

/// How long the old secret goes on.
#[derive(Debug, Clone)]
pub struct Overlap {
    pub value: String,
    pub label: &'static str,
    pub detail: &'static str,
    pub chosen: bool,
}

/// The new secret, this once.
#[derive(askama::Template)]
#[template(path = "app_secret_once.html")]
pub struct SecretOncePage {
    pub shell: Shell,
    pub app: AppHead,
    /// Shown once. It is left out of `Debug`.
    pub secret: String,
    /// When the old one stops; `None` if it has stopped.
    pub old_until: Option<Time>,
}

impl std::fmt::Debug for SecretOncePage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretOncePage").field("app", &self.app.id).finish_non_exhaustive()
    }
}
