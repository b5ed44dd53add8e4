//! The store itself: each question of the port as a statement.
//!
//! Nothing here may write a ledger entry; that needs the head lock.

use std::pin::pin;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use tokio_postgres::{Client, Row};
use valetkey_domain::credential::Digest;
use valetkey_domain::{BusinessId, ContentId, Id, JobId, Record, TokenId, UnixMs};
use valetkey_store::sql::content::{self, Built, IDS_LIMIT};
use valetkey_store::sql::rows::{
    about_values, before_revision, check_head, claim_values, contents_after_values, jobs_after_values, key_values,
    read_content, read_entry, read_guard, read_head, read_job, read_job_count, read_key, read_newest, read_next_job,
    read_outcome, read_refusal, read_usage, read_use, read_verification, rest_values, stored_limit, stored_revision,
    usage_query_values, verification_values,
};
use valetkey_store::sql::{RowRead, Statement, Step, Value, records, statements as sql};
use valetkey_store::telemetry::{Quotas, Usage, UsageBounds, UsageQuery};
use valetkey_store::{
    Content, ContentGuard, ContentQuery, Entry, Head, HeadLock, Job, JobCount, JobRest, JobState, KeyRow, LeaseRow,
    NextJob, RefusalRow, Renewal, Store, StoreError, Ticket, TokenUse, Verification,
};

use crate::error::Failure;
use crate::lease::{self, Leases};
use crate::migrate::{check_to_read, migrate};
use crate::reader::{Reader, Twice};
use crate::session::Opener;
use crate::settings::Settings;
use crate::values::PgRow;
use crate::writer::{Fence, HOLDS_LEASE, LOCK_HEAD, Writer};

/// A database as a store. Several of them may work on one database, in one process or in many.
pub struct PostgresStore {
    opener: Opener,
    fence: Fence,
    pub(crate) reader: Reader,
    writer: Writer,
    leases: Leases,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

/// The sizes of lists of ids. Shorter lists are padded to the next size, so that few statements are
/// prepared.
const LIST_SIZES: [usize; 7] = [1, 2, 4, 8, 16, 32, IDS_LIMIT];

impl PostgresStore {
    /// Connects with the default settings, and brings the tables up to date. Only for a program that
    /// has the database to itself: it asks for no lease.
    ///
    /// # Errors
    /// As for [`PostgresStore::connect_with`], and `Newer` if a newer version wrote the data.
    pub async fn connect(dsn: &str) -> Result<PostgresStore, StoreError> {
        let store = PostgresStore::connect_with(Settings::new(dsn, b"")?).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Connects, and changes nothing. The caller takes the lease next, and then calls [`Store::migrate`].
    ///
    /// # Errors
    /// `Unavailable` if it can't be reached; `Unsafe` if the address is wrong or the server may lose
    /// what it acknowledges.
    pub async fn connect_with(settings: Settings) -> Result<PostgresStore, StoreError> {
        let opener = Opener::new(settings.clone());
        let client = opener.open().await?;
        opener.warn_if_readable(&client).await;
        let fence = Fence::default();
        let reader = Reader::new(&settings, Opener::new(settings.clone()))?;
        let writer = Writer::new(&settings, fence.clone(), reader.clone());
        let leases = Leases::new(&settings, fence.clone(), opener.clone(), client);
        Ok(PostgresStore { opener, fence, reader, writer, leases })
    }

    /// Connects for reading only; a node may write meanwhile. No tables are made or brought up to date.
    ///
    /// # Errors
    /// As for [`PostgresStore::connect_with`]; `Newer` if a newer version wrote the data; `Corrupt` if
    /// there are none; `Other` if they have an older format.
    pub async fn connect_to_read(settings: Settings) -> Result<PostgresStore, StoreError> {
        let store = PostgresStore::connect_with(settings).await?;
        let client = store.opener.open().await?;
        check_to_read(&client).await?;
        Ok(store)
    }

    /// The statements that only this engine has, for the test that prepares all.
    #[doc(hidden)]
    pub fn own_statements() -> impl Iterator<Item = Statement> {
        [LOCK_HEAD, HOLDS_LEASE].into_iter().chain(lease::STATEMENTS)
    }

    async fn list<T>(
        &self,
        sql: &str,
        values: &[Value],
        read: fn(&dyn RowRead) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        read_all(&self.reader.rows(sql, values).await?, read)
    }

    async fn first<T>(
        &self,
        sql: &str,
        values: &[Value],
        read: fn(&dyn RowRead) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.reader.rows(sql, values).await?.first().map(|row| read(&PgRow(row))).transpose()
    }

    async fn several<T, Of>(
        &self,
        ids: &[Id<Of>],
        build: fn(&[Id<Of>]) -> Built,
        read: fn(&dyn RowRead) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(IDS_LIMIT) {
            let built = build(&filled_up(some));
            found.extend(self.list(&built.sql, &built.values, read).await?);
        }
        Ok(found)
    }

    async fn load_from(client: &Client, sink: &mut (dyn FnMut(Record) + Send)) -> Result<Head, Failure> {
        // A million rows take longer than any other answer, and the sink may be slower than the wire.
        client
            .batch_execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; \
                 SET LOCAL idle_in_transaction_session_timeout = '5min'",
            )
            .await?;
        let head =
            client.query_opt(sql::HEAD.sql, &[]).await?.as_ref().map(|row| read_head(&PgRow(row))).transpose()?;
        let head = head.ok_or_else(missing_head)?;
        let newest = client
            .query_opt(sql::NEWEST_ENTRY.sql, &[])
            .await?
            .as_ref()
            .map(|row| read_newest(&PgRow(row)))
            .transpose()?;
        check_head(head, newest)?;
        for table in records::TABLES {
            let none: [&str; 0] = [];
            let mut rows = pin!(client.query_raw(table.load.sql, none).await?);
            while let Some(row) = rows.try_next().await? {
                sink((table.read)(&PgRow(&row))?);
            }
        }
        client.batch_execute("COMMIT").await?;
        Ok(head)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn lock_head(&self) -> Result<Box<dyn HeadLock>, StoreError> {
        self.writer.lock().await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.first(sql::HEAD.sql, &[], read_head).await?.ok_or_else(missing_head)
    }

    async fn load(&self, sink: &mut (dyn FnMut(Record) + Send)) -> Result<Head, StoreError> {
        // A connection of its own, closed afterwards: if the caller goes away half-way, no reader
        // is left looking at an old state.
        let client = self.opener.open().await?;
        PostgresStore::load_from(&client, sink).await.map_err(|failure| failure.error)
    }

    async fn tail(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.list(sql::TAIL.sql, &[stored_revision(after)?, stored_limit(limit)], read_entry).await
    }

    async fn tail_of(&self, business: BusinessId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.list(sql::TAIL_OF.sql, &[business.into(), stored_revision(after)?, stored_limit(limit)], read_entry).await
    }

    async fn tail_before(&self, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.list(sql::TAIL_BEFORE.sql, &[before_revision(before), stored_limit(limit)], read_entry).await
    }

    async fn tail_of_before(&self, business: BusinessId, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let values = [business.into(), before_revision(before), stored_limit(limit)];
        self.list(sql::TAIL_OF_BEFORE.sql, &values, read_entry).await
    }

    async fn outcome(&self, commit_id: [u8; 16]) -> Result<Option<(u64, u64)>, StoreError> {
        // A transaction whose connection broke may still be about to commit. It holds the head
        // lock until it has ended, one way or the other, so the lock is waited for first.
        let steps = [(LOCK_HEAD, Vec::new()), (sql::OUTCOME, vec![commit_id.as_slice().into()])];
        let answers = self.reader.transaction(Twice::Harmless, &steps).await?;
        match answers.last().and_then(|rows| rows.first()) {
            Some(row) => read_outcome(&PgRow(row)),
            None => Ok(None),
        }
    }

    async fn content(&self, id: ContentId) -> Result<Option<Content>, StoreError> {
        self.first(sql::CONTENT.sql, &[id.into()], read_content).await
    }

    async fn guards(&self, ids: &[ContentId]) -> Result<Vec<ContentGuard>, StoreError> {
        self.several(ids, content::guards, read_guard).await
    }

    async fn contents(&self, ids: &[ContentId]) -> Result<Vec<Content>, StoreError> {
        self.several(ids, content::by_ids, read_content).await
    }

    async fn list_content(&self, query: &ContentQuery) -> Result<Vec<Content>, StoreError> {
        let built = content::list(query);
        let mut found = self.list(&built.sql, &built.values, read_content).await?;
        if built.reversed {
            found.reverse();
        }
        Ok(found)
    }

    async fn contents_after(&self, after: Option<ContentId>, limit: usize) -> Result<Vec<Content>, StoreError> {
        self.list(sql::CONTENTS_AFTER.sql, &contents_after_values(after, limit), read_content).await
    }

    async fn count_content(&self, query: &ContentQuery) -> Result<u64, StoreError> {
        let built = content::count(query);
        let count = self.first(&built.sql, &built.values, |row| row.int(0)).await?.unwrap_or(0);
        u64::try_from(count).map_err(|_| StoreError::Corrupt(format!("a count of {count}")))
    }

    async fn entries_about(&self, subject: Id, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.list(sql::ENTRIES_ABOUT.sql, &about_values(subject, after, limit)?, read_entry).await
    }

    async fn claim_jobs(
        &self,
        kind: &str,
        holder: &str,
        now: UnixMs,
        lease_until: UnixMs,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let values = claim_values(kind, holder, now, lease_until, limit);
        let answers = self.reader.transaction(Twice::Harmless, &[(sql::CLAIM_JOBS, values)]).await?;
        let mut jobs = read_all(answers.first().map_or(&[][..], Vec::as_slice), read_job)?;
        jobs.sort_by_key(|job| (job.not_before, job.id));
        Ok(jobs)
    }

    async fn renew_job(&self, id: JobId, holder: &str, now: UnixMs, lease_until: UnixMs) -> Result<bool, StoreError> {
        let values = vec![id.into(), holder.into(), now.into(), lease_until.into()];
        let answers = self.reader.transaction(Twice::Harmless, &[(sql::RENEW_JOB, values)]).await?;
        Ok(answers.first().is_some_and(|rows| !rows.is_empty()))
    }

    async fn put_back_job(&self, id: JobId, holder: &str, now: UnixMs, rest: &JobRest) -> Result<bool, StoreError> {
        let values = rest_values(id, holder, now, rest);
        let answers = self.reader.transaction(Twice::Harmless, &[(sql::PUT_BACK_JOB, values)]).await?;
        Ok(answers.first().is_some_and(|rows| !rows.is_empty()))
    }

    async fn next_jobs(&self) -> Result<Vec<NextJob>, StoreError> {
        Ok(self.list(sql::NEXT_JOBS.sql, &[], read_next_job).await?.into_iter().flatten().collect())
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.first(sql::JOB.sql, &[id.into()], read_job).await
    }

    async fn jobs_after(
        &self,
        state: Option<JobState>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        self.list(sql::JOBS_AFTER.sql, &jobs_after_values(state, after, limit), read_job).await
    }

    async fn job_counts(&self) -> Result<Vec<JobCount>, StoreError> {
        self.list(sql::JOB_COUNTS.sql, &[], read_job_count).await
    }

    async fn try_write(&self) -> Result<(), StoreError> {
        self.reader.transaction(Twice::Harmless, &[(sql::TRY_WRITE, Vec::new())]).await.map(drop)
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError> {
        self.add_uses(uses).await
    }

    async fn uses(&self, tokens: &[TokenId]) -> Result<Vec<TokenUse>, StoreError> {
        self.several(tokens, content::uses, read_use).await
    }

    async fn record_usage(&self, rows: &[Usage], bounds: UsageBounds) -> Result<(), StoreError> {
        self.add_usage(rows, bounds).await
    }

    async fn usage(&self, query: &UsageQuery) -> Result<Vec<Usage>, StoreError> {
        self.list(sql::USAGE.sql, &usage_query_values(query), read_usage).await
    }

    async fn record_refusals(&self, rows: &[RefusalRow], quotas: Quotas, not_before: UnixMs) -> Result<(), StoreError> {
        self.add_refusals(rows, quotas, not_before).await
    }

    async fn refusal(&self, trace: &str) -> Result<Option<RefusalRow>, StoreError> {
        self.first(sql::REFUSAL.sql, &[trace.into()], read_refusal).await
    }

    async fn refusals(&self, business: Option<BusinessId>, limit: usize) -> Result<Vec<RefusalRow>, StoreError> {
        match business {
            Some(business) => {
                self.list(sql::REFUSALS_OF.sql, &[business.into(), stored_limit(limit)], read_refusal).await
            }
            None => self.list(sql::REFUSALS.sql, &[stored_limit(limit)], read_refusal).await,
        }
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
        let steps = [(sql::NOTE_VERIFICATION, verification_values(found)?)];
        self.reader.transaction(Twice::Harmless, &steps).await.map(drop)
    }

    async fn verification(&self) -> Result<Option<Verification>, StoreError> {
        Ok(self.first(sql::VERIFICATION.sql, &[], read_verification).await?.flatten())
    }

    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        self.list(sql::KEYS.sql, &[], read_key).await
    }

    async fn replace_keys(&self, keys: &[KeyRow]) -> Result<(), StoreError> {
        let step = |statement, values| Step { statement, values, expect: None };
        let mut steps = vec![step(sql::DELETE_KEYS, Vec::new())];
        for key in keys {
            steps.push(step(sql::INSERT_KEY, key_values(key)?));
        }
        self.writer.run(&steps).await
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let client = self.opener.open().await?;
        migrate(&client, &self.fence).await?;
        self.leases.has_tables();
        Ok(())
    }

    async fn lease(&self) -> Result<Option<LeaseRow>, StoreError> {
        self.leases.look().await
    }

    async fn take_lease(&self, holder: &str, length_ms: i64, seen: Option<&LeaseRow>) -> Result<bool, StoreError> {
        self.leases.take(holder, length_ms, seen).await
    }

    async fn renew_lease(&self, holder: &str) -> Result<Renewal, StoreError> {
        self.leases.renew(holder).await
    }

    async fn release_lease(&self, holder: &str) -> Result<(), StoreError> {
        self.leases.release(holder).await
    }

    fn engine(&self) -> &'static str {
        "postgres"
    }
}

fn missing_head() -> StoreError {
    StoreError::Corrupt("the row of the head is missing; restore a backup".to_owned())
}

pub(crate) fn read_all<T>(rows: &[Row], read: fn(&dyn RowRead) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| read(&PgRow(row))).collect()
}

/// The ids, padded to the next size by repeating the last one.
fn filled_up<Of>(ids: &[Id<Of>]) -> Vec<Id<Of>> {
    let size = LIST_SIZES.into_iter().find(|size| *size >= ids.len()).unwrap_or(ids.len());
    let mut list = ids.to_vec();
    if let Some(last) = ids.last() {
        list.resize(size, *last);
    }
    list
}
