//! The commands of one batch, from the queue to their answers.
//!
//! A command that was taken from the queue is answered, or handed back, or is in force and waits; none
//! may get lost.

use std::collections::VecDeque;

use valetkey_domain::{Reason, Refusal};
use valetkey_store::Write;

use super::command::{Command, Envelope, InForce, not_durable, too_late};
use super::waiting::Tried;
use crate::block_list::blocks_of;
use crate::core::Inner;

/// The most commands that share one flush.
pub(super) const BATCH_LIMIT: usize = 256;

/// A command that the writer has.
pub(super) struct Taken {
    pub command: Box<dyn Command>,
    /// Its number among those that are in force and not written, if it is one.
    pub held: Option<u64>,
}

/// Where a batch comes from. Commands are taken from the queue only once the head is locked, so that
/// those that wait too long for it are refused meanwhile.
pub(super) enum Load {
    Queued(VecDeque<Envelope>),
    Waiting,
}

impl Load {
    pub fn take(self, inner: &Inner) -> VecDeque<Taken> {
        match self {
            Load::Queued(queued) => take_out(inner, queued),
            Load::Waiting => {
                let taken = inner.writing.take(BATCH_LIMIT).into_iter();
                taken.map(|(id, command)| Taken { command, held: Some(id) }).collect()
            }
        }
    }
}

/// The commands of envelopes whose callers still wait. Late ones are refused.
pub(super) fn take_out(inner: &Inner, queued: VecDeque<Envelope>) -> VecDeque<Taken> {
    let (mut in_time, mut late) = (VecDeque::new(), VecDeque::new());
    for envelope in queued {
        if let Some(command) = envelope.take() {
            if envelope.is_late() { &mut late } else { &mut in_time }.push_back(Taken { command, held: None });
        }
    }
    hand_back(inner, late, &too_late());
    in_time
}

/// Refuses commands of which nothing was written. Those that take a credential away are put in force
/// and wait, and are answered when they have been tried alone.
pub(super) fn hand_back(inner: &Inner, commands: VecDeque<Taken>, refusal: &Refusal) {
    for Taken { mut command, held } in commands {
        if let Some(id) = held {
            inner.writing.put_back(id, command);
            continue;
        }
        if command.in_force() == InForce::AtOnce {
            match inner.put_in_force(command) {
                Tried::InForce => continue,
                Tried::RestsOnWaiting(back) => {
                    inner.writing.rest(back);
                    continue;
                }
                Tried::No(back) => command = back,
            }
        }
        command.answer(Err(refusal.clone()));
    }
}

/// The commands of a batch after planning.
#[derive(Default)]
pub(super) struct Round {
    pub writes: Vec<(Taken, Write)>,
    /// Commands that write nothing, but whose answer depends on earlier writes of the batch: they are
    /// answered only once those are done.
    pub resting: Vec<(Taken, Result<(), Refusal>)>,
}

impl Round {
    pub fn commands(self) -> VecDeque<Taken> {
        let writes = self.writes.into_iter().map(|(c, _)| c);
        writes.chain(self.resting.into_iter().map(|(c, _)| c)).collect()
    }

    /// Puts in force what takes a credential away, while it is not known whether it was written.
    pub fn put_in_force(&mut self, inner: &Inner) {
        for (taken, write) in &mut self.writes {
            let is_urgent = taken.held.is_none() && taken.command.in_force() == InForce::AtOnce;
            if let Some(blocks) = blocks_of(&write.set).filter(|_| is_urgent) {
                taken.held = inner.writing.hold(&mut *taken.command, &write.set, blocks);
            }
        }
    }

    /// Answers callers that waited long enough for an outcome.
    pub fn answer_unknown(&mut self, commit_id: [u8; 16]) {
        let unknown = Refusal::of(Reason::OutcomeUnknown).with_value(&valetkey_store::ledger::to_hex(&commit_id));
        let writes = self.writes.iter_mut().map(|(taken, _)| taken);
        for taken in writes.chain(self.resting.iter_mut().map(|(taken, _)| taken)) {
            let in_force = taken.held.map(|_| not_durable());
            taken.command.answer(Err(in_force.unwrap_or_else(|| unknown.clone())));
        }
    }
}

/// Answers commands whose outcome is known. Blocks of those that were in force already are lifted first:
/// the index holds their changes now.
pub(super) fn close(inner: &Inner, settled: Vec<(Taken, Result<u64, Refusal>)>) {
    inner.writing.lift(&settled.iter().filter_map(|(taken, _)| taken.held).collect::<Vec<_>>());
    for (mut taken, answer) in settled {
        taken.command.answer(answer);
    }
}

/// Answers commands that waited for a commit which is done now.
pub(super) fn close_resting(inner: &Inner, resting: Vec<(Taken, Result<(), Refusal>)>) {
    let revision = inner.index().map(|i| i.revision());
    close(inner, resting.into_iter().map(|(taken, answer)| (taken, answer.and_then(|()| revision.clone()))).collect());
}
