//! An assignment: which tasks a user may do on an asset.

use serde::{Deserialize, Serialize};

use super::{Noun, drops_tasks};
use crate::{AssetId, BusinessId, Id, List, RecordKey, TaskSet, UnixMs, UserId};

/// An assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// A person or a system user.
    pub user: UserId,
    pub asset: AssetId,
    /// The business of the user, which is the owner of the asset or a partner.
    pub business: BusinessId,
    /// As given; never empty. What they imply is worked out when a question is decided.
    pub tasks: TaskSet,
    pub created_at: UnixMs,
    pub created_by: Option<UserId>,
}

impl Noun for Assignment {
    fn key(&self) -> RecordKey {
        RecordKey::Assignment(self.user, self.asset)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        vec![(List::AssetsOf(self.user), self.asset.any()), (List::UsersOn(self.asset), self.user.any())]
    }

    fn narrows(&self, after: &Assignment) -> bool {
        let Assignment { user: _, asset: _, business, tasks, created_at: _, created_by: _ } = after;
        drops_tasks(self.tasks, *tasks) || self.business != *business
    }
}
