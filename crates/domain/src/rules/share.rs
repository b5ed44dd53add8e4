//! Shares: assets that a partner may use, capped by `permitted_tasks`.
//!
//! Only the owner shares. When a share ends, what the partner gave on ends with it.

use crate::noun::share::Share;
use crate::refusal::Refusal;
use crate::task::Vocabulary;
use crate::{Action, AssetId, BusinessId, Caller, ChangeSet, Planner, Record};

/// Shares an asset with a partner, or changes what is permitted.
pub fn share(
    planner: &mut Planner<'_>,
    by: &Caller,
    owner: BusinessId,
    asset: AssetId,
    partner: BusinessId,
    tasks: &[String],
) -> Result<ChangeSet, Refusal> {
    let state = planner.state();
    let Some(record) = state.asset(asset).filter(|a| a.business == Some(owner)) else {
        return Err(Refusal::not_visible(asset));
    };
    if partner == owner || state.business(partner).is_none() {
        return Err(Refusal::unknown_reference("business"));
    }
    let declared = state.declared_kind(record.kind);
    let Some(words) = Vocabulary::of(record.kind, declared.as_ref()) else {
        return Err(Refusal::not_visible(asset));
    };
    let set = super::assignment::parse_tasks(&words, tasks)?;
    let permitted = words.expanded(set);
    // What the partner gave its users beyond the new cap is cut down, so that a list never shows
    // more than what works.
    for user in state.users_on(asset) {
        if let Some(mut assignment) = state.assignment(user, asset).filter(|a| a.business == partner) {
            if permitted.covers(words.expanded(assignment.tasks)) {
                continue;
            }
            assignment.tasks = words.expanded(assignment.tasks).shared(permitted);
            let key = Record::Assignment(assignment.clone()).key();
            if assignment.tasks.is_empty() {
                planner.remove(key);
            } else {
                planner.put(Record::Assignment(assignment));
            }
        }
    }
    let now = planner.now();
    planner.put(Record::Share(Share { asset, partner, tasks: set, created_at: now, created_by: by.user() }));
    Ok(planner.finish(Action::Shared, by, Some(owner), &[asset.any(), partner.any()]))
}

/// Ends a share; either side may. The partner's assignments on the asset end with it.
pub fn unshare(
    planner: &mut Planner<'_>,
    by: &Caller,
    acting: BusinessId,
    asset: AssetId,
    partner: BusinessId,
) -> Result<ChangeSet, Refusal> {
    let state = planner.state();
    let owner = state.asset(asset).and_then(|a| a.business);
    let Some(share) = state.share(asset, partner).filter(|_| acting == partner || owner == Some(acting)) else {
        return Err(Refusal::unknown_reference("business"));
    };
    for user in state.users_on(asset) {
        if let Some(assignment) = state.assignment(user, asset).filter(|a| a.business == partner) {
            planner.remove(Record::Assignment(assignment).key());
        }
    }
    planner.remove(Record::Share(share).key());
    Ok(planner.finish(Action::Unshared, by, owner, &[asset.any(), partner.any()]))
}
