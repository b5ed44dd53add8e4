//! Loading: all records of one revision, put into an index before anybody reads it.
//!
//! It gives the same index as inserting the records one by one. What their order would make slow is put
//! off to the end: a million users on assets, in the order of users, are sorted once.

use valetkey_domain::{AssetId, Record, UserId};

use super::Index;

/// An index while it is loaded.
#[derive(Debug, Default)]
pub struct Loading {
    index: Index,
    assigned_on: Vec<(AssetId, UserId)>,
}

impl Loading {
    /// Nothing is loaded yet.
    pub fn new() -> Loading {
        Loading::default()
    }

    /// Puts one record. Records that others refer to come first.
    pub fn insert(&mut self, record: Record) {
        if let Record::Assignment(assignment) = record {
            let listed = (assignment.asset, assignment.user);
            if self.index.place_assignment(assignment) {
                self.assigned_on.push(listed);
            }
        } else {
            self.index.insert(record);
        }
    }

    /// The index, at the revision of the records.
    pub fn finish(self, revision: u64) -> Index {
        let Loading { mut index, assigned_on } = self;
        // Collecting sorts once and fills the tree in one go; extending would insert one by one.
        index.records.assigned_on = assigned_on.into_iter().collect();
        index.revision = revision;
        index
    }
}
