//! Shares of assets with partners.

use valetkey_domain::rules::share;
use valetkey_domain::{AssetId, BusinessId, Refusal};

use crate::call::Call;
use crate::core::Service;
use crate::rights;
use crate::writer::{Done, Plan};

impl Service {
    /// Shares an asset with a partner, or changes what is permitted.
    ///
    /// # Errors
    /// The refusal.
    pub async fn share(
        &self,
        call: &Call,
        asset: AssetId,
        partner: BusinessId,
        tasks: Vec<String>,
    ) -> Result<Done<()>, Refusal> {
        let kind = self.kind_of(call, asset)?;
        self.command(call, rights::share(asset, kind), move |planner, allowed| {
            let owner = allowed.caller.business().or_else(|| planner.state().asset(asset).and_then(|a| a.business));
            let owner = owner.ok_or_else(|| Refusal::not_visible(asset))?;
            Ok((Plan::of(share::share(planner, &allowed.caller, owner, asset, partner, &tasks)?), ()))
        })
        .await
    }

    /// Ends a share. The owner and the partner may.
    ///
    /// # Errors
    /// The refusal.
    pub async fn unshare(&self, call: &Call, asset: AssetId, partner: BusinessId) -> Result<Done<()>, Refusal> {
        let kind = self.kind_of(call, asset)?;
        self.command(call, rights::unshare(asset, kind), move |planner, allowed| {
            let acting = allowed.caller.business().unwrap_or(partner);
            Ok((Plan::of(share::unshare(planner, &allowed.caller, acting, asset, partner)?), ()))
        })
        .await
    }
}
