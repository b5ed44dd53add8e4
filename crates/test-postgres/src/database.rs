//! A database of its own for one test, on the server that `VALETKEY_TEST_POSTGRES` names, or on the
//! private one of the test process.
//!
//! It must never drop a database that it did not make.

use super::binaries::Binaries;
use super::{Error, Server, psql, random_hex};

/// The variable with a server's address, including the name of a database to connect to.
const ADDRESS: &str = "VALETKEY_TEST_POSTGRES";

/// A fresh database. Dropping it drops the database.
pub struct Database {
    name: String,
    dsn: String,
    /// The server's address, if it is not our own.
    at: Option<(Binaries, String)>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Database {
    /// Makes one.
    ///
    /// # Errors
    /// As for [`Server::start`], and what `psql` said.
    pub fn new() -> Result<Database, Error> {
        let Ok(address) = std::env::var(ADDRESS) else {
            let server = Server::shared()?;
            let name = server.create_database()?;
            return Ok(Database { dsn: server.dsn(&name), name, at: None });
        };
        let binaries = Binaries::find()?;
        let name = format!("test_{}", random_hex()?);
        let Some((server, _)) = address.rsplit_once('/') else {
            return Err(Error::new(format!(
                "{ADDRESS} is not of the form postgres://user:password@host:port/database"
            )));
        };
        let dsn = format!("{server}/{name}");
        let database = Database { name, dsn, at: Some((binaries, address)) };
        database.say(&format!("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'", database.name))?;
        Ok(database)
    }

    /// Its address, with user and password.
    pub fn dsn(&self) -> &str {
        &self.dsn
    }

    /// Runs SQL in it on a connection of its own, beside the store under test.
    ///
    /// # Errors
    /// What `psql` said.
    pub fn sql(&self, statement: &str) -> Result<String, Error> {
        match &self.at {
            None => Server::shared()?.sql(&self.name, statement),
            Some((binaries, _)) => {
                let connect = |command: &mut std::process::Command| {
                    command.args(["-d", &self.dsn]);
                };
                psql(binaries, connect, &["-c".as_ref(), statement.as_ref()])
            }
        }
    }

    fn say(&self, statement: &str) -> Result<(), Error> {
        let Some((binaries, address)) = &self.at else { return Ok(()) };
        let connect = |command: &mut std::process::Command| {
            command.args(["-d", address]);
        };
        psql(binaries, connect, &["-c".as_ref(), statement.as_ref()]).map(drop)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Our own server is removed as a whole when the process ends.
        let _ = self.say(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}
