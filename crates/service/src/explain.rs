//! Explanations: what a decision rested on then, and what it would be now.

use serde_json::{Value, json};
use valetkey_authz::{Allowed, Decision, Need, Question, Sorts, Subject, Target, decide};
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{Id, Reason, Refusal, Scope, ScopeSet, UnixMs};
use valetkey_store::RefusalRow;

use crate::call::Call;
use crate::core::{CredentialRef, Service};
use crate::journal::{asset_facts, subject_facts};

/// A refusal of the past, explained.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Explanation {
    pub trace: String,
    pub at: UnixMs,
    pub reason: String,
    pub token: Option<Id>,
    /// Question, facts and revision of that moment.
    pub then: Value,
    /// The same facts now; `None` when the token is unknown.
    pub now: Option<Value>,
}

impl Service {
    /// Finds a refusal by the trace of its answer. Admins see their business's, the operator all.
    ///
    /// # Errors
    /// `role_insufficient` for others, `not_visible` when there is none.
    pub async fn explain(&self, call: &Call, trace: &str) -> Result<Explanation, Refusal> {
        let allowed = self.ask(call, admin_question())?;
        let row = match self.inner.journal.pending(trace) {
            Some(row) => Some(row),
            None => self.store().refusal(trace).await.map_err(|e| crate::content::store_refusal(&e))?,
        };
        let row = row.filter(|r| may_see(&allowed, r)).ok_or_else(|| {
            Refusal::of(Reason::Invalid)
                .with_note("no refusal is remembered under this trace; the journal keeps 30 days and a bounded number")
        })?;
        let now = row.token.map(|id| self.facts_now(id, &row.body)).transpose()?;
        Ok(Explanation {
            trace: row.trace,
            at: row.at,
            reason: row.reason,
            token: row.token,
            then: serde_json::from_str(&row.body).unwrap_or(Value::Null),
            now,
        })
    }

    /// The newest refusals that the caller may see.
    ///
    /// # Errors
    /// `role_insufficient` for EMPLOYEEs.
    pub async fn refusals(&self, call: &Call, limit: usize) -> Result<Vec<RefusalRow>, Refusal> {
        let allowed = self.ask(call, admin_question())?;
        let mut rows: Vec<RefusalRow> =
            self.inner.journal.pending_all().into_iter().filter(|r| may_see(&allowed, r)).take(limit).collect();
        let stored = self
            .store()
            .refusals(allowed.caller.business(), limit)
            .await
            .map_err(|e| crate::content::store_refusal(&e))?;
        rows.extend(stored);
        rows.truncate(limit);
        Ok(rows)
    }

    /// Whether a token may do a task on an asset, with every fact that the answer rests on.
    ///
    /// # Errors
    /// `not_visible` for tokens and assets beyond the caller's business, `invalid_parameter` for
    /// words that the asset's kind does not know.
    pub fn explain_question(
        &self,
        call: &Call,
        token: Id,
        asset: Id,
        task: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Value, Refusal> {
        let allowed = self.ask(call, admin_question())?;
        let scopes = match scope {
            Some(name) => {
                let scope =
                    Scope::parse(name).ok_or_else(|| Refusal::invalid("scope", "a scope that this server knows"))?;
                [scope].into_iter().collect()
            }
            None => ScopeSet::EMPTY,
        };
        let index = self.inner.index()?;
        let state: &dyn valetkey_domain::State = &*index;
        let known = state.token(token).filter(|t| allowed.caller.business().is_none_or(|b| b == t.business));
        if known.is_none() {
            return Err(Refusal::not_visible(token));
        }
        let need = match task {
            None => Need::AnyTask,
            Some(name) => {
                let Some(record) = state.asset(asset) else { return Err(Refusal::not_visible(asset)) };
                let declared = state.declared_kind(record.kind);
                let words = Vocabulary::of(record.kind, declared.as_ref());
                let names = words.map(|w| w.all_names().into_iter().map(str::to_owned).collect()).unwrap_or_default();
                Need::Tasks(words.and_then(|w| w.parse(name)).ok_or_else(|| Refusal::not_one_of("task", names))?)
            }
        };
        let question = Question::about(Target::Asset(asset)).sorts(Sorts::ANY).scopes(scopes).need(need);
        let now = self.now();
        let (view, question) =
            self.inner.look_on(state, index.revision(), CredentialRef::Token(token), None, question, now);
        let decision = decide(&view, &question, now);
        let (answer, reason) = match &decision {
            Decision::Allow(_) => ("allow", None),
            Decision::Deny(denial) => ("deny", Some(denial.reason.as_str())),
        };
        Ok(json!({
            "answer": answer,
            "reason": reason,
            "revision": view.revision.to_string(),
            "facts": subject_facts(&view.subject),
            "asset": view.asset.as_ref().map(asset_facts),
        }))
    }

    fn facts_now(&self, token: Id, body: &str) -> Result<Value, Refusal> {
        let then: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let asset = then.pointer("/question/target/asset").and_then(Value::as_str).and_then(Id::parse);
        let index = self.inner.index()?;
        let question = Question::about(asset.map_or(Target::Nothing, Target::Asset));
        let (view, _) =
            self.inner.look_on(&*index, index.revision(), CredentialRef::Token(token), None, question, self.now());
        Ok(json!({
            "revision": view.revision.to_string(),
            "facts": match view.subject { Subject::Unknown => Value::Null, ref subject => subject_facts(subject) },
            "asset": view.asset.as_ref().map(asset_facts),
        }))
    }
}

fn admin_question() -> Question {
    Question::about(Target::Nothing).need(Need::Admin).scopes(ScopeSet::of(&["business_management"]))
}

fn may_see(allowed: &Allowed, row: &RefusalRow) -> bool {
    allowed.caller.business().is_none_or(|b| row.business == Some(b))
}
