//! Planning without writing: what a command would change now.
//!
//! It is decided and planned on the newest state like any other command, counted and journaled. Nothing
//! here may reach the queue, the store or the blocks, and no id and no random byte is drawn.

use valetkey_authz::{Allowed, Question};
use valetkey_domain::{ChangeSet, IdSource, Planner, Refusal, UnixMs};

use super::force::NoRandom;
use crate::call::Call;
use crate::core::Service;

/// What a command would change, and the decision that allows it.
pub(crate) struct Dry {
    pub set: ChangeSet,
    pub allowed: Allowed,
    pub now: UnixMs,
}

impl Service {
    /// Decides and plans. The index is read for as long as the rule takes, and not longer.
    ///
    /// # Errors
    /// The refusal of the right or of the rule.
    pub(crate) fn plan_dry(
        &self,
        call: &Call,
        question: Question,
        rule: impl FnOnce(&mut Planner<'_>, &Allowed) -> Result<ChangeSet, Refusal>,
    ) -> Result<Dry, Refusal> {
        let inner = &*self.inner;
        let now = inner.clock.now();
        let (view, planned) = {
            let index = inner.index()?;
            let (view, decision) = inner.decide_on(call, question, &*index, index.revision(), now);
            let allowed = decision.into_result()?;
            let (mut ids, mut random) = (IdSource::new(0), NoRandom);
            let mut planner = Planner::new(&*index, now, &mut ids, &mut random);
            let planned = rule(&mut planner, &allowed);
            (view, planned.map(|set| Dry { set, allowed, now }))
        };
        planned.inspect_err(|refusal| inner.journal.remember_rule(call, &question, &view, refusal, now))
    }
}
