//! What somebody may do here, for themselves: the first page of an EMPLOYEE.
//! It must never show anything that isn't the viewer's own.

use super::parts::{Pager, Time, UserHead};
use super::security::SessionRow;
use super::shell::Shell;

/// One's own access.
#[derive(Debug, askama::Template)]
#[template(path = "you.html")]
pub struct YouPage {
    pub shell: Shell,
    pub person: UserHead,
    pub email: String,
    pub since: Time,
    /// What the role means, without a full stop.
    pub role_sentence: String,
    /// The filter as typed.
    pub query: String,
    pub assets: Vec<OwnAsset>,
    /// How many assets are assigned in all, ready to show.
    pub asset_count: String,
    /// Whether there is any, whatever the filter says.
    pub has_assets: bool,
    pub pager: Option<Pager>,
    pub sessions: Vec<SessionRow>,
    /// Tokens for the command line.
    pub tokens: Vec<SessionRow>,
}

/// An asset that is assigned to the viewer.
#[derive(Debug, Clone)]
pub struct OwnAsset {
    pub id: String,
    pub name: String,
    /// The name of an icon in `icons.svg`.
    pub icon: &'static str,
    pub kind: String,
    /// The business that shares it, if it is another one's.
    pub shared_by: Option<String>,
    pub tasks: Vec<OwnTask>,
    pub since: Time,
}

/// A task, and what it lets the viewer do.
#[derive(Debug, Clone)]
pub struct OwnTask {
    pub label: String,
    pub sentence: String,
}
