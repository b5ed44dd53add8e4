//! The built program, started and stopped as people and scripts do.

// The lints' leave for tests covers test functions, not the helpers they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod cli;
mod commands;
mod config;
mod demo;
mod init;
mod leaked;
mod ledger;
mod locks;
mod postgres;
mod program;
mod serve;
mod upgrade;
