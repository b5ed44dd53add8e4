//! Revoke one token, those of an app, or all: first what stops, then the receipt.

use super::parts::{Form, LastUse, Link, Sentence, Tab, Time, UserHead};
use super::shell::Shell;

/// Which tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    One,
    /// All of one app.
    App,
    All,
}

impl Which {
    pub fn is_one(self) -> bool {
        self == Which::One
    }

    pub fn is_app(self) -> bool {
        self == Which::App
    }
}

/// What stops, and the button.
#[derive(Debug, askama::Template)]
#[template(path = "revoke.html")]
pub struct RevokePage {
    pub shell: Shell,
    pub form: Form,
    pub user: UserHead,
    pub which: Which,
    /// The purpose of the one, or the name of the app; empty for all.
    pub what: String,
    /// The one's id; sent as `token`.
    pub token: Option<String>,
    /// The app's id; sent as `app`.
    pub app: Option<String>,
    /// Other choices: "All 3", "Workshop Desk 2". Empty if there is no other.
    pub tabs: Vec<Tab>,
    /// How many tokens the button revokes, without those issued from them.
    pub count: usize,
    pub tokens: Vec<RevokedToken>,
    /// What else stops, each a sentence.
    pub stops: Vec<Sentence>,
    /// Where "Keep" leads.
    pub back: String,
}

/// A token that stops.
#[derive(Debug, Clone)]
pub struct RevokedToken {
    pub purpose: String,
    pub href: String,
    pub app: String,
    pub mark: String,
    pub last_used: Option<LastUse>,
    /// "1,110 in 30 days".
    pub uses: String,
    /// What it did lately, newest first.
    pub lately: Vec<Sentence>,
    /// What was issued from it, and stops with it: Page tokens and others.
    pub issued: Vec<IssuedFrom>,
    /// If that list was cut: "and 12 more".
    pub issued_more: Option<String>,
}

/// A token that was issued from another.
#[derive(Debug, Clone)]
pub struct IssuedFrom {
    /// "Page token for Alder & Pine Cycles".
    pub what: Sentence,
    pub last_used: Option<Time>,
}

/// It is done: where it holds.
#[derive(Debug, askama::Template)]
#[template(path = "receipt.html")]
pub struct ReceiptPage {
    pub shell: Shell,
    pub user: UserHead,
    /// How many tokens were revoked, with those issued from them.
    pub count: usize,
    /// The purposes, each with its app.
    pub tokens: Vec<String>,
    pub at: Time,
    /// By whom.
    pub by: String,
    pub revision: String,
    pub nodes: Vec<ReceiptNode>,
    /// What now works no longer, and what mends it: "Generate a replacement".
    pub next: Option<Link>,
}

/// A server that confirmed.
#[derive(Debug, Clone)]
pub struct ReceiptNode {
    pub name: String,
    /// `None` while it hasn't.
    pub confirmed: Option<Time>,
}
