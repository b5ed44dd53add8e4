//! Time, handed in.

use valetkey_domain::UnixMs;

/// A clock. The two times are never compared with each other.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01 UTC, for ends of tokens and for records.
    fn now(&self) -> UnixMs;

    /// Milliseconds of a clock that only goes forward and counts sleep of the machine too, for
    /// leases.
    fn monotonic_ms(&self) -> u64;
}
