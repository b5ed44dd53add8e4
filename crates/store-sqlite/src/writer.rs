//! The one thread that writes.
//!
//! A commit that failed in its very last step may have left its bytes in the log, and after a crash
//! they would count. Until they are overwritten, its outcome is not reported and nothing else is
//! written.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::ErrorCode;
use tokio::sync::oneshot;
use valetkey_store::sql::Step;
use valetkey_store::sql::append::{self, Appender};
use valetkey_store::sql::{rows, statements};
use valetkey_store::{Batch, CommitError, Head, Outcome, StoreError, Write};

use crate::connection::{Engine, failed};
use crate::reserve::Space;

type Task = Box<dyn FnOnce(&mut State) + Send>;

/// Sends work to the thread.
pub(crate) struct Writer {
    tasks: Option<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(engine: Engine, head: Arc<Mutex<Head>>, space: Space) -> Result<Writer, StoreError> {
        let (tasks, receive) = channel();
        let state = State { engine, head, space, open_end: false };
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || work(state, &receive));
        let thread = thread.map_err(|e| StoreError::Unavailable(format!("can't start the writing thread: {e}")))?;
        Ok(Writer { tasks: Some(tasks), thread: Some(thread) })
    }

    /// Runs work on the thread, after everything that was sent before. The work is done even if
    /// nobody waits for its answer.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        let ended = || StoreError::Other("the writing thread has ended; start the program again".to_owned());
        let task: Task = Box::new(move |state| {
            let _ = answer.send(work(state));
        });
        self.tasks.as_ref().ok_or_else(ended)?.send(task).map_err(|_| ended())?;
        wait.await.map_err(|_| ended())
    }

    /// Ends the thread once it has done what it was sent, and closes the file.
    pub(crate) fn stop(&mut self) {
        self.tasks = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writing thread of the store ended with a panic");
        }
    }
}

fn work(mut state: State, tasks: &Receiver<Task>) {
    while let Ok(task) = tasks.recv() {
        task(&mut state);
    }
    // Nothing is lost if this fails: the log is read again at the next start.
    if let Err(e) = state.engine.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::warn!(error = %e, "the store's log could not be emptied while closing");
    }
    if let Err((_, e)) = state.engine.into_connection().close() {
        tracing::warn!(error = %e, "the store's file could not be closed in order");
    }
}

/// What the thread works with.
pub(crate) struct State {
    engine: Engine,
    head: Arc<Mutex<Head>>,
    space: Space,
    /// A commit failed in its last step and its bytes in the log were not overwritten yet.
    open_end: bool,
}

impl State {
    /// Writes a batch as a whole or not at all; only writes whose conditions fail are left out. On a
    /// full disk, a batch that only takes something away may use the reserve.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<Vec<Outcome>, CommitError> {
        let takes_away = |write: &Write| write.set.narrows() && write.content.is_empty() && write.jobs.is_empty();
        let may_use_reserve = !batch.writes.is_empty() && batch.writes.iter().all(takes_away);
        loop {
            let ended = self.commit_once(batch, may_use_reserve);
            let is_full = matches!(&ended, Err(CommitError::NotApplied(StoreError::Full(_))));
            if !is_full || !may_use_reserve || !self.space.make(&self.engine) {
                self.space.restore(&self.engine, ended.is_ok());
                return ended;
            }
        }
    }

    fn commit_once(&mut self, batch: &Batch, takes_away: bool) -> Result<Vec<Outcome>, CommitError> {
        self.begin(takes_away).map_err(CommitError::NotApplied)?;
        let filled = fill(&self.engine, self.known_head(), batch);
        let (outcomes, head) = match filled {
            Ok(filled) => filled,
            Err(e) => {
                self.roll_back();
                return Err(e);
            }
        };
        match self.engine.connection().execute_batch("COMMIT") {
            Ok(()) => {
                self.set_head(head);
                Ok(outcomes)
            }
            Err(e) => Err(self.failed_commit(failed("COMMIT", &e), batch.commit_id)),
        }
    }

    fn failed_commit(&mut self, error: StoreError, commit_id: [u8; 16]) -> CommitError {
        self.leave_open(&error);
        match self.look_up(commit_id) {
            Ok(None) => CommitError::NotApplied(error),
            Ok(Some(_)) | Err(_) => CommitError::Unknown(error),
        }
    }

    /// Runs something beside the ledger in a transaction of its own.
    pub(crate) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Engine) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let ended = self.transaction_once(work);
        self.space.restore(&self.engine, ended.is_ok());
        ended
    }

    fn transaction_once<T>(&mut self, work: impl FnOnce(&Engine) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.begin(false)?;
        match work(&self.engine) {
            Ok(value) => match self.engine.command("COMMIT") {
                Ok(()) => Ok(value),
                Err(e) => {
                    self.leave_open(&e);
                    Err(e)
                }
            },
            Err(e) => {
                self.roll_back();
                Err(e)
            }
        }
    }

    /// The revisions that a commit wrote.
    pub(crate) fn outcome(&mut self, commit_id: [u8; 16]) -> Result<Option<(u64, u64)>, StoreError> {
        let found = self.look_up(commit_id);
        self.space.restore(&self.engine, false);
        found
    }

    fn look_up(&mut self, commit_id: [u8; 16]) -> Result<Option<(u64, u64)>, StoreError> {
        self.settle()?;
        let values = [commit_id.as_slice().into()];
        Ok(self.engine.one(statements::OUTCOME, &values, rows::read_outcome)?.flatten())
    }

    /// Repairing a commit that failed in its last step uses some of the reserve. So after one, only
    /// changes that take something away are tried until there is space again.
    fn begin(&mut self, takes_away: bool) -> Result<(), StoreError> {
        self.settle()?;
        if !takes_away && self.space.is_tight() {
            return Err(StoreError::Full("no space is left; free some on the disk of the data folder".to_owned()));
        }
        self.engine.command("BEGIN IMMEDIATE")
    }

    fn leave_open(&mut self, error: &StoreError) {
        self.open_end = true;
        if matches!(error, StoreError::Full(_)) {
            self.space.suspect();
        }
    }

    fn roll_back(&mut self) {
        // Some failures have rolled back by themselves. If this rollback fails, `settle` tries again
        // before anything else is done.
        if !self.engine.connection().is_autocommit()
            && let Err(e) = self.engine.command("ROLLBACK")
        {
            tracing::warn!(error = %e, "a batch could not be rolled back yet");
        }
    }

    /// Brings the connection back to a state with nothing open. The caller fills the reserve again only
    /// at its end; otherwise this could use the reserve over and over.
    fn settle(&mut self) -> Result<(), StoreError> {
        if !self.engine.connection().is_autocommit() {
            self.engine.command("ROLLBACK")?;
        }
        if !self.open_end {
            return Ok(());
        }
        // Until this is done nothing can be taken away either, so it may use the reserve.
        while let Err(error) = self.mend() {
            if !matches!(error, StoreError::Full(_)) || !self.space.make(&self.engine) {
                return Err(error);
            }
        }
        let head = self.engine.one(statements::HEAD, &[], rows::read_head)?;
        self.set_head(head.ok_or_else(|| StoreError::Corrupt("the row of the head is gone".to_owned()))?);
        self.open_end = false;
        Ok(())
    }

    fn mend(&self) -> Result<(), StoreError> {
        if self.write_over().is_ok() {
            return Ok(());
        }
        // The log itself finds no more room. Moving it into the main file makes some.
        if !self.engine.connection().is_autocommit() {
            self.engine.command("ROLLBACK")?;
        }
        self.engine.command("PRAGMA wal_checkpoint(TRUNCATE)")?;
        self.write_over()
    }

    /// A small commit that overwrites the start of the failed one in the log.
    fn write_over(&self) -> Result<(), StoreError> {
        self.engine.command(
            "BEGIN IMMEDIATE; \
             INSERT INTO meta (name, value) VALUES ('settled', 1) ON CONFLICT (name) DO UPDATE SET value = meta.value + 1; \
             COMMIT",
        )
    }

    fn known_head(&self) -> Head {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_head(&self, head: Head) {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
    }
}

/// Runs all statements of a batch inside the open transaction.
fn fill(engine: &Engine, head: Head, batch: &Batch) -> Result<(Vec<Outcome>, Head), CommitError> {
    let mut heads = HashMap::new();
    for business in Appender::businesses(batch) {
        let head = engine.one(statements::BUSINESS_HEAD, &[business.into()], rows::read_business_head);
        if let Some(head) = head.map_err(CommitError::NotApplied)? {
            heads.insert(business, head);
        }
    }
    let mut appender = Appender::new(batch.commit_id, head, heads);
    let mut outcomes = Vec::with_capacity(batch.writes.len());
    for (index, write) in batch.writes.iter().enumerate() {
        if !hold(engine, index, write)? {
            outcomes.push(Outcome::Conflict);
            continue;
        }
        let applied = appender.apply(write).map_err(CommitError::NotApplied)?;
        for step in &applied.steps {
            run(engine, index, step)?;
        }
        outcomes.push(Outcome::Applied { revision: applied.revision });
    }
    for step in appender.finish().map_err(CommitError::NotApplied)? {
        engine.run(step.statement, &step.values).map_err(CommitError::NotApplied)?;
    }
    Ok((outcomes, appender.head()))
}

/// Whether the conditions of a write hold; if not, what they changed is undone.
fn hold(engine: &Engine, index: usize, write: &Write) -> Result<bool, CommitError> {
    let conditions = append::conditions(write);
    if conditions.is_empty() {
        return Ok(true);
    }
    let command = |sql| engine.command(sql).map_err(CommitError::NotApplied);
    command("SAVEPOINT one_write")?;
    for step in &conditions {
        let rows = run(engine, index, step)?;
        if step.expect.is_some_and(|expected| expected != rows as u64) {
            command("ROLLBACK TO one_write")?;
            command("RELEASE one_write")?;
            return Ok(false);
        }
    }
    command("RELEASE one_write")?;
    Ok(true)
}

fn run(engine: &Engine, index: usize, step: &Step) -> Result<usize, CommitError> {
    engine.execute(step.statement, &step.values).map_err(|e| match e.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => {
            CommitError::Refused { index, detail: format!("{}: {e}", step.statement.name) }
        }
        _ => CommitError::NotApplied(failed(step.statement.name, &e)),
    })
}

#[cfg(test)]
mod tests {
    use valetkey_domain::change::ActorKind;
    use valetkey_domain::noun::terms::Terms;
    use valetkey_domain::{Action, Actor, Change, ChangeSet, Record};

    use super::*;
    use crate::open::{lock_database, open_writer};

    fn batch(n: u8) -> Batch {
        let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
        let terms = Record::Terms(Terms { version: u32::from(n), text: "t".to_owned() });
        let changes = vec![Change { before: None, after: Some(terms) }];
        let set =
            ChangeSet { at: 0, action: Action::TermsReplaced, actor, business: None, subjects: Vec::new(), changes };
        Batch { commit_id: [n; 16], writes: vec![Write { set, content: Vec::new(), jobs: Vec::new(), salt: [n; 16] }] }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn after_a_commit_found_the_disk_full_only_what_takes_something_away_is_tried() {
        let folder = std::env::temp_dir().join(format!("valetkey-tight-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let _lock = lock_database(&folder.join("valetkey.db")).unwrap();
        let (engine, head) = open_writer(&folder.join("valetkey.db"), &folder, None).unwrap();
        let space = Space::without_end();
        let mut state = State { engine, head: Arc::new(Mutex::new(head)), space, open_end: false };
        assert_eq!(state.transaction(|_| Ok(())), Ok(()));
        let full = || StoreError::Full("the last step failed".to_owned());
        assert_eq!(state.failed_commit(full(), [1; 16]), CommitError::NotApplied(full()));
        assert!(!state.open_end);
        for _ in 0..3 {
            let refused = state.transaction(|_| Ok(())).unwrap_err();
            assert!(matches!(&refused, StoreError::Full(text) if text.contains("free some")), "{refused}");
        }
        assert!(!state.open_end, "it was not even begun");
        assert_eq!(state.commit(&batch(2)), Ok(vec![Outcome::Applied { revision: 1 }]));
        // Once there is space, everything works again.
        state.space = Space::of(&folder, None);
        state.space.suspect();
        assert_eq!(state.transaction(|_| Ok(())), Ok(()));
        assert!(!state.space.is_tight());
        drop(state);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn after_a_commit_with_an_open_end_nothing_is_said_until_it_is_written_over() {
        let folder = std::env::temp_dir().join(format!("valetkey-writer-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let _lock = lock_database(&folder.join("valetkey.db")).unwrap();
        let (engine, head) = open_writer(&folder.join("valetkey.db"), &folder, None).unwrap();
        let space = Space::of(&folder, None);
        let mut state = State { engine, head: Arc::new(Mutex::new(head)), space, open_end: false };
        let error = || StoreError::Full("the last step failed".to_owned());
        // The bytes in the log can be overwritten at once: it was surely not applied.
        assert_eq!(state.failed_commit(error(), [1; 16]), CommitError::NotApplied(error()));
        assert!(!state.open_end);
        // They can't be overwritten: the outcome is unknown, and nothing else is written.
        state.engine.command("PRAGMA query_only = ON").unwrap();
        assert_eq!(state.failed_commit(error(), [1; 16]), CommitError::Unknown(error()));
        assert!(state.outcome([1; 16]).is_err());
        assert!(matches!(state.commit(&batch(2)), Err(CommitError::NotApplied(_))));
        assert!(state.transaction(|_| Ok(())).is_err());
        // Later they can.
        state.engine.command("PRAGMA query_only = OFF").unwrap();
        assert_eq!(state.outcome([1; 16]), Ok(None));
        assert_eq!(state.commit(&batch(3)), Ok(vec![Outcome::Applied { revision: 1 }]));
        assert_eq!(state.outcome([3; 16]), Ok(Some((1, 1))));
        drop(state);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
