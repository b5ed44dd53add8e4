//! A server that starts, meets a used port, reads its configuration, gets signals, and ends.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::program::{Folder, Running, ask_socket};

fn set_up() -> Folder {
    let folder = Folder::new();
    let ended = folder.run(&["init", "--business", "Acme", "--admin-email", "ada@example.com", "--data", "d"]);
    assert!(ended.status.success(), "{ended:?}");
    folder
}

fn serve(folder: &Folder) -> Running {
    Running::serve(folder.command(&["serve", "--data", "d", "--port", "0"]))
}

#[test]
fn it_answers_stops_in_order_and_starts_again_after_a_loss_of_power() {
    let folder = set_up();
    let socket = folder.join("d/valetkey.sock");
    let server = serve(&folder);
    assert_eq!(server.get("/healthz", None), (200, "ok\n".into()));
    assert_eq!(server.get("/readyz", None), (200, "ready\n".into()));
    assert!(server.get("/metrics", None).1.contains("\nvaletkey_fresh 1\n"));
    assert!(server.get("/", None).1.contains("/console"));
    assert!(server.get("/v26.0/me", None).1.contains("fbtrace_id"));
    let (status, body) = server.get("/no/such/page", None);
    assert!(
        status == 400 && body.contains("\"code\":2500") && body.contains("Unknown path components: /page"),
        "{body}"
    );
    let (status, body) = server.get("/no/such/page", Some("no-token-at-all"));
    assert!(status == 401 && body.contains("\"code\":190"), "a dead token is told first: {body}");
    assert_eq!(server.get("/favicon.ico", None), (404, "not found\n".into()));
    assert_eq!(server.get("/console/", None).0, 303);
    server.kill();
    assert!(socket.exists(), "a killed server leaves its socket behind");
    let server = serve(&folder);
    assert_eq!(ask_socket(&socket, "POST", "/v1/commands/status").0, 200);
    server.stop();
    assert!(!socket.exists());
}

#[test]
fn only_the_socket_makes_an_operator_and_only_its_owner_can_open_it() {
    let folder = set_up();
    let server = serve(&folder);
    let socket = folder.join("d/valetkey.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(ask_socket(&socket, "POST", "/v1/commands/business.list").0, 200);
    let (status, body) = server.ask("POST", "/v1/commands/business.list", None, "");
    assert_eq!(status, 401, "{body}");
    server.stop();
}

#[test]
fn sighup_reads_the_certificate_and_stops_nothing() {
    let folder = set_up();
    let server = serve(&folder);
    server.signal("HUP");
    assert_eq!(server.get("/healthz", None).0, 200);
    server.stop();
}

#[test]
fn a_folder_in_use_is_refused_with_the_process_that_uses_it() {
    let folder = set_up();
    let server = serve(&folder);
    let second = folder.run(&["serve", "--data", "d", "--port", "0"]);
    assert!(second.error().contains("the data folder d is in use by another valetkey (process "), "{second:?}");
    let init = folder.run(&["init", "--business", "B", "--admin-email", "b@example.com", "--data", "d"]);
    assert!(init.error().contains("in use"), "{init:?}");
    assert_eq!(server.get("/healthz", None).0, 200);
    server.stop();
}

#[test]
fn a_port_in_use_is_named_and_the_folder_is_free_afterwards() {
    let folder = set_up();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = folder.run(&["serve", "--data", "d", "--port", &port]);
    assert!(ended.error().contains(&format!("127.0.0.1:{port} is in use")), "{ended:?}");
    assert!(ended.error().contains("stop it, or choose another port with --port"), "{ended:?}");
    assert!(!folder.join("d/valetkey.sock").exists());
    serve(&folder).stop();
    // The error comes before the store is opened: a missing store is not created.
    for file in ["valetkey.db", "valetkey.db-wal", "valetkey.db-shm"] {
        let _ = std::fs::remove_file(folder.join("d").join(file));
    }
    let ended = folder.run(&["serve", "--data", "d", "--port", &port]);
    assert!(ended.error().contains(&format!("127.0.0.1:{port} is in use")), "{ended:?}");
    assert!(!folder.join("d/valetkey.db").exists());
}

#[test]
fn limits_of_parameters_in_the_configuration_reach_the_graph() {
    let folder = set_up();
    std::fs::write(folder.join("v.toml"), "data = \"d\"\n[limits]\nparam_name_limit_bytes = 20\n").unwrap();
    let server = Running::serve(folder.command(&["serve", "--config", "v.toml", "--port", "0"]));
    let said = |name: &str| server.get(&format!("/v26.0/me?{name}=1"), None);
    assert!(said(&"n".repeat(20)).1.contains("\"code\":190") || said(&"n".repeat(20)).1.contains("\"code\":2500"));
    let (status, body) = said(&"n".repeat(21));
    assert!(status == 400 && body.contains("\"code\":100") && body.contains("20 bytes"), "{body}");
    server.stop();
}

#[test]
fn data_of_a_newer_version_are_left_as_they_are() {
    let folder = set_up();
    let python = |script: &str| {
        let output = Command::new("python3").args(["-c", script]).arg(folder.join("d/valetkey.db")).output();
        let output = output.expect("python3 is needed for this test: install it with the package manager");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    python(
        "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.execute(\"UPDATE meta SET value=99 WHERE name='format'\"); d.commit()",
    );
    let ended = folder.run(&["serve", "--data", "d", "--port", "0"]);
    assert!(
        ended.error().contains("the data has format 99") && ended.err.contains("use a newer valetkey"),
        "{ended:?}"
    );
    let format = python(
        "import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute(\"SELECT value FROM meta WHERE name='format'\").fetchone()[0])",
    );
    assert_eq!(format, "99");
}

#[test]
fn a_folder_that_cannot_be_used_is_named_with_what_to_do() {
    let folder = Folder::new();
    let none = folder.run(&["serve", "--data", "none"]);
    assert!(none.error().contains("there is no data folder none: make one with `valetkey init`"), "{none:?}");
    std::fs::create_dir(folder.join("empty")).unwrap();
    let empty = folder.run(&["serve", "--data", "empty"]);
    assert!(empty.error().contains("there is no master key"), "{empty:?}");
    assert!(!folder.join("empty/valetkey.db").exists(), "a folder without a key was made a store");
    let folder = set_up();
    std::fs::set_permissions(folder.join("d/master.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = folder.run(&["serve", "--data", "d"]);
    assert!(open.error().contains("chmod 600 d/master.key"), "{open:?}");
}

#[test]
fn declared_kinds_enter_once_and_a_contradiction_stops_the_start() {
    let folder = set_up();
    let write = |tasks: &str| {
        let text = format!("data = \"d\"\n[[kinds]]\nword = \"warehouse\"\ntitle = \"Warehouse\"\ntasks = {tasks}\n");
        std::fs::write(folder.join("v.toml"), text).unwrap();
    };
    let start = || Running::serve(folder.command(&["serve", "--config", "v.toml", "--port", "0"]));
    let revision = |server: &Running| server.said.rsplit("revision ").next().unwrap().trim().to_owned();
    write("[\"MANAGE\", \"PACK\"]");
    let first = start();
    let declared = revision(&first);
    first.stop();
    let second = start();
    assert_eq!(revision(&second), declared, "a kind that is there already was written again");
    second.stop();
    write("[\"PACK\", \"MANAGE\"]");
    let ended = folder.run(&["serve", "--config", "v.toml", "--port", "0"]);
    assert!(ended.error().contains("the kind `warehouse`") && ended.err.contains("MANAGE, PACK"), "{ended:?}");
}
