//! The rules: what may be done with the nouns, and which changes it makes. A rule reads the planner's
//! state and answers with a change set or a refusal. Whether the caller may call it was decided before,
//! except where a rule says that it looks at the caller itself.

pub mod app;
pub mod asset;
pub mod assignment;
pub mod business;
mod ending;
pub mod human;
pub mod page_token;
pub mod person;
pub mod revocation;
pub mod share;
pub mod sign_in;
pub mod system_user;
pub mod terms;
pub mod token;
