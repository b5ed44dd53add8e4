//! The registry: every kind of job is one row, and the row is what runs. A job whose kind has no row
//! is set aside, never dropped.

use valetkey_store::Job;

use super::kind::{About, Kind};
use super::publish;

/// All kinds.
pub(super) static KINDS: &[Kind] = &[publish::KIND];

/// What a job is about, if its kind is known and its payload can be read.
pub(super) fn about(job: &Job) -> About {
    let payload = serde_json::from_str(&job.payload).ok();
    let kind = Kind::find(KINDS, &job.kind);
    kind.zip(payload).map(|(kind, payload)| (kind.about)(&payload)).unwrap_or_default()
}
