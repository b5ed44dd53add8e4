//! Reads of the operator's own programs: the first set-up, the demo, the doctor.
//!
//! They act for the owner of the machine, so each read is a step under the operator's credential. An
//! adapter must never use this on behalf of a caller.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use valetkey_authz::{Question, Target};
use valetkey_domain::{AssetId, ContentId, Id, IdKind, Refusal, State};
use valetkey_store::ContentQuery;

use crate::call::Call;
use crate::content::{Item, store_refusal};
use crate::core::Service;
use crate::read::Guard;
use crate::rights;

/// The operator, under a trace.
#[derive(Debug, Clone)]
pub struct Operator<'a> {
    service: &'a Service,
    call: Call,
}

impl<'a> Operator<'a> {
    /// The operator on a service.
    pub fn of(service: &'a Service, trace: &str) -> Operator<'a> {
        Operator { service, call: Call::operator(trace) }
    }

    /// The call under which the operator acts.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Reads one revision.
    ///
    /// # Errors
    /// `not_fresh` when the index can't be trusted.
    pub fn read<R>(&self, read: impl FnOnce(&dyn State) -> R) -> Result<R, Refusal> {
        let checked = self.service.step(&self.call, Question::about(Target::Nothing), |facts| read(&**facts))?;
        Ok(checked.into_inner())
    }

    /// One row of content, if it exists.
    ///
    /// # Errors
    /// Of the store.
    pub async fn content<T: DeserializeOwned>(&self, id: ContentId) -> Result<Option<Item<T>>, Refusal> {
        let guard = self.service.guard(id).await?;
        if !matches!(guard, Guard::Content { .. }) {
            return Ok(None);
        }
        let permit = self.service.permit(&self.call, id, &guard, &rights::OPEN)?;
        self.service.bodies(&[permit]).await?.remove(&id).map(|body| body.item()).transpose()
    }

    /// The descriptive fields of an asset.
    ///
    /// # Errors
    /// Of the store.
    pub async fn details(&self, asset: AssetId) -> Result<Map<String, Value>, Refusal> {
        let mut read = self.service.details(&self.call, &[asset], |id, kind| rights::OPEN.on_asset(id, kind)).await?;
        Ok(read.remove(&asset).unwrap_or_default())
    }

    /// How many rows of a kind of content a parent has.
    ///
    /// # Errors
    /// Of the store.
    pub async fn count_content(&self, kind: IdKind, parent: Id) -> Result<u64, Refusal> {
        self.service.ask(&self.call, Question::about(Target::Nothing))?;
        let query = ContentQuery {
            parent,
            kind: kind as u8,
            statuses: Vec::new(),
            after: None,
            before: None,
            since: None,
            until: None,
            ascending: false,
            limit: 1,
        };
        self.service.store().count_content(&query).await.map_err(|e| store_refusal(&e))
    }
}
