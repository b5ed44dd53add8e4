//! Assignments: which user may do which tasks on which asset.
//!
//! A set replaces the set before it. A partner gives at most what was shared with it.

use crate::noun::assignment::Assignment;
use crate::refusal::Refusal;
use crate::task::Vocabulary;
use crate::{Action, AssetId, BusinessId, Caller, ChangeSet, Planner, Record, TaskSet, UserId};

/// Gives a user exactly these tasks on an asset. `business` is the one that acts.
pub fn assign(
    planner: &mut Planner<'_>,
    by: &Caller,
    business: BusinessId,
    asset: AssetId,
    user: UserId,
    tasks: &[String],
) -> Result<ChangeSet, Refusal> {
    let state = planner.state();
    let Some(record) = state.asset(asset) else {
        return Err(Refusal::not_visible(asset));
    };
    if state.business_of(user) != Some(business) {
        return Err(Refusal::unknown_reference("user"));
    }
    let declared = state.declared_kind(record.kind);
    let Some(words) = Vocabulary::of(record.kind, declared.as_ref()) else {
        return Err(Refusal::not_visible(asset));
    };
    let set = parse_tasks(&words, tasks)?;
    if record.business != Some(business) {
        let Some(share) = state.share(asset, business) else {
            return Err(Refusal::not_visible(asset));
        };
        let permitted = words.expanded(share.tasks);
        if !permitted.covers(words.expanded(set)) {
            return Err(Refusal::invalid(
                "tasks",
                &format!("at most what was shared: {}", words.names(share.tasks).join(", ")),
            ));
        }
    }
    let now = planner.now();
    planner.put(Record::Assignment(Assignment {
        user,
        asset,
        business,
        tasks: set,
        created_at: now,
        created_by: by.user(),
    }));
    Ok(planner.finish(Action::Assigned, by, Some(business), &[user.any(), asset.any()]))
}

/// Takes an asset away from a user. `business` is the one that acts.
pub fn unassign(
    planner: &mut Planner<'_>,
    by: &Caller,
    business: BusinessId,
    asset: AssetId,
    user: UserId,
) -> Result<ChangeSet, Refusal> {
    let Some(assignment) = planner.state().assignment(user, asset).filter(|a| a.business == business) else {
        return Err(Refusal::unknown_reference("user"));
    };
    planner.remove(Record::Assignment(assignment).key());
    Ok(planner.finish(Action::Unassigned, by, Some(business), &[user.any(), asset.any()]))
}

/// Removes every assignment of a user, within a larger change.
pub fn remove_all_of_user(planner: &mut Planner<'_>, user: UserId) {
    for asset in planner.state().assets_of(user) {
        if let Some(assignment) = planner.state().assignment(user, asset) {
            planner.remove(Record::Assignment(assignment).key());
        }
    }
}

/// Reads task names; the index of a wrong one is named.
pub fn parse_tasks(words: &Vocabulary<'_>, tasks: &[String]) -> Result<TaskSet, Refusal> {
    let mut set = TaskSet::EMPTY;
    for (i, name) in tasks.iter().enumerate() {
        match words.parse(name) {
            Some(task) => set = set.with(task),
            None => {
                let all = words.all_names().iter().map(|s| (*s).to_owned()).collect();
                return Err(Refusal::not_one_of(&format!("tasks[{i}]"), all));
            }
        }
    }
    if set.is_empty() {
        return Err(Refusal::required("tasks"));
    }
    Ok(set)
}
