//! A site that shows what reached it, a listener around it, and a client that
//! writes bytes as they are.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use valetkey_http::{
    CancellationToken, Drained, Failure, Head, Late, ListenConfig, Listener, Reply, Request, SeededIds, Site, Stats,
    StatsSnapshot,
};

/// Bounds what a broken listener may cost a test run.
pub async fn soon<F: Future>(work: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), work).await.expect("it should be done by now")
}

/// Signals between the handlers and the test.
pub struct Marks {
    pub entered: Semaphore,
    pub gate: Semaphore,
    pub left: Semaphore,
}

pub struct Probe(pub Arc<Marks>);

fn reply(status: u16, text: String) -> Reply {
    Reply::text(StatusCode::from_u16(status).unwrap(), text)
}

impl Site for Probe {
    fn check_path(&self, head: &Head<'_>) -> Option<Reply> {
        match head.path() {
            "/fast" => Some(reply(200, format!("fast {} {}", head.client_ip(), head.query()))),
            "/fast-id" => {
                assert_eq!(head.request_id(), head.request_id());
                Some(reply(200, head.request_id().to_string()))
            }
            "/fast-panic" => panic!("on purpose"),
            _ => None,
        }
    }

    fn check_path_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply> {
        match head.path() {
            "/check" => Some(reply(200, format!("checked {}", body.len()))),
            "/check-panic" => panic!("on purpose"),
            _ => None,
        }
    }

    fn handle(&self, request: Request) -> BoxFuture<'static, Reply> {
        let marks = Arc::clone(&self.0);
        if request.path() == "/panic-at-once" {
            panic!("on purpose");
        }
        async move {
            match request.path() {
                "/panic" => {
                    tokio::task::yield_now().await;
                    panic!("on purpose")
                }
                "/gate" => {
                    marks.entered.add_permits(1);
                    marks.gate.acquire().await.unwrap().forget();
                    marks.left.add_permits(1);
                    reply(200, "through".to_owned())
                }
                "/forever" => {
                    marks.entered.add_permits(1);
                    std::future::pending().await
                }
                "/large" => reply(200, "x".repeat(10_000_000)),
                path => reply(
                    200,
                    format!(
                        "{} {} {} bytes from {} tls {}",
                        request.method,
                        path,
                        request.body.len(),
                        request.client_ip,
                        request.tls,
                    ),
                ),
            }
        }
        .boxed()
    }

    fn takes_uploads(&self, head: &Head<'_>) -> bool {
        head.path() == "/echo"
    }

    fn failed(&self, head: &Head<'_>, failure: Failure) -> Reply {
        match failure {
            Failure::TooLarge { limit_bytes } => {
                let json = format!("{{\"too_large\":{limit_bytes},\"at\":\"{}\"}}", head.path());
                Reply::json(StatusCode::PAYLOAD_TOO_LARGE, json)
            }
            Failure::BadRequest(reason) => reply(400, format!("site says: {reason}")),
            Failure::Late(late) => {
                reply(if late == Late::Body { 408 } else { 503 }, format!("late {late:?} {}", head.path()))
            }
            Failure::Busy => reply(503, "busy".to_owned()),
            Failure::Fault => {
                assert_ne!(head.query(), "fault=panics", "on purpose");
                reply(500, format!("fault {} {}", head.path(), head.request_id().as_str().len()))
            }
        }
    }
}

pub fn config() -> ListenConfig {
    ListenConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::new(SeededIds::new([7; 32])))
}

/// A listener at work.
pub struct Fixture {
    pub address: SocketAddr,
    pub marks: Arc<Marks>,
    pub shutdown: CancellationToken,
    pub served: JoinHandle<Drained>,
    stats: Arc<Stats>,
}

impl Fixture {
    pub fn open(config: ListenConfig) -> Self {
        let closed = || Semaphore::new(0);
        let marks = Arc::new(Marks { entered: closed(), gate: closed(), left: closed() });
        let listener = Listener::bind(config, Arc::new(Probe(Arc::clone(&marks)))).unwrap();
        Self::around(listener, marks)
    }

    pub fn around(listener: Listener, marks: Arc<Marks>) -> Self {
        let shutdown = CancellationToken::new();
        Self {
            address: listener.local_addr(),
            marks,
            stats: listener.stats(),
            served: tokio::spawn(listener.serve(shutdown.clone())),
            shutdown,
        }
    }

    pub fn stats(&self) -> StatsSnapshot {
        self.stats.snapshot()
    }

    pub async fn caller(&self) -> Caller<TcpStream> {
        Caller::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// One request on a connection of its own.
    pub async fn ask(&self, request: &str) -> Got {
        self.caller().await.ask(request).await
    }
}

/// A reply as it came over the wire.
#[derive(Debug, PartialEq, Eq)]
pub struct Got {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// A client that keeps what it read beyond one reply.
pub struct Caller<T> {
    pub stream: T,
    kept: Vec<u8>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Caller<T> {
    pub fn new(stream: T) -> Self {
        Self { stream, kept: Vec::new() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    pub async fn ask(&mut self, request: &str) -> Got {
        self.send(request).await;
        self.reply().await
    }

    pub async fn reply(&mut self) -> Got {
        self.reply_to(false).await
    }

    /// Reads one reply; those to `HEAD` have no body whatever their length.
    pub async fn reply_to(&mut self, bodiless: bool) -> Got {
        let end = loop {
            if let Some(at) = self.kept.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.more().await, "closed before a reply: {:?}", String::from_utf8_lossy(&self.kept));
        };
        let head = String::from_utf8(self.kept.drain(..end).collect()).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let length = if bodiless { 0 } else { length };
        while self.kept.len() < length {
            assert!(self.more().await, "closed within a body");
        }
        let body = String::from_utf8(self.kept.drain(..length).collect()).unwrap();
        Got { status, head, body }
    }

    async fn more(&mut self) -> bool {
        let mut piece = vec![0; 64 * 1024];
        match soon(self.stream.read(&mut piece)).await {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.kept.extend_from_slice(&piece[..count]);
                true
            }
        }
    }

    /// Waits for the other end to close; what came before it.
    pub async fn closed(&mut self) -> String {
        while self.more().await {}
        String::from_utf8(std::mem::take(&mut self.kept)).unwrap()
    }
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

pub fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
