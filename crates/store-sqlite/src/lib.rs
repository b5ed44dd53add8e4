//! The embedded store: SQLite in one folder, for one process.
//!
//! One thread writes, several connections read. A commit is answered only once it is on stable
//! storage. Another process can read at the same time if it is on the same machine. Nothing here may
//! decide about rights, nor hold SQL of its own, except SQL about SQLite itself: the statements are
//! those of the `store` crate.

mod connection;
mod open;
mod readers;
mod reserve;
mod telemetry;
mod writer;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use valetkey_domain::credential::Digest;
use valetkey_domain::{BusinessId, ContentId, Id, JobId, Record, TokenId, UnixMs};
use valetkey_store::sql::{self, Value, rows, statements};
use valetkey_store::telemetry::{Quotas, Usage, UsageBounds, UsageQuery};
use valetkey_store::{
    Batch, CommitError, Content, ContentGuard, ContentQuery, Entry, Head, HeadLock, Job, JobCount, JobRest, JobState,
    KeyRow, LeaseRow, NextJob, Outcome, RefusalRow, Renewal, Store, StoreError, Ticket, TokenUse, Verification,
};

use connection::Engine;
pub use open::LOCK_NAME;
use readers::Readers;
use reserve::Space;
use writer::Writer;

/// The name of the data file in the folder.
pub const FILE_NAME: &str = "valetkey.db";

/// A store in a folder. Clones share it; when the last one is dropped, the files are closed and
/// the folder is free.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    readers: Readers,
    /// None in a store that was opened to read alone.
    writing: Option<Writing>,
}

struct Writing {
    writer: Writer,
    head: Arc<Mutex<Head>>,
    head_lock: Arc<Semaphore>,
    // Declared last, so that both locks are released only once all connections are closed.
    _database_lock: File,
    _folder_lock: File,
}

impl Writing {
    fn cached_head(&self) -> Head {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // At its end the writer moves everything into the main file. Open readers would prevent that.
        self.readers.close();
        if let Some(writing) = &mut self.writing {
            writing.writer.stop();
        }
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store in a folder, which is made if it is not there (0700; the file 0600), and
    /// brings its tables up to date. Blocks for as long as that takes.
    ///
    /// # Errors
    /// `InUse` if another process works in the folder; `Newer` if a newer program wrote the data;
    /// `Unsafe` if the medium can't keep what SQLite promises; `Corrupt` if the file is no store.
    pub fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_with(folder, None)
    }

    /// The same, with an upper limit for the size of the file, in pages of 4 KiB, to act as a full
    /// disk. For tests.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_with(folder: &Path, limit_pages: Option<u32>) -> Result<SqliteStore, StoreError> {
        let folder_lock = open::take_folder(folder)?;
        let path = folder.join(FILE_NAME);
        let database_lock = open::lock_database(&path)?;
        let mut space = Space::of(folder, limit_pages);
        let (engine, head) = space.use_for(|| open::open_writer(&path, folder, limit_pages))?;
        let texts = engine.texts();
        let head = Arc::new(Mutex::new(head));
        let writer = Writer::start(engine, Arc::clone(&head), space)?;
        let writing = Writing {
            writer,
            head,
            head_lock: Arc::new(Semaphore::new(1)),
            _database_lock: database_lock,
            _folder_lock: folder_lock,
        };
        let readers = Readers::new(path, texts);
        let inner = Inner { folder: folder.to_owned(), readers, writing: Some(writing) };
        Ok(SqliteStore { inner: Arc::new(inner) })
    }

    /// Opens the store in a folder for reading only; another process may write in it. Nothing is
    /// made, and no tables are brought up to date.
    ///
    /// # Errors
    /// `Unavailable` if there is no store; `Newer` if a newer program wrote the data; `Corrupt` if
    /// the file is no store. Every later call that would write fails too.
    pub fn open_to_read(folder: &Path) -> Result<SqliteStore, StoreError> {
        let path = folder.join(FILE_NAME);
        let texts = open::check_to_read(&path)?;
        let inner = Inner { folder: folder.to_owned(), readers: Readers::new(path, texts), writing: None };
        Ok(SqliteStore { inner: Arc::new(inner) })
    }

    /// Runs SQL without a ledger entry, as somebody with write access to the file could. For tests.
    ///
    /// # Errors
    /// Those of SQLite.
    #[doc(hidden)]
    pub async fn run_past_the_store(&self, sql: String) -> Result<(), StoreError> {
        self.write(move |engine| engine.command(&sql)).await
    }

    fn writing(&self) -> Result<&Writing, StoreError> {
        let closed = || StoreError::Other("the store was opened to read alone".to_owned());
        self.inner.writing.as_ref().ok_or_else(closed)
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        let permit = self.inner.readers.permit().await?;
        let task = tokio::task::spawn_blocking(move || {
            let result = inner.readers.with(work);
            drop(permit);
            result
        });
        task.await.map_err(|e| StoreError::Other(format!("a read ended early: {e}")))?
    }

    /// A transaction of the writer beside the ledger.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writing()?.writer.run(move |state| state.transaction(work)).await?
    }
}

struct Lock {
    store: SqliteStore,
    head: Head,
    held: OwnedSemaphorePermit,
}

#[async_trait]
impl HeadLock for Lock {
    fn head(&self) -> Head {
        self.head
    }

    async fn commit(self: Box<Self>, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        let Lock { store, head: _, held } = *self;
        // The permit moves into the work: if the caller stops waiting, the next one must still not get
        // in before this commit has ended.
        let work = store.writing().map_err(CommitError::NotApplied)?.writer.run(move |state| {
            let result = state.commit(&batch);
            drop(held);
            result
        });
        match work.await {
            Ok(result) => result,
            Err(e) => Err(CommitError::Unknown(e)),
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn lock_head(&self) -> Result<Box<dyn HeadLock>, StoreError> {
        let writing = self.writing()?;
        let held = Arc::clone(&writing.head_lock).acquire_owned().await;
        let held = held.map_err(|_| StoreError::Other("the head lock is closed".to_owned()))?;
        // Only this process writes, and only under this lock, so the cached head is the head.
        Ok(Box::new(Lock { store: self.clone(), head: writing.cached_head(), held }))
    }

    async fn try_write(&self) -> Result<(), StoreError> {
        self.write(|engine| engine.run(statements::TRY_WRITE, &[]).map(|_| ())).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        match &self.inner.writing {
            Some(writing) => Ok(writing.cached_head()),
            None => {
                let head = self.read(|engine| engine.one(statements::HEAD, &[], rows::read_head)).await?;
                head.ok_or_else(|| StoreError::Corrupt("the row of the head is gone; restore a backup".to_owned()))
            }
        }
    }

    async fn load(&self, sink: &mut (dyn FnMut(Record) + Send)) -> Result<Head, StoreError> {
        let (send, mut receive) = tokio::sync::mpsc::channel(readers::CHUNKS_AHEAD);
        let store = self.clone();
        let reading = tokio::spawn(async move { store.read(move |engine| readers::load(engine, &send)).await });
        while let Some(chunk) = receive.recv().await {
            for record in chunk {
                sink(record);
            }
        }
        reading.await.map_err(|e| StoreError::Other(format!("loading ended early: {e}")))?
    }

    async fn tail(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let values = vec![rows::stored_revision(after)?, rows::stored_limit(limit)];
        self.read(move |engine| engine.all(statements::TAIL, &values, rows::read_entry)).await
    }

    async fn tail_of(&self, business: BusinessId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let values = vec![business.into(), rows::stored_revision(after)?, rows::stored_limit(limit)];
        self.read(move |engine| engine.all(statements::TAIL_OF, &values, rows::read_entry)).await
    }

    async fn tail_before(&self, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let values = vec![rows::before_revision(before), rows::stored_limit(limit)];
        self.read(move |engine| engine.all(statements::TAIL_BEFORE, &values, rows::read_entry)).await
    }

    async fn tail_of_before(&self, business: BusinessId, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let values = vec![business.into(), rows::before_revision(before), rows::stored_limit(limit)];
        self.read(move |engine| engine.all(statements::TAIL_OF_BEFORE, &values, rows::read_entry)).await
    }

    async fn outcome(&self, commit_id: [u8; 16]) -> Result<Option<(u64, u64)>, StoreError> {
        // The writer answers this, so it comes after every commit under way, and never while the
        // outcome of one is still open.
        self.writing()?.writer.run(move |state| state.outcome(commit_id)).await?
    }

    async fn content(&self, id: ContentId) -> Result<Option<Content>, StoreError> {
        self.read(move |engine| engine.one(statements::CONTENT, &[id.into()], rows::read_content)).await
    }

    async fn guards(&self, ids: &[ContentId]) -> Result<Vec<ContentGuard>, StoreError> {
        let ids = unique(ids);
        self.read(move |engine| several(engine, &ids, sql::content::guards, rows::read_guard)).await
    }

    async fn contents(&self, ids: &[ContentId]) -> Result<Vec<Content>, StoreError> {
        let ids = unique(ids);
        self.read(move |engine| several(engine, &ids, sql::content::by_ids, rows::read_content)).await
    }

    async fn contents_after(&self, after: Option<ContentId>, limit: usize) -> Result<Vec<Content>, StoreError> {
        let values = rows::contents_after_values(after, limit);
        self.read(move |engine| engine.all(statements::CONTENTS_AFTER, &values, rows::read_content)).await
    }

    async fn list_content(&self, query: &ContentQuery) -> Result<Vec<Content>, StoreError> {
        let built = sql::content::list(query);
        self.read(move |engine| {
            let mut list = engine.all_built(&built, rows::read_content)?;
            if built.reversed {
                list.reverse();
            }
            Ok(list)
        })
        .await
    }

    async fn count_content(&self, query: &ContentQuery) -> Result<u64, StoreError> {
        let built = sql::content::count(query);
        let counts = self.read(move |engine| engine.all_built(&built, |row| row.int(0))).await?;
        Ok(counts.first().and_then(|n| u64::try_from(*n).ok()).unwrap_or(0))
    }

    async fn entries_about(&self, subject: Id, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let values = rows::about_values(subject, after, limit)?;
        self.read(move |engine| engine.all(statements::ENTRIES_ABOUT, &values, rows::read_entry)).await
    }

    async fn claim_jobs(
        &self,
        kind: &str,
        holder: &str,
        now: UnixMs,
        lease_until: UnixMs,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let values = rows::claim_values(kind, holder, now, lease_until, limit);
        let mut jobs = self.write(move |engine| engine.all(statements::CLAIM_JOBS, &values, rows::read_job)).await?;
        jobs.sort_by_key(|job| (job.not_before, job.id));
        Ok(jobs)
    }

    async fn renew_job(&self, id: JobId, holder: &str, now: UnixMs, lease_until: UnixMs) -> Result<bool, StoreError> {
        let values = [id.into(), holder.into(), now.into(), lease_until.into()];
        let held = self.write(move |engine| engine.all(statements::RENEW_JOB, &values, |row| row.int(0))).await?;
        Ok(!held.is_empty())
    }

    async fn put_back_job(&self, id: JobId, holder: &str, now: UnixMs, rest: &JobRest) -> Result<bool, StoreError> {
        let values = rows::rest_values(id, holder, now, rest);
        let held = self.write(move |engine| engine.all(statements::PUT_BACK_JOB, &values, |row| row.int(0))).await?;
        Ok(!held.is_empty())
    }

    async fn next_jobs(&self) -> Result<Vec<NextJob>, StoreError> {
        let found = self.read(|engine| engine.all(statements::NEXT_JOBS, &[], rows::read_next_job)).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.read(move |engine| engine.one(statements::JOB, &[id.into()], rows::read_job)).await
    }

    async fn jobs_after(
        &self,
        state: Option<JobState>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let values = rows::jobs_after_values(state, after, limit);
        self.read(move |engine| engine.all(statements::JOBS_AFTER, &values, rows::read_job)).await
    }

    async fn job_counts(&self) -> Result<Vec<JobCount>, StoreError> {
        self.read(|engine| engine.all(statements::JOB_COUNTS, &[], rows::read_job_count)).await
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError> {
        self.add_uses(uses).await
    }

    async fn uses(&self, tokens: &[TokenId]) -> Result<Vec<TokenUse>, StoreError> {
        let tokens = unique(tokens);
        self.read(move |engine| several(engine, &tokens, sql::content::uses, rows::read_use)).await
    }

    async fn record_usage(&self, rows: &[Usage], bounds: UsageBounds) -> Result<(), StoreError> {
        self.add_usage(rows, bounds).await
    }

    async fn usage(&self, query: &UsageQuery) -> Result<Vec<Usage>, StoreError> {
        self.list_usage(query).await
    }

    async fn record_refusals(&self, rows: &[RefusalRow], quotas: Quotas, not_before: UnixMs) -> Result<(), StoreError> {
        self.add_refusals(rows, quotas, not_before).await
    }

    async fn refusal(&self, trace: &str) -> Result<Option<RefusalRow>, StoreError> {
        let values = [Value::from(trace)];
        self.read(move |engine| engine.one(statements::REFUSAL, &values, rows::read_refusal)).await
    }

    async fn refusals(&self, business: Option<BusinessId>, limit: usize) -> Result<Vec<RefusalRow>, StoreError> {
        let limit = rows::stored_limit(limit);
        self.read(move |engine| match business {
            None => engine.all(statements::REFUSALS, &[limit], rows::read_refusal),
            Some(id) => engine.all(statements::REFUSALS_OF, &[id.into(), limit], rows::read_refusal),
        })
        .await
    }

    async fn put_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        self.keep_ticket(ticket).await
    }

    async fn put_ticket_if_absent(&self, ticket: &Ticket) -> Result<bool, StoreError> {
        self.keep_new_ticket(ticket).await
    }

    async fn take_ticket(&self, key: &Digest, now: UnixMs) -> Result<Option<Ticket>, StoreError> {
        self.take_out_ticket(key, now).await
    }

    async fn purge_tickets(&self, now: UnixMs, limit: usize) -> Result<usize, StoreError> {
        self.drop_tickets(now, limit).await
    }

    async fn note_verification(&self, found: &Verification) -> Result<(), StoreError> {
        let values = rows::verification_values(found)?;
        self.write(move |engine| engine.run(statements::NOTE_VERIFICATION, &values).map(|_| ())).await
    }

    async fn verification(&self) -> Result<Option<Verification>, StoreError> {
        let found = self.read(|engine| engine.one(statements::VERIFICATION, &[], rows::read_verification)).await?;
        Ok(found.flatten())
    }

    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        self.read(|engine| engine.all(statements::KEYS, &[], rows::read_key)).await
    }

    async fn replace_keys(&self, keys: &[KeyRow]) -> Result<(), StoreError> {
        let values = keys.iter().map(rows::key_values).collect::<Result<Vec<_>, _>>()?;
        self.write(move |engine| {
            engine.run(statements::DELETE_KEYS, &[])?;
            engine.run_each(statements::INSERT_KEY, &values)
        })
        .await
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        // Done at opening, under the file's lock, which takes the place of a lease here.
        Ok(())
    }

    async fn lease(&self) -> Result<Option<LeaseRow>, StoreError> {
        self.read(|engine| engine.one(statements::LEASE, &[], rows::read_lease)).await
    }

    async fn take_lease(&self, holder: &str, length_ms: i64, seen: Option<&LeaseRow>) -> Result<bool, StoreError> {
        let mut values = vec![holder.into(), length_ms.into()];
        let statement = match seen {
            None => statements::INSERT_LEASE,
            Some(row) => {
                values.extend([row.holder.as_str().into(), row.counter.into()]);
                statements::TAKE_LEASE
            }
        };
        let taken = self.write(move |engine| engine.one(statement, &values, |row| row.int(0))).await?;
        Ok(taken.is_some())
    }

    async fn renew_lease(&self, holder: &str) -> Result<Renewal, StoreError> {
        let values = [Value::from(holder)];
        let head = self.write(move |engine| engine.one(statements::RENEW_LEASE, &values, rows::read_head)).await?;
        Ok(head.map_or(Renewal::Gone, |head| Renewal::Held(Some(head))))
    }

    async fn release_lease(&self, holder: &str) -> Result<(), StoreError> {
        let values = [Value::from(holder)];
        self.write(move |engine| engine.run(statements::RELEASE_LEASE, &values).map(|_| ())).await
    }

    fn engine(&self) -> &'static str {
        "sqlite"
    }
}

/// Each id once, so that two statements don't give the same row.
fn unique<Of>(ids: &[Id<Of>]) -> Vec<Id<Of>> {
    ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

fn several<T, Of>(
    engine: &Engine,
    ids: &[Id<Of>],
    build: fn(&[Id<Of>]) -> sql::content::Built,
    read: fn(&dyn sql::RowRead) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(sql::content::IDS_LIMIT) {
        found.append(&mut engine.all_built(&build(some), read)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
