//! Share assets with a partner: which business, which assets, up to which tasks; then a summary.
//!
//! One form carries it all, so that it works without script. Its fields: `business` (the partner's id),
//! `kind`, `q` (the filter of assets), `asset` (ticked, repeated), `task` (switched on, repeated), `seen` (the
//! digest of the shares that the summary was made on), and `go`, the button: `kind:WORD`, `assets`,
//! `search`, `review`, `save`, or `refresh` from the script. Only `save` changes anything or uses up the
//! one-use id.

use super::assign::{Picker, Summary};
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
    pub picker: Picker,
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
