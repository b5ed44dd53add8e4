//! The daily check of the ledger, in the background of a node that runs jobs.
//!
//! What it finds is kept in the store, where every node reads it. It must not disturb writers: it
//! rests after each part. It must never write to the ledger, nor show a value of a record.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use valetkey_domain::{Refusal, UnixMs};
use valetkey_store::Verification;

use crate::content::store_refusal;
use crate::core::Service;
use crate::verify::{self, Report};

/// How long after a check the next one is due.
const PAUSE_MS: UnixMs = 24 * 60 * 60 * 1000;
/// How long after its start a node checks first, at the earliest; its name adds up to [`SPREAD_S`].
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// Within how many seconds the first checks of several nodes are spread.
const SPREAD_S: u64 = 10 * 60;
/// How often a node looks whether a check is due.
const LOOK_PAUSE: Duration = Duration::from_secs(10 * 60);
/// The rest after each part of a check.
const REST: Duration = Duration::from_millis(20);

/// Checks once a day until `stop` fires. A check that is under way then ends without an outcome.
pub(crate) async fn keep_verified(service: Service, stop: CancellationToken) {
    let mut wait = first_pause(&service.inner.node);
    if stop.is_cancelled() {
        return;
    }
    // What was found before this start is shown from the start on.
    if let Err(refusal) = service.last_verification().await {
        tracing::warn!(%refusal, "the outcome of the last check of the ledger could not be read");
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = service.verify_if_due() => {}
        }
        wait = LOOK_PAUSE;
    }
}

/// Nodes that start together do not check together.
fn first_pause(node: &str) -> Duration {
    let mixed = node.bytes().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    FIRST_PAUSE + Duration::from_secs(mixed % SPREAD_S)
}

/// Whether a check is due. A clock that went back does not put it off.
fn is_due(last: Option<Verification>, now: UnixMs) -> bool {
    last.is_none_or(|last| last.at > now || now - last.at >= PAUSE_MS)
}

fn outcome(report: &Report, at: UnixMs) -> Verification {
    Verification {
        at,
        revision: report.last.0,
        is_chain_whole: report.chain.is_none() && report.compared.is_some(),
        differences: report.differences.count(),
        not_verifiable: report.without_payload.count() + report.not_verifiable.count(),
    }
}

impl Service {
    /// What the last check of the ledger found, on whichever node; `None` before the first. It says
    /// nothing about any business, so it needs no right.
    ///
    /// # Errors
    /// Of the store.
    pub async fn last_verification(&self) -> Result<Option<Verification>, Refusal> {
        let found = self.store().verification().await.map_err(|e| store_refusal(&e))?;
        self.know(found);
        Ok(found)
    }

    /// The same as far as this node read it, without asking the store.
    pub fn known_verification(&self) -> Option<Verification> {
        self.inner.verified.lock().ok().and_then(|verified| *verified)
    }

    /// Checks the ledger now, slowly, and keeps what was found. What is wrong is an error in the log,
    /// once for each check.
    ///
    /// # Errors
    /// Of the store: then nothing was found out.
    pub async fn verify_ledger(&self) -> Result<Verification, Refusal> {
        let report = verify::check_slowly(self.store(), REST).await.map_err(|e| store_refusal(&e))?;
        let found = outcome(&report, self.now());
        if found.is_ok() {
            tracing::info!(revision = found.revision, "the ledger was verified");
        } else {
            let first = report.differences.named.first().map(|d| format!("{} {}", d.what, d.how));
            let chain = report.chain.as_deref().unwrap_or("in order");
            tracing::error!(
                revision = found.revision,
                %found,
                chain,
                first = first.as_deref().unwrap_or("none"),
                "the ledger does not verify; valetkey ledger verify names everything"
            );
        }
        if let Err(error) = self.store().note_verification(&found).await {
            self.inner.writing.note_full(&error);
            tracing::warn!(%error, "what the check of the ledger found could not be kept");
        }
        self.know(Some(found));
        Ok(found)
    }

    async fn verify_if_due(&self) {
        if !self.is_fresh() {
            return;
        }
        let done = match self.last_verification().await {
            Ok(last) if !is_due(last, self.now()) => return,
            Ok(_) => self.verify_ledger().await.map(drop),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = done {
            tracing::warn!(%refusal, "the ledger could not be checked yet");
        }
    }

    fn know(&self, found: Option<Verification>) {
        if let Ok(mut verified) = self.inner.verified.lock() {
            *verified = found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_due_once_a_day_whatever_the_clock_does() {
        let last = |at| Some(Verification { at, is_chain_whole: true, ..Verification::default() });
        assert!(is_due(None, 0));
        assert!(!is_due(last(1_000), 1_000) && !is_due(last(1_000), 999 + PAUSE_MS));
        assert!(is_due(last(1_000), 1_000 + PAUSE_MS));
        assert!(is_due(last(1_000), 999), "the clock went back");
    }

    #[test]
    fn first_checks_are_minutes_after_the_start_and_spread() {
        let of = |node: &str| first_pause(node);
        assert!((0..50).map(|n| of(&format!("node {n}"))).all(|p| p >= FIRST_PAUSE && p < FIRST_PAUSE * 3));
        assert_ne!(of("one"), of("two"));
    }
}
