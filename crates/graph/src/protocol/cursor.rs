//! Opaque page cursors: the sort key of a row, as URL-safe text. A cursor carries a checksum that
//! also covers the list it was made for, so that a cursor of another list, or any other text, is
//! rejected. It grants nothing and hides nothing: a forged cursor only chooses where a page starts,
//! and every row is still decided on its own.

use aws_lc_rs::digest;

use super::envelope::{self, GraphError};

/// The most values that a sort key has.
pub const MAX_KEYS: usize = 3;
const CHECK_BYTES: usize = 4;
const KEY_BYTES: usize = 9;
const FORMAT: u8 = 1;
/// The longest cursor text, in bytes.
pub const MAX_CURSOR_BYTES: usize = (2 + MAX_KEYS * KEY_BYTES + CHECK_BYTES).div_ceil(3) * 4;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// One value of a sort key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// An id, a count, a revision.
    Unsigned(u64),
    /// A time in milliseconds since 1970, or another signed number.
    Signed(i64),
}

impl From<u64> for Key {
    fn from(value: u64) -> Self {
        Self::Unsigned(value)
    }
}

impl From<i64> for Key {
    fn from(value: i64) -> Self {
        Self::Signed(value)
    }
}

/// The place of a row in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    keys: Vec<Key>,
}

impl Cursor {
    /// A cursor at a sort key. Values beyond [`MAX_KEYS`] are not kept; no
    /// list sorts by more.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        Self { keys: keys.into_iter().take(MAX_KEYS).collect() }
    }

    /// The sort key.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The key, if it is one unsigned value.
    #[must_use]
    pub fn single_id(&self) -> Option<u64> {
        match self.keys.as_slice() {
            [Key::Unsigned(id)] => Some(*id),
            _ => None,
        }
    }

    /// The cursor's text for the list `list_tag` (any stable name of the
    /// list; it may hold the node's id).
    #[must_use]
    pub fn encode(&self, list_tag: &str) -> String {
        let mut bytes = Vec::with_capacity(MAX_CURSOR_BYTES);
        bytes.push(FORMAT);
        for key in &self.keys {
            let (kind, value) = match key {
                Key::Unsigned(value) => (0, value.to_be_bytes()),
                Key::Signed(value) => (1, value.to_be_bytes()),
            };
            bytes.push(kind);
            bytes.extend_from_slice(&value);
        }
        let check = checksum(list_tag, &bytes);
        bytes.extend_from_slice(&check);
        to_text(&bytes)
    }

    /// Reads a cursor that was made for the list `list_tag`.
    ///
    /// # Errors
    /// `(#100) Invalid cursor` for any other text.
    pub fn decode(list_tag: &str, text: &str) -> Result<Self, GraphError> {
        Self::read(list_tag, text).ok_or_else(envelope::invalid_cursor)
    }

    fn read(list_tag: &str, text: &str) -> Option<Self> {
        if text.len() > MAX_CURSOR_BYTES {
            return None;
        }
        let bytes = from_text(text)?;
        let (payload, check) = bytes.split_last_chunk::<CHECK_BYTES>()?;
        if checksum(list_tag, payload) != *check {
            return None;
        }
        let (format, keys) = payload.split_first()?;
        if *format != FORMAT || keys.len() % KEY_BYTES != 0 || keys.len() > MAX_KEYS * KEY_BYTES {
            return None;
        }
        let keys: Option<Vec<Key>> = keys.chunks_exact(KEY_BYTES).map(read_key).collect();
        Some(Self { keys: keys? })
    }
}

fn read_key(bytes: &[u8]) -> Option<Key> {
    let (kind, value) = bytes.split_first()?;
    let value: [u8; 8] = value.try_into().ok()?;
    match kind {
        0 => Some(Key::Unsigned(u64::from_be_bytes(value))),
        1 => Some(Key::Signed(i64::from_be_bytes(value))),
        _ => None,
    }
}

/// The tag's length goes first, so that no other split into tag and payload has the same checksum.
fn checksum(list_tag: &str, payload: &[u8]) -> [u8; CHECK_BYTES] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&u64::try_from(list_tag.len()).unwrap_or(u64::MAX).to_be_bytes());
    context.update(list_tag.as_bytes());
    context.update(payload);
    let mut check = [0; CHECK_BYTES];
    for (to, from) in check.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    check
}

fn to_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0u8; 4];
        for (to, from) in group.iter_mut().skip(1).zip(chunk) {
            *to = *from;
        }
        let bits = u32::from_be_bytes(group);
        for index in 0..=chunk.len() {
            let sextet = (bits >> (18 - 6 * index)) & 63;
            let letter = usize::try_from(sextet).ok().and_then(|at| ALPHABET.get(at));
            text.extend(letter.map(|byte| char::from(*byte)));
        }
    }
    text
}

/// Reads only text that [`to_text`] writes: no padding, no loose end bits.
fn from_text(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for letter in chunk {
            let sextet = ALPHABET.iter().position(|known| known == letter)?;
            bits = bits << 6 | u32::try_from(sextet).ok()?;
        }
        let missing = 4 - chunk.len();
        let kept = 3usize.checked_sub(missing)?;
        let bits = bits << (6 * missing);
        let group = bits.to_be_bytes();
        bytes.extend(group.iter().skip(1).take(kept));
        if kept == 0 || group.iter().skip(1 + kept).any(|byte| *byte != 0) {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = Key> {
        prop_oneof![any::<u64>().prop_map(Key::Unsigned), any::<i64>().prop_map(Key::Signed)]
    }

    #[test]
    fn a_cursor_is_short_url_safe_text() {
        let text = Cursor::new([Key::Signed(-5), Key::Unsigned(u64::MAX)]).encode("feed");
        insta::assert_snapshot!(text, @"AQH_________-wD__________3cTA7s");
        assert!(text.len() <= MAX_CURSOR_BYTES);
    }

    #[test]
    fn strangers_text_and_other_lists_are_refused() {
        let cursor = Cursor::new([Key::from(7u64)]);
        let text = cursor.encode("campaigns");
        assert_eq!(Cursor::decode("campaigns", &text), Ok(cursor));
        let longer = format!("{text}A");
        let cut = text.get(1..).unwrap_or_default();
        for wrong in ["", "MTAxNTExOTQ1MjAwNzI5NDE=", "abc", "é", "A", &longer, cut] {
            assert_eq!(Cursor::decode("campaigns", wrong), Err(envelope::invalid_cursor()), "{wrong}");
        }
        for other in ["adsets", "Campaigns", ""] {
            assert_eq!(Cursor::decode(other, &text), Err(envelope::invalid_cursor()));
        }
        assert_eq!(Cursor::decode("campaigns", &"A".repeat(100_000)), Err(envelope::invalid_cursor()));
    }

    #[test]
    fn a_well_summed_payload_of_another_shape_is_refused() {
        for payload in [vec![], vec![2], vec![1, 0], vec![1, 7, 0, 0, 0, 0, 0, 0, 0, 0]] {
            let mut bytes = payload.clone();
            bytes.extend(checksum("t", &payload));
            assert_eq!(Cursor::read("t", &to_text(&bytes)), None, "{payload:?}");
        }
    }

    proptest! {
        #[test]
        fn every_cursor_reads_back(keys in proptest::collection::vec(key(), 0..=3), tag in "\\PC{0,30}") {
            let cursor = Cursor::new(keys);
            let text = cursor.encode(&tag);
            prop_assert!(text.bytes().all(|byte| ALPHABET.contains(&byte)));
            prop_assert_eq!(Cursor::decode(&tag, &text), Ok(cursor));
        }

        #[test]
        fn one_changed_letter_is_noticed(keys in proptest::collection::vec(key(), 0..=3), at in 0usize..60, to in 0usize..64) {
            let mut text = Cursor::new(keys).encode("t").into_bytes();
            let at = at % text.len();
            prop_assume!(text[at] != ALPHABET[to]);
            text[at] = ALPHABET[to];
            prop_assert!(Cursor::decode("t", &String::from_utf8(text).unwrap()).is_err());
        }

        #[test]
        fn no_text_panics(text in "[A-Za-z0-9_=+/-]{0,60}|\\PC{0,60}") {
            prop_assert!(Cursor::decode("t", &text).is_err());
        }

        #[test]
        fn bytes_survive_the_text(bytes: Vec<u8>) {
            prop_assert_eq!(from_text(&to_text(&bytes)), Some(bytes));
        }
    }
}
