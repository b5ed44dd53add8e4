//! Why a store or a commit failed.

/// Why a store failed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// It can't be reached now; trying again later makes sense.
    #[error("the store can't be reached: {0}")]
    Unavailable(String),
    /// No space is left, or the medium failed.
    #[error("the store can't write: {0}")]
    Full(String),
    /// A row is not what this version wrote.
    #[error("the store holds something unexpected: {0}")]
    Corrupt(String),
    /// The data was written by a newer version.
    #[error("the data has format {found}, this program knows up to {known}; use a newer valetkey")]
    Newer { found: i64, known: i64 },
    /// Somebody else works on the same data.
    #[error("the data is in use: {0}")]
    InUse(String),
    /// A setting of the store makes its promises void.
    #[error("the store is not safe to use: {0}")]
    Unsafe(String),
    /// Anything else; a bug.
    #[error("the store failed: {0}")]
    Other(String),
}

/// Why a commit failed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum CommitError {
    /// Nothing of the batch was written, for sure.
    #[error("not applied: {0}")]
    NotApplied(StoreError),
    /// A constraint refused the write at this position; nothing of the batch was written.
    #[error("write {index} breaks a constraint: {detail}")]
    Refused { index: usize, detail: String },
    /// It may or may not have been written; `Store::outcome` will tell.
    #[error("outcome unknown: {0}")]
    Unknown(StoreError),
}
