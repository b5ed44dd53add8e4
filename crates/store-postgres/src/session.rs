//! One connection: how it is opened, what is set on it, and what the server must be like.
//!
//! No connection may be used that was not opened here.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Connect};
use tokio::task::JoinHandle;
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::{AsyncMessage, Client, Config, Error};
use valetkey_store::StoreError;

use crate::error::{Failure, Kind, describe, store_error};
use crate::settings::Settings;

/// Makes commits of the session durable. `remote_apply` waits for more than `on`, and is left alone;
/// the other modes don't wait for all the standbys that the operator configured.
const DURABLE: &str = "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
                       WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)";

/// How many warnings came in on the connections of one opener.
///
/// If the wait for the standbys is cancelled, the server answers COMMIT with success and a warning: the
/// commit is on one copy alone. The driver gives a statement's answer only after the warnings that came
/// before it, so comparing the count before COMMIT and after its answer shows them.
#[derive(Clone, Default)]
pub(crate) struct Warnings(Arc<AtomicU64>);

impl Warnings {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Fails if a warning came since the count was `before`.
    pub(crate) fn check(&self, before: u64) -> Result<(), Failure> {
        if self.count() == before {
            return Ok(());
        }
        let text = "PostgreSQL acknowledged a commit with a warning: a standby may not have it";
        Err(Failure { kind: Kind::Lost, error: StoreError::Unavailable(text.to_owned()) })
    }

    fn note(&self, notice: &DbError) {
        let harmless = matches!(
            notice.parsed_severity(),
            Some(Severity::Notice | Severity::Info | Severity::Debug | Severity::Log)
        );
        if !harmless {
            tracing::debug!(code = notice.code().code(), message = notice.message(), "PostgreSQL warns");
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Opens connections, for the pool as well as for the writer. Clones count warnings together.
#[derive(Clone)]
pub(crate) struct Opener {
    settings: Settings,
    warnings: Warnings,
}

impl Opener {
    pub(crate) fn new(settings: Settings) -> Opener {
        Opener { settings, warnings: Warnings::default() }
    }

    pub(crate) fn warnings(&self) -> Warnings {
        self.warnings.clone()
    }

    /// Opens a connection and checks its server.
    pub(crate) async fn open(&self) -> Result<ClientWrapper, StoreError> {
        let opening = async {
            let (client, task) = self.connect(&self.settings.config).await.map_err(|e| store_error(&e))?;
            let client = ClientWrapper::new(client, task);
            check_server(&client).await?;
            Ok(client)
        };
        let limit = self.settings.patience();
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(Failure::silent(limit).error))
    }

    /// Warns, once at the start, if the connection is not encrypted.
    pub(crate) async fn warn_if_readable(&self, client: &Client) {
        if self.settings.is_local() {
            return;
        }
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        if let Ok(Some(row)) = client.query_opt(sql, &[]).await
            && row.try_get::<_, bool>(0).is_ok_and(|encrypted| !encrypted)
        {
            tracing::warn!("the connection to PostgreSQL is not encrypted; add sslmode=require to its address");
        }
    }

    fn session_sql(&self) -> String {
        let ms = |d: Duration| d.as_millis();
        format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
             SET client_min_messages = warning; SET standard_conforming_strings = on; {DURABLE}",
            ms(self.settings.statement_timeout),
            ms(self.settings.lock_timeout),
            ms(self.settings.idle_timeout),
        )
    }
}

impl Connect for Opener {
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, mut connection) = config.connect(self.settings.tls.clone()).await?;
            let warnings = self.warnings();
            let task = tokio::spawn(async move {
                while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                    match message {
                        Ok(AsyncMessage::Notice(notice)) => warnings.note(&notice),
                        Ok(_) => {}
                        Err(e) => {
                            tracing::debug!(error = %describe(&e), "a connection to PostgreSQL ended");
                            break;
                        }
                    }
                }
            });
            client.batch_execute(&self.session_sql()).await?;
            Ok((client, task))
        })
    }
}

/// Refuses a server that may lose what it has acknowledged, or that may not keep our text.
async fn check_server(client: &Client) -> Result<(), StoreError> {
    // We set the session's own value; the server's value is in `reset_val`.
    let sql = "SELECT name, reset_val FROM pg_settings \
               WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'server_encoding')";
    for row in client.query(sql, &[]).await.map_err(|e| store_error(&e))? {
        let get = |i: usize| row.try_get::<_, &str>(i).map_err(|e| store_error(&e));
        match (get(0)?, get(1)?) {
            (name @ ("fsync" | "full_page_writes" | "synchronous_commit"), "off") => {
                return Err(StoreError::Unsafe(format!(
                    "PostgreSQL runs with {name} = off, so a crash can lose what it has acknowledged; set it to on"
                )));
            }
            ("server_encoding", encoding) if encoding != "UTF8" => {
                return Err(StoreError::Unsafe(format!(
                    "the database's server_encoding is {encoding}; make one with ENCODING 'UTF8'"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use valetkey_testkit::postgres::Server;

    async fn mode_of_a_session(configured: &str) -> Result<String, StoreError> {
        let server = Server::shared().unwrap();
        let database = server.create_database().unwrap();
        server.sql("postgres", &format!("ALTER DATABASE {database} SET synchronous_commit = {configured}")).unwrap();
        let opener = Opener::new(Settings::new(&server.dsn(&database), b"").unwrap());
        let client = opener.open().await?;
        let row = client.query_one("SHOW synchronous_commit", &[]).await.unwrap();
        Ok(row.get(0))
    }

    #[tokio::test]
    async fn commits_of_a_session_are_durable_whatever_the_database_says() {
        for (configured, expected) in
            [("local", "on"), ("remote_write", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
        {
            assert_eq!(mode_of_a_session(configured).await.unwrap(), expected, "{configured}");
        }
        let refused = mode_of_a_session("off").await.unwrap_err();
        assert!(matches!(&refused, StoreError::Unsafe(text) if text.contains("synchronous_commit")), "{refused}");
    }
}
