//! What every suite may need while it runs.
//!
//! It must never start a server that nobody asked for.

use std::path::{Path, PathBuf};

use anyhow::Result;
use valetkey_test_postgres::{Options as Database, Server as Postgres};

use crate::needs::Tools;
use crate::reaper::Reaper;

/// What every suite may need while it runs.
pub struct Work<'a> {
    pub root: &'a Path,
    pub reaper: &'a Reaper,
    pub tools: Tools,
    /// This program itself, for suites that ask it for a database server.
    pub program: PathBuf,
    /// Logs of servers; they stay after the run.
    pub logs: PathBuf,
}

impl Work<'_> {
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    /// A private PostgreSQL server with an empty database, whose address is the second value.
    pub fn postgres(&self, name: &str) -> Result<(Postgres, String)> {
        let log = self.log(&format!("{name}-database"));
        // The server appends to the file, so the log of an earlier run is removed.
        let _ = std::fs::remove_file(&log);
        let server = Postgres::start(Database { log: Some(log), ..Database::default() })?;
        let address = server.dsn("postgres");
        Ok((server, address))
    }
}
