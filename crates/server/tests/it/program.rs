//! What the tests share: a folder of their own, the program, and plain HTTP. Waiting is reading:
//! for a line that the program prints, or for its end.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A folder that is removed at the end.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("vk-it-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The program with these arguments, in this folder, without the settings of the user who runs
    /// the tests.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_valetkey"));
        command.args(args).current_dir(&self.0).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("VALETKEY_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs it until it ends.
    pub fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&mut self.command(args))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn of(command: &mut Command) -> Ended {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { status: output.status, out: text(output.stdout), err: text(output.stderr) }
    }

    /// The error of a program that had to fail.
    pub fn error(&self) -> &str {
        assert_eq!(self.status.code(), Some(1), "{self:?}");
        assert!(self.err.starts_with("error: "), "{self:?}");
        self.err.trim_end()
    }
}

/// A running server. It is killed when dropped, so that none outlives a test that fails.
#[derive(Debug)]
pub struct Running {
    child: Child,
    pub base_url: String,
    /// Its output until it was ready.
    pub said: String,
}

impl Running {
    /// Starts `demo` and waits for its screen.
    pub fn demo(folder: &Folder, more: &[&str]) -> Running {
        let mut command = folder.command(&["demo", "--data", "demo", "--port", "0"]);
        let mut child = command.args(more).stdout(Stdio::piped()).spawn().unwrap();
        let said = read_until(child.stdout.take().unwrap(), "Ctrl-C");
        let base_url = demo_json(folder)["base_url"].as_str().unwrap().to_owned();
        Running { child, base_url, said }
    }

    /// Starts `serve` and waits until it prints its address.
    pub fn serve(mut command: Command) -> Running {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = read_until(child.stderr.take().unwrap(), "serves http");
        let start = said.find("http://").unwrap_or_else(|| panic!("no address: {said}"));
        let base_url = said[start..].split_whitespace().next().unwrap().to_owned();
        Running { child, base_url, said }
    }

    /// Runs a server that must not start, and gives its output. One that starts anyway is killed.
    pub fn refused(mut command: Command) -> String {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            said.push_str(&line.unwrap());
            said.push('\n');
            if said.contains("serves http") {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("it started: {said}");
            }
        }
        assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
        said
    }

    /// Waits for one that stops by itself, with an error.
    pub fn failed(mut self) {
        assert_eq!(self.child.wait().unwrap().code(), Some(1));
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Asks it to stop, and checks that it ends without an error.
    pub fn stop(mut self) {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
    }

    /// Kills it, as a loss of power would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// GETs a path with a token or none: status and body.
    pub fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        self.ask("GET", path, token, "")
    }

    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, form: &str) -> (u16, String) {
        let host = self.base_url.strip_prefix("http://").unwrap();
        ask(TcpStream::connect(host).unwrap(), method, path, token, form)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks over the operator's socket.
pub fn ask_socket(socket: &Path, method: &str, path: &str) -> (u16, String) {
    ask(UnixStream::connect(socket).unwrap(), method, path, None, "")
}

/// Calls a command as the operator.
pub fn command(socket: &Path, name: &str, parameters: &Value) -> (u16, String) {
    ask(UnixStream::connect(socket).unwrap(), "POST", &format!("/v1/commands/{name}"), None, &parameters.to_string())
}

fn ask(
    mut stream: impl std::io::Read + std::io::Write,
    method: &str,
    path: &str,
    token: Option<&str>,
    form: &str,
) -> (u16, String) {
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let kind = if form.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
    let kind = format!("Content-Type: {kind}\r\n");
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{kind}{bearer}");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{form}", form.len()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

/// The `demo.json` of a demo in the folder `demo`.
pub fn demo_json(folder: &Folder) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("demo/demo.json")).unwrap()).unwrap()
}

/// All lines up to one with the word. Another thread reads the rest, so that the program never
/// waits for a reader.
fn read_until(from: impl std::io::Read + Send + 'static, word: &str) -> String {
    let mut reader = BufReader::new(from);
    let mut said = String::new();
    loop {
        let before = said.len();
        reader.read_line(&mut said).unwrap();
        assert!(said.len() > before, "it ended before it said {word}: {said}");
        if said[before..].contains(word) {
            break;
        }
    }
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    said
}
