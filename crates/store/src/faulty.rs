//! A store that fails on purpose, for tests: before, after, and without an answer.
//!
//! Only the schedule that is handed in and [`Faulty::fail_next`] decide which calls fail. A failed
//! read has no effect; the [`Fault`] of a failed write says whether it had one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use valetkey_domain::credential::Digest;
use valetkey_domain::{BusinessId, ContentId, Id, JobId, Record, TokenId, UnixMs};

use crate::telemetry::{Quotas, Usage, UsageBounds, UsageQuery};
use crate::{
    Batch, CommitError, Content, ContentGuard, ContentQuery, Entry, Head, HeadLock, Job, JobCount, JobRest, JobState,
    KeyRow, LeaseRow, NextJob, Outcome, RefusalRow, Renewal, Store, StoreError, Ticket, TokenUse, Verification,
};

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    LockHead,
    Commit,
    /// Anything that only looks.
    Read,
    /// Anything that writes beside the ledger: claims, uses, refusals, tickets, keys, the lease.
    Telemetry,
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing is done, and the caller learns it.
    Before,
    /// Nothing is done, but the caller can't know.
    Lost,
    /// All is done, but the caller can't know.
    After,
    /// Nothing is done because no space is left, and the caller learns it.
    Full,
    /// Nothing is done, and no answer ever comes. A read just fails, as with the other faults.
    Stuck,
}

/// Decides for each call whether it fails.
pub type Schedule = Box<dyn FnMut(Call) -> Option<Fault> + Send>;

/// A schedule from a seed: of 1,000 calls, `per_mille` fail, with each fault equally often.
pub fn seeded(seed: u64, per_mille: u64) -> Schedule {
    let mut state = seed;
    Box::new(move |_| {
        let mut draw = || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed ^ (mixed >> 29)
        };
        let fails = draw() % 1_000 < per_mille;
        let fault = [Fault::Before, Fault::Lost, Fault::After][(draw() % 3) as usize];
        fails.then_some(fault)
    })
}

struct Plan {
    next: VecDeque<(Call, Fault)>,
    schedule: Schedule,
}

/// A store around another.
#[derive(Clone)]
pub struct Faulty {
    inner: Arc<dyn Store>,
    plan: Arc<Mutex<Plan>>,
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faulty").field("inner", &self.inner.engine()).finish_non_exhaustive()
    }
}

impl Faulty {
    /// Wraps a store; `schedule` is asked once for each call.
    pub fn new(inner: Arc<dyn Store>, schedule: Schedule) -> Faulty {
        Faulty { inner, plan: Arc::new(Mutex::new(Plan { next: VecDeque::new(), schedule })) }
    }

    /// Wraps a store that fails only as [`Faulty::fail_next`] says.
    pub fn quiet(inner: Arc<dyn Store>) -> Faulty {
        Faulty::new(inner, Box::new(|_| None))
    }

    /// Makes the next call of a sort fail, once; several are kept in order.
    pub fn fail_next(&self, call: Call, fault: Fault) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).next.push_back((call, fault));
    }

    /// Puts another schedule in place.
    pub fn follow(&self, schedule: Schedule) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).schedule = schedule;
    }

    fn fault(&self, call: Call) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        match plan.next.iter().position(|(c, _)| *c == call) {
            Some(at) => plan.next.remove(at).map(|(_, fault)| fault),
            None => (plan.schedule)(call),
        }
    }

    fn read(&self) -> Result<(), StoreError> {
        match self.fault(Call::Read) {
            None => Ok(()),
            Some(_) => Err(failed()),
        }
    }

    /// Runs a write unless it fails before; afterwards its answer may be kept back.
    async fn write<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match self.fault(Call::Telemetry) {
            None => work.await,
            Some(Fault::Before | Fault::Lost) => Err(failed()),
            Some(Fault::After) => work.await.and(Err(failed())),
            Some(Fault::Full) => Err(full()),
            Some(Fault::Stuck) => std::future::pending().await,
        }
    }
}

fn failed() -> StoreError {
    StoreError::Unavailable("it fails on purpose".to_owned())
}

fn full() -> StoreError {
    StoreError::Full("it is full on purpose".to_owned())
}

struct Lock {
    inner: Box<dyn HeadLock>,
    store: Faulty,
}

#[async_trait]
impl HeadLock for Lock {
    fn head(&self) -> Head {
        self.inner.head()
    }

    async fn commit(self: Box<Self>, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        match self.store.fault(Call::Commit) {
            None => self.inner.commit(batch).await,
            Some(Fault::Before) => Err(CommitError::NotApplied(failed())),
            Some(Fault::Lost) => Err(CommitError::Unknown(failed())),
            Some(Fault::After) => self.inner.commit(batch).await.and(Err(CommitError::Unknown(failed()))),
            Some(Fault::Full) => Err(CommitError::NotApplied(full())),
            Some(Fault::Stuck) => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Store for Faulty {
    async fn lock_head(&self) -> Result<Box<dyn HeadLock>, StoreError> {
        match self.fault(Call::LockHead) {
            None => {}
            Some(Fault::Stuck) => std::future::pending().await,
            Some(Fault::Before | Fault::Lost | Fault::After | Fault::Full) => return Err(failed()),
        }
        let inner = self.inner.lock_head().await?;
        Ok(Box::new(Lock { inner, store: self.clone() }))
    }

    /// Takes the same path as a commit, because it says whether one would succeed.
    async fn try_write(&self) -> Result<(), StoreError> {
        match self.fault(Call::Commit) {
            None => self.inner.try_write().await,
            Some(Fault::Before | Fault::Lost | Fault::After) => Err(failed()),
            Some(Fault::Full) => Err(full()),
            Some(Fault::Stuck) => std::future::pending().await,
        }
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.read()?;
        self.inner.head().await
    }

    async fn load(&self, sink: &mut (dyn FnMut(Record) + Send)) -> Result<Head, StoreError> {
        self.read()?;
        self.inner.load(sink).await
    }

    async fn tail(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read()?;
        self.inner.tail(after, limit).await
    }

    async fn tail_of(&self, business: BusinessId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read()?;
        self.inner.tail_of(business, after, limit).await
    }

    async fn tail_before(&self, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read()?;
        self.inner.tail_before(before, limit).await
    }

    async fn tail_of_before(&self, business: BusinessId, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read()?;
        self.inner.tail_of_before(business, before, limit).await
    }

    async fn outcome(&self, commit_id: [u8; 16]) -> Result<Option<(u64, u64)>, StoreError> {
        self.read()?;
        self.inner.outcome(commit_id).await
    }

    async fn content(&self, id: ContentId) -> Result<Option<Content>, StoreError> {
        self.read()?;
        self.inner.content(id).await
    }

    async fn guards(&self, ids: &[ContentId]) -> Result<Vec<ContentGuard>, StoreError> {
        self.read()?;
        self.inner.guards(ids).await
    }

    async fn contents(&self, ids: &[ContentId]) -> Result<Vec<Content>, StoreError> {
        self.read()?;
        self.inner.contents(ids).await
    }

    async fn contents_after(&self, after: Option<ContentId>, limit: usize) -> Result<Vec<Content>, StoreError> {
        self.read()?;
        self.inner.contents_after(after, limit).await
    }

    async fn list_content(&self, query: &ContentQuery) -> Result<Vec<Content>, StoreError> {
        self.read()?;
        self.inner.list_content(query).await
    }

    async fn count_content(&self, query: &ContentQuery) -> Result<u64, StoreError> {
        self.read()?;
        self.inner.count_content(query).await
    }

    async fn entries_about(&self, subject: Id, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read()?;
        self.inner.entries_about(subject, after, limit).await
    }

    async fn claim_jobs(
        &self,
        kind: &str,
        holder: &str,
        now: UnixMs,
        lease_until: UnixMs,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        self.write(self.inner.claim_jobs(kind, holder, now, lease_until, limit)).await
    }

    async fn renew_job(&self, id: JobId, holder: &str, now: UnixMs, lease_until: UnixMs) -> Result<bool, StoreError> {
        self.write(self.inner.renew_job(id, holder, now, lease_until)).await
    }

    async fn put_back_job(&self, id: JobId, holder: &str, now: UnixMs, rest: &JobRest) -> Result<bool, StoreError> {
        self.write(self.inner.put_back_job(id, holder, now, rest)).await
    }

    async fn next_jobs(&self) -> Result<Vec<NextJob>, StoreError> {
        self.read()?;
        self.inner.next_jobs().await
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.read()?;
        self.inner.job(id).await
    }

    async fn jobs_after(
        &self,
        state: Option<JobState>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        self.read()?;
        self.inner.jobs_after(state, after, limit).await
    }

    async fn job_counts(&self) -> Result<Vec<JobCount>, StoreError> {
        self.read()?;
        self.inner.job_counts().await
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError> {
        self.write(self.inner.record_uses(uses)).await
    }

    async fn uses(&self, tokens: &[TokenId]) -> Result<Vec<TokenUse>, StoreError> {
        self.read()?;
        self.inner.uses(tokens).await
    }

    async fn record_usage(&self, rows: &[Usage], bounds: UsageBounds) -> Result<(), StoreError> {
        self.write(self.inner.record_usage(rows, bounds)).await
    }

    async fn usage(&self, query: &UsageQuery) -> Result<Vec<Usage>, StoreError> {
        self.read()?;
        self.inner.usage(query).await
    }

    async fn record_refusals(&self, rows: &[RefusalRow], quotas: Quotas, not_before: UnixMs) -> Result<(), StoreError> {
        self.write(self.inner.record_refusals(rows, quotas, not_before)).await
    }

    async fn refusal(&self, trace: &str) -> Result<Option<RefusalRow>, StoreError> {
        self.read()?;
        self.inner.refusal(trace).await
    }

    async fn refusals(&self, business: Option<BusinessId>, limit: usize) -> Result<Vec<RefusalRow>, StoreError> {
        self.read()?;
        self.inner.refusals(business, limit).await
    }

    async fn put_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        self.write(self.inner.put_ticket(ticket)).await
    }

    async fn put_ticket_if_absent(&self, ticket: &Ticket) -> Result<bool, StoreError> {
        self.write(self.inner.put_ticket_if_absent(ticket)).await
    }

    async fn take_ticket(&self, key: &Digest, now: UnixMs) -> Result<Option<Ticket>, StoreError> {
        self.write(self.inner.take_ticket(key, now)).await
    }

    async fn purge_tickets(&self, now: UnixMs, limit: usize) -> Result<usize, StoreError> {
        self.write(self.inner.purge_tickets(now, limit)).await
    }

    async fn note_verification(&self, found: &Verification) -> Result<(), StoreError> {
        self.write(self.inner.note_verification(found)).await
    }

    async fn verification(&self) -> Result<Option<Verification>, StoreError> {
        self.read()?;
        self.inner.verification().await
    }

    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        self.read()?;
        self.inner.keys().await
    }

    async fn replace_keys(&self, keys: &[KeyRow]) -> Result<(), StoreError> {
        self.write(self.inner.replace_keys(keys)).await
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        self.inner.migrate().await
    }

    async fn lease(&self) -> Result<Option<LeaseRow>, StoreError> {
        self.read()?;
        self.inner.lease().await
    }

    async fn take_lease(&self, holder: &str, length_ms: i64, seen: Option<&LeaseRow>) -> Result<bool, StoreError> {
        self.write(self.inner.take_lease(holder, length_ms, seen)).await
    }

    async fn renew_lease(&self, holder: &str) -> Result<Renewal, StoreError> {
        self.write(self.inner.renew_lease(holder)).await
    }

    async fn release_lease(&self, holder: &str) -> Result<(), StoreError> {
        self.write(self.inner.release_lease(holder)).await
    }

    fn engine(&self) -> &'static str {
        self.inner.engine()
    }
}
