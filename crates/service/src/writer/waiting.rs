//! Changes that are in force and not written yet, and whether the store can write.
//!
//! A command that takes a credential away is decided and planned on the known state, with the waiting
//! changes before it on top. Then its blocks are in force, and it waits here until the writer has made
//! it durable and folded it. Nothing else may be written before it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use valetkey_authz::overlay::Overlay;
use valetkey_domain::{ChangeSet, IdSource, Random, Reason, Refusal, State};
use valetkey_store::StoreError;

use super::{Command, Plan, not_durable};
use crate::block_list::{Block, BlockList, blocks_of};
use crate::core::Inner;
use crate::readiness::Writing;

/// How many commands may be in force without being written. A further one is refused.
const WAITING_LIMIT: usize = 4096;

/// What the writer and the callers share.
pub(crate) struct WriteState {
    pub blocks: BlockList,
    /// Wakes the writer when there is something to make durable.
    pub wake: Notify,
    status: Mutex<Writing>,
    waiting: Mutex<Waiting>,
}

impl Default for WriteState {
    fn default() -> WriteState {
        WriteState {
            blocks: BlockList::default(),
            wake: Notify::new(),
            status: Mutex::new(Writing::Works),
            waiting: Mutex::default(),
        }
    }
}

#[derive(Default)]
struct Waiting {
    newest: u64,
    /// In the order in which they came in force.
    entries: Vec<Entry>,
}

struct Entry {
    id: u64,
    /// `None` while the writer has it.
    command: Option<Box<dyn Command>>,
    /// What it changes; `None` if it only waits for the changes before it.
    set: Option<ChangeSet>,
    blocks: Vec<Block>,
}

/// The result of putting a command in force.
pub(crate) enum Tried {
    InForce,
    /// It has nothing left to do once what waits is written.
    RestsOnWaiting(Box<dyn Command>),
    /// It was refused, has nothing to do, or can't be put in force without being written.
    No(Box<dyn Command>),
}

impl WriteState {
    pub fn status(&self) -> Writing {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether the store can write; returns the previous status.
    pub fn note(&self, status: Writing) -> Writing {
        std::mem::replace(&mut *self.status.lock().unwrap_or_else(PoisonError::into_inner), status)
    }

    /// Notes that the store did not answer a command in time. An unknown outcome stays unknown.
    pub fn note_silence(&self) {
        self.note_trouble("the store does not answer; changes are refused");
    }

    /// Notes that something other than a command could not be written because no space is left.
    pub fn note_full(&self, error: &StoreError) {
        if matches!(error, StoreError::Full(_)) {
            self.note_trouble("the store has no space left; changes may be refused");
        }
    }

    fn note_trouble(&self, what: &str) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if *status == Writing::Works {
            tracing::error!("{what}");
            *status = Writing::Fails;
            self.wake.notify_one();
        }
    }

    pub fn waiting_count(&self) -> usize {
        self.list().entries.len()
    }

    fn list(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the blocks of a command in force that the writer has already sent to the store.
    pub fn hold(&self, command: &mut dyn Command, set: &ChangeSet, blocks: Vec<Block>) -> Option<u64> {
        self.add(&mut self.list(), command, set.clone(), blocks)
    }

    fn add(&self, list: &mut Waiting, command: &mut dyn Command, set: ChangeSet, blocks: Vec<Block>) -> Option<u64> {
        if list.entries.len() >= WAITING_LIMIT {
            return None;
        }
        command.keep_decision();
        list.newest += 1;
        self.blocks.add(&blocks);
        list.entries.push(Entry { id: list.newest, command: None, set: Some(set), blocks });
        Some(list.newest)
    }

    /// Lets a command wait that has nothing to do once the changes before it are written.
    pub fn rest(&self, mut command: Box<dyn Command>) {
        let mut list = self.list();
        if list.entries.len() >= WAITING_LIMIT {
            return command.answer(Err(not_durable()));
        }
        list.newest += 1;
        let id = list.newest;
        list.entries.push(Entry { id, command: Some(command), set: None, blocks: Vec::new() });
    }

    /// The commands that wait, the oldest first, to be written. They stay in force.
    pub fn take(&self, limit: usize) -> Vec<(u64, Box<dyn Command>)> {
        let mut list = self.list();
        let here = list.entries.iter_mut().filter_map(|e| e.command.take().map(|command| (e.id, command)));
        here.take(limit).collect()
    }

    /// Gives back a command that could not be written.
    pub fn put_back(&self, id: u64, command: Box<dyn Command>) {
        if let Some(entry) = self.list().entries.iter_mut().find(|e| e.id == id) {
            entry.command = Some(command);
        }
    }

    /// Lifts the blocks of commands that are durable and folded, or that turned out void.
    pub fn lift(&self, ids: &[u64]) {
        if ids.is_empty() {
            return;
        }
        let mut list = self.list();
        list.entries.retain(|e| !ids.contains(&e.id));
        self.blocks.replace(list.entries.iter().flat_map(|e| e.blocks.iter().copied()));
    }

    /// Answers the callers that still wait: their changes are in force and not durable.
    pub fn answer_waiting(&self) {
        let mut list = self.list();
        for command in list.entries.iter_mut().filter_map(|e| e.command.as_mut()) {
            command.answer(Err(not_durable()));
        }
        // Commands without changes of their own need no more than this answer.
        list.entries.retain(|e| e.set.is_some());
    }
}

/// A command that is in force at once draws no random bytes; if it tries to, it fails.
struct NoRandom;

impl Random for NoRandom {
    fn fill(&mut self, _: &mut [u8]) -> bool {
        false
    }
}

impl Inner {
    /// Decides and plans a command on the known state, and puts it in force on this node. It then waits to
    /// be written, and its caller is answered when it is written or writing failed.
    pub(crate) fn put_in_force(&self, mut command: Box<dyn Command>) -> Tried {
        // Held throughout, so that what waits keeps the order in which it was planned.
        let mut list = self.writing.list();
        let planned = {
            let Ok(index) = self.index() else { return Tried::No(command) };
            let mut overlay = Overlay::new(&*index);
            for set in list.entries.iter().filter_map(|e| e.set.as_ref()) {
                overlay.apply(set);
            }
            let revision = index.revision();
            plan_safely(self, &mut *command, &overlay, revision, &mut IdSource::new(0), &mut NoRandom)
        };
        let is_void = match &planned {
            Ok(plan) => plan.is_empty(),
            Err(refusal) => command.is_allowed() && is_gone(refusal),
        };
        if is_void && !list.entries.is_empty() {
            return Tried::RestsOnWaiting(command);
        }
        let Ok(plan) = planned else { return Tried::No(command) };
        let Some(blocks) = blocks_of_plan(&plan) else { return Tried::No(command) };
        let Some(id) = self.writing.add(&mut list, &mut *command, plan.set, blocks) else { return Tried::No(command) };
        if let Some(entry) = list.entries.last_mut().filter(|e| e.id == id) {
            entry.command = Some(command);
        }
        self.writing.wake.notify_one();
        Tried::InForce
    }
}

fn blocks_of_plan(plan: &Plan) -> Option<Vec<Block>> {
    let is_authority_alone = plan.content.is_empty() && plan.jobs.is_empty();
    blocks_of(&plan.set).filter(|_| is_authority_alone)
}

/// Whether a rule finds nothing left to do, because its subject is gone.
pub(super) fn is_gone(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::NotVisible | Reason::UnknownReference)
}

/// A rule that panics is a bug and costs its command, never the writer.
pub(crate) fn plan_safely(
    inner: &Inner,
    command: &mut dyn Command,
    state: &dyn State,
    revision: u64,
    ids: &mut IdSource,
    random: &mut dyn Random,
) -> Result<Plan, Refusal> {
    let plan = || command.plan(inner, state, revision, ids, random);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(plan)).unwrap_or_else(|_| {
        tracing::error!("a command broke off while it was planned; nothing of it was written");
        Err(Refusal::of(Reason::Fault))
    })
}
