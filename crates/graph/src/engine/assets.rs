//! Calls that every kind of asset takes: change, assign, share.

use serde_json::{Map, Value, json};
use valetkey_domain::AssetKind;
use valetkey_domain::noun::asset::Asset;
use valetkey_service::rights;

use super::input::Problem;
use super::{Answer, Cx, Node};
use crate::protocol::envelope;

/// The longest descriptive text, in bytes.
pub(super) const DETAIL_LIMIT_BYTES: usize = 20_000;

impl Cx<'_> {
    fn asset<'n>(&self, node: &'n Node) -> Result<&'n Asset, Problem> {
        if let Node::Asset(asset, _) = node {
            return Ok(asset);
        }
        Err(envelope::unsupported_method(self.input.verb.as_str()).into())
    }

    /// Changes the name and descriptive fields. Other parameters are ignored, because programs send
    /// whole objects back.
    pub async fn update_asset(&self, node: &Node) -> Result<Answer, Problem> {
        let asset = self.asset(node)?;
        let right = match asset.kind {
            AssetKind::Page => rights::MANAGE_PAGE,
            AssetKind::AdAccount => rights::MANAGE_ADS,
            AssetKind::Catalog => rights::MANAGE_CATALOG,
            AssetKind::Pixel => rights::EDIT_PIXEL,
            AssetKind::InstagramAccount | AssetKind::WhatsappAccount | AssetKind::App | AssetKind::Declared(_) => {
                return Err(envelope::unsupported_method("post").into());
            }
        };
        let question = right.on_asset(asset.id, asset.kind);
        let (name, details) = (self.input.name("name")?, self.changed_details(node, asset.kind)?);
        let done = self.service().update_asset(self.call, question, asset.id, name, details).await?;
        Ok(Answer::success(done.revision))
    }

    fn changed_details(&self, node: &Node, kind: AssetKind) -> Result<Map<String, Value>, Problem> {
        let mut details = Map::new();
        for (name, text) in &self.input.pairs {
            if node.kind().keeps(name) {
                if text.len() > DETAIL_LIMIT_BYTES {
                    return Err(envelope::invalid_parameter(name, "at most 20000 bytes").into());
                }
                details.insert(name.clone(), if text.is_empty() { Value::Null } else { json!(text) });
            }
        }
        if kind == AssetKind::Page
            && let Some(category) = self.input.get("category")
        {
            if category.len() > 200 {
                return Err(envelope::invalid_parameter("category", "at most 200 bytes").into());
            }
            details.insert("category".to_owned(), json!(category));
        }
        if kind == AssetKind::AdAccount {
            self.spend_cap(&mut details)?;
            details.extend(self.timezone_id()?.map(|id| ("timezone_id".to_owned(), id)));
        }
        Ok(details)
    }

    fn spend_cap(&self, details: &mut Map<String, Value>) -> Result<(), Problem> {
        match self.input.get("spend_cap_action") {
            Some("delete") => {
                details.insert("spend_cap".to_owned(), Value::Null);
            }
            Some("reset") => {
                details.insert("amount_spent".to_owned(), json!("0"));
            }
            Some(_) => return Err(envelope::enum_value("spend_cap_action", &["reset", "delete"]).into()),
            None => {}
        }
        if let Some(cap) = self.input.integer("spend_cap")? {
            if cap < 0 {
                return Err(envelope::invalid_parameter("spend_cap", "0 or more, in minor units").into());
            }
            details.insert("spend_cap".to_owned(), json!(cap.to_string()));
        }
        Ok(())
    }

    pub async fn assign(&self, node: &Node, assign: bool) -> Result<Answer, Problem> {
        let asset = self.asset(node)?;
        let user = self.input.require_id("user")?;
        let done = if assign {
            let tasks = self.input.list("tasks")?.unwrap_or_default();
            self.service().assign(self.call, asset.id, user, tasks).await?
        } else {
            self.service().unassign(self.call, asset.id, user).await?
        };
        Ok(Answer::success(done.revision))
    }

    pub async fn share(&self, node: &Node, share: bool) -> Result<Answer, Problem> {
        let asset = self.asset(node)?;
        let partner = self.input.require_id("business")?;
        let done = if share {
            let tasks = self.input.list("permitted_tasks")?.unwrap_or_default();
            self.service().share(self.call, asset.id, partner, tasks).await?
        } else {
            self.service().unshare(self.call, asset.id, partner).await?
        };
        Ok(Answer::success(done.revision))
    }
}
