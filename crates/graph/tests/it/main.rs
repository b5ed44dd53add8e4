//! The Graph adapter, from request bytes to reply bytes, over the store that
//! `VALETKEY_TEST_STORE` names, the memory store by default.

// The lints' leave for tests covers test functions, not the helpers that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod access;
mod attack;
mod bad_input;
mod costs;
mod documents;
mod filters;
mod fixture;
mod hidden;
mod kept;
mod links;
mod matrix;
mod page_tokens;
mod reads;
mod reported;
mod story;
mod tables;
mod uses;
