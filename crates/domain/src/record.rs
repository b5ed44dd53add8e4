//! Records: every noun of the authority class, as one sum, with the key that names each.

use serde::{Deserialize, Serialize};

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
use crate::{AssetKind, DeclaredKind, Id};

/// One noun of the authority class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Business(Business),
    Person(Person),
    SystemUser(SystemUser),
    App(App),
    Connection(Connection),
    Installation(Installation),
    DeclaredKind(DeclaredKind),
    Asset(Asset),
    Assignment(Assignment),
    Share(Share),
    Token(Token),
    PageCounter(PageCounter),
    SignInCode(SignInCode),
    Terms(Terms),
}

/// What names a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKey {
    Business(Id),
    Person(Id),
    SystemUser(Id),
    App(Id),
    /// Business, app.
    Connection(Id, Id),
    /// System user, app.
    Installation(Id, Id),
    DeclaredKind(AssetKind),
    Asset(Id),
    /// User, asset.
    Assignment(Id, Id),
    /// Asset, partner.
    Share(Id, Id),
    Token(Id),
    /// Parent token, Page.
    PageCounter(Id, Id),
    SignInCode(Digest),
    Terms,
}

impl Record {
    /// The key of this record.
    pub fn key(&self) -> RecordKey {
        match self {
            Record::Business(r) => RecordKey::Business(r.id),
            Record::Person(r) => RecordKey::Person(r.id),
            Record::SystemUser(r) => RecordKey::SystemUser(r.id),
            Record::App(r) => RecordKey::App(r.id),
            Record::Connection(r) => RecordKey::Connection(r.business, r.app),
            Record::Installation(r) => RecordKey::Installation(r.system_user, r.app),
            Record::DeclaredKind(r) => RecordKey::DeclaredKind(r.kind),
            Record::Asset(r) => RecordKey::Asset(r.id),
            Record::Assignment(r) => RecordKey::Assignment(r.user, r.asset),
            Record::Share(r) => RecordKey::Share(r.asset, r.partner),
            Record::Token(r) => RecordKey::Token(r.id),
            Record::PageCounter(r) => RecordKey::PageCounter(r.parent, r.page),
            Record::SignInCode(r) => RecordKey::SignInCode(r.digest),
            Record::Terms(_) => RecordKey::Terms,
        }
    }
}
