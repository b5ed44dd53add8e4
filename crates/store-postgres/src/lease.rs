//! The lease: read, taken, renewed and given back, on a connection of its own.
//!
//! No statement here may read a clock, not even the server's: the row says how often it moved, and a
//! node that wants it measures time on its own clock. This is the only code that runs before the
//! tables are brought up to date.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use tokio::sync::{Mutex, MutexGuard};
use tokio_postgres::Row;
use valetkey_store::sql::migrations::{LEASE_TABLE, NEWER_HOLDER};
use valetkey_store::sql::rows::{read_head, read_lease};
use valetkey_store::sql::{RowRead as _, Statement, Value, statements as sql};
use valetkey_store::{LeaseRow, Renewal, StoreError};

use crate::error::{Failure, Kind};
use crate::migrate::{DIALECT, is_there_already};
use crate::pipeline::rows;
use crate::session::{Opener, Warnings};
use crate::settings::Settings;
use crate::values::PgRow;
use crate::writer::{Fence, LOCK_HEAD};

/// Whether the tables of the lease, of the lease of format 1, and of the head are there.
const TABLES: &str =
    "SELECT to_regclass('lease') IS NOT NULL, to_regclass('node_lease') IS NOT NULL, to_regclass('head') IS NOT NULL";

/// Reads the row and locks it: nobody else moves it until the transaction ends.
const LOCK_LEASE: Statement = Statement {
    name: "LOCK_LEASE",
    sql: "SELECT holder, counter, length_ms, released FROM lease WHERE id = 1 FOR UPDATE",
};

/// Moves the counter while there is no head to read.
const TOUCH_LEASE: Statement = Statement {
    name: "TOUCH_LEASE",
    sql: "UPDATE lease SET counter = counter + 1 WHERE id = 1 AND holder = $1 AND released = 0 RETURNING counter",
};

/// The lease of format 1. Its clock does not matter here: each renewal changes the row.
const OLD_LEASE: Statement =
    Statement { name: "OLD_LEASE", sql: "SELECT holder, until_ms FROM node_lease WHERE id = 1 FOR UPDATE" };
const INSERT_OLD_LEASE: Statement = Statement {
    name: "INSERT_OLD_LEASE",
    sql: "INSERT INTO node_lease (id, holder, until_ms) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING RETURNING id",
};
const END_OLD_LEASE: Statement = Statement {
    name: "END_OLD_LEASE",
    sql: "UPDATE node_lease SET holder = $1, until_ms = $2 WHERE id = 1 RETURNING id",
};

/// How long a program of format 1 goes on after its last renewal.
const OLD_LENGTH_MS: i64 = 15_000;

/// All statements of this module, for the test that prepares them.
pub(crate) const STATEMENTS: [Statement; 5] = [LOCK_LEASE, TOUCH_LEASE, OLD_LEASE, INSERT_OLD_LEASE, END_OLD_LEASE];

/// Access to the row of the lease.
pub(crate) struct Leases {
    opener: Opener,
    warnings: Warnings,
    fence: Fence,
    slot: Mutex<Option<ClientWrapper>>,
    patience: Duration,
    /// Whether the tables were brought up to date, so that there is a head to read.
    has_tables: AtomicBool,
}

/// A connection in use. If its caller is dropped, the connection is closed with it.
struct Held<'a> {
    slot: MutexGuard<'a, Option<ClientWrapper>>,
    client: ClientWrapper,
    warned: u64,
}

/// Both rows, and whether the table of the second one is there.
struct Seen {
    lease: Option<LeaseRow>,
    old: Option<(String, i64)>,
    has_old_table: bool,
}

impl Seen {
    /// The row that a taker has to watch. While a program of format 1 holds its own lease, that one
    /// counts. While both are held, a change of either changes what is returned.
    fn row(&self) -> Option<LeaseRow> {
        let old = self.old.as_ref().filter(|(holder, _)| holder != NEWER_HOLDER);
        let Some((holder, until_ms)) = old else { return self.lease.clone() };
        let old = LeaseRow { holder: holder.clone(), counter: *until_ms, length_ms: OLD_LENGTH_MS, released: false };
        match self.lease.as_ref().filter(|row| !row.released) {
            Some(row) => Some(LeaseRow {
                counter: row.counter.wrapping_add(old.counter),
                length_ms: row.length_ms.max(OLD_LENGTH_MS),
                ..row.clone()
            }),
            None => Some(old),
        }
    }
}

impl Leases {
    /// `client` is used first.
    pub(crate) fn new(settings: &Settings, fence: Fence, opener: Opener, client: ClientWrapper) -> Leases {
        Leases {
            warnings: opener.warnings(),
            opener,
            fence,
            slot: Mutex::new(Some(client)),
            patience: settings.patience(),
            has_tables: AtomicBool::new(false),
        }
    }

    /// Says that the tables are there from now on.
    pub(crate) fn has_tables(&self) {
        self.has_tables.store(true, Ordering::Release);
    }

    pub(crate) async fn look(&self) -> Result<Option<LeaseRow>, StoreError> {
        let held = self.connection().await?;
        let answer = self.in_time(look(&held.client, Look::Only)).await;
        Ok(self.finish(held, answer)?.row())
    }

    pub(crate) async fn take(&self, holder: &str, length_ms: i64, seen: Option<&LeaseRow>) -> Result<bool, StoreError> {
        self.fence.set(holder);
        let held = self.connection().await?;
        let answer = self.in_time(take(&held.client, holder, length_ms, seen)).await;
        self.finish(held, answer)
    }

    pub(crate) async fn renew(&self, holder: &str) -> Result<Renewal, StoreError> {
        self.fence.set(holder);
        let has_tables = self.has_tables.load(Ordering::Acquire);
        let statement = if has_tables { sql::RENEW_LEASE } else { TOUCH_LEASE };
        let held = self.connection().await?;
        let answer = self.in_time(run(&held.client, statement, &[holder.into()])).await;
        match self.finish(held, answer)?.first() {
            Some(row) if has_tables => Ok(Renewal::Held(Some(read_head(&PgRow(row))?))),
            Some(_) => Ok(Renewal::Held(None)),
            None => Ok(Renewal::Gone),
        }
    }

    pub(crate) async fn release(&self, holder: &str) -> Result<(), StoreError> {
        let mut attempt = 1;
        loop {
            let held = self.connection().await?;
            let answer = self.in_time(run(&held.client, sql::RELEASE_LEASE, &[holder.into()])).await;
            match self.finish(held, answer) {
                // The connection may have died since it was used last.
                Err(StoreError::Unavailable(_)) if attempt == 1 => attempt += 1,
                answer => return answer.map(drop),
            }
        }
    }

    async fn connection(&self) -> Result<Held<'_>, StoreError> {
        let mut slot = self.slot.lock().await;
        let client = match slot.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.opener.open().await?,
        };
        Ok(Held { slot, client, warned: self.warnings.count() })
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        match tokio::time::timeout(self.patience, work).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::silent(self.patience)),
        }
    }

    /// Keeps the connection if no failure makes it unusable. An answer with a warning may not be durable.
    fn finish<T>(&self, mut held: Held<'_>, answer: Result<T, Failure>) -> Result<T, StoreError> {
        let answer = answer.and_then(|value| self.warnings.check(held.warned).map(|()| value));
        if answer.is_ok() {
            *held.slot = Some(held.client);
        }
        answer.map_err(|failure| failure.error)
    }
}

/// How to look at the rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Only,
    /// Locks them: nobody else moves them or commits until the transaction ends.
    AndLock,
}

async fn look(client: &ClientWrapper, how: Look) -> Result<Seen, Failure> {
    let tables = client.query_one(TABLES, &[]).await?;
    let (has_lease, has_old_table, has_head): (bool, bool, bool) =
        (tables.try_get(0)?, tables.try_get(1)?, tables.try_get(2)?);
    if how == Look::AndLock && has_head {
        run(client, LOCK_HEAD, &[]).await?;
    }
    let lease = match how {
        Look::Only => sql::LEASE,
        Look::AndLock => LOCK_LEASE,
    };
    let lease = if has_lease { run(client, lease, &[]).await? } else { Vec::new() };
    let lease = lease.first().map(|row| read_lease(&PgRow(row))).transpose()?;
    let old = if has_old_table { run(client, OLD_LEASE, &[]).await? } else { Vec::new() };
    let read_old = |row| Ok::<_, StoreError>((PgRow(row).text(0)?, PgRow(row).int(1)?));
    let old = old.first().map(read_old).transpose()?;
    Ok(Seen { lease, old, has_old_table })
}

async fn take(client: &ClientWrapper, holder: &str, length_ms: i64, seen: Option<&LeaseRow>) -> Result<bool, Failure> {
    make_table(client).await?;
    client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let found = look(client, Look::AndLock).await?;
    let taken = found.row().as_ref() == seen
        && end_old(client, &found).await?
        && write(client, holder, length_ms, found.lease.as_ref()).await?;
    client.batch_execute(if taken { "COMMIT" } else { "ROLLBACK" }).await?;
    Ok(taken)
}

async fn write(client: &ClientWrapper, holder: &str, length_ms: i64, row: Option<&LeaseRow>) -> Result<bool, Failure> {
    let mut values: Vec<Value> = vec![holder.into(), length_ms.into()];
    let statement = match row {
        None => sql::INSERT_LEASE,
        Some(row) => {
            values.extend([row.holder.as_str().into(), row.counter.into()]);
            sql::TAKE_LEASE
        }
    };
    Ok(!run(client, statement, &values).await?.is_empty())
}

/// Ends the lease of format 1, so that no program of that format continues or starts.
async fn end_old(client: &ClientWrapper, found: &Seen) -> Result<bool, Failure> {
    if !found.has_old_table || found.old.as_ref().is_some_and(|(holder, _)| holder == NEWER_HOLDER) {
        return Ok(true);
    }
    let statement = if found.old.is_some() { END_OLD_LEASE } else { INSERT_OLD_LEASE };
    Ok(!run(client, statement, &[NEWER_HOLDER.into(), i64::MAX.into()]).await?.is_empty())
}

async fn make_table(client: &ClientWrapper) -> Result<(), Failure> {
    let tables = client.query_one(TABLES, &[]).await?;
    if tables.try_get(0)? {
        // A database user that may not make tables needs no right to, if the table is there.
        return Ok(());
    }
    match client.batch_execute(&DIALECT.fill(LEASE_TABLE)).await.map_err(Failure::from) {
        // Two nodes that make it at once may collide in the server's own tables.
        Err(failure) if failure.kind != Kind::Constraint && !is_there_already(&failure) => Err(failure),
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn run(client: &ClientWrapper, statement: Statement, values: &[Value]) -> Result<Vec<Row>, Failure> {
    let prepared = client.prepare_cached(statement.sql).await?;
    Ok(rows(client, &prepared, values).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_statement_about_the_lease_reads_a_clock() {
        let shared = [sql::LEASE, sql::INSERT_LEASE, sql::TAKE_LEASE, sql::RENEW_LEASE, sql::RELEASE_LEASE];
        for statement in shared.into_iter().chain(STATEMENTS).chain([LOCK_HEAD, crate::writer::HOLDS_LEASE]) {
            let text = statement.sql.to_lowercase();
            for clock in ["now(", "timestamp", "clock", "current_", "localtime", "timeofday", "interval", "epoch"] {
                assert!(!text.contains(clock), "{}: {clock}", statement.name);
            }
        }
    }
}
