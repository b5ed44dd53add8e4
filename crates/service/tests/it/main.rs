//! The use cases over the store that `VALETKEY_TEST_STORE` names, the memory store by default: what a caller may rely on once an answer has come.

// The lints' leave for tests covers test functions, not the helpers that they share.
#![allow(clippy::unwrap_used, clippy::panic, clippy::result_large_err)]

mod again;
mod altered;
mod app;
mod commit;
mod family;
mod fresh;
mod fixture;
mod issue;
mod jobs;
mod journal;
mod order;
mod outcome;
mod page_token;
mod random;
mod revoke;
mod story;
mod tables;
mod walls;
