//! The SQL that both engines share: one text with `$1` parameters, in the subset that both read.
//!
//! Integers, times and booleans are BIGINT, JSON is TEXT, and texts compare byte by byte. What
//! differs between engines stands in [`Dialect`], and only the statements of migrations use it.
//! Nothing here may name a driver, run a statement, or be async.

pub mod append;
mod columns;
pub mod content;
mod humans;
pub mod migrations;
mod nouns;
pub mod records;
pub mod refusals;
pub mod rows;
pub mod statements;

pub use append::Appender;
pub use statements::Statement;

use crate::StoreError;

/// One statement to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub statement: Statement,
    pub values: Vec<Value>,
    /// How many rows it must write, if that matters; only conditions name it.
    pub expect: Option<u64>,
}

/// One parameter.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
    Null,
}

/// Shows numbers, but only the length of texts and bytes: keys, digests, sealed secrets and what
/// people wrote are among them.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Int(value) => write!(f, "Int({value})"),
            Value::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Value::Blob(bytes) => write!(f, "Blob({} bytes)", bytes.len()),
            Value::Null => f.write_str("Null"),
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Value {
        value.map_or(Value::Null, Value::Int)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Int(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Value {
        value.map_or(Value::Null, Value::from)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Value {
        Value::Blob(value.to_vec())
    }
}

impl<Of> From<valetkey_domain::Id<Of>> for Value {
    fn from(value: valetkey_domain::Id<Of>) -> Value {
        Value::Int(value.as_i64())
    }
}

impl<Of> From<Option<valetkey_domain::Id<Of>>> for Value {
    fn from(value: Option<valetkey_domain::Id<Of>>) -> Value {
        value.map_or(Value::Null, Value::from)
    }
}

/// One row of an answer, read by position from 0. Each reader fails as [`StoreError::Corrupt`]
/// when the column is of another type, or NULL where no NULL is expected.
pub trait RowRead {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError>;
    fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError>;
    fn opt_blob(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError>;

    fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(|| null(column))
    }

    fn text(&self, column: usize) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or_else(|| null(column))
    }

    fn blob(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.opt_blob(column)?.ok_or_else(|| null(column))
    }
}

fn null(column: usize) -> StoreError {
    StoreError::Corrupt(format!("column {column} of a row is NULL where a value must stand"))
}

/// What the statements of migrations are filled with.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// For `{BLOB}`: the type of bytes.
    pub blob: &'static str,
    /// For `{TEXT}`: a type of text that compares byte by byte.
    pub text: &'static str,
    /// For `{KEY}`: a primary key of 64 bits; where the engine has a name for "this is the row's
    /// own number", that.
    pub key: &'static str,
    /// For `{COMPACT}`: what follows the bracket of a table whose key has several columns.
    pub compact: &'static str,
}

impl Dialect {
    /// A statement of a migration, as this engine reads it.
    pub fn fill(&self, statement: &str) -> String {
        statement
            .replace("{BLOB}", self.blob)
            .replace("{TEXT}", self.text)
            .replace("{KEY}", self.key)
            .replace("{COMPACT}", self.compact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_bytes_and_no_text() {
        let values = [Value::Int(7), Value::from("secret"), Value::Blob(vec![201, 202]), Value::Null];
        assert_eq!(format!("{values:?}"), "[Int(7), Text(6 bytes), Blob(2 bytes), Null]");
    }
}
