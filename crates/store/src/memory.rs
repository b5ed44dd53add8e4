//! The model: a store by plain collections, which says what the contract means.
//!
//! It keeps nothing on disk and shares no SQL with the engines. What it does must follow from
//! what was called alone; its clock is handed in and stands still otherwise.

mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;
use valetkey_domain::{Id, Record, UnixMs};

use crate::{
    Batch, CommitError, Content, ContentQuery, Entry, Head, HeadLock, Job, KeyRow, LeaseOutcome, Outcome, RefusalRow,
    Store, StoreError, TokenUse,
};
use state::State;

/// Tells the model's time in unix milliseconds; only the lease of the node asks.
pub type Clock = Arc<dyn Fn() -> UnixMs + Send + Sync>;

/// A store in memory. Clones share their data.
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    head_lock: Arc<tokio::sync::Mutex<()>>,
    clock: Clock,
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").field("head", &self.state().head.revision).finish_non_exhaustive()
    }
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore::with_clock(Arc::new(|| 0))
    }
}

impl MemoryStore {
    /// An empty store whose clock stands at 0.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// An empty store with this clock.
    pub fn with_clock(clock: Clock) -> MemoryStore {
        MemoryStore { state: Arc::default(), head_lock: Arc::default(), clock }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state changes only by complete steps or is rolled back, so a panic of another test
        // thread leaves nothing half done that could be seen.
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
        let head = self.state().head;
        Ok(Box::new(Lock { store: self.clone(), head, _held: held }))
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

    async fn tail_of(&self, business: Id, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let state = self.state();
        let entries = state.ledger.iter().filter(|e| e.revision > after && e.business == Some(business));
        Ok(entries.take(limit).cloned().collect())
    }

    async fn outcome(&self, commit_id: [u8; 16]) -> Result<Option<(u64, u64)>, StoreError> {
        let state = self.state();
        let mut revisions = state.ledger.iter().filter(|e| e.commit_id == commit_id).map(|e| e.revision);
        let first = revisions.next();
        Ok(first.map(|first| (first, revisions.next_back().unwrap_or(first))))
    }

    async fn content(&self, id: Id) -> Result<Option<Content>, StoreError> {
        Ok(self.state().contents.get(&id).cloned())
    }

    async fn contents(&self, ids: &[Id]) -> Result<Vec<Content>, StoreError> {
        let state = self.state();
        let ids: std::collections::BTreeSet<&Id> = ids.iter().collect();
        Ok(ids.into_iter().filter_map(|id| state.contents.get(id)).cloned().collect())
    }

    async fn contents_after(&self, after: Option<Id>, limit: usize) -> Result<Vec<Content>, StoreError> {
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

    async fn claim_jobs(
        &self,
        holder: &str,
        now: UnixMs,
        lease_until: UnixMs,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        Ok(self.state().claim(holder, now, lease_until, limit))
    }

    async fn next_job_at(&self) -> Result<Option<UnixMs>, StoreError> {
        Ok(self.state().jobs.values().map(|j| j.due_at.max(j.lease_until.unwrap_or(j.due_at))).min())
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError> {
        let mut state = self.state();
        for used in uses {
            state.add_use(used);
        }
        Ok(())
    }

    async fn uses(&self, tokens: &[Id]) -> Result<Vec<TokenUse>, StoreError> {
        let state = self.state();
        let tokens: std::collections::BTreeSet<&Id> = tokens.iter().collect();
        Ok(tokens.into_iter().filter_map(|id| state.uses.get(id)).cloned().collect())
    }

    async fn record_refusals(&self, rows: &[RefusalRow], keep: u64, not_before: UnixMs) -> Result<(), StoreError> {
        let mut state = self.state();
        for row in rows {
            state.refusals.insert(row.trace.clone(), row.clone());
        }
        state.refusals.retain(|_, row| row.at >= not_before);
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let gone: Vec<String> = state.newest_refusals(None).into_iter().skip(keep).map(|row| row.trace).collect();
        for trace in gone {
            state.refusals.remove(&trace);
        }
        Ok(())
    }

    async fn refusal(&self, trace: &str) -> Result<Option<RefusalRow>, StoreError> {
        Ok(self.state().refusals.get(trace).cloned())
    }

    async fn refusals(&self, business: Option<Id>, limit: usize) -> Result<Vec<RefusalRow>, StoreError> {
        let mut rows = self.state().newest_refusals(business);
        rows.truncate(limit);
        Ok(rows)
    }

    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        Ok(self.state().keys.values().cloned().collect())
    }

    async fn replace_keys(&self, keys: &[KeyRow]) -> Result<(), StoreError> {
        let mut new = std::collections::BTreeMap::new();
        for key in keys {
            if i64::try_from(key.key_id).is_err() || new.insert(key.key_id, key.clone()).is_some() {
                return Err(StoreError::Other(format!("key id {} stands twice or has more than 63 bits", key.key_id)));
            }
        }
        self.state().keys = new;
        Ok(())
    }

    async fn hold_lease(&self, holder: &str, ttl_ms: i64) -> Result<LeaseOutcome, StoreError> {
        let now = (self.clock)();
        let mut state = self.state();
        match &state.lease {
            Some((other, until)) if other != holder && *until > now => {
                Ok(LeaseOutcome::Taken { holder: other.clone(), remaining_ms: until - now })
            }
            _ => {
                state.lease = Some((holder.to_owned(), now.saturating_add(ttl_ms)));
                Ok(LeaseOutcome::Held)
            }
        }
    }

    async fn release_lease(&self, holder: &str) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.lease.as_ref().is_some_and(|(held_by, _)| held_by == holder) {
            state.lease = None;
        }
        Ok(())
    }

    fn engine(&self) -> &'static str {
        "memory"
    }
}
