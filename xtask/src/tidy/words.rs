//! Names that the project doesn't use, because each would be a second name for something.
//!
//! It must allow a word where a foreign format or library demands it: such places are rows of the
//! table of allowances, each with its reason.

use super::{Finding, files::File};

/// A word, or two in a row, that must not be a name, and what to say instead.
const NEVER: &[(&str, &str)] = &[
    ("org", "business"),
    ("tenant", "business"),
    ("service account", "system user"),
    ("bot", "system user"),
    ("member", "person or system user"),
    ("acl", "assignments"),
    ("principal", "caller"),
    ("resource", "asset"),
    ("permission", "task, scope or assignment"),
    ("verdict", "decision"),
];

/// Kinds of files that are read for names.
const EXTENSIONS: &[&str] = &["rs", "md", "py", "mjs", "js", "ts", "sql", "html", "css", "txt"];

/// Where a word is allowed. `path` is the start of the path, `text` a part of the line; empty matches all.
struct Allowance {
    word: &'static str,
    path: &'static str,
    text: &'static str,
    reason: &'static str,
}

const GRAPH: &str = "the Graph's wire format and its literal texts use the word";
const FIELDS: &str = "names of fields in the Graph's wire format";
const HEADER: &str = "a header of HTTP";
const LICENCE: &str = "the text of a licence";
const STD: &str = "a name of the standard library, about rights on files";

const ALLOWED: &[Allowance] = &[
    Allowance { word: "", path: "xtask/src/tidy", text: "", reason: "the rule itself" },
    Allowance { word: "permission", path: "crates/graph/", text: "", reason: GRAPH },
    Allowance { word: "member", path: "crates/graph/src/schema/", text: "", reason: FIELDS },
    Allowance { word: "bot", path: "crates/graph/src/schema/", text: "", reason: FIELDS },
    Allowance { word: "member", path: "docs/reference/graph.md", text: "", reason: FIELDS },
    Allowance { word: "bot", path: "docs/reference/graph.md", text: "", reason: FIELDS },
    Allowance { word: "permission", path: "docs/reference/", text: "", reason: GRAPH },
    Allowance { word: "permission", path: "clients/", text: "", reason: GRAPH },
    Allowance { word: "permission", path: "tests/upgrade/questions.py", text: "", reason: GRAPH },
    Allowance { word: "permission", path: "crates/domain/src/scope", text: "", reason: GRAPH },
    Allowance { word: "permission", path: "crates/domain/src/refusal", text: "", reason: GRAPH },
    Allowance { word: "permission", path: "crates/", text: "\"permission\"", reason: "a parameter of the Graph" },
    Allowance {
        word: "permission",
        path: "crates/domain/tests/",
        text: "field=permission",
        reason: "a parameter of the Graph",
    },
    Allowance { word: "permission", path: "", text: "me/permissions", reason: "an edge of the Graph" },
    Allowance { word: "permission", path: "", text: "/permissions", reason: "an edge of the Graph" },
    Allowance { word: "permission", path: "", text: "set_permissions", reason: STD },
    Allowance { word: "permission", path: "", text: "Permissions::", reason: STD },
    Allowance { word: "permission", path: "", text: "Permissions}", reason: STD },
    Allowance { word: "permission", path: "", text: ", Permissions,", reason: STD },
    Allowance { word: "permission", path: "", text: "PermissionsExt", reason: STD },
    Allowance { word: "permission", path: "", text: "PermissionDenied", reason: STD },
    Allowance { word: "permission", path: "", text: ".permissions()", reason: STD },
    Allowance { word: "resource", path: "", text: "required to request this resource", reason: GRAPH },
    Allowance { word: "resource", path: "crates/console/", text: "cross-origin-resource-policy", reason: HEADER },
    Allowance { word: "resource", path: "crates/console/src/web/reply.rs", text: "RESOURCE_POLICY", reason: HEADER },
    Allowance { word: "permission", path: "crates/console/", text: "permissions-policy", reason: HEADER },
    Allowance {
        word: "permission",
        path: "crates/console/src/web/reply.rs",
        text: "PERMISSIONS_POLICY",
        reason: HEADER,
    },
    Allowance { word: "permission", path: "crates/console/static/LICENSE-lucide.txt", text: "", reason: LICENCE },
    Allowance { word: "member", path: "Cargo.toml", text: "members", reason: "a key of Cargo's" },
];

pub fn check(file: &File) -> Vec<Finding> {
    if !EXTENSIONS.iter().any(|extension| file.is(extension)) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let words = words(line);
        for (never, instead) in NEVER {
            if is_in(&words, never) && !is_allowed(&file.path, line, never) {
                let what = format!("'{never}' is no name of this project; say {instead}");
                findings.push(Finding::new(&file.path, number, what));
            }
        }
    }
    findings
}

fn is_allowed(path: &str, line: &str, word: &str) -> bool {
    ALLOWED.iter().any(|allowed| {
        (allowed.word.is_empty() || allowed.word == word)
            && path.starts_with(allowed.path)
            && line.contains(allowed.text)
            && !allowed.reason.is_empty()
    })
}

fn is_in(words: &[String], never: &str) -> bool {
    let never: Vec<&str> = never.split(' ').collect();
    words.windows(never.len()).any(|window| {
        window.iter().zip(&never).all(|(word, never)| word == never || word.strip_suffix('s') == Some(never))
    })
}

/// The words of a line in lower case, identifiers taken apart: `aclEntry`, `ACLEntry` and
/// `acl_entry` all begin with `acl`. Addresses are left out: their names are not ours.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for chunk in line.split(char::is_whitespace).filter(|chunk| !chunk.contains("://")) {
        let mut before = ' ';
        for run in chunk.split_inclusive(|char: char| !char.is_ascii_alphanumeric()) {
            let name = run.trim_end_matches(|char: char| !char.is_ascii_alphanumeric());
            // `example.org` is a domain.
            if !(before == '.' && name == "org") {
                words.extend(parts(name));
            }
            before = run.chars().next_back().unwrap_or(' ');
        }
    }
    words
}

pub(super) fn parts(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut parts: Vec<String> = Vec::new();
    for (index, char) in chars.iter().enumerate() {
        let starts = index == 0
            || (char.is_ascii_uppercase()
                && (!chars[index - 1].is_ascii_uppercase()
                    || chars.get(index + 1).is_some_and(|next| next.is_ascii_lowercase() && *next != 's')));
        if starts {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(char.to_ascii_lowercase());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, line: &str) -> usize {
        check(&File::new(path, line)).len()
    }

    #[test]
    fn names_in_any_spelling() {
        for line in
            ["a tenant", "struct TenantId", "let tenants = 1;", "ACLs", "ACLEntry", "my_acl", "service accounts"]
        {
            assert_eq!(found("crates/domain/src/x.rs", line), 1, "{line}");
        }
        for line in ["service_account", "ServiceAccount", "service-account", "Principal", "the verdict", "a member"] {
            assert_eq!(found("docs/x.md", line), 1, "{line}");
        }
    }

    #[test]
    fn other_words_are_fine() {
        for line in ["remember", "reorganise", "robot", "https://example.org/tenant", "example.org", "principally"] {
            assert_eq!(found("docs/x.md", line), 0, "{line}");
        }
        assert_eq!(found("xtask/src/tidy/words.rs", "tenant"), 0);
        assert_eq!(found("Cargo.toml", "members = []"), 0);
    }

    #[test]
    fn the_graph_may_say_permission_and_others_may_not() {
        assert_eq!(found("crates/graph/src/x.rs", "permission"), 0);
        assert_eq!(found("docs/reference/graph.md", "permissions"), 0);
        assert_eq!(found("crates/service/src/x.rs", "permission"), 1);
        assert_eq!(found("crates/server/src/x.rs", "std::fs::set_permissions(path, mode)"), 0);
        assert_eq!(found("crates/server/src/x.rs", "use std::fs::{File, Permissions};"), 0);
        assert_eq!(found("crates/server/src/x.rs", "struct Permissions;"), 1);
        assert_eq!(found("crates/graph/src/x.rs", "tenant"), 1, "an allowance is for one word");
    }

    #[test]
    fn every_allowance_has_a_reason() {
        assert!(ALLOWED.iter().all(|allowed| !allowed.reason.is_empty()));
    }
}
