//! The demo of a freshly built Valetkey, as the client stories use it.
//!
//! It must never print a token or secret: it reads only the address from the demo's file.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Background, Look};
use crate::{exec, reaper::Reaper};

const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(20);
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// A running demo over a store of its own.
#[derive(Debug)]
pub struct Demo<'a> {
    server: Background<'a>,
    folder: PathBuf,
}

impl<'a> Demo<'a> {
    /// Starts the demo on a free port and waits until it serves. `store` is the address of a
    /// database server; without it the demo uses its embedded store.
    pub fn start(reaper: &'a Reaper, binary: &Path, store: Option<&str>, log: &Path) -> Result<Self> {
        // The server makes its data folder itself, with the rights that it wants.
        let folder = reaper.folder("demo")?.join("data");
        let mut command = Command::new(binary);
        command.args(["demo", "--port", "0", "--data"]).arg(&folder);
        if let Some(store) = store {
            command.args(["--store", store]);
        }
        for (name, _) in std::env::vars_os() {
            // Settings of the user's own server must not reach this one.
            if name.to_string_lossy().starts_with("VALETKEY_") {
                command.env_remove(name);
            }
        }
        let mut server = Background::start(reaper, command, log)?;
        let file = folder.join("demo.json");
        let started = server.until(START_LIMIT, |_| match address(&file) {
            Some(base) if healthy(&base) => Look::Ready(()),
            _ => Look::NotYet,
        });
        if let Err(error) = started {
            server.show("the demo");
            return Err(error.context("the demo did not start"));
        }
        Ok(Self { server, folder })
    }

    /// The file that tells scripts all about the demo.
    pub fn file(&self) -> PathBuf {
        self.folder.join("demo.json")
    }

    pub fn show(&self) {
        self.server.show("the demo");
    }

    /// Stops the demo as an operator would; fails if it does not end well and in time.
    pub fn stop(mut self) -> Result<()> {
        let status = self.server.stop("TERM", STOP_LIMIT);
        if status.is_none_or(|status| !status.success()) {
            self.show();
        }
        match status {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("the demo was asked to stop and ended with {}", exec::how(status)),
            None => bail!("the demo was asked to stop and still ran {} s later", STOP_LIMIT.as_secs()),
        }
    }
}

/// The server's address from the demo's file; `None` while the file is absent or incomplete.
fn address(file: &Path) -> Option<String> {
    let demo: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    Some(demo.get("base_url")?.as_str()?.trim_end_matches('/').to_string())
}

fn healthy(base: &str) -> bool {
    matches!(get(base, "/healthz"), Ok(200))
}

/// The status of a GET to a plain HTTP server on this machine.
fn get(base: &str, path: &str) -> Result<u16> {
    let host = base.strip_prefix("http://").with_context(|| format!("{base} is not a plain http:// address"))?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(CALL_LIMIT))?;
    stream.set_write_timeout(Some(CALL_LIMIT))?;
    // In one piece: a server may answer and close before it has read later ones.
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut head = String::new();
    stream.take(64).read_to_string(&mut head)?;
    let status = head.split_whitespace().nth(1).context("the answer has no status line")?;
    Ok(status.parse()?)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers one call with a status and ends.
    fn answer_once(status: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            assert!(head.starts_with(b"GET /healthz HTTP/1.1\r\n"));
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").unwrap();
        });
        format!("http://{address}")
    }

    #[test]
    fn health_is_a_200_and_nothing_else() {
        assert!(healthy(&answer_once("200 OK")));
        assert!(!healthy(&answer_once("503 Service Unavailable")));
        assert!(!healthy("https://127.0.0.1:1"));
    }

    #[test]
    fn a_file_that_is_missing_or_cut_has_no_address() {
        let reaper = Reaper::start().unwrap();
        let file = reaper.folder("address").unwrap().join("demo.json");
        assert_eq!(address(&file), None);
        std::fs::write(&file, r#"{"base_url": "http://127.0"#).unwrap();
        assert_eq!(address(&file), None);
        std::fs::write(&file, r#"{"base_url": "http://127.0.0.1:4711/"}"#).unwrap();
        assert_eq!(address(&file).as_deref(), Some("http://127.0.0.1:4711"));
    }

    /// A stand-in for the real binary: it writes the file and serves `/healthz` until it is stopped.
    const FAKE: &str = r#"#!/usr/bin/env python3
import http.server, json, os, signal, sys
assert sys.argv[1:5] == ["demo", "--port", "0", "--data"], sys.argv
assert sys.argv[6:] in ([], ["--store", "postgres://x"]), sys.argv
os.mkdir(sys.argv[5])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
with open(sys.argv[5] + "/demo.json", "w") as file:
    json.dump({"base_url": "http://127.0.0.1:%d" % server.server_port}, file)
server.serve_forever()
"#;

    #[test]
    fn a_demo_is_started_and_held_to_ending_well() {
        use std::os::unix::fs::PermissionsExt;
        let reaper = Reaper::start().unwrap();
        let folder = reaper.folder("fake").unwrap();
        let binary = folder.join("valetkey");
        std::fs::write(&binary, FAKE).unwrap();
        std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
        let demo = Demo::start(&reaper, &binary, Some("postgres://x"), &folder.join("log")).unwrap();
        assert!(demo.file().exists());
        demo.stop().unwrap();

        std::fs::write(&binary, FAKE.replace("os._exit(0)", "os._exit(3)")).unwrap();
        let demo = Demo::start(&reaper, &binary, Some("postgres://x"), &folder.join("log")).unwrap();
        let error = demo.stop().unwrap_err().to_string();
        assert!(error.contains("exit code 3"), "{error}");

        std::fs::write(&binary, "#!/bin/sh\necho no such port; exit 4\n").unwrap();
        let error = Demo::start(&reaper, &binary, None, &folder.join("log")).unwrap_err();
        assert!(format!("{error:#}").contains("exit code 4"), "{error:#}");
    }
}
