//! The nouns of the authority class: their fields, their keys, where they are listed, and which
//! changes of them narrow. What may be done with them stands in `rules`.

pub mod app;
pub mod asset;
pub mod assignment;
pub mod business;
mod declared_kind;
mod hex;
pub mod human;
pub mod page_token;
pub mod passkey;
pub mod person;
pub mod share;
pub mod sign_in;
pub mod system_user;
pub mod terms;
pub mod token;

use crate::{Id, List, RecordKey, TaskSet};

/// What every noun says of itself. A noun joins the list in `record.rs`; the compiler then names the
/// other places.
pub trait Noun {
    /// The key of this record.
    fn key(&self) -> RecordKey;

    /// The lists that this record stands in, each with the id that it shows there.
    fn listings(&self) -> Vec<(List, Id)>;

    /// Whether a change from this record to `after` takes something away that was possible before.
    /// An implementation names every field of its noun, so that a new field can't be forgotten; what
    /// is not known to be harmless narrows.
    fn narrows(&self, after: &Self) -> bool;

    /// Whether this record takes something away by being made. What did not exist could not be used,
    /// so hardly any does.
    fn narrows_when_new(&self) -> bool {
        false
    }
}

/// Whether a set of tasks lost one. Stored sets are compared, not what they imply: a set that was
/// replaced by a wider one of other words counts as narrower, which costs a wait and no right.
fn drops_tasks(before: TaskSet, after: TaskSet) -> bool {
    !after.covers(before)
}
