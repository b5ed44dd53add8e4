//! Random sources that are stuck, empty, or worse.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::Map;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::rules::token::Lifetime;
use valetkey_domain::{AssetKind, Random, Reason};
use valetkey_service::OpenError;
use valetkey_store::faulty::{Call as StoreCall, Fault};
use valetkey_testkit::random::{ConstantRandom, NoRandom, SeededRandom};

use crate::fixture::{Fixture, Ground, alive, fixture, name, operator, try_issue};

/// A fixture whose second node has a generator that is stuck.
async fn stuck() -> Fixture {
    let mut fixture = fixture().await;
    fixture.service = fixture.ground.open(Box::new(ConstantRandom(9))).await.unwrap();
    fixture
}

#[tokio::test]
async fn a_stuck_generator_breaks_no_ids() {
    let fixture = stuck().await;
    let company = &fixture.company;
    let mut ids = std::collections::BTreeSet::new();
    for n in 0..300 {
        let made = fixture.service.create_asset(
            &company.person,
            AssetKind::Page,
            company.business,
            name(&n.to_string()),
            Map::new(),
        );
        assert!(ids.insert(made.await.unwrap().value));
    }
}

#[tokio::test]
async fn a_stuck_generator_makes_no_credential_twice() {
    let fixture = stuck().await;
    let company = &fixture.company;
    let first =
        try_issue(&fixture.service, &company.person, company.robot, company.app, Lifetime::Never).await.unwrap();
    let second =
        try_issue(&fixture.service, &company.person, company.robot, company.app, Lifetime::Never).await.unwrap_err();
    assert_eq!(second.reason, Reason::Fault);
    assert_eq!(fixture.ask(&first, alive()), "allow");
    // A person's token has another prefix, so it is another text.
    let code = fixture.service.create_sign_in_code(&operator(), company.admin_person).await.unwrap().value;
    let again = fixture.service.create_sign_in_code(&operator(), company.admin_person).await.unwrap_err();
    assert_eq!(again.reason, Reason::Fault);
    fixture.service.redeem_sign_in_code("t", code.reveal(), PersonToken::CommandLine).await.unwrap();
}

#[tokio::test]
async fn a_stuck_generator_confuses_no_commits() {
    let fixture = stuck().await;
    let company = &fixture.company;
    let make =
        || fixture.service.create_asset(&company.person, AssetKind::Page, company.business, name("P"), Map::new());
    for _ in 0..3 {
        make().await.unwrap();
    }
    // A lost commit is looked up by its id; an earlier commit must not have the same id.
    fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::Lost);
    assert_eq!(make().await.unwrap_err().reason, Reason::Unavailable);
    fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::After);
    let done = make().await.unwrap();
    assert_eq!(done.revision, fixture.ground.store.head().await.unwrap().revision);
}

#[tokio::test]
async fn without_random_bytes_a_service_does_not_start() {
    let opened = Ground::new().await.open(Box::new(NoRandom)).await;
    assert!(matches!(opened, Err(OpenError::Random)));
}

/// What the source of the next test does.
const WORKS: u8 = 0;
const FAILS: u8 = 1;
const PANICS: u8 = 2;

struct Moody(Arc<AtomicU8>, SeededRandom);

impl Random for Moody {
    fn fill(&mut self, buffer: &mut [u8]) -> bool {
        match self.0.load(Ordering::SeqCst) {
            PANICS if buffer.len() == valetkey_domain::credential::RANDOM_BYTES => {
                panic!("the generator panics on purpose")
            }
            FAILS => false,
            _ => self.1.fill(buffer),
        }
    }
}

#[tokio::test]
async fn a_generator_that_fails_costs_the_command_and_nothing_else() {
    let mut fixture = fixture().await;
    let mood = Arc::new(AtomicU8::new(WORKS));
    fixture.service = fixture.ground.open(Box::new(Moody(Arc::clone(&mood), SeededRandom::new(4)))).await.unwrap();
    let company = &fixture.company;
    let before = fixture.service.revision();
    let issue = || try_issue(&fixture.service, &company.person, company.robot, company.app, Lifetime::Never);
    let make =
        || fixture.service.create_asset(&company.person, AssetKind::Page, company.business, name("P"), Map::new());
    mood.store(FAILS, Ordering::SeqCst);
    assert_eq!(issue().await.unwrap_err().reason, Reason::Fault);
    assert_eq!(make().await.unwrap_err().reason, Reason::Fault, "no salt, no commit");
    assert_eq!(fixture.ground.store.head().await.unwrap().revision, before);
    mood.store(WORKS, Ordering::SeqCst);
    issue().await.unwrap();
}

#[tokio::test]
async fn a_panic_costs_one_command() {
    let mut fixture = fixture().await;
    let mood = Arc::new(AtomicU8::new(WORKS));
    fixture.service = fixture.ground.open(Box::new(Moody(Arc::clone(&mood), SeededRandom::new(4)))).await.unwrap();
    let company = &fixture.company;
    let issue = || try_issue(&fixture.service, &company.person, company.robot, company.app, Lifetime::Never);
    let make =
        || fixture.service.create_asset(&company.person, AssetKind::Page, company.business, name("P"), Map::new());
    mood.store(PANICS, Ordering::SeqCst);
    let (broken, whole) = futures_util::future::join(issue(), make()).await;
    assert_eq!(broken.unwrap_err().reason, Reason::Fault);
    whole.unwrap();
    mood.store(WORKS, Ordering::SeqCst);
    issue().await.unwrap();
    assert_eq!(fixture.ask(&company.robot_token, alive()), "allow");
}
