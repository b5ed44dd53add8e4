//! Apps, their secrets, connections and installations.

use valetkey_authz::Question;
use valetkey_domain::app::{self, AppEdit};
use valetkey_domain::{Id, Name, Reason, Refusal};

use crate::call::Call;
use crate::core::Service;
use crate::person::about;
use crate::rights;
use crate::writer::{Done, Plan};

/// An app that proved itself with its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenApp {
    pub app: Id,
    pub business: Id,
}

impl Service {
    /// Makes an app and connects it; answers with its id and its secret, shown once.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create_app(
        &self,
        call: &Call,
        business: Id,
        name: Name,
        demands_proof: bool,
    ) -> Result<Done<(Id, String)>, Refusal> {
        let inner = std::sync::Arc::downgrade(&self.inner);
        self.command(call, rights::MANAGE_BUSINESS.on_business(business), move |planner, allowed| {
            let inner = inner.upgrade().ok_or_else(|| Refusal::of(Reason::Unavailable))?;
            let secret = crate::secrets::new_secret(planner.random())?;
            let mut seal = |id: Id| inner.seal_secret(id, &secret);
            let (set, id) = app::create(planner, &allowed.caller, business, name.clone(), demands_proof, &mut seal)?;
            Ok((Plan::of(set), (id, secret)))
        })
        .await
    }

    /// Changes an app.
    ///
    /// # Errors
    /// The refusal.
    pub async fn update_app(&self, call: &Call, id: Id, edit: AppEdit) -> Result<Done<()>, Refusal> {
        let question = self.manage_app(call, id)?;
        self.command(call, question, move |planner, allowed| {
            Ok((Plan::of(app::update(planner, &allowed.caller, id, edit.clone())?), ()))
        })
        .await
        .map_err(|r| about(r, id))
    }

    /// Gives an app a new secret, shown once; the old one goes on for `overlap_s` seconds.
    ///
    /// # Errors
    /// The refusal.
    pub async fn rotate_app_secret(&self, call: &Call, id: Id, overlap_s: i64) -> Result<Done<String>, Refusal> {
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
    pub async fn connect_app(&self, call: &Call, business: Id, id: Id) -> Result<Done<()>, Refusal> {
        self.command(call, rights::MANAGE_BUSINESS.on_business(business), move |planner, allowed| {
            Ok((Plan::of(app::connect(planner, &allowed.caller, business, id)?), ()))
        })
        .await
    }

    /// Takes an app off a business: its tokens there are dead when this returns.
    ///
    /// # Errors
    /// The refusal.
    pub async fn disconnect_app(&self, call: &Call, business: Id, id: Id) -> Result<Done<()>, Refusal> {
        self.command(call, rights::MANAGE_BUSINESS.on_business(business), move |planner, allowed| {
            Ok((Plan::of(app::disconnect(planner, &allowed.caller, business, id)?), ()))
        })
        .await
    }

    /// Installs an app on a system user.
    ///
    /// # Errors
    /// The refusal.
    pub async fn install_app(&self, call: &Call, system_user: Id, id: Id) -> Result<Done<()>, Refusal> {
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
    pub async fn uninstall_app(&self, call: &Call, system_user: Id, id: Id, own: bool) -> Result<Done<()>, Refusal> {
        let business = self.business_of_system_user(call, system_user)?;
        let right = if own { rights::MANAGE_OR_SELF } else { rights::MANAGE_BUSINESS };
        self.command(call, right.on_user(business, system_user), move |planner, allowed| {
            Ok((Plan::of(app::uninstall(planner, &allowed.caller, system_user, id)?), ()))
        })
        .await
        .map_err(|r| about(r, system_user))
    }

    /// Checks id and secret of an app.
    ///
    /// # Errors
    /// `invalid_parameter` with field `client_id` or `client_secret`, so that an adapter can say which.
    pub fn prove_app(&self, id: Id, secret: &str) -> Result<ProvenApp, Refusal> {
        let now = self.now();
        let app = self.read(|s| s.app(id))?.ok_or_else(|| Refusal::unknown_reference("client_id"))?;
        if !self.inner.is_secret(&app, secret, now) {
            return Err(Refusal::unknown_reference("client_secret"));
        }
        Ok(ProvenApp { app: id, business: app.business })
    }

    fn manage_app(&self, call: &Call, id: Id) -> Result<Question, Refusal> {
        let business = self.read(|s| s.app(id).map(|a| a.business))?.ok_or_else(|| self.absent(call, id))?;
        Ok(rights::MANAGE_BUSINESS.on_business(business))
    }
}
