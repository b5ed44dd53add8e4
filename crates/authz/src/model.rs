//! A naive state: records in ordered maps, every look-up a search anybody can check by eye.
//!
//! The index is held against it in tests, and small tools use it. It is not for the check path.

use std::collections::BTreeMap;

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
use valetkey_domain::{AssetKind, Change, ChangeSet, DeclaredKind, Id, List, Record, RecordKey, State};

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

    fn ids(&self, pick: impl Fn(&Record) -> Option<Id>) -> Vec<Id> {
        let mut ids: Vec<Id> = self.records.values().filter_map(pick).collect();
        ids.sort_unstable();
        ids
    }
}

macro_rules! look_up {
    ($self:ident, $variant:ident, $key:expr) => {
        match $self.records.get(&$key) {
            Some(Record::$variant(record)) => Some(record.clone()),
            _ => None,
        }
    };
}

impl State for Model {
    fn business(&self, id: Id) -> Option<Business> {
        look_up!(self, Business, RecordKey::Business(id))
    }
    fn person(&self, id: Id) -> Option<Person> {
        look_up!(self, Person, RecordKey::Person(id))
    }
    fn system_user(&self, id: Id) -> Option<SystemUser> {
        look_up!(self, SystemUser, RecordKey::SystemUser(id))
    }
    fn app(&self, id: Id) -> Option<App> {
        look_up!(self, App, RecordKey::App(id))
    }
    fn connection(&self, business: Id, app: Id) -> Option<Connection> {
        look_up!(self, Connection, RecordKey::Connection(business, app))
    }
    fn installation(&self, system_user: Id, app: Id) -> Option<Installation> {
        look_up!(self, Installation, RecordKey::Installation(system_user, app))
    }
    fn declared_kind(&self, kind: AssetKind) -> Option<DeclaredKind> {
        look_up!(self, DeclaredKind, RecordKey::DeclaredKind(kind))
    }
    fn declared_kinds(&self) -> Vec<DeclaredKind> {
        self.records
            .values()
            .filter_map(|r| match r {
                Record::DeclaredKind(k) => Some(k.clone()),
                _ => None,
            })
            .collect()
    }
    fn asset(&self, id: Id) -> Option<Asset> {
        let stored = look_up!(self, Asset, RecordKey::Asset(id));
        stored.or_else(|| self.app(id).map(|app| app_as_asset(&app)))
    }
    fn assignment(&self, user: Id, asset: Id) -> Option<Assignment> {
        look_up!(self, Assignment, RecordKey::Assignment(user, asset))
    }
    fn share(&self, asset: Id, partner: Id) -> Option<Share> {
        look_up!(self, Share, RecordKey::Share(asset, partner))
    }
    fn token(&self, id: Id) -> Option<Token> {
        look_up!(self, Token, RecordKey::Token(id))
    }
    fn token_by_digest(&self, digest: &Digest) -> Option<Token> {
        self.records.values().find_map(|r| match r {
            Record::Token(t) if t.digest == *digest => Some(t.clone()),
            _ => None,
        })
    }
    fn page_counter(&self, parent: Id, page: Id) -> Option<PageCounter> {
        look_up!(self, PageCounter, RecordKey::PageCounter(parent, page))
    }
    fn sign_in_code(&self, digest: &Digest) -> Option<SignInCode> {
        look_up!(self, SignInCode, RecordKey::SignInCode(*digest))
    }
    fn sign_in_codes(&self) -> Vec<SignInCode> {
        self.records
            .values()
            .filter_map(|r| match r {
                Record::SignInCode(c) => Some(c.clone()),
                _ => None,
            })
            .collect()
    }
    fn terms(&self) -> Terms {
        look_up!(self, Terms, RecordKey::Terms).unwrap_or_default()
    }
    fn list(&self, list: List) -> Vec<Id> {
        self.ids(|record| listed(record, list))
    }
}

/// An app seen as an asset of kind app.
pub fn app_as_asset(app: &App) -> Asset {
    Asset {
        id: app.id,
        kind: AssetKind::APP,
        business: Some(app.business),
        name: app.name.clone(),
        created_at: app.created_at,
    }
}

/// The id under which a record stands in a listing, if it does.
pub fn listed(record: &Record, list: List) -> Option<Id> {
    macro_rules! of {
        ($variant:ident, $id:ident, $r:ident => $when:expr) => {
            if let Record::$variant($r) = record { ($when).then_some($r.$id) } else { None }
        };
    }
    match list {
        List::Businesses => {
            if let Record::Business(r) = record {
                Some(r.id)
            } else {
                None
            }
        }
        List::People(b) => of!(Person, id, r => r.business == b),
        List::SystemUsers(b) => of!(SystemUser, id, r => r.business == b),
        List::OwnedApps(b) => of!(App, id, r => r.business == b),
        List::ConnectedApps(b) => of!(Connection, app, r => r.business == b),
        List::OwnedAssets(b) => of!(Asset, id, r => r.business == Some(b)),
        List::SharedAssets(b) => of!(Share, asset, r => r.partner == b),
        List::InstalledApps(u) => of!(Installation, app, r => r.system_user == u),
        List::AssetsOf(u) => of!(Assignment, asset, r => r.user == u),
        List::UsersOn(a) => of!(Assignment, user, r => r.asset == a),
        List::PartnersOf(a) => of!(Share, partner, r => r.asset == a),
        List::TokensOf(u) => of!(Token, id, r => r.user == u),
        List::PageTokensOn(p) => of!(Token, id, r => is_live_page_token(r, p)),
        List::PageTokensIn { page, business } => {
            of!(Token, id, r => is_live_page_token(r, page) && r.business == business)
        }
        List::PageTokensOf { page, user } => of!(Token, id, r => is_live_page_token(r, page) && r.user == user),
    }
}

fn is_live_page_token(token: &Token, page: Id) -> bool {
    token.page == Some(page) && token.revoked_at.is_none()
}
