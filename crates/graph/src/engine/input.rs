//! One Graph call: a request, or an item of a batch.

use serde_json::{Map, Value};
use valetkey_domain::{Id, Refusal};

use crate::protocol::envelope::{self, GraphError};
use crate::protocol::value::{self, IdText};
use crate::protocol::version::Version;
use crate::schema::Verb;

/// A call with its parameters.
#[derive(Clone)]
pub(crate) struct Input {
    pub verb: Verb,
    /// The version that serves the call.
    pub version: Version,
    /// The path as the caller sent it, with or without a version, for links.
    pub path: String,
    pub segments: Vec<String>,
    pub pairs: Vec<(String, String)>,
    /// The token came as a parameter, so links repeat it.
    pub token_in_params: bool,
    /// How many nodes the call asks for, such as with `ids`.
    pub nodes: u64,
    /// Scheme, host and port as the caller sees them; none where that is not known for certain.
    pub base_url: Option<String>,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secrets, so only names are shown.
        let names: Vec<&str> = self.pairs.iter().map(|(n, _)| n.as_str()).collect();
        f.debug_struct("Input")
            .field("verb", &self.verb)
            .field("path", &self.path)
            .field("params", &names)
            .finish_non_exhaustive()
    }
}

impl Input {
    /// The value of a parameter. An empty one counts as absent; texts that may be empty use `raw`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|v| !v.is_empty())
    }

    /// The value of a parameter, empty or not.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// A parameter that must be there.
    pub fn require(&self, name: &str) -> Result<&str, GraphError> {
        self.get(name).ok_or_else(|| envelope::parameter_required(name))
    }

    /// The first of several names for the same thing.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|n| self.get(n))
    }

    pub fn boolean(&self, name: &str) -> Result<Option<bool>, GraphError> {
        self.get(name).map(|v| value::boolean(v).map_err(|e| e.of_parameter(name))).transpose()
    }

    pub fn integer(&self, name: &str) -> Result<Option<i64>, GraphError> {
        self.get(name).map(|v| value::integer(v).map_err(|e| e.of_parameter(name))).transpose()
    }

    pub fn time(&self, name: &str) -> Result<Option<i64>, GraphError> {
        self.get(name).map(|v| value::time_ms(v).map_err(|e| e.of_parameter(name))).transpose()
    }

    /// A list in any of the spellings, `name[0]=…` included.
    pub fn list(&self, name: &str) -> Result<Option<Vec<String>>, GraphError> {
        if let Some(text) = self.raw(name) {
            let broken = text.trim_start().starts_with('[') && value::json(text).is_err();
            let error = |e: value::Expected| if broken { not_json(name, text) } else { e.of_parameter(name) };
            return value::list(text).map(Some).map_err(error);
        }
        let prefix = format!("{name}[");
        let indexed: Vec<String> =
            self.pairs.iter().filter(|(n, _)| n.starts_with(&prefix)).map(|(_, v)| v.clone()).collect();
        Ok((!indexed.is_empty()).then_some(indexed))
    }

    /// A parameter that must be JSON.
    pub fn json(&self, name: &str) -> Result<Option<Value>, GraphError> {
        self.get(name).map(|text| value::json(text).map_err(|_| not_json(name, text))).transpose()
    }

    /// Parameters that are kept as they came, each of a bounded length. What comes in pieces, as
    /// `name[0]=…` or `name[0][key]=…`, is put together.
    pub fn kept(&self, names: &[&str], limit_bytes: usize) -> Result<Map<String, Value>, GraphError> {
        let mut kept = Map::new();
        for name in names {
            let too_long = || envelope::invalid_parameter(name, &format!("at most {limit_bytes} bytes"));
            let read = |text: &str| value::json(text).unwrap_or_else(|_| Value::String(text.to_owned()));
            let whole = self.raw(name);
            let pieces: Vec<Piece<'_>> = match whole {
                Some(_) => Vec::new(),
                None => self.pairs.iter().filter_map(|(n, v)| Some((keys(n, name)?, v.as_str()))).collect(),
            };
            let bytes = whole.map_or(0, str::len)
                + pieces.iter().map(|(keys, v)| keys.iter().map(|k| k.len()).sum::<usize>() + v.len()).sum::<usize>();
            if bytes > limit_bytes {
                return Err(too_long());
            }
            let value = match whole {
                Some("") => continue,
                Some(text) => read(text),
                None if pieces.is_empty() => continue,
                None => gathered(&pieces, &read),
            };
            kept.insert((*name).to_owned(), value);
        }
        Ok(kept)
    }

    /// An id of an object here. A text that can't be one of our ids gets the same answer as an id
    /// that the caller may not see.
    pub fn id<Of>(&self, name: &str) -> Result<Option<Id<Of>>, GraphError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match value::id(text) {
            Ok(IdText::Object(n) | IdText::AdAccount(n)) => match Id::new(n) {
                Some(id) => Ok(Some(id)),
                None => Err(envelope::invisible_parameter(name)),
            },
            Ok(IdText::Pair(..)) | Err(_) => Err(envelope::invisible_parameter(name)),
        }
    }

    /// An id that must be there.
    pub fn require_id<Of>(&self, name: &str) -> Result<Id<Of>, GraphError> {
        self.id(name)?.ok_or_else(|| envelope::parameter_required(name))
    }

    /// A name that keeps the rule.
    pub fn name(&self, name: &str) -> Result<Option<valetkey_domain::Name>, GraphError> {
        self.raw(name).map(|text| parse_name(name, text)).transpose()
    }

    /// How the caller named the object of the call.
    pub fn named(&self) -> Option<&str> {
        self.segments.first().map(String::as_str).filter(|s| *s != "me")
    }
}

fn not_json(name: &str, text: &str) -> GraphError {
    envelope::bad_json(name, value::json_break(text))
}

/// How deep a value in pieces may nest.
const PIECES_DEPTH: usize = 4;

/// The keys in `name[key][key]`, if the parameter is a piece of `name`.
fn keys<'p>(parameter: &'p str, name: &str) -> Option<Vec<&'p str>> {
    let inner = parameter.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?;
    let keys: Vec<&str> = inner.split("][").collect();
    (keys.len() <= PIECES_DEPTH).then_some(keys)
}

/// A piece of a value: the keys that lead to it, and its text.
type Piece<'p> = (Vec<&'p str>, &'p str);

/// A value from its pieces: an array where all keys are numbers or empty, else an object.
fn gathered(pieces: &[Piece<'_>], read: &dyn Fn(&str) -> Value) -> Value {
    let mut groups: Vec<(&str, Vec<Piece<'_>>)> = Vec::new();
    for (keys, text) in pieces {
        let Some((first, rest)) = keys.split_first() else { return read(text) };
        match groups.iter_mut().find(|(key, _)| key == first && !first.is_empty()) {
            Some((_, group)) => group.push((rest.to_vec(), *text)),
            None => groups.push((first, vec![(rest.to_vec(), *text)])),
        }
    }
    let is_list = groups.iter().all(|(key, _)| key.bytes().all(|b| b.is_ascii_digit()));
    if is_list {
        // A piece without a number goes behind those that have one.
        groups.sort_by_key(|(key, _)| key.parse::<u64>().unwrap_or(u64::MAX));
        return groups.iter().map(|(_, group)| gathered(group, read)).collect();
    }
    Value::Object(groups.iter().map(|(key, group)| ((*key).to_owned(), gathered(group, read))).collect())
}

/// Reads a name.
pub(crate) fn parse_name(field: &str, text: &str) -> Result<valetkey_domain::Name, GraphError> {
    valetkey_domain::Name::parse(text).map_err(|e| envelope::name_rule(field, e.message()))
}

/// What went wrong inside a call: a refusal of the service, or an error of the dialect.
#[derive(Debug)]
pub(crate) enum Problem {
    Refusal(Box<Refusal>),
    Graph(Box<GraphError>),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        Problem::Refusal(Box::new(refusal))
    }
}

impl From<Box<Refusal>> for Problem {
    fn from(refusal: Box<Refusal>) -> Problem {
        Problem::Refusal(refusal)
    }
}

impl From<Box<GraphError>> for Problem {
    fn from(error: Box<GraphError>) -> Problem {
        Problem::Graph(error)
    }
}

impl From<GraphError> for Problem {
    fn from(error: GraphError) -> Problem {
        Problem::Graph(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn input(pairs: &[(&str, &str)]) -> Input {
        Input {
            verb: Verb::Post,
            version: Version::NEWEST,
            path: String::new(),
            segments: Vec::new(),
            pairs: pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            token_in_params: false,
            nodes: 1,
            base_url: None,
        }
    }

    #[test]
    fn what_comes_in_pieces_is_put_together() {
        for (pairs, wanted) in [
            (vec![("m", "[1,2]")], json!([1, 2])),
            (vec![("m[0]", "{\"a\":1}"), ("m[1]", "{\"a\":2}")], json!([{"a": 1}, {"a": 2}])),
            (vec![("m[10]", "b"), ("m[2]", "a"), ("m[]", "c"), ("m[]", "d")], json!(["a", "b", "c", "d"])),
            (vec![("m[0][a]", "1"), ("m[0][b]", "x"), ("m[1][a]", "2")], json!([{"a": 1, "b": "x"}, {"a": 2}])),
            (vec![("m[geo][countries][0]", "DE")], json!({"geo": {"countries": ["DE"]}})),
            (vec![("m", "whole"), ("m[0]", "piece")], json!("whole")),
        ] {
            assert_eq!(input(&pairs).kept(&["m"], 1000).unwrap()["m"], wanted, "{pairs:?}");
        }
        for pairs in [vec![("m", "")], vec![("mm[0]", "1")], vec![("m[0", "1")], vec![("m[a][b][c][d][e]", "1")]] {
            assert!(input(&pairs).kept(&["m"], 1000).unwrap().is_empty(), "{pairs:?}");
        }
        let half = "x".repeat(500);
        assert!(input(&[("m[0]", &half), ("m[1]", &half)]).kept(&["m"], 1000).is_err());
    }

    #[test]
    fn broken_json_is_reported_with_its_place() {
        let error = input(&[("tasks", "[\"A\",\n \"B\"")]).list("tasks").unwrap_err();
        assert_eq!(error.user_title.as_deref(), Some("Not JSON"));
        assert_eq!(error.user_msg.as_deref(), Some("tasks is not JSON: it breaks at byte 10."));
        let error = input(&[("filtering", "[{]")]).json("filtering").unwrap_err();
        assert_eq!(error.user_msg.as_deref(), Some("filtering is not JSON: it breaks at byte 3."));
        // A word among others is a list as well.
        assert_eq!(input(&[("tasks", "A,B")]).list("tasks").unwrap().unwrap(), ["A", "B"]);
    }
}
