//! The humans behind people. A human is made with its first entry and goes with its last one, so that no
//! credential is left without an entry. Whoever adds a person must never get power over a human that is
//! somebody else's.

use crate::noun::human::Human;
use crate::noun::person::Person;
use crate::refusal::Refusal;
use crate::{BusinessId, Caller, HumanId, IdKind, Planner, Record, RecordKey, State, UserId};

/// The human behind an entry that is added: a new one, planned with it. If a human signs in with this
/// address already, the operator vouches that the entry is the same one's; nobody else can.
///
/// # Errors
/// `invalid_parameter` for an address that is in use; of the random source.
pub(super) fn of_new_entry(
    planner: &mut Planner<'_>,
    by: &Caller,
    business: BusinessId,
    email: &str,
) -> Result<HumanId, Refusal> {
    let state = planner.state();
    let known = state.human_by_email(email);
    let is_used = known.is_some() || !state.people_without_human(email).is_empty();
    if is_used && *by != Caller::Operator {
        return Err(Refusal::invalid("email", "an address that nobody on this server signs in with"));
    }
    let Some(known) = known else { return make(planner, email) };
    let is_here = |id: UserId| state.person(id).is_some_and(|p| p.business == business);
    if state.entries_of(known.id).into_iter().any(is_here) {
        return Err(Refusal::invalid("email", "an address that no other person of the business has"));
    }
    Ok(known.id)
}

/// Gives a person of an earlier version its human: that of its address, or a new one. Whoever calls this
/// knows that the operator vouches, or that nobody else has the address.
///
/// # Errors
/// Of the random source.
pub(super) fn of_old_entry(planner: &mut Planner<'_>, person: Person) -> Result<HumanId, Refusal> {
    if let Some(human) = person.human {
        return Ok(human);
    }
    let human = match planner.state().human_by_email(&person.email) {
        Some(known) => known.id,
        None => make(planner, &person.email)?,
    };
    planner.put(Record::Person(Person { human: Some(human), ..person }));
    Ok(human)
}

/// Whether an ADMIN of its business may let somebody in as this person: its human has no factor of its
/// own, and it is no other person, not even one that is still to be linked.
pub fn is_open(state: &dyn State, person: &Person) -> bool {
    match person.human.map(|id| state.human(id)) {
        Some(Some(human)) => {
            !has_factors(state, &human)
                && state.entries_of(human.id) == [person.id]
                && state.people_without_human(&human.email).is_empty()
        }
        // A human that is not on record can't be judged.
        Some(None) => false,
        None => {
            state.human_by_email(&person.email).is_none() && state.people_without_human(&person.email) == [person.id]
        }
    }
}

/// Whether a human can sign in by itself, without a code that somebody makes for it.
pub fn has_factors(state: &dyn State, human: &Human) -> bool {
    human.password.is_some()
        || human.totp.is_some()
        || !human.recovery_codes.is_empty()
        || !state.passkeys_of(human.id).is_empty()
}

/// Part of a larger change: an entry is deleted. With the last one go the human and its passkeys. The
/// entry itself is planned before.
pub(super) fn end_entry(planner: &mut Planner<'_>, human: HumanId, entry: UserId) {
    let state = planner.state();
    if state.entries_of(human).into_iter().any(|other| other != entry) {
        return;
    }
    for passkey in state.passkeys_of(human) {
        planner.remove(RecordKey::Passkey(passkey));
    }
    planner.remove(RecordKey::Human(human));
}

fn make(planner: &mut Planner<'_>, email: &str) -> Result<HumanId, Refusal> {
    let id = planner.new_id(IdKind::Human);
    let now = planner.now();
    let handle = planner.new_handle()?;
    planner.put(Record::Human(Human {
        id,
        email: email.to_owned(),
        handle,
        password: None,
        totp: None,
        recovery_codes: Vec::new(),
        created_at: now,
        updated_at: now,
    }));
    Ok(id)
}
