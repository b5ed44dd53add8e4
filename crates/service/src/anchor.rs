//! Where this node stands in the ledger's chain.

use valetkey_store::{Entry, Head};

/// The newest place in the ledger whose hash this node knows. After it there can only be this node's
/// own writes, which it knows by their revisions alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub revision: u64,
    pub hash: [u8; 32],
}

impl Anchor {
    pub fn of(head: Head) -> Anchor {
        Anchor { revision: head.revision, hash: head.hash }
    }

    /// Whether an entry is the next one of this chain, and its hash matches its fields.
    pub fn leads_to(&self, entry: &Entry) -> bool {
        entry.revision == self.revision + 1 && entry.prev == self.hash && entry.chain_hash() == entry.hash
    }
}
