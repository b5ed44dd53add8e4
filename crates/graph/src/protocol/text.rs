//! Small text helpers that several protocol modules share: echoing what the
//! caller sent, guessing the name that was meant, and lenient
//! percent-decoding. An echo must never repeat a credential.

use std::borrow::Cow;

/// The longest piece of caller text that an error repeats, in characters.
pub const ECHO_LIMIT_CHARS: usize = 200;
/// Names longer than this, in characters, get no suggestion.
const NEAREST_LIMIT_CHARS: usize = 64;

/// Parameters whose values never appear in an echo. A caller who appends
/// `?access_token=…` to the wrong place gets an error that hides it.
const SECRET_PARAMETERS: [&str; 9] = [
    "access_token",
    "appsecret_proof",
    "client_secret",
    "input_token",
    "fb_exchange_token",
    "set_token",
    "revoke_token",
    "client_assertion",
    "password",
];

/// Whether a parameter of this name carries a credential.
#[must_use]
pub fn is_secret_parameter(name: &str) -> bool {
    SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// The text as an error may repeat it: credentials masked, and cut after
/// [`ECHO_LIMIT_CHARS`] characters.
#[must_use]
pub fn echo(text: &str) -> Cow<'_, str> {
    match mask_secrets(text) {
        Cow::Borrowed(whole) => cut(whole).map_or(Cow::Borrowed(whole), Cow::Owned),
        Cow::Owned(masked) => Cow::Owned(cut(&masked).unwrap_or(masked)),
    }
}

fn cut(text: &str) -> Option<String> {
    let (end, _) = text.char_indices().nth(ECHO_LIMIT_CHARS)?;
    Some(format!("{}…", text.get(..end).unwrap_or_default()))
}

fn mask_secrets(text: &str) -> Cow<'_, str> {
    // Masking looks at no more than an echo could show.
    let window = text.char_indices().nth(ECHO_LIMIT_CHARS * 2).map_or(text, |(end, _)| text.get(..end).unwrap_or(text));
    let lower = window.to_ascii_lowercase();
    let first = SECRET_PARAMETERS.iter().filter_map(|name| lower.find(name).map(|at| (at, at + name.len()))).min();
    let Some((_, mut from)) = first else {
        return Cow::Borrowed(text);
    };
    let mut masked = String::with_capacity(window.len());
    masked.push_str(window.get(..from).unwrap_or_default());
    loop {
        let rest = window.get(from..).unwrap_or_default();
        let skip = assigned_value_bytes(rest);
        if skip > 0 {
            masked.push_str("=***");
        }
        from += skip;
        let rest = window.get(from..).unwrap_or_default();
        let lower_rest = lower.get(from..).unwrap_or_default();
        let next = SECRET_PARAMETERS.iter().filter_map(|name| lower_rest.find(name).map(|at| at + name.len())).min();
        let Some(end) = next else {
            masked.push_str(rest);
            break;
        };
        masked.push_str(rest.get(..end).unwrap_or_default());
        from += end;
    }
    Cow::Owned(masked)
}

/// How many bytes of `rest`, which follows a secret's name, are `=value`,
/// `:value`, `%3Dvalue`, `/value` or `(value` in some quoting.
fn assigned_value_bytes(rest: &str) -> usize {
    let opening =
        rest.bytes().take_while(|byte| matches!(byte, b'=' | b':' | b'"' | b'\'' | b' ' | b'/' | b'(' | b'%')).count();
    if opening == 0 {
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
