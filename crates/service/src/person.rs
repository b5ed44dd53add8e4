//! People of a business.

use valetkey_domain::rules::person::{self, PersonEdit};
use valetkey_domain::{BusinessId, Id, Name, Refusal, Role, Status, UserId};

use crate::call::Call;
use crate::core::Service;
use crate::rights::{self, Right};
use crate::writer::{Done, InForce, Plan};

impl Service {
    /// Adds a person. An address that is in use on this server is the operator's to add.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create_person(
        &self,
        call: &Call,
        business: BusinessId,
        name: Name,
        email: &str,
        role: Role,
    ) -> Result<Done<UserId>, Refusal> {
        let email = email.to_owned();
        self.command(call, rights::MANAGE_BUSINESS.on_business(business), move |planner, allowed| {
            let (set, id) = person::create(planner, &allowed.caller, business, name.clone(), &email, role)?;
            Ok((Plan::of(set), id))
        })
        .await
    }

    /// Changes, deactivates or deletes a person. The last ADMIN stays.
    ///
    /// # Errors
    /// The refusal.
    pub async fn update_person(&self, call: &Call, id: UserId, edit: PersonEdit) -> Result<Done<()>, Refusal> {
        let business = self.read(|s| s.person(id).map(|p| p.business))?.ok_or_else(|| self.absent(call, id))?;
        let right = right_of(&edit);
        let in_force = InForce::at_once_if(edit.status.is_some_and(|s| s != Status::Active));
        self.submit(in_force, call, right.on_user(business, id), move |planner, allowed| {
            Ok((Plan::of(person::update(planner, &allowed.caller, id, edit.clone())?), ()))
        })
        .await
        .map_err(|r| about(r, id))
    }
}

/// A person names itself and may leave; role and status are for ADMINs.
pub(crate) fn right_of(edit: &PersonEdit) -> Right {
    let own = edit.role.is_none() && edit.status.is_none_or(|s| s == Status::Deleted);
    if own { rights::MANAGE_OR_SELF } else { rights::MANAGE_BUSINESS }
}

/// A refusal for visibility names the id that the caller sent, not the business that it belongs to.
pub(crate) fn about(mut refusal: Refusal, id: impl Into<Id>) -> Refusal {
    if refusal.reason == valetkey_domain::Reason::NotVisible {
        refusal.subject = Some(id.into());
    }
    refusal
}
