//! Refusals: why something was not done, what is missing, and which role could give it.
//!
//! A refusal never names people, and never tells a stranger that a thing exists.

use serde::{Deserialize, Serialize};

use crate::{AssetId, AssetKind, Id, ScopeSet, TaskSet, UnixMs};

/// Why. The words of [`Reason::as_str`] are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    TokenMalformed,
    TokenUnknown,
    TokenExpired,
    TokenRevoked,
    UserDeactivated,
    UserDeleted,
    AppDisconnected,
    AppNotInstalled,
    /// The same, met when a token is issued.
    AppNotInstalledForIssue,
    ProofMissing,
    ProofInvalid,
    NotVisible,
    ShareEnded,
    ScopeMissing,
    AssetNotAssigned,
    TaskMissing,
    RoleInsufficient,
    TermsNotAccepted,
    NoConnectedApp,
    LimitReached,
    IpNotAllowed,
    OutsideTimeWindow,
    RateLimited,
    NotFresh,
    /// A parameter is absent.
    Required,
    /// A parameter is not what it must be.
    Invalid,
    /// A parameter is none of the known words.
    NotOneOf,
    /// A parameter names a thing that is not there or not visible.
    UnknownReference,
    ScopeNotPossible,
    ScopeIncomplete,
    WiderThanCaller,
    TokenMustEnd,
    LastAdmin,
    /// Somebody else changed the thing first; the caller may try again.
    Conflict,
    /// The store is away.
    Unavailable,
    /// It is not known whether the write was applied.
    OutcomeUnknown,
    /// What was taken away is in force on this node and not written yet.
    NotDurable,
    /// A bug or a broken part of the machine.
    Fault,
}

/// Sorts of refusals: what is at fault, and whether anything was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The credential is good for nothing.
    Credential,
    /// The proof of the app's secret is missing or wrong.
    Proof,
    /// The thing is not there, or not for the caller to see.
    Absent,
    /// The caller has no right to it.
    Right,
    /// What was asked for would be wider than the caller's own rights.
    Wider,
    /// How things stand does not permit it now.
    State,
    /// Too many calls.
    Rate,
    /// A parameter is not what it must be.
    Input,
    /// The node can't answer. Nothing was changed.
    Away,
    /// The write may have been applied, or is in force and not stored yet. It must not be sent again blindly.
    Unsettled,
    /// A bug or a broken part of the machine.
    Fault,
}

impl Reason {
    /// All reasons, in the order of their declaration.
    pub const ALL: &[Reason] = &[
        Reason::TokenMalformed,
        Reason::TokenUnknown,
        Reason::TokenExpired,
        Reason::TokenRevoked,
        Reason::UserDeactivated,
        Reason::UserDeleted,
        Reason::AppDisconnected,
        Reason::AppNotInstalled,
        Reason::AppNotInstalledForIssue,
        Reason::ProofMissing,
        Reason::ProofInvalid,
        Reason::NotVisible,
        Reason::ShareEnded,
        Reason::ScopeMissing,
        Reason::AssetNotAssigned,
        Reason::TaskMissing,
        Reason::RoleInsufficient,
        Reason::TermsNotAccepted,
        Reason::NoConnectedApp,
        Reason::LimitReached,
        Reason::IpNotAllowed,
        Reason::OutsideTimeWindow,
        Reason::RateLimited,
        Reason::NotFresh,
        Reason::Required,
        Reason::Invalid,
        Reason::NotOneOf,
        Reason::UnknownReference,
        Reason::ScopeNotPossible,
        Reason::ScopeIncomplete,
        Reason::WiderThanCaller,
        Reason::TokenMustEnd,
        Reason::LastAdmin,
        Reason::Conflict,
        Reason::Unavailable,
        Reason::OutcomeUnknown,
        Reason::NotDurable,
        Reason::Fault,
    ];

    /// The reason of a stable word; the first where two share one.
    pub fn parse(word: &str) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }

    /// What sort of refusal it is. Adapters take status codes and pages from it.
    pub fn class(self) -> Class {
        match self {
            Reason::TokenMalformed
            | Reason::TokenUnknown
            | Reason::TokenExpired
            | Reason::TokenRevoked
            | Reason::UserDeactivated
            | Reason::UserDeleted
            | Reason::AppDisconnected
            | Reason::AppNotInstalled => Class::Credential,
            Reason::ProofMissing | Reason::ProofInvalid => Class::Proof,
            Reason::NotVisible => Class::Absent,
            Reason::ShareEnded
            | Reason::ScopeMissing
            | Reason::AssetNotAssigned
            | Reason::TaskMissing
            | Reason::RoleInsufficient
            | Reason::IpNotAllowed
            | Reason::OutsideTimeWindow => Class::Right,
            Reason::WiderThanCaller => Class::Wider,
            Reason::AppNotInstalledForIssue
            | Reason::TermsNotAccepted
            | Reason::NoConnectedApp
            | Reason::LimitReached
            | Reason::LastAdmin
            | Reason::Conflict => Class::State,
            Reason::RateLimited => Class::Rate,
            Reason::Required
            | Reason::Invalid
            | Reason::NotOneOf
            | Reason::UnknownReference
            | Reason::ScopeNotPossible
            | Reason::ScopeIncomplete
            | Reason::TokenMustEnd => Class::Input,
            Reason::NotFresh | Reason::Unavailable => Class::Away,
            Reason::OutcomeUnknown | Reason::NotDurable => Class::Unsettled,
            Reason::Fault => Class::Fault,
        }
    }

    /// Whether it says that a credential of a known form is good for nothing any more, or never was.
    pub fn is_death(self) -> bool {
        self.class() == Class::Credential && self != Reason::TokenMalformed
    }

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::TokenMalformed => "token_malformed",
            Reason::TokenUnknown => "token_unknown",
            Reason::TokenExpired => "token_expired",
            Reason::TokenRevoked => "token_revoked",
            Reason::UserDeactivated => "user_deactivated",
            Reason::UserDeleted => "user_deleted",
            Reason::AppDisconnected => "app_disconnected",
            Reason::AppNotInstalled | Reason::AppNotInstalledForIssue => "app_not_installed",
            Reason::ProofMissing => "proof_missing",
            Reason::ProofInvalid => "proof_invalid",
            Reason::NotVisible => "not_visible",
            Reason::ShareEnded => "share_ended",
            Reason::ScopeMissing => "scope_missing",
            Reason::AssetNotAssigned => "asset_not_assigned",
            Reason::TaskMissing => "task_missing",
            Reason::RoleInsufficient | Reason::WiderThanCaller => "role_insufficient",
            Reason::TermsNotAccepted => "terms_not_accepted",
            Reason::NoConnectedApp => "no_connected_app",
            Reason::LimitReached => "limit_reached",
            Reason::IpNotAllowed => "ip_not_allowed",
            Reason::OutsideTimeWindow => "outside_time_window",
            Reason::RateLimited => "rate_limited",
            Reason::NotFresh => "not_fresh",
            Reason::Required | Reason::Invalid | Reason::NotOneOf | Reason::UnknownReference => "invalid_parameter",
            Reason::ScopeNotPossible => "scope_not_possible",
            Reason::ScopeIncomplete => "scope_incomplete",
            Reason::TokenMustEnd => "token_must_end",
            Reason::LastAdmin => "last_admin",
            Reason::Conflict => "conflict",
            Reason::Unavailable => "unavailable",
            Reason::OutcomeUnknown => "outcome_unknown",
            Reason::NotDurable => "not_durable",
            Reason::Fault => "fault",
        }
    }
}

/// Who else than an ADMIN of the business would do: [`Refusal::expected`] of
/// [`Reason::RoleInsufficient`].
pub mod role {
    /// Only the operator of the server can do it.
    pub const OPERATOR: &str = "operator";
    /// Only an ADMIN person can do it, signed in.
    pub const PERSON: &str = "person";
}

/// What a right lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Missing {
    /// One of these scopes would do.
    pub scopes: ScopeSet,
    /// One of these tasks would do.
    pub tasks: TaskSet,
    /// The tasks that the user has.
    pub held: TaskSet,
    pub kind: Option<AssetKind>,
    pub asset: Option<AssetId>,
}

/// A "no". Only the fields that the reason speaks of are set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub reason: Reason,
    #[serde(default)]
    pub missing: Missing,
    /// The parameter that is to blame.
    pub field: Option<String>,
    /// What the parameter must be.
    pub expected: Option<String>,
    /// The words of which one would do.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// The value spoken of: a scope's name, a limit's name.
    pub value: Option<String>,
    pub count: Option<i64>,
    pub time: Option<UnixMs>,
    pub subject: Option<Id>,
    /// What is wrong, as a clause without a full stop, in place of the reason's own.
    pub note: Option<String>,
}

impl Refusal {
    /// A refusal that says no more than its reason.
    pub fn of(reason: Reason) -> Refusal {
        Refusal {
            reason,
            missing: Missing::default(),
            field: None,
            expected: None,
            allowed: Vec::new(),
            value: None,
            count: None,
            time: None,
            subject: None,
            note: None,
        }
    }

    /// The thing is not there, as far as the caller may know.
    pub fn not_visible(id: impl Into<Id>) -> Refusal {
        Refusal { subject: Some(id.into()), ..Refusal::of(Reason::NotVisible) }
    }

    /// Only a caller of this [`role`] can do it.
    pub fn needs(role: &str) -> Refusal {
        Refusal::of(Reason::RoleInsufficient).with_expected(role)
    }

    /// A parameter is absent.
    pub fn required(field: &str) -> Refusal {
        Refusal { field: Some(field.to_owned()), ..Refusal::of(Reason::Required) }
    }

    /// A parameter is not what it must be.
    pub fn invalid(field: &str, expected: &str) -> Refusal {
        Refusal { field: Some(field.to_owned()), expected: Some(expected.to_owned()), ..Refusal::of(Reason::Invalid) }
    }

    /// A parameter is none of the known words.
    pub fn not_one_of(field: &str, allowed: Vec<String>) -> Refusal {
        Refusal { field: Some(field.to_owned()), allowed, ..Refusal::of(Reason::NotOneOf) }
    }

    /// A parameter names a thing that is not there, or that the caller may not see: one answer for both.
    pub fn unknown_reference(field: &str) -> Refusal {
        Refusal { field: Some(field.to_owned()), ..Refusal::of(Reason::UnknownReference) }
    }

    /// Fails when one more would pass the limit.
    pub fn check_limit(count: usize, limit: u32, what: &str) -> Result<(), Refusal> {
        if count < limit as usize {
            return Ok(());
        }
        Err(Refusal {
            value: Some(what.to_owned()),
            count: Some(i64::from(limit)),
            ..Refusal::of(Reason::LimitReached)
        })
    }

    pub fn with_note(mut self, note: &str) -> Refusal {
        self.note = Some(note.to_owned());
        self
    }

    pub fn with_time(mut self, time: UnixMs) -> Refusal {
        self.time = Some(time);
        self
    }

    pub fn with_value(mut self, value: &str) -> Refusal {
        self.value = Some(value.to_owned());
        self
    }

    pub fn with_expected(mut self, expected: &str) -> Refusal {
        self.expected = Some(expected.to_owned());
        self
    }

    pub fn with_count(mut self, count: i64) -> Refusal {
        self.count = Some(count);
        self
    }

    pub fn with_missing(mut self, missing: Missing) -> Refusal {
        self.missing = missing;
        self
    }
}

impl std::error::Error for Refusal {}
