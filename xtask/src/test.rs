//! `cargo xtask test`: every test of the project, in one run, with one summary.
//!
//! It must never leave a suite out silently: a suite that can't run, or that ran no test, has failed.

mod clients;
mod counts;
mod plan;
mod report;
mod rust;
pub mod screenshots;
mod store;
mod system;
mod work;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use valetkey_test_postgres::Server as Postgres;

use crate::needs::{self, Consent};
use crate::reaper::Reaper;
use crate::server::Demo;
use crate::{out, root};
use counts::Counts;
use plan::{Options, Plan, Store, Stories};
use report::{Outcome, Report};
use work::Work;

pub const HELP: &str = "\
Usage: cargo xtask test [--install] [--only NAME]... [--list]

Runs all tests: the Rust tests, those of the service and of the adapters once more
over SQLite and PostgreSQL, the stories that official SDKs tell against the
demo on each store, the system suites, and the console in a real browser. Ends with a table and, as its last
line, `N passed, N failed`, which is kept in target/xtask/summary.txt as well.

Options:
  --install      install what is missing with the system's package manager
                 (CI=true does the same; on a terminal you are asked)
  --only NAME    only suites whose name contains NAME; may be repeated
  --list         print the suites and end
";

pub fn run(args: &[String]) -> Result<bool> {
    let options = Options::parse(args)?;
    let plan = Plan::new(&options.only, system::SUITES)?;
    if options.list {
        plan.names().iter().for_each(|name| out::line(name));
        return Ok(true);
    }
    let start = Instant::now();
    let root = root()?;
    let kept = root.join("target/xtask");
    let logs = kept.join("logs");
    std::fs::create_dir_all(&logs).with_context(|| format!("can't create {}", logs.display()))?;
    let summary = kept.join("summary.txt");
    // An old summary must not be mistaken for that of this run.
    let _ = std::fs::remove_file(&summary);

    // Read before the build, which may replace this file.
    let program = std::env::current_exe().context("can't find this program's own file")?;
    let tools =
        needs::ensure(&plan.needs(), plan.rust || !plan.rust_over.is_empty(), Consent::of_this_run(options.install))?;
    let reaper = Reaper::start()?;
    let work = Work { root: &root, reaper: &reaper, tools, program, logs };
    let mut report = Report::default();
    match rust::build(&work, plan.rust || !plan.rust_over.is_empty()) {
        Ok(binary) => suites(&work, &plan, &binary, &mut report),
        Err(error) => report.add(Outcome::broken("build", start, &error)),
    }
    report.finish(start.elapsed(), &summary)
}

fn suites(work: &Work<'_>, plan: &Plan, binary: &Path, report: &mut Report) {
    if plan.rust {
        report.add(timed("rust", |_| rust::tests(work)));
    }
    for store in &plan.rust_over {
        report.add(timed(&plan::rust_over_name(*store), |_| rust::tests_over(work, *store)));
    }
    for stories in &plan.stories {
        tell(work, stories, binary, report);
    }
    for suite in &plan.system {
        report.add(timed(suite.name, |_| system::run(work, suite, binary)));
    }
}

/// Starts the demo on a store, runs the stories of the selected clients, and stops it again. The start
/// and the stop count as a suite of their own.
fn tell(work: &Work<'_>, stories: &Stories, binary: &Path, report: &mut Report) {
    let start = Instant::now();
    let name = stories.demo_name();
    // Declared before the demo, so that the database outlives it.
    let database;
    let demo = match start_demo(work, stories.store, &name, binary) {
        Ok((demo, kept)) => {
            database = kept;
            demo
        }
        Err(error) => {
            report.add(Outcome::broken(&name, start, &error));
            for language in &stories.languages {
                let error = anyhow::anyhow!("the demo did not start");
                report.add(Outcome::broken(&stories.name(*language), Instant::now(), &error));
            }
            return;
        }
    };
    let started = start.elapsed();
    for language in &stories.languages {
        let name = stories.name(*language);
        let outcome = timed(&name, |_| clients::story(work, *language, &demo.file()));
        if !outcome.went_well() {
            demo.show();
        }
        report.add(outcome);
    }
    let stopping = Instant::now();
    let counts = match demo.stop() {
        Ok(()) => Counts::new(2, 0),
        Err(error) => Counts::new(1, 1).with_note(&format!("{error:#}")),
    };
    report.add(Outcome::new(&name, counts, started + stopping.elapsed()));
    drop(database);
}

type Started<'a> = (Demo<'a>, Option<Postgres>);

fn start_demo<'a>(work: &'a Work<'_>, store: Store, name: &str, binary: &Path) -> Result<Started<'a>> {
    let database = match store {
        Store::Sqlite => None,
        Store::Postgres => Some(work.postgres(name)?),
    };
    out::heading(&format!("starting the demo over {}", store.name()));
    let address = database.as_ref().map(|(_, address)| address.as_str());
    let demo = Demo::start(work.reaper, binary, address, &work.log(name))?;
    Ok((demo, database.map(|(server, _)| server)))
}

/// Runs a suite and measures its time. An error is a failure of the suite, not of the run.
fn timed(name: &str, suite: impl FnOnce(&str) -> Result<Counts>) -> Outcome {
    out::heading(&format!("suite {name}"));
    let start = Instant::now();
    match suite(name) {
        Ok(counts) => Outcome::new(name, counts, start.elapsed()),
        Err(error) => Outcome::broken(name, start, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_that_can_not_run_has_failed() {
        let outcome = timed("broken", |_| anyhow::bail!("no such file"));
        assert!(!outcome.went_well());
        let outcome = timed("fine", |_| Ok(Counts::new(1, 0)));
        assert!(outcome.went_well());
    }
}
