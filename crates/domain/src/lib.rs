//! The nouns of a business manager, their rules, and the changes that rules plan.
//!
//! Everything here is pure: no I/O, no async, no SQL, no HTTP, no clock and no randomness of its
//! own. A rule reads a [`State`], and answers with a [`ChangeSet`] or a [`Refusal`]. Nothing in
//! this crate may decide from anything that was not handed in.

pub mod campaign;
pub mod change;
pub mod credential;
mod draft;
pub mod id;
pub mod key;
pub mod kind;
pub mod limits;
pub mod list;
pub mod name;
pub mod noun;
mod page_endings;
pub mod planner;
pub mod post;
pub mod purpose;
pub mod record;
pub mod refusal;
pub mod rules;
pub mod scope;
pub mod sentences;
pub mod state;
pub mod task;
pub mod task_scopes;
mod task_set;

pub use change::{Action, Actor, Change, ChangeSet};
pub use id::{AppId, AssetId, BusinessId, ContentId, HumanId, Id, IdKind, IdSource, JobId, PasskeyId, TokenId, UserId};
pub use key::RecordKey;
pub use kind::{AssetKind, DeclaredKind};
pub use list::List;
pub use name::Name;
pub use planner::{Caller, Planner, Random};
pub use purpose::Purpose;
pub use record::Record;
pub use refusal::{Missing, Reason, Refusal};
pub use scope::{Scope, ScopeSet};
pub use sentences::{Sentence, Words};
pub use state::State;
pub use task::TaskSet;

/// Milliseconds since 1970-01-01 UTC.
pub type UnixMs = i64;

/// The role of a person or a system user in its business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Manages the business and reaches every asset that it owns or that is shared with it.
    Admin,
    /// Reaches only what is assigned to it.
    Employee,
}

impl Role {
    /// Reads the two words that the wire knows; Meta's other role words are refused on purpose,
    /// since nothing here would honour them.
    pub fn parse(text: &str) -> Option<Role> {
        match text.to_ascii_uppercase().as_str() {
            "ADMIN" => Some(Role::Admin),
            "EMPLOYEE" => Some(Role::Employee),
            _ => None,
        }
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "ADMIN",
            Role::Employee => "EMPLOYEE",
        }
    }
}

/// Whether a person or system user may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Its tokens work.
    Active,
    /// Its tokens are refused until somebody switches it on again.
    Deactivated,
    /// It is gone for good; the record stays so that its history can be read.
    Deleted,
}

impl Status {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Active => "ACTIVE",
            Status::Deactivated => "DEACTIVATED",
            Status::Deleted => "DELETED",
        }
    }
}
