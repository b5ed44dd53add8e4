//! The one way to write: commands queue up, are decided and planned under the head lock, committed
//! together, folded, and answered.
//!
//! A command is always decided on the newest state, even if its caller saw an older one: that is the
//! fence. No command waits without limit, and one that was refused for waiting too long is never
//! written. Nothing is planned while the newest state is unknown, with one exception: a command that
//! takes a credential away is put in force on this node at once, and written later ([`waiting`]).

mod batch;
mod round;
mod waiting;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use valetkey_authz::{Allowed, Decision, Question};
use valetkey_domain::{ChangeSet, IdSource, Planner, Random, Reason, Refusal, State};
use valetkey_store::{ContentWrite, JobWrite};

use crate::call::Call;
use crate::core::{Inner, Service};

pub(crate) use batch::run;
pub(crate) use waiting::{Tried, WriteState};

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

    fn is_empty(&self) -> bool {
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

pub(crate) trait Command: Send {
    fn plan(
        &mut self,
        inner: &Inner,
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
    command: Mutex<Option<Box<dyn Command>>>,
    until: Instant,
}

/// What goes through the queue.
pub(crate) type Envelope = Arc<Queued>;

impl Queued {
    fn take(&self) -> Option<Box<dyn Command>> {
        self.command.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }
}

struct Decided<T, F> {
    call: Call,
    question: Question,
    rule: F,
    in_force: InForce,
    /// The newest decision, and whether it is kept.
    allowed: Option<Allowed>,
    stands: bool,
    value: Option<T>,
    reply: Option<oneshot::Sender<Result<Done<T>, Refusal>>>,
}

impl<T, F> Command for Decided<T, F>
where
    T: Send,
    F: FnMut(&mut Planner<'_>, &Allowed) -> Result<(Plan, T), Refusal> + Send,
{
    fn plan(
        &mut self,
        inner: &Inner,
        state: &dyn State,
        revision: u64,
        ids: &mut IdSource,
        random: &mut dyn Random,
    ) -> Result<Plan, Refusal> {
        let now = inner.clock.now();
        let mut planner = Planner::new(state, now, ids, random);
        if let Some(allowed) = self.allowed.filter(|_| self.stands) {
            return (self.rule)(&mut planner, &allowed).map(|(plan, _)| plan);
        }
        self.allowed = None;
        let (view, decision) = inner.decide_on(&self.call, self.question, state, revision, now);
        let allowed = match decision {
            Decision::Allow(allowed) => allowed,
            Decision::Deny(denial) => return Err(denial.refusal()),
        };
        self.allowed = Some(allowed);
        match (self.rule)(&mut planner, &allowed) {
            Ok((plan, value)) => {
                self.value = Some(value);
                Ok(plan)
            }
            Err(refusal) => {
                inner.journal.remember_rule(&self.call, &view, &refusal, now);
                Err(refusal)
            }
        }
    }

    fn in_force(&self) -> InForce {
        self.in_force
    }

    fn is_allowed(&self) -> bool {
        self.allowed.is_some()
    }

    fn keep_decision(&mut self) {
        self.stands = true;
    }

    fn answer(&mut self, answer: Result<u64, Refusal>) {
        let Some(reply) = self.reply.take() else { return };
        let result = match (answer, self.value.take()) {
            (Ok(revision), Some(value)) => Ok(Done { value, revision }),
            (Ok(_), None) => Err(Refusal::of(Reason::Fault)),
            (Err(refusal), _) => Err(refusal),
        };
        // The caller may be gone; the command is done anyway.
        let _ = reply.send(result);
    }
}

impl Service {
    /// Runs one command: decided and planned under the head lock, durable and folded on return.
    ///
    /// # Errors
    /// The refusal; `conflict` if a condition of its content failed and the caller should read anew.
    pub(crate) async fn command<T, F>(&self, call: &Call, question: Question, rule: F) -> Result<Done<T>, Refusal>
    where
        T: Send + 'static,
        F: FnMut(&mut Planner<'_>, &Allowed) -> Result<(Plan, T), Refusal> + Send + 'static,
    {
        self.submit(InForce::OnceWritten, call, question, rule).await
    }

    /// The same for a command that says when it is in force. One that is in force at once draws no
    /// id and no random bytes.
    ///
    /// # Errors
    /// As [`Service::command`]; `not_durable` if it is in force on this node and not written yet.
    pub(crate) async fn submit<T, F>(
        &self,
        in_force: InForce,
        call: &Call,
        question: Question,
        rule: F,
    ) -> Result<Done<T>, Refusal>
    where
        T: Send + 'static,
        F: FnMut(&mut Planner<'_>, &Allowed) -> Result<(Plan, T), Refusal> + Send + 'static,
    {
        let answer = self.run(in_force, call, question, rule).await;
        // While nothing can be written, a caller without the right still gets only its refusal: the
        // answer must not show whether there is anything to write.
        if answer.as_ref().is_err_and(|refusal| refusal.reason == Reason::Unavailable)
            && self.may(call, question).is_none()
        {
            self.ask(call, question)?;
        }
        answer
    }

    async fn run<T, F>(&self, in_force: InForce, call: &Call, question: Question, rule: F) -> Result<Done<T>, Refusal>
    where
        T: Send + 'static,
        F: FnMut(&mut Planner<'_>, &Allowed) -> Result<(Plan, T), Refusal> + Send + 'static,
    {
        let stopping = || unavailable("the server is stopping");
        let inner = &*self.inner;
        if inner.stopped.load(Ordering::Acquire) {
            return Err(stopping());
        }
        let until = Instant::now() + PATIENCE;
        let (reply, mut answer) = oneshot::channel();
        let (call, reply) = (call.clone(), Some(reply));
        let decided = Decided { call, question, rule, in_force, allowed: None, stands: false, value: None, reply };
        let mut command: Box<dyn Command> = Box::new(decided);
        if in_force == InForce::AtOnce && inner.writing.status() != crate::readiness::Writing::Works {
            match inner.put_in_force(command) {
                Tried::InForce => {
                    return timeout_at(until, answer)
                        .await
                        .map_or_else(|_| Err(not_durable()), |a| a.unwrap_or_else(fault));
                }
                // Decided and planned like any other command, if the store comes back in time.
                Tried::RestsOnWaiting(back) | Tried::No(back) => command = back,
            }
        }
        let queued = Arc::new(Queued { command: Mutex::new(Some(command)), until });
        if let Ok(Err(_)) = timeout_at(until, inner.commands.send(Arc::clone(&queued))).await {
            return Err(stopping());
        }
        if let Ok(answer) = timeout_at(until, &mut answer).await {
            return answer.unwrap_or_else(fault);
        }
        match queued.take() {
            Some(command) => Err(give_up(inner, command)),
            // The writer has it, and answers within its own limits.
            None => answer.await.unwrap_or_else(fault),
        }
    }
}

/// The answer to a caller that takes back a command that waited too long. Nothing of it was written.
fn give_up(inner: &Inner, command: Box<dyn Command>) -> Refusal {
    inner.writing.note_silence();
    match command.in_force() {
        InForce::OnceWritten => too_late(),
        InForce::AtOnce => match inner.put_in_force(command) {
            Tried::InForce | Tried::RestsOnWaiting(_) => not_durable(),
            Tried::No(_) => too_late(),
        },
    }
}

fn too_late() -> Refusal {
    unavailable("the store did not answer in time; nothing was written")
}

fn fault<T, E>(_: E) -> Result<T, Refusal> {
    Err(Refusal::of(Reason::Fault))
}

pub(crate) fn unavailable(note: &str) -> Refusal {
    Refusal::of(Reason::Unavailable).with_note(note)
}

pub(crate) fn not_durable() -> Refusal {
    Refusal::of(Reason::NotDurable)
}
