//! The yardstick: hyper, hyper-util and tokio alone, with the server's runtime, allocator and
//! profile, and a constant answer of the size of the check path's yes.
//!
//! It must do no more than any server has to, or the comparison flatters Valetkey. It must send as many
//! header bytes as the check path, or the comparison favours the bare server.

use std::future::{Future, Ready, ready};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;

use bytes::Bytes;
use futures_util::future::Either;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

const BODY: &[u8] = b"{\"allowed\":true}";
/// As many digits as an id has.
const ID: HeaderValue = HeaderValue::from_static("125829120000049152");
const ID_HEADERS: [&str; 4] = ["valetkey-user", "valetkey-business", "valetkey-token", "valetkey-app"];
/// What hyper writes around a body of JSON, without the digits of its length.
const HEAD_BYTES: usize =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: \r\ndate: Tue, 24 Nov 2026 16:00:00 GMT\r\n\r\n"
        .len();

type Boxed = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, hyper::Error>> + Send>>;

/// What the bare server answers.
#[derive(Debug, Clone)]
enum Bare {
    /// The check path's yes.
    AsCheck,
    /// A body of this content, once the request's own is read.
    Body(Bytes),
}

impl hyper::service::Service<Request<Incoming>> for Bare {
    type Response = Response<Full<Bytes>>;
    type Error = hyper::Error;
    // A box would add a cost to the yardstick of the check path that the product does not have.
    type Future = Either<Ready<Result<Self::Response, hyper::Error>>, Boxed>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        match self {
            Bare::AsCheck => Either::Left(ready(Ok(as_check(request.method())))),
            Bare::Body(body) => {
                let body = body.clone();
                Either::Right(Box::pin(async move {
                    if *request.method() != Method::GET {
                        request.into_body().collect().await?;
                    }
                    let mut response = Response::new(Full::new(body));
                    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                    Ok(response)
                }))
            }
        }
    }
}

fn as_check(method: &Method) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(BODY)));
    if *method != Method::GET {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    }
    let headers = response.headers_mut();
    headers.reserve(7);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for name in ID_HEADERS {
        headers.insert(HeaderName::from_static(name), ID);
    }
    headers.insert(HeaderName::from_static("valetkey-token-type"), HeaderValue::from_static("SYSTEM_USER"));
    response
}

/// A body that makes the whole answer this long.
fn body_of(answer_bytes: usize) -> Bytes {
    let fits = |body: &usize| HEAD_BYTES + body.to_string().len() + body == answer_bytes;
    let length = (0..answer_bytes).rev().find(fits).unwrap_or_default();
    Bytes::from(vec![b'x'; length])
}

/// Serves on a free port of loopback until the process is ended; says where first.
pub fn serve(answer_bytes: Option<usize>) -> anyhow::Result<()> {
    let bare = answer_bytes.map_or(Bare::AsCheck, |bytes| Bare::Body(body_of(bytes)));
    // Built like the product's runtime.
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        println!("{}", json!({ "address": listener.local_addr()?, "pid": std::process::id() }));
        // Spawned, so that connections are taken on a worker thread there as here.
        tokio::spawn(accept(listener, bare)).await?
    })
}

async fn accept(listener: TcpListener, bare: Bare) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let bare = bare.clone();
        tokio::spawn(async move {
            // A caller may close its connection at any time.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), bare).await;
        });
    }
}
