//! Tokens: issue, refresh, derive, list, revoke.

use valetkey_authz::{Question, Sorts, Target};
use valetkey_domain::credential::{CredentialText, Digest, read};
use valetkey_domain::token::{self, IssueRequest, Lifetime, Token};
use valetkey_domain::{Id, Reason, Refusal, Scope, State, Status, UnixMs};
use valetkey_store::TokenUse;

use crate::app::ProvenApp;
use crate::call::{Call, Credential};
use crate::content::store_refusal;
use crate::core::Service;
use crate::person::about;
use crate::rights;
use crate::writer::{Done, Plan};

/// A token together with what is known of its use.
#[derive(Debug, Clone)]
pub struct Listed {
    pub token: Token,
    pub last_used: Option<TokenUse>,
    pub status: TokenStatus,
}

/// What a token is good for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    Live,
    Expired,
    Revoked,
    /// Its user is deactivated or deleted.
    UserOff,
    /// Its app is disconnected or not installed.
    AppOff,
}

impl TokenStatus {
    /// The word in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenStatus::Live => "live",
            TokenStatus::Expired => "expired",
            TokenStatus::Revoked => "revoked",
            TokenStatus::UserOff => "user_off",
            TokenStatus::AppOff => "app_off",
        }
    }

    /// The reason that a check of the token would give.
    pub fn reason(self, state: &dyn State, token: &Token) -> Option<Reason> {
        match self {
            TokenStatus::Live => None,
            TokenStatus::Expired => Some(Reason::TokenExpired),
            TokenStatus::Revoked => Some(Reason::TokenRevoked),
            TokenStatus::UserOff => Some(match user_status(state, token.user) {
                Status::Deactivated => Reason::UserDeactivated,
                _ => Reason::UserDeleted,
            }),
            TokenStatus::AppOff => Some(match token.app {
                Some(app) if state.connection(token.business, app).is_some() => Reason::AppNotInstalled,
                _ => Reason::AppDisconnected,
            }),
        }
    }
}

fn user_status(state: &dyn State, user: Id) -> Status {
    let person = state.person(user).map(|p| p.status);
    person.or_else(|| state.system_user(user).map(|u| u.status)).unwrap_or(Status::Deleted)
}

/// The status of a token at a time.
pub fn status(state: &dyn State, token: &Token, now: UnixMs) -> TokenStatus {
    let parent_dead =
        token.page.is_some() && token.parent.and_then(|p| state.token(p)).is_none_or(|p| p.revoked_at.is_some());
    let installed = |app| state.person(token.user).is_some() || state.installation(token.user, app).is_some();
    if token.revoked_at.is_some() || parent_dead {
        TokenStatus::Revoked
    } else if user_status(state, token.user) != Status::Active {
        TokenStatus::UserOff
    } else if token.expires_at.is_some_and(|end| end <= now) {
        TokenStatus::Expired
    } else if token.app.is_some_and(|app| state.connection(token.business, app).is_none() || !installed(app)) {
        TokenStatus::AppOff
    } else {
        TokenStatus::Live
    }
}

impl Service {
    /// Issues a token; its text is in the answer and nowhere else.
    ///
    /// # Errors
    /// The refusal.
    pub async fn issue_token(&self, call: &Call, ask: IssueRequest) -> Result<Done<(Token, CredentialText)>, Refusal> {
        let business = self.business_of_system_user(call, ask.system_user)?;
        let user = ask.system_user;
        self.command(call, rights::MANAGE_OR_SELF.on_user(business, user), move |planner, allowed| {
            let (set, token, text) = token::issue(planner, &allowed.caller, &ask)?;
            Ok((Plan::of(set), (token, text)))
        })
        .await
        .map_err(|r| about(r, user))
    }

    /// Exchanges a live token for a fresh one of the same user, app and scopes.
    ///
    /// # Errors
    /// The refusal: of the token, or that it belongs to another app.
    pub async fn refresh_token(
        &self,
        call: &Call,
        app: ProvenApp,
        old: &str,
        lifetime: Option<Lifetime>,
    ) -> Result<Done<(Token, CredentialText)>, Refusal> {
        let holder = Call { credential: Credential::Text(old.to_owned()), proof: None, ..call.clone() };
        let question = Question { proof: valetkey_authz::Proof::Right, ..Question::about(Target::Nothing) };
        let digest = Digest::of(old);
        // Whoever brings the app's secret needs no proof of knowing it, so the question is asked for
        // the token by its id.
        let id = match self.read(|s| s.token_by_digest(&digest).map(|t| (t.id, t.app)))? {
            _ if read(old).is_none() => return Err(Refusal::of(Reason::TokenMalformed)),
            None => return Err(Refusal::of(Reason::TokenUnknown)),
            Some((_, token_app)) if token_app != Some(app.app) => return Err(Refusal::of(Reason::TokenUnknown)),
            Some((id, _)) => id,
        };
        let holder = Call { credential: Credential::Token(id), ..holder };
        self.command(&holder, question, move |planner, allowed| {
            let token = planner.state().token(id).ok_or_else(|| Refusal::of(Reason::TokenUnknown))?;
            let (set, token, text) = token::refresh(planner, &allowed.caller, &token, lifetime)?;
            Ok((Plan::of(set), (token, text)))
        })
        .await
    }

    /// The tokens of Pages for a caller: the same text each time, on record from the first.
    ///
    /// # Errors
    /// The refusal, and `invalid_parameter` when the caller has no text to derive from.
    pub async fn page_tokens(&self, call: &Call, pages: &[Id]) -> Result<Vec<(Id, CredentialText)>, Refusal> {
        let Some(text) = call.text() else {
            return Err(Refusal::invalid("access_token", "a token"));
        };
        let derived: Vec<(Id, CredentialText)> =
            pages.iter().map(|p| (*p, CredentialText::for_page(text, *p))).collect();
        let digests: Vec<(Id, Digest)> = derived.iter().map(|(p, t)| (*p, t.digest())).collect();
        let unknown = self.read(|s| digests.iter().any(|(_, d)| s.token_by_digest(d).is_none()))?;
        if unknown {
            let question =
                Question::about(Target::Nothing).scopes(valetkey_domain::ScopeSet::of(rights::PAGE_TOKEN.scopes));
            self.command(call, question, move |planner, allowed| {
                let parent = allowed.caller.token().and_then(|id| planner.state().token(id));
                let parent = parent.ok_or_else(|| Refusal::of(Reason::TokenUnknown))?;
                Ok((Plan::of(token::derive_page(planner, &allowed.caller, &parent, &digests)?), ()))
            })
            .await?;
        }
        Ok(derived)
    }

    /// Revokes one token by its id.
    ///
    /// # Errors
    /// The refusal.
    pub async fn revoke_token(&self, call: &Call, id: Id) -> Result<Done<()>, Refusal> {
        let (business, user) = self.owner_of_token(call, id)?;
        let mut question = rights::MANAGE_OR_SELF.on_user(business, user);
        question.sorts = Sorts::USERS;
        self.command(call, question, move |planner, allowed| {
            Ok((Plan::of(token::revoke(planner, &allowed.caller, id)?), ()))
        })
        .await
        .map_err(|r| about(r, id))
    }

    /// Revokes a token with everything that comes from it, in one commit; answers with how many
    /// tokens that were.
    ///
    /// # Errors
    /// The refusal; `role_insufficient` or `scope_missing` when tokens of others come from it and the
    /// caller does not manage the business. Then nothing is revoked.
    pub async fn revoke_token_with_descendants(&self, call: &Call, id: Id) -> Result<Done<usize>, Refusal> {
        let (business, user) = self.owner_of_token(call, id)?;
        let question = rights::MANAGE_OR_SELF.on_user(business, user);
        self.command(call, question, move |planner, allowed| {
            let set = token::revoke_with_descendants(planner, &allowed.caller, id)?;
            let count = set.changes.len();
            Ok((Plan::of(set), count))
        })
        .await
        .map_err(|r| about(r, id))
    }

    /// Revokes a token by its text, for an app that proved itself. An unknown text is a success:
    /// what is asked for is so already. A token of another app is refused.
    ///
    /// # Errors
    /// The refusal.
    pub async fn revoke_token_text(&self, call: &Call, app: ProvenApp, text: &str) -> Result<u64, Refusal> {
        let digest = Digest::of(text);
        let Some(found) = self.read(|s| s.token_by_digest(&digest))? else {
            return Ok(self.revision());
        };
        if found.app != Some(app.app) {
            // A token of another business looks like one that never was.
            return if found.business == app.business {
                Err(Refusal::unknown_reference("revoke_token"))
            } else {
                Ok(self.revision())
            };
        }
        // A page token may take itself back, and a business is no target for one.
        let question = Question::about(Target::Nothing).sorts(Sorts::ANY);
        let id = found.id;
        let done = self
            .command(call, question, move |planner, allowed| {
                if allowed.caller.business().is_some_and(|b| b != app.business) {
                    return Err(Refusal::not_visible(app.business));
                }
                let is_holder = allowed.caller.user() == Some(found.user)
                    || matches!(allowed.caller, valetkey_domain::Caller::App { .. });
                let is_admin = allowed.role == valetkey_domain::Role::Admin && allowed.page.is_none();
                if !is_holder && !is_admin {
                    return Err(Refusal::of(Reason::RoleInsufficient));
                }
                Ok((Plan::of(token::revoke(planner, &allowed.caller, id)?), ()))
            })
            .await?;
        Ok(done.revision)
    }

    /// Revokes all tokens of a system user, or those for one app.
    ///
    /// # Errors
    /// The refusal.
    pub async fn revoke_tokens(&self, call: &Call, user: Id, app: Option<Id>) -> Result<Done<()>, Refusal> {
        let business = self.business_of_system_user(call, user)?;
        self.command(call, rights::MANAGE_OR_SELF.on_user(business, user), move |planner, allowed| {
            Ok((Plan::of(token::revoke_all(planner, &allowed.caller, user, app)?), ()))
        })
        .await
        .map_err(|r| about(r, user))
    }

    /// Takes one scope off all tokens of the caller's user and app.
    ///
    /// # Errors
    /// The refusal.
    pub async fn drop_scope(&self, call: &Call, scope: Scope) -> Result<Done<()>, Refusal> {
        self.command(call, Question::about(Target::Nothing), move |planner, allowed| {
            let held = allowed.caller.token().and_then(|id| planner.state().token(id));
            let held = held.ok_or_else(|| Refusal::of(Reason::TokenUnknown))?;
            Ok((Plan::of(token::drop_scope(planner, &allowed.caller, held.user, held.app, scope)?), ()))
        })
        .await
    }

    /// The tokens of a user with their use, newest first.
    ///
    /// # Errors
    /// The refusal.
    pub async fn list_tokens(&self, call: &Call, user: Id) -> Result<Vec<Listed>, Refusal> {
        self.tokens(&self.token_ids(call, user)?).await
    }

    /// The ids of a user's tokens, newest first: for lists that show a page at a time.
    ///
    /// # Errors
    /// The refusal.
    pub fn token_ids(&self, call: &Call, user: Id) -> Result<Vec<Id>, Refusal> {
        let business = self
            .read(|s| valetkey_domain::assignment::user_business(s, user))?
            .ok_or_else(|| self.absent(call, user))?;
        self.ask(call, rights::MANAGE_OR_SELF.on_user(business, user)).map_err(|r| about(r, user))?;
        let mut ids = self.read(|s| s.list(valetkey_domain::List::TokensOf(user)))?;
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        Ok(ids)
    }

    /// The tokens of all users of a business, newest first; page tokens included.
    ///
    /// # Errors
    /// The refusal.
    pub async fn list_business_tokens(&self, call: &Call, business: Id) -> Result<Vec<Listed>, Refusal> {
        self.tokens(&self.business_token_ids(call, business)?).await
    }

    /// Their ids, newest first: for lists that show a page at a time.
    ///
    /// # Errors
    /// The refusal.
    pub fn business_token_ids(&self, call: &Call, business: Id) -> Result<Vec<Id>, Refusal> {
        self.ask(call, rights::MANAGE_BUSINESS.on_business(business))?;
        let mut ids = self.read(|s| {
            let users = [valetkey_domain::List::SystemUsers(business), valetkey_domain::List::People(business)];
            let users = users.into_iter().flat_map(|l| s.list(l));
            users.flat_map(|u| s.list(valetkey_domain::List::TokensOf(u))).collect::<Vec<_>>()
        })?;
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        Ok(ids)
    }

    /// Tokens with their use, in the order of the ids. No right is asked for: the ids come from a
    /// list that asked.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn tokens(&self, ids: &[Id]) -> Result<Vec<Listed>, Refusal> {
        let tokens = self.read(|s| ids.iter().filter_map(|id| s.token(*id)).collect::<Vec<_>>())?;
        self.with_uses(tokens).await
    }

    /// One token by its id.
    ///
    /// # Errors
    /// The refusal.
    pub async fn get_token(&self, call: &Call, id: Id) -> Result<Listed, Refusal> {
        let (business, user) = self.owner_of_token(call, id)?;
        self.ask(call, rights::MANAGE_OR_SELF.on_user(business, user)).map_err(|r| about(r, id))?;
        let token = self.read(|s| s.token(id))?.ok_or_else(|| Refusal::not_visible(id))?;
        let mut listed = self.with_uses(vec![token]).await?;
        listed.pop().ok_or_else(|| Refusal::not_visible(id))
    }

    fn owner_of_token(&self, call: &Call, id: Id) -> Result<(Id, Id), Refusal> {
        self.read(|s| s.token(id).map(|t| (t.business, t.user)))?.ok_or_else(|| self.absent(call, id))
    }

    async fn with_uses(&self, tokens: Vec<Token>) -> Result<Vec<Listed>, Refusal> {
        let ids: Vec<Id> = tokens.iter().map(|t| t.id).collect();
        let stored = self.store().uses(&ids).await.map_err(|e| store_refusal(&e))?;
        let stored: std::collections::HashMap<Id, TokenUse> = stored.into_iter().map(|u| (u.token, u)).collect();
        let now = self.now();
        self.read(|state| {
            tokens
                .into_iter()
                .map(|token| {
                    let pending = self.inner.uses.pending(token.id);
                    let last_used = match (stored.get(&token.id), pending) {
                        (Some(old), Some(new)) => Some(TokenUse { count: old.count + new.count, ..new }),
                        (old, new) => new.or_else(|| old.cloned()),
                    };
                    let status = status(state, &token, now);
                    Listed { token, last_used, status }
                })
                .collect()
        })
    }
}
