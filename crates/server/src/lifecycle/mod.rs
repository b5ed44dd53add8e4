//! Starts and stops the service of a configuration: folder, store, lease, keys and service are
//! opened in this order and closed in the opposite one.
//!
//! A service must never outlive the lock or the lease that makes it the only one on its store.

pub mod folder;
pub mod signals;
pub mod socket;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use valetkey_service::{Clock, Deps, Lease, Service};
use valetkey_store::Store;
use valetkey_store::ledger::to_hex;
use valetkey_store_postgres::{PostgresStore, Settings};
use valetkey_store_sqlite::SqliteStore;

use crate::clock::SystemClock;
use crate::config::{Address, Config, StoreChoice};
use crate::keys;
use crate::random::{self, SystemRandom};
use folder::DataFolder;

/// A service with its store, lease and folder. It has to be closed, so that pending writes are not
/// lost and the next start need not wait.
#[derive(Debug)]
pub struct Node {
    service: Service,
    lease: Option<Lease>,
    background: JoinHandle<()>,
    stop_background: CancellationToken,
    // Declared last, so the folder is unlocked after everything else is dropped.
    folder: DataFolder,
}

/// Whether a master key may be made if there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstKey {
    /// The data were set up before.
    MustBeThere,
    /// The data are being set up.
    MayBeMade,
}

/// What a service does in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Runs due jobs, and writes use counts and refusals.
    All,
    /// Only writes use counts and refusals. A single command must not run jobs, such as publishing
    /// a post.
    Records,
}

/// Opens the service of a configuration, as the only node on its store, for one command. The node
/// has to be closed at the end.
///
/// # Errors
/// When the folder is missing or locked, when the store can't be used or another node works on it,
/// or when the keys don't fit.
pub async fn open_service(config: &Config) -> anyhow::Result<(Service, Node)> {
    let folder = DataFolder::take(&config.data)?;
    let node = Node::open(config, folder, FirstKey::MustBeThere, Background::Records).await?;
    Ok((node.service().clone(), node))
}

impl Node {
    /// Opens the service in a folder that is already locked.
    ///
    /// # Errors
    /// As [`open_service`].
    pub async fn open(
        config: &Config,
        folder: DataFolder,
        first_key: FirstKey,
        work: Background,
    ) -> anyhow::Result<Node> {
        // This runs before the store is opened, so that a wrong folder is not changed.
        check_key(config, &folder, first_key)?;
        let store = open_store(config, folder.path()).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let lease = match &config.store {
            // SQLite needs no lease: the lock of the data file has the same effect.
            StoreChoice::Sqlite => None,
            StoreChoice::Postgres(_) => {
                Some(Lease::take(Arc::clone(&store), Arc::clone(&clock), holder(config)?, config.lease).await?)
            }
        };
        let opened = async {
            let service = open_on(config, folder.path(), first_key, &store, clock).await?;
            if let Some(lease) = &lease {
                lease.attach(&service).await?;
            }
            anyhow::Ok(service)
        };
        let service = match opened.await {
            Ok(service) => service,
            Err(error) => {
                if let Some(lease) = lease {
                    lease.release().await;
                }
                return Err(error);
            }
        };
        let stop_background = CancellationToken::new();
        let (worker, stop) = (service.clone(), stop_background.clone());
        let background = tokio::spawn(async move {
            match work {
                Background::All => worker.run_background(stop).await,
                Background::Records => worker.keep_records(stop).await,
            }
        });
        Ok(Node { service, lease, background, stop_background, folder })
    }

    /// The service.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The data folder.
    pub fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Fires once this node must stop answering; never if no lease is needed.
    pub fn lost(&self) -> CancellationToken {
        self.lease.as_ref().map_or_else(CancellationToken::new, Lease::lost)
    }

    /// Writes pending rows, stops the service and releases the lease.
    pub async fn close(self) {
        self.stop_background.cancel();
        if self.background.await.is_err() {
            tracing::error!("the background work broke off");
        }
        self.service.stop();
        if let Some(lease) = self.lease {
            lease.release().await;
        }
    }
}

/// Fails if the master key should be there and is not, or can't be read.
///
/// # Errors
/// Where the key was looked for, and what to do.
pub fn check_key(config: &Config, folder: &DataFolder, first_key: FirstKey) -> anyhow::Result<()> {
    if first_key == FirstKey::MustBeThere {
        keys::read(folder.path(), &config.master_key)?;
    }
    Ok(())
}

async fn open_store(config: &Config, folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
    match &config.store {
        StoreChoice::Sqlite => {
            let folder = folder.to_owned();
            let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&folder)).await;
            Ok(Arc::new(opened.context("opening the store broke off")??))
        }
        StoreChoice::Postgres(address) => connect(config, address).await,
    }
}

async fn connect(config: &Config, address: &Address) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(PostgresStore::connect_with(settings(config, address)?).await?))
}

/// Connects to a PostgreSQL store only to read, beside the node that works on it.
///
/// # Errors
/// When the root certificate can't be read, or the database can't be used.
pub async fn connect_to_read(config: &Config, address: &Address) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(PostgresStore::connect_to_read(settings(config, address)?).await?))
}

fn settings(config: &Config, address: &Address) -> anyhow::Result<Settings> {
    let roots = match &config.store_root_certificate {
        Some(path) => std::fs::read(path)
            .with_context(|| format!("the root certificate of the store, {}, can't be read", path.display()))?,
        None => Vec::new(),
    };
    Ok(Settings::new(address.expose(), &roots)?)
}

/// A name for the lease that no other start of any node has, even one with a copy of this folder.
fn holder(config: &Config) -> anyhow::Result<String> {
    Ok(format!("{} ({})", config.node, to_hex(&random::bytes::<8>()?)))
}

async fn open_on(
    config: &Config,
    folder: &Path,
    first_key: FirstKey,
    store: &Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Service> {
    store.migrate().await?;
    // A new key can't open what an older one sealed, so none is made if the store has data keys.
    let is_new = store.keys().await?.is_empty();
    let master = match first_key {
        FirstKey::MayBeMade if is_new => keys::read_or_make(folder, &config.master_key)?,
        FirstKey::MayBeMade => {
            let read = keys::read(folder, &config.master_key);
            read.context("the store holds the data of a Valetkey already; name an empty one, or bring its master key")?
        }
        FirstKey::MustBeThere => keys::read(folder, &config.master_key)?,
    };
    let ring = keys::open_ring(&**store, &master).await?;
    let deps =
        Deps { store: Arc::clone(store), clock, random: Box::new(SystemRandom), keys: ring, node: config.node.clone() };
    Ok(Service::open(deps).await?)
}
