//! System users.

use valetkey_domain::rules::system_user::{self, SystemUserEdit};
use valetkey_domain::{BusinessId, Name, Purpose, Refusal, Role, Status, UserId};

use crate::call::Call;
use crate::core::Service;
use crate::person::about;
use crate::rights;
use crate::writer::{Done, InForce, Plan};

impl Service {
    /// Makes a system user.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create_system_user(
        &self,
        call: &Call,
        business: BusinessId,
        name: Name,
        role: Role,
        description: Option<Purpose>,
    ) -> Result<Done<UserId>, Refusal> {
        self.command(call, rights::MANAGE_BUSINESS.on_business(business), move |planner, allowed| {
            let (name, description) = (name.clone(), description.clone());
            let (set, id) = system_user::create(planner, &allowed.caller, business, name, role, description)?;
            Ok((Plan::of(set), id))
        })
        .await
    }

    /// Renames, describes, deactivates or activates a system user.
    ///
    /// # Errors
    /// The refusal.
    pub async fn update_system_user(&self, call: &Call, id: UserId, edit: SystemUserEdit) -> Result<Done<()>, Refusal> {
        let business = self.business_of_system_user(call, id)?;
        let in_force = InForce::at_once_if(edit.status == Some(Status::Deactivated));
        self.submit(in_force, call, rights::MANAGE_BUSINESS.on_business(business), move |planner, allowed| {
            Ok((Plan::of(system_user::update(planner, &allowed.caller, id, edit.clone())?), ()))
        })
        .await
        .map_err(|r| about(r, id))
    }

    /// Deletes a system user: its tokens are dead when this returns.
    ///
    /// # Errors
    /// The refusal.
    pub async fn delete_system_user(&self, call: &Call, id: UserId) -> Result<Done<()>, Refusal> {
        let business = self.business_of_system_user(call, id)?;
        let question = rights::MANAGE_BUSINESS.on_business(business);
        self.submit(InForce::AtOnce, call, question, move |planner, allowed| {
            Ok((Plan::of(system_user::delete(planner, &allowed.caller, id)?), ()))
        })
        .await
        .map_err(|r| about(r, id))
    }

    pub(crate) fn business_of_system_user(&self, call: &Call, id: UserId) -> Result<BusinessId, Refusal> {
        self.read(|s| system_user::live(s, id).map(|u| u.business))?.ok_or_else(|| self.absent(call, id))
    }
}
