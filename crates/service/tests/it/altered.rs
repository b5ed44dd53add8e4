//! A store whose ledger speaks of something that this version does not know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use valetkey_domain::{Id, Record, UnixMs};
use valetkey_store::{
    Content, ContentQuery, Entry, Head, HeadLock, Job, KeyRow, LeaseOutcome, MemoryStore, RefusalRow, Store,
    StoreError, TokenUse,
};

/// The memory store; once switched on, every entry that is read has an unknown action.
pub struct Altered {
    pub inner: MemoryStore,
    pub on: Arc<AtomicBool>,
}

impl Altered {
    fn alter(&self, entries: Vec<Entry>) -> Vec<Entry> {
        let on = self.on.load(Ordering::SeqCst);
        entries.into_iter().map(|e| if on { Entry { action: "planet_moved".to_owned(), ..e } } else { e }).collect()
    }
}

type Answer<T> = Result<T, StoreError>;

#[async_trait]
impl Store for Altered {
    async fn lock_head(&self) -> Answer<Box<dyn HeadLock>> {
        self.inner.lock_head().await
    }
    async fn head(&self) -> Answer<Head> {
        self.inner.head().await
    }
    async fn load(&self, sink: &mut (dyn FnMut(Record) + Send)) -> Answer<Head> {
        self.inner.load(sink).await
    }
    async fn tail(&self, after: u64, limit: usize) -> Answer<Vec<Entry>> {
        Ok(self.alter(self.inner.tail(after, limit).await?))
    }
    async fn tail_of(&self, business: Id, after: u64, limit: usize) -> Answer<Vec<Entry>> {
        Ok(self.alter(self.inner.tail_of(business, after, limit).await?))
    }
    async fn outcome(&self, commit_id: [u8; 16]) -> Answer<Option<(u64, u64)>> {
        self.inner.outcome(commit_id).await
    }
    async fn content(&self, id: Id) -> Answer<Option<Content>> {
        self.inner.content(id).await
    }
    async fn contents(&self, ids: &[Id]) -> Answer<Vec<Content>> {
        self.inner.contents(ids).await
    }
    async fn list_content(&self, query: &ContentQuery) -> Answer<Vec<Content>> {
        self.inner.list_content(query).await
    }
    async fn count_content(&self, query: &ContentQuery) -> Answer<u64> {
        self.inner.count_content(query).await
    }
    async fn claim_jobs(&self, holder: &str, now: UnixMs, lease_until: UnixMs, limit: usize) -> Answer<Vec<Job>> {
        self.inner.claim_jobs(holder, now, lease_until, limit).await
    }
    async fn next_job_at(&self) -> Answer<Option<UnixMs>> {
        self.inner.next_job_at().await
    }
    async fn record_uses(&self, uses: &[TokenUse]) -> Answer<()> {
        self.inner.record_uses(uses).await
    }
    async fn uses(&self, tokens: &[Id]) -> Answer<Vec<TokenUse>> {
        self.inner.uses(tokens).await
    }
    async fn record_refusals(&self, rows: &[RefusalRow], keep: u64, not_before: UnixMs) -> Answer<()> {
        self.inner.record_refusals(rows, keep, not_before).await
    }
    async fn refusal(&self, trace: &str) -> Answer<Option<RefusalRow>> {
        self.inner.refusal(trace).await
    }
    async fn refusals(&self, business: Option<Id>, limit: usize) -> Answer<Vec<RefusalRow>> {
        self.inner.refusals(business, limit).await
    }
    async fn keys(&self) -> Answer<Vec<KeyRow>> {
        self.inner.keys().await
    }
    async fn replace_keys(&self, keys: &[KeyRow]) -> Answer<()> {
        self.inner.replace_keys(keys).await
    }
    async fn hold_lease(&self, holder: &str, ttl_ms: i64) -> Answer<LeaseOutcome> {
        self.inner.hold_lease(holder, ttl_ms).await
    }
    async fn release_lease(&self, holder: &str) -> Answer<()> {
        self.inner.release_lease(holder).await
    }
    fn engine(&self) -> &'static str {
        self.inner.engine()
    }
}
