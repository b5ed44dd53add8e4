//! Following the ledger: folding what others wrote, link by link, into the index.
//!
//! An entry that can't be read, or a chain that does not fit what this node has seen, may hide that
//! something was taken away. Then the node is halted: nothing here may skip it and go on.

use valetkey_domain::{ChangeSet, Reason, Refusal};
use valetkey_store::Head;

use crate::anchor::Anchor;
use crate::core::{Inner, Service};
use crate::writer::unavailable;

/// How many ledger entries are read at a time.
const TAIL_LIMIT: usize = 1_000;

/// How far a node had come at some moment.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    revision: u64,
    anchor: Anchor,
}

impl Place {
    fn of(inner: &Inner) -> Result<Place, Refusal> {
        let anchor = *inner.anchor.lock().map_err(|_| Refusal::of(Reason::NotFresh))?;
        Ok(Place { revision: inner.index_without_lease()?.revision(), anchor })
    }
}

impl Service {
    /// How far this node has come, whether it may answer or not.
    ///
    /// # Errors
    /// `not_fresh` when it can't follow the ledger any more: it never answers again.
    pub fn place(&self) -> Result<Place, Refusal> {
        Place::of(&self.inner)
    }

    /// For a node that holds its lease (again): folds everything up to a head of the store. The place
    /// must have been read before the head was, since this node's own writer may move both at any
    /// time. Answers with the revision; the node answers no longer than before. May be dropped at any
    /// point: what was folded stays.
    ///
    /// # Errors
    /// `not_fresh` when the ledger can't be followed: this node never answers again. Anything else
    /// may pass.
    pub async fn catch_up(&self, from: Place, head: Head) -> Result<u64, Refusal> {
        fold_through(&self.inner, from, head).await?;
        Ok(self.inner.index_without_lease()?.revision())
    }
}

/// Folds what others wrote, for the writer, which holds the head lock. A node without a lease does
/// not write.
pub(crate) async fn catch_up(inner: &Inner, head: Head) -> Result<(), Refusal> {
    let seen = Place { revision: inner.index()?.revision(), ..Place::of(inner)? };
    if seen.revision == head.revision {
        // Nobody else wrote: these are the entries that were folded when they were committed.
        return keep(inner, Anchor::of(head));
    }
    fold_through(inner, seen, head).await
}

async fn fold_through(inner: &Inner, seen: Place, head: Head) -> Result<(), Refusal> {
    if head.revision < seen.revision {
        return Err(stop(inner, "the ledger is shorter than it was: the database is an older one"));
    }
    let mut known = seen.anchor;
    if known.revision == head.revision && known.hash != head.hash {
        return Err(stop(inner, "the head of the ledger is not the one seen before"));
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

/// Folds one change set, unless it is folded already: the writer and [`Service::catch_up`] may meet the
/// same entry.
pub(crate) fn fold(inner: &Inner, revision: u64, set: &ChangeSet) -> Result<(), Refusal> {
    let mut index = inner.index.write().map_err(|_| Refusal::of(Reason::NotFresh))?;
    let next = index.revision() + 1;
    if revision < next {
        return Ok(());
    }
    if revision > next {
        return Err(stop(inner, "a change came to be folded before its predecessor"));
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
