//! What every measurement uses: the built programs, cores to bind them to, and a folder.
//!
//! It must never measure anything itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::figures;
use crate::exec::{self, Show};
use crate::out;
use crate::reaper::Reaper;

const STEP_LIMIT: Duration = Duration::from_secs(15 * 60);
/// With this in the environment glibc asks for huge pages, as `serve` does; see
/// `docs/decisions/0037-large-pages.md`.
const HUGE_PAGES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
/// The server runs on the first core, the load on the second.
pub const SERVER_CORE: &str = "0";
pub const LOAD_CORE: &str = "1";

/// What every measurement uses.
pub struct Bench<'a> {
    pub reaper: &'a Reaper,
    pub quick: bool,
    pub server: PathBuf,
    pub programs: PathBuf,
    /// On the disk that durable writes go to; removed at the end.
    pub folder: PathBuf,
    /// Whether processes can be bound to cores.
    pub pins: bool,
    pub valgrind: bool,
}

impl<'a> Bench<'a> {
    pub fn new(reaper: &'a Reaper, quick: bool, root: &Path) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pins = cores > 1 && exec::answer("taskset", &["-c", LOAD_CORE, "true"]).is_some();
        let valgrind = exec::answer("valgrind", &["--version"]).is_some();
        announce("taskset", pins, "binds server and load to a core each; without it the ratios are noisier");
        announce("valgrind", valgrind, "counts instructions; without it they are not measured");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let program = |name: &str| target.join("dist").join(name);
        Ok(Self {
            reaper,
            quick,
            server: program("valetkey"),
            programs: program("valetkey-bench"),
            folder: reaper.folder("bench")?,
            pins,
            valgrind,
        })
    }

    /// Decisions with the system's default pages, and again with huge pages, which `serve` asks for.
    pub fn decision(&self, tokens: usize) -> Result<Value> {
        let args = ["decision", "--tokens", &tokens.to_string()];
        let mut row = self.ask(&args)?;
        row["huge_pages"] = self.ask_in(Some(HUGE_PAGES), Some(LOAD_CORE), &args)?;
        Ok(row)
    }

    /// Runs a measuring program to its end, on the load's core, and reads its figures.
    pub fn ask(&self, args: &[&str]) -> Result<Value> {
        self.ask_on(Some(LOAD_CORE), args)
    }

    pub fn ask_on(&self, core: Option<&str>, args: &[&str]) -> Result<Value> {
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

    /// A command bound to a core, if that is possible.
    pub fn pinned(&self, core: Option<&str>, program: &Path) -> Command {
        match core.filter(|_| self.pins) {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", core]).arg(program);
                command
            }
            None => Command::new(program),
        }
    }

    /// A data folder with `tokens` live tokens, and the file of questions about them.
    pub fn seed(&self, name: &str, tokens: usize) -> Result<(PathBuf, PathBuf)> {
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
pub fn triple(values: &[f64]) -> Value {
    let (median, low, high) = figures::median(values);
    json!({ "median": median, "low": low, "high": high })
}

pub fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("can't write {}", path.display()))
}
