//! Durable writes: tokens issued by the service, the same rows by SQLite alone, and the disk alone.
//!
//! Each of the three works in a new folder on the same disk, and counts only what has been made
//! durable.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};
use serde_json::{Value, json};
use valetkey_domain::ScopeSet;
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_service::{Call, Service};
use valetkey_store::sql::{self, Appender, Step};
use valetkey_store::{Head, Store, Write};

use crate::world::{self, SMALL};
use crate::{rows, seed, system};

/// Bytes of one write to the raw file: about what an entry of the ledger takes.
const RAW_BYTES: usize = 512;
/// Tokens of the measured rows have other numbers than those of the world.
const FIRST_ROW: usize = 1 << 24;

/// Tokens that the service issues in a second to `callers` callers. Each waits for its answer before
/// it asks again.
pub fn issue(within: &str, callers: usize, time: Duration) -> anyhow::Result<Value> {
    let scratch = rows::Scratch::new(within, "issue")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (store, keys) = seed::small(scratch.path()).await?;
        let service = Service::open(system::deps(Arc::new(store), keys)).await?;
        let turn = Arc::new(AtomicUsize::new(0));
        let started = Instant::now();
        let calling: Vec<_> =
            (0..callers).map(|_| tokio::spawn(call_on(service.clone(), Arc::clone(&turn), started + time))).collect();
        let mut issued = 0;
        for caller in calling {
            issued += caller.await??;
        }
        let seconds = started.elapsed().as_secs_f64();
        let commits = commits(&scratch.path().join(valetkey_store_sqlite::FILE_NAME))?;
        Ok(json!({
            "callers": callers,
            "issued": issued,
            "per_s": issued as f64 / seconds,
            "per_commit": issued as f64 / commits.max(1) as f64,
        }))
    })
}

/// Commits that issued tokens; the first one made the world.
fn commits(path: &Path) -> anyhow::Result<usize> {
    let count = "SELECT COUNT(DISTINCT commit_id) FROM ledger WHERE revision > 1";
    let count: i64 = Connection::open(path)?.query_row(count, [], |row| row.get(0))?;
    Ok(usize::try_from(count)?)
}

async fn call_on(service: Service, turn: Arc<AtomicUsize>, until: Instant) -> anyhow::Result<usize> {
    let mut issued = 0;
    while Instant::now() < until {
        // All system users in turn, so that none gets more tokens than a real one has.
        let user = turn.fetch_add(1, Ordering::Relaxed) % SMALL.users;
        let call = Call::with_token(world::admin_text(user % SMALL.businesses).reveal(), "bench");
        let ask = IssueRequest {
            system_user: SMALL.user(user),
            app: SMALL.app(user),
            scopes: ScopeSet::of(&[world::SCOPE, "pages_read_engagement", "pages_show_list"]),
            lifetime: Lifetime::Seconds(5_184_000),
            add_dependencies: false,
            purpose: None,
        };
        let done = service.issue_token(&call, ask).await;
        done.map_err(|refusal| anyhow::anyhow!("a token was refused: {}", refusal.reason.as_str()))?;
        issued += 1;
    }
    Ok(issued)
}

/// Rows of issued tokens, entries and heads that SQLite alone writes in a second, with `group` tokens
/// in a commit. Only its own work is timed.
pub fn sqlite(within: &str, group: usize, time: Duration) -> anyhow::Result<Value> {
    ensure!(group > 0, "--group must be at least 1");
    let scratch = rows::Scratch::new(within, "sqlite")?;
    let mut head = {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (store, _) = runtime.block_on(seed::small(scratch.path()))?;
        runtime.block_on(store.head())?
    };
    let connection = open(&scratch.path().join(valetkey_store_sqlite::FILE_NAME))?;
    let (mut spent, mut written) = (Duration::ZERO, 0);
    while spent < time {
        let writes: Vec<Write> =
            (0..group).map(|i| rows::issued(SMALL, FIRST_ROW + written + i)).collect::<Result<_, _>>()?;
        let steps = prepare(&writes, &mut head)?;
        let started = Instant::now();
        run(&connection, &steps).context("SQLite refused a row")?;
        spent += started.elapsed();
        written += group;
    }
    Ok(json!({ "group": group, "written": written, "per_s": written as f64 / spent.as_secs_f64() }))
}

/// A connection with the store's own settings.
fn open(path: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(64);
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    ensure!(mode == "wal", "the journal mode is {mode}, not WAL");
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY",
    )?;
    Ok(connection)
}

/// What the store would run for these writes, its text in SQLite's spelling.
fn prepare(writes: &[Write], head: &mut Head) -> anyhow::Result<Vec<(String, Step)>> {
    let mut appender = Appender::new(rows::random()?, *head, Default::default());
    let mut steps = Vec::new();
    for write in writes {
        steps.extend(appender.apply(write)?.steps);
    }
    steps.extend(appender.finish()?);
    *head = appender.head();
    Ok(steps.into_iter().map(|step| (step.statement.sql.replace('$', "?"), step)).collect())
}

fn run(connection: &Connection, steps: &[(String, Step)]) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for (text, step) in steps {
        connection.prepare_cached(text)?.execute(params_from_iter(step.values.iter().map(Bound)))?;
    }
    connection.execute_batch("COMMIT")
}

struct Bound<'a>(&'a sql::Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            sql::Value::Int(value) => ValueRef::Integer(*value),
            sql::Value::Text(text) => ValueRef::Text(text.as_bytes()),
            sql::Value::Blob(bytes) => ValueRef::Blob(bytes),
            sql::Value::Null => ValueRef::Null,
        }))
    }
}

/// Appends of 512 bytes that the disk has confirmed, in a second.
pub fn fdatasync(within: &str, time: Duration) -> anyhow::Result<Value> {
    let scratch = rows::Scratch::new(within, "fdatasync")?;
    let mut file = OpenOptions::new().create_new(true).append(true).open(scratch.path().join("log"))?;
    let bytes = [0x5A; RAW_BYTES];
    let mut written = 0;
    let started = Instant::now();
    while started.elapsed() < time {
        file.write_all(&bytes)?;
        file.sync_data()?;
        written += 1;
    }
    Ok(json!({ "bytes": RAW_BYTES, "written": written, "per_s": f64::from(written) / started.elapsed().as_secs_f64() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_ways_to_write_write() {
        let within = std::env::temp_dir().to_string_lossy().into_owned();
        let time = Duration::from_millis(50);
        for report in [
            issue(&within, 1, time).unwrap(),
            issue(&within, 8, time).unwrap(),
            sqlite(&within, 1, time).unwrap(),
            sqlite(&within, 8, time).unwrap(),
            fdatasync(&within, time).unwrap(),
        ] {
            assert!(report["per_s"].as_f64().unwrap() > 0.0, "{report}");
        }
    }
}
