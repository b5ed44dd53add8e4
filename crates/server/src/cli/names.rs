//! Makes ids of typed texts: an id is used as it is, a name must name exactly one record.

use serde_json::{Value, json};
use valetkey_api::Noun;
use valetkey_domain::Id;

use super::fail::Fail;
use super::target::Session;
use super::{rows, screen};

/// The id that a text names.
pub async fn id(session: &Session, noun: Noun, text: &str) -> Result<String, Fail> {
    let digits = if noun == Noun::Asset { text.strip_prefix("act_").unwrap_or(text) } else { text };
    if <Id>::parse(digits).is_some() {
        return Ok(digits.to_owned());
    }
    let mut found = Vec::new();
    for word in noun.words() {
        let answer = session.call("name.find", json!({ "sort": word, "name": text })).await?.result;
        found.extend(answer.get("rows").and_then(Value::as_array).cloned().unwrap_or_default());
    }
    one(&found, noun, text)
}

/// The id of a user, app, asset or business of any sort that a text names.
pub async fn any(session: &Session, text: &str) -> Result<String, Fail> {
    if <Id>::parse(text).is_some() {
        return Ok(text.to_owned());
    }
    let mut found: Vec<Value> = Vec::new();
    for noun in [Noun::User, Noun::App, Noun::Asset, Noun::Business] {
        for word in noun.words() {
            let answer = session.call("name.find", json!({ "sort": word, "name": text })).await?.result;
            // An app is an asset too.
            let rows = answer.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
            let new = rows.into_iter().filter(|row| found.iter().all(|known| known.get("id") != row.get("id")));
            let new: Vec<Value> = new.collect();
            found.extend(new);
        }
    }
    match found.as_slice() {
        [row] => Ok(field(row, "id")),
        [] => Err(Fail::new(format!("nothing is called \"{}\"", screen::clean(text)))
            .hint("names are written whole; an id always works")),
        rows => Err(several("object", text, rows)),
    }
}

/// The id of a business, if one was named.
pub async fn business(session: &Session, named: Option<&str>) -> Result<Option<String>, Fail> {
    match named {
        Some(text) => id(session, Noun::Business, text).await.map(Some),
        None => Ok(None),
    }
}

fn one(found: &[Value], noun: Noun, text: &str) -> Result<String, Fail> {
    let title = noun.title();
    match found {
        [row] => Ok(field(row, "id")),
        [] => {
            let list = rows::spoken(noun.list());
            Err(Fail::new(format!("there is no {title} called \"{text}\""))
                .hint(format!("{list} shows what there is; names are written whole")))
        }
        rows => Err(several(title, text, rows)),
    }
}

/// The failure of a name that fits several.
fn several(title: &str, text: &str, rows: &[Value]) -> Fail {
    let lines = rows.iter().map(|row| {
        let kind = field(row, "kind").replace('_', " ");
        format!("\n  {}  {kind} of {}", field(row, "id"), field(row, "business_name"))
    });
    Fail::new(format!("more than one {title} is called \"{text}\""))
        .hint(format!("name one by its id:{}", lines.collect::<String>()))
}

fn field(row: &Value, name: &str) -> String {
    row.get(name).map(screen::cell).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_fits_several_lists_them_with_their_ids() {
        let row = |id: &str, kind: &str, of: &str| json!({ "id": id, "kind": kind, "business_name": of });
        let two = [row("7", "system_user", "Velo"), row("9", "person", "Agency")];
        let fail = one(&two, Noun::User, "Robot").unwrap_err();
        assert_eq!(fail.message(), "more than one system user or person is called \"Robot\"");
        assert_eq!(fail.what_to_do(), Some("name one by its id:\n  7  system user of Velo\n  9  person of Agency"));
        assert_eq!(one(&two[..1], Noun::User, "Robot").unwrap(), "7");
        let none = one(&[], Noun::App, "Shop").unwrap_err();
        assert_eq!(none.what_to_do(), Some("valetkey app list shows what there is; names are written whole"));
    }
}
