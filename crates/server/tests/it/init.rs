//! Setting up a new server.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::program::{Folder, Running, ask_socket};

const ACME: &[&str] = &["init", "--business", "Acme", "--admin-email", "ada.lovelace@example.com", "--data", "d"];

#[test]
fn it_makes_folder_key_business_and_code_once() {
    let folder = Folder::new();
    let ended = folder.run(&[ACME, &["--json"]].concat());
    assert!(ended.status.success(), "{ended:?}");
    let made: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(made["admin"]["name"], "Ada Lovelace");
    assert!(made["sign_in"].as_str().unwrap().starts_with("vkeyco_"));
    let mode = |name: &str| std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("d"), mode("d/master.key"), mode("d/valetkey.db")), (0o700, 0o600, 0o600));

    let key = std::fs::read(folder.join("d/master.key")).unwrap();
    let again = folder.run(ACME);
    assert!(again.error().contains("already holds a Valetkey"), "{again:?}");
    assert_eq!(std::fs::read(folder.join("d/master.key")).unwrap(), key);

    let server = Running::serve(folder.command(&["serve", "--data", "d", "--port", "0"]));
    let (status, body) = ask_socket(&folder.join("d/valetkey.sock"), "POST", "/v1/commands/business.list");
    assert_eq!(status, 200, "{body}");
    assert_eq!(body.matches("\"name\":\"Acme\"").count(), 1, "{body}");
    server.stop();
}

#[test]
fn it_says_what_comes_next() {
    let folder = Folder::new();
    let ended = folder.run(ACME);
    for part in [
        "valetkey serve --data d",
        "valetkey login vkeyco_",
        "terms accept",
        "app create",
        "system-user create",
        "d/master.key",
    ] {
        assert!(ended.out.contains(part), "{part}: {ended:?}");
    }
    assert!(!ended.out.contains('\u{1b}'), "colours without a terminal");
}

#[test]
fn what_is_wrong_is_reported_before_anything_is_made() {
    let folder = Folder::new();
    for (business, email, said) in [
        ("", "ada@example.com", "--business is empty"),
        ("Acme", "ada", "--admin-email must be an e-mail address"),
        ("a\u{301}", "ada@example.com", "NFC"),
    ] {
        let ended = folder.run(&["init", "--business", business, "--admin-email", email, "--data", "d"]);
        assert!(ended.error().contains(said), "{ended:?}");
    }
    assert!(!folder.join("d").exists());
}

#[test]
fn a_key_from_the_environment_is_written_nowhere_and_asked_for_again() {
    let folder = Folder::new();
    let key = "0123456789abcdef".repeat(4);
    let ended = crate::program::Ended::of(folder.command(ACME).env("VALETKEY_MASTER_KEY", &key));
    assert!(ended.status.success(), "{ended:?}");
    assert!(!folder.join("d/master.key").exists());
    let without = folder.run(&["serve", "--data", "d", "--port", "0"]);
    assert!(without.error().contains("there is no master key"), "{without:?}");
    let mut wrong = folder.command(&["serve", "--data", "d", "--port", "0"]);
    let wrong = crate::program::Ended::of(wrong.env("VALETKEY_MASTER_KEY", key.replace('0', "1")));
    assert!(wrong.error().contains("wrapped by master key"), "{wrong:?}");
    let mut right = folder.command(&["serve", "--data", "d", "--port", "0"]);
    right.env("VALETKEY_MASTER_KEY", &key);
    Running::serve(right).stop();
}
