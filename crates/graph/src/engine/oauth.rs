//! The calls about tokens themselves: app tokens, refresh, revocation, inspection.

use serde_json::{Value, json};
use valetkey_domain::credential::{Digest, read};
use valetkey_domain::token::{SIXTY_DAYS_S, Token, TokenKind};
use valetkey_domain::{Caller, Id, Reason, Refusal};
use valetkey_service::app::ProvenApp;
use valetkey_service::token::status;
use valetkey_service::{Call, Credential};

use super::input::Problem;
use super::{Answer, Cx};
use crate::protocol::envelope::{self, ErrorKind, GraphError};
use crate::refusal::graph_error;
use crate::schema::Verb;

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
            map.insert("expires_in".to_owned(), json!(((end - self.now) / 1000).clamp(0, i64::MAX.min(SIXTY_DAYS_S * 10_000))));
        }
        Ok(Answer { body, revision: Some(done.revision), about: None })
    }

    /// `oauth/revoke`: id, secret and both tokens of one app.
    pub async fn oauth_revoke(&self) -> Result<Answer, Problem> {
        let app = self.proven_app()?;
        let text = self.input.first(&["revoke_token", "token"]).ok_or_else(|| envelope::parameter_required("revoke_token"))?;
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
        let missing = |name: &str| GraphError::new(101, ErrorKind::OAuthException, format!("Missing {name} parameter."));
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
        let allowed = match self.service().ask(self.call, Cx::alive()) {
            Ok(allowed) => Some(allowed),
            // A dead token may still be told what became of it, by itself.
            Err(refusal) if self.call.text().is_some() && self.call.text() == self.input.get("input_token") => {
                if refusal.reason == Reason::TokenMalformed {
                    return Err(refusal.into());
                }
                None
            }
            Err(refusal) => return Err(refusal.into()),
        };
        let text = self.input.require("input_token")?.to_owned();
        if text.contains('|') {
            return self.debug_app_token(&text, allowed.and_then(|a| a.caller.business()));
        }
        let digest = Digest::of(&text);
        let found = if read(&text).is_some() { self.service().read(|s| s.token_by_digest(&digest))? } else { None };
        let Some(token) = found else { return Ok(unreadable()) };
        if let Some(allowed) = &allowed {
            if allowed.caller.business() != Some(token.business) {
                // A token of another business looks like no token at all.
                return Ok(unreadable());
            }
            let is_self = self.call.text() == Some(text.as_str());
            let of_app = matches!(allowed.caller, Caller::App { app, .. } if token.app == Some(app));
            if matches!(allowed.caller, Caller::App { .. }) && !of_app {
                let message = "(#100) The App_id in the input_token did not match the Viewing App";
                return Err(GraphError::new(100, ErrorKind::OAuthException, message).into());
            }
            if !is_self && !of_app && !Cx::is_admin(allowed) && allowed.caller.user() != Some(token.user) {
                return Err(Refusal::of(Reason::RoleInsufficient).into());
            }
        }
        self.describe_token(&token)
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
            "data_access_expires_at": 0,
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
                let error = graph_error(&refusal, Verb::Get, None, self.now);
                let mut inner = json!({ "code": error.code, "message": error.message });
                if let (Some(subcode), Value::Object(inner)) = (error.subcode, &mut inner) {
                    inner.insert("subcode".to_owned(), json!(subcode));
                }
                map.insert("error".to_owned(), inner);
            }
            map.insert("token_id".to_owned(), json!(token.id));
            map.insert("status".to_owned(), json!(status.as_str()));
        }
        Ok(Answer::of(json!({ "data": data })))
    }

    fn debug_app_token(&self, text: &str, business: Option<Id>) -> Result<Answer, Problem> {
        let (id, secret) = text.split_once('|').unwrap_or_default();
        let proven = Id::parse(id).and_then(|id| self.service().prove_app(id, secret).ok());
        let Some(app) = proven.filter(|a| Some(a.business) == business) else { return Ok(unreadable()) };
        let name = self.service().read(|s| s.app(app.app).map(|a| a.name))?;
        Ok(Answer::of(json!({
            "data": { "app_id": app.app, "type": "APP", "application": name, "expires_at": 0, "is_valid": true, "scopes": [] }
        })))
    }
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
