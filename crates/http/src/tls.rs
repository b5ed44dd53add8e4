//! TLS through rustls with aws-lc-rs, and a certificate that can be replaced
//! while the server runs. Nothing here opens a file: the PEM texts are handed
//! in by a source that can be asked again. A pair that can't be used must never
//! replace one that works.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

/// A certificate chain and its key, as PEM, with the names that errors call
/// them by (their file names).
#[derive(Clone)]
pub struct Pem {
    /// The chain, the server's own certificate first.
    pub certificate: Vec<u8>,
    /// What the chain came from.
    pub certificate_name: String,
    /// The private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: Vec<u8>,
    /// What the key came from.
    pub key_name: String,
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem")
            .field("certificate_name", &self.certificate_name)
            .field("key_name", &self.key_name)
            .finish_non_exhaustive()
    }
}

/// Why a certificate can't be used. It never holds any of the key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsError {
    /// The source couldn't read the texts.
    #[error("the TLS certificate or key can't be read: {0}")]
    Read(String),
    /// The chain's text holds no certificate, or a broken one.
    #[error(
        "{0} holds no readable PEM certificate: it needs at least one BEGIN CERTIFICATE block, the server's own first"
    )]
    Certificate(String),
    /// The key's text holds no private key, or a broken one.
    #[error("{0} holds no readable PEM private key: it needs one BEGIN PRIVATE KEY block, not encrypted")]
    Key(String),
    /// Certificate and key don't belong together, or are of a kind that is not supported.
    #[error("{certificate} and {key} can't be used together: {reason}")]
    Pair {
        /// What the chain came from.
        certificate: String,
        /// What the key came from.
        key: String,
        /// The TLS library's error.
        reason: String,
    },
    /// The TLS library could not be set up.
    #[error("TLS can't be set up: {0}")]
    Setup(String),
}

/// Reads the PEM texts; called once at start and again at each reload.
pub type PemSource = Box<dyn Fn() -> std::io::Result<Pem> + Send + Sync>;

/// Holds the certificate that new connections are served with.
pub struct TlsReloader {
    source: PemSource,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl TlsReloader {
    /// Reads the pair for the first time.
    pub fn new(source: PemSource) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pair = read_pair(&source, &provider)?;
        Ok(Arc::new(Self { source, provider, current: RwLock::new(Arc::new(pair)) }))
    }

    /// Reads the pair again. New connections get the new one; open ones keep
    /// theirs. If it fails, nothing has changed.
    pub fn reload(&self) -> Result<(), TlsError> {
        let pair = Arc::new(read_pair(&self.source, &self.provider)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = pair;
        Ok(())
    }

    /// The configuration of a listener: TLS 1.2 and 1.3, HTTP/2 or HTTP/1.1.
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, TlsError> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for TlsReloader {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for TlsReloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsReloader").finish_non_exhaustive()
    }
}

fn read_pair(source: &PemSource, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let pem = source().map_err(|error| TlsError::Read(error.to_string()))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem.certificate)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::Certificate(pem.certificate_name.clone()))?;
    if chain.is_empty() {
        return Err(TlsError::Certificate(pem.certificate_name));
    }
    let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|_| TlsError::Key(pem.key_name.clone()))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| TlsError::Pair {
        certificate: pem.certificate_name,
        key: pem.key_name,
        reason: error.to_string(),
    })
}
