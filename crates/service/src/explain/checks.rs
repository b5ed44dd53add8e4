//! The checks of a call beside each other: what each found then, and what it finds now.
//!
//! Nothing is decided here: a side says where it failed, and this puts it into words.

use valetkey_authz::{AssetView, Need, Proof, Question, Reach, Subject, Target, TokenView};
use valetkey_domain::{Reason, Refusal, Role, ScopeSet, TaskSet, UnixMs};

use super::names::Names;
use super::side::{Check, Side};
use super::words::{self, text};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// A few words. With a time, the time follows them.
    pub text: String,
    pub time: Option<UnixMs>,
}

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Passed(Found),
    Failed(Found),
    /// It was not asked: another failed before, or the call needs no such thing.
    NotAsked,
}

/// One check, then and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    pub check: Check,
    pub title: String,
    pub then: Outcome,
    pub now: Outcome,
}

fn found(text: impl Into<String>) -> Found {
    Found { text: text.into(), time: None }
}

fn passed(text: impl Into<String>) -> Outcome {
    Outcome::Passed(found(text))
}

/// All checks in their order.
pub(super) fn rows(names: &Names<'_>, then: &Side, now: &Side) -> Vec<CheckRow> {
    let titles = headings(names, then, now);
    let row =
        |(check, title)| CheckRow { check, title, then: outcome(names, then, check), now: outcome(names, now, check) };
    Check::ALL.into_iter().zip(titles).map(row).collect()
}

/// The headings of all checks. The question is that of then; now it is the same, where it is known.
pub(super) fn headings(names: &Names<'_>, then: &Side, now: &Side) -> Vec<String> {
    let asset = then.view.asset.or(now.view.asset);
    let question = then.question;
    let kind = match question.map(|q| q.target) {
        Some(Target::Asset(_)) => asset.map(|asset| names.kind(asset.kind)),
        Some(Target::Business(_)) => Some("business".to_owned()),
        Some(Target::Nothing | Target::Alive) | None => None,
    };
    let tasks = match (question.map(|q| q.need), asset) {
        (Some(Need::Tasks(tasks)), Some(asset)) => names.titles(asset.kind, tasks),
        (Some(Need::Tasks(_) | Need::Nothing | Need::Admin | Need::OwnerAdmin | Need::AnyTask) | None, _) => Vec::new(),
    };
    let need = question.map(|q| q.need);
    Check::ALL.into_iter().map(|check| words::heading(check, kind.as_deref(), need, &tasks)).collect()
}

/// How one check came out on one side.
pub(super) fn outcome(names: &Names<'_>, side: &Side, check: Check) -> Outcome {
    if let (Some(at), Some(refusal)) = (side.fails_at(), &side.refusal) {
        if check == at {
            return Outcome::Failed(failure(names, side, check, refusal));
        }
        let is_before = check < at && !(check == Check::Scope && side.is_wrong_sort());
        if !is_before {
            return Outcome::NotAsked;
        }
    }
    match check {
        Check::Token => token(&side.view.subject),
        Check::Proof => proof(side),
        Check::Visible => visible(side),
        Check::Scope => scope(side),
        Check::Task => task(names, side),
        Check::Limits => passed(text::CLEAR),
    }
}

fn token(subject: &Subject) -> Outcome {
    match subject {
        Subject::Token(token) => Outcome::Passed(match token.expires_at {
            Some(end) => Found { text: text::ENDS.to_owned(), time: Some(end) },
            None => found(text::NEVER_ENDS),
        }),
        Subject::App(_) => passed(text::APP_CONNECTED),
        Subject::Operator => passed(text::OPERATOR),
        Subject::Malformed | Subject::Unknown => Outcome::NotAsked,
    }
}

fn proof(side: &Side) -> Outcome {
    let Subject::Token(token) = &side.view.subject else { return Outcome::NotAsked };
    let is_right = side.question.is_some_and(|q| q.proof == Proof::Right);
    let demands = token.app.is_some_and(|app| app.demands_proof);
    passed(if is_right || demands { text::PROOF_RIGHT } else { text::PROOF_NOT_DEMANDED })
}

fn visible(side: &Side) -> Outcome {
    let Some(question) = &side.question else { return Outcome::NotAsked };
    match (question.target, side.view.asset) {
        (Target::Business(_), _) => passed(text::OWN_BUSINESS),
        (Target::Asset(_), Some(asset)) => passed(reach(&asset)),
        (Target::Asset(_), None) | (Target::Nothing | Target::Alive, _) => Outcome::NotAsked,
    }
}

fn reach(asset: &AssetView) -> &'static str {
    match asset.reach {
        Reach::Shared(_) => text::SHARED,
        Reach::Owned if asset.assigned.is_empty() => text::OWNED,
        Reach::Owned => text::ASSIGNED,
        Reach::None => text::NOT_VISIBLE,
    }
}

fn scope(side: &Side) -> Outcome {
    let (Some(question), Subject::Token(token)) = (&side.question, &side.view.subject) else {
        return Outcome::NotAsked;
    };
    let wanted = wanted_scopes(question, token);
    if wanted.is_empty() {
        return Outcome::NotAsked;
    }
    let held = token.effective_scopes();
    let mut enough = held.shared(wanted);
    if enough.is_empty() && token.role == Role::Admin {
        enough = held.shared(question.admin_scopes);
    }
    match enough.is_empty() {
        true => passed(text::NO_SCOPE_NEEDED),
        false => passed(enough.names().join(", ")),
    }
}

/// The scopes of which the question takes one from this token.
fn wanted_scopes(question: &Question, token: &TokenView) -> ScopeSet {
    question.own.filter(|own| own.user == token.user).map_or(question.scopes, |own| own.scopes)
}

fn task(names: &Names<'_>, side: &Side) -> Outcome {
    let (Some(question), Subject::Token(token)) = (&side.question, &side.view.subject) else {
        return Outcome::NotAsked;
    };
    if question.own.is_some_and(|own| own.user == token.user) {
        return passed(text::OWN_USER);
    }
    let wanted = match question.need {
        Need::Nothing => return Outcome::NotAsked,
        Need::Admin | Need::OwnerAdmin => return passed(words::has_role(token.role.as_str())),
        Need::AnyTask => TaskSet::ALL,
        Need::Tasks(tasks) => tasks,
    };
    let Some(asset) = side.view.asset else { return Outcome::NotAsked };
    // An ADMIN needs no assignment.
    if token.role == Role::Admin {
        return passed(words::has_role(token.role.as_str()));
    }
    passed(names.titles(asset.kind, asset.assigned.shared(wanted)).join(", "))
}

fn failure(names: &Names<'_>, side: &Side, check: Check, refusal: &Refusal) -> Found {
    match check {
        Check::Token => Found { text: words::title(refusal), time: refusal.time },
        Check::Proof | Check::Limits => found(words::title(refusal)),
        Check::Visible => found(invisible(side, refusal)),
        Check::Scope => found(words::lacks(&refusal.missing.scopes.names())),
        Check::Task => found(lacking(names, side, refusal)),
    }
}

fn invisible(side: &Side, refusal: &Refusal) -> &'static str {
    if side.is_hidden {
        text::HIDDEN
    } else if refusal.reason == Reason::ShareEnded {
        text::SHARE_ENDED
    } else {
        text::NOT_VISIBLE
    }
}

fn lacking(names: &Names<'_>, side: &Side, refusal: &Refusal) -> String {
    if side.is_wrong_sort() {
        return text::WRONG_SORT.to_owned();
    }
    if refusal.reason == Reason::AssetNotAssigned {
        return text::NOT_ASSIGNED.to_owned();
    }
    if let (Reason::TaskMissing, Some(kind)) = (refusal.reason, refusal.missing.kind) {
        return words::only(&names.titles(kind, refusal.missing.held));
    }
    match &side.view.subject {
        Subject::Token(token) => words::has_role(token.role.as_str()),
        Subject::App(_) | Subject::Operator | Subject::Malformed | Subject::Unknown => text::WRONG_SORT.to_owned(),
    }
}
