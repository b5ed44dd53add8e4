//! The data keys in use: sealing with the newest, opening with any, and
//! rotating both sorts of keys.
//!
//! A ring must never seal with a key that the store might not have kept, and
//! never open a value for another record or purpose than it was sealed for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::RandomizedNonceKey;

use crate::sealed::Cipher;
use crate::{
    KEY_ID_LIMIT, MasterKey, PLAIN_LIMIT_BYTES, PURPOSE_LIMIT_BYTES, Random, SealError, Sealed, Secret, WrappedKey,
};

const VALUE_LABEL: &[u8] = b"valetkey/seal/v1/value\0";

/// All data keys of one store, under one master key. Cloning is cheap and
/// shares the keys, so that a changed ring can be swapped in whole.
///
/// Nonces are random, so a data key should seal at most 2^32 values; that is
/// far beyond what secrets need, and a new data key starts the count again.
#[derive(Clone)]
pub struct KeyRing {
    master_id: String,
    keys: BTreeMap<u64, Arc<DataKey>>,
}

struct DataKey {
    wrapped: WrappedKey,
    cipher: RandomizedNonceKey,
}

impl KeyRing {
    /// Opens every key that the store holds, or fails and names the one that does
    /// not open. Without keys the ring is empty and can't seal yet.
    pub fn open(master: &MasterKey, wrapped: impl IntoIterator<Item = WrappedKey>) -> Result<Self, SealError> {
        let mut ring = Self { master_id: master.id().to_owned(), keys: BTreeMap::new() };
        for key in wrapped {
            ring.add(master, key)?;
        }
        Ok(ring)
    }

    /// Draws the next data key. The ring does not use it yet: store it first,
    /// then [`add`](Self::add) it. Otherwise values could be sealed by a key
    /// that a failed commit has lost.
    pub fn new_data_key(&self, master: &MasterKey, random: &dyn Random) -> Result<WrappedKey, SealError> {
        master.check_id(&self.master_id)?;
        let newest = self.current_key_id().unwrap_or(0);
        if newest >= KEY_ID_LIMIT {
            return Err(SealError::KeyIdsExhausted);
        }
        master.new_data_key(newest + 1, random)
    }

    /// Adds a key that the store has kept; if it is the newest, it seals from
    /// now on. Adding the same key again changes nothing.
    pub fn add(&mut self, master: &MasterKey, wrapped: WrappedKey) -> Result<(), SealError> {
        let key_id = wrapped.key_id;
        master.check_id(&self.master_id)?;
        if let Some(there) = self.keys.get(&key_id) {
            let same = there.wrapped == wrapped;
            return same.then_some(()).ok_or(SealError::DuplicateKey { key_id });
        }
        let cipher = master.unwrap_cipher(&wrapped)?;
        let key = Arc::new(DataKey { wrapped, cipher });
        self.keys.insert(key_id, key);
        Ok(())
    }

    /// Id of the master key that the ring was opened with.
    pub fn master_id(&self) -> &str {
        &self.master_id
    }

    /// Id of the key that seals; `None` if the ring is empty.
    pub fn current_key_id(&self) -> Option<u64> {
        self.keys.keys().next_back().copied()
    }

    /// Seals `plain` for one purpose of one record; it opens for no other.
    pub fn seal(&self, purpose: &str, id: u64, plain: &[u8]) -> Result<Sealed, SealError> {
        let found = plain.len();
        if found > PLAIN_LIMIT_BYTES {
            return Err(SealError::PlainTooLong { found });
        }
        let newest = self.keys.last_key_value();
        let (&key_id, key) = newest.ok_or(SealError::NoDataKey)?;
        let cipher = Cipher::seal(&key.cipher, &bound_to(purpose, id, key_id)?, plain)?;
        Ok(Sealed { key_id, cipher })
    }

    /// Opens what was sealed for the same purpose of the same record.
    pub fn unseal(&self, purpose: &str, id: u64, sealed: &Sealed) -> Result<Secret, SealError> {
        let key_id = sealed.key_id;
        let bound_to = bound_to(purpose, id, key_id)?;
        let key = self.keys.get(&key_id);
        let key = key.ok_or(SealError::UnknownKey { key_id })?;
        let secret = sealed.cipher.open(&key.cipher, &bound_to);
        secret.ok_or_else(|| SealError::OpenFailed { purpose: purpose.to_owned(), id, key_id })
    }

    /// Whether an older key than the current one sealed it. A value of a newer
    /// key, which another node may have made, is left alone.
    pub fn needs_reseal(&self, sealed: &Sealed) -> bool {
        self.current_key_id().is_some_and(|current| sealed.key_id < current)
    }

    /// Wraps every data key by another master key; values stay as they are.
    ///
    /// The ring does not change. Keep the new master key beside the old one
    /// first, then replace all wrapped keys in one commit, then open a ring
    /// from them and drop the old master key. After a crash, their `master_id`
    /// says which of the two is needed.
    pub fn rewrap_all(&self, old: &MasterKey, new: &MasterKey) -> Result<Vec<WrappedKey>, SealError> {
        old.check_id(&self.master_id)?;
        if old.id() == new.id() {
            let id = new.id().to_owned();
            return Err(SealError::SameMaster { id });
        }
        let rewrap = |(&key_id, key): (&u64, &Arc<DataKey>)| new.wrap(key_id, old.unwrap_key(&key.wrapped)?.expose());
        self.keys.iter().map(rewrap).collect()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("master_id", &self.master_id).field("key_ids", &self.keys.keys()).finish()
    }
}

/// What a value is bound to. The purpose is preceded by its length, so that no
/// two triples give the same bytes.
fn bound_to(purpose: &str, id: u64, key_id: u64) -> Result<Vec<u8>, SealError> {
    let found = purpose.len();
    let length = u8::try_from(found).unwrap_or(0);
    if length == 0 || found > PURPOSE_LIMIT_BYTES {
        return Err(SealError::PurposeLength { found });
    }
    let mut bytes = VALUE_LABEL.to_vec();
    bytes.push(length);
    bytes.extend_from_slice(purpose.as_bytes());
    bytes.extend_from_slice(&id.to_be_bytes());
    bytes.extend_from_slice(&key_id.to_be_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsRandom;

    /// Only the owner of the master key can make a key with the last number, so
    /// no outsider can bring this about.
    #[test]
    fn numbering_ends_instead_of_wrapping_around() {
        let master = MasterKey::generate(&OsRandom).unwrap();
        let last = master.new_data_key(KEY_ID_LIMIT, &OsRandom).unwrap();
        let ring = KeyRing::open(&master, [last]).unwrap();
        let next = ring.new_data_key(&master, &OsRandom);
        assert_eq!(next, Err(SealError::KeyIdsExhausted));
    }
}
