//! The terms.

use valetkey_authz::{Question, Sorts, Target};
use valetkey_domain::Refusal;
use valetkey_domain::rules::terms;

use crate::call::Call;
use crate::core::Service;
use crate::writer::{Done, Plan};

impl Service {
    /// Accepts the version in force. Only an ADMIN person may.
    ///
    /// # Errors
    /// The refusal.
    pub async fn accept_terms(&self, call: &Call, version: u32) -> Result<Done<()>, Refusal> {
        // Only a person's token is let through; the rule checks the role.
        let question = Question::about(Target::Nothing).sorts(Sorts::USER);
        self.command(call, question, move |planner, allowed| {
            Ok((Plan::of(terms::accept(planner, &allowed.caller, version)?), ()))
        })
        .await
    }

    /// Puts a new text in force. Only the operator may.
    ///
    /// # Errors
    /// The refusal.
    pub async fn replace_terms(&self, call: &Call, text: &str) -> Result<Done<u32>, Refusal> {
        let text = text.to_owned();
        self.command(call, Question::about(Target::Nothing), move |planner, allowed| {
            let version = planner.state().terms().version + 1;
            Ok((Plan::of(terms::replace(planner, &allowed.caller, &text)?), version))
        })
        .await
    }
}
