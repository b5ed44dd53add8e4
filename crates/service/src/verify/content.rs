//! Content against the newest lines about it, page by page, so that however much there is takes no
//! more room than a part of it.

use std::collections::BTreeMap;

use valetkey_domain::Id;
use valetkey_store::payload::{ContentLine, Did};
use valetkey_store::{Content, StoreError};

use super::report::{Difference, Progress};
use super::{Check, ENTRIES_AT_ONCE, News};

/// How many rows are read at once; a row has at most some tens of kilobytes.
const ROWS_AT_ONCE: usize = 100;

/// The newest line about a thing of content.
#[derive(Debug, Clone)]
pub(super) struct Newest {
    pub revision: u64,
    pub salt: Vec<u8>,
    pub line: ContentLine,
}

impl Newest {
    fn left(&self, row: &Content) -> bool {
        self.line.left(&self.salt, row)
    }
}

/// The part of the content that is gone through now, in the order of ids.
#[derive(Debug)]
pub(super) struct Window {
    behind: Option<Id>,
    /// None: up to the end.
    through: Option<Id>,
    lines: BTreeMap<Id, Newest>,
    limit: usize,
}

impl Window {
    pub(super) fn behind(behind: Option<Id>, limit: usize) -> Window {
        Window { behind, through: None, lines: BTreeMap::new(), limit }
    }

    pub(super) fn put(&mut self, newest: Newest) {
        let id = newest.line.id;
        if self.behind.is_some_and(|behind| id <= behind) || self.through.is_some_and(|through| id > through) {
            return;
        }
        if newest.line.did == Did::Delete {
            self.lines.remove(&id);
            return;
        }
        self.lines.insert(id, newest);
        // What lies furthest has to wait for the next time.
        if self.lines.len() > self.limit {
            self.lines.pop_last();
            self.through = self.lines.last_key_value().map(|(id, _)| *id);
        }
    }

    /// Takes out the lines up to an id, or all, and moves on behind it.
    fn take_through(&mut self, end: Option<Id>) -> BTreeMap<Id, Newest> {
        self.behind = end.or_else(|| Id::from_i64(i64::MAX));
        let mut taken = BTreeMap::new();
        while let Some(first) = self.lines.first_entry()
            && end.is_none_or(|end| *first.key() <= end)
        {
            let (id, newest) = first.remove_entry();
            taken.insert(id, newest);
        }
        taken
    }
}

/// Content that is not what its newest line left, until it is clear that nobody changed it meanwhile.
struct Suspect {
    id: Id,
    row: Option<Content>,
    newest: Option<Newest>,
}

impl Suspect {
    /// Whether a line that came since explains it.
    fn is_explained_by(&self, line: &Newest) -> bool {
        line.line.id == self.id
            && match &self.row {
                Some(row) => line.left(row),
                None => line.line.did == Did::Delete,
            }
    }

    fn difference(&self) -> Difference {
        let how = match (&self.row, &self.newest) {
            (Some(_), Some(newest)) => format!("is not what entry {} left", newest.revision),
            (Some(_), None) => "is there, and no entry left it".to_owned(),
            (None, Some(newest)) => format!("is gone, and entry {} left it", newest.revision),
            (None, None) => "is gone".to_owned(),
        };
        Difference { what: format!("content {}", self.id), how }
    }
}

impl Check<'_> {
    pub(super) async fn compare_content(&mut self) -> Result<(), StoreError> {
        loop {
            while self.compare_page().await? {}
            let Some(through) = self.window.through.filter(|_| self.report.chain.is_none()) else {
                return Ok(());
            };
            self.window = Window::behind(Some(through), self.content_at_once);
            self.read_again().await?;
        }
    }

    /// Reads the lines of the next part of the content. The chain was checked before.
    async fn read_again(&mut self) -> Result<(), StoreError> {
        let end = self.verifier.last().map_or(0, |(revision, _)| revision);
        let mut after = 0;
        while after < end {
            let entries = self.store.tail(after, ENTRIES_AT_ONCE).await?;
            let Some(last) = entries.last() else { return Ok(()) };
            after = last.revision;
            for entry in entries.into_iter().filter(|e| e.revision <= end && e.body.is_some()) {
                let payload = entry.payload().map_err(StoreError::Corrupt)?;
                for line in payload.content {
                    self.window.put(Newest { revision: entry.revision, salt: entry.salt.clone(), line });
                }
            }
        }
        Ok(())
    }

    /// Compares the next rows with their lines. Says whether more may follow in this part.
    async fn compare_page(&mut self) -> Result<bool, StoreError> {
        let (mut rows, end) = self.next_rows().await?;
        let through = self.window.through;
        let end = match (end, through) {
            (Some(end), Some(through)) => Some(end.min(through)),
            (end, through) => end.or(through),
        };
        rows.retain(|row| end.is_none_or(|end| row.id <= end));
        let mut lines = self.window.take_through(end);
        let mut suspects = Vec::new();
        let count = rows.len() as u64;
        for row in rows {
            let newest = lines.remove(&row.id);
            if !newest.as_ref().is_some_and(|newest| newest.left(&row)) {
                suspects.push(Suspect { id: row.id, row: Some(row), newest });
            }
        }
        suspects.extend(lines.into_iter().map(|(id, newest)| Suspect { id, row: None, newest: Some(newest) }));
        if let Some(compared) = &mut self.report.compared {
            compared.content += count;
            (self.said)(Progress::Content(compared.content));
        }
        self.settle(suspects).await?;
        Ok(end != through && self.report.chain.is_none())
    }

    /// The next rows in the order of ids, and the last id up to which these are all; none if no more
    /// follow.
    async fn next_rows(&mut self) -> Result<(Vec<Content>, Option<Id>), StoreError> {
        let rows = self.store.contents_after(self.window.behind, ROWS_AT_ONCE).await?;
        let end = rows.last().filter(|_| rows.len() == ROWS_AT_ONCE).map(|row| row.id);
        Ok((rows, end))
    }

    /// A row that was written while it was compared has its line further on in the ledger, which is
    /// read after the row.
    async fn settle(&mut self, mut suspects: Vec<Suspect>) -> Result<(), StoreError> {
        if suspects.is_empty() {
            return Ok(());
        }
        let mut news = News::default();
        self.read_on(Some(&mut news)).await?;
        suspects.retain(|suspect| !news.content.iter().any(|line| suspect.is_explained_by(line)));
        for suspect in suspects {
            let known = suspect.newest.as_ref().map_or(0, |newest| newest.revision);
            if self.gone.get(&suspect.id).is_some_and(|gone| *gone > known) {
                self.report.not_verifiable.add(format!("content {}", suspect.id));
            } else {
                self.report.differences.add(suspect.difference());
            }
        }
        Ok(())
    }
}
