//! The terms that an admin person accepts before a business has system users, and the acceptance.

use serde::{Deserialize, Serialize};

use super::Noun;
use crate::{Id, List, RecordKey, UnixMs, UserId};

/// The text in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Grows by one with each new text.
    pub version: u32,
    pub text: String,
}

/// That a business accepted a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    pub version: u32,
    pub person: UserId,
    pub at: UnixMs,
}

/// Version 1, in force until the operator replaces it.
pub const DEFAULT_TEXT: &str = include_str!("terms.txt");

impl Default for Terms {
    fn default() -> Terms {
        Terms { version: 1, text: DEFAULT_TEXT.to_owned() }
    }
}

impl Noun for Terms {
    fn key(&self) -> RecordKey {
        RecordKey::Terms
    }

    fn listings(&self) -> Vec<(List, Id)> {
        Vec::new()
    }

    /// A new text stops new system users and new tokens until it is accepted.
    fn narrows(&self, _: &Terms) -> bool {
        true
    }

    fn narrows_when_new(&self) -> bool {
        true
    }
}
