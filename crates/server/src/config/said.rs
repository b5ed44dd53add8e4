//! The place of a setting, and what is wrong with it. It must never hold a password.

use std::fmt;
use std::path::PathBuf;

/// The place of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    File {
        path: PathBuf,
        line: usize,
        key: String,
    },
    /// In the file, but not under a key.
    Line {
        path: PathBuf,
        line: usize,
    },
    Variable(String),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { path, line, key } => write!(f, "{}, line {line}, {key}", path.display()),
            Origin::Line { path, line: 0 } => write!(f, "{}", path.display()),
            Origin::Line { path, line } => write!(f, "{}, line {line}", path.display()),
            Origin::Variable(name) => write!(f, "the environment variable {name}"),
            Origin::Flag(name) => f.write_str(name),
        }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {what}")]
pub struct ConfigError {
    origin: Origin,
    what: String,
}

impl ConfigError {
    pub(super) fn new(origin: &Origin, what: impl Into<String>) -> ConfigError {
        ConfigError { origin: origin.clone(), what: what.into() }
    }
}

/// A setting from the command line.
#[derive(Debug, Clone)]
pub struct Flag {
    /// The key that it sets, as in the file.
    pub key: &'static str,
    /// The name of the option.
    pub name: &'static str,
    pub value: String,
}

impl Flag {
    /// The flag, if it was typed.
    pub fn of(key: &'static str, name: &'static str, value: Option<impl ToString>) -> Option<Flag> {
        value.map(|value| Flag { key, name, value: value.to_string() })
    }
}
