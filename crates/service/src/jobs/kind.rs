//! What a kind of job is: its limits and pauses, and the functions that run it.

use std::pin::Pin;

use serde_json::Value;
use valetkey_domain::{AssetId, ContentId, Refusal, UnixMs};
use valetkey_store::{Content, Job};

use super::backing::Backed;
use crate::core::Service;

/// A run of a job.
pub(super) type Running = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

/// A kind of job.
pub(super) struct Kind {
    /// The word in the job's row.
    pub name: &'static str,
    /// How many of them run at once on this node.
    pub concurrent_limit: usize,
    /// How often a job is tried before it counts as failed and is shown to the operator.
    pub attempts_limit: i64,
    /// For how long a run holds its job; it is renewed while it runs.
    pub lease_ms: u32,
    /// How long one run may take.
    pub run_limit_ms: u32,
    /// The pause after the first attempt. Each further one is twice as long, up to the longest.
    pub first_pause_ms: u32,
    pub longest_pause_ms: u32,
    /// Does what the job is for, as the job's own actor. Its effect and [`Backed::finish`] must be one
    /// commit; `conflict` means that the job is no longer this run's.
    pub run: fn(Service, Backed) -> Running,
    /// What the job is about, from its payload.
    pub about: fn(&Value) -> About,
    /// How the content that the job is about changes when the job is cancelled; `None` if it does not.
    pub cancelled: fn(&Content, &Job, UnixMs) -> Result<Option<Content>, Refusal>,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What a job is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct About {
    pub content: Option<ContentId>,
    /// The asset that its rights are decided on.
    pub asset: Option<AssetId>,
}

impl Kind {
    /// The kind of a word.
    pub fn find(kinds: &'static [Kind], name: &str) -> Option<&'static Kind> {
        kinds.iter().find(|kind| kind.name == name)
    }

    /// How long a job waits after this many attempts, in milliseconds.
    pub fn pause_ms(&self, attempts: i64) -> i64 {
        let doublings = u32::try_from(attempts.clamp(1, 32) - 1).unwrap_or_default();
        let pause = u64::from(self.first_pause_ms) << doublings;
        i64::try_from(pause.min(u64::from(self.longest_pause_ms))).unwrap_or(i64::MAX)
    }
}
