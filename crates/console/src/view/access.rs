//! Access, seen: a window of the matrix, and the paths to one asset.

use super::activity::Choice;
use super::parts::{Link, Pager, Sentence};
use super::shell::Shell;

/// A window of users and partners by assets.
#[derive(Debug, askama::Template)]
#[template(path = "access.html")]
pub struct AccessPage {
    pub shell: Shell,
    /// The filter of users, as typed.
    pub users: String,
    /// The filter of assets, as typed.
    pub assets: String,
    pub sorts: Vec<Choice>,
    pub kinds: Vec<Choice>,
    /// Whether nothing passes the filter.
    pub empty: bool,
    /// "Users 1 to 6 of 6, assets 1 to 6 of 7".
    pub words: String,
    pub user_pager: Option<Pager>,
    pub asset_pager: Option<Pager>,
    pub columns: Vec<Column>,
    pub groups: Vec<Group>,
    pub paths: Option<Paths>,
}

/// The head of a column.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub href: String,
    /// "Ad account".
    pub kind: String,
}

/// Rows of one sort.
#[derive(Debug, Clone)]
pub struct Group {
    /// "System users".
    pub title: &'static str,
    pub rows: Vec<Row>,
}

/// A user, or a partner as a whole.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    pub href: String,
    /// "Employee", "Partner".
    pub role: String,
    /// One for each column.
    pub cells: Vec<Cell>,
}

/// What a row holds on the asset of a column.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The name of the asset.
    pub asset: String,
    /// "Content, Insights"; empty if it holds nothing.
    pub tasks: String,
    /// "By role", "Assigned", "Shared"; empty if it holds nothing.
    pub path: &'static str,
    /// Shows its path.
    pub href: String,
    /// Whether its path is shown.
    pub current: bool,
}

/// The paths to one asset, as a picture and as text.
#[derive(Debug, Clone)]
pub struct Paths {
    pub asset: Link,
    /// "Ad account".
    pub kind: String,
    /// All of them, if some are left out.
    pub more: Option<Link>,
    /// The height of the picture, in its own units.
    pub height: usize,
    /// Where the box of the asset begins.
    pub middle: usize,
    pub rows: Vec<PathRow>,
    /// Whether the chosen user can do anything there.
    pub said: Option<Sentence>,
    /// What changes that.
    pub act: Option<Link>,
}

/// Who reaches it, and by which path.
#[derive(Debug, Clone)]
pub struct PathRow {
    /// Where its boxes begin.
    pub y: usize,
    pub name: String,
    /// The name as far as it fits into its box.
    pub short_name: String,
    pub href: Option<String>,
    /// "System user".
    pub who: String,
    /// "Assignment: View performance".
    pub path: String,
    /// The same as far as it fits into its box.
    pub short_path: String,
    pub chosen: bool,
}
