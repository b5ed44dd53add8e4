//! Explanations as facts: what a decision rested on then, and what it would be now.
//!
//! What a business can't see must stay hidden here too: only the operator sees such a refusal, and an
//! answer may hold no fact about an asset that is no longer visible to the caller.

use serde_json::{Value, json};
use valetkey_authz::{Allowed, Decision, Index, Need, Question, Reach, Sorts, Subject, Target, decide};
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, BusinessId, Reason, Refusal, Scope, ScopeSet, Sentence, State, TokenId, UnixMs, Words};
use valetkey_store::RefusalRow;

use super::see::{admin_question, has, is_operator, sees};
use crate::ask::{On, Sent};
use crate::call::Call;
use crate::core::Service;
use crate::journal::kept::target_asset;
use crate::journal::{asset_facts, body_for, subject_facts};

/// A refusal of the past, explained.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Explanation {
    pub trace: String,
    pub at: UnixMs,
    pub reason: String,
    pub token: Option<TokenId>,
    /// Question, facts and revision of that moment.
    pub then: Value,
    /// The same facts now; `None` when the token is unknown.
    pub now: Option<Value>,
}

impl Service {
    /// Finds a refusal by the trace of its answer. Admins see those of their business, the operator sees
    /// all. A refusal about something that the business couldn't see does not exist for its admins.
    ///
    /// # Errors
    /// `role_insufficient` for others, `invalid_parameter` when there is none.
    pub async fn explain(&self, call: &Call, trace: &str) -> Result<Explanation, Refusal> {
        let (allowed, row) = self.refusal_of(call, trace).await?;
        let then = body_for(&row, is_operator(&allowed));
        let now = row.token.map(|id| self.facts_now(&allowed, id, row.business, &then)).transpose()?;
        Ok(Explanation { trace: row.trace, at: row.at, reason: row.reason, token: row.token, then, now })
    }

    /// The newest refusals that the caller may see. There may be fewer than the limit, because refusals
    /// about something that the business couldn't see are left out.
    ///
    /// # Errors
    /// `role_insufficient` for EMPLOYEEs.
    pub async fn refusals(&self, call: &Call, limit: usize) -> Result<Vec<RefusalRow>, Refusal> {
        let allowed = self.ask(call, admin_question())?;
        let mut rows = self.newest_refusals(&allowed, limit).await?;
        for row in &mut rows {
            row.body = body_for(row, is_operator(&allowed)).to_string();
        }
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
        token: TokenId,
        asset: AssetId,
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
        let answer = {
            let index = self.inner.index()?;
            self.answer_on(&index, &allowed, (token, asset), task, scopes)
        };
        answer.map_err(|refusal| self.journaled(call, refusal))
    }

    fn answer_on(
        &self,
        index: &Index,
        allowed: &Allowed,
        (token, asset): (TokenId, AssetId),
        task: Option<&str>,
        scopes: ScopeSet,
    ) -> Result<Value, Refusal> {
        let state: &dyn State = index;
        if state.token(token).is_none_or(|t| allowed.caller.business().is_some_and(|b| b != t.business)) {
            return Err(Refusal::not_visible(token));
        }
        // Checked before anything else about the asset, so that a foreign one looks like none.
        let Some(record) = state.asset(asset).filter(|a| sees(state, allowed, a.id)) else {
            return Err(Refusal::not_visible(asset));
        };
        let need = match task {
            None => Need::AnyTask,
            Some(name) => {
                let declared = state.declared_kind(record.kind);
                let words = Vocabulary::of(record.kind, declared.as_ref());
                let names = words.map(|w| w.all_names().into_iter().map(str::to_owned).collect()).unwrap_or_default();
                Need::Tasks(words.and_then(|w| w.parse(name)).ok_or_else(|| Refusal::not_one_of("task", names))?)
            }
        };
        let question = Question::about(Target::Asset(asset)).sorts(Sorts::ANY).scopes(scopes).need(need);
        let now = self.now();
        let (view, question) =
            self.inner.look(On::State { state, revision: index.revision() }, &Sent::Token(token), question, now);
        let decision = decide(&view, &question, now);
        let refusal = match &decision {
            Decision::Allow(_) => None,
            // The caller sees the asset, so nothing is hidden here.
            Decision::Deny(d) => {
                Some(Refusal { subject: d.subject, time: d.time, missing: d.missing, ..Refusal::of(d.reason) })
            }
        };
        let declared = state.declared_kind(record.kind);
        let words = Words { declared: declared.as_ref(), ..Words::default() };
        let sentence = refusal.as_ref().map(|refusal| refusal.sentence(&words));
        Ok(json!({
            "answer": if refusal.is_some() { "deny" } else { "allow" },
            "reason": refusal.map(|refusal| refusal.reason.as_str()),
            "message": sentence.as_ref().map(|sentence| &sentence.what),
            "hint": sentence.as_ref().and_then(Sentence::hint),
            "granted_by": sentence.and_then(|sentence| sentence.granted_by),
            "revision": view.revision.to_string(),
            "facts": subject_facts(&view.subject),
            "asset": view.asset.as_ref().map(asset_facts),
        }))
    }

    fn facts_now(
        &self,
        allowed: &Allowed,
        token: TokenId,
        business: Option<BusinessId>,
        then: &Value,
    ) -> Result<Value, Refusal> {
        let asset = target_asset(then);
        let index = self.inner.index()?;
        let question = Question::about(asset.map_or(Target::Nothing, Target::Asset));
        let (view, _) = self.inner.look(On::Index(&index), &Sent::Token(token), question, self.now());
        let was_shared = then.pointer("/asset/reach/shared").is_some();
        let is_invisible = asset.zip(business).is_some_and(|(asset, business)| !has(&*index, business, asset));
        let shown = view.asset.filter(|a| a.reach != Reach::None || is_operator(allowed));
        let mut now = json!({
            "revision": view.revision.to_string(),
            "facts": if view.subject == Subject::Unknown { Value::Null } else { subject_facts(&view.subject) },
            "asset": shown.as_ref().map(asset_facts),
        });
        if was_shared && is_invisible {
            // It was shared with the business when it asked, so the business may know that this ended.
            now["reason"] = json!(Reason::ShareEnded.as_str());
        }
        Ok(now)
    }
}
