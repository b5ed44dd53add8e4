//! The port: what the service asks of a store, and what it may rely on.
//!
//! A store gives revisions under the head lock, so they are in commit order and without gaps. It
//! writes a batch as a whole or not at all; only writes whose own conditions fail are left out. When
//! it answers `Ok`, the batch is on stable storage.

use async_trait::async_trait;
use valetkey_domain::credential::Digest;
use valetkey_domain::{BusinessId, ContentId, Id, JobId, Record, TokenId, UnixMs};

use crate::batch::{Batch, Outcome};
use crate::content::{Content, ContentGuard, ContentQuery};
use crate::error::{CommitError, StoreError};
use crate::job::{Job, JobCount, JobRest, JobState, NextJob};
use crate::ledger::Entry;
use crate::telemetry::{Quotas, Usage, UsageBounds, UsageQuery};
use crate::ticket::Ticket;
use crate::verification::Verification;

/// The newest state of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// 0 before the first entry.
    pub revision: u64,
    /// The hash of the newest entry; zeros before the first.
    pub hash: [u8; 32],
    /// The revision of the newest change that took something away.
    pub last_narrowing: u64,
}

impl Head {
    /// The head of an empty ledger.
    pub const EMPTY: Head = Head { revision: 0, hash: [0; 32], last_narrowing: 0 };

    /// The head after this entry.
    pub fn followed_by(self, entry: &Entry) -> Head {
        let last_narrowing = if entry.narrows { entry.revision } else { self.last_narrowing };
        Head { revision: entry.revision, hash: entry.hash, last_narrowing }
    }
}

/// The locked head: nobody else commits while this lives. Dropping it releases the lock.
#[async_trait]
pub trait HeadLock: Send {
    /// The head as it is under the lock.
    fn head(&self) -> Head;

    /// Writes the batch, makes it durable, and releases the lock. The result has one outcome for each
    /// write, in order.
    async fn commit(self: Box<Self>, batch: Batch) -> Result<Vec<Outcome>, CommitError>;
}

/// When a token was used last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUse {
    pub token: TokenId,
    pub used_at: UnixMs,
    pub ip: String,
    /// Uses since the row that this one adds to.
    pub count: i64,
}

/// One refused call, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalRow {
    /// The `fbtrace_id` of the answer.
    pub trace: String,
    pub at: UnixMs,
    pub business: Option<BusinessId>,
    pub token: Option<TokenId>,
    /// Where it came from, within its business: a token, an address, or a network of addresses.
    pub source: String,
    pub reason: String,
    /// Question, steps, facts and revision, as a JSON object without secrets.
    pub body: String,
}

/// A wrapped data key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRow {
    pub key_id: u64,
    pub master_id: String,
    pub bytes: Vec<u8>,
}

/// Shows the length of the key only.
impl std::fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let KeyRow { key_id, master_id, bytes } = self;
        let bytes = format_args!("{} bytes", bytes.len());
        f.debug_struct("KeyRow").field("key_id", key_id).field("master_id", master_id).field("bytes", &bytes).finish()
    }
}

/// The row that lets only one process at a time work on a store that several can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The current or last holder. Every start of a process has its own name.
    pub holder: String,
    /// Moves with every change of the row, and never goes back.
    pub counter: i64,
    /// How long the counter must stand still before another may take the row; `valetkey-service` says
    /// by which clock.
    pub length_ms: i64,
    /// Its holder gave it back; any node may take it at once.
    pub released: bool,
}

/// The answer to a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// The counter moved. With it comes the head, as the same statement read it; `None` while the
    /// store has no tables yet.
    Held(Option<Head>),
    /// It was given back, or another holds it.
    Gone,
}

/// A store.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Takes the head lock.
    async fn lock_head(&self) -> Result<Box<dyn HeadLock>, StoreError>;

    /// Makes a write without meaning durable, to see whether a commit would succeed now. Takes no head
    /// lock.
    async fn try_write(&self) -> Result<(), StoreError>;

    /// The head, without a lock.
    async fn head(&self) -> Result<Head, StoreError>;

    /// All authority records of one revision, in the order that lets an index fold them: terms,
    /// declared kinds, businesses, humans, passkeys, people, system users, apps, connections, installations,
    /// assets, shares, assignments, tokens by id, page counters, sign-in codes.
    async fn load(&self, sink: &mut (dyn FnMut(Record) + Send)) -> Result<Head, StoreError>;

    /// Ledger entries after a revision, in order.
    async fn tail(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Entries of one business after a revision, in order.
    async fn tail_of(&self, business: BusinessId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Ledger entries before a revision, newest first; `u64::MAX` begins with the newest.
    async fn tail_before(&self, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Entries of one business before a revision, newest first; `u64::MAX` begins with the newest.
    async fn tail_of_before(&self, business: BusinessId, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// The first and last revision that a commit wrote; `None` if it wrote nothing. Called under
    /// no lock, but only once the commit can no longer be under way.
    async fn outcome(&self, commit_id: [u8; 16]) -> Result<Option<(u64, u64)>, StoreError>;

    async fn content(&self, id: ContentId) -> Result<Option<Content>, StoreError>;

    /// What guards these ids, in any order; absent ones are left out. Read from an index alone, so that
    /// it costs the same whatever the rows hold.
    async fn guards(&self, ids: &[ContentId]) -> Result<Vec<ContentGuard>, StoreError>;

    /// Rows of content by id, in any order; absent ones are left out.
    async fn contents(&self, ids: &[ContentId]) -> Result<Vec<Content>, StoreError>;

    /// All content in the order of ids, from behind an id on.
    async fn contents_after(&self, after: Option<ContentId>, limit: usize) -> Result<Vec<Content>, StoreError>;

    async fn list_content(&self, query: &ContentQuery) -> Result<Vec<Content>, StoreError>;

    /// How many rows the query gives if `after`, `before` and the limit are ignored.
    async fn count_content(&self, query: &ContentQuery) -> Result<u64, StoreError>;

    /// Entries after a revision that write content or jobs and whose first subject is this one, in
    /// order. For a job these are all entries about it, because a job is the first subject of every
    /// write that holds it.
    async fn entries_about(&self, subject: Id, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Takes up to `limit` waiting jobs of a kind for a run, until `lease_until`: first those with the
    /// earliest `not_before`. A job whose lease ends at `now` or before is free again; `attempts` grows
    /// with each claim.
    async fn claim_jobs(
        &self,
        kind: &str,
        holder: &str,
        now: UnixMs,
        lease_until: UnixMs,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError>;

    /// Holds a job longer. Says `false`, and does nothing, if at `now` it is not held by this holder.
    async fn renew_job(&self, id: JobId, holder: &str, now: UnixMs, lease_until: UnixMs) -> Result<bool, StoreError>;

    /// Releases a job that was not done, and stores how it goes on. Says `false`, and does nothing, if
    /// at `now` it is not held by this holder.
    async fn put_back_job(&self, id: JobId, holder: &str, now: UnixMs, rest: &JobRest) -> Result<bool, StoreError>;

    /// For each kind with a waiting job, known to this program or not: when the next one can be
    /// claimed. That is when it may be tried or, while a runner holds it, when the runner's lease ends.
    /// At most a hundred kinds, by their words.
    async fn next_jobs(&self) -> Result<Vec<NextJob>, StoreError>;

    async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError>;

    /// Jobs in the order of ids, from behind an id on: all, or those in a state.
    async fn jobs_after(
        &self,
        state: Option<JobState>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError>;

    /// How many jobs there are, by kind and state.
    async fn job_counts(&self) -> Result<Vec<JobCount>, StoreError>;

    /// Adds to the use counts. This is telemetry: losing the newest seconds does no harm.
    async fn record_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError>;

    /// The uses of these tokens, totals; absent ones are left out.
    async fn uses(&self, tokens: &[TokenId]) -> Result<Vec<TokenUse>, StoreError>;

    /// Adds to what tokens were used for, and drops rows that are too old. A part of a long list may be
    /// written even if this fails: it is telemetry.
    async fn record_usage(&self, rows: &[Usage], bounds: UsageBounds) -> Result<(), StoreError>;

    async fn usage(&self, query: &UsageQuery) -> Result<Vec<Usage>, StoreError>;

    /// Keeps refusals, [`REFUSALS_AT_ONCE`] in one transaction, and after each transaction drops what is
    /// from before `not_before` or over a quota. A trace that is there already is replaced.
    /// A row that is itself from before `not_before` is left out.
    ///
    /// Quotas are checked in this order: each source of a new row, rows without a business, each
    /// business, all businesses. A source over its own quota loses its oldest rows. For the other
    /// quotas, rows are dropped one by one as [`give_up`] says: from the business that holds most, there
    /// from the source that holds most, and there the oldest, by time and then by trace.
    ///
    /// [`REFUSALS_AT_ONCE`]: crate::telemetry::REFUSALS_AT_ONCE
    /// [`give_up`]: crate::telemetry::give_up
    async fn record_refusals(&self, rows: &[RefusalRow], quotas: Quotas, not_before: UnixMs) -> Result<(), StoreError>;

    async fn refusal(&self, trace: &str) -> Result<Option<RefusalRow>, StoreError>;

    /// The newest refusals first, of one business or of all; those of one moment by trace, byte by
    /// byte, the greatest first.
    async fn refusals(&self, business: Option<BusinessId>, limit: usize) -> Result<Vec<RefusalRow>, StoreError>;

    /// Keeps a ticket; one with the same key is replaced. Tickets are telemetry: the newest may be lost.
    async fn put_ticket(&self, ticket: &Ticket) -> Result<(), StoreError>;

    /// Keeps a ticket unless one with its key lives at `created_at`, and says whether it did. Of several
    /// nodes that try at once, one is told so.
    async fn put_ticket_if_absent(&self, ticket: &Ticket) -> Result<bool, StoreError>;

    /// Takes a ticket out: of several nodes that try at once, one gets it. One that ended at `now` or
    /// before is removed and not given.
    async fn take_ticket(&self, key: &Digest, now: UnixMs) -> Result<Option<Ticket>, StoreError>;

    /// Removes tickets that ended at `now` or before, the earliest first, at most `limit`; how many.
    async fn purge_tickets(&self, now: UnixMs, limit: usize) -> Result<usize, StoreError>;

    /// Keeps what the last check of the ledger found, in place of the outcome before.
    async fn note_verification(&self, found: &Verification) -> Result<(), StoreError>;

    /// What the last check of the ledger found; `None` before the first.
    async fn verification(&self) -> Result<Option<Verification>, StoreError>;

    /// All wrapped data keys, ascending.
    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError>;

    /// Replaces all wrapped data keys by these, in one commit.
    async fn replace_keys(&self, keys: &[KeyRow]) -> Result<(), StoreError>;

    /// Brings the tables to the format of this program. Called with the lease held, where there is
    /// one; nothing but the lease works before.
    async fn migrate(&self) -> Result<(), StoreError>;

    /// The row of the lease; `None` if nobody ever held it. No clock of the store takes part in
    /// anything about the lease.
    async fn lease(&self) -> Result<Option<LeaseRow>, StoreError>;

    /// Takes the lease if its row is still the one that was seen, and says whether it did. Waits for
    /// a commit under way. From the first call on, this handle commits only while the holder that it
    /// named last holds the lease. An engine that lets only one process in need not check this.
    async fn take_lease(&self, holder: &str, length_ms: i64, seen: Option<&LeaseRow>) -> Result<bool, StoreError>;

    /// Moves the counter and reads the head, in one durable statement.
    async fn renew_lease(&self, holder: &str) -> Result<Renewal, StoreError>;

    /// Gives the lease back, if this holder has it.
    async fn release_lease(&self, holder: &str) -> Result<(), StoreError>;

    /// A word for messages: `sqlite`, `postgres`, `memory`.
    fn engine(&self) -> &'static str;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_key() {
        let row = KeyRow { key_id: 7, master_id: "m".to_owned(), bytes: vec![201, 202] };
        assert_eq!(format!("{row:?}"), "KeyRow { key_id: 7, master_id: \"m\", bytes: 2 bytes }");
    }
}
