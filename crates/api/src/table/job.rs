//! Jobs: deferred effects that the operator can see and repair.

use serde_json::{Value, json};
use valetkey_domain::{Id, Refusal};
use valetkey_service::jobs::{JobRow, JobState};

use crate::command::{AFTER, Access, Answer, Command, Ctx, LIMIT, Param, Sort, line, may, need, page_of};
use crate::show;

const JOB: Param = need("job", Sort::Id, "The id of the job.");
const STATES: Sort = Sort::Word(&["waiting", "unconfirmed", "failed", "set_aside"]);

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "job.list",
        summary: "List what is to be done later, such as scheduled posts, and what failed",
        access: Access::Operator,
        writes: false,
        params: &[
            may(
                "state",
                STATES,
                "Only jobs in this state. waiting: tried when its time comes. unconfirmed: of an older version, and \
                 without anybody to run as. failed: its last attempt failed. set_aside: the ledger does not back it, \
                 or its kind is not known.",
            ),
            LIMIT,
            AFTER,
        ],
        line: line("job list", "job list --state failed").table(&[
            ("id", "id"),
            ("kind", "kind"),
            ("about", "about asset_name"),
            ("state", "state"),
            ("due", "due_at"),
            ("next try", "next_at"),
            ("attempts", "attempts"),
            ("reason", "reason"),
            ("as", "actor.type actor.id"),
        ]),
        run: |ctx| Box::pin(list(ctx)),
    },
    Command {
        name: "job.retry",
        summary: "Try a job again at once, with all its attempts, as its own actor",
        access: Access::Operator,
        writes: true,
        params: &[JOB],
        line: line("job retry", "job retry 123456789")
            .help("The job runs as its own actor, never as the operator. Its right is decided when it runs.")
            .says("job {job} is tried again, as its own actor"),
        run: |ctx| Box::pin(retry(ctx)),
    },
    Command {
        name: "job.confirm",
        summary: "Let a job that an older version left without an actor run as the operator",
        access: Access::Operator,
        writes: true,
        params: &[JOB],
        line: line("job confirm", "job confirm 123456789")
            .help(
                "Older versions wrote no actor for what the operator scheduled. Look at what the job is about first: \
                 job list shows it.",
            )
            .says("job {job} runs as the operator now"),
        run: |ctx| Box::pin(confirm(ctx)),
    },
    Command {
        name: "job.cancel",
        summary: "Remove a job that failed, was set aside or waits for a confirmation",
        access: Access::Operator,
        writes: true,
        params: &[JOB],
        line: line("job cancel", "job cancel 123456789")
            .help("What the job was to do is not done: a scheduled post stays unpublished.")
            .says("job {job} is removed; what it was to do is not done"),
        run: |ctx| Box::pin(cancel(ctx)),
    },
];

async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let limit = ctx.limit();
    let state = ctx.text("state").and_then(JobState::parse);
    // One more row is read, to know whether more follow.
    let mut rows = ctx.service.list_jobs(&ctx.call, state, ctx.id("after"), limit + 1).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|row| row.id);
    Ok(Answer::read(page_of(rows.iter().map(job).collect(), next.map(Id::any))))
}

async fn retry(ctx: Ctx) -> Result<Answer, Refusal> {
    Ok(Answer::done(&ctx.service.retry_job(&ctx.call, ctx.need_id("job")?).await?))
}

async fn confirm(ctx: Ctx) -> Result<Answer, Refusal> {
    Ok(Answer::done(&ctx.service.confirm_job(&ctx.call, ctx.need_id("job")?).await?))
}

async fn cancel(ctx: Ctx) -> Result<Answer, Refusal> {
    Ok(Answer::done(&ctx.service.cancel_job(&ctx.call, ctx.need_id("job")?).await?))
}

fn job(row: &JobRow) -> Value {
    let state = if row.is_running { "running" } else { row.state.as_str() };
    json!({
        "id": row.id, "kind": row.kind, "about": row.content, "asset": row.asset, "asset_name": row.asset_name,
        "state": state, "due_at": show::time(row.due_at), "next_at": show::maybe_time(row.next_at),
        "attempts": row.attempts, "reason": row.reason, "tried_at": show::maybe_time(row.tried_at),
        "actor": row.actor.map(|a| json!({ "type": a.kind.as_str(), "id": a.id, "token": a.token })),
    })
}
