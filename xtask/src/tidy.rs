//! `cargo xtask tidy`: the rules of this project that no other tool knows.
//!
//! It reads the files that git tracks or would track. It must never change one, and every exception
//! to a rule stands in a table with its reason.

mod arrows;
mod files;
mod floors;
mod links;
mod text;
mod words;

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::{out, root};
use files::File;

pub const HELP: &str = "\
Usage: cargo xtask tidy

Checks all files that git tracks, and those that it would track:
  text    no trailing blanks, a newline at the end, nothing unfinished, no
          ignored tests, no paths of somebody's machine, no pending snapshots,
          no download addresses in package-lock.json
  rust    every file begins with `//!` and has at most 600 lines
  house   which crate may depend on which; only stores name a database driver;
          only the server reads files, environment and arguments
  words   names that the project doesn't use
  docs    relative links and anchors lead somewhere; the README shows the two
          commands that set everything up
";

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: String,
    /// Counted from 1; 0 means the whole file.
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_string(), line, what: what.into() }
    }

    fn text(&self) -> String {
        if self.line == 0 {
            format!("{}: {}", self.path, self.what)
        } else {
            format!("{}:{}: {}", self.path, self.line, self.what)
        }
    }
}

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
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_say_where() {
        assert_eq!(Finding::new("a/b.rs", 3, "what").text(), "a/b.rs:3: what");
        assert_eq!(Finding::new("a/b.rs", 0, "what").text(), "a/b.rs: what");
    }

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
