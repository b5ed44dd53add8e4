//! Records as JSON: ids as strings, times as RFC 3339 in UTC, absent as null. No digest, sealed
//! secret or credential may pass through here.

use serde_json::{Value, json};
use valetkey_domain::noun::app::App;
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::token::Token;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetKind, State, TaskSet, UnixMs, UserId};
use valetkey_service::token::Listed;

/// A time in RFC 3339, to the millisecond.
pub(crate) fn time_text(at: UnixMs) -> String {
    match jiff::Timestamp::from_millisecond(at) {
        Ok(time) => format!("{time:.3}"),
        // Only a broken record can hold a time beyond the calendar.
        Err(_) => format!("{at} ms"),
    }
}

pub(crate) fn time(at: UnixMs) -> Value {
    Value::String(time_text(at))
}

pub(crate) fn maybe_time(at: Option<UnixMs>) -> Value {
    at.map_or(Value::Null, time)
}

pub(crate) fn business(b: &Business, terms_version: u32) -> Value {
    json!({
        "id": b.id,
        "name": b.name,
        "created_at": time(b.created_at),
        "terms_accepted": b.accepted.as_ref().is_some_and(|a| a.version == terms_version),
        "accepted": b.accepted.as_ref().map(|a| json!({"version": a.version, "person": a.person, "at": time(a.at)})),
        "strict_visibility": b.strict_visibility,
        "token_lifetime_limit_s": b.token_lifetime_limit_s,
        "limits": b.limits,
    })
}

pub(crate) fn person(p: &Person) -> Value {
    json!({
        "id": p.id, "business": p.business, "name": p.name, "email": p.email, "role": p.role.as_str(),
        "status": p.status.as_str(), "created_at": time(p.created_at),
    })
}

pub(crate) fn app(a: &App, connected: bool) -> Value {
    json!({
        "id": a.id, "business": a.business, "name": a.name, "created_at": time(a.created_at), "connected": connected,
        "demands_proof": a.demands_proof, "allowed_scopes": a.allowed_scopes,
        "old_secret_works_until": maybe_time(a.previous_secret.as_ref().map(|(_, until)| *until)),
    })
}

pub(crate) fn system_user(state: &dyn State, u: &SystemUser) -> Value {
    json!({
        "id": u.id, "business": u.business, "name": u.name, "role": u.role.as_str(), "status": u.status.as_str(),
        "apps": state.installed_apps(u.id), "created_at": time(u.created_at), "created_by": u.created_by,
        "description": u.description,
    })
}

pub(crate) fn kind_word(state: &dyn State, kind: AssetKind) -> String {
    let built_in = kind.row().map(|row| row.word.to_owned());
    built_in.or_else(|| state.declared_kind(kind).map(|k| k.word)).unwrap_or_else(|| "unknown".to_owned())
}

pub(crate) fn tasks(state: &dyn State, kind: AssetKind, set: TaskSet) -> Vec<String> {
    let declared = state.declared_kind(kind);
    let words = Vocabulary::of(kind, declared.as_ref());
    words.map(|w| w.names(set).into_iter().map(str::to_owned).collect()).unwrap_or_default()
}

pub(crate) fn asset(state: &dyn State, a: &Asset) -> Value {
    json!({
        "id": a.id, "kind": kind_word(state, a.kind), "name": a.name, "business": a.business, "created_at": time(a.created_at),
    })
}

/// The name of a user, and its type.
fn user(state: &dyn State, id: UserId) -> (Option<String>, &'static str) {
    if let Some(u) = state.system_user(id) {
        return (Some(u.name.to_string()), "SYSTEM_USER");
    }
    (state.person(id).map(|p| p.name.to_string()), "PERSON")
}

pub(crate) fn assignment(state: &dyn State, a: &Assignment) -> Value {
    let asset = state.asset(a.asset);
    let kind = asset.as_ref().map(|a| a.kind);
    let (name, sort) = user(state, a.user);
    json!({
        "user": a.user, "user_name": name, "user_type": sort,
        "asset": a.asset, "asset_name": asset.map(|a| a.name), "kind": kind.map(|k| kind_word(state, k)),
        "tasks": kind.map(|k| tasks(state, k, a.tasks)).unwrap_or_default(),
        "business": a.business, "created_at": time(a.created_at), "created_by": a.created_by,
    })
}

pub(crate) fn share(state: &dyn State, s: &Share) -> Value {
    let asset = state.asset(s.asset);
    let kind = asset.as_ref().map(|a| a.kind);
    json!({
        "asset": s.asset, "asset_name": asset.as_ref().map(|a| a.name.clone()), "kind": kind.map(|k| kind_word(state, k)),
        "owner": asset.and_then(|a| a.business), "partner": s.partner,
        "partner_name": state.business(s.partner).map(|b| b.name),
        "permitted_tasks": kind.map(|k| tasks(state, k, s.tasks)).unwrap_or_default(),
        "created_at": time(s.created_at), "created_by": s.created_by,
    })
}

pub(crate) fn token(state: &dyn State, t: &Token) -> Value {
    let (name, _) = user(state, t.user);
    json!({
        "id": t.id, "type": t.kind.as_str(), "user": t.user, "user_name": name, "business": t.business, "app": t.app,
        "scopes": t.effective_scopes(state), "issued_scopes": t.scopes, "created_at": time(t.created_at), "created_by": t.created_by, "parent": t.parent, "page": t.page,
        "expires_at": maybe_time(t.expires_at), "revoked_at": maybe_time(t.revoked_at), "purpose": t.purpose,
        "session": t.session,
    })
}

/// A token with its status and its last use.
pub(crate) fn listed(state: &dyn State, l: &Listed) -> Value {
    let mut row = token(state, &l.token);
    if let Value::Object(map) = &mut row {
        let used = l.last_used.as_ref();
        map.insert("status".into(), json!(l.status.as_str()));
        map.insert("last_used_at".into(), maybe_time(used.map(|u| u.used_at)));
        map.insert("last_used_ip".into(), json!(used.map(|u| u.ip.as_str()).filter(|ip| !ip.is_empty())));
        map.insert("uses".into(), json!(used.map_or(0, |u| u.count)));
    }
    row
}

pub(crate) fn sign_in_code(state: &dyn State, c: &SignInCode) -> Value {
    let person = state.person(c.person);
    json!({
        "person": c.person, "email": person.map(|p| p.email), "business": c.business,
        "created_at": time(c.created_at), "expires_at": time(c.expires_at), "created_by": c.created_by,
    })
}
