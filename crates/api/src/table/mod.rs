//! The table of commands. A new row here is a new command: it can be called, is documented, and is
//! tried by the test that walks the table.

mod access;
mod activity;
mod app;
mod asset;
mod business;
mod explained;
mod job;
mod person;
mod records;
mod system_user;
mod token;
mod token_text;
mod token_use;

use serde_json::{Value, json};

use crate::command::Command;

static PARTS: [&[Command]; 9] = [
    business::ROWS,
    person::ROWS,
    app::ROWS,
    system_user::ROWS,
    asset::ROWS,
    access::ROWS,
    token::ROWS,
    job::ROWS,
    records::ROWS,
];

/// The section of the overview that lists a first word of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Start,
    Manage,
    Look,
    Shell,
}

impl Section {
    /// All of them, in the order of the overview.
    pub const ALL: [Section; 4] = [Section::Start, Section::Manage, Section::Look, Section::Shell];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Section::Start => "Start",
            Section::Manage => "Manage",
            Section::Look => "Look",
            Section::Shell => "Shell",
        }
    }
}

/// A first word of the command line with verbs below it, and a tag of the OpenAPI document.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    pub word: &'static str,
    pub summary: &'static str,
    pub section: Section,
}

const fn manage(word: &'static str, summary: &'static str) -> Group {
    Group { word, summary, section: Section::Manage }
}

const fn look(word: &'static str, summary: &'static str) -> Group {
    Group { word, summary, section: Section::Look }
}

/// The first words that have verbs, in the order of the overview.
pub static GROUPS: &[Group] = &[
    manage("business", "Businesses, their rules and limits"),
    manage("person", "People, and the codes that let them in"),
    manage("app", "Apps: secrets, connections, installations"),
    manage("system-user", "Software with an identity of its own"),
    manage("asset", "Pages, ad accounts, catalogs and the rest"),
    manage("assignment", "Who may do what on which asset"),
    manage("share", "Assets shared with partners"),
    manage("token", "Issue, list and revoke tokens"),
    manage("terms", "The terms to accept for system users"),
    look("access", "Who can do what on which asset, and by which path"),
    look("job", "What is to be done later, and what failed: list, retry"),
    look("ledger", "Everything that was changed: list, verify, export"),
    look("name", "Find the ids that a name stands for"),
];

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
                .map(|p| json!({"name": p.name, "required": p.required, "type": p.sort.expected(), "doc": p.text()}))
                .collect();
            json!({
                "name": c.name, "summary": c.summary, "path": format!("/v1/commands/{}", c.name),
                "writes": c.writes, "who": c.access.as_str(), "parameters": params,
                "example": format!("valetkey {}", c.line.example),
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
