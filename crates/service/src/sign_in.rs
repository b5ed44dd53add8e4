//! Single-use sign-in codes.

use valetkey_authz::{Question, Target};
use valetkey_domain::credential::CredentialText;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::token::Token;
use valetkey_domain::rules::sign_in::{self};
use valetkey_domain::{BusinessId, Refusal, UserId};

use crate::ask::Facts;
use crate::call::Call;
use crate::core::Service;
use crate::writer::{Done, Plan};

impl Service {
    /// Makes a code for a person. Only the operator may.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create_sign_in_code(&self, call: &Call, person: UserId) -> Result<Done<CredentialText>, Refusal> {
        self.command(call, Question::about(Target::Nothing), move |planner, allowed| {
            let (set, text) = sign_in::create(planner, &allowed.caller, person)?;
            Ok((Plan::of(set), text))
        })
        .await
    }

    /// Redeems a code for a person's two-hour token. Anyone with the code may; it works once.
    ///
    /// # Errors
    /// `token_unknown`, `token_expired`, `user_deactivated`.
    pub async fn redeem_sign_in_code(&self, trace: &str, code: &str) -> Result<Done<(Token, CredentialText)>, Refusal> {
        let code = code.to_owned();
        // The code is the credential, so the question is asked as the operator and the rule checks it.
        let call = Call::operator(trace);
        self.command(&call, Question::about(Target::Nothing), move |planner, _| {
            let (set, token, text) = sign_in::redeem(planner, &code)?;
            Ok((Plan::of(set), (token, text)))
        })
        .await
    }

    /// The codes that are not redeemed yet, of one business or of all.
    ///
    /// # Errors
    /// The refusal.
    pub fn sign_in_codes(
        &self,
        call: &Call,
        question: Question,
        business: Option<BusinessId>,
    ) -> Result<Vec<SignInCode>, Refusal> {
        let of_business = |c: &SignInCode| business.is_none_or(|b| c.business == b);
        let read = |facts: &Facts<'_>| facts.sign_in_codes().into_iter().filter(of_business).collect::<Vec<_>>();
        Ok(self.step(call, question, read)?.into_inner())
    }
}
