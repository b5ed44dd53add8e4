//! Connections that break at the worst moment: what is reported must be true.

use std::time::Duration;

use valetkey_store::{CommitError, Outcome, Store as _, StoreError, TokenUse};
use valetkey_store_postgres::{PostgresStore, Settings};
use valetkey_testkit::postgres::Server;

use crate::data::{batch, commit, fresh, new_id, outcome, verified_ledger, write, write_with_content};
use crate::proxy::{Break, Proxy};

async fn through_proxy(change: impl FnOnce(&mut Settings)) -> (PostgresStore, Proxy, String) {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let proxy = Proxy::start(server.port()).await;
    let dsn = server.dsn(&database).replace(&format!(":{}/", server.port()), &format!(":{}/", proxy.port));
    let mut settings = Settings::new(&format!("{dsn}?sslmode=disable"), b"").unwrap();
    change(&mut settings);
    let store = PostgresStore::connect_with(settings).await.unwrap();
    store.migrate().await.unwrap();
    (store, proxy, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_never_arrived_is_unknown_and_turns_out_not_to_exist() {
    let (store, proxy, _) = through_proxy(|_| ()).await;
    commit(&store, batch(vec![write()])).await.unwrap();
    let lost = batch(vec![write(), write()]);
    proxy.set(Break::BeforeCommit);
    let answer = commit(&store, lost.clone()).await;
    assert!(matches!(answer, Err(CommitError::Unknown(_))), "{answer:?}");
    assert_eq!(outcome(&store, lost.commit_id).await, None);
    // The same batch goes through afterwards, on a new connection.
    let again = commit(&store, lost).await.unwrap();
    assert_eq!(again, vec![Outcome::Applied { revision: 2 }, Outcome::Applied { revision: 3 }]);
    assert_eq!(verified_ledger(&store).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_unknown_and_turns_out_to_exist() {
    let (store, proxy, _) = through_proxy(|_| ()).await;
    let done = batch(vec![write(), write()]);
    proxy.set(Break::AfterCommit);
    let answer = commit(&store, done.clone()).await;
    assert!(matches!(answer, Err(CommitError::Unknown(_))), "{answer:?}");
    assert_eq!(outcome(&store, done.commit_id).await, Some((1, 2)));
    assert_eq!(verified_ledger(&store).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_does_not_hold_up_a_commit_for_ever() {
    let (store, proxy, _) = through_proxy(|settings| {
        settings.statement_timeout = Duration::from_millis(400);
        settings.lock_timeout = Duration::from_millis(400);
        settings.grace = Duration::from_millis(100);
    })
    .await;
    let silent = batch(vec![write()]);
    proxy.set(Break::Silence);
    let answer = commit(&store, silent.clone()).await;
    assert!(matches!(answer, Err(CommitError::Unknown(_))), "{answer:?}");
    assert_eq!(outcome(&store, silent.commit_id).await, Some((1, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_asked_again_is_asked_again_on_a_fresh_connection() {
    let (store, proxy, _) = through_proxy(|_| ()).await;
    commit(&store, batch(vec![write()])).await.unwrap();
    let used = TokenUse { token: new_id(), used_at: 1, ip: "192.0.2.1".to_owned(), count: 1 };
    store.record_uses(std::slice::from_ref(&used)).await.unwrap();
    // A read, a write that may be done twice, and the head lock.
    proxy.set(Break::Anything);
    assert_eq!(store.head().await.unwrap().revision, 1);
    proxy.set(Break::Anything);
    store.replace_keys(&[]).await.unwrap();
    proxy.set(Break::Anything);
    commit(&store, batch(vec![write()])).await.unwrap();
    // A count may not be added twice, so it is not.
    store.head().await.unwrap();
    proxy.set(Break::Anything);
    let counted = store.record_uses(std::slice::from_ref(&used)).await;
    assert!(matches!(counted, Err(StoreError::Unavailable(_))), "{counted:?}");
    assert_eq!(store.uses(&[used.token]).await.unwrap(), vec![used]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_killed_under_the_lock_writes_nothing() {
    let (store, database) = fresh().await;
    let server = Server::shared().unwrap();
    let lock = store.lock_head().await.unwrap();
    terminate_all(server, &database);
    let lost = batch(vec![write()]);
    let answer = lock.commit(lost.clone()).await;
    assert!(matches!(answer, Err(CommitError::NotApplied(StoreError::Unavailable(_)))), "{answer:?}");
    assert_eq!(outcome(&store, lost.commit_id).await, None);
    // Reads and writes go on by themselves, on new connections.
    assert_eq!(store.head().await.unwrap().revision, 0);
    commit(&store, lost).await.unwrap();
    terminate_all(server, &database);
    assert_eq!(store.head().await.unwrap().revision, 1);
    commit(&store, batch(vec![write()])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_commits_under_a_rain_of_kills_is_true() {
    let (store, database) = fresh().await;
    let store = std::sync::Arc::new(store);
    let killer = {
        let database = database.clone();
        tokio::task::spawn_blocking(move || {
            for _ in 0..20 {
                terminate_all(Server::shared().unwrap(), &database);
            }
        })
    };
    let mut said = Vec::new();
    while !killer.is_finished() {
        let next = batch(vec![write(), write_with_content(new_id())]);
        let commit_id = next.commit_id;
        let answer = commit(store.as_ref(), next).await;
        match &answer {
            Ok(outcomes) => said.push((commit_id, Some(outcomes.clone()))),
            Err(CommitError::NotApplied(_)) => said.push((commit_id, None)),
            Err(CommitError::Unknown(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    killer.await.unwrap();
    let ledger = verified_ledger(store.as_ref()).await;
    assert!(said.iter().any(|(_, outcomes)| outcomes.is_some()));
    for (commit_id, outcomes) in said {
        let revisions: Vec<u64> = ledger.iter().filter(|e| e.commit_id == commit_id).map(|e| e.revision).collect();
        let answered: Vec<u64> = outcomes.unwrap_or_default().iter().map(revision).collect();
        assert_eq!(answered, revisions);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_stays_open_while_the_commit_may_still_happen() {
    let (store, database) = fresh().await;
    let server = Server::shared().unwrap();
    let mut impatient = Settings::new(&server.dsn(&database), b"").unwrap();
    impatient.lock_timeout = Duration::from_millis(100);
    let other = PostgresStore::connect_with(impatient).await.unwrap();
    let lock = store.lock_head().await.unwrap();
    let pending = batch(vec![write()]);
    let early = other.outcome(pending.commit_id).await;
    assert!(matches!(early, Err(StoreError::Unavailable(_))), "{early:?}");
    lock.commit(pending.clone()).await.unwrap();
    assert_eq!(other.outcome(pending.commit_id).await.unwrap(), Some((1, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_dropped_or_abandoned_half_way_is_free_again() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let patient = |lock_timeout| {
        let mut settings = Settings::new(&server.dsn(&database), b"").unwrap();
        // The server would free a forgotten lock by itself, but only after this.
        settings.idle_timeout = Duration::from_secs(300);
        settings.lock_timeout = lock_timeout;
        async move {
            let store = PostgresStore::connect_with(settings).await?;
            store.migrate().await.map(|()| store)
        }
    };
    let store = patient(Duration::from_secs(60)).await.unwrap();
    let other = patient(Duration::from_secs(5)).await.unwrap();
    drop(store.lock_head().await.unwrap());
    commit(&other, batch(vec![write()])).await.unwrap();
    // A caller that is dropped while it waits for the lock leaves no transaction behind.
    let held = other.lock_head().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), store.lock_head()).await.is_err());
    drop(held);
    commit(&other, batch(vec![write()])).await.unwrap();
    // If a caller is dropped during a commit, the lock becomes free, and all or nothing is written.
    let abandoned = batch((0..50).map(|_| write()).collect());
    let lock = store.lock_head().await.unwrap();
    let gone = tokio::time::timeout(Duration::from_micros(500), lock.commit(abandoned.clone())).await;
    let count = verified_count_after(&other, &abandoned.commit_id).await;
    assert!(count == 0 || count == 50, "{count}, {gone:?}");
}

async fn verified_count_after(store: &PostgresStore, commit_id: &[u8; 16]) -> usize {
    commit(store, batch(vec![write()])).await.unwrap();
    verified_ledger(store).await.iter().filter(|e| e.commit_id == commit_id).count()
}

fn revision(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Applied { revision } => *revision,
        Outcome::Conflict => panic!("nothing here conflicts"),
    }
}

fn terminate_all(server: &Server, database: &str) {
    let sql = format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'");
    server.sql("postgres", &sql).unwrap();
}
