//! The protocol of the lease, without a store, a timer or a clock of its own.
//!
//! - A lease changes hands only after its counter has stood still for its length and one part in a
//!   hundred, by the monotonic clock of the node that takes it, counted from when the row was seen. No
//!   two clocks are compared, and no wall clock is read, so a clock that jumps can't let in a second
//!   node.
//! - The holder is fresh for the lease's length, by its own monotonic clock, counted from *before* the
//!   renewal was sent, and only once it has folded the ledger through the head that came with the
//!   answer. The first such head is read after the row was taken, so it includes all that an earlier
//!   holder could commit.
//!
//! The clocks of two nodes may run apart by one part in a hundred. Nothing here may count time from an
//! answer, or make a node fresh that has not caught up.

use valetkey_store::{Head, LeaseRow, Renewal};

/// How much longer than the lease's length its counter must stand still: one part of so many.
const SLACK: u64 = 100;
/// How many renewals are sent in the length of a lease, if all goes well.
const RENEWALS: u64 = 3;
/// How many looks in the length of a lease that another node holds.
const LOOKS: u64 = 10;
/// How many attempts in the length of a lease, if something fails.
const ATTEMPTS: u64 = 15;

/// What to ask the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The row.
    Look,
    /// The row, if it still is this one.
    Take(Option<LeaseRow>),
    /// To move the counter and to give the head.
    Renew,
}

/// What the store said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Request::Look`].
    Row(Option<LeaseRow>),
    /// To [`Request::Take`].
    Taken(bool),
    /// To [`Request::Renew`].
    Renewed(Renewal),
    /// It failed, or no answer came in time. The store may have done it, or may do it later.
    Failed,
}

/// When a request was sent. It goes with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    at_ms: u64,
}

#[cfg(test)]
impl Sent {
    /// For the simulation that counts from a wrong moment on purpose.
    pub(super) fn at(at_ms: u64) -> Sent {
        Sent { at_ms }
    }
}

/// What a node does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this at once.
    Send(Sent, Request),
    /// Ask again at this time, by the node's monotonic clock.
    Wait(u64),
    /// Another node holds the lease and moves its counter; its name. This one does not wait for it.
    Refused(String),
    /// This node held the lease, and another does now.
    Gone,
}

#[derive(Debug, Clone)]
enum State {
    Look {
        at_ms: u64,
    },
    /// Another node holds the lease. Its row was first seen at `since_ms` and has not changed since.
    Watch {
        row: LeaseRow,
        since_ms: u64,
        look_at_ms: u64,
    },
    Take {
        at_ms: u64,
        seen: Option<LeaseRow>,
    },
    Hold {
        renew_at_ms: u64,
    },
    Refused {
        holder: String,
    },
    Gone,
}

/// A renewal that was answered: fresh from then on, once this revision is folded.
#[derive(Debug, Clone, Copy)]
struct Proof {
    from_ms: u64,
    head: Head,
}

/// One start of one node.
#[derive(Debug, Clone)]
pub struct Protocol {
    holder: String,
    length_ms: u64,
    state: State,
    proof: Option<Proof>,
    fresh_until_ms: u64,
}

impl Protocol {
    /// A start of a node under a name that no other start has, with a lease of this length.
    pub fn new(holder: String, length_ms: u64) -> Protocol {
        Protocol { holder, length_ms, state: State::Look { at_ms: 0 }, proof: None, fresh_until_ms: 0 }
    }

    /// The name.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// How long the lease runs.
    pub fn length_ms(&self) -> u64 {
        self.length_ms
    }

    /// How long to wait for the answer to a renewal, and for the folding after it.
    pub fn patience_ms(&self) -> u64 {
        self.length_ms / RENEWALS
    }

    /// Whether the row is taken.
    pub fn holds(&self) -> bool {
        matches!(self.state, State::Hold { .. })
    }

    /// Until when this node may answer, on its monotonic clock; 0 before it may.
    pub fn fresh_until_ms(&self) -> u64 {
        self.fresh_until_ms
    }

    /// What to do now.
    pub fn next(&mut self, now_ms: u64) -> Step {
        let (at_ms, request) = match &self.state {
            State::Look { at_ms } => (*at_ms, Request::Look),
            State::Watch { look_at_ms, .. } => (*look_at_ms, Request::Look),
            State::Take { at_ms, seen } => (*at_ms, Request::Take(seen.clone())),
            State::Hold { renew_at_ms } => (*renew_at_ms, Request::Renew),
            State::Refused { holder } => return Step::Refused(holder.clone()),
            State::Gone => return Step::Gone,
        };
        if now_ms < at_ms { Step::Wait(at_ms) } else { Step::Send(Sent { at_ms: now_ms }, request) }
    }

    /// Takes the answer to a request. `now_ms` is read after the answer came.
    pub fn answered(&mut self, sent: Sent, now_ms: u64, answer: Answer) {
        if matches!(self.state, State::Gone) {
            // It came too late: this node gave the lease back, or lost it.
            return;
        }
        match answer {
            Answer::Row(row) => self.saw(row, now_ms),
            Answer::Taken(true) => self.state = State::Hold { renew_at_ms: now_ms },
            // The row moved at the last moment. Watching its holder starts anew.
            Answer::Taken(false) => self.state = State::Look { at_ms: now_ms },
            Answer::Renewed(Renewal::Held(head)) => {
                if let Some(head) = head {
                    self.proof = Some(Proof { from_ms: sent.at_ms, head });
                }
                self.state = State::Hold { renew_at_ms: sent.at_ms.saturating_add(self.length_ms / RENEWALS) };
            }
            Answer::Renewed(Renewal::Gone) => self.end(),
            Answer::Failed => self.failed(now_ms),
        }
    }

    fn saw(&mut self, row: Option<LeaseRow>, now_ms: u64) {
        let row = match row {
            Some(row) if !row.released => row,
            // Nobody holds it. It is taken only if the row is still as it was seen.
            free => {
                self.state = State::Take { at_ms: now_ms, seen: free };
                return;
            }
        };
        if row.holder == self.holder {
            // The answer to the taking was lost.
            self.state = State::Hold { renew_at_ms: now_ms };
            return;
        }
        let look_at_ms = now_ms.saturating_add(self.length_ms / LOOKS);
        self.state = match &self.state {
            State::Watch { row: watched, since_ms, .. } if *watched == row => {
                let until_ms = since_ms.saturating_add(still_ms(&row));
                if now_ms > until_ms {
                    State::Take { at_ms: now_ms, seen: Some(row) }
                } else {
                    let look_at_ms = look_at_ms.min(until_ms.saturating_add(1));
                    State::Watch { row, since_ms: *since_ms, look_at_ms }
                }
            }
            State::Watch { .. } => State::Refused { holder: row.holder },
            State::Look { .. } | State::Take { .. } | State::Hold { .. } | State::Refused { .. } | State::Gone => {
                State::Watch { row, since_ms: now_ms, look_at_ms }
            }
        };
    }

    fn failed(&mut self, now_ms: u64) {
        let again_ms = now_ms.saturating_add(self.length_ms / ATTEMPTS);
        match &mut self.state {
            State::Look { at_ms } => *at_ms = again_ms,
            State::Watch { look_at_ms, .. } => *look_at_ms = again_ms,
            // The row may have been taken; looking at it will show.
            State::Take { .. } => self.state = State::Look { at_ms: again_ms },
            State::Hold { renew_at_ms } => *renew_at_ms = again_ms,
            State::Refused { .. } | State::Gone => {}
        }
    }

    /// The head that has to be folded before the newest renewal counts.
    pub fn to_fold(&self) -> Option<Head> {
        self.proof.map(|proof| proof.head)
    }

    /// Says that the ledger is folded through a revision. Gives until when this node may answer.
    pub fn folded(&mut self, revision: u64) -> u64 {
        if let Some(proof) = self.proof
            && self.holds()
            && revision >= proof.head.revision
        {
            self.fresh_until_ms = self.fresh_until_ms.max(proof.from_ms.saturating_add(self.length_ms));
        }
        self.fresh_until_ms
    }

    /// Renews earlier than planned: because the node can use it now, or because the folding failed.
    pub fn renew_at(&mut self, at_ms: u64) {
        if let State::Hold { renew_at_ms } = &mut self.state {
            *renew_at_ms = at_ms.min(*renew_at_ms);
        }
    }

    /// When to try again what failed at `now_ms`.
    pub fn again_at(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(self.length_ms / ATTEMPTS)
    }

    /// The node does not hold the lease any more, or gives it back: it is not fresh from now on.
    pub fn end(&mut self) {
        self.state = State::Gone;
        self.proof = None;
        self.fresh_until_ms = 0;
    }
}

/// How long the counter of a row must stand still before another may take it.
fn still_ms(row: &LeaseRow) -> u64 {
    let length_ms = u64::try_from(row.length_ms).unwrap_or(0);
    length_ms.saturating_add(length_ms.div_ceil(SLACK))
}
