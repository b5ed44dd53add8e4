//! TLS and its reload.

use std::io;
use std::sync::{Arc, Mutex};

use super::fixture::{Caller, Fixture, config, get};
use super::http2;
use bytes::Bytes;
use http::Method;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use valetkey_http::{Limits, Pem, TlsError, TlsReloader};

/// A fresh certificate, and its PEM texts.
fn made() -> (CertificateDer<'static>, Pem) {
    let made = rcgen::generate_simple_self_signed(vec!["valetkey.test".to_owned()]).unwrap();
    let pem = Pem {
        certificate: made.cert.pem().into_bytes(),
        certificate_name: "cert.pem".to_owned(),
        key: made.signing_key.serialize_pem().into_bytes(),
        key_name: "key.pem".to_owned(),
    };
    (made.cert.der().clone(), pem)
}

/// What the operator's files hold; may be replaced.
type Files = Arc<Mutex<io::Result<Pem>>>;

fn reloader(files: &Files) -> Result<Arc<TlsReloader>, TlsError> {
    let files = Arc::clone(files);
    TlsReloader::new(Box::new(move || match &*files.lock().unwrap() {
        Ok(pem) => Ok(pem.clone()),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }))
}

async fn connect(fixture: &Fixture, root: &CertificateDer<'static>, alpn: &[&str]) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(fixture.address).await.unwrap();
    let name = ServerName::try_from("valetkey.test").unwrap();
    TlsConnector::from(Arc::new(client)).connect(name, stream).await
}

#[tokio::test]
async fn tls_speaks_both_versions_and_takes_a_new_certificate_while_running() {
    let (first, pem) = made();
    let files: Files = Arc::new(Mutex::new(Ok(pem)));
    let reloader = reloader(&files).unwrap();
    let mut config = config();
    config.tls = Some(Arc::clone(&reloader));
    let fixture = Fixture::open(config);

    let stream = connect(&fixture, &first, &["http/1.1"]).await.unwrap();
    let mut standing = Caller::new(stream);
    let body = standing.ask(&get("/other")).await.body;
    assert_eq!(body, "GET /other 0 bytes from 127.0.0.1 tls true");

    let stream = connect(&fixture, &first, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let sender = http2::talk(stream).await;
    let (_, _, body) = http2::ask(&sender, Method::GET, "/other", Bytes::new()).await;
    assert_eq!(body, "GET /other 0 bytes from 127.0.0.1 tls true");

    // A mismatched pair changes nothing.
    let (second, pem) = made();
    let mismatched = Pem { key: made().1.key, ..pem.clone() };
    *files.lock().unwrap() = Ok(mismatched);
    let error = reloader.reload().unwrap_err().to_string();
    assert!(error.starts_with("cert.pem and key.pem can't be used together"), "{error}");
    assert!(connect(&fixture, &first, &[]).await.is_ok());
    assert!(connect(&fixture, &second, &[]).await.is_err());

    *files.lock().unwrap() = Ok(pem);
    reloader.reload().unwrap();
    assert!(connect(&fixture, &first, &[]).await.is_err());
    let stream = connect(&fixture, &second, &[]).await.unwrap();
    assert_eq!(Caller::new(stream).ask(&get("/fast")).await.status, 200);
    assert_eq!(standing.ask(&get("/fast")).await.status, 200, "the old connection goes on");
}

#[tokio::test]
async fn pem_texts_that_cant_be_used_are_named() {
    let (_, good) = made();
    let message = |pem: io::Result<Pem>| reloader(&Arc::new(Mutex::new(pem))).unwrap_err().to_string();
    let gone = message(Err(io::Error::new(io::ErrorKind::NotFound, "cert.pem: no such file")));
    assert_eq!(gone, "the TLS certificate or key can't be read: cert.pem: no such file");
    let empty = Pem { certificate: vec![], ..good.clone() };
    assert!(message(Ok(empty)).starts_with("cert.pem holds no readable PEM certificate"));
    let swapped = Pem { certificate: good.key.clone(), ..good.clone() };
    assert!(message(Ok(swapped)).starts_with("cert.pem holds no readable PEM certificate"));
    let keyless = Pem { key: good.certificate.clone(), ..good.clone() };
    assert!(message(Ok(keyless)).starts_with("key.pem holds no readable PEM private key"));
    assert!(!format!("{good:?}").contains("PRIVATE"));
}

#[tokio::test]
async fn handshakes_that_fail_or_stall_are_ended_and_counted() {
    let files: Files = Arc::new(Mutex::new(Ok(made().1)));
    let mut config = config();
    config.tls = Some(reloader(&files).unwrap());
    config.limits = Limits { tls_handshake_timeout_ms: 60, ..Limits::default() };
    let fixture = Fixture::open(config);
    assert_eq!(fixture.caller().await.closed().await, "");
    let mut plain = fixture.caller().await;
    plain.send(get("/fast")).await;
    // An alert may come before the end; it is not HTTP.
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut plain.stream, &mut rest).await;
    assert!(!rest.starts_with(b"HTTP"));
    super::fixture::soon(async {
        while fixture.stats().tls_failures_total < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(fixture.stats().requests_total, 0);
}

#[tokio::test]
async fn tls_may_listen_anywhere() {
    let files: Files = Arc::new(Mutex::new(Ok(made().1)));
    let mut config = config();
    config.address = "0.0.0.0:0".parse().unwrap();
    config.tls = Some(reloader(&files).unwrap());
    assert!(valetkey_http::Listener::bind(config, Arc::new(super::fixture::Probe(super::open::marks()))).is_ok());
}
