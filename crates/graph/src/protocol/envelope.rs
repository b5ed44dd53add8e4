//! The error envelope of the Graph: what an error says, its HTTP status, and its bytes. Clients act
//! on codes and look for literal texts, so both come from one place ([`rows`] for protocol and
//! validation). An error must not hold a credential, or anything about an object that the caller
//! can't see.

mod rows;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use valetkey_domain::Sentence;

pub use self::rows::*;

/// The `type` of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Most errors: token, scope, task, parameter.
    OAuthException,
    /// The object or the method is not there for this caller.
    GraphMethodException,
}

impl ErrorKind {
    /// The text on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OAuthException => "OAuthException",
            Self::GraphMethodException => "GraphMethodException",
        }
    }
}

/// One error in the form of the Graph. Build it with [`GraphError::new`] and the `with_…` methods,
/// or take a row of [`rows`].
#[derive(Clone, Debug, PartialEq)]
pub struct GraphError {
    /// The code that clients act on.
    pub code: u32,
    /// Narrows the code; from 9000001 up they are our own.
    pub subcode: Option<u32>,
    /// The `type`.
    pub kind: ErrorKind,
    /// The HTTP status of the answer, or `code` of a batch part.
    pub http_status: StatusCode,
    /// For programs and their authors; parts of it are literal.
    pub message: Cow<'static, str>,
    /// A heading in plain words.
    pub user_title: Option<Cow<'static, str>>,
    /// What is wrong and what to do, in plain words.
    pub user_msg: Option<Cow<'static, str>>,
    /// `reason`, `missing`, `granted_by`, `blame_field_specs`. Absent or an
    /// object: official clients break on anything else.
    pub error_data: Option<Box<Map<String, Value>>>,
    /// Whether the same call may succeed later without a change.
    pub is_transient: bool,
    /// The `Retry-After` header, in seconds.
    pub retry_after_s: Option<u32>,
}

impl GraphError {
    /// An error with the usual status of its code: 401 for 190, 403 for 10
    /// and 200, 400 for all others.
    #[must_use]
    pub fn new(code: u32, kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let http_status = match code {
            190 => StatusCode::UNAUTHORIZED,
            10 | 200 => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            code,
            subcode: None,
            kind,
            http_status,
            message: message.into(),
            user_title: None,
            user_msg: None,
            error_data: None,
            is_transient: false,
            retry_after_s: None,
        }
    }

    /// An `OAuthException` whose message starts with `(#code)`.
    #[must_use]
    pub fn numbered(code: u32, message: &str) -> Self {
        Self::new(code, ErrorKind::OAuthException, format!("(#{code}) {message}"))
    }

    /// With a subcode.
    #[must_use]
    pub fn with_subcode(mut self, subcode: u32) -> Self {
        self.subcode = Some(subcode);
        self
    }

    /// With another HTTP status than the code's usual one.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.http_status = status;
        self
    }

    /// With a heading and a sentence for people; empty texts stay absent.
    #[must_use]
    pub fn with_user(mut self, title: &str, msg: &str) -> Self {
        let text_of = |text: &str| (!text.is_empty()).then(|| Cow::Owned(text.to_owned()));
        self.user_title = text_of(title);
        self.user_msg = text_of(msg);
        self
    }

    /// With another heading.
    #[must_use]
    pub fn with_title(mut self, title: &'static str) -> Self {
        self.user_title = Some(Cow::Borrowed(title));
        self
    }

    /// With the texts from the table of sentences.
    #[must_use]
    pub fn with_sentence(self, sentence: &Sentence) -> Self {
        self.with_user(&sentence.title, &sentence.text())
    }

    /// With an entry of `error_data`.
    #[must_use]
    pub fn with_data(mut self, key: &str, value: Value) -> Self {
        self.error_data.get_or_insert_default().insert(key.to_owned(), value);
        self
    }

    /// With `blame_field_specs`: the parameters at fault.
    #[must_use]
    pub fn with_blame(self, parameters: &[&str]) -> Self {
        let paths = parameters.iter().map(|name| json!([name])).collect();
        self.with_data("blame_field_specs", Value::Array(paths))
    }

    /// Marks the error as transient: a repeated call may succeed.
    #[must_use]
    pub fn transient(mut self) -> Self {
        self.is_transient = true;
        self
    }

    /// With a `Retry-After` header.
    #[must_use]
    pub fn with_retry_after_s(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The body as a JSON value.
    #[must_use]
    pub fn to_value(&self, fbtrace_id: &str) -> Value {
        let mut error = Map::new();
        let mut put = |key: &str, value: Value| error.insert(key.to_owned(), value);
        put("message", Value::from(self.message.as_ref()));
        put("type", Value::from(self.kind.as_str()));
        put("code", Value::from(self.code));
        if let Some(subcode) = self.subcode {
            put("error_subcode", Value::from(subcode));
        }
        if let Some(data) = &self.error_data {
            put("error_data", Value::Object(data.as_ref().clone()));
        }
        put("is_transient", Value::from(self.is_transient));
        if let Some(title) = &self.user_title {
            put("error_user_title", Value::from(title.as_ref()));
        }
        if let Some(msg) = &self.user_msg {
            put("error_user_msg", Value::from(msg.as_ref()));
        }
        put("fbtrace_id", Value::from(fbtrace_id));
        json!({ "error": error })
    }

    /// The body's bytes.
    #[must_use]
    pub fn to_bytes(&self, fbtrace_id: &str) -> Bytes {
        Bytes::from(self.to_value(fbtrace_id).to_string())
    }

    /// The `WWW-Authenticate` header, which goes with every 401 and 403.
    #[must_use]
    pub fn www_authenticate(&self) -> Option<HeaderValue> {
        let word = match self.http_status {
            StatusCode::UNAUTHORIZED => "invalid_token",
            StatusCode::FORBIDDEN => "insufficient_scope",
            _ => return None,
        };
        let mut value = format!("OAuth \"Facebook Platform\" \"{word}\" \"");
        for c in self.message.chars() {
            match c {
                '"' | '\\' => value.extend(['\\', c]),
                ' '..='~' => value.push(c),
                _ => value.push('?'),
            }
        }
        value.push('"');
        HeaderValue::try_from(value).ok()
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for GraphError {}

#[cfg(test)]
mod tests;
