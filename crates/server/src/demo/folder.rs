//! The demo's data folder. Other folders are never touched, and `--fresh` empties only a demo's
//! folder.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::lifecycle::folder::{DataFolder, LOCK_NAME};

/// The file that marks a demo's folder.
pub const MARKER: &str = "valetkey-demo";
const MARKER_TEXT: &str = "This folder belongs to `valetkey demo`, which may remove it as a whole.\n";

/// Creates or finds the demo's folder, and locks it.
///
/// # Errors
/// When it holds something else, or another process has locked it.
pub fn prepare(path: &Path, fresh: bool) -> anyhow::Result<DataFolder> {
    let shown = path.display();
    if is_foreign(path)? {
        if fresh {
            bail!("{shown} is not a demo's data folder, so nothing was removed: name another one with --data");
        }
        bail!("{shown} holds something else than a demo: name an empty or a new folder with --data");
    }
    let folder = DataFolder::make(path)?;
    if fresh {
        empty(path).with_context(|| format!("the demo's folder {shown} can't be emptied"))?;
    }
    mark(path).with_context(|| format!("nothing can be written in {shown}"))?;
    Ok(folder)
}

/// Whether the folder holds something that is no demo.
fn is_foreign(path: &Path) -> anyhow::Result<bool> {
    let shown = path.display();
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error).with_context(|| format!("{shown} can't be looked into")),
    };
    if path.join(MARKER).is_file() {
        return Ok(false);
    }
    for entry in entries {
        // A start that ended before the marker was written leaves only the lock.
        if entry.with_context(|| format!("{shown} can't be looked into"))?.file_name() != LOCK_NAME {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes everything but the lock, which this process holds. The marker is removed last, so that
/// an interrupted attempt can be repeated.
fn empty(path: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() == LOCK_NAME || entry.file_name() == MARKER {
            continue;
        }
        // A link is removed and never followed.
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn mark(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path.join(MARKER)) {
        Ok(mut file) => file.write_all(MARKER_TEXT.as_bytes()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::folder::tests::scratch;

    #[test]
    fn only_a_demos_folder_is_emptied() {
        let scratch = scratch();
        let (mine, demo) = (scratch.path().join("mine"), scratch.path().join("demo"));
        std::fs::create_dir(&mine).unwrap();
        std::fs::write(mine.join("letter"), "keep me").unwrap();
        for fresh in [false, true] {
            assert!(prepare(&mine, fresh).is_err());
            assert_eq!(std::fs::read_to_string(mine.join("letter")).unwrap(), "keep me");
        }
        drop(prepare(&demo, true).unwrap());
        std::fs::write(demo.join("valetkey.db"), "old").unwrap();
        std::fs::create_dir(demo.join("inner")).unwrap();
        std::os::unix::fs::symlink(&mine, demo.join("link")).unwrap();
        drop(prepare(&demo, false).unwrap());
        assert!(demo.join("valetkey.db").exists());
        let taken = prepare(&demo, true).unwrap();
        let mut left: Vec<_> = std::fs::read_dir(&demo).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [LOCK_NAME, MARKER]);
        assert!(mine.join("letter").exists(), "a link was followed");
        std::fs::write(demo.join("valetkey.db"), "new").unwrap();
        assert!(format!("{:#}", prepare(&demo, true).unwrap_err()).contains("in use"));
        assert!(demo.join("valetkey.db").exists(), "a running demo was emptied");
        drop(taken);
    }
}
