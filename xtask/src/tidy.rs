//! `cargo xtask tidy`: the rules of this project that no other tool knows.
//!
//! It reads the files that git tracks or would track. It must never change one, and every exception
//! to a rule stands in a table with its reason.

mod arrows;
mod circles;
mod files;
mod finding;
mod floors;
mod links;
mod names;
mod text;
mod tokens;
mod words;

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::{out, root};
use files::File;
use finding::Finding;

pub const HELP: &str = "\
Usage: cargo xtask tidy

Checks all files that git tracks, and those that it would track:
  text    no trailing blanks, a newline at the end, nothing unfinished, no
          ignored tests, no paths of somebody's machine, no pending snapshots,
          no download addresses in package-lock.json
  rust    every file begins with `//!` and has at most 500 lines
  crates  which crate may depend on which; only stores name a database driver;
          only the server reads files, environment and arguments
  circles no two modules of a crate that use each other, directly or through
          others
  words   names that the project doesn't use, and words that say nothing in
          a name in code
  docs    relative links and anchors lead somewhere; the README shows the two
          commands that set everything up
";

pub fn run(args: &[String]) -> Result<bool> {
    if let Some(arg) = args.first() {
        bail!("`cargo xtask tidy` knows no '{arg}'; it takes no options");
    }
    out::heading("tidy");
    let start = Instant::now();
    let root = root()?;
    let (names, files) = files::of_repository(&root)?;
    let mut findings = check(&names, &files);
    findings.extend(arrows::check(&arrows::of_repository(&root)?));
    findings.sort();
    findings.dedup();
    for finding in &findings {
        out::line(&finding.text());
    }
    let took = out::took(start.elapsed());
    if findings.is_empty() {
        out::detail(&format!("{} files are tidy, took {took}", names.len()));
    } else {
        let text = format!("{} broken rules, {} files looked at, took {took}", findings.len(), names.len());
        out::detail(&out::red(&text));
    }
    Ok(findings.is_empty())
}

/// All rules that need no more than the files.
fn check(names: &BTreeSet<String>, files: &[File]) -> Vec<Finding> {
    let mut findings = text::check_names(names);
    for file in files {
        findings.extend(text::check(file));
        findings.extend(words::check(file));
        findings.extend(floors::check(file));
    }
    findings.extend(links::check(names, files));
    findings.extend(circles::check(files));
    findings.extend(names::check(files));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_asked() {
        let names: BTreeSet<String> = ["README.md", "crates/graph/src/x.rs", "y.snap.new"].map(String::from).into();
        let files = [
            File::new("README.md", "[gone](gone.md)\n"),
            File::new("crates/graph/src/x.rs", concat!("use std::fs;\nstruct Ten", "ant;\n")),
        ];
        let found: Vec<String> = check(&names, &files).iter().map(Finding::text).collect();
        for part in ["gone.md", "begins with", "std::fs", "ant'", "snapshot", "cargo xtask test"] {
            assert!(found.iter().any(|text| text.contains(part)), "{part} is not in {found:#?}");
        }
    }
}
