//! Authority records in the store: which tables there are, and the statements that make a change true.

use valetkey_domain::noun::app::{App, Connection, Installation};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::human::Human;
use valetkey_domain::noun::page_token::PageCounter;
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::terms::Terms;
use valetkey_domain::noun::token::Token;
use valetkey_domain::{Change, DeclaredKind, Record, RecordKey};

use super::nouns::Stored;
use super::statements::{self as sql, Statement};
use super::{RowRead, Step, Value};
use crate::StoreError;

/// One table of records: how to read all of it, and how to read a row.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub load: Statement,
    pub read: fn(&dyn RowRead) -> Result<Record, StoreError>,
}

macro_rules! tables {
    ($($Noun:ident),* $(,)?) => {
        /// All tables of records, in the order in which `Store::load` shows them.
        pub const TABLES: &[Table] = &[
            $(Table { load: <$Noun as Stored>::LOAD, read: |row| $Noun::read(row).map(Record::$Noun) },)*
        ];

        /// The statement that stores a record, whether it is new or not.
        ///
        /// # Errors
        /// If a field has no column wide enough.
        pub fn upsert(record: &Record) -> Result<(Statement, Vec<Value>), StoreError> {
            match record {
                $(Record::$Noun(record) => Ok((<$Noun as Stored>::UPSERT, record.values()?)),)*
            }
        }
    };
}

tables! {
    Terms,
    DeclaredKind,
    Business,
    Human,
    Passkey,
    Person,
    SystemUser,
    App,
    Connection,
    Installation,
    Asset,
    Share,
    Assignment,
    Token,
    PageCounter,
    SignInCode,
}

/// The steps that make a change true.
pub fn steps(change: &Change) -> Result<Vec<Step>, StoreError> {
    let mut steps = Vec::with_capacity(1);
    let after = change.after.as_ref().map(Record::key);
    if let Some(before) = change.before.as_ref().map(Record::key).filter(|b| Some(*b) != after) {
        let (statement, values) = delete(before);
        steps.push(Step { statement, values, expect: None });
    }
    if let Some(record) = &change.after {
        let (statement, values) = upsert(record)?;
        steps.push(Step { statement, values, expect: None });
    }
    Ok(steps)
}

/// The statement that removes the record of a key; nothing happens if it is gone.
pub fn delete(key: RecordKey) -> (Statement, Vec<Value>) {
    match key {
        RecordKey::Business(id) => (sql::DELETE_BUSINESS, vec![id.into()]),
        RecordKey::Person(id) => (sql::DELETE_PERSON, vec![id.into()]),
        RecordKey::SystemUser(id) => (sql::DELETE_SYSTEM_USER, vec![id.into()]),
        RecordKey::App(id) => (sql::DELETE_APP, vec![id.into()]),
        RecordKey::Connection(business, app) => (sql::DELETE_CONNECTION, vec![business.into(), app.into()]),
        RecordKey::Installation(user, app) => (sql::DELETE_INSTALLATION, vec![user.into(), app.into()]),
        RecordKey::DeclaredKind(kind) => (sql::DELETE_DECLARED_KIND, vec![i64::from(kind.number()).into()]),
        RecordKey::Asset(id) => (sql::DELETE_ASSET, vec![id.into()]),
        RecordKey::Assignment(user, asset) => (sql::DELETE_ASSIGNMENT, vec![user.into(), asset.into()]),
        RecordKey::Share(asset, partner) => (sql::DELETE_SHARE, vec![asset.into(), partner.into()]),
        RecordKey::Token(id) => (sql::DELETE_TOKEN, vec![id.into()]),
        RecordKey::PageCounter(parent, page) => (sql::DELETE_PAGE_COUNTER, vec![parent.into(), page.into()]),
        RecordKey::SignInCode(digest) => (sql::DELETE_SIGN_IN_CODE, vec![digest.0.as_slice().into()]),
        RecordKey::Terms => (sql::DELETE_TERMS, Vec::new()),
        RecordKey::Human(id) => (sql::DELETE_HUMAN, vec![id.into()]),
        RecordKey::Passkey(id) => (sql::DELETE_PASSKEY, vec![id.into()]),
    }
}
