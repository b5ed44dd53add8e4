//! Assign assets: kinds, assets, tasks, and what would change. Nothing is saved before the person has
//! seen the changes.
//!
//! One form carries it all, so that it works without script. Its fields: `kind` (the kind shown),
//! `q` (the filter of assets), `asset` (ticked, repeated), `shown` (the assets that the switches were
//! drawn for, repeated), `task` (switched on, repeated), `mixed` (tasks that stay as they are on each
//! asset unless switched on, repeated), `draft` (changes not yet saved, one text for each asset,
//! repeated, opaque to the page), `seen` (the digest of the changes on the page), and `go`, the button:
//! `kind:WORD`, `assets`, `search`, `review`, `save`, or `refresh` from the script. Only `save` changes
//! anything or uses up the one-use id.

use super::parts::{Form, Sentence, Tone, UserHead};
use super::shell::Shell;

/// The form.
#[derive(Debug, askama::Template)]
#[template(path = "assign.html")]
pub struct AssignPage {
    pub shell: Shell,
    pub form: Form,
    pub user: UserHead,
    pub picker: Picker,
    /// The ids that the switches were drawn for.
    pub shown: Vec<String>,
    pub drafts: Vec<String>,
    pub summary: Summary,
}

/// The three columns: kinds, assets of one, and their tasks.
#[derive(Debug, Clone)]
pub struct Picker {
    pub kinds: Vec<KindRow>,
    /// The word of the kind that is shown.
    pub kind: String,
    /// Its title, in the plural: "Pages".
    pub kind_title: String,
    /// The filter of assets, as typed.
    pub query: String,
    pub assets: Vec<AssetChoice>,
    /// What stands there if there is none of the kind.
    pub none: &'static str,
    /// Ticked assets of this kind that the filter hides; they stay ticked.
    pub hidden_ticked: Vec<String>,
    /// "2 of 3 selected".
    pub selected: String,
    /// If the list was cut: "The first 50 of 1,234. Search for the others."
    pub cut: Option<String>,
    /// What the switches are about: "Tasks on 2 Pages".
    pub tasks_title: String,
    /// What stands there while nothing is selected.
    pub tasks_hint: Option<&'static str>,
    pub partial: Vec<TaskSwitch>,
    pub full: Vec<TaskSwitch>,
}

/// The changes alone, to read before they are saved; for who uses no script.
#[derive(Debug, askama::Template)]
#[template(path = "assign_review.html")]
pub struct ReviewPage {
    pub shell: Shell,
    pub form: Form,
    pub user: UserHead,
    /// The kind to go back to.
    pub kind: String,
    pub drafts: Vec<String>,
    pub summary: Summary,
}

/// A kind in the first column.
#[derive(Debug, Clone)]
pub struct KindRow {
    /// The word that `kind` carries.
    pub word: String,
    /// "Pages".
    pub title: String,
    pub icon: &'static str,
    /// How many assets of it there are, ready to show.
    pub count: String,
    /// Unsaved changes on assets of this kind: "2 changed".
    pub changed: Option<String>,
    pub current: bool,
}

/// An asset in the second column.
#[derive(Debug, Clone)]
pub struct AssetChoice {
    pub id: String,
    pub name: String,
    /// "Has Content, Community activity", "Shared by Tailwind Agency, up to Insights".
    pub detail: String,
    pub ticked: bool,
}

/// A task in the third column.
#[derive(Debug, Clone)]
pub struct TaskSwitch {
    /// The word of the wire: `CREATE_CONTENT`.
    pub name: String,
    pub label: String,
    pub sentence: String,
    pub on: bool,
    /// On for some of the assets; `on` is then false.
    pub mixed: bool,
    /// Why it can't be switched: "Everything includes it".
    pub locked: Option<String>,
    /// "On both", "Off", "Added to Workshop".
    pub state: String,
    /// Good when added, danger when taken away, else plain.
    pub tone: Tone,
}

/// What would change.
#[derive(Debug, Clone)]
pub struct Summary {
    /// How many changes there are.
    pub count: usize,
    pub rows: Vec<ChangeRow>,
    /// What stays: "Content on both Pages stays as it is."
    pub stays: Option<String>,
    /// The digest of the changes, sent as `seen`: `save` is refused a first time when the form says more.
    pub seen: String,
}

/// One change.
#[derive(Debug, Clone)]
pub struct ChangeRow {
    /// True if a task is added, false if it is taken away.
    pub added: bool,
    pub asset: String,
    pub task: String,
    /// What follows.
    pub follows: Sentence,
}
