//! Explanations for people: what was refused and why, the checks then beside now, and what mends it;
//! on demand every fact. Nothing is computed here; all of it comes from the server.

use std::process::ExitCode;

use serde_json::{Value, json};

use valetkey_api::Noun;

use super::fail::{Fail, Outcome};
use super::input::Input;
use super::target::{Session, within};
use super::{names, screen};

/// `valetkey explain`.
pub async fn run(input: &Input) -> Outcome {
    within(&input.on, async |session| match (input.text("trace"), input.text("token_id")) {
        (Some(trace), _) => trace_of(session, trace, input.flag("facts")).await,
        (None, Some(token)) => question(session, token, input).await,
        (None, None) => Err(Fail::new("name the trace of a refusal, or a token and an asset")),
    })
    .await
}

async fn trace_of(session: &Session, trace: &str, with_facts: bool) -> Outcome {
    let found = session.call("explain.trace", json!({ "trace": trace })).await?.result;
    if session.json {
        return Ok(screen::json(&found));
    }
    anstream::println!("{}", text(&found, "sentence"));
    anstream::println!("{}", screen::clean(&came(&found)));
    anstream::println!("\n{}", screen::clean(&answer(&found)));
    match screen::at(&found, "command").and_then(Value::as_str) {
        Some(command) => anstream::println!("this would mend it: {}\n", screen::clean(command)),
        None => println_next(&found),
    }
    checks(&found);
    if with_facts {
        let null = Value::Null;
        let (then, now) = (found.get("then").unwrap_or(&null), found.get("now").unwrap_or(&null));
        anstream::println!();
        print(&side_by_side(then, now));
    }
    Ok(ExitCode::SUCCESS)
}

fn text(found: &Value, path: &str) -> String {
    screen::at(found, path).map(screen::cell).unwrap_or_default()
}

/// Where and when it came, and how often.
fn came(found: &Value) -> String {
    let mut line = format!("{}, {} ({})", text(found, "at"), text(found, "trace"), text(found, "reason"));
    for (before, path) in
        [(", role ", "who.role"), (", token ", "with.token"), (" of ", "with.app_name"), (", from ", "ip")]
    {
        if screen::at(found, path).is_some() {
            line += &format!("{before}{}", text(found, path));
        }
    }
    if screen::at(found, "times").and_then(Value::as_u64).is_some_and(|times| times > 1) {
        line += &format!("; {} times since {}", text(found, "times"), text(found, "since"));
    }
    line
}

/// What the answer would be now.
fn answer(found: &Value) -> String {
    match screen::at(found, "answer_now").and_then(Value::as_str) {
        Some("passes") => "now: it would pass".to_owned(),
        Some("refused") => format!("now: still refused, because {}", text(found, "because_now")),
        Some(_) | None => "now: the right may be there; a rule decides when the call is made".to_owned(),
    }
}

/// The checks in their order, then beside now.
fn checks(found: &Value) {
    let side = |row: &Value, side: &str| {
        let Some(outcome) = row.get(side) else { return String::new() };
        let mark = match outcome.get("outcome").and_then(Value::as_str) {
            Some("passed") => "+",
            Some("failed") => "x",
            Some(_) | None => return "not asked".to_owned(),
        };
        let when = screen::at(outcome, "time").map(|time| format!(" {}", screen::cell(time))).unwrap_or_default();
        format!("{mark} {}{when}", text(outcome, "text"))
    };
    let rows = found.get("checks").and_then(Value::as_array).into_iter().flatten();
    let rows: Vec<Vec<String>> =
        rows.map(|row| vec![text(row, "title"), side(row, "then"), side(row, "now")]).collect();
    screen::text_table(&["check", "then", "now"], &rows);
}

async fn question(session: &Session, token: &str, input: &Input) -> Outcome {
    let asset = names::id(session, Noun::Asset, input.text("asset").unwrap_or_default()).await?;
    let mut pairs = json!({ "token": token, "asset": asset });
    for name in ["task", "scope"] {
        if let Some(value) = input.text(name) {
            pairs[name] = json!(value);
        }
    }
    let found = session.call("explain.question", pairs).await?.result;
    if session.json {
        return Ok(screen::json(&found));
    }
    let reason = found.get("reason").filter(|r| !r.is_null()).map(screen::cell);
    match reason {
        None => anstream::println!("yes: it would pass now"),
        Some(reason) => {
            anstream::println!("no: {} ({reason})", found.get("message").map(screen::cell).unwrap_or_default());
            println_next(&found);
        }
    }
    if !input.flag("facts") {
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = flat(&found)
        .into_iter()
        .filter(|(name, _)| !["answer", "reason", "message", "hint", "granted_by"].contains(&name.as_str()))
        .map(|(name, value)| vec![name, value])
        .collect();
    screen::text_table(&["fact", "now"], &rows);
    Ok(ExitCode::SUCCESS)
}

/// Prints what to do and who can do it, then an empty line.
fn println_next(found: &Value) {
    for (title, name) in [("next", "hint"), ("can be granted by", "granted_by")] {
        if let Some(text) = found.get(name).filter(|text| !text.is_null()) {
            anstream::println!("{title}: {}", screen::cell(text));
        }
    }
    anstream::println!();
}

/// One fact at two times.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    name: String,
    then: Option<String>,
    now: Option<String>,
}

/// The facts of both times, in the order of the first. Facts that only the second has follow.
fn side_by_side(then: &Value, now: &Value) -> Vec<Line> {
    let (then, mut now) = (flat(then), flat(now));
    let mut lines = Vec::new();
    for (name, before) in then {
        let at = now.iter().position(|(other, _)| *other == name);
        let after = at.map(|at| now.remove(at).1);
        lines.push(Line { name, then: Some(before), now: after });
    }
    lines.extend(now.into_iter().map(|(name, after)| Line { name, then: None, now: Some(after) }));
    lines
}

fn print(lines: &[Line]) {
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let changed =
                matches!((&line.then, &line.now), (Some(then), Some(now)) if then != now) && line.name != "revision";
            let text = |side: &Option<String>| side.clone().unwrap_or_default();
            vec![
                line.name.clone(),
                text(&line.then),
                text(&line.now),
                if changed { "changed".to_owned() } else { String::new() },
            ]
        })
        .collect();
    screen::text_table(&["fact", "then", "now", ""], &rows);
}

/// An object as pairs of a path and a text. Empty values are left out.
fn flat(value: &Value) -> Vec<(String, String)> {
    let mut out = Vec::new();
    walk("", value, &mut out);
    out
}

fn walk(path: &str, value: &Value, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&path, inner, out);
            }
        }
        Value::Null if path.is_empty() => {}
        Value::Number(number) if path.ends_with("_ms") => {
            let time = number.as_i64().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
            let text = time.map_or_else(|| number.to_string(), |t| screen::cell(&json!(format!("{t:.3}"))));
            out.push((path.trim_end_matches("_ms").to_owned(), text));
        }
        Value::Null if path.ends_with("_ms") => out.push((path.trim_end_matches("_ms").to_owned(), "-".to_owned())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            out.push((path.to_owned(), screen::cell(value)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_stand_beside_each_other_and_none_is_lost() {
        let then = json!({"revision": "3", "facts": {"role": "EMPLOYEE", "scopes": ["a", "b"], "expires_at_ms": 0}, "ip": null});
        let now = json!({"revision": "9", "facts": {"role": "ADMIN", "extra": true}});
        let lines = side_by_side(&then, &now);
        let shown: Vec<(&str, Option<&str>, Option<&str>)> =
            lines.iter().map(|l| (l.name.as_str(), l.then.as_deref(), l.now.as_deref())).collect();
        assert_eq!(
            shown,
            [
                ("revision", Some("3"), Some("9")),
                ("facts.role", Some("EMPLOYEE"), Some("ADMIN")),
                ("facts.scopes", Some("a, b"), None),
                ("facts.expires_at", Some("1970-01-01 00:00:00Z"), None),
                ("ip", Some("-"), None),
                ("facts.extra", None, Some("yes")),
            ]
        );
        assert!(side_by_side(&Value::Null, &Value::Null).is_empty());
    }
}
