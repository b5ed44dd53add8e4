//! Single-use codes that let a person in. A code is a credential: it is listed, ends, and works once.

use crate::credential::{CredentialKind, CredentialText, Digest};
use crate::noun::sign_in::SignInCode;
use crate::noun::token::{Token, TokenKind};
use crate::refusal::Refusal;
use crate::{Action, Caller, ChangeSet, IdKind, Planner, Reason, Record, ScopeSet, Status, UnixMs, UserId};

/// How long a code waits for its person: one day.
pub const CODE_LIFETIME_MS: UnixMs = 24 * 60 * 60 * 1000;
/// How long a person's token lives: two hours.
pub const PERSON_TOKEN_LIFETIME_MS: UnixMs = 2 * 60 * 60 * 1000;

/// Makes a code for a person. Only the operator can, until people can invite each other.
pub fn create(planner: &mut Planner<'_>, by: &Caller, person: UserId) -> Result<(ChangeSet, CredentialText), Refusal> {
    by.require_operator()?;
    let Some(record) = planner.state().person(person).filter(|p| p.status == Status::Active) else {
        return Err(Refusal::not_visible(person));
    };
    let text = planner.new_credential(CredentialKind::Code)?;
    let now = planner.now();
    planner.put(Record::SignInCode(SignInCode {
        digest: text.digest(),
        person,
        business: record.business,
        created_at: now,
        expires_at: now + CODE_LIFETIME_MS,
    }));
    Ok((planner.finish(Action::SignInCodeCreated, by, Some(record.business), &[person.any()]), text))
}

/// Redeems a code: it is gone, and the person has a two-hour token, in one change.
pub fn redeem(planner: &mut Planner<'_>, code: &str) -> Result<(ChangeSet, Token, CredentialText), Refusal> {
    let state = planner.state();
    let Some(record) = state.sign_in_code(&Digest::of(code)) else {
        return Err(Refusal::of(Reason::TokenUnknown));
    };
    let now = planner.now();
    if record.expires_at <= now {
        return Err(Refusal::of(Reason::TokenExpired).with_time(record.expires_at));
    }
    if !state.person(record.person).is_some_and(|p| p.status == Status::Active) {
        return Err(Refusal::of(Reason::UserDeactivated));
    }
    let text = planner.new_credential(CredentialKind::User)?;
    let token = Token {
        id: planner.new_id(IdKind::Token),
        digest: text.digest(),
        kind: TokenKind::User,
        user: record.person,
        business: record.business,
        app: None,
        scopes: ScopeSet::all(),
        created_at: now,
        expires_at: Some(now + PERSON_TOKEN_LIFETIME_MS),
        created_by: Some(record.person),
        parent: None,
        page: None,
        revoked_at: None,
    };
    let by = Caller::Person { person: record.person, business: record.business, token: None };
    planner.remove(Record::SignInCode(record.clone()).key());
    planner.put(Record::Token(token.clone()));
    Ok((
        planner.finish(Action::SignInCodeRedeemed, &by, Some(record.business), &[record.person.any(), token.id.any()]),
        token,
        text,
    ))
}
