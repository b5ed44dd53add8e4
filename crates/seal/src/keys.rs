//! The master key, and data keys in the form in which the store keeps them.
//!
//! A data key must never leave this crate unwrapped, and the master key only
//! through [`MasterKey::to_hex`].

use std::fmt;

use aws_lc_rs::aead::RandomizedNonceKey;
use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::sealed::{Cipher, cipher_key};
use crate::{KEY_BYTES, KEY_ID_LIMIT, Random, RandomFailed, SealError, Secret, hex};

const ID_LABEL: &[u8] = b"valetkey/seal/v1/master-id\0";
const WRAP_LABEL: &[u8] = b"valetkey/seal/v1/wrapped-key\0";
const WRAP_VERSION: u8 = 1;
const ID_BYTES: usize = 8;

type KeyBytes = Zeroizing<[u8; KEY_BYTES]>;

/// The key that wraps all data keys. It is overwritten when dropped.
pub struct MasterKey {
    // On the heap, so that moving the key leaves no copies on the stack.
    bytes: Box<KeyBytes>,
    id: String,
}

impl MasterKey {
    /// Draws a new master key.
    pub fn generate(random: &dyn Random) -> Result<Self, SealError> {
        Ok(Self::new(draw(random)?))
    }

    /// Reads 64 hexadecimal digits in either case; white space around them,
    /// such as a file's last line break, is ignored.
    pub fn from_hex(text: &str) -> Result<Self, SealError> {
        let digits = text.trim_ascii().as_bytes();
        if digits.len() != KEY_BYTES * 2 {
            let found = digits.len();
            return Err(SealError::MasterLength { found });
        }
        let digit = |at: usize| {
            let value = digits.get(at).and_then(|d| char::from(*d).to_digit(16));
            let position = at + 1;
            value.and_then(|value| u8::try_from(value).ok()).ok_or(SealError::MasterDigit { position })
        };
        let mut bytes = Box::new(KeyBytes::default());
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = digit(at * 2)? << 4 | digit(at * 2 + 1)?;
        }
        if is_repeated(&bytes) {
            return Err(SealError::MasterPlaceholder);
        }
        Ok(Self::new(bytes))
    }

    /// The key as 64 hexadecimal digits, for the file that only its owner may read.
    pub fn to_hex(&self) -> Secret {
        Secret(Zeroizing::new(hex(&**self.bytes).into_bytes()))
    }

    /// A name for the key, 16 hexadecimal digits, which is safe to show.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn new(bytes: Box<KeyBytes>) -> Self {
        let mut labelled = Zeroizing::new(Vec::with_capacity(ID_LABEL.len() + KEY_BYTES));
        labelled.extend_from_slice(ID_LABEL);
        labelled.extend_from_slice(&**bytes);
        let hash = digest(&SHA256, &labelled);
        let id = hex(hash.as_ref().get(..ID_BYTES).unwrap_or_default());
        Self { bytes, id }
    }

    /// Draws a data key and wraps it under this id.
    pub(crate) fn new_data_key(&self, key_id: u64, random: &dyn Random) -> Result<WrappedKey, SealError> {
        self.wrap(key_id, &**draw(random)?)
    }

    pub(crate) fn wrap(&self, key_id: u64, data_key: &[u8]) -> Result<WrappedKey, SealError> {
        let cipher = Cipher::seal(&cipher_key(&self.bytes)?, &self.bound_to(key_id), data_key)?;
        let mut bytes = vec![WRAP_VERSION];
        bytes.extend_from_slice(&cipher.nonce);
        bytes.extend_from_slice(&cipher.body);
        let master_id = self.id.clone();
        Ok(WrappedKey { key_id, master_id, bytes })
    }

    pub(crate) fn unwrap_key(&self, wrapped: &WrappedKey) -> Result<Secret, SealError> {
        let key_id = wrapped.key_id;
        let corrupt = SealError::CorruptKey { key_id };
        if !(1..=KEY_ID_LIMIT).contains(&key_id) || !is_master_id(&wrapped.master_id) {
            return Err(corrupt);
        }
        self.check_id(&wrapped.master_id)?;
        let Some((&WRAP_VERSION, rest)) = wrapped.bytes.split_first() else {
            return Err(corrupt);
        };
        let key = cipher_key(&self.bytes)?;
        Cipher::read(rest).and_then(|cipher| cipher.open(&key, &self.bound_to(key_id))).ok_or(corrupt)
    }

    /// Unwraps straight into a cipher, so that the key bytes are not kept in memory longer.
    pub(crate) fn unwrap_cipher(&self, wrapped: &WrappedKey) -> Result<RandomizedNonceKey, SealError> {
        let key_id = wrapped.key_id;
        let secret = self.unwrap_key(wrapped)?;
        let bytes = secret.expose().as_array::<KEY_BYTES>();
        cipher_key(bytes.ok_or(SealError::CorruptKey { key_id })?)
    }

    pub(crate) fn check_id(&self, needed: &str) -> Result<(), SealError> {
        if self.id == needed {
            return Ok(());
        }
        Err(SealError::WrongMaster { needed: needed.to_owned(), found: self.id.clone() })
    }

    fn bound_to(&self, key_id: u64) -> Vec<u8> {
        [WRAP_LABEL, &key_id.to_be_bytes(), self.id.as_bytes()].concat()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A data key as the store keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Its number, from 1 to [`KEY_ID_LIMIT`]; the highest one seals.
    pub key_id: u64,
    /// [`MasterKey::id`] of the key that wrapped it.
    pub master_id: String,
    /// Version (1), nonce (12), encrypted key (32), tag (16).
    pub bytes: Vec<u8>,
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKey")
            .field("key_id", &self.key_id)
            .field("master_id", &self.master_id)
            .finish_non_exhaustive()
    }
}

fn draw(random: &dyn Random) -> Result<Box<KeyBytes>, SealError> {
    let mut bytes = Box::new(KeyBytes::default());
    random.fill(&mut **bytes)?;
    // A broken source that reports success without writing would otherwise make a key
    // that everyone knows. A good source repeats one byte 32 times once in 2^248 draws.
    if is_repeated(&bytes) {
        return Err(RandomFailed.into());
    }
    Ok(bytes)
}

fn is_repeated(bytes: &[u8; KEY_BYTES]) -> bool {
    bytes.iter().all(|byte| *byte == bytes[0])
}

/// A master id is shown in errors, so it must have exactly this form.
fn is_master_id(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == ID_BYTES * 2 && text.bytes().all(digit)
}
