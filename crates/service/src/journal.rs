//! The journal of refusals: bounded in size, age and rate, so that a refusal can be explained by
//! the trace of its answer. It holds no secret: questions and facts are ids, words and times.
//!
//! What was asked about a thing that the asking business doesn't see may speak of its owner. That
//! stands apart in a row, under [`APART`], and must be shown to nobody but the operator.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use serde_json::{Map, Value, json};
use valetkey_authz::{AssetView, Denial, Need, Question, Reach, Subject, Target, TokenView, View};
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetKind, Id, Refusal, TaskSet, UnixMs};
use valetkey_store::RefusalRow;

use crate::call::Call;

/// The key of what only the operator may read of a row.
const APART: &str = "out_of_sight";
/// How many refusals are kept.
pub const KEEP_ROWS: u64 = 100_000;
/// How long they are kept: 30 days.
pub const KEEP_MS: UnixMs = 30 * 24 * 60 * 60 * 1000;
/// How many refusals a minute one source (a token, or an address without one) may write.
const SOURCE_LIMIT_PER_MINUTE: u32 = 120;
/// How many may wait to be written.
const WAITING_LIMIT: usize = 20_000;
const SOURCES_LIMIT: usize = 50_000;

/// Refusals that were not written yet.
#[derive(Debug)]
pub struct Journal {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    rows: VecDeque<RefusalRow>,
    minute: i64,
    sources: HashMap<Source, u32>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Source {
    Token(Id),
    Address(Option<std::net::IpAddr>),
}

impl Journal {
    pub(crate) fn new() -> Journal {
        Journal { waiting: Mutex::new(Waiting::default()) }
    }

    /// Remembers a refusal of a decision.
    pub fn remember(&self, call: &Call, question: &Question, view: &View, denial: &Denial, now: UnixMs) {
        let source = denial.token.map_or(Source::Address(call.ip), Source::Token);
        self.push(source, now, || RefusalRow {
            trace: call.trace.clone(),
            at: now,
            business: denial.business,
            token: denial.token,
            reason: denial.reason.as_str().to_owned(),
            body: describe(call, Some(question), view, denial).to_string(),
        });
    }

    /// Remembers a refusal of a rule, after the decision had allowed the call.
    pub fn remember_rule(&self, call: &Call, view: &View, refusal: &Refusal, now: UnixMs) {
        let (business, token) = match &view.subject {
            Subject::Token(t) => (Some(t.business), Some(t.id)),
            Subject::App(a) => (Some(a.business), None),
            _ => (None, None),
        };
        let source = token.map_or(Source::Address(call.ip), Source::Token);
        self.push(source, now, || RefusalRow {
            trace: call.trace.clone(),
            at: now,
            business,
            token,
            reason: refusal.reason.as_str().to_owned(),
            body: json!({
                "revision": view.revision.to_string(),
                "question": { "decided": "allowed; a rule refused it" },
                "refusal": refusal,
                "facts": subject_facts(&view.subject),
                "ip": call.ip.map(|ip| ip.to_string()),
            })
            .to_string(),
        });
    }

    fn push(&self, source: Source, now: UnixMs, row: impl FnOnce() -> RefusalRow) {
        let Ok(mut waiting) = self.waiting.lock() else { return };
        let minute = now.div_euclid(60_000);
        if waiting.minute != minute || waiting.sources.len() > SOURCES_LIMIT {
            waiting.minute = minute;
            waiting.sources.clear();
        }
        let seen = waiting.sources.entry(source).or_default();
        *seen += 1;
        if *seen > SOURCE_LIMIT_PER_MINUTE || waiting.rows.len() >= WAITING_LIMIT {
            return;
        }
        waiting.rows.push_back(row());
    }

    /// Takes what waits.
    pub(crate) fn drain(&self) -> Vec<RefusalRow> {
        self.waiting.lock().map(|mut w| w.rows.drain(..).collect()).unwrap_or_default()
    }

    /// Puts back what could not be written.
    pub(crate) fn restore(&self, rows: Vec<RefusalRow>) {
        if let Ok(mut waiting) = self.waiting.lock() {
            for row in rows.into_iter().rev() {
                if waiting.rows.len() < WAITING_LIMIT {
                    waiting.rows.push_front(row);
                }
            }
        }
    }

    /// Finds a refusal that was not written yet.
    pub(crate) fn pending(&self, trace: &str) -> Option<RefusalRow> {
        self.waiting.lock().ok()?.rows.iter().find(|r| r.trace == trace).cloned()
    }

    /// What waits, newest first.
    pub(crate) fn pending_all(&self) -> Vec<RefusalRow> {
        self.waiting.lock().map(|w| w.rows.iter().rev().cloned().collect()).unwrap_or_default()
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
    out.insert("ip".into(), json!(call.ip.map(|ip| ip.to_string())));
    if question.is_none_or(|q| is_in_sight(q.target, view)) {
        out.extend(asked);
    } else {
        // Even the question tells a foreign thing from none: an adapter asks by what it found.
        out.insert(APART.into(), Value::Object(asked));
    }
    Value::Object(out)
}

/// Whether the business of who asked sees what was asked about, whatever the answer was.
fn is_in_sight(target: Target, view: &View) -> bool {
    let own = match &view.subject {
        Subject::Token(token) => Some(token.business),
        Subject::App(app) => Some(app.business),
        Subject::Malformed | Subject::Unknown | Subject::Operator => None,
    };
    match target {
        Target::Nothing => true,
        Target::Business(business) => own == Some(business),
        Target::Asset(_) => view.asset.is_some_and(|asset| asset.reach != Reach::None),
    }
}

/// What a row says: all of it to the operator, to others what is theirs.
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
    json!({ "target": target, "scopes_one_of": question.scopes, "need": need, "proof": format!("{:?}", question.proof) })
}

fn missing_facts(denial: &Denial) -> Value {
    let missing = &denial.missing;
    json!({
        "scopes_one_of": missing.scopes,
        "tasks_one_of": task_names(missing.kind, missing.tasks),
        "held": task_names(missing.kind, missing.held),
        "asset": missing.asset,
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
        "scopes": token.scopes,
        "expires_at_ms": token.expires_at,
        "revoked_at_ms": token.revoked_at,
        "page": token.page,
    })
}

pub(crate) fn asset_facts(asset: &AssetView) -> Value {
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
