//! Compares jobs with the newest lines about them, page by page.

use valetkey_domain::JobId;
use valetkey_store::{Job, StoreError};

use super::check::Check;
use super::newest::{suspects, take_through};

const ROWS_AT_ONCE: usize = 1_000;

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
