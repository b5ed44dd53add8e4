//! The activity: the ledger as a timeline, newest first.

use super::parts::{Badge, Sentence, Time};
use super::shell::Shell;

/// The timeline.
#[derive(Debug, askama::Template)]
#[template(path = "activity.html")]
pub struct ActivityPage {
    pub shell: Shell,
    /// Words of a line, as typed.
    pub query: String,
    /// Kinds of acts.
    pub groups: Vec<Choice>,
    /// The first and the last day, as typed.
    pub since: String,
    pub until: String,
    /// What the last check of the chain found.
    pub verified: Option<(Badge, Sentence)>,
    pub lines: Vec<Line>,
    /// The page with older lines.
    pub next: Option<String>,
    /// How far was looked, if the page isn't full.
    pub looked_back: Option<Time>,
    /// The same lines as files.
    pub csv: String,
    pub jsonl: String,
}

/// One choice of a list.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What is sent.
    pub word: String,
    pub label: String,
    pub chosen: bool,
}

/// An entry of the ledger.
#[derive(Debug, Clone)]
pub struct Line {
    pub revision: String,
    pub at: Time,
    pub sentence: Sentence,
    /// Whether it took something away.
    pub narrows: bool,
    /// What changed, record by record.
    pub records: Vec<Record>,
    /// Why nothing is shown of what changed.
    pub note: Option<&'static str>,
}

/// A record that changed.
#[derive(Debug, Clone)]
pub struct Record {
    pub title: Sentence,
    pub fields: Vec<Field>,
}

/// A field before and after.
#[derive(Debug, Clone)]
pub struct Field {
    pub label: &'static str,
    pub before: Sentence,
    pub after: Sentence,
}
