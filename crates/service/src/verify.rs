//! Checks that a store holds what its ledger says: the chain from its first entry to its last, every
//! authority record against the fold of the changes, every row of content and every job against its
//! newest line.
//!
//! This reads the store itself and asks no running server. It must never write, never stop at the
//! first difference, and never show a value of a record: kinds, ids and names of fields only.

mod check;
mod content;
mod job_lines;
mod jobs;
mod newest;
mod report;
#[cfg(test)]
mod tests;
mod window;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use valetkey_store::ledger::Verifier;
use valetkey_store::{Store, StoreError};

use check::Check;
use job_lines::JobLines;
pub use report::{Compared, Difference, Findings, Progress, Report};
use window::Window;

/// For how many rows of content the lines are kept in memory at once, some 300 bytes each. If there are
/// more, the ledger is read once more for each further quarter of a million.
const CONTENT_AT_ONCE: usize = 250_000;

/// Checks a store. Others may go on writing meanwhile.
///
/// # Errors
/// Of the store.
pub async fn check(
    store: &dyn Store,
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
) -> Result<Report, StoreError> {
    run(store, progress, CONTENT_AT_ONCE, None).await
}

/// The same beside the work of a node: it rests for this long after each part that was read, so that
/// others get their turn at the store.
///
/// # Errors
/// Of the store.
pub async fn check_slowly(store: &dyn Store, rest: Duration) -> Result<Report, StoreError> {
    run(store, &mut |_| {}, CONTENT_AT_ONCE, Some(rest)).await
}

async fn run(
    store: &dyn Store,
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
    content_at_once: usize,
    rest: Option<Duration>,
) -> Result<Report, StoreError> {
    let mut check = Check {
        store,
        progress,
        content_at_once,
        rest,
        verifier: Verifier::default(),
        report: Report::default(),
        pairs: BTreeMap::new(),
        records_through: u64::MAX,
        at_head: None,
        last_narrowing: 0,
        gone: HashMap::new(),
        window: Window::behind(None, content_at_once),
        jobs: JobLines::default(),
        is_before_jobs: true,
    };
    check.everything().await?;
    check.report.entries = check.verifier.entries;
    check.report.last = check.verifier.last().unwrap_or((0, [0; 32]));
    Ok(check.report)
}
