//! Builds the product with its tests, and runs the Rust tests.
//!
//! It must never stop at the first failure, and never let a test that does not end block the run.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::plan::Store;
use super::{Work, counts, counts::Counts};
use crate::exec::{self, Show};
use crate::needs::Need;
use crate::out;
use crate::place::cargo;

/// What the Rust tests need from the system: they start PostgreSQL themselves, and one traces flushes.
pub const NEEDS: &[Need] = &[Need::Postgres, Need::Strace];

const BUILD_LIMIT: Duration = Duration::from_secs(40 * 60);
const TEST_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Builds the binary, and with it the tests if they are to run: one build for both, because two builds
/// would compile some dependencies twice. Returns the binary's path.
pub fn build(work: &Work<'_>, tests: bool) -> Result<PathBuf> {
    out::heading(if tests { "building the binary and the tests" } else { "building the binary" });
    let mut command = cargo(work.root);
    if tests {
        command.args(["build", "--workspace", "--bins", "--tests"]);
    } else {
        command.args(["build", "--package", "valetkey", "--bin", "valetkey"]);
    }
    let ended = exec::run(work.reaper, command, BUILD_LIMIT, Show::Live)?;
    if !ended.success() {
        bail!("the build failed, {}", ended.how());
    }
    out::detail(&format!("took {}", out::took(ended.duration)));
    let binary = target_folder(work)?.join("debug/valetkey");
    if !binary.exists() {
        bail!("the build went well, but there is no {}", binary.display());
    }
    Ok(binary)
}

fn target_folder(work: &Work<'_>) -> Result<PathBuf> {
    let mut command: Command = cargo(work.root);
    let output = command.args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("`cargo metadata` answered no JSON")?;
    let folder = metadata["target_directory"].as_str().context("`cargo metadata` names no target folder")?;
    Ok(PathBuf::from(folder))
}

/// All tests, those of the service and of the adapters over the memory store.
pub fn tests(work: &Work<'_>) -> Result<Counts> {
    let mut command = cargo(work.root);
    if work.tools.nextest {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast", "--config-file"]);
        command.arg(work.root.join("xtask/nextest.toml"));
    } else {
        command.args(["test", "--workspace", "--no-fail-fast"]);
    }
    let ended = exec::run(work.reaper, command, TEST_LIMIT, Show::Live)?;
    Ok(if work.tools.nextest { counts::nextest(&ended) } else { counts::cargo_test(&ended) })
}

/// The crates whose tests take the store that the environment names (`testkit::ground`).
const OVER_STORES: &[&str] =
    &["valetkey-service", "valetkey-graph", "valetkey-gateway", "valetkey-api", "valetkey-console"];

/// The tests of the service and of the adapters once more, over a real store.
pub fn tests_over(work: &Work<'_>, store: Store) -> Result<Counts> {
    let database = match store {
        Store::Sqlite => None,
        Store::Postgres => Some(work.postgres(&format!("rust-{}", store.name()))?),
    };
    let mut command = cargo(work.root);
    command.env("VALETKEY_TEST_STORE", store.name());
    if let Some((_, address)) = &database {
        command.env("VALETKEY_TEST_POSTGRES", address);
    }
    if work.tools.nextest {
        // The whole workspace with a filter, since naming crates would compile dependencies anew.
        let some: Vec<String> = OVER_STORES.iter().map(|name| format!("package({name})")).collect();
        let filter = format!("kind(test) and ({})", some.join(" or "));
        command.args(["nextest", "run", "--workspace", "--no-fail-fast", "-E", &filter, "--config-file"]);
        command.arg(work.root.join("xtask/nextest.toml"));
    } else {
        command.args(["test", "--no-fail-fast", "--test", "it"]);
        for name in OVER_STORES {
            command.args(["--package", name]);
        }
    }
    let ended = exec::run(work.reaper, command, TEST_LIMIT, Show::Live)?;
    Ok(if work.tools.nextest { counts::nextest_of_some(&ended) } else { counts::cargo_test(&ended) })
}
