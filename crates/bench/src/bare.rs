//! The yardstick: hyper, hyper-util and tokio alone, with the server's runtime, allocator and
//! profile, and a constant answer of the size of the check path's yes.
//!
//! It must never do more than a server has to, or the comparison flatters; and it must send as many
//! header bytes as the check path does, or the comparison is unfair to it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

const BODY: &[u8] = b"{\"allowed\":true}";
/// As many digits as an id has.
const ID: HeaderValue = HeaderValue::from_static("125829120000049152");
const ID_HEADERS: [&str; 4] = ["valetkey-user", "valetkey-business", "valetkey-token", "valetkey-app"];

#[derive(Debug, Clone, Copy)]
struct Bare;

impl hyper::service::Service<Request<Incoming>> for Bare {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut response = Response::new(Full::new(Bytes::from_static(BODY)));
        if *request.method() != Method::GET {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        }
        let headers = response.headers_mut();
        headers.reserve(6);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for name in ID_HEADERS {
            headers.insert(HeaderName::from_static(name), ID);
        }
        ready(Ok(response))
    }
}

/// Serves on a free port of loopback until the process is ended; says where first.
pub fn serve() -> anyhow::Result<()> {
    // As the server builds its own.
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        println!("{}", json!({ "address": listener.local_addr()?, "pid": std::process::id() }));
        // Spawned, so that connections are taken on a worker thread there as here.
        tokio::spawn(accept(listener)).await?
    })
}

async fn accept(listener: TcpListener) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // A caller that goes away is no event.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), Bare).await;
        });
    }
}
