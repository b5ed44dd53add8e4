//! Tokens: issued for (system user, app, scopes), shown once, revoked everywhere at once.

use std::collections::HashMap;

use super::revocation::{revoke_where, tokens_in, tokens_of};
use crate::credential::{CredentialKind, CredentialText};
use crate::noun::token::{Token, TokenKind, effective_scopes};
use crate::refusal::{Missing, Refusal};
use crate::{
    Action, AppId, BusinessId, Caller, ChangeSet, IdKind, Planner, Purpose, Reason, Record, Role, Scope, ScopeSet,
    State, TokenId, UnixMs, UserId,
};

/// Sixty days in seconds: the life that Meta's parameter asks for.
pub const SIXTY_DAYS_S: i64 = 60 * 24 * 60 * 60;
/// The longest finite life: ten years.
pub const LIFETIME_LIMIT_S: i64 = 10 * 366 * 24 * 60 * 60;

impl Token {
    /// What the token may be used for now. For the token of a person that follows from its role; any
    /// other has what it was issued with, up to what its app may ask for.
    pub fn effective_scopes(&self, state: &dyn State) -> ScopeSet {
        let role = state.person(self.user).map(|p| p.role).or_else(|| state.system_user(self.user).map(|u| u.role));
        let allowed = self.app.map(|app| state.app(app).map(|a| a.allowed_scopes).unwrap_or_default());
        effective_scopes(self.kind, self.scopes, role.unwrap_or(Role::Employee), allowed)
    }
}

/// How long a new token shall live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    Never,
    Seconds(i64),
}

/// What is asked for when a token is issued.
#[derive(Debug, Clone)]
pub struct IssueRequest {
    pub system_user: UserId,
    pub app: AppId,
    pub scopes: ScopeSet,
    pub lifetime: Lifetime,
    /// Add the scopes that the asked ones depend on, instead of refusing.
    pub add_dependencies: bool,
    /// What the token is for.
    pub purpose: Option<Purpose>,
}

/// Issues a token. Who may call was decided before; this checks what depends on the state: terms,
/// app, installation, scopes, ends, limits, and that an EMPLOYEE only narrows.
pub fn issue(
    planner: &mut Planner<'_>,
    by: &Caller,
    ask: &IssueRequest,
) -> Result<(ChangeSet, Token, CredentialText), Refusal> {
    let state = planner.state();
    let Some(user) = super::system_user::live(state, ask.system_user) else {
        return Err(Refusal::not_visible(ask.system_user));
    };
    let Some(app) = state.app(ask.app).filter(|a| state.connection(user.business, a.id).is_some()) else {
        return Err(Refusal::unknown_reference("business_app"));
    };
    super::terms::require_ready(planner, user.business)?;
    super::app::require_installed(planner, user.id, app.id)?;
    let scopes = check_scopes(ask, app.allowed_scopes)?;
    let expires_at = end_of(planner, user.business, ask.lifetime)?;
    let parent = by.token().and_then(|id| state.token(id));
    check_issuer(state, by, ask.system_user, scopes, expires_at, parent.as_ref())?;
    let live = live_count(state, user.id, planner.now());
    if let Some(business) = state.business(user.business) {
        Refusal::check_limit(live, business.limits.tokens_per_system_user, "tokens of one system user")?;
    }
    let text = planner.new_credential(CredentialKind::SystemUser)?;
    let token = Token {
        id: planner.new_id(IdKind::Token),
        digest: text.digest(),
        kind: TokenKind::SystemUser,
        user: user.id,
        business: user.business,
        app: Some(app.id),
        scopes,
        created_at: planner.now(),
        expires_at,
        created_by: by.user(),
        parent: parent.map(|t| t.id),
        page: None,
        revoked_at: None,
        purpose: ask.purpose.clone(),
        session: false,
    };
    planner.put(Record::Token(token.clone()));
    Ok((
        planner.finish(Action::TokenIssued, by, Some(user.business), &[token.id.any(), user.id.any(), app.id.any()]),
        token,
        text,
    ))
}

fn check_scopes(ask: &IssueRequest, allowed: ScopeSet) -> Result<ScopeSet, Refusal> {
    let mut scopes = ask.scopes.with([Scope::PUBLIC_PROFILE].into_iter().collect());
    if ask.add_dependencies {
        scopes = scopes.completed();
    }
    if let Some(scope) = scopes.without(allowed).iter().find(|s| *s != Scope::PUBLIC_PROFILE) {
        return Err(Refusal::of(Reason::ScopeNotPossible).with_value(scope.name()));
    }
    if let Some((scope, needed)) = scopes.lacking_dependency() {
        return Err(Refusal::of(Reason::ScopeIncomplete).with_value(scope.name()).with_expected(needed.name()));
    }
    Ok(scopes)
}

fn end_of(planner: &Planner<'_>, business: BusinessId, lifetime: Lifetime) -> Result<Option<UnixMs>, Refusal> {
    let limit_s = planner.state().business(business).and_then(|b| b.token_lifetime_limit_s);
    match lifetime {
        Lifetime::Never if limit_s.is_some() => {
            Err(Refusal::of(Reason::TokenMustEnd).with_count(limit_s.unwrap_or_default()))
        }
        Lifetime::Never => Ok(None),
        Lifetime::Seconds(s) if !(1..=LIFETIME_LIMIT_S).contains(&s) => {
            Err(Refusal::invalid("lifetime_s", "1 to 316224000 seconds"))
        }
        Lifetime::Seconds(s) if limit_s.is_some_and(|limit| s > limit) => {
            Err(Refusal::of(Reason::TokenMustEnd).with_count(limit_s.unwrap_or_default()))
        }
        Lifetime::Seconds(s) => Ok(Some(planner.now() + s * 1000)),
    }
}

/// Who manages the business issues for all its system users. Everybody else, and that is also an
/// ADMIN with a token that may not manage, issues only for itself, and never more scopes or a later
/// end than it calls with: a narrow token must not make itself a wide one.
fn check_issuer(
    state: &dyn State,
    by: &Caller,
    system_user: UserId,
    scopes: ScopeSet,
    expires_at: Option<UnixMs>,
    parent: Option<&Token>,
) -> Result<(), Refusal> {
    if require_manager(state, by).is_ok() {
        return Ok(());
    }
    let Some(parent) = parent.filter(|_| by.user() == Some(system_user)) else {
        return Err(Refusal::of(Reason::RoleInsufficient));
    };
    let later = match (expires_at, parent.expires_at) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(new), Some(old)) => new > old,
    };
    if later || !parent.effective_scopes(state).covers(scopes) {
        return Err(Refusal::of(Reason::WiderThanCaller));
    }
    Ok(())
}

fn live_count(state: &dyn State, user: UserId, now: UnixMs) -> usize {
    state
        .tokens_of(user)
        .into_iter()
        .filter_map(|id| state.token(id))
        .filter(|t| t.page.is_none() && t.revoked_at.is_none() && t.expires_at.is_none_or(|e| e > now))
        .count()
}

/// Gives a new text for the same user, app, scopes and purpose. The old one goes on to its own end.
pub fn refresh(
    planner: &mut Planner<'_>,
    by: &Caller,
    old: &Token,
    lifetime: Option<Lifetime>,
) -> Result<(ChangeSet, Token, CredentialText), Refusal> {
    let state = planner.state();
    let (Some(app), TokenKind::SystemUser) = (old.app.and_then(|a| state.app(a)), old.kind) else {
        return Err(Refusal::invalid("fb_exchange_token", "a system user's token"));
    };
    super::terms::require_ready(planner, old.business)?;
    super::app::require_installed(planner, old.user, app.id)?;
    let lifetime = lifetime.unwrap_or(match old.expires_at {
        None => Lifetime::Never,
        Some(end) => Lifetime::Seconds(((end - old.created_at) / 1000).max(1)),
    });
    // Whoever holds an ending token makes no longer one of it: that is for who may issue.
    let longer = old.expires_at.is_some_and(|end| match lifetime {
        Lifetime::Never => true,
        Lifetime::Seconds(s) => s > ((end - old.created_at) / 1000).max(1),
    });
    if longer {
        return Err(Refusal::of(Reason::WiderThanCaller));
    }
    let expires_at = end_of(planner, old.business, lifetime)?;
    let live = live_count(state, old.user, planner.now());
    if let Some(business) = state.business(old.business) {
        Refusal::check_limit(live, business.limits.tokens_per_system_user, "tokens of one system user")?;
    }
    let text = planner.new_credential(CredentialKind::SystemUser)?;
    let token = Token {
        id: planner.new_id(IdKind::Token),
        digest: text.digest(),
        // Whatever the app may ask for later, the new token was made with what it may ask for now.
        scopes: old.scopes.capped(app.allowed_scopes),
        created_at: planner.now(),
        expires_at,
        created_by: Some(old.user),
        parent: Some(old.id),
        ..old.clone()
    };
    planner.put(Record::Token(token.clone()));
    Ok((planner.finish(Action::TokenRefreshed, by, Some(old.business), &[token.id.any(), old.id.any()]), token, text))
}

/// Revokes one token, and the page tokens that were derived from it. Twice is once.
pub fn revoke(planner: &mut Planner<'_>, by: &Caller, id: TokenId) -> Result<ChangeSet, Refusal> {
    let Some(token) = planner.state().token(id) else {
        return Err(Refusal::not_visible(id));
    };
    revoke_where(planner, token.user, |t| t.id == id || t.page.is_some() && t.parent == Some(id));
    Ok(planner.finish(Action::TokenRevoked, by, Some(token.business), &[id.any()]))
}

/// Revokes a token with everything that comes from it: what was issued with it, refreshed from it
/// or derived from it, and what came from those, whoever holds it and whether or not the token
/// itself was dead already. Twice is once.
///
/// One's own tokens anybody may take back so; if those of others are among them, only who manages
/// the business may, and otherwise nothing is revoked.
pub fn revoke_with_descendants(planner: &mut Planner<'_>, by: &Caller, id: TokenId) -> Result<ChangeSet, Refusal> {
    let state = planner.state();
    let Some(token) = state.token(id) else {
        return Err(Refusal::not_visible(id));
    };
    let family = family_of(state, &token);
    if family.iter().any(|t| Some(t.user) != by.user()) {
        require_manager(state, by).map_err(|refusal| {
            refusal.with_note("tokens of others come from this one: who manages the business can revoke them with it")
        })?;
    }
    let now = planner.now();
    for relative in family.into_iter().filter(|t| t.revoked_at.is_none()) {
        planner.put(Record::Token(Token { revoked_at: Some(now), ..relative }));
    }
    Ok(planner.finish(Action::TokenRevoked, by, Some(token.business), &[id.any()]))
}

/// The token and all that come from it, dead ones included.
fn family_of(state: &dyn State, token: &Token) -> Vec<Token> {
    let mut children: HashMap<TokenId, Vec<Token>> = HashMap::new();
    for child in tokens_in(state, token.business) {
        if let Some(parent) = child.parent {
            children.entry(parent).or_default().push(child);
        }
    }
    let (mut family, mut waiting) = (Vec::new(), vec![token.clone()]);
    while let Some(next) = waiting.pop() {
        // Taken out, not looked up: even parents in a circle come to an end.
        waiting.extend(children.remove(&next.id).unwrap_or_default());
        family.push(next);
    }
    family
}

/// Fails unless the caller manages the business: the operator, or an ADMIN whose token may.
fn require_manager(state: &dyn State, by: &Caller) -> Result<(), Refusal> {
    if *by == Caller::Operator {
        return Ok(());
    }
    if role_of(state, by) != Some(Role::Admin) {
        return Err(Refusal::of(Reason::RoleInsufficient));
    }
    let needed = ScopeSet::of(&["business_management"]);
    let held = by.token().and_then(|id| state.token(id)).map(|t| t.effective_scopes(state));
    if held.is_some_and(|scopes| !scopes.covers(needed)) {
        let missing = Missing { scopes: needed, ..Missing::default() };
        return Err(Refusal::of(Reason::ScopeMissing).with_missing(missing));
    }
    Ok(())
}

/// The role of the person or system user that calls.
fn role_of(state: &dyn State, by: &Caller) -> Option<Role> {
    match by {
        Caller::Person { person, .. } => state.person(*person).map(|p| p.role),
        Caller::SystemUser { system_user, .. } => state.system_user(*system_user).map(|u| u.role),
        Caller::Operator | Caller::App { .. } => None,
    }
}

/// Revokes all tokens of a user, or all that it has for one app.
pub fn revoke_all(
    planner: &mut Planner<'_>,
    by: &Caller,
    user: UserId,
    app: Option<AppId>,
) -> Result<ChangeSet, Refusal> {
    let Some(business) = planner.state().business_of(user) else {
        return Err(Refusal::not_visible(user));
    };
    revoke_where(planner, user, |t| app.is_none() || t.app == app);
    Ok(planner.finish(Action::TokensRevoked, by, Some(business), &[user.any()]))
}

/// Takes a scope off all tokens that a user has for an app.
pub fn drop_scope(
    planner: &mut Planner<'_>,
    by: &Caller,
    user: UserId,
    app: Option<AppId>,
    scope: Scope,
) -> Result<ChangeSet, Refusal> {
    if scope == Scope::PUBLIC_PROFILE {
        return Err(Refusal::invalid("permission", "a scope that can be taken away; public_profile can't"));
    }
    if planner.state().person(user).is_some() {
        return Err(Refusal::invalid(
            "permission",
            "a scope of a system user's token; a person's follow from its role",
        ));
    }
    let Some(business) = planner.state().business_of(user) else {
        return Err(Refusal::not_visible(user));
    };
    let gone = ScopeSet::one(scope);
    for mut token in tokens_of(planner.state(), user) {
        if token.app == app && token.scopes.has(scope) {
            token.scopes = token.scopes.without(gone);
            planner.put(Record::Token(token));
        }
    }
    Ok(planner.finish(Action::TokenScopesNarrowed, by, Some(business), &[user.any()]))
}
