//! The use cases over the store that `VALETKEY_TEST_STORE` names, the memory store by default: what a caller may rely on once an answer has come.

// The lints' leave for tests covers test functions, not the helpers that they share.
#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm, clippy::result_large_err)]

mod access;
mod activity;
mod again;
mod altered;
mod app;
mod cap;
mod commit;
mod deletes;
mod explain;
mod family;
mod fixture;
mod fresh;
mod full;
mod issue;
mod jobs;
mod journal;
mod lease;
mod order;
mod outcome;
mod page_token;
mod planted;
mod preview;
mod quotas;
mod random;
mod revoke;
mod runs;
mod sign_in;
mod story;
mod stuck;
mod tables;
mod ticket;
mod uses;
mod verification;
mod walls;
