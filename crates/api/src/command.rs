//! What a command is: its name, its parameters, its command line and its handler, as one row of the
//! table, from which calls, documents and the command line are all made. A row must never hold a
//! rule about rights: the handler asks the service, and `access` only tells the documents what it
//! will answer.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use valetkey_domain::id::of;
use valetkey_domain::{AssetId, AssetKind, BusinessId, Caller, Id, Name, Refusal, Role, Scope, ScopeSet};
use valetkey_service::authz::Question;
use valetkey_service::read::Guard;
use valetkey_service::{Call, Done, Facts, Service, rights};

pub(crate) use crate::line::{Line, line};
pub(crate) use crate::param::{
    AFTER, BUSINESS, LIMIT, LIST_DEFAULT, LIST_LIMIT, Noun, Param, ROLE, Sort, Spelling, may, need,
};

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
    /// Its form on the command line, with an example.
    pub line: Line,
    pub(crate) run: Run,
}

/// A handler.
pub(crate) type Run = fn(Ctx) -> BoxFuture<'static, Result<Answer, Refusal>>;

/// Who may call it, for documents and for the test that walks the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The operator of the server, only over the server's own socket.
    Operator,
    /// An ADMIN person or system user of the business, with the scope that the command needs.
    Admin,
    /// The same, and every user for itself.
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

    /// The answer to a write without a result.
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

    pub fn id<Of>(&self, name: &str) -> Option<Id<Of>> {
        self.text(name).and_then(Id::parse)
    }

    pub fn need_id<Of>(&self, name: &str) -> Result<Id<Of>, Refusal> {
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

    /// One step: decides, and reads on the same revision.
    pub fn step<R>(&self, question: Question, read: impl FnOnce(&Facts<'_>) -> R) -> Result<R, Refusal> {
        Ok(self.service.step(&self.call, question, read)?.into_inner())
    }

    /// The business that the call is about: the one named, the caller's own, or the only one.
    pub fn business(&self) -> Result<BusinessId, Refusal> {
        self.business_or(None)
    }

    /// The same, with a fallback for the operator: `said` is the business that another parameter
    /// implies.
    pub fn business_or(&self, said: Option<BusinessId>) -> Result<BusinessId, Refusal> {
        if let Some(id) = self.id::<of::Business>("business") {
            // The operator passes every check of visibility, so a missing business must be refused
            // here.
            let there = !self.is_operator() || self.service.record_guard(id)? == Guard::Business;
            return if there { Ok(id) } else { Err(Refusal::not_visible(id)) };
        }
        if let Some(own) = self.caller.business().or(said) {
            return Ok(own);
        }
        let all = self.step(rights::MANAGE_BUSINESS.on_caller(), |s| s.businesses())?;
        match all.as_slice() {
            [only] => Ok(*only),
            [] => Err(Refusal::required("business").with_note("there is no business yet; business.create makes one")),
            _ => Err(Refusal::required("business")
                .with_note("there is more than one business; name one (business.list shows them)")),
        }
    }

    /// The kind of an asset of any owner. The question that follows decides whether it is visible.
    pub fn kind_of(&self, asset: AssetId) -> Result<AssetKind, Refusal> {
        match self.service.record_guard(asset)? {
            Guard::Asset { kind } => Ok(kind),
            Guard::App { .. } => Ok(AssetKind::App),
            Guard::Business
            | Guard::SystemUser { .. }
            | Guard::Person { .. }
            | Guard::Token { .. }
            | Guard::Content { .. }
            | Guard::Absent => Err(Refusal::not_visible(asset)),
        }
    }

    /// A page of a list, read in one step. `ids` gives ids in ascending order; `row` gives `None`
    /// for an id that is left out.
    pub fn list<Of>(
        &self,
        question: Question,
        ids: impl FnOnce(&Facts<'_>) -> Vec<Id<Of>>,
        row: impl Fn(&Facts<'_>, Id<Of>) -> Option<Value>,
    ) -> Result<Value, Refusal> {
        let after = self.id("after");
        let (rows, next) = self.step(question, |facts| {
            let ids = ids(facts);
            let start = after.map_or(0, |after| ids.partition_point(|id| *id <= after));
            let behind = ids.get(start..).unwrap_or_default().iter().copied();
            take(behind, self.limit(), |id| row(facts, id))
        })?;
        Ok(page_of(rows, next.map(Id::any)))
    }
}

/// Takes rows up to a limit, and gives the id after which the next page begins.
fn take<Of>(
    ids: impl Iterator<Item = Id<Of>>,
    limit: usize,
    row: impl Fn(Id<Of>) -> Option<Value>,
) -> (Vec<Value>, Option<Id<Of>>) {
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

/// The JSON of a list: its rows, and the value of `after` for the next page.
pub(crate) fn page_of(rows: Vec<Value>, next: Option<Id>) -> Value {
    serde_json::json!({ "rows": rows, "next": next })
}
