//! Names that people give to things: 1 to 200 characters, NFC, no control characters.
//!
//! A name that breaks the rule is refused at the adapter and never repaired in silence.

use serde::{Deserialize, Serialize};
use unicode_normalization::is_nfc;

/// The longest name, in characters.
pub const NAME_LIMIT_CHARS: usize = 200;

/// A name that keeps the rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Box<str>);

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    Empty,
    TooLong,
    ControlCharacter,
    NotNormalised,
}

impl NameError {
    /// What is wrong, and what to do.
    pub fn message(self) -> &'static str {
        match self {
            NameError::Empty => "is empty; give it 1 to 200 characters",
            NameError::TooLong => "is longer than 200 characters; shorten it",
            NameError::ControlCharacter => "holds a control character; take it out",
            NameError::NotNormalised => "is not in Unicode form NFC; send it composed",
        }
    }
}

impl Name {
    /// Checks the rule. White space alone counts as empty.
    pub fn parse(text: &str) -> Result<Name, NameError> {
        // The byte test comes first so that a text of megabytes costs nothing.
        if text.len() > NAME_LIMIT_CHARS * 4 || text.chars().count() > NAME_LIMIT_CHARS {
            return Err(NameError::TooLong);
        }
        if text.trim().is_empty() {
            return Err(NameError::Empty);
        }
        let hidden = |c: char| {
            c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        };
        if text.chars().any(hidden) {
            return Err(NameError::ControlCharacter);
        }
        if !is_nfc(text) {
            return Err(NameError::NotNormalised);
        }
        Ok(Name(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Name, &'static str> {
        Name::parse(&text).map_err(NameError::message)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0.into()
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_in_cases() {
        for (text, expected) in [
            ("Reports", Ok(())),
            ("日本語の名前", Ok(())),
            ("Ünïcode é", Ok(())),
            ("", Err(NameError::Empty)),
            ("   ", Err(NameError::Empty)),
            ("a\0b", Err(NameError::ControlCharacter)),
            ("line\nbreak", Err(NameError::ControlCharacter)),
            ("\u{202E}evil", Err(NameError::ControlCharacter)),
            ("e\u{301}", Err(NameError::NotNormalised)),
        ] {
            assert_eq!(Name::parse(text).map(|_| ()), expected, "{text:?}");
        }
        assert!(Name::parse(&"é".repeat(200)).is_ok());
        assert_eq!(Name::parse(&"x".repeat(201)), Err(NameError::TooLong));
        assert_eq!(Name::parse(&"x".repeat(10_000)), Err(NameError::TooLong));
    }
}
