//! The demo's tokens: a live one is kept, a dead one is replaced by a new one.

use anyhow::Context as _;
use valetkey_domain::credential::{Digest, app_secret_proof};
use valetkey_domain::rules::token::{IssueRequest, Lifetime, SIXTY_DAYS_S};
use valetkey_domain::{AppId, Purpose, Scope, ScopeSet, UserId};
use valetkey_service::authz::{Decision, Question, Target};
use valetkey_service::operator::Operator;
use valetkey_service::{Call, Service};

use super::company::TRACE;
use super::file::App;

pub const NEVER: Lifetime = Lifetime::Never;
pub const SIXTY_DAYS: Lifetime = Lifetime::Seconds(SIXTY_DAYS_S);

/// What a token shall be.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    pub scopes: ScopeSet,
    pub lifetime: Lifetime,
    /// What it is for, as lists show it.
    pub purpose: &'static str,
}

/// A call with a token and the proof of its app's secret.
pub fn call(token: &str, secret: &str) -> Call {
    Call::with_token(token, TRACE).with_proof(Some(app_secret_proof(secret.as_bytes(), token)))
}

/// The token, if it still works for this user and app and carries what it should.
pub fn keep(
    service: &Service,
    user: UserId,
    app: &App,
    scopes: ScopeSet,
    old: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let Some(text) = old else { return Ok(None) };
    let wanted = possible(service, app.id, scopes)?;
    let found = Operator::of(service, TRACE).read(|state| state.token_by_digest(&Digest::of(text)))?;
    let fits = found.is_some_and(|t| t.user == user && t.app == Some(app.id) && t.scopes.covers(wanted));
    let proof = app_secret_proof(app.secret.as_bytes(), text);
    let (_, decision) = service.check(text, Some(&proof), Question::about(Target::Nothing));
    Ok((fits && matches!(decision, Decision::Allow(_))).then(|| text.to_owned()))
}

/// A new token.
pub async fn issue(service: &Service, by: &Call, user: UserId, app: &App, wish: Wish) -> anyhow::Result<String> {
    let ask = IssueRequest {
        system_user: user,
        app: app.id,
        scopes: possible(service, app.id, wish.scopes)?,
        lifetime: wish.lifetime,
        add_dependencies: false,
        purpose: Purpose::parse(wish.purpose).ok(),
    };
    let issued = service.issue_token(by, ask).await.with_context(|| format!("a token for {}", app.name))?;
    Ok(issued.value.1.reveal().to_owned())
}

/// The old token if it is live, a new one if not.
pub async fn keep_or_issue(
    service: &Service,
    by: &Call,
    user: UserId,
    app: &App,
    wish: Wish,
    old: Option<&str>,
) -> anyhow::Result<String> {
    match keep(service, user, app, wish.scopes, old)? {
        Some(token) => Ok(token),
        None => issue(service, by, user, app, wish).await,
    }
}

/// The wanted scopes that the app may ask for.
fn possible(service: &Service, app: AppId, wanted: ScopeSet) -> anyhow::Result<ScopeSet> {
    let allowed =
        Operator::of(service, TRACE).read(|state| state.app(app).map(|a| a.allowed_scopes))?.unwrap_or_default();
    Ok(wanted.shared(allowed.with([Scope::PUBLIC_PROFILE].into_iter().collect())))
}
