//! The lease by which one process at a time works on a store that several can reach.
//!
//! [`protocol`] is the whole of it without a store: readings of a clock and answers go in, requests
//! and the end of freshness come out. [`keeper`] sends the requests. The rule that both serve: no two
//! nodes answer as fresh at once, and a node that answers has folded everything that whoever held the
//! lease before it acknowledged.

mod keeper;
pub mod protocol;
#[cfg(test)]
mod simulation;

pub use keeper::{Lease, LeaseError};

use std::time::Duration;

/// How long a lease runs when nothing else is said.
pub const LENGTH: Duration = Duration::from_secs(5);
/// The shortest lease: less than this is spent on the way to a database that is well.
pub const LENGTH_MIN: Duration = Duration::from_secs(1);
/// The longest: after a crash the next start waits for so long.
pub const LENGTH_MAX: Duration = Duration::from_secs(300);
