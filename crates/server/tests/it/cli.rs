//! The command line as people and scripts use it: on a stopped store, over the socket of a running
//! server, and with a token at an address.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Ended, Folder, Running};

/// Runs a command on the folder's data; it must succeed.
fn run(folder: &Folder, line: &[&str]) -> String {
    let ended = folder.run(&[line, &["--data", "d"]].concat());
    assert!(ended.status.success(), "{line:?}: {ended:?}");
    ended.out
}

fn json_of(folder: &Folder, line: &[&str]) -> Value {
    let out = run(folder, &[line, &["--json"]].concat());
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{line:?}: {e}: {out}"))
}

fn refused(folder: &Folder, line: &[&str]) -> String {
    let ended = folder.run(&[line, &["--data", "d"]].concat());
    assert!(ended.out.is_empty(), "{line:?}: {ended:?}");
    ended.error().to_owned()
}

fn id(folder: &Folder, line: &[&str]) -> String {
    json_of(folder, line)["id"].as_str().unwrap().to_owned()
}

/// A folder that is set up, with its ADMIN signed in.
fn set_up() -> Folder {
    let folder = Folder::new();
    let made = folder.run(&["init", "--business", "Velo", "--admin-email", "ada@example.com", "--data", "d", "--json"]);
    assert!(made.status.success(), "{made:?}");
    let made: Value = serde_json::from_str(&made.out).unwrap();
    run(&folder, &["login", made["sign_in"].as_str().unwrap()]);
    folder
}

/// The same, with an app, a Page and a system user that may publish on it.
pub fn ready() -> Folder {
    let folder = set_up();
    run(&folder, &["terms", "accept", "--yes"]);
    run(&folder, &["app", "create", "Shop"]);
    run(&folder, &["system-user", "create", "Robot"]);
    run(&folder, &["app", "install", "Shop", "Robot"]);
    run(&folder, &["asset", "create", "Bikes", "--kind", "page", "--detail", "category=Shop"]);
    run(&folder, &["assignment", "assign", "Bikes", "Robot", "CREATE_CONTENT,ANALYZE"]);
    folder
}

fn serve(folder: &Folder) -> Running {
    Running::serve(folder.command(&["serve", "--data", "d", "--port", "0"]))
}

/// Issues a token, as a script would.
pub fn issue(folder: &Folder, more: &[&str]) -> String {
    let out = run(folder, &[&["token", "issue", "Robot", "Shop", "--scopes", "pages_show_list"], more].concat());
    assert_eq!(out.lines().count(), 1, "only the token goes to standard output: {out}");
    out.trim().to_owned()
}

fn at(server: &Running, folder: &Folder, token: &str, line: &[&str]) -> Ended {
    let mut command = folder.command(&[line, &["--server", &server.base_url]].concat());
    Ended::of(command.env("VALETKEY_TOKEN", token))
}

#[test]
fn a_stopped_store_and_a_running_server_take_the_same_commands() {
    let folder = ready();
    let first = issue(&folder, &["--days", "30"]);
    let server = serve(&folder);
    let second = issue(&folder, &["--never"]);
    for token in [&first, &second] {
        let who = at(&server, &folder, token, &["status"]);
        assert!(who.error().contains("(scope_missing)"), "the token is alive and known: {who:?}");
    }
    let rows = json_of(&folder, &["token", "list", "--live", "--user", "Robot"]);
    let ends: Vec<bool> = rows["rows"].as_array().unwrap().iter().map(|r| r["expires_at"].is_null()).collect();
    assert_eq!(ends, [true, false], "newest first");
    assert!(!rows.to_string().contains(&first) && !rows.to_string().contains(&second));
    server.stop();
    assert_eq!(json_of(&folder, &["token", "list", "--user", "Robot"])["rows"].as_array().unwrap().len(), 2);
}

#[test]
fn a_revoke_bites_while_the_server_runs() {
    let folder = ready();
    let server = serve(&folder);
    let token = issue(&folder, &[]);
    let row = json_of(&folder, &["token", "list", "--user", "Robot"])["rows"][0].clone();
    assert_eq!(server.get("/v26.0/me", Some(&token)).0, 200);
    let out = run(&folder, &["token", "revoke", row["id"].as_str().unwrap()]);
    assert!(out.starts_with("✓ token"), "{out}");
    assert_eq!(server.get("/v26.0/me", Some(&token)).0, 401);
    let said = at(&server, &folder, &token, &["status"]);
    assert!(said.error().contains("the token was revoked (token_revoked)"), "{said:?}");
    server.stop();
}

#[test]
fn the_token_of_the_environment_counts_at_home_too() {
    let folder = ready();
    let token = issue(&folder, &[]);
    let mut command = folder.command(&["system-user", "create", "Second", "--data", "d"]);
    let said = Ended::of(command.env("VALETKEY_TOKEN", &token));
    assert!(said.error().contains("scope_missing"), "it acted as the operator: {said:?}");
}

#[test]
fn a_token_is_revoked_with_all_that_came_from_it() {
    let folder = ready();
    let server = serve(&folder);
    let first = issue(&folder, &[]);
    let id = json_of(&folder, &["token", "list", "--user", "Robot"])["rows"][0]["id"].as_str().unwrap().to_owned();
    // Ids are used, since a token that may not manage the business can't look up names.
    let id_of = |list: &[&str]| json_of(&folder, list)["rows"][0]["id"].as_str().unwrap().to_owned();
    let (robot, shop) = (id_of(&["system-user", "list"]), id_of(&["app", "list"]));
    let line = ["token", "issue", &robot, &shop, "--scopes", "pages_show_list", "--days", "1"];
    let second = at(&server, &folder, &first, &line);
    assert!(second.status.success(), "{second:?}");
    let second = second.out.trim().to_owned();
    assert_eq!(server.get("/v26.0/me", Some(&second)).0, 200);
    let out = run(&folder, &["token", "revoke", &id, "--with-descendants"]);
    assert!(out.contains("revoked, with all that came from it, 2 in all"), "{out}");
    for dead in [&first, &second] {
        assert_eq!(server.get("/v26.0/me", Some(dead)).0, 401);
    }
    server.stop();
}

#[test]
fn an_admin_token_manages_its_business_from_elsewhere() {
    let folder = ready();
    run(&folder, &["system-user", "create", "Chief", "--role", "ADMIN"]);
    run(&folder, &["app", "install", "Shop", "Chief"]);
    let issued =
        json_of(&folder, &["token", "issue", "Chief", "Shop", "--scopes", "business_management", "--add-dependencies"]);
    let token = issued["access_token"].as_str().unwrap();
    // Entries of another business lie between this one's.
    run(&folder, &["business", "create", "Agency", "--admin-email", "eve@example.org"]);
    let server = serve(&folder);
    let made = at(&server, &folder, token, &["person", "create", "Bo", "--email", "bo@example.com", "--json"]);
    assert!(made.status.success(), "{made:?}");
    let listed = at(&server, &folder, token, &["person", "list"]);
    assert!(listed.out.contains("bo@example.com"), "{listed:?}");
    // An ADMIN's token can't call the operator's commands.
    let no = at(&server, &folder, token, &["person", "sign-in", "bo@example.com"]);
    assert!(no.error().contains("only the operator of this server can do this"), "{no:?}");
    assert!(no.err.contains("hint: run it where the server runs"), "{no:?}");
    let checked = at(&server, &folder, token, &["ledger", "verify", "--json"]);
    let checked: Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!(checked["intact"], true, "a business's own chain is checked");
    // Without a token, or if the token would be sent in the clear, nothing is sent.
    let nobody = Ended::of(
        folder.command(&["status", "--server", &server.base_url]).env("XDG_CONFIG_HOME", folder.join("config")),
    );
    assert!(nobody.error().contains("nobody is signed in here"), "{nobody:?}");
    let clear = folder.run(&["status", "--server", "http://192.0.2.1:8080", "--token", token]);
    assert!(clear.error().contains("in the clear") && !clear.err.contains(token), "{clear:?}");
    server.stop();
}

#[test]
fn a_person_signs_in_accepts_and_signs_out() {
    let folder = set_up();
    let file = folder.join("d/login.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(run(&folder, &["login", "--status"]).contains("signed in: Ada (ADMIN of Velo), until"));
    let shown = run(&folder, &["login", "--status", "--json"]);
    let token = std::fs::read_to_string(&file).unwrap();
    let token = serde_json::from_str::<Value>(&token).unwrap()["access_token"].as_str().unwrap().to_owned();
    assert!(!shown.contains(&token));
    // A script accepts the terms only with `--yes`.
    assert!(refused(&folder, &["terms", "accept"]).contains("nobody is there to say yes"));
    assert!(run(&folder, &["terms", "accept", "--yes"]).contains("version 1 of the terms accepted"));
    assert_eq!(json_of(&folder, &["business", "list"])["rows"][0]["terms_accepted"], true);
    assert_eq!(run(&folder, &["logout"]), "✓ signed out\n");
    assert!(!file.exists());
    let server = serve(&folder);
    let dead = at(&server, &folder, &token, &["status"]);
    assert!(dead.error().contains("token_revoked"), "{dead:?}");
    server.stop();
    let nobody = refused(&folder, &["terms", "accept", "--yes"]);
    assert!(
        nobody.contains("only an ADMIN person can accept the terms") && nobody.contains("hint: valetkey login CODE"),
        "{nobody}"
    );
}

#[test]
fn a_login_elsewhere_is_kept_with_the_users_settings() {
    let folder = set_up();
    let server = serve(&folder);
    let code = json_of(&folder, &["person", "sign-in", "ada@example.com"])["code"].as_str().unwrap().to_owned();
    let home = folder.join("config");
    let at = |line: &[&str]| {
        let mut command = folder.command(&[line, &["--server", &server.base_url]].concat());
        Ended::of(command.env("XDG_CONFIG_HOME", &home))
    };
    let login = at(&["login", &code]);
    assert!(login.out.contains("signed in: Ada"), "{login:?}");
    let kept: Vec<_> = std::fs::read_dir(home.join("valetkey")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(at(&["business", "list"]).out.contains("Velo"));
    let again = at(&["login", &code]);
    assert!(again.error().contains("used already"), "{again:?}");
    std::fs::set_permissions(&kept[0], std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(at(&["business", "list"]).error().contains("others may read the login"));
    server.stop();
}

#[test]
fn names_stand_for_ids_where_they_are_unique() {
    let folder = ready();
    let robot = json_of(&folder, &["system-user", "list"])["rows"][0]["id"].as_str().unwrap().to_owned();
    run(&folder, &["system-user", "rename", &robot, "Writer"]);
    let gone = refused(&folder, &["system-user", "deactivate", "Robot"]);
    assert!(gone.contains("there is no system user called \"Robot\"") && gone.contains("system-user list"), "{gone}");
    let twin = id(&folder, &["system-user", "create", "Writer"]);
    let both = refused(&folder, &["system-user", "deactivate", "Writer"]);
    assert!(both.contains("more than one") && both.contains(&robot) && both.contains(&twin), "{both}");
    run(&folder, &["system-user", "deactivate", &twin]);
    // With a second business, the first is no longer the default.
    run(&folder, &["business", "create", "Agency", "--admin-email", "eve@example.org"]);
    let which = refused(&folder, &["person", "list"]);
    assert!(which.contains("more than one business"), "{which}");
    assert!(run(&folder, &["person", "list", "--business", "Agency"]).contains("eve@example.org"));
    run(&folder, &["share", "share", "Bikes", "Agency", "ADVERTISE"]);
    assert_eq!(
        json_of(&folder, &["share", "list", "--business", "Agency"])["rows"][0]["permitted_tasks"],
        json!(["ADVERTISE"])
    );
    run(&folder, &["share", "unshare", "Bikes", "Agency"]);
}

#[test]
fn the_ledger_is_exported_and_any_change_of_it_is_found() {
    let folder = ready();
    let server = serve(&folder);
    run(&folder, &["ledger", "export", "--out", folder.join("all.jsonl").to_str().unwrap()]);
    let running = json_of(&folder, &["ledger", "verify"]);
    server.stop();
    let file = folder.join("all.jsonl");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let stopped = json_of(&folder, &["ledger", "verify"]);
    assert_eq!((&running["intact"], &running["hash"]), (&json!(true), &stopped["hash"]));
    let hash = running["hash"].as_str().unwrap();
    // A file is checked without a data folder.
    let check = |name: &str, more: &[&str]| {
        folder.run(&[&["ledger", "verify", "--file", name, "--data", "none"], more].concat())
    };
    let whole = check("all.jsonl", &["--expect", hash]);
    assert!(whole.out.contains("the whole ledger") && whole.out.contains(hash), "{whole:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let write = |name: &str, lines: Vec<String>| std::fs::write(folder.join(name), lines.join("\n")).unwrap();
    let own = |range: &[&str]| range.iter().map(|l| (*l).to_owned()).collect::<Vec<String>>();
    let last = lines.len() - 1;
    write("altered.jsonl", own(&lines).into_iter().map(|l| l.replace("Robot", "Rowboat")).collect());
    write("removed.jsonl", own(&[&lines[..3], &lines[4..]].concat()));
    write("swapped.jsonl", own(&[&lines[..3], &[lines[4], lines[3]], &lines[5..]].concat()));
    for name in ["altered.jsonl", "removed.jsonl", "swapped.jsonl"] {
        let found = check(name, &[]);
        assert!(found.error().contains("the ledger is not intact"), "{name}: {found:?}");
    }
    write("short.jsonl", own(&lines[..last]));
    assert!(check("short.jsonl", &[]).status.success(), "a cut-off end shows only against a hash that is known");
    let short = check("short.jsonl", &["--expect", hash]);
    assert!(short.error().contains("not the expected"), "{short:?}");
    let broken = check("short.jsonl", &["--expect", hash, "--json"]);
    assert_eq!(broken.status.code(), Some(1));
    assert_eq!(serde_json::from_str::<Value>(&broken.out).unwrap()["intact"], false);
    // The head itself is not believed: a store whose end was cut off is found out.
    let listed = run(&folder, &["ledger", "list", "--after", "0", "--limit", "3"]);
    assert_eq!(listed.lines().count(), 4, "{listed}");
    assert!(listed.contains("business_created"), "{listed}");
}

#[test]
fn the_ledger_is_listed_in_sentences_newest_first() {
    let folder = ready();
    let listed = run(&folder, &["ledger", "list", "--limit", "3"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 4, "{listed}");
    assert!(lines[1].ends_with("The operator assigned Bikes to Robot: Create content, Analyze"), "{listed}");
    assert!(lines[2].ends_with("The operator created the Page Bikes"), "{listed}");
    let about = run(&folder, &["ledger", "list", "--about", "Robot"]);
    assert!(about.contains("created the system user Robot as EMPLOYEE") && !about.contains("the Page"), "{about}");
    let by = run(&folder, &["ledger", "list", "--by", "ada@example.com"]);
    assert!(by.contains("Ada signed in") && !by.contains("The operator"), "{by}");
    let since = folder.run(&["ledger", "list", "--since", "2099-01-01", "--data", "d"]);
    assert!(since.status.success() && since.out.is_empty(), "{since:?}");
    assert!(refused(&folder, &["ledger", "list", "--since", "soon"]).contains("such as 2026-11-24"));
    assert!(refused(&folder, &["ledger", "list", "--about", "Nobody"]).contains("nothing is called"));
    // Scripts get the entries as they are, oldest first, unless they filter.
    assert_eq!(json_of(&folder, &["ledger", "list"])["rows"][0]["revision"], 1);
    let filtered = json_of(&folder, &["ledger", "list", "--by", "operator"]);
    assert_eq!(filtered["rows"][0]["action"], "assigned");
}

#[test]
fn a_refusal_is_explained_then_and_now() {
    let folder = ready();
    let server = serve(&folder);
    let token = issue(&folder, &[]);
    let no = at(&server, &folder, &token, &["person", "list"]);
    let trace = no.err.lines().find_map(|l| l.strip_prefix("trace: ")).unwrap_or_else(|| panic!("{no:?}")).to_owned();
    run(&folder, &["system-user", "deactivate", "Robot"]);
    let said = run(&folder, &["explain", &trace]);
    assert!(said.starts_with("Robot could not manage "), "{said}");
    assert!(said.contains(&format!("{trace} (scope_missing), role EMPLOYEE, token ")), "{said}");
    assert!(said.contains("\nnow: still refused, because the user of this token is deactivated\n"), "{said}");
    assert!(said.contains("this would mend it: valetkey system-user activate "), "{said}");
    let check =
        |title: &str| said.lines().find(|l| l.starts_with(title)).unwrap_or_else(|| panic!("{said}")).to_owned();
    assert!(check("Token is live").ends_with("x User deactivated"), "{said}");
    assert!(check("Scope").contains("x Lacks business_management") && check("Scope").ends_with("not asked"), "{said}");
    assert!(!said.contains("facts."), "{said}");
    let said = run(&folder, &["explain", &trace, "--facts"]);
    let line = said.lines().find(|l| l.starts_with("facts.user_status")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words, ["facts.user_status", "ACTIVE", "DEACTIVATED", "changed"]);
    let listed = run(&folder, &["refusals"]);
    assert!(listed.contains(&trace) && listed.contains("Robot could not manage "), "{listed}");
    let row = json_of(&folder, &["token", "list", "--user", "Robot"])["rows"][0].clone();
    let token_id = row["id"].as_str().unwrap();
    let ask = ["explain", "--token-id", token_id, "--asset", "Bikes", "--task", "MODERATE"];
    let now = run(&folder, &ask);
    assert!(now.starts_with("no: the user of this token is deactivated (user_deactivated)\nnext: "), "{now}");
    run(&folder, &["system-user", "activate", "Robot"]);
    let no = run(&folder, &ask);
    assert!(
        no.starts_with("no: the user lacks the task MODERATE on the Page ") && no.contains("(task_missing)"),
        "{no}"
    );
    assert!(no.contains("next: have the task added to the assignment (assignment.assign)\n"), "{no}");
    assert!(no.contains("can be granted by: ADMIN of the business\n"), "{no}");
    let may = ["can", "Robot", "Bikes", "MODERATE"];
    assert!(run(&folder, &may).starts_with("Robot may not use Community activity on Bikes, because "));
    run(&folder, &["assignment", "assign", "Bikes", "Robot", "MODERATE"]);
    assert!(run(&folder, &ask).starts_with("yes"));
    assert_eq!(run(&folder, &may).trim_end(), "Robot may use Community activity on Bikes: it is assigned.");
    server.stop();
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let folder = set_up();
    let results = |ended: &Ended| -> Vec<(String, String)> {
        let all: Value = serde_json::from_str(&ended.out).unwrap();
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        all["checks"].as_array().unwrap().iter().map(|c| (text(&c["check"]), text(&c["result"]))).collect()
    };
    let look = |folder: &Folder, more: &[&str]| {
        let mut command = folder.command(&[&["doctor", "--data", "d"], more].concat());
        Ended::of(command.env("VALETKEY_LISTEN", "127.0.0.1:0"))
    };
    let well = look(&folder, &["--json"]);
    assert!(well.status.success(), "{well:?}");
    for (check, result) in [
        ("data folder", "ok"),
        ("master key", "ok"),
        ("store", "ok"),
        ("port", "ok"),
        ("server", "warn"),
        ("clock", "ok"),
    ] {
        assert!(results(&well).contains(&(check.to_owned(), result.to_owned())), "{check}: {well:?}");
    }
    let server = serve(&folder);
    let running = look(&folder, &["--json"]);
    assert!(results(&running).contains(&("server".to_owned(), "ok".to_owned())), "{running:?}");
    server.stop();
    std::fs::set_permissions(folder.join("d/master.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let ill = look(&folder, &[]);
    assert_eq!(ill.status.code(), Some(1), "{ill:?}");
    assert!(ill.out.contains("fail  master key") && ill.out.contains("chmod 600"), "{ill:?}");
    let none = folder.run(&["doctor", "--data", "nothing"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(none.out.contains("valetkey init"), "{none:?}");
    assert!(!folder.join("nothing").exists(), "the doctor changes nothing");
}

#[test]
fn every_list_prints_a_table_and_json() {
    let folder = ready();
    issue(&folder, &[]);
    for line in [
        &["business", "list"][..],
        &["person", "list"],
        &["person", "sign-ins"],
        &["app", "list"],
        &["system-user", "list"],
        &["asset", "list"],
        &["asset", "list", "--kind", "page"],
        &["asset", "list", "--shared"],
        &["asset", "kinds"],
        &["assignment", "list", "--user", "Robot"],
        &["assignment", "list", "--asset", "Bikes"],
        &["share", "list"],
        &["share", "list", "--asset", "Bikes"],
        &["token", "list"],
        &["token", "scopes"],
        &["ledger", "list"],
        &["refusals"],
    ] {
        let rows = json_of(&folder, line)["rows"].as_array().unwrap().len();
        let ended = folder.run(&[line, &["--data", "d"]].concat());
        assert!(ended.status.success(), "{line:?}: {ended:?}");
        assert!(!ended.out.contains('\u{1b}'), "colours without a terminal");
        match rows {
            0 => assert!(ended.out.is_empty() && !ended.err.is_empty(), "{line:?}: {ended:?}"),
            rows => {
                let lines: Vec<&str> = ended.out.lines().collect();
                assert_eq!(lines.len(), rows + 1, "{line:?}: {ended:?}");
                assert!(lines[0].chars().all(|c| !c.is_lowercase()), "{lines:?}");
                // A column that is empty in every row has a wrong name.
                let dashes = |l: &str| l.split_whitespace().filter(|w| *w == "-").count();
                assert!(lines[1..].iter().any(|l| dashes(l) < 5), "{line:?}: {lines:?}");
            }
        }
    }
}

#[test]
fn mistakes_end_with_1_or_2_and_say_what_to_do() {
    let folder = set_up();
    for line in [&["tokens"][..], &["token", "issue"], &["explain"], &["person", "create", "x"], &["doctor", "--nope"]]
    {
        let ended = folder.run(line);
        assert_eq!(ended.status.code(), Some(2), "{line:?}: {ended:?}");
    }
    let early = refused(&folder, &["system-user", "create", "Robot"]);
    assert!(
        early.starts_with("error: no app is connected to the business (no_connected_app)\nhint: create an app"),
        "{early}"
    );
    let ended = folder.run(&["system-user", "create", "Robot", "--data", "d", "--json"]);
    assert_eq!(ended.status.code(), Some(1));
    let error: Value = serde_json::from_str(&ended.err).unwrap();
    assert_eq!(error["error"]["reason"], "no_connected_app");
    let none = folder.run(&["status", "--data", "nothing"]);
    assert!(none.error().contains("there is no data folder nothing"), "{none:?}");
    let both = folder.run(&["status", "--data", "d", "--server", "http://127.0.0.1:1"]);
    assert!(both.error().contains("two places"), "{both:?}");
    let closed = folder.run(&["status", "--server", "http://127.0.0.1:1", "--token", "x"]);
    assert!(closed.error().contains("can't be reached"), "{closed:?}");
    for (detail, said) in [("x", "NAME=VALUE"), ("=x", "NAME=VALUE")] {
        assert!(refused(&folder, &["asset", "create", "A", "--kind", "page", "--detail", detail]).contains(said));
    }
    assert!(refused(&folder, &["app", "create", "a\u{301}"]).contains("NFC"));
    assert!(refused(&folder, &["login", "vkeyco_wrong"]).contains("mistyped or cut off"));
    assert!(refused(&folder, &["login"]).contains("no code was given"));
}

#[test]
fn a_code_can_come_over_standard_input() {
    let folder = set_up();
    let code = run(&folder, &["person", "sign-in", "ada@example.com"]);
    let mut child =
        folder.command(&["login", "--data", "d"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), code.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success());
    assert!(String::from_utf8(ended.stdout).unwrap().contains("signed in: Ada"));
}

#[test]
fn whoever_only_tried_the_demo_needs_no_flag() {
    let folder = Folder::new();
    let server = Running::demo(&folder, &[]);
    std::fs::create_dir(folder.join("valetkey-data")).unwrap();
    std::os::unix::fs::symlink("../demo", folder.join("valetkey-data/demo")).unwrap();
    let listed = folder.run(&["business", "list", "--json"]);
    assert!(listed.status.success(), "{listed:?}");
    server.stop();
    // The server has stopped, so its store is opened directly.
    let again = folder.run(&["business", "list", "--json"]);
    assert_eq!((again.status.success(), &again.out), (true, &listed.out), "{again:?}");
    assert!(folder.run(&["ledger", "verify"]).status.success());
}

#[test]
fn the_help_reads_well() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]);
    for part in ["Start\n", "Manage\n", "Look\n", "  token        Issue, list and revoke tokens"] {
        assert!(help.out.contains(part), "{part}: {}", help.out);
    }
    assert!(help.out.lines().all(|l| l.chars().count() <= 100), "{}", help.out);
    let token = folder.run(&["token", "issue", "--help"]);
    assert!(token.out.contains("--scopes") && token.out.contains("--days"), "{token:?}");
}
