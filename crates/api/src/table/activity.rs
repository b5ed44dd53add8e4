//! The ledger in sentences: the handler of `activity.list`.

use serde_json::{Value, json};
use valetkey_domain::{Id, Refusal, UnixMs};
use valetkey_service::activity::{
    ActivityActor, ActivityDetail, ActivityFilter, ActivityGroup, ActivityLine, FieldChange, Named, Phrase,
};
use valetkey_service::store::ledger::to_hex;

use crate::command::{Answer, Ctx};
use crate::show;

/// The words of the groups of actions.
pub(super) const GROUPS: &[&str] =
    &["access", "tokens", "system_users", "people", "apps", "assets", "content", "business", "jobs"];

pub(super) async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let filter = ActivityFilter {
        business: ctx.id("business"),
        by: by(&ctx)?,
        about: ctx.id("about"),
        group: ctx.text("group").and_then(ActivityGroup::parse),
        since: moment(&ctx, "since")?,
        until: moment(&ctx, "until")?,
        text: ctx.text("text").map(str::to_owned),
    };
    let before = ctx.integer("before").and_then(|n| u64::try_from(n).ok());
    let page = ctx.service.activity(&ctx.call, &filter, before, ctx.limit()).await?;
    let looked_back = page.looked_back.map(|at| json!({ "revision": at.revision, "at": show::time(at.at) }));
    let rows: Vec<Value> = page.lines.iter().map(row).collect();
    Ok(Answer::read(json!({ "rows": rows, "next": page.next, "looked_back": looked_back })))
}

fn by(ctx: &Ctx) -> Result<Option<ActivityActor>, Refusal> {
    match ctx.text("by") {
        None => Ok(None),
        Some("operator") => Ok(Some(ActivityActor::Operator)),
        Some(text) => match Id::parse(text) {
            Some(id) => Ok(Some(ActivityActor::Id(id))),
            None => Err(Refusal::invalid("by", "an id, as a string of 1 to 19 digits, or operator")),
        },
    }
}

/// A time in RFC 3339, or the begin of a day in UTC.
fn moment(ctx: &Ctx, name: &str) -> Result<Option<UnixMs>, Refusal> {
    let Some(text) = ctx.text(name) else { return Ok(None) };
    let time = text.parse::<jiff::Timestamp>().or_else(|_| format!("{text}T00:00:00Z").parse());
    time.map(|time| Some(time.as_millisecond()))
        .map_err(|_| Refusal::invalid(name, "a day, such as 2026-11-24, or a time, such as 2026-11-24T10:00:00Z"))
}

fn row(line: &ActivityLine) -> Value {
    json!({
        "revision": line.revision, "at": show::time(line.at), "sentence": line.sentence.text(),
        "by": {
            "kind": line.by.kind.as_str(), "id": line.by.id, "name": line.by.phrase().text(), "token": line.by.token,
        },
        "action": line.action_word, "business": line.business, "narrows": line.narrows,
        "subjects": line.subjects.iter().map(named).collect::<Vec<_>>(),
        "changes": changes(&line.detail), "hash": to_hex(&line.hash),
    })
}

fn named(named: &Named) -> Value {
    json!({ "sort": named.sort.as_str(), "id": named.id, "name": named.name })
}

/// The changes of records; null if the payload of the entry is gone or can't be read.
fn changes(detail: &ActivityDetail) -> Value {
    let known = match detail {
        ActivityDetail::Known(known) => known,
        ActivityDetail::Gone | ActivityDetail::Unreadable => return Value::Null,
    };
    let records = known.records.iter().map(|change| {
        json!({
            "record": change.record.text(), "did": change.did,
            "fields": change.fields.iter().map(field).collect::<Vec<_>>(),
        })
    });
    json!(records.collect::<Vec<_>>())
}

fn field(field: &FieldChange) -> Value {
    let text = |side: &Option<Phrase>| side.as_ref().map(Phrase::text);
    json!({ "label": field.label, "before": text(&field.before), "after": text(&field.after) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_groups_are_the_groups() {
        assert_eq!(GROUPS, ActivityGroup::ALL.map(ActivityGroup::as_str));
    }
}
