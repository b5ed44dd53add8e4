//! The model: a store made of plain collections. It defines what the contract means.
//!
//! It keeps nothing on disk and shares no SQL with the engines. Its behaviour must depend only on
//! the calls that it gets.

mod jobs;
mod state;
mod telemetry;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;
use valetkey_domain::credential::Digest;
use valetkey_domain::{BusinessId, ContentId, Id, JobId, Record, TokenId, UnixMs};

use crate::telemetry::{Quotas, Usage, UsageBounds, UsageQuery};
use crate::{
    Batch, Class, CommitError, Content, ContentGuard, ContentQuery, Entry, Head, HeadLock, Job, JobCount, JobRest,
    JobState, KeyRow, LeaseRow, NextJob, Outcome, RefusalRow, Renewal, Store, StoreError, Ticket, TokenUse,
    Verification,
};
use state::State;

/// A store in memory. Clones share their data, and are one handle.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    head_lock: Arc<tokio::sync::Mutex<()>>,
    /// The lease holder that this handle commits as, once it asked for the lease.
    holder: Arc<Mutex<Option<String>>>,
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").field("head", &self.state().head.revision).finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// Another handle on the same data, as another process would have one.
    pub fn join(&self) -> MemoryStore {
        MemoryStore { holder: Arc::default(), ..self.clone() }
    }

    fn holder(&self) -> MutexGuard<'_, Option<String>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails if this handle asked for the lease and does not hold it.
    fn check_holder(&self) -> Result<(), StoreError> {
        let holder = self.holder().clone();
        match holder {
            Some(holder) if self.state().held_by(&holder).is_none() => {
                Err(StoreError::InUse("another node has the lease".to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Puts or removes the row of a job without a ledger entry, as somebody with write access to the
    /// data could. For tests.
    #[doc(hidden)]
    pub fn plant_job(&self, id: JobId, job: Option<Job>) {
        self.state().jobs.set(id, job);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state changes only in complete steps or is rolled back, so a panic of another test
        // thread leaves no half-done change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Lock {
    store: MemoryStore,
    head: Head,
    _held: OwnedMutexGuard<()>,
}

#[async_trait]
impl HeadLock for Lock {
    fn head(&self) -> Head {
        self.head
    }

    async fn commit(self: Box<Self>, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        self.store.state().commit(&batch)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn lock_head(&self) -> Result<Box<dyn HeadLock>, StoreError> {
        let held = Arc::clone(&self.head_lock).lock_owned().await;
        self.check_holder()?;
        let head = self.state().head;
        Ok(Box::new(Lock { store: self.clone(), head, _held: held }))
    }

    async fn try_write(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Ok(self.state().head)
    }

    async fn load(&self, sink: &mut (dyn FnMut(Record) + Send)) -> Result<Head, StoreError> {
        // A sink may call the store, so the lock is not held meanwhile.
        let (records, head) = {
            let state = self.state();
            (state.load_order(), state.head)
        };
        records.into_iter().for_each(sink);
        Ok(head)
    }

    async fn tail(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(self.state().ledger.iter().filter(|e| e.revision > after).take(limit).cloned().collect())
    }

    async fn tail_of(&self, business: BusinessId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let state = self.state();
        let entries = state.ledger.iter().filter(|e| e.revision > after && e.business == Some(business));
        Ok(entries.take(limit).cloned().collect())
    }

    async fn tail_before(&self, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(self.state().ledger.iter().rev().filter(|e| e.revision < before).take(limit).cloned().collect())
    }

    async fn tail_of_before(&self, business: BusinessId, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let state = self.state();
        let entries = state.ledger.iter().rev().filter(|e| e.revision < before && e.business == Some(business));
        Ok(entries.take(limit).cloned().collect())
    }

    async fn outcome(&self, commit_id: [u8; 16]) -> Result<Option<(u64, u64)>, StoreError> {
        let state = self.state();
        let mut revisions = state.ledger.iter().filter(|e| e.commit_id == commit_id).map(|e| e.revision);
        let first = revisions.next();
        Ok(first.map(|first| (first, revisions.next_back().unwrap_or(first))))
    }

    async fn content(&self, id: ContentId) -> Result<Option<Content>, StoreError> {
        Ok(self.state().contents.get(&id).cloned())
    }

    async fn guards(&self, ids: &[ContentId]) -> Result<Vec<ContentGuard>, StoreError> {
        let state = self.state();
        let ids: BTreeSet<&ContentId> = ids.iter().collect();
        let guard = |row: &Content| ContentGuard { id: row.id, kind: row.kind, asset: row.asset };
        Ok(ids.into_iter().filter_map(|id| state.contents.get(id)).map(guard).collect())
    }

    async fn contents(&self, ids: &[ContentId]) -> Result<Vec<Content>, StoreError> {
        let state = self.state();
        let ids: BTreeSet<&ContentId> = ids.iter().collect();
        Ok(ids.into_iter().filter_map(|id| state.contents.get(id)).cloned().collect())
    }

    async fn contents_after(&self, after: Option<ContentId>, limit: usize) -> Result<Vec<Content>, StoreError> {
        let state = self.state();
        let rows = state.contents.values().filter(|row| after.is_none_or(|after| row.id > after));
        Ok(rows.take(limit).cloned().collect())
    }

    async fn list_content(&self, query: &ContentQuery) -> Result<Vec<Content>, StoreError> {
        Ok(self.state().list(query))
    }

    async fn count_content(&self, query: &ContentQuery) -> Result<u64, StoreError> {
        Ok(self.state().filtered(query).len() as u64)
    }

    async fn entries_about(&self, subject: Id, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let state = self.state();
        let is_about = |e: &&Entry| e.class == Class::Content && e.subjects.first() == Some(&subject);
        Ok(state.ledger.iter().filter(|e| e.revision > after).filter(is_about).take(limit).cloned().collect())
    }

    async fn claim_jobs(
        &self,
        kind: &str,
        holder: &str,
        now: UnixMs,
        lease_until: UnixMs,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        Ok(self.state().jobs.claim(kind, holder, now, lease_until, limit))
    }

    async fn renew_job(&self, id: JobId, holder: &str, now: UnixMs, lease_until: UnixMs) -> Result<bool, StoreError> {
        Ok(self.state().jobs.renew(id, holder, now, lease_until))
    }

    async fn put_back_job(&self, id: JobId, holder: &str, now: UnixMs, rest: &JobRest) -> Result<bool, StoreError> {
        Ok(self.state().jobs.put_back(id, holder, now, rest))
    }

    async fn next_jobs(&self) -> Result<Vec<NextJob>, StoreError> {
        Ok(self.state().jobs.next())
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.state().jobs.get(id).cloned())
    }

    async fn jobs_after(
        &self,
        state: Option<JobState>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let all = self.state();
        let wanted = |j: &&Job| state.is_none_or(|s| j.state == s) && after.is_none_or(|after| j.id > after);
        Ok(all.jobs.all().filter(wanted).take(limit).cloned().collect())
    }

    async fn job_counts(&self) -> Result<Vec<JobCount>, StoreError> {
        Ok(self.state().jobs.counts())
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError> {
        let mut state = self.state();
        for used in uses {
            state.telemetry.add_use(used);
        }
        Ok(())
    }

    async fn uses(&self, tokens: &[TokenId]) -> Result<Vec<TokenUse>, StoreError> {
        let state = self.state();
        let tokens: BTreeSet<&TokenId> = tokens.iter().collect();
        Ok(tokens.into_iter().filter_map(|id| state.telemetry.uses.get(id)).cloned().collect())
    }

    async fn record_usage(&self, rows: &[Usage], bounds: UsageBounds) -> Result<(), StoreError> {
        let mut state = self.state();
        for row in rows {
            state.telemetry.add_usage(row, bounds.rows_a_day);
        }
        state.telemetry.prune_usage(bounds);
        Ok(())
    }

    async fn usage(&self, query: &UsageQuery) -> Result<Vec<Usage>, StoreError> {
        Ok(self.state().telemetry.usage(query))
    }

    async fn record_refusals(&self, rows: &[RefusalRow], quotas: Quotas, not_before: UnixMs) -> Result<(), StoreError> {
        self.state().telemetry.record_refusals(rows, quotas, not_before);
        Ok(())
    }

    async fn refusal(&self, trace: &str) -> Result<Option<RefusalRow>, StoreError> {
        Ok(self.state().telemetry.refusals.get(trace).cloned())
    }

    async fn refusals(&self, business: Option<BusinessId>, limit: usize) -> Result<Vec<RefusalRow>, StoreError> {
        let mut rows = self.state().telemetry.newest_refusals(business);
        rows.truncate(limit);
        Ok(rows)
    }

    async fn put_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        self.state().telemetry.put_ticket(ticket);
        Ok(())
    }

    async fn put_ticket_if_absent(&self, ticket: &Ticket) -> Result<bool, StoreError> {
        Ok(self.state().telemetry.put_new_ticket(ticket))
    }

    async fn take_ticket(&self, key: &Digest, now: UnixMs) -> Result<Option<Ticket>, StoreError> {
        Ok(self.state().telemetry.take_ticket(key, now))
    }

    async fn purge_tickets(&self, now: UnixMs, limit: usize) -> Result<usize, StoreError> {
        Ok(self.state().telemetry.purge_tickets(now, limit))
    }

    async fn note_verification(&self, found: &Verification) -> Result<(), StoreError> {
        self.state().verification = Some(*found);
        Ok(())
    }

    async fn verification(&self) -> Result<Option<Verification>, StoreError> {
        Ok(self.state().verification)
    }

    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        Ok(self.state().keys.values().cloned().collect())
    }

    async fn replace_keys(&self, keys: &[KeyRow]) -> Result<(), StoreError> {
        self.check_holder()?;
        let mut new = std::collections::BTreeMap::new();
        for key in keys {
            if i64::try_from(key.key_id).is_err() || new.insert(key.key_id, key.clone()).is_some() {
                return Err(StoreError::Other(format!("key id {} stands twice or has more than 63 bits", key.key_id)));
            }
        }
        self.state().keys = new;
        Ok(())
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn lease(&self) -> Result<Option<LeaseRow>, StoreError> {
        Ok(self.state().lease.clone())
    }

    async fn take_lease(&self, holder: &str, length_ms: i64, seen: Option<&LeaseRow>) -> Result<bool, StoreError> {
        *self.holder() = Some(holder.to_owned());
        let _no_commit = self.head_lock.lock().await;
        let mut state = self.state();
        if state.lease.as_ref() != seen {
            return Ok(false);
        }
        let counter = seen.map_or(0, |row| row.counter) + 1;
        state.lease = Some(LeaseRow { holder: holder.to_owned(), counter, length_ms, released: false });
        Ok(true)
    }

    async fn renew_lease(&self, holder: &str) -> Result<Renewal, StoreError> {
        let mut state = self.state();
        let head = state.head;
        Ok(match state.held_by(holder) {
            Some(row) => {
                row.counter += 1;
                Renewal::Held(Some(head))
            }
            None => Renewal::Gone,
        })
    }

    async fn release_lease(&self, holder: &str) -> Result<(), StoreError> {
        if let Some(row) = self.state().held_by(holder) {
            row.counter += 1;
            row.released = true;
        }
        Ok(())
    }

    fn engine(&self) -> &'static str {
        "memory"
    }
}
