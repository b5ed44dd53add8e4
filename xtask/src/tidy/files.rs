//! The files that the rules are about: what git tracks, and what it would track.
//!
//! It must never read anything else, so that a build folder or an editor's file can't fail a check.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A text file.
#[derive(Debug)]
pub struct File {
    /// Relative to the repository, with slashes.
    pub path: String,
    pub text: String,
}

impl File {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_string(), text: text.to_string() }
    }

    pub fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Lines with their numbers, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// The names of all files, and those files that are text.
pub fn of_repository(root: &Path) -> Result<(BTreeSet<String>, Vec<File>)> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("can't start git, which lists the files")?;
    if !output.status.success() {
        bail!("git can't list the files: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut names = BTreeSet::new();
    let mut files = Vec::new();
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        // A tracked file may have been deleted in the work tree.
        let Ok(bytes) = std::fs::read(root.join(name)) else { continue };
        names.insert(name.to_string());
        if bytes.contains(&0) {
            continue;
        }
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File::new(name, &text));
        }
    }
    Ok((names, files))
}
