//! One schedule: the nodes, their clocks, the store, and what happens to them.
//!
//! Only the seed may decide what happens here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use valetkey_store::{Head, LeaseRow, Renewal};

use super::parts::{Broken, DRIFT_PPM, Event, Node, Stored, Tally};
use crate::lease::protocol::{Answer, Protocol, Request, Sent, Step};

const NODES: usize = 3;
const LENGTH_MS: u64 = 5_000;
/// How long a schedule runs, in real time.
const END_US: u64 = 30_000_000;

pub(super) struct World {
    broken: Broken,
    dice: u64,
    now_us: u64,
    sequence: u64,
    starts: u64,
    queue: BinaryHeap<Reverse<(u64, u64, usize, u64)>>,
    events: Vec<Option<Event>>,
    /// Each with the number of its start.
    nodes: [Option<(u64, Node)>; NODES],
    stored: Stored,
    /// The newest write that was acknowledged.
    acknowledged: u64,
    last_fresh: Option<usize>,
    tally: Tally,
}

impl World {
    pub fn new(seed: u64, broken: Broken) -> World {
        let mut world = World {
            broken,
            dice: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            now_us: 0,
            sequence: 0,
            starts: 0,
            queue: BinaryHeap::new(),
            events: Vec::new(),
            nodes: [const { None }; NODES],
            stored: Stored::default(),
            acknowledged: 0,
            last_fresh: None,
            tally: Tally::default(),
        };
        world.at(0, 0, 0, Event::Start(0));
        let first = world.below(3_000_000);
        world.at(first, 0, 0, Event::Trouble);
        world
    }

    fn number(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// How long a message takes: mostly not long.
    fn delay_us(&mut self) -> u64 {
        match self.below(20) {
            0 => self.below(9_000_000),
            1..=3 => self.below(400_000),
            _ => 200 + self.below(3_000),
        }
    }

    fn at(&mut self, time_us: u64, node: usize, start: u64, event: Event) {
        self.sequence += 1;
        self.queue.push(Reverse((time_us, self.sequence, node, start)));
        self.events.push(Some(event));
    }

    fn after(&mut self, delay_us: u64, node: usize, start: u64, event: Event) {
        self.at(self.now_us + delay_us, node, start, event);
    }

    pub fn run(mut self) -> Tally {
        while let Some(Reverse((time_us, sequence, node, start))) = self.queue.pop() {
            if time_us > END_US || self.tally.violations > 0 {
                break;
            }
            self.now_us = time_us;
            let slot = usize::try_from(sequence - 1).unwrap();
            let event = self.events[slot].take().unwrap();
            self.happen(node, start, event);
            self.look();
        }
        self.tally
    }

    fn happen(&mut self, node: usize, start: u64, event: Event) {
        match event {
            Event::Trouble => return self.trouble(),
            Event::Start(node) => return self.start(node),
            Event::Arrives(sent, request, number, back_us) => {
                let answer = self.arrives(node, start, request);
                if let Some(back_us) = back_us {
                    self.after(back_us, node, start, Event::Answered(sent, answer, number));
                }
                return;
            }
            Event::Commits => return self.commits(node, start),
            Event::Released => return self.released(node, start),
            Event::Next
            | Event::Answered(..)
            | Event::TimedOut(..)
            | Event::Loaded(_)
            | Event::Folded(_)
            | Event::Write
            | Event::Committed(_) => {}
        }
        // The rest happens in a node, if that start still runs, and once it is not paused.
        match &self.nodes[node] {
            Some((number, found)) if *number == start => {
                let until_us = found.paused_until_us;
                if until_us > self.now_us {
                    return self.at(until_us, node, start, event);
                }
            }
            Some(_) | None => return,
        }
        match event {
            Event::Next => self.next(node, start),
            Event::Answered(sent, answer, number) => self.answered(node, start, sent, answer, number),
            Event::TimedOut(sent, number) => self.answered(node, start, sent, Answer::Failed, number),
            Event::Loaded(revision) => {
                let found = self.node(node);
                found.loaded = Some(true);
                found.revision = revision;
                let now_ms = self.clock_ms(node);
                self.node(node).protocol.renew_at(now_ms);
                // The protocol accepts this in any state.
                self.node(node).protocol.folded(revision);
                self.next(node, start);
            }
            Event::Folded(revision) => self.folded(node, revision),
            Event::Write => self.write(node, start),
            Event::Committed(revision) => self.committed(node, revision),
            Event::Trouble | Event::Start(_) | Event::Arrives(..) | Event::Commits | Event::Released => {}
        }
    }

    fn node(&mut self, node: usize) -> &mut Node {
        &mut self.nodes[node].as_mut().unwrap().1
    }

    /// The clock that a node measures its lease by.
    fn clock_ms(&self, node: usize) -> u64 {
        self.nodes[node].as_ref().unwrap().1.clock_ms(self.now_us, self.broken)
    }

    fn is_fresh(&self, node: usize) -> bool {
        self.nodes[node]
            .as_ref()
            .is_some_and(|(_, n)| n.clock_ms(self.now_us, self.broken) < n.protocol.fresh_until_ms())
    }

    /// Checks the two promises.
    fn look(&mut self) {
        let mut fresh = (0..NODES).filter(|node| self.is_fresh(*node));
        let Some(one) = fresh.next() else { return };
        let are_two = fresh.next().is_some();
        let revision = self.nodes[one].as_ref().unwrap().1.revision;
        if are_two || revision < self.acknowledged {
            self.tally.violations += 1;
        }
        if self.last_fresh.replace(one).is_some_and(|last| last != one) {
            self.tally.successions += 1;
        }
    }

    fn start(&mut self, node: usize) {
        if self.nodes[node].is_some() {
            return;
        }
        self.starts += 1;
        let start = self.starts;
        let drift_ppm = [-DRIFT_PPM, 0, DRIFT_PPM][self.below(3) as usize];
        let made = Node {
            protocol: Protocol::new(start.to_string(), LENGTH_MS),
            drift_ppm,
            offset_ms: self.below(1_000_000_000),
            wall_offset_ms: 1_700_000_000_000,
            paused_until_us: 0,
            cut_until_us: 0,
            waits_for: 0,
            sent_ms: 0,
            loaded: None,
            revision: 0,
        };
        self.nodes[node] = Some((start, made));
        self.after(0, node, start, Event::Next);
    }

    fn next(&mut self, node: usize, start: u64) {
        let now_ms = self.clock_ms(node);
        if self.node(node).waits_for != 0 {
            return;
        }
        match self.node(node).protocol.next(now_ms) {
            Step::Wait(at_ms) => {
                // Its own clock may be slow.
                let wait_us = (at_ms - now_ms) * 1_006;
                self.after(wait_us.min(2_000_000), node, start, Event::Next);
            }
            Step::Send(sent, request) => self.send(node, start, sent, request),
            Step::Refused(_) | Step::Gone => {
                self.nodes[node] = None;
                let pause_us = self.below(4_000_000);
                self.after(pause_us, node, 0, Event::Start(node));
            }
        }
    }

    fn send(&mut self, node: usize, start: u64, sent: Sent, request: Request) {
        let number = self.sequence + 1;
        let sent_ms = self.clock_ms(node);
        let found = self.node(node);
        (found.waits_for, found.sent_ms) = (number, sent_ms);
        let patience_us = self.node(node).protocol.patience_ms() * 1_000;
        let is_cut = self.node(node).cut_until_us > self.now_us;
        let is_done = !is_cut && !self.chance(4);
        let back_us = if self.chance(4) { None } else { Some(self.delay_us()) };
        let there_us = self.delay_us();
        if is_done {
            self.after(there_us, node, start, Event::Arrives(sent, request, number, back_us));
        }
        if !is_done || back_us.is_none_or(|back_us| there_us + back_us >= patience_us) {
            self.after(patience_us, node, start, Event::TimedOut(sent, number));
        }
    }

    /// The store carries out the request, even if nobody waits for it any more.
    fn arrives(&mut self, node: usize, start: u64, request: Request) -> Answer {
        let holder = start.to_string();
        match request {
            Request::Look => {
                let mut row = self.stored.lease.clone();
                if let (Some(row), Broken::NoSlack) = (&mut row, self.broken) {
                    row.length_ms = row.length_ms * 100 / 101;
                }
                Answer::Row(row)
            }
            Request::Take(mut seen) => {
                if let (Some(row), Broken::NoSlack) = (&mut seen, self.broken) {
                    row.length_ms = self.stored.lease.as_ref().map_or(0, |row| row.length_ms);
                }
                let is_same = self.stored.lease == seen;
                if is_same {
                    let counter = seen.as_ref().map_or(0, |row| row.counter) + 1;
                    self.tally.takeovers += u64::from(seen.is_some_and(|row| !row.released));
                    let length_ms = LENGTH_MS as i64;
                    self.stored.lease = Some(LeaseRow { holder, counter, length_ms, released: false });
                }
                Answer::Taken(is_same)
            }
            Request::Renew => {
                let revision = self.stored.revision;
                match self.held_by(&holder) {
                    Some(row) => {
                        row.counter += 1;
                        self.tally.renewals += 1;
                        self.cut_behind_a_renewal(node, start);
                        Answer::Renewed(Renewal::Held(Some(Head { revision, ..Head::EMPTY })))
                    }
                    None => Answer::Renewed(Renewal::Gone),
                }
            }
        }
    }

    /// Cuts off a holder just after a renewal, when most of its lease is left, while another node looks.
    fn cut_behind_a_renewal(&mut self, node: usize, start: u64) {
        if self.chance(97) {
            return;
        }
        let until_us = self.now_us + 12_000_000;
        if let Some((_, found)) = self.nodes[node].as_mut().filter(|(number, _)| *number == start) {
            found.cut_until_us = until_us;
            let other = (node + 1) % NODES;
            self.after(0, other, 0, Event::Start(other));
        }
    }

    fn held_by(&mut self, holder: &str) -> Option<&mut LeaseRow> {
        self.stored.lease.as_mut().filter(|row| row.holder == holder && !row.released)
    }

    fn answered(&mut self, node: usize, start: u64, sent: Sent, answer: Answer, number: u64) {
        let now_ms = self.clock_ms(node);
        let broken = self.broken;
        let found = self.node(node);
        if found.waits_for != number {
            return;
        }
        found.waits_for = 0;
        let sent = if broken == Broken::FromTheAnswer { Sent::at(now_ms) } else { sent };
        let seen_ms = match (&answer, broken) {
            (Answer::Row(_), Broken::SeenBeforeTheLook) => found.sent_ms,
            (_, _) => now_ms,
        };
        let is_renewed = matches!(answer, Answer::Renewed(Renewal::Held(_)));
        found.protocol.answered(sent, seen_ms, answer);
        if broken == Broken::BeforeTheFold && is_renewed && found.loaded == Some(true) {
            found.protocol.folded(u64::MAX);
        }
        let head = found.protocol.to_fold().map(|head| head.revision);
        let holds = found.protocol.holds();
        let loaded = found.loaded;
        if holds && loaded.is_none() {
            self.node(node).loaded = Some(false);
            let delay_us = self.delay_us();
            let behind = if self.chance(20) { self.below(4) } else { 0 };
            let revision = self.stored.revision.saturating_sub(behind);
            self.after(delay_us, node, start, Event::Loaded(revision));
        }
        if let (true, Some(head), Some(true)) = (is_renewed, head, loaded) {
            let delay_us = if self.node(node).revision < head { self.delay_us() } else { 0 };
            self.after(delay_us, node, start, Event::Folded(head));
        }
        self.next(node, start);
    }

    fn folded(&mut self, node: usize, revision: u64) {
        let found = self.node(node);
        found.revision = found.revision.max(revision);
        let revision = found.revision;
        found.protocol.folded(revision);
    }

    /// A write is decided by a fresh node, and sent.
    fn write(&mut self, node: usize, start: u64) {
        if self.is_fresh(node) {
            let delay_us = self.delay_us();
            self.after(delay_us, node, start, Event::Commits);
        }
    }

    fn commits(&mut self, node: usize, start: u64) {
        if self.broken == Broken::NoFence || self.held_by(&start.to_string()).is_some() {
            self.stored.revision += 1;
            let (revision, delay_us) = (self.stored.revision, self.delay_us());
            self.after(delay_us, node, start, Event::Committed(revision));
        }
    }

    /// The node folds its own write, and acknowledges it if it is fresh.
    fn committed(&mut self, node: usize, revision: u64) {
        let found = self.node(node);
        if found.revision + 1 == revision {
            found.revision = revision;
        }
        let is_folded = found.revision >= revision;
        let known = found.revision;
        found.protocol.folded(known);
        if (is_folded && self.is_fresh(node)) || self.broken == Broken::NoFence {
            self.acknowledged = self.acknowledged.max(revision);
            self.tally.acknowledged += 1;
        }
    }

    fn released(&mut self, _node: usize, start: u64) {
        if let Some(row) = self.held_by(&start.to_string()) {
            row.counter += 1;
            row.released = true;
        }
    }

    /// Makes something go wrong, or starts a node, and plans the next such event until the end.
    fn trouble(&mut self) {
        let node = self.below(NODES as u64) as usize;
        let pause_us = self.below(4_000_000);
        self.after(pause_us, 0, 0, Event::Trouble);
        let long_us = self.below(14_000_000);
        let kind = self.below(8);
        if self.nodes[node].is_none() {
            return self.after(0, node, 0, Event::Start(node));
        }
        let other = (node + 1) % NODES;
        let (now_us, start) = (self.now_us, self.nodes[node].as_ref().map_or(0, |(start, _)| *start));
        match kind {
            0 => self.nodes[node] = None,
            1 => {
                // Work that has begun may still finish, so the node stays for a while.
                self.node(node).protocol.end();
                let delay_us = self.delay_us();
                self.after(delay_us, node, start, Event::Released);
                self.after(long_us, node, start, Event::Next);
            }
            2 => self.node(node).paused_until_us = now_us + long_us,
            3 | 4 => {
                // The node is cut off for long, and another one starts at once.
                self.node(node).cut_until_us = now_us + long_us;
                self.after(0, other, 0, Event::Start(other));
            }
            5 => {
                let jump_ms = self.below(40_000) as i64 - 20_000;
                self.node(node).wall_offset_ms += jump_ms;
            }
            _ => {
                for _ in 0..3 {
                    let delay_us = self.below(2_000_000);
                    self.after(delay_us, node, start, Event::Write);
                }
            }
        }
    }
}
