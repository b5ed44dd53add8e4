//! Refusals: the list, and one of them explained.

use super::parts::{Badge, Link, Pager, Sentence, Tab, Time};
use super::shell::Shell;

/// The list beside the chosen one.
#[derive(Debug, askama::Template)]
#[template(path = "refusals.html")]
pub struct RefusalsPage {
    pub shell: Shell,
    /// What was searched for.
    pub query: String,
    pub tabs: Vec<Tab>,
    pub rows: Vec<RefusalRow>,
    /// "Only those of Post scheduler", with the way to all.
    pub narrowed: Option<Link>,
    pub pager: Option<Pager>,
    /// Said when older refusals were not looked at.
    pub cut: bool,
    /// Nothing was ever refused, whatever the filter says.
    pub empty: bool,
    pub chosen: Option<Detail>,
}

/// A row of the list.
#[derive(Debug, Clone)]
pub struct RefusalRow {
    pub href: String,
    pub at: Time,
    /// "14 times", "Once".
    pub times: String,
    /// What did not happen.
    pub short: String,
    /// Why, in a few words.
    pub because: String,
    pub now: Option<Badge>,
    pub current: bool,
}

/// One refusal.
#[derive(Debug, Clone)]
pub struct Detail {
    pub trace: String,
    pub at: Time,
    /// The whole sentence.
    pub sentence: String,
    /// "Still refused now", "It would pass now".
    pub now: String,
    /// Why now, or what the button below does.
    pub now_text: String,
    /// What mends it.
    pub mend: Option<Link>,
    pub facts: Vec<Fact>,
    pub checks: Vec<CheckRow>,
}

/// A fact about it.
#[derive(Debug, Clone)]
pub struct Fact {
    pub label: &'static str,
    pub value: Sentence,
    pub more: Option<String>,
}

/// One check, then and now.
#[derive(Debug, Clone)]
pub struct CheckRow {
    pub title: String,
    /// The first that failed then.
    pub failed: bool,
    pub then: Outcome,
    pub now: Outcome,
}

/// How a check came out.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// "Passed", "Failed", "Not asked", for who doesn't see the sign.
    pub word: &'static str,
    /// The name of an icon; none if it was not asked.
    pub icon: Option<&'static str>,
    pub text: String,
    pub time: Option<Time>,
}
