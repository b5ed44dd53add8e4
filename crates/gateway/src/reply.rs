//! What both paths answer with: the status of a reason, and a refusal of the whole call.

use http::{HeaderName, HeaderValue, StatusCode};
use valetkey_domain::Reason;
use valetkey_domain::refusal::Class;
use valetkey_http::{Head, Reply};
use valetkey_service::uses::UsedFrom;

/// The status of a reason: 401 for a dead credential, 403 for every other refusal.
pub(crate) fn status_of(reason: Reason) -> StatusCode {
    match reason.class() {
        Class::Credential => StatusCode::UNAUTHORIZED,
        Class::Away | Class::Unsettled => StatusCode::SERVICE_UNAVAILABLE,
        Class::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        Class::Input => StatusCode::BAD_REQUEST,
        Class::Proof | Class::Absent | Class::Right | Class::Wider | Class::State | Class::Rate => {
            StatusCode::FORBIDDEN
        }
    }
}

/// The source of a call.
pub(crate) fn used_from<'a>(head: &Head<'a>) -> UsedFrom<'a> {
    let user_agent = head.headers.get(http::header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    UsedFrom { ip: Some(head.client_ip()), user_agent }
}

/// A refusal of the whole call, with a sentence for the operator of the proxy or program.
pub(crate) fn refused(status: StatusCode, reason: &str, message: &str, head: &Head<'_>) -> Reply {
    let trace = head.request_id();
    let body = serde_json::json!({ "error": { "reason": reason, "message": message, "trace": trace.as_str() } });
    with_reason(Reply::json(status, body.to_string()), status, reason)
}

pub(crate) fn with_reason(mut reply: Reply, status: StatusCode, reason: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(reason) {
        reply = reply.header(HeaderName::from_static("valetkey-reason"), value);
    }
    if status == StatusCode::UNAUTHORIZED {
        reply =
            reply.header(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
    }
    reply.header(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
