//! The protocol of the lease under simulated clocks, nodes and a store: 100,000 seeded schedules.
//!
//! A schedule has three nodes. Each has a monotonic clock that runs up to half a part in a hundred
//! fast or slow, and a wall clock that jumps. Nodes are killed, paused at any point, cut off, shut
//! down, and started anew. A request may be lost, its answer may be lost, and it may be done long after
//! it was sent, when its sender is gone. Records may be loaded from a copy that lags, such as a primary
//! that was demoted and does not know it. Two things hold at every moment:
//!
//! - no two nodes are fresh, each by its own clock;
//! - a fresh node has folded every write that any node acknowledged.
//!
//! To show that this can fail, each rule of the protocol is broken once, and the test must notice it.

mod parts;
mod world;

use parts::{Broken, Tally};
use world::World;

const SCHEDULES: u64 = 100_000;
/// How many schedules run before checking whether a broken rule was noticed.
const ROUND: u64 = 1_000;

/// Runs schedules on all processors.
fn run(seeds: std::ops::Range<u64>, broken: Broken) -> Tally {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let part = |part: u64| {
        let seeds = seeds.clone();
        std::thread::spawn(move || {
            let mut sum = Tally::default();
            for seed in seeds.filter(|seed| seed % threads == part) {
                let one = World::new(seed, broken).run();
                let is_kept = broken != Broken::Nothing || one.violations == 0;
                assert!(is_kept, "the schedule of seed {seed} breaks a promise");
                sum.add(one);
            }
            sum
        })
    };
    let parts: Vec<_> = (0..threads).map(part).collect();
    let mut sum = Tally::default();
    for part in parts {
        sum.add(part.join().unwrap());
    }
    sum
}

#[test]
fn no_two_nodes_are_fresh_at_once_in_any_schedule() {
    let tally = run(0..SCHEDULES, Broken::Nothing);
    println!("{SCHEDULES} schedules of the lease: {tally:?}");
    assert_eq!(tally.violations, 0);
    // Otherwise the schedules tested nothing.
    assert!(tally.takeovers > SCHEDULES / 4, "{tally:?}");
    assert!(tally.successions > SCHEDULES / 4, "{tally:?}");
    assert!(tally.acknowledged > SCHEDULES, "{tally:?}");
}

#[test]
fn the_schedules_find_each_rule_that_is_broken() {
    for broken in [
        Broken::FromTheAnswer,
        Broken::WallClock,
        Broken::NoSlack,
        Broken::SeenBeforeTheLook,
        Broken::BeforeTheFold,
        Broken::NoFence,
    ] {
        let rounds = 0..SCHEDULES / ROUND;
        let found = rounds.map(|round| round * ROUND).find_map(|from| {
            let tally = run(from..from + ROUND, broken);
            (tally.violations > 0).then_some((from + ROUND, tally.violations))
        });
        let (schedules, count) = found.unwrap_or_else(|| panic!("{broken:?} was not found"));
        println!("{broken:?}: found in {count} of the first {schedules} schedules");
    }
}
