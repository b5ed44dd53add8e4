//! The service itself: store, index, keys and clock, and the one way to ask.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard};

use tokio::sync::mpsc;
use valetkey_authz::{Decision, Denial, Index, Question, Subject, View};
use valetkey_domain::{Random, Reason, Refusal, State, UnixMs};
use valetkey_seal::KeyRing;
use valetkey_store::{Store, StoreError, UsedFor, Verification};

use crate::anchor::Anchor;
use crate::call::{Call, Credential, Used};
use crate::clock::Clock;
use crate::journal::Journal;
use crate::readiness::Readiness;
use crate::receipt::{Confirmation, Receipt, Receipts};
use crate::usage::Usage;
use crate::uses::{UsedFrom, Uses};
use crate::writer::{Envelope, WriteState};

/// What a service is made of.
pub struct Deps {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// The writer's own random source, for the starts of ids, credentials and salts.
    pub random: Box<dyn Random>,
    pub keys: KeyRing,
    /// The name of this node in receipts and in the lease.
    pub node: String,
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps").field("node", &self.node).finish_non_exhaustive()
    }
}

/// Why a service can't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the random source failed")]
    Random,
    #[error("the ledger can't be followed: {0}")]
    Ledger(String),
}

/// All use cases. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(crate) inner: Arc<Inner>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("node", &self.inner.node).finish_non_exhaustive()
    }
}

pub(crate) struct Inner {
    pub index: RwLock<Index>,
    /// The newest place in the ledger's chain whose hash this node knows.
    pub anchor: Mutex<Anchor>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub keys: RwLock<KeyRing>,
    pub node: String,
    pub commands: mpsc::Sender<Envelope>,
    pub journal: Journal,
    pub receipts: Mutex<Receipts>,
    pub uses: Uses,
    pub usage: Usage,
    pub allowed: AtomicU64,
    pub refused: AtomicU64,
    /// Until when, on the monotonic clock, this node may answer; `u64::MAX` if no lease is used,
    /// [`HALTED`] once it may never answer again.
    pub fresh_until_ms: AtomicU64,
    pub stopped: AtomicBool,
    pub wake_jobs: tokio::sync::Notify,
    /// Whether the store can write, and which changes are in force but not written.
    pub writing: Arc<WriteState>,
    /// What the last check of the ledger found, as far as this node read it.
    pub verified: Mutex<Option<Verification>>,
}

/// A moment so early that no lease ends at it: the mark of a node that is halted.
const HALTED: u64 = 1;

impl Service {
    /// Whether the index can be trusted: `false` once a fold failed or a lease ran out.
    pub fn is_fresh(&self) -> bool {
        self.inner.index().is_ok()
    }

    /// Says until when this node may answer, on the monotonic clock. A node whose lease ran out has
    /// to [catch up](Service::catch_up) instead.
    pub fn set_fresh_until_ms(&self, deadline_ms: u64) {
        let deadline_ms = if deadline_ms == HALTED { 0 } else { deadline_ms };
        let keep_halted = |old| (old != HALTED).then_some(deadline_ms);
        // A node that did not understand the ledger stays halted, whatever its lease says.
        let _ = self.inner.fresh_until_ms.fetch_update(Ordering::AcqRel, Ordering::Acquire, keep_halted);
    }

    /// The newest revision that is folded here.
    pub fn revision(&self) -> u64 {
        self.inner.index.read().map_or(0, |i| i.revision())
    }

    /// Allowed and refused questions since the start.
    pub fn decision_counts(&self) -> (u64, u64) {
        (self.inner.allowed.load(Ordering::Relaxed), self.inner.refused.load(Ordering::Relaxed))
    }

    /// Sliding usage counts, for the headers that clients read.
    pub fn usage(&self) -> &Usage {
        &self.inner.usage
    }

    /// The time by the service's clock.
    pub fn now(&self) -> UnixMs {
        self.inner.clock.now()
    }

    /// Reads one revision without a right, for use cases of this crate that decide by themselves. The
    /// closure must be short: writers wait for it.
    ///
    /// # Errors
    /// `not_fresh` when the index can't be trusted.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&dyn State) -> R) -> Result<R, Refusal> {
        let index = self.inner.index()?;
        Ok(read(&*index))
    }

    /// Notes one use of the token behind a view, for the rights that it was allowed by: for adapters that
    /// asked with [`Service::check`].
    pub fn note_use(&self, view: &View, rights: impl IntoIterator<Item = UsedFor>, from: UsedFrom<'_>, now: UnixMs) {
        if let Subject::Token(token) = &view.subject {
            self.inner.uses.note(token.id, rights.into_iter(), from, now);
        }
    }

    /// Remembers a refusal of [`Service::check`], which has no call of its own, under a trace.
    pub fn note_refusal(&self, trace: &str, ip: IpAddr, question: &Question, view: &View, denial: &Denial) {
        let call = Call::new(Credential::None, trace).with_source(Some(ip), None);
        self.inner.journal.remember(&call, question, view, denial, self.inner.clock.now());
    }

    /// The receipt of a revision; `None` if no node knows it yet.
    ///
    /// # Errors
    /// `not_fresh` when the node can't answer for itself.
    pub fn receipt(&self, revision: u64) -> Result<Option<Receipt>, Refusal> {
        self.read(|_| ())?;
        let Ok(receipts) = self.inner.receipts.lock() else {
            return Ok(None);
        };
        Ok(receipts.find(revision).filter(|_| revision > 0).map(|confirmed_at| Receipt {
            revision,
            complete: true,
            nodes: vec![Confirmation { node: self.inner.node.clone(), confirmed_at }],
        }))
    }

    /// What this node can do now.
    pub fn readiness(&self) -> Readiness {
        let writing = &self.inner.writing;
        Readiness { is_fresh: self.is_fresh(), writing: writing.status(), not_durable: writing.waiting_count() }
    }

    /// Stops taking commands; the writer finishes what it has.
    pub fn stop(&self) {
        self.inner.stopped.store(true, Ordering::Release);
        self.inner.wake_jobs.notify_waiters();
    }

    /// The store, for the few readers that need no index.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.inner.store
    }
}

impl Inner {
    /// Stops this node's answers until it is restarted.
    pub fn halt(&self) {
        self.fresh_until_ms.store(HALTED, Ordering::Release);
    }

    pub fn is_fresh(&self) -> bool {
        let until = self.fresh_until_ms.load(Ordering::Acquire);
        // The clock is read only if a lease is used.
        until == u64::MAX || until != HALTED && self.clock.monotonic_ms() < until
    }

    /// The index, if it can be trusted.
    pub fn index(&self) -> Result<RwLockReadGuard<'_, Index>, Refusal> {
        if !self.is_fresh() {
            return Err(Refusal::of(Reason::NotFresh));
        }
        self.index_without_lease()
    }

    /// The index of a node that may not answer just now, to bring it up to date.
    pub fn index_without_lease(&self) -> Result<RwLockReadGuard<'_, Index>, Refusal> {
        if self.fresh_until_ms.load(Ordering::Acquire) == HALTED {
            return Err(Refusal::of(Reason::NotFresh));
        }
        // A poisoned lock means that a fold broke off half way: nothing may be answered from it.
        let index = self.index.read().map_err(|_| Refusal::of(Reason::NotFresh))?;
        if let Some(what) = index.broken() {
            tracing::error!(what, "the index is broken; this node does not answer");
            return Err(Refusal::of(Reason::NotFresh));
        }
        Ok(index)
    }

    pub fn count(&self, decision: &Decision) {
        let counter = if matches!(decision, Decision::Allow(_)) { &self.allowed } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one use of the token of a call for the rights that the call was allowed.
    pub fn note_used(&self, call: &Call, used: &Used, now: UnixMs) {
        if let Some(token) = used.token {
            let from = UsedFrom { ip: call.ip(), user_agent: call.user_agent() };
            self.uses.note(token, used.rights.iter().copied(), from, now);
        }
    }
}
