//! A store that, once switched on, does not tell what is in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::Notify;
use valetkey_domain::{Id, Record, UnixMs};
use valetkey_store::{
    Content, ContentQuery, Entry, Head, HeadLock, Job, KeyRow, LeaseOutcome, RefusalRow, Store, StoreError, TokenUse,
};

/// What it tells instead.
#[derive(Clone)]
pub enum Tale {
    /// Every entry has an action that no version knows.
    UnknownAction,
    /// Every entry holds something else than what its hash says.
    Forged,
    /// The ledger is shorter than it was.
    Shorter,
    /// The ledger has a head and no entries.
    Gap,
    /// The truth; but whoever read the ledger's end says so, and gets its answer when told. Once.
    Late { read: Arc<Notify>, go: Arc<Notify> },
}

pub struct Altered {
    pub inner: Arc<dyn Store>,
    pub on: Arc<AtomicBool>,
    pub tale: Tale,
}

impl Altered {
    fn is_on(&self) -> bool {
        self.on.load(Ordering::SeqCst)
    }

    fn alter(&self, entries: Vec<Entry>) -> Vec<Entry> {
        if !self.is_on() {
            return entries;
        }
        let tell = |e: Entry| match self.tale {
            Tale::UnknownAction => Some(Entry { action: "planet_moved".to_owned(), ..e }),
            Tale::Forged => Some(Entry { at: e.at + 1, ..e }),
            Tale::Gap => None,
            Tale::Shorter | Tale::Late { .. } => Some(e),
        };
        entries.into_iter().filter_map(tell).collect()
    }
}

type Answer<T> = Result<T, StoreError>;

#[async_trait]
impl Store for Altered {
    async fn lock_head(&self) -> Answer<Box<dyn HeadLock>> {
        self.inner.lock_head().await
    }
    async fn head(&self) -> Answer<Head> {
        let head = self.inner.head().await?;
        let cut = u64::from(self.is_on() && matches!(self.tale, Tale::Shorter));
        Ok(Head { revision: head.revision - cut, ..head })
    }
    async fn load(&self, sink: &mut (dyn FnMut(Record) + Send)) -> Answer<Head> {
        self.inner.load(sink).await
    }
    async fn tail(&self, after: u64, limit: usize) -> Answer<Vec<Entry>> {
        let entries = self.inner.tail(after, limit).await?;
        if let Tale::Late { read, go } = &self.tale
            && self.on.swap(false, Ordering::SeqCst)
        {
            read.notify_one();
            go.notified().await;
        }
        Ok(self.alter(entries))
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
    async fn contents_after(&self, after: Option<Id>, limit: usize) -> Answer<Vec<Content>> {
        self.inner.contents_after(after, limit).await
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
