//! A state with the changes of a batch laid over it, so that each command of the batch sees those
//! before it although nothing is committed yet.

use std::collections::{HashMap, HashSet};

use valetkey_domain::credential::Digest;
use valetkey_domain::noun::human::Human;
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::token::Token;
use valetkey_domain::{ChangeSet, DeclaredKind, Id, List, Record, RecordKey, State, UserId};

/// The overlay.
pub struct Overlay<'a> {
    base: &'a dyn State,
    layer: Layer,
}

/// The changes of an overlay without the state below them: to lay them over a state again and again,
/// for a reader that must not keep it locked in between.
#[derive(Default)]
pub struct Layer {
    /// `None` marks a record that the batch removes.
    changed: HashMap<RecordKey, Option<Record>>,
    /// Removed or replaced records, so that lists can leave them out.
    gone: HashMap<RecordKey, Record>,
}

impl Layer {
    /// Adds a planned change set on top.
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
}

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer").field("changed", &self.changed.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay").field("changed", &self.layer.changed.len()).finish_non_exhaustive()
    }
}

impl<'a> Overlay<'a> {
    /// An overlay that changes nothing yet.
    pub fn new(base: &'a dyn State) -> Overlay<'a> {
        Overlay::over(base, Layer::default())
    }

    /// The changes of a layer on top of a state.
    pub fn over(base: &'a dyn State, layer: Layer) -> Overlay<'a> {
        Overlay { base, layer }
    }

    /// The changes alone.
    pub fn into_layer(self) -> Layer {
        self.layer
    }

    /// Lays a planned change set on top.
    pub fn apply(&mut self, set: &ChangeSet) {
        self.layer.apply(set);
    }

    /// The records of one noun that the batch wrote.
    fn written<'s, N: 's>(&'s self, pick: impl Fn(&'s Record) -> Option<&'s N>) -> impl Iterator<Item = &'s N> {
        self.layer.changed.values().flatten().filter_map(pick)
    }
}

impl State for Overlay<'_> {
    fn record(&self, key: RecordKey) -> Option<Record> {
        match self.layer.changed.get(&key) {
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
        if self.layer.changed.is_empty() {
            return ids;
        }
        let out: HashSet<Id> = self.layer.gone.values().filter_map(|r| r.listed(list)).collect();
        ids.retain(|id| !out.contains(id));
        ids.extend(self.layer.changed.values().flatten().filter_map(|r| r.listed(list)));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn declared_kinds(&self) -> Vec<DeclaredKind> {
        let mut kinds = self.base.declared_kinds();
        kinds.retain(|kind| !self.layer.changed.contains_key(&RecordKey::DeclaredKind(kind.kind)));
        kinds.extend(self.written(DeclaredKind::from_ref).cloned());
        kinds.sort_by_key(|kind| kind.kind);
        kinds
    }

    fn sign_in_codes(&self) -> Vec<SignInCode> {
        let mut codes = self.base.sign_in_codes();
        codes.retain(|code| !self.layer.changed.contains_key(&RecordKey::SignInCode(code.digest)));
        codes.extend(self.written(SignInCode::from_ref).cloned());
        codes.sort_by_key(|code| code.digest);
        codes
    }

    /// An id that the batch took away is not given again within it.
    fn exists(&self, id: Id) -> bool {
        self.base.exists(id) || self.layer.changed.keys().any(|key| key.own_id() == Some(id))
    }

    fn human_by_email(&self, email: &str) -> Option<Human> {
        if let Some(human) = self.written(Human::from_ref).find(|human| human.email == email) {
            return Some(human.clone());
        }
        // The batch may have given the one of the base another address, or removed it.
        let human = self.base.human_by_email(email)?;
        self.human(human.id).filter(|human| human.email == email)
    }

    fn passkey_by_credential(&self, digest: &Digest) -> Option<Passkey> {
        if let Some(passkey) = self.written(Passkey::from_ref).find(|p| p.credential_digest() == *digest) {
            return Some(passkey.clone());
        }
        let passkey = self.base.passkey_by_credential(digest)?;
        self.passkey(passkey.id).filter(|p| p.credential_digest() == *digest)
    }

    fn people_without_human(&self, email: &str) -> Vec<UserId> {
        let mut people = self.base.people_without_human(email);
        people.retain(|id| !self.layer.changed.contains_key(&RecordKey::Person(*id)));
        let is_wanted = |person: &&Person| person.is_without_human() && person.email == email;
        people.extend(self.written(Person::from_ref).filter(is_wanted).map(|person| person.id));
        people.sort_unstable();
        people
    }
}
