//! What the tests of several crates share. The product must never use it.

pub mod clock;
pub mod company;
pub mod ground;
pub mod random;
pub mod stage;

/// A private PostgreSQL server, from a crate of its own, since xtask uses it too.
pub use valetkey_test_postgres as postgres;
