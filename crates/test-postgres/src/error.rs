//! Why something failed, in words for the person who runs the tests.
//!
//! It must never hold a password.

use std::fmt;
use std::path::Path;

/// Why the server can't be used, in words for the person who runs the tests.
#[derive(Debug, Clone)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl Error {
    pub(crate) fn new(text: impl Into<String>) -> Error {
        Error(text.into())
    }

    pub(crate) fn io(what: &str, path: &Path, cause: &std::io::Error) -> Error {
        Error(format!("{what} {}: {cause}", path.display()))
    }
}
