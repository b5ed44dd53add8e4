//! The store itself: each question of the port as a statement.
//!
//! Nothing here may write a ledger entry; that needs the head lock.

use std::pin::pin;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use tokio_postgres::{Client, Row};
use valetkey_domain::{Id, Record, UnixMs};
use valetkey_store::sql::content::{self, Built, IDS_LIMIT};
use valetkey_store::sql::rows::{
    check_head, contents_after_values, key_values, read_content, read_entry, read_head, read_job, read_key,
    read_newest, read_outcome, read_refusal, read_use, refusal_values, stored_limit, stored_revision, use_values,
};
use valetkey_store::sql::{RowRead, Statement, Value, records, statements as sql};
use valetkey_store::{
    Content, ContentQuery, Entry, Head, HeadLock, Job, KeyRow, LeaseOutcome, RefusalRow, Store, StoreError, TokenUse,
};

use crate::error::Failure;
use crate::migrate::migrate;
use crate::reader::{Reader, Twice};
use crate::session::Opener;
use crate::settings::Settings;
use crate::values::PgRow;
use crate::writer::{LOCK_HEAD, Writer};

/// A database as a store. Several of them may work on one database, in one process or in many.
pub struct PostgresStore {
    opener: Opener,
    reader: Reader,
    writer: Writer,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

/// The database's own clock, which all nodes share, in unix milliseconds. It goes on during a
/// transaction, and while a statement waits for a row.
macro_rules! clock {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}

/// Holder, for how long.
const HOLD_LEASE: Statement = Statement {
    name: "HOLD_LEASE_BY_CLOCK",
    sql: concat!(
        "INSERT INTO node_lease (id, holder, until_ms) VALUES (1, $1, ",
        clock!(),
        " + $2) ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until_ms = ",
        clock!(),
        " + $2 WHERE node_lease.holder = excluded.holder OR node_lease.until_ms <= ",
        clock!(),
        " RETURNING until_ms"
    ),
};

const LEASE: Statement = Statement {
    name: "LEASE_BY_CLOCK",
    sql: concat!("SELECT holder, until_ms - ", clock!(), " FROM node_lease WHERE id = 1"),
};

/// A lease may be given back between a refused attempt and the look at who holds it.
const LEASE_ATTEMPTS: usize = 3;

/// The sizes of lists of ids; shorter lists are filled up, so that few statements are prepared.
const LIST_SIZES: [usize; 7] = [1, 2, 4, 8, 16, 32, IDS_LIMIT];

impl PostgresStore {
    /// Connects with the settings that suit most, and brings the tables up to date.
    ///
    /// # Errors
    /// `Unavailable` if it can't be reached; `Unsafe` if the address is wrong or the server may lose
    /// what it acknowledges; `Newer` if a newer version wrote the data.
    pub async fn connect(dsn: &str) -> Result<PostgresStore, StoreError> {
        PostgresStore::connect_with(Settings::new(dsn, b"")?).await
    }

    /// The same with settings of one's own.
    ///
    /// # Errors
    /// As for [`PostgresStore::connect`].
    pub async fn connect_with(settings: Settings) -> Result<PostgresStore, StoreError> {
        let opener = Opener::new(settings.clone());
        let client = opener.open().await?;
        opener.warn_if_readable(&client).await;
        migrate(&client).await?;
        let reader = Reader::new(&settings, opener.clone())?;
        let writer = Writer::new(&settings, opener.clone(), reader.clone(), client);
        Ok(PostgresStore { opener, reader, writer })
    }

    /// The statements of this engine alone, for the test that prepares all.
    #[doc(hidden)]
    pub fn own_statements() -> [Statement; 3] {
        [LOCK_HEAD, HOLD_LEASE, LEASE]
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

    async fn several<T>(
        &self,
        ids: &[Id],
        build: fn(&[Id]) -> Built,
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

    async fn tail_of(&self, business: Id, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.list(sql::TAIL_OF.sql, &[business.into(), stored_revision(after)?, stored_limit(limit)], read_entry).await
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

    async fn content(&self, id: Id) -> Result<Option<Content>, StoreError> {
        self.first(sql::CONTENT.sql, &[id.into()], read_content).await
    }

    async fn contents(&self, ids: &[Id]) -> Result<Vec<Content>, StoreError> {
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

    async fn contents_after(&self, after: Option<Id>, limit: usize) -> Result<Vec<Content>, StoreError> {
        self.list(sql::CONTENTS_AFTER.sql, &contents_after_values(after, limit), read_content).await
    }

    async fn count_content(&self, query: &ContentQuery) -> Result<u64, StoreError> {
        let built = content::count(query);
        let count = self.first(&built.sql, &built.values, |row| row.int(0)).await?.unwrap_or(0);
        u64::try_from(count).map_err(|_| StoreError::Corrupt(format!("a count of {count}")))
    }

    async fn claim_jobs(
        &self,
        holder: &str,
        now: UnixMs,
        lease_until: UnixMs,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let values = vec![holder.into(), lease_until.into(), now.into(), stored_limit(limit)];
        let answers = self.reader.transaction(Twice::Harmless, &[(sql::CLAIM_JOBS, values)]).await?;
        let mut jobs = read_all(answers.first().map_or(&[][..], Vec::as_slice), read_job)?;
        jobs.sort_by_key(|job| (job.due_at, job.id));
        Ok(jobs)
    }

    async fn next_job_at(&self) -> Result<Option<UnixMs>, StoreError> {
        Ok(self.first(sql::NEXT_JOB_AT.sql, &[], |row| row.opt_int(0)).await?.flatten())
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError> {
        // In the order of ids, so that two nodes that count the same tokens wait for each other
        // and do not block each other.
        let mut sorted: Vec<&TokenUse> = uses.iter().collect();
        sorted.sort_by_key(|used| used.token);
        let steps: Vec<_> = sorted.into_iter().map(|used| (sql::ADD_USE, use_values(used))).collect();
        self.reader.transaction(Twice::Never, &steps).await.map(drop)
    }

    async fn uses(&self, tokens: &[Id]) -> Result<Vec<TokenUse>, StoreError> {
        self.several(tokens, content::uses, read_use).await
    }

    async fn record_refusals(&self, rows: &[RefusalRow], keep: u64, not_before: UnixMs) -> Result<(), StoreError> {
        let mut sorted: Vec<&RefusalRow> = rows.iter().collect();
        sorted.sort_by(|a, b| a.trace.cmp(&b.trace));
        let mut steps: Vec<_> = sorted.into_iter().map(|row| (sql::ADD_REFUSAL, refusal_values(row))).collect();
        steps.push((sql::PRUNE_REFUSALS_BY_AGE, vec![not_before.into()]));
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        steps.push((sql::PRUNE_REFUSALS_BY_COUNT, vec![stored_limit(keep)]));
        self.reader.transaction(Twice::Harmless, &steps).await.map(drop)
    }

    async fn refusal(&self, trace: &str) -> Result<Option<RefusalRow>, StoreError> {
        self.first(sql::REFUSAL.sql, &[trace.into()], read_refusal).await
    }

    async fn refusals(&self, business: Option<Id>, limit: usize) -> Result<Vec<RefusalRow>, StoreError> {
        match business {
            Some(business) => {
                self.list(sql::REFUSALS_OF.sql, &[business.into(), stored_limit(limit)], read_refusal).await
            }
            None => self.list(sql::REFUSALS.sql, &[stored_limit(limit)], read_refusal).await,
        }
    }

    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        self.list(sql::KEYS.sql, &[], read_key).await
    }

    async fn replace_keys(&self, keys: &[KeyRow]) -> Result<(), StoreError> {
        let mut steps = vec![(sql::DELETE_KEYS, Vec::new())];
        for key in keys {
            steps.push((sql::INSERT_KEY, key_values(key)?));
        }
        self.reader.transaction(Twice::Harmless, &steps).await.map(drop)
    }

    async fn hold_lease(&self, holder: &str, ttl_ms: i64) -> Result<LeaseOutcome, StoreError> {
        for _ in 0..LEASE_ATTEMPTS {
            let held = [(HOLD_LEASE, vec![holder.into(), ttl_ms.into()])];
            let answers = self.reader.transaction(Twice::Harmless, &held).await?;
            if answers.first().is_some_and(|rows| !rows.is_empty()) {
                return Ok(LeaseOutcome::Held);
            }
            let other = self.first(LEASE.sql, &[], |row| Ok((row.text(0)?, row.int(1)?))).await?;
            if let Some((holder, remaining)) = other {
                return Ok(LeaseOutcome::Taken { holder, remaining_ms: remaining.max(0) });
            }
        }
        Err(StoreError::Unavailable("the lease changes hands too fast".to_owned()))
    }

    async fn release_lease(&self, holder: &str) -> Result<(), StoreError> {
        self.reader.transaction(Twice::Harmless, &[(sql::RELEASE_LEASE, vec![holder.into()])]).await.map(drop)
    }

    fn engine(&self) -> &'static str {
        "postgres"
    }
}

fn missing_head() -> StoreError {
    StoreError::Corrupt("the row of the head is missing; restore a backup".to_owned())
}

fn read_all<T>(rows: &[Row], read: fn(&dyn RowRead) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| read(&PgRow(row))).collect()
}

/// The ids, the last one repeated up to the next of a few sizes.
fn filled_up(ids: &[Id]) -> Vec<Id> {
    let size = LIST_SIZES.into_iter().find(|size| *size >= ids.len()).unwrap_or(ids.len());
    let mut list = ids.to_vec();
    if let Some(last) = ids.last() {
        list.resize(size, *last);
    }
    list
}
