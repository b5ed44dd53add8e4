//! Deferred effects: published when due, and decided again then. Time is tokio's paused one, which
//! moves on by itself while everybody waits.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use valetkey_domain::post::{Post, PostInput, PostState};
use valetkey_domain::system_user::SystemUserEdit;
use valetkey_domain::{Id, IdKind, Status};
use valetkey_service::Call;
use valetkey_testkit::clock::{HOUR_MS, MINUTE_MS};

use crate::fixture::{Fixture, fixture_in_memory, post, publish};

async fn prepared() -> Fixture {
    let fixture = fixture_in_memory().await;
    fixture.assign(fixture.company.robot, fixture.company.page, &["CREATE_CONTENT"]).await;
    fixture
}

async fn schedule(fixture: &Fixture, call: &Call) -> Id {
    let at = fixture.service.now() + HOUR_MS;
    let input = PostInput { published: Some(false), scheduled_at: Some(at), ..post("Later") };
    let page = fixture.company.page;
    fixture.service.create_post(call, publish(page), page, input).await.unwrap().value.id
}

async fn read(fixture: &Fixture, id: Id) -> Post {
    fixture.service.content::<Post>(IdKind::Post, id).await.unwrap().unwrap().body
}

/// Runs the background work until a post is no longer scheduled.
async fn run_until_done(fixture: &Fixture, id: Id) -> Post {
    let stirred = Arc::new(Notify::new());
    let stir = Arc::clone(&stirred);
    fixture.ground.faulty.follow(Box::new(move |_| {
        stir.notify_one();
        None
    }));
    let stop = CancellationToken::new();
    let service = fixture.service.clone();
    let work = tokio::spawn({
        let stop = stop.clone();
        async move { service.run_background(stop).await }
    });
    let done = loop {
        stirred.notified().await;
        // Read below the wrapper, so that looking stirs nothing.
        let row = fixture.ground.store.content(id).await.unwrap().unwrap();
        if row.status != "scheduled" {
            break read(fixture, id).await;
        }
    };
    stop.cancel();
    work.await.unwrap();
    fixture.ground.faulty.follow(Box::new(|_| None));
    done
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_post_is_published_when_it_is_due_and_not_before() {
    let fixture = prepared().await;
    let id = schedule(&fixture, &fixture.company.robot_token.call()).await;
    fixture.ground.clock.advance_ms(HOUR_MS - 1);
    assert!(
        fixture.ground.store.claim_jobs("x", fixture.service.now(), fixture.service.now() + 1, 9).await.unwrap().is_empty()
    );
    assert_eq!(read(&fixture, id).await.state, PostState::Scheduled);
    fixture.ground.clock.advance_ms(1);
    let post = run_until_done(&fixture, id).await;
    assert_eq!((post.state, post.failed, post.scheduled_at), (PostState::Published, None, None));
    assert_eq!(fixture.ground.store.next_job_at().await.unwrap(), None, "the job is gone with its effect");
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
            let life = valetkey_domain::token::Lifetime::Seconds(1_800);
            let brief = crate::fixture::try_issue(service, &company.person, company.robot, company.app, life).await.unwrap();
            call = brief.call();
        }
        let id = schedule(&fixture, &call).await;
        match what {
            0 => service.revoke_token(&company.person, company.robot_token.id).await.map(drop).unwrap(),
            1 => service.unassign(&company.person, company.page, company.robot).await.map(drop).unwrap(),
            2 => {
                let edit = SystemUserEdit { name: None, status: Some(Status::Deactivated) };
                service.update_system_user(&company.person, company.robot, edit).await.map(drop).unwrap();
            }
            3 => service.disconnect_app(&company.person, company.business, company.app).await.map(drop).unwrap(),
            _ => {}
        }
        fixture.ground.clock.advance_ms(HOUR_MS);
        let post = run_until_done(&fixture, id).await;
        assert_eq!((post.state, post.failed.as_deref()), (PostState::Unpublished, Some(reason)));
        assert_eq!(fixture.ground.store.next_job_at().await.unwrap(), None);
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
    assert_eq!(fixture.ground.store.next_job_at().await.unwrap(), None);
    // Moving a post moves its job.
    let moved = schedule(&fixture, &call).await;
    let later = service.now() + 2 * HOUR_MS;
    let input = PostInput { scheduled_at: Some(later), ..PostInput::default() };
    service.update_post(&call, publish(page), moved, input).await.unwrap();
    assert_eq!(fixture.ground.store.next_job_at().await.unwrap(), Some(later));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_meets_a_failing_store_is_done_once_it_is_back() {
    let fixture = prepared().await;
    let id = schedule(&fixture, &fixture.company.robot_token.call()).await;
    fixture.ground.clock.advance_ms(HOUR_MS);
    // Another runner took it, and died: its lease must run out first.
    let now = fixture.service.now();
    let taken = fixture.ground.store.claim_jobs("dead", now, now + MINUTE_MS, 9).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert!(fixture.ground.store.claim_jobs("other", now, now + MINUTE_MS, 9).await.unwrap().is_empty());
    fixture.ground.clock.advance_ms(MINUTE_MS);
    fixture.ground.faulty.fail_next(valetkey_store::faulty::Call::Commit, valetkey_store::faulty::Fault::After);
    assert_eq!(run_until_done(&fixture, id).await.state, PostState::Published);
    let entries = fixture.ground.store.tail(0, 10_000).await.unwrap();
    let about = entries.iter().filter(|e| e.subjects.contains(&id) && e.action == "content_updated");
    assert_eq!(about.count(), 1, "published once");
}

#[tokio::test(start_paused = true)]
async fn a_partners_post_whose_share_ended_tells_the_owner_so() {
    for (end_share, told) in [(true, "share_ended"), (false, "asset_not_assigned")] {
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
        assert_eq!((post.state, post.failed.as_deref()), (PostState::Unpublished, Some(told)));
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
