//! People: the entries of humans in businesses. The last ADMIN of a business stays.

use crate::noun::person::Person;
use crate::refusal::Refusal;
use crate::{
    Action, BusinessId, Caller, ChangeSet, IdKind, Name, Planner, Reason, Record, Role, State, Status, UserId,
};

/// Checks the outer form of an address; only a message to it can prove more.
pub fn check_email(text: &str) -> Result<String, Refusal> {
    let form = text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && !host.contains('@')
                && host.len() >= 3
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    if form {
        Ok(text.to_lowercase())
    } else {
        Err(Refusal::invalid("email", "an e-mail address such as ada@example.com"))
    }
}

/// Adds a person to a business, with its human: a new one or, if the operator adds it, the one who signs
/// in with this address already.
pub fn create(
    planner: &mut Planner<'_>,
    by: &Caller,
    business: BusinessId,
    name: Name,
    email: &str,
    role: Role,
) -> Result<(ChangeSet, UserId), Refusal> {
    let email = check_email(email)?;
    let state = planner.state();
    let Some(record) = state.business(business) else {
        return Err(Refusal::not_visible(business));
    };
    let people: Vec<Person> = live_people(state, business);
    if people.iter().any(|p| p.email == email) {
        return Err(Refusal::invalid("email", "an address that no other person of the business has"));
    }
    Refusal::check_limit(people.len(), record.limits.people, "people")?;
    let human = Some(super::human::of_new_entry(planner, by, business, &email)?);
    let id = planner.new_id(IdKind::Person);
    let now = planner.now();
    let status = Status::Active;
    planner.put(Record::Person(Person { id, business, name, email, role, status, created_at: now, human }));
    Ok((planner.finish(Action::PersonCreated, by, Some(business), &[id.any()]), id))
}

/// What can be changed of a person.
#[derive(Debug, Clone, Default)]
pub struct PersonEdit {
    pub name: Option<Name>,
    pub role: Option<Role>,
    pub status: Option<Status>,
}

/// Changes a person. Taking away the last ADMIN is refused, whichever way it is tried.
pub fn update(planner: &mut Planner<'_>, by: &Caller, id: UserId, edit: PersonEdit) -> Result<ChangeSet, Refusal> {
    let state = planner.state();
    let Some(mut person) = state.person(id).filter(|p| p.status != Status::Deleted) else {
        return Err(Refusal::not_visible(id));
    };
    let was_admin = person.role == Role::Admin && person.status == Status::Active;
    if let Some(name) = edit.name {
        person.name = name;
    }
    if let Some(role) = edit.role {
        person.role = role;
    }
    if let Some(status) = edit.status {
        person.status = status;
    }
    let stays_admin = person.role == Role::Admin && person.status == Status::Active;
    if was_admin && !stays_admin {
        let admins = live_people(state, person.business)
            .iter()
            .filter(|p| p.role == Role::Admin && p.status == Status::Active && p.id != id)
            .count();
        if admins == 0 {
            return Err(Refusal::of(Reason::LastAdmin));
        }
    }
    let business = person.business;
    let deleted = person.status == Status::Deleted;
    let human = if deleted { person.human.take() } else { None };
    planner.put(Record::Person(person));
    if deleted {
        super::assignment::remove_all_of_user(planner, id);
    }
    if let Some(human) = human {
        super::human::end_entry(planner, human, id);
    }
    let action = if deleted { Action::PersonDeleted } else { Action::PersonUpdated };
    Ok(planner.finish(action, by, Some(business), &[id.any()]))
}

/// The people of a business that are not deleted.
pub fn live_people(state: &dyn State, business: BusinessId) -> Vec<Person> {
    state
        .people(business)
        .into_iter()
        .filter_map(|id| state.person(id))
        .filter(|p| p.status != Status::Deleted)
        .collect()
}
