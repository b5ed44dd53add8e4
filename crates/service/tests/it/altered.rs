//! A store that gives wrong or delayed answers once it is switched on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::Instant;
use valetkey_domain::credential::Digest;
use valetkey_domain::{BusinessId, ContentId, Id, JobId, Record, TokenId, UnixMs};
use valetkey_store::telemetry::{Quotas, Usage, UsageBounds, UsageQuery};
use valetkey_store::{
    Content, ContentGuard, ContentQuery, Entry, Head, HeadLock, Job, JobCount, JobRest, JobState, KeyRow, LeaseRow,
    NextJob, RefusalRow, Renewal, Store, StoreError, Ticket, TokenUse, Verification,
};

/// What it answers instead.
#[derive(Debug, Clone)]
pub enum Tale {
    /// Every entry has an action that no version knows.
    UnknownAction,
    /// No entry matches its hash.
    Forged,
    /// The ledger is shorter than it was.
    Shorter,
    /// The ledger has a head and no entries.
    Gap,
    /// Every entry is from another ledger: each matches its own hash, and the head fits.
    OtherPast,
    /// The head has another hash than it had at this revision.
    OtherHead,
    /// The head has another hash than the newest entry.
    OtherEnd,
    /// The truth; but the first renewal of the lease takes this long, and no other succeeds.
    SlowRenewal { delay: Duration, sent: Arc<Mutex<Option<Instant>>> },
    /// Every entry is of the format from before jobs stood in the ledger.
    OldFormat,
    /// The truth; but a read of this row of content is reported, and answered only when the test says so.
    Stuck { content: ContentId, read: Arc<Notify>, go: Arc<Notify> },
    /// The truth; but one read of the ledger's end is reported, and answered only when the test says so.
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
            Tale::OtherPast => Some(of_another_ledger(e)),
            Tale::OldFormat => Some(Entry { format: 1, ..e }),
            Tale::Shorter
            | Tale::OtherHead
            | Tale::OtherEnd
            | Tale::SlowRenewal { .. }
            | Tale::Stuck { .. }
            | Tale::Late { .. } => Some(e),
        };
        entries.into_iter().filter_map(tell).collect()
    }
}

/// The same entry after another one, with a matching hash.
fn of_another_ledger(entry: Entry) -> Entry {
    let mut other = Entry { prev: [9; 32], ..entry };
    other.hash = other.chain_hash();
    other
}

type Answer<T> = Result<T, StoreError>;

#[async_trait]
impl Store for Altered {
    async fn lock_head(&self) -> Answer<Box<dyn HeadLock>> {
        self.inner.lock_head().await
    }
    async fn try_write(&self) -> Answer<()> {
        self.inner.try_write().await
    }
    async fn head(&self) -> Answer<Head> {
        let head = self.inner.head().await?;
        if !self.is_on() {
            return Ok(head);
        }
        Ok(match self.tale {
            Tale::Shorter => Head { revision: head.revision - 1, ..head },
            Tale::OtherHead | Tale::OtherEnd => Head { hash: [7; 32], ..head },
            Tale::OtherPast => {
                let newest = self.inner.tail(head.revision - 1, 1).await?.remove(0);
                Head { hash: of_another_ledger(newest).hash, ..head }
            }
            Tale::UnknownAction
            | Tale::Forged
            | Tale::Gap
            | Tale::OldFormat
            | Tale::Stuck { .. }
            | Tale::SlowRenewal { .. }
            | Tale::Late { .. } => head,
        })
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
    async fn tail_of(&self, business: BusinessId, after: u64, limit: usize) -> Answer<Vec<Entry>> {
        Ok(self.alter(self.inner.tail_of(business, after, limit).await?))
    }
    async fn tail_before(&self, before: u64, limit: usize) -> Answer<Vec<Entry>> {
        Ok(self.alter(self.inner.tail_before(before, limit).await?))
    }
    async fn tail_of_before(&self, business: BusinessId, before: u64, limit: usize) -> Answer<Vec<Entry>> {
        Ok(self.alter(self.inner.tail_of_before(business, before, limit).await?))
    }
    async fn outcome(&self, commit_id: [u8; 16]) -> Answer<Option<(u64, u64)>> {
        self.inner.outcome(commit_id).await
    }
    async fn content(&self, id: ContentId) -> Answer<Option<Content>> {
        if let Tale::Stuck { content, read, go } = &self.tale
            && *content == id
            && self.is_on()
        {
            read.notify_one();
            go.notified().await;
        }
        self.inner.content(id).await
    }
    async fn guards(&self, ids: &[ContentId]) -> Answer<Vec<ContentGuard>> {
        self.inner.guards(ids).await
    }
    async fn contents(&self, ids: &[ContentId]) -> Answer<Vec<Content>> {
        self.inner.contents(ids).await
    }
    async fn contents_after(&self, after: Option<ContentId>, limit: usize) -> Answer<Vec<Content>> {
        self.inner.contents_after(after, limit).await
    }

    async fn list_content(&self, query: &ContentQuery) -> Answer<Vec<Content>> {
        self.inner.list_content(query).await
    }
    async fn count_content(&self, query: &ContentQuery) -> Answer<u64> {
        self.inner.count_content(query).await
    }
    async fn entries_about(&self, subject: Id, after: u64, limit: usize) -> Answer<Vec<Entry>> {
        Ok(self.alter(self.inner.entries_about(subject, after, limit).await?))
    }
    async fn claim_jobs(
        &self,
        kind: &str,
        holder: &str,
        now: UnixMs,
        lease_until: UnixMs,
        limit: usize,
    ) -> Answer<Vec<Job>> {
        self.inner.claim_jobs(kind, holder, now, lease_until, limit).await
    }
    async fn renew_job(&self, id: JobId, holder: &str, now: UnixMs, lease_until: UnixMs) -> Answer<bool> {
        self.inner.renew_job(id, holder, now, lease_until).await
    }
    async fn put_back_job(&self, id: JobId, holder: &str, now: UnixMs, rest: &JobRest) -> Answer<bool> {
        self.inner.put_back_job(id, holder, now, rest).await
    }
    async fn next_jobs(&self) -> Answer<Vec<NextJob>> {
        self.inner.next_jobs().await
    }
    async fn job(&self, id: JobId) -> Answer<Option<Job>> {
        self.inner.job(id).await
    }
    async fn jobs_after(&self, state: Option<JobState>, after: Option<JobId>, limit: usize) -> Answer<Vec<Job>> {
        self.inner.jobs_after(state, after, limit).await
    }
    async fn job_counts(&self) -> Answer<Vec<JobCount>> {
        self.inner.job_counts().await
    }
    async fn record_uses(&self, uses: &[TokenUse]) -> Answer<()> {
        self.inner.record_uses(uses).await
    }
    async fn uses(&self, tokens: &[TokenId]) -> Answer<Vec<TokenUse>> {
        self.inner.uses(tokens).await
    }
    async fn record_usage(&self, rows: &[Usage], bounds: UsageBounds) -> Answer<()> {
        self.inner.record_usage(rows, bounds).await
    }
    async fn usage(&self, query: &UsageQuery) -> Answer<Vec<Usage>> {
        self.inner.usage(query).await
    }
    async fn record_refusals(&self, rows: &[RefusalRow], quotas: Quotas, not_before: UnixMs) -> Answer<()> {
        self.inner.record_refusals(rows, quotas, not_before).await
    }
    async fn refusal(&self, trace: &str) -> Answer<Option<RefusalRow>> {
        self.inner.refusal(trace).await
    }
    async fn refusals(&self, business: Option<BusinessId>, limit: usize) -> Answer<Vec<RefusalRow>> {
        self.inner.refusals(business, limit).await
    }
    async fn put_ticket(&self, ticket: &Ticket) -> Answer<()> {
        self.inner.put_ticket(ticket).await
    }
    async fn put_ticket_if_absent(&self, ticket: &Ticket) -> Answer<bool> {
        self.inner.put_ticket_if_absent(ticket).await
    }
    async fn take_ticket(&self, key: &Digest, now: UnixMs) -> Answer<Option<Ticket>> {
        self.inner.take_ticket(key, now).await
    }
    async fn purge_tickets(&self, now: UnixMs, limit: usize) -> Answer<usize> {
        self.inner.purge_tickets(now, limit).await
    }

    async fn note_verification(&self, found: &Verification) -> Answer<()> {
        self.inner.note_verification(found).await
    }
    async fn verification(&self) -> Answer<Option<Verification>> {
        self.inner.verification().await
    }
    async fn keys(&self) -> Answer<Vec<KeyRow>> {
        self.inner.keys().await
    }
    async fn replace_keys(&self, keys: &[KeyRow]) -> Answer<()> {
        self.inner.replace_keys(keys).await
    }
    async fn migrate(&self) -> Answer<()> {
        self.inner.migrate().await
    }
    async fn lease(&self) -> Answer<Option<LeaseRow>> {
        self.inner.lease().await
    }
    async fn take_lease(&self, holder: &str, length_ms: i64, seen: Option<&LeaseRow>) -> Answer<bool> {
        self.inner.take_lease(holder, length_ms, seen).await
    }
    async fn renew_lease(&self, holder: &str) -> Answer<Renewal> {
        if let Tale::SlowRenewal { delay, sent } = &self.tale {
            let is_first = sent.lock().unwrap().is_none();
            if !is_first {
                return Err(StoreError::Unavailable("the way is cut".to_owned()));
            }
            *sent.lock().unwrap() = Some(Instant::now());
            let answer = self.inner.renew_lease(holder).await;
            tokio::time::sleep(*delay).await;
            return answer;
        }
        self.inner.renew_lease(holder).await
    }
    async fn release_lease(&self, holder: &str) -> Answer<()> {
        self.inner.release_lease(holder).await
    }
    fn engine(&self) -> &'static str {
        self.inner.engine()
    }
}
