//! Following the ledger: folding what others wrote, link by link, into the index.
//!
//! An entry that can't be read, or a chain that does not fit what this node has seen, may hide that
//! something was taken away. Then the node is halted: nothing here may skip it and go on.

use valetkey_domain::{ChangeSet, Reason, Refusal};
use valetkey_store::{Entry, Head};

use crate::core::{Inner, Service};
use crate::writer::unavailable;

/// How many ledger entries are read at a time.
const TAIL_LIMIT: usize = 1_000;

/// The newest place in the ledger whose hash this node knows. Behind it lie at most its own writes
/// since, which it knows by their revisions alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    revision: u64,
    hash: [u8; 32],
}

impl Anchor {
    pub fn of(head: Head) -> Anchor {
        Anchor { revision: head.revision, hash: head.hash }
    }

    /// Whether an entry is the next one of this chain, and is what its own hash says.
    fn leads_to(&self, entry: &Entry) -> bool {
        entry.revision == self.revision + 1 && entry.prev == self.hash && entry.chain_hash() == entry.hash
    }
}

impl Service {
    /// For a node that holds its lease (again): folds everything up to the head as the store tells it
    /// now, and only then lets the node answer until `fresh_until_ms`, on the monotonic clock.
    /// Answers with the revision. May be dropped at any point: what was folded stays, and the node
    /// answers no longer than before.
    ///
    /// # Errors
    /// `not_fresh` when the ledger can't be followed: this node never answers again. Anything else
    /// may pass.
    pub async fn catch_up(&self, fresh_until_ms: u64) -> Result<u64, Refusal> {
        let inner = &*self.inner;
        // Read before the head, which this node's own writer may move at any time.
        let seen = Seen::on(inner)?;
        let head = inner.store.head().await.map_err(|e| unavailable(&e.to_string()))?;
        fold_through(inner, seen, head).await?;
        let revision = inner.index_without_lease()?.revision();
        self.set_fresh_until_ms(fresh_until_ms);
        Ok(revision)
    }
}

/// How far this node has come.
#[derive(Clone, Copy)]
struct Seen {
    revision: u64,
    anchor: Anchor,
}

impl Seen {
    fn on(inner: &Inner) -> Result<Seen, Refusal> {
        let anchor = *inner.anchor.lock().map_err(|_| Refusal::of(Reason::NotFresh))?;
        Ok(Seen { revision: inner.index_without_lease()?.revision(), anchor })
    }
}

/// Folds what others wrote, for the writer, which holds the head lock. A node without a lease does
/// not write.
pub(crate) async fn catch_up(inner: &Inner, head: Head) -> Result<(), Refusal> {
    let seen = Seen { revision: inner.index()?.revision(), ..Seen::on(inner)? };
    if seen.revision == head.revision {
        // Nobody else wrote: these are the entries that were folded when they were committed.
        return keep(inner, Anchor::of(head));
    }
    fold_through(inner, seen, head).await
}

async fn fold_through(inner: &Inner, seen: Seen, head: Head) -> Result<(), Refusal> {
    if head.revision < seen.revision {
        return Err(stop(inner, "the ledger is shorter than it was: the database is an older one"));
    }
    let mut known = seen.anchor;
    if known.revision == head.revision && known.hash != head.hash {
        return Err(stop(inner, "the head of the ledger is another one than it was"));
    }
    while known.revision < head.revision {
        let entries = inner.store.tail(known.revision, TAIL_LIMIT).await.map_err(|e| unavailable(&e.to_string()))?;
        if entries.is_empty() {
            return Err(stop(inner, "the ledger has a gap before its head"));
        }
        for entry in &entries {
            let is_head = entry.revision == head.revision;
            // An unknown kind of change may have taken something away.
            let set = entry.change_set().map_err(|problem| stop(inner, &problem))?;
            if !known.leads_to(entry) || is_head && entry.hash != head.hash {
                return Err(stop(inner, "an entry of the ledger does not fit the one before it"));
            }
            fold(inner, entry.revision, &set)?;
            known = Anchor { revision: entry.revision, hash: entry.hash };
        }
    }
    keep(inner, known)
}

fn keep(inner: &Inner, newer: Anchor) -> Result<(), Refusal> {
    let mut anchor = inner.anchor.lock().map_err(|_| Refusal::of(Reason::NotFresh))?;
    if anchor.revision < newer.revision {
        *anchor = newer;
    }
    Ok(())
}

/// Folds one change set. What is folded already is left alone, for the writer and whoever catches
/// up may meet the same entry.
pub(crate) fn fold(inner: &Inner, revision: u64, set: &ChangeSet) -> Result<(), Refusal> {
    let mut index = inner.index.write().map_err(|_| Refusal::of(Reason::NotFresh))?;
    let next = index.revision() + 1;
    if revision < next {
        return Ok(());
    }
    if revision > next {
        return Err(stop(inner, "a change was to be folded before the one in front of it"));
    }
    index.fold(revision, set);
    // Still under the lock, so that receipts come in order.
    if let Ok(mut receipts) = inner.receipts.lock() {
        receipts.confirm(revision, inner.clock.now());
    }
    Ok(())
}

fn stop(inner: &Inner, why: &str) -> Refusal {
    tracing::error!("{why}; this node stops answering");
    inner.halt();
    Refusal::of(Reason::NotFresh)
}
