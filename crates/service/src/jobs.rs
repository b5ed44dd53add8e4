//! Deferred effects and housekeeping: due jobs, use counts, and refusals.
//!
//! A job's effect and its removal are one commit, and the right is decided again when it runs.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use valetkey_domain::Reason;
use valetkey_store::Job;

use crate::core::Service;
use crate::journal::{KEEP_MS, KEEP_ROWS};

const LEASE_MS: i64 = 60_000;
const CLAIM_LIMIT: usize = 64;
/// The longest pause between two looks at the jobs.
const PAUSE: Duration = Duration::from_secs(30);
const FLUSH_PAUSE: Duration = Duration::from_millis(500);
/// A job that has failed for want of the store this often is an error in the log; it is tried on.
const ATTEMPTS_LIMIT: i64 = 20;

/// Runs until `stop` fires, then writes what waits.
pub(crate) async fn run(service: Service, stop: CancellationToken) {
    let jobs = tokio::spawn(run_jobs(service.clone(), stop.clone()));
    keep_records(&service, stop).await;
    if jobs.await.is_err() {
        tracing::error!("the job runner broke off");
    }
    flush(&service).await;
}

/// Writes use counts and refusals, a last time once `stop` fires.
pub(crate) async fn keep_records(service: &Service, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(FLUSH_PAUSE) => {}
        }
        flush(service).await;
    }
}

/// Writes use counts and refusals. What can't be written waits for the next time.
async fn flush(service: &Service) {
    let uses = service.inner.uses.drain();
    if !uses.is_empty()
        && let Err(error) = service.store().record_uses(&uses).await
    {
        tracing::warn!(%error, count = uses.len(), "use counts could not be written and are lost");
    }
    let rows = service.inner.journal.drain();
    if !rows.is_empty() {
        let not_before = service.now() - KEEP_MS;
        if let Err(error) = service.store().record_refusals(&rows, KEEP_ROWS, not_before).await {
            tracing::warn!(%error, "refusals could not be written yet");
            service.inner.journal.restore(rows);
        }
    }
}

async fn run_jobs(service: Service, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let woken = service.inner.wake_jobs.notified();
        let pause = match run_due(&service).await {
            Ok(0) => pause_until_next(&service).await,
            Ok(_) => Duration::ZERO,
            Err(()) => Duration::from_secs(1),
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = woken => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn pause_until_next(service: &Service) -> Duration {
    match service.store().next_job_at().await {
        Ok(Some(at)) => Duration::from_millis(u64::try_from(at - service.now()).unwrap_or(0).max(10)).min(PAUSE),
        Ok(None) => PAUSE,
        Err(_) => Duration::from_secs(1),
    }
}

async fn run_due(service: &Service) -> Result<usize, ()> {
    let now = service.now();
    let node = service.inner.node.clone();
    let jobs = service.store().claim_jobs(&node, now, now + LEASE_MS, CLAIM_LIMIT).await.map_err(|error| {
        tracing::warn!(%error, "due jobs could not be looked up");
    })?;
    let count = jobs.len();
    for job in jobs {
        run_one(service, &node, job).await;
    }
    Ok(count)
}

async fn run_one(service: &Service, node: &str, job: Job) {
    let result = match job.kind.as_str() {
        crate::content::PUBLISH_JOB => service.run_publish(node, &job).await,
        other => {
            tracing::error!(job = %job.id, kind = other, "a job of an unknown kind is left alone");
            return;
        }
    };
    match result {
        Ok(()) => {}
        // Somebody else holds it now, or did it.
        Err(refusal) if refusal.reason == Reason::Conflict => {}
        Err(refusal)
            if matches!(refusal.reason, Reason::Unavailable | Reason::OutcomeUnknown | Reason::NotFresh)
                && job.attempts < ATTEMPTS_LIMIT =>
        {
            tracing::warn!(job = %job.id, reason = refusal.reason.as_str(), "a job could not run yet");
        }
        Err(refusal) => tracing::error!(job = %job.id, reason = refusal.reason.as_str(), "a job keeps failing"),
    }
}
