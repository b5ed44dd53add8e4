//! Commands that are committed together, on one node and on two.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future;
use serde_json::Map;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::{AssetKind, Reason, Role, Status};
use valetkey_service::Service;
use valetkey_service::operator::Operator;
use valetkey_store::Faulty;
use valetkey_store::faulty::{Call as StoreCall, Fault};

use crate::fixture::{Fixture, Ground, fixture, name, operator, reader};

/// Counts the commits of a store.
fn count_commits(faulty: &Faulty) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    faulty.follow(Box::new(move |call| {
        counter.fetch_add(usize::from(call == StoreCall::Commit), Ordering::SeqCst);
        None
    }));
    count
}

#[tokio::test]
async fn a_thousand_commands_share_a_few_commits() {
    let fixture = fixture().await;
    let company = &fixture.company;
    let commits = count_commits(&fixture.ground.faulty);
    let before = fixture.service.revision();
    let commands = (0..1_000).map(|n| {
        fixture.service.create_asset(
            &company.person,
            AssetKind::Page,
            company.business,
            name(&format!("Page {n}")),
            Map::new(),
        )
    });
    let done = future::join_all(commands).await;
    let mut revisions: Vec<u64> = done.iter().map(|d| d.as_ref().unwrap().revision).collect();
    let mut ids: Vec<_> = done.iter().map(|d| d.as_ref().unwrap().value).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (before + 1..=before + 1_000).collect::<Vec<_>>());
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1_000);
    let commits = commits.load(Ordering::SeqCst);
    // The runtime lets the sender go on for a hundred or so messages at a time.
    assert!(commits <= 32, "{commits} commits for 1,000 commands");
    let head = fixture.service.head().await.unwrap();
    assert_eq!(head.revision, before + 1_000);
}

/// Sends commands while the head is held, so that the writer takes them as one batch.
async fn together<T>(fixture: &Fixture, commands: impl Future<Output = T>) -> T {
    let held = fixture.ground.store.lock_head().await.unwrap();
    let release = async {
        tokio::task::yield_now().await;
        drop(held);
    };
    future::join(commands, release).await.0
}

async fn two_admins(fixture: &Fixture) -> (valetkey_domain::UserId, valetkey_domain::UserId) {
    let company = &fixture.company;
    let root = company.root_token.call();
    let made =
        fixture.service.create_person(&root, company.business, name("Bea"), "bea@rad.example", Role::Admin).await;
    (company.admin_person, made.unwrap().value)
}

fn gone() -> PersonEdit {
    PersonEdit { status: Some(Status::Deleted), ..PersonEdit::default() }
}

#[tokio::test]
async fn of_two_commands_in_one_batch_that_contradict_each_other_one_is_done() {
    let fixture = fixture().await;
    let (ada, bea) = two_admins(&fixture).await;
    let root = fixture.company.root_token.call();
    let (one, other) = together(&fixture, async {
        future::join(
            fixture.service.update_person(&root, ada, gone()),
            fixture.service.update_person(&root, bea, gone()),
        )
        .await
    })
    .await;
    assert!(one.is_ok());
    assert_eq!(other.unwrap_err().reason, Reason::LastAdmin);
}

#[tokio::test]
async fn two_nodes_do_not_remove_the_last_two_admins() {
    for round in 0..20 {
        let fixture = fixture().await;
        let (ada, bea) = two_admins(&fixture).await;
        let other_node = fixture.ground.stranger(1_000 + round).await;
        let root = fixture.company.root_token.call();
        let (one, other) = future::join(
            fixture.service.update_person(&root, ada, gone()),
            other_node.update_person(&root, bea, gone()),
        )
        .await;
        let failed = [one.err(), other.err()];
        assert_eq!(failed.iter().flatten().count(), 1, "{failed:?}");
        assert_eq!(failed.into_iter().flatten().next().unwrap().reason, Reason::LastAdmin);
    }
}

#[tokio::test]
async fn a_node_that_was_behind_decides_on_what_the_other_did() {
    let fixture = fixture().await;
    let company = &fixture.company;
    let other_node: Service = fixture.ground.node(5).await;
    fixture.service.revoke_token(&company.person, company.root_token.id).await.unwrap();
    // The other node does not know it yet, but its write is decided on the newest state.
    let root = company.root_token.call();
    let asset = other_node.create_asset(&root, AssetKind::Page, company.business, name("P"), Map::new());
    assert_eq!(asset.await.unwrap_err().reason, Reason::TokenRevoked);
    assert_eq!(other_node.revision(), fixture.service.revision());
}

#[tokio::test]
async fn two_nodes_with_the_same_start_do_not_draw_the_same_ids() {
    let ground = Ground::new().await;
    let (one, two) = (ground.node(3).await, ground.node(3).await);
    let make = |service: Service, n: usize| async move {
        let email = format!("a{n}@example.com");
        service.create_business(&operator(), name("B"), name("A"), &email).await.unwrap().value.0
    };
    let made = (0..40).map(|n| make(if n % 2 == 0 { one.clone() } else { two.clone() }, n));
    let mut ids = future::join_all(made).await;
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}

#[tokio::test]
async fn a_command_with_nothing_left_to_do_waits_for_the_one_that_did_it() {
    let fixture = fixture().await;
    let company = &fixture.company;
    // Both ask for the same; the second finds it planned, but nothing is written: the commit fails.
    let tasks = || crate::fixture::tasks(&["ANALYZE"]);
    let assign = || fixture.service.assign(&company.person, company.page, company.robot, tasks());
    let assigned = || reader(&fixture.service).read(|s| s.assignment(company.robot, company.page)).unwrap().is_some();
    let (one, other) = together(&fixture, async {
        fixture.ground.faulty.follow(fail_commit());
        future::join(assign(), assign()).await
    })
    .await;
    assert_eq!(one.unwrap_err().reason, Reason::Unavailable);
    assert_eq!(other.unwrap_err().reason, Reason::Unavailable, "a yes for what was not done");
    assert!(!assigned());
    let (one, other) = together(&fixture, async { future::join(assign(), assign()).await }).await;
    assert_eq!(one.unwrap().revision, other.unwrap().revision);
    assert!(assigned());
}

#[tokio::test]
async fn a_revocation_is_tried_on_its_own_when_the_commit_that_it_shared_has_failed() {
    let fixture = fixture().await;
    let company = &fixture.company;
    let commits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&commits);
    let revoke = || fixture.service.revoke_token(&company.person, company.robot_token.id);
    let make = fixture.service.create_asset(&company.person, AssetKind::Page, company.business, name("P"), Map::new());
    let (one, (other, made)) = together(&fixture, async {
        fixture.ground.faulty.follow(Box::new(move |call| {
            let nth = counter.fetch_add(usize::from(call == StoreCall::Commit), Ordering::SeqCst);
            (call == StoreCall::Commit && nth == 0).then_some(Fault::Full)
        }));
        future::join(revoke(), future::join(revoke(), make)).await
    })
    .await;
    assert_eq!(made.unwrap_err().reason, Reason::Unavailable);
    assert_eq!(one.unwrap().revision, fixture.service.revision());
    assert_eq!(other.unwrap().revision, fixture.service.revision(), "it rested on the first");
    assert_eq!(fixture.ask(&company.robot_token, crate::fixture::alive()), "token_revoked");
    assert_eq!(fixture.ground.store.head().await.unwrap().revision, fixture.service.revision());
    // The node finds out by itself that anything else can be written too.
    while !fixture.service.readiness().is_ready() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_refusal_that_rests_on_a_failed_command_is_not_answered() {
    let fixture = fixture().await;
    let (ada, bea) = two_admins(&fixture).await;
    let root = fixture.company.root_token.call();
    let demote = |id| {
        let edit = PersonEdit { role: Some(Role::Employee), ..PersonEdit::default() };
        fixture.service.update_person(&root, id, edit)
    };
    let (one, other) = together(&fixture, async {
        fixture.ground.faulty.follow(fail_commit());
        future::join(demote(ada), demote(bea)).await
    })
    .await;
    assert_eq!(one.unwrap_err().reason, Reason::Unavailable);
    assert_eq!(other.unwrap_err().reason, Reason::Unavailable, "bea was never the last ADMIN");
    assert!(demote(bea).await.is_ok());
}

/// Lets the next commit fail without effect.
fn fail_commit() -> valetkey_store::faulty::Schedule {
    let mut failed = false;
    Box::new(move |call| {
        let now = call == StoreCall::Commit && !failed;
        failed |= now;
        now.then_some(Fault::Before)
    })
}

#[tokio::test]
async fn an_asset_gets_its_name_and_its_details_in_one_commit() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let question = valetkey_service::rights::MANAGE_BUSINESS.on_asset(company.account, AssetKind::AdAccount);
    let details = |value: &str| serde_json::Map::from_iter([("note".to_owned(), serde_json::Value::from(value))]);
    let update = |new: Option<&str>, changes| {
        service.update_asset(&company.person, question, company.account, new.map(name), changes)
    };
    let seen = |wanted: (&'static str, &'static str)| async move {
        let found = reader(service).read(|s| s.asset(company.account)).unwrap().unwrap().name.to_string();
        let kept =
            Some(Operator::of(service, "t").details(company.account).await.unwrap()).filter(|kept| !kept.is_empty());
        let note = kept.and_then(|k| k["note"].as_str().map(str::to_owned)).unwrap_or_default();
        assert_eq!((found.as_str(), note.as_str()), wanted);
    };
    let before = service.revision();
    assert_eq!(update(Some("Both"), details("one")).await.unwrap().revision, before + 1);
    seen(("Both", "one")).await;
    // A commit that fails leaves neither behind.
    fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::Before);
    update(Some("Lost"), details("lost")).await.unwrap_err();
    seen(("Both", "one")).await;
    // If the details change meanwhile, the write is tried again.
    let (first, second) = futures_util::future::join(
        update(Some("Third"), details("two")),
        update(None, serde_json::Map::from_iter([("other".to_owned(), serde_json::Value::from("kept"))])),
    )
    .await;
    assert_ne!(first.unwrap().revision, second.unwrap().revision);
    seen(("Third", "two")).await;
    assert_eq!(Operator::of(service, "t").details(company.account).await.unwrap()["other"], "kept");
    // An update to the name that it already has, and an empty update.
    let before = service.revision();
    assert_eq!(update(Some("Third"), details("three")).await.unwrap().revision, before + 1);
    assert_eq!(update(Some("Third"), serde_json::Map::new()).await.unwrap().revision, before + 1);
    assert_eq!(update(None, serde_json::Map::new()).await.unwrap().revision, before + 1);
    seen(("Third", "three")).await;
}
