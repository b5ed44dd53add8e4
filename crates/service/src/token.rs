//! Tokens: issue, refresh, derive, list, revoke.

use std::collections::HashMap;

use valetkey_authz::{Allowed, Decision, Proof, Question, Sorts, Target, decide, gather};
use valetkey_domain::credential::{CredentialText, Digest, read};
use valetkey_domain::noun::token::Token;
use valetkey_domain::rules::token::{self, IssueRequest, Lifetime};
use valetkey_domain::rules::{page_token, terms};
use valetkey_domain::{
    AppId, AssetId, AssetKind, BusinessId, Caller, Planner, Reason, Refusal, Scope, ScopeSet, State, TokenId, UnixMs,
    UserId,
};
use valetkey_store::TokenUse;

use crate::app::ProvenApp;
use crate::ask::{Checked, Facts};
use crate::call::{Call, Credential};
use crate::core::{Inner, Service};
use crate::person::about;
use crate::rights;
use crate::writer::{Done, InForce, Plan};

pub use crate::token_status::{TokenStatus, status};

/// A token together with its use.
#[derive(Debug, Clone)]
pub struct Listed {
    pub token: Token,
    /// What it may be used for now; the token itself says what it was issued with.
    pub scopes: ScopeSet,
    pub last_used: Option<TokenUse>,
    pub status: TokenStatus,
}

impl Inner {
    /// What a token is good for on this node, and the reason that a check of it would give.
    pub(crate) fn token_status(&self, state: &dyn State, token: &Token, now: UnixMs) -> (TokenStatus, Option<Reason>) {
        let status = status(state, token, now);
        match self.writing.blocks.status_of(token).filter(|_| status == TokenStatus::Live) {
            Some((status, reason)) => (status, Some(reason)),
            None => (status, status.reason(state, token)),
        }
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
        let question = Question { proof: Proof::Right, ..Question::about(Target::Nothing) };
        let digest = Digest::of(old);
        // A caller that sends the app's secret needs no proof, so the question is asked for the token by
        // its id.
        let id = match self.read(|s| s.token_by_digest(&digest).map(|t| (t.id, t.app)))? {
            _ if read(old).is_none() => return Err(Refusal::of(Reason::TokenMalformed)),
            None => return Err(Refusal::of(Reason::TokenUnknown)),
            Some((_, token_app)) if token_app != Some(app.app) => return Err(Refusal::of(Reason::TokenUnknown)),
            Some((id, _)) => id,
        };
        let holder = call.with_credential(Credential::Token(id));
        self.command(&holder, question, move |planner, allowed| {
            let token = planner.state().token(id).ok_or_else(|| Refusal::of(Reason::TokenUnknown))?;
            let (set, token, text) = token::refresh(planner, &allowed.caller, &token, lifetime)?;
            Ok((Plan::of(set), (token, text)))
        })
        .await
    }

    /// The page tokens of the Pages that the caller may have one for. The text is the same each time
    /// until that token dies, and it is on record from the first time. New ones are made only if the
    /// terms in force are accepted; otherwise only those already on record are returned.
    ///
    /// # Errors
    /// The refusal, if the caller may have the token of none of these Pages; `invalid_parameter` if the
    /// caller sent no token text to derive from.
    pub async fn page_tokens(&self, call: &Call, pages: &[AssetId]) -> Result<Vec<(AssetId, CredentialText)>, Refusal> {
        let Some(text) = call.text() else {
            return Err(Refusal::invalid("access_token", "a token"));
        };
        let holder = Question::about(Target::Nothing).scopes(ScopeSet::one(Scope::PAGES_SHOW_LIST));
        let seen = self.step(call, holder, |facts| Seen::of(facts, text, pages))?.into_inner();
        if seen.known.is_empty() && seen.new.is_empty() {
            // Asked, so that the refusal can be explained; an id that is no Page has no token.
            return match pages.first() {
                Some(page) if seen.first_is_page => self.ask(call, page_token_of(*page)).map(|_| Vec::new()),
                Some(other) => Err(self.absent(call, *other)),
                None => Ok(Vec::new()),
            };
        }
        let Seen { mut known, new, accepted, .. } = seen;
        if !new.is_empty() && accepted {
            let text = text.to_owned();
            let rule = move |planner: &mut Planner<'_>, allowed: &Allowed| {
                let parent = allowed.caller.token().and_then(|id| planner.state().token(id));
                let parent = parent.ok_or_else(|| Refusal::of(Reason::TokenUnknown))?;
                // Decided again on the state that the write is made on: a right that ended since, or that
                // an earlier command of the batch ends, gives no token any more.
                let pages: Vec<AssetId> =
                    new.iter().copied().filter(|p| may_have(planner, allowed, &parent, *p)).collect();
                let (set, tokens) = page_token::derive(planner, &allowed.caller, &parent, &text, &pages)?;
                Ok((Plan::of(set), tokens))
            };
            known.extend(self.command(call, holder, rule).await?.value);
        }
        Ok(pages.iter().filter_map(|page| Some((*page, known.get(page)?.clone()))).collect())
    }

    /// Revokes one token by its id.
    ///
    /// # Errors
    /// The refusal.
    pub async fn revoke_token(&self, call: &Call, id: TokenId) -> Result<Done<()>, Refusal> {
        let (business, user) = self.owner_of_token(call, id)?;
        let mut question = rights::MANAGE_OR_SELF.on_user(business, user);
        question.sorts = Sorts::USERS;
        self.submit(InForce::AtOnce, call, question, move |planner, allowed| {
            Ok((Plan::of(token::revoke(planner, &allowed.caller, id)?), ()))
        })
        .await
        .map_err(|r| about(r, id))
    }

    /// Revokes a token and everything issued or derived from it, in one commit; returns how many tokens
    /// were revoked.
    ///
    /// # Errors
    /// The refusal; `role_insufficient` or `scope_missing` when tokens of other users were issued with it
    /// and the caller does not manage the business. Then nothing is revoked.
    pub async fn revoke_token_with_descendants(&self, call: &Call, id: TokenId) -> Result<Done<usize>, Refusal> {
        let (business, user) = self.owner_of_token(call, id)?;
        let question = rights::MANAGE_OR_SELF.on_user(business, user);
        self.submit(InForce::AtOnce, call, question, move |planner, allowed| {
            let set = token::revoke_with_descendants(planner, &allowed.caller, id)?;
            let count = set.changes.len();
            Ok((Plan::of(set), count))
        })
        .await
        .map_err(|r| about(r, id))
    }

    /// Revokes a token by its text, for an app that proved itself. An unknown text is a success: there
    /// is nothing left to revoke. A token of another app is refused.
    ///
    /// # Errors
    /// The refusal.
    pub async fn revoke_token_text(&self, call: &Call, app: ProvenApp, text: &str) -> Result<u64, Refusal> {
        let digest = Digest::of(text);
        let Some(found) = self.read(|s| s.token_by_digest(&digest))? else {
            return Ok(self.revision());
        };
        if found.app != Some(app.app) {
            // A token of another business looks like one that was never issued.
            return if found.business == app.business {
                Err(Refusal::unknown_reference("revoke_token"))
            } else {
                Ok(self.revision())
            };
        }
        // A page token may revoke itself, and no other token of its user.
        let question = Question::alive();
        let id = found.id;
        let done = self
            .submit(InForce::AtOnce, call, question, move |planner, allowed| {
                if allowed.caller.business().is_some_and(|b| b != app.business) {
                    return Err(Refusal::not_visible(app.business));
                }
                let is_holder = match allowed.caller {
                    Caller::App { .. } => true,
                    Caller::Operator | Caller::Person { .. } | Caller::SystemUser { .. } if allowed.page.is_some() => {
                        allowed.caller.token() == Some(id)
                    }
                    Caller::Operator | Caller::Person { .. } | Caller::SystemUser { .. } => {
                        allowed.caller.user() == Some(found.user)
                    }
                };
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
    pub async fn revoke_tokens(&self, call: &Call, user: UserId, app: Option<AppId>) -> Result<Done<()>, Refusal> {
        let business = self.business_of_system_user(call, user)?;
        let question = rights::MANAGE_OR_SELF.on_user(business, user);
        self.submit(InForce::AtOnce, call, question, move |planner, allowed| {
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
    pub async fn list_tokens(&self, call: &Call, user: UserId) -> Result<Checked<Vec<Listed>>, Refusal> {
        let business = self.read(|s| s.business_of(user))?.ok_or_else(|| self.absent(call, user))?;
        let question = rights::MANAGE_OR_SELF.on_user(business, user);
        let read = |facts: &Facts<'_>| facts.tokens_of(user);
        let mut ids = self.step(call, question, read).map_err(|r| about(r, user))?.into_inner();
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        self.tokens(call, question, &ids).await
    }

    /// The tokens of all users of a business, newest first; page tokens included.
    ///
    /// # Errors
    /// The refusal.
    pub async fn list_business_tokens(
        &self,
        call: &Call,
        business: BusinessId,
    ) -> Result<Checked<Vec<Listed>>, Refusal> {
        let question = rights::MANAGE_BUSINESS.on_business(business);
        let read = |facts: &Facts<'_>| {
            let users = facts.system_users(business).into_iter().chain(facts.people(business));
            users.flat_map(|u| facts.tokens_of(u)).collect::<Vec<_>>()
        };
        let mut ids = self.step(call, question, read)?.into_inner();
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        self.tokens(call, question, &ids).await
    }

    /// The tokens with these ids, as far as they exist, with their use, in the order of the ids. The
    /// right is that of the list that named them.
    ///
    /// # Errors
    /// The refusal, or of the store.
    pub async fn tokens(
        &self,
        call: &Call,
        question: Question,
        ids: &[TokenId],
    ) -> Result<Checked<Vec<Listed>>, Refusal> {
        let read = |facts: &Facts<'_>| ids.iter().filter_map(|id| facts.token(*id)).collect::<Vec<_>>();
        let tokens = self.step(call, question, read)?;
        let allowed = *tokens.allowed();
        Ok(Checked::new(self.with_uses(tokens.into_inner()).await?, allowed))
    }

    /// One token by its id.
    ///
    /// # Errors
    /// The refusal.
    pub async fn get_token(&self, call: &Call, id: TokenId) -> Result<Listed, Refusal> {
        let (business, user) = self.owner_of_token(call, id)?;
        let question = rights::MANAGE_OR_SELF.on_user(business, user);
        let token = self.step(call, question, |facts| facts.token(id)).map_err(|r| about(r, id))?;
        let token = token.into_inner().ok_or_else(|| Refusal::not_visible(id))?;
        let mut listed = self.with_uses(vec![token]).await?;
        listed.pop().ok_or_else(|| Refusal::not_visible(id))
    }

    pub(crate) fn owner_of_token(&self, call: &Call, id: TokenId) -> Result<(BusinessId, UserId), Refusal> {
        self.read(|s| s.token(id).map(|t| (t.business, t.user)))?.ok_or_else(|| self.absent(call, id))
    }

    async fn with_uses(&self, tokens: Vec<Token>) -> Result<Vec<Listed>, Refusal> {
        let ids: Vec<TokenId> = tokens.iter().map(|t| t.id).collect();
        let mut uses = self.uses_of(&ids).await?;
        let now = self.now();
        self.read(|state| {
            tokens
                .into_iter()
                .map(|token| {
                    let last_used = uses.remove(&token.id);
                    let (status, _) = self.inner.token_status(state, &token, now);
                    Listed { scopes: token.effective_scopes(state), token, last_used, status }
                })
                .collect()
        })
    }
}

/// Which page tokens of some Pages a caller may have, on one revision.
struct Seen {
    /// Those that are on record.
    known: HashMap<AssetId, CredentialText>,
    /// Pages whose token is not on record yet.
    new: Vec<AssetId>,
    /// The business has accepted the terms in force.
    accepted: bool,
    first_is_page: bool,
}

impl Seen {
    fn of(facts: &Facts<'_>, text: &str, pages: &[AssetId]) -> Seen {
        let is_page = |id: &AssetId| facts.asset(*id).is_some_and(|a| a.kind == AssetKind::Page);
        let first_is_page = pages.first().is_some_and(is_page);
        let mut seen = Seen { known: HashMap::new(), new: Vec::new(), accepted: false, first_is_page };
        let Some(parent) = facts.allowed.caller.token().and_then(|id| facts.token(id)) else { return seen };
        seen.accepted = terms::are_accepted(&**facts, parent.business);
        let may = |page: &AssetId| is_page(page) && facts.may(page_token_of(*page)).is_some();
        for page in pages.iter().filter(|page| may(page)) {
            match page_token::find(&**facts, &parent, text, *page) {
                Some(text) => drop(seen.known.insert(*page, text)),
                None => seen.new.push(*page),
            }
        }
        seen
    }
}

/// The question whether a user may have the token of a Page. A page token may only have itself.
fn page_token_of(page: AssetId) -> Question {
    rights::PAGE_TOKEN.on_asset(page, AssetKind::Page).sorts(Sorts::USERS)
}

/// The same for a command. The proof was already checked with the command's own question.
fn may_have(planner: &Planner<'_>, allowed: &Allowed, parent: &Token, page: AssetId) -> bool {
    let question = page_token_of(page).proof(Proof::Right);
    let view = gather(planner.state(), allowed.revision, &parent.digest, question.target);
    matches!(decide(&view, &question, planner.now()), Decision::Allow(_))
}
