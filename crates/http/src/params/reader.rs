//! Collects parameters from each kind of source, under one set of limits. It
//! must never keep a pair that it has not checked.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::{ParamError, ParamFault};
use super::set::{ACCESS_TOKEN, Param, Params, Source, Upload};
use crate::json;
use crate::limits::ParamLimits;
use crate::percent::percent_decode;

/// How a body is to be read.
pub(super) enum Shape {
    Form,
    Json,
    Multipart(String),
}

impl Shape {
    /// Looks at the content type, and at the first byte where there is no usable
    /// one.
    pub(super) fn of(content_type: Option<&str>, body: &[u8]) -> Result<Self, ParamError> {
        let sent = content_type.unwrap_or_default();
        let essence = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Ok(Self::Form),
            "" | "text/plain" => {
                let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
                Ok(if first == Some(&b'{') { Self::Json } else { Self::Form })
            }
            "multipart/form-data" => match multer::parse_boundary(sent) {
                Ok(boundary) => Ok(Self::Multipart(boundary)),
                Err(error) => Err(ParamError::new(Source::Multipart, ParamFault::Multipart(description(&error)))),
            },
            json if json == "application/json" || json.ends_with("+json") => Ok(Self::Json),
            _ => Err(ParamError::new(Source::Form, ParamFault::ContentType)),
        }
    }
}

pub(super) struct Reader<'a> {
    limits: &'a ParamLimits,
    params: Params,
    /// Names ending in `[]` that the body has; their values in the query are
    /// dropped.
    lists_of_body: HashSet<Arc<str>>,
    seen: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(limits: &'a ParamLimits) -> Self {
        Self { limits, params: Params::default(), lists_of_body: HashSet::new(), seen: 0 }
    }

    /// Pairs of the query or of an urlencoded body. They are decoded here,
    /// because a lossy decoder would hide bytes that are not UTF-8.
    pub(super) fn form(&mut self, text: &[u8], source: Source) -> Result<(), ParamError> {
        let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        for (at, pair) in pairs.enumerate() {
            let position = at + 1;
            let cut = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = match cut {
                Some(cut) => (&pair[..cut], &pair[cut + 1..]),
                None => (pair, &pair[..0]),
            };
            let not_utf8 = || ParamError::new(source, ParamFault::NotUtf8).at(position);
            let name = String::from_utf8(percent_decode(name)).map_err(|_| not_utf8())?;
            let value = String::from_utf8(percent_decode(value)).map_err(|_| not_utf8().of(&name))?;
            self.add(&name, value, source, position)?;
        }
        Ok(())
    }

    pub(super) fn json(&mut self, body: &[u8]) -> Result<(), ParamError> {
        let fault = |fault| ParamError::new(Source::Json, fault);
        let text = std::str::from_utf8(body).map_err(|_| fault(ParamFault::NotUtf8))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Ok(());
        }
        let limit = self.limits.json_depth_limit;
        json::check_depth(text, limit).map_err(|error| fault(error.into()))?;
        if !text.starts_with('{') {
            let value = json::parse(text, limit).map_err(|error| fault(error.into()))?;
            if !value.is_array() {
                return Err(fault(ParamFault::JsonNotObject));
            }
            if json::holds_nul(&value) {
                return Err(fault(ParamFault::Nul));
            }
            self.params.json = Some(value);
            return Ok(());
        }
        let Pairs(pairs) = serde_json::from_str(text).map_err(|error| fault(ParamFault::Json(error.into())))?;
        self.json_pairs(pairs)
    }

    fn json_pairs(&mut self, pairs: Vec<(String, &RawValue)>) -> Result<(), ParamError> {
        let mut object = serde_json::Map::new();
        for (at, (name, raw)) in pairs.into_iter().enumerate() {
            let position = at + 1;
            let fault = |fault| ParamError::new(Source::Json, fault).at(position).of(&name);
            let value: Value =
                serde_json::from_str(raw.get()).map_err(|error| fault(ParamFault::Json(error.into())))?;
            if json::holds_nul(&value) {
                return Err(fault(ParamFault::Nul));
            }
            let text = match &value {
                // A null is treated as if the parameter had not been sent.
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                // The text as it was sent, so that a long number keeps its digits.
                Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(raw.get().to_owned()),
            };
            match text {
                Some(text) => self.add(&name, text, Source::Json, position)?,
                None => self.count(Source::Json)?,
            }
            if !object.contains_key(&name) {
                object.insert(name, value);
            }
        }
        self.params.json = Some(Value::Object(object));
        Ok(())
    }

    pub(super) async fn multipart(&mut self, boundary: String, body: &Bytes) -> Result<(), ParamError> {
        let whole = std::future::ready(Ok::<_, Infallible>(body.clone()));
        let mut parts = multer::Multipart::new(futures_util::stream::once(whole), boundary);
        let mut position = 0;
        loop {
            position += 1;
            let fault = |fault| ParamError::new(Source::Multipart, fault).at(position);
            let broken = |error: multer::Error| fault(ParamFault::Multipart(description(&error)));
            let Some(part) = parts.next_field().await.map_err(broken)? else {
                return Ok(());
            };
            let name = part
                .name()
                .map(str::to_owned)
                .ok_or_else(|| fault(ParamFault::Multipart("a part has no readable name")))?;
            if let Some(file_name) = part.file_name().map(str::to_owned) {
                let content_type = part.content_type().map(ToString::to_string);
                let bytes = part.bytes().await.map_err(|error| broken(error).of(&name))?;
                self.add_upload(Upload { field: name, file_name, content_type, bytes }, position)?;
            } else {
                let bytes = part.bytes().await.map_err(|error| broken(error).of(&name))?;
                let limit = self.limits.text_limit_bytes;
                if bytes.len() > limit {
                    return Err(fault(ParamFault::TextTooLong(limit)).of(&name));
                }
                let value = String::from_utf8(bytes.into()).map_err(|_| fault(ParamFault::NotUtf8).of(&name))?;
                self.add(&name, value, Source::Multipart, position)?;
            }
        }
    }

    fn count(&mut self, source: Source) -> Result<(), ParamError> {
        self.seen += 1;
        if self.seen > self.limits.count_limit {
            return Err(ParamError::new(source, ParamFault::TooMany(self.limits.count_limit)));
        }
        Ok(())
    }

    fn check_name(&self, name: &str, source: Source, position: usize) -> Result<(), ParamError> {
        if name.len() > self.limits.name_limit_bytes {
            let fault = ParamFault::NameTooLong(self.limits.name_limit_bytes);
            return Err(ParamError::new(source, fault).at(position).of(name));
        }
        Ok(())
    }

    fn add(&mut self, name: &str, value: String, source: Source, position: usize) -> Result<(), ParamError> {
        self.count(source)?;
        self.check_name(name, source, position)?;
        let fault = |fault| ParamError::new(source, fault).at(position).of(name);
        if name.contains('\0') || value.contains('\0') {
            return Err(fault(ParamFault::Nul));
        }
        if name.is_empty() {
            return Ok(());
        }
        let bag = &mut self.params;
        if let Some(held) = bag.index.get(name).and_then(|at| bag.params.get_mut(*at)) {
            if name == ACCESS_TOKEN && held.value != value {
                return Err(fault(ParamFault::Contradiction));
            }
            if !name.ends_with("[]") {
                if held.source != source {
                    held.value = value;
                    held.source = source;
                }
                return Ok(());
            }
        }
        let name: Arc<str> = name.into();
        if source != Source::Query && name.ends_with("[]") {
            self.lists_of_body.insert(Arc::clone(&name));
        }
        bag.index.entry(Arc::clone(&name)).or_insert(bag.params.len());
        bag.params.push(Param { name, value, source });
        Ok(())
    }

    fn add_upload(&mut self, upload: Upload, position: usize) -> Result<(), ParamError> {
        let source = Source::Multipart;
        self.count(source)?;
        self.check_name(&upload.field, source, position)?;
        self.check_name(&upload.file_name, source, position)?;
        let fault = |fault| ParamError::new(source, fault).at(position).of(&upload.field);
        if upload.field.contains('\0') || upload.file_name.contains('\0') {
            return Err(fault(ParamFault::Nul));
        }
        let limit = self.limits.upload_count_limit;
        if self.params.uploads.len() >= limit {
            return Err(ParamError::new(source, ParamFault::TooManyUploads(limit)));
        }
        self.params.uploads.push(upload);
        Ok(())
    }

    pub(super) fn finish(self) -> Params {
        let mut params = self.params;
        if !self.lists_of_body.is_empty() {
            params.params.retain(|param| param.source != Source::Query || !self.lists_of_body.contains(&param.name));
            params.index.clear();
            for (at, param) in params.params.iter().enumerate() {
                params.index.entry(Arc::clone(&param.name)).or_insert(at);
            }
        }
        params
    }
}

/// A multipart fault in our own words, which repeat nothing of the body.
fn description(error: &multer::Error) -> &'static str {
    use multer::Error;
    if matches!(error, Error::NoBoundary | Error::DecodeContentType(_)) {
        "the content type has no usable boundary"
    } else if matches!(error, Error::IncompleteStream | Error::IncompleteFieldData { .. }) {
        "it ends before its last boundary"
    } else if matches!(
        error,
        Error::IncompleteHeaders
            | Error::ReadHeaderFailed(_)
            | Error::DecodeHeaderName { .. }
            | Error::DecodeHeaderValue { .. }
    ) {
        "a part's headers can't be read"
    } else {
        "it can't be read"
    }
}

/// A JSON object's pairs in order, repeated names included.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
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
