//! What outlives a restart: a store, a master key, a clock. The environment variable
//! `VALETKEY_TEST_STORE` selects the store: `memory`, which is the default, `sqlite` or `postgres`.
//!
//! `cargo xtask test` runs the tests of the service and of the adapters once with each. A test must not
//! depend on which of them it got.
#![allow(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc)]

use std::path::PathBuf;
use std::sync::Arc;

use valetkey_domain::{Id, JobId, Random};
use valetkey_seal::{KeyRing, MasterKey, OsRandom, WrappedKey};
use valetkey_service::{Deps, OpenError, Service};
use valetkey_store::{Faulty, Job, MemoryStore, Store};
use valetkey_store_postgres::PostgresStore;
pub use valetkey_store_sqlite::SqliteStore;

use crate::clock::TestClock;
use crate::postgres;
use crate::random::SeededRandom;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Memory,
    Sqlite,
    Postgres,
}

impl Engine {
    /// The store that the environment names.
    pub fn of_environment() -> Engine {
        match std::env::var("VALETKEY_TEST_STORE").as_deref() {
            Ok("memory") | Err(std::env::VarError::NotPresent) => Engine::Memory,
            Ok("sqlite") => Engine::Sqlite,
            Ok("postgres") => Engine::Postgres,
            other => panic!("VALETKEY_TEST_STORE is {other:?}; it can be memory, sqlite or postgres"),
        }
    }
}

/// The ground of one test. Dropping it deletes its data.
pub struct Ground {
    pub store: Arc<dyn Store>,
    /// The same store, behind a wrapper that fails on purpose.
    pub faulty: Faulty,
    pub clock: Arc<TestClock>,
    master: MasterKey,
    wrapped: Vec<WrappedKey>,
    home: Home,
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").field("engine", &self.store.engine()).finish_non_exhaustive()
    }
}

/// Where the data is. This is dropped after the store.
#[derive(Debug)]
enum Home {
    Memory(MemoryStore),
    Folder(SqliteStore, #[allow(dead_code, reason = "it is kept for its end")] Folder),
    Database(postgres::Database),
}

impl Ground {
    /// Over the store of the environment.
    pub async fn new() -> Ground {
        Ground::over(Engine::of_environment()).await
    }

    /// Over the memory store, for tests with paused time: a paused clock jumps ahead while real input
    /// and output are still waiting.
    pub async fn in_memory() -> Ground {
        Ground::over(Engine::Memory).await
    }

    /// Over SQLite on a disk that holds at most `limit_pages` pages of 4 KiB. Without a reserve, the file
    /// that keeps space for revocations can't be made.
    pub fn on_a_small_disk(limit_pages: u32, has_reserve: bool) -> (Ground, SqliteStore) {
        let folder = Folder::new();
        if !has_reserve {
            std::fs::create_dir_all(folder.0.join("valetkey.reserve")).unwrap();
        }
        let store = SqliteStore::open_with(&folder.0, Some(limit_pages)).unwrap();
        (Ground::on(Arc::new(store.clone()), Home::Folder(store.clone(), folder)), store)
    }

    async fn over(engine: Engine) -> Ground {
        let (store, home): (Arc<dyn Store>, Home) = match engine {
            Engine::Memory => {
                let store = MemoryStore::new();
                (Arc::new(store.clone()), Home::Memory(store))
            }
            Engine::Sqlite => {
                let folder = Folder::new();
                let store = SqliteStore::open(&folder.0).unwrap();
                (Arc::new(store.clone()), Home::Folder(store, folder))
            }
            Engine::Postgres => {
                let database = postgres::Database::new().unwrap();
                (Arc::new(PostgresStore::connect(database.dsn()).await.unwrap()), Home::Database(database))
            }
        };
        Ground::on(store, home)
    }

    fn on(store: Arc<dyn Store>, home: Home) -> Ground {
        let master = MasterKey::generate(&OsRandom).unwrap();
        let ring = KeyRing::open(&master, []).unwrap();
        let wrapped = vec![ring.new_data_key(&master, &OsRandom).unwrap()];
        let faulty = Faulty::quiet(Arc::clone(&store));
        Ground { store, faulty, clock: Arc::new(TestClock::new()), master, wrapped, home }
    }

    /// The keys that app secrets are sealed with.
    pub fn keys(&self) -> KeyRing {
        KeyRing::open(&self.master, self.wrapped.clone()).unwrap()
    }

    pub fn deps(&self, store: Arc<dyn Store>, random: Box<dyn Random>, node: &str) -> Deps {
        let clock = Arc::clone(&self.clock) as Arc<dyn valetkey_service::Clock>;
        Deps { store, clock, random, keys: self.keys(), node: node.to_owned() }
    }

    /// One more node, with its own random source.
    pub async fn node(&self, seed: u64) -> Service {
        self.open(Box::new(SeededRandom::new(seed))).await.unwrap()
    }

    pub async fn open(&self, random: Box<dyn Random>) -> Result<Service, OpenError> {
        Service::open(self.deps(Arc::new(self.faulty.clone()), random, "node")).await
    }

    /// Puts a row of a job into the store without a ledger entry, as somebody with write access could.
    pub async fn plant_job(&self, job: &Job) {
        match &self.home {
            Home::Memory(store) => store.plant_job(job.id, Some(job.clone())),
            Home::Folder(store, _) => store.run_past_the_store(planted(job)).await.unwrap(),
            Home::Database(database) => database.sql(&planted(job)).map(drop).unwrap(),
        }
    }

    /// Removes a row of a job without a ledger entry.
    pub async fn take_job(&self, id: JobId) {
        let sql = format!("DELETE FROM jobs WHERE id = {id}");
        match &self.home {
            Home::Memory(store) => store.plant_job(id, None),
            Home::Folder(store, _) => store.run_past_the_store(sql).await.unwrap(),
            Home::Database(database) => database.sql(&sql).map(drop).unwrap(),
        }
    }

    /// One more node as in another process, with its own connections if the store lets several
    /// processes in.
    pub async fn stranger(&self, seed: u64) -> Service {
        let store: Arc<dyn Store> = match &self.home {
            Home::Database(database) => Arc::new(PostgresStore::connect(database.dsn()).await.unwrap()),
            Home::Memory(_) | Home::Folder(..) => Arc::clone(&self.store),
        };
        Service::open(self.deps(store, Box::new(SeededRandom::new(seed)), "stranger")).await.unwrap()
    }
}

/// The row in SQL that both engines read.
fn planted(job: &Job) -> String {
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let maybe = |text: Option<String>| text.unwrap_or_else(|| "NULL".to_owned());
    let number = |n: Option<i64>| maybe(n.map(|n| n.to_string()));
    let id = |id: Option<Id>| number(id.map(Id::as_i64));
    let columns: [(&str, String); 15] = [
        ("id", job.id.to_string()),
        ("kind", text(&job.kind)),
        ("due_at", job.due_at.to_string()),
        ("payload", text(&job.payload)),
        ("attempts", job.attempts.to_string()),
        ("lease_until", number(job.lease_until)),
        ("holder", maybe(job.holder.as_deref().map(text))),
        ("actor_kind", maybe(job.actor.map(|a| text(a.kind.as_str())))),
        ("actor_id", id(job.actor.and_then(|a| a.id))),
        ("actor_token", id(job.actor.and_then(|a| a.token).map(Id::any))),
        ("state", text(job.state.as_str())),
        ("not_before", job.not_before.to_string()),
        ("reason", maybe(job.reason.as_deref().map(text))),
        ("tried_at", number(job.tried_at)),
        ("revision", number(job.revision.and_then(|r| i64::try_from(r).ok()))),
    ];
    let (names, values): (Vec<&str>, Vec<String>) = columns.into_iter().unzip();
    format!(
        "DELETE FROM jobs WHERE id = {}; INSERT INTO jobs ({}) VALUES ({})",
        job.id,
        names.join(", "),
        values.join(", ")
    )
}

/// A folder that is deleted when the test ends.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        Folder(std::env::temp_dir().join(format!("valetkey-ground-{}", postgres::random_hex().unwrap())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
