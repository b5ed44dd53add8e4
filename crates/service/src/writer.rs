//! The one way to write: commands queue up, are decided and planned under the head lock, committed
//! together, folded, and answered.
//!
//! A command is decided on the newest state, whatever its caller saw before: that is the fence.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use valetkey_authz::overlay::Overlay;
use valetkey_authz::{Allowed, Decision, Question, decide};
use valetkey_domain::{ChangeSet, IdSource, Planner, Random, Reason, Refusal, State};
use valetkey_store::{Batch, CommitError, ContentWrite, Entry, Head, HeadLock, JobWrite, Outcome, Write};

use crate::call::Call;
use crate::core::{CredentialRef, Inner, Service};
use crate::follow::{catch_up, fold};

/// The most commands that share one flush.
const BATCH_LIMIT: usize = 256;
/// How long a caller waits for an unknown outcome before it is told so.
const UNKNOWN_PATIENCE: Duration = Duration::from_secs(10);
const UNKNOWN_PAUSE: Duration = Duration::from_millis(200);

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

/// A command in the queue.
pub(crate) type Envelope = Box<dyn Command>;

pub(crate) trait Command: Send {
    fn plan(
        &mut self,
        inner: &Inner,
        state: &dyn State,
        revision: u64,
        ids: &mut IdSource,
        random: &mut dyn Random,
    ) -> Result<Plan, Refusal>;
    fn answer(self: Box<Self>, answer: Result<u64, Refusal>);
}

struct Decided<T, F> {
    call: Call,
    question: Question,
    rule: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<Done<T>, Refusal>>,
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
        let credential = CredentialRef::of(&self.call.credential);
        let (view, question) =
            inner.look_on(state, revision, credential, self.call.proof.as_deref(), self.question, now);
        let allowed = match decide(&view, &question, now) {
            Decision::Allow(allowed) => {
                inner.touch(&view, self.call.ip, now);
                allowed
            }
            Decision::Deny(denial) => {
                inner.journal.remember(&self.call, &question, &view, &denial, now);
                return Err(denial.refusal());
            }
        };
        let mut planner = Planner::new(state, now, ids, random);
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

    fn answer(self: Box<Self>, answer: Result<u64, Refusal>) {
        let result = match (answer, self.value) {
            (Ok(revision), Some(value)) => Ok(Done { value, revision }),
            (Ok(_), None) => Err(Refusal::of(Reason::Fault)),
            (Err(refusal), _) => Err(refusal),
        };
        // The caller may have gone away; what it asked for is done all the same.
        let _ = self.reply.send(result);
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
        let (reply, answer) = oneshot::channel();
        let command = Decided { call: call.clone(), question, rule, value: None, reply };
        if self.inner.stopped.load(std::sync::atomic::Ordering::Acquire) {
            return Err(Refusal::of(Reason::Unavailable).with_note("the server is stopping"));
        }
        if self.inner.commands.send(Box::new(command)).await.is_err() {
            return Err(Refusal::of(Reason::Unavailable).with_note("the server is stopping"));
        }
        answer.await.unwrap_or_else(|_| Err(Refusal::of(Reason::Fault)))
    }
}

/// The writer's loop. It ends when every sender is gone.
pub(crate) async fn run(inner: Arc<Inner>, mut queue: mpsc::Receiver<Envelope>, ids: IdSource, random: Box<dyn Random>) {
    // The writer must not keep itself alive through its own sender, so it holds the rest weakly
    // between batches.
    let weak = Arc::downgrade(&inner);
    drop(inner);
    let mut writer = Writer { ids, random, commits: 0 };
    while let Some(first) = queue.recv().await {
        let mut batch = VecDeque::from([first]);
        while batch.len() < BATCH_LIMIT
            && let Ok(next) = queue.try_recv()
        {
            batch.push_back(next);
        }
        let Some(inner) = weak.upgrade() else { break };
        writer.run_batch(&inner, batch).await;
    }
}

struct Writer {
    ids: IdSource,
    random: Box<dyn Random>,
    /// Commits that were tried since the start.
    commits: u64,
}

/// What became of the commands of a batch when they were planned.
#[derive(Default)]
struct Round {
    writes: Vec<(Envelope, Write)>,
    /// Commands that write nothing, but whose answer rests on the writes before them: they are told
    /// only once those are done.
    resting: Vec<(Envelope, Result<(), Refusal>)>,
}

impl Round {
    fn commands(self) -> VecDeque<Envelope> {
        let writes = self.writes.into_iter().map(|(c, _)| c);
        writes.chain(self.resting.into_iter().map(|(c, _)| c)).collect()
    }

    fn fail(self, refusal: &Refusal) {
        answer_all(self.commands(), refusal);
    }
}

/// Tells commands that rested on a commit which is done now.
fn tell_resting(inner: &Inner, resting: Vec<(Envelope, Result<(), Refusal>)>) {
    let revision = inner.index().map(|i| i.revision());
    for (command, answer) in resting {
        command.answer(answer.and_then(|()| revision.clone()));
    }
}

impl Writer {
    async fn run_batch(&mut self, inner: &Inner, mut commands: VecDeque<Envelope>) {
        while !commands.is_empty() {
            let lock = match lock_and_catch_up(inner).await {
                Ok(lock) => lock,
                Err(refusal) => return answer_all(commands, &refusal),
            };
            let mut round = match self.plan_all(inner, commands) {
                Ok(round) if round.writes.is_empty() => return,
                Ok(round) => round,
                Err((left, refusal)) => return answer_all(left, &refusal),
            };
            let Some(commit_id) = self.mark(inner, lock.head(), &mut round.writes) else {
                let refusal = Refusal::of(Reason::Fault).with_note("the random source failed; nothing was written");
                return round.fail(&refusal);
            };
            let batch = Batch { commit_id, writes: round.writes.iter().map(|(_, w)| w.clone()).collect() };
            match lock.commit(batch).await {
                Ok(outcomes) => return settle(inner, round, &outcomes, commit_id),
                Err(CommitError::Refused { index, detail }) => {
                    tracing::warn!(index, detail, "a constraint of the store refused a planned write");
                    let last = round.writes.len() - 1;
                    let (refused, _) = round.writes.remove(index.min(last));
                    refused.answer(Err(Refusal::of(Reason::Conflict)));
                    commands = round.commands();
                }
                Err(CommitError::NotApplied(error)) => {
                    tracing::error!(%error, "a commit failed and was not applied");
                    return round.fail(&unavailable(&error.to_string()));
                }
                Err(CommitError::Unknown(error)) => {
                    tracing::error!(%error, "the outcome of a commit is unknown; looking it up");
                    return resolve(inner, commit_id, round).await;
                }
            }
        }
    }

    /// Draws the id of a commit and the salts of its writes. Even a generator that is stuck gives
    /// every commit an id of its own, and every write of it a salt of its own: by them an unknown
    /// outcome is found.
    fn mark(&mut self, inner: &Inner, head: Head, writes: &mut [(Envelope, Write)]) -> Option<[u8; 16]> {
        let mut commit_id = [0u8; 16];
        let mut drawn = self.random.fill(&mut commit_id);
        self.commits += 1;
        let mut hasher = DefaultHasher::new();
        (&inner.node, self.commits).hash(&mut hasher);
        let own = u128::from(head.revision) << 64 | u128::from(hasher.finish());
        mix_in(&mut commit_id, own);
        for (at, (_, write)) in writes.iter_mut().enumerate() {
            drawn &= self.random.fill(&mut write.salt);
            mix_in(&mut write.salt, at as u128);
        }
        drawn.then_some(commit_id)
    }

    /// Decides and plans each command on the index with the batch so far laid over it. What is
    /// settled without any write of the batch is answered on the way.
    #[allow(clippy::type_complexity)]
    fn plan_all(
        &mut self,
        inner: &Inner,
        commands: VecDeque<Envelope>,
    ) -> Result<Round, (VecDeque<Envelope>, Refusal)> {
        let index = match inner.index() {
            Ok(index) => index,
            Err(refusal) => return Err((commands, refusal)),
        };
        let revision = index.revision();
        let mut overlay = Overlay::new(&*index);
        let mut round = Round::default();
        for mut command in commands {
            let planned = self.plan_one(inner, &mut command, &overlay, revision);
            let settled = match planned {
                Ok(plan) if plan.is_empty() => Ok(()),
                Ok(plan) => {
                    overlay.apply(&plan.set);
                    let write = Write { set: plan.set, content: plan.content, jobs: plan.jobs, salt: [0; 16] };
                    round.writes.push((command, write));
                    continue;
                }
                Err(refusal) => Err(refusal),
            };
            if round.writes.is_empty() {
                command.answer(settled.map(|()| revision));
            } else {
                round.resting.push((command, settled));
            }
        }
        Ok(round)
    }

    /// A rule that panics is a bug and costs its command, never the writer.
    fn plan_one(
        &mut self,
        inner: &Inner,
        command: &mut Envelope,
        state: &dyn State,
        revision: u64,
    ) -> Result<Plan, Refusal> {
        let plan = || command.plan(inner, state, revision, &mut self.ids, &mut *self.random);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(plan)).unwrap_or_else(|_| {
            tracing::error!("a command broke off while it was planned; nothing of it was written");
            Err(Refusal::of(Reason::Fault))
        })
    }
}

fn mix_in(bytes: &mut [u8; 16], value: u128) {
    for (byte, other) in bytes.iter_mut().zip(value.to_be_bytes()) {
        *byte ^= other;
    }
}

fn answer_all(commands: VecDeque<Envelope>, refusal: &Refusal) {
    for command in commands {
        command.answer(Err(refusal.clone()));
    }
}

pub(crate) fn unavailable(note: &str) -> Refusal {
    Refusal::of(Reason::Unavailable).with_note(note)
}

async fn lock_and_catch_up(inner: &Inner) -> Result<Box<dyn HeadLock>, Refusal> {
    let lock = inner.store.lock_head().await.map_err(|e| {
        tracing::error!(error = %e, "the head can't be locked");
        unavailable("the store can't be reached")
    })?;
    catch_up(inner, lock.head()).await?;
    Ok(lock)
}

/// Folds what was applied, in order, and only then answers.
fn settle(inner: &Inner, round: Round, outcomes: &[Outcome], commit_id: [u8; 16]) {
    let mut answers = Vec::with_capacity(round.writes.len());
    let mut jobs = false;
    for (i, (command, write)) in round.writes.into_iter().enumerate() {
        let answer = match outcomes.get(i) {
            Some(Outcome::Applied { revision }) => {
                jobs |= !write.jobs.is_empty();
                fold(inner, *revision, &write.set).map(|()| *revision)
            }
            Some(Outcome::Conflict) => Err(Refusal::of(Reason::Conflict)),
            None => Err(Refusal::of(Reason::Fault)),
        };
        answers.push((command, answer));
    }
    if jobs {
        inner.wake_jobs.notify_waiters();
    }
    // A lease that ran out during the commit means that another node may answer by now without
    // knowing this write, so nobody is told that it holds everywhere.
    let late = (!inner.is_fresh()).then(|| valetkey_store::ledger::to_hex(&commit_id));
    for (command, answer) in answers {
        command.answer(match &late {
            Some(id) => answer.and_then(|_| Err(Refusal::of(Reason::OutcomeUnknown).with_value(id))),
            None => answer,
        });
    }
    tell_resting(inner, round.resting);
}

/// Finds out what became of a commit. Nothing else is written until that is known.
async fn resolve(inner: &Inner, commit_id: [u8; 16], round: Round) {
    let started = tokio::time::Instant::now();
    let mut waiting = Some(round);
    loop {
        if let Ok(written) = look_up(inner, commit_id).await {
            let Some(round) = waiting else { return };
            if written.is_empty() {
                return round.fail(&unavailable("the store failed; nothing was written"));
            }
            for (command, write) in round.writes {
                let entry = written.iter().find(|e| e.salt == write.salt);
                command.answer(entry.map(|e| e.revision).ok_or_else(|| Refusal::of(Reason::Conflict)));
            }
            return tell_resting(inner, round.resting);
        }
        if started.elapsed() > UNKNOWN_PATIENCE
            && let Some(round) = waiting.take()
        {
            let id = valetkey_store::ledger::to_hex(&commit_id);
            let refusal = Refusal::of(Reason::OutcomeUnknown).with_value(&id);
            round.fail(&refusal);
        }
        if inner.stopped.load(std::sync::atomic::Ordering::Acquire) && waiting.is_none() {
            return;
        }
        tokio::time::sleep(UNKNOWN_PAUSE).await;
    }
}

/// The entries that a commit wrote, folded; empty if it wrote none.
async fn look_up(inner: &Inner, commit_id: [u8; 16]) -> Result<Vec<Entry>, Refusal> {
    // Under the head lock the commit can no longer be under way.
    let away = |e: valetkey_store::StoreError| unavailable(&e.to_string());
    // Whoever gets the lock knows that the commit is over. It is let go at once: the store takes it
    // itself to look the outcome up, and would wait for us.
    drop(inner.store.lock_head().await.map_err(away)?);
    let range = inner.store.outcome(commit_id).await.map_err(away)?;
    // Read behind the outcome, so that what it tells of is folded too.
    catch_up(inner, inner.store.head().await.map_err(away)?).await?;
    let written = match range {
        Some((first, last)) => {
            let limit = usize::try_from(last - first + 1).unwrap_or(BATCH_LIMIT);
            inner.store.tail(first - 1, limit).await.map_err(away)?
        }
        None => Vec::new(),
    };
    // Nobody is told that a write holds everywhere by a node whose lease ran out meanwhile.
    inner.index().map(|_| written)
}
