//! The interface between the listener and the server behind it. Nothing here reads a socket, and no
//! `Debug` text holds a header's or a body's content.

use std::cell::OnceCell;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde_json::json;

use crate::client_address::TrustedProxies;
use crate::mask;
use crate::request_id::{IdSource, RequestId};

/// The server behind the listener: all adapters together.
///
/// Every method may be called from many threads at once. A panic in any of
/// them costs the one request.
pub trait Site: Send + Sync + 'static {
    /// Asked first, before a body is read and before any routing. It must not
    /// block. `None` sends the request on to [`Site::handle`].
    fn check_path(&self, head: &Head<'_>) -> Option<Reply>;

    /// The same for requests with a body, after it is read, for checks by POST. Not called if the
    /// body is empty.
    fn check_path_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply> {
        let _ = (head, body);
        None
    }

    /// Answers a request. The future runs as a task of its own: it continues if the caller
    /// disconnects, and is dropped at the request's deadline.
    fn handle(&self, request: Request) -> BoxFuture<'static, Reply>;

    /// Whether files may be sent with this request. If so, a `multipart/form-data` body may have
    /// `upload_limit_bytes`. All other bodies have `body_limit_bytes`, whatever content type they
    /// name.
    fn takes_uploads(&self, head: &Head<'_>) -> bool {
        let _ = head;
        false
    }

    /// The reply to a request that can't be handled.
    fn failed(&self, head: &Head<'_>, failure: Failure) -> Reply;
}

/// Why a request was not handled completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Its form is wrong.
    BadRequest(BadRequest),
    /// Its body has more than this many bytes.
    TooLarge {
        /// How many bytes are allowed.
        limit_bytes: usize,
    },
    /// It took too long.
    Late(Late),
    /// Too many requests, or too large ones, are at work.
    Busy,
    /// The code behind it panicked.
    Fault,
}

impl Failure {
    /// The reply of adapters that speak plain JSON:
    /// `{"error": {"reason": …, "message": …, "trace": …}}`.
    pub fn json(self, head: &Head<'_>) -> Reply {
        let reads = head.method == Method::GET || head.method == Method::HEAD;
        let (status, reason, message) = match self {
            Failure::BadRequest(why) => (StatusCode::BAD_REQUEST, "bad_request", why.to_string()),
            Failure::TooLarge { limit_bytes } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("the request's body is larger than {limit_bytes} bytes; send less at once"),
            ),
            Failure::Late(Late::Body) => {
                (StatusCode::REQUEST_TIMEOUT, "too_slow", "the request's body did not come in time".to_owned())
            }
            Failure::Late(Late::Answer) if reads => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "no answer in time; try again".to_owned())
            }
            Failure::Late(Late::Answer) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "outcome_unknown",
                "no answer in time; the change may or may not have been made".to_owned(),
            ),
            Failure::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "the server has too much to do; try again in a moment".to_owned(),
            ),
            Failure::Fault => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "fault",
                "the server failed; its operator finds the cause by the trace".to_owned(),
            ),
        };
        let reply = json_error(status, reason, &message, head.request_id().as_str());
        if self == Failure::Busy { reply.header(RETRY_AFTER, HeaderValue::from_static("1")) } else { reply }
    }
}

/// Why a request was refused before any adapter saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// More header fields than allowed.
    #[error("the request has more than {limit} header fields")]
    TooManyHeaders {
        /// How many are allowed.
        limit: usize,
    },
    /// `CONNECT` or another method that asks for a tunnel.
    #[error("the method CONNECT is not offered")]
    Connect,
    /// The body ended early or its framing is wrong.
    #[error("the request's body is incomplete or its framing is wrong")]
    BrokenBody,
}

/// Which part of a request took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// The caller didn't send its body in time.
    Body,
    /// The site didn't answer in time; its work may or may not have been done.
    Answer,
}

/// An error in plain JSON: a stable word, a sentence, and the trace.
pub fn json_error(status: StatusCode, reason: &str, message: &str, trace: &str) -> Reply {
    let error = json!({ "error": { "reason": reason, "message": message, "trace": trace } });
    Reply::json(status, error.to_string()).header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// The plain JSON error of a path that does not exist.
pub fn unknown_path(head: &Head<'_>) -> Reply {
    let message = "there is no such path; `/` lists the paths";
    json_error(StatusCode::NOT_FOUND, "unknown_path", message, head.request_id().as_str())
}

enum Facts<'a> {
    Known { client_ip: IpAddr, request_id: RequestId },
    Lazy { trusted: &'a TrustedProxies, ids: &'a dyn IdSource, request_id: &'a OnceCell<RequestId> },
}

/// A request's head, borrowed. The request id and the client's address are
/// worked out only when asked for.
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query; for HTTP/2 and absolute forms also scheme and host.
    pub uri: &'a Uri,
    /// The headers. Empty in [`Site::failed`] after `Late::Answer` and
    /// `Fault`, since the handler has taken them.
    pub headers: &'a HeaderMap,
    /// The connection's other end.
    pub peer: SocketAddr,
    /// Whether the connection is TLS.
    pub tls: bool,
    facts: Facts<'a>,
}

impl<'a> Head<'a> {
    pub(crate) fn lazy(
        (method, uri, headers): (&'a Method, &'a Uri, &'a HeaderMap),
        (peer, tls): (SocketAddr, bool),
        trusted: &'a TrustedProxies,
        ids: &'a dyn IdSource,
        request_id: &'a OnceCell<RequestId>,
    ) -> Self {
        let facts = Facts::Lazy { trusted, ids, request_id };
        Self { method, uri, headers, peer, tls, facts }
    }

    /// The URL's path, not decoded.
    pub fn path(&self) -> &'a str {
        self.uri.path()
    }

    /// The URL's query, not decoded; empty when there is none.
    pub fn query(&self) -> &'a str {
        self.uri.query().unwrap_or_default()
    }

    /// The content type's text, if it is text.
    pub fn content_type(&self) -> Option<&'a str> {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok())
    }

    /// Whether the body says that it is `multipart/form-data`.
    pub fn is_multipart(&self) -> bool {
        let form = self.content_type().and_then(|kind| kind.get(..19));
        form.is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))
    }

    /// This request's id; the same however often it is asked for.
    pub fn request_id(&self) -> RequestId {
        match &self.facts {
            Facts::Known { request_id, .. } => *request_id,
            Facts::Lazy { ids, request_id, .. } => *request_id.get_or_init(|| ids.next_id()),
        }
    }

    /// The caller's address, as far as trusted proxies vouch for it.
    pub fn client_ip(&self) -> IpAddr {
        match &self.facts {
            Facts::Known { client_ip, .. } => *client_ip,
            Facts::Lazy { trusted, .. } => trusted.client_ip(self.peer.ip(), self.headers),
        }
    }
}

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("method", self.method)
            .field("target", &mask::target(self.uri))
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// A whole request, its body read under the limit.
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query; for HTTP/2 and absolute forms also scheme and host.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty when there is none.
    pub body: Bytes,
    /// The connection's other end.
    pub peer: SocketAddr,
    /// The caller's address, as far as trusted proxies vouch for it.
    pub client_ip: IpAddr,
    /// Whether the connection is TLS.
    pub tls: bool,
    /// This request's id.
    pub request_id: RequestId,
}

impl Request {
    /// A request from loopback without headers or body, for tests of adapters.
    pub fn new(method: Method, uri: Uri) -> Self {
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            method,
            uri,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            peer: SocketAddr::new(ip, 0),
            client_ip: ip,
            tls: false,
            request_id: RequestId::from_bytes([0; 16]),
        }
    }

    /// The URL's path, not decoded.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The URL's query, not decoded; empty when there is none.
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The content type's text, if it is text.
    pub fn content_type(&self) -> Option<&str> {
        self.head().content_type()
    }

    /// The head alone.
    pub fn head(&self) -> Head<'_> {
        Head {
            method: &self.method,
            uri: &self.uri,
            headers: &self.headers,
            peer: self.peer,
            tls: self.tls,
            facts: Facts::Known { client_ip: self.client_ip, request_id: self.request_id },
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("target", &mask::target(&self.uri))
            .field("body_bytes", &self.body.len())
            .field("client_ip", &self.client_ip)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// An answer: status, a few headers, and the whole body. Length and date are
/// added by the listener; a `HEAD` request gets the length without the body.
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// An empty reply.
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A reply of plain text.
    pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Self {
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        Self::new(status).header(CONTENT_TYPE, kind).body(text)
    }

    /// A reply of JSON, already written.
    pub fn json(status: StatusCode, json: impl Into<Bytes>) -> Self {
        let kind = HeaderValue::from_static("application/json; charset=UTF-8");
        Self::new(status).header(CONTENT_TYPE, kind).body(json)
    }

    /// Adds a header, in the place of one of the same name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_debug_text_holds_a_secret() {
        let mut request = Request::new(Method::GET, "/me?access_token=hush".parse().unwrap());
        request.headers.insert("authorization", "Bearer hush".parse().unwrap());
        request.body = Bytes::from_static(b"hush");
        let reply = Reply::text(StatusCode::OK, "hush");
        let shown = format!("{request:?} {:?} {reply:?}", request.head());
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("/me?access_token=***"));
    }
}
