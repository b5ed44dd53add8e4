//! Humans, their passkeys and their entries: what sign-in looks up. No check reads any of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use valetkey_domain::credential::Digest;
use valetkey_domain::noun::human::Human;
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::noun::person::Person;
use valetkey_domain::{HumanId, Id, PasskeyId, UserId};

/// All humans of one revision.
#[derive(Debug, Default)]
pub(super) struct Humans {
    humans: BTreeMap<HumanId, Human>,
    by_email: HashMap<String, HumanId>,
    passkeys: BTreeMap<PasskeyId, Passkey>,
    by_credential: HashMap<Digest, PasskeyId>,
    /// Human, passkey.
    passkeys_of: BTreeSet<(HumanId, PasskeyId)>,
    /// Human, person.
    entries_of: BTreeSet<(HumanId, UserId)>,
    /// Address and id of people of earlier versions.
    without: BTreeSet<(String, UserId)>,
}

impl Humans {
    pub fn put(&mut self, human: Human) {
        self.remove(human.id);
        self.by_email.insert(human.email.clone(), human.id);
        self.humans.insert(human.id, human);
    }

    pub fn remove(&mut self, id: HumanId) {
        let gone = self.humans.remove(&id);
        if let Some(gone) = gone.filter(|gone| self.by_email.get(&gone.email) == Some(&id)) {
            self.by_email.remove(&gone.email);
        }
    }

    /// Says whether its human is known; otherwise nothing is put.
    pub fn put_passkey(&mut self, passkey: Passkey) -> bool {
        if !self.humans.contains_key(&passkey.human) {
            return false;
        }
        self.remove_passkey(passkey.id);
        self.by_credential.insert(passkey.credential_digest(), passkey.id);
        self.passkeys_of.insert((passkey.human, passkey.id));
        self.passkeys.insert(passkey.id, passkey);
        true
    }

    pub fn remove_passkey(&mut self, id: PasskeyId) {
        if let Some(gone) = self.passkeys.remove(&id) {
            self.by_credential.remove(&gone.credential_digest());
            self.passkeys_of.remove(&(gone.human, gone.id));
        }
    }

    /// Lists a person that was `before`. Says whether its human is known; otherwise nothing is listed.
    pub fn put_entry(&mut self, before: Option<&Person>, person: &Person) -> bool {
        if person.human.is_some_and(|human| !self.humans.contains_key(&human)) {
            return false;
        }
        if let Some(old) = before {
            if let Some(human) = old.entry_of() {
                self.entries_of.remove(&(human, old.id));
            }
            if old.is_without_human() {
                self.without.remove(&(old.email.clone(), old.id));
            }
        }
        if let Some(human) = person.entry_of() {
            self.entries_of.insert((human, person.id));
        }
        if person.is_without_human() {
            self.without.insert((person.email.clone(), person.id));
        }
        true
    }

    pub fn get(&self, id: HumanId) -> Option<&Human> {
        self.humans.get(&id)
    }

    pub fn get_passkey(&self, id: PasskeyId) -> Option<&Passkey> {
        self.passkeys.get(&id)
    }

    pub fn by_email(&self, email: &str) -> Option<&Human> {
        self.get(*self.by_email.get(email)?)
    }

    pub fn by_credential(&self, digest: &Digest) -> Option<&Passkey> {
        self.get_passkey(*self.by_credential.get(digest)?)
    }

    pub fn passkeys_of(&self, human: HumanId) -> impl Iterator<Item = &(HumanId, PasskeyId)> {
        self.passkeys_of.range((human, Id::MIN)..=(human, Id::MAX))
    }

    pub fn entries_of(&self, human: HumanId) -> impl Iterator<Item = &(HumanId, UserId)> {
        self.entries_of.range((human, Id::MIN)..=(human, Id::MAX))
    }

    pub fn without(&self, email: &str) -> Vec<UserId> {
        let (first, last) = ((email.to_owned(), Id::MIN), (email.to_owned(), Id::MAX));
        self.without.range(first..=last).map(|(_, person)| *person).collect()
    }
}
