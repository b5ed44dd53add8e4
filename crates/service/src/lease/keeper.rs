//! Sends what the protocol asks for, and lets the service answer for as long as the protocol says.
//!
//! Only the protocol's result may let the service answer.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use valetkey_domain::Reason;
use valetkey_store::{LeaseRow, Renewal, Store, StoreError};

use super::protocol::{Answer, Protocol, Request, Sent, Step};
use crate::clock::Clock;
use crate::core::Service;

/// How often a start tries to take a lease if the store fails.
const TAKE_ATTEMPTS: u32 = 3;

/// Why a node does not get the lease, or can't answer with it.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another node holds it, and moves its counter.
    #[error(
        "another node, {0}, works on this database: stop it first. Several nodes on one database are not supported yet"
    )]
    Taken(String),
    #[error("another node took the lease while this one started")]
    Lost,
    #[error("the lease is held, but the database could not be followed in time")]
    Silent,
}

/// A lease that is held and renewed until it is released or lost.
#[derive(Debug)]
pub struct Lease {
    shared: Arc<Shared>,
    keeping: JoinHandle<()>,
}

struct Shared {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    holder: String,
    length: Duration,
    service: OnceLock<Service>,
    /// Fires when a service is attached, which can use a renewal.
    attached: Notify,
    /// Whether the service was let answer at least once.
    answers: watch::Sender<bool>,
    stop: CancellationToken,
    lost: CancellationToken,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl Lease {
    /// Takes the lease and renews it from now on. If another node holds it, watches the counter: if it
    /// moves, this fails; if it stands still for a little longer than the lease, the lease is taken.
    ///
    /// `holder` must be a name that no other start of any node has.
    ///
    /// # Errors
    /// When another node holds it, with its name; or an error of the store.
    pub async fn take(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        holder: String,
        length: Duration,
    ) -> Result<Lease, LeaseError> {
        let length_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let mut protocol = Protocol::new(holder.clone(), length_ms);
        let (mut watched, mut attempts) = (false, 0);
        while !protocol.holds() {
            let now_ms = clock.monotonic_ms();
            match protocol.next(now_ms) {
                Step::Wait(at_ms) => {
                    if !std::mem::replace(&mut watched, true) {
                        tracing::info!("another node holds the lease; waiting to see whether it still renews it");
                    }
                    tokio::time::sleep(Duration::from_millis(at_ms.saturating_sub(now_ms))).await;
                }
                Step::Send(sent, request) => {
                    let answer = ask(&*store, &holder, length_ms, &request).await;
                    if let Err(error) = &answer {
                        // Taking may fail because others were first, so it is tried again.
                        attempts += u32::from(matches!(request, Request::Take(_)));
                        if request == Request::Look || attempts == TAKE_ATTEMPTS {
                            return Err(error.clone().into());
                        }
                    }
                    protocol.answered(sent, clock.monotonic_ms(), answer.unwrap_or(Answer::Failed));
                }
                Step::Refused(holder) => return Err(LeaseError::Taken(holder)),
                Step::Gone => return Err(LeaseError::Lost),
            }
        }
        let shared = Arc::new(Shared {
            store,
            clock,
            holder,
            length,
            service: OnceLock::new(),
            attached: Notify::new(),
            answers: watch::Sender::new(false),
            stop: CancellationToken::new(),
            lost: CancellationToken::new(),
        });
        let keeping = tokio::spawn(keep(Arc::clone(&shared), protocol));
        Ok(Lease { shared, keeping })
    }

    /// From now on the lease decides until when the service may answer; waits until it may. Called once,
    /// when the service has loaded the store.
    ///
    /// # Errors
    /// When the lease was lost meanwhile, or the store can't be followed.
    pub async fn attach(&self, service: &Service) -> Result<(), LeaseError> {
        // Loading is not enough: it must first fold through a head that came with a renewal.
        service.set_fresh_until_ms(0);
        if self.shared.service.set(service.clone()).is_err() {
            tracing::error!("a second service was given to one lease");
        }
        self.shared.attached.notify_one();
        let mut answers = self.shared.answers.subscribe();
        let patience = self.shared.length.saturating_mul(6);
        tokio::select! {
            biased;
            () = self.shared.lost.cancelled() => Err(LeaseError::Lost),
            answers = timeout(patience, answers.wait_for(|answers| *answers)) => match answers {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(_)) => Err(LeaseError::Lost),
                Err(_) => Err(LeaseError::Silent),
            },
        }
    }

    /// Fires once this node must stop, because it can't show any more that its view is complete.
    pub fn lost(&self) -> CancellationToken {
        self.shared.lost.clone()
    }

    /// Ends the renewing and gives the lease back, so that the next start need not wait.
    pub async fn release(mut self) {
        self.shared.stop.cancel();
        let _ = (&mut self.keeping).await;
        if let Some(service) = self.shared.service.get() {
            service.set_fresh_until_ms(0);
        }
        if self.shared.lost.is_cancelled() {
            return;
        }
        if let Err(error) = self.shared.store.release_lease(&self.shared.holder).await {
            tracing::warn!(%error, "the lease could not be given back; the next start waits until it ran out");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // If the keeper is dropped, nobody may renew the lease: it must run out.
        self.shared.stop.cancel();
    }
}

async fn ask(store: &dyn Store, holder: &str, length_ms: u64, request: &Request) -> Result<Answer, StoreError> {
    Ok(match request {
        Request::Look => Answer::Row(store.lease().await?),
        Request::Take(seen) => Answer::Taken(take(store, holder, length_ms, seen.as_ref()).await?),
        Request::Renew => Answer::Renewed(store.renew_lease(holder).await?),
    })
}

async fn take(store: &dyn Store, holder: &str, length_ms: u64, seen: Option<&LeaseRow>) -> Result<bool, StoreError> {
    let length_ms = i64::try_from(length_ms).unwrap_or(i64::MAX);
    let taken = store.take_lease(holder, length_ms, seen).await;
    if let Err(error) = &taken {
        tracing::warn!(%error, "it is unknown whether the lease was taken; looking again");
    }
    taken
}

async fn keep(shared: Arc<Shared>, mut protocol: Protocol) {
    loop {
        let now_ms = shared.clock.monotonic_ms();
        match protocol.next(now_ms) {
            Step::Wait(at_ms) => {
                let pause = Duration::from_millis(at_ms.saturating_sub(now_ms));
                tokio::select! {
                    biased;
                    () = shared.stop.cancelled() => return,
                    () = shared.attached.notified() => protocol.renew_at(now_ms),
                    () = tokio::time::sleep(pause) => {}
                }
            }
            Step::Send(sent, _) => {
                if let Err(why) = shared.renew(&mut protocol, sent).await {
                    return shared.lose(&mut protocol, why);
                }
            }
            Step::Refused(_) | Step::Gone => return shared.lose(&mut protocol, "another node has taken the lease"),
        }
    }
}

impl Shared {
    /// One renewal, and the folding after it. Fails if this node can't follow the ledger any more.
    async fn renew(&self, protocol: &mut Protocol, sent: Sent) -> Result<(), &'static str> {
        const BROKEN: &str = "a change could not be followed";
        let patience = Duration::from_millis(protocol.patience_ms());
        let service = self.service.get();
        // Read before the statement is sent: this node's own writer may move the head at any time, and
        // the head of the answer is never behind this place.
        let place = service.map(Service::place).transpose().map_err(|_| BROKEN)?;
        let answer = match timeout(patience, self.store.renew_lease(&self.holder)).await {
            Ok(Ok(renewal)) => Answer::Renewed(renewal),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the lease could not be renewed; trying again");
                Answer::Failed
            }
            Err(_) => {
                tracing::warn!("the lease could not be renewed in time; trying again");
                Answer::Failed
            }
        };
        let is_held = matches!(answer, Answer::Renewed(Renewal::Held(_)));
        protocol.answered(sent, self.clock.monotonic_ms(), answer);
        let (Some(service), Some(place), Some(head), true) = (service, place, protocol.to_fold(), is_held) else {
            return Ok(());
        };
        // What was folded before the timeout stays folded, so each round gets further.
        match timeout(patience, service.catch_up(place, head)).await {
            Ok(Ok(revision)) => {
                let was_fresh = service.is_fresh();
                service.set_fresh_until_ms(protocol.folded(revision));
                if !was_fresh && service.is_fresh() && self.answers.send_replace(true) {
                    tracing::info!(
                        revision,
                        "the lease had run out; everything since is folded, and this node answers again"
                    );
                }
                return Ok(());
            }
            Ok(Err(refusal)) if refusal.reason == Reason::NotFresh => return Err(BROKEN),
            Ok(Err(refusal)) => {
                tracing::warn!(%refusal, "the lease is held, but the database can't be followed; trying again");
            }
            Err(_) => tracing::warn!("the lease is held, but the database could not be followed in time; going on"),
        }
        let again_ms = protocol.again_at(self.clock.monotonic_ms());
        protocol.renew_at(again_ms);
        Ok(())
    }

    fn lose(&self, protocol: &mut Protocol, why: &str) {
        tracing::error!("{why}; this node stops");
        protocol.end();
        if let Some(service) = self.service.get() {
            service.set_fresh_until_ms(protocol.fresh_until_ms());
        }
        self.lost.cancel();
    }
}
