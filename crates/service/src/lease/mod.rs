//! The lease that lets only one process at a time work on a store that several can reach.
//!
//! [`protocol`] is the complete protocol without a store: clock readings and answers go in, requests
//! and the end of freshness come out. [`keeper`] sends the requests. Both serve one rule: no two nodes
//! answer as fresh at once, and a node that answers has folded everything that earlier holders of the
//! lease acknowledged.

mod keeper;
pub mod protocol;
#[cfg(test)]
mod simulation;

pub use keeper::{Lease, LeaseError};

use std::time::Duration;

/// The default length of a lease.
pub const LENGTH: Duration = Duration::from_secs(5);
/// The shortest lease: a renewal over a healthy connection takes less than this.
pub const LENGTH_MIN: Duration = Duration::from_secs(1);
/// The longest lease: after a crash the next start waits for this long.
pub const LENGTH_MAX: Duration = Duration::from_secs(300);
