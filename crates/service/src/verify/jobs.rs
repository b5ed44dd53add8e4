//! Jobs against the newest lines about them, page by page.

use std::collections::BTreeMap;

use valetkey_domain::Id;
use valetkey_store::payload::JobLine;
use valetkey_store::{Job, StoreError};

use super::report::Difference;
use super::{Check, News};

const ROWS_AT_ONCE: usize = 1_000;

/// The newest line about a job.
#[derive(Debug, Clone)]
pub(super) struct NewestJob {
    pub revision: u64,
    pub salt: Vec<u8>,
    pub line: JobLine,
}

impl NewestJob {
    fn left(&self, row: &Job) -> bool {
        row.revision == Some(self.revision) && self.line.left(&self.salt, row)
    }
}

/// The lines about the jobs that are there, behind the last that was compared. What was removed leaves
/// none.
#[derive(Debug, Default)]
pub(super) struct JobLines {
    behind: Option<Id>,
    lines: BTreeMap<Id, NewestJob>,
}

impl JobLines {
    pub(super) fn put(&mut self, newest: NewestJob) {
        let id = newest.line.id;
        if self.behind.is_some_and(|behind| id <= behind) {
            return;
        }
        if newest.line.is_removal() {
            self.lines.remove(&id);
        } else {
            self.lines.insert(id, newest);
        }
    }

    /// Takes out the lines up to an id, or all, and moves on behind it.
    fn take_through(&mut self, end: Option<Id>) -> BTreeMap<Id, NewestJob> {
        let later = match end {
            Some(end) => self.lines.split_off(&end),
            None => BTreeMap::new(),
        };
        let mut taken = std::mem::replace(&mut self.lines, later);
        if let Some((id, newest)) = end.and_then(|end| self.lines.remove_entry(&end)) {
            taken.insert(id, newest);
        }
        self.behind = end.or(Some(Id::MAX));
        taken
    }
}

/// A job that is not what its newest line left, until it is clear that nobody changed it meanwhile.
struct Suspect {
    id: Id,
    row: Option<Job>,
    newest: Option<NewestJob>,
}

impl Suspect {
    /// Whether a line that came since explains it.
    fn is_explained_by(&self, line: &NewestJob) -> bool {
        line.line.id == self.id
            && match &self.row {
                Some(row) => line.left(row),
                None => line.line.is_removal(),
            }
    }

    fn difference(&self) -> Difference {
        let how = match (&self.row, &self.newest) {
            (Some(_), Some(newest)) => format!("is not what entry {} left", newest.revision),
            (Some(_), None) => "is there, and no entry left it".to_owned(),
            (None, Some(newest)) => format!("is gone, and entry {} left it", newest.revision),
            (None, None) => "is gone".to_owned(),
        };
        Difference { what: format!("job {}", self.id), how }
    }
}

impl Check<'_> {
    pub(super) async fn compare_jobs(&mut self) -> Result<(), StoreError> {
        while self.report.chain.is_none() {
            let rows = self.store.jobs_after(None, self.jobs.behind, ROWS_AT_ONCE).await?;
            let end = rows.last().filter(|_| rows.len() == ROWS_AT_ONCE).map(|row| row.id);
            let mut lines = self.jobs.take_through(end);
            if let Some(compared) = &mut self.report.compared {
                compared.jobs += rows.len() as u64;
            }
            let mut suspects = Vec::new();
            for row in rows {
                let newest = lines.remove(&row.id);
                let is_old = row.revision.is_none() && self.is_before_jobs;
                if !is_old && !newest.as_ref().is_some_and(|newest| newest.left(&row)) {
                    suspects.push(Suspect { id: row.id, row: Some(row), newest });
                }
            }
            suspects.extend(lines.into_iter().map(|(id, newest)| Suspect { id, row: None, newest: Some(newest) }));
            self.settle_jobs(suspects).await?;
            if end.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// A job that was changed while it was compared has its line further on in the ledger, which is read
    /// after the row.
    async fn settle_jobs(&mut self, mut suspects: Vec<Suspect>) -> Result<(), StoreError> {
        if suspects.is_empty() {
            return Ok(());
        }
        let mut news = News::default();
        self.read_on(Some(&mut news)).await?;
        suspects.retain(|suspect| !news.jobs.iter().any(|line| suspect.is_explained_by(line)));
        for suspect in suspects {
            let known = suspect.newest.as_ref().map_or(0, |newest| newest.revision);
            if self.gone.get(&suspect.id).is_some_and(|gone| *gone > known) {
                self.report.not_verifiable.add(format!("job {}", suspect.id));
            } else {
                self.report.differences.add(suspect.difference());
            }
        }
        Ok(())
    }
}
