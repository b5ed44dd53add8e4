//! Assignments of assets to people and system users.

use valetkey_domain::rules::assignment;
use valetkey_domain::{AssetId, Refusal, UserId};

use crate::call::Call;
use crate::core::Service;
use crate::rights;
use crate::writer::{Done, Plan};

impl Service {
    /// Gives a user exactly these tasks on an asset. The caller acts for its own business, or the
    /// operator for the user's.
    ///
    /// # Errors
    /// The refusal.
    pub async fn assign(
        &self,
        call: &Call,
        asset: AssetId,
        user: UserId,
        tasks: Vec<String>,
    ) -> Result<Done<()>, Refusal> {
        let kind = self.kind_of(call, asset)?;
        self.command(call, rights::change_assigned(asset, kind), move |planner, allowed| {
            let business = allowed.caller.business().or_else(|| planner.state().business_of(user));
            let business = business.ok_or_else(|| Refusal::unknown_reference("user"))?;
            Ok((Plan::of(assignment::assign(planner, &allowed.caller, business, asset, user, &tasks)?), ()))
        })
        .await
    }

    /// Takes an asset away from a user.
    ///
    /// # Errors
    /// The refusal.
    pub async fn unassign(&self, call: &Call, asset: AssetId, user: UserId) -> Result<Done<()>, Refusal> {
        let kind = self.kind_of(call, asset)?;
        self.command(call, rights::unassign(asset, kind), move |planner, allowed| {
            let business = allowed.caller.business().or_else(|| planner.state().business_of(user));
            let business = business.ok_or_else(|| Refusal::unknown_reference("user"))?;
            Ok((Plan::of(assignment::unassign(planner, &allowed.caller, business, asset, user)?), ()))
        })
        .await
    }

    pub(crate) fn kind_of(&self, call: &Call, asset: AssetId) -> Result<valetkey_domain::AssetKind, Refusal> {
        self.read(|s| s.asset(asset).map(|a| a.kind))?.ok_or_else(|| self.absent(call, asset))
    }
}
