//! From what people type to ids: an id is taken as it is, a name must stand for exactly one thing.

use serde_json::{Value, json};
use valetkey_domain::Id;

use super::fail::Fail;
use super::target::Session;

/// What a name can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Business,
    Person,
    App,
    SystemUser,
    Asset,
}

impl Sort {
    fn word(self) -> &'static str {
        match self {
            Sort::Business => "business",
            Sort::Person => "person",
            Sort::App => "app",
            Sort::SystemUser => "system_user",
            Sort::Asset => "asset",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Sort::SystemUser => "system user",
            other => other.word(),
        }
    }

    /// The command that lists them.
    fn list(self) -> &'static str {
        match self {
            Sort::Business => "valetkey business list",
            Sort::Person => "valetkey person list",
            Sort::App => "valetkey app list",
            Sort::SystemUser => "valetkey system-user list",
            Sort::Asset => "valetkey asset list",
        }
    }
}

/// The id that a text stands for.
pub async fn id(session: &Session, sort: Sort, text: &str) -> Result<String, Fail> {
    let digits = if sort == Sort::Asset { text.strip_prefix("act_").unwrap_or(text) } else { text };
    if Id::parse(digits).is_some() {
        return Ok(digits.to_owned());
    }
    let found = find(session, sort, text).await?;
    one(found, sort.title(), text, sort.list())
}

/// The id of a system user or person.
pub async fn user(session: &Session, text: &str) -> Result<String, Fail> {
    if Id::parse(text).is_some() {
        return Ok(text.to_owned());
    }
    let mut found = find(session, Sort::SystemUser, text).await?;
    found.extend(find(session, Sort::Person, text).await?);
    one(found, "system user or person", text, Sort::SystemUser.list())
}

/// The id of a business, if one was named.
pub async fn business(session: &Session, named: Option<&str>) -> Result<Option<String>, Fail> {
    match named {
        Some(text) => id(session, Sort::Business, text).await.map(Some),
        None => Ok(None),
    }
}

async fn find(session: &Session, sort: Sort, name: &str) -> Result<Vec<String>, Fail> {
    let found = session.call("name.find", json!({ "sort": sort.word(), "name": name })).await?.result;
    let rows = found.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(rows.iter().filter_map(|r| r.get("id").and_then(Value::as_str).map(str::to_owned)).collect())
}

fn one(mut found: Vec<String>, title: &str, text: &str, list: &str) -> Result<String, Fail> {
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Fail::new(format!("there is no {title} called \"{text}\""))
            .hint(format!("{list} shows what there is; names are written whole"))),
        _ => Err(Fail::new(format!("more than one {title} is called \"{text}\""))
            .hint(format!("name one by its id: {}", found.join(", ")))),
    }
}
