//! Authority records as rows, and rows as records.
//!
//! Every record is taken apart field by field, so that a new field does not compile until it is
//! stored.

use valetkey_domain::app::{App, Connection, Installation, SealedSecret};
use valetkey_domain::asset::Asset;
use valetkey_domain::assignment::Assignment;
use valetkey_domain::business::Business;
use valetkey_domain::credential::Digest;
use valetkey_domain::limits::Limits;
use valetkey_domain::page_token::PageCounter;
use valetkey_domain::person::Person;
use valetkey_domain::share::Share;
use valetkey_domain::sign_in::SignInCode;
use valetkey_domain::system_user::SystemUser;
use valetkey_domain::terms::{Acceptance, Terms};
use valetkey_domain::token::{Token, TokenKind};
use valetkey_domain::{AssetKind, Change, DeclaredKind, Id, Name, Record, RecordKey, Role, ScopeSet, Status, TaskSet};

use super::statements::{self as sql, Statement};
use super::{RowRead, Step, Value};
use crate::StoreError;

/// One table of records: how to read all of it, and how to read a row.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub load: Statement,
    pub read: fn(&dyn RowRead) -> Result<Record, StoreError>,
}

/// All tables of records, in the order in which `Store::load` shows them.
pub const TABLES: &[Table] = &[
    Table { load: sql::LOAD_TERMS, read: read_terms },
    Table { load: sql::LOAD_DECLARED_KINDS, read: read_declared_kind },
    Table { load: sql::LOAD_BUSINESSES, read: read_business },
    Table { load: sql::LOAD_PEOPLE, read: read_person },
    Table { load: sql::LOAD_SYSTEM_USERS, read: read_system_user },
    Table { load: sql::LOAD_APPS, read: read_app },
    Table { load: sql::LOAD_CONNECTIONS, read: read_connection },
    Table { load: sql::LOAD_INSTALLATIONS, read: read_installation },
    Table { load: sql::LOAD_ASSETS, read: read_asset },
    Table { load: sql::LOAD_SHARES, read: read_share },
    Table { load: sql::LOAD_ASSIGNMENTS, read: read_assignment },
    Table { load: sql::LOAD_TOKENS, read: read_token },
    Table { load: sql::LOAD_PAGE_COUNTERS, read: read_page_counter },
    Table { load: sql::LOAD_SIGN_IN_CODES, read: read_sign_in_code },
];

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

/// The statement that stores a record, whether it is new or not.
///
/// # Errors
/// Only if the list of tasks of a declared kind can't be written as JSON, or a counter has no column wide
/// enough.
pub fn upsert(record: &Record) -> Result<(Statement, Vec<Value>), StoreError> {
    Ok(match record {
        Record::Business(Business {
            id,
            name,
            created_at,
            accepted,
            limits,
            strict_visibility,
            token_lifetime_limit_s,
        }) => {
            let Limits { admin_system_users, employee_system_users, people, apps, assets, tokens_per_system_user } =
                limits;
            let values = vec![
                (*id).into(),
                name.as_str().into(),
                (*created_at).into(),
                accepted.as_ref().map(|a| i64::from(a.version)).into(),
                accepted.as_ref().map(|a| a.person).into(),
                accepted.as_ref().map(|a| a.at).into(),
                i64::from(*admin_system_users).into(),
                i64::from(*employee_system_users).into(),
                i64::from(*people).into(),
                i64::from(*apps).into(),
                i64::from(*assets).into(),
                i64::from(*tokens_per_system_user).into(),
                (*strict_visibility).into(),
                (*token_lifetime_limit_s).into(),
            ];
            (sql::UPSERT_BUSINESS, values)
        }
        Record::Person(Person { id, business, name, email, role, status, created_at }) => {
            let values = vec![
                (*id).into(),
                (*business).into(),
                name.as_str().into(),
                email.as_str().into(),
                role.as_str().into(),
                status.as_str().into(),
                (*created_at).into(),
            ];
            (sql::UPSERT_PERSON, values)
        }
        Record::SystemUser(SystemUser { id, business, name, role, status, created_at, created_by }) => {
            let values = vec![
                (*id).into(),
                (*business).into(),
                name.as_str().into(),
                role.as_str().into(),
                status.as_str().into(),
                (*created_at).into(),
                (*created_by).into(),
            ];
            (sql::UPSERT_SYSTEM_USER, values)
        }
        Record::App(App { id, business, name, created_at, secret, previous_secret, allowed_scopes, demands_proof }) => {
            let values = vec![
                (*id).into(),
                (*business).into(),
                name.as_str().into(),
                (*created_at).into(),
                secret.0.as_slice().into(),
                previous_secret.as_ref().map_or(Value::Null, |(s, _)| s.0.as_slice().into()),
                previous_secret.as_ref().map(|(_, until)| *until).into(),
                scope_bits(*allowed_scopes),
                (*demands_proof).into(),
            ];
            (sql::UPSERT_APP, values)
        }
        Record::Connection(Connection { business, app, created_at }) => {
            (sql::UPSERT_CONNECTION, vec![(*business).into(), (*app).into(), (*created_at).into()])
        }
        Record::Installation(Installation { system_user, app, business, created_at }) => {
            let values = vec![(*system_user).into(), (*app).into(), (*business).into(), (*created_at).into()];
            (sql::UPSERT_INSTALLATION, values)
        }
        Record::DeclaredKind(DeclaredKind { kind, word, title, tasks }) => {
            let tasks =
                serde_json::to_string(tasks).map_err(|e| StoreError::Other(format!("tasks of kind {word}: {e}")))?;
            let values =
                vec![i64::from(kind.0).into(), word.as_str().into(), title.as_str().into(), Value::Text(tasks)];
            (sql::UPSERT_DECLARED_KIND, values)
        }
        Record::Asset(Asset { id, kind, business, name, created_at }) => {
            let values = vec![
                (*id).into(),
                i64::from(kind.0).into(),
                (*business).into(),
                name.as_str().into(),
                (*created_at).into(),
            ];
            (sql::UPSERT_ASSET, values)
        }
        Record::Assignment(Assignment { user, asset, business, tasks, created_at, created_by }) => {
            let values = vec![
                (*user).into(),
                (*asset).into(),
                (*business).into(),
                i64::from(tasks.0).into(),
                (*created_at).into(),
                (*created_by).into(),
            ];
            (sql::UPSERT_ASSIGNMENT, values)
        }
        Record::Share(Share { asset, partner, tasks, created_at, created_by }) => {
            let values = vec![
                (*asset).into(),
                (*partner).into(),
                i64::from(tasks.0).into(),
                (*created_at).into(),
                (*created_by).into(),
            ];
            (sql::UPSERT_SHARE, values)
        }
        Record::Token(token) => (sql::UPSERT_TOKEN, token_values(token)),
        Record::PageCounter(PageCounter { parent, page, counter }) => {
            let counter = i64::try_from(*counter).map_err(|_| StoreError::Other(format!("a counter of {counter}")))?;
            (sql::UPSERT_PAGE_COUNTER, vec![(*parent).into(), (*page).into(), counter.into()])
        }
        Record::SignInCode(SignInCode { digest, person, business, created_at, expires_at }) => {
            let values = vec![
                digest.0.as_slice().into(),
                (*person).into(),
                (*business).into(),
                (*created_at).into(),
                (*expires_at).into(),
            ];
            (sql::UPSERT_SIGN_IN_CODE, values)
        }
        Record::Terms(Terms { version, text }) => {
            (sql::UPSERT_TERMS, vec![i64::from(*version).into(), text.as_str().into()])
        }
    })
}

fn token_values(token: &Token) -> Vec<Value> {
    let Token {
        id,
        digest,
        kind,
        user,
        business,
        app,
        scopes,
        created_at,
        expires_at,
        created_by,
        parent,
        page,
        revoked_at,
    } = token;
    vec![
        (*id).into(),
        digest.0.as_slice().into(),
        kind.as_str().into(),
        (*user).into(),
        (*business).into(),
        (*app).into(),
        scope_bits(*scopes),
        (*created_at).into(),
        (*expires_at).into(),
        (*created_by).into(),
        (*parent).into(),
        (*page).into(),
        (*revoked_at).into(),
    ]
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
        RecordKey::DeclaredKind(kind) => (sql::DELETE_DECLARED_KIND, vec![i64::from(kind.0).into()]),
        RecordKey::Asset(id) => (sql::DELETE_ASSET, vec![id.into()]),
        RecordKey::Assignment(user, asset) => (sql::DELETE_ASSIGNMENT, vec![user.into(), asset.into()]),
        RecordKey::Share(asset, partner) => (sql::DELETE_SHARE, vec![asset.into(), partner.into()]),
        RecordKey::Token(id) => (sql::DELETE_TOKEN, vec![id.into()]),
        RecordKey::PageCounter(parent, page) => (sql::DELETE_PAGE_COUNTER, vec![parent.into(), page.into()]),
        RecordKey::SignInCode(digest) => (sql::DELETE_SIGN_IN_CODE, vec![digest.0.as_slice().into()]),
        RecordKey::Terms => (sql::DELETE_TERMS, Vec::new()),
    }
}

fn read_business(row: &dyn RowRead) -> Result<Record, StoreError> {
    let accepted = match row.opt_int(3)? {
        None => None,
        Some(version) => {
            Some(Acceptance { version: small(version, "accepted_version")?, person: id(row, 4)?, at: row.int(5)? })
        }
    };
    let limits = Limits {
        admin_system_users: small(row.int(6)?, "limit_admin_system_users")?,
        employee_system_users: small(row.int(7)?, "limit_employee_system_users")?,
        people: small(row.int(8)?, "limit_people")?,
        apps: small(row.int(9)?, "limit_apps")?,
        assets: small(row.int(10)?, "limit_assets")?,
        tokens_per_system_user: small(row.int(11)?, "limit_tokens_per_system_user")?,
    };
    Ok(Record::Business(Business {
        id: id(row, 0)?,
        name: name(row, 1)?,
        created_at: row.int(2)?,
        accepted,
        limits,
        strict_visibility: row.int(12)? != 0,
        token_lifetime_limit_s: row.opt_int(13)?,
    }))
}

fn read_person(row: &dyn RowRead) -> Result<Record, StoreError> {
    Ok(Record::Person(Person {
        id: id(row, 0)?,
        business: id(row, 1)?,
        name: name(row, 2)?,
        email: row.text(3)?,
        role: role(row, 4)?,
        status: status(row, 5)?,
        created_at: row.int(6)?,
    }))
}

fn read_system_user(row: &dyn RowRead) -> Result<Record, StoreError> {
    Ok(Record::SystemUser(SystemUser {
        id: id(row, 0)?,
        business: id(row, 1)?,
        name: name(row, 2)?,
        role: role(row, 3)?,
        status: status(row, 4)?,
        created_at: row.int(5)?,
        created_by: opt_id(row, 6)?,
    }))
}

fn read_app(row: &dyn RowRead) -> Result<Record, StoreError> {
    let previous_secret = match row.opt_blob(5)? {
        None => None,
        Some(bytes) => Some((SealedSecret(bytes), row.int(6)?)),
    };
    Ok(Record::App(App {
        id: id(row, 0)?,
        business: id(row, 1)?,
        name: name(row, 2)?,
        created_at: row.int(3)?,
        secret: SealedSecret(row.blob(4)?),
        previous_secret,
        allowed_scopes: scopes(row, 7)?,
        demands_proof: row.int(8)? != 0,
    }))
}

fn read_connection(row: &dyn RowRead) -> Result<Record, StoreError> {
    Ok(Record::Connection(Connection { business: id(row, 0)?, app: id(row, 1)?, created_at: row.int(2)? }))
}

fn read_installation(row: &dyn RowRead) -> Result<Record, StoreError> {
    Ok(Record::Installation(Installation {
        system_user: id(row, 0)?,
        app: id(row, 1)?,
        business: id(row, 2)?,
        created_at: row.int(3)?,
    }))
}

fn read_declared_kind(row: &dyn RowRead) -> Result<Record, StoreError> {
    let tasks = row.text(3)?;
    Ok(Record::DeclaredKind(DeclaredKind {
        kind: kind(row, 0)?,
        word: row.text(1)?,
        title: name(row, 2)?,
        tasks: serde_json::from_str(&tasks)
            .map_err(|e| StoreError::Corrupt(format!("tasks of a declared kind: {e}")))?,
    }))
}

fn read_asset(row: &dyn RowRead) -> Result<Record, StoreError> {
    Ok(Record::Asset(Asset {
        id: id(row, 0)?,
        kind: kind(row, 1)?,
        business: opt_id(row, 2)?,
        name: name(row, 3)?,
        created_at: row.int(4)?,
    }))
}

fn read_share(row: &dyn RowRead) -> Result<Record, StoreError> {
    Ok(Record::Share(Share {
        asset: id(row, 0)?,
        partner: id(row, 1)?,
        tasks: TaskSet(small(row.int(2)?, "tasks")?),
        created_at: row.int(3)?,
        created_by: opt_id(row, 4)?,
    }))
}

fn read_assignment(row: &dyn RowRead) -> Result<Record, StoreError> {
    Ok(Record::Assignment(Assignment {
        user: id(row, 0)?,
        asset: id(row, 1)?,
        business: id(row, 2)?,
        tasks: TaskSet(small(row.int(3)?, "tasks")?),
        created_at: row.int(4)?,
        created_by: opt_id(row, 5)?,
    }))
}

fn read_token(row: &dyn RowRead) -> Result<Record, StoreError> {
    let word = row.text(2)?;
    let kind = [TokenKind::SystemUser, TokenKind::Page, TokenKind::User].into_iter().find(|k| k.as_str() == word);
    Ok(Record::Token(Token {
        id: id(row, 0)?,
        digest: digest(row, 1)?,
        kind: kind.ok_or_else(|| StoreError::Corrupt(format!("a token of unknown kind {word}")))?,
        user: id(row, 3)?,
        business: id(row, 4)?,
        app: opt_id(row, 5)?,
        scopes: scopes(row, 6)?,
        created_at: row.int(7)?,
        expires_at: row.opt_int(8)?,
        created_by: opt_id(row, 9)?,
        parent: opt_id(row, 10)?,
        page: opt_id(row, 11)?,
        revoked_at: row.opt_int(12)?,
    }))
}

fn read_page_counter(row: &dyn RowRead) -> Result<Record, StoreError> {
    let counter = row.int(2)?;
    let counter = u64::try_from(counter).map_err(|_| StoreError::Corrupt(format!("a page counter is {counter}")))?;
    Ok(Record::PageCounter(PageCounter { parent: id(row, 0)?, page: id(row, 1)?, counter }))
}

fn read_sign_in_code(row: &dyn RowRead) -> Result<Record, StoreError> {
    Ok(Record::SignInCode(SignInCode {
        digest: digest(row, 0)?,
        person: id(row, 1)?,
        business: id(row, 2)?,
        created_at: row.int(3)?,
        expires_at: row.int(4)?,
    }))
}

fn read_terms(row: &dyn RowRead) -> Result<Record, StoreError> {
    Ok(Record::Terms(Terms { version: small(row.int(0)?, "version")?, text: row.text(1)? }))
}

/// An id column.
pub(super) fn id(row: &dyn RowRead, column: usize) -> Result<Id, StoreError> {
    let value = row.int(column)?;
    Id::from_i64(value).ok_or_else(|| StoreError::Corrupt(format!("{value} stands where an id must stand")))
}

/// An id column that may be NULL.
pub(super) fn opt_id(row: &dyn RowRead, column: usize) -> Result<Option<Id>, StoreError> {
    match row.opt_int(column)? {
        None => Ok(None),
        Some(_) => id(row, column).map(Some),
    }
}

fn name(row: &dyn RowRead, column: usize) -> Result<Name, StoreError> {
    let text = row.text(column)?;
    Name::parse(&text).map_err(|e| StoreError::Corrupt(format!("a stored name {}", e.message())))
}

fn role(row: &dyn RowRead, column: usize) -> Result<Role, StoreError> {
    let word = row.text(column)?;
    Role::parse(&word).ok_or_else(|| StoreError::Corrupt(format!("unknown role {word}")))
}

fn status(row: &dyn RowRead, column: usize) -> Result<Status, StoreError> {
    let word = row.text(column)?;
    [Status::Active, Status::Deactivated, Status::Deleted]
        .into_iter()
        .find(|s| s.as_str() == word)
        .ok_or_else(|| StoreError::Corrupt(format!("unknown status {word}")))
}

fn kind(row: &dyn RowRead, column: usize) -> Result<AssetKind, StoreError> {
    let value = row.int(column)?;
    u8::try_from(value).map(AssetKind).map_err(|_| StoreError::Corrupt(format!("unknown kind of asset {value}")))
}

fn digest(row: &dyn RowRead, column: usize) -> Result<Digest, StoreError> {
    let bytes = row.blob(column)?;
    Digest::from_slice(&bytes).ok_or_else(|| StoreError::Corrupt(format!("a digest of {} bytes", bytes.len())))
}

// The 64 bits of a set of scopes are kept as they are; only the sign is read differently.
fn scope_bits(set: ScopeSet) -> Value {
    Value::Int(set.bits().cast_signed())
}

fn scopes(row: &dyn RowRead, column: usize) -> Result<ScopeSet, StoreError> {
    Ok(ScopeSet::from_bits(row.int(column)?.cast_unsigned()))
}

fn small(value: i64, what: &str) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| StoreError::Corrupt(format!("{what} is {value}")))
}
