//! The engine for several nodes: PostgreSQL, or a server that speaks its protocol.
//!
//! Rows are the only locks that correctness rests on: no advisory locks, no notifications, no
//! sequences. Nothing here may decide about a right, read a file, or look at the environment.

mod error;
mod lease;
mod migrate;
mod pipeline;
mod reader;
mod session;
mod settings;
mod store;
mod telemetry;
mod tls;
mod values;
mod writer;

pub use settings::Settings;
pub use store::PostgresStore;
