//! The configuration from the file, the environment and the flags, checked before anything is
//! opened. Later sources in this order win. An error names the place of the mistake.
//!
//! Nothing here opens a store, socket or certificate. No text of an error or of `Debug` holds a
//! password.

mod limits;
mod said;
mod settings;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use valetkey_domain::{AssetKind, DeclaredKind, Name};
use valetkey_http::{Limits, TrustedProxies};
use valetkey_service::lease::{self, LENGTH_MAX, LENGTH_MIN};

use crate::keys;
use crate::telemetry::{Format, LogConfig, parse_targets};
use said::Origin;
pub use said::{ConfigError, Flag};
use settings::Settings;

/// The file that is read if none is named and it exists.
pub const FILE_NAME: &str = "valetkey.toml";
/// The variable that names the file.
pub const FILE_VARIABLE: &str = "VALETKEY_CONFIG";
/// The default data folder.
pub const DATA: &str = "valetkey-data";
/// The default address to listen on.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

const LEASE_WANTED: &str = "a number of seconds from 1 to 300";
const TEMPLATE: &str = include_str!("template.toml");

/// Which engine keeps the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreChoice {
    /// SQLite in the data folder.
    Sqlite,
    /// PostgreSQL, or a compatible engine.
    Postgres(Address),
}

impl StoreChoice {
    /// The words for messages. They hold no address, because it may hold a password.
    pub fn title(&self) -> &'static str {
        match self {
            StoreChoice::Sqlite => "SQLite",
            StoreChoice::Postgres(_) => "PostgreSQL",
        }
    }
}

impl FromStr for StoreChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<StoreChoice, &'static str> {
        let text = text.trim();
        match text.split_once("://") {
            None if text == "sqlite" => Ok(StoreChoice::Sqlite),
            Some(("postgres" | "postgresql", _)) => Ok(StoreChoice::Postgres(Address(text.to_owned()))),
            _ => Err("it must be `sqlite`, or an address such as postgres://USER:PASSWORD@HOST/DATABASE"),
        }
    }
}

/// The address of a database; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// The whole address, with its password.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// The whole configuration of a server.
#[derive(Debug, Clone)]
pub struct Config {
    pub data: PathBuf,
    pub store: StoreChoice,
    /// The root certificate for a PostgreSQL server, as PEM or DER.
    pub store_root_certificate: Option<PathBuf>,
    pub master_key: keys::Origin,
    pub listen: SocketAddr,
    /// Where callers find the server, without a slash at the end; `None` follows from `listen`.
    pub public_url: Option<String>,
    pub trusted_proxies: TrustedProxies,
    pub behind_proxy: bool,
    pub tls: Option<TlsFiles>,
    pub log: LogConfig,
    pub limits: Limits,
    pub kinds: Vec<DeclaredKind>,
    /// This node's name, in receipts and in the lease.
    pub node: String,
    /// How long its lease of a PostgreSQL store lasts.
    pub lease: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            data: PathBuf::from(DATA),
            store: StoreChoice::Sqlite,
            store_root_certificate: None,
            master_key: keys::Origin::Folder,
            listen: LISTEN,
            public_url: None,
            trusted_proxies: TrustedProxies::none(),
            behind_proxy: false,
            tls: None,
            log: LogConfig::default(),
            limits: Limits::default(),
            kinds: Vec::new(),
            node: host_name(),
            lease: lease::LENGTH,
        }
    }
}

impl Config {
    /// Reads the file (the one named, or `valetkey.toml` if it is there), the environment, and the
    /// flags.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn load(file: Option<&Path>, flags: impl IntoIterator<Item = Flag>) -> Result<Config, ConfigError> {
        let environment = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Config::load_from(file, &environment, flags)
    }

    /// The same with the given environment.
    fn load_from(
        file: Option<&Path>,
        environment: &dyn Fn(&str) -> Option<String>,
        flags: impl IntoIterator<Item = Flag>,
    ) -> Result<Config, ConfigError> {
        let mut settings = Settings::default();
        let named = file
            .map(Path::to_owned)
            .or_else(|| environment(FILE_VARIABLE).filter(|v| !v.is_empty()).map(PathBuf::from));
        settings.read_file(named.as_deref(), Path::new(FILE_NAME))?;
        settings.read_environment(environment);
        settings.read_flags(flags);
        let mut config = Config::of(&settings)?;
        config.master_key = keys::Origin::of(environment(keys::VARIABLE));
        Ok(config)
    }

    /// The documented file, with every key in it, commented out.
    pub fn template() -> &'static str {
        TEMPLATE
    }

    fn of(settings: &Settings) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        if let Some((_, path)) = settings.path("data")? {
            config.data = path;
        }
        if let Some((origin, text)) = settings.text("store")? {
            config.store = text.parse().map_err(|what| ConfigError::new(origin, what))?;
        }
        if let Some((origin, path)) = settings.path("store_root_certificate")? {
            if config.store == StoreChoice::Sqlite {
                return Err(ConfigError::new(origin, "it applies only to a PostgreSQL store"));
            }
            config.store_root_certificate = Some(path);
        }
        if let Some((_, address)) = settings.parsed("listen", "ADDRESS:PORT, such as 127.0.0.1:8080")? {
            config.listen = address;
        }
        if let Some((_, port)) = settings.parsed("port", "a number from 0 to 65535")? {
            config.listen.set_port(port);
        }
        if let Some((origin, text)) = settings.text("public_url")? {
            config.public_url = Some(public_url(text).map_err(|what| ConfigError::new(origin, what))?);
        }
        if let Some((origin, list)) = settings.list("trusted_proxies") {
            config.trusted_proxies =
                TrustedProxies::parse(list).map_err(|e| ConfigError::new(origin, e.to_string()))?;
        }
        if let Some((_, behind)) = settings.parsed("behind_proxy", "true or false")? {
            config.behind_proxy = behind;
        }
        if let Some((origin, name)) = settings.text("node")? {
            config.node = Name::parse(name).map_err(|e| ConfigError::new(origin, e.message()))?.to_string();
        }
        if let Some((origin, seconds)) = settings.parsed("lease_s", LEASE_WANTED)? {
            config.lease = Duration::from_secs(seconds);
            if !(LENGTH_MIN..=LENGTH_MAX).contains(&config.lease) {
                return Err(ConfigError::new(origin, LEASE_WANTED));
            }
        }
        config.tls = tls_of(settings)?;
        read_log(settings, &mut config.log)?;
        limits::read(settings, &mut config.limits)?;
        config.kinds = settings.kinds.iter().map(kind_of).collect::<Result<_, _>>()?;
        Ok(config)
    }

    /// The URL under which browsers find a server that listens on `address`: none if only `public_url`
    /// could say it and it isn't set.
    pub fn browser_url(&self, address: SocketAddr) -> Option<String> {
        let is_certain = self.public_url.is_some() || !self.behind_proxy && !address.ip().is_unspecified();
        is_certain.then(|| self.base_url(address))
    }

    /// The URL under which callers find a server that listens on `address`.
    pub fn base_url(&self, address: SocketAddr) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
    }
}

fn tls_of(settings: &Settings) -> Result<Option<TlsFiles>, ConfigError> {
    match (settings.path("tls.cert")?, settings.path("tls.key")?) {
        (Some((_, cert)), Some((_, key))) => Ok(Some(TlsFiles { cert, key })),
        (Some((origin, _)), None) => Err(ConfigError::new(origin, "it needs tls.key beside it")),
        (None, Some((origin, _))) => Err(ConfigError::new(origin, "it needs tls.cert beside it")),
        (None, None) => Ok(None),
    }
}

fn read_log(settings: &Settings, log: &mut LogConfig) -> Result<(), ConfigError> {
    if let Some((origin, text)) = settings.text("log.format")? {
        log.format = match text {
            "text" => Format::Text,
            "json" => Format::Json,
            _ => return Err(ConfigError::new(origin, "it must be `text` or `json`")),
        };
    }
    if let Some((origin, text)) = settings.text("log.level")? {
        let wanted = "it must be error, warn, info, debug or trace, or a list such as `info,access=debug`";
        log.targets = parse_targets(text).ok_or_else(|| ConfigError::new(origin, wanted))?;
    }
    Ok(())
}

fn kind_of((origin, kind): &(Origin, settings::KindTable)) -> Result<DeclaredKind, ConfigError> {
    let wrong = |what: &str| ConfigError::new(origin, what);
    let word = kind.word.clone().ok_or_else(|| wrong("a kind needs a `word`, such as \"warehouse\""))?;
    let title = kind.title.as_deref().unwrap_or(&word);
    let title = Name::parse(title).map_err(|e| wrong(&format!("the kind's `title` {}", e.message())))?;
    if kind.tasks.is_empty() {
        return Err(wrong("a kind needs `tasks`, such as [\"MANAGE\", \"VIEW\"]"));
    }
    // The service assigns the number when the kind is declared.
    Ok(DeclaredKind { kind: AssetKind::Declared(0), word, title, tasks: kind.tasks.clone() })
}

fn public_url(text: &str) -> Result<String, &'static str> {
    const WANTED: &str = "it must be an address such as https://graph.example.com, without a query";
    let uri: http::Uri = text.parse().map_err(|_| WANTED)?;
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    let named = uri.authority().is_some_and(|a| !a.host().is_empty() && !a.as_str().contains('@'));
    if !web || !named || uri.query().is_some() || text.contains('#') {
        return Err(WANTED);
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The machine's name, for people only.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if Name::parse(name).is_ok() { name.to_owned() } else { "valetkey".to_owned() }
}

#[cfg(test)]
mod tests;
