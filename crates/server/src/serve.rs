//! `valetkey serve`: runs a server, from its configuration to its orderly end.
//!
//! No request is accepted before the store, the keys and the adapters are ready. When the server
//! stops, running requests get time to finish.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio_util::sync::CancellationToken;
use valetkey_http::{ListenConfig, ListenError, Listener, Origin, Pem, SeededIds, Stats, TlsReloader};
use valetkey_service::{Call, Service};

use crate::adapters::{self, Parts};
use crate::cli::ServeArgs;
use crate::config::{Config, Flag, TlsFiles};
use crate::lifecycle::folder::DataFolder;
use crate::lifecycle::signals::{Came, Sighup, Signals};
use crate::lifecycle::socket::OperatorSocket;
use crate::lifecycle::{Background, FirstKey, Node, check_key};
use crate::site::{Frontend, Mounts};
use crate::{random, telemetry};

/// The trace, in the ledger, of changes that the configuration made.
const TRACE: &str = "configuration";

/// Runs a server until it is asked to stop.
///
/// # Errors
/// The reason why it could not start, or stopped by itself.
pub async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    if args.print_config {
        anstream::print!("{}", Config::template());
        return Ok(ExitCode::SUCCESS);
    }
    let config = configuration(&args)?;
    telemetry::start(&config.log);
    let folder = DataFolder::take(&config.data)?;
    let server = Server::open(&config, folder, FirstKey::MustBeThere, Sighup::Reloads).await?;
    let serves = format!(
        "valetkey {} serves {} with {} in {}, revision {}",
        env!("CARGO_PKG_VERSION"),
        server.base_url(),
        config.store.title(),
        config.data.display(),
        server.service().revision(),
    );
    if config.public_url.is_none() && !server.address().ip().is_loopback() {
        tracing::info!("public_url is not set: links in answers begin with the address that each caller used");
    }
    let running = server.start();
    tracing::info!("{serves}");
    running.ended().await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn configuration(args: &ServeArgs) -> anyhow::Result<Config> {
    let data = args.data.as_ref().map(|path| path.display().to_string());
    let flags = [
        Flag::of("data", "--data", data),
        Flag::of("store", "--store", args.store.as_ref()),
        Flag::of("listen", "--listen", args.listen),
        Flag::of("port", "--port", args.port),
        Flag::of("behind_proxy", "--behind-proxy", args.behind_proxy.then_some(true)),
        Flag::of("log.format", "--json-logs", args.json_logs.then_some("json")),
    ];
    Ok(Config::load(args.config.as_deref(), flags.into_iter().flatten())?)
}

/// A server with its bound address, store and adapters. It accepts no requests yet; callers wait.
#[derive(Debug)]
pub struct Server {
    node: Node,
    listener: Listener,
    operator: Listener,
    socket: OperatorSocket,
    tls: Option<Arc<TlsReloader>>,
    stopping: CancellationToken,
    base_url: String,
    address: SocketAddr,
    signals: Signals,
}

impl Server {
    /// Opens everything, in a folder that is already locked. A signal that comes meanwhile takes
    /// effect once the server runs.
    ///
    /// # Errors
    /// Of the store, the keys, the address, the certificate or the socket.
    pub async fn open(
        config: &Config,
        folder: DataFolder,
        first_key: FirstKey,
        on_sighup: Sighup,
    ) -> anyhow::Result<Server> {
        let signals = Signals::listen(on_sighup)?;
        check_address(config)?;
        check_key(config, &folder, first_key)?;
        let tls = config.tls.clone().map(reloader).transpose()?;
        // The address is bound before the store is opened, so that a start that can't succeed
        // touches no data and holds no lease.
        let front = Front::bind(config, tls)?;
        let node = Node::open(config, folder, first_key, Background::All).await?;
        match front.before(config, &node).await {
            Ok((front, operator, socket)) => Ok(front.with(node, signals, operator, socket)),
            Err(error) => {
                node.close().await;
                Err(error)
            }
        }
    }

    /// The URL under which callers find it.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The service behind it.
    pub fn service(&self) -> &Service {
        self.node.service()
    }

    /// Ends a server that was never started.
    pub async fn close(self) {
        let Server { node, listener, operator, socket, .. } = self;
        drop((listener, operator));
        node.close().await;
        drop(socket);
    }

    /// Starts to accept calls.
    pub fn start(self) -> Running {
        let Server { node, listener, operator, socket, tls, stopping, signals, .. } = self;
        let serving = tokio::spawn({
            let stop = stopping.clone();
            async move { tokio::join!(listener.serve(stop.clone()), operator.serve(stop)) }
        });
        Running { node, serving, socket, tls, stopping, signals }
    }
}

/// The public listener, and what it shares with the operator's. Connections wait in its queue until
/// the server starts.
struct Front {
    listener: Listener,
    mounts: Arc<Mounts>,
    tls: Option<Arc<TlsReloader>>,
    stats: Arc<Stats>,
    stopping: CancellationToken,
    base_url: String,
    address: SocketAddr,
}

impl Front {
    fn bind(config: &Config, tls: Option<Arc<TlsReloader>>) -> anyhow::Result<Front> {
        let (stats, stopping) = (Arc::new(Stats::default()), CancellationToken::new());
        let mounts = Mounts::new();
        let listen = listen_config(config, tls.clone(), &stats)?;
        let listener = Listener::bind(listen, Frontend::new(Arc::clone(&mounts), Origin::Network))?;
        let address = listener.local_addr();
        Ok(Front { listener, mounts, tls, stats, stopping, base_url: config.base_url(address), address })
    }

    /// Mounts the adapters of the service, and binds the operator's socket.
    async fn before(self, config: &Config, node: &Node) -> anyhow::Result<(Front, Listener, OperatorSocket)> {
        let (socket, unix) = OperatorSocket::bind(node.folder().path())?;
        let listen = listen_config(config, self.tls.clone(), &self.stats)?;
        let operator =
            Listener::over_unix(unix, listen, Frontend::new(Arc::clone(&self.mounts), Origin::OperatorSocket))?;
        declare_kinds(node.service(), config).await?;
        self.mounts.mount(adapters::all(Parts {
            service: node.service().clone(),
            public_url: config.public_url.clone(),
            browser_url: config.browser_url(self.address),
            params: config.limits.params.clone(),
            stats: Arc::clone(&self.stats),
            stopping: self.stopping.clone(),
        }))?;
        Ok((self, operator, socket))
    }

    fn with(self, node: Node, signals: Signals, operator: Listener, socket: OperatorSocket) -> Server {
        let Front { listener, tls, stopping, base_url, address, .. } = self;
        Server { node, listener, operator, socket, tls, stopping, base_url, address, signals }
    }
}

fn listen_config(config: &Config, tls: Option<Arc<TlsReloader>>, stats: &Arc<Stats>) -> anyhow::Result<ListenConfig> {
    Ok(ListenConfig {
        address: config.listen,
        tls,
        behind_proxy: config.behind_proxy,
        trusted_proxies: config.trusted_proxies.clone(),
        limits: config.limits.clone(),
        ids: Arc::new(SeededIds::new(random::bytes()?)),
        stats: Arc::clone(stats),
    })
}

type Serving = tokio::task::JoinHandle<(valetkey_http::Drained, valetkey_http::Drained)>;

/// A server that accepts calls.
#[derive(Debug)]
pub struct Running {
    node: Node,
    serving: Serving,
    socket: OperatorSocket,
    tls: Option<Arc<TlsReloader>>,
    stopping: CancellationToken,
    signals: Signals,
}

impl Running {
    /// Waits until a signal asks it to stop, lets running requests finish, and closes everything. A
    /// second signal ends the wait.
    ///
    /// # Errors
    /// When it had to stop by itself.
    pub async fn ended(mut self) -> anyhow::Result<()> {
        let lost = self.node.lost();
        let mut failure = None;
        loop {
            tokio::select! {
                came = self.signals.next() => match came {
                    Came::Stop => break,
                    Came::Reload => reload(self.tls.as_deref()),
                },
                () = lost.cancelled() => {
                    failure = Some("this node can't show any more that it is the only one on its database; start it again");
                    break;
                }
                _ = &mut self.serving => {
                    failure = Some("the listener stopped by itself");
                    break;
                }
            }
        }
        self.finish().await;
        match failure {
            Some(why) => bail!(why),
            None => Ok(()),
        }
    }

    /// Lets running requests finish, and closes everything. Failures are logged.
    pub async fn finish(mut self) {
        self.stopping.cancel();
        tracing::info!("stopping; running requests may finish");
        if !self.serving.is_finished() {
            tokio::select! {
                drained = &mut self.serving => match drained {
                    Ok((front, operator)) if front.cut_count + operator.cut_count > 0 => {
                        tracing::warn!(count = front.cut_count + operator.cut_count, "not all requests could finish in time");
                    }
                    Ok(_) => {}
                    Err(error) => tracing::error!(%error, "the listener stopped by itself"),
                },
                () = stop_again(&mut self.signals) => tracing::warn!("a second signal to stop; not waiting any longer"),
            }
        }
        drop(self.socket);
        self.node.close().await;
    }
}

async fn stop_again(signals: &mut Signals) {
    while signals.next().await != Came::Stop {}
}

/// Refuses plain HTTP on an outside address before the store is opened, as the listener would later.
fn check_address(config: &Config) -> anyhow::Result<()> {
    let outside = !config.listen.ip().to_canonical().is_loopback();
    if outside && config.tls.is_none() && !config.behind_proxy {
        return Err(ListenError::PlainOutside { address: config.listen }.into());
    }
    Ok(())
}

fn reloader(files: TlsFiles) -> anyhow::Result<Arc<TlsReloader>> {
    let source = move || {
        let read = |path: &std::path::Path| {
            std::fs::read(path).map_err(|e| std::io::Error::new(e.kind(), format!("{}: {e}", path.display())))
        };
        Ok(Pem {
            certificate: read(&files.cert)?,
            certificate_name: files.cert.display().to_string(),
            key: read(&files.key)?,
            key_name: files.key.display().to_string(),
        })
    };
    Ok(TlsReloader::new(Box::new(source))?)
}

fn reload(tls: Option<&TlsReloader>) {
    match tls.map(TlsReloader::reload) {
        None => tracing::info!("there is no certificate to read again"),
        Some(Ok(())) => tracing::info!("the certificate was read again"),
        Some(Err(error)) => tracing::error!(%error, "the certificate could not be read again; the old one stays"),
    }
}

async fn declare_kinds(service: &Service, config: &Config) -> anyhow::Result<()> {
    for kind in &config.kinds {
        let declared = service.declare_kind(&Call::operator(TRACE), kind.clone()).await;
        declared.with_context(|| format!("the kind `{}` of the configuration can't be declared", kind.word))?;
    }
    Ok(())
}
