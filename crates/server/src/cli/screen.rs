//! What is printed: tables and pairs for people, JSON for scripts. Colour is for terminals alone, and
//! no character of an answer may steer the terminal.

use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use owo_colors::OwoColorize as _;
use serde_json::{Map, Value};

/// Prints a value as JSON.
pub fn json(value: &Value) -> ExitCode {
    anstream::println!("{value:#}");
    ExitCode::SUCCESS
}

/// Text without what steers a terminal.
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

/// A time of the wire, as people read it: without the milliseconds and the letters between.
fn time(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_time = bytes.len() == 24 && bytes[10] == b'T' && bytes[19] == b'.' && bytes[23] == b'Z' && bytes[4] == b'-';
    is_time.then(|| format!("{} {}Z", &text[..10], &text[11..19]))
}

/// Scopes of a row: a token may carry all there are, and a line of them helps nobody.
const SCOPES_SHOWN: usize = 5;

fn short(name: &str, value: &Value) -> String {
    match value {
        Value::Array(items) if name == "scopes" && items.len() > SCOPES_SHOWN => {
            let first: Vec<String> = items.iter().take(SCOPES_SHOWN - 1).map(cell).collect();
            format!("{} and {} more", first.join(", "), items.len() + 1 - SCOPES_SHOWN)
        }
        other => cell(other),
    }
}

/// Prints rows as a table with these columns: the heading, and the name in a row.
pub fn table(rows: &[Value], columns: &[(&str, &str)]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(heading, _)| heading.to_uppercase()));
    for row in rows {
        table.add_row(columns.iter().map(|(_, name)| short(name, row.get(*name).unwrap_or(&Value::Null))));
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
        // The last column's padding is of no use to anybody.
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
pub fn pairs(value: &Value, first: Option<(&str, &str)>) {
    let empty = Map::new();
    let map = value.as_object().unwrap_or(&empty);
    let first = first.map(|(name, text)| (name.to_owned(), clean(text)));
    let rest = map.iter().map(|(name, value)| (name.replace('_', " "), cell(value)));
    let rows: Vec<(String, String)> = first.into_iter().chain(rest).collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, text) in rows {
        anstream::println!("{}  {text}", format!("{name:<width$}").dimmed());
    }
}

/// Says something beside the output, so that scripts don't read it.
pub fn note(text: &str) {
    anstream::eprintln!("{}", clean(text).dimmed());
}

/// Says that something is done.
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
        assert_eq!(short("scopes", &json!(["a", "b", "c", "d", "e"])), "a, b, c, d, e");
        assert_eq!(short("scopes", &json!(["a", "b", "c", "d", "e", "f"])), "a, b, c, d and 2 more");
    }
}
