//! The `fields` language: which fields of a node are wanted, how nested edges are read, and the
//! limits on that. It knows no node kind: the schema decides whether a field exists and what a
//! modifier means.

mod parser;

use std::fmt;

use super::envelope::{self, GraphError};
use super::paging;

pub use self::parser::parse;

/// The longest `fields` text, in bytes.
pub const MAX_TEXT_BYTES: usize = 32 * 1024;
/// How many levels of fields may nest; `id` alone is one level.
pub const MAX_DEPTH: usize = 8;
/// The most names in one `fields`, over all levels.
pub const MAX_NAMES: usize = 1000;
/// The longest name of a field, modifier or alias, in bytes.
pub const MAX_NAME_BYTES: usize = 100;
/// The most modifiers of one field.
pub const MAX_MODIFIERS: usize = 16;
/// How deep brackets may nest in a modifier's argument.
pub const MAX_ARGUMENT_DEPTH: usize = 32;
/// The most values that one call may ask for, as the engine counts them before it begins.
pub const MAX_COST: u64 = 1_000_000;

/// `.name(argument)` behind a field, such as `.limit(2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modifier {
    /// The word before the bracket.
    pub name: String,
    /// The text inside the bracket, without blanks around it.
    pub argument: String,
}

/// One wanted field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSpec {
    /// The field's or edge's name.
    pub name: String,
    /// The name under which the answer shows it, from `.as(alias)`.
    pub alias: Option<String>,
    /// All modifiers but `as` and `fields`, in their order.
    pub modifiers: Vec<Modifier>,
    /// The wanted fields of the inner objects; empty for the default fields.
    pub children: Vec<FieldSpec>,
}

impl FieldSpec {
    /// A field without modifiers or children.
    #[must_use]
    pub fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The key in the answer: the alias, or the name.
    #[must_use]
    pub fn output_name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }

    /// The argument of a modifier; the last one counts.
    #[must_use]
    pub fn modifier(&self, name: &str) -> Option<&str> {
        let found = self.modifiers.iter().rev().find(|modifier| modifier.name == name);
        found.map(|modifier| modifier.argument.as_str())
    }

    /// The page size that `.limit(n)` asks for, capped.
    ///
    /// # Errors
    /// `(#100) Invalid parameter` when the argument is no whole number.
    pub fn limit(&self) -> Result<Option<u32>, GraphError> {
        self.modifier("limit").map(|text| paging::limit(Some(text))).transpose()
    }
}

impl fmt::Display for FieldSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for modifier in &self.modifiers {
            write!(f, ".{}({})", modifier.name, modifier.argument)?;
        }
        if let Some(alias) = &self.alias {
            write!(f, ".as({alias})")?;
        }
        if self.children.is_empty() {
            return Ok(());
        }
        write!(f, "{{{}}}", to_text(&self.children))
    }
}

/// The text of a selection, which [`parse`] reads back.
#[must_use]
pub fn to_text(specs: &[FieldSpec]) -> String {
    specs.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Why a `fields` text can't be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldsError {
    /// The text doesn't follow the language.
    Syntax {
        /// What was expected, and what was there instead.
        what: String,
        /// Where, in characters from 0.
        position: usize,
        /// The text, as [`super::text::echo`] shows it.
        text: String,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// More than [`MAX_NAMES`] names, or [`MAX_MODIFIERS`] on one field.
    TooMany,
    /// Longer than [`MAX_TEXT_BYTES`].
    TooLong,
    /// More values than [`MAX_COST`].
    TooCostly,
}

impl From<FieldsError> for GraphError {
    fn from(error: FieldsError) -> Self {
        let reason = match error {
            FieldsError::Syntax { what, position, text } => {
                return envelope::field_syntax(&what, position, &text);
            }
            FieldsError::TooDeep => format!("fields may nest {MAX_DEPTH} levels deep."),
            FieldsError::TooMany => {
                format!("fields may hold {MAX_NAMES} names, and a field {MAX_MODIFIERS} modifiers.")
            }
            FieldsError::TooLong => format!("fields may be {MAX_TEXT_BYTES} bytes long."),
            FieldsError::TooCostly => {
                format!("This could answer with more than {MAX_COST} values. Ask for fewer fields or a smaller limit.")
            }
        };
        envelope::reduce_data().with_user("Too much at once", &reason).with_blame(&["fields"])
    }
}

#[cfg(test)]
mod tests;
