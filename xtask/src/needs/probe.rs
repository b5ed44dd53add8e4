//! Looks for the tools that the tests need.
//!
//! It must never change the system, and never take a tool for usable that wasn't asked itself.

use std::path::{Path, PathBuf};

use super::Need;
use crate::exec::answer;

const OLDEST_NODE: u32 = 18;

/// What was found of a need, or what is wrong with what is there.
pub(super) fn look(need: Need) -> Result<String, String> {
    match need {
        Need::Postgres => postgres(),
        Need::Python => python(),
        Need::Node => node(),
        Need::Strace => {
            let text = answer("strace", &["-V"]).ok_or("not found")?;
            Ok(text.lines().next().unwrap_or_default().to_string())
        }
    }
}

pub(super) fn has_nextest() -> bool {
    answer("cargo", &["nextest", "--version"]).is_some()
}

/// The folder with the server's programs.
pub(super) fn postgres_bin() -> Option<PathBuf> {
    postgres_folders().into_iter().find(|folder| is_server(folder))
}

/// Looks where the tests' own launcher looks: what it doesn't find is of no use.
fn postgres() -> Result<String, String> {
    let folder = postgres_bin().ok_or("initdb and postgres not found")?;
    if !postgres_folders().iter().any(|folder| folder.join("psql").exists()) {
        return Err("the server is here without psql".to_string());
    }
    let program = folder.join("postgres");
    let version = answer(&program.to_string_lossy(), &["--version"])
        .ok_or_else(|| format!("{} doesn't say its version", program.display()))?;
    Ok(format!("{version}, in {}", folder.display()))
}

fn is_server(folder: &Path) -> bool {
    folder.join("initdb").exists() && folder.join("postgres").exists()
}

/// Folders that may hold the server's programs; many systems keep them beside the path.
fn postgres_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = answer("pg_config", &["--bindir"]).map(PathBuf::from).into_iter().collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    folders.extend(newest_first(versions.collect()).into_iter().map(|version| version.join("bin")));
    folders.extend(["/usr/local/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders
}

fn newest_first(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    folders.sort_by_key(|folder| std::cmp::Reverse(first_number(&folder.to_string_lossy())));
    folders
}

fn first_number(text: &str) -> Option<u32> {
    let start = text.find(|char: char| char.is_ascii_digit())?;
    let digits: String = text[start..].chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn python() -> Result<String, String> {
    let version = answer("python3", &["--version"]).ok_or("python3 not found")?;
    answer("python3", &["-c", "import venv, ensurepip"]).ok_or_else(|| format!("{version} is here without venv"))?;
    Ok(version)
}

fn node() -> Result<String, String> {
    let version = answer("node", &["--version"]).ok_or("node not found")?;
    if first_number(&version).is_none_or(|major| major < OLDEST_NODE) {
        return Err(format!("node {version} is older than {OLDEST_NODE}"));
    }
    let npm = answer("npm", &["--version"]).ok_or_else(|| format!("node {version} is here without npm"))?;
    Ok(format!("node {version}, npm {npm}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(first_number("v20.20.2"), Some(20));
        assert_eq!(first_number("none"), None);
        let folders = ["/p/9/bin", "/p/15/bin", "/p/14/bin"].map(PathBuf::from).to_vec();
        assert_eq!(newest_first(folders)[0], PathBuf::from("/p/15/bin"));
    }

    #[test]
    fn a_folder_counts_only_with_both_programs() {
        let reaper = crate::reaper::Reaper::start().unwrap();
        let folder = reaper.folder("probe").unwrap();
        std::fs::write(folder.join("initdb"), "").unwrap();
        assert!(!is_server(&folder));
        std::fs::write(folder.join("postgres"), "").unwrap();
        assert!(is_server(&folder));
    }
}
