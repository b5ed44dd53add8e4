//! A business: it owns apps and assets, accepts the terms, and sets rules for its users.

use serde::{Deserialize, Serialize};

use super::Noun;
use super::terms::Acceptance;
use crate::limits::Limits;
use crate::{BusinessId, Id, List, Name, RecordKey, UnixMs};

/// A business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Business {
    pub id: BusinessId,
    pub name: Name,
    pub created_at: UnixMs,
    /// The newest acceptance of the terms, if any.
    pub accepted: Option<Acceptance>,
    pub limits: Limits,
    /// An EMPLOYEE sees what is not assigned to it as if it did not exist.
    pub strict_visibility: bool,
    /// The longest life of a new token; `None` leaves it to the caller, and allows no end.
    pub token_lifetime_limit_s: Option<i64>,
    /// When it was deleted. The record stays, so that its history can be read and its id never returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<UnixMs>,
}

impl Noun for Business {
    fn key(&self) -> RecordKey {
        RecordKey::Business(self.id)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        self.deleted_at.is_none().then_some((List::Businesses, self.id.any())).into_iter().collect()
    }

    fn narrows(&self, after: &Business) -> bool {
        let Business {
            id: _,
            name: _,
            created_at: _,
            accepted,
            limits,
            strict_visibility,
            token_lifetime_limit_s,
            deleted_at,
        } = after;
        (*strict_visibility && !self.strict_visibility)
            || (*accepted != self.accepted && accepted.is_none())
            || *limits != self.limits
            || *token_lifetime_limit_s != self.token_lifetime_limit_s
            || *deleted_at != self.deleted_at
    }
}
