//! System users: the empty page, the list, a new one, one of them, and its end.

use super::parts::{Badge, Chart, Form, LastUse, Link, Pager, Sentence, Tab, Time, UserHead};
use super::shell::Shell;

/// There are no system users yet.
#[derive(Debug, askama::Template)]
#[template(path = "system_users_empty.html")]
pub struct EmptyPage {
    pub shell: Shell,
    /// The names of the connected apps. When there are none the page leads to "Create app" first.
    pub apps: Vec<String>,
    /// Whether the terms of now are accepted.
    pub terms_accepted: bool,
}

/// All system users.
#[derive(Debug, askama::Template)]
#[template(path = "system_users.html")]
pub struct ListPage {
    pub shell: Shell,
    /// The filter as typed.
    pub query: String,
    /// "All", "Admins", "Deactivated".
    pub tabs: Vec<Tab>,
    pub rows: Vec<UserRow>,
    /// How many there are in all, whatever the filter says.
    pub total: String,
    /// False if no app is connected: "Add" then says so.
    pub has_app: bool,
    pub pager: Option<Pager>,
}

/// A system user in the list.
#[derive(Debug, Clone)]
pub struct UserRow {
    pub name: String,
    pub href: String,
    pub description: Option<String>,
    /// "Employee" or "Admin".
    pub role: String,
    /// "Deactivated", or what else needs a word.
    pub badge: Option<Badge>,
    /// "3 assets", "Every asset".
    pub reach: String,
    /// "2 live", "None".
    pub tokens: String,
    /// When the next token ends, if one does.
    pub next_end: Option<Time>,
    /// Whether that is soon.
    pub soon: bool,
    pub last_used: Option<LastUse>,
}

/// A new system user.
#[derive(Debug, askama::Template)]
#[template(path = "system_user_new.html")]
pub struct NewPage {
    pub shell: Shell,
    pub form: Form,
    /// What was typed as `name`.
    pub name: String,
    /// What was typed as `description`.
    pub description: String,
    /// Whether ADMIN is chosen; EMPLOYEE is the default. Sent as `role`.
    pub admin: bool,
    /// Another one whose name looks alike; the form can be sent again with `alike=yes`.
    pub alike: Option<String>,
}

/// One system user.
#[derive(Debug, askama::Template)]
#[template(path = "system_user.html")]
pub struct UserPage {
    pub shell: Shell,
    pub user: UserHead,
    pub description: Option<String>,
    /// "Reaches only what is assigned to it".
    pub role_sentence: String,
    pub last_used: Option<LastUse>,
    pub created: Time,
    pub created_by: String,
    /// The apps installed on it.
    pub apps: Vec<Link>,
    /// Whether the person may change it; without that no act is offered.
    pub manage: bool,
    pub assets: Vec<AssetRow>,
    /// How many assets are assigned in all, ready to show.
    pub asset_count: String,
    /// All assignments, when the list was cut.
    pub more_assets: Option<Link>,
    pub tokens: Vec<TokenRow>,
    /// How many of its tokens are live.
    pub live: usize,
    /// The list with the ended and revoked ones; "Show 4 ended and revoked tokens".
    pub ended: Option<Link>,
    pub refusals: Vec<RefusalRow>,
}

/// An assigned asset.
#[derive(Debug, Clone)]
pub struct AssetRow {
    pub name: String,
    pub href: String,
    /// The name of an icon in `icons.svg`.
    pub icon: &'static str,
    pub kind: String,
    /// The tasks by their labels: "Content, Community activity".
    pub tasks: String,
    /// What doesn't fit: "No live token has a scope for this."
    pub note: Sentence,
    pub by: String,
    pub at: Time,
    /// The assignment's form.
    pub change: String,
}

/// A live token.
#[derive(Debug, Clone)]
pub struct TokenRow {
    pub href: String,
    /// What it is for; if nobody said, "Token" with its id.
    pub purpose: String,
    pub app: String,
    /// What tells it apart: its id.
    pub mark: String,
    pub by: String,
    pub issued: Time,
    /// When it ends, as a date; `None` if never.
    pub ends: Option<Time>,
    /// The same as a distance.
    pub ends_in: Option<Time>,
    /// Whether that is soon, or never.
    pub soon: bool,
    pub last_used: Option<LastUse>,
    /// If it was never used: "71 days since it was issued".
    pub unused: String,
    pub chart: Chart,
    /// "37 a day", "None".
    pub uses: String,
    /// The page that revokes it.
    pub revoke: String,
}

/// A refusal of late.
#[derive(Debug, Clone)]
pub struct RefusalRow {
    pub at: Time,
    /// "Hide a comment on Alder & Pine Workshop".
    pub tried: Sentence,
    pub why: Sentence,
    /// "Still refused" or "Would pass".
    pub now: Badge,
    /// "Why" or "Grant this".
    pub act: Link,
}

/// Deactivate one, or switch it on again.
#[derive(Debug, askama::Template)]
#[template(path = "system_user_status.html")]
pub struct StatusPage {
    pub shell: Shell,
    pub form: Form,
    pub user: UserHead,
    /// What stops, or works again, each a sentence.
    pub changes: Vec<Sentence>,
    /// What stays as it is.
    pub stays: Vec<Sentence>,
    /// What it did lately, so that nobody is surprised.
    pub lately: Vec<Sentence>,
}

/// Delete one.
#[derive(Debug, askama::Template)]
#[template(path = "system_user_delete.html")]
pub struct DeletePage {
    pub shell: Shell,
    pub form: Form,
    pub user: UserHead,
    pub live: usize,
    pub stops: Vec<Sentence>,
    pub stays: Vec<Sentence>,
    pub lately: Vec<Sentence>,
}
