//! Runs commands to their end: in a process group of their own, with a time limit, with their output
//! shown, kept, or both.
//!
//! It must never wait without a limit, and never give a child our standard input.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{out, reaper::Reaper, reaper::signal};

/// How long output may still come after the process itself has ended.
const DRAIN_S: u64 = 5;
/// How much of the output is kept; the end matters more than the beginning.
const KEPT_BYTES: usize = 8 << 20;
/// How many lines of a quiet command are shown when it fails.
const SHOWN_LINES: usize = 80;

/// What happens with a command's output while it runs. It is always kept as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    Live,
    Quiet,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// `None` if it reached its time limit and was ended.
    pub status: Option<ExitStatus>,
    /// Both streams, interleaved by line.
    pub output: String,
    pub duration: Duration,
}

impl Ended {
    pub fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// The ending in words, for notes: `exit code 2`, `signal 9`, `time limit`.
    pub fn how(&self) -> String {
        match self.status {
            None => format!("ended at its time limit, after {}", out::took(self.duration)),
            Some(status) => how(status),
        }
    }
}

/// An exit status in words.
pub fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_string(),
    }
}

/// Runs a command to its end. An error means that it could not be started at all.
pub fn run(reaper: &Reaper, mut command: Command, limit: Duration, show: Show) -> Result<Ended> {
    let name = command.get_program().to_string_lossy().into_owned();
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = reaper.spawn(&mut command).with_context(|| format!("can't start {name}"))?;
    let (sender, lines) = channel();
    if let Some(stream) = child.stdout.take() {
        follow(stream, sender.clone());
    }
    if let Some(stream) = child.stderr.take() {
        follow(stream, sender.clone());
    }
    drop(sender);

    let mut output = Output { show, kept: String::new() };
    let mut status = None;
    let mut deadline = start + limit;
    loop {
        let open = output.take(&lines, Duration::from_millis(50));
        if status.is_none() {
            status = child.try_wait().with_context(|| format!("can't wait for {name}"))?;
            if status.is_some() {
                deadline = Instant::now() + Duration::from_secs(DRAIN_S);
            }
        }
        if (!open && status.is_some()) || Instant::now() >= deadline {
            break;
        }
        if !open {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    if status.is_none() {
        signal(&child, "KILL");
        let _ = child.wait();
    }
    reaper.ended(&child);
    Ok(Ended { status, output: output.kept, duration: start.elapsed() })
}

/// Runs a step of preparation: quiet, its output shown only if it fails.
pub fn step(reaper: &Reaper, what: &str, command: Command, limit: Duration) -> Result<()> {
    out::heading(what);
    let ended = run(reaper, command, limit, Show::Quiet)?;
    if ended.success() {
        out::detail(&format!("took {}", out::took(ended.duration)));
        return Ok(());
    }
    for line in tail(&ended.output, SHOWN_LINES) {
        out::detail(line);
    }
    anyhow::bail!("{what}: {}", ended.how())
}

/// What a short command prints on standard output, trimmed; nothing if it fails or isn't there.
pub fn answer(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// The last lines of a text.
pub fn tail(text: &str, lines: usize) -> Vec<&str> {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].to_vec()
}

struct Output {
    show: Show,
    kept: String,
}

impl Output {
    /// Takes the output that has come; returns whether more can come.
    fn take(&mut self, lines: &Receiver<String>, wait: Duration) -> bool {
        match lines.recv_timeout(wait) {
            Ok(line) => self.keep(&line),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        for line in lines.try_iter() {
            self.keep(&line);
        }
        true
    }

    fn keep(&mut self, line: &str) {
        if self.show == Show::Live {
            out::line(line);
        }
        self.kept.push_str(line);
        self.kept.push('\n');
        if self.kept.len() > 2 * KEPT_BYTES {
            let mut cut = self.kept.len() - KEPT_BYTES;
            while !self.kept.is_char_boundary(cut) {
                cut += 1;
            }
            self.kept.drain(..cut);
        }
    }
}

fn follow(stream: impl Read + Send + 'static, lines: Sender<String>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while matches!(reader.read_until(b'\n', &mut bytes), Ok(count) if count > 0) {
            let line = String::from_utf8_lossy(&bytes);
            if lines.send(line.trim_end_matches(['\n', '\r']).to_string()).is_err() {
                break;
            }
            bytes.clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Ended {
        let reaper = Reaper::start().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(&reaper, command, limit, Show::Quiet).unwrap()
    }

    #[test]
    fn both_streams_and_the_exit_code_are_kept() {
        let ended = sh("echo one; echo two >&2; printf three; exit 7", Duration::from_secs(60));
        let mut lines: Vec<&str> = ended.output.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["one", "three", "two"]);
        assert_eq!(ended.how(), "exit code 7");
        assert!(!ended.success());
    }

    #[test]
    fn a_command_is_ended_at_its_limit() {
        let ended = sh("echo begun; sleep 600", Duration::from_millis(300));
        assert!(ended.status.is_none());
        assert!(ended.how().contains("time limit"), "{}", ended.how());
    }

    #[test]
    fn standard_input_is_empty() {
        let ended = sh("cat; echo over", Duration::from_secs(60));
        assert_eq!(ended.output, "over\n");
    }

    #[test]
    fn the_end_of_a_text_is_its_last_lines() {
        assert_eq!(tail("a\nb\nc\n", 2), ["b", "c"]);
        assert_eq!(tail("a", 5), ["a"]);
    }
}
