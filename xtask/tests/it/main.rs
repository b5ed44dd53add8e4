//! `cargo xtask postgres` as a process: it ends with its parent, and leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program, and the folder that it made.
struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<std::process::ChildStdout>,
    folder: PathBuf,
}

impl Running {
    fn start() -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("postgres").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let mut running =
            Running { input, output: BufReader::new(child.stdout.take().unwrap()), child, folder: PathBuf::new() };
        running.folder = PathBuf::from(running.answer()["folder"].as_str().unwrap());
        assert!(!processes_in(&running.folder).is_empty());
        running
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn wait_until_nothing_is_left(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.folder.exists() || !processes_in(&self.folder).is_empty() {
            assert!(Instant::now() < deadline, "{} is still there", self.folder.display());
            std::thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_end_of_the_input_ends_the_server() {
    let mut running = Running::start();
    writeln!(running.input.as_mut().unwrap(), "kill").unwrap();
    assert_eq!(running.answer()["done"], "kill");
    assert!(processes_in(&running.folder).is_empty());
    writeln!(running.input.as_mut().unwrap(), "start").unwrap();
    assert_eq!(running.answer()["done"], "start");
    assert!(!processes_in(&running.folder).is_empty());
    running.input = None;
    assert!(running.child.wait().unwrap().success());
    assert!(!running.folder.exists(), "the folder outlives an end in order");
    running.wait_until_nothing_is_left();
}

#[test]
fn a_signal_ends_the_server() {
    for signal in ["TERM", "INT", "KILL"] {
        let mut running = Running::start();
        let ended = Command::new("kill").args(["-s", signal, &running.child.id().to_string()]).status().unwrap();
        assert!(ended.success());
        assert!(!running.child.wait().unwrap().success());
        running.wait_until_nothing_is_left();
    }
}

#[test]
fn wrong_words_are_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["postgres", "--prot", "1"]).output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("'--prot'"), "{text}");
}

/// Processes that work in a server's data folder.
fn processes_in(folder: &Path) -> Vec<PathBuf> {
    let data = folder.join("data");
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    processes.filter(|path| std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd == data)).collect()
}
