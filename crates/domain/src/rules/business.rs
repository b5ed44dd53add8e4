//! Businesses: who owns apps and assets, has accepted the terms, and sets rules for its users.

use crate::limits::Limits;
use crate::noun::business::Business;
use crate::noun::person::Person;
use crate::refusal::Refusal;
use crate::{Action, BusinessId, Caller, ChangeSet, IdKind, Name, Planner, Record, Role, Status, UserId};

/// Makes a business with its first ADMIN. Only the operator can.
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
    planner.put(Record::Business(Business {
        id: business,
        name,
        created_at: now,
        accepted: None,
        limits: Limits::default(),
        strict_visibility: false,
        token_lifetime_limit_s: None,
    }));
    planner.put(Record::Person(Person {
        id: person,
        business,
        name: admin_name,
        email,
        role: Role::Admin,
        status: Status::Active,
        created_at: now,
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
