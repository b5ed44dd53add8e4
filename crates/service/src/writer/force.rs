//! Putting a command in force on this node before it is written.
//!
//! The list of waiting changes is held from the decision to the block. No id and no random byte is
//! drawn here: what is in force is planned again when it is written.

use valetkey_authz::overlay::Overlay;
use valetkey_domain::{IdSource, Random};

use super::command::{Command, Plan, is_gone, plan_safely};
use super::waiting::Tried;
use crate::block_list::{Block, blocks_of};
use crate::core::Inner;

/// A command that is in force at once, or only looked at, draws no random bytes; if it tries to, it fails.
pub(super) struct NoRandom;

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
