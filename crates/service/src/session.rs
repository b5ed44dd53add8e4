//! Sessions of people in the console. A session is a person's token, so it is listed and revoked like
//! any other; beside its end it has a limit for being idle.

use valetkey_domain::credential::Digest;
use valetkey_domain::rules::sign_in::SESSION_IDLE_LIMIT_MS;
use valetkey_domain::{Name, Refusal, Role, Status, TokenId, UnixMs, UserId};

use crate::ask::Checked;
use crate::call::Call;
use crate::core::Service;
use crate::token::{Listed, TokenStatus};

/// What a sign-in code opens, for whoever holds the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInOffer {
    pub person: UserId,
    pub name: Name,
    pub role: Role,
    pub business: Name,
    pub expires_at: UnixMs,
}

impl Service {
    /// Whom a sign-in code would let in, without redeeming it. `None` for a code that was used, that has
    /// ended, or that never was; the three look alike.
    ///
    /// # Errors
    /// `not_fresh` when the node can't answer.
    pub fn sign_in_offer(&self, code: &str) -> Result<Option<SignInOffer>, Refusal> {
        let now = self.now();
        self.read(|state| {
            let record = state.sign_in_code(&Digest::of(code)).filter(|record| record.expires_at > now)?;
            let person = state.person(record.person).filter(|person| person.status == Status::Active)?;
            let business = state.business(record.business)?;
            Some(SignInOffer {
                person: person.id,
                name: person.name,
                role: person.role,
                business: business.name,
                expires_at: record.expires_at,
            })
        })
    }

    /// Whether a session was not used for so long that it counts as left. A restart forgets the last
    /// seconds of uses, never more.
    ///
    /// # Errors
    /// Of the store, or `not_fresh`.
    pub async fn is_session_idle(&self, session: TokenId) -> Result<bool, Refusal> {
        let uses = self.uses_of(&[session]).await?;
        let created_at = self.read(|state| state.token(session).map(|token| token.created_at))?;
        let last = uses.get(&session).map(|used| used.used_at).max(created_at).unwrap_or_default();
        Ok(self.now() - last >= SESSION_IDLE_LIMIT_MS)
    }

    /// The live sessions of a person, newest first.
    ///
    /// # Errors
    /// The refusal.
    pub async fn sessions(&self, call: &Call, person: UserId) -> Result<Checked<Vec<Listed>>, Refusal> {
        let tokens = self.list_tokens(call, person).await?;
        Ok(tokens.map(|all| {
            let is_live = |listed: &Listed| listed.token.session && listed.status == TokenStatus::Live;
            all.into_iter().filter(is_live).collect()
        }))
    }
}
