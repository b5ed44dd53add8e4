//! The gateway adapter, from request to reply, over the memory store.

// The lints' leave for tests covers test functions, not the helpers that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod alive;
mod check;
mod fixture;
mod forward;
mod tables;
