//! Builds the product with its tests, and runs the Rust tests.
//!
//! It must never stop at the first failure, and never let a hung test hang the run.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Work, counts, counts::Counts};
use crate::exec::{self, Show};
use crate::needs::Need;
use crate::{lint, out};

/// What the Rust tests use of the system: they start PostgreSQL themselves, and one traces flushes.
pub const NEEDS: &[Need] = &[Need::Postgres, Need::Strace];

const BUILD_LIMIT: Duration = Duration::from_secs(40 * 60);
const TEST_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Builds the binary, and with it the tests if they are to run: one build for both, since another
/// selection would compile some dependencies twice. Answers where the binary is.
pub fn build(work: &Work<'_>, tests: bool) -> Result<PathBuf> {
    out::heading(if tests { "building the binary and the tests" } else { "building the binary" });
    let mut command = lint::cargo(work.root);
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
    let mut command: Command = lint::cargo(work.root);
    let output = command.args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("`cargo metadata` answered no JSON")?;
    let folder = metadata["target_directory"].as_str().context("`cargo metadata` names no target folder")?;
    Ok(PathBuf::from(folder))
}

pub fn tests(work: &Work<'_>) -> Result<Counts> {
    let mut command = lint::cargo(work.root);
    if work.tools.nextest {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast", "--config-file"]);
        command.arg(work.root.join("xtask/nextest.toml"));
    } else {
        command.args(["test", "--workspace", "--no-fail-fast"]);
    }
    let ended = exec::run(work.reaper, command, TEST_LIMIT, Show::Live)?;
    Ok(if work.tools.nextest { counts::nextest(&ended) } else { counts::cargo_test(&ended) })
}
