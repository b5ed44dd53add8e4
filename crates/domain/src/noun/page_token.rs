//! The counter of page tokens: with the text of the parent token and the Page it makes the text of
//! the page token. A counter never falls and is never removed.

use serde::{Deserialize, Serialize};

use super::Noun;
use crate::{AssetId, Id, List, RecordKey, TokenId};

/// How often the page token of a Page was ended for a parent token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageCounter {
    /// The token that the page tokens are derived from.
    pub parent: TokenId,
    pub page: AssetId,
    pub counter: u64,
}

impl Noun for PageCounter {
    fn key(&self) -> RecordKey {
        RecordKey::PageCounter(self.parent, self.page)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        Vec::new()
    }

    fn narrows(&self, after: &PageCounter) -> bool {
        let PageCounter { parent: _, page: _, counter } = after;
        *counter != self.counter
    }
}
