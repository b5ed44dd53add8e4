//! System users: software with an identity of its own.
//!
//! One can be made only once an app is connected and the terms in force are accepted.

use crate::noun::system_user::SystemUser;
use crate::refusal::Refusal;
use crate::{
    Action, BusinessId, Caller, ChangeSet, IdKind, Name, Planner, Purpose, Record, Role, State, Status, UserId,
};

/// Makes a system user.
pub fn create(
    planner: &mut Planner<'_>,
    by: &Caller,
    business: BusinessId,
    name: Name,
    role: Role,
    description: Option<Purpose>,
) -> Result<(ChangeSet, UserId), Refusal> {
    super::terms::require_ready(planner, business)?;
    let state = planner.state();
    let Some(record) = state.business(business) else {
        return Err(Refusal::not_visible(business));
    };
    let count = state
        .system_users(business)
        .into_iter()
        .filter_map(|id| state.system_user(id))
        .filter(|u| u.role == role && u.status != Status::Deleted)
        .count();
    match role {
        Role::Admin => Refusal::check_limit(count, record.limits.admin_system_users, "admin system users")?,
        Role::Employee => Refusal::check_limit(count, record.limits.employee_system_users, "system users")?,
    }
    let id = planner.new_id(IdKind::SystemUser);
    let now = planner.now();
    planner.put(Record::SystemUser(SystemUser {
        id,
        business,
        name,
        role,
        status: Status::Active,
        created_at: now,
        created_by: by.user(),
        description,
    }));
    Ok((planner.finish(Action::SystemUserCreated, by, Some(business), &[id.any()]), id))
}

/// What can be changed of a system user. Its role is fixed for life: a widened identity should be
/// a new one, with new tokens.
#[derive(Debug, Clone, Default)]
pub struct SystemUserEdit {
    pub name: Option<Name>,
    pub status: Option<Status>,
    /// `Some(None)` takes the description away.
    pub description: Option<Option<Purpose>>,
}

/// Renames, describes, deactivates or activates a system user. Nobody does the latter two to itself.
pub fn update(planner: &mut Planner<'_>, by: &Caller, id: UserId, edit: SystemUserEdit) -> Result<ChangeSet, Refusal> {
    let Some(mut user) = live(planner.state(), id) else {
        return Err(Refusal::not_visible(id));
    };
    if edit.status.is_some() && by.user() == Some(id) {
        return Err(Refusal::invalid("status", "the status of another system user; nobody switches itself off"));
    }
    let mut action = Action::SystemUserRenamed;
    if let Some(description) = edit.description {
        user.description = description;
        action = Action::SystemUserDescribed;
    }
    if let Some(name) = edit.name {
        user.name = name;
        action = Action::SystemUserRenamed;
    }
    match edit.status {
        Some(Status::Deleted) => return Err(Refusal::invalid("status", "ACTIVE or DEACTIVATED; use DELETE to delete")),
        Some(status) => {
            user.status = status;
            action = if status == Status::Active { Action::SystemUserActivated } else { Action::SystemUserDeactivated };
        }
        None => {}
    }
    let business = user.business;
    planner.put(Record::SystemUser(user));
    Ok(planner.finish(action, by, Some(business), &[id.any()]))
}

/// Deletes a system user: tokens die, assignments and installations go, the record stays.
pub fn delete(planner: &mut Planner<'_>, by: &Caller, id: UserId) -> Result<ChangeSet, Refusal> {
    let Some(mut user) = live(planner.state(), id) else {
        return Err(Refusal::not_visible(id));
    };
    if by.user() == Some(id) {
        return Err(Refusal::invalid("id", "another system user; nobody deletes itself"));
    }
    user.status = Status::Deleted;
    let business = user.business;
    planner.put(Record::SystemUser(user));
    super::assignment::remove_all_of_user(planner, id);
    for app in planner.state().installed_apps(id) {
        if let Some(installation) = planner.state().installation(id, app) {
            planner.remove(Record::Installation(installation).key());
        }
    }
    Ok(planner.finish(Action::SystemUserDeleted, by, Some(business), &[id.any()]))
}

/// The system user, unless it is deleted.
pub fn live(state: &dyn State, id: UserId) -> Option<SystemUser> {
    state.system_user(id).filter(|u| u.status != Status::Deleted)
}
