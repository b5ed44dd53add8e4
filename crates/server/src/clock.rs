//! The machine's clocks. All code that needs the time is handed this one; nothing else in the
//! server may ask the system for the time.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use valetkey_domain::UnixMs;
use valetkey_service::Clock;

/// A lease must also run out while the machine sleeps, so the clock counts sleep if the system has
/// such a clock.
#[cfg(any(target_os = "linux", target_os = "android"))]
const FORWARD: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const FORWARD: ClockId = ClockId::Monotonic;

/// The system's wall clock and its monotonic clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs::try_from(since.as_millis()).unwrap_or(UnixMs::MAX)
    }

    fn monotonic_ms(&self) -> u64 {
        let time = clock_gettime(FORWARD);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let millis = u64::try_from(time.tv_nsec / 1_000_000).unwrap_or_default();
        seconds.saturating_mul(1_000).saturating_add(millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_are_alive() {
        let clock = SystemClock;
        let before = clock.monotonic_ms();
        assert!(clock.now() > 1_735_689_600_000, "the machine's clock is before 2025");
        assert!(clock.monotonic_ms() >= before);
    }
}
