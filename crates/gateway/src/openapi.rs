//! The gateway's part of the OpenAPI document. It must describe only what the two paths take.

use serde_json::{Value, json};
use valetkey_http::PathEntry;

use crate::check::QUESTIONS_LIMIT;
use crate::core::{CHECK, FORWARD_AUTH};

/// The two paths, as the document and the welcome page show them.
pub(crate) fn paths() -> Vec<PathEntry> {
    vec![
        PathEntry {
            path: CHECK,
            summary: Some("may this token do this task on this asset? Asked by other servers"),
            item: Some(check()),
        },
        PathEntry {
            path: FORWARD_AUTH,
            summary: Some("the same question, asked by a reverse proxy for each of its requests"),
            item: Some(forward_auth()),
        },
    ]
}

/// The parameters of one question, with their meanings.
const WORDS: [(&str, &str); 4] = [
    ("asset", "The id of the asset that is asked about."),
    ("task", "A task on that asset; without one, any task is enough."),
    ("scope", "A scope that the token must have."),
    (
        "role",
        "ADMIN: the token's user must be an ADMIN of its business, and see the asset if one is named. Not beside a task, and no page token passes.",
    ),
];
/// The meaning of `alive`, which must be the only parameter.
const ALIVE: &str = "true asks whether the token is live, and whose it is; nothing else may be asked with it.";

fn check() -> Value {
    let words =
        || WORDS.iter().map(|(name, doc)| ((*name).to_owned(), json!({ "type": "string", "description": doc })));
    let mut question: serde_json::Map<String, Value> = words().collect();
    question.insert("alive".to_owned(), json!({ "type": "boolean", "enum": [true], "description": ALIVE }));
    let mut body = question.clone();
    body.insert(
        "questions".to_owned(),
        json!({
            "type": "array", "minItems": 1, "maxItems": QUESTIONS_LIMIT,
            "description": "Many questions in the place of one.",
            "items": { "type": "object", "properties": question, "additionalProperties": false },
        }),
    );
    body.insert(
        "token".to_owned(),
        json!({ "type": "string", "description": "The token that is asked about, if it isn't the caller's own. Only an app may ask, with APPID|SECRET as its bearer." }),
    );
    body.insert(
        "appsecret_proof".to_owned(),
        json!({ "type": "string", "description": "The proof of the token that is asked about." }),
    );
    json!({ "post": {
        "operationId": "gateway.check",
        "tags": ["gateway"],
        "summary": "Ask whether a token may do a task on an asset",
        "requestBody": { "required": true, "content": { "application/json": { "schema": {
            "type": "object", "properties": body, "additionalProperties": false,
        } } } },
        "responses": {
            "200": { "description": "The answer, or one for each question in `decisions`.", "content": { "application/json": { "schema": {
                "type": "object",
                "required": ["trace"],
                "properties": {
                    "allowed": { "type": "boolean" },
                    "reason": { "type": "string", "description": "Why not: a stable word." },
                    "decisions": { "type": "array", "items": { "type": "object" } },
                    "user": { "type": "string" },
                    "token": { "type": "string" },
                    "type": { "type": "string", "enum": ["SYSTEM_USER", "USER", "PAGE", "APP"], "description": "The sort of token." },
                    "page": { "type": "string", "description": "The one Page that a page token stands for." },
                    "revision": { "type": "string", "description": "The revision that the answer rests on." },
                    "trace": { "type": "string" },
                },
            } } } },
            "401": { "description": "The caller's own token is dead, or none was sent." },
            "default": { "$ref": "#/components/responses/Error" },
        },
    } })
}

fn forward_auth() -> Value {
    let parameters: Vec<Value> = WORDS
        .iter()
        .chain(&[("alive", ALIVE)])
        .map(|(name, doc)| json!({ "name": name, "in": "query", "description": doc, "schema": { "type": "string" } }))
        .collect();
    json!({ "get": {
        "operationId": "gateway.forward-auth",
        "tags": ["gateway"],
        "summary": "Let a reverse proxy ask about the bearer token of a visitor",
        "parameters": parameters,
        "responses": {
            "200": { "description": "The visitor may pass. Headers name its user, business, token, app and sort of token, and the Page of a page token." },
            "default": { "description": "The visitor may not pass. The header Valetkey-Reason says why." },
        },
    } })
}
