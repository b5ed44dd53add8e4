//! `valetkey explain` and `valetkey refusals`: why a call was refused, then beside now.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::Outcome;
use super::args::ExplainArgs;
use super::names::{self, Sort};
use super::screen;
use super::target::Session;

/// `valetkey explain`.
pub async fn run(session: &Session, args: &ExplainArgs) -> Outcome {
    if let (Some(token), Some(asset)) = (&args.token_id, &args.asset) {
        let asset = names::id(session, Sort::Asset, asset).await?;
        let mut params = json!({ "token": token, "asset": asset });
        for (name, value) in [("task", &args.task), ("scope", &args.scope)] {
            if let Some(value) = value {
                params[name] = json!(value);
            }
        }
        let result = session.call("explain.question", params).await?.result;
        if session.json {
            return Ok(screen::json(&result));
        }
        screen::pairs(&json!({ "answer": result["answer"], "reason": result["reason"], "revision": result["revision"] }), None);
        screen::text_table(&["fact", "value"], &facts(&result));
        return Ok(ExitCode::SUCCESS);
    }
    let result = session.call("explain.trace", json!({ "trace": args.trace })).await?.result;
    if session.json {
        return Ok(screen::json(&result));
    }
    screen::pairs(&json!({ "reason": result["reason"], "at": result["at"], "trace": result["trace"] }), None);
    screen::pairs(&json!({ "question": result["then"]["question"], "missing": result["then"]["missing"] }), None);
    let (then, now) = (facts(&result["then"]), facts(&result["now"]));
    let rows: Vec<Vec<String>> = then
        .iter()
        .map(|row| {
            let today = now.iter().find(|r| r[0] == row[0]).map_or_else(|| "-".to_owned(), |r| r[1].clone());
            let changed = if today == row[1] { "" } else { "changed" };
            vec![row[0].clone(), row[1].clone(), today, changed.to_owned()]
        })
        .collect();
    screen::text_table(&["fact", "then", "now", ""], &rows);
    Ok(ExitCode::SUCCESS)
}

/// The facts of one moment as rows of name and value.
fn facts(moment: &Value) -> Vec<Vec<String>> {
    let mut rows = vec![vec!["revision".to_owned(), screen::cell(&moment["revision"])]];
    for (group, prefix) in [("facts", ""), ("asset", "asset ")] {
        for (name, value) in moment.get(group).and_then(Value::as_object).into_iter().flatten() {
            rows.push(vec![format!("{prefix}{}", name.replace('_', " ")), screen::cell(value)]);
        }
    }
    rows
}

/// `valetkey refusals`.
pub async fn refusals(session: &Session, limit: u32) -> Outcome {
    let result = session.call("refusals.list", json!({ "limit": limit })).await?.result;
    if session.json {
        return Ok(screen::json(&result));
    }
    let rows = result.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    if rows.is_empty() {
        screen::note("nothing was refused");
        return Ok(ExitCode::SUCCESS);
    }
    screen::table(&rows, &[("at", "at"), ("reason", "reason"), ("token", "token"), ("trace", "trace")]);
    screen::note("valetkey explain TRACE tells more");
    Ok(ExitCode::SUCCESS)
}
