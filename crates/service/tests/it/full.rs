//! A store that can't write: revocations take effect anyway, everything else is refused, and the node
//! reports it.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Map;
use valetkey_domain::credential::CredentialText;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::{Action, AssetKind, Id, Reason, Refusal, Role, Status, TokenId};
use valetkey_service::inspect::Inspected;
use valetkey_service::readiness::Writing;
use valetkey_service::token::TokenStatus;
use valetkey_service::{Call, Service};
use valetkey_store::Entry;
use valetkey_store::faulty::{Call as StoreCall, Fault};

use valetkey_testkit::ground::{Ground, SqliteStore};

use crate::fixture::{Company, Fixture, Issued, alive, answer, fixture_in_memory, issue, name, publish};

/// Lets each call of a sort fail from now on.
pub fn fail(fixture: &Fixture, failing: StoreCall, fault: Fault) {
    fixture.ground.faulty.follow(Box::new(move |call| (call == failing).then_some(fault)));
}

/// Lets nothing fail any more, and waits until the node is ready again.
pub async fn mend(fixture: &Fixture) {
    fixture.ground.faulty.follow(Box::new(|_| None));
    while !fixture.service.readiness().is_ready() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub async fn make(fixture: &Fixture, title: &str) -> Result<u64, Reason> {
    let company = &fixture.company;
    let made =
        fixture.service.create_asset(&company.person, AssetKind::Page, company.business, name(title), Map::new()).await;
    made.map(|done| done.revision).map_err(|refusal| refusal.reason)
}

pub async fn revoke(fixture: &Fixture, token: &Issued) -> Result<u64, Reason> {
    let done = fixture.service.revoke_token(&fixture.company.person, token.id).await;
    done.map(|done| done.revision).map_err(|refusal| refusal.reason)
}

async fn ledger(fixture: &Fixture) -> Vec<Entry> {
    fixture.ground.store.tail(0, 10_000).await.unwrap()
}

pub async fn entries_of(fixture: &Fixture, action: Action) -> Vec<Entry> {
    ledger(fixture).await.into_iter().filter(|e| e.action == action.as_str()).collect()
}

/// A page token of the EMPLOYEE system user.
async fn page_token(fixture: &Fixture) -> String {
    let company = &fixture.company;
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let tokens = fixture.service.page_tokens(&company.robot_token.call(), &[company.page]).await.unwrap();
    tokens[0].1.reveal().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_full_store_refuses_changes_and_a_revocation_bites_at_once_and_is_written_later() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    let token = &company.robot_token;
    let before = fixture.service.revision();
    assert_eq!(fixture.service.readiness().to_string(), "ready\n");
    fail(&fixture, StoreCall::Commit, Fault::Full);
    assert_eq!(make(&fixture, "no").await, Err(Reason::Unavailable));
    assert_eq!(fixture.service.readiness().writing, Writing::Fails);
    assert_eq!(revoke(&fixture, token).await, Err(Reason::NotDurable));
    assert_eq!(fixture.ask(token, alive()), "token_revoked");
    let readiness = fixture.service.readiness();
    assert!(!readiness.is_ready() && readiness.is_fresh && readiness.not_durable == 1, "{readiness:?}");
    insta::assert_snapshot!(readiness.to_string(), @r"
    the store can't write; reads and checks go on
    1 revocation is in force on this node and not written yet; it is lost if the node stops
    ");
    // Other tokens still work, and a narrowing that is no revocation is refused.
    assert_eq!(fixture.ask(&company.root_token, alive()), "allow");
    let unassigned = fixture.service.unassign(&company.person, company.page, company.robot).await;
    assert_eq!(unassigned.unwrap_err().reason, Reason::Unavailable);
    assert_eq!(make(&fixture, "no").await, Err(Reason::Unavailable));
    // The second time changes nothing and is not done either.
    assert_eq!(revoke(&fixture, token).await, Err(Reason::NotDurable));
    assert_eq!(fixture.service.revision(), before, "nothing was written");
    mend(&fixture).await;
    assert_eq!(fixture.ask(token, alive()), "token_revoked");
    let revoked = entries_of(&fixture, Action::TokenRevoked).await;
    assert_eq!(revoked.len(), 1);
    assert_eq!((revoked[0].revision, fixture.service.revision()), (before + 1, before + 1));
    assert_eq!(revoked[0].actor.id, Some(company.admin_person.any()), "as who asked for it");
    assert!(fixture.service.receipt(before + 1).unwrap().is_some());
    assert_eq!(answer(&fixture.ground.node(9).await, &token.text, alive()), "token_revoked");
    assert!(make(&fixture, "yes").await.is_ok());
    // Once it is written, what is on record decides alone.
    assert_eq!(revoke(&fixture, token).await, Ok(fixture.service.revision()));
}

type Revocation = for<'a> fn(&'a Service, &'a Call, &'a Company) -> BoxFuture<'a, Result<(), Refusal>>;

fn off(status: Status) -> SystemUserEdit {
    SystemUserEdit { status: Some(status), ..SystemUserEdit::default() }
}

/// Everything that takes a credential away, and the reason that its holder gets.
const REVOCATIONS: &[(&str, &str, Revocation)] = &[
    ("one token", "token_revoked", |s, by, c| {
        async move { s.revoke_token(by, c.robot_token.id).await.map(drop) }.boxed()
    }),
    ("all of a user", "token_revoked", |s, by, c| {
        async move { s.revoke_tokens(by, c.robot, None).await.map(drop) }.boxed()
    }),
    ("all of a user for an app", "token_revoked", |s, by, c| {
        async move { s.revoke_tokens(by, c.robot, Some(c.app)).await.map(drop) }.boxed()
    }),
    ("with all that came from it", "token_revoked", |s, by, c| {
        async move { s.revoke_token_with_descendants(by, c.robot_token.id).await.map(drop) }.boxed()
    }),
    ("by its text", "token_revoked", |s, by, c| {
        let app = s.prove_app(c.app, &c.secret).unwrap();
        async move { s.revoke_token_text(by, app, &c.robot_token.text).await.map(drop) }.boxed()
    }),
    ("deactivate", "user_deactivated", |s, by, c| {
        async move { s.update_system_user(by, c.robot, off(Status::Deactivated)).await.map(drop) }.boxed()
    }),
    ("delete", "user_deleted", |s, by, c| async move { s.delete_system_user(by, c.robot).await.map(drop) }.boxed()),
    ("uninstall", "token_revoked", |s, by, c| {
        async move { s.uninstall_app(by, c.robot, c.app, false).await.map(drop) }.boxed()
    }),
    ("disconnect", "app_disconnected", |s, by, c| {
        async move { s.disconnect_app(by, c.business, c.app).await.map(drop) }.boxed()
    }),
];

#[tokio::test(start_paused = true)]
async fn every_revocation_bites_and_is_written_later_and_page_tokens_die_with_it() {
    for (case, heard, revocation) in REVOCATIONS {
        let fixture = fixture_in_memory().await;
        let company = &fixture.company;
        let page = page_token(&fixture).await;
        let robot = &company.robot_token;
        assert_eq!(answer(&fixture.service, &page, publish(company.page)), "allow");
        fail(&fixture, StoreCall::Commit, Fault::Full);
        for attempt in ["first", "second"] {
            let refusal = revocation(&fixture.service, &company.person, company).await.unwrap_err();
            assert_eq!(refusal.reason, Reason::NotDurable, "{case}, {attempt}: {refusal}");
        }
        let asked = || (fixture.ask(robot, alive()), answer(&fixture.service, &page, publish(company.page)));
        let in_force = asked();
        assert_eq!(in_force, (*heard, *heard), "{case}");
        let refused = fixture.service.ask(&Call::with_token(&page, "t"), publish(company.page)).unwrap_err();
        assert_eq!(refused.reason.as_str(), *heard, "{case}");
        assert_eq!(fixture.ask(&fixture.agency.root_token, alive()), "allow", "{case}");
        for text in [&robot.text, &page] {
            let found = fixture.service.inspect(&Call::with_token(text, "t"), text).unwrap();
            let Inspected::Token(found) = found else { panic!("{case}: {found:?}") };
            assert_eq!(found.reason.map(Reason::as_str), Some(*heard), "{case}");
        }
        let listed = fixture.service.get_token(&company.person, company.robot_token.id).await.unwrap();
        assert_ne!(listed.status, TokenStatus::Live, "{case}");
        mend(&fixture).await;
        assert_eq!(asked(), in_force, "{case}: what is on record says the same");
        let fresh = fixture.ground.node(9).await;
        assert_eq!(
            (answer(&fresh, &robot.text, alive()), fresh.revision()),
            (*heard, fixture.service.revision()),
            "{case}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_token_that_was_not_known_yet_dies_with_its_parent_too() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    // Its commit is done, and nobody knows for a while; afterwards nothing can be written.
    fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::After);
    let (mut locks, mut is_known) = (0, false);
    fixture.ground.faulty.follow(Box::new(move |call| {
        locks += usize::from(call == StoreCall::LockHead);
        is_known |= locks > 90;
        let is_away = call == StoreCall::LockHead && !is_known && locks > 1;
        (is_away || call == StoreCall::Commit && is_known).then_some(Fault::Before)
    }));
    let call = company.robot_token.call();
    let derived = fixture.service.page_tokens(&call, &[company.page]).await.unwrap_err();
    assert_eq!(derived.reason, Reason::OutcomeUnknown);
    assert_eq!(revoke(&fixture, &company.robot_token).await, Err(Reason::NotDurable));
    while fixture.service.readiness().writing == Writing::OutcomeUnknown {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let page = CredentialText::for_page(&company.robot_token.text, company.page, 0);
    assert_eq!(fixture.service.readiness().not_durable, 1);
    assert_eq!(answer(&fixture.service, page.reveal(), publish(company.page)), "token_revoked");
    mend(&fixture).await;
    assert_eq!(answer(&fixture.service, page.reveal(), publish(company.page)), "token_revoked");
}

#[tokio::test(start_paused = true)]
async fn a_person_who_is_switched_off_or_deleted_is_off_at_once() {
    for (status, heard) in [(Status::Deactivated, "user_deactivated"), (Status::Deleted, "user_deleted")] {
        let fixture = fixture_in_memory().await;
        let company = &fixture.company;
        let root = company.root_token.call();
        let bea =
            fixture.service.create_person(&root, company.business, name("Bea"), "bea@rad.example", Role::Admin).await;
        bea.unwrap();
        fail(&fixture, StoreCall::Commit, Fault::Full);
        let edit = PersonEdit { status: Some(status), ..PersonEdit::default() };
        let said = fixture.service.update_person(&root, company.admin_person, edit).await.unwrap_err();
        assert_eq!(said.reason, Reason::NotDurable);
        assert_eq!(answer(&fixture.service, company.person.text().unwrap(), alive()), heard);
        mend(&fixture).await;
        assert_eq!(answer(&fixture.ground.node(9).await, company.person.text().unwrap(), alive()), heard);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_that_contradict_each_other_the_second_is_decided_on_the_first() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    let root = company.root_token.call();
    let bea = fixture.service.create_person(&root, company.business, name("Bea"), "bea@rad.example", Role::Admin).await;
    let bea = bea.unwrap().value;
    fail(&fixture, StoreCall::Commit, Fault::Full);
    let off = || PersonEdit { status: Some(Status::Deactivated), ..PersonEdit::default() };
    let one = fixture.service.update_person(&root, company.admin_person, off()).await;
    let other = fixture.service.update_person(&root, bea, off()).await;
    assert_eq!(one.unwrap_err().reason, Reason::NotDurable);
    assert_eq!(other.unwrap_err().reason, Reason::Unavailable, "the last ADMIN stays");
    mend(&fixture).await;
    let other = fixture.service.update_person(&root, bea, off()).await;
    assert_eq!(other.unwrap_err().reason, Reason::LastAdmin);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_widened_before_what_is_in_force_is_written() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    let robot = company.robot;
    fail(&fixture, StoreCall::Commit, Fault::Full);
    let set = |status| fixture.service.update_system_user(&company.person, robot, off(status));
    assert_eq!(set(Status::Deactivated).await.unwrap_err().reason, Reason::NotDurable);
    assert_eq!(set(Status::Active).await.unwrap_err().reason, Reason::Unavailable);
    assert_eq!(fixture.ask(&company.robot_token, alive()), "user_deactivated");
    mend(&fixture).await;
    assert_eq!(fixture.ask(&company.robot_token, alive()), "user_deactivated");
    set(Status::Active).await.unwrap();
    assert_eq!(fixture.ask(&company.robot_token, alive()), "allow");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_force_is_written_although_its_caller_lost_the_right_meanwhile() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    let root = company.root_token.call();
    fail(&fixture, StoreCall::Commit, Fault::Full);
    // It takes away another token, and then its own.
    for id in [company.robot_token.id, company.root_token.id] {
        assert_eq!(fixture.service.revoke_token(&root, id).await.unwrap_err().reason, Reason::NotDurable);
    }
    // A token that is revoked on this node can't revoke anything more.
    let third = fixture.service.revoke_tokens(&root, company.robot, None).await.unwrap_err();
    assert_eq!(third.reason, Reason::TokenRevoked);
    mend(&fixture).await;
    let revoked = entries_of(&fixture, Action::TokenRevoked).await;
    let by: Vec<(Option<TokenId>, Id)> = revoked.iter().map(|e| (e.actor.token, e.subjects[0])).collect();
    let itself = Some(company.root_token.id);
    assert_eq!(
        by,
        [(itself, company.robot_token.id.any()), (itself, company.root_token.id.any())],
        "in the order of the calls"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_has_no_right_hears_that_and_nothing_is_blocked() {
    let fixture = fixture_in_memory().await;
    let (company, stranger) = (&fixture.company, fixture.agency.root_token.call());
    for call in [StoreCall::Commit, StoreCall::LockHead] {
        fail(&fixture, call, Fault::Full);
        assert_eq!(make(&fixture, "no").await, Err(Reason::Unavailable));
        let foreign = fixture.service.revoke_token(&stranger, company.robot_token.id).await.unwrap_err();
        let never = fixture.service.revoke_token(&stranger, Id::new(12_345).unwrap()).await.unwrap_err();
        assert_eq!((foreign.reason, never.reason), (Reason::NotVisible, Reason::NotVisible), "{call:?}");
        let own = company.robot_token.call();
        let other = fixture.service.revoke_token(&own, company.root_token.id).await.unwrap_err();
        assert_eq!(other.reason, Reason::RoleInsufficient, "{call:?}");
        assert_eq!(fixture.ask(&company.robot_token, alive()), "allow");
        assert_eq!(fixture.service.readiness().not_durable, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_that_is_gone_by_then_lifts_its_block() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    let other = fixture.ground.stranger(3).await;
    fail(&fixture, StoreCall::Commit, Fault::Full);
    let uninstalled = fixture.service.uninstall_app(&company.person, company.robot, company.app, false).await;
    assert_eq!(uninstalled.unwrap_err().reason, Reason::NotDurable);
    // Another node has done it meanwhile.
    other.uninstall_app(&company.person, company.robot, company.app, false).await.unwrap();
    mend(&fixture).await;
    assert_eq!(fixture.service.revision(), other.revision());
    assert_eq!(entries_of(&fixture, Action::AppUninstalled).await.len(), 1);
    assert_eq!(fixture.ask(&company.robot_token, alive()), "token_revoked");
    // No block is left: a newly issued token works.
    fixture.service.install_app(&company.person, company.robot, company.app).await.unwrap();
    let new = issue(&fixture.service, &company.person, company.robot, company.app).await;
    assert_eq!(fixture.ask(&new, alive()), "allow");
}

#[tokio::test(start_paused = true)]
async fn a_revocation_that_the_store_kept_space_for_does_not_make_a_node_ready() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    // Every commit fails but the one of the revocation, behind a first command and a trial.
    let mut commits = 0;
    fixture.ground.faulty.follow(Box::new(move |call| {
        commits += usize::from(call == StoreCall::Commit);
        (call == StoreCall::Commit && commits != 3).then_some(Fault::Full)
    }));
    assert_eq!(make(&fixture, "no").await, Err(Reason::Unavailable));
    // The node tries at once whether something else can be written.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(revoke(&fixture, &company.robot_token).await, Ok(fixture.service.revision()));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(fixture.service.readiness().writing, Writing::Fails);
    mend(&fixture).await;
}

#[tokio::test(start_paused = true)]
async fn use_counts_that_find_no_space_show_that_nothing_can_be_written() {
    let fixture = fixture_in_memory().await;
    assert_eq!(fixture.ask(&fixture.company.robot_token, alive()), "allow");
    fixture.service.ask(&Call::with_token("nonsense", "t"), alive()).unwrap_err();
    fixture
        .ground
        .faulty
        .follow(Box::new(|call| matches!(call, StoreCall::Telemetry | StoreCall::Commit).then_some(Fault::Full)));
    fixture.flush().await;
    assert_eq!(fixture.service.readiness().writing, Writing::Fails);
    mend(&fixture).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_finds_out_by_itself_that_its_store_can_write_again() {
    let fixture = fixture_in_memory().await;
    for (call, fault) in [(StoreCall::Commit, Fault::Full), (StoreCall::LockHead, Fault::Before)] {
        fail(&fixture, call, fault);
        assert_eq!(make(&fixture, "no").await, Err(Reason::Unavailable));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(fixture.service.readiness().writing, Writing::Fails, "{call:?}");
        mend(&fixture).await;
    }
}

/// A company on a small disk that is as good as full, with some tokens to revoke.
async fn on_a_full_disk(has_reserve: bool) -> (Fixture, SqliteStore, Vec<Issued>) {
    let (ground, store) = Ground::on_a_small_disk(400, has_reserve);
    let fixture = Fixture::on(ground).await;
    let company = &fixture.company;
    let mut tokens = Vec::new();
    for _ in 0..60 {
        tokens.push(issue(&fixture.service, &company.person, company.robot, company.app).await);
    }
    // Large things first and small ones last, until nothing fits.
    for length in [60_000, 6_000, 600, 1] {
        let details = || Map::from_iter([("note".to_owned(), serde_json::Value::from("x".repeat(length)))]);
        let mut made = Ok(0);
        while made.is_ok() {
            let one =
                fixture.service.create_asset(&company.person, AssetKind::Page, company.business, name("P"), details());
            made = one.await.map(|done| done.revision).map_err(|refusal| refusal.reason);
        }
        assert_eq!(made, Err(Reason::Unavailable));
    }
    (fixture, store, tokens)
}

#[tokio::test]
async fn on_a_full_disk_a_revocation_bites_and_is_written_when_there_is_space() {
    let (fixture, store, tokens) = on_a_full_disk(false).await;
    let company = &fixture.company;
    // What is left in half empty pages takes a few.
    let mut refused = None;
    for token in &tokens {
        match revoke(&fixture, token).await {
            Ok(revision) => assert_eq!(revision, fixture.service.revision()),
            Err(reason) => {
                assert_eq!(reason, Reason::NotDurable);
                refused = Some(token);
                break;
            }
        }
        assert_eq!(fixture.ask(token, alive()), "token_revoked");
    }
    let token = refused.expect("the disk is not full");
    let before = fixture.ground.store.head().await.unwrap().revision;
    assert_eq!(fixture.ask(token, alive()), "token_revoked");
    assert_eq!(fixture.ask(&company.root_token, alive()), "allow");
    let readiness = fixture.service.readiness();
    assert!(!readiness.is_ready() && readiness.not_durable == 1, "{readiness:?}");
    assert_eq!(make(&fixture, "P").await, Err(Reason::Unavailable));
    // Somebody makes space.
    store.run_past_the_store("PRAGMA max_page_count = 1000".to_owned()).await.unwrap();
    while !fixture.service.readiness().is_ready() {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.service.revision(), before + 1);
    let entry = fixture.ground.store.tail(before, 1).await.unwrap().remove(0);
    assert_eq!((entry.action.as_str(), entry.subjects[0]), ("token_revoked", token.id.any()));
    assert_eq!(fixture.ask(token, alive()), "token_revoked");
    assert!(fixture.service.receipt(before + 1).unwrap().is_some());
    assert_eq!(answer(&fixture.ground.node(9).await, &token.text, alive()), "token_revoked");
    assert!(make(&fixture, "P").await.is_ok());
}

#[tokio::test]
async fn on_a_full_disk_the_reserve_lets_revocations_be_written() {
    let (fixture, _store, tokens) = on_a_full_disk(true).await;
    for token in &tokens {
        let revision = revoke(&fixture, token).await.unwrap();
        assert_eq!(revision, fixture.ground.store.head().await.unwrap().revision);
        assert_eq!(fixture.ask(token, alive()), "token_revoked");
    }
    // It is for them alone.
    let company = &fixture.company;
    let large = Map::from_iter([("note".to_owned(), serde_json::Value::from("x".repeat(60_000)))]);
    let made = fixture.service.create_asset(&company.person, AssetKind::Page, company.business, name("P"), large).await;
    assert_eq!(made.unwrap_err().reason, Reason::Unavailable);
}
