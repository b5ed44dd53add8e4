//! `cargo xtask bench`: measures the product beside its yardsticks and writes down what came out.
//!
//! It must never assert a time, and never write a figure that it did not measure in this run.

mod check;
mod figures;
mod instructions;
mod machine;
mod report;
mod writes;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::exec::{self, Show};
use crate::reaper::Reaper;
use crate::{lint, out, root};

pub const HELP: &str = "\
Usage: cargo xtask bench [--quick] [--only NAME]...

Builds the server and the measuring programs with the release profile, measures,
and writes docs/performance.md. What is measured:
  decision      a decision in process at 1 and 3 million tokens, and folds
  memory        the memory of each further token, up to 3 million
  check         the check path beside a bare server of the same stack
  instructions  the same by instructions, where valgrind is installed
  issue         durable issue of tokens beside SQLite and the disk alone

Options:
  --quick      small numbers, to see that everything runs
  --only NAME  only this; may be repeated

With an option the report goes to target/xtask/performance.md instead: only a
whole run writes the documentation. Linux alone has what this needs. Close other
programs first; a run takes about 15 minutes and 6 GB of disk in the system's
temporary folder (TMPDIR chooses another).
";

/// All that can be measured, in the order in which it is.
const SECTIONS: &[&str] = &["decision", "memory", "check", "instructions", "issue"];
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);
const STEP_LIMIT: Duration = Duration::from_secs(15 * 60);
/// With this in the environment glibc asks for huge pages; see `docs/decisions/0001-index.md`.
const HUGE_PAGES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1073741824");
/// The server works on the first core, whoever asks it on the second.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

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

/// What every measurement works with.
struct Bench<'a> {
    reaper: &'a Reaper,
    quick: bool,
    server: PathBuf,
    programs: PathBuf,
    /// On the disk that durable writes go to; removed at the end.
    folder: PathBuf,
    /// Whether processes can be bound to cores.
    pins: bool,
    valgrind: bool,
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
    let bench = Bench::new(&reaper, &options, &root)?;
    let mut figures = Map::new();
    figures.insert("quick".into(), options.quick.into());
    figures.insert("machine".into(), machine::describe(&bench.folder, bench.pins, bench.valgrind));
    for section in SECTIONS.iter().filter(|section| options.wants(section)) {
        out::heading(section);
        let started = Instant::now();
        figures.insert((*section).into(), bench.measure(section)?);
        out::detail(&format!("took {}", out::took(started.elapsed())));
    }
    figures.insert("load_after".into(), machine::load().into());
    let figures = Value::Object(figures);
    let path = if options.is_whole() { root.join("docs/performance.md") } else { kept.join("performance.md") };
    write(&kept.join("bench.json"), &format!("{figures:#}\n"))?;
    write(&path, &report::markdown(&figures))?;
    out::heading("goals");
    report::summary(&figures).iter().for_each(|line| out::detail(line));
    out::line(&format!("written: {}", path.strip_prefix(&root).unwrap_or(&path).display()));
    Ok(true)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("can't write {}", path.display()))
}

fn build(reaper: &Reaper, root: &Path) -> Result<()> {
    let mut command = lint::cargo(root);
    // Together, so that both are built with the same features of what they share.
    command.args(["build", "--release", "--locked", "-p", "valetkey", "-p", "valetkey-bench"]);
    exec::step(reaper, "building the server and the measuring programs", command, BUILD_LIMIT)
}

impl<'a> Bench<'a> {
    fn new(reaper: &'a Reaper, options: &Options, root: &Path) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pins = cores > 1 && exec::answer("taskset", &["-c", LOAD_CORE, "true"]).is_some();
        let valgrind = exec::answer("valgrind", &["--version"]).is_some();
        announce("taskset", pins, "binds server and load to a core each; without it the ratios are noisier");
        announce("valgrind", valgrind, "counts instructions; without it they are not measured");
        let release = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let program = |name: &str| release.join("release").join(name);
        Ok(Self {
            reaper,
            quick: options.quick,
            server: program("valetkey"),
            programs: program("valetkey-bench"),
            folder: reaper.folder("bench")?,
            pins,
            valgrind,
        })
    }

    fn measure(&self, section: &str) -> Result<Value> {
        match section {
            "decision" => {
                let counts: &[usize] = if self.quick { &[20_000] } else { &[1_000_000, 3_000_000] };
                Ok(Value::Array(counts.iter().map(|tokens| self.decision(*tokens)).collect::<Result<_>>()?))
            }
            "memory" => self.ask(&["memory", "--tokens", if self.quick { "250000" } else { "3000000" }]),
            "check" => check::measure(self),
            "instructions" if !self.valgrind => Ok(Value::Null),
            "instructions" => instructions::measure(self),
            "issue" => writes::measure(self),
            other => bail!("nothing measures '{other}'"),
        }
    }

    /// Decisions as the system comes, and once more with huge pages, which a server gets only from
    /// whoever sets its environment.
    fn decision(&self, tokens: usize) -> Result<Value> {
        let args = ["decision", "--tokens", &tokens.to_string()];
        let mut row = self.ask(&args)?;
        row["huge_pages"] = self.ask_in(Some(HUGE_PAGES), Some(LOAD_CORE), &args)?;
        Ok(row)
    }

    /// Runs a measuring program to its end, on the core of those who ask, and reads its figures.
    fn ask(&self, args: &[&str]) -> Result<Value> {
        self.ask_on(Some(LOAD_CORE), args)
    }

    fn ask_on(&self, core: Option<&str>, args: &[&str]) -> Result<Value> {
        self.ask_in(None, core, args)
    }

    /// The same with one more variable in its environment.
    fn ask_in(&self, variable: Option<(&str, &str)>, core: Option<&str>, args: &[&str]) -> Result<Value> {
        let mut command = self.pinned(core, &self.programs);
        command.args(args).envs(variable);
        let ended = exec::run(self.reaper, command, STEP_LIMIT, Show::Quiet)?;
        let answer = ended.output.lines().rev().find(|line| line.starts_with('{'));
        let figures = answer.filter(|_| ended.success()).and_then(|line| serde_json::from_str(line).ok());
        figures.with_context(|| {
            let last = exec::tail(&ended.output, 5).join("; ");
            format!("measuring '{}' failed with {}: {last}", args.join(" "), ended.how())
        })
    }

    /// A command bound to a core, where that is possible.
    fn pinned(&self, core: Option<&str>, program: &Path) -> Command {
        match core.filter(|_| self.pins) {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", core]).arg(program);
                command
            }
            None => Command::new(program),
        }
    }

    /// A data folder with so many live tokens, and the file of questions about them.
    fn seed(&self, name: &str, tokens: usize) -> Result<(PathBuf, PathBuf)> {
        let data = self.folder.join(name);
        let figures =
            self.ask_on(None, &["seed", "--data", &data.to_string_lossy(), "--tokens", &tokens.to_string()])?;
        out::detail(&format!(
            "a data folder with {tokens} tokens took {:.1} s",
            figures["seconds"].as_f64().unwrap_or(0.0)
        ));
        let targets = data.join("targets.txt");
        Ok((data, targets))
    }
}

fn announce(tool: &str, found: bool, purpose: &str) {
    let word = if found { out::green("found") } else { out::red("not here") };
    out::detail(&format!("{word}  {tool}: {purpose}"));
}

/// Median and interval as one value.
fn triple(values: &[f64]) -> Value {
    let (median, low, high) = figures::median(values);
    json!({ "median": median, "low": low, "high": high })
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
