//! One side of an explanation: what a decision rested on, then or now, and where it failed.
//!
//! Both sides have the same form, so that the same words are used for them.

use valetkey_authz::{Question, Sorts, Subject, View};
use valetkey_domain::noun::token::TokenKind;
use valetkey_domain::{Reason, Refusal};

/// The checks that every call goes through, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The token is live, and so are its user and its app.
    Token,
    /// The proof of the app's secret.
    Proof,
    /// What it is about is visible to the business.
    Visible,
    Scope,
    /// The role, or the task on the asset.
    Task,
    /// Limits and the rules of the call itself.
    Limits,
}

impl Check {
    /// All of them, in their order.
    pub const ALL: [Check; 6] = [Check::Token, Check::Proof, Check::Visible, Check::Scope, Check::Task, Check::Limits];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Check::Token => "token",
            Check::Proof => "proof",
            Check::Visible => "visible",
            Check::Scope => "scope",
            Check::Task => "task",
            Check::Limits => "limits",
        }
    }

    /// The check that a reason belongs to.
    fn of(reason: Reason, is_hidden: bool) -> Check {
        match reason {
            Reason::TokenMalformed
            | Reason::TokenUnknown
            | Reason::TokenExpired
            | Reason::TokenRevoked
            | Reason::UserDeactivated
            | Reason::UserDeleted
            | Reason::AppDisconnected
            | Reason::AppNotInstalled => Check::Token,
            Reason::ProofMissing | Reason::ProofInvalid => Check::Proof,
            Reason::NotVisible | Reason::ShareEnded => Check::Visible,
            Reason::AssetNotAssigned if is_hidden => Check::Visible,
            Reason::ScopeMissing => Check::Scope,
            Reason::AssetNotAssigned | Reason::TaskMissing | Reason::RoleInsufficient => Check::Task,
            Reason::AppNotInstalledForIssue
            | Reason::TermsNotAccepted
            | Reason::NoConnectedApp
            | Reason::LimitReached
            | Reason::IpNotAllowed
            | Reason::OutsideTimeWindow
            | Reason::RateLimited
            | Reason::NotFresh
            | Reason::Required
            | Reason::Invalid
            | Reason::NotOneOf
            | Reason::UnknownReference
            | Reason::ScopeNotPossible
            | Reason::ScopeIncomplete
            | Reason::WiderThanCaller
            | Reason::TokenMustEnd
            | Reason::LastAdmin
            | Reason::Conflict
            | Reason::Unavailable
            | Reason::OutcomeUnknown
            | Reason::NotDurable
            | Reason::Fault => Check::Limits,
        }
    }
}

/// One side.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub view: View,
    /// `None` where the journal does not hold it, or not for this reader.
    pub question: Option<Question>,
    pub refusal: Option<Refusal>,
    /// The business hides from EMPLOYEEs what is not assigned to them, and that was why.
    pub is_hidden: bool,
    /// A rule refused the call, after the decision had allowed it.
    pub is_rule: bool,
}

impl Side {
    /// The check that failed.
    pub fn fails_at(&self) -> Option<Check> {
        let refusal = self.refusal.as_ref()?;
        Some(if self.is_rule { Check::Limits } else { Check::of(refusal.reason, self.is_hidden) })
    }

    /// Whether the call does not take this sort of token. That is asked before the scope.
    pub fn is_wrong_sort(&self) -> bool {
        let is_role = self.refusal.as_ref().is_some_and(|r| r.reason == Reason::RoleInsufficient);
        is_role && !self.is_rule && self.question.is_some_and(|q| !q.sorts.meets(sort_of(&self.view.subject)))
    }
}

fn sort_of(subject: &Subject) -> Sorts {
    match subject {
        Subject::Token(token) => match token.kind {
            TokenKind::SystemUser => Sorts::SYSTEM_USER,
            TokenKind::User => Sorts::USER,
            TokenKind::Page => Sorts::PAGE,
        },
        Subject::App(_) => Sorts::APP,
        Subject::Malformed | Subject::Unknown | Subject::Operator => Sorts::ANY,
    }
}
