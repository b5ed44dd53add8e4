//! `cargo xtask lint`: everything that is checked without running the product.
//!
//! It must never change a file: findings are fixed by hand or by `cargo fmt`.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::exec::{self, Show};
use crate::reaper::Reaper;
use crate::{out, place::cargo, root, tidy};

pub const HELP: &str = "\
Usage: cargo xtask lint

Runs, all of them even if one fails: `cargo fmt --check`, `cargo clippy` with
warnings denied, `cargo xtask tidy`, and, where cargo-deny is installed, its
checks of licences, bans and sources.
";

const LIMIT: Duration = Duration::from_secs(30 * 60);

pub fn run(args: &[String]) -> Result<bool> {
    if let Some(arg) = args.first() {
        bail!("`cargo xtask lint` knows no '{arg}'; it takes no options");
    }
    let root = root()?;
    let reaper = Reaper::start()?;
    let mut failed: Vec<&str> = Vec::new();
    let mut count = 0;
    for (name, words) in commands() {
        count += 1;
        out::heading(&words.join(" "));
        let mut command = cargo(&root);
        command.args(&words[1..]);
        let ended = exec::run(&reaper, command, LIMIT, Show::Live)?;
        out::detail(&format!("took {}", out::took(ended.duration)));
        if !ended.success() {
            failed.push(name);
        }
    }
    count += 1;
    if !tidy::run(&[])? {
        failed.push("tidy");
    }
    if failed.is_empty() {
        out::line(&out::green(&format!("lint: all {count} checks are fine")));
    } else {
        out::line(&out::red(&format!("lint: {} of {count} checks failed: {}", failed.len(), failed.join(", "))));
    }
    Ok(failed.is_empty())
}

fn commands() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut commands = vec![
        (
            "format",
            vec!["cargo", "fmt", "--all", "--check", "--", "--color", if out::colours() { "always" } else { "never" }],
        ),
        ("clippy", vec!["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    ];
    if exec::answer("cargo", &["deny", "--version"]).is_some() {
        let deny = vec!["cargo", "deny", "--offline", "--workspace", "check", "licenses", "bans", "sources"];
        commands.push(("licences", deny));
    } else {
        out::detail("not here  cargo-deny: optional; licences, bans and sources are not checked in this run");
    }
    commands
}
