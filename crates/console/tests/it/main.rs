//! The console, from request to reply, over the tests' own store, clock and randomness.
//!
//! Most tests walk the table of routes, so that a page that is added is covered by itself.

// The lints' leave for tests covers test functions, not the helpers that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod fixture;
mod foreign;
mod forms;
mod full;
mod html;
mod link;
mod many;
mod names;
mod origin;
mod replies;
mod rules;
mod story;
mod who;
mod words;
