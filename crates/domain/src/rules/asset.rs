//! Assets: what a business owns and software acts on.

use super::app::AppEdit;
use super::ending;
use crate::kind::DECLARED_LIMIT;
use crate::noun::asset::Asset;
use crate::refusal::Refusal;
use crate::{Action, AppId, AssetId, AssetKind, BusinessId, Caller, ChangeSet, DeclaredKind, Name, Planner, Record};

/// Makes an asset. Apps are made by [`super::app::create`].
pub fn create(
    planner: &mut Planner<'_>,
    by: &Caller,
    kind: AssetKind,
    business: Option<BusinessId>,
    name: Name,
) -> Result<(ChangeSet, AssetId), Refusal> {
    if kind == AssetKind::App || (kind.row().is_none() && planner.state().declared_kind(kind).is_none()) {
        return Err(Refusal::invalid("kind", "a kind of asset that this server knows"));
    }
    match business {
        None => by.require_operator()?,
        Some(business) => {
            let Some(record) = planner.state().business(business) else {
                return Err(Refusal::not_visible(business));
            };
            let count = planner.state().owned_assets(business).len();
            Refusal::check_limit(count, record.limits.assets, "assets")?;
        }
    }
    let id = planner.new_id(kind.id_kind());
    let now = planner.now();
    planner.put(Record::Asset(Asset { id, kind, business, name, created_at: now, deleted_at: None }));
    Ok((planner.finish(Action::AssetCreated, by, business, &[id.any()]), id))
}

/// Renames an asset.
pub fn rename(planner: &mut Planner<'_>, by: &Caller, id: AssetId, name: Name) -> Result<ChangeSet, Refusal> {
    let Some(mut asset) = planner.state().asset(id) else {
        return Err(Refusal::not_visible(id));
    };
    // An app shows itself as an asset, but its record is the app's.
    if asset.kind == AssetKind::App {
        return super::app::update(
            planner,
            by,
            AppId::of(id.any()),
            AppEdit { name: Some(name), ..AppEdit::default() },
        );
    }
    asset.name = name;
    let business = asset.business;
    planner.put(Record::Asset(asset));
    Ok(planner.finish(Action::AssetRenamed, by, business, &[id.any()]))
}

/// Deletes an asset: its assignments, shares and page tokens end with it. The record stays, marked, so
/// that its history can be read and its id never names anything else. One without an owner is the
/// operator's to delete. Apps are deleted by [`super::app::delete`].
///
/// # Errors
/// `not_visible` if there is none, `invalid_parameter` for an app.
pub fn delete(planner: &mut Planner<'_>, by: &Caller, id: AssetId) -> Result<ChangeSet, Refusal> {
    let Some(mut asset) = planner.state().asset(id) else {
        return Err(Refusal::not_visible(id));
    };
    if asset.kind == AssetKind::App {
        return Err(Refusal::invalid("asset", "an asset that is not an app; app.delete deletes apps"));
    }
    let business = asset.business;
    if business.is_none() {
        by.require_operator()?;
    }
    ending::end_paths_to(planner, id);
    asset.deleted_at = Some(planner.now());
    planner.put(Record::Asset(asset));
    Ok(planner.finish(Action::AssetDeleted, by, business, &[id.any()]))
}

/// Brings the declared kinds into line with the configuration: adds new ones, and renames.
/// A kind that left the configuration stays, since assets of it may exist; tasks may be added at
/// the end, never removed or reordered, because stored sets point at their positions.
pub fn declare(planner: &mut Planner<'_>, by: &Caller, kind: DeclaredKind) -> Result<Option<ChangeSet>, Refusal> {
    by.require_operator()?;
    check_declaration(&kind)?;
    let existing = planner.state().declared_kinds();
    let mut kind = kind;
    match existing.iter().find(|k| k.word == kind.word) {
        Some(old) if !kind.tasks.starts_with(&old.tasks) => {
            return Err(Refusal::invalid(
                "tasks",
                &format!(
                    "the tasks declared before, in their order ({}), with new ones behind them",
                    old.tasks.join(", ")
                ),
            ));
        }
        Some(old) => kind.kind = old.kind,
        None => {
            let numbers = existing.iter().filter_map(|k| k.kind.declared_number());
            let next = numbers.max().map_or(0, |n| n.saturating_add(1));
            if next >= DECLARED_LIMIT {
                return Err(Refusal::invalid("kind", "at most 191 declared kinds"));
            }
            kind.kind = AssetKind::Declared(next);
        }
    }
    if existing.contains(&kind) {
        return Ok(None);
    }
    planner.put(Record::DeclaredKind(kind));
    Ok(Some(planner.finish(Action::KindDeclared, by, None, &[])))
}

fn check_declaration(kind: &DeclaredKind) -> Result<(), Refusal> {
    let word_ok = |w: &str, upper: bool| {
        (1..=40).contains(&w.len())
            && w.bytes().all(|b| {
                b == b'_' || b.is_ascii_digit() || if upper { b.is_ascii_uppercase() } else { b.is_ascii_lowercase() }
            })
            && w.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
    };
    if !word_ok(&kind.word, false) || AssetKind::parse(&kind.word).is_some() {
        return Err(Refusal::invalid(
            "kind",
            "a new word of 1 to 40 characters a-z, 0-9 and _, beginning with a letter",
        ));
    }
    let mut seen = std::collections::HashSet::new();
    if kind.tasks.is_empty() || kind.tasks.len() > 32 || !kind.tasks.iter().all(|t| word_ok(t, true) && seen.insert(t))
    {
        return Err(Refusal::invalid("tasks", "1 to 32 different words of A-Z, 0-9 and _"));
    }
    Ok(())
}
