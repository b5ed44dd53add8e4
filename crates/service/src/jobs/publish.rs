//! The job that publishes a scheduled post, as the actor that scheduled it. If its right is gone by
//! then, the post stays unpublished and says why.

use serde_json::Value;
use valetkey_authz::Allowed;
use valetkey_domain::post::{Post, PostState};
use valetkey_domain::{
    Action, AssetId, AssetKind, BusinessId, ContentId, Id, IdKind, JobId, Reason, Refusal, State, UnixMs,
};
use valetkey_store::{Content, ContentWrite, Job, JobWrite};

use super::backing::Backed;
use super::kind::{About, Kind};
use crate::call::Call;
use crate::content_row::{Item, body_of, changed_row, content_plan};
use crate::core::Service;
use crate::rights;

/// The word in the rows.
const NAME: &str = "publish_post";

pub(super) const KIND: Kind = Kind {
    name: NAME,
    concurrent_limit: 16,
    attempts_limit: 12,
    lease_ms: 60_000,
    run_limit_ms: 300_000,
    first_pause_ms: 5_000,
    longest_pause_ms: 3_600_000,
    run: |service, job| Box::pin(run(service, job)),
    about,
    cancelled,
};

/// The job that publishes a post. A post has at most one, under its own id: a second can't be made.
pub(crate) fn publish_job_of(post: ContentId) -> JobId {
    JobId::of(post.any())
}

/// The job of a post that is to be published later; none for any other post.
pub(crate) fn publish_job(
    state: &dyn State,
    post: ContentId,
    page: AssetId,
    body: &Post,
    allowed: &Allowed,
) -> Result<Vec<JobWrite>, Refusal> {
    let (PostState::Scheduled, Some(due_at)) = (body.state, body.scheduled_at) else {
        return Ok(Vec::new());
    };
    // If a partner schedules, note its share, so that the job can say later that the share ended.
    let by_share = allowed.caller.business().filter(|b| state.share(page, *b).is_some());
    let payload = body_of(&serde_json::json!({ "post": post, "page": page, "by_share": by_share }))?;
    Ok(vec![JobWrite::Insert(Job::new(publish_job_of(post), NAME, due_at, Some(allowed.caller.actor()), payload))])
}

fn id_in<Of>(payload: &Value, name: &str) -> Option<Id<Of>> {
    payload.get(name).and_then(Value::as_str).and_then(Id::parse)
}

fn about(payload: &Value) -> About {
    About { content: id_in(payload, "post"), asset: id_in(payload, "page") }
}

async fn run(service: Service, job: Backed) -> Result<(), Refusal> {
    let payload = job.payload()?;
    let About { content: Some(post), asset: Some(page) } = about(&payload) else {
        return Err(Refusal::of(Reason::Fault).with_note("the job names no post or no Page"));
    };
    let row = service.row(IdKind::Post, post).await?;
    let old: Item<Post> = Item::read(&row)?;
    if row.asset != page {
        return Err(Refusal::of(Reason::Fault).with_note("the post is not on the Page that the job names"));
    }
    // A change of the schedule removes the job in the same commit.
    if (old.body.state, old.body.scheduled_at) != (PostState::Scheduled, Some(job.job().due_at)) {
        return Err(Refusal::of(Reason::Conflict).with_note("the post is not scheduled for this time"));
    }
    let call = job.call();
    let published = finish(&service, &call, &row, &old.body, &job, None).await;
    service.finish(&call);
    let Err(refusal) = published else { return Ok(()) };
    if is_passing(refusal.reason) {
        return Err(refusal);
    }
    // The right is gone: the post stays unpublished and says why.
    let reason = match id_in(&payload, "by_share") {
        Some(partner) => without_share(&service, page, partner, refusal.reason)?,
        None => refusal.reason,
    };
    tracing::warn!(post = %post, reason = reason.as_str(), "a scheduled post was not published");
    finish(&service, &Call::operator(call.trace()), &row, &old.body, &job, Some(reason)).await
}

/// Whether a refusal is temporary and says nothing about the right.
fn is_passing(reason: Reason) -> bool {
    matches!(reason, Reason::Conflict | Reason::Unavailable | Reason::OutcomeUnknown | Reason::NotFresh | Reason::Fault)
}

/// The reason to store on the post if a partner's share has ended. To the partner the Page is no longer
/// visible, but everybody who can read the post sees the Page, and may know that a share ended.
fn without_share(service: &Service, page: AssetId, partner: BusinessId, reason: Reason) -> Result<Reason, Refusal> {
    let is_shared = service.read(|s| s.share(page, partner).is_some())?;
    Ok(if reason == Reason::NotVisible && !is_shared { Reason::ShareEnded } else { reason })
}

/// Writes the post's new state and ends the job, in one commit.
async fn finish(
    service: &Service,
    call: &Call,
    row: &Content,
    old: &Post,
    job: &Backed,
    failed: Option<Reason>,
) -> Result<(), Refusal> {
    let question = rights::PUBLISH.on_asset(row.asset, AssetKind::Page);
    let (row, old, job) = (row.clone(), old.clone(), job.clone());
    let done = service.command(call, question, move |planner, allowed| {
        let now = planner.now();
        let new = ended(&row, old.clone(), now, failed.map(|r| r.as_str()))?;
        let write = ContentWrite::Update { row: new, expected: row.version };
        let (subjects, jobs) = ([row.id.any(), row.asset.any()], vec![job.finish(now)]);
        Ok((content_plan(planner, allowed, Action::ContentUpdated, write, &subjects, jobs), ()))
    });
    done.await.map(|_| ())
}

/// The row of a post that is not scheduled any more.
fn ended(row: &Content, mut post: Post, now: UnixMs, failed: Option<&str>) -> Result<Content, Refusal> {
    post.scheduled_at = None;
    post.failed = failed.map(str::to_owned);
    post.state = if failed.is_some() { PostState::Unpublished } else { PostState::Published };
    let new = changed_row(row, post.state.as_str(), now, &post)?;
    Ok(Content { sort_at: now, ..new })
}

/// A post that waited for this job stays unpublished.
fn cancelled(row: &Content, job: &Job, now: UnixMs) -> Result<Option<Content>, Refusal> {
    let old: Item<Post> = Item::read(row)?;
    let waited = (old.body.state, old.body.scheduled_at) == (PostState::Scheduled, Some(job.due_at));
    if !waited {
        return Ok(None);
    }
    ended(row, old.body, now, Some("job_cancelled")).map(Some)
}
