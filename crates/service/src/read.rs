//! Reads of content: each a step with a right of its own, decided just before its one statement.
//!
//! By id a right is decided before the body is read, and for ids that name nothing too, so that time
//! tells nothing about what is foreign. Nothing here may give a row without its decision.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use valetkey_authz::{Allowed, Question, Target};
use valetkey_domain::{AssetKind, Id, IdKind, Reason, Refusal, State, Status};
use valetkey_store::{Content, ContentGuard, ContentQuery};

use crate::ask::{Checked, absent};
use crate::call::Call;
use crate::content::{Item, Rows, store_refusal};
use crate::core::Service;
use crate::rights::Right;

/// What guards an id: as much as it takes to choose the right, and nothing that an answer shows. For
/// an id no part of it ever changes, except that a user is deleted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    Business,
    SystemUser {
        business: Id,
        deleted: bool,
    },
    Person {
        business: Id,
        deleted: bool,
    },
    App {
        business: Option<Id>,
    },
    Asset {
        kind: AssetKind,
    },
    Token {
        business: Id,
        user: Id,
    },
    Content {
        kind: IdKind,
        asset: Id,
        asset_kind: AssetKind,
    },
    /// The id names nothing.
    Absent,
}

/// A thing of content whose body may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentId {
    id: Id,
    kind: IdKind,
}

/// A body that was read under a right.
#[derive(Debug, Clone)]
pub struct Body(Content);

impl Body {
    /// The body as what its kind is.
    ///
    /// # Errors
    /// `fault` when the stored row can't be read.
    pub fn item<T: DeserializeOwned>(&self) -> Result<Item<T>, Refusal> {
        Item::read(&self.0)
    }
}

impl Guard {
    /// The question of a right about the id.
    pub fn question(&self, id: Id, right: &Right) -> Question {
        match *self {
            Guard::Business => right.on_business(id),
            Guard::SystemUser { business, .. } | Guard::Person { business, .. } => right.on_user(business, id),
            Guard::App { business } => business.map_or_else(|| absent(id), |business| right.on_business(business)),
            Guard::Asset { kind } => right.on_asset(id, kind),
            Guard::Token { business, user } => right.on_user(business, user),
            Guard::Content { asset, asset_kind, .. } => right.on_asset(asset, asset_kind),
            Guard::Absent => absent(id),
        }
    }
}

impl Service {
    /// What guards an id.
    ///
    /// # Errors
    /// Of the store, or `not_fresh`.
    pub async fn guard(&self, id: Id) -> Result<Guard, Refusal> {
        Ok(self.guards(&[id]).await?.remove(&id).unwrap_or(Guard::Absent))
    }

    /// What guards the id of a record; content is absent here.
    ///
    /// # Errors
    /// `not_fresh`.
    pub fn record_guard(&self, id: Id) -> Result<Guard, Refusal> {
        self.read(|state| of_record(state, id))
    }

    /// What guards each of these ids: one read of the index, and one statement if any of them is
    /// content.
    ///
    /// # Errors
    /// Of the store, or `not_fresh`.
    pub async fn guards(&self, ids: &[Id]) -> Result<HashMap<Id, Guard>, Refusal> {
        let (of_content, of_records): (Vec<Id>, Vec<Id>) = ids.iter().partition(|id| is_content(**id));
        let rows = if of_content.is_empty() {
            Vec::new()
        } else {
            self.store().guards(&of_content).await.map_err(|e| store_refusal(&e))?
        };
        self.read(|state| {
            let records = of_records.iter().map(|id| (*id, of_record(state, *id)));
            let contents = rows.iter().map(|row| (row.id, of_content_row(state, row)));
            records.chain(contents).collect()
        })
    }

    /// The right to read the body of a thing of content: decided on the asset that guards it.
    ///
    /// # Errors
    /// The refusal; `not_visible` where the id names no content, as for what is foreign.
    pub fn permit(&self, call: &Call, id: Id, guard: &Guard, right: &Right) -> Result<Checked<ContentId>, Refusal> {
        let allowed = self.ask(call, guard.question(id, right))?;
        match *guard {
            Guard::Content { kind, .. } => Ok(Checked::new(ContentId { id, kind }, allowed)),
            Guard::Business
            | Guard::SystemUser { .. }
            | Guard::Person { .. }
            | Guard::App { .. }
            | Guard::Asset { .. }
            | Guard::Token { .. }
            | Guard::Absent => Err(self.absent(call, id)),
        }
    }

    /// The bodies of those things, by one statement; what was deleted meanwhile is absent.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn bodies(&self, permits: &[Checked<ContentId>]) -> Result<HashMap<Id, Body>, Refusal> {
        let ids: Vec<Id> = permits.iter().map(|permit| permit.id).collect();
        let rows = self.store().contents(&ids).await.map_err(|e| store_refusal(&e))?;
        let is_meant = |row: &Content| permits.iter().any(|p| p.id == row.id && p.kind as u8 == row.kind);
        Ok(rows.into_iter().filter(is_meant).map(|row| (row.id, Body(row))).collect())
    }

    /// The answers to several questions on one revision, in silence.
    pub fn may_each(&self, call: &Call, questions: &[Question]) -> Vec<Option<Allowed>> {
        self.inner.decide_each(call, questions)
    }

    /// A page of a list; one row more than the limit is looked for, to know whether more follow. The
    /// question must be about the asset whose content it is.
    ///
    /// # Errors
    /// The refusal, or of the store.
    pub async fn list_content<T: DeserializeOwned>(
        &self,
        call: &Call,
        question: Question,
        query: &ContentQuery,
    ) -> Result<Checked<Rows<T>>, Refusal> {
        guards(question, query)?;
        let allowed = self.ask(call, question)?;
        let wider = ContentQuery { limit: query.limit.saturating_add(1), ..query.clone() };
        let mut found = self.store().list_content(&wider).await.map_err(|e| store_refusal(&e))?;
        let more = found.len() > query.limit;
        if more && query.before.is_some() {
            found.remove(0);
        }
        found.truncate(query.limit);
        let rows = found.iter().map(Item::read).collect::<Result<_, _>>()?;
        Ok(Checked::new(Rows { rows, more }, allowed))
    }

    /// How many rows a list has in all. The question must be about the asset whose content it is.
    ///
    /// # Errors
    /// The refusal, or of the store.
    pub async fn count_content(&self, call: &Call, question: Question, query: &ContentQuery) -> Result<u64, Refusal> {
        guards(question, query)?;
        self.ask(call, question)?;
        self.store().count_content(query).await.map_err(|e| store_refusal(&e))
    }

    /// The descriptive fields of those assets about which the caller may ask the question that `ask`
    /// gives; the others, and assets without any fields, are absent. All are decided on one revision,
    /// in silence, before one statement reads them.
    ///
    /// # Errors
    /// Only of the store, or `not_fresh`.
    pub async fn details(
        &self,
        call: &Call,
        assets: &[Id],
        ask: impl Fn(Id, AssetKind) -> Question,
    ) -> Result<HashMap<Id, Map<String, Value>>, Refusal> {
        let known = |s: &dyn State, id: &Id| Some((*id, s.asset(*id)?.kind));
        let known: Vec<_> = self.read(|s| assets.iter().filter_map(|id| known(s, id)).collect())?;
        let questions: Vec<Question> = known.iter().map(|(id, kind)| ask(*id, *kind)).collect();
        let answers = self.inner.decide_each(call, &questions);
        let allowed: Vec<Id> =
            known.iter().zip(answers).filter(|(_, yes)| yes.is_some()).map(|((id, _), _)| *id).collect();
        if allowed.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.store().contents(&allowed).await.map_err(|e| store_refusal(&e))?;
        Ok(rows.into_iter().filter_map(|r| serde_json::from_str(&r.body).ok().map(|body| (r.id, body))).collect())
    }
}

/// A list's right is that of the asset that guards its rows, which is their parent today.
fn guards(question: Question, query: &ContentQuery) -> Result<(), Refusal> {
    if question.target == Target::Asset(query.parent) {
        return Ok(());
    }
    tracing::error!("a list of content was asked for under a right about something else");
    Err(Refusal::of(Reason::Fault))
}

/// Whether an id names content, by the kind that it says itself.
fn is_content(id: Id) -> bool {
    matches!(id.kind(), Some(IdKind::Post | IdKind::Campaign))
}

fn of_content_row(state: &dyn State, row: &ContentGuard) -> Guard {
    let kind = row.id.kind().filter(|kind| *kind as u8 == row.kind);
    match (kind, state.asset(row.asset)) {
        (Some(kind), Some(asset)) => Guard::Content { kind, asset: row.asset, asset_kind: asset.kind },
        _ => Guard::Absent,
    }
}

fn of_record(state: &dyn State, id: Id) -> Guard {
    if state.business(id).is_some() {
        Guard::Business
    } else if let Some(user) = state.system_user(id) {
        Guard::SystemUser { business: user.business, deleted: user.status == Status::Deleted }
    } else if let Some(person) = state.person(id) {
        Guard::Person { business: person.business, deleted: person.status == Status::Deleted }
    } else if let Some(token) = state.token(id) {
        Guard::Token { business: token.business, user: token.user }
    } else if let Some(asset) = state.asset(id) {
        match asset.kind {
            AssetKind::APP => Guard::App { business: asset.business },
            kind => Guard::Asset { kind },
        }
    } else {
        Guard::Absent
    }
}
