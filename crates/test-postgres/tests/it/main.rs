//! The private PostgreSQL server: it keeps what it must, and leaves nothing behind.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use valetkey_test_postgres::{Options, Server};

/// Set for a process of this test that is to die with a server running.
const DIES: &str = "VALETKEY_TEST_POSTGRES_DIES";

#[test]
fn it_keeps_its_data_when_stopped_killed_and_started_again() {
    let server = Server::start(Options::default().with("work_mem", "5MB")).unwrap();
    let database = server.create_database().unwrap();
    let port = server.port();
    assert_eq!(server.sql(&database, "SHOW work_mem").unwrap(), "5MB");
    server.sql(&database, "CREATE TABLE t (n BIGINT); INSERT INTO t VALUES (1)").unwrap();
    server.stop().unwrap();
    assert!(server.sql(&database, "SELECT 1").is_err());
    server.restart().unwrap();
    server.sql(&database, "INSERT INTO t VALUES (2)").unwrap();
    server.kill_all_processes().unwrap();
    assert!(server.sql(&database, "SELECT 1").is_err());
    assert!(processes_in(&server.folder().join("data")).is_empty());
    server.restart().unwrap();
    assert_eq!(server.sql(&database, "SELECT n FROM t ORDER BY n").unwrap(), "1\n2");
    assert_eq!(server.port(), port);
    assert_ne!(server.create_database().unwrap(), database);
}

#[test]
fn dropping_it_leaves_no_process_and_no_folder() {
    let server = Server::start(Options::default()).unwrap();
    let folder = server.folder().to_owned();
    assert!(!processes_in(&folder.join("data")).is_empty());
    drop(server);
    assert!(!folder.exists());
    assert!(processes_in(&folder.join("data")).is_empty());
}

#[test]
fn a_test_process_that_dies_leaves_no_process_and_no_folder() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_process_that_dies_with_a_server_running", "--nocapture"])
        .env(DIES, "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    let folder = PathBuf::from(text.lines().find_map(|line| line.split_once("folder: ")).unwrap().1);
    let deadline = Instant::now() + Duration::from_secs(60);
    while folder.exists() || !processes_in(&folder.join("data")).is_empty() {
        assert!(Instant::now() < deadline, "{} is still there", folder.display());
        std::thread::yield_now();
    }
}

/// The other half of the test above; does nothing on its own.
#[test]
fn a_process_that_dies_with_a_server_running() {
    if std::env::var_os(DIES).is_some() {
        let server = Server::shared().unwrap();
        println!("\nfolder: {}", server.folder().display());
        std::process::abort();
    }
}

#[test]
fn a_start_that_fails_shows_the_log() {
    let error = Server::start(Options::default().with("shared_buffers", "nonsense")).unwrap_err().to_string();
    assert!(error.contains("shared_buffers"), "{error}");
}

#[test]
fn a_server_takes_a_changed_setting_and_a_file_of_sql() {
    let server = Server::start(Options::default()).unwrap();
    let database = server.create_database().unwrap();
    server.set("application_name", "it's new").unwrap();
    let file = server.folder().join("load.sql");
    std::fs::write(&file, "CREATE TABLE t (n BIGINT);\nCOPY t FROM stdin;\n7\n\\.\n").unwrap();
    server.load(&database, &file).unwrap();
    assert_eq!(server.sql(&database, "SELECT n FROM t").unwrap(), "7");
    std::fs::write(&file, "INSERT INTO t VALUES (8); SELECT 1/0;").unwrap();
    assert!(server.load(&database, &file).unwrap_err().to_string().contains("division by zero"));
    assert_eq!(server.sql(&database, "SELECT n FROM t").unwrap(), "7", "a file that fails leaves nothing");
    // A running server applies the setting some time later; a restart applies it for sure.
    server.restart().unwrap();
    assert!(
        server
            .sql(&database, "SELECT setting FROM pg_file_settings WHERE name = 'application_name' AND applied")
            .unwrap()
            == "it's new"
    );
}

#[test]
fn a_killed_server_leaves_no_shared_memory_behind() {
    let server = Server::start(Options::default()).unwrap();
    let pid_file = std::fs::read_to_string(server.folder().join("data/postmaster.pid")).unwrap();
    let segment = pid_file.lines().nth(6).unwrap().split_whitespace().last().unwrap().to_owned();
    assert!(segments().contains(&segment));
    server.kill_all_processes().unwrap();
    assert!(segments().contains(&segment), "a kill is meant to leave it behind");
    drop(server);
    assert!(!segments().contains(&segment));
}

/// The numbers of the System V segments of shared memory that the kernel holds.
fn segments() -> Vec<String> {
    let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
    table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect()
}

#[test]
fn the_log_is_kept_in_a_file() {
    let folder = Server::start(Options::default()).unwrap();
    let log = folder.folder().join("second.log");
    let server = Server::start(Options { log: Some(log.clone()), ..Options::default() }).unwrap();
    server.restart().unwrap();
    drop(server);
    let text = std::fs::read_to_string(&log).unwrap();
    assert_eq!(text.matches("ready to accept connections").count(), 2, "{text}");
}

fn processes_in(folder: &Path) -> Vec<PathBuf> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    processes.filter(|path| std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd == folder)).collect()
}
