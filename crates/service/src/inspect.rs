//! Inspection: what a token is good for, asked by itself, its app, or an ADMIN of its business.
//!
//! An inspection does not count as a use of the token. A token of another business must look like no
//! token at all.

use valetkey_authz::{Allowed, Need, Question, Target};
use valetkey_domain::credential::{Digest, read};
use valetkey_domain::noun::token::Token;
use valetkey_domain::{Caller, Id, Name, Reason, Refusal, ScopeSet};

use crate::app::ProvenApp;
use crate::call::Call;
use crate::core::Service;
use crate::token::TokenStatus;

/// What an inspection finds.
#[derive(Debug)]
pub enum Inspected {
    /// No token, or one that the caller may not know about.
    Unreadable,
    /// A token of another app of the business than the one that asks.
    OtherApp,
    Token(Box<InspectedToken>),
    /// The credential of an app.
    App {
        app: ProvenApp,
        name: Option<Name>,
        is_connected: bool,
    },
}

/// A token that the caller may inspect.
#[derive(Debug)]
pub struct InspectedToken {
    pub token: Token,
    /// What it may be used for now.
    pub scopes: ScopeSet,
    pub status: TokenStatus,
    /// Why a check of the token would be refused; `None` while it is live.
    pub reason: Option<Reason>,
    pub app_name: Option<Name>,
    /// The token asks about itself and is dead, and its app demands a proof. A dead token's proof can't
    /// be checked, so the answer says only that it is dead.
    pub is_unproven: bool,
}

impl Service {
    /// Inspects a text.
    ///
    /// # Errors
    /// What is wrong with the caller's own credential, unless it is a dead one that asks about itself;
    /// or that the caller may not inspect the token.
    pub fn inspect(&self, call: &Call, text: &str) -> Result<Inspected, Refusal> {
        let itself = call.text() == Some(text);
        let allowed = match self.caller(call) {
            Ok(allowed) => Some(allowed),
            // A missing proof does not make a token dead: somebody who found a token must not learn
            // here what it is good for.
            Err(refusal) if itself && refusal.reason.is_death() => None,
            Err(refusal) => return Err(refusal),
        };
        if text.contains('|') {
            return self.inspect_app(call, text, allowed.as_ref());
        }
        let digest = Digest::of(text);
        let found = if read(text).is_some() { self.read(|s| s.token_by_digest(&digest))? } else { None };
        let Some(token) = found else { return Ok(Inspected::Unreadable) };
        match &allowed {
            None => {}
            Some(allowed) if allowed.caller.business() != Some(token.business) => return Ok(Inspected::Unreadable),
            Some(allowed) => match allowed.caller {
                Caller::App { app, .. } if token.app != Some(app) => return Ok(Inspected::OtherApp),
                Caller::App { .. } => {}
                _ if itself => {}
                // Asked, so that the refusal can be explained. A page token has its parent's role but
                // stands for the Page alone.
                Caller::Person { .. } | Caller::SystemUser { .. } | Caller::Operator => {
                    self.without_use(call, inspect_question())?;
                }
            },
        }
        let now = self.now();
        self.read(|s| {
            let (status, reason) = self.inner.token_status(s, &token, now);
            let app = token.app.and_then(|app| s.app(app));
            Inspected::Token(Box::new(InspectedToken {
                scopes: token.effective_scopes(s),
                status,
                reason,
                is_unproven: allowed.is_none() && app.as_ref().is_some_and(|app| app.demands_proof),
                app_name: app.map(|app| app.name),
                token,
            }))
        })
    }

    /// An app's own credential, for itself and for users of its business.
    fn inspect_app(&self, call: &Call, text: &str, allowed: Option<&Allowed>) -> Result<Inspected, Refusal> {
        let (id, secret) = text.split_once('|').unwrap_or_default();
        let proven = Id::parse(id).and_then(|id| self.prove_app(id, secret).ok());
        let Some(app) = proven else { return Ok(Inspected::Unreadable) };
        match allowed {
            // Itself, and dead.
            None => {}
            Some(allowed) if allowed.caller.business() != Some(app.business) => return Ok(Inspected::Unreadable),
            Some(allowed) => match allowed.caller {
                Caller::App { app: own, .. } if own != app.app => return Ok(Inspected::OtherApp),
                Caller::App { .. } => {}
                Caller::Person { .. } | Caller::SystemUser { .. } | Caller::Operator => {
                    self.without_use(call, inspect_question())?;
                }
            },
        }
        self.read(|s| Inspected::App {
            app,
            name: s.app(app.app).map(|a| a.name),
            is_connected: s.connection(app.business, app.app).is_some(),
        })
    }
}

/// The question whether a user may inspect the tokens of its business: as its ADMIN.
fn inspect_question() -> Question {
    Question::about(Target::Nothing).need(Need::Admin)
}
