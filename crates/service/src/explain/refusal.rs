//! One refusal for people: who, what, on what and why, then and now, and what mends it.
//!
//! Only what the reader's business sees has a name here. The answer of now comes from the one function
//! that decides, on the live state.

use serde_json::Value;
use valetkey_authz::{Subject, Target, TokenView};
use valetkey_domain::noun::token::TokenKind;
use valetkey_domain::{AppId, AssetKind, BusinessId, Refusal, TokenId, UnixMs};
use valetkey_store::RefusalRow;

use super::checks::{self, CheckRow};
use super::judge::{Answer, Judge, Judged};
use super::mend::{Mend, mend};
use super::names::{About, Names, Who};
use super::side::Side;
use super::words::{self, Said};
use crate::call::Call;
use crate::core::Service;
use crate::journal::kept;

/// How many of the newest refusals are looked at to count how often one came.
pub(super) const LOOKED_AT: usize = 1_000;

/// The token of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedToken {
    pub id: TokenId,
    pub kind: TokenKind,
    pub app: Option<AppId>,
    pub app_name: Option<String>,
    // A token's purpose stands here, and in `used` below, once tokens have one.
}

/// A refusal of the past, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    pub trace: String,
    pub at: UnixMs,
    pub business: Option<BusinessId>,
    pub who: Who,
    pub token: Option<UsedToken>,
    /// The address that it came from.
    pub ip: Option<String>,
    /// The program, as it names itself.
    pub program: Option<String>,
    /// What was tried, as a clause that the subject's name follows.
    pub tried: String,
    pub subject: Option<About>,
    /// The stable word.
    pub reason: String,
    pub said: Said,
    pub checks: Vec<CheckRow>,
    /// What the answer would be now.
    pub now: Answer,
    /// Why it would still be refused, as a clause.
    pub now_because: Option<String>,
    pub mend: Mend,
    /// How often the same call was refused for the same reason, as far as the newest refusals show.
    pub times: u64,
    /// When it was first, among those.
    pub since: UnixMs,
}

/// How often a refusal came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub times: u64,
    pub since: UnixMs,
}

/// What refusals of the same call, from the same source and for the same reason, have in common.
pub(super) fn likeness(row: &RefusalRow) -> String {
    let body: Value = serde_json::from_str(&row.body).unwrap_or(Value::Null);
    let part = |name: &str| body.get(name).map(Value::to_string).unwrap_or_default();
    let business = row.business.map(|id| id.to_string()).unwrap_or_default();
    format!("{business} {} {} {} {}", row.source, row.reason, part("question"), part("refusal"))
}

/// How often this one came among these.
fn count(rows: &[RefusalRow], row: &RefusalRow) -> Count {
    let wanted = likeness(row);
    let is_near = |other: &&RefusalRow| {
        other.trace != row.trace
            && other.source == row.source
            && other.reason == row.reason
            && likeness(other) == wanted
    };
    rows.iter().filter(is_near).fold(Count { times: 1, since: row.at }, |count, other| Count {
        times: count.times + 1,
        since: count.since.min(other.at),
    })
}

/// The parts of an explanation that a list shows too.
pub(super) struct Summary {
    pub who: Who,
    pub tried: String,
    pub subject: Option<About>,
    pub said: Said,
}

pub(super) fn summary(names: &Names<'_>, judged: &Judged) -> Summary {
    let then = &judged.then;
    let kind = then.view.asset.map(|asset| asset.kind);
    let who = names.who(&then.view.subject);
    let subject = subject(names, judged, kind);
    let tried = match &then.question {
        Some(question) => words::tried(names, question, kind),
        None => words::tried_something(subject.is_some()),
    };
    let said = words::said(names, &who, &tried, subject.as_ref(), then);
    Summary { who, tried, subject, said }
}

fn subject(names: &Names<'_>, judged: &Judged, kind: Option<AssetKind>) -> Option<About> {
    let target = match judged.then.question {
        Some(question) => Some(question.target),
        // A row of an earlier version names the asset alone.
        None => kept::target_asset(&judged.body).map(Target::Asset),
    };
    target.and_then(|target| names.about(target, kind))
}

fn used(names: &Names<'_>, token: &TokenView) -> UsedToken {
    let app = token.app.map(|app| app.id);
    UsedToken { id: token.id, kind: token.kind, app, app_name: app.and_then(|app| names.app(app)) }
}

fn explained(judge: &Judge<'_>, row: &RefusalRow, counted: Count) -> Explained {
    let names = judge.names();
    let judged = judge.judge(row);
    let Summary { who, tried, subject, said } = summary(&names, &judged);
    let Judged { body, then, now, answer } = &judged;
    let token = match &then.view.subject {
        Subject::Token(token) => Some(used(&names, token)),
        Subject::App(_) | Subject::Malformed | Subject::Unknown | Subject::Operator => None,
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    // What mends it is about now; if that is unknown, about what was missing then.
    let side: Option<&Side> = match answer {
        Answer::Passes => None,
        Answer::Refused(_) => Some(now),
        Answer::Unknown => Some(then),
    };
    let still = now.refusal.as_ref().filter(|_| *answer != Answer::Passes);
    Explained {
        trace: row.trace.clone(),
        at: row.at,
        business: row.business,
        token,
        ip: text("ip"),
        program: text("program"),
        reason: row.reason.clone(),
        checks: checks::rows(&names, then, now),
        now: *answer,
        now_because: still.map(|refusal| words::why(&names, &who, subject.as_ref(), now, refusal)),
        mend: side.map_or(Mend::None, |side| mend(&names, then, side, row.business)),
        times: counted.times,
        since: counted.since,
        who,
        tried,
        subject,
        said,
    }
}

impl Service {
    /// Explains a refusal for people. Admins see those of their business, the operator sees all; a
    /// refusal about something that the business couldn't see does not exist for its admins.
    ///
    /// # Errors
    /// `role_insufficient` for others, `invalid_parameter` when there is none.
    pub async fn explain_refusal(&self, call: &Call, trace: &str) -> Result<Explained, Refusal> {
        let (allowed, row) = self.refusal_of(call, trace).await?;
        let near = self.newest_refusals(&allowed, LOOKED_AT).await?;
        let counted = count(&near, &row);
        let index = self.inner.index()?;
        let judge = Judge { inner: &self.inner, index: &index, allowed: &allowed, now: self.now() };
        Ok(explained(&judge, &row, counted))
    }
}
