//! The operator's socket in the data folder. Any process that can open it acts as the operator, so
//! only the folder's owner may ever open it, even right after it is created.

use std::fs::{DirBuilder, File, Permissions};
use std::io::ErrorKind;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The socket's name in the data folder.
pub const NAME: &str = "valetkey.sock";
/// The private folder in which it is created, before it is moved to its name.
const DRAFT_FOLDER: &str = ".sock";
/// The longest socket path that works on every system that we support.
const ADDRESS_LIMIT_BYTES: usize = 100;

/// A socket path that fits an address even in a deep folder. It is valid for as long as this lives.
#[derive(Debug)]
pub struct ShortPath {
    path: PathBuf,
    _folder: Option<File>,
}

impl ShortPath {
    /// The path of `name` in `folder`.
    ///
    /// # Errors
    /// When the folder can't be opened.
    pub fn new(folder: &Path, name: &str) -> std::io::Result<ShortPath> {
        let plain = folder.join(name);
        if plain.as_os_str().len() <= ADDRESS_LIMIT_BYTES {
            return Ok(ShortPath { path: plain, _folder: None });
        }
        // The kernel's path of an open folder in `/proc` is always short.
        let opened = File::open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd())).join(name);
        Ok(ShortPath { path, _folder: Some(opened) })
    }

    /// The path to bind or connect to.
    pub fn as_path(&self) -> &Path {
        &self.path
    }
}

/// The bound socket. Its file is removed when this is dropped.
#[derive(Debug)]
pub struct OperatorSocket {
    path: PathBuf,
}

impl OperatorSocket {
    /// Binds the socket in a folder that this process has locked. A socket that a dead server left
    /// is replaced.
    ///
    /// # Errors
    /// When the folder can't be written, or its file system has no sockets.
    pub fn bind(folder: &Path) -> anyhow::Result<(OperatorSocket, UnixListener)> {
        let path = folder.join(NAME);
        let listener = bind_closed(folder, &path)
            .with_context(|| format!("the operator's socket {} can't be made", path.display()))?;
        Ok((OperatorSocket { path }, listener))
    }
}

impl Drop for OperatorSocket {
    fn drop(&mut self) {
        // If this fails, the next server replaces the file.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn bind_closed(folder: &Path, path: &Path) -> std::io::Result<UnixListener> {
    let draft_folder = folder.join(DRAFT_FOLDER);
    match std::fs::remove_dir_all(&draft_folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(&draft_folder)?;
    let short = ShortPath::new(&draft_folder, NAME)?;
    let listener = UnixListener::bind(short.as_path())?;
    let draft = draft_folder.join(NAME);
    std::fs::set_permissions(&draft, Permissions::from_mode(0o600))?;
    std::fs::rename(&draft, path)?;
    std::fs::remove_dir(&draft_folder)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt as _;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::lifecycle::folder::tests::scratch;

    #[test]
    fn it_is_closed_to_others_and_replaces_what_a_dead_server_left() {
        let folder = scratch();
        let path = folder.path().join(NAME);
        std::fs::create_dir(folder.path().join(DRAFT_FOLDER)).unwrap();
        drop(UnixListener::bind(&path).unwrap());
        assert!(UnixStream::connect(&path).is_err());
        let (socket, _listener) = OperatorSocket::bind(folder.path()).unwrap();
        let found = path.symlink_metadata().unwrap();
        assert!(found.file_type().is_socket());
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
        assert!(UnixStream::connect(&path).is_ok());
        assert!(!folder.path().join(DRAFT_FOLDER).exists());
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn a_deep_folder_has_a_socket_too() {
        let folder = scratch();
        let deep = folder.path().join("d".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let (_socket, _listener) = OperatorSocket::bind(&deep).unwrap();
        let short = ShortPath::new(&deep, NAME).unwrap();
        assert!(UnixStream::connect(short.as_path()).is_ok());
    }
}
