//! What a thing is for, in a person's words: of a token, of a system user.
//!
//! It keeps the rule of names and is shown wherever the thing is listed. Nothing may be decided by it.

use serde::{Deserialize, Serialize};

use crate::Name;
use crate::name::NameError;

/// A purpose: 1 to 200 characters, NFC, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Purpose(Name);

impl Purpose {
    /// Checks the rule, which is that of names.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Purpose, NameError> {
        Name::parse(text).map(Purpose)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A text that keeps the rule of names keeps that of purposes.
impl From<Name> for Purpose {
    fn from(name: Name) -> Purpose {
        Purpose(name)
    }
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
