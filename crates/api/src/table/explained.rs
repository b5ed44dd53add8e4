//! Refusals explained: as facts and for people, one and as a list; and what a user may do.

use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use valetkey_domain::{Reason, Refusal, Role, Sentence};
use valetkey_service::explain::{
    About, Can, CheckRow, Explained, Found, Mend, Outcome, RefusalFilter, RefusalLine, UsedToken, Who,
};

use crate::command::{Answer, Ctx};
use crate::{error, show};

pub(crate) async fn trace(ctx: Ctx) -> Result<Answer, Refusal> {
    let trace = ctx.need_text("trace")?;
    let found = ctx.service.explain(&ctx.call, trace).await?;
    let refused = ctx.service.explain_refusal(&ctx.call, trace).await?;
    // A rule's refusal is stored in the row. For a decision only the reason is stored, and the
    // facts beside the sentence explain it.
    let refusal = found.then.get("refusal").and_then(|refusal| Refusal::deserialize(refusal).ok());
    let refusal = refusal.or_else(|| Reason::parse(&found.reason).map(Refusal::of));
    let sentence = refusal.map(|refusal| error::sentence(&ctx.service, &refusal, true));
    let mut result = explained(&refused);
    for (name, value) in [
        ("token", json!(found.token)),
        ("message", json!(sentence.as_ref().map(|sentence| &sentence.what))),
        ("hint", json!(sentence.as_ref().and_then(Sentence::hint))),
        ("granted_by", json!(sentence.and_then(|sentence| sentence.granted_by))),
        ("then", found.then),
        ("now", json!(found.now)),
    ] {
        result.insert(name.to_owned(), value);
    }
    Ok(Answer::read(Value::Object(result)))
}

pub(crate) async fn question(ctx: Ctx) -> Result<Answer, Refusal> {
    let (token, asset) = (ctx.need_id("token")?, ctx.need_id("asset")?);
    ctx.service.explain_question(&ctx.call, token, asset, ctx.text("task"), ctx.text("scope")).map(Answer::read)
}

pub(crate) async fn can(ctx: Ctx) -> Result<Answer, Refusal> {
    let (user, asset) = (ctx.need_id("user")?, ctx.need_id("asset")?);
    let Can { who, asset, tasks, answer, path, sentence, checks, mend } =
        ctx.service.can(&ctx.call, user, asset, ctx.text("task"))?;
    let checks: Vec<Value> = checks
        .iter()
        .map(|(check, title, now)| json!({ "check": check.as_str(), "title": title, "now": outcome(now) }))
        .collect();
    Ok(Answer::read(json!({
        "answer": answer.as_str(), "sentence": sentence, "who": who_of(&who), "asset": about(&asset), "tasks": tasks,
        "path": path.map(valetkey_service::explain::Path::as_str), "checks": checks, "mend": mend_of(&mend),
        "command": mend.command(),
    })))
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let filter = RefusalFilter {
        user: ctx.id("user"),
        asset: ctx.id("asset"),
        reason: ctx.text("reason").map(str::to_owned),
        still_refused: ctx.flag("still_refused"),
        search: ctx.text("search").map(str::to_owned),
        is_grouped: ctx.flag("grouped").unwrap_or(false),
    };
    let page = ctx.service.refusals_page(&ctx.call, &filter, ctx.text("after"), ctx.limit()).await?;
    let rows: Vec<Value> = page.rows.iter().map(line).collect();
    Ok(Answer::read(json!({
        "rows": rows, "next": page.next, "all": page.all, "still_refused": page.still_refused,
        "would_pass": page.would_pass, "is_cut": page.is_cut,
    })))
}

fn line(line: &RefusalLine) -> Value {
    json!({
        "trace": line.trace, "at": show::time(line.at), "business": line.business, "token": line.token,
        "reason": line.reason, "who": who_of(&line.who), "subject": line.subject.as_ref().map(about),
        "short": line.said.short, "because": line.said.because, "sentence": line.said.whole,
        "times": line.times, "since": show::time(line.since), "answer_now": line.now.as_str(), "detail": line.detail,
    })
}

fn explained(refused: &Explained) -> Map<String, Value> {
    let checks: Vec<Value> = refused.checks.iter().map(check_row).collect();
    let fields = [
        ("trace", json!(refused.trace)),
        ("at", show::time(refused.at)),
        ("reason", json!(refused.reason)),
        ("sentence", json!(refused.said.whole)),
        ("short", json!(refused.said.short)),
        ("because", json!(refused.said.because)),
        ("who", who_of(&refused.who)),
        ("with", refused.token.as_ref().map_or(Value::Null, used)),
        ("ip", json!(refused.ip)),
        ("program", json!(refused.program)),
        ("tried", json!(refused.tried)),
        ("subject", refused.subject.as_ref().map_or(Value::Null, about)),
        ("times", json!(refused.times)),
        ("since", show::time(refused.since)),
        ("checks", json!(checks)),
        ("answer_now", json!(refused.now.as_str())),
        ("because_now", json!(refused.now_because)),
        ("mend", mend_of(&refused.mend)),
        ("command", json!(refused.mend.command())),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn who_of(who: &Who) -> Value {
    json!({ "id": who.id, "name": who.name, "type": who.sort.as_str(), "role": who.role.map(Role::as_str) })
}

fn about(about: &About) -> Value {
    json!({ "id": about.id, "kind": about.kind, "name": about.name })
}

fn used(token: &UsedToken) -> Value {
    json!({ "token": token.id, "type": token.kind.as_str(), "app": token.app, "app_name": token.app_name })
}

fn check_row(row: &CheckRow) -> Value {
    json!({
        "check": row.check.as_str(), "title": row.title, "then": outcome(&row.then), "now": outcome(&row.now),
    })
}

fn outcome(outcome: &Outcome) -> Value {
    let shown = |word: &str, found: &Found| json!({ "outcome": word, "text": found.text, "time": show::maybe_time(found.time) });
    match outcome {
        Outcome::Passed(found) => shown("passed", found),
        Outcome::Failed(found) => shown("failed", found),
        Outcome::NotAsked => json!({ "outcome": "not_asked" }),
    }
}

fn mend_of(mend: &Mend) -> Value {
    let fields = match mend {
        Mend::None => return Value::Null,
        Mend::Assign { user, asset, task_names, added } => {
            json!({ "user": user, "asset": asset, "tasks": task_names, "added": added })
        }
        Mend::Share { asset, partner, task_names } => {
            json!({ "asset": asset, "partner": partner, "tasks": task_names })
        }
        Mend::Scope { user, app, scopes } | Mend::Issue { user, app, scopes } => {
            json!({ "system_user": user, "app": app, "scopes": scopes })
        }
        Mend::AllowScopes { app, scopes } => json!({ "app": app, "scopes": scopes }),
        Mend::Install { system_user, app } => json!({ "system_user": system_user, "app": app }),
        Mend::Connect { business, app } => json!({ "business": business, "app": app }),
        Mend::CreateApp { business } => json!({ "business": business }),
        Mend::Activate { user, .. } => json!({ "user": user }),
        Mend::AcceptTerms => json!({}),
    };
    json!({ "do": mend.as_str(), "with": fields })
}
