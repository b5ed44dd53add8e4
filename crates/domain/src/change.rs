//! Changes: what a rule plans, what the ledger keeps, and what every index folds.

use serde::{Deserialize, Serialize};

use crate::app::{App, Connection, Installation};
use crate::asset::Asset;
use crate::assignment::Assignment;
use crate::business::Business;
use crate::page_token::PageCounter;
use crate::person::Person;
use crate::share::Share;
use crate::system_user::SystemUser;
use crate::token::Token;
use crate::{DeclaredKind, Id, Record, RecordKey, Status, TaskSet, UnixMs};

/// One record before and after. Both absent is impossible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Record>,
}

/// What happened, as a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    BusinessCreated,
    BusinessUpdated,
    TermsAccepted,
    TermsReplaced,
    PersonCreated,
    PersonUpdated,
    PersonDeleted,
    SignInCodeCreated,
    SignInCodeRedeemed,
    AppCreated,
    AppUpdated,
    AppSecretRotated,
    AppConnected,
    AppDisconnected,
    AppInstalled,
    AppUninstalled,
    SystemUserCreated,
    SystemUserRenamed,
    SystemUserActivated,
    SystemUserDeactivated,
    SystemUserDeleted,
    KindDeclared,
    AssetCreated,
    AssetRenamed,
    Assigned,
    Unassigned,
    Shared,
    Unshared,
    TokenIssued,
    TokenRefreshed,
    PageTokenDerived,
    TokenRevoked,
    TokensRevoked,
    TokenScopesNarrowed,
    ContentCreated,
    ContentUpdated,
    ContentDeleted,
    /// Jobs of a version that wrote no entries for them came into the ledger.
    JobsEntered,
    /// A job is to be tried anew, as its own actor.
    JobRetried,
    /// A job without an actor became the operator's.
    JobConfirmed,
    JobCancelled,
}

impl Action {
    /// The word in the ledger.
    pub fn as_str(self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Action> {
        serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
    }
}

/// Who did it, and with which token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: Option<Id>,
    pub token: Option<Id>,
}

/// The sort of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    Operator,
    Person,
    SystemUser,
    App,
}

impl ActorKind {
    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            ActorKind::Operator => "operator",
            ActorKind::Person => "person",
            ActorKind::SystemUser => "system_user",
            ActorKind::App => "app",
        }
    }
}

/// Everything that one command changes, applied as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSet {
    pub at: UnixMs,
    pub action: Action,
    pub actor: Actor,
    /// The business whose history it belongs to; none for the operator's own.
    pub business: Option<Id>,
    pub subjects: Vec<Id>,
    pub changes: Vec<Change>,
}

impl ChangeSet {
    /// Whether anything that was possible before is not possible after it. A narrowing change must
    /// be known everywhere before its answer leaves.
    pub fn narrows(&self) -> bool {
        self.changes.iter().any(Change::narrows)
    }
}

impl Change {
    /// The key of the record that changes.
    pub fn key(&self) -> Option<RecordKey> {
        self.after.as_ref().or(self.before.as_ref()).map(Record::key)
    }

    /// Whether this change takes something away. Every pair of records is looked at, and every field
    /// of each is named, so that a new one can't be forgotten; a pair that is not known to be
    /// harmless narrows.
    pub fn narrows(&self) -> bool {
        let (before, after) = match (&self.before, &self.after) {
            // What did not exist could not be used. Terms are the exception: a new text stops new
            // system users.
            (None, Some(after)) => return matches!(after, Record::Terms(_)),
            (_, None) => return true,
            (Some(before), Some(after)) => (before, after),
        };
        // A record never turns into another; should it, nothing may be taken for granted.
        if before.key() != after.key() {
            return true;
        }
        match (before, after) {
            (Record::Business(b), Record::Business(a)) => business_narrows(b, a),
            (Record::Person(b), Record::Person(a)) => {
                let Person { id: _, business, name: _, email: _, role, status, created_at: _ } = a;
                b.role != *role || (b.status != *status && *status != Status::Active) || b.business != *business
            }
            (Record::SystemUser(b), Record::SystemUser(a)) => {
                let SystemUser { id: _, business, name: _, role, status, created_at: _, created_by: _ } = a;
                b.role != *role || (b.status != *status && *status != Status::Active) || b.business != *business
            }
            (Record::App(b), Record::App(a)) => {
                let App {
                    id: _,
                    business,
                    name: _,
                    created_at: _,
                    secret,
                    previous_secret,
                    allowed_scopes,
                    demands_proof,
                } = a;
                !allowed_scopes.covers(b.allowed_scopes)
                    || (*demands_proof && !b.demands_proof)
                    || *secret != b.secret
                    || *previous_secret != b.previous_secret
                    || *business != b.business
            }
            (Record::Asset(b), Record::Asset(a)) => {
                let Asset { id: _, kind, business, name: _, created_at: _ } = a;
                b.business != *business || b.kind != *kind
            }
            (Record::Assignment(b), Record::Assignment(a)) => {
                let Assignment { user: _, asset: _, business, tasks, created_at: _, created_by: _ } = a;
                drops_tasks(b.tasks, *tasks) || b.business != *business
            }
            (Record::Share(b), Record::Share(a)) => {
                let Share { asset: _, partner: _, tasks, created_at: _, created_by: _ } = a;
                drops_tasks(b.tasks, *tasks)
            }
            (Record::Token(b), Record::Token(a)) => token_narrows(b, a),
            (Record::PageCounter(b), Record::PageCounter(a)) => {
                let PageCounter { parent: _, page: _, counter } = a;
                *counter != b.counter
            }
            (Record::DeclaredKind(b), Record::DeclaredKind(a)) => {
                let DeclaredKind { kind: _, word, title: _, tasks } = a;
                !tasks.starts_with(&b.tasks) || *word != b.word
            }
            (Record::Connection(_), Record::Connection(a)) => {
                let Connection { business: _, app: _, created_at: _ } = a;
                false
            }
            (Record::Installation(b), Record::Installation(a)) => {
                let Installation { system_user: _, app: _, business, created_at: _ } = a;
                b.business != *business
            }
            // Codes, terms, and whatever else.
            _ => true,
        }
    }
}

fn business_narrows(b: &Business, a: &Business) -> bool {
    let Business { id: _, name: _, created_at: _, accepted, limits, strict_visibility, token_lifetime_limit_s } = a;
    (*strict_visibility && !b.strict_visibility)
        || (*accepted != b.accepted && accepted.is_none())
        || *limits != b.limits
        || *token_lifetime_limit_s != b.token_lifetime_limit_s
}

fn token_narrows(b: &Token, a: &Token) -> bool {
    let Token {
        id: _,
        digest,
        kind,
        user,
        business,
        app,
        scopes,
        created_at: _,
        expires_at,
        created_by: _,
        parent,
        page,
        revoked_at,
    } = a;
    let later = |x: Option<UnixMs>| x.unwrap_or(UnixMs::MAX);
    let who_it_is = (*digest, *kind, *user, *business, *app, *parent, *page);
    revoked_at.is_some()
        || !scopes.covers(b.scopes)
        || later(*expires_at) < later(b.expires_at)
        || who_it_is != (b.digest, b.kind, b.user, b.business, b.app, b.parent, b.page)
}

/// Stored sets are compared, not what they imply: a set that was replaced by a wider one of other
/// words counts as narrower, which costs a wait and no right.
fn drops_tasks(before: TaskSet, after: TaskSet) -> bool {
    !after.covers(before)
}
