//! Tokens of the whole business: the inventory, one of them, and the search for a leaked one.
//! No text of a token ever stands here.

use super::asset::RefusedRow;
use super::parts::{Badge, Chart, Form, Kept, LastUse, Link, Pager, Sentence, Tab, Time};
use super::shell::Shell;

/// The inventory.
#[derive(Debug, askama::Template)]
#[template(path = "tokens.html")]
pub struct ListPage {
    pub shell: Shell,
    /// "Ends within 14 days" and the like; each filters the list.
    pub cards: Vec<Card>,
    /// "Live", "Page tokens", "Sign-ins", "Ended and revoked".
    pub tabs: Vec<Tab>,
    /// The filter as typed.
    pub query: String,
    /// What else narrows the list: "Of Post scheduler"; the link takes it away.
    pub narrowed: Option<Link>,
    /// Fields of the address that the filter keeps.
    pub kept: Vec<Kept>,
    pub rows: Vec<TokenRow>,
    /// Whether the business has no token at all.
    pub empty: bool,
    /// The list without any filter.
    pub all: String,
    pub pager: Option<Pager>,
}

/// A card that filters.
#[derive(Debug, Clone)]
pub struct Card {
    pub label: &'static str,
    pub count: String,
    /// What to do about them.
    pub detail: &'static str,
    pub href: String,
    pub current: bool,
    /// Whether the count asks for a person.
    pub warn: bool,
}

/// A token in the inventory.
#[derive(Debug, Clone)]
pub struct TokenRow {
    pub href: String,
    /// What it is for; if nobody said, "Token" with its id.
    pub purpose: String,
    pub id: String,
    pub user: Link,
    pub user_icon: &'static str,
    /// The app's name; a person's token has none.
    pub app: Option<Link>,
    pub by: String,
    pub issued: Time,
    pub ends: Option<Time>,
    /// Whether that is soon, or never.
    pub soon: bool,
    pub last_used: Option<LastUse>,
    /// `None` while it is live.
    pub status: Option<Badge>,
    /// The page that revokes it, while there is something to revoke.
    pub revoke: Option<String>,
}

/// One token.
#[derive(Debug, askama::Template)]
#[template(path = "token_page.html")]
pub struct TokenPage {
    pub shell: Shell,
    pub id: String,
    pub purpose: String,
    /// Whether somebody has just pasted its text.
    pub found: bool,
    pub live: bool,
    pub status: Badge,
    /// What the status means, if it isn't live.
    pub status_sentence: Option<String>,
    /// "System user token", "Page token", "Session of the console".
    pub sort: String,
    pub user: Link,
    pub user_icon: &'static str,
    /// "Employee".
    pub role: String,
    pub app: Option<Link>,
    /// The Page of a page token.
    pub page: Option<Link>,
    pub by: String,
    pub issued: Time,
    pub ends: Option<Time>,
    pub ends_in: Option<Time>,
    pub soon: bool,
    pub revoked: Option<Time>,
    pub last_used: Option<LastUse>,
    /// How often it was used in all.
    pub uses: String,
    /// The token that it was issued with.
    pub parent: Option<Link>,
    /// What was issued from it.
    pub children: Vec<ChildRow>,
    pub children_more: Option<String>,
    pub scopes: Vec<ScopeLine>,
    /// Scopes that it was issued with and may not be used for now.
    pub lost: Vec<&'static str>,
    /// What who holds it can do now.
    pub can: Vec<Sentence>,
    pub can_more: Option<String>,
    pub chart: Chart,
    /// "37 a day".
    pub chart_words: String,
    /// The same as a table.
    pub rights: Vec<RightRow>,
    pub refusals: Vec<RefusedRow>,
    /// The page that revokes it; `None` if there is nothing to revoke, or the viewer may not.
    pub revoke: Option<String>,
    /// Whether it is the viewer's own session.
    pub own: bool,
}

/// A token that was issued from another.
#[derive(Debug, Clone)]
pub struct ChildRow {
    pub what: Sentence,
    pub status: Badge,
}

/// A scope of a token.
#[derive(Debug, Clone)]
pub struct ScopeLine {
    pub name: &'static str,
    pub sentence: String,
}

/// Uses for one right.
#[derive(Debug, Clone)]
pub struct RightRow {
    /// "Content on Alder & Pine Workshop".
    pub what: Sentence,
    /// The scope's word; "None asked for" if there is none.
    pub scope: Option<&'static str>,
    pub uses: String,
    pub last: LastUse,
}

/// Paste a token. What is pasted is neither kept nor shown again.
#[derive(Debug, askama::Template)]
#[template(path = "token_find.html")]
pub struct FindPage {
    pub shell: Shell,
    pub form: Form,
}
