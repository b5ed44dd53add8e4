//! What the tests need from the system: looked for, announced, and installed if the user agrees.
//!
//! It must never install anything without `--install`, `CI=true` or a typed yes, and never leave a
//! test out because something is missing: it names what is missing, and the run fails.

mod install;
mod need;
mod probe;

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};

use anyhow::{Result, bail};

use crate::out;
use install::Manager;
pub use need::Need;

/// Which optional tools were found.
#[derive(Debug, Default)]
pub struct Tools {
    /// Whether `cargo nextest` runs the Rust tests.
    pub nextest: bool,
}

/// Whether missing packages may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Yes,
    Ask,
    Denied,
}

impl Consent {
    /// `--install` and `CI=true` are consent; a terminal can be asked; all else is a no.
    pub fn from(install: bool, ci: Option<&str>, terminal: bool) -> Self {
        if install || matches!(ci, Some("true" | "1")) {
            Self::Yes
        } else if terminal {
            Self::Ask
        } else {
            Self::Denied
        }
    }

    pub fn of_this_run(install: bool) -> Self {
        let ci = std::env::var("CI").ok();
        Self::from(install, ci.as_deref(), std::io::stdin().is_terminal() && std::io::stdout().is_terminal())
    }
}

/// Looks for what is needed, prints what it finds, and installs or names what is missing.
pub fn ensure(needs: &BTreeSet<Need>, rust: bool, consent: Consent) -> Result<Tools> {
    out::heading("what the tests need from this system");
    let tools = || Tools { nextest: rust && probe::has_nextest() };
    let missing = look(needs);
    if rust {
        announce_nextest();
    }
    if missing.is_empty() {
        return Ok(tools());
    }
    let manager = Manager::of_this_system();
    if !agreed(&missing, manager, consent)? {
        bail!("{}", refusal(&missing, manager));
    }
    if let Some(manager) = manager {
        install::run(manager, &missing)?;
    }
    out::heading("looking again");
    let missing = look(needs);
    if missing.is_empty() { Ok(tools()) } else { bail!("{}", refusal(&missing, manager)) }
}

/// Optional: without it, `cargo test` runs the Rust tests.
fn announce_nextest() {
    out::detail(&if probe::has_nextest() {
        format!("{}     cargo-nextest", out::green("found"))
    } else {
        "not here  cargo-nextest: optional; `cargo test` runs the Rust tests instead".to_string()
    });
}

fn look(needs: &BTreeSet<Need>) -> Vec<Need> {
    let mut missing = Vec::new();
    for need in needs {
        if *need == Need::Strace && !cfg!(target_os = "linux") {
            out::detail("not here  strace: exists on Linux alone, and so does the test that uses it");
            continue;
        }
        match probe::look(*need) {
            Ok(found) => {
                out::detail(&format!("{}     {}: {found}", out::green("found"), need.name()));
            }
            Err(why) => {
                out::detail(&format!("{}   {}: {why}; for: {}", out::red("missing"), need.name(), need.purpose()));
                missing.push(*need);
            }
        }
    }
    missing
}

fn agreed(missing: &[Need], manager: Option<Manager>, consent: Consent) -> Result<bool> {
    let Some(manager) = manager else { return Ok(false) };
    match consent {
        Consent::Yes => Ok(true),
        Consent::Denied => Ok(false),
        Consent::Ask => {
            out::detail(&format!("would run: {}", install::plan(manager, missing).join(" && ")));
            print!("    Install this now? [y/N] ");
            std::io::stdout().flush()?;
            let mut answer = String::new();
            std::io::stdin().read_line(&mut answer)?;
            Ok(is_yes(&answer))
        }
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

fn refusal(missing: &[Need], manager: Option<Manager>) -> String {
    let names: Vec<&str> = missing.iter().map(|need| need.name()).collect();
    let what = names.join(", ");
    match manager {
        Some(manager) => format!(
            "missing: {what}. The packages are {} ({}). Run again with --install, or install them with: {}",
            manager.packages(missing).join(" "),
            manager.name(),
            install::plan(manager, missing).join(" && "),
        ),
        None => format!(
            "missing: {what}. None of the package managers that this command knows is here (apt-get, dnf, pacman, \
             brew, apk); install it by hand and run again",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_installed_without_consent() {
        assert_eq!(Consent::from(true, None, false), Consent::Yes);
        assert_eq!(Consent::from(false, Some("true"), false), Consent::Yes);
        assert_eq!(Consent::from(false, None, true), Consent::Ask);
        assert_eq!(Consent::from(false, None, false), Consent::Denied);
        assert_eq!(Consent::from(false, Some("false"), false), Consent::Denied);
        assert!(!agreed(&[Need::Node], Some(Manager::Apt), Consent::Denied).unwrap());
        assert!(!agreed(&[Need::Node], None, Consent::Yes).unwrap(), "without a package manager");
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(is_yes("y\n") && is_yes(" YES \n"));
        assert!(!is_yes("\n") && !is_yes("no\n") && !is_yes("yesterday\n"));
    }

    #[test]
    fn a_refusal_names_the_package_and_the_way_out() {
        let text = refusal(&[Need::Python, Need::Strace], Some(Manager::Apt));
        for part in ["Python 3 with venv", "python3-venv", "strace", "--install", "apt-get install -y"] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
        assert!(refusal(&[Need::Node], None).contains("Node 18+"));
    }
}
