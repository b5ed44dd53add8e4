//! The parameters of a request. `Debug` must never show a value.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

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
pub(super) struct Param {
    pub(super) name: Arc<str>,
    pub(super) value: String,
    pub(super) source: Source,
}

/// All parameters of one request. `Debug` shows names alone.
///
/// Within one source the first value of a name counts; the body overrides the query. Names that end
/// with `[]` are lists: all of their values are kept, for [`Params::iter`].
#[derive(Clone, Default, PartialEq)]
pub struct Params {
    pub(super) params: Vec<Param>,
    pub(super) index: HashMap<Arc<str>, usize>,
    pub(super) uploads: Vec<Upload>,
    pub(super) json: Option<Value>,
}

impl Params {
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

    /// Their number.
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

    /// The access token, if it came as a parameter. Only then do paging links repeat it.
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
