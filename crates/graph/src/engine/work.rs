//! How much one call may cost.
//!
//! A call may ask for lists inside lists. The size of its answer is estimated before it runs. This
//! counts what it really reads, since a short page may be cut out of a long list.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::protocol::envelope::{self, GraphError};

/// How much one call may read before it may start no further list: ids of lists, fields of objects,
/// and rows of content. A batch is one call.
const LIMIT: u64 = 3_000_000;
/// The fixed cost of a list, even an empty one: some lists ask the store.
const LIST_COST: u64 = 500;
/// How many bytes of values one answer may hold; a batch is one answer.
pub(super) const BYTES_LIMIT: u64 = 32 * 1024 * 1024;

#[derive(Debug, Default)]
struct Counters {
    spent: AtomicU64,
    bytes: AtomicU64,
}

/// The work of one call.
#[derive(Debug, Default)]
pub(crate) struct Work {
    counters: Arc<Counters>,
}

impl Work {
    /// The work of one item of a batch; it counts for the whole batch.
    pub fn part(&self) -> Work {
        Work { counters: Arc::clone(&self.counters) }
    }

    /// Counts work that is done or about to be done.
    pub fn spend(&self, amount: u64) {
        self.counters.spent.fetch_add(amount, Ordering::Relaxed);
    }

    /// Whether one more list may be started.
    pub fn check(&self) -> Result<(), GraphError> {
        self.spend(LIST_COST);
        let spent = self.counters.spent.load(Ordering::Relaxed);
        if spent > LIMIT { Err(envelope::reduce_data()) } else { Ok(()) }
    }

    /// Whether the answer may hold this value too.
    pub fn hold(&self, value: &Value) -> Result<(), GraphError> {
        let size = size_bytes(value);
        let held = self.counters.bytes.fetch_add(size, Ordering::Relaxed) + size;
        if held > BYTES_LIMIT { Err(envelope::reduce_data()) } else { Ok(()) }
    }
}

/// About how many bytes a value takes in the answer.
fn size_bytes(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64 + 2,
        Value::Array(items) => items.iter().map(size_bytes).sum::<u64>() + 2,
        Value::Object(map) => map.iter().map(|(name, v)| name.len() as u64 + 4 + size_bytes(v)).sum::<u64>() + 2,
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}
