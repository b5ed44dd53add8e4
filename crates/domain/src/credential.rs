//! The text of credentials, and its SHA-256, which is all that is ever stored of it.
//!
//! Form: a seven-character prefix (`vkeysu_`, `vkeypg_`, `vkeyus_`, `vkeyco_`), 33 base62 characters
//! for 192 random bits, and a 6-character checksum. For scanners:
//! `vkey(su|pg|us|co)_[0-9A-Za-z]{39}`. A text never goes into a log, an error or `Debug`.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use serde::{Deserialize, Serialize};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PREFIX_CHARS: usize = 7;
const RANDOM_CHARS: usize = 33;
const CHECKSUM_CHARS: usize = 6;
/// The length of every credential text.
pub const CREDENTIAL_CHARS: usize = PREFIX_CHARS + RANDOM_CHARS + CHECKSUM_CHARS;
/// How many random bytes a credential is made of: 192 bits.
pub const RANDOM_BYTES: usize = 24;

/// What a credential is for; the prefix says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CredentialKind {
    /// A token of a system user for an app.
    SystemUser,
    /// A token of one Page, derived from a system user's or a person's.
    Page,
    /// A person's short-lived token.
    User,
    /// A single-use sign-in code.
    Code,
}

impl CredentialKind {
    fn prefix(self) -> &'static str {
        match self {
            CredentialKind::SystemUser => "vkeysu_",
            CredentialKind::Page => "vkeypg_",
            CredentialKind::User => "vkeyus_",
            CredentialKind::Code => "vkeyco_",
        }
    }

    fn of(text: &str) -> Option<CredentialKind> {
        [CredentialKind::SystemUser, CredentialKind::Page, CredentialKind::User, CredentialKind::Code]
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix()))
    }
}

/// A credential in the clear. It is shown once and never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialText(String);

impl CredentialText {
    /// The text made of random bytes.
    pub fn from_random(kind: CredentialKind, random: &[u8; RANDOM_BYTES]) -> CredentialText {
        let mut text = String::with_capacity(CREDENTIAL_CHARS);
        text.push_str(kind.prefix());
        push_base62(&mut text, random);
        let sum = checksum(text.as_bytes());
        push_digits(&mut text, u128::from(sum), CHECKSUM_CHARS);
        CredentialText(text)
    }

    /// The token of a Page, derived so that the same parent gives the same text until the counter is
    /// raised. Without a counter it is the text that versions before it gave.
    pub fn for_page(parent: &str, page: crate::AssetId, counter: u64) -> CredentialText {
        let key = hmac::Key::new(hmac::HMAC_SHA256, parent.as_bytes());
        // An id is all digits, so no id with a counter is another id.
        let message = if counter == 0 { page.to_string() } else { format!("{page}/{counter}") };
        let tag = hmac::sign(&key, message.as_bytes());
        let mut bytes = [0u8; RANDOM_BYTES];
        for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        CredentialText::from_random(CredentialKind::Page, &bytes)
    }

    /// The text, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

impl fmt::Debug for CredentialText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialText(…)")
    }
}

/// Checks form and checksum, without any look-up. `None` means that the text is cut off,
/// mistyped, or not ours.
pub fn read(text: &str) -> Option<CredentialKind> {
    let bytes: &[u8; CREDENTIAL_CHARS] = text.as_bytes().try_into().ok()?;
    let kind = CredentialKind::of(text)?;
    let (body, sum) = bytes.split_at(CREDENTIAL_CHARS - CHECKSUM_CHARS);
    // Looked at to the end: in random text a way out at each byte is guessed wrong too often.
    if !bytes[PREFIX_CHARS..].iter().fold(true, |all, byte| all & is_digit(*byte)) {
        return None;
    }
    // Read rather than written, for reading the digits doesn't wait for the sum. It is public
    // arithmetic over the text itself, so nothing is lost by comparing it in ordinary time.
    let found = sum.iter().fold(0, |value, byte| value * 62 + u64::from(VALUES[usize::from(*byte)]));
    (found == u64::from(checksum(body))).then_some(kind)
}

/// Whether a text holds what looks like a credential, or the beginning of one.
pub fn is_within(text: &str) -> bool {
    [CredentialKind::SystemUser, CredentialKind::Page, CredentialKind::User, CredentialKind::Code]
        .into_iter()
        .any(|kind| text.contains(kind.prefix()))
}

/// The value of each digit of the alphabet.
static VALUES: [u8; 256] = {
    let mut values = [0; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Whether a byte is of the alphabet, without a branch.
const fn is_digit(byte: u8) -> bool {
    (byte.wrapping_sub(b'0') < 10) | ((byte | 0x20).wrapping_sub(b'a') < 26)
}

/// SHA-256 of a credential's text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Hashes a text.
    pub fn of(text: &str) -> Digest {
        Digest::of_bytes(text.as_bytes())
    }

    /// Hashes bytes.
    pub fn of_bytes(bytes: &[u8]) -> Digest {
        let hash = digest::digest(&digest::SHA256, bytes);
        let mut out = [0u8; 32];
        out.copy_from_slice(hash.as_ref());
        Digest(out)
    }

    /// Reads the stored form.
    pub fn from_slice(bytes: &[u8]) -> Option<Digest> {
        bytes.try_into().ok().map(Digest)
    }

    /// Lower-case hexadecimal.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Four bytes tell two apart in a test's output and are of no use to anyone else.
        write!(f, "Digest({:02x}{:02x}{:02x}{:02x}…)", self.0[0], self.0[1], self.0[2], self.0[3])
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let bytes: Option<Vec<u8>> = (text.len() == 64 && text.is_ascii())
            .then(|| (0..32).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()).collect())
            .flatten();
        bytes
            .and_then(|b| Digest::from_slice(&b))
            .ok_or_else(|| serde::de::Error::custom("not a SHA-256 in hexadecimal"))
    }
}

/// `HMAC-SHA256(key = app secret, message = token text)` in lower-case hexadecimal.
pub fn app_secret_proof(secret: &[u8], token_text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    hmac::sign(&key, token_text.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// CRC-32 (IEEE), eight bytes at a step, since every check begins with it. It finds mistyped and
/// cut-off texts; it protects against nobody.
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        let word = u64::from_le_bytes(*eight) ^ u64::from(crc);
        crc = 0;
        for (at, table) in CRC_TABLES.iter().rev().enumerate() {
            crc ^= table[usize::from((word >> (8 * at)) as u8)];
        }
    }
    for byte in rest {
        crc = CRC_TABLES[0][usize::from((crc as u8) ^ byte)] ^ (crc >> 8);
    }
    !crc
}

/// The table of one byte, then those of a byte with one to seven bytes behind it.
static CRC_TABLES: [[u32; 256]; 8] = crc_tables();

const fn crc_tables() -> [[u32; 256]; 8] {
    let mut tables = [[0u32; 256]; 8];
    let mut i = 0;
    while i < 256 {
        let mut value = i as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xEDB8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        tables[0][i] = value;
        i += 1;
    }
    let mut behind = 1;
    while behind < 8 {
        let mut i = 0;
        while i < 256 {
            let before = tables[behind - 1][i];
            tables[behind][i] = tables[0][(before & 0xFF) as usize] ^ (before >> 8);
            i += 1;
        }
        behind += 1;
    }
    tables
}

fn push_base62(text: &mut String, bytes: &[u8; RANDOM_BYTES]) {
    // 192 bits as three 64-bit pieces of 11 digits each: 62^11 exceeds 2^64, so no bit is lost.
    for piece in bytes.chunks_exact(8) {
        let mut word = [0u8; 8];
        word.copy_from_slice(piece);
        push_digits(text, u128::from(u64::from_be_bytes(word)), RANDOM_CHARS / 3);
    }
}

fn push_digits(text: &mut String, mut value: u128, chars: usize) {
    let mut digits = [b'0'; 16];
    for slot in digits.iter_mut().take(chars).rev() {
        *slot = ALPHABET[(value % 62) as usize];
        value /= 62;
    }
    text.extend(digits.iter().take(chars).map(|b| char::from(*b)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_checksum_is_crc32() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
        assert_eq!(checksum(b"The quick brown fox jumps over the lazy dog"), 0x414F_A339);
    }

    #[test]
    fn the_proof_matches_a_known_vector() {
        // RFC 4231, test case 2.
        assert_eq!(
            app_secret_proof(b"Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn page_texts_depend_on_parent_page_and_counter_alone() {
        let page = crate::AssetId::new(77).unwrap();
        let other = crate::AssetId::new(78).unwrap();
        let first = CredentialText::for_page("parent", page, 0);
        assert_eq!(first, CredentialText::for_page("parent", page, 0));
        assert_ne!(first, CredentialText::for_page("parent", other, 0));
        assert_ne!(first, CredentialText::for_page("parenu", page, 0));
        // Worked out by another program: tokens of earlier versions live on.
        assert_eq!(first.reveal(), "vkeypg_FhVsSVflmZN7ygzCGOubdgBrAbzv51qzs14DxsV");
        let second = CredentialText::for_page("parent", page, 1);
        assert_eq!(second.reveal(), "vkeypg_BYYuTtWK0eY1VT4PJMCiuqDMI76gK97LE0CW088");
        assert_ne!(second, first);
        assert_ne!(second, CredentialText::for_page("parent", page, 2));
        assert_ne!(second, CredentialText::for_page("parent", other, 1));
        assert_eq!(read(first.reveal()), Some(CredentialKind::Page));
    }

    proptest! {
        #[test]
        fn texts_are_read_back_and_any_one_change_is_noticed(random in any::<[u8; 24]>(), at in 0usize..46, to in 0u8..62) {
            let text = CredentialText::from_random(CredentialKind::SystemUser, &random);
            prop_assert_eq!(text.reveal().len(), CREDENTIAL_CHARS);
            prop_assert_eq!(read(text.reveal()), Some(CredentialKind::SystemUser));
            let mut bytes = text.reveal().as_bytes().to_vec();
            let new = ALPHABET[usize::from(to)];
            if bytes[at] != new {
                bytes[at] = new;
                prop_assert_eq!(read(std::str::from_utf8(&bytes).unwrap()), None);
            }
            prop_assert_eq!(read(&text.reveal()[..at]), None);
            let shown = format!("{text:?}");
            prop_assert!(!shown.contains(&text.reveal()[7..40]));
        }

        #[test]
        fn reading_is_total(text in ".{0,60}") {
            let _ = read(&text);
        }
    }
}
