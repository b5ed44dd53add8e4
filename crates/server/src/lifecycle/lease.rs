//! The lease by which one node alone works on a shared store.
//!
//! A node answers only while its lease surely runs: the time is counted on its own clock from
//! before the request was sent, a little shorter than the store counts it. Once the lease ran out,
//! this module must never let the node answer again unless nobody wrote in between.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::bail;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
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
    pub async fn take(store: Arc<dyn Store>, clock: Arc<dyn Clock>, holder: String, ttl: Duration) -> anyhow::Result<Lease> {
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
    pub async fn release(self) {
        self.shared.stop.cancel();
        let _ = self.renewing.await;
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

    fn extend(&self, deadline_ms: u64) {
        self.deadline_ms.store(deadline_ms, Ordering::Release);
        if let Some(service) = self.service.get() {
            service.set_fresh_until_ms(deadline_ms);
        }
    }

    fn lose(&self, why: &str) {
        tracing::error!("{why}; this node stops");
        if let Some(service) = self.service.get() {
            service.set_fresh_until_ms(0);
        }
        self.lost.cancel();
    }

    /// Whether nobody wrote while the lease did not run.
    async fn unchanged(&self) -> bool {
        let Some(service) = self.service.get() else { return false };
        matches!(self.store.head().await, Ok(head) if head.revision == service.revision())
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
            Ok(Ok(Held::Until(deadline_ms))) => {
                if !ran && !shared.unchanged().await {
                    return shared.lose("the lease ran out, and the database was written meanwhile");
                }
                shared.extend(deadline_ms);
            }
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
    use valetkey_domain::{Id, Name, UnixMs};
    use valetkey_seal::{KeyRing, MasterKey, OsRandom};
    use valetkey_service::{Call, Deps};
    use valetkey_store::{Faulty, MemoryStore};

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
        store: Arc<dyn Store>,
    }

    impl World {
        fn new() -> World {
            let clock = Paused(Instant::now());
            World { clock: Arc::new(clock), store: Arc::new(MemoryStore::with_clock(Arc::new(move || clock.now()))) }
        }

        async fn take(&self, holder: &str) -> anyhow::Result<Lease> {
            Lease::take(Arc::clone(&self.store), Arc::clone(&self.clock), holder.to_owned(), TEST_TTL).await
        }

        async fn service(&self) -> Service {
            let master = MasterKey::generate(&OsRandom).unwrap();
            let keys = KeyRing::open(&master, []).unwrap();
            let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
            Service::open(Deps { store, clock, random: Box::new(SystemRandom), keys, node: "test".into() }).await.unwrap()
        }
    }

    async fn write(service: &Service) -> Result<Id, valetkey_domain::Refusal> {
        let name = |text| Name::parse(text).unwrap();
        let made = service.create_business(&Call::operator("test"), name("B"), name("A"), "a@example.com").await;
        made.map(|done| done.value.0)
    }
}
