//! The gateway adapter: `GET /gateway/forward-auth` for proxies and `POST /v1/check` for programs.
//!
//! Both stand on the check path: they are answered before any router, from the index alone, and
//! must never wait, read the store, or copy a credential into an answer.

mod check;
mod forward;
mod question;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use valetkey_domain::Reason;
use valetkey_http::{Head, Reply};
use valetkey_service::Service;

/// The path that proxies ask.
pub const FORWARD_AUTH: &str = "/gateway/forward-auth";
/// The path that programs ask.
pub const CHECK: &str = "/v1/check";

/// The adapter. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gateway {
    service: Service,
    /// The headers of a yes, their values still empty.
    welcome: HeaderMap,
}

impl Gateway {
    /// An adapter in front of a service.
    pub fn new(service: Service) -> Gateway {
        Gateway { service, welcome: forward::welcome_headers() }
    }

    /// Answers what needs no body. `None` sends the request on.
    pub fn fast(&self, head: &Head<'_>) -> Option<Reply> {
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

    /// Answers a check, whose body has been read. `None` sends the request on.
    pub fn fast_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply> {
        (head.path() == CHECK && head.method == Method::POST).then(|| self.check(head, body))
    }

    /// A check without a body is a mistake, and told so in the adapter's own shape.
    pub fn without_body(head: &Head<'_>) -> Reply {
        refused(StatusCode::BAD_REQUEST, "invalid_parameter", "the body must be a JSON object", head)
    }
}

/// The status that stands for a reason: 401 for a credential that is dead, 403 for every other no.
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
        Reason::NotFresh | Reason::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Reason::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        Reason::Invalid | Reason::Required | Reason::NotOneOf | Reason::UnknownReference => StatusCode::BAD_REQUEST,
        _ => StatusCode::FORBIDDEN,
    }
}

/// A whole call refused, with a sentence for whoever set it up.
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
