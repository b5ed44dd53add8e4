//! The calls about tokens themselves: app tokens, refresh, revocation, inspection.

use serde_json::{Value, json};
use valetkey_domain::credential::{Digest, read};
use valetkey_domain::token::{Token, TokenKind};
use valetkey_domain::{Caller, Id, Reason, Refusal};
use valetkey_service::app::ProvenApp;
use valetkey_service::authz::{Allowed, Need, Question, Target};
use valetkey_service::token::status;
use valetkey_service::{Call, Credential};

use super::input::Problem;
use super::{Answer, Cx};
use crate::protocol::envelope::{self, ErrorKind, GraphError};
use crate::refusal::graph_error;
use crate::schema::Verb;

/// How long a person's sign-in lets programs read, as clients expect it: ninety days.
const DATA_ACCESS_S: i64 = 90 * 24 * 60 * 60;

impl Cx<'_> {
    /// `oauth/access_token`: an app token, or a fresh token for a live one.
    pub async fn oauth_access_token(&self) -> Result<Answer, Problem> {
        if self.input.verb == Verb::Delete {
            return Err(envelope::unsupported_method("delete").into());
        }
        let grant = self.input.get("grant_type");
        if grant.is_none() && self.input.get("code").is_some() {
            return Err(GraphError::new(100, ErrorKind::OAuthException, "Invalid verification code format.").into());
        }
        let app = self.proven_app()?;
        match grant {
            Some("client_credentials") => {
                let secret = self.input.require("client_secret")?;
                Ok(Answer::of(json!({ "access_token": format!("{}|{secret}", app.app), "token_type": "bearer" })))
            }
            Some("fb_exchange_token") => self.exchange(app).await,
            _ => Err(envelope::grant_type().into()),
        }
    }

    async fn exchange(&self, app: ProvenApp) -> Result<Answer, Problem> {
        let old = self.input.require("fb_exchange_token")?;
        let lifetime = self.lifetime()?;
        let done = self.service().refresh_token(self.call, app, old, lifetime).await?;
        let (token, text) = done.value;
        let mut body = json!({ "access_token": text.reveal(), "token_type": "bearer", "token_id": token.id });
        if let (Some(end), Value::Object(map)) = (token.expires_at, &mut body) {
            map.insert("expires_in".to_owned(), json!(((end - self.now) / 1000).max(0)));
        }
        Ok(Answer { body, revision: Some(done.revision), about: None })
    }

    /// `oauth/revoke`: id, secret and both tokens of one app.
    pub async fn oauth_revoke(&self) -> Result<Answer, Problem> {
        if self.input.verb == Verb::Delete {
            return Err(envelope::unsupported_method("delete").into());
        }
        let app = self.proven_app()?;
        let text =
            self.input.first(&["revoke_token", "token"]).ok_or_else(|| envelope::parameter_required("revoke_token"))?;
        // Whoever brings only id and secret acts as the app.
        let as_app = Call {
            credential: Credential::Text(format!("{}|{}", app.app, self.input.require("client_secret")?)),
            proof: None,
            ..self.call.clone()
        };
        let call = if matches!(self.call.credential, Credential::None) { &as_app } else { self.call };
        let allowed = self.service().ask(call, Cx::alive())?;
        let of_app = match allowed.caller {
            Caller::SystemUser { app: own, .. } | Caller::App { app: own, .. } => own == app.app,
            _ => false,
        };
        if !of_app {
            return Err(envelope::invisible_parameter("access_token").into());
        }
        let revision = self.service().revoke_token_text(call, app, text).await?;
        Ok(Answer::success(revision))
    }

    fn proven_app(&self) -> Result<ProvenApp, Problem> {
        let missing =
            |name: &str| GraphError::new(101, ErrorKind::OAuthException, format!("Missing {name} parameter."));
        let id = self.input.get("client_id").ok_or_else(|| missing("client_id"))?;
        let secret = self.input.get("client_secret").ok_or_else(|| missing("client_secret"))?;
        let id = Id::parse(id).ok_or_else(envelope::application_unknown)?;
        self.service().prove_app(id, secret).map_err(|refusal| match refusal.field.as_deref() {
            Some("client_id") => envelope::application_unknown().into(),
            Some("client_secret") => envelope::client_secret_wrong().into(),
            _ => Problem::from(refusal),
        })
    }

    /// `debug_token`: what a token is, for itself, its app, or an ADMIN of its business.
    pub async fn debug_token(&self) -> Result<Answer, Problem> {
        self.need_token()?;
        let itself = self.call.text().is_some() && self.call.text() == self.input.get("input_token");
        let allowed = match self.live() {
            Ok(allowed) => Some(allowed),
            // A dead token may still be told what became of it, by itself. A missing proof is no
            // death: whoever found a token must not learn from it what it is good for.
            Err(Problem::Refusal(refusal)) if itself && is_death(refusal.reason) => None,
            Err(problem) => return Err(problem),
        };
        if self.input.verb != Verb::Get {
            return Err(envelope::unsupported_method(self.input.verb.as_str()).into());
        }
        let text = self.input.require("input_token")?.to_owned();
        if text.contains('|') {
            return self.debug_app_token(&text, allowed.as_ref());
        }
        let digest = Digest::of(&text);
        let found = if read(&text).is_some() { self.service().read(|s| s.token_by_digest(&digest))? } else { None };
        let Some(token) = found else { return Ok(unreadable()) };
        let Some(allowed) = allowed else { return self.describe_death(&token) };
        if allowed.caller.business() != Some(token.business) {
            // A token of another business looks like no token at all.
            return Ok(unreadable());
        }
        match allowed.caller {
            Caller::App { app, .. } if token.app != Some(app) => return Ok(mismatch()),
            Caller::App { .. } => {}
            _ if itself => {}
            // Asked, so that the no can be explained. A Page's token carries its parent's role and
            // stands for the Page alone.
            _ => {
                self.service().ask(self.call, inspect())?;
            }
        }
        self.describe_token(&token)
    }

    /// What became of a dead token, for itself. Where its app demands a proof, who holds the text alone
    /// learns no more than that: a dead token's proof can't be checked.
    fn describe_death(&self, token: &Token) -> Result<Answer, Problem> {
        let demands_proof = token.app.map(|id| self.service().read(|s| s.app(id).is_some_and(|a| a.demands_proof)));
        let mut answer = self.describe_token(token)?;
        if demands_proof.transpose()?.unwrap_or(false)
            && let Some(Value::Object(data)) = answer.body.get_mut("data")
        {
            data.retain(|name, _| matches!(name.as_str(), "error" | "is_valid"));
            data.insert("scopes".to_owned(), json!([]));
        }
        Ok(answer)
    }

    fn describe_token(&self, token: &Token) -> Result<Answer, Problem> {
        let (status, reason, app_name) = self.service().read(|s| {
            let status = status(s, token, self.now);
            (status, status.reason(s, token), token.app.and_then(|a| s.app(a)).map(|a| a.name))
        })?;
        let scopes = token.scopes.names();
        let granular: Vec<Value> = scopes.iter().map(|s| json!({ "scope": s })).collect();
        let mut data = json!({
            "app_id": token.app.map_or_else(|| "0".to_owned(), |id| id.to_string()),
            "type": token.kind.as_str(),
            "application": app_name.map_or_else(|| "Valetkey".to_owned(), |n| n.as_str().to_owned()),
            "data_access_expires_at": data_access_end_s(token),
            "expires_at": token.expires_at.map_or(0, |e| e / 1000),
            "is_valid": reason.is_none(),
            "issued_at": token.created_at / 1000,
            "scopes": scopes,
            "granular_scopes": granular,
            "user_id": token.user,
        });
        if let Value::Object(map) = &mut data {
            if token.kind == TokenKind::Page {
                map.insert("profile_id".to_owned(), json!(token.page));
            }
            if let Some(reason) = reason {
                let refusal = Refusal { time: token.expires_at, subject: token.app, ..Refusal::of(reason) };
                map.insert("error".to_owned(), self.inner_error(&refusal));
            }
            map.insert("token_id".to_owned(), json!(token.id));
            map.insert("status".to_owned(), json!(status.as_str()));
        }
        Ok(Answer::of(json!({ "data": data })))
    }

    /// An app's own token, for itself and for users of its business.
    fn debug_app_token(&self, text: &str, allowed: Option<&Allowed>) -> Result<Answer, Problem> {
        let (id, secret) = text.split_once('|').unwrap_or_default();
        let proven = Id::parse(id).and_then(|id| self.service().prove_app(id, secret).ok());
        let Some(app) = proven else { return Ok(unreadable()) };
        match allowed {
            // Itself, and dead.
            None => {}
            Some(allowed) if allowed.caller.business() != Some(app.business) => return Ok(unreadable()),
            Some(allowed) => match allowed.caller {
                Caller::App { app: own, .. } if own != app.app => return Ok(mismatch()),
                Caller::App { .. } => {}
                _ => {
                    self.service().ask(self.call, inspect())?;
                }
            },
        }
        let (name, connected) =
            self.service().read(|s| (s.app(app.app).map(|a| a.name), s.connection(app.business, app.app).is_some()))?;
        let mut data = json!({
            "app_id": app.app, "type": "APP", "application": name, "expires_at": 0, "is_valid": connected, "scopes": [],
        });
        if !connected {
            let refusal = Refusal { subject: Some(app.app), ..Refusal::of(Reason::AppDisconnected) };
            data["error"] = self.inner_error(&refusal);
        }
        Ok(Answer::of(json!({ "data": data })))
    }

    /// The error that stands inside an answer about a dead token.
    fn inner_error(&self, refusal: &Refusal) -> Value {
        let error = graph_error(refusal, Verb::Get, None, self.now);
        let mut inner = json!({ "code": error.code, "message": error.message });
        if let Some(subcode) = error.subcode {
            inner["subcode"] = json!(subcode);
        }
        inner
    }
}

/// The question whether a user may inspect the tokens of its business: as its ADMIN.
fn inspect() -> Question {
    Question::about(Target::Nothing).need(Need::Admin)
}

/// The token belongs to another app of the business than the one that asks.
fn mismatch() -> Answer {
    let message = "(#100) The App_id in the input_token did not match the Viewing App";
    Answer::of(json!({ "data": { "error": { "code": 100, "message": message }, "is_valid": false, "scopes": [] } }))
}

/// Until when a person's token may read, in Unix seconds; 0 for software, where nothing limits it.
fn data_access_end_s(token: &Token) -> i64 {
    if token.kind == TokenKind::User { token.created_at / 1000 + DATA_ACCESS_S } else { 0 }
}

/// Whether a refusal says that the credential itself is dead.
fn is_death(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::TokenUnknown
            | Reason::TokenExpired
            | Reason::TokenRevoked
            | Reason::UserDeactivated
            | Reason::UserDeleted
            | Reason::AppDisconnected
            | Reason::AppNotInstalled
    )
}

/// What is said of a text that is no token, or none that the caller may know of.
fn unreadable() -> Answer {
    Answer::of(json!({
        "data": {
            "error": { "code": 190, "message": "Invalid OAuth access token - Cannot parse access token" },
            "is_valid": false,
            "scopes": [],
        }
    }))
}
