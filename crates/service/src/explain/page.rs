//! Refusals as a list for people: filtered, the newest first, the same call again as one line.
//!
//! The newest thousand are looked at; an older one is found by its trace. Nothing is shown that the
//! explanation of the one refusal would not show.

use std::collections::HashMap;

use serde_json::Value;
use valetkey_authz::{Allowed, Subject, Target};
use valetkey_domain::{AssetId, BusinessId, Refusal, TokenId, UnixMs, UserId};
use valetkey_store::RefusalRow;

use super::judge::{Answer, Judge, Judged};
use super::names::{About, Who};
use super::refusal::{Count, LOOKED_AT, Summary, likeness, summary};
use super::see::admin_question;
use super::words::Said;
use crate::call::Call;
use crate::core::Service;

/// How many refusals are judged under one lock.
const JUDGED_AT_ONCE: usize = 64;

/// Which refusals are wanted.
#[derive(Debug, Clone, Default)]
pub struct RefusalFilter {
    /// Those of one person or system user.
    pub user: Option<UserId>,
    /// Those about one asset.
    pub asset: Option<AssetId>,
    /// The stable word of a reason.
    pub reason: Option<String>,
    /// `true`: those that would be refused again; `false`: those that would pass now.
    pub still_refused: Option<bool>,
    /// A part of the sentence or of the address, or a whole trace.
    pub search: Option<String>,
    /// The same call again is not a line of its own.
    pub is_grouped: bool,
}

/// One line of the list.
#[derive(Debug, Clone)]
pub struct RefusalLine {
    pub trace: String,
    pub at: UnixMs,
    pub business: Option<BusinessId>,
    pub token: Option<TokenId>,
    pub who: Who,
    pub subject: Option<About>,
    /// The stable word.
    pub reason: String,
    pub said: Said,
    /// How often the same call was refused for the same reason.
    pub times: u64,
    /// When it was first, among those.
    pub since: UnixMs,
    /// What the answer would be now.
    pub now: Answer,
    /// The facts of the row, as [`Service::refusals`] gives them.
    pub detail: Value,
}

/// A page of the list.
#[derive(Debug, Clone)]
pub struct RefusalPage {
    pub rows: Vec<RefusalLine>,
    /// The trace after which the next page begins.
    pub next: Option<String>,
    /// How many lines there are on all pages, whether they would pass now or not.
    pub all: usize,
    pub still_refused: usize,
    pub would_pass: usize,
    /// There are older refusals, which were not looked at.
    pub is_cut: bool,
}

impl Service {
    /// The refusals that the caller may see and wants, the newest first. `after` is the trace of the last
    /// line of the page before.
    ///
    /// # Errors
    /// `role_insufficient` for EMPLOYEEs; `invalid_parameter` for an `after` that is not in the list.
    pub async fn refusals_page(
        &self,
        call: &Call,
        filter: &RefusalFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RefusalPage, Refusal> {
        let allowed = self.ask(call, admin_question())?;
        let mut rows = self.newest_refusals(&allowed, LOOKED_AT).await?;
        let is_cut = rows.len() >= LOOKED_AT;
        if let Some(trace) = filter.search.as_deref().filter(|text| !rows.iter().any(|row| row.trace == *text)) {
            rows.extend(self.older(call, trace).await);
        }
        let mut lines = self.lines(&allowed, grouped(rows, filter.is_grouped), filter)?;
        let all = lines.len();
        let still_refused = lines.iter().filter(|line| is_refused(line.now)).count();
        let would_pass = lines.iter().filter(|line| line.now == Answer::Passes).count();
        lines.retain(|line| match filter.still_refused {
            None => true,
            Some(true) => is_refused(line.now),
            Some(false) => line.now == Answer::Passes,
        });
        if let Some(after) = after {
            let at = lines.iter().position(|line| line.trace == after);
            let at = at.ok_or_else(|| Refusal::invalid("after", "the trace of a line of this list"))?;
            lines.drain(..=at);
        }
        let has_more = lines.len() > limit;
        lines.truncate(limit);
        let next = lines.last().filter(|_| has_more).map(|line| line.trace.clone());
        Ok(RefusalPage { rows: lines, next, all, still_refused, would_pass, is_cut })
    }

    /// A refusal that is too old for the list, by its trace.
    async fn older(&self, call: &Call, trace: &str) -> Option<RefusalRow> {
        self.refusal_of(call, trace).await.ok().map(|(_, row)| row)
    }

    fn lines(
        &self,
        allowed: &Allowed,
        rows: Vec<(RefusalRow, Count)>,
        filter: &RefusalFilter,
    ) -> Result<Vec<RefusalLine>, Refusal> {
        let now = self.now();
        let mut lines = Vec::new();
        for some in rows.chunks(JUDGED_AT_ONCE) {
            let index = self.inner.index()?;
            let judge = Judge { inner: &self.inner, index: &index, allowed, now };
            lines.extend(some.iter().filter_map(|(row, count)| line(&judge, row, *count, filter)));
        }
        Ok(lines)
    }
}

/// The rows with how often each came; if they are grouped, only the newest of each.
fn grouped(rows: Vec<RefusalRow>, is_grouped: bool) -> Vec<(RefusalRow, Count)> {
    let keys: Vec<String> = rows.iter().map(likeness).collect();
    let mut counts: HashMap<&str, Count> = HashMap::new();
    for (row, key) in rows.iter().zip(&keys) {
        let count = counts.entry(key.as_str()).or_insert(Count { times: 0, since: row.at });
        count.times += 1;
        count.since = count.since.min(row.at);
    }
    let mut seen = std::collections::HashSet::new();
    let mut out = Vec::with_capacity(rows.len());
    for (row, key) in rows.into_iter().zip(&keys) {
        let is_first = seen.insert(key.as_str());
        if let Some(count) = counts.get(key.as_str()).filter(|_| is_first || !is_grouped) {
            out.push((row, *count));
        }
    }
    out
}

fn line(judge: &Judge<'_>, row: &RefusalRow, count: Count, filter: &RefusalFilter) -> Option<RefusalLine> {
    if filter.reason.as_ref().is_some_and(|reason| *reason != row.reason) {
        return None;
    }
    let judged = judge.judge(row);
    if !is_about(&judged, filter) {
        return None;
    }
    let Summary { who, subject, said, .. } = summary(&judge.names(), &judged);
    let Judged { body, answer, .. } = judged;
    let line = RefusalLine {
        trace: row.trace.clone(),
        at: row.at,
        business: row.business,
        token: row.token,
        who,
        subject,
        reason: row.reason.clone(),
        said,
        times: count.times,
        since: count.since,
        now: answer,
        detail: body,
    };
    let wanted = filter.search.as_ref().is_none_or(|text| is_found(&line, text));
    wanted.then_some(line)
}

/// Whether it is of the wanted user and about the wanted asset.
fn is_about(judged: &Judged, filter: &RefusalFilter) -> bool {
    let user = match &judged.then.view.subject {
        Subject::Token(token) => Some(token.user),
        Subject::App(_) | Subject::Malformed | Subject::Unknown | Subject::Operator => None,
    };
    let asset = match judged.then.question.map(|question| question.target) {
        Some(Target::Asset(asset)) => Some(asset),
        Some(Target::Nothing | Target::Alive | Target::Business(_)) | None => judged.then.view.asset.map(|a| a.id),
    };
    filter.user.is_none_or(|wanted| user == Some(wanted)) && filter.asset.is_none_or(|wanted| asset == Some(wanted))
}

fn is_found(line: &RefusalLine, text: &str) -> bool {
    let wanted = text.trim().to_lowercase();
    let ip = line.detail.get("ip").and_then(Value::as_str).unwrap_or_default();
    let texts = [line.said.whole.as_str(), line.said.because.as_str(), line.reason.as_str(), ip];
    line.trace == text.trim() || texts.iter().any(|text| text.to_lowercase().contains(&wanted))
}

fn is_refused(answer: Answer) -> bool {
    matches!(answer, Answer::Refused(_))
}
