//! A private PostgreSQL server for tests: its own folder, its own port on the loopback address, its
//! own password. It is removed when the test process ends, even by a kill.
//!
//! The Rust tests use it through the testkit. Programs in other languages use it through
//! `cargo xtask postgres`. It stands apart from the testkit because xtask must build without the
//! product. It must never touch a server or a folder that it did not make. PostgreSQL refuses to run
//! as root, so a test that runs as root starts it as `postgres` or `nobody`.

mod binaries;
mod database;
mod error;
mod process;

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use binaries::{Binaries, User};
pub use database::Database;
pub use error::Error;
use process::{Guard, Postmaster};

/// How often a start is tried again when another program took the port first.
const PORT_ATTEMPTS: usize = 8;
/// The ports that a server may get.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether commits reach the disk. On, unless a test needs it off.
    pub fsync: bool,
    /// Further settings, as in `postgresql.conf`.
    pub settings: Vec<(String, String)>,
    /// Certificate and private key as PEM; the server then speaks TLS too.
    pub tls: Option<(String, String)>,
    /// A file that the server's log is added to. Without it only the last lines are kept, for errors.
    pub log: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options { fsync: true, settings: Vec::new(), tls: None, log: None }
    }
}

impl Options {
    /// Adds one setting.
    pub fn with(mut self, name: &str, value: &str) -> Options {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The folder of the PostgreSQL server's programs on this machine: `initdb`, `postgres` and the rest.
///
/// # Errors
/// Names the package that is missing; `psql` is looked for too.
pub fn programs() -> Result<PathBuf, Error> {
    Ok(Binaries::find()?.server)
}

/// A running server. Dropping it stops it and removes its folder.
pub struct Server {
    binaries: Binaries,
    user: Option<User>,
    home: PathBuf,
    password: String,
    options: Options,
    state: Mutex<State>,
    databases: AtomicU32,
}

struct State {
    port: u16,
    postmaster: Option<Postmaster>,
    guard: Guard,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("home", &self.home).finish_non_exhaustive()
    }
}

impl Server {
    /// Makes a new server and waits until it answers.
    ///
    /// # Errors
    /// Names the missing package when PostgreSQL is not installed; otherwise what failed, with the
    /// last lines of the server's log.
    pub fn start(options: Options) -> Result<Server, Error> {
        let binaries = Binaries::find()?;
        let home = make_home()?;
        let guard = Guard::start(&home)?;
        let server = Server {
            user: User::needed(&home)?,
            binaries,
            home,
            password: random_hex()?,
            options,
            state: Mutex::new(State { port: 0, postmaster: None, guard }),
            databases: AtomicU32::new(0),
        };
        server.write_files()?;
        server.initialize()?;
        server.launch(None)?;
        Ok(server)
    }

    /// The one server of this test process, with the default options. It ends with the process.
    ///
    /// # Errors
    /// As for [`Server::start`]; the first failure is repeated.
    pub fn shared() -> Result<&'static Server, Error> {
        static SHARED: OnceLock<Result<Server, Error>> = OnceLock::new();
        SHARED.get_or_init(|| Server::start(Options::default())).as_ref().map_err(Clone::clone)
    }

    /// The port that it listens on, or listened on before it was stopped.
    pub fn port(&self) -> u16 {
        self.lock().port
    }

    /// The folder that holds everything of the server, and is removed at the end.
    pub fn folder(&self) -> &Path {
        &self.home
    }

    /// The folder of the programs that it runs with.
    pub fn programs(&self) -> &Path {
        &self.binaries.server
    }

    /// The address of a database, with user and password. A new server has the database `postgres`.
    pub fn dsn(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.password, self.port())
    }

    /// The same in the form of keys and values.
    pub fn key_value_dsn(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user=postgres password='{}' dbname={database}", self.port(), self.password)
    }

    /// Makes a fresh, empty database and returns its name. If the server can, it sorts text by English
    /// rules, so that a test fails if code relies on byte order without asking for it.
    ///
    /// # Errors
    /// What `psql` said.
    pub fn create_database(&self) -> Result<String, Error> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let plain = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
        let english = format!("{plain} LOCALE_PROVIDER icu ICU_LOCALE 'en'");
        self.sql("postgres", &english).or_else(|_| self.sql("postgres", &plain))?;
        Ok(name)
    }

    /// Runs SQL as the superuser and returns the rows, one per line, columns separated by `|`.
    ///
    /// # Errors
    /// What `psql` said.
    pub fn sql(&self, database: &str, statement: &str) -> Result<String, Error> {
        let connect = |command: &mut Command| self.connect(command, database);
        psql(&self.binaries, connect, &["-c".as_ref(), statement.as_ref()])
    }

    /// Runs a file of SQL as the superuser, such as a dump, as one transaction.
    ///
    /// # Errors
    /// What `psql` said.
    pub fn load(&self, database: &str, file: &Path) -> Result<(), Error> {
        let connect = |command: &mut Command| self.connect(command, database);
        psql(&self.binaries, connect, &["--single-transaction".as_ref(), "-f".as_ref(), file.as_os_str()]).map(drop)
    }

    fn connect(&self, command: &mut Command, database: &str) {
        command
            .args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port().to_string(), "-d", database])
            .env("PGPASSWORD", &self.password);
    }

    /// Changes a setting, for the running server and for the next start. A setting from [`Options`]
    /// can't be changed this way.
    ///
    /// # Errors
    /// When the server's file of settings can't be written.
    pub fn set(&self, name: &str, value: &str) -> Result<(), Error> {
        use std::io::Write as _;
        let path = self.data().join("postgresql.conf");
        let line = format!("{name} = '{}'\n", value.replace('\'', "''"));
        fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|e| Error::io("can't write", &path, &e))?;
        if let Some(postmaster) = &self.lock().postmaster {
            postmaster.read_settings_again();
        }
        Ok(())
    }

    /// Stops it in order: transactions end, buffers are written. Nothing happens if it is down.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop(&self) -> Result<(), Error> {
        self.end(Postmaster::stop_in_order)
    }

    /// Kills every process of it with SIGKILL, at once, and waits until they are gone. Data that was
    /// only in its memory is lost; data that reached the kernel is not. So this is a crash of the
    /// server, and not of the machine.
    ///
    /// # Errors
    /// When a process survives.
    pub fn kill_all_processes(&self) -> Result<(), Error> {
        let data = self.data();
        self.end(|postmaster| postmaster.kill_all(&data))
    }

    /// Starts it again on the same port and waits until it has recovered. A running one is stopped
    /// first.
    ///
    /// # Errors
    /// As for [`Server::start`].
    pub fn restart(&self) -> Result<(), Error> {
        self.stop()?;
        let port = self.port();
        self.launch(Some(port))
    }

    fn end(&self, how: impl FnOnce(&mut Postmaster) -> Result<(), Error>) -> Result<(), Error> {
        let mut state = self.lock();
        if let Some(mut postmaster) = state.postmaster.take() {
            how(&mut postmaster)?;
            state.guard.watch(None);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// A command that runs as the server's user, with an empty environment.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.server.join(program));
        command.current_dir(&self.home).env_clear().env("LC_ALL", "C").stdin(Stdio::null());
        if let Some(user) = self.user {
            user.apply(&mut command);
        }
        command
    }

    fn write_files(&self) -> Result<(), Error> {
        self.write_private("password", &self.password)?;
        if let Some((certificate, key)) = &self.options.tls {
            self.write_private("server.crt", certificate)?;
            self.write_private("server.key", key)?;
        }
        match self.user {
            Some(user) => user.own(&self.home),
            None => Ok(()),
        }
    }

    fn write_private(&self, name: &str, text: &str) -> Result<(), Error> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.home.join(name);
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|e| Error::io("can't write", &path, &e))?;
        match self.user {
            Some(user) => user.own(&path),
            None => Ok(()),
        }
    }

    fn initialize(&self) -> Result<(), Error> {
        let output = self
            .command("initdb")
            .args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--no-instructions")
            .arg(format!("--pwfile={}", self.home.join("password").display()))
            .arg("-D")
            .arg(self.data())
            .output()
            .map_err(|e| Error::io("can't run initdb in", &self.binaries.server, &e))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::new(format!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim())))
    }

    /// Starts the postmaster, on a free port if none is given.
    fn launch(&self, fixed: Option<u16>) -> Result<(), Error> {
        let mut last = Error::new("no attempt was made");
        for _ in 0..PORT_ATTEMPTS {
            let port = match fixed {
                Some(port) => port,
                None => free_port()?,
            };
            let mut state = self.lock();
            match Postmaster::start(self.postgres_command(port), self.options.log.as_deref()) {
                Ok(postmaster) => {
                    state.guard.watch(Some(postmaster.pid()));
                    state.port = port;
                    state.postmaster = Some(postmaster);
                    return Ok(());
                }
                Err(e) if e.to_string().contains("Address already in use") => last = e,
                Err(e) => return Err(e),
            }
        }
        Err(last)
    }

    fn postgres_command(&self, port: u16) -> Command {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-p").arg(port.to_string());
        let mut set = |name: &str, value: &str| {
            command.arg("-c").arg(format!("{name}={value}"));
        };
        set("listen_addresses", "127.0.0.1");
        set("unix_socket_directories", "");
        set("log_destination", "stderr");
        set("logging_collector", "off");
        set("lc_messages", "C");
        set("shared_buffers", "16MB");
        // Leftover shared memory is then in the folder, and removed with it.
        set("dynamic_shared_memory_type", "mmap");
        set("fsync", if self.options.fsync { "on" } else { "off" });
        if self.options.tls.is_some() {
            set("ssl", "on");
            set("ssl_cert_file", &self.home.join("server.crt").to_string_lossy());
            set("ssl_key_file", &self.home.join("server.key").to_string_lossy());
        }
        for (name, value) in &self.options.settings {
            set(name, value);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut state = self.lock();
        if let Some(mut postmaster) = state.postmaster.take()
            && postmaster.stop_at_once().is_ok()
        {
            state.guard.watch(None);
        }
        // The guard removes the folder, here as well as when the process is killed.
        state.guard.finish();
    }
}

/// Runs SQL with an empty environment, and returns the rows.
fn psql(binaries: &Binaries, connect: impl FnOnce(&mut Command), what: &[&OsStr]) -> Result<String, Error> {
    let mut command = Command::new(&binaries.psql);
    command
        .args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1"])
        .args(what)
        .env_clear()
        .env("PGCONNECT_TIMEOUT", "10")
        .stdin(Stdio::null());
    connect(&mut command);
    let output = command.output().map_err(|e| Error::io("can't run", &binaries.psql, &e))?;
    if !output.status.success() {
        return Err(Error::new(format!("psql: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// A new folder that only we can enter.
fn make_home() -> Result<PathBuf, Error> {
    use std::os::unix::fs::DirBuilderExt as _;
    let home = std::env::temp_dir().join(format!("valetkey-pg-{}", random_hex()?));
    fs::DirBuilder::new().mode(0o700).create(&home).map_err(|e| Error::io("can't make the folder", &home, &e))?;
    // The server's processes are found by their working folder, so the path must contain no links.
    home.canonicalize().map_err(|e| Error::io("can't look at", &home, &e))
}

/// 24 random hexadecimal digits, for names that nobody else has.
///
/// # Errors
/// When the system gives no randomness.
pub fn random_hex() -> Result<String, Error> {
    Ok(random_bytes::<12>()?.iter().map(|b| format!("{b:02x}")).collect())
}

fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0u8; N];
    fs::File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|e| Error::io("can't read", source, &e))?;
    Ok(bytes)
}

/// A port that was free a moment ago. It is below the kernel's ephemeral ports, so that no other
/// program is given it while the server restarts.
fn free_port() -> Result<u16, Error> {
    let mut last = None;
    for _ in 0..PORT_ATTEMPTS {
        let port = PORTS.start + u16::from_be_bytes(random_bytes()?) % (PORTS.end - PORTS.start);
        match std::net::TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(e) => last = Some(e),
        }
    }
    Err(Error::new(format!("no port is free on 127.0.0.1: {last:?}")))
}
