//! Counts of calls over the sliding hour, for the usage headers that clients read.
//!
//! Nothing is limited by these counts; they tell programs how busy they are.

use std::collections::HashMap;
use std::sync::Mutex;

use valetkey_domain::{AppId, AssetId, UnixMs};

const BUCKETS: usize = 12;
const BUCKET_MS: i64 = 5 * 60 * 1000;
const SHARDS: usize = 16;
/// How many different counters a shard keeps; beyond that, idle ones are dropped.
const SHARD_LIMIT: usize = 8_192;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counter {
    App(AppId),
    /// Calls on an asset, by the use case that the headers name.
    Asset(AssetId, &'static str),
}

/// Calls and the time that they took, over the last hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hour {
    pub calls: u64,
    pub busy_us: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Ring {
    buckets: [(i64, u32, u32); BUCKETS],
}

/// All counters.
#[derive(Debug, Default)]
pub struct Usage {
    shards: [Mutex<HashMap<Counter, Ring>>; SHARDS],
}

impl Usage {
    /// Counts one call, and returns the counts of the last hour including it.
    pub fn count(&self, counter: Counter, busy_us: u32, now: UnixMs) -> Hour {
        let id = match counter {
            Counter::App(id) => id.any(),
            Counter::Asset(id, _) => id.any(),
        };
        let Ok(mut map) = self.shards[id.get() as usize % SHARDS].lock() else {
            return Hour::default();
        };
        let bucket = now / BUCKET_MS;
        if map.len() >= SHARD_LIMIT && !map.contains_key(&counter) {
            map.retain(|_, ring| ring.buckets.iter().any(|(b, _, _)| bucket - b < BUCKETS as i64));
            if map.len() >= SHARD_LIMIT {
                return Hour::default();
            }
        }
        let ring = map.entry(counter).or_default();
        let slot = &mut ring.buckets[bucket.rem_euclid(BUCKETS as i64) as usize];
        if slot.0 != bucket {
            *slot = (bucket, 0, 0);
        }
        slot.1 = slot.1.saturating_add(1);
        slot.2 = slot.2.saturating_add(busy_us);
        let live = ring.buckets.iter().filter(|(b, _, _)| bucket - b < BUCKETS as i64);
        live.fold(Hour::default(), |hour, (_, calls, us)| Hour {
            calls: hour.calls + u64::from(*calls),
            busy_us: hour.busy_us + u64::from(*us),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_slides() {
        let usage = Usage::default();
        let app = Counter::App(AppId::new(7).unwrap());
        let start = 1_000_000 * BUCKET_MS;
        for _ in 0..10 {
            usage.count(app, 5, start);
        }
        assert_eq!(usage.count(app, 5, start + 30 * 60_000), Hour { calls: 11, busy_us: 55 });
        assert_eq!(usage.count(app, 5, start + 70 * 60_000), Hour { calls: 2, busy_us: 10 });
        assert_eq!(usage.count(app, 5, start + 500 * 60_000).calls, 1);
    }
}
