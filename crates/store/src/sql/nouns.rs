//! The columns of each noun: how a record becomes a row, and a row a record.
//!
//! Every record is taken apart field by field, so that a new field does not compile until it is
//! stored.

use valetkey_domain::limits::Limits;
use valetkey_domain::noun::app::{App, Connection, Installation, SealedSecret};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::page_token::PageCounter;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::terms::{Acceptance, Terms};
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{DeclaredKind, Purpose, TaskSet};

use super::columns::{digest, id, kind, name, opt_id, purpose, role, scope_bits, scopes, small, status};
use super::statements::{self as sql, Statement};
use super::{RowRead, Value};
use crate::StoreError;

/// A noun as rows of one table.
pub(super) trait Stored: Sized {
    /// Reads all rows.
    const LOAD: Statement;
    /// Stores a row, whether it is new or not. Its parameters are [`Stored::values`].
    const UPSERT: Statement;

    /// The columns of this record, in the order of both statements.
    ///
    /// # Errors
    /// If a field has no column wide enough.
    fn values(&self) -> Result<Vec<Value>, StoreError>;

    /// Reads a row of [`Stored::LOAD`].
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if a column holds what no version wrote.
    fn read(row: &dyn RowRead) -> Result<Self, StoreError>;
}

impl Stored for Terms {
    const LOAD: Statement = sql::LOAD_TERMS;
    const UPSERT: Statement = sql::UPSERT_TERMS;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let Terms { version, text } = self;
        Ok(vec![i64::from(*version).into(), text.as_str().into()])
    }

    fn read(row: &dyn RowRead) -> Result<Terms, StoreError> {
        Ok(Terms { version: small(row.int(0)?, "version")?, text: row.text(1)? })
    }
}

impl Stored for DeclaredKind {
    const LOAD: Statement = sql::LOAD_DECLARED_KINDS;
    const UPSERT: Statement = sql::UPSERT_DECLARED_KIND;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let DeclaredKind { kind, word, title, tasks } = self;
        let tasks =
            serde_json::to_string(tasks).map_err(|e| StoreError::Other(format!("tasks of kind {word}: {e}")))?;
        let values =
            vec![i64::from(kind.number()).into(), word.as_str().into(), title.as_str().into(), Value::Text(tasks)];
        Ok(values)
    }

    fn read(row: &dyn RowRead) -> Result<DeclaredKind, StoreError> {
        let tasks = row.text(3)?;
        Ok(DeclaredKind {
            kind: kind(row, 0)?,
            word: row.text(1)?,
            title: name(row, 2)?,
            tasks: serde_json::from_str(&tasks)
                .map_err(|e| StoreError::Corrupt(format!("tasks of a declared kind: {e}")))?,
        })
    }
}

impl Stored for Business {
    const LOAD: Statement = sql::LOAD_BUSINESSES;
    const UPSERT: Statement = sql::UPSERT_BUSINESS;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let Business { id, name, created_at, accepted, limits, strict_visibility, token_lifetime_limit_s, deleted_at } =
            self;
        let Limits { admin_system_users, employee_system_users, people, apps, assets, tokens_per_system_user } = limits;
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
            (*deleted_at).into(),
        ];
        Ok(values)
    }

    fn read(row: &dyn RowRead) -> Result<Business, StoreError> {
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
        Ok(Business {
            id: id(row, 0)?,
            name: name(row, 1)?,
            created_at: row.int(2)?,
            accepted,
            limits,
            strict_visibility: row.int(12)? != 0,
            token_lifetime_limit_s: row.opt_int(13)?,
            deleted_at: row.opt_int(14)?,
        })
    }
}

impl Stored for Person {
    const LOAD: Statement = sql::LOAD_PEOPLE;
    const UPSERT: Statement = sql::UPSERT_PERSON;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let Person { id, business, name, email, role, status, created_at, human } = self;
        let values = vec![
            (*id).into(),
            (*business).into(),
            name.as_str().into(),
            email.as_str().into(),
            role.as_str().into(),
            status.as_str().into(),
            (*created_at).into(),
            (*human).into(),
        ];
        Ok(values)
    }

    fn read(row: &dyn RowRead) -> Result<Person, StoreError> {
        Ok(Person {
            id: id(row, 0)?,
            business: id(row, 1)?,
            name: name(row, 2)?,
            email: row.text(3)?,
            role: role(row, 4)?,
            status: status(row, 5)?,
            created_at: row.int(6)?,
            human: opt_id(row, 7)?,
        })
    }
}

impl Stored for SystemUser {
    const LOAD: Statement = sql::LOAD_SYSTEM_USERS;
    const UPSERT: Statement = sql::UPSERT_SYSTEM_USER;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let SystemUser { id, business, name, role, status, created_at, created_by, description } = self;
        let values = vec![
            (*id).into(),
            (*business).into(),
            name.as_str().into(),
            role.as_str().into(),
            status.as_str().into(),
            (*created_at).into(),
            (*created_by).into(),
            description.as_ref().map(Purpose::as_str).into(),
        ];
        Ok(values)
    }

    fn read(row: &dyn RowRead) -> Result<SystemUser, StoreError> {
        Ok(SystemUser {
            id: id(row, 0)?,
            business: id(row, 1)?,
            name: name(row, 2)?,
            role: role(row, 3)?,
            status: status(row, 4)?,
            created_at: row.int(5)?,
            created_by: opt_id(row, 6)?,
            description: purpose(row, 7)?,
        })
    }
}

impl Stored for App {
    const LOAD: Statement = sql::LOAD_APPS;
    const UPSERT: Statement = sql::UPSERT_APP;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let App { id, business, name, created_at, secret, previous_secret, allowed_scopes, demands_proof, deleted_at } =
            self;
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
            (*deleted_at).into(),
        ];
        Ok(values)
    }

    fn read(row: &dyn RowRead) -> Result<App, StoreError> {
        let previous_secret = match row.opt_blob(5)? {
            None => None,
            Some(bytes) => Some((SealedSecret(bytes), row.int(6)?)),
        };
        Ok(App {
            id: id(row, 0)?,
            business: id(row, 1)?,
            name: name(row, 2)?,
            created_at: row.int(3)?,
            secret: SealedSecret(row.blob(4)?),
            previous_secret,
            allowed_scopes: scopes(row, 7)?,
            demands_proof: row.int(8)? != 0,
            deleted_at: row.opt_int(9)?,
        })
    }
}

impl Stored for Connection {
    const LOAD: Statement = sql::LOAD_CONNECTIONS;
    const UPSERT: Statement = sql::UPSERT_CONNECTION;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let Connection { business, app, created_at } = self;
        Ok(vec![(*business).into(), (*app).into(), (*created_at).into()])
    }

    fn read(row: &dyn RowRead) -> Result<Connection, StoreError> {
        Ok(Connection { business: id(row, 0)?, app: id(row, 1)?, created_at: row.int(2)? })
    }
}

impl Stored for Installation {
    const LOAD: Statement = sql::LOAD_INSTALLATIONS;
    const UPSERT: Statement = sql::UPSERT_INSTALLATION;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let Installation { system_user, app, business, created_at } = self;
        let values = vec![(*system_user).into(), (*app).into(), (*business).into(), (*created_at).into()];
        Ok(values)
    }

    fn read(row: &dyn RowRead) -> Result<Installation, StoreError> {
        Ok(Installation { system_user: id(row, 0)?, app: id(row, 1)?, business: id(row, 2)?, created_at: row.int(3)? })
    }
}

impl Stored for Asset {
    const LOAD: Statement = sql::LOAD_ASSETS;
    const UPSERT: Statement = sql::UPSERT_ASSET;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let Asset { id, kind, business, name, created_at, deleted_at } = self;
        let values = vec![
            (*id).into(),
            i64::from(kind.number()).into(),
            (*business).into(),
            name.as_str().into(),
            (*created_at).into(),
            (*deleted_at).into(),
        ];
        Ok(values)
    }

    fn read(row: &dyn RowRead) -> Result<Asset, StoreError> {
        Ok(Asset {
            id: id(row, 0)?,
            kind: kind(row, 1)?,
            business: opt_id(row, 2)?,
            name: name(row, 3)?,
            created_at: row.int(4)?,
            deleted_at: row.opt_int(5)?,
        })
    }
}

impl Stored for Share {
    const LOAD: Statement = sql::LOAD_SHARES;
    const UPSERT: Statement = sql::UPSERT_SHARE;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let Share { asset, partner, tasks, created_at, created_by } = self;
        let values = vec![
            (*asset).into(),
            (*partner).into(),
            i64::from(tasks.0).into(),
            (*created_at).into(),
            (*created_by).into(),
        ];
        Ok(values)
    }

    fn read(row: &dyn RowRead) -> Result<Share, StoreError> {
        Ok(Share {
            asset: id(row, 0)?,
            partner: id(row, 1)?,
            tasks: TaskSet(small(row.int(2)?, "tasks")?),
            created_at: row.int(3)?,
            created_by: opt_id(row, 4)?,
        })
    }
}

impl Stored for Assignment {
    const LOAD: Statement = sql::LOAD_ASSIGNMENTS;
    const UPSERT: Statement = sql::UPSERT_ASSIGNMENT;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let Assignment { user, asset, business, tasks, created_at, created_by } = self;
        let values = vec![
            (*user).into(),
            (*asset).into(),
            (*business).into(),
            i64::from(tasks.0).into(),
            (*created_at).into(),
            (*created_by).into(),
        ];
        Ok(values)
    }

    fn read(row: &dyn RowRead) -> Result<Assignment, StoreError> {
        Ok(Assignment {
            user: id(row, 0)?,
            asset: id(row, 1)?,
            business: id(row, 2)?,
            tasks: TaskSet(small(row.int(3)?, "tasks")?),
            created_at: row.int(4)?,
            created_by: opt_id(row, 5)?,
        })
    }
}

impl Stored for Token {
    const LOAD: Statement = sql::LOAD_TOKENS;
    const UPSERT: Statement = sql::UPSERT_TOKEN;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
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
            purpose,
            session,
        } = self;
        Ok(vec![
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
            purpose.as_ref().map(Purpose::as_str).into(),
            (*session).into(),
        ])
    }

    fn read(row: &dyn RowRead) -> Result<Token, StoreError> {
        let word = row.text(2)?;
        let kind = [TokenKind::SystemUser, TokenKind::Page, TokenKind::User].into_iter().find(|k| k.as_str() == word);
        Ok(Token {
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
            purpose: purpose(row, 13)?,
            session: row.int(14)? != 0,
        })
    }
}

impl Stored for PageCounter {
    const LOAD: Statement = sql::LOAD_PAGE_COUNTERS;
    const UPSERT: Statement = sql::UPSERT_PAGE_COUNTER;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let PageCounter { parent, page, counter } = self;
        let counter = i64::try_from(*counter).map_err(|_| StoreError::Other(format!("a counter of {counter}")))?;
        Ok(vec![(*parent).into(), (*page).into(), counter.into()])
    }

    fn read(row: &dyn RowRead) -> Result<PageCounter, StoreError> {
        let counter = row.int(2)?;
        let counter =
            u64::try_from(counter).map_err(|_| StoreError::Corrupt(format!("a page counter is {counter}")))?;
        Ok(PageCounter { parent: id(row, 0)?, page: id(row, 1)?, counter })
    }
}

impl Stored for SignInCode {
    const LOAD: Statement = sql::LOAD_SIGN_IN_CODES;
    const UPSERT: Statement = sql::UPSERT_SIGN_IN_CODE;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let SignInCode { digest, person, business, created_at, expires_at, created_by } = self;
        let values = vec![
            digest.0.as_slice().into(),
            (*person).into(),
            (*business).into(),
            (*created_at).into(),
            (*expires_at).into(),
            (*created_by).into(),
        ];
        Ok(values)
    }

    fn read(row: &dyn RowRead) -> Result<SignInCode, StoreError> {
        Ok(SignInCode {
            digest: digest(row, 0)?,
            person: id(row, 1)?,
            business: id(row, 2)?,
            created_at: row.int(3)?,
            expires_at: row.int(4)?,
            created_by: opt_id(row, 5)?,
        })
    }
}
