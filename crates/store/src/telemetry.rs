//! The bounds of telemetry: the quotas of the refusal journal, and what is kept of a use.
//!
//! The rules are stated here once, for the model, the engines and the service. Nothing here may
//! read a store or a clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use valetkey_domain::{AssetId, Id, Scope, ScopeSet, TokenId, UnixMs};

/// How many rows of the refusal journal each may hold.
///
/// Rows without a business have a quota of their own, so calls without a token never displace a row
/// of a business. When a quota is exceeded, the source that holds most rows loses its oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Rows of all businesses together. Beyond it, the business that holds most rows loses one.
    pub businesses: u64,
    /// Rows of one business.
    pub business: u64,
    /// Rows without a business, of all sources together.
    pub strangers: u64,
    /// Rows of one source: a token or an address.
    pub source: u64,
}

/// How many refusals a store takes in one transaction.
pub const REFUSALS_AT_ONCE: usize = 256;
/// The most rows of the journal that one transaction drops. Rows of a source over its own quota and rows
/// that are too old are not counted.
pub const DROPS_AT_ONCE: u64 = 1_024;

/// Somebody who holds rows of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder<K> {
    pub key: K,
    pub rows: u64,
    /// The time of its oldest row.
    pub oldest: UnixMs,
}

/// Who gives up how many rows, so that `excess` of them go: each is taken from the holder with most rows
/// at that moment. Among equals it is the one whose oldest row is the oldest, then the smaller key.
pub fn give_up<K: Ord + Clone>(holders: Vec<Holder<K>>, excess: u64) -> Vec<(K, u64)> {
    let mut heap: BinaryHeap<(u64, Reverse<UnixMs>, Reverse<K>)> =
        holders.into_iter().map(|h| (h.rows, Reverse(h.oldest), Reverse(h.key))).collect();
    let mut counts: BTreeMap<K, u64> = BTreeMap::new();
    for _ in 0..excess {
        let Some((rows, oldest, key)) = heap.pop().filter(|(rows, ..)| *rows > 0) else { break };
        *counts.entry(key.0.clone()).or_default() += 1;
        heap.push((rows - 1, oldest, key));
    }
    counts.into_iter().collect()
}

/// What a token was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UsedFor {
    /// The scope, the asset and the task that the call was allowed by; `None` where the question asked
    /// for none. A task is its position in the vocabulary of the asset's kind.
    Right { scope: Option<Scope>, asset: Option<AssetId>, task: Option<u8> },
    /// Uses that were not kept apart, because a bound was reached.
    Other,
}

const NONE: i64 = -1;
const OTHER: i64 = -2;

impl UsedFor {
    /// The stored form: scope, asset, task.
    pub fn numbers(self) -> (i64, i64, i64) {
        match self {
            UsedFor::Other => (OTHER, 0, NONE),
            UsedFor::Right { scope, asset, task } => {
                let scope = scope.map(|s| i64::from(ScopeSet::from_iter([s]).bits().trailing_zeros()));
                (scope.unwrap_or(NONE), asset.map_or(0, Id::as_i64), task.map_or(NONE, i64::from))
            }
        }
    }

    /// Reads the stored form. A scope or a task that this program does not know is `None` as a whole.
    pub fn from_numbers(scope: i64, asset: i64, task: i64) -> Option<UsedFor> {
        if scope == OTHER {
            return Some(UsedFor::Other);
        }
        let scope = match scope {
            NONE => None,
            n => Some(Scope::all().nth(usize::try_from(n).ok()?)?),
        };
        let asset = if asset == 0 { None } else { Some(Id::from_i64(asset)?) };
        let task = if task == NONE { None } else { Some(u8::try_from(task).ok().filter(|t| *t < 32)?) };
        Some(UsedFor::Right { scope, asset, task })
    }
}

/// The uses of one token for one right on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    pub token: TokenId,
    /// Days since 1970-01-01, in UTC.
    pub day: i64,
    pub what: UsedFor,
    pub first_at: UnixMs,
    pub last_at: UnixMs,
    /// Where the last use came from; empty if that is not known.
    pub ip: String,
    /// The program that made the last use, as it names itself; empty if it does not.
    pub user_agent: String,
    /// Calls in which this right was allowed, since the row that this one adds to. A call that used
    /// several rights counts once in the row of each.
    pub count: i64,
}

/// The day of a moment.
pub fn day_of(at: UnixMs) -> i64 {
    at.div_euclid(24 * 60 * 60 * 1000)
}

/// How much is kept of the uses of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageBounds {
    /// Rows of one token on one day; what comes beyond them is added to its row [`UsedFor::Other`].
    pub rows_a_day: u32,
    /// Rows of earlier days are dropped, up to [`USAGE_DROPS_AT_ONCE`] in one call.
    pub first_day: i64,
}

/// How many rows of uses that are too old one call drops.
pub const USAGE_DROPS_AT_ONCE: usize = 5_000;

/// Which uses of a token to list: the newest day first, and one day's in falling order of their stored
/// form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageQuery {
    pub token: TokenId,
    /// Both are included.
    pub days: (i64, i64),
    /// Behind this row.
    pub after: Option<(i64, UsedFor)>,
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_holds_most_gives_up_first_and_the_oldest_among_equals() {
        let holder = |key, rows, oldest| Holder { key, rows, oldest };
        let three = || vec![holder("a", 5, 9), holder("b", 3, 1), holder("c", 3, 2)];
        assert_eq!(give_up(three(), 0), vec![]);
        assert_eq!(give_up(three(), 2), vec![("a", 2)]);
        assert_eq!(give_up(three(), 3), vec![("a", 2), ("b", 1)]);
        assert_eq!(give_up(three(), 5), vec![("a", 3), ("b", 1), ("c", 1)]);
        assert_eq!(give_up(three(), 99), vec![("a", 5), ("b", 3), ("c", 3)]);
    }

    #[test]
    fn what_a_use_was_for_comes_back_as_it_was_stored() {
        let mut all = vec![UsedFor::Other];
        for scope in Scope::all().map(Some).chain([None]) {
            for (asset, task) in [(None, None), (Some(Id::MIN), Some(0)), (Id::new(i64::MAX as u64), Some(31))] {
                all.push(UsedFor::Right { scope, asset, task });
            }
        }
        for what in all {
            let (scope, asset, task) = what.numbers();
            assert_eq!(UsedFor::from_numbers(scope, asset, task), Some(what));
        }
        for wrong in [(64, 0, -1), (-3, 0, -1), (0, -1, -1), (0, 0, 32), (0, 0, -2)] {
            assert_eq!(UsedFor::from_numbers(wrong.0, wrong.1, wrong.2), None, "{wrong:?}");
        }
    }
}
