//! `GET /gateway/forward-auth`: may this visitor's token do this task on that asset?
//!
//! A reverse proxy asks with `asset`, `task` and `scope` in the URL that it sets itself, and hands
//! over the visitor's `Authorization` header. 200 lets the visitor in and says who it is.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use valetkey_domain::Reason;
use valetkey_http::{Head, Reply, credential};
use valetkey_service::authz::{Allowed, Decision, Subject, View};
use valetkey_service::{Call, Credential};

use crate::question::Words;
use crate::{Gateway, refused, status_of, with_reason};

const OK_BODY: &[u8] = b"{\"allowed\":true}";
/// The header in which a visitor brings the proof that its app demands.
const PROOF_HEADER: &str = "x-appsecret-proof";

impl Gateway {
    pub(crate) fn forward(&self, head: &Head<'_>) -> Reply {
        let query = head.query();
        let mut pairs: [(&str, Option<std::borrow::Cow<'_, str>>); 3] =
            [("asset", None), ("task", None), ("scope", None)];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match pairs.iter_mut().find(|(n, _)| *n == name) {
                Some((_, slot @ None)) => *slot = Some(value),
                // Twice the same word could be read differently by whoever wrote it: refuse.
                Some((_, Some(_))) => {
                    return refused(StatusCode::BAD_REQUEST, "invalid_parameter", "a parameter is given twice", head);
                }
                None => {
                    return refused(
                        StatusCode::BAD_REQUEST,
                        "invalid_parameter",
                        "only asset, task and scope are known",
                        head,
                    );
                }
            }
        }
        let [(_, asset), (_, task), (_, scope)] = &pairs;
        let words = Words { asset: asset.as_deref(), task: task.as_deref(), scope: scope.as_deref() };
        let asked = match words.ask(&self.service) {
            Ok(asked) => asked,
            Err(what) => return refused(StatusCode::BAD_REQUEST, "invalid_parameter", what, head),
        };
        let Ok(Some(text)) = credential::bearer(head.headers) else {
            return refused(
                StatusCode::UNAUTHORIZED,
                "token_malformed",
                "send one Authorization header with a bearer token",
                head,
            );
        };
        let proof = proof(head.headers);
        let (view, decision) = self.service.check(text, proof, asked.question);
        if asked.blames_words(&decision) {
            return refused(StatusCode::BAD_REQUEST, "invalid_parameter", "task is none of this asset's kind", head);
        }
        match decision {
            Decision::Allow(allowed) => {
                self.service.note_use(&view, Some(head.client_ip()));
                welcome(&view, &allowed)
            }
            Decision::Deny(denial) => {
                let call = Call {
                    credential: Credential::None,
                    proof: None,
                    trace: head.request_id().as_str().to_owned(),
                    ip: Some(head.client_ip()),
                };
                self.service.note_refusal(&call, &asked.question, &view, &denial);
                no(denial.refusal().reason, head)
            }
        }
    }
}

/// The visitor's proof. Two of them, or one that is no text, are a wrong one: what can't be read
/// must not pass for what was not sent.
fn proof(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(PROOF_HEADER).iter();
    let first = sent.next()?;
    match sent.next() {
        None => Some(first.to_str().unwrap_or_default()),
        Some(_) => Some(""),
    }
}

fn no(reason: Reason, head: &Head<'_>) -> Reply {
    let status = status_of(reason);
    let trace = head.request_id();
    let body = format!("{{\"allowed\":false,\"reason\":\"{}\",\"trace\":\"{}\"}}", reason.as_str(), trace.as_str());
    with_reason(Reply::json(status, body), status, reason.as_str())
}

/// The yes, with headers that a proxy may pass on.
fn welcome(view: &View, allowed: &Allowed) -> Reply {
    let mut reply = Reply::new(StatusCode::OK);
    reply.headers.reserve(6);
    reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Subject::Token(token) = &view.subject {
        reply.headers.insert(HeaderName::from_static("valetkey-user"), HeaderValue::from(token.user.get()));
        reply.headers.insert(HeaderName::from_static("valetkey-business"), HeaderValue::from(token.business.get()));
        reply.headers.insert(HeaderName::from_static("valetkey-token"), HeaderValue::from(token.id.get()));
        if let Some(app) = token.app {
            reply.headers.insert(HeaderName::from_static("valetkey-app"), HeaderValue::from(app.id.get()));
        }
    } else if let Some(business) = allowed.caller.business() {
        reply.headers.insert(HeaderName::from_static("valetkey-business"), HeaderValue::from(business.get()));
    }
    reply.body(OK_BODY)
}
