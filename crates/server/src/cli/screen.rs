//! Output: tables and pairs for people, JSON for scripts. Colour is only for terminals, and no
//! character of an answer may control the terminal.

use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use owo_colors::OwoColorize as _;
use serde_json::{Map, Value};

/// Prints a value as JSON.
pub fn json(value: &Value) -> ExitCode {
    anstream::println!("{value:#}");
    ExitCode::SUCCESS
}

/// Text without characters that control a terminal.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect()
}

/// A value in a cell.
pub fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => time(text).unwrap_or_else(|| text.clone()),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(map) => map.iter().map(|(k, v)| format!("{k} {}", cell(v))).collect::<Vec<_>>().join(", "),
        Value::Number(number) => number.to_string(),
    };
    clean(&text).replace('\n', " ")
}

/// A time for people: without the milliseconds and the letters of RFC 3339.
fn time(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_time = bytes.len() == 24 && bytes[10] == b'T' && bytes[19] == b'.' && bytes[23] == b'Z' && bytes[4] == b'-';
    is_time.then(|| format!("{} {}Z", &text[..10], &text[11..19]))
}

/// How many scopes a row shows, since a token may carry all of them.
const SCOPES_SHOWN: usize = 5;

fn short(name: &str, value: &Value) -> String {
    match value {
        Value::Array(items) if name == "scopes" && items.len() > SCOPES_SHOWN => {
            let first: Vec<String> = items.iter().take(SCOPES_SHOWN - 1).map(cell).collect();
            format!("{} and {} more", first.join(", "), items.len() + 1 - SCOPES_SHOWN)
        }
        // Ledger entries hold their times in milliseconds.
        Value::Number(number) if name == "at" => {
            let time = number.as_i64().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
            time.map_or_else(|| cell(value), |time| cell(&Value::String(format!("{time:.3}"))))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            cell(value)
        }
    }
}

/// The value behind a dotted path, if there is one.
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| value.get(name)).filter(|value| !value.is_null())
}

/// The text of a column: one path, or several with blanks between them.
fn column(row: &Value, paths: &str) -> String {
    let texts = paths.split(' ').filter_map(|path| at(row, path).map(|value| short(path, value)));
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() { "-".to_owned() } else { texts.join(" ") }
}

/// A column for each field of the first row.
pub fn all_columns(rows: &[Value]) -> Vec<(String, String)> {
    let first = rows.first().and_then(Value::as_object);
    first.into_iter().flatten().map(|(name, _)| (name.replace('_', " "), name.clone())).collect()
}

/// Prints rows as a table with these columns: the heading, and the paths in a row.
pub fn table(rows: &[Value], columns: &[(String, String)]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(heading, _)| heading.to_uppercase()));
    for row in rows {
        table.add_row(columns.iter().map(|(_, paths)| column(row, paths)));
    }
    print_table(&table);
}

/// Prints lines of text as a table under headings.
pub fn text_table(headings: &[&str], rows: &[Vec<String>]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings.iter().map(|h| h.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|text| clean(text)));
    }
    print_table(&table);
}

fn print_table(table: &Table) {
    for (number, line) in table.lines().enumerate() {
        // The last column needs no padding.
        let line = line.trim_end();
        let line = line.strip_prefix(' ').unwrap_or(line);
        if number == 0 {
            anstream::println!("{}", line.bold());
        } else {
            anstream::println!("{line}");
        }
    }
}

/// Prints an object as lines of name and value.
pub fn pairs(value: &Value) {
    let empty = Map::new();
    let map = value.as_object().unwrap_or(&empty);
    let rows: Vec<(String, String)> = map.iter().map(|(name, value)| (name.replace('_', " "), cell(value))).collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, text) in rows {
        anstream::println!("{}  {text}", format!("{name:<width$}").dimmed());
    }
}

/// Prints a note to standard error, so that scripts don't read it.
pub fn note(text: &str) {
    anstream::eprintln!("{}", clean(text).dimmed());
}

/// Prints that something is done.
pub fn done(text: &str) {
    anstream::println!("{} {}", "✓".green(), clean(text));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_one_line_and_steer_no_terminal() {
        for (value, text) in [
            (json!(null), "-"),
            (json!(true), "yes"),
            (json!(["a", "b"]), "a, b"),
            (json!([]), "-"),
            (json!("2026-11-24T10:00:00.000Z"), "2026-11-24 10:00:00Z"),
            (json!("a\u{1b}[2Jb\nc"), "a\u{FFFD}[2Jb c"),
            (json!({"version": 1, "at": null}), "version 1, at -"),
            (json!("ééééééééééééTééééééééé.ééé"), "ééééééééééééTééééééééé.ééé"),
        ] {
            assert_eq!(cell(&value), text);
        }
        let row = json!({"at": 0, "actor": {"kind": "operator", "id": null, "n": {"m": 3}}, "scopes": []});
        for (paths, text) in [
            ("at", "1970-01-01 00:00:00Z"),
            ("actor.kind actor.id", "operator"),
            ("actor.kind actor.n.m", "operator 3"),
            ("actor.id", "-"),
            ("none.at", "-"),
        ] {
            assert_eq!(column(&row, paths), text);
        }
        assert_eq!(short("scopes", &json!(["a", "b", "c", "d", "e"])), "a, b, c, d, e");
        assert_eq!(short("scopes", &json!(["a", "b", "c", "d", "e", "f"])), "a, b, c, d and 2 more");
    }
}
