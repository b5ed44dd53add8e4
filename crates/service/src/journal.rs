//! The journal of refusals: bounded in size, age and rate, so that a refusal can be explained by
//! the trace of its answer. It holds no secret: questions and facts are ids, words and times.
//!
//! What waits here and what the store keeps are bounded by [`Quotas`], for each source and each
//! business. Nothing that comes without a token may take the place of a row of a business.
//!
//! Facts about something that the caller's business doesn't see may reveal its owner. They are kept
//! apart in a row, under [`APART`], and only the operator may see them.

pub(crate) mod kept;
mod source;
mod waiting;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use valetkey_authz::{AssetView, Denial, Need, Question, Reach, Subject, Target, TokenView, View};
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetKind, Refusal, TaskSet, UnixMs};
use valetkey_store::{Quotas, RefusalRow};

use crate::call::Call;
use crate::uses::program;
use source::Source;
use waiting::Waiting;

/// The key of the part of a row that only the operator may read.
const APART: &str = "out_of_sight";
/// How many refusals are kept.
pub const KEPT: Quotas = Quotas { businesses: 90_000, business: 45_000, strangers: 10_000, source: 2_000 };
/// How long they are kept: 30 days.
pub const KEEP_MS: UnixMs = 30 * 24 * 60 * 60 * 1000;
/// How many refusals a minute one source may write.
const SOURCE_LIMIT_PER_MINUTE: u32 = 120;
/// How many may wait to be written, which happens twice a second.
const WAITING: Quotas = Quotas { businesses: 8_000, business: 4_000, strangers: 1_000, source: 500 };
/// For how many sources the rate is counted in one minute. The quotas apply to the others too.
const SOURCES_LIMIT: usize = 50_000;

/// Refusals that were not written yet.
#[derive(Debug)]
pub struct Journal {
    rate: Mutex<Rate>,
    unwritten: Mutex<Unwritten>,
}

#[derive(Debug, Default)]
struct Rate {
    minute: i64,
    sources: HashMap<Source, u32>,
}

#[derive(Debug)]
struct Unwritten {
    waiting: Waiting,
    /// Rows that are being written: they are found here until the store has them.
    writing: Option<Arc<Writing>>,
    written_at: UnixMs,
}

/// Refusals that are being written.
#[derive(Debug)]
pub(crate) struct Writing {
    places: Vec<u64>,
    pub rows: Vec<RefusalRow>,
}

impl Journal {
    pub(crate) fn new() -> Journal {
        let unwritten = Unwritten { waiting: Waiting::new(WAITING), writing: None, written_at: 0 };
        Journal { rate: Mutex::default(), unwritten: Mutex::new(unwritten) }
    }

    /// Remembers a refusal of a decision.
    pub fn remember(&self, call: &Call, question: &Question, view: &View, denial: &Denial, now: UnixMs) {
        let source = Source::of(&view.subject, denial.token, call.ip());
        self.push(source, now, || RefusalRow {
            trace: call.trace().to_owned(),
            at: now,
            business: denial.business,
            token: denial.token,
            source: source.to_string(),
            reason: denial.reason.as_str().to_owned(),
            body: describe(call, Some(question), view, denial).to_string(),
        });
    }

    /// Remembers a refusal of a rule, after the decision had allowed the call.
    pub fn remember_rule(&self, call: &Call, question: &Question, view: &View, refusal: &Refusal, now: UnixMs) {
        let (business, token) = match &view.subject {
            Subject::Token(t) => (Some(t.business), Some(t.id)),
            Subject::App(a) => (Some(a.business), None),
            Subject::Malformed | Subject::Unknown | Subject::Operator => (None, None),
        };
        let source = Source::of(&view.subject, token, call.ip());
        self.push(source, now, || RefusalRow {
            trace: call.trace().to_owned(),
            at: now,
            business,
            token,
            source: source.to_string(),
            reason: refusal.reason.as_str().to_owned(),
            body: json!({
                "revision": view.revision.to_string(),
                "question": rule_facts(question, view.asset.as_ref()),
                "asset": view.asset.as_ref().map(asset_facts),
                "refusal": refusal,
                "facts": subject_facts(&view.subject),
                "ip": call.ip().map(|ip| ip.to_string()),
                "program": call.user_agent().map(program),
            })
            .to_string(),
        });
    }

    fn push(&self, source: Source, now: UnixMs, row: impl FnOnce() -> RefusalRow) {
        if !self.may_write(source, now) {
            return;
        }
        // Made before the lock is taken: a flood of refusals must not delay other callers.
        let row = row();
        if let Ok(mut unwritten) = self.unwritten.lock() {
            unwritten.waiting.insert(row);
        }
    }

    fn may_write(&self, source: Source, now: UnixMs) -> bool {
        let Ok(mut rate) = self.rate.lock() else { return false };
        let minute = now.div_euclid(60_000);
        if rate.minute != minute {
            rate.minute = minute;
            rate.sources.clear();
        }
        if rate.sources.len() >= SOURCES_LIMIT && !rate.sources.contains_key(&source) {
            return true;
        }
        let seen = rate.sources.entry(source).or_default();
        *seen = seen.saturating_add(1);
        *seen <= SOURCE_LIMIT_PER_MINUTE
    }

    /// Takes the waiting rows, to write them. They are found here until [`Journal::wrote`] is called.
    /// `None` if there is nothing to write, unless the last write is longer ago than `pause`: then old
    /// rows have to be dropped.
    pub(crate) fn begin_writing(&self, now: UnixMs, pause: UnixMs) -> Option<Arc<Writing>> {
        let mut unwritten = self.unwritten.lock().ok()?;
        unwritten.put_back();
        let (places, rows): (Vec<u64>, Vec<RefusalRow>) = unwritten.waiting.take().into_iter().unzip();
        if rows.is_empty() && (now - unwritten.written_at).abs() < pause {
            return None;
        }
        unwritten.written_at = now;
        let writing = Arc::new(Writing { places, rows });
        unwritten.writing = Some(Arc::clone(&writing));
        Some(writing)
    }

    /// Says whether the rows that were being written are in the store; if not, they wait for the next
    /// write.
    pub(crate) fn wrote(&self, done: bool) {
        let Ok(mut unwritten) = self.unwritten.lock() else { return };
        if done {
            unwritten.writing = None;
        } else {
            unwritten.put_back();
        }
    }

    /// Finds a refusal that was not written yet.
    pub(crate) fn pending(&self, trace: &str) -> Option<RefusalRow> {
        let unwritten = self.unwritten.lock().ok()?;
        let in_writing = || unwritten.writing.as_ref()?.rows.iter().find(|row| row.trace == trace);
        unwritten.waiting.get(trace).or_else(in_writing).cloned()
    }

    /// The wanted rows that were not written yet, the newest first.
    pub(crate) fn newest(&self, limit: usize, wanted: impl Fn(&RefusalRow) -> bool) -> Vec<RefusalRow> {
        let Ok(unwritten) = self.unwritten.lock() else { return Vec::new() };
        let in_writing = unwritten.writing.iter().flat_map(|writing| writing.rows.iter().rev());
        let rows = unwritten.waiting.newest().chain(in_writing);
        rows.filter(|row| wanted(row)).take(limit).cloned().collect()
    }
}

impl Unwritten {
    fn put_back(&mut self) {
        if let Some(writing) = self.writing.take() {
            let rows = writing.places.iter().copied().zip(writing.rows.iter().cloned());
            self.waiting.restore(rows.collect());
        }
    }
}

/// Question, steps and facts of a decision, as JSON.
pub(crate) fn describe(call: &Call, question: Option<&Question>, view: &View, denial: &Denial) -> Value {
    let mut asked = Map::new();
    if let Some(question) = question {
        asked.insert("question".into(), question_facts(question, view.asset.as_ref()));
    }
    asked.insert("missing".into(), missing_facts(denial));
    if let Some(asset) = &view.asset {
        asked.insert("asset".into(), asset_facts(asset));
    }
    let mut out = Map::new();
    out.insert("revision".into(), json!(view.revision.to_string()));
    out.insert("reason".into(), json!(denial.reason.as_str()));
    out.insert("hidden".into(), json!(denial.hidden));
    out.insert("facts".into(), subject_facts(&view.subject));
    out.insert("ip".into(), json!(call.ip().map(|ip| ip.to_string())));
    out.insert("program".into(), json!(call.user_agent().map(program)));
    if question.is_none_or(|q| is_visible(q.target, view)) {
        out.extend(asked);
    } else {
        // Even the question shows whether the id exists: an adapter asks by what it found.
        out.insert(APART.into(), Value::Object(asked));
    }
    Value::Object(out)
}

/// Whether the caller's business sees what was asked about, allowed or not.
fn is_visible(target: Target, view: &View) -> bool {
    let own = match &view.subject {
        Subject::Token(token) => Some(token.business),
        Subject::App(app) => Some(app.business),
        Subject::Malformed | Subject::Unknown | Subject::Operator => None,
    };
    match target {
        Target::Nothing | Target::Alive => true,
        Target::Business(business) => own == Some(business),
        Target::Asset(_) => view.asset.is_some_and(|asset| asset.reach != Reach::None),
    }
}

/// The body of a row: complete for the operator, without the [`APART`] part for others.
pub(crate) fn body_for(row: &RefusalRow, is_operator: bool) -> Value {
    let mut body = serde_json::from_str(&row.body).unwrap_or(Value::Null);
    if let Value::Object(map) = &mut body
        && let Some(Value::Object(apart)) = map.remove(APART)
        && is_operator
    {
        map.extend(apart);
    }
    body
}

fn question_facts(question: &Question, asset: Option<&AssetView>) -> Value {
    let target = match question.target {
        Target::Nothing => json!(null),
        Target::Alive => json!("alive"),
        Target::Asset(id) => json!({"asset": id}),
        Target::Business(id) => json!({"business": id}),
    };
    let kind = asset.map(|a| a.kind);
    let need = match question.need {
        Need::Nothing => json!(null),
        Need::Admin => json!("role ADMIN"),
        Need::OwnerAdmin => json!("role ADMIN in the owning business"),
        Need::AnyTask => json!("any task on the asset"),
        Need::Tasks(tasks) => json!({"one_of": task_names(kind, tasks)}),
    };
    json!({
        "target": target,
        "scopes_one_of": question.scopes,
        "need": need,
        "proof": format!("{:?}", question.proof),
        // All of it, so that the same question can be asked again.
        "again": kept::again(question),
    })
}

/// The question of a call that was allowed, and then refused by a rule.
fn rule_facts(question: &Question, asset: Option<&AssetView>) -> Value {
    let mut facts = question_facts(question, asset);
    facts["decided"] = json!("allowed; a rule refused it");
    facts
}

fn missing_facts(denial: &Denial) -> Value {
    let missing = &denial.missing;
    json!({
        "scopes_one_of": missing.scopes,
        "tasks_one_of": task_names(missing.kind, missing.tasks),
        "held": task_names(missing.kind, missing.held),
        "asset": missing.asset,
        "tasks_bits": missing.tasks,
        "held_bits": missing.held,
    })
}

/// Facts about a caller, for people who explain refusals.
pub(crate) fn subject_facts(subject: &Subject) -> Value {
    match subject {
        Subject::Malformed => json!({"token": "malformed"}),
        Subject::Unknown => json!({"token": "unknown"}),
        Subject::Operator => json!({"caller": "operator"}),
        Subject::App(app) => json!({"app": app.id, "business": app.business, "app_connected": app.connected}),
        Subject::Token(token) => token_facts(token),
    }
}

fn token_facts(token: &TokenView) -> Value {
    json!({
        "token": token.id,
        "type": token.kind.as_str(),
        "user": token.user,
        "business": token.business,
        "role": token.role.as_str(),
        "user_status": token.status.as_str(),
        "app": token.app.map(|a| a.id),
        "app_connected": token.app.map(|a| a.connected),
        "app_installed": token.installed,
        "app_demands_proof": token.app.map(|a| a.demands_proof),
        "scopes": token.effective_scopes(),
        "issued_scopes": token.scopes,
        "expires_at_ms": token.expires_at,
        "revoked_at_ms": token.revoked_at,
        "page": token.page,
    })
}

pub(crate) fn asset_facts(asset: &AssetView) -> Value {
    let shared = match asset.reach {
        Reach::Shared(tasks) => Some(tasks),
        Reach::Owned | Reach::None => None,
    };
    let reach = match asset.reach {
        Reach::Owned => json!("owned"),
        Reach::Shared(tasks) => json!({"shared": task_names(Some(asset.kind), tasks)}),
        Reach::None => json!("neither owned nor shared"),
    };
    json!({
        "id": asset.id,
        "kind": asset.kind.row().map_or("declared", |r| r.word),
        "reach": reach,
        "assigned": task_names(Some(asset.kind), asset.assigned),
        // The same as numbers: a declared kind names its tasks elsewhere.
        "kind_number": asset.kind,
        "assigned_bits": asset.assigned,
        "shared_bits": shared,
    })
}

fn task_names(kind: Option<AssetKind>, tasks: TaskSet) -> Vec<String> {
    let words = kind.and_then(|k| Vocabulary::of(k, None));
    match words {
        Some(words) => words.names(tasks).into_iter().map(str::to_owned).collect(),
        None if tasks.is_empty() => Vec::new(),
        None => vec![format!("bits {:#x}", tasks.0)],
    }
}
