//! What is shown of an object: the depth that was decided for it, and the place where it stands.

use crate::schema::{Field, Level};

/// The place of an object in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The node that the path names. The right to see it was already asked.
    Node,
    /// A row of a list. The list's own right was already asked.
    Row,
    /// A single object inside another one.
    Inside,
}

/// What a caller may read of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only that it exists: id and name.
    Named,
    /// What an app shows to the other apps of its business.
    Public,
    Level(Level),
}

impl Access {
    /// Whether a field is shown at a place.
    pub fn shows(self, field: &Field, place: Place) -> bool {
        if matches!(field.name, "id" | "name") {
            return true;
        }
        // The right of the list covers the default fields of its rows, except guarded ones.
        if place == Place::Row && field.in_rows && field.level < Level::Guarded {
            return true;
        }
        match self {
            Access::Named => false,
            Access::Public => matches!(field.name, "category" | "link"),
            Access::Level(level) => field.level <= level,
        }
    }
}
