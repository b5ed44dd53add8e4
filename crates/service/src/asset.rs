//! Assets.

use serde_json::{Map, Value};
use valetkey_authz::{Question, Target};
use valetkey_domain::rules::asset;
use valetkey_domain::{AssetId, AssetKind, BusinessId, Name, Refusal};
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
        business: BusinessId,
        name: Name,
        details: Map<String, Value>,
    ) -> Result<Done<AssetId>, Refusal> {
        let right: Right = match kind {
            AssetKind::AdAccount | AssetKind::Pixel => rights::CREATE_ADS_ASSET,
            AssetKind::Catalog => rights::CREATE_CATALOG,
            AssetKind::Page
            | AssetKind::InstagramAccount
            | AssetKind::WhatsappAccount
            | AssetKind::App
            | AssetKind::Declared(_) => rights::MANAGE_BUSINESS,
        };
        self.create_asset_for(call, right.on_business(business), kind, Some(business), name, details).await
    }

    /// Makes an asset without an owner, for a business to claim. Only the operator may.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create_unowned_asset(
        &self,
        call: &Call,
        kind: AssetKind,
        name: Name,
        details: Map<String, Value>,
    ) -> Result<Done<AssetId>, Refusal> {
        self.create_asset_for(call, Question::about(Target::Nothing), kind, None, name, details).await
    }

    async fn create_asset_for(
        &self,
        call: &Call,
        question: Question,
        kind: AssetKind,
        business: Option<BusinessId>,
        name: Name,
        details: Map<String, Value>,
    ) -> Result<Done<AssetId>, Refusal> {
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

    /// Deletes an asset of a business with its assignments, shares and page tokens. What it holds stays
    /// in the store and is out of reach.
    ///
    /// # Errors
    /// The refusal.
    pub async fn delete_asset(&self, call: &Call, id: AssetId) -> Result<Done<()>, Refusal> {
        let kind = self.kind_of(call, id)?;
        self.command(call, rights::DELETE_ASSET.on_asset(id, kind), move |planner, allowed| {
            Ok((Plan::of(asset::delete(planner, &allowed.caller, id)?), ()))
        })
        .await
    }

    /// Renames an asset.
    ///
    /// # Errors
    /// The refusal.
    pub async fn rename_asset(
        &self,
        call: &Call,
        question: Question,
        id: AssetId,
        name: Name,
    ) -> Result<Done<()>, Refusal> {
        self.command(call, question, move |planner, allowed| {
            Ok((Plan::of(asset::rename(planner, &allowed.caller, id, name.clone())?), ()))
        })
        .await
    }
}
