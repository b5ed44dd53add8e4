//! The listener over real sockets.

// The lints' leave for tests covers test functions, not the helpers they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod drain;
mod fixture;
mod http2;
mod limits;
mod log;
mod open;
mod panics;
mod requests;
mod tls;
