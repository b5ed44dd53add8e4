//! What outlives a restart: a store, a master key, a clock. Which store it is says the environment
//! variable `VALETKEY_TEST_STORE`: `memory`, which is the default, `sqlite` or `postgres`.
//!
//! `cargo xtask test` runs the tests of the service and of the adapters once with each. A test must not
//! know which of them it got.
#![allow(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc)]

use std::path::PathBuf;
use std::sync::Arc;

use valetkey_domain::Random;
use valetkey_seal::{KeyRing, MasterKey, OsRandom, WrappedKey};
use valetkey_service::{Deps, OpenError, Service};
use valetkey_store::{Faulty, MemoryStore, Store};
use valetkey_store_postgres::PostgresStore;
use valetkey_store_sqlite::SqliteStore;

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
    /// The one that the environment names.
    pub fn of_environment() -> Engine {
        match std::env::var("VALETKEY_TEST_STORE").as_deref() {
            Ok("memory") | Err(std::env::VarError::NotPresent) => Engine::Memory,
            Ok("sqlite") => Engine::Sqlite,
            Ok("postgres") => Engine::Postgres,
            other => panic!("VALETKEY_TEST_STORE is {other:?}; it can be memory, sqlite or postgres"),
        }
    }
}

/// The ground of one test. Dropping it takes its data away.
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

/// Where the data is. It is dropped after the store.
#[derive(Debug)]
enum Home {
    Memory,
    Folder(#[allow(dead_code, reason = "it is kept for its end")] Folder),
    Database(postgres::Database),
}

impl Ground {
    /// Over the store of the environment.
    pub async fn new() -> Ground {
        Ground::over(Engine::of_environment()).await
    }

    /// Over the memory store, for tests that let time stand still: real input and output would
    /// wait for ever beside a clock that jumps.
    pub async fn in_memory() -> Ground {
        Ground::over(Engine::Memory).await
    }

    async fn over(engine: Engine) -> Ground {
        let (store, home): (Arc<dyn Store>, Home) = match engine {
            Engine::Memory => (Arc::new(MemoryStore::new()), Home::Memory),
            Engine::Sqlite => {
                let folder = Folder::new();
                (Arc::new(SqliteStore::open(&folder.0).unwrap()), Home::Folder(folder))
            }
            Engine::Postgres => {
                let database = postgres::Database::new().unwrap();
                (Arc::new(PostgresStore::connect(database.dsn()).await.unwrap()), Home::Database(database))
            }
        };
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

    /// One more node as another process would be it, with connections of its own where the store
    /// lets several processes in.
    pub async fn stranger(&self, seed: u64) -> Service {
        let store: Arc<dyn Store> = match &self.home {
            Home::Database(database) => Arc::new(PostgresStore::connect(database.dsn()).await.unwrap()),
            Home::Memory | Home::Folder(_) => Arc::clone(&self.store),
        };
        Service::open(self.deps(store, Box::new(SeededRandom::new(seed)), "stranger")).await.unwrap()
    }
}

/// A folder that goes when the test ends.
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
