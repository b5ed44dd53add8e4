//! Binds an address, accepts connections within the limits, and stops without losing a running
//! request. It must never speak plain HTTP on an address other than loopback, unless the
//! configuration says that a proxy is in front.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::Poll;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::body::Memory;
use crate::client_address::TrustedProxies;
use crate::connection::{Order, Registry, Ticket, Watched};
use crate::exchange::{Conversation, Shared};
use crate::limits::{LimitError, Limits};
use crate::request_id::IdSource;
use crate::site::Site;
use crate::stats::Stats;
use crate::tls::{TlsError, TlsReloader};

/// Connections that the kernel may queue before they are accepted.
const BACKLOG: u32 = 1_024;
/// How long to wait if there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often a further idle connection is closed while a caller waits.
const SHED_PAUSE: Duration = Duration::from_millis(250);
/// How long the drain waits for connections after they were cut.
const CUT_PAUSE: Duration = Duration::from_secs(1);

/// The configuration of a listener.
pub struct ListenConfig {
    /// Where to listen; port 0 means any free port.
    pub address: SocketAddr,
    /// The certificate; without one it is plain HTTP.
    pub tls: Option<Arc<TlsReloader>>,
    /// A proxy in front terminates TLS, so plain HTTP is allowed on any address.
    pub behind_proxy: bool,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: TrustedProxies,
    /// All limits.
    pub limits: Limits,
    /// Where request ids come from.
    pub ids: Arc<dyn IdSource>,
    /// Where to count; may be shared between listeners.
    pub stats: Arc<Stats>,
}

impl ListenConfig {
    /// Plain HTTP with the default limits.
    pub fn new(address: SocketAddr, ids: Arc<dyn IdSource>) -> Self {
        Self {
            address,
            tls: None,
            behind_proxy: false,
            trusted_proxies: TrustedProxies::none(),
            limits: Limits::default(),
            ids,
            stats: Arc::new(Stats::default()),
        }
    }
}

impl fmt::Debug for ListenConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenConfig")
            .field("address", &self.address)
            .field("tls", &self.tls.is_some())
            .field("behind_proxy", &self.behind_proxy)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Why a listener can't be made.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Another program listens there.
    #[error(
        "{address} is in use by another program: stop it, or choose another port with --port (0 takes any that is free)"
    )]
    InUse {
        /// Where.
        address: SocketAddr,
    },
    /// The machine has no such address.
    #[error("{address} is not an address of this machine: listen on 127.0.0.1, or on 0.0.0.0 for all of its addresses")]
    NotHere {
        /// Where.
        address: SocketAddr,
    },
    /// The system does not allow it.
    #[error(
        "listening on {address} is not allowed: ports below 1024 need rights of their own, so choose another with --port"
    )]
    Denied {
        /// Where.
        address: SocketAddr,
    },
    /// Tokens would cross the network in the clear.
    #[error(
        "plain HTTP on {address} would show every token to the network: give a TLS certificate and key, listen on 127.0.0.1, or say --behind-proxy if a proxy in front of it ends TLS"
    )]
    PlainOutside {
        /// Where.
        address: SocketAddr,
    },
    /// A limit can't work.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Any other error of the system.
    #[error("listening on {address} failed: {reason}")]
    Other {
        /// Where.
        address: SocketAddr,
        /// The system's error.
        reason: io::Error,
    },
}

impl ListenError {
    fn of(address: SocketAddr, error: io::Error) -> Self {
        let kind = error.kind();
        if kind == io::ErrorKind::AddrInUse {
            Self::InUse { address }
        } else if kind == io::ErrorKind::AddrNotAvailable {
            Self::NotHere { address }
        } else if kind == io::ErrorKind::PermissionDenied {
            Self::Denied { address }
        } else {
            Self::Other { address, reason: error }
        }
    }
}

/// How the drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections and handlers that had to be cut; 0 when all finished.
    pub cut_count: usize,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A bound address that isn't served yet; callers wait in the kernel's queue.
pub struct Listener {
    socket: Socket,
    local_addr: SocketAddr,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

impl Listener {
    /// Binds the address. Has to be called within a tokio runtime.
    pub fn bind(config: ListenConfig, site: Arc<dyn Site>) -> Result<Self, ListenError> {
        let address = config.address;
        config.limits.check()?;
        let outside = !address.ip().to_canonical().is_loopback();
        if outside && config.tls.is_none() && !config.behind_proxy {
            return Err(ListenError::PlainOutside { address });
        }
        let tls = match &config.tls {
            Some(reloader) => Some(TlsAcceptor::from(reloader.server_config()?)),
            None => None,
        };
        let socket = bind_tcp(address).map_err(|error| ListenError::of(address, error))?;
        let local_addr = socket.local_addr().map_err(|error| ListenError::of(address, error))?;
        let shared = share(config, site);
        Ok(Self { socket: Socket::Tcp(socket), local_addr, tls, shared })
    }

    /// Serves a Unix socket that the caller has bound, with the mode that it set. Its peers
    /// count as `127.0.0.1` port 0; address and TLS of the configuration are
    /// not used. Has to be called within a tokio runtime.
    pub fn over_unix(
        socket: std::os::unix::net::UnixListener,
        config: ListenConfig,
        site: Arc<dyn Site>,
    ) -> Result<Self, ListenError> {
        let local_addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        config.limits.check()?;
        let socket = socket
            .set_nonblocking(true)
            .and_then(|()| UnixListener::from_std(socket))
            .map_err(|error| ListenError::of(local_addr, error))?;
        let shared = share(config, site);
        Ok(Self { socket: Socket::Unix(socket), local_addr, tls: None, shared })
    }

    /// The address that was bound, with its real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The counters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.shared.stats)
    }

    /// Serves until `shutdown` fires. Then it accepts no more connections, lets running requests
    /// finish for up to `drain_s`, cuts the rest, and returns.
    pub async fn serve(self, shutdown: CancellationToken) -> Drained {
        let registry = Arc::new(Registry::default());
        let shared = Arc::clone(&self.shared);
        let swept = registry.keep_swept(&shared.limits, &shared.stats);
        let work = async {
            let tasks = self.shared.tasks.clone();
            let cut = self.shared.cut.clone();
            let drain = Duration::from_secs(self.shared.limits.drain_s);
            self.take_connections(&registry, &shutdown).await;
            registry.raise_all(Order::Finish);
            tasks.close();
            if tokio::time::timeout(drain, tasks.wait()).await.is_ok() {
                return Drained { cut_count: 0 };
            }
            let cut_count = tasks.len();
            cut.cancel();
            registry.raise_all(Order::Cut);
            // A task that doesn't yield can't be cut; it ends with the runtime.
            let _ = tokio::time::timeout(CUT_PAUSE, tasks.wait()).await;
            Drained { cut_count }
        };
        tokio::select! {
            drained = work => drained,
            () = swept => Drained { cut_count: 0 },
        }
    }

    /// Accepts connections until the stop; the socket closes on return.
    async fn take_connections(self, registry: &Arc<Registry>, shutdown: &CancellationToken) {
        let limit = self.shared.limits.connection_limit.min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(limit));
        let server = Arc::new(server(&self.shared.limits));
        let mut kernel_short = false;
        loop {
            // The connection is accepted first, so that an idle one is closed only if another
            // caller needs its place.
            let next = async {
                if kernel_short {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                let accepted = self.accept().await?;
                Ok((accepted, self.place(&places, registry).await))
            };
            let Some(next) = shutdown.run_until_cancelled(next).await else {
                return;
            };
            kernel_short = false;
            match next {
                Ok((_, None)) => return,
                Ok((accepted, Some(place))) => {
                    let connection = Connection {
                        shared: Arc::clone(&self.shared),
                        server: Arc::clone(&server),
                        registry: Arc::clone(registry),
                        shutdown: shutdown.clone(),
                        _place: place,
                        _open: Open::new(&self.shared.stats),
                    };
                    self.shared.tasks.spawn(connection.run(accepted, self.tls.clone()));
                }
                Err(error) if of_one_caller(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be taken; trying again");
                    kernel_short = true;
                }
            }
        }
    }

    /// A place for one more connection. While there is none, idle ones are
    /// closed, the longest idle first, so that idle callers can't keep others
    /// out.
    async fn place(&self, places: &Arc<Semaphore>, registry: &Registry) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(place) = Arc::clone(places).try_acquire_owned() {
                return Some(place);
            }
            if registry.shed() {
                self.shared.stats.connections_shed.up();
            }
            let waiting = Arc::clone(places).acquire_owned();
            if let Ok(place) = tokio::time::timeout(SHED_PAUSE, waiting).await {
                return place.ok();
            }
        }
    }

    async fn accept(&self) -> io::Result<Accepted> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // A reply is written whole, so waiting for more only delays it.
                stream.set_nodelay(true)?;
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                Ok(Accepted::Tcp(stream, peer))
            }
            Socket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Accepted::Unix(stream, self.local_addr))
            }
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait until the kernel has forgotten the old connections. On Unix
    // this option doesn't let two listeners share an address.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn share(config: ListenConfig, site: Arc<dyn Site>) -> Arc<Shared> {
    Arc::new(Shared {
        site,
        ids: config.ids,
        trusted: config.trusted_proxies,
        memory: Memory::new(config.limits.body_memory_limit_bytes),
        limits: config.limits,
        stats: config.stats,
        handlers: AtomicUsize::new(0),
        tasks: TaskTracker::new(),
        cut: CancellationToken::new(),
    })
}

/// Hyper, set up once. Its own timer for HTTP/1 headers stays off: the sweep
/// does that without an allocation per request.
fn server(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    let mut http1 = server.http1();
    http1.header_read_timeout(None).max_buf_size(limits.header_limit_bytes);
    // Setting the default itself would move header parsing onto the heap.
    if limits.header_count_limit > 100 {
        http1.max_headers(limits.header_count_limit);
    }
    let interval = Duration::from_millis(limits.h2_ping_interval_ms);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.h2_stream_limit)
        .max_pending_accept_reset_streams(limits.h2_reset_stream_limit)
        .max_local_error_reset_streams(limits.h2_error_stream_limit)
        .max_header_list_size(u32::try_from(limits.header_limit_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(interval)
        .keep_alive_timeout(interval);
    server
}

/// Whether a failed accept concerns only that caller.
fn of_one_caller(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotConnected
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Interrupted
    )
}

enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream, SocketAddr),
}

/// Counts an open connection.
struct Open(Arc<Stats>);

impl Open {
    fn new(stats: &Arc<Stats>) -> Self {
        stats.connections.up();
        stats.connections_open.up();
        Self(Arc::clone(stats))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections_open.down();
    }
}

/// One connection with everything that it holds until its end.
struct Connection {
    shared: Arc<Shared>,
    server: Arc<auto::Builder<TokioExecutor>>,
    registry: Arc<Registry>,
    shutdown: CancellationToken,
    _place: OwnedSemaphorePermit,
    _open: Open,
}

impl Connection {
    async fn run(self, accepted: Accepted, tls: Option<TlsAcceptor>) {
        match (accepted, tls) {
            (Accepted::Tcp(stream, peer), None) => self.converse(stream, peer, false).await,
            (Accepted::Unix(stream, peer), _) => self.converse(stream, peer, false).await,
            (Accepted::Tcp(stream, peer), Some(tls)) => {
                if let Some(stream) = self.handshake(tls, stream).await {
                    self.converse(stream, peer, true).await;
                }
            }
        }
    }

    async fn handshake(
        &self,
        tls: TlsAcceptor,
        stream: TcpStream,
    ) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
        let time = Duration::from_millis(self.shared.limits.tls_handshake_timeout_ms);
        let shaken = tokio::time::timeout(time, tls.accept(stream));
        match self.shutdown.run_until_cancelled(shaken).await? {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                self.shared.stats.tls_failures.up();
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
            Err(_) => {
                self.shared.stats.tls_failures.up();
                tracing::debug!("a TLS handshake took too long");
                None
            }
        }
    }

    async fn converse<T>(&self, stream: T, peer: SocketAddr, tls: bool)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let ticket: Ticket = self.registry.enter();
        let control = Arc::clone(&ticket.control);
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(&control)));
        let conversation = Conversation { shared: Arc::clone(&self.shared), control: Arc::clone(&control), peer, tls };
        let mut connection = pin!(self.server.serve_connection(stream, conversation));
        let mut finishing = false;
        std::future::poll_fn(|cx| {
            match control.listen(cx) {
                Order::Run => {}
                Order::Finish if finishing => {}
                Order::Finish => {
                    finishing = true;
                    connection.as_mut().graceful_shutdown();
                }
                Order::Cut => return Poll::Ready(()),
            }
            connection.as_mut().poll(cx).map(|ended| {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
            })
        })
        .await;
    }
}
