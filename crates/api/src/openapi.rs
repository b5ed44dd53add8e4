//! The OpenAPI document, made from the table. It must never describe what the table does not hold.
//!
//! It is written without a library: the table already has every name, type and sentence, and a
//! library would need them a second time.

use serde_json::{Map, Value, json};
use valetkey_http::PathEntry;

use crate::command::{Command, Param, Sort};
use crate::table::{self, GROUPS};

/// The whole document. `beside` are the paths of the other adapters.
pub(crate) fn document(beside: &[PathEntry]) -> Value {
    let mut paths = Map::new();
    paths.insert("/v1".into(), plain("List the commands", false));
    paths.insert("/v1/openapi.json".into(), plain("This document", false));
    paths.insert("/v1/sign-in".into(), sign_in());
    paths.insert("/v1/receipts/{revision}".into(), receipts());
    for command in table::commands() {
        paths.insert(format!("/v1/commands/{}", command.name), path_item(command));
    }
    for PathEntry { path, item, .. } in beside {
        if let Some(item) = item {
            paths.insert((*path).to_owned(), item.clone());
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Valetkey",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Commands of the business manager for system users. Ids are strings of digits; times are RFC 3339 in UTC; null means none.",
            "license": { "name": "Apache-2.0 OR MIT" },
        },
        "security": [{ "bearer": [] }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer",
                "description": "A token of a system user or a person, or APPID|SECRET.",
            } },
            "parameters": { "Proof": {
                "name": "Appsecret-Proof", "in": "header", "required": false,
                "description": "HMAC-SHA256 of the token under its app's secret, in hexadecimal; a parameter appsecret_proof in the body counts the same.",
                "schema": { "type": "string" },
            } },
            "schemas": { "Error": error_schema() },
            "responses": { "Error": {
                "description": "The call was refused; the reason says why.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
            } },
        },
    })
}

fn path_item(command: &Command) -> Value {
    let properties: Map<String, Value> = command.params.iter().map(|p| (p.name.to_owned(), property(p))).collect();
    let required: Vec<&str> = command.params.iter().filter(|p| p.required).map(|p| p.name).collect();
    let mut answer = json!({
        "description": "Done.",
        "content": { "application/json": { "schema": {
            "type": "object",
            "required": ["result", "revision"],
            "properties": {
                "result": { "type": "object" },
                "revision": { "type": "string", "description": "The revision at which this holds." },
            },
        } } },
    });
    if command.writes {
        answer["headers"] = json!({ "Valetkey-Revision": {
            "description": "The revision of the change; its receipt is under /v1/receipts/{revision}.",
            "schema": { "type": "string" },
        } });
    }
    json!({ "post": {
        "operationId": command.name,
        "tags": command.line.words().take(1).collect::<Vec<_>>(),
        "summary": command.summary,
        "description": format!("For {}. On the command line: valetkey {}", command.access.as_str(), command.line.example),
        "parameters": [{ "$ref": "#/components/parameters/Proof" }],
        "requestBody": {
            "required": !required.is_empty(),
            "content": { "application/json": { "schema": {
                "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            } } },
        },
        "responses": { "200": answer, "default": { "$ref": "#/components/responses/Error" } },
    } })
}

fn property(param: &Param) -> Value {
    let mut schema = match param.sort {
        Sort::Id => json!({ "type": "string", "pattern": "^[1-9][0-9]{0,18}$" }),
        Sort::Text => json!({ "type": "string" }),
        Sort::Name => json!({ "type": "string", "minLength": 1, "maxLength": 200 }),
        Sort::Word(words) => json!({ "type": "string", "enum": words }),
        Sort::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Sort::Boolean => json!({ "type": "boolean" }),
        Sort::Integer(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Sort::Object => json!({ "type": "object" }),
    };
    schema["description"] = json!(param.text());
    if let Some(default) = param.default {
        schema["default"] = param.sort.value(default);
    }
    if param.secret {
        schema["format"] = json!("password");
    }
    schema
}

/// The first words of the command line, in the order of its overview. A command of a single word is
/// its own tag.
fn tags() -> Value {
    let alone = table::commands()
        .filter(|c| !c.line.path.contains(' ') && GROUPS.iter().all(|g| g.word != c.line.path))
        .map(|c| (c.line.path, c.summary));
    let mut tags: Vec<(&str, &str)> = GROUPS.iter().map(|g| (g.word, g.summary)).collect();
    for tag in alone {
        // Two commands may share one path.
        if tags.iter().all(|(word, _)| *word != tag.0) {
            tags.push(tag);
        }
    }
    tags.into_iter().map(|(name, summary)| json!({ "name": name, "description": summary })).collect()
}

fn plain(summary: &str, secured: bool) -> Value {
    let mut get = json!({
        "summary": summary,
        "responses": { "200": { "description": "JSON.", "content": { "application/json": { "schema": { "type": "object" } } } } },
    });
    if !secured {
        get["security"] = json!([]);
    }
    json!({ "get": get })
}

fn sign_in() -> Value {
    json!({ "post": {
        "operationId": "sign-in.redeem",
        "tags": ["person"],
        "summary": "Redeem a single-use sign-in code for a person's two-hour token",
        "security": [],
        "requestBody": { "required": true, "content": { "application/json": { "schema": {
            "type": "object", "required": ["code"], "additionalProperties": false,
            "properties": { "code": { "type": "string", "description": "The code; it works once." } },
        } } } },
        "responses": {
            "200": { "description": "The token, shown once.", "content": { "application/json": { "schema": { "type": "object" } } } },
            "default": { "$ref": "#/components/responses/Error" },
        },
    } })
}

fn receipts() -> Value {
    json!({ "get": {
        "operationId": "receipt.show",
        "tags": ["status"],
        "summary": "Show which node confirmed a revision, and when",
        "parameters": [{
            "name": "revision", "in": "path", "required": true,
            "description": "A revision, as Valetkey-Revision gives it.",
            "schema": { "type": "string", "pattern": "^[0-9]{1,19}$" },
        }],
        "responses": {
            "200": { "description": "The receipt.", "content": { "application/json": { "schema": {
                "type": "object",
                "required": ["revision", "complete", "nodes"],
                "properties": {
                    "revision": { "type": "string" },
                    "complete": { "type": "boolean", "description": "Whether every node has confirmed." },
                    "nodes": { "type": "array", "items": { "type": "object", "properties": {
                        "node": { "type": "string" },
                        "confirmed_at": { "type": "string", "format": "date-time" },
                    } } },
                },
            } } } },
            "default": { "$ref": "#/components/responses/Error" },
        },
    } })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["reason", "message", "trace"],
            "properties": {
                "reason": { "type": "string", "description": "A stable word." },
                "message": { "type": "string", "description": "What is wrong." },
                "hint": { "type": "string", "description": "What to do about it." },
                "field": { "type": "string", "description": "The parameter that is to blame." },
                "missing": { "type": "object", "description": "What is lacking: scope, task, asset or role; of a list, one is enough." },
                "granted_by": { "type": "string", "description": "The role that can grant what is missing." },
                "trace": { "type": "string", "description": "Finds the refusal again with explain.trace." },
            },
        } },
    })
}
