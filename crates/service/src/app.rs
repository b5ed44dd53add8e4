//! Apps, their secrets, connections and installations.

use std::collections::BTreeMap;

use valetkey_authz::Question;
use valetkey_domain::rules::app::{self, AppEdit};
use valetkey_domain::rules::revocation;
use valetkey_domain::{AppId, BusinessId, Name, Reason, Refusal, Scope, ScopeSet, State, UserId};

use crate::call::Call;
use crate::core::Service;
use crate::person::about;
use crate::rights;
use crate::writer::{Done, InForce, Plan};

/// An app that proved itself with its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenApp {
    pub app: AppId,
    pub business: BusinessId,
}

/// Which scopes the tokens of an app lose when the app may ask for fewer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// Tokens that lose at least one scope, page tokens among them.
    pub tokens: usize,
    /// How many of them lose each scope, in the order of the table of scopes.
    pub scopes: BTreeMap<Scope, usize>,
}

impl Narrowing {
    fn add(&mut self, lost: &[ScopeSet]) {
        for set in lost.iter().filter(|set| !set.is_empty()) {
            self.tokens += 1;
            for scope in set.iter() {
                *self.scopes.entry(scope).or_default() += 1;
            }
        }
    }
}

/// How many users' tokens are counted under one lock.
const COUNTED_USERS: usize = 64;

impl Service {
    /// Makes an app and connects it; returns its id and its secret, which is shown once.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create_app(
        &self,
        call: &Call,
        business: BusinessId,
        name: Name,
        demands_proof: bool,
    ) -> Result<Done<(AppId, String)>, Refusal> {
        let inner = std::sync::Arc::downgrade(&self.inner);
        self.command(call, rights::MANAGE_BUSINESS.on_business(business), move |planner, allowed| {
            let inner = inner.upgrade().ok_or_else(|| Refusal::of(Reason::Unavailable))?;
            let secret = crate::secrets::new_secret(planner.random())?;
            let mut seal = |id: AppId| inner.seal_secret(id, &secret);
            let (set, id) = app::create(planner, &allowed.caller, business, name.clone(), demands_proof, &mut seal)?;
            Ok((Plan::of(set), (id, secret)))
        })
        .await
    }

    /// Changes an app. The scopes that it may ask for cap its tokens from then on; the answer says which
    /// tokens lost which scopes. If the app may ask for more again, its tokens regain them.
    ///
    /// # Errors
    /// The refusal.
    pub async fn update_app(&self, call: &Call, id: AppId, edit: AppEdit) -> Result<Done<Narrowing>, Refusal> {
        let question = self.manage_app(call, id)?;
        let done = self
            .command(call, question, move |planner, allowed| {
                let allowed_scopes = |state: &dyn State| state.app(id).map(|a| a.allowed_scopes).unwrap_or_default();
                let before = allowed_scopes(planner.state());
                let set = app::update(planner, &allowed.caller, id, edit.clone())?;
                Ok((Plan::of(set), (before, edit.allowed_scopes.unwrap_or(before))))
            })
            .await
            .map_err(|r| about(r, id))?;
        let (before, after) = done.value;
        Ok(Done { value: self.narrowing(id, before, after).await?, revision: done.revision })
    }

    /// What an app's tokens would lose if the app could ask only for these scopes. Nothing is changed.
    ///
    /// # Errors
    /// The refusal: the caller must be allowed to change the app.
    pub async fn narrowing_effect(&self, call: &Call, id: AppId, scopes: ScopeSet) -> Result<Narrowing, Refusal> {
        let question = self.manage_app(call, id)?;
        let before = self.step(call, question, |facts| facts.app(id).map(|a| a.allowed_scopes));
        let before = before.map_err(|r| about(r, id))?.into_inner().unwrap_or_default();
        self.narrowing(id, before, scopes).await
    }

    /// Counts the live tokens that may do less under one cap than under another, some users at a time,
    /// so that no writer waits for long.
    async fn narrowing(&self, app: AppId, before: ScopeSet, after: ScopeSet) -> Result<Narrowing, Refusal> {
        let mut narrowing = Narrowing::default();
        if after.covers(before) {
            return Ok(narrowing);
        }
        let users = self.read(|s| {
            let connected = s.businesses().into_iter().filter(|b| s.connection(*b, app).is_some());
            connected.flat_map(|b| s.system_users(b)).collect::<Vec<_>>()
        })?;
        let now = self.now();
        for users in users.chunks(COUNTED_USERS) {
            let lost = self.read(|s| {
                let tokens = users.iter().flat_map(|user| revocation::tokens_of(s, *user));
                let counted = tokens.filter(|t| {
                    t.app == Some(app) && t.revoked_at.is_none() && t.expires_at.is_none_or(|end| end > now)
                });
                counted.map(|t| t.scopes.capped(before).without(t.scopes.capped(after))).collect::<Vec<_>>()
            })?;
            narrowing.add(&lost);
            tokio::task::yield_now().await;
        }
        Ok(narrowing)
    }

    /// Gives an app a new secret, shown once; the old one works for another `overlap_s` seconds.
    ///
    /// # Errors
    /// The refusal.
    pub async fn rotate_app_secret(&self, call: &Call, id: AppId, overlap_s: i64) -> Result<Done<String>, Refusal> {
        let question = self.manage_app(call, id)?;
        let inner = std::sync::Arc::downgrade(&self.inner);
        self.command(call, question, move |planner, allowed| {
            let inner = inner.upgrade().ok_or_else(|| Refusal::of(Reason::Unavailable))?;
            let secret = crate::secrets::new_secret(planner.random())?;
            let sealed = inner.seal_secret(id, &secret)?;
            Ok((Plan::of(app::rotate_secret(planner, &allowed.caller, id, sealed, overlap_s)?), secret))
        })
        .await
        .map_err(|r| about(r, id))
    }

    /// Connects an own app again. Tokens from before it was disconnected are revoked with it.
    ///
    /// # Errors
    /// The refusal.
    pub async fn connect_app(&self, call: &Call, business: BusinessId, id: AppId) -> Result<Done<()>, Refusal> {
        self.command(call, rights::MANAGE_BUSINESS.on_business(business), move |planner, allowed| {
            Ok((Plan::of(app::connect(planner, &allowed.caller, business, id)?), ()))
        })
        .await
    }

    /// Takes an app off a business: its tokens there are dead when this returns.
    ///
    /// # Errors
    /// The refusal.
    pub async fn disconnect_app(&self, call: &Call, business: BusinessId, id: AppId) -> Result<Done<()>, Refusal> {
        let question = rights::MANAGE_BUSINESS.on_business(business);
        self.submit(InForce::AtOnce, call, question, move |planner, allowed| {
            Ok((Plan::of(app::disconnect(planner, &allowed.caller, business, id)?), ()))
        })
        .await
    }

    /// Deletes an app with its connections, installations and tokens: they are dead when this returns.
    ///
    /// # Errors
    /// The refusal.
    pub async fn delete_app(&self, call: &Call, id: AppId) -> Result<Done<()>, Refusal> {
        let question = self.manage_app(call, id)?;
        self.command(call, question, move |planner, allowed| {
            Ok((Plan::of(app::delete(planner, &allowed.caller, id)?), ()))
        })
        .await
        .map_err(|r| about(r, id))
    }

    /// Installs an app on a system user.
    ///
    /// # Errors
    /// The refusal.
    pub async fn install_app(&self, call: &Call, system_user: UserId, id: AppId) -> Result<Done<()>, Refusal> {
        let business = self.business_of_system_user(call, system_user)?;
        self.command(call, rights::MANAGE_BUSINESS.on_business(business), move |planner, allowed| {
            Ok((Plan::of(app::install(planner, &allowed.caller, system_user, id)?), ()))
        })
        .await
        .map_err(|r| about(r, system_user))
    }

    /// Takes an app off a system user: its tokens of that app are dead when this returns.
    ///
    /// # Errors
    /// The refusal.
    pub async fn uninstall_app(
        &self,
        call: &Call,
        system_user: UserId,
        id: AppId,
        own: bool,
    ) -> Result<Done<()>, Refusal> {
        let business = self.business_of_system_user(call, system_user)?;
        let right = if own { rights::MANAGE_OR_SELF } else { rights::MANAGE_BUSINESS };
        self.submit(InForce::AtOnce, call, right.on_user(business, system_user), move |planner, allowed| {
            Ok((Plan::of(app::uninstall(planner, &allowed.caller, system_user, id)?), ()))
        })
        .await
        .map_err(|r| about(r, system_user))
    }

    /// Checks id and secret of an app.
    ///
    /// # Errors
    /// `invalid_parameter` with field `client_id` or `client_secret`, so that an adapter can say which.
    pub fn prove_app(&self, id: AppId, secret: &str) -> Result<ProvenApp, Refusal> {
        let now = self.now();
        let app = self.read(|s| s.app(id))?.ok_or_else(|| Refusal::unknown_reference("client_id"))?;
        if !self.inner.is_secret(&app, secret, None, now) {
            return Err(Refusal::unknown_reference("client_secret"));
        }
        Ok(ProvenApp { app: id, business: app.business })
    }

    pub(crate) fn manage_app(&self, call: &Call, id: AppId) -> Result<Question, Refusal> {
        let business = self.read(|s| s.app(id).map(|a| a.business))?.ok_or_else(|| self.absent(call, id))?;
        Ok(rights::MANAGE_BUSINESS.on_business(business))
    }
}
