//! Writing replies: bodies, the error envelope, and the headers of every answer.

use http::header::{CACHE_CONTROL, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use valetkey_http::Reply;

use crate::protocol::envelope::{self, GraphError};
use crate::protocol::etag;
use crate::protocol::version::Version;
use crate::schema::Verb;

/// The verb of a request. With GET and POST, the parameter `method` may replace it.
pub(crate) fn verb(method: &str, said: Option<&str>) -> Result<Verb, GraphError> {
    let takes_word = matches!(method, "GET" | "POST");
    let word = said.filter(|g| takes_word && !g.is_empty()).unwrap_or(method);
    match word.to_ascii_lowercase().as_str() {
        "get" | "head" | "" => Ok(Verb::Get),
        "post" | "put" => Ok(Verb::Post),
        "delete" => Ok(Verb::Delete),
        other => Err(envelope::unsupported_method(crate::protocol::text::echo(other).as_ref())),
    }
}

/// A reply with a JSON body. The answer to a GET carries an ETag, and is a 304 without a body if
/// the caller already has it.
pub(crate) fn json(body: &Value, is_get: bool, if_none_match: Option<&str>) -> Reply {
    let bytes = body.to_string().into_bytes();
    if !is_get {
        return finish(Reply::json(StatusCode::OK, bytes));
    }
    let tag = etag::strong(&bytes);
    let known = if_none_match.is_some_and(|sent| etag::matches(sent, &tag));
    let reply = if known { Reply::new(StatusCode::NOT_MODIFIED) } else { Reply::json(StatusCode::OK, bytes) };
    match HeaderValue::from_str(&tag) {
        Ok(value) => finish(reply.header(ETAG, value)),
        Err(_) => finish(reply),
    }
}

/// A reply whose JSON body is already text.
pub(crate) fn json_text(bytes: Vec<u8>) -> Reply {
    finish(Reply::json(StatusCode::OK, bytes))
}

/// The headers that name the answer: its trace, and the version that served it.
pub(crate) fn identify(headers: &mut HeaderMap, trace: &str, version: Version) {
    let named = [("x-fb-trace-id", trace), ("x-fb-request-id", trace), ("facebook-api-version", &version.to_string())];
    for (name, value) in named {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The reply for an error.
pub(crate) fn error(error: &GraphError, trace: &str) -> Reply {
    let mut reply = Reply::json(error.http_status, error.to_bytes(trace));
    if let Some(value) = error.www_authenticate() {
        reply = reply.header(WWW_AUTHENTICATE, value);
    }
    if let Some(seconds) = error.retry_after_s {
        reply = reply.header(RETRY_AFTER, HeaderValue::from(seconds));
    }
    finish(reply)
}

fn finish(reply: Reply) -> Reply {
    reply
        .header(CACHE_CONTROL, HeaderValue::from_static("private, no-cache, no-store, must-revalidate"))
        .header(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"))
        .header(HeaderName::from_static("access-control-allow-origin"), HeaderValue::from_static("*"))
}
