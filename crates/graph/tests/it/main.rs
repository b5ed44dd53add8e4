//! The Graph door, from request bytes to reply bytes, over the memory store.

// The lints' leave for tests covers test functions, not the helpers that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod attack;
mod bad_input;
mod costs;
mod documents;
mod house;
mod matrix;
mod story;
