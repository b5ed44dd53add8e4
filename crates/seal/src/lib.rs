//! Envelope encryption for the secrets that the product must be able to read
//! back, such as app secrets.
//!
//! One master key, kept outside the store, wraps data keys, kept inside it;
//! values are sealed by the newest data key. Changing the master key therefore
//! rewraps a few keys and touches no value. After a new data key is made, each
//! value is sealed with it when it is next written.
//!
//! This crate must never do I/O, read the environment or the clock, print a
//! secret, or return anything from a value whose seal does not verify.
//!
//! The cipher is AES-256-GCM. Key material comes from the [`Random`] that is
//! handed in, so that it can be made to fail in tests. Nonces do not: a seeded
//! source that is replayed would repeat a nonce under a live key, which breaks
//! GCM altogether, so the cipher draws them from the system source itself and
//! no caller can choose one.

mod keys;
mod ring;
mod sealed;

pub use keys::{MasterKey, WrappedKey};
pub use ring::KeyRing;
pub use sealed::{Sealed, Secret};

/// Length of the master key and of each data key, in bytes.
pub const KEY_BYTES: usize = 32;
/// Longest value that can be sealed, in bytes.
pub const PLAIN_LIMIT_BYTES: usize = 64 * 1024;
/// Longest purpose, in bytes; the shortest is one.
pub const PURPOSE_LIMIT_BYTES: usize = 64;
/// Highest data key id: both store engines keep ids as signed 64-bit numbers.
pub const KEY_ID_LIMIT: u64 = i64::MAX as u64;

/// A source of random bytes that an attacker can't predict.
pub trait Random: Send + Sync {
    /// Fills all of `target`, or fails; after a failure its contents mean nothing.
    fn fill(&self, target: &mut [u8]) -> Result<(), RandomFailed>;
}

/// The operating system's source, the one to use outside tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, target: &mut [u8]) -> Result<(), RandomFailed> {
        aws_lc_rs::rand::fill(target).map_err(|_| RandomFailed)
    }
}

/// The random source gave no usable bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the random source failed; check the system's entropy source and try again")]
pub struct RandomFailed;

/// Why something could not be sealed, opened, wrapped or unwrapped.
/// Ids are shown; no variant carries secret bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No key could be drawn.
    #[error(transparent)]
    Random(#[from] RandomFailed),
    /// The master key's text has the wrong length.
    #[error("the master key must be 64 hexadecimal digits, but it has {found} bytes")]
    MasterLength {
        /// Bytes found, without surrounding white space.
        found: usize,
    },
    /// The master key's text holds something that is not a hexadecimal digit.
    #[error("the master key must be 64 hexadecimal digits, but byte {position} is not one")]
    MasterDigit {
        /// Counted from 1, without surrounding white space.
        position: usize,
    },
    /// The master key repeats one byte, as placeholders do.
    #[error("the master key is one byte repeated, which protects nothing; use 32 random bytes, in hexadecimal")]
    MasterPlaceholder,
    /// Another master key wrapped the data keys.
    #[error(
        "the data keys are wrapped by master key {needed}, but this is master key {found}; start with master key {needed}"
    )]
    WrongMaster {
        /// Id of the master key that is needed.
        needed: String,
        /// Id of the master key that was handed in.
        found: String,
    },
    /// A master key can't be rotated to itself.
    #[error("the new master key {id} is the one in use; make another one")]
    SameMaster {
        /// Id of that key.
        id: String,
    },
    /// A wrapped data key is malformed or was altered.
    #[error("data key {key_id} is corrupted; restore it from a backup")]
    CorruptKey {
        /// The data key.
        key_id: u64,
    },
    /// Two different wrapped keys claim the same id.
    #[error("data key {key_id} is there twice, with different contents; remove the wrong one")]
    DuplicateKey {
        /// The data key.
        key_id: u64,
    },
    /// There is no id left for another data key.
    #[error("there can be no further data key after number {KEY_ID_LIMIT}")]
    KeyIdsExhausted,
    /// The ring is empty.
    #[error("there is no data key to seal with; make one first")]
    NoDataKey,
    /// The value was sealed by a key that the ring does not hold.
    #[error("data key {key_id}, which sealed this value, is not in the store; restore it from a backup")]
    UnknownKey {
        /// The data key.
        key_id: u64,
    },
    /// The purpose is empty or too long.
    #[error("a purpose must have 1 to {PURPOSE_LIMIT_BYTES} bytes, but this one has {found}")]
    PurposeLength {
        /// Bytes found.
        found: usize,
    },
    /// The value to seal is too long.
    #[error("a sealed value can have {PLAIN_LIMIT_BYTES} bytes, but this one has {found}")]
    PlainTooLong {
        /// Bytes found.
        found: usize,
    },
    /// The bytes are not a sealed value.
    #[error("this is not a sealed value: {what}; restore it from a backup")]
    Malformed {
        /// What is wrong with them.
        what: &'static str,
    },
    /// The seal does not verify.
    #[error(
        "the sealed {purpose} of record {id} does not open with data key {key_id}: it was altered, or it belongs to another record or purpose; restore it from a backup or set it anew"
    )]
    OpenFailed {
        /// Purpose it was opened for.
        purpose: String,
        /// Record it was opened for.
        id: u64,
        /// Data key that it names.
        key_id: u64,
    },
    /// The cipher itself refused to work.
    #[error("the cipher failed; the system's cryptography library is not usable")]
    Cipher,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // The exact capacity matters: growing would leave copies of a key behind.
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
