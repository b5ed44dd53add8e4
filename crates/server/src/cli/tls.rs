//! TLS to a server: its certificate must chain to one that the system or the user trusts. There
//! must never be an option to skip that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::fail::Fail;

/// Where systems keep the certificates that they trust.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// The variable with which users name another file.
const VARIABLE: &str = "SSL_CERT_FILE";

/// Speaks TLS over a connection.
pub async fn connect(stream: TcpStream, host: &str, ca: Option<&Path>) -> Result<TlsStream<TcpStream>, Fail> {
    let config = config(ca)?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Fail::new(format!("{host} is no name that a certificate can have")))?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| {
        Fail::new(format!("{host} could not show that it is {host}: {error}"))
            .hint("if its certificate is your own, name its root certificate with --ca FILE")
    })
}

fn config(ca: Option<&Path>) -> Result<ClientConfig, Fail> {
    let file = bundle(ca)?;
    let shown = file.display();
    let unreadable =
        |error: &dyn std::fmt::Display| Fail::new(format!("the certificates in {shown} can't be read: {error}"));
    let bytes = std::fs::read(&file).map_err(|e| unreadable(&e))?;
    let mut roots = RootCertStore::empty();
    let found: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(|e| unreadable(&e))?;
    // Single certificates that rustls can't read are skipped.
    roots.add_parsable_certificates(found);
    if roots.is_empty() {
        return Err(unreadable(&"there is none in it"));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Fail::new(format!("TLS can't be set up: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn bundle(ca: Option<&Path>) -> Result<PathBuf, Fail> {
    let named =
        ca.map(Path::to_owned).or_else(|| std::env::var_os(VARIABLE).filter(|v| !v.is_empty()).map(PathBuf::from));
    let found = named.or_else(|| BUNDLES.iter().map(PathBuf::from).find(|path| path.exists()));
    found.ok_or_else(|| {
        Fail::new("this system has no list of certificates that it trusts")
            .hint("install it (on Debian the package ca-certificates), or name a file with --ca")
    })
}

#[cfg(test)]
mod tests {
    use rustls::ServerConfig;
    use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::lifecycle::folder::tests::scratch;

    /// A server that sends one word to clients that trust it, and its address.
    async fn server(certificate: &rcgen::CertifiedKey<rcgen::KeyPair>) -> std::net::SocketAddr {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certificate.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.cert.der().clone()], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.write_all(b"hello").await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn only_a_server_that_can_show_who_it_is_is_spoken_to() {
        let folder = scratch();
        let made = |name: &str| {
            let certificate = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
            let file = folder.path().join(format!("{name}.pem"));
            std::fs::write(&file, certificate.cert.pem()).unwrap();
            (certificate, file)
        };
        let (own, own_file) = made("localhost");
        let (_, other_file) = made("other.example");
        let address = server(&own).await;
        let speak = async |host: &str, ca: &Path| {
            let mut stream = connect(TcpStream::connect(address).await.unwrap(), host, Some(ca)).await?;
            let mut said = String::new();
            stream.read_to_string(&mut said).await.unwrap();
            Ok::<String, Fail>(said)
        };
        assert_eq!(speak("localhost", &own_file).await.unwrap(), "hello");
        let stranger = speak("localhost", &other_file).await.unwrap_err();
        assert!(stranger.message().contains("could not show that it is localhost"), "{stranger:?}");
        assert!(speak("other.example", &own_file).await.is_err(), "the name counts too");
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "").unwrap();
        assert!(speak("localhost", &empty).await.unwrap_err().message().contains("there is none in it"));
        assert!(speak("localhost", &folder.path().join("none")).await.is_err());
    }
}
