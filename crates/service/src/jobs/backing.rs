//! Whether the ledger backs a job: the row must be exactly as an entry left it, and no newer entry may
//! be about the job. Somebody with write access to the data can plant, alter or restore a row, and no
//! such row may run.

use serde_json::Value;
use valetkey_domain::change::ActorKind;
use valetkey_domain::{Actor, Reason, Refusal, UnixMs};
use valetkey_store::ledger::check_alone;
use valetkey_store::{Entry, Job, JobWrite, Store, StoreError};

use crate::call::{Call, Credential};

/// How many entries about a job are read at once.
const ENTRIES_AT_ONCE: usize = 100;

/// Why a job must not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unbacked {
    /// No entry made it.
    NoEntry,
    /// The entry that the row names is not in order.
    EntryAltered,
    /// The row is not what the entry left.
    Altered,
    /// A newer entry moved, ended or cancelled it.
    Superseded,
    /// It has no actor to run as.
    NoActor,
    /// The store could not be asked.
    Store(StoreError),
}

impl Unbacked {
    /// A stable word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Unbacked::NoEntry => "no_ledger_entry",
            Unbacked::EntryAltered => "ledger_entry_altered",
            Unbacked::Altered => "not_what_the_ledger_says",
            Unbacked::Superseded => "superseded_in_the_ledger",
            Unbacked::NoActor => "no_actor",
            Unbacked::Store(_) => "unavailable",
        }
    }
}

impl From<StoreError> for Unbacked {
    fn from(error: StoreError) -> Unbacked {
        Unbacked::Store(error)
    }
}

/// A job that the ledger backs, held by a run. Only [`backed`] makes one.
#[derive(Debug, Clone)]
pub(super) struct Backed {
    job: Job,
    revision: u64,
    credential: Credential,
    holder: String,
}

impl Backed {
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// The call of the job, as its own actor.
    pub fn call(&self) -> Call {
        Call::new(self.credential.clone(), format!("job{}", self.job.id))
    }

    /// The job's payload.
    ///
    /// # Errors
    /// `fault` if it is no JSON.
    pub fn payload(&self) -> Result<Value, Refusal> {
        serde_json::from_str(&self.job.payload).map_err(|_| Refusal::of(Reason::Fault))
    }

    /// The end of the job, to be committed with its effect: it holds only while the job is due and held
    /// by this run.
    pub fn finish(&self, now: UnixMs) -> JobWrite {
        JobWrite::Finish { id: self.job.id, holder: self.holder.clone(), revision: self.revision, now }
    }
}

/// Compares a job with the ledger.
///
/// # Errors
/// Why it must not run.
pub(super) async fn backed(store: &dyn Store, job: Job, holder: &str) -> Result<Backed, Unbacked> {
    let revision = compare(store, &job).await?;
    let credential = job.actor.and_then(credential_of).ok_or(Unbacked::NoActor)?;
    Ok(Backed { job, revision, credential, holder: holder.to_owned() })
}

/// The revision of the entry that left the job as it is, if no newer entry is about it.
///
/// # Errors
/// Why the ledger does not back it.
pub(super) async fn compare(store: &dyn Store, job: &Job) -> Result<u64, Unbacked> {
    let revision = job.revision.filter(|revision| *revision > 0).ok_or(Unbacked::NoEntry)?;
    let entries = store.tail(revision - 1, 2).await?;
    let (entry, next) = match entries.as_slice() {
        [entry, rest @ ..] if entry.revision == revision => (entry, rest.first()),
        _ => return Err(Unbacked::NoEntry),
    };
    if next.is_some_and(|next| next.prev != entry.hash) {
        return Err(Unbacked::EntryAltered);
    }
    let lines = lines_of(entry)?;
    let line = lines.iter().rev().find(|line| line.id == job.id).ok_or(Unbacked::NoEntry)?;
    if !line.left(&entry.salt, job) {
        return Err(Unbacked::Altered);
    }
    let mut after = revision;
    loop {
        let newer = store.entries_about(job.id.any(), after, ENTRIES_AT_ONCE).await?;
        for entry in &newer {
            if lines_of(entry)?.iter().any(|line| line.id == job.id) {
                return Err(Unbacked::Superseded);
            }
        }
        match newer.last() {
            Some(last) if newer.len() == ENTRIES_AT_ONCE => after = last.revision,
            _ => return Ok(revision),
        }
    }
}

fn lines_of(entry: &Entry) -> Result<Vec<valetkey_store::payload::JobLine>, Unbacked> {
    if check_alone(entry).is_err() {
        return Err(Unbacked::EntryAltered);
    }
    entry.payload().map(|payload| payload.jobs).map_err(|_| Unbacked::EntryAltered)
}

/// The credential that an actor calls with. A person or a system user calls with a token; an app makes
/// no jobs.
fn credential_of(actor: Actor) -> Option<Credential> {
    match actor.kind {
        ActorKind::Operator => Some(Credential::Operator),
        ActorKind::Person | ActorKind::SystemUser => actor.token.map(Credential::Token),
        ActorKind::App => None,
    }
}
