//! The one way to write: commands queue up, are decided and planned under the head lock, committed
//! together, folded, and answered.
//!
//! A command is always decided on the newest state, even if its caller saw an older one: that is the
//! fence. No command waits without limit, and one that was refused for waiting too long is never
//! written. Nothing is planned while the newest state is unknown, with one exception: a command that
//! takes a credential away is put in force on this node at once, and written later ([`waiting`]).

mod batch;
mod command;
mod dry;
mod force;
mod round;
mod waiting;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use valetkey_authz::{Allowed, Decision, Question, View};
use valetkey_domain::{IdSource, Planner, Random, Reason, Refusal, State, UnixMs};

use crate::call::Call;
use crate::core::{Inner, Service};

pub(crate) use batch::run;
use command::{Command, Decides, PATIENCE, Queued, too_late};
pub use command::{Done, Plan};
pub(crate) use command::{Envelope, InForce, not_durable, unavailable};
pub(crate) use waiting::{Tried, WriteState};

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
        decides: &dyn Decides,
        state: &dyn State,
        revision: u64,
        ids: &mut IdSource,
        random: &mut dyn Random,
    ) -> Result<Plan, Refusal> {
        let now = decides.now();
        let mut planner = Planner::new(state, now, ids, random);
        if let Some(allowed) = self.allowed.filter(|_| self.stands) {
            return (self.rule)(&mut planner, &allowed).map(|(plan, _)| plan);
        }
        self.allowed = None;
        let (view, decision) = decides.decide_on(&self.call, self.question, state, revision, now);
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
                decides.remember_rule(&self.call, &self.question, &view, &refusal, now);
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

impl Decides for Inner {
    fn now(&self) -> UnixMs {
        self.clock.now()
    }

    fn decide_on(
        &self,
        call: &Call,
        question: Question,
        state: &dyn State,
        revision: u64,
        now: UnixMs,
    ) -> (View, Decision) {
        Inner::decide_on(self, call, question, state, revision, now)
    }

    fn remember_rule(&self, call: &Call, question: &Question, view: &View, refusal: &Refusal, now: UnixMs) {
        self.journal.remember_rule(call, question, view, refusal, now);
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

fn fault<T, E>(_: E) -> Result<T, Refusal> {
    Err(Refusal::of(Reason::Fault))
}
