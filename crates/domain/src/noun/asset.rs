//! An asset: what a business owns and software acts on.

use serde::{Deserialize, Serialize};

use super::Noun;
use crate::{AssetId, AssetKind, BusinessId, Id, List, Name, RecordKey, UnixMs};

/// An asset. What the outside sees of it beside its name (a category, a currency) is content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    pub id: AssetId,
    pub kind: AssetKind,
    /// The owner; none when the operator made it for somebody to claim.
    pub business: Option<BusinessId>,
    pub name: Name,
    pub created_at: UnixMs,
    /// When it was deleted. The record stays, so that its history can be read and its id never returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<UnixMs>,
}

impl Noun for Asset {
    fn key(&self) -> RecordKey {
        RecordKey::Asset(self.id)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        let owner = self.business.filter(|_| self.deleted_at.is_none());
        owner.map(|business| (List::OwnedAssets(business), self.id.any())).into_iter().collect()
    }

    fn narrows(&self, after: &Asset) -> bool {
        let Asset { id: _, kind, business, name: _, created_at: _, deleted_at } = after;
        self.business != *business || self.kind != *kind || self.deleted_at != *deleted_at
    }
}
