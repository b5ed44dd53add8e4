//! Prints what a command would take away: the answer of a call with the parameter `preview`. It must
//! never know a command by its name.

use std::process::ExitCode;

use serde_json::{Map, Value, json};
use valetkey_api::Columns;

use super::screen;

/// The parameter that makes a command list what it would take away, and change nothing.
pub const PARAM: &str = "preview";

/// The parts of a preview: the field, what it lists, and its columns.
const PARTS: &[(&str, &str, Columns)] = &[
    ("tokens", "tokens that stop", TOKEN),
    ("page_tokens", "page tokens that stop", PAGE_TOKEN),
    ("narrowed_tokens", "tokens that lose scopes", NARROWED),
    ("assignments", "assignments that end", &[("user", "user_name"), ("asset", "asset_name"), ("tasks", "tasks")]),
    (
        "shares",
        "shares that end",
        &[("asset", "asset_name"), ("partner", "partner_name"), ("permitted tasks", "permitted_tasks")],
    ),
    ("reach", "users that may do less", &[("user", "user_name"), ("asset", "asset_name"), ("no longer", "lost")]),
    (
        "partners",
        "partners that may do less",
        &[("partner", "partner_name"), ("asset", "asset_name"), ("no longer", "lost")],
    ),
];

const TOKEN: Columns = &[
    ("id", "id"),
    ("user", "user_name"),
    ("app", "app_name"),
    ("ends", "expires_at"),
    ("last used", "last_used_at"),
    ("uses in 30 days", "uses_30_days"),
];

const PAGE_TOKEN: Columns = &[
    ("id", "id"),
    ("user", "user_name"),
    ("page", "page_name"),
    ("ends", "expires_at"),
    ("last used", "last_used_at"),
    ("uses in 30 days", "uses_30_days"),
];

const NARROWED: Columns = &[("id", "id"), ("user", "user_name"), ("app", "app_name"), ("loses", "lost")];

/// Whether the parameters ask for a preview.
pub fn is_asked(params: &Map<String, Value>) -> bool {
    params.get(PARAM) == Some(&Value::Bool(true))
}

/// The same parameters, asking for a preview.
pub fn asking(params: &Map<String, Value>) -> Value {
    let mut params = params.clone();
    params.insert(PARAM.to_owned(), json!(true));
    Value::Object(params)
}

/// Prints a preview as the whole answer of a command.
pub fn print(as_json: bool, found: &Value) -> ExitCode {
    if as_json {
        return screen::json(found);
    }
    show(found);
    screen::note("nothing was changed");
    ExitCode::SUCCESS
}

/// Prints what a preview lists.
pub fn show(found: &Value) {
    let mut is_empty = true;
    for (field, title, columns) in PARTS {
        let Some(heading) = heading(found, field, title) else { continue };
        is_empty = false;
        screen::note(&heading);
        let columns: Vec<(String, String)> =
            columns.iter().map(|(heading, path)| ((*heading).to_owned(), (*path).to_owned())).collect();
        screen::table(rows(found, field), &columns);
    }
    if is_empty {
        screen::note("nothing would stop");
    }
}

fn rows<'a>(found: &'a Value, field: &str) -> &'a [Value] {
    found.get(field).and_then(|part| part.get("rows")).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The line above a part; none if it lists nothing.
fn heading(found: &Value, field: &str, title: &str) -> Option<String> {
    let total = found.get(field)?.get("total")?.as_u64().filter(|total| *total > 0)?;
    let listed = rows(found, field).len();
    let more = if total > listed as u64 { format!(", of which the first {listed}") } else { String::new() };
    Some(format!("{title}: {total}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_how_many_there_are_and_how_many_are_listed() {
        let found = json!({
            "tokens": {"total": 1, "rows": [{"id": "5"}]},
            "shares": {"total": 0, "rows": []},
            "reach": {"total": 300, "rows": [{"user": "1"}, {"user": "2"}]},
        });
        assert_eq!(heading(&found, "tokens", "tokens that stop").unwrap(), "tokens that stop: 1");
        assert_eq!(heading(&found, "reach", "users").unwrap(), "users: 300, of which the first 2");
        for none in ["shares", "assignments"] {
            assert_eq!(heading(&found, none, "x"), None, "{none}");
        }
    }

    #[test]
    fn a_preview_is_asked_for_by_its_parameter_alone() {
        let plain = json!({"token": "5"});
        let plain = plain.as_object().unwrap();
        assert!(!is_asked(plain));
        let asking = asking(plain);
        assert_eq!(asking, json!({"token": "5", "preview": true}));
        assert!(is_asked(asking.as_object().unwrap()));
    }
}
