//! A human: one human being who signs in, whoever it works for. The people of businesses are its entries.
//!
//! Its factors stand here: password, one-time codes, recovery codes. Nothing that opens anything stands
//! here in the clear: the password's hash and the seed are sealed, and codes are SHA-256.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Noun;
use super::app::SealedSecret;
use crate::credential::Digest;
use crate::{HumanId, Id, List, RecordKey, UnixMs};

/// How many bytes a handle has.
pub const HANDLE_BYTES: usize = 16;

/// The hash of a password as a PHC string, sealed: the ledger keeps each version of a record, and who
/// reads the ledger must not be able to guess passwords at leisure.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub SealedSecret);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// One-time codes by time (TOTP), confirmed by a first code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    pub seed: SealedSecret,
    /// The step of the last code that was used. Neither it nor an earlier one works again.
    pub last_step: Option<i64>,
    pub confirmed_at: UnixMs,
}

/// A human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Human {
    pub id: HumanId,
    /// Lower case; no other human has it.
    pub email: String,
    /// The random name by which authenticators tell the accounts of this server apart. It is not made from
    /// the address.
    pub handle: [u8; 16],
    pub password: Option<PasswordHash>,
    pub totp: Option<Totp>,
    /// SHA-256 of the recovery codes that are not used yet.
    pub recovery_codes: Vec<Digest>,
    pub created_at: UnixMs,
    pub updated_at: UnixMs,
}

impl Noun for Human {
    fn key(&self) -> RecordKey {
        RecordKey::Human(self.id)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        Vec::new()
    }

    /// A factor that is replaced or taken away opens nothing any more. With one-time codes, the password
    /// alone opens nothing, so that they narrow by being added too.
    fn narrows(&self, after: &Human) -> bool {
        let Human { id: _, email, handle, password, totp, recovery_codes, created_at: _, updated_at: _ } = after;
        *email != self.email
            || *handle != self.handle
            || (self.password.is_some() && *password != self.password)
            || *totp != self.totp
            || !self.recovery_codes.iter().all(|code| recovery_codes.contains(code))
    }
}
