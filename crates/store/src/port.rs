//! The port: what the service asks of a store, and what it may rely on.
//!
//! A store gives revisions under the head lock, so they are in commit order and without gaps. It
//! writes a batch as a whole or not at all, but for writes whose own conditions fail. When it
//! answers `Ok`, the batch is on stable storage.

use async_trait::async_trait;
use valetkey_domain::{ChangeSet, Id, Record, UnixMs};

use crate::content::{Content, ContentQuery, ContentWrite, Job, JobWrite};
use crate::ledger::Entry;

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

    /// The head once an entry follows.
    pub fn followed_by(self, entry: &Entry) -> Head {
        let last_narrowing = if entry.narrows { entry.revision } else { self.last_narrowing };
        Head { revision: entry.revision, hash: entry.hash, last_narrowing }
    }
}

/// Everything that one command writes.
#[derive(Debug, Clone)]
pub struct Write {
    pub set: ChangeSet,
    pub content: Vec<ContentWrite>,
    pub jobs: Vec<JobWrite>,
    /// Random; makes the digest of the payload impossible to guess once the payload is erased.
    pub salt: [u8; 16],
}

/// Commands that are committed together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Random; finds the batch again when its outcome is unknown.
    pub commit_id: [u8; 16],
    pub writes: Vec<Write>,
}

/// What became of one write of a batch that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Applied {
        revision: u64,
    },
    /// A condition of its content or jobs failed; nothing of it was written.
    Conflict,
}

/// Why a store failed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// It can't be reached now; trying again later makes sense.
    #[error("the store can't be reached: {0}")]
    Unavailable(String),
    /// No space is left, or the medium failed.
    #[error("the store can't write: {0}")]
    Full(String),
    /// A row is not what this version wrote.
    #[error("the store holds something unexpected: {0}")]
    Corrupt(String),
    /// The data was written by a newer version.
    #[error("the data has format {found}, this program knows up to {known}; use a newer valetkey")]
    Newer { found: i64, known: i64 },
    /// Somebody else works on the same data.
    #[error("the data is in use: {0}")]
    InUse(String),
    /// A setting of the store makes its promises void.
    #[error("the store is not safe to use: {0}")]
    Unsafe(String),
    /// Anything else; a bug.
    #[error("the store failed: {0}")]
    Other(String),
}

/// Why a commit failed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum CommitError {
    /// Nothing of the batch was written, for sure.
    #[error("not applied: {0}")]
    NotApplied(StoreError),
    /// A constraint refused the write at this position; nothing of the batch was written.
    #[error("write {index} breaks a constraint: {detail}")]
    Refused { index: usize, detail: String },
    /// It may or may not have been written; `Store::outcome` will tell.
    #[error("outcome unknown: {0}")]
    Unknown(StoreError),
}

/// The head, locked: nobody else commits while this lives. Dropping it lets go.
#[async_trait]
pub trait HeadLock: Send {
    /// The head as it is under the lock.
    fn head(&self) -> Head;

    /// Writes the batch, makes it durable, and lets go of the lock. The result has one outcome for
    /// each write, in order.
    async fn commit(self: Box<Self>, batch: Batch) -> Result<Vec<Outcome>, CommitError>;
}

/// When a token was used last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUse {
    pub token: Id,
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
    pub business: Option<Id>,
    pub token: Option<Id>,
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

/// Shows how long the key is, and not the key.
impl std::fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let KeyRow { key_id, master_id, bytes } = self;
        let bytes = format_args!("{} bytes", bytes.len());
        f.debug_struct("KeyRow").field("key_id", key_id).field("master_id", master_id).field("bytes", &bytes).finish()
    }
}

/// The answer to an attempt to be the one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseOutcome {
    Held,
    /// Another node holds it; its name, and how long its lease still runs at most.
    Taken {
        holder: String,
        remaining_ms: i64,
    },
}

/// A store.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Takes the head lock.
    async fn lock_head(&self) -> Result<Box<dyn HeadLock>, StoreError>;

    /// The head, without a lock.
    async fn head(&self) -> Result<Head, StoreError>;

    /// All authority records of one revision, in the order that lets an index fold them: terms,
    /// declared kinds, businesses, people, system users, apps, connections, installations, assets,
    /// shares, assignments, tokens by id, sign-in codes.
    async fn load(&self, sink: &mut (dyn FnMut(Record) + Send)) -> Result<Head, StoreError>;

    /// Ledger entries after a revision, in order.
    async fn tail(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Entries of one business after a revision, in order.
    async fn tail_of(&self, business: Id, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// The first and last revision that a commit wrote; `None` if it wrote nothing. Called under
    /// no lock, but only once the commit can no longer be under way.
    async fn outcome(&self, commit_id: [u8; 16]) -> Result<Option<(u64, u64)>, StoreError>;

    async fn content(&self, id: Id) -> Result<Option<Content>, StoreError>;

    /// Several at once, in any order; absent ones are left out.
    async fn contents(&self, ids: &[Id]) -> Result<Vec<Content>, StoreError>;

    /// All content in the order of ids, from behind an id on.
    async fn contents_after(&self, after: Option<Id>, limit: usize) -> Result<Vec<Content>, StoreError>;

    async fn list_content(&self, query: &ContentQuery) -> Result<Vec<Content>, StoreError>;

    /// How many rows the query would give without place and limit.
    async fn count_content(&self, query: &ContentQuery) -> Result<u64, StoreError>;

    /// Takes up to `limit` due jobs for a runner, until `lease_until`, the longest due first. A job
    /// whose lease ends at `now` or before is free again; `attempts` grows with each claim.
    async fn claim_jobs(
        &self,
        holder: &str,
        now: UnixMs,
        lease_until: UnixMs,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError>;

    /// When the next job can be claimed: when it is due, or, while somebody holds it, when that
    /// lease runs out. `None` if there is no job.
    async fn next_job_at(&self) -> Result<Option<UnixMs>, StoreError>;

    /// Adds to the use counts; telemetry, so a loss of the newest seconds is no harm.
    async fn record_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError>;

    /// The uses of these tokens, totals; absent ones are left out.
    async fn uses(&self, tokens: &[Id]) -> Result<Vec<TokenUse>, StoreError>;

    /// Keeps refusals, and drops the oldest beyond `keep` rows or from before `not_before`. A trace
    /// that is there already is replaced.
    async fn record_refusals(&self, rows: &[RefusalRow], keep: u64, not_before: UnixMs) -> Result<(), StoreError>;

    async fn refusal(&self, trace: &str) -> Result<Option<RefusalRow>, StoreError>;

    /// The newest refusals first, of one business or of all; those of one moment by trace, byte by
    /// byte, the greatest first.
    async fn refusals(&self, business: Option<Id>, limit: usize) -> Result<Vec<RefusalRow>, StoreError>;

    /// All wrapped data keys, ascending.
    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError>;

    /// Replaces all wrapped data keys by these, in one commit.
    async fn replace_keys(&self, keys: &[KeyRow]) -> Result<(), StoreError>;

    /// Takes or renews the lease of the one node for `ttl_ms` by the store's own clock. A lease
    /// that has run out may be taken by anybody.
    async fn hold_lease(&self, holder: &str, ttl_ms: i64) -> Result<LeaseOutcome, StoreError>;

    /// Gives the lease back.
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
