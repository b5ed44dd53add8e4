//! The head lock, and the commit under it: one connection of its own, one transaction at a time.
//!
//! Nothing here may report success before the server has acknowledged the commit, nor report
//! "not applied" unless that is certain.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use futures_util::FutureExt as _;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_postgres::error::Severity;
use valetkey_domain::BusinessId;
use valetkey_store::sql::append::conditions;
use valetkey_store::sql::rows::{read_business_head, read_head};
use valetkey_store::sql::{Appender, Statement, Step, Value, statements as sql};
use valetkey_store::{Batch, CommitError, Head, HeadLock, Outcome, StoreError};

use crate::error::{Failure, Kind, store_error, within};
use crate::pipeline::{Pipeline, Prepared, prepare};
use crate::reader::Reader;
use crate::session::{Opener, Warnings};
use crate::settings::Settings;
use crate::values::PgRow;

/// Reads the head and locks it until the transaction ends.
pub(crate) const LOCK_HEAD: Statement =
    Statement { name: "LOCK_HEAD", sql: "SELECT revision, hash, last_narrowing FROM head WHERE id = 1 FOR UPDATE" };

/// One row if this holder has the lease. Asked under the head lock, which is needed to take the lease, so
/// the answer holds until the lock is released.
pub(crate) const HOLDS_LEASE: Statement =
    Statement { name: "HOLDS_LEASE", sql: "SELECT counter FROM lease WHERE id = 1 AND holder = $1 AND released = 0" };

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// How many writes with conditions are tried together. If one of them fails, the others of its
/// group are done again without it.
const GROUP: usize = 32;

/// How often a transaction is tried that the server undid for the sake of another one.
const ATTEMPTS: usize = 3;

/// The lease holder that a store commits as, once it asked for the lease.
#[derive(Clone, Default)]
pub(crate) struct Fence(Arc<std::sync::Mutex<Option<String>>>);

impl Fence {
    pub(crate) fn set(&self, holder: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(holder.to_owned());
    }

    pub(crate) fn holder(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The failure of a store that asked for the lease and does not hold it.
pub(crate) fn fenced_off() -> Failure {
    Failure { kind: Kind::Other, error: StoreError::InUse("another node has the lease".to_owned()) }
}

/// The one connection for commits.
pub(crate) struct Writer {
    opener: Opener,
    fence: Fence,
    reader: Reader,
    slot: Arc<Mutex<Option<ClientWrapper>>>,
    patience: Duration,
}

impl Writer {
    pub(crate) fn new(settings: &Settings, fence: Fence, reader: Reader) -> Writer {
        let opener = Opener::new(settings.clone());
        Writer { opener, fence, reader, slot: Arc::new(Mutex::new(None)), patience: settings.patience() }
    }

    /// Waits first for earlier callers of this process, and then for other processes.
    pub(crate) async fn lock(&self) -> Result<Box<dyn HeadLock>, StoreError> {
        Ok(Box::new(self.hold().await?))
    }

    /// Runs steps beside the ledger as one transaction under the lock, so that a node without the lease
    /// can't run them.
    pub(crate) async fn run(&self, steps: &[Step]) -> Result<(), StoreError> {
        let mut lock = self.hold().await?;
        lock.finish(steps).await.map_err(|failed| match failed.0 {
            CommitError::NotApplied(error) | CommitError::Unknown(error) => error,
            CommitError::Refused { detail, .. } => StoreError::Other(detail),
        })
    }

    async fn hold(&self) -> Result<Lock, StoreError> {
        let waiting = tokio::time::timeout(self.patience, Arc::clone(&self.slot).lock_owned());
        let slot = waiting
            .await
            .map_err(|_| StoreError::Unavailable("others of this node hold the head lock for too long".to_owned()))?;
        let mut lock = Lock {
            slot,
            open: false,
            head: Head::EMPTY,
            fence: self.fence.clone(),
            reader: self.reader.clone(),
            warnings: self.opener.warnings(),
            patience: self.patience,
        };
        // A connection may have died since it was used last; that shows at the first statement.
        let mut fresh = lock.connect(&self.opener).await?;
        let mut attempt = 1;
        loop {
            let failure = match lock.begin().await {
                Ok(()) => return Ok(lock),
                Err(failure) => failure,
            };
            match failure.kind {
                Kind::Lost if !fresh => fresh = lock.connect(&self.opener).await?,
                Kind::Again if attempt < ATTEMPTS => attempt += 1,
                Kind::Lost | Kind::Again | Kind::Constraint | Kind::Other => return Err(failure.error),
            }
        }
    }
}

/// The locked head. While `open`, the server may have a transaction of ours under way.
struct Lock {
    slot: OwnedMutexGuard<Option<ClientWrapper>>,
    open: bool,
    head: Head,
    fence: Fence,
    reader: Reader,
    warnings: Warnings,
    patience: Duration,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // One poll sends it; nobody waits for the answer. It also ends a commit whose caller was
        // dropped.
        if self.open
            && let Some(client) = self.slot.as_ref()
        {
            let _ = client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

#[async_trait]
impl HeadLock for Lock {
    fn head(&self) -> Head {
        self.head
    }

    async fn commit(mut self: Box<Self>, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        let planned_on = self.head;
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(&batch).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(failure) => failure,
            };
            if attempt == ATTEMPTS || !failure.is_worth_another() {
                return Err(failure.0);
            }
            attempt += 1;
            // The lock was released with the transaction. What was planned is valid only if nobody
            // committed in between.
            self.begin().await.map_err(|f| CommitError::NotApplied(f.error))?;
            if self.head != planned_on {
                return Err(failure.0);
            }
        }
    }
}

/// A failed commit, and whether it was another transaction's fault.
struct Failed(CommitError, Kind);

impl Failed {
    fn is_worth_another(&self) -> bool {
        self.1 == Kind::Again
    }
}

impl From<Failure> for Failed {
    /// Before COMMIT is sent, every failure means that nothing was written.
    fn from(failure: Failure) -> Failed {
        Failed(CommitError::NotApplied(failure.error), failure.kind)
    }
}

impl Lock {
    /// Makes sure that there is a connection; says whether it is a new one.
    async fn connect(&mut self, opener: &Opener) -> Result<bool, StoreError> {
        if self.slot.as_ref().is_some_and(|client| !client.is_closed()) {
            return Ok(false);
        }
        self.lose();
        *self.slot = Some(opener.open().await?);
        Ok(true)
    }

    /// Gives up the connection, and those for reading, which are most likely dead too.
    fn lose(&mut self) {
        self.open = false;
        if self.slot.take().is_some() {
            self.reader.forget();
        }
    }

    fn client(&self) -> Result<&ClientWrapper, Failure> {
        let gone = || Failure {
            kind: Kind::Lost,
            error: StoreError::Unavailable("the connection to PostgreSQL was lost".to_owned()),
        };
        self.slot.as_ref().ok_or_else(gone)
    }

    /// Begins a transaction, takes the lock, and looks whether this node still holds the lease.
    async fn begin(&mut self) -> Result<(), Failure> {
        self.open = true;
        let client = self.client()?;
        let holder = self.fence.holder();
        let values: Vec<Value> = holder.as_deref().map(Value::from).into_iter().collect();
        let begun = within(self.patience, async {
            let prepared = client.prepare_cached(LOCK_HEAD.sql).await?;
            let holds = match holder {
                Some(_) => Some(client.prepare_cached(HOLDS_LEASE.sql).await?),
                None => None,
            };
            let mut pipeline = Pipeline::new(client);
            pipeline.command_between(BEGIN);
            pipeline.query(&prepared, &[]);
            if let Some(holds) = &holds {
                pipeline.query(holds, &values);
            }
            pipeline.run_all().await
        });
        let read = begun.await.and_then(|answers| {
            let row = answers.get(1).and_then(|rows| rows.first());
            let row =
                row.ok_or_else(|| StoreError::Corrupt("the row of the head is missing; restore a backup".to_owned()))?;
            if answers.get(2).is_some_and(Vec::is_empty) {
                return Err(fenced_off());
            }
            Ok(read_head(&PgRow(row))?)
        });
        match read {
            Ok(head) => {
                self.head = head;
                Ok(())
            }
            Err(failure) => {
                self.undo(failure.kind).await;
                Err(failure)
            }
        }
    }

    /// Rolls the transaction back.
    async fn undo(&mut self, kind: Kind) {
        let undone = match self.slot.as_ref() {
            Some(client) if kind != Kind::Lost => within(self.patience, client.batch_execute("ROLLBACK")).await.is_ok(),
            _ => false,
        };
        if undone {
            self.open = false;
        } else {
            self.lose();
        }
    }

    async fn attempt(&mut self, batch: &Batch) -> Result<Vec<Outcome>, Failed> {
        let written = self.write(batch).await;
        let ended = match written {
            Ok(outcomes) => self.end().await.map(|()| outcomes),
            Err(failed) => Err(failed),
        };
        self.settle(ended).await
    }

    /// Keeps or gives up the connection, depending on how its transaction ended.
    async fn settle<T>(&mut self, ended: Result<T, Failed>) -> Result<T, Failed> {
        match ended {
            Ok(done) => {
                self.open = false;
                Ok(done)
            }
            Err(failed) => {
                self.undo(if matches!(failed.0, CommitError::Unknown(_)) { Kind::Lost } else { failed.1 }).await;
                Err(failed)
            }
        }
    }

    /// Everything but COMMIT.
    async fn write(&self, batch: &Batch) -> Result<Vec<Outcome>, Failed> {
        let client = self.client()?;
        let wanted: Vec<Vec<Step>> = batch.writes.iter().map(conditions).collect();
        let held = self.hold(client, &wanted).await?;
        let mut appender = Appender::new(batch.commit_id, self.head, self.business_heads(client, batch).await?);
        let mut outcomes = Vec::with_capacity(batch.writes.len());
        let mut steps = Vec::new();
        for (index, write) in batch.writes.iter().enumerate() {
            if !held.get(index).copied().unwrap_or(false) {
                outcomes.push(Outcome::Conflict);
                continue;
            }
            let applied = appender.apply(write).map_err(Failure::from)?;
            outcomes.push(Outcome::Applied { revision: applied.revision });
            steps.extend(applied.steps.into_iter().map(|step| (index, step)));
        }
        let last = batch.writes.len().saturating_sub(1);
        steps.extend(appender.finish().map_err(Failure::from)?.into_iter().map(|step| (last, step)));
        self.run(client, &steps).await?;
        Ok(outcomes)
    }

    async fn business_heads(
        &self,
        client: &ClientWrapper,
        batch: &Batch,
    ) -> Result<HashMap<BusinessId, [u8; 32]>, Failure> {
        let businesses = Appender::businesses(batch);
        let values: Vec<[Value; 1]> = businesses.iter().map(|id| [Value::from(*id)]).collect();
        let answers = within(self.patience, async {
            let prepared = client.prepare_cached(sql::BUSINESS_HEAD.sql).await?;
            let mut pipeline = Pipeline::new(client);
            for value in &values {
                pipeline.query(&prepared, value);
            }
            pipeline.run_all().await
        });
        let mut heads = HashMap::new();
        for (business, rows) in businesses.iter().zip(answers.await?) {
            if let Some(row) = rows.first() {
                heads.insert(*business, read_business_head(&PgRow(row))?);
            }
        }
        Ok(heads)
    }

    /// Runs the conditions of all writes in order; returns for each whether it held. One that did
    /// not hold is undone. They touch content and jobs alone, so it does no harm that they run
    /// before the records of earlier writes.
    async fn hold(&self, client: &ClientWrapper, wanted: &[Vec<Step>]) -> Result<Vec<bool>, Failed> {
        let mut held = vec![true; wanted.len()];
        let with_conditions: Vec<usize> = (0..wanted.len()).filter(|i| !wanted[*i].is_empty()).collect();
        if with_conditions.is_empty() {
            return Ok(held);
        }
        let statements = wanted.iter().flatten().map(|step| step.statement);
        let prepared = within(self.patience, prepare(client, statements)).await?;
        for group in with_conditions.chunks(GROUP) {
            let mut left = group.to_vec();
            loop {
                let Some(failing) = self.hold_group(client, &prepared, wanted, &left).await? else { break };
                held[failing] = false;
                left.retain(|index| *index != failing);
                within(self.patience, client.batch_execute("ROLLBACK TO SAVEPOINT held")).await?;
            }
        }
        Ok(held)
    }

    /// Runs the conditions of some writes; gives the first that did not hold.
    async fn hold_group(
        &self,
        client: &ClientWrapper,
        prepared: &Prepared,
        wanted: &[Vec<Step>],
        group: &[usize],
    ) -> Result<Option<usize>, Failed> {
        let steps: Vec<(usize, &Step)> =
            group.iter().flat_map(|index| wanted[*index].iter().map(move |step| (*index, step))).collect();
        let mut pipeline = Pipeline::new(client);
        pipeline.command("SAVEPOINT held");
        for (_, step) in &steps {
            pipeline.step(prepared, step);
        }
        let mut answers = self.answers(pipeline).await?.into_iter();
        if let Some(Err(e)) = answers.next() {
            return Err(Failure::from(e).into());
        }
        let mut failing = None;
        for ((index, step), answer) in steps.iter().zip(answers) {
            let count = answer.map_err(|e| refused(*index, &e))?;
            if failing.is_none() && step.expect.is_some_and(|expected| expected != count) {
                failing = Some(*index);
            }
        }
        Ok(failing)
    }

    /// Runs the statements that may not fail.
    async fn run(&self, client: &ClientWrapper, steps: &[(usize, Step)]) -> Result<(), Failed> {
        let statements = steps.iter().map(|(_, step)| step.statement);
        let prepared = within(self.patience, prepare(client, statements)).await?;
        let mut pipeline = Pipeline::new(client);
        for (_, step) in steps {
            pipeline.step(&prepared, step);
        }
        let answers = self.answers(pipeline).await?;
        for ((index, step), answer) in steps.iter().zip(answers) {
            let count = answer.map_err(|e| refused(*index, &e))?;
            if step.statement == sql::SET_HEAD && count != 1 {
                return Err(Failure::from(StoreError::Corrupt(
                    "the row of the head is missing; restore a backup".to_owned(),
                ))
                .into());
            }
        }
        Ok(())
    }

    async fn answers(&self, pipeline: Pipeline<'_, u64>) -> Result<Vec<Result<u64, tokio_postgres::Error>>, Failure> {
        tokio::time::timeout(self.patience, pipeline.run()).await.map_err(|_| Failure::silent(self.patience))
    }

    /// Writes something beside the ledger, and ends the transaction.
    async fn finish(&mut self, steps: &[Step]) -> Result<(), Failed> {
        let steps: Vec<(usize, Step)> = steps.iter().map(|step| (0, step.clone())).collect();
        let written = match self.client() {
            Ok(client) => self.run(client, &steps).await,
            Err(failure) => Err(failure.into()),
        };
        let ended = match written {
            Ok(()) => self.end().await,
            Err(failed) => Err(failed),
        };
        self.settle(ended).await
    }

    /// Sends COMMIT. If its answer comes with a warning, it is unknown whether the standbys have it.
    async fn end(&self) -> Result<(), Failed> {
        let client = self.client()?;
        if client.is_closed() {
            let error = StoreError::Unavailable("the connection to PostgreSQL was lost before the commit".to_owned());
            return Err(Failure { kind: Kind::Lost, error }.into());
        }
        let warned = self.warnings.count();
        match tokio::time::timeout(self.patience, client.batch_execute("COMMIT")).await {
            Ok(Ok(())) => self.warnings.check(warned).map_err(|f| Failed(CommitError::Unknown(f.error), Kind::Lost)),
            Ok(Err(e)) if is_surely_undone(&e) => Err(Failure::from(e).into()),
            Ok(Err(e)) => Err(Failed(CommitError::Unknown(store_error(&e)), Kind::Lost)),
            Err(_) => Err(Failed(CommitError::Unknown(Failure::silent(self.patience).error), Kind::Lost)),
        }
    }
}

/// A broken constraint is the fault of the write at this position; anything else is not.
fn refused(index: usize, error: &tokio_postgres::Error) -> Failed {
    match crate::error::kind(error) {
        Kind::Constraint => {
            Failed(CommitError::Refused { index, detail: crate::error::describe(error) }, Kind::Constraint)
        }
        kind @ (Kind::Lost | Kind::Again | Kind::Other) => Failure { kind, error: store_error(error) }.into(),
    }
}

/// Whether the server's answer to COMMIT says that it undid the transaction. If the session ends or the
/// connection breaks, the outcome is unknown.
fn is_surely_undone(error: &tokio_postgres::Error) -> bool {
    let Some(db) = error.as_db_error() else { return false };
    // "Statement completion unknown", and errors about the connection itself.
    let unsure = db.code().code() == "40003" || db.code().code().starts_with("08");
    matches!(db.parsed_severity(), Some(Severity::Error)) && !unsure
}
