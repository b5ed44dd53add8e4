//! Parses a caller's JSON within a depth that can't overflow the stack. The text must have a length
//! limit already.

use serde_json::Value;
use thiserror::Error;

/// Why a text is not accepted as JSON. It holds none of the text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonError {
    /// Nested more deeply than allowed.
    #[error("JSON is nested more than {limit} levels deep at byte {at_byte}")]
    Depth {
        /// The deepest nesting taken.
        limit: usize,
        /// The byte at which the limit was passed, counted from 1.
        at_byte: usize,
    },
    /// Not JSON.
    #[error("JSON is not well-formed at line {line}, column {column}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1; 0 at the very start.
        column: usize,
    },
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::Syntax { line: error.line(), column: error.column() }
    }
}

/// Parses one JSON value of at most `depth_limit` nested arrays and objects.
pub fn parse(text: &str, depth_limit: usize) -> Result<Value, JsonError> {
    check_depth(text, depth_limit)?;
    Ok(serde_json::from_str(text)?)
}

/// Counts brackets outside strings; the parser checks whether they match.
pub fn check_depth(text: &str, depth_limit: usize) -> Result<(), JsonError> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > depth_limit {
                    return Err(JsonError::Depth { limit: depth_limit, at_byte: at + 1 });
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Whether any string or key in the value holds a NUL.
pub(crate) fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(key, item)| key.contains('\0') || holds_nul(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_strings() {
        assert!(parse("[[1]]", 2).is_ok());
        assert_eq!(parse("[[[1]]]", 2), Err(JsonError::Depth { limit: 2, at_byte: 3 }));
        assert!(parse(r#"["[[[[\"[[["]"#, 1).is_ok());
        assert!(parse(r#"[{},{},{}]"#, 2).is_ok());
        assert!(matches!(parse(&"[".repeat(100_000), 64), Err(JsonError::Depth { .. })));
        assert_eq!(parse("[1,]", 2), Err(JsonError::Syntax { line: 1, column: 4 }));
    }
}
