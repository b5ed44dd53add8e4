//! What the comparisons of content and of jobs have in common: the newest line about a thing, and what is
//! said of a row that is not what that line left.
//!
//! It must never show a value of a row.

use std::collections::BTreeMap;

use valetkey_domain::Id;
use valetkey_store::payload::{ContentLine, JobLine};

use super::report::Difference;

/// Lines that came since something was read.
#[derive(Debug, Default)]
pub(super) struct News {
    pub content: Vec<Newest<ContentLine>>,
    pub jobs: Vec<Newest<JobLine>>,
}

/// A line of the ledger about one thing, and the rows that such lines leave behind.
pub(super) trait Line: Sized {
    type Row;
    /// What such a thing is called.
    const NOUN: &'static str;

    fn id(&self) -> Id;
    /// Whether the thing is gone after this line.
    fn is_removal(&self) -> bool;
    /// Whether a row is what the newest line left behind.
    fn left(newest: &Newest<Self>, row: &Self::Row) -> bool;
    fn row_id(row: &Self::Row) -> Id;
    /// The lines of this sort that came since something was read.
    fn among(news: &News) -> &[Newest<Self>];
}

/// The newest line about a thing.
#[derive(Debug, Clone)]
pub(super) struct Newest<L> {
    pub revision: u64,
    pub salt: Vec<u8>,
    pub line: L,
}

/// The newest lines about the things that are there, in the order of ids. What was removed has none.
pub(super) type Lines<L> = BTreeMap<Id, Newest<L>>;

/// Takes out the lines up to an id, or all.
pub(super) fn take_through<L>(lines: &mut Lines<L>, end: Option<Id>) -> Lines<L> {
    let mut taken = Lines::new();
    while let Some(first) = lines.first_entry()
        && end.is_none_or(|end| *first.key() <= end)
    {
        let (id, newest) = first.remove_entry();
        taken.insert(id, newest);
    }
    taken
}

/// A row that is not what its newest line left, until it is clear that nobody changed it meanwhile.
pub(super) struct Suspect<L: Line> {
    pub id: Id,
    row: Option<L::Row>,
    pub newest: Option<Newest<L>>,
}

/// Compares rows with the lines about the same ids. Rows without any line may be excused.
pub(super) fn suspects<L: Line>(
    rows: Vec<L::Row>,
    mut lines: Lines<L>,
    is_excused: impl Fn(&L::Row) -> bool,
) -> Vec<Suspect<L>> {
    let mut suspects = Vec::new();
    for row in rows {
        let id = L::row_id(&row);
        let newest = lines.remove(&id);
        if !is_excused(&row) && !newest.as_ref().is_some_and(|newest| L::left(newest, &row)) {
            suspects.push(Suspect { id, row: Some(row), newest });
        }
    }
    suspects.extend(lines.into_iter().map(|(id, newest)| Suspect { id, row: None, newest: Some(newest) }));
    suspects
}

impl<L: Line> Suspect<L> {
    pub fn what(&self) -> String {
        format!("{} {}", L::NOUN, self.id)
    }

    /// Whether a line that came since explains it.
    pub fn is_explained_by(&self, newest: &Newest<L>) -> bool {
        newest.line.id() == self.id
            && match &self.row {
                Some(row) => L::left(newest, row),
                None => newest.line.is_removal(),
            }
    }

    pub fn difference(&self) -> Difference {
        let how = match (&self.row, &self.newest) {
            (Some(_), Some(newest)) => format!("is not what entry {} left", newest.revision),
            (Some(_), None) => "is there, and no entry left it".to_owned(),
            (None, Some(newest)) => format!("is gone, and entry {} left it", newest.revision),
            (None, None) => "is gone".to_owned(),
        };
        Difference { what: self.what(), how }
    }
}
