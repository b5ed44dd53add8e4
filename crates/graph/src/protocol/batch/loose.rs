//! Reads `key=value&…` text that a client may have joined without escaping.
//! Escaped text reads as usual; unescaped JSON and unescaped `&` survive.

use serde::de::IgnoredAny;
use serde_json::Deserializer;

use crate::protocol::text::percent_decode;

/// The pairs of a query or form text. After `key=`, a value that opens with `{`, `[` or `"` and is
/// one JSON text up to `&` or the end is taken unchanged. Any other value ends at the next `&` that
/// is followed by a key and `=`; in it `+` is a blank and valid `%XX` is decoded.
#[must_use]
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_matches('&');
    while !rest.is_empty() {
        let end = rest.find(['=', '&']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=') else {
            if !key.is_empty() {
                pairs.push((decoded(key), String::new()));
            }
            rest = after.get(1..).unwrap_or_default();
            continue;
        };
        let (value, next) = split_value(value);
        pairs.push((decoded(key), value));
        rest = next;
    }
    pairs
}

/// The value at the start of `text`, and what follows its `&`.
fn split_value(text: &str) -> (String, &str) {
    if let Some(end) = json_end(text) {
        let (value, next) = text.split_at(end);
        return (value.to_owned(), next.get(1..).unwrap_or_default());
    }
    let mut from = 0;
    while let Some(mark) = text.get(from..).and_then(|rest| rest.find('&')).map(|at| from + at) {
        let next = text.get(mark + 1..).unwrap_or_default();
        if starts_with_key(next) {
            return (decoded(text.get(..mark).unwrap_or_default()), next);
        }
        from = mark + 1;
    }
    (decoded(text), "")
}

/// Where an unescaped JSON text ends, if it ends at `&` or with the text.
fn json_end(text: &str) -> Option<usize> {
    if !text.starts_with(['{', '[', '"']) {
        return None;
    }
    let mut values = Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let end = values.byte_offset();
    let after = text.get(end..)?;
    (after.is_empty() || after.starts_with('&')).then_some(end)
}

/// Whether the text starts with a parameter name and `=`; `%5B` counts as `[`.
fn starts_with_key(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next();
    if !first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_') {
        return false;
    }
    let is_key_byte =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'[' | b']' | b'-' | b'%');
    bytes.find(|byte| !is_key_byte(byte)) == Some(b'=')
}

fn decoded(text: &str) -> String {
    percent_decode(&text.replace('+', " ")).into_owned()
}
