//! The same over PostgreSQL, where a lease makes one node the only one.

use valetkey_testkit::postgres::{Options, Server};

use crate::program::{Folder, Running, demo_json};

#[test]
fn a_second_node_is_refused_and_a_dead_one_of_ones_own_is_not() {
    let database = Server::start(Options::default()).unwrap();
    let name = database.create_database().unwrap();
    let store = database.dsn(&name);
    let folder = Folder::new();
    let init = ["init", "--business", "Acme", "--admin-email", "ada@example.com", "--store", &store, "--data"];
    assert!(folder.run(&[&init[..], &["one"]].concat()).status.success());
    let serve = ["serve", "--port", "0", "--store", &store, "--data"];
    let start = || Running::serve(folder.command(&[&serve[..], &["one"]].concat()));
    let first = start();

    // Another machine: another folder, with a copy of the key.
    std::fs::create_dir(folder.join("two")).unwrap();
    std::fs::copy(folder.join("one/master.key"), folder.join("two/master.key")).unwrap();
    let second = || folder.run(&[&serve[..], &["two"]].concat());
    let refused = second();
    assert!(refused.error().contains("another node") && refused.err.contains("try again in"), "{refused:?}");
    assert!(!refused.err.contains(database.dsn(&name).split('@').next().unwrap()), "the password is in the error");
    assert_eq!(first.get("/readyz", None).0, 200);

    first.kill();
    assert!(second().error().contains("another node"), "the lease of a dead node was taken before it ran out");
    let again = start();
    assert_eq!(again.get("/readyz", None).0, 200);
    again.stop();
    // An orderly end gives the lease back.
    Running::serve(folder.command(&[&serve[..], &["two"]].concat())).stop();
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
