//! The changes that one command plans, laid over the state that it read.

use std::collections::HashMap;

use crate::{Change, Record, RecordKey, State};

/// A draft of a change set: one change for each record, however often a command comes back to it.
pub(crate) struct Draft<'a> {
    state: &'a dyn State,
    changes: Vec<Change>,
    /// Where the change of a record stands among the changes.
    places: HashMap<RecordKey, usize>,
}

impl<'a> Draft<'a> {
    pub fn new(state: &'a dyn State) -> Draft<'a> {
        Draft { state, changes: Vec::new(), places: HashMap::new() }
    }

    /// The state before the command.
    pub fn state(&self) -> &'a dyn State {
        self.state
    }

    pub fn put(&mut self, after: Record) {
        self.plan(after.key(), Some(after));
    }

    pub fn remove(&mut self, key: RecordKey) {
        self.plan(key, None);
    }

    /// A record as the command leaves it, so far.
    pub fn planned(&self, key: RecordKey) -> Option<Record> {
        match self.places.get(&key).and_then(|place| self.changes.get(*place)) {
            Some(change) => change.after.clone(),
            None => self.before(key),
        }
    }

    /// What is planned so far.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The changes, without those that came back to what was before.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.places.clear();
        self.changes.retain(|change| change.before != change.after);
        std::mem::take(&mut self.changes)
    }

    /// A record as it was before the command. Our terms are in force though no record holds them, so the
    /// operator's first text replaces them.
    fn before(&self, key: RecordKey) -> Option<Record> {
        if key == RecordKey::Terms { Some(self.state.terms().into()) } else { self.state.record(key) }
    }

    fn plan(&mut self, key: RecordKey, after: Option<Record>) {
        if let Some(change) = self.places.get(&key).and_then(|place| self.changes.get_mut(*place)) {
            change.after = after;
            return;
        }
        let before = self.before(key);
        if before != after {
            self.places.insert(key, self.changes.len());
            self.changes.push(Change { before, after });
        }
    }
}
