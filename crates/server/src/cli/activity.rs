//! `valetkey ledger list`: what was done, newest first, in sentences; or the entries themselves.
//!
//! The sentences come from the server. Scripts get the entries as they always did, oldest first.

use std::process::ExitCode;

use serde_json::{Value, json};
use valetkey_api::Noun;

use super::fail::Outcome;
use super::input::Input;
use super::target::{Session, within};
use super::{names, screen};

/// The parameters that only sentences have.
const OF_SENTENCES: [&str; 5] = ["since", "until", "by", "about", "before"];
/// How many rows are asked for if no limit is typed.
const LIMIT: i64 = 100;
/// The columns of an entry.
const COLUMNS: [(&str, &str); 6] = [
    ("revision", "revision"),
    ("at", "at"),
    ("action", "action"),
    ("by", "actor.kind actor.id"),
    ("with token", "actor.token"),
    ("about", "subjects"),
];

/// `valetkey ledger list`.
pub async fn list(input: &Input) -> Outcome {
    let wants_entries =
        input.text("after").is_some() || input.on.json && OF_SENTENCES.iter().all(|name| input.text(name).is_none());
    within(
        &input.on,
        async |session| {
            if wants_entries { entries(session, input).await } else { sentences(session, input).await }
        },
    )
    .await
}

async fn entries(session: &Session, input: &Input) -> Outcome {
    let mut params = json!({ "limit": input.number("limit").unwrap_or(LIMIT) });
    if let Some(after) = input.number("after") {
        params["after"] = json!(after);
    }
    if let Some(business) = names::business(session, input.text("business")).await? {
        params["business"] = json!(business);
    }
    let found = session.call("ledger.list", params).await?.result;
    if session.json {
        return Ok(screen::json(&found));
    }
    let rows = rows_of(&found);
    if rows.is_empty() {
        screen::note("nothing here");
        return Ok(ExitCode::SUCCESS);
    }
    screen::table(rows, &COLUMNS.map(|(heading, path)| (heading.to_owned(), path.to_owned())));
    if let Some(next) = screen::at(&found, "next") {
        screen::note(&format!("more rows may follow: --after {}", screen::cell(next)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn sentences(session: &Session, input: &Input) -> Outcome {
    let mut params = json!({ "limit": input.number("limit").unwrap_or(LIMIT) });
    if let Some(before) = input.number("before") {
        params["before"] = json!(before);
    }
    for name in ["since", "until"] {
        if let Some(text) = input.text(name) {
            params[name] = json!(text);
        }
    }
    match input.text("by") {
        None => {}
        Some("operator") => params["by"] = json!("operator"),
        Some(text) => params["by"] = json!(names::id(session, Noun::User, text).await?),
    }
    if let Some(text) = input.text("about") {
        params["about"] = json!(names::any(session, text).await?);
    }
    if let Some(business) = names::business(session, input.text("business")).await? {
        params["business"] = json!(business);
    }
    let found = session.call("activity.list", params).await?.result;
    if session.json {
        return Ok(screen::json(&found));
    }
    let rows = rows_of(&found);
    if rows.is_empty() {
        screen::note("nothing here");
    } else {
        let cell = |row: &Value, name: &str| row.get(name).map(screen::cell).unwrap_or_default();
        let lines: Vec<Vec<String>> =
            rows.iter().map(|row| ["revision", "at", "sentence"].map(|name| cell(row, name)).to_vec()).collect();
        screen::text_table(&["revision", "at", "what was done"], &lines);
    }
    if let Some(next) = screen::at(&found, "next").map(screen::cell) {
        match screen::at(&found, "looked_back.at").map(screen::cell) {
            Some(at) => screen::note(&format!("looked back to {at}; look further with: --before {next}")),
            None => screen::note(&format!("older ones follow: --before {next}")),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn rows_of(found: &Value) -> &[Value] {
    found.get("rows").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
