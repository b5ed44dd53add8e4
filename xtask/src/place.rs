//! Where the repository is, and the cargo that works there.
//!
//! It must never depend on the folder that the command was started in.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::out;

/// The repository's top folder: the one above this package.
pub fn root() -> Result<PathBuf> {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = package.parent().context("the xtask package has no folder above it")?;
    Ok(root.to_path_buf())
}

/// The cargo that runs this program, in the repository, with colour where we have it.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command.env("CARGO_TERM_COLOR", if out::colours() { "always" } else { "never" });
    command
}
