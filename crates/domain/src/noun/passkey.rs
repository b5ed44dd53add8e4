//! A passkey: a public key that a human registered, with which it signs in.

use serde::{Deserialize, Serialize};

use super::Noun;
use crate::credential::Digest;
use crate::{HumanId, Id, List, Name, PasskeyId, RecordKey, UnixMs};

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    pub id: PasskeyId,
    pub human: HumanId,
    /// The id that the authenticator gave it, no secret; no other passkey has it, whoever it belongs to.
    #[serde(with = "super::hex")]
    pub credential: Vec<u8>,
    /// What its human calls it.
    pub name: Name,
    /// The public key with its counter and marks, as JSON. This crate never reads it.
    pub data: String,
    pub created_at: UnixMs,
    pub last_used_at: Option<UnixMs>,
}

impl Passkey {
    /// What a passkey is looked up by: the SHA-256 of the credential's id.
    pub fn credential_digest(&self) -> Digest {
        Digest::of_bytes(&self.credential)
    }
}

impl Noun for Passkey {
    fn key(&self) -> RecordKey {
        RecordKey::Passkey(self.id)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        vec![(List::PasskeysOf(self.human), self.id.any())]
    }

    /// New data may hold another key or a greater counter, with which the old ones are worth nothing.
    fn narrows(&self, after: &Passkey) -> bool {
        let Passkey { id: _, human, credential, name: _, data, created_at: _, last_used_at: _ } = after;
        *human != self.human || *credential != self.credential || *data != self.data
    }
}
