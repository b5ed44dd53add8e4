//! A process in the background: started, waited for, and ended.
//!
//! It must never wait without a limit, and never leave the process behind.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{exec, out, reaper::Reaper, reaper::signal};

const TURN: Duration = Duration::from_millis(50);
const SHOWN_LINES: usize = 60;

/// A process in the background whose output goes to a file. Dropping it ends its whole group.
#[derive(Debug)]
pub struct Background<'a> {
    reaper: &'a Reaper,
    child: Child,
    log: PathBuf,
    over: bool,
}

/// What a check of a starting server found.
pub enum Look<T> {
    Ready(T),
    NotYet,
}

impl<'a> Background<'a> {
    pub fn start(reaper: &'a Reaper, mut command: Command, log: &Path) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let output = File::create(log).with_context(|| format!("can't write {}", log.display()))?;
        let errors = output.try_clone().with_context(|| format!("can't write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = reaper.spawn(&mut command).with_context(|| format!("can't start {name}"))?;
        Ok(Self { reaper, child, log: log.to_path_buf(), over: false })
    }

    /// What the process has printed so far.
    pub fn printed(&self) -> String {
        std::fs::read(&self.log).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Shows the end of what the process printed, to explain a failure.
    pub fn show(&self, name: &str) {
        out::detail(&format!("--- what {name} printed ({})", self.log.display()));
        let printed = self.printed();
        for line in exec::tail(&printed, SHOWN_LINES) {
            out::detail(line);
        }
        out::detail("---");
    }

    /// The status, if the process has ended by itself.
    fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        if status.is_some() && !self.over {
            self.over = true;
            self.reaper.ended(&self.child);
        }
        status
    }

    /// Checks repeatedly until the server is ready, has ended, or the time is over.
    pub fn until<T>(&mut self, limit: Duration, mut look: impl FnMut(&Self) -> Look<T>) -> Result<T> {
        let deadline = Instant::now() + limit;
        loop {
            if let Look::Ready(found) = look(self) {
                return Ok(found);
            }
            if let Some(status) = self.ended() {
                anyhow::bail!("it ended before it was ready, with {}", exec::how(status));
            }
            if Instant::now() >= deadline {
                anyhow::bail!("it was not ready after {}", out::took(limit));
            }
            std::thread::sleep(TURN);
        }
    }

    /// Asks the process to stop, and returns how it ended; `None` if it had to be killed.
    pub fn stop(&mut self, with: &str, limit: Duration) -> Option<ExitStatus> {
        if !self.over {
            signal(&self.child, with);
        }
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(TURN);
        }
    }
}

impl Drop for Background<'_> {
    fn drop(&mut self) {
        if self.ended().is_none() {
            signal(&self.child, "KILL");
            let _ = self.child.wait();
            self.reaper.ended(&self.child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start<'a>(reaper: &'a Reaper, script: &str) -> Background<'a> {
        let log = reaper.folder("background").unwrap().join("log");
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Background::start(reaper, command, &log).unwrap()
    }

    fn ready(server: &Background<'_>) -> Look<()> {
        if server.printed().contains("ready") { Look::Ready(()) } else { Look::NotYet }
    }

    #[test]
    fn a_server_is_waited_for_and_stops_when_asked() {
        let reaper = Reaper::start().unwrap();
        let mut server = start(&reaper, "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done");
        server.until(Duration::from_secs(60), ready).unwrap();
        assert!(server.stop("TERM", Duration::from_secs(60)).unwrap().success());
    }

    #[test]
    fn a_server_that_ends_or_never_gets_ready_is_not_waited_for() {
        let reaper = Reaper::start().unwrap();
        let error = start(&reaper, "exit 3").until(Duration::from_secs(60), ready).unwrap_err();
        assert!(error.to_string().contains("exit code 3"), "{error}");
        let error = start(&reaper, "sleep 600").until(Duration::from_millis(100), ready).unwrap_err();
        assert!(error.to_string().contains("not ready"), "{error}");
    }

    #[test]
    fn a_server_that_does_not_listen_to_the_signal_is_forced() {
        let reaper = Reaper::start().unwrap();
        let mut server = start(&reaper, "trap '' TERM; echo ready; while :; do sleep 0.05; done");
        server.until(Duration::from_secs(60), ready).unwrap();
        assert!(server.stop("TERM", Duration::from_millis(200)).is_none());
    }
}
