//! A state with the changes of a batch laid over it, so that each command of the batch sees those
//! before it although nothing is committed yet.

use std::collections::HashMap;

use valetkey_domain::app::{App, Connection, Installation};
use valetkey_domain::asset::Asset;
use valetkey_domain::assignment::Assignment;
use valetkey_domain::business::Business;
use valetkey_domain::credential::Digest;
use valetkey_domain::page_token::PageCounter;
use valetkey_domain::person::Person;
use valetkey_domain::share::Share;
use valetkey_domain::sign_in::SignInCode;
use valetkey_domain::system_user::SystemUser;
use valetkey_domain::terms::Terms;
use valetkey_domain::token::Token;
use valetkey_domain::{AssetKind, ChangeSet, DeclaredKind, Id, List, Record, RecordKey, State};

use crate::model::{app_as_asset, listed};

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

    fn look(&self, key: RecordKey) -> Option<Option<&Record>> {
        self.changed.get(&key).map(Option::as_ref)
    }
}

macro_rules! look_up {
    ($self:ident, $variant:ident, $key:expr, $base:expr) => {
        match $self.look($key) {
            Some(Some(Record::$variant(record))) => Some(record.clone()),
            Some(_) => None,
            None => $base,
        }
    };
}

impl State for Overlay<'_> {
    fn business(&self, id: Id) -> Option<Business> {
        look_up!(self, Business, RecordKey::Business(id), self.base.business(id))
    }
    fn person(&self, id: Id) -> Option<Person> {
        look_up!(self, Person, RecordKey::Person(id), self.base.person(id))
    }
    fn system_user(&self, id: Id) -> Option<SystemUser> {
        look_up!(self, SystemUser, RecordKey::SystemUser(id), self.base.system_user(id))
    }
    fn app(&self, id: Id) -> Option<App> {
        look_up!(self, App, RecordKey::App(id), self.base.app(id))
    }
    fn connection(&self, business: Id, app: Id) -> Option<Connection> {
        look_up!(self, Connection, RecordKey::Connection(business, app), self.base.connection(business, app))
    }
    fn installation(&self, system_user: Id, app: Id) -> Option<Installation> {
        let key = RecordKey::Installation(system_user, app);
        look_up!(self, Installation, key, self.base.installation(system_user, app))
    }
    fn declared_kind(&self, kind: AssetKind) -> Option<DeclaredKind> {
        look_up!(self, DeclaredKind, RecordKey::DeclaredKind(kind), self.base.declared_kind(kind))
    }
    fn declared_kinds(&self) -> Vec<DeclaredKind> {
        let mut kinds: Vec<DeclaredKind> = self
            .base
            .declared_kinds()
            .into_iter()
            .filter(|k| self.look(RecordKey::DeclaredKind(k.kind)).is_none())
            .collect();
        kinds.extend(self.changed.values().flatten().filter_map(|r| match r {
            Record::DeclaredKind(k) => Some(k.clone()),
            _ => None,
        }));
        kinds.sort_by_key(|k| k.kind);
        kinds
    }
    fn asset(&self, id: Id) -> Option<Asset> {
        if let Some(known) = self.look(RecordKey::Asset(id)) {
            return match known {
                Some(Record::Asset(asset)) => Some(asset.clone()),
                _ => None,
            };
        }
        match self.look(RecordKey::App(id)) {
            Some(Some(Record::App(app))) => Some(app_as_asset(app)),
            Some(_) => None,
            None => self.base.asset(id),
        }
    }
    fn assignment(&self, user: Id, asset: Id) -> Option<Assignment> {
        look_up!(self, Assignment, RecordKey::Assignment(user, asset), self.base.assignment(user, asset))
    }
    fn share(&self, asset: Id, partner: Id) -> Option<Share> {
        look_up!(self, Share, RecordKey::Share(asset, partner), self.base.share(asset, partner))
    }
    fn token(&self, id: Id) -> Option<Token> {
        look_up!(self, Token, RecordKey::Token(id), self.base.token(id))
    }
    fn token_by_digest(&self, digest: &Digest) -> Option<Token> {
        // A digest never changes hands, so a token of the base is found by it, then looked up anew.
        if let Some(token) = self.base.token_by_digest(digest) {
            return self.token(token.id);
        }
        self.changed.values().flatten().find_map(|r| match r {
            Record::Token(t) if t.digest == *digest => Some(t.clone()),
            _ => None,
        })
    }
    fn page_counter(&self, parent: Id, page: Id) -> Option<PageCounter> {
        let key = RecordKey::PageCounter(parent, page);
        look_up!(self, PageCounter, key, self.base.page_counter(parent, page))
    }
    fn sign_in_code(&self, digest: &Digest) -> Option<SignInCode> {
        look_up!(self, SignInCode, RecordKey::SignInCode(*digest), self.base.sign_in_code(digest))
    }
    fn sign_in_codes(&self) -> Vec<SignInCode> {
        let kept =
            self.base.sign_in_codes().into_iter().filter(|c| self.look(RecordKey::SignInCode(c.digest)).is_none());
        let added = self.changed.values().flatten().filter_map(|r| match r {
            Record::SignInCode(c) => Some(c.clone()),
            _ => None,
        });
        let mut codes: Vec<SignInCode> = kept.chain(added).collect();
        codes.sort_by_key(|c| c.digest);
        codes
    }
    fn terms(&self) -> Terms {
        match self.look(RecordKey::Terms) {
            Some(Some(Record::Terms(terms))) => terms.clone(),
            _ => self.base.terms(),
        }
    }
    fn list(&self, list: List) -> Vec<Id> {
        let mut ids = self.base.list(list);
        if self.changed.is_empty() {
            return ids;
        }
        let out: std::collections::HashSet<Id> = self.gone.values().filter_map(|r| listed(r, list)).collect();
        ids.retain(|id| !out.contains(id));
        ids.extend(self.changed.values().flatten().filter_map(|r| listed(r, list)));
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
