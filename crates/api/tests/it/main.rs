//! The JSON adapter over the memory store, with the tests' own clock and randomness.

// The lints' leave for tests covers test functions, not the helpers they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod book;
mod explained;
mod fixture;
mod job;
mod preview;
mod sign_in;
mod story;
mod token_use;
mod walk;
