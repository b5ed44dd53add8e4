//! Why parameters can't be read. An error names the source, the position and
//! the field, and must never hold a value.

use std::fmt;

use thiserror::Error;

use super::Source;
use crate::json::JsonError;
use crate::mask::shown_name;

/// What is wrong, in which field, and where. `Display` is fit for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamError {
    field: Option<String>,
    source: Source,
    position: Option<usize>,
    fault: ParamFault,
}

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParamFault {
    /// More parameters than allowed.
    #[error("has more than {0} parameters")]
    TooMany(usize),
    /// More files than allowed.
    #[error("has more than {0} files")]
    TooManyUploads(usize),
    /// A text of a multipart body is too long.
    #[error("has a text of more than {0} bytes")]
    TextTooLong(usize),
    /// A field's or file's name is too long.
    #[error("has a name of more than {0} bytes")]
    NameTooLong(usize),
    /// Bytes that are not UTF-8.
    #[error("is not valid UTF-8")]
    NotUtf8,
    /// A NUL character.
    #[error("contains a NUL character")]
    Nul,
    /// Sent more than once, with values that differ.
    #[error("is sent more than once with different values: send it once")]
    Contradiction,
    /// The body is not JSON.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// The body is JSON, but neither object nor array.
    #[error("must be a JSON object")]
    JsonNotObject,
    /// A multipart body that is not well-formed.
    #[error("is not well-formed multipart/form-data: {0}")]
    Multipart(&'static str),
    /// A body of a type that we don't read.
    #[error(
        "has a content type that is not supported: send application/x-www-form-urlencoded, multipart/form-data or application/json"
    )]
    ContentType,
}

impl ParamError {
    pub(super) fn new(source: Source, fault: ParamFault) -> Self {
        Self { field: None, source, position: None, fault }
    }

    pub(super) fn at(mut self, position: usize) -> Self {
        self.position = Some(position);
        self
    }

    pub(super) fn of(mut self, field: &str) -> Self {
        self.field = Some(shown_name(field));
        self
    }

    /// The field's name, shortened and free of secrets; `None` if the fault is in the whole body or
    /// the field has no readable name.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// Which parameter of its source it was, counted from 1.
    pub fn position(&self) -> Option<usize> {
        self.position
    }

    /// The source that it came from.
    pub fn place(&self) -> Source {
        self.source
    }

    /// What is wrong.
    pub fn fault(&self) -> &ParamFault {
        &self.fault
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.field, self.position) {
            (Some(field), Some(at)) => {
                write!(f, "parameter {field} (number {at} of the {})", self.source)?;
            }
            (None, Some(at)) => write!(f, "parameter number {at} of the {}", self.source)?,
            (Some(field), None) => write!(f, "parameter {field} of the {}", self.source)?,
            (None, None) => write!(f, "the {}", self.source)?,
        }
        let joint = if matches!(self.fault, ParamFault::Json(_)) { ": " } else { " " };
        write!(f, "{joint}{}", self.fault)
    }
}

impl std::error::Error for ParamError {}
