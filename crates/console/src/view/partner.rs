//! Partners: other businesses that share assets with this one, or with which it shares some.
//! Of a partner only its name, its id and what is shared is shown, never its users.

use super::parts::{Form, Pager, Sentence, Time};
use super::shell::Shell;

/// All partners.
#[derive(Debug, askama::Template)]
#[template(path = "partners.html")]
pub struct ListPage {
    pub shell: Shell,
    /// The filter as typed.
    pub query: String,
    pub rows: Vec<PartnerRow>,
    /// How many there are in all, ready to show.
    pub total: String,
    /// Whether there is none at all.
    pub empty: bool,
    /// The id of this business, to hand over to whoever wants to share.
    pub own_id: String,
    pub pager: Option<Pager>,
}

/// A partner in the list.
#[derive(Debug, Clone)]
pub struct PartnerRow {
    pub name: String,
    pub href: String,
    pub id: String,
    /// What we share with it: "3 assets", "Nothing".
    pub shared: String,
    /// What it shares with us.
    pub received: String,
    /// Who of ours works on those: "2 users".
    pub users: String,
}

/// One partner.
#[derive(Debug, askama::Template)]
#[template(path = "partner.html")]
pub struct PartnerPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub href: String,
    /// The filter as typed.
    pub query: String,
    /// What we share with it.
    pub shared: Vec<SharedRow>,
    /// How many those are in all, ready to show.
    pub shared_count: String,
    pub shared_pager: Option<Pager>,
    /// What it shares with us.
    pub received: Vec<ReceivedRow>,
    pub received_count: String,
    pub received_pager: Option<Pager>,
}

/// An asset that we share with it.
#[derive(Debug, Clone)]
pub struct SharedRow {
    pub name: String,
    pub href: String,
    /// The name of an icon in `icons.svg`.
    pub icon: &'static str,
    pub kind: String,
    /// Up to which tasks, by their labels.
    pub tasks: String,
    pub since: Time,
    pub by: String,
    /// The form that changes it.
    pub change: String,
    /// The page that ends it.
    pub end: String,
}

/// An asset that it shares with us.
#[derive(Debug, Clone)]
pub struct ReceivedRow {
    pub name: String,
    pub href: String,
    /// The name of an icon in `icons.svg`.
    pub icon: &'static str,
    pub kind: String,
    /// Up to which tasks, by their labels.
    pub tasks: String,
    pub since: Time,
    /// Who of ours is assigned on it.
    pub assigned: Sentence,
    /// The page that gives it back.
    pub end: String,
}

/// The end of a share: what stops, and the button.
#[derive(Debug, askama::Template)]
#[template(path = "partner_end.html")]
pub struct EndPage {
    pub shell: Shell,
    pub form: Form,
    /// The partner.
    pub partner: String,
    pub href: String,
    pub asset: String,
    pub asset_id: String,
    pub kind: String,
    /// What is shared now, by labels.
    pub tasks: String,
    /// Whether the asset is ours; else the share is returned.
    pub ours: bool,
    pub stops: Vec<Sentence>,
    pub stays: Vec<Sentence>,
    /// What was done with it lately.
    pub lately: Vec<Sentence>,
}
