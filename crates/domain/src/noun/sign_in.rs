//! A sign-in code: a single-use credential that lets a person in.

use serde::{Deserialize, Serialize};

use super::Noun;
use crate::credential::Digest;
use crate::{BusinessId, Id, List, RecordKey, UnixMs, UserId};

/// A code that waits to be redeemed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInCode {
    pub digest: Digest,
    pub person: UserId,
    pub business: BusinessId,
    pub created_at: UnixMs,
    pub expires_at: UnixMs,
    /// The ADMIN who made it; `None` for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
}

impl Noun for SignInCode {
    fn key(&self) -> RecordKey {
        RecordKey::SignInCode(self.digest)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        Vec::new()
    }

    /// A code is made and removed, never changed; a change takes its old meaning away.
    fn narrows(&self, _: &SignInCode) -> bool {
        true
    }
}
