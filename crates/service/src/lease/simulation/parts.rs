//! What a schedule consists of.

use valetkey_store::LeaseRow;

use crate::lease::protocol::{Answer, Protocol, Request, Sent};

/// How far a clock may run from real time, in parts per million. Two of them differ by less than one
/// part in a hundred.
pub(super) const DRIFT_PPM: i64 = 4_900;

/// Which rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    Nothing,
    /// The lease runs from when the answer came.
    FromTheAnswer,
    /// The node counts by its wall clock.
    WallClock,
    /// The lease is taken after its bare length.
    NoSlack,
    /// The time that the counter stands still is counted from when the look was sent.
    SeenBeforeTheLook,
    /// The node is fresh before it has folded.
    BeforeTheFold,
    /// A node whose lease was taken still commits, and acknowledges without checking its lease.
    NoFence,
}

/// What happens.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// A random event, such as a kill, a pause or a start.
    Trouble,
    Start(usize),
    /// A node does what its protocol says.
    Next,
    /// A request reaches the store; with the delay of its answer, if an answer comes at all.
    Arrives(Sent, Request, u64, Option<u64>),
    /// Its answer comes to the node.
    Answered(Sent, Answer, u64),
    /// The node stops waiting for it.
    TimedOut(Sent, u64),
    /// The records are loaded, as they were at this revision.
    Loaded(u64),
    /// The ledger is folded through this revision.
    Folded(u64),
    /// A caller wants a write.
    Write,
    /// The commit comes to the store.
    Commits,
    /// The answer to it comes to the node.
    Committed(u64),
    Released,
}

/// One start of one node.
pub(super) struct Node {
    pub protocol: Protocol,
    /// Parts per million that its clock is fast.
    pub drift_ppm: i64,
    /// What its clocks showed at the beginning.
    pub offset_ms: u64,
    pub wall_offset_ms: i64,
    pub paused_until_us: u64,
    pub cut_until_us: u64,
    /// The number of the request that it waits for.
    pub waits_for: u64,
    /// When that one was sent, by its clock.
    pub sent_ms: u64,
    /// Whether its records are loaded, or on their way.
    pub loaded: Option<bool>,
    pub revision: u64,
}

/// The store: its data, without any clock.
#[derive(Default)]
pub(super) struct Stored {
    pub lease: Option<LeaseRow>,
    pub revision: u64,
}

#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// How often the lease of a node that stood still was taken.
    pub takeovers: u64,
    pub renewals: u64,
    /// Writes.
    pub acknowledged: u64,
    /// How often a node became fresh after another one had been.
    pub successions: u64,
    pub violations: u64,
}

impl Tally {
    pub fn add(&mut self, other: Tally) {
        self.takeovers += other.takeovers;
        self.renewals += other.renewals;
        self.acknowledged += other.acknowledged;
        self.successions += other.successions;
        self.violations += other.violations;
    }
}

impl Node {
    /// The clock that the node measures its lease by.
    pub fn clock_ms(&self, now_us: u64, broken: Broken) -> u64 {
        let run_us = u128::from(now_us) * u128::try_from(1_000_000 + self.drift_ppm).unwrap() / 1_000_000;
        let run_ms = u64::try_from(run_us / 1_000).unwrap();
        if broken == Broken::WallClock {
            run_ms.saturating_add_signed(self.wall_offset_ms)
        } else {
            self.offset_ms + run_ms
        }
    }
}
