//! The port to the stored data: its types, the rules of the ledger's chain, the SQL that both
//! engines share, a model in memory, a wrapper that fails on purpose, and the contract that every
//! engine must keep.
//!
//! Nothing here may name a database driver, and nothing may decide about rights.

mod batch;
pub mod content;
#[cfg(feature = "contract")]
pub mod contract;
mod digest;
mod error;
pub mod faulty;
pub mod job;
pub mod ledger;
pub mod memory;
pub mod payload;
pub mod port;
pub mod sql;
pub mod telemetry;
pub mod ticket;
mod verification;

pub use batch::{Batch, Outcome, Write};
pub use content::{Content, ContentGuard, ContentQuery, ContentWrite};
pub use error::{CommitError, StoreError};
pub use faulty::Faulty;
pub use job::{Job, JobCount, JobRest, JobState, JobWrite, NextJob};
pub use ledger::Entry;
pub use memory::MemoryStore;
pub use payload::Class;
pub use port::{Head, HeadLock, KeyRow, LeaseRow, RefusalRow, Renewal, Store, TokenUse};
pub use telemetry::{Quotas, Usage, UsageBounds, UsageQuery, UsedFor};
pub use ticket::Ticket;
pub use verification::Verification;
