//! A naive state: records in ordered maps, every look-up a search anybody can check by eye.
//!
//! The index is held against it in tests, and small tools use it. It is not for the check path.

use std::collections::BTreeMap;

use valetkey_domain::credential::Digest;
use valetkey_domain::noun::human::Human;
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::token::Token;
use valetkey_domain::{
    AppId, AssetId, BusinessId, Change, ChangeSet, DeclaredKind, HumanId, Id, List, PasskeyId, Record, RecordKey,
    State, TokenId, UserId,
};

/// All records of one revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    pub revision: u64,
    records: BTreeMap<RecordKey, Record>,
}

impl Model {
    /// Applies one change set.
    pub fn fold(&mut self, revision: u64, set: &ChangeSet) {
        self.revision = revision;
        for Change { before, after } in &set.changes {
            match (before, after) {
                (_, Some(record)) => self.put(record.clone()),
                (Some(record), None) => {
                    self.records.remove(&record.key());
                }
                (None, None) => {}
            }
        }
    }

    /// Puts one record.
    pub fn put(&mut self, record: Record) {
        self.records.insert(record.key(), record);
    }

    /// All records, by key.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    fn pick<'a, N: 'a>(&'a self, pick: impl Fn(&'a Record) -> Option<&'a N>) -> impl Iterator<Item = &'a N> {
        self.records.values().filter_map(pick)
    }
}

impl State for Model {
    fn record(&self, key: RecordKey) -> Option<Record> {
        self.records.get(&key).cloned()
    }

    fn token_by_digest(&self, digest: &Digest) -> Option<Token> {
        self.pick(Token::from_ref).find(|token| token.digest == *digest).cloned()
    }

    fn list(&self, list: List) -> Vec<Id> {
        let mut ids: Vec<Id> = self.records.values().filter_map(|record| record.listed(list)).collect();
        ids.sort_unstable();
        ids
    }

    fn declared_kinds(&self) -> Vec<DeclaredKind> {
        self.pick(DeclaredKind::from_ref).cloned().collect()
    }

    fn sign_in_codes(&self) -> Vec<SignInCode> {
        self.pick(SignInCode::from_ref).cloned().collect()
    }

    fn exists(&self, id: Id) -> bool {
        let keys = [
            RecordKey::Business(BusinessId::of(id)),
            RecordKey::Person(UserId::of(id)),
            RecordKey::SystemUser(UserId::of(id)),
            RecordKey::App(AppId::of(id)),
            RecordKey::Asset(AssetId::of(id)),
            RecordKey::Token(TokenId::of(id)),
            RecordKey::Human(HumanId::of(id)),
            RecordKey::Passkey(PasskeyId::of(id)),
        ];
        keys.iter().any(|key| self.records.contains_key(key))
    }

    fn human_by_email(&self, email: &str) -> Option<Human> {
        self.pick(Human::from_ref).find(|human| human.email == email).cloned()
    }

    fn passkey_by_credential(&self, digest: &Digest) -> Option<Passkey> {
        self.pick(Passkey::from_ref).find(|passkey| passkey.credential_digest() == *digest).cloned()
    }

    fn people_without_human(&self, email: &str) -> Vec<UserId> {
        let people = self.pick(Person::from_ref).filter(|p| p.is_without_human() && p.email == email);
        people.map(|person| person.id).collect()
    }
}
