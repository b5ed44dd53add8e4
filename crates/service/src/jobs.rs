//! Deferred effects: due jobs.
//!
//! A job runs as its own actor, whose right is decided again then. Its effect and its removal are one
//! commit. A job that the ledger does not back must never run. No job may delay another: each has its
//! own run and lease.

mod backing;
mod enter;
mod kind;
mod manage;
mod publish;
mod registry;
mod run;
#[cfg(test)]
mod tests;

use tokio_util::sync::CancellationToken;

use crate::core::Service;
use crate::telemetry::{flush_all, keep_records};

pub(crate) use enter::enter_old_jobs;
pub use manage::{JobRow, JobTally};
pub(crate) use publish::{publish_job, publish_job_of};
pub use valetkey_store::JobState;

/// Runs until `stop` fires, then writes what waits.
pub(crate) async fn run(service: Service, stop: CancellationToken) {
    let jobs = tokio::spawn(run::run_jobs(service.clone(), registry::KINDS, stop.clone()));
    keep_records(&service, stop).await;
    if jobs.await.is_err() {
        tracing::error!("the job runner broke off");
    }
    flush_all(&service).await;
}
