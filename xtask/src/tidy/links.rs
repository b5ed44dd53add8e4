//! Links of the documents, and what the README must show.
//!
//! It must never fetch anything: links to other sites are not checked.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, files::File};

/// The two commands that set everything up.
const COMMANDS: &[&str] = &["cargo run --release -- demo", "cargo xtask test"];

pub fn check(names: &BTreeSet<String>, files: &[File]) -> Vec<Finding> {
    let documents: BTreeMap<&str, &File> =
        files.iter().filter(|file| file.is("md")).map(|file| (file.path.as_str(), file)).collect();
    let mut findings = Vec::new();
    for (path, file) in &documents {
        for (line, target) in links(file) {
            if let Some(why) = broken(path, &target, names, &documents) {
                findings.push(Finding::new(path, line, format!("the link to {target} {why}")));
            }
        }
    }
    match documents.get("README.md") {
        None => findings.push(Finding::new("README.md", 0, "is missing")),
        Some(readme) => {
            for command in COMMANDS.iter().filter(|command| !readme.text.contains(*command)) {
                findings.push(Finding::new("README.md", 0, format!("doesn't show `{command}`")));
            }
        }
    }
    findings
}

/// Why a link is broken; `None` if it is not.
fn broken(
    from: &str,
    target: &str,
    names: &BTreeSet<String>,
    documents: &BTreeMap<&str, &File>,
) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = if path.is_empty() { from.to_string() } else { resolve(from, path)? };
    let folder = format!("{}/", path.trim_end_matches('/'));
    let exists = names.contains(&path) || path.is_empty() || names.iter().any(|name| name.starts_with(&folder));
    if !exists {
        return Some("leads to no file");
    }
    let anchor = anchor?;
    let document = documents.get(path.as_str())?;
    (!anchors(document).contains(anchor)).then_some("leads to no heading")
}

/// A relative path as seen from the repository's top.
fn resolve(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                // A path above the top can't be linked to, so it becomes an impossible name.
                if parts.pop().is_none() {
                    return Some("..".to_string());
                }
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Lines outside of code, without code spans.
fn prose(file: &File) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut fence: Option<&str> = None;
    for (number, line) in file.lines() {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => lines.push((number, without_code(line))),
            _ => {}
        }
    }
    lines
}

fn without_code(line: &str) -> String {
    // If the number of marks is odd, the last one opens no span.
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return line.to_string();
    }
    parts.iter().enumerate().map(|(index, part)| if index % 2 == 0 { *part } else { "`" }).collect()
}

/// The targets of `[text](target)` and of `[name]: target`.
fn links(file: &File) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(file) {
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            if let Some(target) = rest.split(')').next().and_then(|inside| inside.split_whitespace().next()) {
                links.push((number, target.trim_matches(['<', '>']).to_string()));
            }
        }
        if let Some((name, target)) = line.split_once("]: ")
            && name.starts_with('[')
            && !name.contains(']')
            && let Some(target) = target.split_whitespace().next()
        {
            links.push((number, target.trim_matches(['<', '>']).to_string()));
        }
    }
    links
}

/// The anchors that headings get: lower case, punctuation gone, blanks as hyphens, numbered if equal.
fn anchors(file: &File) -> BTreeSet<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    let shown: BTreeSet<usize> = prose(file).into_iter().map(|(number, _)| number).collect();
    for (number, line) in file.lines() {
        let title = line.trim_start_matches('#');
        if !shown.contains(&number) || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let slug: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'))
            .map(|char| if char == ' ' { '-' } else { char })
            .collect();
        let count = counts.entry(slug.clone()).or_default();
        anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
        *count += 1;
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "`cargo run --release -- demo`, `cargo xtask test`\n";

    fn found(path: &str, text: &str) -> Vec<String> {
        let files = [
            File::new("README.md", README),
            File::new("docs/b.md", "# One, two: 3\n## Twice\n## Twice\n"),
            File::new(path, text),
        ];
        let names: BTreeSet<String> =
            files.iter().map(|file| file.path.clone()).chain(["crates/x/lib.rs".into()]).collect();
        check(&names, &files).iter().map(Finding::text).collect()
    }

    #[test]
    fn links_that_lead_somewhere() {
        for text in [
            "[a](b.md)",
            "[a](../README.md) and [b](./b.md#one-two-3)",
            "[a](b.md#twice-1)",
            "[a](#here)\n# Here",
            "[a](../crates/x)",
            "[a](https://example.com/none) [b](mailto:a@b.example)",
            "`[a](none.md)`",
            "```\n[a](none.md)\n```",
            "[name]: b.md",
            "[a](<b.md> \"title\")",
        ] {
            assert!(found("docs/a.md", text).is_empty(), "{text}: {:?}", found("docs/a.md", text));
        }
    }

    #[test]
    fn links_that_lead_nowhere() {
        for text in
            ["[a](none.md)", "[a](b.md#three)", "[a](#none)", "[a](../../b.md)", "[name]: none.md", "x [a](docs/b.md)"]
        {
            assert_eq!(found("docs/a.md", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn the_readme_shows_both_commands() {
        let names: BTreeSet<String> = ["README.md".to_string()].into();
        let found = |text| check(&names, &[File::new("README.md", text)]).len();
        assert_eq!(found(README), 0);
        assert_eq!(found("`cargo xtask test`\n"), 1);
        assert_eq!(check(&BTreeSet::new(), &[]).len(), 1, "no README at all");
    }
}
