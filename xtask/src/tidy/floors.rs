//! What the source of each layer may use: only the server uses files, environment and processes, only
//! the stores use database drivers.
//!
//! It reads lines, not syntax, so it must never be the only check. The crates' dependencies are the
//! other one.

use super::{Finding, arrows, files::File};

/// Modules that only the server, tests, testkit, bench and xtask use.
const OUTSIDE: &[&str] = &["std::env", "std::fs", "std::process", "tokio::fs", "tokio::process"];
const OUTSIDE_OF_STD: &[&str] = &["env", "fs", "process"];
const DRIVERS: &[&str] = &["rusqlite", "tokio_postgres", "deadpool_postgres", "libsqlite3_sys", "sqlx"];

/// Files below the server that may use them too: how the path begins, and why.
const EXCUSED: &[(&str, &str)] = &[(
    "crates/store-sqlite/",
    "the embedded store is a file: it makes it readable by its owner alone, and locks it against a second process",
)];

pub fn check(file: &File) -> Vec<Finding> {
    let Some((krate, rest)) = file.path.strip_prefix("crates/").and_then(|path| path.split_once('/')) else {
        return Vec::new();
    };
    if !file.is("rs") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let statements = statements(file);
    if !matches!(krate, "server" | "testkit" | "test-postgres" | "bench") && !is_test(rest) && !is_excused(&file.path) {
        for (number, statement) in &statements {
            for module in reaches_outside(statement) {
                let what = format!("uses {module}; only the server reads files, environment and arguments");
                findings.push(Finding::new(&file.path, *number, what));
            }
        }
    }
    if !arrows::may_name_drivers(&format!("valetkey-{krate}")) {
        for (number, statement) in &statements {
            for driver in DRIVERS.iter().filter(|driver| statement.contains(*driver)) {
                findings.push(Finding::new(&file.path, *number, format!("names {driver}; only stores name a driver")));
            }
        }
    }
    findings
}

fn is_excused(path: &str) -> bool {
    EXCUSED.iter().any(|(begin, reason)| path.starts_with(begin) && !reason.is_empty())
}

/// Whether a file inside a crate is test code as a whole.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// The lines of code with their numbers: no comments, nothing of a test module at the end, and a
/// `use` that runs over several lines as one.
fn statements(file: &File) -> Vec<(usize, String)> {
    let mut statements: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    let mut marked = false;
    for (number, line) in file.lines() {
        let code = line.trim();
        if code.is_empty() || code.starts_with("//") {
            continue;
        }
        if marked && code.starts_with("mod ") && code.ends_with('{') {
            break;
        }
        marked = code == "#[cfg(test)]" || (marked && code.starts_with("#["));
        match statements.last_mut() {
            Some((_, last)) if open => last.push_str(code),
            _ => statements.push((number, code.to_string())),
        }
        let begins = code.starts_with("use ") || code.starts_with("pub use ") || open;
        open = begins && !code.ends_with(';');
    }
    statements
}

fn reaches_outside(statement: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for module in OUTSIDE {
        let ends = |at: usize| !statement[at + module.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if statement.match_indices(module).any(|(at, _)| ends(at)) {
            found.push((*module).to_string());
        }
    }
    if let Some((_, list)) = statement.split_once("use std::{") {
        for first in first_segments(list) {
            if OUTSIDE_OF_STD.contains(&first) {
                found.push(format!("std::{first}"));
            }
        }
    }
    found
}

/// The first segment of each entry of an import list, inner lists left out.
fn first_segments(list: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut depth = 0_i32;
    let mut start = 0;
    for (at, char) in list.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => {
                segments.push(&list[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                segments.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    segments.iter().map(|entry| entry.trim().split([':', ' ']).next().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<usize> {
        check(&File::new(path, text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn only_the_server_reaches_outside() {
        for text in [
            "use std::fs;",
            "let a = std::env::args();",
            "std::process::exit(1)",
            "use std::{collections::HashMap, fs::File};",
            "use std::{\n    io,\n    env,\n};",
        ] {
            assert_eq!(found("crates/service/src/a.rs", text), [1], "{text}");
            assert!(found("crates/server/src/a.rs", text).is_empty(), "{text}");
            assert!(found("crates/testkit/src/a.rs", text).is_empty(), "{text}");
            assert!(found("xtask/src/a.rs", text).is_empty(), "{text}");
        }
    }

    #[test]
    fn tests_comments_and_other_modules_are_free() {
        for text in ["// std::fs", "use std::fmt;", "std::envelope::x()", "use std::{fmt, io::{self, fs_like}};"] {
            assert!(found("crates/service/src/a.rs", text).is_empty(), "{text}");
        }
        assert!(found("crates/service/tests/it/main.rs", "use std::fs;").is_empty());
        assert!(found("crates/service/src/a/tests.rs", "use std::fs;").is_empty());
        let text = "use a;\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    use std::fs;\n}\n";
        assert!(found("crates/service/src/a.rs", text).is_empty());
        let text = "#[cfg(test)]\nmod tests;\nuse std::fs;\n";
        assert_eq!(found("crates/service/src/a.rs", text), [3]);
    }

    #[test]
    fn only_stores_name_a_driver() {
        let text = "let a = rusqlite::Connection::open_in_memory();";
        assert_eq!(found("crates/service/src/a.rs", text), [1]);
        assert_eq!(found("crates/server/src/a.rs", text), [1]);
        assert!(found("crates/store-sqlite/src/a.rs", text).is_empty());
    }
}
