//! The session of an admin person: signed in at the first call, and signed out at the end.

use anyhow::Context as _;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::{TokenId, UserId};
use valetkey_service::{Call, Service};

use super::company::TRACE;

/// A person who may sign in.
pub struct Session<'a> {
    service: &'a Service,
    person: UserId,
    signed_in: Option<(TokenId, Call)>,
}

impl<'a> Session<'a> {
    /// A session that is not signed in yet.
    pub fn new(service: &'a Service, person: UserId) -> Session<'a> {
        Session { service, person, signed_in: None }
    }

    /// A call as the person; signs in first if needed.
    pub async fn call(&mut self) -> anyhow::Result<Call> {
        if let Some((_, call)) = &self.signed_in {
            return Ok(call.clone());
        }
        let code = self.service.create_sign_in_code(&Call::operator(TRACE), self.person).await;
        let code = code.context("the admin person can't get a code")?.value;
        let redeemed = self.service.redeem_sign_in_code(TRACE, code.reveal(), PersonToken::CommandLine).await;
        let (token, text) = redeemed.context("the admin person can't sign in")?.value;
        let call = Call::with_token(text.reveal(), TRACE);
        self.signed_in = Some((token.id, call.clone()));
        Ok(call)
    }

    /// Signs out, so that no unused token is left.
    pub async fn end(&mut self) {
        if let Some((token, call)) = self.signed_in.take()
            && let Err(refusal) = self.service.revoke_token(&call, token).await
        {
            tracing::warn!(%refusal, "the admin person could not sign out; the token ends within two hours");
        }
    }
}
