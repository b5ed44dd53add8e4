//! Every statement is one that PostgreSQL understands, with the types that we send and read.

use tokio_postgres::NoTls;
use tokio_postgres::types::Type;
use valetkey_store::sql::{content, statements};
use valetkey_store_postgres::PostgresStore;
use valetkey_testkit::postgres::Server;

use crate::data::fresh;

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_prepared_with_the_types_that_we_send() {
    let (_store, database) = fresh().await;
    let (client, connection) = tokio_postgres::connect(&Server::shared().unwrap().dsn(&database), NoTls).await.unwrap();
    tokio::spawn(connection);
    let fixed =
        statements::ALL.iter().copied().chain(PostgresStore::own_statements()).map(|s| (s.name, s.sql.to_owned()));
    let built = content::shapes(crate::data::new_id()).into_iter().map(|b| ("a built statement", b.sql));
    let mut count = 0;
    for (name, sql) in fixed.chain(built) {
        let prepared = client.prepare(&sql).await.unwrap_or_else(|e| panic!("{name}: {e:?}"));
        for ty in prepared.params().iter().chain(prepared.columns().iter().map(tokio_postgres::Column::type_)) {
            assert!([Type::INT8, Type::TEXT, Type::BYTEA].contains(ty), "{name}: {ty}");
        }
        count += 1;
    }
    assert!(count > 100, "{count}");
}
