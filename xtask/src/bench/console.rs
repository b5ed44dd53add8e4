//! The console's pages with 10,000 assets: how many bytes each has, and how long the server works on it.
//!
//! It must never leave out a page: one that was not served has a row that says so.

use anyhow::Result;
use serde_json::Value;

use super::figures::{Goal, number};
use super::tools::Bench;
use crate::out;

/// The most that a page may have with style, script and icons, in kilobytes of 1,000 bytes.
pub const KB_GOAL: Goal = Goal::AtMost(100.0);
/// The most that the server may work on a page, in milliseconds.
pub const MS_GOAL: Goal = Goal::AtMost(10.0);

pub const HEAD: [&str; 6] = ["Page", "HTML, KB", "With style, script, icons, KB", "Median, ms", "95 %, ms", "Goals"];

pub(super) fn measure(bench: &Bench<'_>) -> Result<Value> {
    let requests = if bench.quick { "50" } else { "200" };
    let within = bench.folder.to_string_lossy();
    // On all cores: the store reads on threads of its own.
    let found = bench.ask_on(None, &["console", "--data", &within, "--requests", requests])?;
    print(&HEAD.map(String::from));
    rows(&found).iter().for_each(print);
    Ok(found)
}

/// A line for the terminal.
fn print([page, html, whole, median, most, goals]: &[String; 6]) {
    out::detail(&format!("{page:<28}  {html:>8}  {whole:>29}  {median:>10}  {most:>8}  {goals}"));
}

/// A row for each page.
pub fn rows(found: &Value) -> Vec<[String; 6]> {
    found["pages"].as_array().into_iter().flatten().map(row).collect()
}

fn row(page: &Value) -> [String; 6] {
    let name = page["page"].as_str().unwrap_or_default().to_string();
    if page["answered"] != 200 {
        let why = format!("not measured: answered {}", page["answered"]);
        return [name, "-".into(), "-".into(), "-".into(), "-".into(), why];
    }
    let at = |place, scale, digits| match figure(page, place) {
        Some(value) => number(value / scale, digits),
        None => "unknown".to_string(),
    };
    let missed = missed(page);
    let goals = if missed.is_empty() { "met".to_string() } else { format!("**missed**: {}", missed.join(" and ")) };
    [
        name,
        at("/html_bytes", 1_000.0, 1),
        at("/whole_bytes", 1_000.0, 1),
        at("/ms/median", 1.0, 2),
        at("/ms_95", 1.0, 2),
        goals,
    ]
}

/// Which goals a measured page misses. A figure that is not there meets none.
fn missed(page: &Value) -> Vec<&'static str> {
    let is_missed = |goal: Goal, place, scale| {
        let value = figure(page, place).unwrap_or(f64::INFINITY);
        goal.missed_by(value / scale).is_some()
    };
    let goals = [("size", is_missed(KB_GOAL, "/whole_bytes", 1_000.0)), ("time", is_missed(MS_GOAL, "/ms_95", 1.0))];
    goals.into_iter().filter(|(_, missed)| *missed).map(|(name, _)| name).collect()
}

fn figure(page: &Value, place: &str) -> Option<f64> {
    page.pointer(place).and_then(Value::as_f64)
}

/// What was measured, and on what.
pub fn method(found: &Value) -> String {
    let count = |name: &str| found[name].as_f64().map_or("an unknown number of".to_string(), |n| number(n, 0));
    format!(
        "One process holds a business with {} assets of six kinds, {} system users, {} assignments, {} tokens, {} people, \
         {} partners, {} apps, {} posts of one Page and {} refusals, each in the ledger as if it had been made by itself, \
         in SQLite in a temporary folder. An ADMIN with a session opens each page {} times in turn, after {} times that do \
         not count. *One system user* and its forms are those of the one with the most assignments, {}. *Median* and \
         *95 %* are the milliseconds from the request to the whole answer inside the console's own `handle`, without HTTP \
         and network. Sizes are those of the bodies, which are sent as they are, not compressed; a KB is 1,000 bytes.",
        count("assets"),
        count("system_users"),
        count("assignments"),
        count("tokens"),
        count("people"),
        count("partners"),
        count("apps"),
        count("posts"),
        count("refusals"),
        count("requests"),
        count("warm_up"),
        count("assignments_of_one"),
    )
}

/// What every page loads beside its HTML.
pub fn files(found: &Value) -> String {
    let files: Vec<(&String, f64)> = found["files"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, bytes)| Some((name, bytes.as_f64()?)))
        .collect();
    let kb = |bytes: f64| number(bytes / 1_000.0, 1);
    let each: Vec<String> = files.iter().map(|(name, bytes)| format!("`{name}` {} KB", kb(*bytes))).collect();
    format!(
        "Beside their HTML pages load {}: {} KB together. The third column counts in full those that the page names, \
         though a browser keeps them for a day.",
        each.join(", "),
        kb(files.iter().map(|(_, bytes)| bytes).sum()),
    )
}

/// Which pages miss a goal, and which were not measured.
pub fn outcome(found: &Value) -> String {
    let pages: Vec<&Value> = found["pages"].as_array().into_iter().flatten().collect();
    let name = |page: &Value| page["page"].as_str().unwrap_or_default().to_string();
    let (measured, others): (Vec<&Value>, Vec<&Value>) = pages.into_iter().partition(|page| page["answered"] == 200);
    let missing: Vec<String> = measured
        .iter()
        .filter(|page| !missed(page).is_empty())
        .map(|page| format!("*{}* ({})", name(page), missed(page).join(" and ")))
        .collect();
    let mut text =
        "A page meets its goals if it has at most 100 KB with style, script and icons, and 95 of 100 answers \
                    take at most 10 ms."
            .to_string();
    text.push_str(&match missing.len() {
        0 => format!(" All {} pages that were measured meet them.", measured.len()),
        count => format!(" {count} of {} pages miss one: {}.", measured.len(), missing.join(", ")),
    });
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(|page| format!("*{}*", name(page))).collect();
        text.push_str(&format!(" Not measured, since the server did not serve them: {}.", others.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found() -> Value {
        let page = |name: &str, whole: u64, ms: f64| {
            json!({
                "page": name, "answered": 200, "html_bytes": whole / 2, "whole_bytes": whole,
                "ms": { "median": ms / 2.0, "low": ms / 3.0, "high": ms }, "ms_95": ms,
            })
        };
        json!({
            "files": { "console.css": 40_000, "icons.svg": 9_000 },
            "pages": [
                page("At the edge", 100_000, 10.0), page("Heavy", 100_001, 1.0), page("Both", 200_000, 10.001),
                { "page": "Elsewhere", "answered": 404 },
            ],
        })
    }

    #[test]
    fn each_page_has_a_row_with_its_outcome() {
        let rows = rows(&found());
        let goals: Vec<&str> = rows.iter().map(|row| row[5].as_str()).collect();
        let missed = ["**missed**: size", "**missed**: size and time"];
        assert_eq!(goals, ["met", missed[0], missed[1], "not measured: answered 404"]);
        assert_eq!(rows[2][1..5], ["100.0", "200.0", "5.00", "10.00"]);
        assert_eq!(super::rows(&Value::Null).len(), 0);
    }

    #[test]
    fn a_figure_that_is_missing_meets_no_goal() {
        assert_eq!(missed(&json!({ "answered": 200 })), ["size", "time"]);
    }

    #[test]
    fn the_sentences_name_what_misses_and_what_was_not_measured() {
        let text = outcome(&found());
        assert!(text.contains("2 of 3 pages miss one: *Heavy* (size), *Both* (size and time)."), "{text}");
        assert!(text.contains("did not serve them: *Elsewhere*."), "{text}");
        assert!(files(&found()).contains("`console.css` 40.0 KB, `icons.svg` 9.0 KB: 49.0 KB together"));
    }
}
