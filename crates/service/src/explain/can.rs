//! "Can X do Y on Z?": what a user may do on an asset, by which path, and what would let it.
//!
//! It is about the user, whichever tokens it has. It is decided by the same function as every call, and
//! is neither counted nor journaled.

use valetkey_authz::{Decision, Need, Question, Reach, Sorts, Subject, Target, View, decide};
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, Reason, Refusal, Role, UserId};

use super::checks::{Found, Outcome, headings, outcome};
use super::judge::Answer;
use super::mend::{Mend, mend};
use super::names::{About, Names, Who};
use super::see::{admin_question, is_of, sees};
use super::side::{Check, Side};
use super::words::{self, path, text};
use crate::ask::{On, Sent};
use crate::call::Call;
use crate::core::Service;

/// By which path a user reaches an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Its role ADMIN, on an asset of the business.
    Role,
    /// Its role ADMIN, on an asset that is shared with the business.
    RoleAndShare,
    Assignment,
    AssignmentAndShare,
}

impl Path {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Path::Role => "role",
            Path::RoleAndShare => "role_and_share",
            Path::Assignment => "assignment",
            Path::AssignmentAndShare => "assignment_and_share",
        }
    }

    fn clause(self) -> &'static str {
        match self {
            Path::Role => path::ROLE,
            Path::RoleAndShare => path::ROLE_AND_SHARE,
            Path::Assignment => path::ASSIGNMENT,
            Path::AssignmentAndShare => path::ASSIGNMENT_AND_SHARE,
        }
    }

    fn of(view: &View) -> Option<Path> {
        let Subject::Token(user) = &view.subject else { return None };
        match (user.role, view.asset?.reach) {
            (Role::Admin, Reach::Owned) => Some(Path::Role),
            (Role::Admin, Reach::Shared(_)) => Some(Path::RoleAndShare),
            (Role::Employee, Reach::Owned) => Some(Path::Assignment),
            (Role::Employee, Reach::Shared(_)) => Some(Path::AssignmentAndShare),
            (Role::Admin | Role::Employee, Reach::None) => None,
        }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Can {
    pub who: Who,
    pub asset: About,
    /// The titles of the tasks that were asked for; all of the kind if any would do.
    pub tasks: Vec<String>,
    pub answer: Answer,
    /// By which path, if it can.
    pub path: Option<Path>,
    /// The answer as a whole sentence.
    pub sentence: String,
    pub checks: Vec<(Check, String, Outcome)>,
    pub mend: Mend,
}

impl Service {
    /// Whether a person or system user may do a task on an asset; any task if none is named. For ADMINs
    /// of its business and the operator.
    ///
    /// # Errors
    /// `not_visible` for users and assets beyond the caller's business, `invalid_parameter` for a task
    /// that the asset's kind does not know.
    pub fn can(&self, call: &Call, user: UserId, asset: AssetId, task: Option<&str>) -> Result<Can, Refusal> {
        let allowed = self.ask(call, admin_question())?;
        let answer = {
            let index = self.inner.index()?;
            let names = Names { state: &*index, allowed: &allowed };
            need_of(&names, user, asset, task).map(|need| {
                let question = Question::about(Target::Asset(asset)).sorts(Sorts::ANY).need(need);
                let now = self.now();
                let (view, question) = self.inner.look(On::Index(&index), &Sent::User(user), question, now);
                let decision = decide(&view, &question, now);
                answered(&names, view, question, &decision)
            })
        };
        match answer {
            Ok(Some(can)) => Ok(can),
            Ok(None) => Err(self.absent(call, asset)),
            Err(refusal) => Err(self.journaled(call, refusal)),
        }
    }
}

/// What is asked, if the caller may ask it.
fn need_of(names: &Names<'_>, user: UserId, asset: AssetId, task: Option<&str>) -> Result<Need, Refusal> {
    let state = names.state;
    if state.business_of(user).is_none_or(|business| !is_of(names.allowed, business)) {
        return Err(Refusal::not_visible(user));
    }
    // Checked before anything else about the asset, so that a foreign one looks like none.
    let record = state.asset(asset).filter(|asset| sees(state, names.allowed, asset.id));
    let record = record.ok_or_else(|| Refusal::not_visible(asset))?;
    let Some(name) = task else { return Ok(Need::AnyTask) };
    let declared = state.declared_kind(record.kind);
    let words = Vocabulary::of(record.kind, declared.as_ref());
    let known = words.map(|w| w.all_names().into_iter().map(str::to_owned).collect()).unwrap_or_default();
    let tasks = words.and_then(|w| w.parse(name)).ok_or_else(|| Refusal::not_one_of("task", known))?;
    Ok(Need::Tasks(tasks))
}

fn answered(names: &Names<'_>, view: View, question: Question, decision: &Decision) -> Option<Can> {
    let Subject::Token(user) = view.subject else { return None };
    let about = names.about(question.target, view.asset.map(|asset| asset.kind))?;
    let refusal = match decision {
        Decision::Allow(_) => None,
        // The caller sees the asset, so nothing is hidden here.
        Decision::Deny(d) => {
            Some(Refusal { subject: d.subject, time: d.time, missing: d.missing, ..Refusal::of(d.reason) })
        }
    };
    let is_hidden = matches!(decision, Decision::Deny(d) if d.hidden && d.reason == Reason::AssetNotAssigned);
    let side = Side { view, question: Some(question), refusal, is_hidden, is_rule: false };
    let kind = view.asset.map(|asset| asset.kind);
    let tasks = match (question.need, kind) {
        (Need::Tasks(tasks), Some(kind)) => names.titles(kind, tasks),
        (Need::Tasks(_) | Need::AnyTask | Need::Nothing | Need::Admin | Need::OwnerAdmin, _) => Vec::new(),
    };
    let who = Who { role: Some(user.role), ..names.user(user.user) };
    let path = Path::of(&view).filter(|_| side.refusal.is_none());
    let sentence = match (&side.refusal, path) {
        (None, Some(path)) => words::may(&who, &tasks, &about, path.clause()),
        (refusal, _) => {
            let why = refusal.as_ref().map(|refusal| words::why(names, &who, Some(&about), &side, refusal));
            words::may_not(&who, &tasks, &about, why.as_deref())
        }
    };
    let checks = Check::ALL.into_iter().zip(headings(names, &side, &side));
    Some(Can {
        answer: side.refusal.as_ref().map_or(Answer::Passes, |refusal| Answer::Refused(refusal.reason)),
        path,
        sentence,
        checks: checks
            // It is about no token, so there is neither a proof nor a scope.
            .filter(|(check, _)| !matches!(check, Check::Proof | Check::Scope))
            .map(|(check, title)| asked_of_user(check, title, outcome(names, &side, check)))
            .collect(),
        mend: mend(names, &side, &side, Some(user.business)),
        who,
        asset: about,
        tasks,
    })
}

/// A check as it reads where a user is asked about, and no token.
fn asked_of_user(check: Check, title: String, outcome: Outcome) -> (Check, String, Outcome) {
    match (check, outcome) {
        (Check::Token, Outcome::Passed(_)) => {
            let found = Found { text: text::ACTIVE.to_owned(), time: None };
            (check, text::USER_IS_ACTIVE.to_owned(), Outcome::Passed(found))
        }
        (Check::Token, outcome) => (check, text::USER_IS_ACTIVE.to_owned(), outcome),
        (_, outcome) => (check, title, outcome),
    }
}
