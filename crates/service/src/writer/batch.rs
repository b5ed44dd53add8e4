//! The writer's loop: batches, commits, unknown outcomes, and what waits to become durable.
//!
//! Every step has a time limit, so that the loop always returns to waiting commands. An answer must be
//! true: a commit whose outcome is unknown is neither a success nor a refusal.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use valetkey_authz::overlay::Overlay;
use valetkey_domain::{IdSource, Random, Reason, Refusal};
use valetkey_store::{Batch, CommitError, Entry, Head, HeadLock, Outcome, StoreError, Write};

use super::command::{Envelope, PATIENCE, is_gone, plan_safely, unavailable};
use super::round::{BATCH_LIMIT, Load, Round, Taken, close, close_resting, hand_back, take_out};
use super::waiting::WriteState;
use crate::core::Inner;
use crate::follow::{catch_up, fold};
use crate::readiness::Writing;

/// The pause between two looks for an outcome.
const UNKNOWN_PAUSE: Duration = Duration::from_millis(200);
/// How long one look for an outcome may take.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(60);
/// How long a commit may take before it is given up and looked up instead.
const COMMIT_LIMIT: Duration = Duration::from_secs(60);
/// How long the writer may read what others wrote while it holds the head lock.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(60);
/// The pause between two attempts to write while the store can't.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The writer's loop. It ends when every sender is gone.
pub(crate) async fn run(
    inner: Arc<Inner>,
    mut queue: mpsc::Receiver<Envelope>,
    ids: IdSource,
    random: Box<dyn Random>,
) {
    // The writer must not keep itself alive through its own sender, so between batches it holds only a
    // weak reference.
    let (weak, writing) = (Arc::downgrade(&inner), Arc::clone(&inner.writing));
    drop(inner);
    let mut writer =
        Writer { ids, random, commits: 0, tries: Tries { waiting: Instant::now(), trial: Instant::now() } };
    while let Some(queued) = next(&writing, &writer.tries, &mut queue).await {
        let Some(inner) = weak.upgrade() else { break };
        if writer.tries.due(&writing).is_some_and(|due| Instant::now() >= due) {
            writer.make_durable(&inner).await;
        }
        if writing.waiting_count() > 0 {
            // Changes that are in force already must be written first.
            let refusal = unavailable("the store can't write; nothing was written");
            hand_back(&inner, take_out(&inner, queued), &refusal);
        } else if !queued.is_empty() {
            writer.run_batch(&inner, Load::Queued(queued)).await;
        }
    }
}

/// Waits for commands, or until it is time to retry what could not be written. `None` once nobody can
/// send any more.
async fn next(writing: &WriteState, tries: &Tries, queue: &mut mpsc::Receiver<Envelope>) -> Option<VecDeque<Envelope>> {
    let first = loop {
        let due = tries.due(writing);
        tokio::select! {
            biased;
            first = queue.recv() => break Some(first?),
            // A change that was put in force may have to be written at once.
            () = writing.wake.notified() => {}
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => break None,
        }
    };
    let mut queued: VecDeque<Envelope> = first.into_iter().collect();
    while queued.len() < BATCH_LIMIT
        && let Ok(next) = queue.try_recv()
    {
        queued.push_back(next);
    }
    Some(queued)
}

/// When to retry what could not be written.
struct Tries {
    /// For changes that are in force and wait to be written.
    waiting: Instant,
    /// For anything else.
    trial: Instant,
}

impl Tries {
    fn due(&self, writing: &WriteState) -> Option<Instant> {
        if writing.waiting_count() > 0 {
            return Some(self.waiting);
        }
        (writing.status() != Writing::Works).then_some(self.trial)
    }
}

struct Writer {
    ids: IdSource,
    random: Box<dyn Random>,
    /// Commits that were tried since the start.
    commits: u64,
    tries: Tries,
}

impl Writer {
    /// Writes the changes that are in force and not written, and nothing else with them. If there are
    /// none, it checks whether the store can write again.
    async fn make_durable(&mut self, inner: &Inner) {
        loop {
            let waiting = inner.writing.waiting_count();
            if waiting == 0 {
                break;
            }
            self.run_batch(inner, Load::Waiting).await;
            if inner.writing.waiting_count() >= waiting {
                break;
            }
        }
        inner.writing.answer_waiting();
        let is_any_left = inner.writing.waiting_count() > 0;
        self.tries.waiting = Instant::now() + if is_any_left { RETRY_PAUSE } else { Duration::ZERO };
        if self.tries.due(&inner.writing).is_some_and(|due| !is_any_left && Instant::now() >= due) {
            probe(inner).await;
            self.tries.trial = Instant::now() + RETRY_PAUSE;
        }
    }

    async fn run_batch(&mut self, inner: &Inner, load: Load) {
        let mut locked = self.lock(inner).await;
        let mut commands = load.take(inner);
        while !commands.is_empty() {
            let lock = match locked {
                Ok(lock) => lock,
                Err(refusal) => return hand_back(inner, commands, &refusal),
            };
            let mut round = match self.plan_all(inner, commands) {
                Ok(round) if round.writes.is_empty() => return,
                Ok(round) => round,
                Err((left, refusal)) => return hand_back(inner, left, &refusal),
            };
            let Some(commit_id) = self.mark(inner, lock.head(), &mut round.writes) else {
                let refusal = Refusal::of(Reason::Fault).with_note("the random source failed; nothing was written");
                return hand_back(inner, round.commands(), &refusal);
            };
            let started = Instant::now();
            match commit(inner, lock, commit_id, &mut round).await {
                Ok(outcomes) => return settle(inner, round, &outcomes, commit_id),
                Err(CommitError::Refused { index, detail }) => {
                    tracing::warn!(index, detail, "a constraint of the store refused a planned write");
                    let last = round.writes.len() - 1;
                    let (refused, _) = round.writes.remove(index.min(last));
                    close(inner, vec![(refused, Err(Refusal::of(Reason::Conflict)))]);
                    commands = round.commands();
                    locked = self.lock(inner).await;
                }
                Err(CommitError::NotApplied(error)) => {
                    self.note_failure(inner, &error);
                    return hand_back(inner, round.commands(), &unavailable(&error.to_string()));
                }
                Err(CommitError::Unknown(error)) => {
                    tracing::error!(%error, "the outcome of a commit is unknown; looking it up");
                    return self.resolve(inner, commit_id, round, started).await;
                }
            }
        }
    }

    /// The head, locked, with everything up to it folded.
    async fn lock(&mut self, inner: &Inner) -> Result<Box<dyn HeadLock>, Refusal> {
        let late = |_| Err(StoreError::Unavailable("the head lock did not come in time".to_owned()));
        let lock = match timeout(PATIENCE, inner.store.lock_head()).await.unwrap_or_else(late) {
            Ok(lock) => lock,
            Err(error) => {
                self.note_failure(inner, &error);
                return Err(unavailable("the store can't be reached"));
            }
        };
        let late = |_| Err(unavailable("the store did not answer in time"));
        match timeout(CATCH_UP_LIMIT, catch_up(inner, lock.head())).await.unwrap_or_else(late) {
            Ok(()) => Ok(lock),
            Err(refusal) => {
                if refusal.reason == Reason::Unavailable {
                    self.note_failure(inner, &StoreError::Unavailable(refusal.to_string()));
                }
                Err(refusal)
            }
        }
    }

    /// Notes that the store can't write. Changes in force are tried alone at once, and then in pauses.
    fn note_failure(&mut self, inner: &Inner, error: &StoreError) {
        if inner.writing.note(Writing::Fails) == Writing::Fails {
            tracing::debug!(%error, "the store still can't write");
        } else {
            tracing::error!(%error, "the store can't write; changes are refused");
            self.tries.trial = Instant::now();
        }
        self.tries.waiting = Instant::now();
    }

    /// Draws the id of a commit and the salts of its writes. They differ even if the random source always
    /// gives the same bytes, because an unknown outcome is looked up by them.
    fn mark(&mut self, inner: &Inner, head: Head, writes: &mut [(Taken, Write)]) -> Option<[u8; 16]> {
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

    /// Decides and plans each command on the index with the changes of the batch so far on top. A
    /// command whose answer needs no write of the batch is answered right away.
    #[allow(clippy::type_complexity)]
    fn plan_all(&mut self, inner: &Inner, commands: VecDeque<Taken>) -> Result<Round, (VecDeque<Taken>, Refusal)> {
        let index = match inner.index() {
            Ok(index) => index,
            Err(refusal) => return Err((commands, refusal)),
        };
        let revision = index.revision();
        let mut overlay = Overlay::new(&*index);
        let mut round = Round::default();
        let mut settled = Vec::new();
        for mut taken in commands {
            let planned = plan_safely(inner, &mut *taken.command, &overlay, revision, &mut self.ids, &mut *self.random);
            let answer = match planned {
                Ok(plan) if plan.is_empty() => Ok(()),
                Ok(plan) => {
                    overlay.apply(&plan.set);
                    let write = Write { set: plan.set, content: plan.content, jobs: plan.jobs, salt: [0; 16] };
                    round.writes.push((taken, write));
                    continue;
                }
                Err(refusal) if taken.held.is_some() => void(refusal),
                Err(refusal) => Err(refusal),
            };
            if round.writes.is_empty() {
                settled.push((taken, answer.map(|()| revision)));
            } else {
                round.resting.push((taken, answer));
            }
        }
        drop(overlay);
        drop(index);
        close(inner, settled);
        Ok(round)
    }

    /// Finds out what became of a commit. Nothing else is written until that is known.
    async fn resolve(&mut self, inner: &Inner, commit_id: [u8; 16], mut round: Round, started: Instant) {
        inner.writing.note(Writing::OutcomeUnknown);
        round.put_in_force(inner);
        let mut is_answered = false;
        loop {
            let found = tokio::select! {
                found = timeout(LOOK_UP_LIMIT, look_up(inner, commit_id)) => found,
                () = sleep_until(started + PATIENCE), if !is_answered => {
                    is_answered = true;
                    round.answer_unknown(commit_id);
                    continue;
                }
            };
            match found {
                Ok(Ok(written)) if written.is_empty() => {
                    self.note_failure(inner, &StoreError::Other("a commit was lost".to_owned()));
                    return hand_back(inner, round.commands(), &unavailable("the store failed; nothing was written"));
                }
                Ok(Ok(written)) => {
                    note_written(inner, &round);
                    return settle_found(inner, round, &written);
                }
                Ok(Err(_)) | Err(_) => {}
            }
            if inner.stopped.load(Ordering::Acquire) && is_answered {
                return hand_back(inner, round.commands(), &unavailable("the server is stopping"));
            }
            sleep(UNKNOWN_PAUSE).await;
        }
    }
}

/// The answer for a change in force that its rule now refuses. If its subject is gone, that is a success.
fn void(refusal: Refusal) -> Result<(), Refusal> {
    if is_gone(&refusal) {
        return Ok(());
    }
    tracing::error!(%refusal, "a change that was in force can't be written, and is no longer in force");
    Err(refusal)
}

/// Checks whether the store can write again.
async fn probe(inner: &Inner) {
    let tried = async {
        drop(inner.store.lock_head().await?);
        inner.store.try_write().await
    };
    if let Ok(Ok(())) = timeout(PATIENCE, tried).await {
        note_success(inner);
    }
}

/// A store may reserve space for changes that take something away. So after a failure, writing such a
/// change does not show that the store can write anything else; a trial will.
fn note_written(inner: &Inner, round: &Round) {
    let only_takes_away = round.writes.iter().all(|(_, write)| write.set.narrows());
    match inner.writing.status() {
        Writing::Works => {}
        Writing::Fails | Writing::OutcomeUnknown if only_takes_away => {
            inner.writing.note(Writing::Fails);
        }
        Writing::Fails | Writing::OutcomeUnknown => note_success(inner),
    }
}

fn note_success(inner: &Inner) {
    if inner.writing.note(Writing::Works) != Writing::Works {
        tracing::info!("the store can write again");
    }
}

/// Commits. Callers that waited long enough are answered meanwhile; a commit that does not end has an
/// unknown outcome.
async fn commit(
    inner: &Inner,
    lock: Box<dyn HeadLock>,
    commit_id: [u8; 16],
    round: &mut Round,
) -> Result<Vec<Outcome>, CommitError> {
    let batch = Batch { commit_id, writes: round.writes.iter().map(|(_, w)| w.clone()).collect() };
    let mut commit = lock.commit(batch);
    if let Ok(ended) = timeout(PATIENCE, &mut commit).await {
        return ended;
    }
    tracing::error!("a commit takes too long; its outcome is not known yet");
    inner.writing.note(Writing::OutcomeUnknown);
    round.put_in_force(inner);
    round.answer_unknown(commit_id);
    let late = |_| Err(CommitError::Unknown(StoreError::Unavailable("the commit did not end in time".to_owned())));
    timeout(COMMIT_LIMIT.saturating_sub(PATIENCE), commit).await.unwrap_or_else(late)
}

fn mix_in(bytes: &mut [u8; 16], value: u128) {
    for (byte, other) in bytes.iter_mut().zip(value.to_be_bytes()) {
        *byte ^= other;
    }
}

/// Folds what was applied, in order, and only then answers.
fn settle(inner: &Inner, round: Round, outcomes: &[Outcome], commit_id: [u8; 16]) {
    note_written(inner, &round);
    let mut answers = Vec::with_capacity(round.writes.len());
    let mut jobs = false;
    for (i, (taken, write)) in round.writes.into_iter().enumerate() {
        let answer = match outcomes.get(i) {
            Some(Outcome::Applied { revision }) => {
                jobs |= !write.jobs.is_empty();
                fold(inner, *revision, &write.set).map(|()| *revision)
            }
            Some(Outcome::Conflict) => Err(Refusal::of(Reason::Conflict)),
            None => Err(Refusal::of(Reason::Fault)),
        };
        answers.push((taken, answer));
    }
    if jobs {
        inner.wake_jobs.notify_waiters();
    }
    // If the lease ran out during the commit, another node may already answer without knowing this
    // write, so no answer may say that it is in force everywhere.
    let late = (!inner.is_fresh()).then(|| valetkey_store::ledger::to_hex(&commit_id));
    let unless_late = |answer: Result<u64, Refusal>| match &late {
        Some(id) => answer.and_then(|_| Err(Refusal::of(Reason::OutcomeUnknown).with_value(id))),
        None => answer,
    };
    close(inner, answers.into_iter().map(|(taken, answer)| (taken, unless_late(answer))).collect());
    close_resting(inner, round.resting);
}

/// The same for a commit whose outcome was looked up; what it wrote is folded.
fn settle_found(inner: &Inner, round: Round, written: &[Entry]) {
    let found = |write: &Write| written.iter().find(|e| e.salt == write.salt).map(|e| e.revision);
    let answers = round.writes.into_iter().map(|(taken, write)| {
        let answer = found(&write).ok_or_else(|| Refusal::of(Reason::Conflict));
        (taken, answer)
    });
    close(inner, answers.collect());
    inner.wake_jobs.notify_waiters();
    close_resting(inner, round.resting);
}

/// The entries that a commit wrote, folded; empty if it wrote none.
async fn look_up(inner: &Inner, commit_id: [u8; 16]) -> Result<Vec<Entry>, Refusal> {
    let away = |e: StoreError| unavailable(&e.to_string());
    // Getting the head lock means that the commit is over. It is released at once: the store takes it
    // itself to look the outcome up, and would wait for us.
    drop(inner.store.lock_head().await.map_err(away)?);
    let range = inner.store.outcome(commit_id).await.map_err(away)?;
    // Read after the outcome, so that the head includes the commit.
    catch_up(inner, inner.store.head().await.map_err(away)?).await?;
    let written = match range {
        Some((first, last)) => {
            let limit = usize::try_from(last - first + 1).unwrap_or(BATCH_LIMIT);
            inner.store.tail(first - 1, limit).await.map_err(away)?
        }
        None => Vec::new(),
    };
    // If the lease ran out meanwhile, no answer may say that the write is in force everywhere.
    inner.index().map(|_| written)
}
