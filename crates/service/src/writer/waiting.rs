//! Changes that are in force and not written yet, and whether the store can write.
//!
//! A command that takes a credential away is decided and planned on the known state, with the waiting
//! changes before it on top. Then its blocks are in force, and it waits here until the writer has made
//! it durable and folded it. Nothing else may be written before it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use valetkey_domain::ChangeSet;
use valetkey_store::StoreError;

use super::command::{Command, not_durable};
use crate::block_list::{Block, BlockList};
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
pub(super) struct Waiting {
    newest: u64,
    /// In the order in which they came in force.
    pub entries: Vec<Entry>,
}

pub(super) struct Entry {
    pub id: u64,
    /// `None` while the writer has it.
    pub command: Option<Box<dyn Command>>,
    /// What it changes; `None` if it only waits for the changes before it.
    pub set: Option<ChangeSet>,
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

    pub(super) fn list(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the blocks of a command in force that the writer has already sent to the store.
    pub fn hold(&self, command: &mut dyn Command, set: &ChangeSet, blocks: Vec<Block>) -> Option<u64> {
        self.add(&mut self.list(), command, set.clone(), blocks)
    }

    pub(super) fn add(
        &self,
        list: &mut Waiting,
        command: &mut dyn Command,
        set: ChangeSet,
        blocks: Vec<Block>,
    ) -> Option<u64> {
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
