//! One Graph call, however it came: as a request or as a part of a batch.

use valetkey_domain::{Id, Refusal};

use crate::protocol::envelope::{self, GraphError};
use crate::protocol::value::{self, IdText};
use crate::schema::Verb;

/// A call with its parameters.
#[derive(Clone)]
pub(crate) struct Input {
    pub verb: Verb,
    /// The path with version as the caller sent it, for links.
    pub path: String,
    pub segments: Vec<String>,
    pub pairs: Vec<(String, String)>,
    /// The token came as a parameter, so links repeat it.
    pub token_in_params: bool,
    /// Scheme, host and port as the caller sees them.
    pub base_url: String,
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
    /// The value of a parameter; an empty one counts as absent, except for texts that say so.
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
            return value::list(text).map(Some).map_err(|e| e.of_parameter(name));
        }
        let prefix = format!("{name}[");
        let indexed: Vec<String> =
            self.pairs.iter().filter(|(n, _)| n.starts_with(&prefix)).map(|(_, v)| v.clone()).collect();
        Ok((!indexed.is_empty()).then_some(indexed))
    }

    /// An id that names an object of ours. What can't be one of our ids can't be visible either,
    /// so it gets the same answer as a foreign id.
    pub fn id(&self, name: &str) -> Result<Option<Id>, GraphError> {
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
    pub fn require_id(&self, name: &str) -> Result<Id, GraphError> {
        self.id(name)?.ok_or_else(|| envelope::parameter_required(name))
    }

    /// A name that keeps the rule.
    pub fn name(&self, name: &str) -> Result<Option<valetkey_domain::Name>, GraphError> {
        self.raw(name).map(|text| parse_name(name, text)).transpose()
    }

    /// What the caller called the object of the call.
    pub fn named(&self) -> Option<&str> {
        self.segments.first().map(String::as_str).filter(|s| *s != "me")
    }
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

impl From<GraphError> for Problem {
    fn from(error: GraphError) -> Problem {
        Problem::Graph(Box::new(error))
    }
}
