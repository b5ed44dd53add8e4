//! How many of each thing a business may have. Defaults are generous; the operator may change
//! them, or take one of Meta's two tiers.

use serde::{Deserialize, Serialize};

/// Limits of one business. Each is a count of live things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub admin_system_users: u32,
    pub employee_system_users: u32,
    pub people: u32,
    pub apps: u32,
    pub assets: u32,
    /// Live tokens of one system user, page tokens not counted.
    pub tokens_per_system_user: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            admin_system_users: 1_000,
            employee_system_users: 100_000,
            people: 10_000,
            apps: 1_000,
            assets: 1_000_000,
            tokens_per_system_user: 10_000,
        }
    }
}

impl Limits {
    /// Meta's default tier: one ADMIN and one EMPLOYEE system user.
    pub fn meta_limited() -> Limits {
        Limits { admin_system_users: 1, employee_system_users: 1, ..Limits::default() }
    }

    /// Meta's higher tier: one ADMIN and ten EMPLOYEE system users.
    pub fn meta_full() -> Limits {
        Limits { admin_system_users: 1, employee_system_users: 10, ..Limits::default() }
    }

    /// Finds a preset by its word.
    pub fn preset(word: &str) -> Option<Limits> {
        match word {
            "default" => Some(Limits::default()),
            "meta-limited" => Some(Limits::meta_limited()),
            "meta-full" => Some(Limits::meta_full()),
            _ => None,
        }
    }
}
