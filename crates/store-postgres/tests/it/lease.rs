//! The lease on a real server: before the tables are there, beside a program of format 1, with a
//! holder that was paused, and with a commit that comes with a warning.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use valetkey_store::sql::Dialect;
use valetkey_store::sql::migrations::{ALL, BOOTSTRAP, FORMAT, LEASE_TABLE, NEWER_HOLDER};
use valetkey_store::{CommitError, LeaseRow, Renewal, Store, StoreError};
use valetkey_store_postgres::{PostgresStore, Settings};
use valetkey_testkit::postgres::{Options, Server};

use crate::data::{batch, commit, write};

async fn connect(server: &Server, database: &str) -> PostgresStore {
    PostgresStore::connect_with(Settings::new(&server.dsn(database), b"").unwrap()).await.unwrap()
}

fn tables(server: &Server, database: &str) -> String {
    let sql = "SELECT COALESCE(string_agg(tablename, ' ' ORDER BY tablename), '') FROM pg_tables \
               WHERE schemaname = 'public'";
    server.sql(database, sql).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_lease_is_made_before_it_is_held() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let (first, second) = (connect(server, &database).await, connect(server, &database).await);
    assert_eq!(first.lease().await.unwrap(), None);
    assert_eq!(tables(server, &database), "", "a look made something");
    // The second node gets neither the lease nor a table.
    let (one, two) = tokio::join!(first.take_lease("one", 5_000, None), second.take_lease("two", 5_000, None));
    let (holder, holds, other) = match (one.unwrap(), two.unwrap()) {
        (true, false) => ("one", &first, &second),
        (false, true) => ("two", &second, &first),
        both => panic!("{both:?}"),
    };
    assert_eq!(tables(server, &database), "lease");
    assert!(matches!(other.migrate().await, Err(StoreError::InUse(_))));
    assert_eq!(tables(server, &database), "lease", "a node without the lease made tables");
    assert_eq!(holds.renew_lease(holder).await.unwrap(), Renewal::Held(None), "there is no head yet");
    holds.migrate().await.unwrap();
    assert!(matches!(holds.renew_lease(holder).await.unwrap(), Renewal::Held(Some(_))));
    commit(holds, batch(vec![write()])).await.unwrap();
    assert!(commit(other, batch(vec![write()])).await.is_err());
}

/// A database as the first format left it, with a row of its lease.
fn of_format_1(server: &Server, database: &str, holder: &str, until_ms: i64) {
    let dialect =
        Dialect { blob: "BYTEA", text: "TEXT COLLATE \"C\"", key: "BIGINT NOT NULL PRIMARY KEY", compact: "" };
    let first = ALL.first().unwrap();
    let bootstrap = BOOTSTRAP.iter().filter(|statement| **statement != LEASE_TABLE);
    let mut sql: Vec<String> = bootstrap.chain(first.statements).map(|statement| dialect.fill(statement)).collect();
    sql.push(format!("INSERT INTO migrations (number, checksum) VALUES (1, '{}')", first.checksum()));
    sql.push("INSERT INTO meta (name, value) VALUES ('format', 1)".to_owned());
    sql.push(format!("INSERT INTO node_lease (id, holder, until_ms) VALUES (1, '{holder}', {until_ms})"));
    server.sql(database, &sql.join(";\n")).unwrap();
}

/// What a program of format 1 does to hold its lease.
fn hold_as_format_1(server: &Server, database: &str, holder: &str) -> String {
    let clock = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
    let sql = format!(
        "INSERT INTO node_lease (id, holder, until_ms) VALUES (1, '{holder}', {clock} + 15000) ON CONFLICT (id) \
         DO UPDATE SET holder = excluded.holder, until_ms = {clock} + 15000 \
         WHERE node_lease.holder = excluded.holder OR node_lease.until_ms <= {clock} RETURNING holder"
    );
    server.sql(database, &sql).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_format_1_is_waited_for_and_does_not_come_back() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    of_format_1(server, &database, "old node", 7);
    let store = connect(server, &database).await;
    let seen = store.lease().await.unwrap().unwrap();
    let row = LeaseRow { holder: "old node".to_owned(), counter: 7, length_ms: 15_000, released: false };
    assert_eq!(seen, row, "what the old program renews is what a taker watches");
    // It renews: a node that saw the earlier row can't take it.
    assert!(hold_as_format_1(server, &database, "old node").contains("old node"));
    assert!(!store.take_lease("new node", 5_000, Some(&seen)).await.unwrap());
    let seen = store.lease().await.unwrap().unwrap();
    assert!(seen.counter > 7);
    assert!(store.take_lease("new node", 5_000, Some(&seen)).await.unwrap());
    // No program of format 1 gets its lease again, at any time of the database's clock.
    assert!(!hold_as_format_1(server, &database, "old node").contains("old node"));
    assert!(!hold_as_format_1(server, &database, "another").contains("another"));
    let held = store.lease().await.unwrap().unwrap();
    assert_eq!((held.holder.as_str(), held.length_ms), ("new node", 5_000));
    store.migrate().await.unwrap();
    assert!(matches!(store.renew_lease("new node").await.unwrap(), Renewal::Held(Some(_))));
    let sql = "SELECT holder FROM node_lease";
    assert_eq!(server.sql(&database, sql).unwrap().trim(), NEWER_HOLDER);
    let sql = "SELECT value FROM meta WHERE name = 'format'";
    assert_eq!(server.sql(&database, sql).unwrap().trim(), FORMAT.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_a_program_of_format_1_works_on_are_not_brought_up_to_date() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let store = connect(server, &database).await;
    assert!(store.take_lease("new node", 5_000, None).await.unwrap());
    // Between the two, an old program makes the first tables and holds its own lease.
    of_format_1(server, &database, "old node", 7);
    let watched = store.lease().await.unwrap().unwrap();
    assert_eq!((watched.holder.as_str(), watched.length_ms), ("new node", 15_000), "the longer one of both");
    store.migrate().await.unwrap_err();
    assert_eq!(server.sql(&database, "SELECT value FROM meta WHERE name = 'format'").unwrap().trim(), "1");
    assert_eq!(server.sql(&database, "SELECT holder FROM node_lease").unwrap().trim(), "old node");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_paused_in_a_transaction_commits_nothing_once_another_holds_the_lease() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let mut settings = Settings::new(&server.dsn(&database), b"").unwrap();
    settings.idle_timeout = Duration::from_millis(100);
    let first = PostgresStore::connect_with(settings).await.unwrap();
    assert!(first.take_lease("first", 5_000, None).await.unwrap());
    first.migrate().await.unwrap();
    let lock = first.lock_head().await.unwrap();
    let second = connect(server, &database).await;
    let seen = second.lease().await.unwrap();
    // The server ends the idle transaction, so the lock is free.
    assert!(second.take_lease("second", 5_000, seen.as_ref()).await.unwrap());
    assert!(matches!(lock.commit(batch(vec![write()])).await, Err(CommitError::NotApplied(_))));
    assert!(matches!(first.lock_head().await.map(drop), Err(StoreError::InUse(_))));
    second.migrate().await.unwrap();
    assert_eq!(second.head().await.unwrap().revision, 0);
    commit(&second, batch(vec![write()])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_opened_to_read_needs_data_of_this_format_and_changes_nothing() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let open = || async {
        let settings = Settings::new(&server.dsn(&database), b"").unwrap();
        PostgresStore::connect_to_read(settings).await
    };
    assert!(matches!(open().await, Err(StoreError::Corrupt(text)) if text.contains("valetkey init")));
    of_format_1(server, &database, "old node", 7);
    let before = tables(server, &database);
    assert!(matches!(open().await, Err(StoreError::Other(text)) if text.contains("older format")));
    assert_eq!(tables(server, &database), before);
    let database = server.create_database().unwrap();
    drop(PostgresStore::connect(&server.dsn(&database)).await.unwrap());
    let settings = Settings::new(&server.dsn(&database), b"").unwrap();
    assert_eq!(PostgresStore::connect_to_read(settings).await.unwrap().head().await.unwrap().revision, 0);
}

/// A server whose commits wait for a standby that never comes.
struct Waiting {
    server: Server,
    database: String,
    store: Arc<PostgresStore>,
}

impl Waiting {
    async fn start() -> Waiting {
        let server = Server::start(Options::default()).unwrap();
        let database = server.create_database().unwrap();
        let store = Arc::new(PostgresStore::connect(&server.dsn(&database)).await.unwrap());
        assert!(store.take_lease("a", 60_000, None).await.unwrap());
        server.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'never'").unwrap();
        server.sql("postgres", "SELECT pg_reload_conf()").unwrap();
        let waiting = Waiting { server, database, store };
        // The server applies the setting a little later; until then a renewal does not wait.
        loop {
            let store = Arc::clone(&waiting.store);
            let renewal = tokio::spawn(async move { store.renew_lease("a").await });
            if waiting.cancelled_at_least_once(&renewal) {
                assert!(matches!(renewal.await.unwrap(), Err(StoreError::Unavailable(_))), "on one copy alone");
                return waiting;
            }
            renewal.await.unwrap().unwrap();
        }
    }

    /// Cancels what waits for the standby until the task has ended; whether there was anything.
    fn cancelled_at_least_once<T>(&self, task: &JoinHandle<T>) -> bool {
        let sql = "SELECT COUNT(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        let mut is_cancelled = false;
        while !task.is_finished() {
            is_cancelled |= self.server.sql(&self.database, sql).unwrap().trim() != "0";
        }
        is_cancelled
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_comes_with_a_warning_is_an_unknown_outcome_until_all_copies_have_it() {
    // The renewal of the lease is tried there.
    let waiting = Waiting::start().await;
    let batch = batch(vec![write()]);
    let commit_id = batch.commit_id;
    let committing = tokio::spawn({
        let store = Arc::clone(&waiting.store);
        async move { commit(&*store, batch).await }
    });
    assert!(waiting.cancelled_at_least_once(&committing));
    let outcome = committing.await.unwrap();
    assert!(matches!(outcome, Err(CommitError::Unknown(StoreError::Unavailable(_)))), "{outcome:?}");
    // Looking it up waits for the standby, too.
    let looking = tokio::spawn({
        let store = Arc::clone(&waiting.store);
        async move { store.outcome(commit_id).await }
    });
    assert!(waiting.cancelled_at_least_once(&looking));
    let outcome = looking.await.unwrap();
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    waiting.server.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names").unwrap();
    waiting.server.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    assert_eq!(waiting.store.outcome(commit_id).await.unwrap(), Some((1, 1)));
    assert!(matches!(waiting.store.renew_lease("a").await.unwrap(), Renewal::Held(Some(_))));
    commit(&*waiting.store, crate::data::batch(vec![write()])).await.unwrap();
}
