//! Counters of the listener, for `/metrics`. They are relaxed atomics, so no decision may depend on
//! them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One counter. Only this crate changes it.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn up(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn down(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What the listener has done since it was made.
#[derive(Debug, Default)]
pub struct Stats {
    pub(crate) connections: Counter,
    pub(crate) connections_open: Counter,
    pub(crate) connections_timed_out: Counter,
    pub(crate) connections_shed: Counter,
    pub(crate) tls_failures: Counter,
    pub(crate) requests: Counter,
    pub(crate) fast: Counter,
    pub(crate) in_flight: Counter,
    pub(crate) panics: Counter,
    pub(crate) too_large: Counter,
    pub(crate) bad_requests: Counter,
    pub(crate) timeouts: Counter,
    pub(crate) busy: Counter,
}

/// The counters at one moment. Those named `*_total` only grow; the others go up and down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatsSnapshot {
    /// Connections accepted.
    pub connections_total: u64,
    /// Connections open now.
    pub connections_open: u64,
    /// Connections closed because they idled or sent no complete headers.
    pub connections_timed_out_total: u64,
    /// Idle connections closed to make room for others.
    pub connections_shed_total: u64,
    /// TLS handshakes that failed or took too long.
    pub tls_failures_total: u64,
    /// Requests whose headers arrived, those on the check path included.
    pub requests_total: u64,
    /// Requests answered on the check path.
    pub fast_total: u64,
    /// Requests beyond the check path that are being read or handled now.
    pub in_flight: u64,
    /// Panics caught; each cost one request, and is a bug.
    pub panics_total: u64,
    /// Bodies refused for their size.
    pub too_large_total: u64,
    /// Requests refused for their form before any adapter saw them.
    pub bad_requests_total: u64,
    /// Bodies that stalled and handlers that took too long.
    pub timeouts_total: u64,
    /// Requests refused because the server had too much to do.
    pub busy_total: u64,
}

impl Stats {
    /// Reads all counters, one after the other.
    pub fn snapshot(&self) -> StatsSnapshot {
        StatsSnapshot {
            connections_total: self.connections.get(),
            connections_open: self.connections_open.get(),
            connections_timed_out_total: self.connections_timed_out.get(),
            connections_shed_total: self.connections_shed.get(),
            tls_failures_total: self.tls_failures.get(),
            requests_total: self.requests.get(),
            fast_total: self.fast.get(),
            in_flight: self.in_flight.get(),
            panics_total: self.panics.get(),
            too_large_total: self.too_large.get(),
            bad_requests_total: self.bad_requests.get(),
            timeouts_total: self.timeouts.get(),
            busy_total: self.busy.get(),
        }
    }
}
