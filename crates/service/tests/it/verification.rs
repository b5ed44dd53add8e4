//! The daily check of the ledger: its outcome is kept where every node reads it, and it runs by itself.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use valetkey_domain::change::ActorKind;
use valetkey_domain::{Actor, Id};
use valetkey_store::Job;
use valetkey_testkit::clock::HOUR_MS;

use crate::fixture::{fixture, fixture_in_memory};
use crate::jobs::PUBLISH;

#[tokio::test]
async fn what_a_check_finds_is_kept_for_every_node() {
    let fixture = fixture().await;
    let service = &fixture.service;
    assert_eq!((service.last_verification().await.unwrap(), service.known_verification()), (None, None));
    let found = service.verify_ledger().await.unwrap();
    assert!(found.is_ok(), "{found}");
    assert_eq!((found.revision, found.at), (service.revision(), service.now()));
    let other = fixture.ground.stranger(9).await;
    assert_eq!(other.known_verification(), None, "it did not read it yet");
    assert_eq!(other.last_verification().await.unwrap(), Some(found));
    assert_eq!(other.known_verification(), Some(found));
}

#[tokio::test]
async fn a_store_that_was_altered_is_found_out() {
    let fixture = fixture().await;
    let (service, now) = (&fixture.service, fixture.service.now());
    let operator = Actor { kind: ActorKind::Operator, id: None, token: None };
    let payload = "{\"post\":\"4242\",\"page\":\"4243\"}".to_owned();
    let job = Job::new(Id::new(4_242).unwrap(), PUBLISH, now + 1_000 * HOUR_MS, Some(operator), payload);
    fixture.ground.plant_job(&job).await;
    let found = service.verify_ledger().await.unwrap();
    assert_eq!((found.is_ok(), found.is_chain_whole, found.differences), (false, true, 1), "{found}");
    assert_eq!(service.last_verification().await.unwrap(), Some(found));
    fixture.ground.take_job(job.id).await;
    assert!(service.verify_ledger().await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn it_runs_minutes_after_the_start_and_then_once_a_day() {
    let fixture = fixture_in_memory().await;
    let service = fixture.service.clone();
    let stop = CancellationToken::new();
    let background = tokio::spawn({
        let (service, stop) = (service.clone(), stop.clone());
        async move { service.run_background(stop).await }
    });
    let minutes = |n: u64| tokio::time::sleep(Duration::from_secs(n * 60));
    minutes(4).await;
    assert_eq!(service.known_verification(), None, "a start is not burdened with it");
    minutes(16).await;
    let first = service.known_verification().unwrap();
    minutes(60).await;
    assert_eq!(service.known_verification(), Some(first));
    fixture.ground.clock.advance_ms(24 * HOUR_MS);
    minutes(11).await;
    let second = service.known_verification().unwrap();
    assert!(second.is_ok() && second.at == first.at + 24 * HOUR_MS, "{second:?}");
    stop.cancel();
    background.await.unwrap();
}
