//! The runner: claims due jobs kind by kind, and gives each a run with a lease of its own.
//!
//! No kind delays another, and no job the next: a slow job takes only its own slot. How a run ended is
//! written under its lease, so that a run which lost its job changes nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use valetkey_domain::Refusal;
use valetkey_store::{Job, JobRest, JobState, NextJob, StoreError};

use super::backing::{Unbacked, backed};
use super::kind::Kind;
use crate::core::Service;

/// The longest pause between two looks at the jobs.
const PAUSE: Duration = Duration::from_secs(30);
/// The pause after a look that failed, or while this node may not answer.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// The shortest pause, unless the runner looks again at once.
const SHORT_PAUSE: Duration = Duration::from_millis(10);
/// How long a stop waits for runs; a job not done by then is free when its lease runs out.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How many jobs of an unknown kind are set aside at once, and for how long they are held meanwhile.
const UNKNOWN_LIMIT: usize = 64;
const UNKNOWN_LEASE_MS: i64 = 60_000;

/// Runs until `stop` fires, then waits a little for what runs.
pub(super) async fn run_jobs(service: Service, kinds: &'static [Kind], stop: CancellationToken) {
    let mut runner = Runner::new(service.clone(), kinds);
    while !stop.is_cancelled() {
        let woken = service.inner.wake_jobs.notified();
        let pause = runner.start_due().await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = woken => {}
            () = tokio::time::sleep(pause) => {}
            Some(_) = runner.running.join_next() => {}
        }
    }
    let ended = async { while runner.running.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_PATIENCE, ended).await.is_err() {
        tracing::warn!("jobs were interrupted by the stop; they are tried again once their leases have run out");
    }
}

struct Runner {
    service: Service,
    /// The kinds by name, each with as many permits as may run at once.
    kinds: HashMap<&'static str, (&'static Kind, Arc<Semaphore>)>,
    /// Names this runner alone: not even the same node after a restart has this name.
    name: String,
    claims: u64,
    running: JoinSet<()>,
}

impl Runner {
    fn new(service: Service, kinds: &'static [Kind]) -> Runner {
        let places = |kind: &'static Kind| (kind.name, (kind, Arc::new(Semaphore::new(kind.concurrent_limit))));
        let name = format!("{}/{}", service.inner.node, service.now());
        Runner { service, kinds: kinds.iter().map(places).collect(), name, claims: 0, running: JoinSet::new() }
    }

    /// Starts due jobs that have a free slot; returns how long to wait before the next look.
    async fn start_due(&mut self) -> Duration {
        // Collects the runs that ended; their slots are free.
        while self.running.try_join_next().is_some() {}
        if !self.service.is_fresh() {
            return RETRY_PAUSE;
        }
        let next = match self.service.store().next_jobs().await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "due jobs could not be looked up");
                return RETRY_PAUSE;
            }
        };
        let mut pause = PAUSE;
        for kind in next {
            let own = self.start_kind(&kind).await.unwrap_or_else(|error| {
                tracing::warn!(%error, kind = kind.kind, "due jobs could not be claimed");
                RETRY_PAUSE
            });
            pause = pause.min(own);
        }
        pause
    }

    async fn start_kind(&mut self, next: &NextJob) -> Result<Duration, StoreError> {
        let now = self.service.now();
        let wait = Duration::from_millis(u64::try_from(next.at.saturating_sub(now)).unwrap_or(0));
        let place = self.kinds.get(next.kind.as_str()).cloned();
        if !wait.is_zero() {
            return Ok(wait.max(SHORT_PAUSE));
        }
        let Some((kind, places)) = place else {
            return self.set_aside_unknown(&next.kind).await;
        };
        let free = places.available_permits();
        if free == 0 {
            // The run that ends first wakes the runner.
            return Ok(PAUSE);
        }
        let holder = self.new_holder();
        let until = now.saturating_add(i64::from(kind.lease_ms));
        let jobs = self.service.store().claim_jobs(kind.name, &holder, now, until, free).await?;
        // The next look shows whether more are due. If another runner was faster, wait a little.
        let pause = if jobs.is_empty() { SHORT_PAUSE } else { Duration::ZERO };
        for job in jobs {
            // Slots are taken only here, so there is one for each job.
            let Ok(permit) = Arc::clone(&places).try_acquire_owned() else { break };
            self.running.spawn(run_one(self.service.clone(), kind, job, holder.clone(), permit));
        }
        Ok(pause)
    }

    async fn set_aside_unknown(&mut self, kind: &str) -> Result<Duration, StoreError> {
        let (store, now) = (self.service.store(), self.service.now());
        let holder = format!("{}#unknown", self.name);
        let until = now.saturating_add(UNKNOWN_LEASE_MS);
        let jobs = store.claim_jobs(kind, &holder, now, until, UNKNOWN_LIMIT).await?;
        let pause = if jobs.is_empty() { SHORT_PAUSE } else { Duration::ZERO };
        for job in jobs {
            tracing::error!(job = %job.id, kind, "this version does not know the kind of a job; it is set aside");
            let rest = rest(JobState::SetAside, job.not_before, "unknown_kind", now);
            store.put_back_job(job.id, &holder, now, &rest).await?;
        }
        Ok(pause)
    }

    fn new_holder(&mut self) -> String {
        self.claims += 1;
        format!("{}#{}", self.name, self.claims)
    }
}

/// How a run ended.
enum End {
    /// Its effect is written, and the job is gone.
    Done,
    /// Somebody else holds the job, or it is gone.
    Lost,
    /// It was claimed before its time.
    Early,
    /// It must not run.
    SetAside(Unbacked),
    /// The attempt failed, for this reason.
    Failed(String),
}

async fn run_one(service: Service, kind: &'static Kind, job: Job, holder: String, _place: OwnedSemaphorePermit) {
    let (id, due_at, attempts, before) = (job.id, job.due_at, job.attempts, job.reason.clone());
    let end = if attempts > kind.attempts_limit {
        // Every earlier run broke off before it could write how it ended.
        End::Failed(before.unwrap_or_else(|| "broke_off".to_owned()))
    } else {
        attempt(&service, kind, job, &holder).await
    };
    let now = service.now();
    let rest = match end {
        End::Done | End::Lost => return,
        End::Early => rest(JobState::Waiting, due_at, "not_due", now),
        End::SetAside(why) => {
            tracing::error!(job = %id, why = why.as_str(), "the ledger does not back a job; it is set aside and never runs");
            rest(JobState::SetAside, due_at, why.as_str(), now)
        }
        End::Failed(why) if attempts >= kind.attempts_limit => {
            tracing::error!(job = %id, why, attempts, "a job failed for the last time; valetkey job retry tries it anew");
            rest(JobState::Failed, due_at, &why, now)
        }
        End::Failed(why) => {
            let pause_ms = kind.pause_ms(attempts);
            tracing::warn!(job = %id, why, attempts, pause_ms, "a job could not run yet");
            rest(JobState::Waiting, now.saturating_add(pause_ms), &why, now)
        }
    };
    match service.store().put_back_job(id, &holder, now, &rest).await {
        Ok(true) => {}
        Ok(false) => tracing::debug!(job = %id, "a run lost its job before it ended"),
        Err(error) => tracing::warn!(job = %id, %error, "the end of a job's run could not be written"),
    }
}

fn rest(state: JobState, not_before: i64, reason: &str, at: i64) -> JobRest {
    JobRest { state, not_before, reason: reason.to_owned(), at }
}

async fn attempt(service: &Service, kind: &'static Kind, job: Job, holder: &str) -> End {
    let (id, due_at) = (job.id, job.due_at);
    let job = match backed(service.store(), job, holder).await {
        Ok(job) => job,
        Err(Unbacked::Store(error)) => {
            tracing::warn!(job = %id, %error, "a job could not be compared with the ledger");
            return End::Failed("unavailable".to_owned());
        }
        Err(why) => return End::SetAside(why),
    };
    if due_at > service.now() {
        return End::Early;
    }
    let mut work = Work(tokio::spawn((kind.run)(service.clone(), job)));
    let renew_pause = Duration::from_millis(u64::from(kind.lease_ms / 3).max(1));
    let over = tokio::time::sleep(Duration::from_millis(u64::from(kind.run_limit_ms)));
    tokio::pin!(over);
    loop {
        tokio::select! {
            ended = &mut work.0 => return match ended {
                Ok(Ok(())) => End::Done,
                Ok(Err(refusal)) => failed(&refusal),
                Err(_) => End::Failed("fault".to_owned()),
            },
            () = &mut over => return End::Failed("took_too_long".to_owned()),
            () = tokio::time::sleep(renew_pause) => {
                let now = service.now();
                match service.store().renew_job(id, holder, now, now.saturating_add(i64::from(kind.lease_ms))).await {
                    Ok(true) => {}
                    Ok(false) => return End::Lost,
                    Err(error) => tracing::warn!(job = %id, %error, "the lease of a job could not be renewed yet"),
                }
            }
        }
    }
}

fn failed(refusal: &Refusal) -> End {
    End::Failed(refusal.reason.as_str().to_owned())
}

/// A run that is aborted when its waiter is dropped.
struct Work(JoinHandle<Result<(), Refusal>>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.abort();
    }
}
