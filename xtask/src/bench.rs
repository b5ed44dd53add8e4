//! `cargo xtask bench`: measures the product beside its yardsticks and writes the results.
//!
//! It must never assert a time, and never write a figure that it did not measure in this run.

mod adapters;
mod check;
mod console;
mod figures;
mod goals;
mod instructions;
mod machine;
mod report;
mod tools;
mod writes;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::exec;
use crate::place::cargo;
use crate::reaper::Reaper;
use crate::{out, root};
use tools::{Bench, write};

pub const HELP: &str = "\
Usage: cargo xtask bench [--quick] [--only NAME]...

Builds the server and the measuring programs with the profile that is shipped, measures,
and writes docs/performance.md. What is measured:
  decision      a decision in process at 1 and 3 million tokens, and folds
  memory        the memory of each further token, up to 3 million
  check         the check path beside a bare server of the same stack
  adapters      /v1/check and reads of the Graph beside bare answers of their size
  instructions  the check path by instructions, where valgrind is installed
  issue         durable issue of tokens beside SQLite and the disk alone
  console       the console's pages with 10,000 assets: their bytes and the server's time

Options:
  --quick      small numbers, to see that everything runs
  --only NAME  only this; may be repeated

With an option the report goes to target/xtask/performance.md instead: only a
whole run writes the documentation. Linux alone has what this needs. Close other
programs first; a run takes about 15 minutes and 6 GB of disk in the system's
temporary folder (TMPDIR chooses another).
";

/// All sections that can be measured, in order.
const SECTIONS: &[&str] = &["decision", "memory", "check", "adapters", "instructions", "issue", "console"];
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    quick: bool,
    only: Vec<String>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--only" => {
                    let name = args.next().context("--only needs a name")?;
                    if !SECTIONS.contains(&name.as_str()) {
                        bail!("there is nothing called '{name}' to measure; there are {}", SECTIONS.join(", "));
                    }
                    options.only.push(name.clone());
                }
                other => bail!("`cargo xtask bench` knows no '{other}'; `cargo xtask bench --help` says what it takes"),
            }
        }
        Ok(options)
    }

    fn wants(&self, section: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == section)
    }

    fn is_whole(&self) -> bool {
        !self.quick && self.only.is_empty()
    }
}

pub fn run(args: &[String]) -> Result<bool> {
    let options = Options::parse(args)?;
    if !cfg!(target_os = "linux") {
        bail!("the benchmark reads a process's CPU time from /proc, which Linux alone has");
    }
    let root = root()?;
    let kept = root.join("target/xtask");
    std::fs::create_dir_all(&kept).with_context(|| format!("can't create {}", kept.display()))?;
    let reaper = Reaper::start()?;
    build(&reaper, &root)?;
    let bench = Bench::new(&reaper, options.quick, &root)?;
    let mut figures = Map::new();
    figures.insert("quick".into(), options.quick.into());
    figures.insert("machine".into(), machine::describe(&bench.folder, bench.pins, bench.valgrind));
    for section in SECTIONS.iter().filter(|section| options.wants(section)) {
        out::heading(section);
        let started = Instant::now();
        figures.insert((*section).into(), measure(&bench, section)?);
        out::detail(&format!("took {}", out::took(started.elapsed())));
    }
    figures.insert("load_after".into(), machine::load().into());
    let figures = Value::Object(figures);
    let path = if options.is_whole() { root.join("docs/performance.md") } else { kept.join("performance.md") };
    write(&kept.join("bench.json"), &format!("{figures:#}\n"))?;
    write(&path, &report::markdown(&figures))?;
    out::heading("goals");
    goals::summary(&figures).iter().for_each(|line| out::detail(line));
    out::line(&format!("written: {}", path.strip_prefix(&root).unwrap_or(&path).display()));
    Ok(true)
}

/// What one section found.
fn measure(bench: &Bench<'_>, section: &str) -> Result<Value> {
    match section {
        "decision" => {
            let counts: &[usize] = if bench.quick { &[20_000] } else { &[1_000_000, 3_000_000] };
            Ok(Value::Array(counts.iter().map(|tokens| bench.decision(*tokens)).collect::<Result<_>>()?))
        }
        "memory" => bench.ask(&["memory", "--tokens", if bench.quick { "250000" } else { "3000000" }]),
        "check" => check::measure(bench),
        "adapters" => adapters::measure(bench),
        "instructions" if !bench.valgrind => Ok(Value::Null),
        "instructions" => instructions::measure(bench),
        "issue" => writes::measure(bench),
        "console" => console::measure(bench),
        other => bail!("nothing measures '{other}'"),
    }
}

fn build(reaper: &Reaper, root: &Path) -> Result<()> {
    let mut command = cargo(root);
    // Together, so that both are built with the same features of what they share.
    command.args(["build", "--profile", "dist", "--locked", "-p", "valetkey", "-p", "valetkey-bench"]);
    exec::step(reaper, "building the server and the measuring programs", command, BUILD_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options> {
        let words: Vec<String> = text.split_whitespace().map(String::from).collect();
        Options::parse(&words)
    }

    #[test]
    fn only_a_whole_run_writes_the_documentation() {
        assert!(parse("").unwrap().is_whole());
        assert!(!parse("--quick").unwrap().is_whole());
        let some = parse("--only check --only issue").unwrap();
        assert!(!some.is_whole() && some.wants("check") && some.wants("issue") && !some.wants("memory"));
        assert!(parse("--only console").unwrap().wants("console"));
        assert!(parse("--only nothing").unwrap_err().to_string().contains("instructions"));
        assert!(parse("--only").is_err());
    }

    #[test]
    fn the_help_names_everything_that_is_measured() {
        for section in SECTIONS {
            assert!(HELP.contains(&format!("\n  {section}")), "{section}");
        }
    }
}
