//! One request and its reply. The check path is answered inside hyper's own
//! call: no task, no box, no copy of a header. Every other request is read
//! whole, handed to the site in a task of its own, and bounded in time. A panic
//! must never cost more than its request, and every refusal must be the site's
//! own reply.

use std::cell::OnceCell;
use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access_log;
use crate::body::{self, BodyFault, Bounds, Hold, Memory};
use crate::client_address::TrustedProxies;
use crate::connection::{Control, Work};
use crate::limits::Limits;
use crate::pieces::Pieces;
use crate::request_id::IdSource;
use crate::site::{BadRequest, Failure, Head, Late, Reply, Request, Site};
use crate::stats::Stats;

/// What all connections of a listener share.
pub(crate) struct Shared {
    pub(crate) site: Arc<dyn Site>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) trusted: TrustedProxies,
    pub(crate) limits: Limits,
    pub(crate) stats: Arc<Stats>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) handlers: AtomicUsize,
    /// Connections, handlers and bodies that are being discarded.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the drain is over: what still runs is dropped.
    pub(crate) cut: CancellationToken,
}

impl Shared {
    /// Asks the site. If it panics, the reply is the one for a fault.
    fn ask<T>(&self, head: &Head<'_>, question: impl FnOnce(&dyn Site) -> T) -> Result<T, Box<Reply>> {
        catch_unwind(AssertUnwindSafe(|| question(&*self.site))).map_err(|_| Box::new(self.fault(head)))
    }

    /// The site's reply to a failure.
    fn failed(&self, head: &Head<'_>, failure: Failure) -> Reply {
        self.ask(head, |site| site.failed(head, failure)).unwrap_or_else(|fault| *fault)
    }

    fn fault(&self, head: &Head<'_>) -> Reply {
        self.stats.panics.up();
        catch_unwind(AssertUnwindSafe(|| self.site.failed(head, Failure::Fault))).unwrap_or_else(|_| bare_fault())
    }

    fn bad_request(&self, head: &Head<'_>, reason: BadRequest) -> Reply {
        self.stats.bad_requests.up();
        self.failed(head, Failure::BadRequest(reason))
    }

    fn late(&self, head: &Head<'_>, late: Late) -> Reply {
        self.stats.timeouts.up();
        self.failed(head, Failure::Late(late))
    }

    fn busy(&self, head: &Head<'_>) -> Reply {
        self.stats.busy.up();
        self.failed(head, Failure::Busy)
    }

    fn unread(&self, head: &Head<'_>, fault: BodyFault, limit_bytes: usize) -> Reply {
        match fault {
            BodyFault::TooLarge => {
                self.stats.too_large.up();
                self.failed(head, Failure::TooLarge { limit_bytes })
            }
            BodyFault::Late => self.late(head, Late::Body),
            BodyFault::Broken => self.bad_request(head, BadRequest::BrokenBody),
            BodyFault::MemoryFull => self.busy(head),
        }
    }

    /// What is wrong with the head; checked before the request is routed.
    fn head_fault(&self, head: &Head<'_>) -> Option<BadRequest> {
        let limit = self.limits.header_count_limit;
        if head.headers.len() > limit {
            return Some(BadRequest::TooManyHeaders { limit });
        }
        (*head.method == Method::CONNECT).then_some(BadRequest::Connect)
    }

    /// The check path, with its line in the access log if that is on.
    fn check_path(&self, head: &Head<'_>) -> Option<Reply> {
        let started = access_log::fast_wanted().then(Instant::now);
        let reply = match self.head_fault(head) {
            Some(reason) => self.bad_request(head, reason),
            None => match self.ask(head, |site| site.check_path(head)) {
                Ok(None) => return None,
                Ok(Some(reply)) => {
                    self.stats.fast.up();
                    reply
                }
                Err(fault) => *fault,
            },
        };
        if let Some(started) = started {
            access_log::write_fast(&line(head, &reply, started));
        }
        Some(reply)
    }

    /// Reads and discards the rest of a body, so that a caller that sends first and reads afterwards
    /// gets the reply.
    fn throw_away(self: &Arc<Self>, body: Incoming, expects_continue: bool, work: Work) {
        // A caller that waits for `100 Continue` has sent no body, and sends none.
        if body.is_end_stream() || expects_continue {
            return;
        }
        let until = Instant::now() + Duration::from_millis(self.limits.body_read_timeout_ms);
        let shared = Arc::clone(self);
        self.tasks.spawn(async move {
            let reading = body::discard(body, shared.limits.upload_limit_bytes, until);
            let _ = shared.cut.run_until_cancelled(reading).await;
            drop(work);
        });
    }
}

fn bare_fault() -> Reply {
    Reply::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n")
}

fn line<'a>(head: &Head<'a>, reply: &Reply, started: Instant) -> access_log::Line<'a> {
    access_log::Line {
        method: head.method,
        uri: head.uri,
        status: reply.status.as_u16(),
        bytes: reply.body.len(),
        duration: started.elapsed(),
        client_ip: head.client_ip(),
        request_id: head.request_id(),
    }
}

/// The service of one connection.
pub(crate) struct Conversation {
    pub(crate) shared: Arc<Shared>,
    pub(crate) control: Arc<Control>,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: bool,
}

impl hyper::service::Service<http::Request<Incoming>> for Conversation {
    type Response = Response<Pieces>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: http::Request<Incoming>) -> Answer {
        let shared = &self.shared;
        shared.stats.requests.up();
        self.control.begin(request.version() == Version::HTTP_2);
        let request_id = OnceCell::new();
        let head = Head::lazy(
            (request.method(), request.uri(), request.headers()),
            (self.peer, self.tls),
            &shared.trusted,
            &*shared.ids,
            &request_id,
        );
        if let Some(reply) = shared.check_path(&head) {
            let bodiless = *request.method() == Method::HEAD;
            if !request.body().is_end_stream() {
                let expects_continue = request.headers().contains_key(EXPECT);
                shared.throw_away(request.into_body(), expects_continue, self.control.work());
            }
            return Answer::Ready(Some(respond(reply, bodiless)));
        }
        let flight = Flight::new(shared, &self.control, head.client_ip());
        let id = head.request_id();
        let (peer, tls) = (self.peer, self.tls);
        let (parts, body) = request.into_parts();
        let request = Request {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body: Bytes::new(),
            peer,
            client_ip: flight.client_ip,
            tls,
            request_id: id,
        };
        Answer::Slow(Box::pin(slow(flight, request, body)))
    }
}

/// Hyper's future for one request.
pub(crate) enum Answer {
    Ready(Option<Response<Pieces>>),
    Slow(Pin<Box<dyn Future<Output = Response<Pieces>> + Send>>),
}

impl Future for Answer {
    type Output = Result<Response<Pieces>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            // Hyper doesn't poll again after the end; if it did, nothing would happen.
            Self::Ready(reply) => reply.take().map_or(Poll::Pending, |r| Poll::Ready(Ok(r))),
            Self::Slow(work) => work.as_mut().poll(cx).map(Ok),
        }
    }
}

/// A request beyond the check path, counted until its reply is ready.
struct Flight {
    shared: Arc<Shared>,
    work: Option<Work>,
    client_ip: IpAddr,
    started: Instant,
    deadline: Instant,
}

impl Flight {
    fn new(shared: &Arc<Shared>, control: &Arc<Control>, client_ip: IpAddr) -> Self {
        shared.stats.in_flight.up();
        let started = Instant::now();
        let time = Duration::from_millis(shared.limits.request_timeout_ms);
        Self { shared: Arc::clone(shared), work: Some(control.work()), client_ip, started, deadline: started + time }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.shared.stats.in_flight.down();
    }
}

async fn slow(mut flight: Flight, mut request: Request, mut body: Incoming) -> Response<Pieces> {
    let shared = Arc::clone(&flight.shared);
    let bodiless = request.method == Method::HEAD;
    let may_upload = {
        let head = request.head();
        shared.ask(&head, |site| head.is_multipart() && site.takes_uploads(&head))
    };
    let limit_bytes = match may_upload {
        Ok(true) => shared.limits.upload_limit_bytes,
        Ok(false) => shared.limits.body_limit_bytes,
        Err(fault) => return done(&flight, &request, *fault, bodiless),
    };
    let silence = Duration::from_millis(shared.limits.body_read_timeout_ms);
    let bounds = Bounds { limit_bytes, silence, deadline: flight.deadline };
    let hold = match body::collect(&mut body, bounds, &shared.memory).await {
        Ok((bytes, hold)) => {
            request.body = bytes;
            hold
        }
        Err(fault) => {
            let reply = shared.unread(&request.head(), fault, limit_bytes);
            let refused = matches!(fault, BodyFault::TooLarge | BodyFault::MemoryFull);
            if let (true, Some(work)) = (refused, flight.work.take()) {
                shared.throw_away(body, request.headers.contains_key(EXPECT), work);
            }
            return done(&flight, &request, reply, bodiless);
        }
    };
    drop(body);
    if let Some(reply) = early(&shared, &request) {
        return done(&flight, &request, reply, bodiless);
    }
    let reply = shared.tasks.spawn(handle(flight, request, hold)).await;
    // The task catches panics itself, so joining it fails only when the runtime stops.
    respond(reply.unwrap_or_else(|_| bare_fault()), bodiless)
}

/// The reply to a request that needs no task: a check by POST, or a refusal because too many tasks
/// run.
fn early(shared: &Shared, request: &Request) -> Option<Reply> {
    let head = request.head();
    if !request.body.is_empty() {
        match shared.ask(&head, |site| site.check_path_with_body(&head, &request.body)) {
            Ok(None) => {}
            Ok(Some(reply)) => {
                shared.stats.fast.up();
                return Some(reply);
            }
            Err(fault) => return Some(*fault),
        }
    }
    let busy = shared.handlers.load(Relaxed) >= shared.limits.handler_limit;
    busy.then(|| shared.busy(&head))
}

/// Counts a handler for as long as it runs.
struct Handler(Arc<Shared>);

impl Handler {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.handlers.fetch_add(1, Relaxed);
        Self(Arc::clone(shared))
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.0.handlers.fetch_sub(1, Relaxed);
    }
}

async fn handle(flight: Flight, request: Request, hold: Hold) -> Reply {
    let shared = Arc::clone(&flight.shared);
    let _counted = Handler::new(&shared);
    let _held = hold;
    // The handler takes the request; a reply to a failure needs these parts of it.
    let kept = Request {
        method: request.method.clone(),
        uri: request.uri.clone(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        ..request
    };
    let site = Arc::clone(&shared.site);
    let work = AssertUnwindSafe(async move { site.handle(request).await }).catch_unwind();
    let outcome = shared.cut.run_until_cancelled(timeout_at(flight.deadline, work)).await;
    let reply = match outcome {
        Some(Ok(Ok(reply))) => reply,
        Some(Ok(Err(_))) => shared.fault(&kept.head()),
        Some(Err(_)) | None => shared.late(&kept.head(), Late::Answer),
    };
    access_log::write(&line(&kept.head(), &reply, flight.started));
    reply
}

fn done(flight: &Flight, request: &Request, reply: Reply, bodiless: bool) -> Response<Pieces> {
    access_log::write(&line(&request.head(), &reply, flight.started));
    respond(reply, bodiless)
}

/// Turns a reply into hyper's form. HTTP/2 would send a body even to `HEAD`, so
/// it is taken off here, and its length kept.
fn respond(reply: Reply, bodiless: bool) -> Response<Pieces> {
    let Reply { status, mut headers, mut body } = reply;
    if bodiless {
        let length = HeaderValue::from(body.len());
        headers.entry(CONTENT_LENGTH).or_insert(length);
        body = Bytes::new();
    }
    let mut response = Response::new(Pieces::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
