//! The decision and the index, held against tables and against a naive model.

// The lints' leave for tests covers test functions, not the helpers that they share.
#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm, clippy::result_large_err)]

mod decision;
mod index;
mod matrix;
mod overlay;
mod world;
