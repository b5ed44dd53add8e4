//! Businesses: who owns apps and assets, has accepted the terms, and sets rules for its users.

use crate::limits::Limits;
use crate::noun::business::Business;
use crate::noun::person::Person;
use crate::refusal::Refusal;
use crate::{
    Action, BusinessId, Caller, ChangeSet, IdKind, Name, Planner, Record, RecordKey, Role, State, Status, UnixMs,
    UserId,
};

/// Makes a business with its first ADMIN. Only the operator can, and vouches that the ADMIN is whoever signs
/// in with this address already, if anybody does.
pub fn create(
    planner: &mut Planner<'_>,
    by: &Caller,
    name: Name,
    admin_name: Name,
    admin_email: &str,
) -> Result<(ChangeSet, BusinessId, UserId), Refusal> {
    by.require_operator()?;
    let email = super::person::check_email(admin_email)?;
    let business = planner.new_id(IdKind::Business);
    let person = planner.new_id(IdKind::Person);
    let now = planner.now();
    let human = Some(super::human::of_new_entry(planner, by, business, &email)?);
    planner.put(Record::Business(Business {
        id: business,
        name,
        created_at: now,
        accepted: None,
        limits: Limits::default(),
        strict_visibility: false,
        token_lifetime_limit_s: None,
        deleted_at: None,
    }));
    planner.put(Record::Person(Person {
        id: person,
        business,
        name: admin_name,
        email,
        role: Role::Admin,
        status: Status::Active,
        created_at: now,
        human,
    }));
    Ok((planner.finish(Action::BusinessCreated, by, Some(business), &[business.any(), person.any()]), business, person))
}

/// What can be changed of a business; `None` leaves a thing as it is.
#[derive(Debug, Clone, Default)]
pub struct BusinessEdit {
    pub name: Option<Name>,
    pub strict_visibility: Option<bool>,
    pub token_lifetime_limit_s: Option<Option<i64>>,
    /// Limits are the operator's.
    pub limits: Option<Limits>,
}

/// Changes a business.
pub fn update(
    planner: &mut Planner<'_>,
    by: &Caller,
    id: BusinessId,
    edit: BusinessEdit,
) -> Result<ChangeSet, Refusal> {
    let Some(mut business) = planner.state().business(id) else {
        return Err(Refusal::not_visible(id));
    };
    if edit.limits.is_some() {
        by.require_operator()?;
    }
    if let Some(name) = edit.name {
        business.name = name;
    }
    if let Some(strict) = edit.strict_visibility {
        business.strict_visibility = strict;
    }
    if let Some(limit) = edit.token_lifetime_limit_s {
        if limit.is_some_and(|s| s < 60) {
            return Err(Refusal::invalid("token_lifetime_limit_s", "at least 60 seconds"));
        }
        business.token_lifetime_limit_s = limit;
    }
    if let Some(limits) = edit.limits {
        business.limits = limits;
    }
    planner.put(Record::Business(business));
    Ok(planner.finish(Action::BusinessUpdated, by, Some(id), &[id.any()]))
}

/// Deletes a business that was made by mistake or is used no more. Only the operator can, and only once
/// nothing of it works: it has no apps or other assets, nothing is shared with it, and no token of its
/// users is live. Its people and system users are deleted with it; all records stay, marked.
///
/// # Errors
/// `not_visible` if there is none, `role_insufficient` for everybody but the operator,
/// `invalid_parameter` with what is left of it.
pub fn delete(planner: &mut Planner<'_>, by: &Caller, id: BusinessId) -> Result<ChangeSet, Refusal> {
    by.require_operator()?;
    let state = planner.state();
    let Some(mut business) = state.business(id) else {
        return Err(Refusal::not_visible(id));
    };
    check_empty(state, id, planner.now())?;
    for mut person in super::person::live_people(state, id) {
        let (entry, human) = (person.id, person.human.take());
        super::assignment::remove_all_of_user(planner, entry);
        person.status = Status::Deleted;
        planner.put(Record::Person(person));
        if let Some(human) = human {
            super::human::end_entry(planner, human, entry);
        }
    }
    for mut user in state.system_users(id).into_iter().filter_map(|user| super::system_user::live(state, user)) {
        super::assignment::remove_all_of_user(planner, user.id);
        for app in state.installed_apps(user.id) {
            planner.remove(RecordKey::Installation(user.id, app));
        }
        user.status = Status::Deleted;
        planner.put(Record::SystemUser(user));
    }
    for app in state.connected_apps(id) {
        planner.remove(RecordKey::Connection(id, app));
    }
    for code in state.sign_in_codes().into_iter().filter(|code| code.business == id) {
        planner.remove(RecordKey::SignInCode(code.digest));
    }
    business.deleted_at = Some(planner.now());
    planner.put(Record::Business(business));
    Ok(planner.finish(Action::BusinessDeleted, by, Some(id), &[id.any()]))
}

/// Fails while the business has something that works.
fn check_empty(state: &dyn State, id: BusinessId, now: UnixMs) -> Result<(), Refusal> {
    let is_off = |user: UserId| {
        let person = state.person(user).map(|p| p.status);
        person.or_else(|| state.system_user(user).map(|u| u.status)).is_none_or(|s| s == Status::Deleted)
    };
    // Tokens of a deactivated user count: they would work again.
    let live_tokens = super::revocation::tokens_in(state, id)
        .filter(|t| t.revoked_at.is_none() && t.expires_at.is_none_or(|end| end > now) && !is_off(t.user))
        .count();
    let left = [
        ("apps", state.owned_apps(id).len()),
        ("assets", state.owned_assets(id).len()),
        ("assets shared with it", state.shared_assets(id).len()),
        ("live tokens", live_tokens),
    ];
    let left: Vec<String> = left.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{what} ({n})")).collect();
    if left.is_empty() {
        return Ok(());
    }
    let note = format!("the business still has {}; only an empty one can be deleted", left.join(", "));
    Err(Refusal::invalid("business", "a business without apps, assets, shares and live tokens").with_note(&note))
}
