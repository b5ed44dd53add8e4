//! A row of a job that the ledger does not back never runs, is listed, and is found by a check of the
//! store. The row may be planted, altered, restored or made to look old. This runs on every store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use valetkey_domain::change::ActorKind;
use valetkey_domain::post::{PostInput, PostState};
use valetkey_domain::{Actor, ContentId, Id, Reason, TokenId};
use valetkey_service::jobs::JobState;
use valetkey_service::{Call, Service, verify};
use valetkey_store::Job;
use valetkey_testkit::clock::HOUR_MS;
use valetkey_testkit::random::SeededRandom;

use crate::altered::{Altered, Tale};
use crate::fixture::{Fixture, operator, post, publish};
use crate::jobs::{PUBLISH, job, prepared_anywhere, publish_job, read, run_until, run_until_done, schedule};

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, id: None, token: None };

/// What a check of the store says about jobs.
async fn differences(fixture: &Fixture) -> Vec<String> {
    let report = verify::check(&*fixture.ground.store, &mut |_| {}).await.unwrap();
    assert_eq!(report.chain, None);
    report.differences.named.iter().map(|d| format!("{} {}", d.what, d.how)).collect()
}

async fn is_intact(fixture: &Fixture) -> bool {
    verify::check(&*fixture.ground.store, &mut |_| {}).await.unwrap().is_intact()
}

/// A post that nobody scheduled.
async fn draft(fixture: &Fixture) -> ContentId {
    let input = PostInput { published: Some(false), ..post("Never") };
    let (call, page) = (fixture.company.robot_token.call(), fixture.company.page);
    fixture.service.create_post(&call, publish(page), page, input).await.unwrap().value.id
}

fn planted(fixture: &Fixture, post: ContentId, revision: Option<u64>) -> Job {
    let payload = format!("{{\"post\":\"{post}\",\"page\":\"{}\"}}", fixture.company.page);
    Job { revision, ..Job::new(publish_job(post), PUBLISH, fixture.service.now(), Some(OPERATOR), payload) }
}

/// Moves a scheduled post to a time of its own.
async fn reschedule(fixture: &Fixture, call: &Call, id: ContentId, at: i64) {
    let input = PostInput { scheduled_at: Some(at), ..PostInput::default() };
    fixture.service.update_post(call, publish(fixture.company.page), id, input).await.unwrap();
}

/// Plants a row, lets its time come, and checks that it is set aside and nothing else happens.
async fn never_runs(fixture: &Fixture, row: Job, reason: &str, said: &str) {
    let (id, post) = (row.id, ContentId::of(row.id.any()));
    fixture.ground.plant_job(&row).await;
    let named = differences(fixture).await;
    assert_eq!(named, [format!("job {id} {said}")], "{reason}");
    let before = read(fixture, post).await;
    let head = fixture.ground.store.head().await.unwrap();
    fixture.ground.clock.advance_ms(2 * HOUR_MS);
    run_until(fixture, || async { job(fixture, post).await.unwrap().state != JobState::Waiting }).await;
    let held = job(fixture, post).await.unwrap();
    assert_eq!((held.state, held.reason.as_deref()), (JobState::SetAside, Some(reason)));
    assert_eq!(read(fixture, post).await, before, "{reason}");
    assert_eq!(fixture.ground.store.head().await.unwrap(), head, "nothing was written");
    assert_eq!(differences(fixture).await, named);
    // The operator sees it, can't let it run, and can remove it.
    let shown = fixture.service.list_jobs(&operator(), Some(JobState::SetAside), None, 9).await.unwrap();
    assert_eq!((shown.len(), shown[0].id, shown[0].reason.as_deref()), (1, id, Some(reason)));
    for refused in
        [fixture.service.retry_job(&operator(), id).await, fixture.service.confirm_job(&operator(), id).await]
    {
        assert_eq!(refused.unwrap_err().reason, Reason::Invalid);
    }
    fixture.service.cancel_job(&operator(), id).await.unwrap();
    assert_eq!((job(fixture, post).await, read(fixture, post).await), (None, before));
    assert!(is_intact(fixture).await);
}

#[tokio::test]
async fn a_planted_row_never_runs_and_a_check_names_it() {
    let fixture = prepared_anywhere().await;
    let there = "is there, and no entry left it";
    let id = draft(&fixture).await;
    never_runs(&fixture, planted(&fixture, id, None), "no_ledger_entry", there).await;
    // It names an entry: the one that made the post, one that is not there, and one about a job of another.
    let id = draft(&fixture).await;
    let made = fixture.ground.store.head().await.unwrap().revision;
    never_runs(&fixture, planted(&fixture, id, Some(made)), "no_ledger_entry", there).await;
    let id = draft(&fixture).await;
    never_runs(&fixture, planted(&fixture, id, Some(1_000_000)), "no_ledger_entry", there).await;
    let other = schedule(&fixture, &operator()).await;
    let (id, of_other) = (draft(&fixture).await, job(&fixture, other).await.unwrap());
    let row = Job { revision: of_other.revision, ..planted(&fixture, id, None) };
    fixture.service.delete_post(&operator(), publish(fixture.company.page), other).await.unwrap();
    never_runs(&fixture, row, "no_ledger_entry", there).await;
}

#[tokio::test]
async fn an_altered_row_never_runs_and_a_check_names_it() {
    let fixture = prepared_anywhere().await;
    let call = fixture.company.robot_token.call();
    let changes: [fn(&mut Job, ContentId); 4] = [
        |job, _| job.actor = Some(OPERATOR),
        |job, _| job.due_at -= 1,
        |job, other| job.payload = job.payload.replace(&job.id.to_string(), &other.to_string()),
        |job, _| job.actor = None,
    ];
    for change in changes {
        let other = draft(&fixture).await;
        let id = schedule(&fixture, &call).await;
        let mut row = job(&fixture, id).await.unwrap();
        let said = format!("is not what entry {} left", row.revision.unwrap());
        change(&mut row, other);
        never_runs(&fixture, row, "not_what_the_ledger_says", &said).await;
        assert_eq!(read(&fixture, other).await.state, PostState::Unpublished);
    }
}

#[tokio::test]
async fn a_row_that_was_brought_back_never_runs_and_a_check_names_it() {
    let fixture = prepared_anywhere().await;
    // The operator scheduled it; then a system user did, for the same time: the job is that user's now.
    let call = fixture.company.robot_token.call();
    let id = schedule(&fixture, &operator()).await;
    let by_operator = job(&fixture, id).await.unwrap();
    reschedule(&fixture, &call, id, by_operator.due_at + HOUR_MS).await;
    reschedule(&fixture, &call, id, by_operator.due_at).await;
    let newest = job(&fixture, id).await.unwrap().revision.unwrap();
    let said = format!("is not what entry {newest} left");
    never_runs(&fixture, by_operator, "superseded_in_the_ledger", &said).await;
    // It was done: its post is published, and must not be again.
    let id = schedule(&fixture, &operator()).await;
    let done = job(&fixture, id).await.unwrap();
    fixture.ground.clock.advance_ms(HOUR_MS);
    run_until_done(&fixture, id).await;
    never_runs(&fixture, done, "superseded_in_the_ledger", "is there, and no entry left it").await;
}

#[tokio::test]
async fn a_row_that_is_gone_is_named_by_a_check() {
    let fixture = prepared_anywhere().await;
    let id = schedule(&fixture, &operator()).await;
    assert!(is_intact(&fixture).await);
    let row = job(&fixture, id).await.unwrap();
    let other = Job { id: Id::new(row.id.get() + 1).unwrap(), ..row.clone() };
    fixture.ground.plant_job(&other).await;
    fixture.ground.take_job(publish_job(id)).await;
    let revision = row.revision.unwrap();
    assert_eq!(
        differences(&fixture).await,
        [
            format!("job {} is there, and no entry left it", other.id),
            format!("job {id} is gone, and entry {revision} left it"),
        ]
    );
}

/// A row as written by a version that did not enter jobs in the ledger.
fn old(fixture: &Fixture, post: ContentId, due_at: i64, token: Option<TokenId>) -> Job {
    let token = token.map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""));
    let payload =
        format!("{{\"by_share\":null,\"page\":\"{}\",\"post\":\"{post}\",\"token\":{token}}}", fixture.company.page);
    Job::new(publish_job(post), PUBLISH, due_at, None, payload)
}

/// Opens the store as this version does for the first time.
async fn upgraded(fixture: &Fixture) -> Service {
    let on = Arc::new(AtomicBool::new(true));
    let altered = Altered { inner: Arc::clone(&fixture.ground.store), on: Arc::clone(&on), tale: Tale::OldFormat };
    let deps = fixture.ground.deps(Arc::new(altered), Box::new(SeededRandom::new(99)), "upgraded");
    let service = Service::open(deps).await.unwrap();
    on.store(false, Ordering::SeqCst);
    service
}

/// Turns the job of a scheduled post into a row of the version before.
async fn make_old(fixture: &Fixture, id: ContentId, token: Option<TokenId>) {
    let due_at = job(fixture, id).await.unwrap().due_at;
    fixture.ground.plant_job(&old(fixture, id, due_at, token)).await;
}

#[tokio::test]
async fn jobs_of_the_version_before_are_entered_in_one_entry_and_run_as_their_tokens() {
    let mut fixture = prepared_anywhere().await;
    let token = fixture.company.robot_token.id;
    let by_token = schedule(&fixture, &operator()).await;
    let by_nobody = schedule(&fixture, &operator()).await;
    let gone = schedule(&fixture, &operator()).await;
    make_old(&fixture, by_token, Some(token)).await;
    make_old(&fixture, by_nobody, None).await;
    make_old(&fixture, gone, Some(Id::new(4_242).unwrap())).await;
    let before = fixture.ground.store.head().await.unwrap().revision;
    fixture.service = upgraded(&fixture).await;
    let entries = fixture.ground.store.tail(before, 9).await.unwrap();
    assert_eq!(entries.iter().map(|e| e.action.as_str()).collect::<Vec<_>>(), ["jobs_entered"]);
    assert_eq!(entries[0].payload().unwrap().jobs.len(), 3);
    assert!(is_intact(&fixture).await, "{:?}", differences(&fixture).await);
    let states = [(by_token, JobState::Waiting), (by_nobody, JobState::Unconfirmed), (gone, JobState::Unconfirmed)];
    for (id, state) in states {
        let row = job(&fixture, id).await.unwrap();
        assert_eq!((row.revision, row.state), (Some(before + 1), state));
    }
    // Once, and then never again.
    fixture.service = fixture.ground.node(11).await;
    assert_eq!(fixture.ground.store.head().await.unwrap().revision, before + 1);
    fixture.ground.clock.advance_ms(HOUR_MS);
    assert_eq!(run_until_done(&fixture, by_token).await.state, PostState::Published);
    let last = fixture.ground.store.tail(before + 1, 9).await.unwrap().remove(0);
    assert_eq!((last.actor.token, last.actor.id), (Some(token), Some(fixture.company.robot.any())));
    // The others wait for the operator: a retry is not enough.
    assert_eq!(job(&fixture, by_nobody).await.unwrap().state, JobState::Unconfirmed);
    let refused = fixture.service.retry_job(&operator(), publish_job(by_nobody)).await.unwrap_err();
    assert!(refused.note.unwrap().contains("job.confirm"));
    fixture.service.confirm_job(&operator(), publish_job(by_nobody)).await.unwrap();
    assert!(is_intact(&fixture).await);
    assert_eq!(run_until_done(&fixture, by_nobody).await.state, PostState::Published);
    let last = fixture.ground.store.tail(before, 99).await.unwrap().pop().unwrap();
    assert_eq!((last.action.as_str(), last.actor), ("content_updated", OPERATOR));
    // One that is not wanted is removed, and its post says so.
    fixture.service.cancel_job(&operator(), publish_job(gone)).await.unwrap();
    let left = read(&fixture, gone).await;
    assert_eq!((left.state, left.failed.as_deref()), (PostState::Unpublished, Some("job_cancelled")));
    assert!(job(&fixture, gone).await.is_none() && is_intact(&fixture).await);
}

#[tokio::test]
async fn a_row_that_looks_old_is_not_entered_once_this_version_wrote() {
    let mut fixture = prepared_anywhere().await;
    let id = draft(&fixture).await;
    let now = fixture.service.now();
    fixture.ground.plant_job(&old(&fixture, id, now, Some(fixture.company.robot_token.id))).await;
    let head = fixture.ground.store.head().await.unwrap();
    fixture.service = fixture.ground.node(11).await;
    assert_eq!(fixture.ground.store.head().await.unwrap(), head, "nothing was entered");
    let row = job(&fixture, id).await.unwrap();
    assert_eq!(row.revision, None);
    never_runs(&fixture, row, "no_ledger_entry", "is there, and no entry left it").await;
}

#[tokio::test]
async fn a_store_without_old_jobs_is_opened_without_an_entry() {
    let fixture = prepared_anywhere().await;
    schedule(&fixture, &operator()).await;
    let head = fixture.ground.store.head().await.unwrap();
    drop(upgraded(&fixture).await);
    assert_eq!(fixture.ground.store.head().await.unwrap(), head);
}
