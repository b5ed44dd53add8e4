//! The lease by which one node alone works on a shared store.
//!
//! A node answers only while its lease surely runs: the time is counted on its own clock from
//! before the request was sent, a little shorter than the store counts it. Every renewal, and most of
//! all the first after the lease ran out, counts only once the node has folded everything up to the
//! head that was read while the lease was held: this module must never let the node answer before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::bail;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use valetkey_domain::{Reason, Refusal};
use valetkey_service::{Clock, Service};
use valetkey_store::{LeaseOutcome, Store, StoreError};

/// How long a lease runs when it is not renewed.
pub const TTL: Duration = Duration::from_secs(15);

/// A lease that is held and renewed until it is released or lost.
#[derive(Debug)]
pub struct Lease {
    shared: Arc<Shared>,
    renewing: JoinHandle<()>,
}

struct Shared {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    holder: String,
    ttl: Duration,
    /// Until when this node may answer, on its own clock.
    deadline_ms: AtomicU64,
    service: OnceLock<Service>,
    stop: CancellationToken,
    lost: CancellationToken,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl Lease {
    /// Takes the lease and renews it from now on.
    ///
    /// # Errors
    /// When another node holds it, with its name and how long to wait at most; or of the store.
    pub async fn take(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        holder: String,
        ttl: Duration,
    ) -> anyhow::Result<Lease> {
        let shared = Shared {
            store,
            clock,
            holder,
            ttl,
            deadline_ms: AtomicU64::new(0),
            service: OnceLock::new(),
            stop: CancellationToken::new(),
            lost: CancellationToken::new(),
        };
        match shared.hold().await? {
            Held::Until(deadline_ms) => shared.deadline_ms.store(deadline_ms, Ordering::Release),
            Held::Taken { holder, remaining_ms } => bail!(
                "another node, {holder}, works on this database: stop it first; if it is dead, try again in {} s. \
                 Several nodes on one database are not supported yet",
                remaining_ms.max(0).saturating_add(999) / 1_000
            ),
        }
        let shared = Arc::new(shared);
        let renewing = tokio::spawn(renew(Arc::clone(&shared)));
        Ok(Lease { shared, renewing })
    }

    /// Lets the lease say from now on until when the service may answer. Called once, when the
    /// service has loaded what the store holds.
    pub fn attach(&self, service: &Service) {
        service.set_fresh_until_ms(self.shared.deadline_ms.load(Ordering::Acquire));
        if self.shared.service.set(service.clone()).is_err() {
            tracing::error!("a second service was given to one lease");
        }
        // A renewal may have come between the two lines above.
        service.set_fresh_until_ms(self.shared.deadline_ms.load(Ordering::Acquire));
    }

    /// Fires once this node must stop: it can't show any more that its view is whole.
    pub fn lost(&self) -> CancellationToken {
        self.shared.lost.clone()
    }

    /// Ends the renewing and gives the lease back.
    pub async fn release(mut self) {
        self.shared.stop.cancel();
        let _ = (&mut self.renewing).await;
        if let Some(service) = self.shared.service.get() {
            service.set_fresh_until_ms(0);
        }
        if self.shared.lost.is_cancelled() {
            return;
        }
        if let Err(error) = self.shared.store.release_lease(&self.shared.holder).await {
            tracing::warn!(%error, "the lease could not be given back; the next start waits until it runs out");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A lease that nobody holds any more must run out.
        self.shared.stop.cancel();
    }
}

/// What became of bringing a node up to date.
enum Followed {
    Up,
    /// The store failed; it may come back.
    NotYet(Refusal),
    /// The view of this node can't be made whole any more.
    Never(&'static str),
}

enum Held {
    Until(u64),
    Taken { holder: String, remaining_ms: i64 },
}

impl Shared {
    async fn hold(&self) -> Result<Held, StoreError> {
        let before_ms = self.clock.monotonic_ms();
        let ttl_ms = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        let outcome = self.store.hold_lease(&self.holder, i64::try_from(ttl_ms).unwrap_or(i64::MAX)).await?;
        Ok(match outcome {
            // One part in a hundred less than the store counts, for clocks that don't run alike.
            LeaseOutcome::Held => Held::Until(before_ms.saturating_add(ttl_ms - ttl_ms / 100)),
            LeaseOutcome::Taken { holder, remaining_ms } => Held::Taken { holder, remaining_ms },
        })
    }

    /// Whether the lease ran without a gap up to now.
    fn runs(&self) -> bool {
        self.clock.monotonic_ms() < self.deadline_ms.load(Ordering::Acquire)
    }

    /// Brings the service up to date and lets it answer until the deadline, in this order.
    async fn follow(&self, deadline_ms: u64, ran: bool) -> Followed {
        let Some(service) = self.service.get() else {
            if !ran {
                return Followed::Never("the lease ran out before the service was there");
            }
            self.deadline_ms.store(deadline_ms, Ordering::Release);
            return Followed::Up;
        };
        match service.catch_up(deadline_ms).await {
            Ok(revision) => {
                self.deadline_ms.store(deadline_ms, Ordering::Release);
                if !ran {
                    tracing::info!(
                        revision,
                        "the lease had run out; everything since is folded, and this node answers again"
                    );
                }
                Followed::Up
            }
            Err(refusal) if refusal.reason == Reason::NotFresh => Followed::Never("a change could not be followed"),
            Err(refusal) => Followed::NotYet(refusal),
        }
    }

    fn lose(&self, why: &str) {
        tracing::error!("{why}; this node stops");
        if let Some(service) = self.service.get() {
            service.set_fresh_until_ms(0);
        }
        self.lost.cancel();
    }
}

async fn renew(shared: Arc<Shared>) {
    let step = shared.ttl / 3;
    let mut pause = step;
    while shared.stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        let ran = shared.runs();
        if ran && shared.service.get().is_some_and(|service| !service.is_fresh()) && shared.runs() {
            return shared.lose("a change could not be followed");
        }
        pause = step;
        match tokio::time::timeout(step, shared.hold()).await {
            // What was folded before time was up stays folded, so each round comes further.
            Ok(Ok(Held::Until(deadline_ms))) => match tokio::time::timeout(step, shared.follow(deadline_ms, ran)).await
            {
                Ok(Followed::Up) => {}
                Ok(Followed::Never(why)) => return shared.lose(why),
                Ok(Followed::NotYet(refusal)) => {
                    tracing::warn!(%refusal, "the lease is held, but the database can't be followed; trying again");
                    pause = step / 5;
                }
                Err(_) => {
                    tracing::warn!("the lease is held, but the database could not be followed in time; going on");
                    pause = step / 5;
                }
            },
            Ok(Ok(Held::Taken { holder, .. })) => {
                return shared.lose(&format!("another node, {holder}, has taken the lease"));
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the lease could not be renewed; trying again");
                pause = step / 5;
            }
            Err(_) => {
                tracing::warn!("the lease could not be renewed in time; trying again");
                pause = step / 5;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use valetkey_domain::change::{Actor, ActorKind};
    use valetkey_domain::{Action, Change, ChangeSet, Id, Name, Record, Role, UnixMs};
    use valetkey_seal::{KeyRing, MasterKey, OsRandom};
    use valetkey_service::authz::{Decision, Question, Target};
    use valetkey_service::{Call, Deps};
    use valetkey_store::faulty::Fault;
    use valetkey_store::{Batch, Faulty, MemoryStore, Write};

    use super::*;
    use crate::random::SystemRandom;

    const TEST_TTL: Duration = Duration::from_secs(30);

    /// The runtime's own time, which stands still until everybody waits.
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
        store: Arc<dyn Store>,
        /// One node's way to it, which can be cut.
        wire: Faulty,
    }

    impl World {
        fn new() -> World {
            let clock = Paused(Instant::now());
            let store: Arc<dyn Store> = Arc::new(MemoryStore::with_clock(Arc::new(move || clock.now())));
            World { clock: Arc::new(clock), wire: Faulty::quiet(Arc::clone(&store)), store }
        }

        async fn take(&self, store: Arc<dyn Store>, holder: &str) -> anyhow::Result<Lease> {
            Lease::take(store, Arc::clone(&self.clock), holder.to_owned(), TEST_TTL).await
        }

        async fn service(&self, store: Arc<dyn Store>) -> Service {
            let master = MasterKey::generate(&OsRandom).unwrap();
            let keys = KeyRing::open(&master, []).unwrap();
            let clock = Arc::clone(&self.clock);
            Service::open(Deps { store, clock, random: Box::new(SystemRandom), keys, node: "test".into() })
                .await
                .unwrap()
        }

        /// A node whose way to the store can be cut.
        async fn node(&self) -> (Lease, Service) {
            let lease = self.take(Arc::new(self.wire.clone()), "one").await.unwrap();
            let service = self.service(Arc::new(self.wire.clone())).await;
            lease.attach(&service);
            (lease, service)
        }

        fn cut(&self, is_cut: bool) {
            self.wire.follow(Box::new(move |_| is_cut.then_some(Fault::Before)));
        }
    }

    /// Lets time go by; it costs none, for the clock stands still.
    async fn pass(time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn write(service: &Service) {
        let name = |text| Name::parse(text).unwrap();
        service.create_business(&Call::operator("test"), name("B"), name("A"), "a@example.com").await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_renewed_for_as_long_as_it_is_held() {
        let world = World::new();
        let (lease, service) = world.node().await;
        for _ in 0..20 {
            pass(TEST_TTL / 2).await;
            assert!(service.is_fresh());
            let other = world.take(Arc::clone(&world.store), "two").await.unwrap_err().to_string();
            assert!(other.contains("another node, one,"), "{other}");
        }
        lease.release().await;
        assert!(!service.is_fresh(), "a node without a lease answers");
        assert!(world.take(Arc::clone(&world.store), "two").await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_refused_is_told_how_long_to_wait() {
        let world = World::new();
        let dead = world.take(Arc::clone(&world.store), "one").await.unwrap();
        drop(dead);
        pass(Duration::from_millis(10_500)).await;
        let told = world.take(Arc::clone(&world.store), "two").await.unwrap_err().to_string();
        assert!(told.contains("try again in 20 s"), "{told}");
        assert!(
            world.take(Arc::clone(&world.store), "one").await.is_ok(),
            "what a dead process of our own left can't be taken over"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_cut_off_stops_answering_before_the_store_lets_others_in() {
        let world = World::new();
        let (_lease, service) = world.node().await;
        world.cut(true);
        let mut silent_at = None;
        for second in 0..60 {
            if silent_at.is_none() && !service.is_fresh() {
                silent_at = Some(second);
            }
            if world.take(Arc::clone(&world.store), "two").await.is_ok() {
                assert!(silent_at.is_some(), "two nodes answered after {second} s");
                return;
            }
            pass(Duration::from_secs(1)).await;
        }
        panic!("nobody else was ever let in");
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_comes_back_if_nobody_wrote_meanwhile() {
        let world = World::new();
        let (lease, service) = world.node().await;
        write(&service).await;
        world.cut(true);
        pass(TEST_TTL * 2).await;
        assert!(!service.is_fresh());
        world.cut(false);
        pass(TEST_TTL).await;
        assert!(service.is_fresh());
        assert!(!lease.lost().is_cancelled());
    }

    /// Makes a business with two people who are signed in, and gives their tokens.
    async fn two_people(service: &Service) -> [(Id, String); 2] {
        let name = |text| Name::parse(text).unwrap();
        let operator = Call::operator("test");
        let made = service.create_business(&operator, name("B"), name("Ada"), "ada@example.com").await.unwrap();
        let (business, ada) = made.value;
        let bob = service.create_person(&operator, business, name("Bob"), "bob@example.com", Role::Admin).await;
        let mut tokens = Vec::new();
        for person in [ada, bob.unwrap().value] {
            let code = service.create_sign_in_code(&operator, person).await.unwrap().value;
            let (token, text) = service.redeem_sign_in_code("test", code.reveal()).await.unwrap().value;
            tokens.push((token.id, text.reveal().to_owned()));
        }
        tokens.try_into().unwrap()
    }

    fn told(service: &Service, text: &str) -> &'static str {
        match service.check(text, None, Question::about(Target::Nothing)).1 {
            Decision::Allow(_) => "allow",
            Decision::Deny(denial) => denial.reason.as_str(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_holds_the_lease_again_answers_once_it_has_folded_what_others_wrote() {
        let world = World::new();
        let (lease, service) = world.node().await;
        let [(cut_off, first), (_, second)] = two_people(&service).await;
        world.cut(true);
        pass(TEST_TTL * 2).await;
        let other = world.take(Arc::clone(&world.store), "two").await.unwrap();
        let others = world.service(Arc::clone(&world.store)).await;
        others.revoke_token(&Call::operator("test"), cut_off).await.unwrap();
        other.release().await;
        assert_eq!([told(&service, &first), told(&service, &second)], ["not_fresh"; 2]);
        world.cut(false);
        let mut answers = Vec::new();
        for _ in 0..TEST_TTL.as_secs() * 4 {
            answers.push([told(&service, &first), told(&service, &second)]);
            pass(TEST_TTL / 120).await;
        }
        answers.dedup();
        assert_eq!(answers, [["not_fresh"; 2], ["token_revoked", "allow"]]);
        assert!(!lease.lost().is_cancelled());
        // And it writes again, behind what the other wrote.
        write(&service).await;
        assert_eq!(service.revision(), world.store.head().await.unwrap().revision);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_cannot_follow_what_others_wrote_stops() {
        let world = World::new();
        let (lease, service) = world.node().await;
        two_people(&service).await;
        world.cut(true);
        pass(TEST_TTL * 2).await;
        // A removal as no version of today makes one.
        let gone = service_record(&world).await;
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
        pass(TEST_TTL * 2).await;
        assert!(lease.lost().is_cancelled() && !service.is_fresh());
    }

    /// A record that is in the store.
    async fn service_record(world: &World) -> Record {
        let mut found = None;
        world
            .store
            .load(&mut |record| {
                if matches!(record, Record::Person(_)) {
                    found = Some(record);
                }
            })
            .await
            .unwrap();
        found.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_gives_up_once_another_holds_the_lease() {
        let world = World::new();
        let (lease, service) = world.node().await;
        world.cut(true);
        pass(TEST_TTL * 2).await;
        let _other = world.take(Arc::clone(&world.store), "two").await.unwrap();
        world.cut(false);
        pass(TEST_TTL).await;
        assert!(lease.lost().is_cancelled() && !service.is_fresh());
    }

    #[tokio::test(start_paused = true)]
    async fn a_view_that_broke_is_never_made_fresh_again() {
        let world = World::new();
        let (lease, service) = world.node().await;
        // As the service does when it meets a change that it can't follow.
        service.set_fresh_until_ms(0);
        pass(TEST_TTL * 2).await;
        assert!(!service.is_fresh());
        assert!(lease.lost().is_cancelled());
    }
}
