//! Everything that needs no head lock: reads, and small writes of their own.
//!
//! Nothing here may leave a transaction open on a connection that goes back to the pool: a
//! transaction is sent as a whole, its end included, or its connection goes back only once it has ended.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::Row;
use valetkey_store::StoreError;
use valetkey_store::sql::refusals::Round;
use valetkey_store::sql::{Statement, Value};

use crate::error::{Failure, Kind, within};
use crate::pipeline::{Pipeline, rows};
use crate::session::{Opener, Warnings};
use crate::settings::Settings;

/// Whether a write may be done twice when nobody knows whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twice {
    Harmless,
    Never,
}

/// The pool.
#[derive(Clone)]
pub(crate) struct Reader {
    pool: Pool,
    patience: Duration,
    warnings: Warnings,
}

impl Reader {
    pub(crate) fn new(settings: &Settings, opener: Opener) -> Result<Reader, StoreError> {
        let warnings = opener.warnings();
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(settings.config.clone(), opener, recycling);
        let patience = settings.patience();
        let timeouts = Timeouts { wait: Some(patience), create: Some(patience), recycle: Some(patience) };
        let pool = Pool::builder(manager)
            .max_size(settings.readers.max(1))
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|e| StoreError::Other(format!("the pool of connections: {e}")))?;
        Ok(Reader { pool, patience, warnings })
    }

    /// Gives up all idle connections. Called when one connection turned out to be dead, or to lead
    /// to a server that takes no writes any more: the others then do too.
    pub(crate) fn forget(&self) {
        self.pool.retain(|_, _| false);
    }

    /// The rows of one statement.
    pub(crate) async fn rows(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        match self.rows_once(sql, values).await {
            Err(failure) if is_worth_another(&failure, Twice::Harmless) => self.rows_once(sql, values).await,
            answer => answer,
        }
        .map_err(|failure| failure.error)
    }

    /// Runs statements as one transaction and gives the rows of each.
    pub(crate) async fn transaction(
        &self,
        twice: Twice,
        steps: &[(Statement, Vec<Value>)],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        match self.transaction_once(steps).await {
            Err(failure) if is_worth_another(&failure, twice) => self.transaction_once(steps).await,
            answer => answer,
        }
        .map_err(|failure| failure.error)
    }

    async fn rows_once(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Failure> {
        let client = self.client().await?;
        let answer = within(self.patience, async {
            let statement = client.prepare_cached(sql).await?;
            rows(&client, &statement, values).await
        });
        let answer = answer.await;
        self.give_back(client, answer)
    }

    async fn transaction_once(&self, steps: &[(Statement, Vec<Value>)]) -> Result<Vec<Vec<Row>>, Failure> {
        let client = self.client().await?;
        let warned = self.warnings.count();
        let answer = within(self.patience, async {
            let mut prepared = Vec::with_capacity(steps.len());
            for (statement, _) in steps {
                prepared.push(client.prepare_cached(statement.sql).await?);
            }
            let mut pipeline = Pipeline::new(&client);
            pipeline.command_between("BEGIN ISOLATION LEVEL READ COMMITTED");
            for (statement, (_, values)) in prepared.iter().zip(steps) {
                pipeline.query(statement, values);
            }
            // After a failure, this undoes everything.
            pipeline.command_between("COMMIT");
            let mut answers = pipeline.run_all().await?;
            answers.pop();
            answers.drain(..1);
            Ok(answers)
        });
        // A warning of another connection of the pool counts too; that costs one more attempt.
        let answer = answer.await.and_then(|answers| self.warnings.check(warned).map(|()| answers));
        self.give_back(client, answer)
    }

    /// Runs rounds of statements as one transaction; each round depends on the answers of the last one.
    /// Another attempt starts anew.
    pub(crate) async fn rounds<S>(
        &self,
        twice: Twice,
        start: impl Fn() -> S,
        next: impl Fn(&mut S, Vec<Vec<Row>>) -> Result<Option<Round>, StoreError>,
    ) -> Result<S, StoreError> {
        match self.rounds_once(start(), &next).await {
            Err(failure) if is_worth_another(&failure, twice) => self.rounds_once(start(), &next).await,
            answer => answer,
        }
        .map_err(|failure| failure.error)
    }

    async fn rounds_once<S>(
        &self,
        mut state: S,
        next: &impl Fn(&mut S, Vec<Vec<Row>>) -> Result<Option<Round>, StoreError>,
    ) -> Result<S, Failure> {
        let mut open = Open(Some(self.client().await?));
        let Some(client) = open.0.as_ref() else { return Ok(state) };
        let warned = self.warnings.count();
        within(self.patience, async { client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await }).await?;
        let mut answers = Vec::new();
        while let Some(round) = next(&mut state, answers)? {
            answers = within(self.patience, async {
                let mut prepared = Vec::with_capacity(round.len());
                for (statement, _) in &round {
                    prepared.push(client.prepare_cached(statement.sql).await?);
                }
                let mut pipeline = Pipeline::new(client);
                for (statement, (_, values)) in prepared.iter().zip(&round) {
                    pipeline.query(statement, values);
                }
                pipeline.run_all().await
            })
            .await?;
        }
        within(self.patience, async { client.batch_execute("COMMIT").await }).await?;
        self.warnings.check(warned)?;
        drop(open.0.take());
        Ok(state)
    }

    async fn client(&self) -> Result<Object, Failure> {
        self.pool.get().await.map_err(Failure::of_pool)
    }

    fn give_back<T>(&self, client: Object, answer: Result<T, Failure>) -> Result<T, Failure> {
        if answer.as_ref().is_err_and(|f| f.kind == Kind::Lost) {
            drop(Object::take(client));
            self.forget();
        }
        answer
    }
}

/// A connection inside a transaction. If it is dropped there, it is closed and does not go back.
struct Open(Option<Object>);

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

/// Whether to try once more, on a fresh connection, after a lost connection or a conflict with another
/// transaction.
fn is_worth_another(failure: &Failure, twice: Twice) -> bool {
    match failure.kind {
        Kind::Again => true,
        Kind::Lost => twice == Twice::Harmless,
        Kind::Constraint | Kind::Other => false,
    }
}
