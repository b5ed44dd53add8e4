//! The calls about tokens themselves: app tokens, refresh, revocation, inspection.

use serde_json::{Value, json};
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{Caller, Id, Name, Reason, Refusal, Words};
use valetkey_service::Credential;
use valetkey_service::app::ProvenApp;
use valetkey_service::inspect::{Inspected, InspectedToken};

use super::input::Problem;
use super::{Answer, Cx};
use crate::protocol::envelope::{self, ErrorKind, GraphError};
use crate::refusal::graph_error;
use crate::schema::Verb;

/// How long a person's sign-in lets programs read: ninety days, as clients expect.
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
        // A caller without a token acts as the app itself.
        let secret = self.input.require("client_secret")?;
        let as_app = self.call.with_credential(Credential::Text(format!("{}|{secret}", app.app)));
        let call = if self.call.is_anonymous() { &as_app } else { self.call };
        let allowed = self.service().caller(call)?;
        let of_app = match allowed.caller {
            Caller::SystemUser { app: own, .. } | Caller::App { app: own, .. } => own == app.app,
            Caller::Person { .. } | Caller::Operator => false,
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
        match self.live() {
            // A dead token may still inspect itself, to show why it died. A missing proof is
            // another case: someone who found a token must not learn what it allows.
            Err(Problem::Refusal(refusal)) if !(itself && refusal.reason.is_death()) => return Err(refusal.into()),
            Err(Problem::Graph(error)) => return Err(error.into()),
            Ok(_) | Err(Problem::Refusal(_)) => {}
        }
        if self.input.verb != Verb::Get {
            return Err(envelope::unsupported_method(self.input.verb.as_str()).into());
        }
        let text = self.input.require("input_token")?;
        Ok(match self.service().inspect(self.call, text)? {
            Inspected::Unreadable => unreadable(),
            Inspected::OtherApp => mismatch(),
            Inspected::Token(token) => self.describe_token(&token),
            Inspected::App { app, name, is_connected } => self.describe_app(app, name.as_ref(), is_connected),
        })
    }

    fn describe_token(&self, inspected: &InspectedToken) -> Answer {
        let InspectedToken { token, scopes, status, reason, app_name, is_unproven } = inspected;
        let scopes = scopes.names();
        let granular: Vec<Value> = scopes.iter().map(|s| json!({ "scope": s })).collect();
        let mut data = json!({
            "app_id": token.app.map_or_else(|| "0".to_owned(), |id| id.to_string()),
            "type": token.kind.as_str(),
            "application": app_name.as_ref().map_or("Valetkey", |name| name.as_str()),
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
                let refusal =
                    Refusal { time: token.expires_at, subject: token.app.map(Id::any), ..Refusal::of(*reason) };
                map.insert("error".to_owned(), self.inner_error(&refusal));
            }
            map.insert("token_id".to_owned(), json!(token.id));
            map.insert("status".to_owned(), json!(status.as_str()));
            if *is_unproven {
                map.retain(|name, _| matches!(name.as_str(), "error" | "is_valid"));
                map.insert("scopes".to_owned(), json!([]));
            }
        }
        Answer::of(json!({ "data": data }))
    }

    fn describe_app(&self, app: ProvenApp, name: Option<&Name>, is_connected: bool) -> Answer {
        let mut data = json!({
            "app_id": app.app, "type": "APP", "application": name, "expires_at": 0, "is_valid": is_connected,
            "scopes": [],
        });
        if !is_connected {
            let refusal = Refusal { subject: Some(app.app.any()), ..Refusal::of(Reason::AppDisconnected) };
            data["error"] = self.inner_error(&refusal);
        }
        Answer::of(json!({ "data": data }))
    }

    /// The error inside an answer about a dead token.
    fn inner_error(&self, refusal: &Refusal) -> Value {
        let error = graph_error(refusal, &Words::default(), Verb::Get, None, self.now);
        let mut inner = json!({ "code": error.code, "message": error.message });
        if let Some(subcode) = error.subcode {
            inner["subcode"] = json!(subcode);
        }
        inner
    }
}

/// The inspected token belongs to another app of the business than the asking one.
fn mismatch() -> Answer {
    let message = "(#100) The App_id in the input_token did not match the Viewing App";
    Answer::of(json!({ "data": { "error": { "code": 100, "message": message }, "is_valid": false, "scopes": [] } }))
}

/// Until when a person's token may read, in Unix seconds. It is 0, no limit, for software.
fn data_access_end_s(token: &Token) -> i64 {
    if token.kind == TokenKind::User { token.created_at / 1000 + DATA_ACCESS_S } else { 0 }
}

/// The answer for a text that is no token, or a token that the caller may not see.
fn unreadable() -> Answer {
    Answer::of(json!({
        "data": {
            "error": { "code": 190, "message": "Invalid OAuth access token - Cannot parse access token" },
            "is_valid": false,
            "scopes": [],
        }
    }))
}
