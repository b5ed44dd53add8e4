//! Use cases: the only place that holds the store and the index together.
//!
//! An adapter parses and calls one of these; the service asks for the decision, lets the domain plan,
//! commits, folds, and answers with the revision. Nothing here may know a wire format, and no
//! answer may leave before its change is durable and folded.

pub mod app;
pub mod asset;
pub mod assignment;
pub mod business;
pub mod call;
pub mod clock;
pub mod content;
mod core;
pub mod explain;
mod follow;
mod jobs;
pub mod journal;
pub mod ledger;
pub mod person;
pub mod receipt;
pub mod rights;
mod secrets;
pub mod share;
pub mod sign_in;
pub mod system_user;
pub mod terms;
pub mod token;
pub mod usage;
mod uses;
pub mod verify;
mod writer;

pub use call::{Call, Credential};
pub use clock::Clock;
pub use core::{Deps, OpenError, Service};
pub use receipt::Receipt;
pub use writer::{Done, Plan};
pub use {valetkey_authz as authz, valetkey_domain as domain, valetkey_store as store};
