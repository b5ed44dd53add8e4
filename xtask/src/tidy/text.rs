//! Rules about the text of single files.
//!
//! It must never check style that `rustfmt` already decides.

use std::collections::BTreeSet;

use super::{Finding, files::File};

const MOST_LINES: usize = 500;

/// Folders at the top of somebody's machine. Written in halves, because this file is checked too.
const MACHINE_FOLDERS: &[&str] =
    &[concat!("/wo", "rk"), concat!("/ro", "ot"), concat!("/fa", "rm"), concat!("/ho", "me"), concat!("/Us", "ers")];

/// Lines that may name such a folder: a part of the line, and why.
const MACHINE_LINES: &[(&str, &str)] = &[(concat!(":/ro", "ot:/bin/"), "a line of a user list, in a test")];

/// Marks of unfinished work.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
const MACROS: &[&str] = &[concat!("to", "do!("), concat!("unimple", "mented!("), concat!("#[ig", "nore")];

pub fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |line, what: String| findings.push(Finding::new(&file.path, line, what));
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        add(0, "has no newline at the end".to_string());
    }
    if file.text.ends_with("\n\n") {
        add(0, "ends with an empty line".to_string());
    }
    let locked = is_lock(&file.path);
    for (number, line) in file.lines() {
        if line != line.trim_end() || line.ends_with('\r') {
            add(number, "trailing blanks".to_string());
        }
        for folder in machine_folders(line) {
            add(number, format!("names {folder}, a path of somebody's machine"));
        }
        if !locked {
            for mark in MARKS.iter().filter(|mark| has_word(line, mark)) {
                add(number, format!("{mark}: finish it, or leave it out"));
            }
        }
        if file.is("rs") {
            for found in MACROS.iter().filter(|found| line.contains(*found)) {
                add(number, format!("{found}: neither unfinished code nor ignored tests"));
            }
        }
        if file.path.ends_with("package-lock.json") && line.contains(concat!("\"reso", "lved\"")) {
            add(number, "a download address; install with `omit-lockfile-registry-resolved`".to_string());
        }
    }
    if file.is("rs") {
        findings.extend(check_rust(file));
    }
    findings
}

fn check_rust(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !file.text.starts_with("//!") {
        let what = "begins with no `//!` that says what the module is for and what it must never do";
        findings.push(Finding::new(&file.path, 1, what));
    }
    let lines = file.text.lines().count();
    if lines > MOST_LINES {
        findings.push(Finding::new(&file.path, 0, format!("has {lines} lines, more than {MOST_LINES}; split it")));
    }
    findings
}

/// Files that should not be in the repository at all.
pub fn check_names(names: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in names {
        let last = name.rsplit('/').next().unwrap_or(name);
        if last.ends_with(".pending-snap") || last.ends_with(".snap.new") {
            findings.push(Finding::new(name, 0, "a snapshot that nobody accepted; accept or remove it"));
        }
        if matches!(last, ".npmrc" | "pip.conf" | ".DS_Store") {
            findings.push(Finding::new(name, 0, "settings of somebody's machine"));
        }
    }
    findings
}

fn is_lock(path: &str) -> bool {
    path.ends_with("Cargo.lock") || path.ends_with("package-lock.json")
}

fn machine_folders(line: &str) -> impl Iterator<Item = &&'static str> {
    let excused = MACHINE_LINES.iter().any(|(part, reason)| line.contains(part) && !reason.is_empty());
    MACHINE_FOLDERS.iter().filter(move |folder| !excused && names_folder(line, folder))
}

/// Whether a line names a folder at the top of a file system, and not a part of a longer path or word.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].chars().next();
        let inside = |char: char| char.is_alphanumeric() || "_-.~/*})]>$".contains(char);
        !before.is_some_and(inside) && !after.is_some_and(|char| char.is_alphanumeric() || "_-.".contains(char))
    })
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let inside = |char: char| char.is_alphanumeric() || char == '_';
        !before.is_some_and(inside) && !after.is_some_and(inside)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        check(&File::new(path, text)).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    fn one(path: &str, text: &str, line: usize, part: &str) {
        let found = found(path, text);
        assert!(found.len() == 1 && found[0].0 == line && found[0].1.contains(part), "{text:?}: {found:?}");
    }

    #[test]
    fn a_tidy_file_has_no_findings() {
        assert_eq!(found("a.rs", "//! What it is.\n\nfn a() {}\n"), []);
        assert_eq!(found("a.md", "# Text\n"), []);
        assert_eq!(found("empty.txt", ""), []);
    }

    #[test]
    fn blanks_and_ends() {
        one("a.md", "one \ntwo\n", 1, "trailing");
        one("a.md", "one\ntwo\t\n", 2, "trailing");
        one("a.md", "one", 0, "newline");
        one("a.md", "one\n\n", 0, "empty line");
    }

    #[test]
    fn what_is_unfinished() {
        one("a.py", concat!("# TO", "DO: later\n"), 1, "finish");
        one("a.rs", concat!("//! A.\nfn a() { to", "do!() }\n"), 2, "unfinished");
        one("a.rs", concat!("//! A.\n#[ig", "nore]\n"), 2, "ignored");
        assert_eq!(found("a.md", concat!("MASTO", "DON and TO", "DOS\n")), []);
        assert_eq!(found("Cargo.lock", concat!("TO", "DO\n")), [], "checksums are random letters");
    }

    #[test]
    fn paths_of_a_machine() {
        one("a.md", concat!("see /wo", "rk/main\n"), 1, "machine");
        one("a.toml", concat!("dir = \"/ro", "ot\"\n"), 1, "machine");
        one("Cargo.lock", concat!("path+file:/", "//ho", "me/x\n").replace("///", "=/").as_str(), 1, "machine");
        for fine in [
            "target/work/x",
            "/workspace",
            "https://host.example/home",
            "{dir}/root/x",
            "a /home.html",
            concat!("\"0:/ro", "ot:/bin/sh\""),
        ] {
            assert_eq!(found("a.md", &format!("{fine}\n")), [], "{fine}");
        }
    }

    #[test]
    fn rust_files() {
        one("a.rs", "use x;\n", 1, "`//!`");
        let long = format!("//! A.\n{}", "\n".repeat(MOST_LINES - 1) + "x\n");
        one("a.rs", &long, 0, "501 lines");
    }

    #[test]
    fn lock_files_and_names() {
        one("x/package-lock.json", concat!("\"reso", "lved\": \"https://x\"\n"), 1, "download");
        let names = ["a.pending-snap", "b/c.snap.new", "b/.npmrc", "fine.snap"].map(String::from).into();
        assert_eq!(check_names(&names).len(), 3);
    }
}
