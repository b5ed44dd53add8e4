//! Small text helpers that several protocol modules share: echoing what the
//! caller sent, guessing the name that was meant, and lenient
//! percent-decoding. An echo must never repeat a credential.

use std::borrow::Cow;

use valetkey_http::mask;

/// The longest piece of caller text that an error repeats, in characters.
pub const ECHO_LIMIT_CHARS: usize = 200;
/// Names longer than this, in characters, get no suggestion.
const NEAREST_LIMIT_CHARS: usize = 64;

/// A run of this length that mixes at least two of digits, capitals and small letters may be a
/// cut-off token or an app's secret. Ids and names have no such mixture.
const OPAQUE_RUN_BYTES: usize = 20;
/// How often an echo is decoded while looking for a credential in it.
const DECODINGS: usize = 4;

/// The text as an error may repeat it: credentials masked, and cut after [`ECHO_LIMIT_CHARS`]
/// characters. [`mask`] defines what a credential looks like and which parameters carry one.
#[must_use]
pub fn echo(text: &str) -> Cow<'_, str> {
    // Only the part that an echo could show is masked.
    let window = text.char_indices().nth(ECHO_LIMIT_CHARS * 2).map_or(text, |(end, _)| text.get(..end).unwrap_or(text));
    match mask_encoded(window) {
        Some(masked) => Cow::Owned(cut(&masked).unwrap_or(masked)),
        None => cut(text).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

/// Whether an error may not repeat the text as it is, because it holds a credential.
#[must_use]
pub fn holds_credential(text: &str) -> bool {
    mask_encoded(text).is_some()
}

fn cut(text: &str) -> Option<String> {
    let (end, _) = text.char_indices().nth(ECHO_LIMIT_CHARS)?;
    Some(format!("{}…", text.get(..end).unwrap_or_default()))
}

/// The text without its credentials, even if they are encoded several times; `None` if it has none.
fn mask_encoded(text: &str) -> Option<String> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..DECODINGS {
        if let Some(masked) = mask_words(&text) {
            return Some(masked);
        }
        let decoded = percent_decode(&text).into_owned();
        if decoded == text {
            return None;
        }
        text = Cow::Owned(decoded);
    }
    Some(mask::MASKED.to_owned())
}

/// Masks words that look like a credential, and values assigned to a name that carries one.
fn mask_words(text: &str) -> Option<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '|' | '-' | '.');
    let mut masked = String::with_capacity(text.len());
    let mut found = false;
    let mut rest = text;
    while !rest.is_empty() {
        let (between, from_word) = rest.split_at(rest.find(is_word).unwrap_or(rest.len()));
        masked.push_str(between);
        let (word, after) = from_word.split_at(from_word.find(|c| !is_word(c)).unwrap_or(from_word.len()));
        let named = mask::is_secret_name(word);
        let value_bytes = if named { assigned_value_bytes(after) } else { 0 };
        if mask::looks_secret(word) || is_opaque(word) {
            masked.push_str(mask::MASKED);
            found = true;
        } else {
            masked.push_str(word);
        }
        if value_bytes > 0 {
            masked.push('=');
            masked.push_str(mask::MASKED);
            found = true;
        }
        rest = after.get(value_bytes..).unwrap_or_default();
    }
    found.then_some(masked)
}

fn is_opaque(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        let has = |sort: fn(&u8) -> bool| usize::from(run.as_bytes().iter().any(sort));
        let sorts = has(u8::is_ascii_digit) + has(u8::is_ascii_uppercase) + has(u8::is_ascii_lowercase);
        run.len() >= OPAQUE_RUN_BYTES && sorts > 1
    })
}

/// How many bytes of `rest`, which follows a secret's name, are `=value`,
/// `:value`, `[]=value`, `%3Dvalue`, `/value` or `(value` in some quoting.
fn assigned_value_bytes(rest: &str) -> usize {
    let opening = rest
        .bytes()
        .take_while(|b| matches!(b, b'=' | b':' | b'"' | b'\'' | b' ' | b'/' | b'(' | b'%' | b'[' | b']' | b'\\'))
        .count();
    let marks = rest.get(..opening).unwrap_or_default();
    // Brackets and quotes alone assign nothing: `["access_token"]` is a list of names.
    if !marks.contains(['=', ':', '/', '(', '%']) {
        return 0;
    }
    let value = rest.get(opening..).unwrap_or_default();
    let length = value.find(['&', '"', '\'', ',', '}', ')', ' ']).unwrap_or(value.len());
    opening + length
}

/// The candidate that `name` was probably meant to be: the one with the
/// fewest edits, if these are few for its length. The first of equals wins.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().take(NEAREST_LIMIT_CHARS + 1).flat_map(char::to_lowercase).collect();
    if wanted.is_empty() || wanted.len() > NEAREST_LIMIT_CHARS {
        return None;
    }
    let allowed = (wanted.len() / 3).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.chars().take(NEAREST_LIMIT_CHARS).flat_map(char::to_lowercase).collect();
        if other.len().abs_diff(wanted.len()) > allowed {
            continue;
        }
        let distance = edits(&wanted, &other);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Insertions, deletions and replacements that turn one text into the other.
fn edits(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        let mut next = Vec::with_capacity(row.len());
        next.push(left);
        for (b, above) in to.iter().zip(row.iter().skip(1)) {
            let cost = diagonal + usize::from(a != b);
            left = cost.min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Replaces every valid `%XX` by its byte and leaves everything else as it
/// is. A result that is not UTF-8 gives back the text unchanged.
#[must_use]
pub fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, hex_pair(bytes.get(at + 1), bytes.get(at + 2))) {
            (b'%', Some(value)) => {
                decoded.push(value);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hex_pair(high: Option<&u8>, low: Option<&u8>) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let value = digit(high?)? * 16 + digit(low?)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_echo_is_cut_and_hides_credentials() {
        assert_eq!(echo("id,name"), "id,name");
        assert_eq!(echo(&"x".repeat(201)).chars().count(), 201);
        assert_eq!(
            echo("id?access_token=VKSECRET&b=2&Client_Secret:\"abc\",x"),
            "id?access_token=***&b=2&Client_Secret=***\",x"
        );
        assert_eq!(echo("access_token"), "access_token");
        assert_eq!(echo("/me/access_token/VKSECRET"), "/me/access_token=***");
        assert_eq!(echo("a?access_token%3DVKSECRET"), "a?access_token=***");
        assert_eq!(echo("id,access_token,name"), "id,access_token,name");
        assert_eq!(echo("[\"access_token\",\"id\"]"), "[\"access_token\",\"id\"]");
    }

    #[test]
    fn what_looks_like_a_credential_is_masked_wherever_it_stands() {
        for (sent, shown) in [
            ("vkeysu_abc", "***"),
            ("id,vkeysu_abc{name}", "id,***{name}"),
            ("VKEYpg_abc", "***"),
            ("12|abcdef", "***"),
            ("12%7Cabcdef", "***"),
            ("12%257Cabcdef", "***"),
            ("x%25252525252541", "***"),
            ("9aXk2LmQ8rT5vW1zY4bC7", "***"),
            ("0f3a9c1e5b7d2f4a6c8e", "***"),
            ("a?client_assertion=x", "a?client_assertion=***"),
            ("a?code=x&b=1", "a?code=***&b=1"),
            ("a[input_token][]=x", "a[input_token=***"),
            ("120210000000000000000", "120210000000000000000"),
            ("act_1202100000000000000", "act_1202100000000000000"),
            ("is_eligible_for_branded_content2", "is_eligible_for_branded_content2"),
            ("100%", "100%"),
        ] {
            assert_eq!(echo(sent), shown, "{sent}");
            assert_eq!(holds_credential(sent), sent != shown, "{sent}");
        }
    }

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let names = ["name", "campaigns", "campaign", "account_status"];
        assert_eq!(nearest("nmae", names), None, "two edits are too many for four letters");
        assert_eq!(nearest("nam", names), Some("name"));
        assert_eq!(nearest("Campaignz", names), Some("campaigns"));
        assert_eq!(nearest("acount_status", names), Some("account_status"));
        assert_eq!(nearest("spend", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest(&"n".repeat(10_000), names), None);
    }

    #[test]
    fn only_valid_percent_pairs_are_decoded() {
        assert_eq!(percent_decode("a%20b%7Bc"), "a b{c");
        assert_eq!(percent_decode("100% %zz %4"), "100% %zz %4");
        assert_eq!(percent_decode("%C3%A9"), "é");
        assert_eq!(percent_decode("%FF"), "%FF");
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_helper(text in "\\PC{0,300}", other in "\\PC{0,80}") {
            let _ = echo(&text);
            let _ = nearest(&text, [other.as_str()]);
            let _ = percent_decode(&text);
        }

        #[test]
        fn a_token_in_a_query_is_never_echoed(before in "[a-z/?&=]{0,40}", after in "[a-z&=]{0,20}") {
            let text = format!("{before}access_token=VKT0KEN9&{after}");
            prop_assert!(!echo(&text).contains("VKT0KEN9"));
        }
    }
}
