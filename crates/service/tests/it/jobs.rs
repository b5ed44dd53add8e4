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

use crate::house::{House, house_in_memory, post, publish};

async fn prepared() -> House {
    let house = house_in_memory().await;
    house.assign(house.maker.robot, house.maker.page, &["CREATE_CONTENT"]).await;
    house
}

async fn schedule(house: &House, call: &Call) -> Id {
    let at = house.service.now() + HOUR_MS;
    let input = PostInput { published: Some(false), scheduled_at: Some(at), ..post("Later") };
    let page = house.maker.page;
    house.service.create_post(call, publish(page), page, input).await.unwrap().value.id
}

async fn read(house: &House, id: Id) -> Post {
    house.service.content::<Post>(IdKind::Post, id).await.unwrap().unwrap().body
}

/// Runs the background work until a post is no longer scheduled.
async fn run_until_done(house: &House, id: Id) -> Post {
    let stirred = Arc::new(Notify::new());
    let stir = Arc::clone(&stirred);
    house.ground.faulty.follow(Box::new(move |_| {
        stir.notify_one();
        None
    }));
    let stop = CancellationToken::new();
    let service = house.service.clone();
    let work = tokio::spawn({
        let stop = stop.clone();
        async move { service.run_background(stop).await }
    });
    let done = loop {
        stirred.notified().await;
        // Read below the wrapper, so that looking stirs nothing.
        let row = house.ground.store.content(id).await.unwrap().unwrap();
        if row.status != "scheduled" {
            break read(house, id).await;
        }
    };
    stop.cancel();
    work.await.unwrap();
    house.ground.faulty.follow(Box::new(|_| None));
    done
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_post_is_published_when_it_is_due_and_not_before() {
    let house = prepared().await;
    let id = schedule(&house, &house.maker.robot_token.call()).await;
    house.ground.clock.advance_ms(HOUR_MS - 1);
    assert!(
        house.ground.store.claim_jobs("x", house.service.now(), house.service.now() + 1, 9).await.unwrap().is_empty()
    );
    assert_eq!(read(&house, id).await.state, PostState::Scheduled);
    house.ground.clock.advance_ms(1);
    let post = run_until_done(&house, id).await;
    assert_eq!((post.state, post.failed, post.scheduled_at), (PostState::Published, None, None));
    assert_eq!(house.ground.store.next_job_at().await.unwrap(), None, "the job is gone with its effect");
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
        let house = prepared().await;
        let (service, maker) = (&house.service, &house.maker);
        let mut call = maker.robot_token.call();
        if what == 4 {
            let life = valetkey_domain::token::Lifetime::Seconds(1_800);
            let brief = crate::house::try_issue(service, &maker.person, maker.robot, maker.app, life).await.unwrap();
            call = brief.call();
        }
        let id = schedule(&house, &call).await;
        match what {
            0 => service.revoke_token(&maker.person, maker.robot_token.id).await.map(drop).unwrap(),
            1 => service.unassign(&maker.person, maker.page, maker.robot).await.map(drop).unwrap(),
            2 => {
                let edit = SystemUserEdit { name: None, status: Some(Status::Deactivated) };
                service.update_system_user(&maker.person, maker.robot, edit).await.map(drop).unwrap();
            }
            3 => service.disconnect_app(&maker.person, maker.business, maker.app).await.map(drop).unwrap(),
            _ => {}
        }
        house.ground.clock.advance_ms(HOUR_MS);
        let post = run_until_done(&house, id).await;
        assert_eq!((post.state, post.failed.as_deref()), (PostState::Unpublished, Some(reason)));
        assert_eq!(house.ground.store.next_job_at().await.unwrap(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_that_was_deleted_or_published_by_hand_has_no_job_left() {
    let house = prepared().await;
    let (service, call, page) = (&house.service, house.maker.robot_token.call(), house.maker.page);
    let deleted = schedule(&house, &call).await;
    service.delete_post(&call, publish(page), deleted).await.unwrap();
    let by_hand = schedule(&house, &call).await;
    let now = PostInput { published: Some(true), ..PostInput::default() };
    service.update_post(&call, publish(page), by_hand, now).await.unwrap();
    assert_eq!(house.ground.store.next_job_at().await.unwrap(), None);
    // Moving a post moves its job.
    let moved = schedule(&house, &call).await;
    let later = service.now() + 2 * HOUR_MS;
    let input = PostInput { scheduled_at: Some(later), ..PostInput::default() };
    service.update_post(&call, publish(page), moved, input).await.unwrap();
    assert_eq!(house.ground.store.next_job_at().await.unwrap(), Some(later));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_meets_a_failing_store_is_done_once_it_is_back() {
    let house = prepared().await;
    let id = schedule(&house, &house.maker.robot_token.call()).await;
    house.ground.clock.advance_ms(HOUR_MS);
    // Another runner took it, and died: its lease must run out first.
    let now = house.service.now();
    let taken = house.ground.store.claim_jobs("dead", now, now + MINUTE_MS, 9).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert!(house.ground.store.claim_jobs("other", now, now + MINUTE_MS, 9).await.unwrap().is_empty());
    house.ground.clock.advance_ms(MINUTE_MS);
    house.ground.faulty.fail_next(valetkey_store::faulty::Call::Commit, valetkey_store::faulty::Fault::After);
    assert_eq!(run_until_done(&house, id).await.state, PostState::Published);
    let entries = house.ground.store.tail(0, 10_000).await.unwrap();
    let about = entries.iter().filter(|e| e.subjects.contains(&id) && e.action == "content_updated");
    assert_eq!(about.count(), 1, "published once");
}

#[tokio::test(start_paused = true)]
async fn a_partners_post_whose_share_ended_tells_the_owner_so() {
    for (end_share, told) in [(true, "share_ended"), (false, "asset_not_assigned")] {
        let house = house_in_memory().await;
        let (service, maker, agency) = (&house.service, &house.maker, &house.agency);
        let all = crate::house::tasks(&["MANAGE"]);
        service.share(&maker.person, maker.page, agency.business, all.clone()).await.unwrap();
        service.assign(&agency.person, maker.page, agency.robot, all).await.unwrap();
        let id = schedule(&house, &agency.robot_token.call()).await;
        service.unassign(&agency.person, maker.page, agency.robot).await.unwrap();
        if end_share {
            service.unshare(&maker.person, maker.page, agency.business).await.unwrap();
        }
        house.ground.clock.advance_ms(HOUR_MS);
        let post = run_until_done(&house, id).await;
        assert_eq!((post.state, post.failed.as_deref()), (PostState::Unpublished, Some(told)));
    }
}

#[tokio::test(start_paused = true)]
async fn who_only_keeps_records_runs_no_job() {
    let house = prepared().await;
    let id = schedule(&house, &house.maker.robot_token.call()).await;
    house.ground.clock.advance_ms(2 * HOUR_MS);
    let minute = tokio::time::sleep(std::time::Duration::from_secs(60));
    tokio::select! {
        () = house.service.keep_records(CancellationToken::new()) => unreachable!("nobody stopped it"),
        () = minute => {}
    }
    assert_eq!(house.ground.store.content(id).await.unwrap().unwrap().status, "scheduled");
}
