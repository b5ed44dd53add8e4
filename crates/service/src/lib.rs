//! Use cases: the only place that holds the store and the index together.
//!
//! An adapter parses and calls one of these; the service asks for the decision, lets the domain plan,
//! commits, folds, and answers with the revision. Nothing here may know a wire format, and no
//! answer may leave before its change is durable and folded.

pub mod access;
pub mod activity;
mod anchor;
pub mod app;
mod ask;
pub mod asset;
pub mod assignment;
mod block_list;
pub mod business;
pub mod call;
pub mod clock;
pub mod content;
mod content_row;
mod core;
pub mod explain;
mod follow;
pub mod found_token;
pub mod inspect;
pub mod jobs;
pub mod journal;
pub mod lease;
pub mod ledger;
mod open;
pub mod operator;
pub mod person;
pub mod preview;
pub mod read;
pub mod readiness;
pub mod receipt;
pub mod rights;
mod secrets;
pub mod session;
pub mod share;
pub mod sign_in;
pub mod system_user;
mod telemetry;
pub mod terms;
pub mod ticket;
pub mod token;
mod token_status;
pub mod usage;
pub mod uses;
mod verification;
pub mod verify;
mod writer;

pub use ask::{Checked, Facts, Shown};
pub use call::{Call, Credential, Mode};
pub use clock::Clock;
pub use core::{Deps, OpenError, Service};
pub use follow::Place;
pub use lease::{Lease, LeaseError};
pub use readiness::Readiness;
pub use receipt::Receipt;
pub use writer::{Done, Plan};
pub use {valetkey_authz as authz, valetkey_domain as domain, valetkey_store as store};
