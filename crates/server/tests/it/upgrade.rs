//! This version opens data that earlier versions wrote, and reads them the same.
//!
//! Each folder in `tests/upgrade` is a version. Its questions and answers are in
//! `expected.json.gz`, and this version is asked the same. A fixture must never be changed to suit
//! a new version: if an answer may differ, the rule for that belongs here or in `questions.py`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use valetkey_testkit::postgres::{Options, Server};

use crate::program::{Ended, Folder, Running, command};

/// Keys that a row may have beyond the expected ones; `questions.py` says why each is left out.
const LEFT_OUT: &[&str] = &["paging", "use_count", "last_used_time", "last_used_ip", "scopes"];
/// How many differences are shown.
const SHOWN: usize = 12;

#[test]
fn sqlite_data_of_each_earlier_version_read_the_same() {
    for fixture in fixtures("sqlite") {
        let folder = data_folder(&fixture);
        fs::write(folder.join("d/valetkey.db"), unpacked(&fixture.join("valetkey.db.gz"))).unwrap();
        upgrade(&fixture, &folder, None);
    }
}

#[test]
fn postgresql_data_of_each_earlier_version_read_the_same() {
    let database = Server::start(Options::default()).unwrap();
    for fixture in fixtures("postgres") {
        let folder = data_folder(&fixture);
        let name = database.create_database().unwrap();
        fs::write(folder.join("dump.sql"), unpacked(&fixture.join("dump.sql.gz"))).unwrap();
        database.load(&name, &folder.join("dump.sql")).unwrap();
        upgrade(&fixture, &folder, Some(&database.dsn(&name)));
    }
}

/// The folders of all versions for one store.
fn fixtures(store: &str) -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/upgrade");
    let mut found: Vec<PathBuf> = fs::read_dir(all).unwrap().flatten().map(|entry| entry.path().join(store)).collect();
    found.retain(|path| path.is_dir());
    found.sort();
    assert!(!found.is_empty(), "there is no fixture for {store}");
    found
}

/// A data folder with the fixture's key.
fn data_folder(fixture: &Path) -> Folder {
    let folder = Folder::new();
    let (data, key) = (folder.join("d"), folder.join("d/master.key"));
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(fixture.join("master.key"), &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

fn unpacked(file: &Path) -> Vec<u8> {
    let output = Command::new("gzip").arg("-dc").arg(file).output().expect("gzip is needed for this test");
    assert!(output.status.success(), "{}: {output:?}", file.display());
    output.stdout
}

/// Starts this version on the data, asks, writes, and verifies the ledger.
fn upgrade(fixture: &Path, folder: &Folder, store: Option<&str>) {
    let expected: Value = serde_json::from_slice(&unpacked(&fixture.join("expected.json.gz"))).unwrap();
    let program = |words: &[&str]| {
        let mut command = folder.command(&[words, &["--data", "d"]].concat());
        command.envs(store.map(|store| ("VALETKEY_STORE", store)));
        command
    };
    let serve = || Running::serve(program(&["serve", "--port", "0"]));
    let verify = |when: &str| {
        let ended = Ended::of(&mut program(&["ledger", "verify"]));
        assert!(ended.status.success(), "{}: the ledger, {when}: {ended:?}", fixture.display());
    };
    let socket = folder.join("d/valetkey.sock");

    let server = serve();
    let differences = differences(&server, &socket, &expected);
    assert_eq!(jobs(&socket), scheduled(&expected), "{}: jobs beside scheduled posts", fixture.display());
    let (count, shown) = (differences.len(), &differences[..differences.len().min(SHOWN)]);
    assert!(count == 0, "{}: {count} answers differ, such as\n{}", fixture.display(), shown.join("\n"));
    server.stop();
    verify("after the upgrade");

    let server = serve();
    writes(&server, &socket, &expected);
    server.stop();
    verify("after writes of this version");

    let server = serve();
    let dead = server.get("/v26.0/me", expected["tokens"]["unused"].as_str());
    assert_eq!(dead.0, 401, "a token that was revoked after the upgrade lives again: {}", dead.1);
    server.stop();
}

/// Old tokens can be revoked, and old scheduled posts can be published, by this version.
fn writes(server: &Running, socket: &Path, expected: &Value) {
    let text = |place: &str| expected.pointer(place).and_then(Value::as_str).unwrap().to_owned();
    let revoked = command(socket, "token.revoke", &serde_json::json!({ "token": text("/ids/token_unused") }));
    assert_eq!(revoked.0, 200, "{}", revoked.1);
    let (post, poster) = (text("/ids/post_scheduled_poster"), text("/tokens/poster"));
    let published = server.ask("POST", &format!("/v26.0/{post}"), Some(&poster), "is_published=true");
    assert_eq!(published.0, 200, "{}", published.1);
    let read = server.get(&format!("/v26.0/{post}?fields=is_published"), Some(&poster));
    assert!(read.1.contains(r#""is_published":true"#), "{}", read.1);
}

/// The posts that waited for their time, by id, with that time.
fn scheduled(expected: &Value) -> BTreeMap<String, i64> {
    let answers = expected["answers"].as_array().unwrap().iter();
    let lists = answers.filter(|a| a["as"] == "admin" && a["path"].as_str().unwrap().contains("/scheduled_posts"));
    let rows = lists.flat_map(|answer| answer["body"]["data"].as_array().unwrap());
    let post = |row: &Value| row["id"].as_str().unwrap().rsplit('_').next().unwrap().to_owned();
    rows.map(|row| (post(row), row["scheduled_publish_time"].as_i64().unwrap())).collect()
}

/// The same from this version's jobs: each is waiting and has an actor.
fn jobs(socket: &Path) -> BTreeMap<String, i64> {
    let (status, body) = command(socket, "job.list", &serde_json::json!({ "limit": 1000 }));
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let time = |row: &Value| row["due_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    let rows = body["result"]["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        assert!(row["state"] == "waiting" && row["actor"]["id"].is_string(), "{row}");
        (row["about"].as_str().unwrap().to_owned(), time(row))
    })
    .collect()
}

/// Every question whose answer has changed.
fn differences(server: &Running, socket: &Path, expected: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for question in expected["answers"].as_array().unwrap() {
        let (name, (status, body)) = match question["command"].as_str() {
            Some(name) => {
                let parameters = &question["parameters"];
                (format!("{name} {parameters}"), command(socket, name, parameters))
            }
            None => {
                let (whose, path) = (question["as"].as_str().unwrap(), question["path"].as_str().unwrap());
                let answer = server.get(&format!("/v26.0{path}"), expected["tokens"][whose].as_str());
                (format!("{whose}: {path}"), answer)
            }
        };
        let body = body.replace(&server.base_url, "{base}").replace("http://localhost", "{base}");
        let body: Value = serde_json::from_str(&body).unwrap_or(Value::String(body));
        let body = if question["command"].is_string() { &body["result"] } else { &body };
        let rule = Rule {
            exact: status == 200 && name.contains("fields="),
            // Entries of this version follow those of the earlier ones.
            grows: question["command"] == "ledger.list",
        };
        let difference = if question["status"] == status {
            rule.differ(&question["body"], body, "")
        } else {
            Some(format!("the status was {} and is {status}: {body}", question["status"]))
        };
        found.extend(difference.map(|what| format!("{name}: {what}")));
    }
    found
}

/// How an answer is compared with the expected one.
struct Rule {
    /// Whether objects may hold nothing beyond what is expected.
    exact: bool,
    /// Whether lists may be longer.
    grows: bool,
}

impl Rule {
    /// The first difference, with its place.
    fn differ(&self, expected: &Value, actual: &Value, at: &str) -> Option<String> {
        match (expected, actual) {
            (Value::Object(wanted), Value::Object(found)) => {
                let more = found.keys().find(|key| !wanted.contains_key(*key) && !LEFT_OUT.contains(&key.as_str()));
                if let Some(key) = more.filter(|_| self.exact) {
                    return Some(format!("{at}/{key} is new: {}", found[key]));
                }
                wanted.iter().find_map(|(key, value)| {
                    let found = found.get(key).unwrap_or(&Value::Null);
                    self.differ(value, found, &format!("{at}/{key}"))
                })
            }
            (Value::Array(wanted), Value::Array(found)) => {
                if wanted.len() != found.len() && !(self.grows && wanted.len() < found.len()) {
                    return Some(format!("{at} had {} rows and has {}", wanted.len(), found.len()));
                }
                let rows = wanted.iter().zip(found).enumerate();
                rows.into_iter().find_map(|(row, (wanted, found))| self.differ(wanted, found, &format!("{at}/{row}")))
            }
            _ if expected == actual => None,
            // Since there is a console, the address of a post leads to its page there.
            (Value::String(was), Value::String(is)) if at.ends_with("/permalink_url") && is_moved(was, is) => None,
            _ => Some(format!("{at} was {expected} and is {actual}")),
        }
    }
}

/// Whether `BASE/PAGE/posts/POST` became `BASE/console/content/POST`.
fn is_moved(was: &str, is: &str) -> bool {
    let post = was.rsplit_once("/posts/").map(|(_, post)| post);
    post.is_some_and(|post| is == format!("{{base}}/console/content/{post}"))
}

#[test]
fn a_comparison_finds_what_is_gone_new_or_different() {
    let differ = |exact, grows, actual: &str| {
        let expected = serde_json::json!({"id": "1", "rows": [{"a": 1}, {"a": 2}]});
        Rule { exact, grows }.differ(&expected, &serde_json::from_str(actual).unwrap(), "")
    };
    assert_eq!(differ(true, false, r#"{"id":"1","rows":[{"a":1},{"a":2}],"paging":{}}"#), None);
    assert_eq!(differ(false, false, r#"{"id":"1","rows":[{"a":1,"b":0},{"a":2}]}"#), None);
    assert_eq!(differ(false, true, r#"{"id":"1","rows":[{"a":1},{"a":2},{"a":3}]}"#), None);
    for (exact, grows, actual, part) in [
        (true, false, r#"{"id":"1","rows":[{"a":1,"b":0},{"a":2}]}"#, "/rows/0/b is new"),
        (false, false, r#"{"rows":[{"a":1},{"a":2}]}"#, "/id was \"1\" and is null"),
        (false, false, r#"{"id":"1","rows":[{"a":1},{"a":2},{"a":3}]}"#, "had 2 rows and has 3"),
        (false, true, r#"{"id":"1","rows":[{"a":1}]}"#, "had 2 rows and has 1"),
        (false, true, r#"{"id":"1","rows":[{"a":1},{"a":3},{"a":4}]}"#, "/rows/1/a was 2 and is 3"),
    ] {
        let found = differ(exact, grows, actual).unwrap();
        assert!(found.contains(part), "{found}");
    }
}
