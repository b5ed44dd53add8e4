//! The connections that read. They see what is committed, and nothing else.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::Sender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use valetkey_domain::Record;
use valetkey_store::sql::{records, rows, statements};
use valetkey_store::{Head, StoreError};

use crate::connection::{Engine, Texts};
use crate::open::connect;

/// How many read at once; others wait.
const READERS: usize = 4;
/// How many records one chunk holds while loading.
const CHUNK: usize = 2_048;
/// How many chunks may wait to be read.
pub(crate) const CHUNKS_AHEAD: usize = 4;

pub(crate) struct Readers {
    path: PathBuf,
    texts: Texts,
    idle: Mutex<Vec<Engine>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, texts: Texts) -> Readers {
        Readers { path, texts, idle: Mutex::new(Vec::new()), permits: Arc::new(Semaphore::new(READERS)) }
    }

    pub(crate) async fn permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        permit.map_err(|_| StoreError::Other("the store is closing".to_owned()))
    }

    /// Runs a read on an idle connection, or a new one. Blocks.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Engine) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let engine = match idle {
            Some(engine) => engine,
            None => {
                let engine = connect(&self.path, Arc::clone(&self.texts))?;
                engine.command("PRAGMA query_only = ON; PRAGMA cache_size = -16384")?;
                engine
            }
        };
        let result = work(&engine);
        // A connection that a failure left inside a transaction would show old data for ever.
        if engine.connection().is_autocommit() {
            self.idle().push(engine);
        }
        result
    }

    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Engine>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends all records of one revision, in chunks. Stops early when nobody listens any more.
pub(crate) fn load(engine: &Engine, send: &Sender<Vec<Record>>) -> Result<Head, StoreError> {
    in_one_view(engine, || load_tables(engine, send))
}

/// Runs reads in one transaction, so that all of them show the same revision.
fn in_one_view<T>(engine: &Engine, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    engine.command("BEGIN")?;
    match work() {
        Ok(value) => engine.command("COMMIT").map(|()| value),
        Err(error) => {
            // Some failures have ended the transaction by themselves, and the first failure must be
            // reported. A connection that stays inside a transaction is not used again.
            if !engine.connection().is_autocommit() {
                let _ = engine.command("ROLLBACK");
            }
            Err(error)
        }
    }
}

fn load_tables(engine: &Engine, send: &Sender<Vec<Record>>) -> Result<Head, StoreError> {
    let head = engine.one(statements::HEAD, &[], rows::read_head)?;
    let head = head.ok_or_else(|| StoreError::Corrupt("the row of the head is gone".to_owned()))?;
    let mut chunk = Vec::with_capacity(CHUNK);
    for table in records::TABLES {
        engine.rows(table.load, &mut |row| {
            chunk.push((table.read)(row)?);
            if chunk.len() < CHUNK {
                return Ok(true);
            }
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
            Ok(send.blocking_send(full).is_ok())
        })?;
    }
    // If nobody listens any more, the last chunk is not needed.
    let _ = send.blocking_send(chunk);
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::texts;

    #[test]
    fn the_first_failure_is_the_one_that_is_reported() {
        let engine = Engine::new(rusqlite::Connection::open_in_memory().unwrap(), texts());
        let first = || StoreError::Corrupt("the first thing that failed".to_owned());
        // The failure has ended the transaction, so there is none to commit.
        let ended: Result<(), StoreError> = in_one_view(&engine, || {
            engine.command("ROLLBACK")?;
            Err(first())
        });
        assert_eq!(ended, Err(first()));
        let open: Result<(), StoreError> = in_one_view(&engine, || Err(first()));
        assert_eq!(open, Err(first()));
        assert!(engine.connection().is_autocommit());
        assert_eq!(in_one_view(&engine, || Ok(7)), Ok(7));
        assert!(engine.connection().is_autocommit());
    }
}
