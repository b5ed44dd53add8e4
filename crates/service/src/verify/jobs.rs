//! Compares jobs with the newest lines about them, page by page.

use valetkey_domain::JobId;
use valetkey_domain::id::of;
use valetkey_store::payload::JobLine;
use valetkey_store::{Job, StoreError};

use super::Check;
use super::newest::{Line, Lines, Newest, News, suspects, take_through};

const ROWS_AT_ONCE: usize = 1_000;

impl Line for JobLine {
    type Row = Job;
    type Of = of::Job;
    const NOUN: &'static str = "job";

    fn id(&self) -> JobId {
        self.id
    }

    fn is_removal(&self) -> bool {
        self.is_removal()
    }

    fn left(newest: &Newest<JobLine>, row: &Job) -> bool {
        row.revision == Some(newest.revision) && newest.line.left(&newest.salt, row)
    }

    fn row_id(row: &Job) -> JobId {
        row.id
    }

    fn among(news: &News) -> &[Newest<JobLine>] {
        &news.jobs
    }
}

/// The lines about jobs after the last that was compared.
#[derive(Debug, Default)]
pub(super) struct JobLines {
    behind: Option<JobId>,
    lines: Lines<JobLine>,
}

impl JobLines {
    pub(super) fn put(&mut self, newest: Newest<JobLine>) {
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
}

impl Check<'_> {
    pub(super) async fn compare_jobs(&mut self) -> Result<(), StoreError> {
        while self.report.chain.is_none() {
            let rows = self.store.jobs_after(None, self.jobs.behind, ROWS_AT_ONCE).await?;
            let end = rows.last().filter(|_| rows.len() == ROWS_AT_ONCE).map(|row| row.id);
            let lines = take_through(&mut self.jobs.lines, end);
            self.jobs.behind = end.or(Some(JobId::MAX));
            if let Some(compared) = &mut self.report.compared {
                compared.jobs += rows.len() as u64;
            }
            // Rows of a version that entered no jobs have no lines.
            let is_old = |row: &Job| row.revision.is_none() && self.is_before_jobs;
            let suspects = suspects(rows, lines, is_old);
            self.settle(suspects).await?;
            if end.is_none() {
                break;
            }
        }
        Ok(())
    }
}
