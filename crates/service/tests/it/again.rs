//! A node whose lease ran out folds what others wrote before it answers again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use valetkey_domain::rules::business::BusinessEdit;
use valetkey_domain::{BusinessId, Reason};
use valetkey_service::{Call, Service};
use valetkey_store::Store;
use valetkey_store::faulty::Fault;
use valetkey_testkit::random::SeededRandom;

use crate::altered::{Altered, Tale};
use crate::fixture::{Fixture, alive, answer, fixture, issue, name, reader};

/// A node whose lease has run out, and its store.
async fn lapsed(fixture: &Fixture, on: &Arc<AtomicBool>, tale: Tale) -> (Service, Arc<dyn Store>) {
    let altered = Altered { inner: Arc::clone(&fixture.ground.store), on: Arc::clone(on), tale };
    let store: Arc<dyn Store> = Arc::new(altered);
    let deps = fixture.ground.deps(Arc::clone(&store), Box::new(SeededRandom::new(2)), "lapsed");
    let node = Service::open(deps).await.unwrap();
    node.set_fresh_until_ms(0);
    (node, store)
}

/// Brings it up to date with its store, as a renewal of its lease does, and lets it answer.
async fn catch_up(node: &Service, store: &dyn Store) -> Result<u64, Reason> {
    let place = node.place().map_err(|r| r.reason)?;
    let head = store.head().await.map_err(|_| Reason::Unavailable)?;
    let revision = node.catch_up(place, head).await.map_err(|r| r.reason)?;
    node.set_fresh_until_ms(u64::MAX);
    Ok(revision)
}

async fn rename(service: &Service, business: BusinessId, to: &str) {
    let edit = BusinessEdit { name: Some(name(to)), ..BusinessEdit::default() };
    service.update_business(&Call::operator("x"), business, edit).await.unwrap();
}

fn name_of(service: &Service, business: BusinessId) -> String {
    reader(service).read(|s| s.business(business)).unwrap().unwrap().name.to_string()
}

#[tokio::test]
async fn it_folds_what_others_wrote_and_answers_no_longer_for_that() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let other = fixture.ground.stranger(3).await;
    service.set_fresh_until_ms(0);
    other.revoke_token(&company.person, company.robot_token.id).await.unwrap();
    let new = issue(&other, &company.person, company.robot, company.app).await;
    let place = service.place().unwrap();
    let revision = service.catch_up(place, fixture.ground.store.head().await.unwrap()).await.unwrap();
    assert_eq!(revision, other.revision());
    assert_eq!(fixture.ask(&company.robot_token, alive()), "not_fresh", "only a lease says that it may answer");
    service.set_fresh_until_ms(u64::MAX);
    assert_eq!(fixture.ask(&company.robot_token, alive()), "token_revoked", "the very first answer");
    assert_eq!([fixture.ask(&new, alive()), fixture.ask(&company.root_token, alive())], ["allow"; 2]);
    assert!(service.receipt(revision).unwrap().is_some());
    rename(service, company.business, "Behind it").await;
    assert_eq!(service.revision(), revision + 1);
}

#[tokio::test]
async fn a_gap_of_many_entries_is_folded_to_its_end() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let other = fixture.ground.stranger(3).await;
    service.set_fresh_until_ms(0);
    let names = (0..2_100).map(|n| name(&format!("N{n}")));
    let edits = names.map(|n| {
        let (other, business) = (other.clone(), company.business);
        async move {
            let edit = BusinessEdit { name: Some(n), ..BusinessEdit::default() };
            other.update_business(&Call::operator("x"), business, edit).await.unwrap();
        }
    });
    futures_util::future::join_all(edits).await;
    assert_eq!(catch_up(service, &fixture.ground.faulty).await, Ok(other.revision()));
    assert_eq!(name_of(service, company.business), name_of(&other, company.business));
}

#[tokio::test]
async fn a_store_that_fails_leaves_it_as_it_was_and_the_next_try_goes_on() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let other = fixture.ground.stranger(3).await;
    service.set_fresh_until_ms(0);
    rename(&other, company.business, "Elsewhere").await;
    for fails_at in 0..2 {
        let mut reads = 0;
        fixture.ground.faulty.follow(Box::new(move |_| {
            reads += 1;
            (reads > fails_at).then_some(Fault::Before)
        }));
        assert_eq!(catch_up(service, &fixture.ground.faulty).await, Err(Reason::Unavailable));
        assert!(!service.is_fresh());
    }
    fixture.ground.faulty.follow(Box::new(|_| None));
    catch_up(service, &fixture.ground.faulty).await.unwrap();
    assert_eq!(name_of(service, company.business), "Elsewhere");
}

#[tokio::test]
async fn a_ledger_that_does_not_fit_stops_the_node_for_good() {
    let mut followed = Vec::new();
    for tale in
        [Tale::UnknownAction, Tale::Forged, Tale::Shorter, Tale::Gap, Tale::OtherPast, Tale::OtherHead, Tale::OtherEnd]
    {
        let fixture = fixture().await;
        let on = Arc::new(AtomicBool::new(false));
        let (node, store) = lapsed(&fixture, &on, tale.clone()).await;
        // If the head did not change, the node follows without reading anything that could fail.
        catch_up(&node, &*store).await.unwrap();
        node.set_fresh_until_ms(0);
        on.store(true, Ordering::SeqCst);
        if !matches!(tale, Tale::Shorter | Tale::OtherHead) {
            rename(&fixture.service, fixture.company.business, "Elsewhere").await;
        }
        let first = catch_up(&node, &*store).await;
        on.store(false, Ordering::SeqCst);
        node.set_fresh_until_ms(u64::MAX);
        let second = catch_up(&node, &*store).await;
        let answer = answer(&node, &fixture.company.robot_token.text, alive());
        if (&first, &second, answer) != (&Err(Reason::NotFresh), &Err(Reason::NotFresh), "not_fresh") {
            followed.push(format!("{tale:?}: {first:?}, {second:?}, {answer}"));
        }
    }
    assert_eq!(followed, Vec::<String>::new());
}

#[tokio::test]
async fn what_the_writer_folded_meanwhile_is_not_folded_again() {
    let fixture = fixture().await;
    let business = fixture.company.business;
    let on = Arc::new(AtomicBool::new(false));
    let (read, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let late = Tale::Late { read: Arc::clone(&read), go: Arc::clone(&go) };
    let (node, store) = lapsed(&fixture, &on, late).await;
    node.set_fresh_until_ms(u64::MAX);
    rename(&fixture.service, business, "First").await;
    on.store(true, Ordering::SeqCst);
    let catching_up = tokio::spawn({
        let (node, store) = (node.clone(), Arc::clone(&store));
        async move { catch_up(&node, &*store).await }
    });
    read.notified().await;
    rename(&node, business, "Second").await;
    go.notify_one();
    let revision = catching_up.await.unwrap().unwrap();
    assert_eq!((revision, name_of(&node, business).as_str()), (node.revision(), "Second"));
    assert_eq!(node.revision(), fixture.ground.store.head().await.unwrap().revision);
    // The chain is known up to there, so the next entry fits.
    rename(&fixture.service, business, "Third").await;
    catch_up(&node, &*store).await.unwrap();
    assert_eq!(name_of(&node, business), "Third");
}
