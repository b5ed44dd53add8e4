//! A person: the entry of a human in a business.

use serde::{Deserialize, Serialize};

use super::Noun;
use crate::{BusinessId, HumanId, Id, List, Name, RecordKey, Role, Status, UnixMs, UserId};

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
    /// Who signs in as this person. Rows of earlier versions have none until a sign-in code is made
    /// for them; neither has a deleted person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human: Option<HumanId>,
}

impl Person {
    /// The human that this is a living entry of.
    pub fn entry_of(&self) -> Option<HumanId> {
        self.human.filter(|_| self.status != Status::Deleted)
    }

    /// Whether it is there, and nobody signs in as it yet.
    pub fn is_without_human(&self) -> bool {
        self.human.is_none() && self.status != Status::Deleted
    }
}

impl Noun for Person {
    fn key(&self) -> RecordKey {
        RecordKey::Person(self.id)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        let lists = [Some(List::People(self.business)), self.entry_of().map(List::EntriesOf)];
        lists.into_iter().flatten().map(|list| (list, self.id.any())).collect()
    }

    fn narrows(&self, after: &Person) -> bool {
        let Person { id: _, business, name: _, email: _, role, status, created_at: _, human } = after;
        self.role != *role
            || (self.status != *status && *status != Status::Active)
            || self.business != *business
            || (self.human.is_some() && self.human != *human)
    }
}
