//! References in a batch: `{result=NAME:$.path}`. Finding them, and reading
//! a value out of another item's answer. The path language is a small part
//! of JSONPath without filters or search, so its cost is that of one walk.

use serde_json::Value;

/// The most steps in a path.
const MAX_STEPS: usize = 16;
/// The longest text between `=` and the `:` of a reference, in bytes.
const MAX_NAME_BYTES: usize = 512;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Plain text.
    Text(String),
    /// A reference to a value of another item.
    Reference {
        /// The other item's name.
        name: String,
        /// The path to the value in its body.
        path: Vec<Step>,
    },
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `.name`, `['name']`, and `.0`, which is also an index in an array.
    Name(String),
    /// `[0]`.
    Index(usize),
    /// `.*`, `[*]`.
    All,
}

/// Splits a text at its references. Text in braces that has no `:$` before
/// its end is no reference. The error is the name in a reference whose path
/// can't be read. A name can't hold a brace.
pub(super) fn split(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|rest| rest.find('{')).map(|at| from + at) {
        from = open + 1;
        let Some((name, path_at)) = head(text, from) else {
            continue;
        };
        let path_text = text.get(path_at..).unwrap_or_default();
        let (path, length) = read_path(path_text).ok_or_else(|| name.to_owned())?;
        push_text(&mut pieces, text.get(plain_from..open));
        pieces.push(Piece::Reference { name: name.to_owned(), path });
        from = path_at + length;
        plain_from = from;
    }
    push_text(&mut pieces, text.get(plain_from..));
    Ok(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// Reads `result = NAME : $` after an open brace: the name, and where the path after `$` starts.
fn head(text: &str, from: usize) -> Option<(&str, usize)> {
    let rest = text.get(from..)?.trim_start();
    let rest = rest.strip_prefix("result")?.trim_start().strip_prefix('=')?;
    let name_at = text.len() - rest.len();
    for (at, c) in rest.char_indices() {
        if matches!(c, '{' | '}') || at > MAX_NAME_BYTES {
            return None;
        }
        let after = rest.get(at + 1..).filter(|_| c == ':').map(str::trim_start);
        if let Some(path) = after.and_then(|after| after.strip_prefix('$')) {
            let name = text.get(name_at..name_at + at)?.trim();
            return Some((name, text.len() - path.len()));
        }
    }
    None
}

/// The steps up to the closing brace, and how many bytes both take.
fn read_path(text: &str) -> Option<(Vec<Step>, usize)> {
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some((steps, text.len() - after.len()));
        }
        if steps.len() == MAX_STEPS {
            return None;
        }
        let (step, after) = match rest.strip_prefix('.') {
            Some(after) => read_dotted(after)?,
            None => read_bracket(rest.strip_prefix('[')?)?,
        };
        steps.push(step);
        rest = after;
    }
}

fn read_dotted(text: &str) -> Option<(Step, &str)> {
    if let Some(after) = text.strip_prefix('*') {
        return Some((Step::All, after));
    }
    let end = text.find(|c: char| matches!(c, '.' | '[' | ']' | '{' | '}') || c.is_whitespace())?;
    let (name, after) = text.split_at(end);
    (!name.is_empty()).then(|| (Step::Name(name.to_owned()), after))
}

fn read_bracket(text: &str) -> Option<(Step, &str)> {
    let text = text.trim_start();
    for quote in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(quote) {
            let (name, after) = inner.split_once(quote)?;
            let after = after.trim_start().strip_prefix(']')?;
            return Some((Step::Name(name.to_owned()), after));
        }
    }
    let (inner, after) = text.split_once(']')?;
    match inner.trim() {
        "*" => Some((Step::All, after)),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().map(|index| (Step::Index(index), after))
        }
        _ => None,
    }
}

/// The text of what a path finds: matches and arrays joined by commas,
/// strings bare, objects as JSON, null and no match empty. None when it is
/// longer than `limit_bytes`.
pub(super) fn evaluate(path: &[Step], body: &Value, limit_bytes: usize) -> Option<String> {
    let mut found = vec![body];
    for step in path {
        found = found.into_iter().flat_map(|value| follow(step, value)).collect();
    }
    let mut text = String::new();
    let mut is_first = true;
    for value in found {
        write(value, &mut text, &mut is_first);
        if text.len() > limit_bytes {
            return None;
        }
    }
    Some(text)
}

fn follow<'v>(step: &Step, value: &'v Value) -> Vec<&'v Value> {
    match (step, value) {
        (Step::Name(name), Value::Object(map)) => map.get(name).into_iter().collect(),
        (Step::Name(name), Value::Array(values)) => {
            let index = name.parse::<usize>().ok();
            index.and_then(|index| values.get(index)).into_iter().collect()
        }
        (Step::Index(index), Value::Array(values)) => values.get(*index).into_iter().collect(),
        (Step::All, Value::Array(values)) => values.iter().collect(),
        (Step::All, Value::Object(map)) => map.values().collect(),
        _ => Vec::new(),
    }
}

fn write(value: &Value, text: &mut String, is_first: &mut bool) {
    if let Value::Array(values) = value {
        for value in values {
            write(value, text, is_first);
        }
        return;
    }
    if !*is_first {
        text.push(',');
    }
    *is_first = false;
    match value {
        Value::Null => {}
        Value::String(bare) => text.push_str(bare),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => text.push_str(&value.to_string()),
    }
}
