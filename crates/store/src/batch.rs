//! What is committed: the writes of commands, together, and what became of each.

use valetkey_domain::ChangeSet;

use crate::content::ContentWrite;
use crate::job::JobWrite;

/// Everything that one command writes.
#[derive(Debug, Clone)]
pub struct Write {
    pub set: ChangeSet,
    pub content: Vec<ContentWrite>,
    pub jobs: Vec<JobWrite>,
    /// Random; makes the digest of the payload impossible to guess once the payload is erased.
    pub salt: [u8; 16],
}

/// Commands that are committed together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Random; finds the batch again when its outcome is unknown.
    pub commit_id: [u8; 16],
    pub writes: Vec<Write>,
}

/// What became of one write of a batch that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Applied {
        revision: u64,
    },
    /// A condition of its content or jobs failed; nothing of it was written.
    Conflict,
}
