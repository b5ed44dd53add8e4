//! The system's clock and randomness, for a service that is measured in process.
//!
//! It must never be steered: what is measured runs in real time.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use valetkey_domain::{Random, UnixMs};
use valetkey_seal::KeyRing;
use valetkey_service::{Clock, Deps};
use valetkey_store::Store;

#[derive(Debug)]
struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> UnixMs {
        now()
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, buffer: &mut [u8]) -> bool {
        aws_lc_rs::rand::fill(buffer).is_ok()
    }
}

/// The time.
pub fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What a service on this store needs.
pub fn deps(store: Arc<dyn Store>, keys: KeyRing) -> Deps {
    Deps {
        store,
        clock: Arc::new(SystemClock(Instant::now())),
        random: Box::new(SystemRandom),
        keys,
        node: "bench".to_owned(),
    }
}
