//! Request ids, which are also `fbtrace_id`s: an `A` and 21 characters of base62, which can be
//! pasted anywhere. They grant nothing and must never contain anything that the caller sent.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use aws_lc_rs::digest;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 22;
/// Ten digits of base62 fit one 64-bit number, so two wide divisions are enough.
const TEN_DIGITS: u128 = 62u128.pow(10);

/// The id of one request: 22 letters and digits, the first an `A`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; LENGTH]);

impl RequestId {
    /// An id of 16 random bytes; of their 128 bits it keeps 125.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let mut text = [b'A'; LENGTH];
        let number = u128::from_be_bytes(bytes);
        let (rest, low) = (number / TEN_DIGITS, number % TEN_DIGITS);
        let (top, middle) = (rest / TEN_DIGITS, rest % TEN_DIGITS);
        spell(low as u64, &mut text[12..22]);
        spell(middle as u64, &mut text[2..12]);
        spell((top % 62) as u64, &mut text[1..2]);
        Self(text)
    }

    /// Reads an id that was printed before; `None` if it can't be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
        let ours = bytes[0] == b'A' && bytes.iter().all(u8::is_ascii_alphanumeric);
        ours.then_some(Self(bytes))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        // The bytes are always ASCII, so the fallback is never used.
        std::str::from_utf8(&self.0).unwrap_or("A")
    }
}

fn spell(mut number: u64, into: &mut [u8]) {
    for place in into.iter_mut().rev() {
        *place = ALPHABET[(number % 62) as usize];
        number /= 62;
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where request ids come from; handed in, so that tests can know them.
pub trait IdSource: Send + Sync + 'static {
    /// A new id. Called from many threads at once.
    fn next_id(&self) -> RequestId;
}

/// Ids made by hashing a secret seed with a counter: no lock, no system call, and
/// nobody can guess the next id from one.
pub struct SeededIds {
    seed: [u8; 32],
    counter: AtomicU64,
}

impl SeededIds {
    /// Starts a sequence. The seed has to be random and fresh for each start of
    /// the server, or ids repeat.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: AtomicU64::new(0) }
    }
}

impl IdSource for SeededIds {
    fn next_id(&self) -> RequestId {
        let number = self.counter.fetch_add(1, Relaxed);
        let mut input = [0u8; 40];
        input[..32].copy_from_slice(&self.seed);
        input[32..].copy_from_slice(&number.to_be_bytes());
        let digest = digest::digest(&digest::SHA256, &input);
        let mut bytes = [0u8; 16];
        for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        RequestId::from_bytes(bytes)
    }
}

impl fmt::Debug for SeededIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeededIds").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_have_one_shape_and_survive_printing() {
        for bytes in [[0u8; 16], [0xff; 16], *b"0123456789abcdef"] {
            let id = RequestId::from_bytes(bytes);
            assert_eq!(id.as_str().len(), 22);
            assert!(id.as_str().starts_with('A'));
            assert_eq!(RequestId::parse(id.as_str()), Some(id));
        }
        assert_eq!(RequestId::from_bytes([0; 16]).as_str(), "A000000000000000000000");
        assert_eq!(RequestId::parse("A00000000000000000000-"), None);
        assert_eq!(RequestId::parse("B000000000000000000000"), None);
        assert_eq!(RequestId::parse("A0"), None);
    }

    #[test]
    fn a_sequence_is_set_by_its_seed_and_never_repeats() {
        let (one, same, other) = (SeededIds::new([1; 32]), SeededIds::new([1; 32]), SeededIds::new([2; 32]));
        let ids: Vec<_> = (0..1_000).map(|_| one.next_id()).collect();
        assert_eq!(ids[0], same.next_id());
        assert_ne!(ids[0], other.next_id());
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1_000);
    }
}
