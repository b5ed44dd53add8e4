//! Batches: many calls in one. This module reads the array, plans which item waits for which, fills
//! in references, and writes the answer array. It runs nothing and decides no right: the engine
//! runs each item as a call of its own, with its own token.

mod item;
mod loose;
mod reference;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};

use self::item::Item;
use self::reference::Piece;
use super::envelope::{self, GraphError, MAX_BATCH_ITEMS};

pub use self::item::{AttachedFile, MAX_REFERENCES};

/// The most bytes that references may insert into one item.
pub const MAX_INSERTED_BYTES: usize = 1024 * 1024;
/// A batch, read and planned.
#[derive(Debug)]
pub struct Plan {
    slots: Vec<Slot>,
}

/// One item of the plan: the call, or why the call can't be read.
#[derive(Debug)]
struct Slot {
    item: Result<Item, GraphError>,
    /// The earlier item that each name in this one refers to.
    targets: HashMap<String, usize>,
    /// Whether a success is written as `null`.
    omitted_on_success: bool,
    include_headers: bool,
}

/// One call of a batch, with references filled in. Its `Debug` shows no
/// parameter, because these hold credentials and content.
#[derive(Clone, PartialEq, Eq)]
pub struct ItemRequest {
    /// GET, POST or DELETE.
    pub method: Method,
    /// The path, with or without version and leading slash, for
    /// [`super::version::parse`].
    pub path: String,
    /// The parameters of `relative_url`, decoded.
    pub query: Vec<(String, String)>,
    /// The parameters of `body`, decoded.
    pub body: Vec<(String, String)>,
    /// The item's own headers, such as `If-None-Match`.
    pub headers: Vec<(String, String)>,
    /// Files of the multipart request that belong to this item.
    pub attached_files: Vec<AttachedFile>,
    /// The item's own token, from its field `access_token`.
    pub access_token: Option<String>,
}

impl fmt::Debug for ItemRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemRequest")
            .field("method", &self.method)
            .field("query", &self.query.len())
            .field("body", &self.body.len())
            .field("attached_files", &self.attached_files.len())
            .finish_non_exhaustive()
    }
}

/// The answer to one call of a batch. Its `Debug` hides the body.
#[derive(Clone, PartialEq, Eq)]
pub struct ItemResult {
    /// The HTTP status of the call.
    pub code: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body as text.
    pub body: String,
}

impl fmt::Debug for ItemResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemResult")
            .field("code", &self.code)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl ItemResult {
    /// The part for an answer; headers that are not text are left out.
    #[must_use]
    pub fn new(status: StatusCode, headers: &HeaderMap, body: String) -> Self {
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.to_string(), value.to_str().ok()?.to_owned()))
        };
        Self { code: status.as_u16(), headers: headers.iter().filter_map(text).collect(), body }
    }

    /// Whether it succeeded: then dependent items may run, and `null` may replace it.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.code)
    }

    fn into_value(self, include_headers: bool) -> Value {
        let mut part = Map::new();
        part.insert("code".to_owned(), Value::from(self.code));
        if include_headers {
            let headers = self.headers.into_iter().map(|(name, value)| json!({"name": name, "value": value}));
            part.insert("headers".to_owned(), headers.collect());
        }
        part.insert("body".to_owned(), Value::from(self.body));
        Value::Object(part)
    }
}

impl Plan {
    /// Reads the parameter `batch`. `include_headers` is the parameter of that name of the whole
    /// call, true by default. An error in one item fails only that item, when it is
    /// [substituted](Self::substitute).
    ///
    /// # Errors
    /// The text is no JSON array of objects, or has 0 or more than 50 items.
    pub fn parse(text: &str, include_headers: bool) -> Result<Self, GraphError> {
        let items: Vec<Value> = serde_json::from_str(text).map_err(|_| envelope::batch_not_array())?;
        if items.is_empty() || items.len() > MAX_BATCH_ITEMS {
            return Err(envelope::too_many_batch_items());
        }
        let mut fields = Vec::with_capacity(items.len());
        for item in items {
            let Value::Object(item) = item else {
                return Err(envelope::batch_not_array());
            };
            fields.push(item);
        }
        Ok(Self::of_items(&fields, include_headers))
    }

    fn of_items(fields: &[Map<String, Value>], include_headers: bool) -> Self {
        let mut nearest: HashMap<String, usize> = HashMap::new();
        let mut slots: Vec<Slot> = Vec::with_capacity(fields.len());
        let mut referenced = HashSet::new();
        let mut keeps = Vec::with_capacity(fields.len());
        for (index, fields) in fields.iter().enumerate() {
            let slot = Slot::of_item(fields, &nearest, include_headers);
            referenced.extend(slot.targets.values().copied());
            slots.push(slot);
            keeps.push(item::flag(fields, "omit_response_on_success") == Some(false));
            if let Some(name) = item::text(fields, "name") {
                nearest.insert(name.trim().to_owned(), index);
            }
        }
        for (index, (slot, keep)) in slots.iter_mut().zip(keeps).enumerate() {
            slot.omitted_on_success = !keep && referenced.contains(&index);
        }
        Self { slots }
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Never true of a parsed plan.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// An order in which every item comes after those that it depends on. References only lead to
    /// earlier items, so it is the order in which they were sent.
    #[must_use]
    pub fn order(&self) -> Range<usize> {
        0..self.slots.len()
    }

    /// The call that an item stands for, once the items that it depends on
    /// have their results (by index; `None` counts as not done).
    ///
    /// # Errors
    /// The item can't be read, a reference names no earlier item, an item that this
    /// one depends on failed, or references insert more than
    /// [`MAX_INSERTED_BYTES`].
    pub fn substitute(&self, index: usize, results: &[Option<ItemResult>]) -> Result<ItemRequest, GraphError> {
        let slot = self.slots.get(index).ok_or_else(|| envelope::batch_invalid_reference(""))?;
        let item = slot.item.as_ref().map_err(GraphError::clone)?;
        for (name, target) in &slot.targets {
            if !succeeded(results, *target) {
                return Err(envelope::batch_dependency_failed(name));
            }
        }
        let mut filler = Filler { slot, results, bodies: HashMap::new(), inserted_bytes: 0 };
        Ok(ItemRequest {
            method: item.method.clone(),
            path: filler.fill(&item.path, Place::Path)?,
            query: filler.fill_pairs(&item.query)?,
            body: filler.fill_pairs(&item.body)?,
            headers: item.headers.clone(),
            attached_files: item.attached_files.clone(),
            access_token: item.access_token.clone(),
        })
    }

    /// The answer array as JSON text, in the order of the items. An item
    /// without a result is `null`, and so is a success that another item
    /// depends on, unless it asked to be kept.
    #[must_use]
    pub fn assemble(&self, results: Vec<Option<ItemResult>>) -> String {
        let mut results = results.into_iter();
        let parts = self.slots.iter().map(|slot| match results.next().flatten() {
            Some(result) if slot.omitted_on_success && result.succeeded() => Value::Null,
            Some(result) => result.into_value(slot.include_headers),
            None => Value::Null,
        });
        Value::Array(parts.collect()).to_string()
    }
}

fn succeeded(results: &[Option<ItemResult>], index: usize) -> bool {
    results.get(index).and_then(Option::as_ref).is_some_and(ItemResult::succeeded)
}

impl Slot {
    fn of_item(fields: &Map<String, Value>, nearest: &HashMap<String, usize>, include_headers: bool) -> Self {
        let mut slot = Self {
            item: Item::of_fields(fields),
            targets: HashMap::new(),
            omitted_on_success: false,
            include_headers: item::flag(fields, "include_headers").unwrap_or(include_headers),
        };
        let names: Vec<String> = match &slot.item {
            Ok(item) => item.names().map(str::to_owned).collect(),
            Err(_) => Vec::new(),
        };
        for name in names {
            match nearest.get(&name) {
                Some(target) => {
                    slot.targets.insert(name, *target);
                }
                None => slot.item = Err(envelope::batch_invalid_reference(&name)),
            }
        }
        slot
    }
}

/// Where a referenced value is inserted. This decides how it is escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Text,
    /// Inside a value that is JSON already, so the value goes into a string.
    JsonString,
}

struct Filler<'a> {
    slot: &'a Slot,
    results: &'a [Option<ItemResult>],
    /// Parsed bodies: an item may refer to the same one many times.
    bodies: HashMap<usize, Value>,
    inserted_bytes: usize,
}

impl Filler<'_> {
    fn fill_pairs(&mut self, pairs: &[item::Template]) -> Result<Vec<(String, String)>, GraphError> {
        let mut filled = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let place = if pair.is_json { Place::JsonString } else { Place::Text };
            filled.push((pair.name.clone(), self.fill(&pair.pieces, place)?));
        }
        Ok(filled)
    }

    fn fill(&mut self, pieces: &[Piece], place: Place) -> Result<String, GraphError> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Reference { name, path } => {
                    let value = self.value(name, path)?;
                    text.push_str(&written(value, place));
                }
            }
        }
        Ok(text)
    }

    fn value(&mut self, name: &str, path: &[reference::Step]) -> Result<String, GraphError> {
        let invalid = || envelope::batch_invalid_reference(name);
        let target = *self.slot.targets.get(name).ok_or_else(invalid)?;
        let results = self.results;
        let body = self.bodies.entry(target).or_insert_with(|| {
            let result = results.get(target).and_then(Option::as_ref);
            result.and_then(|result| serde_json::from_str(&result.body).ok()).unwrap_or(Value::Null)
        });
        let left = MAX_INSERTED_BYTES - self.inserted_bytes;
        let value = reference::evaluate(path, body, left).ok_or_else(envelope::reduce_data)?;
        self.inserted_bytes += value.len();
        Ok(value)
    }
}

/// A value can't break out of its place: not out of a path's segment, and
/// not out of a JSON string.
fn written(value: String, place: Place) -> String {
    match place {
        Place::Text => value,
        Place::JsonString => {
            let quoted = Value::from(value).to_string();
            let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            inner.unwrap_or_default().to_owned()
        }
        Place::Path => {
            let mut escaped = String::with_capacity(value.len());
            for c in value.chars() {
                match c {
                    '/' => escaped.push_str("%2F"),
                    '?' => escaped.push_str("%3F"),
                    '#' => escaped.push_str("%23"),
                    '%' => escaped.push_str("%25"),
                    _ => escaped.push(c),
                }
            }
            escaped
        }
    }
}

#[cfg(test)]
mod tests;
