//! The gateway adapter: `GET /gateway/forward-auth` for proxies and `POST /v1/check` for programs.
//!
//! Both are answered on the check path, before any router, from the index alone. They must never wait,
//! read the store, or copy a credential into an answer.

mod check;
mod forward;
mod openapi;
mod question;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use valetkey_domain::Reason;
use valetkey_http::{Adapter, Claim, Failure, Head, Origin, PathEntry, Reply, Request};
use valetkey_service::Service;
use valetkey_service::uses::UsedFrom;

/// The path that proxies ask.
pub const FORWARD_AUTH: &str = "/gateway/forward-auth";
/// The path that programs ask.
pub const CHECK: &str = "/v1/check";

/// The adapter. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gateway {
    service: Service,
    /// The headers of an allowed answer, with empty values.
    welcome: HeaderMap,
}

impl Gateway {
    /// An adapter in front of a service.
    pub fn new(service: Service) -> Gateway {
        Gateway { service, welcome: forward::welcome_headers() }
    }
}

impl Adapter for Gateway {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn claims(&self) -> &'static [Claim] {
        &[Claim::CheckPath(FORWARD_AUTH), Claim::CheckPath(CHECK), Claim::Segment("gateway")]
    }

    /// Answers what the check path doesn't: a check without a body, and paths that don't exist.
    fn handle(&self, request: Request, _: Origin) -> BoxFuture<'static, Reply> {
        let head = request.head();
        let reply = if head.path() == CHECK {
            refused(StatusCode::BAD_REQUEST, "invalid_parameter", "the body must be a JSON object", &head)
        } else {
            refused(StatusCode::NOT_FOUND, "unknown_path", "there is no such path; `/` lists the paths", &head)
        };
        Box::pin(std::future::ready(reply))
    }

    fn failed(&self, head: &Head<'_>, failure: Failure) -> Reply {
        failure.json(head)
    }

    fn check_path(&self, head: &Head<'_>) -> Option<Reply> {
        match head.path() {
            FORWARD_AUTH => Some(self.forward(head)),
            CHECK if head.method != Method::POST => {
                let reply =
                    refused(StatusCode::METHOD_NOT_ALLOWED, "invalid_parameter", "send POST with a JSON body", head);
                Some(reply.header(http::header::ALLOW, HeaderValue::from_static("POST")))
            }
            _ => None,
        }
    }

    fn check_path_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply> {
        (head.path() == CHECK && head.method == Method::POST).then(|| self.check(head, body))
    }

    fn paths(&self) -> Vec<PathEntry> {
        openapi::paths()
    }
}

/// The status of a reason: 401 for a dead credential, 403 for every other refusal.
fn status_of(reason: Reason) -> StatusCode {
    match reason {
        Reason::TokenMalformed
        | Reason::TokenUnknown
        | Reason::TokenExpired
        | Reason::TokenRevoked
        | Reason::UserDeactivated
        | Reason::UserDeleted
        | Reason::AppDisconnected
        | Reason::AppNotInstalled => StatusCode::UNAUTHORIZED,
        Reason::NotFresh | Reason::Unavailable | Reason::NotDurable => StatusCode::SERVICE_UNAVAILABLE,
        Reason::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        Reason::Invalid | Reason::Required | Reason::NotOneOf | Reason::UnknownReference => StatusCode::BAD_REQUEST,
        Reason::AppNotInstalledForIssue
        | Reason::ProofMissing
        | Reason::ProofInvalid
        | Reason::NotVisible
        | Reason::ShareEnded
        | Reason::ScopeMissing
        | Reason::AssetNotAssigned
        | Reason::TaskMissing
        | Reason::RoleInsufficient
        | Reason::TermsNotAccepted
        | Reason::NoConnectedApp
        | Reason::LimitReached
        | Reason::IpNotAllowed
        | Reason::OutsideTimeWindow
        | Reason::RateLimited
        | Reason::ScopeNotPossible
        | Reason::ScopeIncomplete
        | Reason::WiderThanCaller
        | Reason::TokenMustEnd
        | Reason::LastAdmin
        | Reason::Conflict
        | Reason::OutcomeUnknown => StatusCode::FORBIDDEN,
    }
}

/// The source of a call.
fn used_from<'a>(head: &Head<'a>) -> UsedFrom<'a> {
    let user_agent = head.headers.get(http::header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    UsedFrom { ip: Some(head.client_ip()), user_agent }
}

/// A refusal of the whole call, with a sentence for the operator of the proxy or program.
fn refused(status: StatusCode, reason: &str, message: &str, head: &Head<'_>) -> Reply {
    let trace = head.request_id();
    let body = serde_json::json!({ "error": { "reason": reason, "message": message, "trace": trace.as_str() } });
    with_reason(Reply::json(status, body.to_string()), status, reason)
}

fn with_reason(mut reply: Reply, status: StatusCode, reason: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(reason) {
        reply = reply.header(HeaderName::from_static("valetkey-reason"), value);
    }
    if status == StatusCode::UNAUTHORIZED {
        reply =
            reply.header(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
    }
    reply.header(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
