//! One item of a batch as it arrives, in the spellings of the official SDKs.
//! A wrong item is an error of that item; nothing is dropped silently.

use http::Method;
use serde_json::{Map, Value};

use super::loose;
use super::reference::{self, Piece};
use crate::protocol::envelope::{self, GraphError};
use crate::protocol::{text as texts, value};

/// The most references in one item.
pub const MAX_REFERENCES: usize = 100;

/// A file that came with the multipart request of the whole batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedFile {
    /// The name of the multipart field that holds it.
    pub part: String,
    /// The parameter that it is for, where the client says so (Java).
    pub parameter: Option<String>,
}

/// A parameter whose value may hold references.
pub(super) struct Template {
    pub(super) name: String,
    pub(super) pieces: Vec<Piece>,
    /// Whether the value was JSON before any reference was filled in.
    pub(super) is_json: bool,
}

/// An item that was read, with references not yet filled in.
pub(super) struct Item {
    pub(super) method: Method,
    pub(super) path: Vec<Piece>,
    pub(super) query: Vec<Template>,
    pub(super) body: Vec<Template>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) attached_files: Vec<AttachedFile>,
    pub(super) access_token: Option<String>,
    depends_on: Vec<String>,
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Path, parameters and token may hold credentials.
        f.debug_struct("Item").field("method", &self.method).finish_non_exhaustive()
    }
}

impl Item {
    pub(super) fn of_fields(fields: &Map<String, Value>) -> Result<Self, GraphError> {
        let url = text(fields, "relative_url").ok_or_else(|| envelope::parameter_required("relative_url"))?;
        let (path, query) = split_url(url);
        // Some clients escape the braces of a reference in the path, too.
        let path = if path.contains("{result") { path.into() } else { decode_references(path) };
        let item = Self {
            method: method(fields)?,
            path: reference::split(&path).map_err(|bad| envelope::batch_invalid_reference(&bad))?,
            query: templates(loose::pairs(query))?,
            body: templates(body(fields)?)?,
            headers: headers(fields)?,
            attached_files: attached_files(fields)?,
            access_token: text(fields, "access_token").filter(|token| !token.is_empty()).map(str::to_owned),
            depends_on: depends_on(fields)?,
        };
        if item.references().count() > MAX_REFERENCES {
            return Err(envelope::reduce_data());
        }
        Ok(item)
    }

    fn references(&self) -> impl Iterator<Item = &str> {
        let values = self.query.iter().chain(&self.body).flat_map(|pair| &pair.pieces);
        self.path.iter().chain(values).filter_map(|piece| match piece {
            Piece::Reference { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The names of the items that this one depends on.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.references().chain(self.depends_on.iter().map(String::as_str))
    }
}

/// A field that is text.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

/// A field that is true or false, in any spelling.
pub(super) fn flag(fields: &Map<String, Value>, name: &str) -> Option<bool> {
    fields.get(name).and_then(|field| value::boolean(&value::text_of(field)).ok())
}

fn present<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|field| !field.is_null())
}

fn method(fields: &Map<String, Value>) -> Result<Method, GraphError> {
    let name = text(fields, "method").ok_or_else(|| envelope::parameter_required("method"))?;
    match name.trim().to_ascii_uppercase().as_str() {
        "GET" => Ok(Method::GET),
        "POST" => Ok(Method::POST),
        "DELETE" => Ok(Method::DELETE),
        _ => Err(envelope::unsupported_method(name)),
    }
}

/// The path and the query, split at the first `?` outside a reference.
fn split_url(url: &str) -> (&str, &str) {
    let url = url.split_once('#').filter(|_| !url.contains("{result")).map_or(url, |(url, _)| url);
    let last_brace = url.rfind('}').unwrap_or(0);
    let mut in_reference = false;
    for (at, c) in url.char_indices() {
        let rest = url.get(at..).unwrap_or_default();
        match c {
            '{' if rest.starts_with("{result") => in_reference = at < last_brace,
            '}' => in_reference = false,
            '?' if !in_reference => {
                let (path, query) = url.split_at(at);
                return (path, query.get(1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    (url, "")
}

fn decode_references(path: &str) -> std::borrow::Cow<'_, str> {
    let escaped = path.as_bytes().windows(9).any(|part| part.eq_ignore_ascii_case(b"%7bresult"));
    if escaped { texts::percent_decode(path) } else { path.into() }
}

fn body(fields: &Map<String, Value>) -> Result<Vec<(String, String)>, GraphError> {
    let of_object =
        |map: &Map<String, Value>| map.iter().map(|(name, field)| (name.clone(), value::text_of(field))).collect();
    match present(fields, "body") {
        None => Ok(Vec::new()),
        Some(Value::Object(map)) => Ok(of_object(map)),
        Some(Value::String(text)) if text.trim_start().starts_with('{') => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(of_object(&map)),
            _ => Ok(loose::pairs(text)),
        },
        Some(Value::String(text)) => Ok(loose::pairs(text)),
        Some(_) => Err(envelope::invalid_parameter("body", "text like key=value&key=value")),
    }
}

fn templates(pairs: Vec<(String, String)>) -> Result<Vec<Template>, GraphError> {
    let read = |(name, text): (String, String)| {
        let pieces = reference::split(&text).map_err(|bad| envelope::batch_invalid_reference(&bad))?;
        let open = pieces.iter().any(|piece| matches!(piece, Piece::Reference { .. }));
        let is_json = open
            && text.trim_start().starts_with(['{', '[', '"'])
            && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        Ok(Template { name, pieces, is_json })
    };
    pairs.into_iter().map(read).collect()
}

fn depends_on(fields: &Map<String, Value>) -> Result<Vec<String>, GraphError> {
    let wrong = || envelope::invalid_parameter("depends_on", "the name of an earlier item");
    match present(fields, "depends_on") {
        None => Ok(Vec::new()),
        Some(Value::String(name)) if name.is_empty() => Ok(Vec::new()),
        Some(Value::String(name)) => Ok(vec![name.trim().to_owned()]),
        Some(Value::Array(names)) => {
            names.iter().map(|name| name.as_str().map(|name| name.trim().to_owned()).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// `[{"name":…,"value":…}]`, `["Name: value"]` or `{"Name":"value"}`.
fn headers(fields: &Map<String, Value>) -> Result<Vec<(String, String)>, GraphError> {
    let wrong = || envelope::invalid_parameter("headers", "a list of {\"name\":…,\"value\":…}");
    let one = |entry: &Value| match entry {
        Value::Object(map) => {
            let name = text(map, "name")?.to_owned();
            Some((name, value::text_of(map.get("value")?)))
        }
        Value::String(line) => {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    };
    match present(fields, "headers") {
        None => Ok(Vec::new()),
        Some(Value::Array(entries)) => entries.iter().map(|entry| one(entry).ok_or_else(wrong)).collect(),
        Some(Value::Object(map)) => Ok(map.iter().map(|(name, field)| (name.clone(), value::text_of(field))).collect()),
        Some(_) => Err(wrong()),
    }
}

/// A comma list or an array of multipart fields, or an object from
/// multipart field to parameter; `attachedFiles` is the Node spelling.
fn attached_files(fields: &Map<String, Value>) -> Result<Vec<AttachedFile>, GraphError> {
    let wrong = || envelope::invalid_parameter("attached_files", "names of files of this request");
    let bare = |part: &str| AttachedFile { part: part.trim().to_owned(), parameter: None };
    let files = match present(fields, "attached_files").or_else(|| present(fields, "attachedFiles")) {
        None => Vec::new(),
        Some(Value::String(list)) => list.split(',').map(bare).collect(),
        Some(Value::Array(entries)) => {
            entries.iter().map(|entry| entry.as_str().map(bare).ok_or_else(wrong)).collect::<Result<Vec<_>, _>>()?
        }
        Some(Value::Object(map)) => map
            .iter()
            .map(|(part, parameter)| AttachedFile {
                part: part.clone(),
                parameter: parameter.as_str().filter(|name| !name.is_empty()).map(str::to_owned),
            })
            .collect(),
        Some(_) => return Err(wrong()),
    };
    Ok(files.into_iter().filter(|file| !file.part.is_empty()).collect())
}
