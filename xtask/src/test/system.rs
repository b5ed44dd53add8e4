//! Suites that test the finished binary from outside: a program each, listed in one table.
//!
//! It must never run a program that isn't in the table, nor have a row whose program is missing.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Work, clients, counts, counts::Counts};
use crate::exec::{self, Show};
use crate::needs::Need;

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// One suite. Its program ends with the line `N passed, N failed` and an exit code that agrees.
#[derive(Debug)]
pub struct Suite {
    /// Its name for `--only` and in the table.
    pub name: &'static str,
    /// Its file or folder, in `tests/` or `clients/`.
    pub path: &'static str,
    pub needs: &'static [Need],
    /// The command. In its words, `{root}` is the repository, `{valetkey}` the binary, `{temp}` a
    /// fresh folder, `{python}` the Python of the client stories, `{console}` the folder of the
    /// console's stories with their packages, `{postgres}` the address of a fresh PostgreSQL server,
    /// and `{xtask}` this program, which a suite asks for a server of its own to kill.
    pub command: &'static [&'static str],
}

/// All system suites. A new one is a row here.
pub const SUITES: &[Suite] = &[
    Suite {
        name: "flush-trace",
        path: "tests/flush_trace.py",
        needs: &[Need::Python, Need::Strace],
        command: &["python3", "{root}/tests/flush_trace.py", "{valetkey}", "{temp}"],
    },
    Suite {
        name: "kill-sqlite",
        path: "tests/kill_under_load.py",
        needs: &[Need::Python],
        command: &["python3", "{root}/tests/kill_under_load.py", "{valetkey}", "{temp}"],
    },
    Suite {
        name: "kill-postgres",
        path: "tests/kill_under_load.py",
        needs: &[Need::Python, Need::Postgres],
        command: &["python3", "{root}/tests/kill_under_load.py", "{valetkey}", "{temp}", "{postgres}"],
    },
    Suite {
        name: "kill-database",
        path: "tests/kill_database_under_load.py",
        needs: &[Need::Python, Need::Postgres],
        command: &["python3", "{root}/tests/kill_database_under_load.py", "{valetkey}", "{temp}", "{xtask}"],
    },
    CONSOLE,
];

/// The console in a real browser. It starts its own servers, over SQLite.
pub const CONSOLE: Suite = Suite {
    name: "console",
    path: "clients/console",
    needs: &[Need::Node, Need::Chromium, Need::Fonts],
    command: &["node", "{console}/story.mjs", "--binary", "{valetkey}", "--temp", "{temp}"],
};

/// Entries of `tests/` that are no suites: shared code, and data for a Rust test.
#[cfg(test)]
const BESIDE: &[&str] = &["tests/lib", "tests/upgrade"];

pub fn run(work: &Work<'_>, suite: &Suite, binary: &Path) -> Result<Counts> {
    run_with(work, suite, binary, &[])
}

/// Runs a suite with further variables in its environment.
pub fn run_with(work: &Work<'_>, suite: &Suite, binary: &Path, env: &[(&str, &Path)]) -> Result<Counts> {
    if !work.root.join(suite.path).exists() {
        bail!("there is no {}, which the table of suites names", suite.path);
    }
    let uses = |word: &str| suite.command.iter().any(|part| part.contains(word));
    let database = if uses("{postgres}") { Some(work.postgres(suite.name)?) } else { None };
    let python = if uses("{python}") { Some(clients::python(work)?) } else { None };
    let console = if uses("{console}") { Some(clients::packages(work, "console")?) } else { None };
    let temp = work.reaper.folder(suite.name)?;
    let words = fill(
        suite.command,
        &[
            ("{root}", &work.root.to_string_lossy()),
            ("{valetkey}", &binary.to_string_lossy()),
            ("{temp}", &temp.to_string_lossy()),
            ("{python}", &python.unwrap_or_default().to_string_lossy()),
            ("{console}", &console.unwrap_or_default().to_string_lossy()),
            ("{postgres}", database.as_ref().map_or("", |(_, address)| address)),
            ("{xtask}", &work.program.to_string_lossy()),
        ],
    );
    let (program, args) = words.split_first().with_context(|| format!("{} has no command", suite.name))?;
    let mut command = Command::new(program);
    command.args(args).envs(env.iter().copied()).current_dir(work.root);
    let ended = exec::run(work.reaper, command, LIMIT, Show::Live)?;
    work.reaper.remove(&temp);
    Ok(counts::closing_line(&ended))
}

fn fill(command: &[&str], values: &[(&str, &str)]) -> Vec<String> {
    command
        .iter()
        .map(|word| values.iter().fold((*word).to_string(), |word, (name, value)| word.replace(name, value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::Tools;
    use crate::reaper::Reaper;

    #[test]
    fn the_table_and_the_tree_agree() {
        let root = crate::root().unwrap();
        for suite in SUITES {
            assert!(root.join(suite.path).exists(), "{}: there is no {}", suite.name, suite.path);
            assert!(!suite.command.is_empty(), "{} has no command", suite.name);
        }
        let Ok(entries) = std::fs::read_dir(root.join("tests")) else { return };
        for entry in entries.flatten().filter(|entry| entry.file_name() != "__pycache__") {
            let path = format!("tests/{}", entry.file_name().to_string_lossy());
            let known = BESIDE.contains(&path.as_str()) || SUITES.iter().any(|suite| suite.path.starts_with(&path));
            assert!(known, "{path} is in no row of SUITES");
        }
    }

    #[test]
    fn a_suite_runs_with_its_words_filled_in() {
        let reaper = Reaper::start().unwrap();
        let logs = reaper.folder("logs").unwrap();
        let root = crate::root().unwrap();
        let work = Work { root: &root, reaper: &reaper, tools: Tools::default(), program: "/xtask".into(), logs };
        const SCRIPT: &str =
            r#"test -d "$1" && test "$2" = /binary && test "$3" = /xtask && echo '2 passed, 0 failed'"#;
        let suite = Suite {
            name: "probe",
            path: "xtask",
            needs: &[],
            command: &["sh", "-c", SCRIPT, "sh", "{temp}", "{valetkey}", "{xtask}"],
        };
        assert_eq!(run(&work, &suite, Path::new("/binary")).unwrap(), Counts::new(2, 0));
    }
}
