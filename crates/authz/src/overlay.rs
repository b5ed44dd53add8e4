//! A state with the changes of a batch laid over it, so that each command of the batch sees those
//! before it although nothing is committed yet.

use std::collections::{HashMap, HashSet};

use valetkey_domain::credential::Digest;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::token::Token;
use valetkey_domain::{ChangeSet, DeclaredKind, Id, List, Record, RecordKey, State};

/// The overlay.
pub struct Overlay<'a> {
    base: &'a dyn State,
    /// `None` marks a record that the batch removes.
    changed: HashMap<RecordKey, Option<Record>>,
    /// Removed or replaced records, so that lists can leave them out.
    gone: HashMap<RecordKey, Record>,
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay").field("changed", &self.changed.len()).finish_non_exhaustive()
    }
}

impl<'a> Overlay<'a> {
    /// An overlay that changes nothing yet.
    pub fn new(base: &'a dyn State) -> Overlay<'a> {
        Overlay { base, changed: HashMap::new(), gone: HashMap::new() }
    }

    /// Lays a planned change set on top.
    pub fn apply(&mut self, set: &ChangeSet) {
        for change in &set.changes {
            let Some(key) = change.key() else { continue };
            if let Some(before) = &change.before {
                // The first removal knows what the base holds; later ones speak of the overlay.
                self.gone.entry(key).or_insert_with(|| before.clone());
            }
            self.changed.insert(key, change.after.clone());
        }
    }

    /// The records of one noun that the batch wrote.
    fn written<'s, N: 's>(&'s self, pick: impl Fn(&'s Record) -> Option<&'s N>) -> impl Iterator<Item = &'s N> {
        self.changed.values().flatten().filter_map(pick)
    }
}

impl State for Overlay<'_> {
    fn record(&self, key: RecordKey) -> Option<Record> {
        match self.changed.get(&key) {
            Some(changed) => changed.clone(),
            None => self.base.record(key),
        }
    }

    fn token_by_digest(&self, digest: &Digest) -> Option<Token> {
        // A digest never changes hands, so a token of the base is found by it, then looked up anew.
        if let Some(token) = self.base.token_by_digest(digest) {
            return self.token(token.id);
        }
        self.written(Token::from_ref).find(|token| token.digest == *digest).cloned()
    }

    fn list(&self, list: List) -> Vec<Id> {
        let mut ids = self.base.list(list);
        if self.changed.is_empty() {
            return ids;
        }
        let out: HashSet<Id> = self.gone.values().filter_map(|r| r.listed(list)).collect();
        ids.retain(|id| !out.contains(id));
        ids.extend(self.changed.values().flatten().filter_map(|r| r.listed(list)));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn declared_kinds(&self) -> Vec<DeclaredKind> {
        let mut kinds = self.base.declared_kinds();
        kinds.retain(|kind| !self.changed.contains_key(&RecordKey::DeclaredKind(kind.kind)));
        kinds.extend(self.written(DeclaredKind::from_ref).cloned());
        kinds.sort_by_key(|kind| kind.kind);
        kinds
    }

    fn sign_in_codes(&self) -> Vec<SignInCode> {
        let mut codes = self.base.sign_in_codes();
        codes.retain(|code| !self.changed.contains_key(&RecordKey::SignInCode(code.digest)));
        codes.extend(self.written(SignInCode::from_ref).cloned());
        codes.sort_by_key(|code| code.digest);
        codes
    }

    /// An id that the batch took away is not given again within it.
    fn exists(&self, id: Id) -> bool {
        self.base.exists(id) || self.changed.keys().any(|key| key.own_id() == Some(id))
    }
}
