//! The parameters of a request, from its query, a form, a multipart body or a
//! JSON object, with or without a content type. It must never guess: what is
//! contradictory or unreadable is an error that names the field. It knows the
//! meaning of no field but `access_token`.

mod error;
mod reader;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::limits::ParamLimits;

pub use error::{ParamError, ParamFault};
pub(crate) use reader::percent_decode;

/// The one parameter that must not differ between query and body.
pub const ACCESS_TOKEN: &str = "access_token";

/// The part of the request that a parameter came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// In the URL.
    Query,
    /// In an urlencoded body.
    Form,
    /// In a multipart body.
    Multipart,
    /// As a key of a JSON object.
    Json,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query => "query",
            Self::Form => "form body",
            Self::Multipart => "multipart body",
            Self::Json => "JSON body",
        })
    }
}

/// A file of a multipart body. `Debug` shows its name and size alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// The part's field name.
    pub field: String,
    /// The file's name as the caller sent it: not a safe path.
    pub file_name: String,
    /// The part's content type as the caller sent it: not to be trusted.
    pub content_type: Option<String>,
    /// The file.
    pub bytes: Bytes,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("field", &crate::mask::shown_name(&self.field))
            .field("file_name", &crate::mask::shown_name(&self.file_name))
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq)]
struct Param {
    name: Arc<str>,
    value: String,
    source: Source,
}

/// All parameters of one request. `Debug` shows names alone.
///
/// Within one source the first of a name counts; the body's overrides the
/// query's. Names that end with `[]` are lists: all of their values are kept,
/// for [`Params::iter`].
#[derive(Clone, Default, PartialEq)]
pub struct Params {
    params: Vec<Param>,
    index: HashMap<Arc<str>, usize>,
    uploads: Vec<Upload>,
    json: Option<Value>,
}

impl Params {
    /// Reads query and body. Without a content type a body is a form, or JSON
    /// if it begins with a brace; so is one of `text/plain`.
    pub async fn read(
        query: &str,
        content_type: Option<&str>,
        body: &Bytes,
        limits: &ParamLimits,
    ) -> Result<Self, ParamError> {
        let mut reader = reader::Reader::new(limits);
        reader.form(query.as_bytes(), Source::Query)?;
        if !body.is_empty() {
            match reader::Shape::of(content_type, body)? {
                reader::Shape::Form => reader.form(body, Source::Form)?,
                reader::Shape::Json => reader.json(body)?,
                reader::Shape::Multipart(boundary) => reader.multipart(boundary, body).await?,
            }
        }
        Ok(reader.finish())
    }

    /// Reads the query of a request that has no body.
    pub fn from_query(query: &str, limits: &ParamLimits) -> Result<Self, ParamError> {
        let mut reader = reader::Reader::new(limits);
        reader.form(query.as_bytes(), Source::Query)?;
        Ok(reader.finish())
    }

    /// The value that counts under this exact name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name).map(|param| param.value.as_str())
    }

    /// The source of the value that counts.
    pub fn source(&self, name: &str) -> Option<Source> {
        self.find(name).map(|param| param.source)
    }

    fn find(&self, name: &str) -> Option<&Param> {
        self.index.get(name).and_then(|at| self.params.get(*at))
    }

    /// All parameters, in the order in which they came first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|param| (&*param.name, param.value.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.params.len()
    }

    /// Whether there are none, files aside.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// The files, in order.
    pub fn uploads(&self) -> &[Upload] {
        &self.uploads
    }

    /// The first file of this field name.
    pub fn upload(&self, field: &str) -> Option<&Upload> {
        self.uploads.iter().find(|upload| upload.field == field)
    }

    /// The body as JSON (an object or an array), when it was JSON.
    pub fn json_body(&self) -> Option<&Value> {
        self.json.as_ref()
    }

    /// The access token, if it came as a parameter. Links for paging repeat it
    /// then, and only then.
    pub fn access_token(&self) -> Option<&str> {
        self.get(ACCESS_TOKEN)
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.params.iter().map(|param| crate::mask::shown_name(&param.name)).collect();
        f.debug_struct("Params").field("names", &names).field("uploads", &self.uploads).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
