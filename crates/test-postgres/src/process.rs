//! The processes: the postmaster, and a guard that cleans up when the test process is gone.
//!
//! Only processes that were started here may be signalled.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Error;

/// How long a start or a stop may take; recovery after a crash is part of a start.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many lines of the log are kept for errors.
const LOG_LINES: usize = 40;
const READY: &str = "database system is ready to accept connections";

type Log = Arc<Mutex<VecDeque<String>>>;

/// The server's first process.
pub(super) struct Postmaster {
    child: Child,
    log: Log,
    /// One message each time it became ready; disconnected when the last process that could write to
    /// the log is gone.
    ready: Receiver<()>,
}

impl Postmaster {
    /// Starts it and waits for the line that says it takes connections. Its log is added to a file,
    /// if there is one.
    pub(super) fn start(mut command: Command, file: Option<&Path>) -> Result<Postmaster, Error> {
        let open = |path| fs::OpenOptions::new().create(true).append(true).open(path);
        let mut file = match file {
            Some(path) => Some(open(path).map_err(|e| Error::io("can't write", path, &e))?),
            None => None,
        };
        let mut child = command
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| Error::new(format!("can't start postgres: {e}")))?;
        let log = Log::default();
        let (became_ready, ready) = mpsc::channel();
        if let Some(stderr) = child.stderr.take() {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    if line.contains(READY) {
                        let _ = became_ready.send(());
                    }
                    if let Some(file) = &mut file {
                        // A full disk must not stop the server's own log.
                        let _ = writeln!(file, "{line}");
                    }
                    keep(&log, line);
                }
            });
        }
        let mut postmaster = Postmaster { child, log, ready };
        match postmaster.ready.recv_timeout(PATIENCE) {
            Ok(()) => Ok(postmaster),
            Err(why) => {
                let _ = postmaster.child.kill();
                let _ = postmaster.child.wait();
                let what = match why {
                    RecvTimeoutError::Timeout => "was not ready in time",
                    RecvTimeoutError::Disconnected => "ended while starting",
                };
                Err(Error::new(format!("postgres {what}; the end of its log:\n{}", postmaster.log_tail())))
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Makes it read its settings file again.
    pub(super) fn read_settings_again(&self) {
        signal("HUP", &[self.pid()]);
    }

    /// Ends sessions, writes a checkpoint, ends.
    pub(super) fn stop_in_order(&mut self) -> Result<(), Error> {
        signal("INT", &[self.pid()]);
        self.wait()
    }

    /// Ends without a checkpoint.
    pub(super) fn stop_at_once(&mut self) -> Result<(), Error> {
        signal("QUIT", &[self.pid()]);
        self.wait()
    }

    /// SIGKILL for the postmaster and for every process that works in its data folder.
    pub(super) fn kill_all(&mut self, data: &Path) -> Result<(), Error> {
        let _ = self.child.kill();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = working_in(data);
            if left.is_empty() {
                return self.wait();
            }
            signal("KILL", &left);
            if Instant::now() > deadline {
                return Err(Error::new(format!("processes {left:?} of the test server outlive SIGKILL")));
            }
        }
    }

    /// Waits until all its processes are gone: each of them holds the log open.
    fn wait(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.ready.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    return Err(Error::new(format!(
                        "postgres did not end in time; the end of its log:\n{}",
                        self.log_tail()
                    )));
                }
            }
        }
        self.child.wait().map(drop).map_err(|e| Error::new(format!("can't wait for postgres: {e}")))
    }

    fn log_tail(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().fold(String::new(), |text, line| text + line + "\n")
    }
}

fn keep(log: &Log, line: String) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    if log.len() == LOG_LINES {
        log.pop_front();
    }
    log.push_back(line);
}

/// Running processes whose working folder is this one: exactly the processes of the server with this
/// data folder.
fn working_in(data: &Path) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    pids.filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data)).collect()
}

/// Sends a signal. The shell's own `kill` is used because the standard library knows only SIGKILL,
/// and only for a child.
fn signal(name: &str, pids: &[u32]) {
    let list = pids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    let _ = Command::new("/bin/sh")
        .args(["-c", &format!("kill -{name} {list}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// A small shell program that outlives us: when its input ends, because we finished or were
/// killed, it stops the postmaster named last and removes the folder. A server that was killed
/// leaves a small segment of shared memory in the kernel, whose number is in its own file.
pub(super) struct Guard {
    child: Child,
    input: Option<ChildStdin>,
}

const GUARD: &str = r#"
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
    kill -QUIT "$pid"
    left=100
    while [ "$left" -gt 0 ] && kill -0 "$pid"; do left=$((left - 1)); sleep 0.1; done
    kill -KILL "$pid"
fi
if [ -f "$1/data/postmaster.pid" ]; then
    segment=$(sed -n 7p "$1/data/postmaster.pid")
    [ -z "$segment" ] || ipcrm -m "${segment##* }"
fi
left=20
until rm -rf "$1" || [ "$left" -eq 0 ]; do left=$((left - 1)); sleep 0.1; done
"#;

impl Guard {
    pub(super) fn start(home: &Path) -> Result<Guard, Error> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard"])
            .arg(home)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| Error::new(format!("can't start /bin/sh: {e}")))?;
        let input = child.stdin.take();
        Ok(Guard { child, input })
    }

    /// Sets the process to stop at the end; `None` after it has ended, because another process may
    /// have its number by then.
    pub(super) fn watch(&mut self, pid: Option<u32>) {
        if let Some(input) = &mut self.input {
            let _ = writeln!(input, "{}", pid.map_or(String::new(), |pid| pid.to_string()));
        }
    }

    /// Makes it clean up, and waits for that.
    pub(super) fn finish(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}
