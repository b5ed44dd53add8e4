//! Who the server is, and who it is not.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, generate_simple_self_signed};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use valetkey_store::{Store as _, StoreError};
use valetkey_store_postgres::{PostgresStore, Settings};
use valetkey_testkit::postgres::{Options, Server};

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn authority() -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    Authority { pem, issuer: Issuer::new(params, key) }
}

async fn connect(dsn: &str, roots: &str) -> Result<PostgresStore, StoreError> {
    let store = PostgresStore::connect_with(Settings::new(dsn, roots.as_bytes())?).await?;
    store.migrate().await.map(|()| store)
}

fn failure(answer: Result<PostgresStore, StoreError>) -> String {
    match answer {
        Ok(_) => panic!("connected to whom it should not trust"),
        Err(e) => e.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_proves_itself_by_certificate_and_name() {
    let trusted = authority();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &trusted.issuer).unwrap();
    let options = Options { tls: Some((certificate.pem(), key.serialize_pem())), ..Options::default() };
    let server = Server::start(options).unwrap();
    let database = server.create_database().unwrap();
    let dsn = server.dsn(&database);

    let store = connect(&dsn, &trusted.pem).await.unwrap();
    let encrypted =
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'valetkey'";
    assert_eq!(store.head().await.unwrap().revision, 0);
    assert_eq!(server.sql("postgres", encrypted).unwrap(), "t");
    connect(&format!("{dsn}?sslmode=verify-full"), &trusted.pem).await.unwrap();

    let stranger = failure(connect(&dsn, &authority().pem).await);
    assert!(stranger.contains("certificate"), "{stranger}");
    let misnamed = failure(connect(&dsn.replace("@127.0.0.1", "@localhost"), &trusted.pem).await);
    assert!(misnamed.contains("certificate"), "{misnamed}");

    // Without a root, the password proves both sides to each other, bound to this TLS session.
    connect(&format!("{dsn}?sslmode=require"), "").await.unwrap();
    let between = between(server.port()).await;
    let dsn = dsn.replace(&format!(":{}/", server.port()), &format!(":{between}/"));
    let caught = failure(connect(&format!("{dsn}?sslmode=require"), "").await);
    assert!(caught.contains("channel binding"), "{caught}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_signed_certificate_is_trusted_when_it_was_handed_in() {
    let own = generate_simple_self_signed(vec!["db.internal".to_owned()]).unwrap();
    let other = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let options = Options { tls: Some((own.cert.pem(), own.signing_key.serialize_pem())), ..Options::default() };
    let server = Server::start(options).unwrap();
    let database = server.create_database().unwrap();
    connect(&server.dsn(&database), &own.cert.pem()).await.unwrap();
    let stranger = failure(connect(&server.dsn(&database), &other.cert.pem()).await);
    assert!(stranger.contains("certificate"), "{stranger}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_refused_when_tls_is_asked_for() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let dsn = server.dsn(&database);
    let refused = failure(connect(&format!("{dsn}?sslmode=require"), "").await);
    assert!(refused.contains("does not support TLS"), "{refused}");
    let refused = failure(connect(&dsn, &authority().pem).await);
    assert!(refused.contains("does not support TLS"), "{refused}");
    connect(&format!("{dsn}?sslmode=prefer"), "").await.unwrap();
    connect(&format!("{dsn}?sslmode=disable"), "").await.unwrap();
    let contradiction = failure(connect(&format!("{dsn}?sslmode=disable"), &authority().pem).await);
    assert!(contradiction.contains("contradicts"), "{contradiction}");
}

/// A man in the middle: it speaks TLS with its own certificate, and passes everything on.
async fn between(target: u16) -> u16 {
    let own = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                client.read_exact(&mut [0; 8]).await.unwrap();
                client.write_all(b"S").await.unwrap();
                let mut client = acceptor.accept(client).await.unwrap();
                let mut server = TcpStream::connect(("127.0.0.1", target)).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}
