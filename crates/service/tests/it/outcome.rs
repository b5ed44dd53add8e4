//! Stores that fail: nothing acknowledged is lost, nothing refused is written, and an unknown outcome
//! is found out.

use serde_json::Map;
use valetkey_domain::{AssetId, AssetKind, ContentId, List, Reason, Refusal};
use valetkey_service::Done;
use valetkey_store::faulty::{Call as StoreCall, Fault, seeded};

use valetkey_testkit::clock::HOUR_MS;

use crate::fixture::{Fixture, alive, answer, fixture, fixture_in_memory, name, publish, reader};

async fn make(fixture: &Fixture, title: &str) -> Result<Done<valetkey_domain::AssetId>, Refusal> {
    let company = &fixture.company;
    fixture.service.create_asset(&company.person, AssetKind::Page, company.business, name(title), Map::new()).await
}

fn titles(fixture: &Fixture) -> Vec<String> {
    let owned = List::OwnedAssets(fixture.company.business);
    let read = reader(&fixture.service)
        .read(|s| s.list(owned).into_iter().map(AssetId::of).filter_map(|id| s.asset(id)).collect::<Vec<_>>());
    read.unwrap().into_iter().map(|a| a.name.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_done_but_not_answered_is_found() {
    let fixture = fixture_in_memory().await;
    fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::After);
    let done = make(&fixture, "found").await.unwrap();
    assert_eq!(done.revision, fixture.service.revision());
    assert_eq!(titles(&fixture).iter().filter(|t| *t == "found").count(), 1);
    assert!(make(&fixture, "next").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_lost_is_reported_as_not_done() {
    let fixture = fixture_in_memory().await;
    fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::Lost);
    assert_eq!(make(&fixture, "lost").await.unwrap_err().reason, Reason::Unavailable);
    assert!(!titles(&fixture).contains(&"lost".to_owned()));
    assert!(make(&fixture, "next").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_looked_up_until_the_store_is_back() {
    let fixture = fixture_in_memory().await;
    fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::After);
    // The head is taken once for the commit, then fails a few times while it is looked up.
    let mut locks = 0;
    fixture.ground.faulty.follow(Box::new(move |call| {
        locks += usize::from(call == StoreCall::LockHead);
        (call == StoreCall::LockHead && (2..=6).contains(&locks)).then_some(Fault::Before)
    }));
    let (first, second) = futures_util::future::join(make(&fixture, "first"), make(&fixture, "second")).await;
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    assert_eq!(titles(&fixture).len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_stays_unknown_is_reported_as_unknown_and_never_as_no() {
    let fixture = fixture_in_memory().await;
    fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::After);
    let mut locks = 0;
    fixture.ground.faulty.follow(Box::new(move |call| {
        locks += usize::from(call == StoreCall::LockHead);
        (call == StoreCall::LockHead && (2..=80).contains(&locks)).then_some(Fault::Before)
    }));
    let unknown = make(&fixture, "unknown").await.unwrap_err();
    assert_eq!(unknown.reason, Reason::OutcomeUnknown);
    // The commit id, by which an operator finds it in the ledger.
    let id = unknown.value.unwrap();
    // The next command waits until the outcome is known, and then sees what was done.
    make(&fixture, "next").await.unwrap();
    assert!(titles(&fixture).contains(&"unknown".to_owned()));
    let entries = fixture.ground.store.tail(0, 10_000).await.unwrap();
    assert_eq!(entries.iter().filter(|e| valetkey_store::ledger::to_hex(&e.commit_id) == id).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_checks_go_on_and_writes_are_answered() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    fixture.ground.faulty.follow(Box::new(|_| Some(Fault::Before)));
    for _ in 0..3 {
        assert_eq!(make(&fixture, "no").await.unwrap_err().reason, Reason::Unavailable);
        assert_eq!(fixture.ask(&company.robot_token, publish(company.page)), "allow");
    }
    fixture.ground.faulty.follow(Box::new(|_| None));
    make(&fixture, "yes").await.unwrap();
    assert_eq!(titles(&fixture).iter().filter(|t| *t == "yes").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_the_answers_are_true() {
    for seed in 0..12 {
        let fixture = fixture_in_memory().await;
        fixture.ground.faulty.follow(seeded(seed, 250));
        let mut sure = Vec::new();
        let mut never = Vec::new();
        for n in 0..60 {
            let title = format!("asset {n}");
            match make(&fixture, &title).await {
                Ok(_) => sure.push(title),
                Err(refusal) if refusal.reason == Reason::Unavailable => never.push(title),
                Err(refusal) => assert_eq!(refusal.reason, Reason::OutcomeUnknown, "seed {seed}"),
            }
        }
        fixture.ground.faulty.follow(Box::new(|_| None));
        make(&fixture, "last").await.unwrap();
        let here = titles(&fixture);
        assert!(!sure.is_empty() && !never.is_empty(), "seed {seed} shows nothing");
        for title in &sure {
            assert_eq!(here.iter().filter(|t| *t == title).count(), 1, "seed {seed}: {title} was acknowledged");
        }
        assert!(never.iter().all(|t| !here.contains(t)), "seed {seed}: something refused is there");
        // And a node that starts now sees the same.
        let fresh = fixture.ground.node(500 + seed).await;
        assert_eq!(fresh.revision(), fixture.service.revision());
        let owned = List::OwnedAssets(fixture.company.business);
        assert_eq!(
            reader(&fresh).read(|s| s.list(owned)).unwrap(),
            reader(&fixture.service).read(|s| s.list(owned)).unwrap()
        );
        assert_eq!(answer(&fresh, &fixture.company.robot_token.text, alive()), "allow");
    }
}

#[tokio::test]
async fn the_ledger_verifies_after_all_that() {
    let fixture = fixture().await;
    make(&fixture, "one").await.unwrap();
    let mut verifier = valetkey_store::ledger::Verifier::default();
    for entry in fixture.ground.store.tail(0, 10_000).await.unwrap() {
        verifier.check(&entry).unwrap();
    }
    assert_eq!(verifier.last().map(|(r, _)| r), Some(fixture.service.revision()));
}

#[tokio::test]
async fn a_service_that_stops_takes_no_more_commands() {
    let fixture = fixture().await;
    fixture.service.stop();
    assert_eq!(make(&fixture, "late").await.unwrap_err().reason, Reason::Unavailable);
    assert_eq!(fixture.ask(&fixture.company.robot_token, alive()), "allow");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_runs_out_while_an_outcome_is_looked_up_acknowledges_nothing() {
    // The outcome, the head, what was written since, and the entries of the commit.
    for ends_at in 1..=4 {
        let fixture = fixture_in_memory().await;
        let clock = std::sync::Arc::clone(&fixture.ground.clock);
        fixture.service.set_fresh_until_ms(HOUR_MS.unsigned_abs() + 5_000);
        fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::After);
        let reads = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = std::sync::Arc::clone(&reads);
        fixture.ground.faulty.follow(Box::new(move |call| {
            let is_read = usize::from(call == StoreCall::Read);
            if counted.fetch_add(is_read, std::sync::atomic::Ordering::SeqCst) + is_read == ends_at && is_read == 1 {
                clock.advance_ms(5_000);
            }
            None
        }));
        let refusal = make(&fixture, "late").await.unwrap_err();
        assert_eq!(refusal.reason, Reason::OutcomeUnknown, "the lease ended at read {ends_at}");
        assert!(reads.load(std::sync::atomic::Ordering::SeqCst) >= ends_at);
        // With a new lease the node continues, and sees what was done.
        fixture.service.set_fresh_until_ms(u64::MAX);
        make(&fixture, "next").await.unwrap();
        assert!(titles(&fixture).contains(&"late".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflicting_write_inside_an_unknown_commit_is_not_acknowledged() {
    let fixture = fixture_in_memory().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let question = valetkey_service::rights::MANAGE_BUSINESS.on_asset(company.account, AssetKind::AdAccount);
    let note = |key: &str| Map::from_iter([(key.to_owned(), serde_json::Value::from("here"))]);
    let update = |key: &str| service.update_asset(&company.person, question, company.account, None, note(key));
    update("before").await.unwrap();
    // Both read the same version and are sent in one commit, whose answer is lost.
    let held = fixture.ground.store.lock_head().await.unwrap();
    let release = async {
        tokio::task::yield_now().await;
        fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::After);
        drop(held);
    };
    let (one, other, ()) = futures_util::future::join3(update("one"), update("other"), release).await;
    assert_ne!(one.unwrap().revision, other.unwrap().revision);
    let row = fixture.ground.store.contents(&[ContentId::of(company.account.any())]).await.unwrap().remove(0);
    let body: Map<String, serde_json::Value> = serde_json::from_str(&row.body).unwrap();
    let keys = ["before", "one", "other"].map(|key| body.contains_key(key));
    assert_eq!(keys, [true; 3], "a yes for what was not written");
}
