//! Single-use sign-in codes.

use valetkey_authz::{Question, Target};
use valetkey_domain::credential::CredentialText;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::token::Token;
use valetkey_domain::rules::sign_in::{self, PersonToken};
use valetkey_domain::{BusinessId, Refusal, UserId};

use crate::ask::Facts;
use crate::call::Call;
use crate::core::Service;
use crate::person::about;
use crate::rights;
use crate::writer::{Done, Plan};

impl Service {
    /// Makes a code for a person. The operator may for anybody; an ADMIN of the business, signed in, for a
    /// person who has no sign-in of its own and works for no other business.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create_sign_in_code(&self, call: &Call, person: UserId) -> Result<Done<CredentialText>, Refusal> {
        let business = self.read(|s| s.person(person).map(|p| p.business))?;
        let business = business.ok_or_else(|| self.absent(call, person))?;
        self.command(call, rights::MANAGE_BUSINESS.on_business(business), move |planner, allowed| {
            let (set, text) = sign_in::create(planner, &allowed.caller, person)?;
            Ok((Plan::of(set), text))
        })
        .await
        .map_err(|r| about(r, person))
    }

    /// Redeems a code for a person's token, for the command line or as a session. Anyone with the code may;
    /// it works once.
    ///
    /// # Errors
    /// `token_unknown`, `token_expired`, `token_revoked`, `user_deactivated`.
    pub async fn redeem_sign_in_code(
        &self,
        trace: &str,
        code: &str,
        gives: PersonToken,
    ) -> Result<Done<(Token, CredentialText)>, Refusal> {
        let code = code.to_owned();
        // The code is the credential, so the question is asked as the operator and the rule checks it.
        let call = Call::operator(trace);
        self.command(&call, Question::about(Target::Nothing), move |planner, _| {
            let (set, token, text) = sign_in::redeem(planner, &code, gives)?;
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
