//! The gateway adapter, from request to reply, over the memory store.

// The lints' leave for tests covers test functions, not the helpers that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alive;
mod check;
mod fixture;
mod forward;
mod tables;
