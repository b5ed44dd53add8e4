//! Runs the stories of the official SDKs against a running demo, and installs what stories need.
//!
//! It must never change the SDKs, and never write into `clients/`: packages are installed under `target/`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Work, counts, counts::Counts};
use crate::exec::{self, Show};
use crate::needs::Need;

const INSTALL_LIMIT: Duration = Duration::from_secs(10 * 60);
const STORY_LIMIT: Duration = Duration::from_secs(10 * 60);

/// A language that has an official SDK and a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Python,
    Node,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::Python, Self::Node];

    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
        }
    }

    pub fn need(self) -> Need {
        match self {
            Self::Python => Need::Python,
            Self::Node => Need::Node,
        }
    }
}

/// Runs the story of one client against the demo that `demo_file` describes.
pub fn story(work: &Work<'_>, language: Language, demo_file: &Path) -> Result<Counts> {
    let mut command = match language {
        Language::Python => {
            let mut command = Command::new(python(work)?);
            command.arg("-u").arg(work.root.join("clients/python/story.py")).env("PYTHONDONTWRITEBYTECODE", "1");
            command
        }
        Language::Node => {
            let mut command = Command::new("node");
            command.arg(packages(work, "node")?.join("story.mjs"));
            command
        }
    };
    command.arg("--demo").arg(demo_file);
    let ended = exec::run(work.reaper, command, STORY_LIMIT, Show::Live)?;
    Ok(counts::closing_line(&ended))
}

/// The Python of a virtual environment with the pinned packages, rebuilt when the pins change.
pub fn python(work: &Work<'_>) -> Result<PathBuf> {
    let pins = work.root.join("clients/python/requirements.txt");
    let version = exec::answer("python3", &["--version"]).context("python3 doesn't say its version")?;
    let stamp = format!("{version}\n{}", read(&pins)?);
    let venv = work.root.join("target/clients/venv");
    let python = venv.join("bin/python");
    if is_fresh(&venv, &stamp) && python.exists() {
        return Ok(python);
    }
    let mut command = Command::new("python3");
    command.args(["-m", "venv", "--clear"]).arg(&venv);
    exec::step(work.reaper, "making a Python environment", command, INSTALL_LIMIT)?;
    let mut command = Command::new(&python);
    command.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-r"]).arg(&pins);
    exec::step(work.reaper, "installing the Python SDK", command, INSTALL_LIMIT)?;
    mark(&venv, &stamp)?;
    Ok(python)
}

/// A copy of a folder of `clients/` that Node runs, with its packages beside it. The sources are copied
/// each time; the packages are installed when the lock file changes.
pub fn packages(work: &Work<'_>, name: &str) -> Result<PathBuf> {
    let source = work.root.join("clients").join(name);
    let copy = work.root.join("target/clients").join(name);
    let stamp = read(&source.join("package-lock.json"))?;
    copy_sources(&source, &copy)?;
    if !is_fresh(&copy, &stamp) || !copy.join("node_modules").exists() {
        let mut command = Command::new("npm");
        command.args(["ci", "--no-audit", "--no-fund", "--no-update-notifier"]).current_dir(&copy);
        exec::step(work.reaper, &format!("installing the packages of clients/{name}"), command, INSTALL_LIMIT)?;
        mark(&copy, &stamp)?;
    }
    Ok(copy)
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))
}

fn stamp_file(folder: &Path) -> PathBuf {
    folder.join(".xtask-stamp")
}

fn is_fresh(folder: &Path, stamp: &str) -> bool {
    std::fs::read_to_string(stamp_file(folder)).is_ok_and(|found| found == stamp)
}

fn mark(folder: &Path, stamp: &str) -> Result<()> {
    let file = stamp_file(folder);
    std::fs::write(&file, stamp).with_context(|| format!("can't write {}", file.display()))
}

/// Copies a folder of sources over its last copy; deleted sources are deleted there too.
fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("can't create {}", to.display()))?;
    let keep = ["node_modules", ".xtask-stamp"];
    let entries = |folder: &Path| -> Result<Vec<_>> {
        let entries = std::fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
        Ok(entries.flatten().filter(|entry| !keep.iter().any(|name| entry.file_name() == *name)).collect())
    };
    for old in entries(to)? {
        let path = old.path();
        let gone = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        gone.with_context(|| format!("can't remove {}", path.display()))?;
    }
    for entry in entries(from)? {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_sources(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target).with_context(|| format!("can't copy to {}", target.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reaper::Reaper;

    #[test]
    fn copies_follow_the_sources_and_keep_the_packages() {
        let reaper = Reaper::start().unwrap();
        let (from, to) = (reaper.folder("from").unwrap(), reaper.folder("to").unwrap());
        std::fs::create_dir_all(from.join("lib")).unwrap();
        std::fs::create_dir_all(from.join("node_modules/foreign")).unwrap();
        std::fs::write(from.join("lib/a.mjs"), "1").unwrap();
        std::fs::create_dir_all(to.join("node_modules/ours")).unwrap();
        std::fs::write(to.join("gone.mjs"), "old").unwrap();
        copy_sources(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("lib/a.mjs")).unwrap(), "1");
        assert!(!to.join("gone.mjs").exists());
        assert!(to.join("node_modules/ours").exists() && !to.join("node_modules/foreign").exists());
    }

    #[test]
    fn packages_are_fresh_until_the_pins_change() {
        let reaper = Reaper::start().unwrap();
        let folder = reaper.folder("stamp").unwrap();
        assert!(!is_fresh(&folder, "a==1"));
        mark(&folder, "a==1").unwrap();
        assert!(is_fresh(&folder, "a==1") && !is_fresh(&folder, "a==2"));
    }
}
