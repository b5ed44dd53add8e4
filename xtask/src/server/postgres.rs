//! A private PostgreSQL server for the demo: a fresh folder, a random password, loopback alone.
//!
//! The Rust tests have a launcher of their own in the testkit. It is not used here, since this
//! program must be built before and without the product. It must never touch a server that was
//! there before, and never weaken what durability rests on: the product refuses such a server.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Background, Look};
use crate::{exec, reaper::Reaper};

const INIT_LIMIT: Duration = Duration::from_secs(120);
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// A free port can be taken by somebody else before the server has it.
const TRIES: u32 = 5;
const READY: &str = "database system is ready to accept connections";
const USER: &str = "valetkey";

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Postgres<'a> {
    server: Background<'a>,
    address: String,
}

impl<'a> Postgres<'a> {
    /// Makes a new cluster with the programs in `bin` and starts it.
    pub fn start(reaper: &'a Reaper, bin: &Path, log: &Path) -> Result<Self> {
        let folder = reaper.folder("postgres")?;
        let owner = other_user(&folder)?;
        let password = random_word()?;
        let data = init(reaper, bin, &folder, owner, &password)?;
        for _ in 0..TRIES {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut server = Background::start(reaper, serve(bin, &folder, &data, owner, port), log)?;
            let ready = server.until(START_LIMIT, |server| {
                if server.printed().contains(READY) { Look::Ready(()) } else { Look::NotYet }
            });
            match ready {
                Ok(()) => {
                    let address = format!("postgres://{USER}:{password}@127.0.0.1:{port}/postgres");
                    return Ok(Self { server, address });
                }
                Err(_) if server.printed().contains("Address already in use") => {}
                Err(error) => {
                    server.show("PostgreSQL");
                    return Err(error.context("PostgreSQL did not start"));
                }
            }
        }
        bail!("PostgreSQL found its port taken {TRIES} times in a row")
    }

    /// The address of an empty database, with user and password; not to be printed.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Postgres<'_> {
    fn drop(&mut self) {
        // The fast way to stop: open connections are ended, and shared memory is given back.
        let _ = self.server.stop("INT", STOP_LIMIT);
    }
}

fn init(reaper: &Reaper, bin: &Path, folder: &Path, owner: Option<Owner>, password: &str) -> Result<PathBuf> {
    let data = folder.join("data");
    let secret = folder.join("password");
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&secret)?;
    std::io::Write::write_all(&mut file, password.as_bytes())?;
    if let Some(owner) = owner {
        chown(&secret, Some(owner.uid), Some(owner.gid))?;
    }
    let mut command = Command::new(bin.join("initdb"));
    command.arg("-D").arg(&data).args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]);
    command.arg(format!("--pwfile={}", secret.display()));
    prepare(&mut command, folder, owner);
    exec::step(reaper, "making a private PostgreSQL server", command, INIT_LIMIT)?;
    Ok(data)
}

fn serve(bin: &Path, folder: &Path, data: &Path, owner: Option<Owner>, port: u16) -> Command {
    let mut command = Command::new(bin.join("postgres"));
    command.arg("-D").arg(data).args(["-p", &port.to_string()]);
    command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "logging_collector=off"]);
    prepare(&mut command, folder, owner);
    command
}

fn prepare(command: &mut Command, folder: &Path, owner: Option<Owner>) {
    // Messages are read here, so they must be in English.
    command.env("LC_ALL", "C").current_dir(folder);
    if let Some(owner) = owner {
        command.gid(owner.gid).uid(owner.uid);
    }
}

/// A user by number.
#[derive(Clone, Copy, Debug)]
struct Owner {
    uid: u32,
    gid: u32,
}

/// PostgreSQL refuses to run as root, so root lends it another user, who must own the folder.
fn other_user(folder: &Path) -> Result<Option<Owner>> {
    if std::fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").context("can't read /etc/passwd to find a user")?;
    let owner = ["postgres", "nobody"].into_iter().find_map(|name| user(&users, name));
    let owner = owner.context("PostgreSQL can't run as root, and there is no user 'postgres' or 'nobody' to run it")?;
    chown(folder, Some(owner.uid), Some(owner.gid)).context("can't give the PostgreSQL folder to its user")?;
    Ok(Some(owner))
}

fn user(users: &str, name: &str) -> Option<Owner> {
    users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.as_slice() {
            [found, _, uid, gid, ..] if *found == name => {
                Some(Owner { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
            }
            _ => None,
        }
    })
}

fn random_word() -> Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("no randomness")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users = "postgresql:x:7:7::/:/bin/sh\npostgres:x:101:104:PostgreSQL,,,:/var:/bin/bash\nbad line\n";
        let owner = user(users, "postgres").unwrap();
        assert_eq!((owner.uid, owner.gid), (101, 104));
        assert!(user(users, "nobody").is_none());
    }

    #[test]
    fn a_private_server_starts_takes_its_password_alone_and_ends() {
        let reaper = Reaper::start().unwrap();
        let bin = crate::needs::postgres_bin().unwrap();
        let server = Postgres::start(&reaper, &bin, &reaper.folder("log").unwrap().join("log")).unwrap();
        let address = server.address().to_string();
        let client = Some(bin.join("psql")).filter(|path| path.exists()).unwrap_or_else(|| "psql".into());
        let ask = |address: &str, what: &str| {
            exec::answer(&client.to_string_lossy(), &["-w", "-Atc", &format!("show {what}"), address])
        };
        for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
            assert_eq!(ask(&address, setting).as_deref(), Some("on"), "{setting}");
        }
        let (_, rest) = address.split_once('@').unwrap();
        assert_eq!(ask(&format!("postgres://{USER}:wrong@{rest}"), "fsync"), None);
        drop(server);
        assert_eq!(ask(&address, "fsync"), None);
    }
}
