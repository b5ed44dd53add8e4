//! Many statements, one round trip: all are sent in order before the first answer is awaited.
//!
//! Nothing here may change the order of statements, nor look at an answer and then send another.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{MaybeDone, maybe_done};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio_postgres::{Client, Error, Row};
use valetkey_store::sql::{Statement, Step, Value};

use crate::values::Param;

/// The server's handle of each statement that was prepared, by its name.
pub(crate) type Prepared = HashMap<&'static str, tokio_postgres::Statement>;

/// Prepares the statements that are not prepared yet on this connection.
pub(crate) async fn prepare(
    client: &ClientWrapper,
    statements: impl Iterator<Item = Statement>,
) -> Result<Prepared, Error> {
    let mut prepared = Prepared::new();
    for statement in statements {
        if !prepared.contains_key(statement.name) {
            prepared.insert(statement.name, client.prepare_cached(statement.sql).await?);
        }
    }
    Ok(prepared)
}

type Pending<'a, T> = Pin<Box<MaybeDone<Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>>>>;

/// Statements under way.
pub(crate) struct Pipeline<'a, T> {
    client: &'a Client,
    pending: Vec<Pending<'a, T>>,
}

impl<'a, T: Send + 'a> Pipeline<'a, T> {
    pub(crate) fn new(client: &'a Client) -> Pipeline<'a, T> {
        Pipeline { client, pending: Vec::new() }
    }

    fn push(&mut self, answer: impl Future<Output = Result<T, Error>> + Send + 'a) {
        let answer: Pin<Box<dyn Future<Output = _> + Send + 'a>> = Box::pin(answer);
        self.pending.push(Box::pin(maybe_done(answer)));
    }

    /// Sends everything and gives the answers in order. After a failure inside a transaction all
    /// later answers are failures too, so the first one is the cause.
    pub(crate) async fn run(mut self) -> Vec<Result<T, Error>> {
        // The driver hands a statement over to the connection when its future is polled first.
        poll_fn(|cx| {
            for answer in &mut self.pending {
                let _ = answer.as_mut().poll(cx);
            }
            Poll::Ready(())
        })
        .await;
        let mut answers = Vec::with_capacity(self.pending.len());
        for mut answer in self.pending {
            answer.as_mut().await;
            answers.extend(answer.as_mut().take_output());
        }
        answers
    }

    /// The same, but gives either all answers or the first failure.
    pub(crate) async fn run_all(self) -> Result<Vec<T>, Error> {
        self.run().await.into_iter().collect()
    }
}

impl<'a> Pipeline<'a, u64> {
    /// Adds SQL without parameters.
    pub(crate) fn command(&mut self, sql: &'static str) {
        let client = self.client;
        self.push(async move { client.batch_execute(sql).await.map(|()| 0) });
    }

    /// Adds a step; its answer is the number of rows that it wrote.
    pub(crate) fn step(&mut self, prepared: &'a Prepared, step: &'a Step) {
        let client = self.client;
        self.push(async move {
            match prepared.get(step.statement.name) {
                Some(statement) => client.execute_raw(statement, step.values.iter().map(Param)).await,
                None => client.execute_raw(step.statement.sql, step.values.iter().map(Param)).await,
            }
        });
    }
}

impl<'a> Pipeline<'a, Vec<Row>> {
    /// Adds SQL without parameters.
    pub(crate) fn command_between(&mut self, sql: &'static str) {
        let client = self.client;
        self.push(async move { client.batch_execute(sql).await.map(|()| Vec::new()) });
    }

    /// Adds a statement; its answer is its rows.
    pub(crate) fn query(&mut self, statement: &'a tokio_postgres::Statement, values: &'a [Value]) {
        let client = self.client;
        self.push(async move { rows(client, statement, values).await });
    }
}

/// The rows of one statement.
pub(crate) async fn rows(
    client: &Client,
    statement: &tokio_postgres::Statement,
    values: &[Value],
) -> Result<Vec<Row>, Error> {
    client.query_raw(statement, values.iter().map(Param)).await?.boxed().try_collect().await
}
