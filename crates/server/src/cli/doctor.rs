//! Looks for problems that keep a server from working, one line for each check, with what to do. It
//! must change nothing, and print no secret.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use owo_colors::OwoColorize as _;
use serde_json::{Value, json};
use valetkey_domain::UnixMs;
use valetkey_domain::id::EPOCH_MS;
use valetkey_http::{Pem, TlsReloader};
use valetkey_service::{Call, Clock as _};

use super::fail::{Fail, Outcome};
use super::input::On;
use super::target::{Session, config};
use super::{client, screen};
use crate::clock::SystemClock;
use crate::config::{Config, StoreChoice, TlsFiles};
use crate::keys;
use crate::lifecycle::open_service;

/// Below this the disk is nearly full.
const FREE_WARN_BYTES: u64 = 1024 * 1024 * 1024;
/// Below this a write may fail at any moment.
const FREE_FAIL_BYTES: u64 = 64 * 1024 * 1024;
/// How far two clocks may differ before a warning.
const CLOCK_WARN_MS: UnixMs = 5_000;

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Ok,
    Warn,
    Fail,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Mark::Ok => "ok",
            Mark::Warn => "warn",
            Mark::Fail => "fail",
        }
    }
}

#[derive(Debug, Default)]
struct Report {
    lines: Vec<(Mark, &'static str, String, Option<String>)>,
}

impl Report {
    fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.lines.push((Mark::Ok, check, found.into(), None));
    }

    fn warn(&mut self, check: &'static str, found: impl Into<String>, todo: impl Into<String>) {
        self.lines.push((Mark::Warn, check, found.into(), Some(todo.into())));
    }

    fn fail(&mut self, check: &'static str, found: impl Into<String>, todo: impl Into<String>) {
        self.lines.push((Mark::Fail, check, found.into(), Some(todo.into())));
    }

    /// A failure whose text already says what to do.
    fn fail_alone(&mut self, check: &'static str, found: impl Into<String>) {
        self.lines.push((Mark::Fail, check, found.into(), None));
    }

    fn has(&self, check: &str, mark: Mark) -> bool {
        self.lines.iter().any(|(m, t, _, _)| *t == check && *m == mark)
    }

    fn print(&self, as_json: bool) -> ExitCode {
        let failed = self.lines.iter().any(|(mark, ..)| *mark == Mark::Fail);
        if as_json {
            let checks: Vec<Value> = self
                .lines
                .iter()
                .map(|(mark, check, found, todo)| json!({ "check": check, "result": mark.word(), "found": found, "todo": todo }))
                .collect();
            screen::json(&json!({ "healthy": !failed, "checks": checks }));
        } else {
            for (mark, check, found, todo) in &self.lines {
                let word = format!("{:<5}", mark.word());
                let found = screen::clean(found);
                match mark {
                    Mark::Ok => anstream::println!("{} {check:<13} {found}", word.green()),
                    Mark::Warn => anstream::println!("{} {check:<13} {found}", word.yellow()),
                    Mark::Fail => anstream::println!("{} {check:<13} {found}", word.red().bold()),
                }
                if let Some(todo) = todo {
                    anstream::println!("{:20}{} {}", "", "→".dimmed(), screen::clean(todo));
                }
            }
        }
        if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// `valetkey doctor`.
pub async fn run(on: &On) -> Outcome {
    let mut report = Report::default();
    if on.server.is_some() {
        clock(&mut report);
        elsewhere(&mut report, on).await;
        return Ok(report.print(on.json));
    }
    let config = match config(on) {
        Ok(config) => config,
        Err(fail) => {
            report.fail("configuration", fail.message(), "correct what stands there");
            return Ok(report.print(on.json));
        }
    };
    report.ok("configuration", format!("{} in {}", config.store.title(), config.data.display()));
    clock(&mut report);
    folder(&mut report, &config.data);
    if !report.has("data folder", Mark::Fail) {
        key(&mut report, &config);
        disk(&mut report, &config.data);
        server(&mut report, on, &config).await;
    }
    certificate(&mut report, config.tls.as_ref());
    Ok(report.print(on.json))
}

/// Checks a server elsewhere: whether it answers, and whether its clock and ours agree.
async fn elsewhere(report: &mut Report, on: &On) {
    match Session::open(on).await {
        Ok(session) => {
            match session.call("status", json!({})).await {
                Ok(status) => answers(report, &session, &status.result),
                Err(fail) => refused(report, &fail),
            }
            session.close().await;
        }
        Err(fail) => refused(report, &fail),
    }
}

fn refused(report: &mut Report, fail: &Fail) {
    report.fail("server", fail.message(), fail.what_to_do().unwrap_or("see the server's log"));
}

fn answers(report: &mut Report, session: &Session, status: &Value) {
    let text = |name: &str| status.get(name).map(screen::cell).unwrap_or_default();
    let (version, own) = (text("version"), env!("CARGO_PKG_VERSION"));
    let found = format!("answers in {}, version {version}, revision {}", session.place(), text("revision"));
    match status.get("fresh") {
        Some(Value::Bool(false)) => {
            report.fail(
                "server",
                format!("{found}, and can't show that it is up to date"),
                "see its log; it refuses calls until then",
            );
        }
        _ if version != own => report.warn("server", found, format!("this program is version {own}: use the same")),
        _ => report.ok("server", found),
    }
    let theirs = status.get("time").and_then(Value::as_str).and_then(|t| t.parse::<jiff::Timestamp>().ok());
    let apart = theirs.map(|t| (t.as_millisecond() - SystemClock.now()).abs());
    if let Some(apart) = apart.filter(|ms| *ms > CLOCK_WARN_MS) {
        let found = format!("this machine's and the server's clock are {} s apart", apart / 1_000);
        report.warn("clocks", found, "let both follow a time server (NTP)");
    }
}

fn clock(report: &mut Report) {
    let now = SystemClock.now();
    if now < EPOCH_MS {
        report.fail(
            "clock",
            "it shows a time before 2025, so ids and ends of tokens would be wrong",
            "set the clock; let it follow a time server (NTP)",
        );
        return;
    }
    let shown =
        jiff::Timestamp::from_millisecond(now).map(|t| screen::cell(&json!(format!("{t:.3}")))).unwrap_or_default();
    report.ok("clock", shown);
}

fn folder(report: &mut Report, folder: &Path) {
    const CHECK: &str = "data folder";
    let shown = folder.display();
    let found = match std::fs::metadata(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let todo = "set one up with `valetkey init`, look around with `valetkey demo`, or name it with --data DIR";
            return report.fail(CHECK, format!("{shown} is not there"), todo);
        }
        Err(error) => {
            return report.fail(
                CHECK,
                format!("{shown} can't be looked at: {error}"),
                "run this as the user that owns it",
            );
        }
    };
    if !found.is_dir() {
        return report.fail(CHECK, format!("{shown} is not a folder"), "name another one with --data DIR");
    }
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return report.warn(CHECK, format!("{shown} is open to others (mode {mode:o})"), format!("chmod 700 {shown}"));
    }
    if found.permissions().readonly() {
        return report.fail(CHECK, format!("{shown} can't be written"), "give it to the user that valetkey runs as");
    }
    report.ok(CHECK, format!("{shown}, its owner's alone"));
}

fn key(report: &mut Report, config: &Config) {
    match keys::read(&config.data, &config.master_key) {
        Ok(key) => {
            let from = match &config.master_key {
                keys::Origin::Folder => config.data.join(keys::FILE_NAME).display().to_string(),
                keys::Origin::Set(_) => keys::VARIABLE.to_owned(),
            };
            report.ok("master key", format!("{}, from {from}", key.id()));
        }
        // These errors already say what to do.
        Err(error) => report.fail_alone("master key", format!("{error:#}")),
    }
}

fn disk(report: &mut Report, folder: &Path) {
    const CHECK: &str = "disk";
    let free = match rustix::fs::statvfs(folder) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            return report.warn(CHECK, format!("the free space can't be found out: {error}"), "look with `df`");
        }
    };
    let shown = format!("{} MiB free", free / (1024 * 1024));
    if free < FREE_FAIL_BYTES {
        report.fail(CHECK, shown, "make room: a full disk stops every change");
    } else if free < FREE_WARN_BYTES {
        report.warn(CHECK, shown, "make room soon: a full disk stops every change");
    } else {
        report.ok(CHECK, shown);
    }
}

/// Checks the running server, or, if none runs, the store and the port that it would need.
async fn server(report: &mut Report, on: &On, config: &Config) {
    match client::connect_socket(&config.data).await {
        Ok(Some(_)) => elsewhere(report, on).await,
        Ok(None) => {
            report.warn("server", "none runs in this folder", "start it with `valetkey serve`");
            if !report.has("master key", Mark::Fail) {
                store(report, config).await;
            }
            port(report, config);
        }
        Err(fail) => refused(report, &fail),
    }
}

async fn store(report: &mut Report, config: &Config) {
    let (service, node) = match open_service(config).await {
        Ok(opened) => opened,
        Err(error) => {
            let todo = match config.store {
                StoreChoice::Sqlite => "stop what uses it, or put the folder back from a backup",
                StoreChoice::Postgres(_) => "check the address, and that the database server runs",
            };
            return report.fail("store", format!("{error:#}"), todo);
        }
    };
    let revision = service.revision();
    let newest = service.ledger(&Call::operator("doctor"), None, revision.saturating_sub(1), 1).await;
    node.close().await;
    report.ok("store", format!("opens, revision {revision}"));
    let ahead = newest.ok().and_then(|rows| rows.last().map(|e| e.at - SystemClock.now()));
    if let Some(ahead) = ahead.filter(|ms| *ms > CLOCK_WARN_MS) {
        let found = format!("the newest ledger entry lies {} s in the future", ahead / 1_000);
        report.warn("clocks", found, "this clock is late, or another one was early: let it follow a time server (NTP)");
    }
}

fn port(report: &mut Report, config: &Config) {
    let address = config.listen;
    match TcpListener::bind(address) {
        Ok(_) => report.ok("port", format!("{address} is free")),
        Err(error) => report.fail(
            "port",
            format!("{address} can't be listened on: {error}"),
            "stop what uses it, or set another `listen`",
        ),
    }
    if !address.ip().to_canonical().is_loopback() && config.tls.is_none() && !config.behind_proxy {
        let todo = "set [tls], or behind_proxy if a proxy in front ends TLS";
        report.fail("address", format!("{address} is not loopback, and TLS is off"), todo);
    }
}

fn certificate(report: &mut Report, files: Option<&TlsFiles>) {
    let Some(files) = files.cloned() else { return };
    let shown = format!("{} and {}", files.cert.display(), files.key.display());
    let mode = std::fs::metadata(&files.key).map(|m| m.permissions().mode() & 0o777);
    let key_shown = files.key.display().to_string();
    let source = move || {
        Ok(Pem {
            certificate: std::fs::read(&files.cert)?,
            certificate_name: files.cert.display().to_string(),
            key: std::fs::read(&files.key)?,
            key_name: files.key.display().to_string(),
        })
    };
    match TlsReloader::new(Box::new(source)) {
        Err(error) => report.fail("certificate", error.to_string(), "put the right files there (tls.cert, tls.key)"),
        Ok(_) if mode.is_ok_and(|mode| mode & 0o007 != 0) => {
            report.warn("certificate", format!("everybody may read {key_shown}"), format!("chmod 600 {key_shown}"));
        }
        Ok(_) => report.ok("certificate", shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::folder::tests::scratch;

    fn word(report: &Report, check: &str) -> Option<&'static str> {
        report.lines.iter().find(|(_, t, ..)| *t == check).map(|(mark, ..)| mark.word())
    }

    #[test]
    fn an_open_folder_and_a_missing_one_are_distinguished() {
        let scratch = scratch();
        for (path, mode, expected) in [("a", 0o700, "ok"), ("b", 0o755, "warn")] {
            let path = scratch.path().join(path);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let mut report = Report::default();
            folder(&mut report, &path);
            assert_eq!(word(&report, "data folder"), Some(expected));
        }
        std::fs::write(scratch.path().join("file"), "").unwrap();
        for path in ["none", "file"] {
            let mut report = Report::default();
            folder(&mut report, &scratch.path().join(path));
            assert_eq!(word(&report, "data folder"), Some("fail"), "{path}");
        }
    }

    #[test]
    fn a_port_in_use_and_a_bare_address_are_found() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut report = Report::default();
        port(&mut report, &Config { listen: taken.local_addr().unwrap(), ..Config::default() });
        assert_eq!(word(&report, "port"), Some("fail"));
        let mut report = Report::default();
        port(&mut report, &Config { listen: "0.0.0.0:0".parse().unwrap(), ..Config::default() });
        assert_eq!((word(&report, "port"), word(&report, "address")), (Some("ok"), Some("fail")));
    }
}
