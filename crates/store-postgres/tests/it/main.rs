//! The PostgreSQL engine against a real, private server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broken_wire;
mod contract;
mod data;
mod lease;
mod many;
mod power;
mod proxy;
mod server;
mod statements;
mod tls;
