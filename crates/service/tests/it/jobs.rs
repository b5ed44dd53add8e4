//! Deferred effects: posts are published when due, as the actor that scheduled them, with the right
//! decided again; and never because of a row alone.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use valetkey_domain::post::{Post, PostInput, PostState};
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::{ContentId, JobId, Status};
use valetkey_service::jobs::JobState;
use valetkey_service::{Call, Service};
use valetkey_store::{Entry, Job};
use valetkey_testkit::clock::{HOUR_MS, MINUTE_MS};

use crate::fixture::{Fixture, fixture, fixture_in_memory, operator, post, publish};

/// The kind of job that publishes posts.
pub const PUBLISH: &str = "publish_post";

async fn prepared() -> Fixture {
    ready(fixture_in_memory().await).await
}

/// Over the store of the environment.
pub async fn prepared_anywhere() -> Fixture {
    ready(fixture().await).await
}

async fn ready(fixture: Fixture) -> Fixture {
    fixture.assign(fixture.company.robot, fixture.company.page, &["CREATE_CONTENT"]).await;
    fixture
}

/// Schedules a post in an hour.
pub async fn schedule(fixture: &Fixture, call: &Call) -> ContentId {
    let at = fixture.service.now() + HOUR_MS;
    let input = PostInput { published: Some(false), scheduled_at: Some(at), ..post("Later") };
    let page = fixture.company.page;
    fixture.service.create_post(call, publish(page), page, input).await.unwrap().value.id
}

/// A post as the store holds it.
pub async fn read(fixture: &Fixture, id: ContentId) -> Post {
    serde_json::from_str(&fixture.ground.store.content(id).await.unwrap().unwrap().body).unwrap()
}

pub async fn job(fixture: &Fixture, id: ContentId) -> Option<Job> {
    fixture.ground.store.job(publish_job(id)).await.unwrap()
}

/// The job that publishes a post.
pub fn publish_job(post: ContentId) -> JobId {
    JobId::of(post.any())
}

/// The entries that changed a post since it was made.
async fn changes_of(fixture: &Fixture, id: ContentId) -> Vec<Entry> {
    let entries = fixture.ground.store.tail(0, 10_000).await.unwrap();
    entries.into_iter().filter(|e| e.subjects.first() == Some(&id.any()) && e.action == "content_updated").collect()
}

/// Work in the background, until it is stopped.
pub struct Working {
    stop: CancellationToken,
    work: JoinHandle<()>,
}

impl Working {
    pub fn on(service: &Service) -> Working {
        let stop = CancellationToken::new();
        let work = tokio::spawn({
            let (service, stop) = (service.clone(), stop.clone());
            async move { service.run_background(stop).await }
        });
        Working { stop, work }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.work.await.unwrap();
    }
}

/// Runs the background work until something holds.
pub async fn run_until<F: Future<Output = bool>>(fixture: &Fixture, holds: impl Fn() -> F) {
    let stirred = Arc::new(Notify::new());
    let stir = Arc::clone(&stirred);
    fixture.ground.faulty.follow(Box::new(move |_| {
        stir.notify_one();
        None
    }));
    let work = Working::on(&fixture.service);
    loop {
        stirred.notified().await;
        // Read from the inner store, so that this read triggers nothing in the wrapper.
        if holds().await {
            break;
        }
    }
    work.stop().await;
    fixture.ground.faulty.follow(Box::new(|_| None));
}

/// Runs the background work until a post is no longer scheduled.
pub async fn run_until_done(fixture: &Fixture, id: ContentId) -> Post {
    run_until(fixture, || async { read(fixture, id).await.state != PostState::Scheduled }).await;
    read(fixture, id).await
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_post_is_published_when_it_is_due_and_not_before() {
    let fixture = prepared().await;
    let id = schedule(&fixture, &fixture.company.robot_token.call()).await;
    fixture.ground.clock.advance_ms(HOUR_MS - 1);
    let now = fixture.service.now();
    assert!(fixture.ground.store.claim_jobs(PUBLISH, "x", now, now + 1, 9).await.unwrap().is_empty());
    assert_eq!(read(&fixture, id).await.state, PostState::Scheduled);
    fixture.ground.clock.advance_ms(1);
    let post = run_until_done(&fixture, id).await;
    assert_eq!((post.state, post.failed, post.scheduled_at), (PostState::Published, None, None));
    assert_eq!(job(&fixture, id).await, None, "the job is gone with its effect");
}

#[tokio::test(start_paused = true)]
async fn a_post_whose_right_is_gone_stays_unpublished_and_says_why() {
    let table = [
        ("token_revoked", 0),
        ("asset_not_assigned", 1),
        ("user_deactivated", 2),
        ("app_disconnected", 3),
        ("token_expired", 4),
    ];
    for (reason, what) in table {
        let fixture = prepared().await;
        let (service, company) = (&fixture.service, &fixture.company);
        let mut call = company.robot_token.call();
        if what == 4 {
            let life = valetkey_domain::rules::token::Lifetime::Seconds(1_800);
            let brief =
                crate::fixture::try_issue(service, &company.person, company.robot, company.app, life).await.unwrap();
            call = brief.call();
        }
        let id = schedule(&fixture, &call).await;
        match what {
            0 => service.revoke_token(&company.person, company.robot_token.id).await.map(drop).unwrap(),
            1 => service.unassign(&company.person, company.page, company.robot).await.map(drop).unwrap(),
            2 => {
                let edit = SystemUserEdit { status: Some(Status::Deactivated), ..SystemUserEdit::default() };
                service.update_system_user(&company.person, company.robot, edit).await.map(drop).unwrap();
            }
            3 => service.disconnect_app(&company.person, company.business, company.app).await.map(drop).unwrap(),
            _ => {}
        }
        fixture.ground.clock.advance_ms(HOUR_MS);
        let post = run_until_done(&fixture, id).await;
        assert_eq!((post.state, post.failed.as_deref()), (PostState::Unpublished, Some(reason)));
        assert_eq!(job(&fixture, id).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_that_was_deleted_or_published_by_hand_has_no_job_left() {
    let fixture = prepared().await;
    let (service, call, page) = (&fixture.service, fixture.company.robot_token.call(), fixture.company.page);
    let deleted = schedule(&fixture, &call).await;
    service.delete_post(&call, publish(page), deleted).await.unwrap();
    let by_hand = schedule(&fixture, &call).await;
    let now = PostInput { published: Some(true), ..PostInput::default() };
    service.update_post(&call, publish(page), by_hand, now).await.unwrap();
    assert!(fixture.ground.store.next_jobs().await.unwrap().is_empty());
    // Moving a post moves its job.
    let moved = schedule(&fixture, &call).await;
    let later = service.now() + 2 * HOUR_MS;
    let input = PostInput { scheduled_at: Some(later), ..PostInput::default() };
    service.update_post(&call, publish(page), moved, input).await.unwrap();
    let next = fixture.ground.store.next_jobs().await.unwrap();
    assert_eq!((next.len(), next[0].at), (1, later));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_meets_a_failing_store_is_done_once_it_is_back() {
    let fixture = prepared().await;
    let id = schedule(&fixture, &fixture.company.robot_token.call()).await;
    fixture.ground.clock.advance_ms(HOUR_MS);
    // Another runner took it, and died: its lease must run out first.
    let now = fixture.service.now();
    let taken = fixture.ground.store.claim_jobs(PUBLISH, "dead", now, now + MINUTE_MS, 9).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert!(fixture.ground.store.claim_jobs(PUBLISH, "other", now, now + MINUTE_MS, 9).await.unwrap().is_empty());
    fixture.ground.clock.advance_ms(MINUTE_MS);
    fixture.ground.faulty.fail_next(valetkey_store::faulty::Call::Commit, valetkey_store::faulty::Fault::After);
    assert_eq!(run_until_done(&fixture, id).await.state, PostState::Published);
    assert_eq!(changes_of(&fixture, id).await.len(), 1, "published once");
}

#[tokio::test(start_paused = true)]
async fn a_partners_post_whose_share_ended_tells_the_owner_so() {
    for (end_share, said) in [(true, "share_ended"), (false, "asset_not_assigned")] {
        let fixture = fixture_in_memory().await;
        let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
        let all = crate::fixture::tasks(&["MANAGE"]);
        service.share(&company.person, company.page, agency.business, all.clone()).await.unwrap();
        service.assign(&agency.person, company.page, agency.robot, all).await.unwrap();
        let id = schedule(&fixture, &agency.robot_token.call()).await;
        service.unassign(&agency.person, company.page, agency.robot).await.unwrap();
        if end_share {
            service.unshare(&company.person, company.page, agency.business).await.unwrap();
        }
        fixture.ground.clock.advance_ms(HOUR_MS);
        let post = run_until_done(&fixture, id).await;
        assert_eq!((post.state, post.failed.as_deref()), (PostState::Unpublished, Some(said)));
    }
}

#[tokio::test(start_paused = true)]
async fn who_only_keeps_records_runs_no_job() {
    let fixture = prepared().await;
    let id = schedule(&fixture, &fixture.company.robot_token.call()).await;
    fixture.ground.clock.advance_ms(2 * HOUR_MS);
    let minute = tokio::time::sleep(std::time::Duration::from_secs(60));
    tokio::select! {
        () = fixture.service.keep_records(CancellationToken::new()) => unreachable!("nobody stopped it"),
        () = minute => {}
    }
    assert_eq!(fixture.ground.store.content(id).await.unwrap().unwrap().status, "scheduled");
}

#[tokio::test]
async fn a_job_names_its_actor_and_stands_in_the_entry_that_made_it() {
    let fixture = prepared_anywhere().await;
    let by_robot = schedule(&fixture, &fixture.company.robot_token.call()).await;
    let by_operator = schedule(&fixture, &operator()).await;
    for (id, kind, token) in
        [(by_robot, "system_user", Some(fixture.company.robot_token.id)), (by_operator, "operator", None)]
    {
        let row = job(&fixture, id).await.unwrap();
        let actor = row.actor.unwrap();
        assert_eq!((actor.kind.as_str(), actor.token), (kind, token));
        let revision = row.revision.unwrap();
        let entry = fixture.ground.store.tail(revision - 1, 1).await.unwrap().remove(0);
        let line = entry.payload().unwrap().jobs.remove(0);
        assert!(line.left(&entry.salt, &row));
        assert_eq!((line.id, line.actor, line.due_at), (publish_job(id), Some(actor), Some(row.due_at)));
        assert_eq!((entry.action.as_str(), entry.actor), ("content_created", actor));
    }
    // What the operator scheduled runs as the operator.
    fixture.ground.clock.advance_ms(HOUR_MS);
    run_until_done(&fixture, by_operator).await;
    assert_eq!(changes_of(&fixture, by_operator).await[0].actor.kind.as_str(), "operator");
    run_until_done(&fixture, by_robot).await;
    assert_eq!(changes_of(&fixture, by_robot).await[0].actor.token, Some(fixture.company.robot_token.id));
}

#[tokio::test]
async fn two_runners_publish_every_post_once() {
    let fixture = prepared_anywhere().await;
    let call = fixture.company.robot_token.call();
    let mut posts = Vec::new();
    for _ in 0..24 {
        posts.push(schedule(&fixture, &call).await);
    }
    fixture.ground.clock.advance_ms(HOUR_MS);
    let other = fixture.ground.stranger(8).await;
    let work = Working::on(&other);
    for id in &posts {
        run_until_done(&fixture, *id).await;
    }
    work.stop().await;
    for id in posts {
        assert_eq!(read(&fixture, id).await.state, PostState::Published);
        assert_eq!(changes_of(&fixture, id).await.len(), 1, "published once");
        assert_eq!(job(&fixture, id).await, None);
    }
}

#[tokio::test]
async fn the_states_of_jobs_have_words_that_are_read_back() {
    for state in JobState::ALL {
        assert_eq!(JobState::parse(state.as_str()), Some(state));
    }
    assert_eq!(JobState::parse("running"), None);
}
