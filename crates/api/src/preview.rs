//! What an act would take away, as JSON: the answer of a command that is called with `preview`. Nothing
//! is changed by it.

use serde_json::{Value, json};
use valetkey_domain::{AssetKind, Refusal};
use valetkey_service::preview::{
    Act, EndedAssignment, EndedShare, LostByPartner, LostReach, NarrowedToken, Part, StoppedToken,
};

use crate::command::{Answer, Ctx};
use crate::param::{Param, Sort, may};
use crate::show;

/// The parameter of every command that may take something away.
pub(crate) const PREVIEW: Param = may(
    "preview",
    Sort::Boolean,
    "Whether to change nothing, and only list what would stop: at most 100 of each, with exact totals.",
);

/// Whether a command was called for its preview.
pub(crate) fn is_wanted(ctx: &Ctx) -> bool {
    ctx.flag(PREVIEW.name).unwrap_or(false)
}

/// The preview of an act. `asks` says whether a person should be asked before it is done.
pub(crate) async fn of(ctx: &Ctx, act: Act) -> Result<Answer, Refusal> {
    let is_delete = matches!(
        act,
        Act::DeleteApp { .. }
            | Act::DeleteAsset { .. }
            | Act::DeleteBusiness { .. }
            | Act::DeleteSystemUser { .. }
            | Act::DisconnectApp { .. }
    );
    let found = ctx.service.preview(&ctx.call, act).await?;
    let kind = |kind: Option<AssetKind>| kind.map(|kind| kind_word(ctx, kind));
    Ok(Answer::read(json!({
        "preview": true,
        "asks": is_delete || found.takes_away(),
        "changes_nothing": found.changes_nothing,
        "tokens": part(&found.tokens, stopped),
        "page_tokens": part(&found.page_tokens, stopped),
        "narrowed_tokens": part(&found.narrowed_tokens, narrowed),
        "assignments": part(&found.assignments, |row| assignment(row, kind(row.kind))),
        "shares": part(&found.shares, |row| share(row, kind(row.kind))),
        "reach": part(&found.reach, |row| reach(row, kind(Some(row.kind)))),
        "partners": part(&found.partners, |row| partner(row, kind(row.kind))),
    })))
}

/// The word of a kind. The kinds belong to the catalogue, so they need no right.
pub(crate) fn kind_word(ctx: &Ctx, kind: AssetKind) -> String {
    let built_in = kind.row().map(|row| row.word.to_owned());
    let declared = || ctx.service.declared_kind(kind).map(|kind| kind.word);
    built_in.or_else(declared).unwrap_or_else(|| "unknown".to_owned())
}

fn part<T>(part: &Part<T>, row: impl Fn(&T) -> Value) -> Value {
    json!({ "total": part.total, "rows": part.rows.iter().map(row).collect::<Vec<Value>>() })
}

fn stopped(token: &StoppedToken) -> Value {
    json!({
        "id": token.id, "type": token.kind.as_str(), "user": token.user, "user_name": token.user_name,
        "app": token.app, "app_name": token.app_name, "page": token.page, "page_name": token.page_name,
        "created_at": show::time(token.created_at), "expires_at": show::maybe_time(token.expires_at),
        "last_used_at": show::maybe_time(token.last_used_at), "uses_30_days": token.uses_30_days,
    })
}

fn narrowed(row: &NarrowedToken) -> Value {
    let mut value = stopped(&row.token);
    if let Value::Object(map) = &mut value {
        map.insert("lost".into(), json!(row.lost));
    }
    value
}

fn assignment(row: &EndedAssignment, kind: Option<String>) -> Value {
    json!({
        "user": row.user, "user_name": row.user_name, "asset": row.asset, "asset_name": row.asset_name,
        "kind": kind, "tasks": row.tasks,
    })
}

fn share(row: &EndedShare, kind: Option<String>) -> Value {
    json!({
        "asset": row.asset, "asset_name": row.asset_name, "kind": kind, "partner": row.partner,
        "partner_name": row.partner_name, "permitted_tasks": row.tasks,
    })
}

fn reach(row: &LostReach, kind: Option<String>) -> Value {
    json!({
        "user": row.user, "user_name": row.user_name, "asset": row.asset, "asset_name": row.asset_name,
        "kind": kind, "lost": row.lost, "keeps_some": row.keeps_some,
    })
}

fn partner(row: &LostByPartner, kind: Option<String>) -> Value {
    json!({
        "partner": row.partner, "partner_name": row.partner_name, "asset": row.asset,
        "asset_name": row.asset_name, "kind": kind, "lost": row.lost,
    })
}
