//! Runs of jobs that meet a problem: a store that does not answer, a lease that ran out, a change
//! meanwhile. And what the operator can do about a job.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use valetkey_domain::post::{PostInput, PostState};
use valetkey_domain::{ContentId, Id, Reason};
use valetkey_service::jobs::JobState;
use valetkey_service::{Call, Service};
use valetkey_store::faulty::{Call as StoreCall, Fault};
use valetkey_testkit::clock::{HOUR_MS, MINUTE_MS};
use valetkey_testkit::random::SeededRandom;

use crate::altered::{Altered, Tale};
use crate::fixture::{Fixture, operator, publish};
use crate::jobs::{PUBLISH, Working, job, prepared_anywhere, publish_job, read, run_until, run_until_done, schedule};

/// A node that blocks as soon as it reads a post for its job.
struct Stuck {
    work: Working,
    read: Arc<Notify>,
    go: Arc<Notify>,
    on: Arc<AtomicBool>,
}

impl Stuck {
    async fn on(fixture: &Fixture, content: ContentId) -> Stuck {
        let (read, go, on) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(AtomicBool::new(true)));
        let tale = Tale::Stuck { content, read: Arc::clone(&read), go: Arc::clone(&go) };
        let altered = Altered { inner: Arc::clone(&fixture.ground.store), on: Arc::clone(&on), tale };
        let deps = fixture.ground.deps(Arc::new(altered), Box::new(SeededRandom::new(5)), "stuck");
        let work = Working::on(&Service::open(deps).await.unwrap());
        Stuck { work, read, go, on }
    }

    /// Waits until its run has begun.
    async fn begun(&self) {
        self.read.notified().await;
    }

    /// Lets the run go on, and waits for its end.
    async fn finish(self) {
        self.on.store(false, Ordering::SeqCst);
        self.go.notify_one();
        self.work.stop().await;
    }
}

async fn entries_about(fixture: &Fixture, id: ContentId) -> Vec<String> {
    let entries = fixture.ground.store.entries_about(id.any(), 0, 99).await.unwrap();
    entries.into_iter().map(|e| e.action).collect()
}

#[tokio::test]
async fn a_run_that_never_ends_holds_up_no_other_job() {
    let fixture = prepared_anywhere().await;
    let call = fixture.company.robot_token.call();
    let first = schedule(&fixture, &call).await;
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(schedule(&fixture, &call).await);
    }
    fixture.ground.clock.advance_ms(HOUR_MS);
    let stuck = Stuck::on(&fixture, first).await;
    stuck.begun().await;
    // The same node publishes the others, though the first was due before them.
    for id in others {
        while read(&fixture, id).await.state == PostState::Scheduled {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(read(&fixture, first).await.state, PostState::Scheduled);
    assert!(job(&fixture, first).await.unwrap().is_held(fixture.service.now()));
    stuck.finish().await;
    assert_eq!(read(&fixture, first).await.state, PostState::Published);
}

#[tokio::test]
async fn a_run_whose_lease_ran_out_changes_nothing() {
    let fixture = prepared_anywhere().await;
    let id = schedule(&fixture, &fixture.company.robot_token.call()).await;
    fixture.ground.clock.advance_ms(HOUR_MS);
    let stuck = Stuck::on(&fixture, id).await;
    stuck.begun().await;
    // It is blocked for longer than its lease, and another runner takes the job.
    fixture.ground.clock.advance_ms(HOUR_MS);
    let now = fixture.service.now();
    let taken = fixture.ground.store.claim_jobs(PUBLISH, "other", now, now + MINUTE_MS, 9).await.unwrap();
    assert_eq!((taken.len(), taken[0].attempts), (1, 2));
    stuck.finish().await;
    assert_eq!(read(&fixture, id).await.state, PostState::Scheduled);
    assert_eq!(job(&fixture, id).await.unwrap(), taken[0], "nor does it put the job back");
    assert_eq!(entries_about(&fixture, id).await, ["content_created"]);
    fixture.ground.clock.advance_ms(MINUTE_MS);
    assert_eq!(run_until_done(&fixture, id).await.state, PostState::Published);
    assert_eq!(entries_about(&fixture, id).await, ["content_created", "content_updated"]);
}

#[tokio::test]
async fn a_job_that_is_taken_away_while_it_runs_has_no_effect() {
    let fixture = prepared_anywhere().await;
    let (call, page) = (fixture.company.robot_token.call(), fixture.company.page);
    for what in ["move", "publish", "delete"] {
        let id = schedule(&fixture, &call).await;
        fixture.ground.clock.advance_ms(HOUR_MS);
        let stuck = Stuck::on(&fixture, id).await;
        stuck.begun().await;
        let later = fixture.service.now() + 3 * HOUR_MS;
        let change = match what {
            "move" => Some(PostInput { scheduled_at: Some(later), ..PostInput::default() }),
            "publish" => Some(PostInput { published: Some(true), ..PostInput::default() }),
            _ => None,
        };
        match change {
            Some(change) => fixture.service.update_post(&call, publish(page), id, change).await.map(drop).unwrap(),
            None => fixture.service.delete_post(&call, publish(page), id).await.map(drop).unwrap(),
        }
        let (row, there) = (job(&fixture, id).await, fixture.ground.store.content(id).await.unwrap());
        let written = entries_about(&fixture, id).await;
        stuck.finish().await;
        assert_eq!(job(&fixture, id).await, row, "{what}");
        assert_eq!(fixture.ground.store.content(id).await.unwrap(), there, "{what}");
        assert_eq!(entries_about(&fixture, id).await, written, "{what}");
        assert_eq!(row.map(|j| j.due_at), (what == "move").then_some(later));
        if what == "move" {
            fixture.service.delete_post(&call, publish(page), id).await.unwrap();
        }
    }
}

/// A post whose job failed for the last time, since the store took no commit.
async fn failed(fixture: &Fixture, call: &Call) -> ContentId {
    let id = schedule(fixture, call).await;
    fixture.ground.clock.advance_ms(HOUR_MS);
    let stirred = Arc::new(Notify::new());
    let stir = Arc::clone(&stirred);
    fixture.ground.faulty.follow(Box::new(move |call| {
        stir.notify_one();
        (call == StoreCall::Commit).then_some(Fault::Before)
    }));
    let mut attempts = 0;
    while job(fixture, id).await.unwrap().state == JobState::Waiting {
        let work = Working::on(&fixture.service);
        // The next attempt comes after its pause; this one is over once the job is released.
        loop {
            stirred.notified().await;
            let row = job(fixture, id).await.unwrap();
            if row.attempts > attempts && row.holder.is_none() {
                attempts = row.attempts;
                assert_eq!(row.reason.as_deref(), Some("unavailable"));
                fixture.ground.clock.advance_ms(row.not_before.saturating_sub(fixture.service.now()).max(0));
                break;
            }
        }
        work.stop().await;
    }
    fixture.ground.faulty.follow(Box::new(|_| None));
    id
}

#[tokio::test]
async fn a_job_that_failed_for_the_last_time_is_shown_and_tried_again_as_its_own_actor() {
    let fixture = prepared_anywhere().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let id = failed(&fixture, &company.robot_token.call()).await;
    let waiting = schedule(&fixture, &company.robot_token.call()).await;
    let all = service.list_jobs(&operator(), None, None, 9).await.unwrap();
    assert_eq!(all.iter().map(|row| row.id).collect::<Vec<_>>(), [publish_job(id), publish_job(waiting)]);
    let shown = service.list_jobs(&operator(), Some(JobState::Failed), None, 9).await.unwrap();
    let row = &shown[0];
    assert_eq!((shown.len(), row.id, row.state, row.is_running), (1, publish_job(id), JobState::Failed, false));
    assert_eq!((row.attempts, row.reason.as_deref(), row.next_at), (12, Some("unavailable"), None));
    assert_eq!((row.content, row.asset, row.asset_name.as_deref()), (Some(id), Some(company.page), Some("Asset")));
    assert!(row.tried_at.is_some());
    assert_eq!(row.actor.and_then(|a| a.token), Some(company.robot_token.id));
    assert_eq!(read(&fixture, id).await.state, PostState::Scheduled, "nothing is lost");
    // Time alone does not make it run again.
    fixture.ground.clock.advance_ms(HOUR_MS);
    let now = service.now();
    assert!(
        fixture
            .ground
            .store
            .claim_jobs(PUBLISH, "x", now, now + 1, 9)
            .await
            .unwrap()
            .iter()
            .all(|j| j.id != publish_job(id))
    );
    fixture.ground.clock.advance_ms(1);
    service.retry_job(&operator(), publish_job(id)).await.unwrap();
    assert_eq!(run_until_done(&fixture, id).await.state, PostState::Published);
    let last = fixture.ground.store.entries_about(id.any(), 0, 99).await.unwrap().pop().unwrap();
    assert_eq!(last.actor.token, Some(company.robot_token.id), "not as the operator who asked for the retry");
    let retried = &fixture.ground.store.entries_about(id.any(), 0, 99).await.unwrap()[1];
    assert_eq!((retried.action.as_str(), retried.actor.kind.as_str()), ("job_retried", "operator"));
}

#[tokio::test]
async fn a_retry_brings_no_right_back() {
    let fixture = prepared_anywhere().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let id = failed(&fixture, &company.robot_token.call()).await;
    service.revoke_token(&company.root_token.call(), company.robot_token.id).await.unwrap();
    service.retry_job(&operator(), publish_job(id)).await.unwrap();
    let post = run_until_done(&fixture, id).await;
    assert_eq!((post.state, post.failed.as_deref()), (PostState::Unpublished, Some("token_revoked")));
}

#[tokio::test]
async fn nobody_but_the_operator_sees_jobs_or_touches_them() {
    let fixture = prepared_anywhere().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let id = schedule(&fixture, &company.robot_token.call()).await;
    for call in [company.person.clone(), company.root_token.call(), company.robot_token.call()] {
        let listed = service.list_jobs(&call, None, None, 9).await.map(drop);
        let retried = service.retry_job(&call, publish_job(id)).await.map(drop);
        let confirmed = service.confirm_job(&call, publish_job(id)).await.map(drop);
        let cancelled = service.cancel_job(&call, publish_job(id)).await.map(drop);
        for refused in [listed, retried, confirmed, cancelled] {
            assert_eq!(refused.unwrap_err().reason, Reason::RoleInsufficient);
        }
    }
    // The operator can't change a job that is in order, and an unknown job answers that it does not exist.
    assert_eq!(service.confirm_job(&operator(), publish_job(id)).await.unwrap_err().reason, Reason::Invalid);
    assert_eq!(service.cancel_job(&operator(), publish_job(id)).await.unwrap_err().reason, Reason::Invalid);
    let never = Id::new(4_242).unwrap();
    assert_eq!(service.retry_job(&operator(), never).await.unwrap_err().reason, Reason::NotVisible);
    // While it runs, the operator can't change it.
    fixture.ground.clock.advance_ms(HOUR_MS);
    let now = service.now();
    fixture.ground.store.claim_jobs(PUBLISH, "x", now, now + MINUTE_MS, 9).await.unwrap();
    assert!(service.list_jobs(&operator(), None, None, 9).await.unwrap()[0].is_running);
    for refused in
        [service.retry_job(&operator(), publish_job(id)).await, service.cancel_job(&operator(), publish_job(id)).await]
    {
        assert_eq!(refused.unwrap_err().reason, Reason::Conflict);
    }
    fixture.ground.clock.advance_ms(MINUTE_MS);
    run_until(&fixture, || async { job(&fixture, id).await.is_none() }).await;
}
