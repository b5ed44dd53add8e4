//! The terms that stand before system users: a text with a version, accepted by an admin person.
//!
//! Acceptance is an act of a person: neither the operator nor a token of software can do it.

use crate::noun::terms::{Acceptance, Terms};
use crate::refusal::{Refusal, role};
use crate::{Action, BusinessId, Caller, ChangeSet, Planner, Reason, Record, Role, State};

/// Accepts the version in force for the person's business.
pub fn accept(planner: &mut Planner<'_>, by: &Caller, version: u32) -> Result<ChangeSet, Refusal> {
    let person = match by {
        Caller::Person { person, .. } => planner.state().person(*person),
        Caller::Operator | Caller::SystemUser { .. } | Caller::App { .. } => None,
    };
    let Some(person) = person.filter(|p| p.role == Role::Admin) else {
        return Err(Refusal::needs(role::PERSON));
    };
    let terms = planner.state().terms();
    if version != terms.version {
        return Err(Refusal::invalid("version", &format!("the version in force, {}", terms.version)));
    }
    let Some(mut business) = planner.state().business(person.business) else {
        return Err(Refusal::not_visible(person.business));
    };
    business.accepted = Some(Acceptance { version, person: person.id, at: planner.now() });
    let id = business.id;
    planner.put(Record::Business(business));
    Ok(planner.finish(Action::TermsAccepted, by, Some(id), &[id.any(), person.id.any()]))
}

/// Puts a new text in force. Running system users and tokens go on; new ones wait.
pub fn replace(planner: &mut Planner<'_>, by: &Caller, text: &str) -> Result<ChangeSet, Refusal> {
    by.require_operator()?;
    if text.trim().is_empty() || text.len() > 100_000 {
        return Err(Refusal::invalid("text", "1 to 100,000 bytes of text"));
    }
    let version = planner.state().terms().version + 1;
    planner.put(Record::Terms(Terms { version, text: text.to_owned() }));
    Ok(planner.finish(Action::TermsReplaced, by, None, &[]))
}

/// Fails unless the business has accepted the version in force and has a connected app.
pub fn require_ready(planner: &Planner<'_>, business: BusinessId) -> Result<(), Refusal> {
    let state = planner.state();
    let Some(record) = state.business(business) else {
        return Err(Refusal::not_visible(business));
    };
    if state.connected_apps(business).is_empty() {
        return Err(Refusal::of(Reason::NoConnectedApp));
    }
    if !are_accepted(state, record.id) {
        return Err(Refusal::of(Reason::TermsNotAccepted));
    }
    Ok(())
}

/// Whether the business has accepted the version in force.
pub fn are_accepted(state: &dyn State, business: BusinessId) -> bool {
    let accepted = state.business(business).and_then(|b| b.accepted).map(|a| a.version);
    accepted == Some(state.terms().version)
}
