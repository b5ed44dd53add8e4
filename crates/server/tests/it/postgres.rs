//! The server over PostgreSQL, where a lease admits only one node.

use std::process::Command;

use valetkey_testkit::postgres::{Options, Server};

use crate::locks::remove_lock_files;
use crate::program::{Folder, Running, demo_json};

/// A database with a business in it, and two folders that have its key: two machines.
fn two_machines(database: &Server) -> (Folder, String) {
    let store = database.dsn(&database.create_database().unwrap());
    let folder = Folder::new();
    let init = ["init", "--business", "Acme", "--admin-email", "ada@example.com", "--store", &store, "--data", "one"];
    assert!(folder.run(&init).status.success());
    std::fs::create_dir(folder.join("two")).unwrap();
    std::fs::copy(folder.join("one/master.key"), folder.join("two/master.key")).unwrap();
    (folder, store)
}

fn serve(folder: &Folder, store: &str, data: &str) -> Command {
    let mut command = folder.command(&["serve", "--port", "0", "--store", store, "--data", data]);
    command.env("VALETKEY_LEASE_S", "3");
    command
}

#[test]
fn a_second_node_is_refused_whatever_its_folder_holds_until_the_first_one_is_gone() {
    let database = Server::start(Options::default()).unwrap();
    let (folder, store) = two_machines(&database);
    let first = Running::serve(serve(&folder, &store, "one"));
    let refused = Running::refused(serve(&folder, &store, "two"));
    assert!(refused.contains("another node") && refused.contains("works on this database"), "{refused}");
    assert!(!refused.contains(store.split('@').next().unwrap()), "the password is in the error");
    // The same folder as the first one's, without its lock: only the lease decides.
    assert_eq!(remove_lock_files(&folder, "one"), 1);
    let refused = Running::refused(serve(&folder, &store, "one"));
    assert!(refused.contains("another node"), "{refused}");
    assert_eq!(first.get("/readyz", None).0, 200);

    // The lease of a killed server must run out first, on any machine.
    first.kill();
    let again = Running::serve(serve(&folder, &store, "one"));
    assert!(again.said.contains("waiting to see whether it still renews it"), "{}", again.said);
    assert_eq!(again.get("/readyz", None).0, 200);
    again.stop();
    // An orderly stop releases the lease, so the next start does not wait.
    let second = Running::serve(serve(&folder, &store, "two"));
    assert!(!second.said.contains("waiting"), "{}", second.said);
    second.stop();
}

#[test]
fn a_node_that_was_paused_until_another_took_the_lease_stops() {
    let database = Server::start(Options::default()).unwrap();
    let (folder, store) = two_machines(&database);
    let first = Running::serve(serve(&folder, &store, "one"));
    first.signal("STOP");
    let second = Running::serve(serve(&folder, &store, "two"));
    first.signal("CONT");
    first.failed();
    assert_eq!(second.get("/readyz", None).0, 200);
    second.stop();
}

#[test]
fn a_database_of_another_server_is_left_alone() {
    let database = Server::start(Options::default()).unwrap();
    let store = database.dsn(&database.create_database().unwrap());
    let folder = Folder::new();
    let init = |data: &str| {
        folder.run(&["init", "--business", "A", "--admin-email", "a@example.com", "--store", &store, "--data", data])
    };
    assert!(init("one").status.success());
    let other = init("two");
    assert!(other.error().contains("there is no master key"), "{other:?}");
    assert!(!folder.join("two/master.key").exists());
    let demo = folder.run(&["demo", "--port", "0", "--data", "demo", "--store", &store]);
    assert!(demo.error().contains("there is no master key"), "{demo:?}");
}

#[test]
fn the_demo_runs_and_data_of_a_newer_version_are_refused() {
    let database = Server::start(Options::default()).unwrap();
    let name = database.create_database().unwrap();
    let store = database.dsn(&name);
    let folder = Folder::new();
    let first = Running::demo(&folder, &["--store", &store]);
    let before = demo_json(&folder);
    assert!(first.said.contains("PostgreSQL") && !first.said.contains(&store), "{}", first.said);
    first.stop();
    let second = Running::demo(&folder, &["--store", &store]);
    assert_eq!(demo_json(&folder)["admin_system_user"], before["admin_system_user"]);
    second.stop();
    let fresh = folder.run(&["demo", "--port", "0", "--data", "demo", "--store", &store, "--fresh"]);
    assert!(fresh.error().contains("make an empty database"), "{fresh:?}");
    database.sql(&name, "UPDATE meta SET value = 99 WHERE name = 'format'").unwrap();
    let newer = folder.run(&["demo", "--port", "0", "--data", "demo", "--store", &store]);
    assert!(newer.error().contains("the data has format 99"), "{newer:?}");
}
