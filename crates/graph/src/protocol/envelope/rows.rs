//! One constructor for each error of protocol and validation, with its literal text. Refusals of
//! rights are not here: `refusal` maps their reasons to errors. The sentences for people come from
//! the one table in `domain`.

use http::StatusCode;
use serde_json::json;
use valetkey_domain::{Reason, Refusal, Words};

use super::ErrorKind::{GraphMethodException, OAuthException};
use super::GraphError;
use crate::protocol::text::echo;
use crate::protocol::version::{MAX_PATH_BYTES, PathError, Version};

/// The most ids in one `ids` parameter.
pub const MAX_IDS: usize = 50;
/// The most items in one batch.
pub const MAX_BATCH_ITEMS: usize = 50;

/// The error with what the table of sentences says about a refusal.
fn said(error: GraphError, refusal: &Refusal) -> GraphError {
    error.with_sentence(&refusal.sentence(&Words::default()))
}

fn plain_100(message: &str) -> GraphError {
    GraphError::numbered(100, message)
}

fn choice(allowed: &[&str]) -> String {
    format!("must be one of {{{}}}", allowed.join(", "))
}

/// No token came with a call that needs one.
#[must_use]
pub fn no_token() -> GraphError {
    GraphError::new(190, OAuthException, "An access token is required to request this resource.")
        .with_user("No token", "Send access_token or a bearer header.")
}

/// `me` without a token, or with an app's token.
#[must_use]
pub fn no_user() -> GraphError {
    let message = "An active access token must be used to query information about the current user.";
    GraphError::new(2500, OAuthException, message).with_user("No user", "This token stands for an app, not for a user.")
}

impl From<PathError> for GraphError {
    fn from(error: PathError) -> Self {
        match error {
            PathError::UnknownVersion { path } => unknown_version(&path),
            PathError::TooManySegments { rest } => unknown_path(&rest),
            PathError::TooLong => {
                unknown_path("").with_user("Path too long", &format!("A path has at most {MAX_PATH_BYTES} bytes."))
            }
        }
    }
}

/// A version that isn't served; `path` is the whole path without its first
/// slash.
#[must_use]
pub fn unknown_version(path: &str) -> GraphError {
    let served = format!("Versions {} to {} are served.", Version::OLDEST, Version::HIGHEST);
    unknown_path(path).with_user("Unknown version", &served)
}

/// A path that no route has; `rest` is the part that matches nothing, without its first slash.
#[must_use]
pub fn unknown_path(rest: &str) -> GraphError {
    let message = format!("Unknown path components: /{}", echo(rest));
    GraphError::new(2500, OAuthException, message)
        .with_user("Unknown path", "A path is /{version}/{id} or /{version}/{id}/{edge}.")
}

/// A first segment, or an entry of `ids`, that is no id and no known word. In `ids`, an id that the
/// caller can't see gets the same error.
#[must_use]
pub fn alias(alias: &str) -> GraphError {
    let message = format!("Some of the aliases you requested do not exist: {}", echo(alias));
    GraphError::numbered(803, &message).with_user("Unknown name", "Objects are named by id here.")
}

fn nonexisting(name: &str, kind: &str) -> GraphError {
    plain_100(&format!("Tried accessing nonexisting field ({}) on node type ({kind})", echo(name)))
}

fn no_such(what: &str, name: &str, kind: &str, near: Option<&str>) -> String {
    let guess = near.map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near}?"));
    format!("{kind} has no {what} {}{guess}", echo(name))
}

/// A field that the kind doesn't have; `near` is the name that was probably
/// meant ([`crate::protocol::text::nearest`]).
#[must_use]
pub fn unknown_field(field: &str, kind: &str, near: Option<&str>) -> GraphError {
    nonexisting(field, kind).with_user("Unknown field", &no_such("field", field, kind, near))
}

/// An edge that the kind doesn't have, asked for by GET.
#[must_use]
pub fn unknown_edge(edge: &str, kind: &str, near: Option<&str>) -> GraphError {
    nonexisting(edge, kind).with_user("Unknown edge", &no_such("edge", edge, kind, near))
}

/// A verb that the node or edge doesn't have, an unknown edge with POST or DELETE, or an unknown
/// `method=`.
#[must_use]
pub fn unsupported_method(verb: &str) -> GraphError {
    let verb = echo(verb).to_ascii_lowercase();
    let message = format!("Unsupported request - method type: {verb}");
    let msg = format!("There is no {verb} here.");
    GraphError::new(100, GraphMethodException, message).with_user("Not possible", &msg)
}

/// `fields` that can't be read, with the place in characters from 0.
#[must_use]
pub fn field_syntax(what: &str, position: usize, text: &str) -> GraphError {
    let message = format!("Syntax error \"{}\" at character {position}: {}", echo(what), echo(text));
    let msg = format!("The list of fields breaks at character {position}.");
    GraphError::new(2500, OAuthException, message).with_user("Fields not readable", &msg)
}

/// Fields too deep or too costly, or an answer too large.
#[must_use]
pub fn reduce_data() -> GraphError {
    let message = "Please reduce the amount of data you're asking for, then retry your request";
    GraphError::new(100, OAuthException, message)
        .with_subcode(9_000_007)
        .with_user("Too much at once", "Ask for fewer fields or a smaller limit.")
}

/// A parameter that must be sent and wasn't.
#[must_use]
pub fn parameter_required(name: &str) -> GraphError {
    said(plain_100(&format!("The parameter {name} is required")), &Refusal::required(&echo(name))).with_blame(&[name])
}

/// A parameter of the wrong form; `expected` completes "name must be …".
#[must_use]
pub fn invalid_parameter(name: &str, expected: &str) -> GraphError {
    said(plain_100("Invalid parameter"), &Refusal::invalid(&echo(name), expected)).with_blame(&[name])
}

/// A parameter with a word that isn't among the allowed ones.
#[must_use]
pub fn enum_value(name: &str, allowed: &[&str]) -> GraphError {
    let words = allowed.iter().map(|word| (*word).to_owned()).collect();
    said(plain_100(&format!("Param {name} {}", choice(allowed))), &Refusal::not_one_of(&echo(name), words))
        .with_blame(&[name])
}

/// A name that breaks the rule for names; `why` completes "name …".
#[must_use]
pub fn name_rule(name: &str, why: &str) -> GraphError {
    plain_100("Invalid parameter")
        .with_subcode(9_000_008)
        .with_user("Name not usable", &format!("{name} {why}."))
        .with_blame(&[name])
}

/// A task that the kind of asset doesn't have, at this place of the list.
#[must_use]
pub fn unknown_task(index: usize, allowed: &[&str]) -> GraphError {
    plain_100(&format!("Param tasks[{index}] {}", choice(allowed)))
        .with_user("Unknown task", "This kind of asset has only the tasks listed.")
        .with_blame(&["tasks"])
}

/// A scope that doesn't exist, or that the app may not ask for.
#[must_use]
pub fn invalid_scope(scope: &str) -> GraphError {
    let scope = echo(scope);
    let error = plain_100(&format!("Invalid scope: {scope}")).with_subcode(9_000_009);
    said(error, &Refusal::of(Reason::ScopeNotPossible).with_value(&scope))
}

/// A scope without the scope that it depends on.
#[must_use]
pub fn scope_dependency(scope: &str, needed: &str) -> GraphError {
    let error = plain_100(&format!("Scope {scope} needs {needed}")).with_subcode(9_000_010);
    said(error, &Refusal::of(Reason::ScopeIncomplete).with_value(scope).with_expected(needed))
}

/// The requested token would be wider than the calling one.
#[must_use]
pub fn wider_than_token() -> GraphError {
    let error = GraphError::numbered(200, "A token can't issue more permission than it has");
    said(error, &Refusal::of(Reason::WiderThanCaller))
}

/// A body beyond the limit, in bytes.
#[must_use]
pub fn body_too_large(limit_bytes: u64) -> GraphError {
    plain_100(&format!("The request is larger than {limit_bytes} bytes"))
        .with_subcode(9_000_011)
        .with_status(StatusCode::PAYLOAD_TOO_LARGE)
        .with_user("Too large", "Send less at once.")
}

/// A body, or a parameter, that should be JSON but isn't from the byte `position` on.
#[must_use]
pub fn bad_json(name: &str, position: usize) -> GraphError {
    plain_100("Invalid parameter")
        .with_user("Not JSON", &format!("{name} is not JSON: it breaks at byte {position}."))
        .with_blame(&[name])
}

/// A cursor that we didn't make for this list.
#[must_use]
pub fn invalid_cursor() -> GraphError {
    plain_100("Invalid cursor").with_user("Cursor not usable", "Start from the first page.")
}

/// More than [`MAX_IDS`] in `ids`.
#[must_use]
pub fn too_many_ids(provided: usize) -> GraphError {
    plain_100(&format!("Too many IDs. Maximum: {MAX_IDS}. Provided: {provided}."))
        .with_user("Too many ids", "Split the ids over several calls.")
        .with_blame(&["ids"])
}

/// An empty batch, or one of more than [`MAX_BATCH_ITEMS`].
#[must_use]
pub fn too_many_batch_items() -> GraphError {
    let message = format!("Too many requests in batch message. Maximum batch size is {MAX_BATCH_ITEMS}");
    GraphError::new(100, OAuthException, message)
        .with_subcode(9_000_012)
        .with_user("Too many items", "A batch holds 1 to 50 items; split it.")
        .with_blame(&["batch"])
}

/// `batch` that is not an array of objects.
#[must_use]
pub fn batch_not_array() -> GraphError {
    plain_100("Param batch must be a JSON array of objects")
        .with_user("Batch not readable", "Send batch=[{\"method\":\"GET\",\"relative_url\":\"me\"}].")
        .with_blame(&["batch"])
}

fn reference(name: &str, title: &str, msg: &str) -> GraphError {
    plain_100(&format!("Invalid reference {}", echo(name))).with_subcode(9_000_013).with_user(title, msg)
}

/// A reference that names no earlier item of the batch, or that can't be read.
#[must_use]
pub fn batch_invalid_reference(name: &str) -> GraphError {
    let msg = "A reference is {result=NAME:$.path}, and the item NAME must stand earlier in the batch.";
    reference(name, "Reference leads nowhere", msg)
}

/// An item that wasn't run because the one it depends on failed.
#[must_use]
pub fn batch_dependency_failed(name: &str) -> GraphError {
    let msg = "The item that this one depends on failed, so this one was not run.";
    reference(name, "Not run", msg)
}

/// A page post without content.
#[must_use]
pub fn post_empty() -> GraphError {
    plain_100("Invalid parameter")
        .with_user("Empty post", "Send a message, a link or a photo.")
        .with_blame(&["message", "link"])
}

/// A scheduled time out of bounds, or `published` not false with it.
#[must_use]
pub fn schedule_invalid() -> GraphError {
    plain_100("The specified scheduled publish time is invalid.")
        .with_user("Time not possible", "Send published=false and a time between 10 minutes and 75 days from now.")
        .with_blame(&["scheduled_publish_time"])
}

/// An id in a parameter that the caller can't see. A foreign id and one never issued answer the
/// same.
#[must_use]
pub fn invisible_parameter(name: &str) -> GraphError {
    said(plain_100("Invalid parameter"), &Refusal::unknown_reference(&echo(name))).with_blame(&[name])
}

/// The change would remove the last ADMIN person.
#[must_use]
pub fn last_admin() -> GraphError {
    let error = plain_100("The last ADMIN of a business stays").with_subcode(9_000_015);
    said(error, &Refusal::of(Reason::LastAdmin))
}

/// A partner tries to share an asset that was shared with it. No role would help, because only the
/// owner may share.
#[must_use]
pub fn partner_share(kind: &str) -> GraphError {
    GraphError::numbered(200, &format!("Only the owner has permission to share this {kind}"))
        .with_user("Not the owner", "Ask the owner to share it.")
        .with_data("reason", json!("role_insufficient"))
        .with_data("granted_by", json!("ADMIN of the owning business"))
}

/// An edge that a user may call only on itself, called on another user.
#[must_use]
pub fn oneself_alone() -> GraphError {
    GraphError::numbered(200, "Only the user itself has permission to ask for this")
        .with_user("Not your own", "Ask with a token of that user; no role stands in for it.")
        .with_data("reason", json!("role_insufficient"))
}

/// An app id that nobody has.
#[must_use]
pub fn application_unknown() -> GraphError {
    let message = "Error validating application. Cannot get application info due to a system error.";
    GraphError::new(101, OAuthException, message)
        .with_user("Unknown app", "client_id is not the id of an app here.")
        .with_blame(&["client_id"])
}

/// A secret that isn't the app's.
#[must_use]
pub fn client_secret_wrong() -> GraphError {
    GraphError::new(101, OAuthException, "Error validating client secret.")
        .with_user("Secret wrong", "client_secret is not the secret of this app.")
        .with_blame(&["client_secret"])
}

/// A `grant_type` that isn't served.
#[must_use]
pub fn grant_type() -> GraphError {
    enum_value("grant_type", &["client_credentials", "fb_exchange_token"])
}

/// The requested token has no end, or ends after the longest allowed lifetime in seconds.
#[must_use]
pub fn token_end_demanded(limit_s: i64) -> GraphError {
    let error = plain_100("Tokens of this business must end").with_subcode(9_000_017);
    said(error, &Refusal::of(Reason::TokenMustEnd).with_count(limit_s)).with_blame(&["set_token_expires_in_60_days"])
}

/// Too many calls in a short time. This is the only ordinary refusal that a retry can change.
#[must_use]
pub fn rate_limited() -> GraphError {
    let error = GraphError::numbered(613, "Calls to this api have exceeded the rate limit.");
    said(error, &Refusal::of(Reason::RateLimited)).transient().with_retry_after_s(60)
}

/// A wrong proof, with the name of the token's app.
#[must_use]
pub fn proof_invalid(app: Option<&str>) -> GraphError {
    let app = app.map(echo);
    let words = Words { app: app.as_deref(), ..Words::default() };
    GraphError::new(100, GraphMethodException, "Invalid appsecret_proof provided in the API argument")
        .with_sentence(&Refusal::of(Reason::ProofInvalid).sentence(&words))
}

/// A fault of the server: a bug.
#[must_use]
pub fn server_fault() -> GraphError {
    let error =
        GraphError::new(1, OAuthException, "An unknown error occurred").with_status(StatusCode::INTERNAL_SERVER_ERROR);
    said(error, &Refusal::of(Reason::Fault)).transient()
}

fn unavailable() -> GraphError {
    GraphError::numbered(2, "Service temporarily unavailable").with_status(StatusCode::SERVICE_UNAVAILABLE)
}

/// A node that can't show that it is up to date.
#[must_use]
pub fn not_fresh() -> GraphError {
    said(unavailable(), &Refusal::of(Reason::NotFresh)).transient().with_retry_after_s(1)
}

/// The server is overloaded, or a read gave no answer in time.
#[must_use]
pub fn busy() -> GraphError {
    unavailable()
        .with_user("Not available", "The server has too much to do. Try again in a moment.")
        .transient()
        .with_retry_after_s(1)
}

/// The store can't be reached.
#[must_use]
pub fn store_away() -> GraphError {
    said(unavailable(), &Refusal::of(Reason::Unavailable)).transient().with_retry_after_s(1)
}

/// A write with an unknown outcome. Not transient: a blind retry could apply it twice.
#[must_use]
pub fn outcome_unknown(commit_id: &str) -> GraphError {
    let error = may_be_done(&format!("look up commit {commit_id}"));
    said(error, &Refusal::of(Reason::OutcomeUnknown).with_value(commit_id)).with_data("commit_id", json!(commit_id))
}

/// A narrowing is in force here but not written yet. Not transient: the server itself retries, and
/// a repeated call changes nothing.
#[must_use]
pub fn not_durable() -> GraphError {
    said(unavailable().with_subcode(9_000_019), &Refusal::of(Reason::NotDurable))
}

/// A write that gave no answer in time.
pub fn answer_is_late() -> GraphError {
    said(may_be_done("no answer came in time"), &Refusal::of(Reason::OutcomeUnknown))
}

fn may_be_done(why: &str) -> GraphError {
    GraphError::numbered(2, &format!("Outcome unknown; {why}"))
        .with_subcode(9_000_018)
        .with_status(StatusCode::SERVICE_UNAVAILABLE)
}
