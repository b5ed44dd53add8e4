//! When each token was used last, and from where: telemetry, gathered here and written in bulk.

use std::collections::HashMap;
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
    shards: [Mutex<HashMap<Id, Seen>>; SHARDS],
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
            map.insert(token, Seen { at: now, ip, count: 0 });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_counted_once_though_its_command_comes_after_the_count_was_written() {
        let (uses, token) = (Uses::default(), Id::MIN);
        let mut counted = 0;
        uses.note(token, None, 1);
        counted += uses.drain().iter().map(|row| row.count).sum::<i64>();
        uses.touch(token, None, 2);
        let last = uses.drain();
        assert_eq!(last[0].used_at, 2);
        assert_eq!(counted + last[0].count, 1);
    }
}
