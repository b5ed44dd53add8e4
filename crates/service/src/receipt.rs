//! Receipts: for a revision, which node confirmed it, and when.

use std::collections::VecDeque;

use valetkey_domain::UnixMs;

/// How many revisions are remembered one by one; older ones are surely confirmed.
const KEPT: usize = 100_000;

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Receipt {
    pub revision: u64,
    /// Whether every node has confirmed.
    pub complete: bool,
    pub nodes: Vec<Confirmation>,
}

/// That a node folded a revision.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Confirmation {
    pub node: String,
    /// Unix milliseconds; for a revision from before the node's start or the kept window, the
    /// time by which it was surely folded.
    pub confirmed_at: UnixMs,
}

/// What this node remembers of its folds.
#[derive(Debug)]
pub struct Receipts {
    floor: (u64, UnixMs),
    newer: VecDeque<(u64, UnixMs)>,
}

impl Receipts {
    pub(crate) fn new(revision: u64, now: UnixMs) -> Receipts {
        Receipts { floor: (revision, now), newer: VecDeque::new() }
    }

    pub(crate) fn confirm(&mut self, revision: u64, now: UnixMs) {
        self.newer.push_back((revision, now));
        if self.newer.len() > KEPT
            && let Some(oldest) = self.newer.pop_front()
        {
            self.floor = oldest;
        }
    }

    pub(crate) fn find(&self, revision: u64) -> Option<UnixMs> {
        if revision <= self.floor.0 {
            return Some(self.floor.1);
        }
        let at = self.newer.partition_point(|(r, _)| *r < revision);
        self.newer.get(at).map(|(_, time)| *time)
    }
}
