//! How a refusal of the service looks on the Graph's wire: code, subcode, texts and status.
//!
//! One row for each reason. Texts that programs look for are kept to the letter; what people read
//! comes from the table of sentences in `domain`. An error must not say more than the refusal does.

use serde_json::{Value, json};
use valetkey_domain::kind::AssetKind;
use valetkey_domain::{Reason, Refusal, UnixMs, Words};

use crate::protocol::envelope::{self, ErrorKind, GraphError};
use crate::protocol::text::echo;
use crate::protocol::times::session_time;
use crate::schema::Verb;

/// The error for a refusal. `named` is what the caller called the object.
pub(crate) fn graph_error(
    refusal: &Refusal,
    words: &Words<'_>,
    verb: Verb,
    named: Option<&str>,
    now: UnixMs,
) -> GraphError {
    let error = match refusal.reason {
        Reason::NotVisible | Reason::ShareEnded => return not_visible(refusal, verb, named),
        Reason::Required => return envelope::parameter_required(field(refusal)),
        Reason::Invalid => return invalid(refusal),
        Reason::NotOneOf => return not_one_of(refusal),
        Reason::UnknownReference => return envelope::invisible_parameter(field(refusal)),
        Reason::ScopeNotPossible => return envelope::invalid_scope(value(refusal)),
        Reason::ScopeIncomplete => {
            return envelope::scope_dependency(value(refusal), refusal.expected.as_deref().unwrap_or_default());
        }
        Reason::TokenMustEnd => return envelope::token_end_demanded(refusal.count.unwrap_or_default().max(1)),
        Reason::LastAdmin => return envelope::last_admin(),
        Reason::Unavailable | Reason::Conflict => {
            return envelope::store_away().with_sentence(&refusal.sentence(words));
        }
        Reason::OutcomeUnknown => return envelope::outcome_unknown(value(refusal)),
        Reason::Fault => return envelope::server_fault(),
        Reason::TokenMalformed => dead(None, "Invalid OAuth access token - Cannot parse access token".to_owned()),
        Reason::TokenUnknown => dead(None, "Invalid OAuth access token data.".to_owned()),
        Reason::TokenExpired => dead(
            Some(463),
            format!(
                "Error validating access token: Session has expired on {}. The current time is {}.",
                session_time(refusal.time.unwrap_or(now)),
                session_time(now)
            ),
        ),
        Reason::TokenRevoked => {
            dead(Some(467), invalid_session("The session has been invalidated because the token was revoked."))
        }
        Reason::UserDeactivated => dead(Some(459), invalid_session("The user is deactivated.")),
        Reason::UserDeleted => dead(Some(467), invalid_session("The user no longer exists.")),
        Reason::AppDisconnected | Reason::AppNotInstalled => {
            let app = refusal.subject.map(|id| id.to_string()).unwrap_or_default();
            dead(Some(458), invalid_session(&format!("The user has not authorized application {app}.")))
        }
        Reason::ProofMissing => GraphError::new(
            100,
            ErrorKind::GraphMethodException,
            "API calls from the server require an appsecret_proof argument",
        ),
        Reason::ProofInvalid => envelope::proof_invalid(words.app),
        Reason::ScopeMissing => {
            let names = refusal.missing.scopes.names();
            let quoted: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
            let message = format!("This endpoint requires the {} permission", quoted.join(" or "));
            GraphError::numbered(10, &message).with_data("missing", json!({ "scope": one_or_many(&names) }))
        }
        Reason::AssetNotAssigned => {
            let id = refusal.missing.asset.map(|id| id.to_string()).unwrap_or_default();
            lacking(&format!("access to the {}", kind(refusal, words))).with_data("missing", json!({ "asset": id }))
        }
        Reason::TaskMissing => {
            let wanted = refusal.task_names(refusal.missing.tasks, words.declared);
            lacking(&format!("the {} task on the {}", wanted.join(" or "), kind(refusal, words)))
                .with_data("missing", json!({ "task": one_or_many(&wanted) }))
        }
        Reason::RoleInsufficient => {
            let error = lacking("the ADMIN role in the business");
            // If no role of the business would help, none is named.
            if refusal.expected.is_none() { error.with_data("missing", json!({ "role": "ADMIN" })) } else { error }
        }
        Reason::IpNotAllowed => GraphError::numbered(200, "The token has no permission to be used from this address")
            .with_subcode(9_000_005),
        Reason::OutsideTimeWindow => {
            GraphError::numbered(200, "The token has no permission to be used at this time").with_subcode(9_000_006)
        }
        Reason::WiderThanCaller => envelope::wider_than_token(),
        Reason::RateLimited => envelope::rate_limited(),
        Reason::NotFresh => envelope::not_fresh(),
        Reason::NotDurable => envelope::not_durable(),
        Reason::AppNotInstalledForIssue => unfit(9_000_001, "The app is not installed on this system user"),
        Reason::TermsNotAccepted => unfit(9_000_002, "The system user terms have not been accepted"),
        Reason::NoConnectedApp => unfit(9_000_003, "No app is connected to the business"),
        Reason::LimitReached => {
            let count = refusal.count.unwrap_or_default();
            unfit(9_000_004, &format!("The limit of {count} {} is reached", value(refusal)))
        }
    };
    let sentence = refusal.sentence(words);
    let error = error.with_sentence(&sentence);
    let error = match sentence.granted_by {
        Some(role) => error.with_data("granted_by", json!(role)),
        None => error,
    };
    error.with_data("reason", json!(refusal.reason.as_str()))
}

fn field(refusal: &Refusal) -> &str {
    refusal.field.as_deref().unwrap_or("parameter")
}

fn value(refusal: &Refusal) -> &str {
    refusal.value.as_deref().unwrap_or_default()
}

/// The one answer for objects that don't exist and for those that the caller may not see.
pub(crate) fn not_visible(refusal: &Refusal, verb: Verb, named: Option<&str>) -> GraphError {
    let id = named.map(str::to_owned).or_else(|| refusal.subject.map(|id| id.to_string())).unwrap_or_default();
    missing_object(verb, &id)
}

/// The same, with the id as the caller wrote it.
pub(crate) fn missing_object(verb: Verb, id: &str) -> GraphError {
    let message = format!(
        "Unsupported {} request. Object with ID '{}' does not exist, cannot be loaded due to missing permissions, or does \
         not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api",
        verb.as_str(),
        echo(id)
    );
    GraphError::new(100, ErrorKind::GraphMethodException, message).with_subcode(33)
}

/// A token that is not accepted.
fn dead(subcode: Option<u32>, message: String) -> GraphError {
    let error = GraphError::new(190, ErrorKind::OAuthException, message);
    match subcode {
        Some(subcode) => error.with_subcode(subcode),
        None => error,
    }
}

fn invalid_session(why: &str) -> String {
    format!("Error validating access token: {why}")
}

/// A right that the caller lacks. One large connector looks for the word "permission" to stop, so
/// the text keeps it.
fn lacking(what: &str) -> GraphError {
    GraphError::numbered(200, &format!("Requires {what}; the caller lacks permission"))
}

/// A business that is not in the state that the call needs.
fn unfit(subcode: u32, message: &str) -> GraphError {
    GraphError::numbered(100, message).with_subcode(subcode)
}

/// The title of the asset's kind.
fn kind<'a>(refusal: &Refusal, words: &Words<'a>) -> &'a str {
    let built_in = refusal.missing.kind.and_then(AssetKind::row).map(|row| row.title);
    built_in.or(words.declared.map(|kind| kind.title.as_str())).unwrap_or("asset")
}

fn invalid(refusal: &Refusal) -> GraphError {
    let expected = refusal.expected.as_deref().unwrap_or("valid");
    match (field(refusal), refusal.value.as_deref()) {
        (_, Some("empty_post")) => envelope::post_empty(),
        ("scheduled_publish_time" | "published", _) if refusal.note.is_some() => envelope::schedule_invalid(),
        (name, Some("name")) => envelope::name_rule(name, expected),
        (name, Some("budget_too_low")) => {
            let error = envelope::invalid_parameter(name, expected).with_subcode(1_885_272);
            error.with_title("Budget is too low")
        }
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

fn one_or_many<S: AsRef<str>>(names: &[S]) -> Value {
    match names {
        [one] => json!(one.as_ref()),
        many => json!(many.iter().map(AsRef::as_ref).collect::<Vec<&str>>()),
    }
}
