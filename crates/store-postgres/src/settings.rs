//! How to reach the database: the address, how the server is authenticated, and how long to wait.
//!
//! Nothing here may read a file or the environment, and nothing may print a password.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, SslMode, TargetSessionAttrs};
use valetkey_store::StoreError;

use crate::tls::{self, Tls};

/// Everything needed to connect.
#[derive(Clone)]
pub struct Settings {
    pub(crate) config: Config,
    pub(crate) tls: Tls,
    /// The most connections for reading; one more is kept for writing.
    pub readers: usize,
    /// How long one statement may take, on the server.
    pub statement_timeout: Duration,
    /// How long to wait for the head lock.
    pub lock_timeout: Duration,
    /// How long a transaction may stand idle, with its locks, before the server ends it. Shorter
    /// than the wait for the lock, so that one dead node does not stop the others.
    pub idle_timeout: Duration,
    /// How much longer than the server's own limits we wait for an answer, before the connection
    /// counts as lost.
    pub grace: Duration,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("config", &self.config).field("readers", &self.readers).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads an address, `postgres://user:password@host:port,host:port/database?…` or
    /// `host=… user=… dbname=…`. `root_certificates` are PEM or DER and may be empty.
    ///
    /// With root certificates, the server's certificate and host name are checked. Without them,
    /// `sslmode=require` asks for SCRAM with channel binding instead, so that nobody in between can
    /// pass for the server. `prefer`, the default, also accepts a connection without TLS.
    ///
    /// # Errors
    /// Says what is wrong with the address or the certificates, without repeating the address.
    pub fn new(dsn: &str, root_certificates: &[u8]) -> Result<Settings, StoreError> {
        let (text, verify) = without_verify_modes(dsn);
        if has_option(&text, "sslrootcert") {
            return Err(bad("`sslrootcert` can't stand in it; give the certificate in the configuration"));
        }
        let mut config: Config = text.parse().map_err(|e| bad(&crate::error::describe(&e)))?;
        check_complete(&config)?;
        let roots = if root_certificates.is_empty() { Vec::new() } else { tls::certificates(root_certificates)? };
        if verify && roots.is_empty() {
            return Err(bad("`sslmode=verify-full` needs a root certificate; give it in the configuration"));
        }
        match (config.get_ssl_mode(), roots.is_empty()) {
            (SslMode::Disable, false) => {
                return Err(bad("`sslmode=disable` contradicts the root certificate; drop one of them"));
            }
            (_, false) => {
                config.ssl_mode(SslMode::Require);
            }
            (SslMode::Require, true) if config.get_channel_binding() != ChannelBinding::Disable => {
                config.channel_binding(ChannelBinding::Require);
            }
            (SslMode::Require, true) => {
                return Err(bad("`sslmode=require` without a root certificate needs channel binding"));
            }
            _ => {}
        }
        set_defaults(&mut config);
        Ok(Settings {
            config,
            tls: Tls::new(&roots)?,
            readers: 8,
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(10),
            grace: Duration::from_secs(5),
        })
    }

    /// Whether every host is this machine.
    pub(crate) fn is_local(&self) -> bool {
        let local_name =
            |name: &str| name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let hosts = self.config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => local_name(name),
            Host::Unix(_) => true,
        });
        hosts && self.config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
    }

    /// How long to wait for any one answer before the connection counts as lost. The server gives
    /// up earlier, unless it can't be heard any more.
    pub(crate) fn patience(&self) -> Duration {
        self.statement_timeout.max(self.lock_timeout) + self.grace
    }
}

fn bad(what: &str) -> StoreError {
    StoreError::Unsafe(format!("the address of PostgreSQL: {what}"))
}

/// The driver would fill gaps from the operating system's user; here the address must name them.
fn check_complete(config: &Config) -> Result<(), StoreError> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(bad("it names no host"));
    }
    if config.get_user().is_none_or(str::is_empty) {
        return Err(bad("it names no user"));
    }
    if config.get_dbname().is_none_or(str::is_empty) {
        return Err(bad("it names no database"));
    }
    if config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
        return Err(bad("`target_session_attrs=read-only` leads to a server that takes no writes"));
    }
    Ok(())
}

fn set_defaults(config: &mut Config) {
    // Of several hosts, only the one that takes writes is used, for reading too: a standby may lag,
    // and a revoked right would still be found there.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    if config.get_application_name().is_none() {
        config.application_name("valetkey");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(20));
    }
    config.keepalives_idle(config.get_keepalives_idle().min(Duration::from_secs(20)));
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(Duration::from_secs(5));
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(3);
    }
}

/// The driver knows no `verify-ca` and `verify-full`; both mean `require` with a root certificate.
fn without_verify_modes(dsn: &str) -> (String, bool) {
    let mut text = dsn.to_owned();
    for mode in ["verify-full", "verify-ca"] {
        for lead in ["?", "&", " "] {
            text = text.replace(&format!("{lead}sslmode={mode}"), &format!("{lead}sslmode=require"));
        }
        if let Some(rest) = text.strip_prefix(&format!("sslmode={mode}")) {
            text = format!("sslmode=require{rest}");
        }
    }
    let changed = text != dsn;
    (text, changed)
}

fn has_option(dsn: &str, name: &str) -> bool {
    dsn.starts_with(&format!("{name}=")) || ["?", "&", " "].iter().any(|lead| dsn.contains(&format!("{lead}{name}=")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(dsn: &str) -> Result<Settings, StoreError> {
        Settings::new(dsn, b"")
    }

    #[test]
    fn several_hosts_lead_to_the_one_that_takes_writes() {
        let found = settings("postgres://u:p@a.example:5433,b.example/db?target_session_attrs=any").unwrap();
        assert_eq!(found.config.get_hosts().len(), 2);
        assert_eq!(found.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert!(!found.is_local());
        assert!(settings("host=127.0.0.1,::1 user=u dbname=d").unwrap().is_local());
    }

    #[test]
    fn require_without_roots_asks_for_channel_binding() {
        let found = settings("postgres://u:p@h/db?sslmode=require").unwrap();
        assert_eq!(found.config.get_channel_binding(), ChannelBinding::Require);
        assert!(settings("postgres://u:p@h/db?sslmode=require&channel_binding=disable").is_err());
        assert_eq!(settings("postgres://u:p@h/db").unwrap().config.get_channel_binding(), ChannelBinding::Prefer);
    }

    #[test]
    fn what_is_missing_is_named_and_no_password_is() {
        for (dsn, word) in [
            ("postgres://u:hunter2@/db", "host"),
            ("postgres://h/db", "user"),
            ("postgres://u:hunter2@h", "database"),
            ("postgres://u:hunter2@h/db?sslmode=verify-full", "root certificate"),
            ("postgres://u:hunter2@h/db?sslrootcert=/x", "sslrootcert"),
            ("postgres://u:hunter2@h/db?nonsense=1", "nonsense"),
            ("postgres://u:hunter2@h:port/db", "port"),
            ("postgres://u:hunter2@h/db?target_session_attrs=read-only", "read-only"),
        ] {
            let text = settings(dsn).unwrap_err().to_string();
            assert!(text.contains(word), "{dsn}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        let shown = format!("{:?}", settings("postgres://u:hunter2@h/db").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn roots_must_be_certificates() {
        assert!(Settings::new("postgres://u@h/db", b"nothing").is_err());
        assert!(Settings::new("postgres://u@h/db", &[0x30, 0x03, 1, 2, 3]).is_err());
    }
}
