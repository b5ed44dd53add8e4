//! What the comparisons of content and of jobs have in common: the newest line about a row, and the
//! finding if the row is not as that line left it.
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

/// A line of the ledger about one row, and the type of that row.
pub(super) trait Line: Sized {
    type Row;
    /// What the id of a row names.
    type Of;
    /// The name of such a row in findings.
    const NOUN: &'static str;

    fn id(&self) -> Id<Self::Of>;
    /// Whether the row is gone after this line.
    fn is_removal(&self) -> bool;
    /// Whether a row is as the newest line left it.
    fn left(newest: &Newest<Self>, row: &Self::Row) -> bool;
    fn row_id(row: &Self::Row) -> Id<Self::Of>;
    /// The lines of this sort that came since something was read.
    fn among(news: &News) -> &[Newest<Self>];
}

/// The newest line about a row.
#[derive(Debug, Clone)]
pub(super) struct Newest<L> {
    pub revision: u64,
    pub salt: Vec<u8>,
    pub line: L,
}

/// The newest lines about existing rows, in the order of ids. A removed row has none.
pub(super) type Lines<L> = BTreeMap<Id<<L as Line>::Of>, Newest<L>>;

/// Takes out the lines up to an id, or all.
pub(super) fn take_through<L: Line>(lines: &mut Lines<L>, end: Option<Id<L::Of>>) -> Lines<L> {
    let mut taken = Lines::new();
    while let Some(first) = lines.first_entry()
        && end.is_none_or(|end| *first.key() <= end)
    {
        let (id, newest) = first.remove_entry();
        taken.insert(id, newest);
    }
    taken
}

/// A row that differs from its newest line, until it is clear that nobody changed it meanwhile.
pub(super) struct Suspect<L: Line> {
    pub id: Id<L::Of>,
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
