//! What a command is, how it waits in the queue, and what its caller gets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use valetkey_authz::{Decision, Question, View};
use valetkey_domain::{ChangeSet, IdSource, Random, Reason, Refusal, State, UnixMs};
use valetkey_store::{ContentWrite, JobWrite};

use crate::call::Call;

/// How long a command waits for the store before it is refused; and how long a commit may take before
/// its callers are answered that the outcome is unknown.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What a command wants written.
#[derive(Debug, Clone)]
pub struct Plan {
    pub set: ChangeSet,
    pub content: Vec<ContentWrite>,
    pub jobs: Vec<JobWrite>,
}

impl Plan {
    /// A plan of authority changes alone.
    pub fn of(set: ChangeSet) -> Plan {
        Plan { set, content: Vec::new(), jobs: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set.changes.is_empty() && self.content.is_empty() && self.jobs.is_empty()
    }
}

/// What a use case gives back: its answer, and the revision at which it holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Done<T> {
    pub value: T,
    pub revision: u64,
}

/// Leaves the answer out: it may be a secret.
impl<T> std::fmt::Debug for Done<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Done").field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// When a command is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InForce {
    /// Once it is written. While nothing can be written, it is refused.
    OnceWritten,
    /// At once on this node, even while nothing can be written: for changes that take a credential away.
    AtOnce,
}

impl InForce {
    /// [`InForce::AtOnce`] if it takes something away, else [`InForce::OnceWritten`].
    pub(crate) fn at_once_if(takes_away: bool) -> InForce {
        if takes_away { InForce::AtOnce } else { InForce::OnceWritten }
    }
}

/// Who decides commands: the service's own index, clock and journal.
pub(crate) trait Decides {
    fn now(&self) -> UnixMs;

    /// Decides on a state, counted and journaled.
    fn decide_on(
        &self,
        call: &Call,
        question: Question,
        state: &dyn State,
        revision: u64,
        now: UnixMs,
    ) -> (View, Decision);

    /// Journals the refusal of a rule, after the right was there.
    fn remember_rule(&self, call: &Call, question: &Question, view: &View, refusal: &Refusal, now: UnixMs);
}

pub(crate) trait Command: Send {
    /// Decides and plans on the newest state.
    fn plan(
        &mut self,
        decides: &dyn Decides,
        state: &dyn State,
        revision: u64,
        ids: &mut IdSource,
        random: &mut dyn Random,
    ) -> Result<Plan, Refusal>;

    fn in_force(&self) -> InForce;

    /// Whether the caller had the right, so that the last plan reached its rule.
    fn is_allowed(&self) -> bool;

    /// Keeps the last decision: the command is in force by it, even if its caller loses the right before
    /// it is written.
    fn keep_decision(&mut self);

    /// Answers the caller once; later answers are dropped.
    fn answer(&mut self, answer: Result<u64, Refusal>);
}

/// A command in the queue. Whoever takes it out owns it: the writer, or the caller that waited too
/// long.
pub(crate) struct Queued {
    pub(super) command: Mutex<Option<Box<dyn Command>>>,
    pub(super) until: Instant,
}

/// What goes through the queue.
pub(crate) type Envelope = Arc<Queued>;

impl Queued {
    pub(super) fn take(&self) -> Option<Box<dyn Command>> {
        self.command.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }
}

/// Whether a rule finds nothing left to do, because its subject is gone.
pub(super) fn is_gone(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::NotVisible | Reason::UnknownReference)
}

/// A rule that panics is a bug and costs its command, never the writer.
pub(super) fn plan_safely(
    decides: &dyn Decides,
    command: &mut dyn Command,
    state: &dyn State,
    revision: u64,
    ids: &mut IdSource,
    random: &mut dyn Random,
) -> Result<Plan, Refusal> {
    let plan = || command.plan(decides, state, revision, ids, random);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(plan)).unwrap_or_else(|_| {
        tracing::error!("a command broke off while it was planned; nothing of it was written");
        Err(Refusal::of(Reason::Fault))
    })
}

pub(super) fn too_late() -> Refusal {
    unavailable("the store did not answer in time; nothing was written")
}

pub(crate) fn unavailable(note: &str) -> Refusal {
    Refusal::of(Reason::Unavailable).with_note(note)
}

pub(crate) fn not_durable() -> Refusal {
    Refusal::of(Reason::NotDurable)
}
