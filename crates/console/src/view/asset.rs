//! Assets: the list of one kind, a new one, one of them, and its new name.

use super::parts::{Badge, Form, Kept, Link, Pager, Sentence, Tab, Time};
use super::shell::Shell;

/// The assets of one kind.
#[derive(Debug, askama::Template)]
#[template(path = "assets.html")]
pub struct ListPage {
    pub shell: Shell,
    /// "Pages".
    pub title: String,
    /// The kind's word in addresses.
    pub kind: String,
    /// One of them, inside a sentence: "ad account".
    pub one: String,
    pub icon: &'static str,
    /// What assets of this kind are for, one or two sentences.
    pub about: String,
    /// The filter as typed.
    pub query: String,
    /// "All", "Owned", "Shared with us".
    pub tabs: Vec<Tab>,
    pub rows: Vec<AssetRow>,
    /// How many there are in all, whatever the filter says.
    pub total: String,
    /// Whether there is none at all.
    pub empty: bool,
    pub pager: Option<Pager>,
}

/// An asset in the list.
#[derive(Debug, Clone)]
pub struct AssetRow {
    pub id: String,
    pub name: String,
    pub href: String,
    /// "Alder & Pine Cycles", "Shared by Tailwind Agency".
    pub owner: String,
    /// "Up to Content, Insights", for what is shared with the business.
    pub cap: Option<String>,
    /// "3 assigned, 2 admins".
    pub reach: String,
    /// "Shared with 1 partner".
    pub partners: Option<String>,
}

/// A new asset.
#[derive(Debug, askama::Template)]
#[template(path = "asset_new.html")]
pub struct NewPage {
    pub shell: Shell,
    pub form: Form,
    /// The kind's word; sent as `kind`.
    pub kind: String,
    /// "ad account".
    pub one: String,
    pub about: String,
    /// The list of the kind.
    pub list: Link,
    /// What was typed as `name`.
    pub name: String,
    /// Whether the kind has a category; typed as `category`.
    pub has_category: bool,
    pub category: String,
    /// Whether the kind has a currency and a time zone; typed as `currency` and `timezone`.
    pub has_money: bool,
    pub currency: String,
    pub zones: Vec<Choice>,
}

/// One choice of a list.
#[derive(Debug, Clone)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

/// One asset.
#[derive(Debug, askama::Template)]
#[template(path = "asset_page.html")]
pub struct AssetPage {
    pub shell: Shell,
    pub asset: AssetHead,
    /// The list of its kind.
    pub list: Link,
    /// Who owns it.
    pub owner: String,
    /// What it is shared up to, if another business owns it.
    pub cap: Option<String>,
    pub created: Time,
    /// The descriptive fields that the viewer may read.
    pub details: Vec<Detail>,
    /// Whether the viewer may rename and delete it.
    pub owns: bool,
    /// Whether the viewer sees all users, and may change what they hold.
    pub manage: bool,
    /// Who can do what, users of the viewer's own business.
    pub people: Vec<HolderRow>,
    /// How many there are in all, ready to show.
    pub people_count: String,
    pub pager: Option<Pager>,
    /// Who could be given access and has none; `user` of the form below the list.
    pub others: Vec<Choice>,
    /// Partners that it is shared with; only for the owner.
    pub partners: Vec<HolderRow>,
    /// Posts or campaigns; `None` if the kind has none, or the viewer may not read them.
    pub content: Option<ContentList>,
    /// What was refused about it lately; only for admins.
    pub refusals: Vec<RefusedRow>,
}

/// The asset itself.
#[derive(Debug, Clone)]
pub struct AssetHead {
    pub id: String,
    pub name: String,
    pub href: String,
    /// "Page".
    pub kind: String,
    pub icon: &'static str,
}

/// A descriptive field.
#[derive(Debug, Clone)]
pub struct Detail {
    pub label: String,
    pub value: String,
}

/// Somebody who can do something on an asset.
#[derive(Debug, Clone)]
pub struct HolderRow {
    pub name: String,
    pub href: String,
    pub icon: &'static str,
    /// "System user, employee".
    pub sort: String,
    /// "Content, Insights".
    pub tasks: String,
    /// By which path: "As an admin", "Assigned by Mara Lindqvist, 4 Mar 2026".
    pub path: Sentence,
    /// What changes it; `None` for who may not.
    pub change: Option<Link>,
}

/// What an asset holds.
#[derive(Debug, Clone)]
pub struct ContentList {
    /// "Posts", "Campaigns".
    pub title: String,
    /// What stands there when there is none.
    pub none: String,
    pub rows: Vec<ContentRow>,
    /// That there is more than is shown.
    pub more: bool,
    /// Whether it is known of any who made it.
    pub has_creators: bool,
}

/// A post or a campaign.
#[derive(Debug, Clone)]
pub struct ContentRow {
    /// The beginning of its text, or its name.
    pub title: String,
    pub href: String,
    pub status: Badge,
    /// When it was published or made, or is to be published.
    pub at: Time,
    /// Who made it, and through which app.
    pub by: Sentence,
}

/// A refusal, in short.
#[derive(Debug, Clone)]
pub struct RefusedRow {
    pub at: Time,
    /// "Campaign reporter could not change the campaigns of Alder & Pine Europe".
    pub what: String,
    /// "Needs Manage campaigns on Alder & Pine Europe".
    pub why: String,
    /// "Still refused", "Would pass".
    pub now: Badge,
    /// Its page.
    pub href: String,
}

/// A new name.
#[derive(Debug, askama::Template)]
#[template(path = "asset_rename.html")]
pub struct RenamePage {
    pub shell: Shell,
    pub form: Form,
    /// The list of the breadcrumbs.
    pub list: Link,
    /// The subject as it is called now.
    pub subject: Link,
    /// Where the form is sent.
    pub action: String,
    /// What is typed as `name`.
    pub name: String,
    /// The name that was shown; sent as `was`.
    pub kept: Vec<Kept>,
}
