//! A refusal of the past, decided again: the same question, by the same function, on the live state.
//!
//! Nothing is counted or journaled by it. Where the journal does not hold the whole question, or a rule
//! had refused the call, the answer may be unknown; nothing here may guess it.

use serde::Deserialize as _;
use serde_json::Value;
use valetkey_authz::{Allowed, Decision, Denial, Index, Proof, Question, Reach, Subject, Target, decide};
use valetkey_domain::{Id, Reason, Refusal, State, UnixMs};
use valetkey_store::RefusalRow;

use super::names::Names;
use super::see::is_operator;
use super::side::{Check, Side};
use crate::ask::{On, Sent};
use crate::core::Inner;
use crate::journal::{body_for, kept};

/// What the answer would be now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Passes,
    Refused(Reason),
    /// The right is there, and a rule decides when the call is made; or the journal holds too little.
    Unknown,
}

impl Answer {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Answer::Passes => "passes",
            Answer::Refused(_) => "refused",
            Answer::Unknown => "unknown",
        }
    }
}

/// What refusals are judged with: one revision, for one reader.
pub(super) struct Judge<'a> {
    pub inner: &'a Inner,
    pub index: &'a Index,
    pub allowed: &'a Allowed,
    pub now: UnixMs,
}

/// A refusal on both sides.
pub(super) struct Judged {
    /// The row's body, as far as the reader may see it.
    pub body: Value,
    pub then: Side,
    pub now: Side,
    pub answer: Answer,
}

impl Judge<'_> {
    pub fn names(&self) -> Names<'_> {
        Names { state: self.index, allowed: self.allowed }
    }

    pub fn judge(&self, row: &RefusalRow) -> Judged {
        let body = body_for(row, is_operator(self.allowed));
        let then = then(row, &body);
        let (now, answer) = self.again(row, &then);
        Judged { body, then, now, answer }
    }

    fn again(&self, row: &RefusalRow, then: &Side) -> (Side, Answer) {
        let sent = match (row.token, &then.view.subject) {
            (Some(token), _) => Sent::Token(token),
            (None, Subject::App(app)) => Sent::App(app.id),
            (None, Subject::Operator) => Sent::Operator,
            // The same text would be refused in the same way.
            (None, Subject::Malformed | Subject::Unknown | Subject::Token(_)) => {
                let reason = then.refusal.as_ref().map_or(Reason::Fault, |refusal| refusal.reason);
                return (then.clone(), Answer::Refused(reason));
            }
        };
        let question = then.question.unwrap_or_else(Question::alive);
        let (mut view, question) = self.inner.look(On::Index(self.index), &sent, question, self.now);
        // The text is not stored, so its proof can't be checked again: it is what it was.
        let question = question.proof(proof_of(then));
        let decision = decide(&view, &question, self.now);
        let was_shared = then.view.asset.is_some_and(|asset| matches!(asset.reach, Reach::Shared(_)));
        if !is_operator(self.allowed) {
            view.asset = view.asset.filter(|asset| asset.reach != Reach::None);
        }
        let (refusal, is_hidden) = match &decision {
            Decision::Allow(_) => (None, false),
            Decision::Deny(denial) => {
                let is_hidden = denial.hidden && denial.reason == Reason::AssetNotAssigned;
                (Some(shown(denial, was_shared)), is_hidden)
            }
        };
        let mut side = Side { view, question: Some(question), refusal, is_hidden, is_rule: false };
        if let Some(refusal) = &side.refusal {
            let answer = Answer::Refused(refusal.reason);
            return (side, answer);
        }
        let answer = match (then.is_rule, then.question) {
            (true, _) => self.by_rule(row, then),
            (false, Some(_)) => Answer::Passes,
            (false, None) => Answer::Unknown,
        };
        if let Answer::Refused(_) = answer {
            side.refusal = then.refusal.clone();
            side.is_rule = true;
        }
        (side, answer)
    }

    /// What a rule would say now, where that is clear without the call.
    fn by_rule(&self, row: &RefusalRow, then: &Side) -> Answer {
        let state: &dyn State = self.index;
        let (Some(refusal), Some(business)) = (&then.refusal, row.business) else { return Answer::Unknown };
        let is_mended = if refusal.reason == Reason::TermsNotAccepted {
            let accepted = state.business(business).and_then(|b| b.accepted).map(|accepted| accepted.version);
            accepted == Some(state.terms().version)
        } else if refusal.reason == Reason::NoConnectedApp {
            !state.connected_apps(business).is_empty()
        } else {
            return Answer::Unknown;
        };
        if is_mended { Answer::Passes } else { Answer::Refused(refusal.reason) }
    }
}

/// The side that the journal kept.
fn then(row: &RefusalRow, body: &Value) -> Side {
    let view = kept::view(body);
    let rule = body.get("refusal").and_then(|refusal| Refusal::deserialize(refusal).ok());
    let is_rule = rule.is_some();
    let reason = Reason::parse(&row.reason).unwrap_or(Reason::Fault);
    let question = kept::question(body);
    let refusal = rule.unwrap_or_else(|| {
        let time = match &view.subject {
            Subject::Token(token) if reason == Reason::TokenExpired => token.expires_at,
            Subject::Token(token) if reason == Reason::TokenRevoked => token.revoked_at,
            Subject::Token(_) | Subject::App(_) | Subject::Malformed | Subject::Unknown | Subject::Operator => None,
        };
        let subject = match question.map(|q| q.target) {
            Some(Target::Asset(id)) => Some(id.any()),
            Some(Target::Business(id)) => Some(id.any()),
            Some(Target::Nothing | Target::Alive) => None,
            None => kept::target_asset(body).map(Id::any),
        };
        Refusal { missing: kept::missing(body), time, subject, ..Refusal::of(reason) }
    });
    let is_hidden = reason == Reason::AssetNotAssigned && body.get("hidden").and_then(Value::as_bool).unwrap_or(false);
    Side { view, question, refusal: Some(refusal), is_hidden, is_rule }
}

/// What is shown of a denial: whoever looks may see what it was about.
fn shown(denial: &Denial, was_shared: bool) -> Refusal {
    let has_ended = was_shared && denial.reason == Reason::NotVisible;
    let reason = if has_ended { Reason::ShareEnded } else { denial.reason };
    Refusal { subject: denial.subject, time: denial.time, missing: denial.missing, ..Refusal::of(reason) }
}

/// The proof that came with the call.
fn proof_of(then: &Side) -> Proof {
    let reason = then.refusal.as_ref().map(|refusal| refusal.reason);
    if reason == Some(Reason::ProofInvalid) {
        return Proof::Wrong;
    }
    if reason == Some(Reason::ProofMissing) {
        return Proof::NotSent;
    }
    let demanded = match &then.view.subject {
        Subject::Token(token) => token.app.is_some_and(|app| app.demands_proof),
        Subject::App(_) | Subject::Malformed | Subject::Unknown | Subject::Operator => false,
    };
    // The check path journals the question before its proof is known; it got further, so it was right.
    if demanded && then.fails_at().is_some_and(|at| at > Check::Proof) {
        return Proof::Right;
    }
    then.question.map_or(Proof::NotSent, |question| question.proof)
}
