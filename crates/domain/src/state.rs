//! What rules may read: one revision of all authority records.

use crate::app::{App, Connection, Installation};
use crate::asset::Asset;
use crate::assignment::Assignment;
use crate::business::Business;
use crate::credential::Digest;
use crate::page_token::PageCounter;
use crate::person::Person;
use crate::share::Share;
use crate::sign_in::SignInCode;
use crate::system_user::SystemUser;
use crate::terms::Terms;
use crate::token::Token;
use crate::{AssetKind, DeclaredKind, Id, Record, RecordKey};

/// A listing of ids. Every listing is in ascending order of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum List {
    Businesses,
    /// People of a business, deleted ones included.
    People(Id),
    /// System users of a business, deleted ones included.
    SystemUsers(Id),
    /// Apps that a business owns.
    OwnedApps(Id),
    /// Apps connected to a business.
    ConnectedApps(Id),
    /// Assets that a business owns; apps are not among them.
    OwnedAssets(Id),
    /// Assets shared with a business.
    SharedAssets(Id),
    /// Apps installed on a system user.
    InstalledApps(Id),
    /// Assets assigned to a user.
    AssetsOf(Id),
    /// Users with an assignment on an asset, of whatever business.
    UsersOn(Id),
    /// Partners that an asset is shared with.
    PartnersOf(Id),
    /// Tokens of a user, dead ones and page tokens included.
    TokensOf(Id),
    /// Page tokens of this Page that are not revoked, of whatever user.
    PageTokensOn(Id),
    /// Those of the users of one business.
    PageTokensIn {
        page: Id,
        business: Id,
    },
    /// Those of one user.
    PageTokensOf {
        page: Id,
        user: Id,
    },
}

/// One revision of the authority records. Readers get copies, so no lock outlives a call.
pub trait State {
    fn business(&self, id: Id) -> Option<Business>;
    fn person(&self, id: Id) -> Option<Person>;
    fn system_user(&self, id: Id) -> Option<SystemUser>;
    fn app(&self, id: Id) -> Option<App>;
    fn connection(&self, business: Id, app: Id) -> Option<Connection>;
    fn installation(&self, system_user: Id, app: Id) -> Option<Installation>;
    fn declared_kind(&self, kind: AssetKind) -> Option<DeclaredKind>;
    fn declared_kinds(&self) -> Vec<DeclaredKind>;
    /// An asset; an app answers as an asset of kind app.
    fn asset(&self, id: Id) -> Option<Asset>;
    fn assignment(&self, user: Id, asset: Id) -> Option<Assignment>;
    fn share(&self, asset: Id, partner: Id) -> Option<Share>;
    fn token(&self, id: Id) -> Option<Token>;
    fn token_by_digest(&self, digest: &Digest) -> Option<Token>;
    /// How often the page token of a Page was ended for a parent token; none means never.
    fn page_counter(&self, parent: Id, page: Id) -> Option<PageCounter>;
    fn sign_in_code(&self, digest: &Digest) -> Option<SignInCode>;
    fn sign_in_codes(&self) -> Vec<SignInCode>;
    fn terms(&self) -> Terms;
    /// The ids of a listing, ascending.
    fn list(&self, list: List) -> Vec<Id>;

    /// Whether any record has this id.
    fn exists(&self, id: Id) -> bool {
        self.business(id).is_some()
            || self.person(id).is_some()
            || self.system_user(id).is_some()
            || self.asset(id).is_some()
            || self.token(id).is_some()
    }

    /// The record behind a key.
    fn record(&self, key: RecordKey) -> Option<Record> {
        match key {
            RecordKey::Business(id) => self.business(id).map(Record::Business),
            RecordKey::Person(id) => self.person(id).map(Record::Person),
            RecordKey::SystemUser(id) => self.system_user(id).map(Record::SystemUser),
            RecordKey::App(id) => self.app(id).map(Record::App),
            RecordKey::Connection(business, app) => self.connection(business, app).map(Record::Connection),
            RecordKey::Installation(user, app) => self.installation(user, app).map(Record::Installation),
            RecordKey::DeclaredKind(kind) => self.declared_kind(kind).map(Record::DeclaredKind),
            RecordKey::Asset(id) => self.asset(id).filter(|a| a.kind != AssetKind::APP).map(Record::Asset),
            RecordKey::Assignment(user, asset) => self.assignment(user, asset).map(Record::Assignment),
            RecordKey::Share(asset, partner) => self.share(asset, partner).map(Record::Share),
            RecordKey::Token(id) => self.token(id).map(Record::Token),
            RecordKey::PageCounter(parent, page) => self.page_counter(parent, page).map(Record::PageCounter),
            RecordKey::SignInCode(digest) => self.sign_in_code(&digest).map(Record::SignInCode),
            RecordKey::Terms => Some(Record::Terms(self.terms())),
        }
    }
}
