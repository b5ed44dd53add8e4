//! Parameter values, read as leniently as real clients need: text from a query or form, in the
//! spellings of JSON, Python and plain text. Each reader says what it expected. None guesses beyond
//! its rules or depends on the caller.

mod relaxed;
mod time;

use std::fmt;

use serde_json::{Map, Value};

pub use self::time::{time_ms, time_ms_in};
use super::envelope::{self, GraphError};

/// The most entries of a list parameter.
pub const MAX_LIST_ENTRIES: usize = 10_000;

/// A value had the wrong form. The text names the expected one ("true or false", "a list", …).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected(pub &'static str);

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.0)
    }
}

impl std::error::Error for Expected {}

impl Expected {
    /// The error for the parameter that held the value.
    #[must_use]
    pub fn of_parameter(self, name: &str) -> GraphError {
        envelope::invalid_parameter(name, self.0)
    }
}

/// The text form of a value from a JSON body, so that bodies and forms are
/// read by the same readers: strings bare, null empty, the rest as JSON.
#[must_use]
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// `true`, `True`, `TRUE`, `1`, and their opposites; quotes are tolerated.
///
/// # Errors
/// Any other text.
pub fn boolean(text: &str) -> Result<bool, Expected> {
    let bare = unquoted(text);
    match bare {
        "1" => Ok(true),
        "0" => Ok(false),
        _ if bare.eq_ignore_ascii_case("true") => Ok(true),
        _ if bare.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(Expected("true or false")),
    }
}

/// A whole number of 64 bits with sign; quotes are tolerated.
///
/// # Errors
/// Fractions, other text, and numbers out of range.
pub fn integer(text: &str) -> Result<i64, Expected> {
    unquoted(text).parse().map_err(|_| Expected("a whole number"))
}

/// Without blanks around it, and without one pair of quotes around it.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner.trim();
        }
    }
    text
}

/// Any JSON value; Python's spelling (`'a'`, `True`, `None`) is tolerated.
///
/// # Errors
/// Text that is neither, or is nested too deep.
pub fn json(text: &str) -> Result<Value, Expected> {
    serde_json::from_str(text).ok().or_else(|| relaxed::parse(text)).ok_or(Expected("JSON"))
}

/// The byte, counted from 1, at which a text stops being JSON; its length if it is JSON or ends
/// early.
#[must_use]
pub fn json_break(text: &str) -> usize {
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else { return text.len() };
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    before + error.column()
}

/// A JSON object, as [`json`] reads it.
///
/// # Errors
/// Anything else.
pub fn object(text: &str) -> Result<Map<String, Value>, Expected> {
    match json(text) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Expected("a JSON object")),
    }
}

/// A list of texts: a JSON array (entries that are objects or arrays keep their JSON text),
/// `['A', 'B']`, `[A,B]`, `A,B`, or one quoted text. Empty text is an empty list; blanks around
/// entries are dropped.
///
/// # Errors
/// A broken array, null entries, an object, more than [`MAX_LIST_ENTRIES`].
pub fn list(text: &str) -> Result<Vec<String>, Expected> {
    const EXPECTED: Expected = Expected("a list: a JSON array, or texts joined by commas");
    let text = text.trim();
    let entries: Vec<String> = if text.is_empty() {
        Vec::new()
    } else if text.starts_with('[') {
        let Ok(Value::Array(entries)) = json(text) else {
            return Err(EXPECTED);
        };
        if entries.iter().any(Value::is_null) {
            return Err(EXPECTED);
        }
        entries.iter().map(text_of).collect()
    } else if text.starts_with('{') {
        return Err(EXPECTED);
    } else {
        text.split(',').take(MAX_LIST_ENTRIES + 1).map(|entry| unquoted(entry).to_owned()).collect()
    };
    if entries.len() > MAX_LIST_ENTRIES {
        return Err(Expected("a list of at most 10000 entries"));
    }
    Ok(entries)
}

/// An id as programs write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdText {
    /// `123`: any object.
    Object(u64),
    /// `act_123`: an ad account.
    AdAccount(u64),
    /// `123_456`: a post of a page, a comment of a post.
    Pair(u64, u64),
}

impl fmt::Display for IdText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(id) => write!(f, "{id}"),
            Self::AdAccount(id) => write!(f, "act_{id}"),
            Self::Pair(first, second) => write!(f, "{first}_{second}"),
        }
    }
}

/// An id in one of its three forms. Each number has at most 63 bits, is not
/// 0, and has no sign and no leading zero, so an id has one text.
///
/// # Errors
/// Any other text.
pub fn id(text: &str) -> Result<IdText, Expected> {
    let parsed = if let Some(digits) = text.strip_prefix("act_") {
        id_number(digits).map(IdText::AdAccount)
    } else if let Some((first, second)) = text.split_once('_') {
        id_number(first).zip(id_number(second)).map(|(first, second)| IdText::Pair(first, second))
    } else {
        id_number(text).map(IdText::Object)
    };
    parsed.ok_or(Expected("an id"))
}

fn id_number(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    let number = if plain {
        digits.parse::<u64>().ok()?
    } else {
        return None;
    };
    i64::try_from(number).ok().map(i64::unsigned_abs)
}

#[cfg(test)]
mod tests;
