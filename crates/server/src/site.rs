//! The house's front: which adapter a request belongs to, and what it hears when no adapter can answer.
//!
//! Nothing is decided here. What goes wrong is told in the dialect of the adapter that was asked, for
//! clients understand no other.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use valetkey_graph::Graph;
use valetkey_http::{BadRequest, Head, Late, Reply, Request, Site, Stats};
use valetkey_service::Service;

use crate::adapters::Adapters;
use crate::metrics::{self, Gauges};

/// Which part of the house a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Health,
    Ready,
    Metrics,
    Api,
    Gateway,
    Graph,
    Welcome,
    Nowhere,
}

/// Words that are Graph paths without a version, when they stand first.
const GRAPH_WORDS: &[&str] = &["me", "app", "search", "debug_token"];
/// The same for pairs.
const GRAPH_PAIRS: &[(&str, &str)] = &[("oauth", "access_token"), ("oauth", "revoke")];

impl Room {
    fn of(method: &Method, path: &str, query: &str) -> Room {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let (first, second) = (segments.next(), segments.next());
        match (first, second) {
            (None, _) => Room::of_root(method, query),
            (Some("healthz"), None) => Room::Health,
            (Some("readyz"), None) => Room::Ready,
            (Some("metrics"), None) => Room::Metrics,
            (Some("v1"), _) => Room::Api,
            (Some("gateway"), _) => Room::Gateway,
            (Some(first), second) if is_graph(first, second) => Room::Graph,
            _ => Room::Nowhere,
        }
    }

    /// Whether it is a page of the house itself, which is only read.
    fn is_page(self) -> bool {
        matches!(self, Room::Health | Room::Ready | Room::Metrics | Room::Welcome)
    }

    fn of_root(method: &Method, query: &str) -> Room {
        let names = || query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
        let reads = method == Method::GET || method == Method::HEAD;
        if reads && !names().any(|name| matches!(name, "ids" | "batch")) { Room::Welcome } else { Room::Graph }
    }
}

fn is_graph(first: &str, second: Option<&str>) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let versioned = first.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let post = first.split_once('_').is_some_and(|(page, post)| digits(page) && digits(post));
    versioned
        || digits(first)
        || post
        || first.starts_with("act_")
        || GRAPH_WORDS.contains(&first)
        || second.is_some_and(|second| GRAPH_PAIRS.contains(&(first, second)))
}

/// What both ways into the house lead to.
pub struct Rooms {
    stats: Arc<Stats>,
    stopping: CancellationToken,
    /// There once the store is open and the address known, before the first request is taken.
    inside: OnceLock<Inside>,
}

/// What answers, once it is there.
struct Inside {
    service: Service,
    started_s: i64,
    adapters: Adapters,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms").finish_non_exhaustive()
    }
}

impl Rooms {
    /// The house without adapters. It says that it isn't ready from the moment that `stopping` fires.
    pub fn new(stats: Arc<Stats>, stopping: CancellationToken) -> Arc<Rooms> {
        Arc::new(Rooms { stats, stopping, inside: OnceLock::new() })
    }

    /// Hangs the adapters in front of a service. Only the first ones count.
    pub fn hang(&self, service: Service, adapters: Adapters) {
        let started_s = service.now().div_euclid(1_000);
        if self.inside.set(Inside { service, started_s, adapters }).is_err() {
            tracing::error!("the adapters were hung twice");
        }
    }

    fn is_ready(&self) -> bool {
        !self.stopping.is_cancelled() && self.inside.get().is_some_and(|inside| inside.service.is_fresh())
    }

    fn health(&self) -> Reply {
        Reply::text(StatusCode::OK, "ok\n")
    }

    fn ready(&self) -> Reply {
        if self.is_ready() {
            return Reply::text(StatusCode::OK, "ready\n");
        }
        let why =
            if self.stopping.is_cancelled() { "stopping\n" } else { "this node can't show that it is up to date\n" };
        Reply::text(StatusCode::SERVICE_UNAVAILABLE, why)
    }

    fn metrics(&self, inside: &Inside) -> Reply {
        let (allowed, refused) = inside.service.decision_counts();
        let gauges = Gauges {
            allowed,
            refused,
            revision: inside.service.revision(),
            is_fresh: inside.service.is_fresh(),
            started_s: inside.started_s,
        };
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        Reply::text(StatusCode::OK, metrics::page(&self.stats.snapshot(), &gauges)).header(CONTENT_TYPE, kind)
    }

    fn own(&self, room: Room, inside: &Inside, trace: &str) -> Reply {
        let reply = match room {
            Room::Health => self.health(),
            Room::Ready => self.ready(),
            Room::Metrics => self.metrics(inside),
            Room::Welcome => return welcome(),
            // The check path has answered what it knows of the gateway before this.
            _ => return nowhere(trace),
        };
        reply.header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }
}

/// One way into the house: the address for everybody, or the operator's socket.
#[derive(Debug)]
pub struct House {
    rooms: Arc<Rooms>,
    is_operator: bool,
}

impl House {
    /// The way in for everybody.
    pub fn front(rooms: Arc<Rooms>) -> Arc<House> {
        Arc::new(House { rooms, is_operator: false })
    }

    /// The way in that only the operator can take.
    pub fn of_operator(rooms: Arc<Rooms>) -> Arc<House> {
        Arc::new(House { rooms, is_operator: true })
    }
}

impl Site for House {
    fn fast(&self, head: &Head<'_>) -> Option<Reply> {
        self.rooms.inside.get()?.adapters.fast(head)
    }

    fn fast_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply> {
        self.rooms.inside.get()?.adapters.fast_with_body(head, body)
    }

    fn handle(&self, request: Request) -> BoxFuture<'static, Reply> {
        let room = Room::of(&request.method, request.path(), request.query());
        let is_operator = self.is_operator;
        let rooms = Arc::clone(&self.rooms);
        let ready = |reply| -> BoxFuture<'static, Reply> { Box::pin(std::future::ready(reply)) };
        let reads = request.method == Method::GET || request.method == Method::HEAD;
        if room.is_page() && !reads {
            let trace = request.request_id.as_str();
            let reply =
                refusal(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "only GET is offered here", trace);
            return ready(reply.header(ALLOW, HeaderValue::from_static("GET, HEAD")));
        }
        let Some(inside) = rooms.inside.get() else { return ready(busy(&request.head())) };
        match room {
            Room::Graph => inside.adapters.graph(request),
            Room::Api => inside.adapters.api(request, is_operator),
            _ => ready(rooms.own(room, inside, request.request_id.as_str())),
        }
    }

    /// Files go to the Graph alone.
    fn takes_uploads(&self, head: &Head<'_>) -> bool {
        room_of(head) == Room::Graph
    }

    fn too_large(&self, head: &Head<'_>, limit_bytes: usize) -> Reply {
        match room_of(head) {
            Room::Graph => Graph::too_large(head, limit_bytes),
            _ => refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                &format!("the request's body is larger than {limit_bytes} bytes; send less at once"),
                head.request_id().as_str(),
            ),
        }
    }

    fn bad_request(&self, head: &Head<'_>, reason: BadRequest) -> Reply {
        match room_of(head) {
            Room::Graph => Graph::bad_request(head, &reason.to_string()),
            _ => refusal(StatusCode::BAD_REQUEST, "bad_request", &reason.to_string(), head.request_id().as_str()),
        }
    }

    fn timeout(&self, head: &Head<'_>, late: Late) -> Reply {
        too_late(head, late)
    }

    fn busy(&self, head: &Head<'_>) -> Reply {
        busy(head)
    }

    fn fault(&self, head: &Head<'_>) -> Reply {
        match room_of(head) {
            Room::Graph => Graph::fault(head, false),
            _ => refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                "fault",
                "the server failed; its operator finds the cause by the trace",
                head.request_id().as_str(),
            ),
        }
    }
}

fn room_of(head: &Head<'_>) -> Room {
    Room::of(head.method, head.path(), head.query())
}

fn busy(head: &Head<'_>) -> Reply {
    match room_of(head) {
        Room::Graph => Graph::fault(head, true),
        _ => {
            let message = "too much is going on; try again in a moment";
            refusal(StatusCode::SERVICE_UNAVAILABLE, "busy", message, head.request_id().as_str())
                .header(RETRY_AFTER, HeaderValue::from_static("1"))
        }
    }
}

fn too_late(head: &Head<'_>, late: Late) -> Reply {
    let trace = head.request_id();
    let refuse = |status, reason, message| refusal(status, reason, message, trace.as_str());
    // A GET of the Graph may say that it is another method.
    let says_method = |pair: &str| pair.split('=').next() == Some("method");
    let is_disguised = room_of(head) == Room::Graph && head.query().split('&').any(says_method);
    let reads = (head.method == Method::GET || head.method == Method::HEAD) && !is_disguised;
    match (room_of(head), late) {
        (Room::Graph, Late::Body) => Graph::bad_request(head, "sent in time; send it again"),
        (Room::Graph, Late::Answer) if reads => Graph::fault(head, true),
        (Room::Graph, Late::Answer) => Graph::unknown_outcome(head),
        (_, Late::Body) => refuse(StatusCode::REQUEST_TIMEOUT, "too_slow", "the request's body did not come in time"),
        (_, Late::Answer) if reads => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "no answer in time; try again")
        }
        (_, Late::Answer) => refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "outcome_unknown",
            "no answer in time; what was asked for may or may not have been done",
        ),
    }
}

/// A "no" in the words of the JSON adapters.
fn refusal(status: StatusCode, reason: &str, message: &str, trace: &str) -> Reply {
    Reply::json(status, json!({ "error": { "reason": reason, "message": message, "trace": trace } }).to_string())
}

fn nowhere(trace: &str) -> Reply {
    refusal(StatusCode::NOT_FOUND, "unknown_path", "there is nothing under this path; `/` says what there is", trace)
}

fn welcome() -> Reply {
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    Reply::new(StatusCode::OK)
        .header(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))
        .header(CONTENT_SECURITY_POLICY, policy)
        .header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .body(include_str!("welcome.html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(target: &str) -> Room {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Room::of(&Method::GET, path, query)
    }

    #[test]
    fn each_path_has_one_room() {
        for (targets, expected) in [
            (
                "/v26.0/me /v2.3/1 /v99.0/me /v26.0 /v26 /v25.0/act_1/campaigns //me /12 /12_34 /act_7/campaigns /me/accounts",
                Room::Graph,
            ),
            (
                "/app /search?type=x /debug_token /oauth/access_token /oauth/revoke /?ids=1 /?batch=[] //?a=1&ids=2",
                Room::Graph,
            ),
            ("/v1/check /v1/receipts/7 /v1 /v1/commands/x", Room::Api),
            ("/gateway/forward-auth", Room::Gateway),
            ("/ /?x=1 /?idsx=1", Room::Welcome),
            ("/oauth /oauth/x /mex /apps /console/ /12a /1_ /_1 /favicon.ico /vx /healthz/x", Room::Nowhere),
            ("/healthz", Room::Health),
            ("/readyz", Room::Ready),
            ("/metrics", Room::Metrics),
        ] {
            for target in targets.split(' ') {
                assert_eq!(room(target), expected, "{target}");
            }
        }
        assert_eq!(Room::of(&Method::POST, "/", ""), Room::Graph);
    }

    #[test]
    fn files_go_to_the_graph_alone() {
        let house = House::front(Rooms::new(Arc::default(), CancellationToken::new()));
        for (target, wanted) in [
            ("/v26.0/me/photos", true),
            ("/act_1/adimages", true),
            ("/v1/check", false),
            ("/v1/commands/token.issue", false),
            ("/v1/sign-in", false),
            ("/gateway/forward-auth", false),
            ("/nothing", false),
        ] {
            let request = Request::new(Method::POST, target.parse().unwrap());
            assert_eq!(house.takes_uploads(&request.head()), wanted, "{target}");
        }
    }

    #[test]
    fn what_goes_wrong_is_told_in_the_dialect_that_was_asked() {
        let text = |reply: Reply| String::from_utf8(reply.body.to_vec()).unwrap();
        for (target, word) in [("/v26.0/me/feed", "fbtrace_id"), ("/v1/check", "\"trace\""), ("/nothing", "\"trace\"")]
        {
            let request = Request::new(Method::POST, target.parse().unwrap());
            assert!(text(busy(&request.head())).contains(word), "{target}");
        }
        let late = |method: Method, target: &str| {
            let reply = too_late(&Request::new(method, target.parse().unwrap()).head(), Late::Answer);
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
            text(reply)
        };
        assert!(late(Method::GET, "/v26.0/me").contains("\"is_transient\":true"));
        // A write may have been done, and a blind repetition could do it twice, whatever it calls itself.
        assert!(late(Method::GET, "/v26.0/me/feed?message=x&method=post").contains("\"is_transient\":false"));
        assert!(late(Method::GET, "/v26.0/me?fields=method").contains("\"is_transient\":true"));
        assert!(late(Method::POST, "/v26.0/me/feed").contains("\"is_transient\":false"));
        assert!(late(Method::POST, "/v1/commands/token.issue").contains("outcome_unknown"));
    }
}
