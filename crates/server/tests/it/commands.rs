//! Runs the examples of the table of commands, and checks what is made from the table: help,
//! completions, man pages.

use std::path::Path;

use serde_json::Value;
use valetkey_api::{commands, find};

use crate::program::{Ended, Folder};

/// A line as a shell splits it; only double quotes are known.
fn split(line: &str) -> Vec<&str> {
    let parts = line.split('"').enumerate();
    parts.flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }).collect()
}

/// Runs an example with the options that it leaves out before it.
fn run(folder: &Folder, data: &str, before: &[&str], line: &str) -> Ended {
    folder.run(&[&["--data", data], before, &split(line)].concat())
}

fn well(folder: &Folder, line: &str) -> String {
    let ended = run(folder, "base", &["--business", "Velo"], line);
    let ended = if ended.status.code() == Some(2) { run(folder, "base", &[], line) } else { ended };
    assert!(ended.status.success(), "{line}: {ended:?}");
    ended.out
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Sets up a company for the examples, and gives the id of a live token.
fn base(folder: &Folder) -> String {
    let line = "init --business Velo --admin-email ada@example.com --data base --json";
    let made = folder.run(&split(line));
    let made: Value = serde_json::from_str(&made.out).unwrap();
    well(folder, &format!("login {}", made["sign_in"].as_str().unwrap()));
    for line in [
        "terms accept --yes",
        "business create Agency --admin-email eve@example.com",
        "person create \"Bo Berg\" --email bo@example.com",
        "app create Publisher",
        "system-user create Poster",
        "app install Publisher Poster",
        "asset create \"Our Page\" --kind page",
        "asset create Bikes --kind ad_account",
        "assignment assign \"Our Page\" Poster CREATE_CONTENT",
        "share share Bikes Agency ANALYZE",
    ] {
        well(folder, line);
    }
    std::fs::write(folder.join("terms.txt"), "New terms.").unwrap();
    let issued = well(folder, "token issue Poster Publisher --scopes pages_show_list --json");
    serde_json::from_str::<Value>(&issued).unwrap()["token_id"].as_str().unwrap().to_owned()
}

#[test]
fn the_example_of_every_command_runs() {
    let folder = Folder::new();
    let token = base(&folder);
    let mut count = 0;
    for command in commands().filter(|c| !c.line.by_program) {
        let line = command.line.example.replace("123456789", &token);
        // Each begins with a copy of the same store, so none depends on another.
        let data = format!("for-{}", command.name);
        copy(&folder.join("base"), &folder.join(&data));
        if command.name == "business.delete" {
            // Only a business that nothing is shared with can be deleted.
            let ended = run(&folder, &data, &[], "share unshare Bikes Agency");
            assert!(ended.status.success(), "{ended:?}");
        }
        let takes_business = command.params.iter().any(|p| p.name == "business");
        let names_business =
            ["--user", "--asset", "business update", "business delete", "name find"].iter().any(|w| line.contains(w));
        let before: &[&str] = if takes_business && !names_business { &["--business", "Velo"] } else { &[] };
        let ended = run(&folder, &data, before, &line);
        if command.name.starts_with("job.") && command.writes {
            // No command can create a failed job, but the line must still reach the handler.
            assert!(ended.error().contains("(not_visible)"), "{line}: {ended:?}");
        } else if command.params.iter().any(|p| p.typed.from_input) {
            // Nothing comes over standard input here; another test hands a text over.
            assert!(ended.error().contains("nothing came over standard input"), "{line}: {ended:?}");
        } else {
            assert!(ended.status.success(), "{line}: {ended:?}");
        }
        assert!(!ended.out.contains(['{', '[']), "{line} leaves a placeholder: {ended:?}");
        count += 1;
    }
    assert!(count > 40, "{count}");
}

#[test]
fn completions_and_man_pages_are_written() {
    let folder = Folder::new();
    for (shell, part) in [
        ("bash", "complete -F _valetkey"),
        ("zsh", "#compdef valetkey"),
        ("fish", "complete -c valetkey"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let ended = folder.run(&["completions", shell]);
        assert!(ended.status.success() && ended.out.contains(part), "{shell}: {ended:?}");
    }
    assert_eq!(folder.run(&["completions", "tcsh"]).status.code(), Some(2));
    let ended = folder.run(&["man", "share/man1"]);
    assert!(ended.status.success(), "{ended:?}");
    let page = std::fs::read_to_string(folder.join("share/man1/valetkey-token-issue.1")).unwrap();
    assert!(page.contains("Issue a token"), "{page}");
}

#[test]
fn help_and_mistakes_go_where_they_belong() {
    let folder = Folder::new();
    for form in
        [&["help"][..], &["--help"], &["token", "help"], &["help", "token", "issue"], &["token", "issue", "--help"]]
    {
        let ended = folder.run(form);
        assert!(ended.status.success() && !ended.out.is_empty() && ended.err.is_empty(), "{form:?}: {ended:?}");
    }
    let issue = find("token.issue").unwrap();
    let mistake = folder.run(&["--json", "token", "issue", "Poster"]);
    assert_eq!(mistake.status.code(), Some(2));
    assert!(mistake.out.is_empty() && mistake.err.contains(issue.line.example), "{mistake:?}");
    let nearest = folder.run(&["tokn", "list"]);
    assert!(nearest.err.contains("'token'"), "{nearest:?}");
}
