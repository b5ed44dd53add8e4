//! A share: an asset that a partner may use, up to permitted tasks.

use serde::{Deserialize, Serialize};

use super::{Noun, drops_tasks};
use crate::{AssetId, BusinessId, Id, List, RecordKey, TaskSet, UnixMs, UserId};

/// A share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub asset: AssetId,
    pub partner: BusinessId,
    /// The most that the partner's users may do.
    pub tasks: TaskSet,
    pub created_at: UnixMs,
    pub created_by: Option<UserId>,
}

impl Noun for Share {
    fn key(&self) -> RecordKey {
        RecordKey::Share(self.asset, self.partner)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        vec![(List::SharedAssets(self.partner), self.asset.any()), (List::PartnersOf(self.asset), self.partner.any())]
    }

    fn narrows(&self, after: &Share) -> bool {
        let Share { asset: _, partner: _, tasks, created_at: _, created_by: _ } = after;
        drops_tasks(self.tasks, *tasks)
    }
}
