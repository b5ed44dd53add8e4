//! `cargo xtask screenshots`: the stories of the console, with pictures of the pages that they see.
//!
//! It must never replace the pictures by those of a run that failed.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{Work, rust, system};
use crate::needs::{self, Consent, Need};
use crate::reaper::Reaper;
use crate::{out, root};

pub const HELP: &str = "\
Usage: cargo xtask screenshots [--install]

Runs the stories of the console, and keeps pictures of the pages that they see in
docs/screenshots: at 1440, 1024 and 390 pixels, light, and dark for the main pages.
A run that fails leaves the pictures as they are.

Options:
  --install  install what is missing with the system's package manager
";

const FOLDER: &str = "docs/screenshots";

pub fn run(args: &[String]) -> Result<bool> {
    let mut install = false;
    for arg in args {
        match arg.as_str() {
            "--install" => install = true,
            other => bail!("`cargo xtask screenshots` knows no '{other}'; see `cargo xtask screenshots --help`"),
        }
    }
    let start = Instant::now();
    let root = root()?;
    let logs = root.join("target/xtask/logs");
    std::fs::create_dir_all(&logs).with_context(|| format!("can't create {}", logs.display()))?;
    let program = std::env::current_exe().context("can't find this program's own file")?;
    let mut wanted: BTreeSet<Need> = system::CONSOLE.needs.iter().copied().collect();
    wanted.insert(Need::Pngquant);
    let tools = needs::ensure(&wanted, false, Consent::of_this_run(install))?;
    let reaper = Reaper::start()?;
    let work = Work { root: &root, reaper: &reaper, tools, program, logs };
    let binary = rust::build(&work, false)?;
    let made = reaper.folder("screenshots")?;
    let counts = system::run_with(&work, &system::CONSOLE, &binary, &[("SCREENSHOTS", made.as_path())])?;
    if counts.failed > 0 {
        bail!("{} of the stories' checks failed, so {FOLDER} stays as it is", counts.failed);
    }
    let kept = replace(&made, &root.join(FOLDER))?;
    out::line(&format!("written: {kept} pictures in {FOLDER}, took {}", out::took(start.elapsed())));
    Ok(true)
}

/// Puts the pictures of one folder in the place of those of another; answers how many there are.
fn replace(made: &Path, kept: &Path) -> Result<usize> {
    let pictures = pictures(made)?;
    if pictures.is_empty() {
        bail!("the stories made no picture");
    }
    std::fs::create_dir_all(kept).with_context(|| format!("can't create {}", kept.display()))?;
    for old in self::pictures(kept)? {
        let path = kept.join(old);
        std::fs::remove_file(&path).with_context(|| format!("can't remove {}", path.display()))?;
    }
    for name in &pictures {
        let target = kept.join(name);
        std::fs::copy(made.join(name), &target).with_context(|| format!("can't write {}", target.display()))?;
    }
    Ok(pictures.len())
}

/// The names of the pictures in a folder.
fn pictures(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.ends_with(".png")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_pictures_take_the_place_of_all_old_ones() {
        let reaper = Reaper::start().unwrap();
        let (made, kept) = (reaper.folder("made").unwrap(), reaper.folder("kept").unwrap());
        assert!(replace(&made, &kept).unwrap_err().to_string().contains("no picture"));
        std::fs::write(made.join("new.png"), "1").unwrap();
        std::fs::write(kept.join("gone.png"), "old").unwrap();
        std::fs::write(kept.join("README.md"), "text").unwrap();
        assert_eq!(replace(&made, &kept).unwrap(), 1);
        assert!(kept.join("new.png").exists() && kept.join("README.md").exists());
        assert!(!kept.join("gone.png").exists());
    }
}
