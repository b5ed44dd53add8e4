//! A node that can't show that it is fresh does not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use valetkey_domain::change::{Actor, ActorKind};
use valetkey_domain::credential::Digest;
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{Action, Change, ChangeSet, Id, Random, Reason, Record, ScopeSet};
use valetkey_service::{OpenError, Service};
use valetkey_store::{Batch, Write};
use valetkey_testkit::clock::{HOUR_MS, TestClock};
use valetkey_testkit::random::SeededRandom;

use crate::altered::{Altered, Tale};
use crate::fixture::{Fixture, alive, answer, fixture, name};

async fn rename(service: &Service, fixture: &Fixture) -> Result<u64, Reason> {
    let edit = valetkey_domain::rules::business::BusinessEdit { name: Some(name("New")), ..Default::default() };
    let done = service.update_business(&fixture.company.person, fixture.company.business, edit).await;
    done.map(|d| d.revision).map_err(|r| r.reason)
}

#[tokio::test]
async fn a_lease_that_ran_out_stops_the_answers_and_a_new_one_brings_them_back() {
    let fixture = fixture().await;
    let (service, token) = (&fixture.service, &fixture.company.robot_token);
    let start = HOUR_MS.unsigned_abs();
    service.set_fresh_until_ms(start + 5_000);
    fixture.ground.clock.advance_ms(4_999);
    assert_eq!(fixture.ask(token, alive()), "allow");
    fixture.ground.clock.advance_ms(1);
    assert_eq!(fixture.ask(token, alive()), "not_fresh");
    assert_eq!(service.ask(&token.call(), alive()).unwrap_err().reason, Reason::NotFresh);
    assert_eq!(rename(service, &fixture).await, Err(Reason::NotFresh));
    assert_eq!(service.receipt(1).unwrap_err().reason, Reason::NotFresh);
    assert!(!service.is_fresh());
    service.set_fresh_until_ms(start + 9_000);
    assert_eq!(fixture.ask(token, alive()), "allow");
    // A wall clock that goes back does not make the node fresh for longer.
    fixture.ground.clock.set(0);
    fixture.ground.clock.advance_ms(4_000);
    assert_eq!(fixture.ask(token, alive()), "not_fresh");
}

/// A random source that takes so long, between the plan and the commit, that the lease runs out.
struct Slow(Arc<TestClock>, SeededRandom, Arc<AtomicBool>);

impl Random for Slow {
    fn fill(&mut self, buffer: &mut [u8]) -> bool {
        if self.2.load(Ordering::SeqCst) {
            self.0.advance_ms(10_000);
        }
        self.1.fill(buffer)
    }
}

#[tokio::test]
async fn a_write_whose_lease_ran_out_on_the_way_is_not_acknowledged() {
    let fixture = fixture().await;
    let slow = Arc::new(AtomicBool::new(false));
    let random = Slow(Arc::clone(&fixture.ground.clock), SeededRandom::new(3), Arc::clone(&slow));
    let node = fixture.ground.open(Box::new(random)).await.unwrap();
    node.set_fresh_until_ms(HOUR_MS.unsigned_abs() + 5_000);
    assert!(rename(&node, &fixture).await.is_ok());
    slow.store(true, Ordering::SeqCst);
    let edit = valetkey_domain::rules::business::BusinessEdit { name: Some(name("Late")), ..Default::default() };
    let said = node.update_business(&fixture.company.person, fixture.company.business, edit).await.unwrap_err();
    assert_eq!(said.reason, Reason::OutcomeUnknown);
    assert!(said.value.is_some_and(|id| id.len() == 32), "the commit can be looked up");
}

#[tokio::test]
async fn an_entry_that_is_not_known_stops_a_node_for_good() {
    let fixture = fixture().await;
    let on = Arc::new(AtomicBool::new(false));
    let altered = Altered { inner: fixture.ground.store.clone(), on: Arc::clone(&on), tale: Tale::UnknownAction };
    let deps = fixture.ground.deps(Arc::new(altered), Box::new(SeededRandom::new(2)), "old");
    let old = Service::open(deps).await.unwrap();
    let text = &fixture.company.robot_token.text;
    rename(&fixture.service, &fixture).await.unwrap();
    rename(&old, &fixture).await.unwrap();
    on.store(true, Ordering::SeqCst);
    assert_eq!(answer(&old, text, alive()), "allow");
    fixture.service.revoke_token(&fixture.company.person, fixture.company.robot_token.id).await.unwrap();
    assert_eq!(rename(&old, &fixture).await, Err(Reason::NotFresh));
    assert_eq!(answer(&old, text, alive()), "not_fresh");
    // A renewed lease does not make the node answer again.
    old.set_fresh_until_ms(u64::MAX);
    assert_eq!(answer(&old, text, alive()), "not_fresh", "what it did not understand may have been a revoke");
    assert_eq!(rename(&old, &fixture).await, Err(Reason::NotFresh));
}

#[tokio::test]
async fn a_service_does_not_open_on_records_that_do_not_fit_together() {
    let fixture = fixture().await;
    let stray = Token {
        id: Id::new(1_234).unwrap(),
        digest: Digest::of("stray"),
        kind: TokenKind::SystemUser,
        user: Id::new(777).unwrap(),
        business: fixture.company.business,
        app: None,
        scopes: ScopeSet::EMPTY,
        created_at: fixture.service.now(),
        expires_at: None,
        created_by: None,
        parent: None,
        page: None,
        revoked_at: None,
        purpose: None,
        session: false,
    };
    let set = ChangeSet {
        at: fixture.service.now(),
        action: Action::TokenIssued,
        actor: Actor { kind: ActorKind::Operator, id: None, token: None },
        business: None,
        subjects: Vec::new(),
        changes: vec![Change { before: None, after: Some(Record::Token(stray)) }],
    };
    let write = Write { set, content: Vec::new(), jobs: Vec::new(), salt: [0; 16] };
    let lock = fixture.ground.store.lock_head().await.unwrap();
    lock.commit(Batch { commit_id: [1; 16], writes: vec![write] }).await.unwrap();
    // A running node folds it, and stops; a new one says why it can't start.
    assert_eq!(rename(&fixture.service, &fixture).await, Err(Reason::NotFresh));
    assert_eq!(fixture.ask(&fixture.company.robot_token, alive()), "not_fresh");
    let opened = fixture.ground.open(Box::new(SeededRandom::new(1))).await;
    assert!(matches!(opened, Err(OpenError::Ledger(_))), "{opened:?}");
}

#[tokio::test]
async fn a_start_waits_for_a_commit_under_way() {
    let fixture = fixture().await;
    let token = &fixture.company.robot_token;
    let mut found = None;
    let mut sink = |record| {
        if let Record::Token(row) = record
            && row.id == token.id
        {
            found = Some(row);
        }
    };
    fixture.ground.store.load(&mut sink).await.unwrap();
    let before = found.unwrap();
    let after = Token { revoked_at: Some(fixture.service.now()), ..before.clone() };
    let set = ChangeSet {
        at: fixture.service.now(),
        action: Action::TokenRevoked,
        actor: Actor { kind: ActorKind::Operator, id: None, token: None },
        business: Some(before.business),
        subjects: vec![before.id.any()],
        changes: vec![Change { before: Some(Record::Token(before)), after: Some(Record::Token(after)) }],
    };
    let write = Write { set, content: Vec::new(), jobs: Vec::new(), salt: [0; 16] };
    let lock = fixture.ground.store.lock_head().await.unwrap();
    let deps = fixture.ground.deps(Arc::clone(&fixture.ground.store), Box::new(SeededRandom::new(4)), "late");
    let opening = tokio::spawn(Service::open(deps));
    for _ in 0..50 {
        tokio::task::yield_now().await;
        assert!(!opening.is_finished(), "it started beside a commit");
    }
    lock.commit(Batch { commit_id: [3; 16], writes: vec![write] }).await.unwrap();
    let node = opening.await.unwrap().unwrap();
    assert_eq!(answer(&node, &token.text, alive()), "token_revoked");
}
