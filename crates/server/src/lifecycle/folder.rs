//! The data folder: readable only by its owner, and locked by one process at a time.
//!
//! Nothing here may remove anything, and nothing may be read or written in a folder that another
//! process has locked.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// The file whose lock marks the folder as in use; it holds the id of the process.
pub const LOCK_NAME: &str = "node.lock";

/// A data folder that this process has locked. The lock is released when this is dropped, or when
/// the process ends in any way.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Locks an existing folder.
    ///
    /// # Errors
    /// When it does not exist, can't be written, or is locked.
    pub fn take(path: &Path) -> anyhow::Result<DataFolder> {
        let shown = path.display();
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => bail!("{shown} is not a folder: name another one with --data"),
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "there is no data folder {shown}: make one with `valetkey init`, or look around with `valetkey demo`"
            ),
            Err(error) => return Err(error).with_context(|| format!("the data folder {shown} can't be looked at")),
        }
        let lock_path = path.join(LOCK_NAME);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut lock = options.open(&lock_path).with_context(|| {
            format!("nothing can be written in the data folder {shown}: give it to the user that valetkey runs as")
        })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{}", taken(path, &mut lock)),
            Err(TryLockError::Error(error)) => {
                return Err(error)
                    .with_context(|| format!("the data folder {shown} can't be locked: put it on a local disk"));
            }
        }
        // The number is only for people who look for the process.
        let said = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| writeln!(lock, "{}", std::process::id()));
        said.with_context(|| format!("nothing can be written in the data folder {shown}"))?;
        Ok(DataFolder { path: path.to_owned(), _lock: lock })
    }

    /// Makes the folder if needed, readable only by its owner, and locks it.
    ///
    /// # Errors
    /// As [`DataFolder::take`], and when it can't be made.
    pub fn make(path: &Path) -> anyhow::Result<DataFolder> {
        let shown = path.display();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("the data folder {shown} can't be made"))?;
        let mode =
            std::fs::metadata(path).with_context(|| format!("the data folder {shown} can't be looked at"))?.mode();
        if mode & 0o077 != 0 {
            std::fs::set_permissions(path, Permissions::from_mode(0o700))
                .with_context(|| format!("the data folder {shown} is open to others and can't be closed"))?;
        }
        DataFolder::take(path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn taken(path: &Path, lock: &mut File) -> String {
    let mut text = String::new();
    let number = lock.take(32).read_to_string(&mut text).ok().and_then(|_| text.trim().parse::<u32>().ok());
    let by =
        number.map_or_else(|| "another valetkey".to_owned(), |number| format!("another valetkey (process {number})"));
    format!(
        "the data folder {} is in use by {by}: stop that one first, or name another folder with --data",
        path.display()
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use valetkey_store::ledger::to_hex;

    use super::*;

    /// A folder of a single test, removed when dropped.
    #[derive(Debug)]
    pub(crate) struct Scratch(PathBuf);

    impl Scratch {
        pub(crate) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    pub(crate) fn scratch() -> Scratch {
        let name = to_hex(&crate::random::bytes::<8>().unwrap());
        let path = std::env::temp_dir().join(format!("vk-{name}"));
        DirBuilder::new().mode(0o700).create(&path).unwrap();
        Scratch(path)
    }

    #[test]
    fn a_folder_is_its_owners_alone_and_taken_once() {
        let scratch = scratch();
        let path = scratch.path().join("a/b");
        let folder = DataFolder::make(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        let second = format!("{:#}", DataFolder::make(&path).unwrap_err());
        assert!(second.contains("in use") && second.contains(&std::process::id().to_string()), "{second}");
        drop(folder);
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        let folder = DataFolder::make(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        drop(folder);
        assert!(DataFolder::take(&path).is_ok());
    }

    #[test]
    fn what_is_not_a_folder_is_named() {
        let scratch = scratch();
        let none = DataFolder::take(&scratch.path().join("none")).unwrap_err().to_string();
        assert!(none.contains("valetkey init"), "{none}");
        let file = scratch.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(DataFolder::take(&file).unwrap_err().to_string().contains("not a folder"));
    }
}
