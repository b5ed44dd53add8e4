//! How people get in: single-use codes, and the tokens that signing in gives. A code is a credential: it is
//! listed, ends, and works once.

use crate::credential::{CredentialKind, CredentialText, Digest};
use crate::noun::person::Person;
use crate::noun::sign_in::SignInCode;
use crate::noun::token::{Token, TokenKind};
use crate::refusal::{Refusal, role};
use crate::{
    Action, Caller, ChangeSet, IdKind, Planner, Reason, Record, Role, ScopeSet, State, Status, UnixMs, UserId,
};

/// How long a code waits for its person, whoever made it: one day.
pub const CODE_LIFETIME_MS: UnixMs = 24 * 60 * 60 * 1000;
/// How long a person's token for the command line lives: two hours.
pub const PERSON_TOKEN_LIFETIME_MS: UnixMs = 2 * 60 * 60 * 1000;
/// How long a session of the console lives at most: one day. That it ends earlier when nothing happens is
/// looked at where sessions are used.
pub const SESSION_LIFETIME_MS: UnixMs = 24 * 60 * 60 * 1000;

/// How long a session may be left alone before it counts as ended: one hour.
pub const SESSION_IDLE_LIMIT_MS: UnixMs = 60 * 60 * 1000;

/// What signing in gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PersonToken {
    /// A token for the command line.
    CommandLine,
    /// A session of the console.
    Session,
}

impl PersonToken {
    /// How long it lives.
    pub fn lifetime_ms(self) -> UnixMs {
        match self {
            PersonToken::CommandLine => PERSON_TOKEN_LIFETIME_MS,
            PersonToken::Session => SESSION_LIFETIME_MS,
        }
    }
}

/// Makes a code for a person. The operator can for anybody; an ADMIN of its business, signed in, for a
/// person whose human has no factor of its own and no other entry.
///
/// # Errors
/// `not_visible`, `role_insufficient`, or of the random source.
pub fn create(planner: &mut Planner<'_>, by: &Caller, person: UserId) -> Result<(ChangeSet, CredentialText), Refusal> {
    let state = planner.state();
    let active = state.person(person).filter(|p| p.status == Status::Active);
    let Some(record) = active else {
        // Who may make no code learns nothing about the person.
        check_creator(state, by, None)?;
        return Err(Refusal::not_visible(person));
    };
    check_creator(state, by, Some(&record))?;
    let text = planner.new_credential(CredentialKind::Code)?;
    let (now, business) = (planner.now(), record.business);
    super::human::of_old_entry(planner, record)?;
    planner.put(Record::SignInCode(SignInCode {
        digest: text.digest(),
        person,
        business,
        created_at: now,
        expires_at: now + CODE_LIFETIME_MS,
        created_by: by.user(),
    }));
    Ok((planner.finish(Action::SignInCodeCreated, by, Some(business), &[person.any()]), text))
}

/// Fails unless the caller may make a code for this person; `None` is a person that is not there.
fn check_creator(state: &dyn State, by: &Caller, person: Option<&Person>) -> Result<(), Refusal> {
    let creator = match by {
        Caller::Operator => return Ok(()),
        Caller::Person { person, .. } => state.person(*person),
        // Software lets nobody in: a leaked token must not become a person.
        Caller::SystemUser { .. } | Caller::App { .. } => None,
    };
    let Some(creator) = creator.filter(|p| p.role == Role::Admin && p.status == Status::Active) else {
        return Err(Refusal::needs(role::OPERATOR));
    };
    match person {
        Some(person) if person.business != creator.business => Err(Refusal::not_visible(person.id)),
        Some(person) if !super::human::is_open(state, person) => Err(Refusal::needs(role::OPERATOR)
            .with_note("the person has a sign-in of its own: it signs in with that, or the operator makes a code")),
        Some(_) | None => Ok(()),
    }
}

/// Redeems a code: it is gone, and the person has a token, in one change.
///
/// # Errors
/// `token_unknown`, `token_expired`, `user_deactivated`; `token_revoked` if an ADMIN made the code and the
/// person has a sign-in of its own since; of the random source.
pub fn redeem(
    planner: &mut Planner<'_>,
    code: &str,
    gives: PersonToken,
) -> Result<(ChangeSet, Token, CredentialText), Refusal> {
    let state = planner.state();
    let Some(record) = state.sign_in_code(&Digest::of(code)) else {
        return Err(Refusal::of(Reason::TokenUnknown));
    };
    if record.expires_at <= planner.now() {
        return Err(Refusal::of(Reason::TokenExpired).with_time(record.expires_at));
    }
    let Some(person) = state.person(record.person).filter(|p| p.status == Status::Active) else {
        return Err(Refusal::of(Reason::UserDeactivated));
    };
    if record.created_by.is_some() && !super::human::is_open(state, &person) {
        return Err(Refusal::of(Reason::TokenRevoked));
    }
    let (token, text) = new_token(planner, &person, gives)?;
    let by = Caller::Person { person: person.id, business: person.business, token: None };
    let business = Some(person.business);
    super::human::of_old_entry(planner, person)?;
    planner.remove(Record::SignInCode(record.clone()).key());
    planner.put(Record::Token(token.clone()));
    Ok((planner.finish(Action::SignInCodeRedeemed, &by, business, &[record.person.any(), token.id.any()]), token, text))
}

/// The token that a person gets by signing in, not planned yet. Whoever calls this has checked how the
/// person signed in.
///
/// # Errors
/// Of the random source.
pub fn new_token(
    planner: &mut Planner<'_>,
    person: &Person,
    gives: PersonToken,
) -> Result<(Token, CredentialText), Refusal> {
    let text = planner.new_credential(CredentialKind::User)?;
    let now = planner.now();
    let token = Token {
        id: planner.new_id(IdKind::Token),
        digest: text.digest(),
        kind: TokenKind::User,
        user: person.id,
        business: person.business,
        app: None,
        scopes: ScopeSet::all(),
        created_at: now,
        expires_at: Some(now + gives.lifetime_ms()),
        created_by: Some(person.id),
        parent: None,
        page: None,
        revoked_at: None,
        purpose: None,
        session: gives == PersonToken::Session,
    };
    Ok((token, text))
}
