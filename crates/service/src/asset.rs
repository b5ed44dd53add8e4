//! Assets.

use serde_json::{Map, Value};
use valetkey_authz::{Question, Target};
use valetkey_domain::{AssetKind, Id, Name, Refusal, asset};
use valetkey_store::ContentWrite;

use crate::call::Call;
use crate::content::details_row;
use crate::core::Service;
use crate::rights::{self, Right};
use crate::writer::{Done, Plan};

impl Service {
    /// Makes an asset of a business with its descriptive fields, in one commit.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create_asset(
        &self,
        call: &Call,
        kind: AssetKind,
        business: Id,
        name: Name,
        details: Map<String, Value>,
    ) -> Result<Done<Id>, Refusal> {
        let right: Right = match kind {
            AssetKind::AD_ACCOUNT | AssetKind::PIXEL => rights::CREATE_ADS_ASSET,
            AssetKind::CATALOG => rights::CREATE_CATALOG,
            _ => rights::MANAGE_BUSINESS,
        };
        self.create_asset_for(call, right.on_business(business), kind, Some(business), name, details).await
    }

    /// Makes an asset without an owner, for somebody to claim; the operator's act.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create_unowned_asset(
        &self,
        call: &Call,
        kind: AssetKind,
        name: Name,
        details: Map<String, Value>,
    ) -> Result<Done<Id>, Refusal> {
        self.create_asset_for(call, Question::about(Target::Nothing), kind, None, name, details).await
    }

    async fn create_asset_for(
        &self,
        call: &Call,
        question: Question,
        kind: AssetKind,
        business: Option<Id>,
        name: Name,
        details: Map<String, Value>,
    ) -> Result<Done<Id>, Refusal> {
        self.command(call, question, move |planner, allowed| {
            let (set, id) = asset::create(planner, &allowed.caller, kind, business, name.clone())?;
            let mut plan = Plan::of(set);
            if !details.is_empty() {
                plan.content.push(ContentWrite::Insert(details_row(planner, id, &details)?));
            }
            Ok((plan, id))
        })
        .await
    }

    /// Renames an asset.
    ///
    /// # Errors
    /// The refusal.
    pub async fn rename_asset(&self, call: &Call, question: Question, id: Id, name: Name) -> Result<Done<()>, Refusal> {
        self.command(call, question, move |planner, allowed| {
            Ok((Plan::of(asset::rename(planner, &allowed.caller, id, name.clone())?), ()))
        })
        .await
    }
}
