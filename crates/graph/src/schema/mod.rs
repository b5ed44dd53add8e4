//! The schema table: which kinds of nodes there are, with their fields, edges, verbs, parameters
//! and rights. The engine serves exactly this table, and `docs/reference/graph.md` is printed from
//! it.
//!
//! This is data only. A rule that a table can't express belongs in the handler of the edge.

mod ads;
mod assets;
mod business;
mod commerce;
mod pages;
pub mod print;
pub mod rights_doc;
#[cfg(test)]
mod tests;
mod types;
mod users;

pub use types::{Edge, Field, Level, Listing, NodeType, Op, Param, PostList, Type, Verb, Write, param, required};

/// All kinds of nodes, in the order of the documents.
pub fn all() -> Vec<&'static NodeType> {
    let groups = [business::TYPES, users::TYPES, assets::TYPES, pages::TYPES, ads::TYPES, commerce::TYPES];
    groups.into_iter().flatten().copied().collect()
}

/// Finds a kind by its name.
pub fn find(name: &str) -> Option<&'static NodeType> {
    all().into_iter().find(|t| t.name == name)
}

pub use ads::{AD_ACCOUNT, CAMPAIGN};
pub use assets::{DECLARED_ASSET, INSTAGRAM_ACCOUNT, WHATSAPP_ACCOUNT};
pub use business::{APPLICATION, BUSINESS, PERMISSION};
pub use commerce::{CATALOG, PIXEL};
pub use pages::{PAGE, POST};
pub use users::{ACCESS_TOKEN, ASSIGNED_USER, BUSINESS_USER, PARTNER, SYSTEM_USER};
