//! Starting a service: the load of the index, the writer, and the background work.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, RwLock};

use tokio::sync::mpsc;
use valetkey_authz::Loading;
use valetkey_domain::IdSource;

use crate::anchor::Anchor;
use crate::core::{Deps, Inner, OpenError, Service};
use crate::journal::Journal;
use crate::receipt::Receipts;
use crate::usage::Usage;
use crate::uses::Uses;
use crate::writer;

/// How many commands may wait for the writer before callers wait for a place in the queue.
const QUEUE_LIMIT: usize = 4096;

impl Service {
    /// Loads the index from the store and starts the writer. Must be called inside a runtime.
    ///
    /// # Errors
    /// When the store can't be read, or holds what this version does not know.
    pub async fn open(deps: Deps) -> Result<Service, OpenError> {
        let Deps { store, clock, mut random, keys, node } = deps;
        let mut loading = Loading::new();
        // A commit of an earlier process may still be under way; it holds this lock. Without the wait,
        // a right that it takes away would stay in force here until the next write.
        drop(store.lock_head().await?);
        let head = store.load(&mut |record| loading.insert(record)).await?;
        let index = loading.finish(head.revision);
        if let Some(what) = index.broken() {
            return Err(OpenError::Ledger(what.to_owned()));
        }
        let mut start = [0u8; 8];
        if !random.fill(&mut start) {
            return Err(OpenError::Random);
        }
        let ids = IdSource::new(u64::from_le_bytes(start));
        let (commands, queue) = mpsc::channel(QUEUE_LIMIT);
        let now = clock.now();
        let inner = Arc::new(Inner {
            index: RwLock::new(index),
            anchor: Mutex::new(Anchor::of(head)),
            clock,
            keys: RwLock::new(keys),
            node,
            commands,
            journal: Journal::new(),
            receipts: Mutex::new(Receipts::new(head.revision, now)),
            uses: Uses::default(),
            usage: Usage::default(),
            allowed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            fresh_until_ms: AtomicU64::new(u64::MAX),
            stopped: AtomicBool::new(false),
            wake_jobs: tokio::sync::Notify::new(),
            writing: Arc::default(),
            verified: Mutex::default(),
            store,
        });
        tokio::spawn(writer::run(Arc::clone(&inner), queue, ids, random));
        let service = Service { inner };
        // Before anything else is written: the newest entry shows whether this version wrote before.
        crate::jobs::enter_old_jobs(&service).await?;
        Ok(service)
    }

    /// Runs the background work (jobs, use counts, refusals, the daily check of the ledger) until
    /// `stop` fires.
    pub async fn run_background(&self, stop: tokio_util::sync::CancellationToken) {
        let checks = tokio::spawn(crate::verification::keep_verified(self.clone(), stop.clone()));
        crate::jobs::run(self.clone(), stop).await;
        if checks.await.is_err() {
            tracing::error!("the daily check of the ledger broke off");
        }
    }

    /// Writes use counts and refusals until `stop` fires, and runs no job.
    pub async fn keep_records(&self, stop: tokio_util::sync::CancellationToken) {
        crate::telemetry::keep_records(self, stop).await;
    }
}
