//! What a caller may see of refusals and of what they are about.
//!
//! A refusal about something that a business couldn't see does not exist for it. Nothing here may answer
//! from what somebody says of itself.

use valetkey_authz::{Allowed, Need, Question, Target};
use valetkey_domain::{AssetId, BusinessId, Caller, Reason, Refusal, ScopeSet, State};
use valetkey_store::RefusalRow;

use crate::call::Call;
use crate::content::store_refusal;
use crate::core::Service;

/// The right to look at refusals: as an ADMIN of the business.
pub(super) fn admin_question() -> Question {
    Question::about(Target::Nothing).need(Need::Admin).scopes(ScopeSet::of(&["business_management"]))
}

pub(super) fn is_operator(allowed: &Allowed) -> bool {
    allowed.caller == Caller::Operator
}

/// Whether the caller's business sees an asset; the operator sees all there are.
pub(super) fn sees(state: &dyn State, allowed: &Allowed, asset: AssetId) -> bool {
    allowed.caller.business().is_none_or(|business| has(state, business, asset))
}

/// Whether the caller is of this business; the operator is of all.
pub(super) fn is_of(allowed: &Allowed, business: BusinessId) -> bool {
    allowed.caller.business().is_none_or(|own| own == business)
}

/// Whether an asset is a business's own or shared with it.
pub(super) fn has(state: &dyn State, business: BusinessId, asset: AssetId) -> bool {
    state.asset(asset).is_some_and(|a| a.business == Some(business)) || state.share(asset, business).is_some()
}

/// A `not_visible` refusal may hold facts about a foreign owner. Even its existence may show whether
/// the id belongs to somebody else or to nobody.
pub(super) fn may_see(allowed: &Allowed, row: &RefusalRow) -> bool {
    let Some(business) = allowed.caller.business() else { return true };
    row.business == Some(business) && row.reason != Reason::NotVisible.as_str()
}

impl Service {
    /// The refusal of a trace, with the decision that lets the caller see it.
    pub(super) async fn refusal_of(&self, call: &Call, trace: &str) -> Result<(Allowed, RefusalRow), Refusal> {
        let allowed = self.ask(call, admin_question())?;
        let row = match self.inner.journal.pending(trace) {
            Some(row) => Some(row),
            None => self.store().refusal(trace).await.map_err(|e| store_refusal(&e))?,
        };
        let row = row.filter(|r| may_see(&allowed, r)).ok_or_else(|| {
            Refusal::invalid("trace", "the trace of a refusal that can be explained")
                .with_note("no refusal is shown for this trace: none is remembered, or it was about something that the business can't see; the journal keeps 30 days and a bounded number")
        })?;
        Ok((allowed, row))
    }

    /// The newest refusals that a caller may see, those that wait to be written among them. There may be
    /// fewer than the limit, because refusals about something that the business couldn't see are left out.
    pub(super) async fn newest_refusals(&self, allowed: &Allowed, limit: usize) -> Result<Vec<RefusalRow>, Refusal> {
        let mut rows = self.inner.journal.newest(limit, |row| may_see(allowed, row));
        let stored = self.store().refusals(allowed.caller.business(), limit).await.map_err(|e| store_refusal(&e))?;
        // One that was being written may be in the store by now.
        let known: std::collections::HashSet<String> = rows.iter().map(|row| row.trace.clone()).collect();
        rows.extend(stored.into_iter().filter(|row| may_see(allowed, row) && !known.contains(&row.trace)));
        rows.truncate(limit);
        Ok(rows)
    }
}
