//! How a refusal of the service looks on the Graph's wire: code, subcode, texts and status.
//!
//! One row for each reason. Texts that programs look for are kept to the letter; nothing here may
//! tell more than the refusal carries.

use http::StatusCode;
use serde_json::{Value, json};
use valetkey_domain::kind::AssetKind;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{Reason, Refusal, TaskSet, UnixMs};

use crate::protocol::envelope::{self, ErrorKind, GraphError};
use crate::protocol::text::echo;
use crate::protocol::times::session_time;
use crate::schema::Verb;

/// The error for a refusal. `named` is what the caller called the object.
pub(crate) fn graph_error(refusal: &Refusal, verb: Verb, named: Option<&str>, now: UnixMs) -> GraphError {
    let error = match refusal.reason {
        Reason::NotVisible | Reason::ShareEnded => return not_visible(refusal, verb, named),
        Reason::TokenMalformed | Reason::TokenUnknown | Reason::TokenExpired | Reason::TokenRevoked => {
            token_error(refusal, now)
        }
        Reason::UserDeactivated | Reason::UserDeleted | Reason::AppDisconnected | Reason::AppNotInstalled => {
            token_error(refusal, now)
        }
        Reason::ProofMissing => proof_missing(),
        Reason::ProofInvalid => envelope::proof_invalid(None),
        Reason::ScopeMissing => scope_error(refusal),
        Reason::AssetNotAssigned | Reason::TaskMissing | Reason::RoleInsufficient => right_error(refusal),
        Reason::WiderThanCaller => envelope::wider_than_token(),
        Reason::IpNotAllowed | Reason::OutsideTimeWindow => right_error(refusal),
        Reason::Required => return envelope::parameter_required(field(refusal)),
        Reason::Invalid => return invalid(refusal),
        Reason::NotOneOf => return not_one_of(refusal),
        Reason::UnknownReference => return envelope::invisible_parameter(field(refusal)),
        Reason::ScopeNotPossible => return envelope::invalid_scope(value(refusal)),
        Reason::ScopeIncomplete => {
            return envelope::scope_dependency(value(refusal), refusal.expected.as_deref().unwrap_or_default());
        }
        Reason::TokenMustEnd => return envelope::token_end_demanded(refusal.count.unwrap_or_default().max(1)),
        Reason::RateLimited => envelope::rate_limited(),
        Reason::LastAdmin => return envelope::last_admin(),
        Reason::NotFresh => not_fresh(),
        Reason::Unavailable | Reason::Conflict => return envelope::store_away(),
        Reason::OutcomeUnknown => return envelope::outcome_unknown(value(refusal)),
        Reason::Fault => return envelope::server_fault(),
        Reason::AppNotInstalledForIssue | Reason::TermsNotAccepted | Reason::NoConnectedApp | Reason::LimitReached => {
            state_error(refusal)
        }
    };
    error.with_data("reason", json!(refusal.reason.as_str()))
}

fn field(refusal: &Refusal) -> &str {
    refusal.field.as_deref().unwrap_or("parameter")
}

fn value(refusal: &Refusal) -> &str {
    refusal.value.as_deref().unwrap_or_default()
}

fn oauth(code: u32, message: String) -> GraphError {
    GraphError::new(code, ErrorKind::OAuthException, message)
}

/// The one answer for what is not there and for what the caller may not see.
pub(crate) fn not_visible(refusal: &Refusal, verb: Verb, named: Option<&str>) -> GraphError {
    let id = named.map(str::to_owned).or_else(|| refusal.subject.map(|id| id.to_string())).unwrap_or_default();
    missing_object(verb, &id)
}

/// The same, by the text that the caller sent.
pub(crate) fn missing_object(verb: Verb, id: &str) -> GraphError {
    let message = format!(
        "Unsupported {} request. Object with ID '{}' does not exist, cannot be loaded due to missing permissions, or does \
         not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api",
        verb.as_str(),
        echo(id)
    );
    GraphError::new(100, ErrorKind::GraphMethodException, message).with_subcode(33)
}

fn token_error(refusal: &Refusal, now: UnixMs) -> GraphError {
    let (subcode, message, title, advice) = match refusal.reason {
        Reason::TokenMalformed => (
            None,
            "Invalid OAuth access token - Cannot parse access token".to_owned(),
            "Token not readable",
            "This is not a token of this server: it is cut off, mistyped, or belongs to another service.",
        ),
        Reason::TokenUnknown => (
            None,
            "Invalid OAuth access token data.".to_owned(),
            "Token unknown",
            "The token has the right form, but this server never issued it or has forgotten it.",
        ),
        Reason::TokenExpired => (
            Some(463),
            format!(
                "Error validating access token: Session has expired on {}. The current time is {}.",
                session_time(refusal.time.unwrap_or(now)),
                session_time(now)
            ),
            "Token has ended",
            "Issue a new token for this system user; an ended token can't be refreshed.",
        ),
        Reason::TokenRevoked => (
            Some(467),
            "Error validating access token: The session has been invalidated because the token was revoked.".to_owned(),
            "Token revoked",
            "Somebody with the right to do so took this token back; ask an ADMIN of the business for a new one.",
        ),
        Reason::UserDeactivated => (
            Some(459),
            "Error validating access token: The user is deactivated.".to_owned(),
            "User deactivated",
            "The user behind this token is switched off; an ADMIN can switch it on again and the token will work.",
        ),
        Reason::UserDeleted => (
            Some(467),
            "Error validating access token: The user no longer exists.".to_owned(),
            "User deleted",
            "The user behind this token was deleted; make a new one.",
        ),
        reason => {
            let app = refusal.subject.map(|id| id.to_string()).unwrap_or_default();
            let installed = reason == Reason::AppNotInstalled;
            (
                Some(458),
                format!("Error validating access token: The user has not authorized application {app}."),
                if installed { "App not installed" } else { "App disconnected" },
                if installed {
                    "The app was taken off this system user; install it and issue a new token."
                } else {
                    "The app of this token is no longer connected to the business."
                },
            )
        }
    };
    let error = oauth(190, message).with_user(title, advice);
    match subcode {
        Some(subcode) => error.with_subcode(subcode),
        None => error,
    }
}

fn proof_missing() -> GraphError {
    let message = "API calls from the server require an appsecret_proof argument";
    GraphError::new(100, ErrorKind::GraphMethodException, message)
        .with_user("Proof missing", "This app demands appsecret_proof: HMAC-SHA256 of the token with the app's secret.")
}

fn scope_error(refusal: &Refusal) -> GraphError {
    let names = refusal.missing.scopes.names();
    let quoted: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
    let message = format!("(#10) This endpoint requires the {} permission", quoted.join(" or "));
    oauth(10, message)
        .with_user(
            "Scope missing",
            &format!("The token lacks the scope {}; issue one that has it.", names.join(" or ")),
        )
        .with_data("missing", json!({ "scope": one_or_many(&names) }))
        .with_data("granted_by", json!("ADMIN of the business"))
}

fn right_error(refusal: &Refusal) -> GraphError {
    let missing = &refusal.missing;
    let kind = missing.kind.and_then(AssetKind::row).map_or("asset", |r| r.title);
    let id = missing.asset.map(|id| id.to_string()).unwrap_or_default();
    let (message, title, advice, lacks) = match refusal.reason {
        Reason::AssetNotAssigned => (
            format!("(#200) Requires access to the {kind}; the caller lacks permission"),
            "Asset not assigned",
            format!("{kind} {id} is not assigned to this user; an ADMIN can assign it."),
            json!({ "asset": id }),
        ),
        Reason::TaskMissing => {
            let wanted = task_names(missing.kind, missing.tasks);
            let held = task_names(missing.kind, missing.held);
            (
                format!("(#200) Requires the {} task on the {kind}; the caller lacks permission", wanted.join(" or ")),
                "Task missing",
                format!("The user has {} on this {kind}; this call needs {}.", held.join(", "), wanted.join(" or ")),
                json!({ "task": one_or_many(&wanted) }),
            )
        }
        _ => (
            "(#200) Requires the ADMIN role in the business; the caller lacks permission".to_owned(),
            "Role not sufficient",
            refusal.note.clone().unwrap_or_else(|| {
                "Only an ADMIN person or ADMIN system user of this business can do this.".to_owned()
            }),
            json!({ "role": "ADMIN" }),
        ),
    };
    oauth(200, message)
        .with_user(title, &advice)
        .with_data("missing", lacks)
        .with_data("granted_by", json!("ADMIN of the business"))
}

fn state_error(refusal: &Refusal) -> GraphError {
    let (subcode, message, title, advice) = match refusal.reason {
        Reason::AppNotInstalledForIssue => (
            9_000_001,
            "(#100) The app is not installed on this system user".to_owned(),
            "App not installed",
            "Install the app on the system user first, then issue the token.".to_owned(),
        ),
        Reason::TermsNotAccepted => (
            9_000_002,
            "(#100) The system user terms have not been accepted".to_owned(),
            "Terms not accepted",
            "An ADMIN person must read and accept the terms before system users or tokens can be made.".to_owned(),
        ),
        Reason::NoConnectedApp => (
            9_000_003,
            "(#100) No app is connected to the business".to_owned(),
            "No app yet",
            "Create or connect an app first, then add the system user.".to_owned(),
        ),
        _ => {
            let count = refusal.count.unwrap_or_default();
            (
                9_000_004,
                format!("(#100) The limit of {count} {} is reached", value(refusal)),
                "Limit reached",
                format!("The business may have {count}; delete one, or let the operator raise the limit."),
            )
        }
    };
    oauth(100, message).with_subcode(subcode).with_user(title, &advice)
}

fn invalid(refusal: &Refusal) -> GraphError {
    let expected = refusal.expected.as_deref().unwrap_or("valid");
    match (field(refusal), refusal.value.as_deref()) {
        (_, Some("empty_post")) => envelope::post_empty(),
        ("scheduled_publish_time" | "published", _) if refusal.note.is_some() => envelope::schedule_invalid(),
        (name, Some("name")) => envelope::name_rule(name, expected),
        (name, Some("budget_too_low")) => envelope::invalid_parameter(name, expected)
            .with_subcode(1_885_272)
            .with_user("Budget is too low", &format!("{name} must be {expected}.")),
        (name, _) => envelope::invalid_parameter(name, expected),
    }
}

fn not_one_of(refusal: &Refusal) -> GraphError {
    let allowed: Vec<&str> = refusal.allowed.iter().map(String::as_str).collect();
    let name = field(refusal);
    let index = name.strip_prefix("tasks[").and_then(|r| r.strip_suffix(']')).and_then(|n| n.parse().ok());
    match index {
        Some(index) => envelope::unknown_task(index, &allowed),
        None => envelope::enum_value(name, &allowed),
    }
}

fn not_fresh() -> GraphError {
    GraphError::new(2, ErrorKind::OAuthException, "(#2) Service temporarily unavailable")
        .with_status(StatusCode::SERVICE_UNAVAILABLE)
        .with_user(
            "Not sure enough",
            "This node can't prove that it knows the newest revocations; try another node or again in a moment.",
        )
        .transient()
        .with_retry_after_s(1)
}

fn one_or_many<S: AsRef<str>>(names: &[S]) -> Value {
    match names {
        [one] => json!(one.as_ref()),
        many => json!(many.iter().map(AsRef::as_ref).collect::<Vec<&str>>()),
    }
}

fn task_names(kind: Option<AssetKind>, tasks: TaskSet) -> Vec<&'static str> {
    match kind.and_then(AssetKind::row) {
        Some(row) => Vocabulary::BuiltIn(row.tasks).names(tasks),
        None => Vec::new(),
    }
}
