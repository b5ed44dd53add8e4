//! What a command is: its name, its parameters and its handler, as one row of the table, from which
//! calls, documents and the command line are all made. A row must never hold a rule about rights:
//! the handler asks the service, and `access` only says in the documents what it will answer.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use valetkey_domain::{AssetKind, Caller, Id, List, Name, Refusal, Role, Scope, ScopeSet, State};
use valetkey_service::{Call, Done, Service};

/// A row of the table.
#[derive(Debug)]
pub struct Command {
    /// `noun.verb`, the last part of its path.
    pub name: &'static str,
    /// One line for lists and documents.
    pub summary: &'static str,
    pub access: Access,
    /// Whether it can change anything; then its answer carries `Valetkey-Revision`.
    pub writes: bool,
    pub params: &'static [Param],
    pub(crate) run: Run,
}

/// A handler.
pub(crate) type Run = fn(Ctx) -> BoxFuture<'static, Result<Answer, Refusal>>;

/// Who gets a yes, for documents and for the test that walks the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever holds the machine: only over the server's own socket.
    Operator,
    /// An ADMIN person or system user of the business, with the scope that the thing asks for.
    Admin,
    /// The same, and everybody about its own user.
    AdminOrSelf,
    /// An ADMIN person, never software and never the operator.
    AdminPerson,
    /// Every live token of a person or system user.
    Anyone,
}

impl Access {
    /// The words in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Access::Operator => "the operator of the server, over its own socket",
            Access::Admin => "an ADMIN of the business, or the operator",
            Access::AdminOrSelf => "an ADMIN of the business, the operator, or the user itself",
            Access::AdminPerson => "an ADMIN person of the business, signed in",
            Access::Anyone => "every live token",
        }
    }
}

/// A parameter.
#[derive(Debug)]
pub struct Param {
    pub name: &'static str,
    pub sort: Sort,
    pub required: bool,
    pub doc: &'static str,
}

/// What a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// An id, as a string of digits.
    Id,
    Text,
    /// A name of 1 to 200 characters.
    Name,
    /// One of these words.
    Word(&'static [&'static str]),
    Texts,
    Boolean,
    /// A whole number within these bounds.
    Integer(i64, i64),
    Object,
}

impl Sort {
    /// Completes "must be …".
    pub(crate) fn expected(self) -> String {
        match self {
            Sort::Id => "an id, as a string of 1 to 19 digits".to_owned(),
            Sort::Text => "a string".to_owned(),
            Sort::Name => "a string of 1 to 200 characters".to_owned(),
            Sort::Word(words) => format!("one of {}", words.join(", ")),
            Sort::Texts => "an array of strings".to_owned(),
            Sort::Boolean => "true or false".to_owned(),
            Sort::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Sort::Object => "an object".to_owned(),
        }
    }

    /// Whether a value is of this sort.
    pub(crate) fn takes(self, value: &Value) -> bool {
        match self {
            Sort::Id => value.as_str().is_some_and(|t| Id::parse(t).is_some()),
            Sort::Text | Sort::Name => value.is_string(),
            Sort::Word(words) => value.as_str().is_some_and(|t| words.contains(&t)),
            Sort::Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            Sort::Boolean => value.is_boolean(),
            Sort::Integer(low, high) => value.as_i64().is_some_and(|n| (low..=high).contains(&n)),
            Sort::Object => value.is_object(),
        }
    }
}

/// A required parameter.
pub(crate) const fn need(name: &'static str, sort: Sort, doc: &'static str) -> Param {
    Param { name, sort, required: true, doc }
}

/// A parameter that may be left out.
pub(crate) const fn may(name: &'static str, sort: Sort, doc: &'static str) -> Param {
    Param { name, sort, required: false, doc }
}

/// How many rows a list gives when nothing is asked for.
pub const LIST_DEFAULT: usize = 100;
/// The most rows of one answer.
pub const LIST_LIMIT: usize = 1_000;

pub(crate) const BUSINESS: Param =
    may("business", Sort::Id, "The business. Left out: the caller's own; for the operator, the only one there is.");
pub(crate) const LIMIT: Param =
    may("limit", Sort::Integer(1, LIST_LIMIT as i64), "The most rows, 1 to 1000; 100 if left out.");
pub(crate) const AFTER: Param = may("after", Sort::Id, "Only rows behind this id: `next` of the page before.");
pub(crate) const ROLE: Sort = Sort::Word(&["ADMIN", "EMPLOYEE"]);

/// What a handler gives back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub result: Value,
    /// The revision of a write; a read answers with the newest.
    pub revision: Option<u64>,
}

impl Answer {
    pub fn read(result: Value) -> Answer {
        Answer { result, revision: None }
    }

    pub fn wrote<T>(done: &Done<T>, result: Value) -> Answer {
        Answer { result, revision: Some(done.revision) }
    }

    /// A write that has nothing to tell but that it is done.
    pub fn done(done: &Done<()>) -> Answer {
        Answer::wrote(done, serde_json::json!({}))
    }
}

/// One call of a command, its parameters checked against the row.
pub(crate) struct Ctx {
    pub service: Service,
    pub call: Call,
    pub caller: Caller,
    pub values: BTreeMap<&'static str, Value>,
}

impl Ctx {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    pub fn need_text(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| Refusal::required(name))
    }

    pub fn id(&self, name: &str) -> Option<Id> {
        self.text(name).and_then(Id::parse)
    }

    pub fn need_id(&self, name: &str) -> Result<Id, Refusal> {
        self.id(name).ok_or_else(|| Refusal::required(name))
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        self.values.get(name).and_then(Value::as_i64)
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.values.get(name).and_then(Value::as_bool)
    }

    pub fn name(&self, name: &str) -> Result<Option<Name>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        Name::parse(text)
            .map(Some)
            .map_err(|e| Refusal::invalid(name, "a name").with_note(&format!("{name} {}", e.message())))
    }

    pub fn need_name(&self, name: &str) -> Result<Name, Refusal> {
        self.name(name)?.ok_or_else(|| Refusal::required(name))
    }

    pub fn role(&self, name: &str) -> Option<Role> {
        self.text(name).and_then(Role::parse)
    }

    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = self.values.get(name)?.as_array()?;
        Some(list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
    }

    pub fn object(&self, name: &str) -> Map<String, Value> {
        self.values.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    pub fn scopes(&self, name: &str) -> Result<Option<ScopeSet>, Refusal> {
        let Some(names) = self.texts(name) else { return Ok(None) };
        let parse = |(i, text): (usize, &String)| {
            let at = format!("{name}[{i}]");
            Scope::parse(text).ok_or_else(|| Refusal::invalid(&at, "a scope of this server; scope.list shows them"))
        };
        names.iter().enumerate().map(parse).collect::<Result<ScopeSet, _>>().map(Some)
    }

    pub fn is_operator(&self) -> bool {
        self.caller == Caller::Operator
    }

    pub fn limit(&self) -> usize {
        self.integer("limit").and_then(|n| usize::try_from(n).ok()).unwrap_or(LIST_DEFAULT).clamp(1, LIST_LIMIT)
    }

    pub fn read<R>(&self, read: impl FnOnce(&dyn State) -> R) -> Result<R, Refusal> {
        self.service.read(read)
    }

    /// The business that the call is about: the one named, the caller's own, or the only one.
    pub fn business(&self) -> Result<Id, Refusal> {
        self.business_or(None)
    }

    /// The same, where something else in the call tells the operator's business too.
    pub fn business_or(&self, told: Option<Id>) -> Result<Id, Refusal> {
        if let Some(id) = self.id("business") {
            // To the operator everything is visible, so what isn't there must be said here.
            let there = !self.is_operator() || self.read(|s| s.business(id).is_some())?;
            return if there { Ok(id) } else { Err(Refusal::not_visible(id)) };
        }
        if let Some(own) = self.caller.business().or(told) {
            return Ok(own);
        }
        let all = self.read(|s| s.list(List::Businesses))?;
        match all.as_slice() {
            [only] => Ok(*only),
            [] => Err(Refusal::required("business").with_note("there is no business yet; business.create makes one")),
            _ => Err(Refusal::required("business")
                .with_note("there is more than one business; name one (business.list shows them)")),
        }
    }

    /// The kind of an asset, whoever owns it: the question that follows says whether it is visible.
    pub fn kind_of(&self, asset: Id) -> Result<AssetKind, Refusal> {
        self.read(|s| s.asset(asset).map(|a| a.kind))?.ok_or_else(|| Refusal::not_visible(asset))
    }

    /// A page of a list that is in ascending order of ids. `row` gives `None` for what is left out.
    pub fn page(&self, ids: Vec<Id>, row: impl Fn(&dyn State, Id) -> Option<Value>) -> Result<Value, Refusal> {
        let after = self.id("after");
        let start = after.map_or(0, |after| ids.partition_point(|id| *id <= after));
        let (rows, next) = self.read(|state| take(ids[start..].iter().copied(), self.limit(), |id| row(state, id)))?;
        Ok(page_of(rows, next))
    }
}

/// Takes rows up to a limit, and says behind which id the next page begins.
fn take(ids: impl Iterator<Item = Id>, limit: usize, row: impl Fn(Id) -> Option<Value>) -> (Vec<Value>, Option<Id>) {
    let mut rows = Vec::new();
    let mut last = None;
    for id in ids {
        let Some(value) = row(id) else { continue };
        if rows.len() == limit {
            return (rows, last);
        }
        rows.push(value);
        last = Some(id);
    }
    (rows, None)
}

/// A list as it leaves: its rows, and what to send as `after` for more.
pub(crate) fn page_of(rows: Vec<Value>, next: Option<Id>) -> Value {
    serde_json::json!({ "rows": rows, "next": next })
}
