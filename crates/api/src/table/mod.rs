//! The table of commands. A new command is a new row here, and is then called, documented, and
//! tried by the test that walks the table.

mod app;
mod asset;
mod business;
mod person;
mod records;
mod system_user;
mod token;

use serde_json::{Value, json};

use crate::command::Command;

static PARTS: [&[Command]; 7] =
    [business::ROWS, person::ROWS, app::ROWS, system_user::ROWS, asset::ROWS, token::ROWS, records::ROWS];

/// All commands, in the order of the documents.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    PARTS.iter().flat_map(|part| part.iter())
}

/// The command of a name.
pub fn find(name: &str) -> Option<&'static Command> {
    commands().find(|c| c.name == name)
}

/// The table as `GET /v1` shows it.
pub(crate) fn listing() -> Value {
    let rows: Vec<Value> = commands()
        .map(|c| {
            let params: Vec<Value> = c
                .params
                .iter()
                .map(|p| json!({"name": p.name, "required": p.required, "type": p.sort.expected(), "doc": p.doc}))
                .collect();
            json!({
                "name": c.name, "summary": c.summary, "path": format!("/v1/commands/{}", c.name),
                "writes": c.writes, "who": c.access.as_str(), "parameters": params,
            })
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "openapi": "/v1/openapi.json",
        "call": "POST a JSON object of parameters to a command's path, with the header Authorization: Bearer TOKEN",
        "commands": rows,
    })
}
