//! A clock that moves only when a test moves it.
//!
//! It must never read the machine's own time: a test that passes today must pass in ten years.

use std::sync::atomic::{AtomicI64, Ordering};

use valetkey_domain::UnixMs;
use valetkey_service::Clock;

/// The time at which every test begins: 2026-11-24T10:00:00Z.
pub const START_MS: UnixMs = 1_795_514_400_000;
pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// The clock. Its monotonic time starts at one hour and moves along with the other.
#[derive(Debug)]
pub struct TestClock {
    now: AtomicI64,
    monotonic: AtomicI64,
}

impl Default for TestClock {
    fn default() -> TestClock {
        TestClock::at(START_MS)
    }
}

impl TestClock {
    /// A clock that shows [`START_MS`].
    pub fn new() -> TestClock {
        TestClock::default()
    }

    /// A clock that shows this time.
    pub fn at(now: UnixMs) -> TestClock {
        TestClock { now: AtomicI64::new(now), monotonic: AtomicI64::new(HOUR_MS) }
    }

    /// Moves both times on.
    pub fn advance_ms(&self, by: i64) {
        self.now.fetch_add(by, Ordering::SeqCst);
        self.monotonic.fetch_add(by.max(0), Ordering::SeqCst);
    }

    /// Sets the wall time alone, backwards too, as an administrator may.
    pub fn set(&self, now: UnixMs) {
        self.now.store(now, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixMs {
        self.now.load(Ordering::SeqCst)
    }

    fn monotonic_ms(&self) -> u64 {
        self.monotonic.load(Ordering::SeqCst).unsigned_abs()
    }
}
