//! Changes: what a rule plans, what the ledger keeps, and what every index folds.

use serde::{Deserialize, Serialize};

use crate::{BusinessId, Id, Record, RecordKey, TokenId, UnixMs};

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
    BusinessDeleted,
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
    AppDeleted,
    SystemUserCreated,
    SystemUserRenamed,
    SystemUserDescribed,
    SystemUserActivated,
    SystemUserDeactivated,
    SystemUserDeleted,
    KindDeclared,
    AssetCreated,
    AssetRenamed,
    AssetDeleted,
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
    pub token: Option<TokenId>,
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
    pub business: Option<BusinessId>,
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

    /// Whether this change takes something away.
    pub fn narrows(&self) -> bool {
        match (&self.before, &self.after) {
            (None, Some(after)) => after.narrows_when_new(),
            (_, None) => true,
            (Some(before), Some(after)) => before.narrows(after),
        }
    }
}
