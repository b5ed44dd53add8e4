//! Rows of content: how a body is read and written, and the plan that writes one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use valetkey_authz::Allowed;
use valetkey_domain::{Action, AssetId, ContentId, Id, IdKind, Planner, Reason, Refusal, UnixMs};
use valetkey_store::{Content, ContentWrite, JobWrite, StoreError};

use crate::writer::Plan;

/// A row of content with its typed body.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<T> {
    pub id: ContentId,
    /// The asset that its rights are decided on.
    pub asset: AssetId,
    pub created_at: UnixMs,
    pub updated_at: UnixMs,
    pub sort_at: UnixMs,
    pub body: T,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Rows<T> {
    pub rows: Vec<Item<T>>,
    /// Whether there are more rows after the last, and before the first.
    pub more: bool,
}

impl<T: DeserializeOwned> Item<T> {
    pub(crate) fn read(row: &Content) -> Result<Item<T>, Refusal> {
        let body = serde_json::from_str(&row.body).map_err(|error| {
            tracing::error!(id = %row.id, %error, "a row of content can't be read");
            Refusal::of(Reason::Fault)
        })?;
        Ok(Item {
            id: row.id,
            asset: row.asset,
            created_at: row.created_at,
            updated_at: row.updated_at,
            sort_at: row.sort_at,
            body,
        })
    }
}

/// What a store's failure means to a caller.
pub(crate) fn store_refusal(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the store failed");
    match error {
        StoreError::Corrupt(_) | StoreError::Other(_) => Refusal::of(Reason::Fault),
        StoreError::Unavailable(_)
        | StoreError::Full(_)
        | StoreError::Newer { .. }
        | StoreError::InUse(_)
        | StoreError::Unsafe(_) => Refusal::of(Reason::Unavailable),
    }
}

/// How deep a stored value may be nested. Reading stops at 128, and one row that can't be read would
/// break every list that contains it.
const NESTING_LIMIT: usize = 64;

pub(crate) fn body_of<T: Serialize>(value: &T) -> Result<String, Refusal> {
    let value = serde_json::to_value(value).map_err(|_| Refusal::of(Reason::Fault))?;
    let fields = value.as_object().into_iter().flatten();
    // Values that an adapter only stores are together under one name.
    let kept = value.get("more").and_then(Value::as_object).into_iter().flatten();
    if let Some((name, _)) = kept.chain(fields).find(|(_, field)| !is_within(field, NESTING_LIMIT)) {
        return Err(Refusal::invalid(name, &format!("a value that is nested at most {NESTING_LIMIT} deep")));
    }
    serde_json::to_string(&value).map_err(|_| Refusal::of(Reason::Fault))
}

fn is_within(value: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return false };
    match value {
        Value::Array(items) => items.iter().all(|item| is_within(item, levels)),
        Value::Object(fields) => fields.values().all(|field| is_within(field, levels)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

pub(crate) fn content_plan(
    planner: &mut Planner<'_>,
    allowed: &Allowed,
    action: Action,
    write: ContentWrite,
    subjects: &[Id],
    jobs: Vec<JobWrite>,
) -> Plan {
    let set = planner.finish(action, &allowed.caller, allowed.caller.business(), subjects);
    Plan { set, content: vec![write], jobs }
}

pub(crate) fn new_row<T: Serialize>(
    id: ContentId,
    kind: IdKind,
    asset: AssetId,
    status: &str,
    now: UnixMs,
    body: &T,
) -> Result<Content, Refusal> {
    Ok(Content {
        id,
        kind: kind as u8,
        asset,
        parent: asset.any(),
        status: status.to_owned(),
        sort_at: now,
        created_at: now,
        updated_at: now,
        version: 1,
        body: body_of(body)?,
    })
}

pub(crate) fn changed_row<T: Serialize>(
    row: &Content,
    status: &str,
    now: UnixMs,
    body: &T,
) -> Result<Content, Refusal> {
    Ok(Content {
        status: status.to_owned(),
        updated_at: now,
        version: row.version + 1,
        body: body_of(body)?,
        ..row.clone()
    })
}

/// The descriptive fields of an asset are a row of content under the asset's own id.
pub(crate) fn details_of(asset: AssetId) -> ContentId {
    ContentId::of(asset.any())
}

/// The row that holds the descriptive fields of an asset.
pub(crate) fn details_row(
    planner: &Planner<'_>,
    asset: AssetId,
    fields: &Map<String, Value>,
) -> Result<Content, Refusal> {
    let kind = asset.kind().unwrap_or(IdKind::DeclaredAsset);
    new_row(details_of(asset), kind, asset, "", planner.now(), fields)
}
