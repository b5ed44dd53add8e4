//! Reads of content: each a step with a right of its own, decided just before its one statement.
//!
//! A read by id decides the right before it reads the body, even if the id names nothing, so that the
//! time of an answer does not show whether an id exists. Nothing here may return a row without its
//! decision.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use valetkey_authz::{Allowed, Question, Target};
use valetkey_domain::{
    AssetId, AssetKind, BusinessId, ContentId, Id, IdKind, Reason, Refusal, State, Status, TokenId, UserId,
};
use valetkey_store::{Content, ContentGuard, ContentQuery};

use crate::ask::{Checked, absent};
use crate::call::Call;
use crate::content::{Item, Rows, details_of, store_refusal};
use crate::core::Service;
use crate::rights::Right;

/// What is needed to choose the right for an id; answers show none of it. For one id it never changes,
/// except that a user may be deleted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    Business,
    SystemUser {
        business: BusinessId,
        deleted: bool,
    },
    Person {
        business: BusinessId,
        deleted: bool,
    },
    App {
        business: Option<BusinessId>,
    },
    Asset {
        kind: AssetKind,
    },
    Token {
        business: BusinessId,
        user: UserId,
    },
    Content {
        kind: IdKind,
        asset: AssetId,
        asset_kind: AssetKind,
    },
    /// The id names nothing.
    Absent,
}

/// A row of content whose body may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readable {
    id: ContentId,
    kind: IdKind,
}

/// A body that was read under a right.
#[derive(Debug, Clone)]
pub struct Body(Content);

impl Body {
    /// The body as the type of its kind.
    ///
    /// # Errors
    /// `fault` when the stored row can't be read.
    pub fn item<T: DeserializeOwned>(&self) -> Result<Item<T>, Refusal> {
        Item::read(&self.0)
    }
}

impl Guard {
    /// The question of a right about the id.
    pub fn question(&self, id: impl Into<Id>, right: &Right) -> Question {
        let id = id.into();
        match *self {
            Guard::Business => right.on_business(BusinessId::of(id)),
            Guard::SystemUser { business, .. } | Guard::Person { business, .. } => {
                right.on_user(business, UserId::of(id))
            }
            Guard::App { business } => business.map_or_else(|| absent(id), |business| right.on_business(business)),
            Guard::Asset { kind } => right.on_asset(AssetId::of(id), kind),
            Guard::Token { business, user } => right.on_user(business, user),
            Guard::Content { asset, asset_kind, .. } => right.on_asset(asset, asset_kind),
            Guard::Absent => absent(id),
        }
    }
}

impl Service {
    /// The guard of an id.
    ///
    /// # Errors
    /// Of the store, or `not_fresh`.
    pub async fn guard(&self, id: impl Into<Id>) -> Result<Guard, Refusal> {
        let id = id.into();
        Ok(self.guards(&[id]).await?.remove(&id).unwrap_or(Guard::Absent))
    }

    /// The guard of a record's id; content is absent here.
    ///
    /// # Errors
    /// `not_fresh`.
    pub fn record_guard(&self, id: impl Into<Id>) -> Result<Guard, Refusal> {
        let id = id.into();
        self.read(|state| of_record(state, id))
    }

    /// The guards of several ids: one read of the index, and one statement if any of them is content.
    ///
    /// # Errors
    /// Of the store, or `not_fresh`.
    pub async fn guards(&self, ids: &[Id]) -> Result<HashMap<Id, Guard>, Refusal> {
        let (of_content, of_records): (Vec<Id>, Vec<Id>) = ids.iter().partition(|id| is_content(**id));
        let of_content: Vec<ContentId> = of_content.into_iter().map(ContentId::of).collect();
        let rows = if of_content.is_empty() {
            Vec::new()
        } else {
            self.store().guards(&of_content).await.map_err(|e| store_refusal(&e))?
        };
        self.read(|state| {
            let records = of_records.iter().map(|id| (*id, of_record(state, *id)));
            let contents = rows.iter().map(|row| (row.id.any(), of_content_row(state, row)));
            records.chain(contents).collect()
        })
    }

    /// The right to read the body of a row of content, decided on its asset.
    ///
    /// # Errors
    /// The refusal; `not_visible` if the id names no content, as for foreign content.
    pub fn permit(
        &self,
        call: &Call,
        id: ContentId,
        guard: &Guard,
        right: &Right,
    ) -> Result<Checked<Readable>, Refusal> {
        let allowed = self.ask(call, guard.question(id, right))?;
        match *guard {
            Guard::Content { kind, .. } => Ok(Checked::new(Readable { id, kind }, allowed)),
            Guard::Business
            | Guard::SystemUser { .. }
            | Guard::Person { .. }
            | Guard::App { .. }
            | Guard::Asset { .. }
            | Guard::Token { .. }
            | Guard::Absent => Err(self.absent(call, id)),
        }
    }

    /// The bodies of these rows, by one statement; rows deleted meanwhile are absent.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn bodies(&self, permits: &[Checked<Readable>]) -> Result<HashMap<ContentId, Body>, Refusal> {
        let ids: Vec<ContentId> = permits.iter().map(|permit| permit.id).collect();
        let rows = self.store().contents(&ids).await.map_err(|e| store_refusal(&e))?;
        let is_meant = |row: &Content| permits.iter().any(|p| p.id == row.id && p.kind as u8 == row.kind);
        Ok(rows.into_iter().filter(is_meant).map(|row| (row.id, Body(row))).collect())
    }

    /// The answers to several questions on one revision; nothing is counted or journaled.
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

    /// The descriptive fields of assets. `ask` gives the question for each; assets whose question is
    /// refused, and assets without any fields, are absent. All are decided on one revision before one
    /// statement reads them; nothing is counted or journaled.
    ///
    /// # Errors
    /// Only of the store, or `not_fresh`.
    pub async fn details(
        &self,
        call: &Call,
        assets: &[AssetId],
        ask: impl Fn(AssetId, AssetKind) -> Question,
    ) -> Result<HashMap<AssetId, Map<String, Value>>, Refusal> {
        let known = |s: &dyn State, id: &AssetId| Some((*id, s.asset(*id)?.kind));
        let known: Vec<_> = self.read(|s| assets.iter().filter_map(|id| known(s, id)).collect())?;
        let questions: Vec<Question> = known.iter().map(|(id, kind)| ask(*id, *kind)).collect();
        let answers = self.inner.decide_each(call, &questions);
        let allowed: Vec<ContentId> =
            known.iter().zip(answers).filter(|(_, yes)| yes.is_some()).map(|((id, _), _)| details_of(*id)).collect();
        if allowed.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.store().contents(&allowed).await.map_err(|e| store_refusal(&e))?;
        Ok(rows
            .into_iter()
            .filter_map(|r| serde_json::from_str(&r.body).ok().map(|body| (AssetId::of(r.id.any()), body)))
            .collect())
    }
}

/// The right of a list is decided on the asset of its rows, which today is their parent.
fn guards(question: Question, query: &ContentQuery) -> Result<(), Refusal> {
    if question.target == Target::Asset(AssetId::of(query.parent)) {
        return Ok(());
    }
    tracing::error!("a list of content was asked for under a right about something else");
    Err(Refusal::of(Reason::Fault))
}

/// Whether an id is one of content, by the kind in the id.
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
    if state.business(BusinessId::of(id)).is_some() {
        Guard::Business
    } else if let Some(user) = state.system_user(UserId::of(id)) {
        Guard::SystemUser { business: user.business, deleted: user.status == Status::Deleted }
    } else if let Some(person) = state.person(UserId::of(id)) {
        Guard::Person { business: person.business, deleted: person.status == Status::Deleted }
    } else if let Some(token) = state.token(TokenId::of(id)) {
        Guard::Token { business: token.business, user: token.user }
    } else if let Some(asset) = state.asset(AssetId::of(id)) {
        if asset.kind == AssetKind::App {
            Guard::App { business: asset.business }
        } else {
            Guard::Asset { kind: asset.kind }
        }
    } else {
        Guard::Absent
    }
}
