//! A system user: software with an identity of its own.

use serde::{Deserialize, Serialize};

use super::Noun;
use crate::{BusinessId, Id, List, Name, Purpose, RecordKey, Role, Status, UnixMs, UserId};

/// A system user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemUser {
    pub id: UserId,
    pub business: BusinessId,
    pub name: Name,
    pub role: Role,
    pub status: Status,
    pub created_at: UnixMs,
    /// The person or system user that made it; `None` for the operator.
    pub created_by: Option<UserId>,
    /// What it is for, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Purpose>,
}

impl Noun for SystemUser {
    fn key(&self) -> RecordKey {
        RecordKey::SystemUser(self.id)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        vec![(List::SystemUsers(self.business), self.id.any())]
    }

    fn narrows(&self, after: &SystemUser) -> bool {
        let SystemUser { id: _, business, name: _, role, status, created_at: _, created_by: _, description: _ } = after;
        self.role != *role || (self.status != *status && *status != Status::Active) || self.business != *business
    }
}
