//! One search over everything that the person may see.

use super::parts::{Link, Pager};
use super::shell::Shell;

/// The results. The script fetches this page and takes its `#results`.
#[derive(Debug, askama::Template)]
#[template(path = "search.html")]
pub struct SearchPage {
    pub shell: Shell,
    /// What was searched for, trimmed.
    pub query: String,
    pub groups: Vec<HitGroup>,
    /// How many were found in all, ready to show: "12".
    pub total: String,
    /// True if the list was cut.
    pub cut: bool,
    pub pager: Option<Pager>,
}

/// Hits of one sort: "System users", "Pages".
#[derive(Debug, Clone)]
pub struct HitGroup {
    pub title: String,
    pub hits: Vec<Hit>,
    /// All hits of this sort.
    pub more: Option<Link>,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    pub name: String,
    pub href: String,
    /// The name of an icon in `icons.svg`.
    pub icon: &'static str,
    /// "Employee, 3 live tokens".
    pub detail: String,
    pub id: String,
}
