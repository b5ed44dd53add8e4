//! Refusals as answers: status, reason word, sentences, and what is missing. An answer must never
//! show the cause of a server fault; that goes to the log.

use http::header::{ALLOW, HeaderName, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use valetkey_domain::refusal::Class;
use valetkey_domain::{Id, Reason, Refusal, Sentence, TaskSet, Words};
use valetkey_http::Reply;
use valetkey_service::Service;

use crate::show;

/// The status of a refusal.
pub(crate) fn status(reason: Reason) -> StatusCode {
    match reason.class() {
        Class::Credential => StatusCode::UNAUTHORIZED,
        Class::Absent => StatusCode::NOT_FOUND,
        Class::Right | Class::Wider => StatusCode::FORBIDDEN,
        Class::State => StatusCode::CONFLICT,
        Class::Rate => StatusCode::TOO_MANY_REQUESTS,
        Class::Away | Class::Unsettled => StatusCode::SERVICE_UNAVAILABLE,
        Class::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        Class::Proof | Class::Input => StatusCode::BAD_REQUEST,
    }
}

/// The answer of a refusal. `explain.trace` finds it by `trace`.
pub(crate) fn refused(service: &Service, refusal: &Refusal, trace: &str, credential_sent: bool) -> Reply {
    let mut error = Map::new();
    error.insert("reason".into(), json!(refusal.reason.as_str()));
    let sentence = sentence(service, refusal, credential_sent);
    error.insert("message".into(), json!(sentence.what));
    if let Some(hint) = sentence.hint() {
        error.insert("hint".into(), json!(hint));
    }
    if let Some(field) = &refusal.field {
        error.insert("field".into(), json!(field));
    }
    if let Some(missing) = missing(service, refusal) {
        error.insert("missing".into(), missing);
    }
    if let Some(role) = sentence.granted_by {
        error.insert("granted_by".into(), json!(role));
    }
    error.insert("trace".into(), json!(trace));
    let status = status(refusal.reason);
    let reply = Reply::json(status, json!({ "error": error }).to_string());
    let reply = match status {
        StatusCode::UNAUTHORIZED => {
            let challenge = if credential_sent {
                r#"Bearer realm="valetkey", error="invalid_token""#
            } else {
                r#"Bearer realm="valetkey""#
            };
            reply.header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
        }
        // What is unsettled must not be retried blindly, so it has no `Retry-After`.
        StatusCode::SERVICE_UNAVAILABLE if refusal.reason.class() == Class::Away => {
            reply.header(http::header::RETRY_AFTER, HeaderValue::from_static("1"))
        }
        _ => reply,
    };
    not_stored(reply)
}

/// What the caller lacks. In a list, one entry is enough.
fn missing(service: &Service, refusal: &Refusal) -> Option<Value> {
    let lacking = &refusal.missing;
    match refusal.reason {
        Reason::ScopeMissing => Some(json!({ "scope": lacking.scopes })),
        Reason::ScopeIncomplete => Some(json!({ "scope": refusal.expected })),
        Reason::AssetNotAssigned => Some(
            json!({ "asset": lacking.asset.map(Id::any).or(refusal.subject), "task": tasks(service, refusal, lacking.tasks) }),
        ),
        Reason::TaskMissing => Some(json!({
            "task": tasks(service, refusal, lacking.tasks),
            "held": tasks(service, refusal, lacking.held),
            "asset": lacking.asset,
        })),
        Reason::RoleInsufficient if refusal.note.is_none() && refusal.expected.is_none() => {
            Some(json!({ "role": "ADMIN" }))
        }
        Reason::TokenMalformed
        | Reason::TokenUnknown
        | Reason::TokenExpired
        | Reason::TokenRevoked
        | Reason::UserDeactivated
        | Reason::UserDeleted
        | Reason::AppDisconnected
        | Reason::AppNotInstalled
        | Reason::AppNotInstalledForIssue
        | Reason::ProofMissing
        | Reason::ProofInvalid
        | Reason::NotVisible
        | Reason::ShareEnded
        | Reason::RoleInsufficient
        | Reason::TermsNotAccepted
        | Reason::NoConnectedApp
        | Reason::LimitReached
        | Reason::IpNotAllowed
        | Reason::OutsideTimeWindow
        | Reason::RateLimited
        | Reason::NotFresh
        | Reason::Required
        | Reason::Invalid
        | Reason::NotOneOf
        | Reason::UnknownReference
        | Reason::ScopeNotPossible
        | Reason::WiderThanCaller
        | Reason::TokenMustEnd
        | Reason::LastAdmin
        | Reason::Conflict
        | Reason::Unavailable
        | Reason::OutcomeUnknown
        | Reason::NotDurable
        | Reason::Fault => None,
    }
}

/// The sentences about a refusal, with names that only the service knows.
pub(crate) fn sentence(service: &Service, refusal: &Refusal, credential_sent: bool) -> Sentence {
    let declared = refusal.missing.kind.and_then(|kind| service.declared_kind(kind));
    let at = refusal.time.map(show::time_text);
    refusal.sentence(&Words { declared: declared.as_ref(), app: None, at: at.as_deref(), credential_sent })
}

fn tasks(service: &Service, refusal: &Refusal, set: TaskSet) -> Vec<String> {
    let declared = refusal.missing.kind.and_then(|kind| service.declared_kind(kind));
    refusal.task_names(set, declared.as_ref()).into_iter().map(str::to_owned).collect()
}

/// The answer if no row has this path or method.
pub(crate) fn no_row(status: StatusCode, reason: &str, message: &str, hint: &str, trace: &str) -> Reply {
    let error = json!({ "reason": reason, "message": message, "hint": hint, "trace": trace });
    not_stored(Reply::json(status, json!({ "error": error }).to_string()))
}

/// The answer to a method that a path does not have.
pub(crate) fn method_not_allowed(allow: &'static str, trace: &str) -> Reply {
    let hint = if allow == "POST" { "send it with POST" } else { "send it with GET" };
    no_row(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not take that method", hint, trace)
        .header(ALLOW, HeaderValue::from_static(allow))
}

/// Answers may hold secrets, so no proxy or browser may store them.
pub(crate) fn not_stored(reply: Reply) -> Reply {
    reply
        .header(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
        .header(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"))
}
