//! Several stores on one database.

use std::sync::Arc;

use valetkey_store::sql::migrations::FORMAT;
use valetkey_store::{Outcome, Store, StoreError};
use valetkey_store_postgres::PostgresStore;
use valetkey_testkit::postgres::Server;

use crate::data::{batch, commit, fresh, new_id, verified_ledger, write, write_with_content};

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_commit_at_once_in_one_order_without_gaps() {
    let (first, database) = fresh().await;
    let second = PostgresStore::connect(&Server::shared().unwrap().dsn(&database)).await.unwrap();
    let stores: [Arc<dyn Store>; 2] = [Arc::new(first), Arc::new(second)];
    let mut tasks = Vec::new();
    for number in 0..6 {
        let store = Arc::clone(&stores[number % 2]);
        tasks.push(tokio::spawn(async move {
            let mut revisions = Vec::new();
            for _ in 0..15 {
                for outcome in commit(store.as_ref(), batch(vec![write(), write()])).await.unwrap() {
                    let Outcome::Applied { revision } = outcome else { panic!("a conflict out of nothing") };
                    revisions.push(revision);
                }
            }
            revisions
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        let revisions = task.await.unwrap();
        assert!(revisions.is_sorted());
        all.extend(revisions);
    }
    all.sort_unstable();
    assert_eq!(all, (1..=180).collect::<Vec<u64>>());
    let ledger = verified_ledger(stores[0].as_ref()).await;
    assert_eq!(ledger, verified_ledger(stores[1].as_ref()).await);
    assert_eq!(ledger.len(), 180);
    let mut records = 0;
    let head = stores[1].load(&mut |_| records += 1).await.unwrap();
    assert_eq!((head.revision, records), (180, 180));
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_among_many_conditions_hit_the_right_writes() {
    let (store, _) = fresh().await;
    let taken = new_id();
    commit(&store, batch(vec![write_with_content(taken)])).await.unwrap();
    // More than one group, with conflicts at both ends of it, with writes without conditions, and
    // with an id that an earlier write of the same batch takes.
    let mut writes = Vec::new();
    let mut expected = Vec::new();
    let mut revision = 1;
    for number in 0..80 {
        let conflicts = [0, 3, 4, 31, 32, 33, 70, 79].contains(&number);
        writes.push(match number {
            _ if conflicts => write_with_content(taken),
            _ if number % 5 == 0 => write(),
            _ => write_with_content(new_id()),
        });
        expected.push(if conflicts {
            Outcome::Conflict
        } else {
            revision += 1;
            Outcome::Applied { revision }
        });
    }
    let twice = new_id();
    writes.extend([write_with_content(twice), write_with_content(twice)]);
    expected.extend([Outcome::Applied { revision: revision + 1 }, Outcome::Conflict]);
    assert_eq!(commit(&store, batch(writes)).await.unwrap(), expected);
    assert_eq!(verified_ledger(&store).await.len() as u64, revision + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_start_at_once_make_the_tables_once() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let starts: Vec<_> = (0..6)
        .map(|_| {
            let dsn = server.dsn(&database);
            tokio::spawn(async move { PostgresStore::connect(&dsn).await.map(drop) })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
    assert_eq!(server.sql(&database, "SELECT COUNT(*) FROM migrations").unwrap(), FORMAT.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_data_is_refused_and_a_missing_right_to_make_tables_does_not_matter() {
    let (store, database) = fresh().await;
    drop(store);
    let server = Server::shared().unwrap();
    server
        .sql(
            &database,
            "CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO plain",
        )
        .unwrap();
    let plain = format!("host=127.0.0.1 port={} user=plain password=plain dbname={database}", server.port());
    let store = PostgresStore::connect(&plain).await.unwrap();
    commit(&store, batch(vec![write()])).await.unwrap();
    server.sql(&database, &format!("UPDATE meta SET value = {} WHERE name = 'format'", FORMAT + 1)).unwrap();
    let refused = PostgresStore::connect(&plain).await.unwrap_err();
    assert_eq!(refused, StoreError::Newer { found: FORMAT + 1, known: FORMAT });
}
