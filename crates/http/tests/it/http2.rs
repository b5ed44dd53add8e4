//! HTTP/2, with prior knowledge and over TLS.

use std::net::SocketAddr;

use super::fixture::{Fixture, config, soon};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// An HTTP/2 client with prior knowledge.
pub async fn talk<T>(stream: T) -> SendRequest<Full<Bytes>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = soon(made).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub async fn ask(
    sender: &SendRequest<Full<Bytes>>,
    method: Method,
    path: &str,
    body: Bytes,
) -> (StatusCode, http::HeaderMap, String) {
    let request =
        Request::builder().method(method).uri(format!("http://valetkey.test{path}")).body(Full::new(body)).unwrap();
    let response = soon(sender.clone().send_request(request)).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = soon(body.collect()).await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

async fn prior_knowledge(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    talk(TcpStream::connect(address).await.unwrap()).await
}

#[tokio::test]
async fn plain_http2_is_spoken_with_prior_knowledge() {
    let fixture = Fixture::open(config());
    let sender = prior_knowledge(fixture.address).await;
    let (status, _, body) = ask(&sender, Method::GET, "/fast?a=1", Bytes::new()).await;
    assert_eq!((status.as_u16(), body.as_str()), (200, "fast 127.0.0.1 a=1"));
    let (_, _, body) = ask(&sender, Method::POST, "/echo", Bytes::from_static(b"abc")).await;
    assert_eq!(body, "POST /echo 3 bytes from 127.0.0.1 tls false");
    let (status, headers, body) = ask(&sender, Method::HEAD, "/other", Bytes::new()).await;
    assert_eq!((status.as_u16(), body.as_str()), (200, ""));
    assert_eq!(headers["content-length"], "44");
    assert_eq!(fixture.stats().connections_total, 1);
}

#[tokio::test]
async fn streams_dont_wait_for_each_other_and_a_panic_costs_one() {
    let fixture = Fixture::open(config());
    let sender = prior_knowledge(fixture.address).await;
    let gated = tokio::spawn({
        let sender = sender.clone();
        async move { ask(&sender, Method::GET, "/gate", Bytes::new()).await }
    });
    fixture.marks.entered.acquire().await.unwrap().forget();
    let (status, _, _) = ask(&sender, Method::GET, "/panic", Bytes::new()).await;
    assert_eq!(status.as_u16(), 500);
    let (status, _, _) = ask(&sender, Method::GET, "/fast-panic", Bytes::new()).await;
    assert_eq!(status.as_u16(), 500);
    let (status, _, _) = ask(&sender, Method::GET, "/other", Bytes::new()).await;
    assert_eq!(status.as_u16(), 200);
    fixture.marks.gate.add_permits(1);
    assert_eq!(soon(gated).await.unwrap().2, "through");
    assert_eq!(fixture.stats().connections_total, 1);
}

#[tokio::test]
async fn ten_megabytes_are_refused_on_http2_too() {
    let fixture = Fixture::open(config());
    let sender = prior_knowledge(fixture.address).await;
    let large = Bytes::from(vec![b'x'; 10_000_000]);
    let (status, _, body) = ask(&sender, Method::POST, "/echo", large).await;
    assert_eq!(status.as_u16(), 413);
    assert_eq!(body, "{\"too_large\":1048576,\"at\":\"/echo\"}");
    let (status, _, _) = ask(&sender, Method::GET, "/fast", Bytes::new()).await;
    assert_eq!(status.as_u16(), 200);
}

#[tokio::test]
async fn draining_lets_streams_finish() {
    let fixture = Fixture::open(config());
    let sender = prior_knowledge(fixture.address).await;
    let gated = tokio::spawn(async move { ask(&sender, Method::GET, "/gate", Bytes::new()).await });
    fixture.marks.entered.acquire().await.unwrap().forget();
    fixture.shutdown.cancel();
    fixture.marks.gate.add_permits(1);
    assert_eq!(soon(gated).await.unwrap().2, "through");
    assert_eq!(soon(fixture.served).await.unwrap().cut_count, 0);
}
