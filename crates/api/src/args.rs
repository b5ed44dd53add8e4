//! A command's parameters: one JSON object, checked against the command's row. It must never accept
//! an unknown, repeated or wrongly typed parameter, and never echo a value.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use valetkey_domain::Refusal;

use crate::command::{Command, Sort};

/// How deep a value may nest.
const DEPTH_LIMIT: usize = 32;
/// A parameter of every command: the HMAC of the token under its app's secret.
pub(crate) const PROOF: &str = "appsecret_proof";

/// The pairs of a body, in order. An empty body is an empty object.
pub(crate) fn pairs(body: &[u8]) -> Result<Vec<(String, Value)>, Refusal> {
    let broken = |note: String| Refusal::invalid("body", "a JSON object of parameters").with_note(&note);
    let text = std::str::from_utf8(body)
        .map_err(|e| broken(format!("the body is not UTF-8 from byte {}", e.valid_up_to() + 1)))?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    valetkey_http::json::check_depth(text, DEPTH_LIMIT).map_err(|e| broken(format!("the body is not usable: {e}")))?;
    match serde_json::from_str::<Pairs>(text) {
        Ok(Pairs(pairs)) => Ok(pairs),
        Err(e) if e.is_data() => Err(broken("the body is JSON, but not an object of parameters".to_owned())),
        Err(e) => Err(broken(format!("the body is not JSON: it breaks at line {}, column {}", e.line(), e.column()))),
    }
}

/// Checks the pairs of a call. `appsecret_proof` was removed before.
pub(crate) fn check(command: &Command, pairs: Vec<(String, Value)>) -> Result<BTreeMap<&'static str, Value>, Refusal> {
    let mut values = BTreeMap::new();
    for (name, value) in pairs {
        let Some(param) = command.params.iter().find(|p| p.name == name) else {
            return Err(unknown(command, &name));
        };
        if values.contains_key(param.name) {
            return Err(
                Refusal::invalid(param.name, "sent once").with_note(&format!("{} is sent more than once", param.name))
            );
        }
        // Null counts as not sent.
        if value.is_null() {
            continue;
        }
        if !param.sort.takes(&value) {
            return Err(wrong(param.name, param.sort));
        }
        if holds_nul(&value) {
            return Err(Refusal::invalid(param.name, "free of NUL characters"));
        }
        values.insert(param.name, value);
    }
    match command.params.iter().find(|p| p.required && !values.contains_key(p.name)) {
        Some(param) => Err(Refusal::required(param.name).with_expected(&param.sort.expected())),
        None => Ok(values),
    }
}

fn wrong(name: &str, sort: Sort) -> Refusal {
    if let Sort::Word(words) = sort {
        return Refusal::not_one_of(name, words.iter().map(|w| (*w).to_owned()).collect());
    }
    Refusal::invalid(name, &sort.expected())
}

fn unknown(command: &Command, name: &str) -> Refusal {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    let known: Vec<&str> = command.params.iter().map(|p| p.name).collect();
    let known = if known.is_empty() { "it takes none".to_owned() } else { format!("it takes {}", known.join(", ")) };
    Refusal::invalid(&shown, "left out").with_note(&format!("{} has no parameter {shown}; {known}", command.name))
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(key, item)| key.contains('\0') || holds_nul(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The pairs of an object with repeated names kept, so that they can be refused.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct PairsVisitor;

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(PairsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_an_object_or_nothing() {
        assert!(pairs(b"").unwrap().is_empty());
        assert!(pairs(b" {} ").unwrap().is_empty());
        for body in [&b"[]"[..], b"1", b"{", b"\"x\"", b"{\"a\":1}{", b"\xff", b"null"] {
            assert_eq!(pairs(body).unwrap_err().field.as_deref(), Some("body"), "{body:?}");
        }
        assert!(pairs(format!("{{\"a\":{}1{}}}", "[".repeat(50), "]".repeat(50)).as_bytes()).is_err());
    }

    #[test]
    fn unknown_repeated_and_mistyped_parameters_are_refused_by_name() {
        let command = crate::table::find("asset.rename").unwrap();
        let refused = |body: &str| check(command, pairs(body.as_bytes()).unwrap()).unwrap_err();
        for (body, field) in [
            (r#"{"asset":"1"}"#, "name"),
            (r#"{"asset":1,"name":"x"}"#, "asset"),
            (r#"{"asset":"01","name":"x"}"#, "asset"),
            (r#"{"asset":"1","name":["x"]}"#, "name"),
            (r#"{"asset":"1","name":"x\u0000"}"#, "name"),
            (r#"{"asset":"1","asset":"2","name":"x"}"#, "asset"),
            (r#"{"asset":"1","name":"x","nmae":"y"}"#, "nmae"),
            (r#"{"asset":null,"name":"x"}"#, "asset"),
        ] {
            assert_eq!(refused(body).field.as_deref(), Some(field), "{body}");
        }
        assert!(check(command, pairs(br#"{"asset":"1","name":"x"}"#).unwrap()).is_ok());
    }
}
