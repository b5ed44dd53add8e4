//! A helper process that outlives this one just long enough to clean up after it.
//!
//! It reads names of process groups and folders from a pipe whose other end only this process
//! holds. When this process ends, in whatever way (return, panic, ctrl-c, `kill -9`), the pipe
//! closes, and the helper ends and removes what is still listed. It must never end anything else.

use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

// Groups get two seconds between the polite signal and the other one.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
groups=' '
while read -r verb what; do
  case "$verb" in
    group) groups="$groups$what " ;;
    ended)
      kill -s KILL -- "-$what"
      case "$groups" in *" $what "*) groups="${groups%% $what *} ${groups#* $what }" ;; esac ;;
    folder) set -- "$@" "$what" ;;
    removed) rm -rf -- "$what" ;;
  esac
done
for group in $groups; do kill -s TERM -- "-$group"; done
for turn in 1 2 3 4 5 6 7 8 9 10; do
  alive=no
  for group in $groups; do kill -s 0 -- "-$group" && alive=yes; done
  [ "$alive" = no ] && break
  sleep 0.2
done
for group in $groups; do kill -s KILL -- "-$group"; done
for folder in "$@"; do rm -rf -- "$folder"; done
exit 0
"#;

/// The handle on the helper. Dropping it makes the helper clean up, and waits for that.
#[derive(Debug)]
pub struct Reaper {
    pipe: Mutex<Option<ChildStdin>>,
    helper: Child,
    folders: AtomicU32,
}

impl Reaper {
    pub fn start() -> Result<Self> {
        let mut helper = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("can't start sh, which cleans up after the tests")?;
        let pipe = helper.stdin.take();
        if pipe.is_none() {
            bail!("sh was started without a pipe to it");
        }
        Ok(Self { pipe: Mutex::new(pipe), helper, folders: AtomicU32::new(0) })
    }

    fn tell(&self, verb: &str, what: &str) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipe) = pipe.as_mut() {
            // If the helper has died, the work still goes on.
            let _ = writeln!(pipe, "{verb} {what}");
        }
    }

    /// Starts a command as the leader of a new process group that is watched from now on.
    pub fn spawn(&self, command: &mut Command) -> std::io::Result<Child> {
        let child = command.process_group(0).spawn()?;
        self.tell("group", &child.id().to_string());
        Ok(child)
    }

    /// Called after the leader has ended: ends all other processes of its group.
    pub fn ended(&self, child: &Child) {
        self.tell("ended", &child.id().to_string());
    }

    /// A new empty folder for this process alone, removed at the end. It is in the system's temporary
    /// folder, because a database server that runs as another user must be able to reach it.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let number = self.folders.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("valetkey-{}-{number}-{name}", std::process::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("can't create the folder {}", path.display()))?;
        self.tell("folder", &path.to_string_lossy());
        Ok(path)
    }

    /// Removes a folder before the end, to give its space back.
    pub fn remove(&self, folder: &Path) {
        self.tell("removed", &folder.to_string_lossy());
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = self.helper.wait();
    }
}

/// Sends a signal to all processes of a child's group.
pub fn signal(child: &Child, name: &str) {
    let _ = Command::new("sh")
        .args(["-c", r#"kill -s "$1" -- "-$2""#, "sh", name, &child.id().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read};

    use super::*;

    /// A process that starts another and says so; the pipe closes once both are gone.
    fn family(reaper: &Reaper) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo started; wait"]).stdout(Stdio::piped()).stdin(Stdio::null());
        reaper.spawn(&mut command).unwrap()
    }

    #[test]
    fn whole_groups_and_folders_go_when_the_handle_goes() {
        let reaper = Reaper::start().unwrap();
        let folder = reaper.folder("with a space").unwrap();
        std::fs::write(folder.join("file"), "x").unwrap();
        let mut child = family(&reaper);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "started\n");
        drop(reaper);
        // Returns only because grandchild and child, who hold the other end, were both ended.
        output.read_to_string(&mut line).unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(!folder.exists());
    }

    #[test]
    fn a_group_that_ended_takes_its_leftovers_with_it_and_no_other() {
        let reaper = Reaper::start().unwrap();
        let mut leaver = Command::new("sh");
        leaver.args(["-c", "sleep 600 & echo started"]).stdout(Stdio::piped()).stdin(Stdio::null());
        let mut leaver = reaper.spawn(&mut leaver).unwrap();
        let mut other = family(&reaper);
        let mut text = String::new();
        let mut output = leaver.stdout.take().unwrap();
        leaver.wait().unwrap();
        reaper.ended(&leaver);
        output.read_to_string(&mut text).unwrap();
        assert_eq!(text, "started\n");
        assert!(other.try_wait().unwrap().is_none(), "another group was ended too");
        signal(&other, "KILL");
        other.wait().unwrap();
    }
}
