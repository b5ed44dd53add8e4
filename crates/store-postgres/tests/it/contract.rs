//! The contract of all stores, case by case, each on a database of its own.

use std::sync::Arc;

use async_trait::async_trait;
use valetkey_store::Store;
use valetkey_store::contract::{CASES, Home};
use valetkey_store_postgres::PostgresStore;
use valetkey_testkit::postgres::Server;

struct Database(String);

#[async_trait]
impl Home for Database {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::connect(&self.0).await.unwrap())
    }

    async fn join(&self) -> Option<Arc<dyn Store>> {
        Some(self.open().await)
    }
}

/// One test for all cases, because each test is a process, and so a server, of its own.
#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_the_contract_holds() {
    let server = Server::shared().unwrap();
    let mut failed = Vec::new();
    for case in CASES {
        let home = Database(server.dsn(&server.create_database().unwrap()));
        if tokio::spawn(async move { (case.run)(&home).await }).await.is_err() {
            failed.push(case.name);
        }
    }
    assert!(!CASES.is_empty());
    assert_eq!(failed, Vec::<&str>::new());
}
