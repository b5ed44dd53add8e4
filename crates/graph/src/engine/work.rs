//! How much one call may cost, and what it has found out already.
//!
//! A call may ask for lists inside lists. What it may answer with is estimated before; this counts
//! what it really looks at, since a short page may be cut out of a long list.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::read::{Asked, Sight};
use crate::protocol::envelope::{self, GraphError};

/// What one call may look at before it may begin no further inner list: ids of lists, fields of
/// objects, and rows of content.
const LIMIT: u64 = 3_000_000;
/// A list costs this much whatever it holds: some of them ask the store.
pub(crate) const LIST_COST: u64 = 500;

/// The work of one call.
#[derive(Debug, Default)]
pub(crate) struct Work {
    spent: AtomicU64,
    last: Mutex<Option<(Asked, Sight)>>,
}

impl Work {
    /// Notes work that is done or about to be.
    pub fn spend(&self, amount: u64) {
        self.spent.fetch_add(amount, Ordering::Relaxed);
    }

    /// Whether one more list may be begun.
    pub fn check(&self) -> Result<(), GraphError> {
        self.spend(LIST_COST);
        if self.spent.load(Ordering::Relaxed) > LIMIT { Err(envelope::reduce_data()) } else { Ok(()) }
    }

    /// The answer to the same questions, if they were the last ones.
    pub fn seen(&self, asked: &Asked) -> Option<Sight> {
        let last = self.last.lock().ok()?;
        last.as_ref().filter(|(a, _)| a == asked).map(|(_, sight)| *sight)
    }

    pub fn remember(&self, asked: Asked, sight: Sight) {
        if let Ok(mut last) = self.last.lock() {
            *last = Some((asked, sight));
        }
    }
}
