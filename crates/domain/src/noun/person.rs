//! A person: a human who signs in to a business.

use serde::{Deserialize, Serialize};

use super::Noun;
use crate::{BusinessId, Id, List, Name, RecordKey, Role, Status, UnixMs, UserId};

/// A person of a business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: UserId,
    pub business: BusinessId,
    pub name: Name,
    pub email: String,
    pub role: Role,
    pub status: Status,
    pub created_at: UnixMs,
}

impl Noun for Person {
    fn key(&self) -> RecordKey {
        RecordKey::Person(self.id)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        vec![(List::People(self.business), self.id.any())]
    }

    fn narrows(&self, after: &Person) -> bool {
        let Person { id: _, business, name: _, email: _, role, status, created_at: _ } = after;
        self.role != *role || (self.status != *status && *status != Status::Active) || self.business != *business
    }
}
