//! The business itself: its name, what it accepted, its limits and its rules.

use super::parts::{Form, Time};
use super::shell::Shell;

/// Business info.
#[derive(Debug, askama::Template)]
#[template(path = "business.html")]
pub struct BusinessPage {
    pub shell: Shell,
    pub form: Form,
    pub id: String,
    /// The name, or what was typed as `name`.
    pub name: String,
    /// The name that the form was opened with; sent as `was`.
    pub was: String,
    pub created: Time,
    pub terms: TermsState,
    pub limits: Vec<LimitRow>,
    /// Whether new tokens must end.
    pub limited: bool,
    /// The longest life of a new token, as typed; sent as `amount`.
    pub amount: String,
    pub units: Vec<UnitChoice>,
    /// The same in words: "90 days"; `None` if there is no limit.
    pub lifetime: Option<String>,
    /// What the form of the lifetime was opened with, in seconds; sent as `was`, empty for no limit.
    pub lifetime_was: String,
    /// Whether employees see only what is assigned to them.
    pub strict: bool,
}

/// The terms for system users, as the business stands to them.
#[derive(Debug, Clone)]
pub struct TermsState {
    /// The version in force.
    pub version: String,
    /// The version that was accepted last, with who and when.
    pub accepted: Option<AcceptedVersion>,
    /// Whether that is the one in force.
    pub current: bool,
}

/// A version that was accepted.
#[derive(Debug, Clone)]
pub struct AcceptedVersion {
    pub version: String,
    pub by: String,
    pub at: Time,
}

/// A limit, and how far it is used.
#[derive(Debug, Clone)]
pub struct LimitRow {
    /// "People".
    pub what: &'static str,
    /// Ready to show.
    pub used: String,
    pub limit: String,
    /// The same as numbers, for the meter.
    pub used_number: usize,
    pub limit_number: u32,
    /// From where on it counts as nearly full.
    pub high: u32,
    /// What is nearly or fully used up; empty otherwise.
    pub note: &'static str,
    /// Where they are listed.
    pub href: &'static str,
}

/// A unit of time to choose.
#[derive(Debug, Clone)]
pub struct UnitChoice {
    /// The word that `unit` carries.
    pub word: &'static str,
    pub label: &'static str,
    pub chosen: bool,
}
