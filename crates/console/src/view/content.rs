//! Content as pages to read: a post, a campaign. The Graph's `permalink_url` leads here. Texts are what
//! software wrote; they are shown as text, and their links are never opened by this console.

use super::parts::{Badge, Link, Sentence, Time};
use super::shell::Shell;

/// A post.
#[derive(Debug, askama::Template)]
#[template(path = "content_post.html")]
pub struct PostPage {
    pub shell: Shell,
    pub about: About,
    /// Its text, line by line; an empty line stays one.
    pub lines: Vec<String>,
    /// The web address that it shares.
    pub link: Option<String>,
    /// When it is to be published.
    pub scheduled: Option<Time>,
    /// When it was published.
    pub published: Option<Time>,
    /// Whether visitors don't see it.
    pub hidden: bool,
    /// Why it was not published at its time.
    pub failed: Option<String>,
}

/// A campaign.
#[derive(Debug, askama::Template)]
#[template(path = "content_campaign.html")]
pub struct CampaignPage {
    pub shell: Shell,
    pub about: About,
    /// "Traffic".
    pub objective: String,
    /// "EUR 12.00 a day", if it has a budget.
    pub budget: Option<String>,
    /// The most that it may spend.
    pub cap: Option<String>,
    pub starts: Option<Time>,
    pub stops: Option<Time>,
    /// "Auction".
    pub buying: String,
    pub bidding: Option<String>,
    /// Special categories of ads, if it has any.
    pub categories: Option<String>,
}

/// What posts and campaigns have in common.
#[derive(Debug, Clone)]
pub struct About {
    pub id: String,
    /// The heading: a campaign's name, or "Post".
    pub title: String,
    pub status: Badge,
    /// The asset that holds it.
    pub asset: Link,
    /// The list of the asset's kind.
    pub list: Link,
    /// Who made it, and through which app.
    pub by: Sentence,
    pub created: Time,
    /// When it was changed last, if it was.
    pub updated: Option<Time>,
    /// What happened to it, the newest first; each with its time.
    pub history: Vec<HistoryRow>,
    /// Further fields that were kept as they came.
    pub more: Vec<Field>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    pub at: Time,
    pub what: Sentence,
}

/// A field with its value, as text.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub value: String,
}
