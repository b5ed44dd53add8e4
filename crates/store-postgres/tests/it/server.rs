//! Which servers are accepted.

use valetkey_store::{Store as _, StoreError};
use valetkey_store_postgres::PostgresStore;
use valetkey_testkit::postgres::{Options, Server};

use crate::data::{batch, commit, write};

async fn refusal(options: Options) -> String {
    let server = Server::start(options).unwrap();
    let database = server.create_database().unwrap();
    let refused = PostgresStore::connect(&server.dsn(&database)).await.unwrap_err();
    let StoreError::Unsafe(text) = refused else { panic!("{refused}") };
    // Nothing was written before the refusal.
    assert_eq!(server.sql(&database, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'").unwrap(), "0");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_fsync_is_refused() {
    let text = refusal(Options { fsync: false, ..Options::default() }).await;
    assert!(text.contains("fsync = off"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_full_page_writes_is_refused() {
    let text = refusal(Options::default().with("full_page_writes", "off")).await;
    assert!(text.contains("full_page_writes = off"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_synchronous_commit_is_refused() {
    let text = refusal(Options::default().with("synchronous_commit", "off")).await;
    assert!(text.contains("synchronous_commit = off"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_encoding_is_refused() {
    let server = Server::shared().unwrap();
    server.sql("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'").unwrap();
    let refused = PostgresStore::connect(&server.dsn("latin")).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unsafe(text) if text.contains("LATIN1")), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_writes_is_passed_over() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    server.sql("postgres", &format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).unwrap();
    let refused = PostgresStore::connect(&server.dsn(&database)).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unavailable(text) if text.contains("does not allow writes")), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_have_two_forms_and_several_hosts() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let store = PostgresStore::connect(&server.key_value_dsn(&database)).await.unwrap();
    assert_eq!(store.engine(), "postgres");
    commit(&store, batch(vec![write()])).await.unwrap();
    // Nothing listens on the first of these two.
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let dsn = server.dsn(&database).replace("@127.0.0.1:", &format!("@127.0.0.1:{closed},127.0.0.1:"));
    let store = PostgresStore::connect(&format!("{dsn}?target_session_attrs=read-write")).await.unwrap();
    assert_eq!(store.head().await.unwrap().revision, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_address_is_said_without_its_password() {
    let server = Server::shared().unwrap();
    let wrong = format!("postgres://postgres:hunter2@127.0.0.1:{}/postgres", server.port());
    let refused = PostgresStore::connect(&wrong).await.unwrap_err().to_string();
    assert!(refused.contains("password authentication failed"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
    let missing = PostgresStore::connect(&server.dsn("nowhere")).await.unwrap_err();
    assert!(matches!(&missing, StoreError::Unavailable(text) if text.contains("nowhere")), "{missing}");
}
