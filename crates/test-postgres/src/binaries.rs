//! Where PostgreSQL's programs are, and as which user its server can run.
//!
//! Nothing here may be installed or changed on the machine.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Error;

/// The folder of the server's programs, and the client.
pub(super) struct Binaries {
    pub(super) server: PathBuf,
    pub(super) psql: PathBuf,
}

impl Binaries {
    pub(super) fn find() -> Result<Binaries, Error> {
        Binaries::find_in(&candidates())
    }

    fn find_in(folders: &[PathBuf]) -> Result<Binaries, Error> {
        let has = |folder: &Path, program: &str| folder.join(program).is_file();
        let server = folders.iter().find(|f| has(f, "initdb") && has(f, "postgres")).ok_or_else(|| {
            Error::new(
                "PostgreSQL is not installed: no folder holds both initdb and postgres. \
                 Install the package `postgresql` (or put its bin folder into PATH) and run the tests again.",
            )
        })?;
        let psql = std::iter::once(server)
            .chain(folders)
            .map(|folder| folder.join("psql"))
            .find(|path| path.is_file())
            .ok_or_else(|| Error::new("psql is missing: install the package `postgresql-client`"))?;
        Ok(Binaries { server: server.clone(), psql })
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    folders.extend(versions("/usr/lib/postgresql"));
    folders.push(PathBuf::from("/usr/local/bin"));
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path));
    }
    folders
}

/// `ROOT/*/bin`, newest version first.
fn versions(root: &str) -> Vec<PathBuf> {
    let number =
        |path: &Path| path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
    let mut found: Vec<PathBuf> =
        fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort_by(|a, b| number(b).total_cmp(&number(a)));
    found.into_iter().map(|path| path.join("bin")).collect()
}

/// The user that the server runs as, if it is not our own user.
#[derive(Debug, Clone, Copy)]
pub(super) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// Another user if we are root, since PostgreSQL refuses root. `ours` is a file that we made.
    pub(super) fn needed(ours: &Path) -> Result<Option<User>, Error> {
        let uid = fs::metadata(ours).map_err(|e| Error::io("can't look at", ours, &e))?.uid();
        if uid != 0 {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = ["postgres", "nobody"].iter().find_map(|name| User::named(&accounts, name));
        let missing =
            "the tests run as root, PostgreSQL refuses that, and there is neither a user `postgres` nor `nobody`";
        found.map(Some).ok_or_else(|| Error::new(missing))
    }

    fn named(accounts: &str, name: &str) -> Option<User> {
        let fields: Vec<&str> =
            accounts.lines().map(|line| line.split(':').collect()).find(|f: &Vec<&str>| f.first() == Some(&name))?;
        let user = User { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? };
        (user.uid != 0).then_some(user)
    }

    /// Makes a command run as this user, without any of our supplementary groups.
    pub(super) fn apply(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    pub(super) fn own(self, path: &Path) -> Result<(), Error> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(|e| Error::io("can't give away", path, &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_server_is_said_with_the_package_to_install() {
        let error = Binaries::find_in(&[PathBuf::from("/nonexistent")]).err().unwrap().to_string();
        assert!(error.contains("`postgresql`"), "{error}");
    }

    #[test]
    fn accounts_are_found_by_name_and_root_is_never_one() {
        let accounts = "root:x:0:0::/root:/bin/sh\npostgres:x:101:104::/var:/bin/sh\nfake:x:0:0::/:/bin/sh\nshort:x\n";
        let user = User::named(accounts, "postgres").unwrap();
        assert_eq!((user.uid, user.gid), (101, 104));
        for name in ["fake", "short", "nobody"] {
            assert!(User::named(accounts, name).is_none(), "{name}");
        }
    }
}
