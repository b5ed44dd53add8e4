//! Changes: what a rule plans, what the ledger keeps, and what every index folds.

use serde::{Deserialize, Serialize};

use crate::{Id, Record, RecordKey, Status, TaskSet, UnixMs};

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

    /// Whether this change takes something away. Every pair of records is looked at; a pair that
    /// is not known to be harmless narrows.
    pub fn narrows(&self) -> bool {
        let (before, after) = match (&self.before, &self.after) {
            // What did not exist could not be used. Terms are the exception: a new text stops new
            // system users.
            (None, Some(Record::Terms(_))) => return true,
            (None, _) => return false,
            (Some(_), None) => return true,
            (Some(before), Some(after)) => (before, after),
        };
        match (before, after) {
            (Record::Business(b), Record::Business(a)) => {
                (a.strict_visibility && !b.strict_visibility)
                    || (a.accepted != b.accepted && a.accepted.is_none())
                    || a.limits != b.limits
                    || a.token_lifetime_limit_s != b.token_lifetime_limit_s
            }
            (Record::Person(b), Record::Person(a)) => {
                b.role != a.role || (b.status != a.status && a.status != Status::Active) || b.business != a.business
            }
            (Record::SystemUser(b), Record::SystemUser(a)) => {
                b.role != a.role || (b.status != a.status && a.status != Status::Active) || b.business != a.business
            }
            (Record::App(b), Record::App(a)) => {
                !a.allowed_scopes.covers(b.allowed_scopes)
                    || (a.demands_proof && !b.demands_proof)
                    || a.secret != b.secret
                    || a.previous_secret != b.previous_secret
                    || a.business != b.business
            }
            (Record::Asset(b), Record::Asset(a)) => b.business != a.business || b.kind != a.kind,
            (Record::Assignment(b), Record::Assignment(a)) => drops_tasks(b.tasks, a.tasks) || b.business != a.business,
            (Record::Share(b), Record::Share(a)) => drops_tasks(b.tasks, a.tasks),
            (Record::Token(b), Record::Token(a)) => {
                let later = |x: Option<UnixMs>| x.unwrap_or(UnixMs::MAX);
                a.revoked_at.is_some()
                    || !a.scopes.covers(b.scopes)
                    || later(a.expires_at) < later(b.expires_at)
                    || a.page != b.page
            }
            (Record::DeclaredKind(b), Record::DeclaredKind(a)) => !a.tasks.starts_with(&b.tasks),
            (Record::Connection(_), Record::Connection(_)) | (Record::Installation(_), Record::Installation(_)) => false,
            (Record::SignInCode(_), Record::SignInCode(_)) | (Record::Terms(_), Record::Terms(_)) => true,
            // A record never turns into another kind; should it, nothing may be taken for granted.
            _ => true,
        }
    }
}

fn drops_tasks(before: TaskSet, after: TaskSet) -> bool {
    !after.covers(before)
}
