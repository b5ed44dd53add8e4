//! When each token was used last, and from where: telemetry, gathered here and written in bulk.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::net::IpAddr;
use std::sync::Mutex;

use valetkey_domain::{Id, UnixMs};
use valetkey_store::TokenUse;

/// How many tokens may be waiting in one shard before new ones are let go; the bound keeps a flood
/// of tokens from filling the memory while the store is away.
const SHARD_LIMIT: usize = 65_536;
const SHARDS: usize = 16;

/// Uses that were not written yet.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    shards: [Mutex<HashMap<Id, Seen, BuildHasherDefault<ById>>>; SHARDS],
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: UnixMs,
    ip: Option<IpAddr>,
    count: i64,
}

impl Uses {
    pub fn note(&self, token: Id, ip: Option<IpAddr>, now: UnixMs) {
        let shard = &self.shards[token.get() as usize % SHARDS];
        let Ok(mut map) = shard.lock() else { return };
        if let Some(seen) = map.get_mut(&token) {
            *seen = Seen { at: now.max(seen.at), ip: ip.or(seen.ip), count: seen.count + 1 };
        } else if map.len() < SHARD_LIMIT {
            map.insert(token, Seen { at: now, ip, count: 1 });
        }
    }

    /// Remembers a use without counting it again.
    pub fn touch(&self, token: Id, ip: Option<IpAddr>, now: UnixMs) {
        let shard = &self.shards[token.get() as usize % SHARDS];
        let Ok(mut map) = shard.lock() else { return };
        if let Some(seen) = map.get_mut(&token) {
            *seen = Seen { at: now.max(seen.at), ip: ip.or(seen.ip), ..*seen };
        } else if map.len() < SHARD_LIMIT {
            map.insert(token, Seen { at: now, ip, count: 1 });
        }
    }

    /// Takes what waits.
    pub fn drain(&self) -> Vec<TokenUse> {
        let mut out = Vec::new();
        for shard in &self.shards {
            let Ok(mut map) = shard.lock() else { continue };
            out.extend(map.drain().map(|(token, seen)| row(token, seen)));
        }
        out
    }

    /// What waits for one token.
    pub fn pending(&self, token: Id) -> Option<TokenUse> {
        let map = self.shards[token.get() as usize % SHARDS].lock().ok()?;
        map.get(&token).map(|seen| row(token, *seen))
    }
}

fn row(token: Id, seen: Seen) -> TokenUse {
    TokenUse { token, used_at: seen.at, ip: seen.ip.map(|ip| ip.to_string()).unwrap_or_default(), count: seen.count }
}

/// A hash for ids of tokens, which the server alone gives out: nobody can choose ones that collide.
#[derive(Debug, Default)]
struct ById(u64);

impl Hasher for ById {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, value: u64) {
        // Twice, since ids that count up in steps of a power of two leave the lowest bits alone.
        let spread = (self.0 ^ value ^ (value >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let spread = (spread ^ (spread >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        self.0 = spread ^ (spread >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_count_up_spread_over_a_table() {
        let hash = |n: u64| {
            let mut hasher = ById::default();
            hasher.write_u64(n);
            hasher.finish()
        };
        for step in [1, 16, 1 << 14, 1 << 22] {
            let lowest: std::collections::HashSet<u64> =
                (0..4_096).map(|n| hash((1 << 61) + n * step) & 4_095).collect();
            assert!(lowest.len() > 2_400, "{step}: {}", lowest.len());
        }
    }
}
