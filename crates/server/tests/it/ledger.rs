//! `ledger verify` on a store whose bytes were changed outside the program, with and without a
//! running server.

use serde_json::Value;

use crate::program::{Ended, Folder, Running};

/// A folder with a business, an app and a Page. The Page's name is in the ledger and in its record.
fn ready() -> Folder {
    let folder = Folder::new();
    let run = |line: &[&str]| {
        let ended = folder.run(&[line, &["--data", "d"]].concat());
        assert!(ended.status.success(), "{line:?}: {ended:?}");
        ended
    };
    let made = run(&["init", "--business", "Velo", "--admin-email", "ada@example.com", "--json"]);
    let made: Value = serde_json::from_str(&made.out).unwrap();
    run(&["login", made["sign_in"].as_str().unwrap()]);
    run(&["asset", "create", "Kaleidoscope", "--kind", "page", "--detail", "category=Quixotic"]);
    folder
}

fn verify(folder: &Folder, more: &[&str]) -> Ended {
    folder.run(&[&["ledger", "verify", "--data", "d"], more].concat())
}

/// Replaces a word in the data file, either where it is part of JSON or where it is not. SQLite
/// stores texts unchanged, so a word of equal length keeps the file valid.
fn alter(folder: &Folder, word: &str, is_json: bool, by: &str) {
    let file = folder.join("d/valetkey.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let word_bytes = word.as_bytes();
    // Both sides are checked, because the byte before a text of a row can be any byte.
    let is_quoted = |at: usize| bytes[at - 1] == b'"' && bytes[at + word.len()] == b'"';
    let places: Vec<usize> = (1..bytes.len() - word.len())
        .filter(|at| bytes[*at..].starts_with(word_bytes) && is_quoted(*at) == is_json)
        .collect();
    assert!(!places.is_empty(), "{word} is nowhere");
    assert_eq!(word.len(), by.len());
    for at in places {
        bytes[at..at + word.len()].copy_from_slice(by.as_bytes());
    }
    std::fs::write(&file, bytes).unwrap();
}

#[test]
fn what_the_store_holds_is_compared_with_and_without_a_server() {
    let folder = ready();
    let good = verify(&folder, &[]);
    assert!(good.out.contains("the store holds what they say"), "{good:?}");
    let all: Value = serde_json::from_str(&verify(&folder, &["--json"]).out).unwrap();
    assert_eq!((&all["intact"], all["compared"]["content"].as_u64()), (&Value::Bool(true), Some(1)), "{all}");
    alter(&folder, "Kaleidoscope", false, "Stethoscopes");
    let stopped = verify(&folder, &[]);
    let expected = "its name is not what entry";
    assert!(stopped.error().contains("asset ") && stopped.err.contains(expected), "{stopped:?}");
    assert!(!stopped.err.contains("Kaleidoscope") && !stopped.err.contains("Stethoscopes"), "{stopped:?}");
    // The server accepts the changed record, but the check finds it.
    let server = Running::serve(folder.command(&["serve", "--data", "d", "--port", "0"]));
    let running = verify(&folder, &["--json"]);
    assert_eq!(running.status.code(), Some(1), "{running:?}");
    let all: Value = serde_json::from_str(&running.out).unwrap();
    assert_eq!((&all["intact"], &all["differences"]["count"]), (&Value::Bool(false), &Value::from(1)), "{all}");
    // The entries of one business are in order, and the output says that nothing else was checked.
    let of_one = verify(&folder, &["--business", "Velo"]);
    assert!(of_one.status.success() && of_one.err.contains("what is in force was not compared"), "{of_one:?}");
    server.stop();
}

#[test]
fn content_that_was_changed_is_found() {
    let folder = ready();
    alter(&folder, "Quixotic", true, "Abnormal");
    let found = verify(&folder, &[]);
    assert!(found.error().contains("content ") && found.err.contains("is not what entry"), "{found:?}");
}

#[test]
fn entries_of_others_make_an_export_of_one_business_a_lie() {
    let folder = ready();
    let made = folder.run(&["business", "create", "Agency", "--admin-email", "eve@example.org", "--data", "d"]);
    assert!(made.status.success(), "{made:?}");
    let export = |name: &str, more: &[&str]| {
        let ended = folder.run(&[&["ledger", "export", "--out", name, "--data", "d"], more].concat());
        assert!(ended.status.success(), "{ended:?}");
        std::fs::read_to_string(folder.join(name)).unwrap()
    };
    let check = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.run(&["ledger", "verify", "--file", name])
    };
    let (one, all) = (export("one", &["--business", "Velo"]), export("all", &[]));
    assert!(check("one", &one).status.success());
    let foreign = all.lines().last().unwrap();
    assert!(!one.contains(foreign));
    let mixed = check("mixed", &format!("{one}{foreign}\n"));
    assert!(mixed.error().contains("is not one of business"), "{mixed:?}");
    // An entry without its payload is an error, even if its place in the chain is right.
    let mut entry: Value = serde_json::from_str(foreign).unwrap();
    entry["body"] = Value::Null;
    let erased = check("erased", &all.replace(foreign, &entry.to_string()));
    assert!(erased.error().contains("is gone, and no entry says that it was erased"), "{erased:?}");
}
