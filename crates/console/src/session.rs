//! Who is signed in. A session is the token of a person, in a cookie: listed, revocable, and dead with
//! the person. Nothing here may keep a session anywhere else.

use valetkey_domain::{Caller, Refusal};
use valetkey_service::authz::Question;
use valetkey_service::{Call, Credential, Service};

use crate::visit::Visitor;

/// Finds out who a browser's cookie belongs to, and makes it the credential of the call. `None` for no
/// cookie, a dead one, or the token of anything but a person's session.
///
/// # Errors
/// When the node can't answer.
pub async fn visitor(service: &Service, call: &Call, cookie: Option<&str>) -> Result<Option<(Call, Visitor)>, Refusal> {
    let Some(cookie) = cookie else { return Ok(None) };
    let call = call.with_credential(Credential::Text(cookie.to_owned()));
    // Quiet: a page that is loaded while signed out is no refusal that an admin must read.
    let found = service.quiet_step(&call, Question::alive(), |facts| {
        let Caller::Person { person, business, token: Some(token) } = facts.allowed.caller else { return None };
        facts.token(token).filter(|token| token.session)?;
        let (entry, owner) = (facts.person(person)?, facts.business(business)?);
        Some(Visitor { person, name: entry.name, role: entry.role, business, business_name: owner.name, token })
    });
    let Some(visitor) = found.and_then(|checked| checked.into_inner()) else {
        // A node that can't answer must not look like a session that has ended.
        return if service.is_fresh() { Ok(None) } else { Err(Refusal::of(valetkey_domain::Reason::NotFresh)) };
    };
    if service.is_session_idle(visitor.token).await? {
        return Ok(None);
    }
    Ok(Some((call, visitor)))
}
