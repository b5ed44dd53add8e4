//! What was typed into the filter of a list: a part of a name in any case, or a whole id.

use std::fmt::Display;

use valetkey_domain::AssetId;
use valetkey_service::Facts;

use crate::web::form::Form;

/// A filter; an empty one lets everything through.
pub struct Find(String);

impl Find {
    /// The filter of a text.
    pub fn new(typed: &str) -> Find {
        Find(typed.trim().to_lowercase())
    }

    /// The filter `q` of an address.
    pub fn of(query: &Form) -> Find {
        Find::new(query.text("q").unwrap_or_default())
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the text is in a name.
    pub fn is_in(&self, name: &str) -> bool {
        self.is_empty() || name.to_lowercase().contains(&self.0)
    }

    /// Whether something with this name and id is let through.
    pub fn fits(&self, name: &str, id: &impl Display) -> bool {
        self.is_in(name) || id.to_string() == self.0
    }

    /// The same for an asset. Its record is read only if something was typed.
    pub fn fits_asset(&self, facts: &Facts<'_>, id: AssetId) -> bool {
        self.is_empty() || facts.asset(id).is_some_and(|asset| self.fits(asset.name.as_str(), &id))
    }
}
