//! Sealed values, opened values, and the bytes of both: cipher, nonce and tag.
//!
//! It must never hand out plaintext before its tag has been verified.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::{KEY_BYTES, KEY_ID_LIMIT, PLAIN_LIMIT_BYTES, SealError};

pub(crate) const TAG_BYTES: usize = 16;
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 8 + NONCE_LEN;

/// A sealed value. Its bytes are: version (1), data key id (8, big-endian),
/// nonce (12), ciphertext, tag (16). What it is bound to is not inside.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    pub(crate) key_id: u64,
    pub(crate) cipher: Cipher,
}

impl Sealed {
    /// The data key that sealed it.
    pub fn key_id(&self) -> u64 {
        self.key_id
    }

    /// The stable encoding, which every later version keeps reading.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.cipher.body.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.key_id.to_be_bytes());
        bytes.extend_from_slice(&self.cipher.nonce);
        bytes.extend_from_slice(&self.cipher.body);
        bytes
    }

    /// Reads the encoding. This checks the form only; opening checks that the
    /// value is genuine.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        let malformed = |what| SealError::Malformed { what };
        let (version, rest) = bytes.split_first().ok_or(malformed("it is empty"))?;
        if *version != VERSION {
            return Err(malformed("its version is unknown"));
        }
        let (key_id, rest) = rest.split_first_chunk::<8>().ok_or(malformed("it is cut off"))?;
        let key_id = u64::from_be_bytes(*key_id);
        if !(1..=KEY_ID_LIMIT).contains(&key_id) {
            return Err(malformed("its data key id is out of range"));
        }
        let cipher = Cipher::read(rest).ok_or(malformed("it is cut off"))?;
        if cipher.body.len() - TAG_BYTES > PLAIN_LIMIT_BYTES {
            return Err(malformed("it is too long"));
        }
        Ok(Self { key_id, cipher })
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// Secret bytes, overwritten when dropped and hidden from `Debug`. It can't be
/// compared or cloned, on purpose.
pub struct Secret(pub(crate) Zeroizing<Vec<u8>>);

impl Secret {
    /// The bytes themselves. The caller is responsible for what happens to them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The same as text; `None` if it is not UTF-8.
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// Nonce, and ciphertext followed by its tag; `body` is never shorter than a tag.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cipher {
    pub(crate) nonce: [u8; NONCE_LEN],
    pub(crate) body: Vec<u8>,
}

impl Cipher {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (nonce, body) = bytes.split_first_chunk::<NONCE_LEN>()?;
        (body.len() >= TAG_BYTES).then(|| Self { nonce: *nonce, body: body.to_vec() })
    }

    pub(crate) fn seal(key: &RandomizedNonceKey, bound_to: &[u8], plain: &[u8]) -> Result<Self, SealError> {
        // The capacity includes the tag, so the buffer never moves and leaves no copy
        // of the plaintext. If the cipher fails, the buffer is overwritten when dropped.
        let mut body = Zeroizing::new(Vec::with_capacity(plain.len() + TAG_BYTES));
        body.extend_from_slice(plain);
        let nonce = key.seal_in_place_append_tag(Aad::from(bound_to), &mut *body).map_err(|_| SealError::Cipher)?;
        Ok(Self { nonce: *nonce.as_ref(), body: std::mem::take(&mut *body) })
    }

    /// `None` if the tag does not verify.
    pub(crate) fn open(&self, key: &RandomizedNonceKey, bound_to: &[u8]) -> Option<Secret> {
        let mut buffer = Zeroizing::new(self.body.clone());
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let plain_bytes = key.open_in_place(nonce, Aad::from(bound_to), &mut buffer).ok()?.len();
        buffer.truncate(plain_bytes);
        Some(Secret(buffer))
    }
}

/// The cipher over key bytes; its own copy is overwritten when it is freed.
pub(crate) fn cipher_key(bytes: &[u8; KEY_BYTES]) -> Result<RandomizedNonceKey, SealError> {
    RandomizedNonceKey::new(&AES_256_GCM, bytes).map_err(|_| SealError::Cipher)
}
