//! Masks secrets in a URL before it is printed. It masks too much rather than too little: a name, a
//! value or a part of the path that may carry a secret is replaced as a whole. It must never be
//! used to read parameters.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What is printed in place of a secret.
pub const MASKED: &str = "***";

/// How often a text is decoded while looking for a secret in it; what is still
/// encoded then counts as secret.
const DECODINGS: usize = 4;
/// How much of a name an error shows.
const SHOWN_NAME_CHARS: usize = 80;

const SECRET_NAMES: [&str; 10] = [
    "assertion",
    "client_assertion",
    "code",
    "code_verifier",
    "device_code",
    "login_code",
    "otp",
    "sign_in",
    "signed_request",
    "user_code",
];

/// Whether a parameter of this (decoded) name carries a secret: the known names,
/// and every name that ends with `token` or contains `access_token`, `secret`,
/// `password` or `proof`.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    // `name[]` and `name[key]` are parts of the same parameter.
    let stem = name.split('[').next().unwrap_or_default().trim_end();
    SECRET_NAMES.contains(&stem)
        || stem.ends_with("token")
        || ["secret", "password", "proof"].iter().any(|word| name.contains(word))
        || name.contains("access_token")
}

/// Whether a (decoded) text holds something that has the shape of a token:
/// `vkey??_…`, or an app token `digits|…`.
pub fn looks_secret(text: &str) -> bool {
    let bytes = text.as_bytes();
    let token = bytes.windows(7).any(|w| {
        w[..4].eq_ignore_ascii_case(b"vkey")
            && w[4].is_ascii_alphanumeric()
            && w[5].is_ascii_alphanumeric()
            && w[6] == b'_'
    });
    token || bytes.windows(2).any(|w| w[0].is_ascii_digit() && w[1] == b'|')
}

/// A query as it may be printed.
pub fn query(query: &str) -> Cow<'_, str> {
    if !query.split('&').any(|pair| pair_mask(pair) != PairMask::Nothing) {
        return Cow::Borrowed(query);
    }
    let mut out = String::with_capacity(query.len());
    for (at, pair) in query.split('&').enumerate() {
        if at > 0 {
            out.push('&');
        }
        match pair_mask(pair) {
            PairMask::Nothing => out.push_str(pair),
            PairMask::Pair => out.push_str(MASKED),
            PairMask::Value => {
                out.push_str(pair.split('=').next().unwrap_or_default());
                out.push('=');
                out.push_str(MASKED);
            }
        }
    }
    Cow::Owned(out)
}

/// A path as it may be printed: a segment that has the shape of a token is
/// masked.
pub fn path(path: &str) -> Cow<'_, str> {
    if !path.split('/').any(hides_secret) {
        return Cow::Borrowed(path);
    }
    let parts: Vec<&str> = path.split('/').map(|part| if hides_secret(part) { MASKED } else { part }).collect();
    Cow::Owned(parts.join("/"))
}

/// Path and query as they may be printed.
pub fn target(uri: &http::Uri) -> Cow<'_, str> {
    match uri.query() {
        None => path(uri.path()),
        Some(text) => {
            let mut out = path(uri.path()).into_owned();
            out.push('?');
            out.push_str(&query(text));
            Cow::Owned(out)
        }
    }
}

/// A parameter's name as an error may show it: short, on one line, and hidden
/// if it looks like a secret that was put in the wrong place.
pub fn shown_name(name: &str) -> String {
    if hides_secret(name) {
        return MASKED.to_owned();
    }
    let mut out = String::new();
    for c in name.chars().take(SHOWN_NAME_CHARS) {
        if c.is_control() {
            // Writing to a string can't fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    if name.chars().nth(SHOWN_NAME_CHARS).is_some() {
        out.push('…');
    }
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PairMask {
    Nothing,
    Value,
    Pair,
}

fn pair_mask(pair: &str) -> PairMask {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    if hides_secret(name) {
        return PairMask::Pair;
    }
    let named = match decoded(name) {
        Some(name) => is_secret_name(&name),
        None => return PairMask::Pair,
    };
    if !value.is_empty() && (named || hides_secret(value)) {
        return PairMask::Value;
    }
    PairMask::Nothing
}

/// Whether an encoded text holds a token's shape, or itself assigns a secret,
/// as a nested URL or a batch does.
fn hides_secret(text: &str) -> bool {
    let Some(text) = decoded(text) else {
        return true;
    };
    looks_secret(&text) || assigns_secret(&text)
}

/// Looks at each `name=` and `"name":` inside a value.
fn assigns_secret(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        if !matches!(byte, b'=' | b':') || at + 1 == bytes.len() {
            return false;
        }
        let before = text[..at].trim_end_matches(['"', '\'', '\\', ' ', ']', '[', '\t']);
        let start = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            // The character found may be wider than one byte.
            .map_or(0, |found| found + before[found..].chars().next().map_or(1, char::len_utf8));
        is_secret_name(&before[start..])
    })
}

/// The text with all its percent-encoding undone, even if it was applied several times; `None` if
/// that takes more than a few turns.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..DECODINGS {
        if !text.as_bytes().iter().any(|b| matches!(b, b'%' | b'+')) {
            return Some(text);
        }
        let next = decoded_once(&text);
        if next == text {
            return Some(text);
        }
        text = Cow::Owned(next);
    }
    (decoded_once(&text) == text).then_some(text)
}

fn decoded_once(text: &str) -> String {
    String::from_utf8_lossy(&crate::percent::percent_decode(text.as_bytes())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_masked_and_the_rest_stays() {
        for (text, printed) in [
            ("", ""),
            ("fields=id,name&limit=5", "fields=id,name&limit=5"),
            ("fields=access_token", "fields=access_token"),
            ("access_token=abc", "access_token=***"),
            ("access_token=", "access_token="),
            ("a=1&access_token=abc&b=2", "a=1&access_token=***&b=2"),
            ("ACCESS_token=abc", "ACCESS_token=***"),
            ("acc%65ss_token=abc", "acc%65ss_token=***"),
            ("acc%2565ss_token=abc", "acc%2565ss_token=***"),
            ("access_token[]=abc", "access_token[]=***"),
            ("access_token%5B0%5D=abc", "access_token%5B0%5D=***"),
            ("appsecret_proof=abc", "appsecret_proof=***"),
            ("client_secret=abc&client_id=7", "client_secret=***&client_id=7"),
            ("fb_exchange_token=x", "fb_exchange_token=***"),
            ("revoke_token=x", "revoke_token=***"),
            ("input_token=x", "input_token=***"),
            ("code=x", "code=***"),
            ("zip_code=12345", "zip_code=12345"),
            ("refresh_token=x", "refresh_token=***"),
            ("token=x", "token=***"),
            ("hub.verify_token=x", "hub.verify_token=***"),
            ("password=x", "password=***"),
            ("sign_in=x", "sign_in=***"),
            ("q=vkeysu_abc", "q=***"),
            ("q=VKEYpg_abc", "q=***"),
            ("q=123%7Cabc", "q=***"),
            ("q=123|abc", "q=***"),
            ("vkeysu_abc", "***"),
            ("vkeysu_abc=1", "***"),
            ("next=https%3A%2F%2Fx%2F%3Faccess_token%3Dabc", "next=***"),
            ("batch=[{\"relative_url\":\"me?access_token=abc\"}]", "batch=***"),
            ("body=%7B%22client_secret%22%3A%22abc%22%7D", "body=***"),
            ("a=1;access_token=abc", "a=***"),
            ("q=é:1&x=ü%22token%22:2", "q=é:1&x=***"),
            ("q=%25252525252525", "q=***"),
            ("q=100%25", "q=100%25"),
            ("q=50%", "q=50%"),
        ] {
            assert_eq!(query(text), printed, "{text}");
        }
        assert_eq!(path("/v26.0/me/accounts"), "/v26.0/me/accounts");
        assert_eq!(path("/v26.0/vkeysu_abc/x"), "/v26.0/***/x");
        assert_eq!(path("/v26.0/12%7Cabc"), "/v26.0/***");
        let uri: http::Uri = "/me?access_token=abc&a=b".parse().unwrap();
        assert_eq!(target(&uri), "/me?access_token=***&a=b");
    }

    #[test]
    fn names_in_errors_are_short_and_plain() {
        assert_eq!(shown_name("name"), "name");
        assert_eq!(shown_name("a\n\u{0}b"), "a\\u{a}\\u{0}b");
        assert_eq!(shown_name("vkeysu_abc"), MASKED);
        assert_eq!(shown_name(&"x".repeat(100)), format!("{}…", "x".repeat(80)));
    }

    /// Encodes the bytes that the pattern picks, as a hostile or careless
    /// caller may.
    fn encode(text: &str, pattern: u64, turns: usize) -> String {
        let mut text = text.to_owned();
        for turn in 0..turns {
            text = text
                .bytes()
                .enumerate()
                .map(|(at, byte)| {
                    let must = !byte.is_ascii_alphanumeric() && byte != b'_';
                    let picked = pattern.rotate_left(turn as u32) >> (at % 64) & 1 == 1;
                    if must || picked { format!("%{byte:02X}") } else { char::from(byte).to_string() }
                })
                .collect();
        }
        text
    }

    const NAMES: [&str; 18] = [
        "access_token",
        "appsecret_proof",
        "client_secret",
        "fb_exchange_token",
        "revoke_token",
        "input_token",
        "code",
        "refresh_token",
        "token",
        "verify_token",
        "password",
        "sign_in",
        "Access_Token",
        "CODE",
        "hub.verify_token",
        "access_token[]",
        "subject_token",
        "PassWord",
    ];

    proptest! {
        #[test]
        fn no_printed_query_holds_a_named_secret(
            name in proptest::sample::select(&NAMES[..]),
            secret in "[A-Za-z0-9_-]{12,40}",
            pattern: u64, name_turns in 0usize..3, value_turns in 0usize..3,
            before in "[a-z0-9=&%+;]{0,20}", after in "[a-z0-9=&%+;]{0,20}",
        ) {
            let pair = format!("{}={}", encode(name, pattern, name_turns), encode(&secret, pattern, value_turns));
            for text in [pair.clone(), format!("{before}&{pair}&{after}")] {
                let printed = query(&text);
                prop_assert!(!decoded(&printed).unwrap_or_default().contains(&secret), "{printed}");
            }
        }

        #[test]
        fn no_printed_target_holds_a_token(
            kind in "vkey(su|us|pg|co)_|[0-9]{1,18}\\|",
            secret in "[A-Za-z0-9]{12,40}",
            pattern: u64, turns in 0usize..3,
            frame in proptest::sample::select(&["x=@", "@", "@=1", "a=1&q=z@", "a[@]=1", "a=[\"@\"]"][..]),
        ) {
            let token = format!("{kind}{secret}");
            let text = frame.replace('@', &encode(&token, pattern, turns));
            let printed = query(&text);
            prop_assert!(!decoded(&printed).unwrap_or_default().contains(&secret), "{printed}");
            let text = format!("/v1/{}/x", encode(&token, pattern, turns));
            let printed = path(&text);
            prop_assert!(!decoded(&printed).unwrap_or_default().contains(&secret), "{printed}");
        }

        #[test]
        fn nested_assignments_are_found(
            name in proptest::sample::select(&NAMES[..16]),
            secret in "[A-Za-z0-9]{12,40}", pattern: u64, turns in 1usize..3,
            json: bool,
        ) {
            let inner = if json {
                format!("{{\"a\":1,\"{name}\":\"{secret}\"}}")
            } else {
                format!("me?a=b&{name}={secret}")
            };
            let printed = query(&format!("q={}", encode(&inner, pattern, turns))).into_owned();
            prop_assert_eq!(printed, "q=***");
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,200}") {
            let _ = (query(&text), path(&text), shown_name(&text));
        }
    }
}
