//! Share assets with a partner: which business, which assets, up to which tasks; then a summary.
//!
//! One form carries it all, so that it works without script. Its fields: `business` (the partner's id),
//! `kind`, `q` (the filter of assets), `asset` (ticked, repeated), `task` (switched on, repeated), `seen` (the
//! digest of the shares that the summary was made on), and `go`, the button: `kind:WORD`, `assets`,
//! `search`, `review`, `save`, or `refresh` from the script. Only `save` changes anything or uses up the
//! one-use id.

use super::assign::{AssetChoice, KindRow, Summary, TaskSwitch};
use super::parts::{Form, Kept, Sentence};
use super::shell::Shell;

/// The form.
#[derive(Debug, askama::Template)]
#[template(path = "share.html")]
pub struct SharePage {
    pub shell: Shell,
    pub form: Form,
    /// What was typed as `business`.
    pub business: String,
    /// The partner's name, if it is one already.
    pub partner: Option<String>,
    pub kinds: Vec<KindRow>,
    /// The word of the kind that is shown.
    pub kind: String,
    /// Its title, in the plural: "Pages".
    pub kind_title: String,
    /// The filter of assets, as typed.
    pub query: String,
    pub assets: Vec<AssetChoice>,
    /// Ticked assets of this kind that the filter hides; they stay ticked.
    pub hidden_ticked: Vec<String>,
    /// "2 selected".
    pub selected: String,
    /// If the list was cut: "The first 50 of 1,234. Search for the others."
    pub cut: Option<String>,
    /// What the switches are about: "Up to which tasks, on 2 Pages"; `None` while nothing is selected.
    pub tasks_title: Option<String>,
    pub partial: Vec<TaskSwitch>,
    pub full: Vec<TaskSwitch>,
    /// Where "Cancel" leads.
    pub back: String,
}

/// What would change, to read before it is saved.
#[derive(Debug, askama::Template)]
#[template(path = "share_review.html")]
pub struct ReviewPage {
    pub shell: Shell,
    pub form: Form,
    /// The partner's name if it is one already, else its id.
    pub partner: String,
    /// Whether nothing was ever shared with it: its name is then not known here.
    pub is_new: bool,
    /// What was chosen, sent again.
    pub kept: Vec<Kept>,
    pub summary: Summary,
    /// What stops for the partner, where tasks are taken away.
    pub stops: Vec<Sentence>,
    /// "Share 2 Pages".
    pub button: String,
}
