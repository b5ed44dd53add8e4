//! Makes the tables, and brings those of older versions up to date.
//!
//! Nothing here may change data that a newer version wrote, nor anything for a node that lost the lease.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Client;
use valetkey_store::StoreError;
use valetkey_store::sql::migrations::{self, BOOTSTRAP, FORMAT, Migration};
use valetkey_store::sql::statements as sql;
use valetkey_store::sql::{Dialect, RowRead as _};

use crate::error::{Failure, Kind};
use crate::pipeline::rows;
use crate::values::PgRow;
use crate::writer::{Fence, HOLDS_LEASE, fenced_off};

/// How PostgreSQL spells the placeholders of the shared statements.
pub(crate) const DIALECT: Dialect =
    Dialect { blob: "BYTEA", text: "TEXT COLLATE \"C\"", key: "BIGINT NOT NULL PRIMARY KEY", compact: "" };

/// Nodes that start at once may each try to make the first tables; all but one of them fail.
const ATTEMPTS: usize = 5;

/// Brings the tables to the format of this program.
pub(crate) async fn migrate(client: &ClientWrapper, fence: &Fence) -> Result<(), StoreError> {
    let mut attempt = 1;
    loop {
        let failure = match once(client, fence).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        let _ = client.batch_execute("ROLLBACK").await;
        let meanwhile = matches!(failure.kind, Kind::Again | Kind::Constraint) || is_there_already(&failure);
        if !meanwhile || attempt == ATTEMPTS {
            return Err(failure.error);
        }
        attempt += 1;
    }
}

async fn once(client: &ClientWrapper, fence: &Fence) -> Result<(), Failure> {
    // A database user that may not make tables can start when there is nothing to do.
    let there = client.query_one("SELECT to_regclass('migrations') IS NOT NULL", &[]).await?;
    if there.try_get(0)? && pending(client).await?.is_empty() {
        return Ok(());
    }
    client.batch_execute("BEGIN; SET LOCAL statement_timeout = 0").await?;
    for statement in BOOTSTRAP {
        client.batch_execute(&DIALECT.fill(statement)).await?;
    }
    // This row is the lock; it is written so that the second node waits.
    client
        .batch_execute("INSERT INTO meta (name, value) VALUES ('migrating', 0) ON CONFLICT (name) DO UPDATE SET value = meta.value")
        .await?;
    for migration in pending(client).await? {
        for statement in migration.statements {
            client.batch_execute(&DIALECT.fill(statement)).await?;
        }
        client.execute(sql::INSERT_MIGRATION.sql, &[&migration.number, &migration.checksum()]).await?;
    }
    client.execute(sql::SET_META_FORMAT.sql, &[&FORMAT]).await?;
    if let Some(holder) = fence.holder() {
        // The row is locked until the transaction ends, so a node that takes the lease waits for it.
        let sql = format!("{} FOR UPDATE", HOLDS_LEASE.sql);
        if client.query_opt(&sql, &[&holder]).await?.is_none() {
            return Err(fenced_off());
        }
    }
    client.batch_execute("COMMIT").await?;
    Ok(())
}

/// Looks whether the data has this program's format, and changes nothing.
pub(crate) async fn check_to_read(client: &ClientWrapper) -> Result<(), StoreError> {
    let there = client.query_one("SELECT to_regclass('migrations') IS NOT NULL", &[]).await;
    let there = there.and_then(|row| row.try_get::<_, bool>(0)).map_err(|e| Failure::from(e).error)?;
    if !there {
        return Err(StoreError::Corrupt("the database holds no data yet; run valetkey init".to_owned()));
    }
    if !pending(client).await.map_err(|failure| failure.error)?.is_empty() {
        return Err(StoreError::Other(
            "the database has an older format; start the server once, which brings it up to date".to_owned(),
        ));
    }
    Ok(())
}

async fn pending(client: &Client) -> Result<&'static [Migration], Failure> {
    let format = client.prepare(sql::META_FORMAT.sql).await?;
    let found = match rows(client, &format, &[]).await?.first() {
        Some(row) => Some(PgRow(row).int(0)?),
        None => None,
    };
    let applied = client.prepare(sql::MIGRATIONS.sql).await?;
    let mut done = Vec::new();
    for row in &rows(client, &applied, &[]).await? {
        done.push((PgRow(row).int(0)?, PgRow(row).text(1)?));
    }
    Ok(migrations::pending(found, &done)?)
}

/// A table or type that another node made between our look and our statement.
pub(crate) fn is_there_already(failure: &Failure) -> bool {
    matches!(&failure.error, StoreError::Other(text) if text.contains("SQLSTATE 42P07") || text.contains("SQLSTATE 42710"))
}
