//! Businesses: made by the operator, changed by their ADMINs.

use valetkey_authz::{Question, Target};
use valetkey_domain::rules::business::{self, BusinessEdit};
use valetkey_domain::{BusinessId, DeclaredKind, Name, Refusal, UserId};

use crate::call::Call;
use crate::core::Service;
use crate::rights;
use crate::writer::{Done, Plan};

impl Service {
    /// Makes a business with its first ADMIN; returns both ids. Only the operator may.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create_business(
        &self,
        call: &Call,
        name: Name,
        admin_name: Name,
        admin_email: &str,
    ) -> Result<Done<(BusinessId, UserId)>, Refusal> {
        let email = admin_email.to_owned();
        self.command(call, Question::about(Target::Nothing), move |planner, allowed| {
            let (set, business, person) =
                business::create(planner, &allowed.caller, name.clone(), admin_name.clone(), &email)?;
            Ok((Plan::of(set), (business, person)))
        })
        .await
    }

    /// Changes a business.
    ///
    /// # Errors
    /// The refusal.
    pub async fn update_business(&self, call: &Call, id: BusinessId, edit: BusinessEdit) -> Result<Done<()>, Refusal> {
        self.command(call, rights::MANAGE_BUSINESS.on_business(id), move |planner, allowed| {
            Ok((Plan::of(business::update(planner, &allowed.caller, id, edit.clone())?), ()))
        })
        .await
    }

    /// Deletes a business that has no assets, shares or live tokens. Only the operator may.
    ///
    /// # Errors
    /// The refusal; `invalid_parameter` with what is left of it.
    pub async fn delete_business(&self, call: &Call, id: BusinessId) -> Result<Done<()>, Refusal> {
        self.command(call, Question::about(Target::Nothing), move |planner, allowed| {
            Ok((Plan::of(business::delete(planner, &allowed.caller, id)?), ()))
        })
        .await
    }

    /// Makes one declared kind match the configuration.
    ///
    /// # Errors
    /// The refusal, when the declaration contradicts what is stored.
    pub async fn declare_kind(&self, call: &Call, kind: DeclaredKind) -> Result<Done<()>, Refusal> {
        self.command(call, Question::about(Target::Nothing), move |planner, allowed| {
            let set = valetkey_domain::rules::asset::declare(planner, &allowed.caller, kind.clone())?;
            let set = set
                .unwrap_or_else(|| planner.finish(valetkey_domain::Action::KindDeclared, &allowed.caller, None, &[]));
            Ok((Plan::of(set), ()))
        })
        .await
    }
}
