//! The lease over a store: taken, renewed, lost and given back, by nodes that share one store.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use valetkey_domain::change::{Actor, ActorKind};
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::{Action, Change, ChangeSet, Name, Record, Role, TokenId, UnixMs};
use valetkey_seal::{KeyRing, MasterKey, OsRandom};
use valetkey_service::authz::{Question, Target};
use valetkey_service::{Call, Clock, Deps, Lease, LeaseError, Service};
use valetkey_store::faulty::{Call as StoreCall, Fault};
use valetkey_store::{Batch, Faulty, MemoryStore, Store, StoreError, Write};
use valetkey_testkit::random::SeededRandom;

use crate::altered::{Altered, Tale};

const LENGTH: Duration = Duration::from_secs(30);

/// The runtime's own time, which moves only when all tasks wait.
#[derive(Clone, Copy)]
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> UnixMs {
        1_800_000_000_000 + i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap() + 1
    }
}

struct World {
    clock: Arc<dyn Clock>,
    /// What all nodes share.
    store: MemoryStore,
    /// One node's connection to it, which can be cut.
    wire: Faulty,
}

impl World {
    fn new() -> World {
        let clock = Paused(Instant::now());
        let store = MemoryStore::new();
        World { clock: Arc::new(clock), wire: Faulty::quiet(Arc::new(store.join())), store }
    }

    async fn take(&self, store: Arc<dyn Store>, holder: &str) -> Result<Lease, LeaseError> {
        Lease::take(store, Arc::clone(&self.clock), holder.to_owned(), LENGTH).await
    }

    async fn service(&self, store: Arc<dyn Store>) -> Service {
        let master = MasterKey::generate(&OsRandom).unwrap();
        let keys = KeyRing::open(&master, []).unwrap();
        let clock = Arc::clone(&self.clock);
        let random = Box::new(SeededRandom::new(self.clock.monotonic_ms()));
        Service::open(Deps { store, clock, random, keys, node: "test".into() }).await.unwrap()
    }

    /// A node whose connection to the store can be cut.
    async fn node(&self) -> (Lease, Service) {
        self.start(Arc::new(self.wire.clone()), "one").await
    }

    /// A node with its own connection, as another process would have.
    async fn other(&self, holder: &str) -> (Lease, Service) {
        self.start(Arc::new(self.store.join()), holder).await
    }

    async fn start(&self, store: Arc<dyn Store>, holder: &str) -> (Lease, Service) {
        let lease = self.take(Arc::clone(&store), holder).await.unwrap();
        let service = self.service(store).await;
        lease.attach(&service).await.unwrap();
        (lease, service)
    }

    fn cut(&self, is_cut: bool) {
        self.wire.follow(Box::new(move |_| is_cut.then_some(Fault::Before)));
    }
}

/// Lets time pass. It takes no real time, because the clock is paused.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

async fn write(service: &Service) {
    service.create_business(&Call::operator("test"), name("B"), name("A"), "a@example.com").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_for_as_long_as_it_is_held() {
    let world = World::new();
    let (lease, service) = world.node().await;
    for _ in 0..20 {
        pass(LENGTH / 2).await;
        assert!(service.is_fresh());
        let started = Instant::now();
        let refused = world.take(Arc::new(world.store.join()), "two").await.unwrap_err();
        assert!(matches!(&refused, LeaseError::Taken(holder) if holder == "one"), "{refused}");
        assert!(started.elapsed() < LENGTH, "it is refused once the counter moves");
    }
    lease.release().await;
    assert!(!service.is_fresh(), "a node without a lease answers");
    let started = Instant::now();
    world.other("two").await;
    assert_eq!(started.elapsed(), Duration::ZERO, "a lease that was given back had to be waited for");
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_dead_node_is_taken_once_it_stood_still_for_long_enough() {
    let world = World::new();
    let (dead, service) = world.node().await;
    drop((dead, service));
    pass(LENGTH * 5).await;
    // It does not matter how long it has been dead: a new node counts from its own first look.
    let started = Instant::now();
    let (_lease, service) = world.other("two").await;
    let waited = started.elapsed();
    let least = LENGTH + LENGTH / 100;
    assert!(waited > least && waited < least + LENGTH / 10, "{waited:?}");
    assert!(service.is_fresh());
}

#[tokio::test(start_paused = true)]
async fn the_length_in_the_row_counts_and_not_ones_own() {
    let world = World::new();
    drop(world.node().await);
    let started = Instant::now();
    let short = Duration::from_secs(1);
    let store: Arc<dyn Store> = Arc::new(world.store.join());
    Lease::take(store, Arc::clone(&world.clock), "two".to_owned(), short).await.unwrap();
    assert!(started.elapsed() > LENGTH + LENGTH / 100);
    assert_eq!(world.store.lease().await.unwrap().unwrap().length_ms, 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_cut_off_stops_answering_before_another_is_let_in() {
    let world = World::new();
    let (_lease, service) = world.node().await;
    world.cut(true);
    let watching = tokio::spawn({
        let service = service.clone();
        async move {
            while service.is_fresh() {
                pass(Duration::from_millis(1)).await;
            }
            Instant::now()
        }
    });
    let (_second, other) = world.other("two").await;
    assert!(watching.is_finished() && !service.is_fresh() && other.is_fresh());
    assert!(watching.await.unwrap() < Instant::now());
}

#[tokio::test(start_paused = true)]
async fn the_lease_runs_from_before_the_renewal_was_sent() {
    let world = World::new();
    // The answer to the first renewal takes long, and no other renewal succeeds.
    let sent = Arc::new(Mutex::new(None));
    let tale = Tale::SlowRenewal { delay: LENGTH / 4, sent: Arc::clone(&sent) };
    let on = Arc::new(AtomicBool::new(true));
    let (_lease, service) =
        world.start(Arc::new(Altered { inner: Arc::new(world.store.join()), on, tale }), "slow").await;
    assert!(service.is_fresh());
    while service.is_fresh() {
        pass(Duration::from_millis(1)).await;
    }
    let sent: Instant = sent.lock().unwrap().unwrap();
    let ran = sent.elapsed();
    assert!(ran >= LENGTH && ran <= LENGTH + Duration::from_millis(2), "{ran:?} from before it was sent");
}

#[tokio::test(start_paused = true)]
async fn a_node_comes_back_if_nobody_wrote_meanwhile() {
    let world = World::new();
    let (lease, service) = world.node().await;
    write(&service).await;
    world.cut(true);
    pass(LENGTH * 2).await;
    assert!(!service.is_fresh());
    world.cut(false);
    pass(LENGTH).await;
    assert!(service.is_fresh());
    assert!(!lease.lost().is_cancelled());
}

/// Makes a business with two people who are signed in, and gives their tokens.
async fn two_people(service: &Service) -> [(TokenId, String); 2] {
    let operator = Call::operator("test");
    let made = service.create_business(&operator, name("B"), name("Ada"), "ada@example.com").await.unwrap();
    let (business, ada) = made.value;
    let bob = service.create_person(&operator, business, name("Bob"), "bob@example.com", Role::Admin).await;
    let mut tokens = Vec::new();
    for person in [ada, bob.unwrap().value] {
        let code = service.create_sign_in_code(&operator, person).await.unwrap().value;
        let (token, text) =
            service.redeem_sign_in_code("test", code.reveal(), PersonToken::CommandLine).await.unwrap().value;
        tokens.push((token.id, text.reveal().to_owned()));
    }
    tokens.try_into().unwrap()
}

fn answer(service: &Service, text: &str) -> &'static str {
    crate::fixture::answer(service, text, Question::about(Target::Nothing))
}

#[tokio::test(start_paused = true)]
async fn a_node_answers_only_behind_the_last_fold() {
    let world = World::new();
    let (lease, service) = world.node().await;
    let [(cut_off, first), (_, second)] = two_people(&service).await;
    let revisions = service.revision();
    // Its lease ran out, and a token was revoked without any lease, as a bug of the store could do.
    world.cut(true);
    pass(LENGTH * 2).await;
    let stranger = world.service(Arc::new(world.store.join())).await;
    stranger.revoke_token(&Call::operator("test"), cut_off).await.unwrap();
    assert!(stranger.revision() > revisions);
    // Every time that the store is called, the node is asked.
    let answers = Arc::new(Mutex::new(Vec::new()));
    let (seen, asked, text) = (Arc::clone(&answers), service.clone(), first.clone());
    world.wire.follow(Box::new(move |call| {
        assert!(matches!(call, StoreCall::Read | StoreCall::Telemetry));
        seen.lock().unwrap().push(answer(&asked, &text));
        None
    }));
    while !service.is_fresh() {
        pass(Duration::from_millis(1)).await;
    }
    world.cut(false);
    assert_eq!([answer(&service, &first), answer(&service, &second)], ["token_revoked", "allow"]);
    let answers = answers.lock().unwrap().clone();
    assert!(answers.len() >= 2 && answers.iter().all(|a| *a == "not_fresh"), "{answers:?}");
    assert!(!lease.lost().is_cancelled());
    // It writes again, after what the other node wrote.
    write(&service).await;
    assert_eq!(service.revision(), world.store.head().await.unwrap().revision);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_cannot_follow_what_others_wrote_stops() {
    let world = World::new();
    let (lease, service) = world.node().await;
    two_people(&service).await;
    world.cut(true);
    pass(LENGTH * 2).await;
    // A kind of removal that this version does not know.
    let gone = a_person(&world).await;
    let set = ChangeSet {
        at: 0,
        action: Action::BusinessUpdated,
        actor: Actor { kind: ActorKind::Operator, id: None, token: None },
        business: None,
        subjects: Vec::new(),
        changes: vec![Change { before: Some(gone), after: None }],
    };
    let write = Write { set, content: Vec::new(), jobs: Vec::new(), salt: [0; 16] };
    let lock = world.store.lock_head().await.unwrap();
    lock.commit(Batch { commit_id: [7; 16], writes: vec![write] }).await.unwrap();
    world.cut(false);
    pass(LENGTH * 2).await;
    assert!(lease.lost().is_cancelled() && !service.is_fresh());
}

/// A record that is in the store.
async fn a_person(world: &World) -> Record {
    let mut found = None;
    let mut sink = |record| {
        if matches!(record, Record::Person(_)) {
            found = Some(record);
        }
    };
    world.store.load(&mut sink).await.unwrap();
    found.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_node_gives_up_once_another_holds_the_lease_and_writes_nothing_more() {
    let world = World::new();
    let (lease, service) = world.node().await;
    world.cut(true);
    let (_second, other) = world.other("two").await;
    // Even when the connection works again, and even if it believes that it is fresh.
    world.cut(false);
    service.set_fresh_until_ms(u64::MAX);
    let refused = service.create_business(&Call::operator("test"), name("B"), name("A"), "a@example.com").await;
    assert!(refused.is_err());
    assert_eq!(world.store.head().await.unwrap().revision, 0);
    assert!(matches!(world.wire.lock_head().await.map(drop), Err(StoreError::InUse(_))));
    pass(LENGTH).await;
    assert!(lease.lost().is_cancelled() && !service.is_fresh());
    write(&other).await;
    lease.release().await;
    assert!(other.is_fresh(), "a node that lost the lease gave it back");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_nobody_answered_looks_whether_it_has_the_lease() {
    let world = World::new();
    for fault in [Fault::After, Fault::Lost, Fault::Before] {
        world.wire.fail_next(StoreCall::Telemetry, fault);
        let (lease, service) = world.node().await;
        assert!(service.is_fresh(), "{fault:?}");
        lease.release().await;
    }
    // If the store stays unreachable, the start fails with that error and does not wait.
    world.cut(true);
    assert!(matches!(world.take(Arc::new(world.wire.clone()), "one").await, Err(LeaseError::Store(_))));
}
