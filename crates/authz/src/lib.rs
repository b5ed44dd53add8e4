//! The index of all authority records, and the one function that decides.
//!
//! [`decide`] is pure and total: no lock, no await, no SQL, no JSON, and no allocation on allow.
//! Everything that it looks at is in the [`View`], which shows exactly one revision.

mod decide;
mod index;
pub mod model;
pub mod overlay;
mod question;
#[cfg(feature = "tables")]
pub mod tables;
mod view;

pub use decide::{Allowed, Decision, Denial, decide};
pub use index::{Index, Loading};
pub use question::{Need, Own, Proof, Question, Sorts, Target};
pub use view::{AppView, AssetView, Reach, Subject, TokenView, View, gather, gather_app, gather_user};
