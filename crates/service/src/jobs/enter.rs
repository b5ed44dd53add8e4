//! Jobs from before jobs stood in the ledger: entered once, in one entry, when this version first opens
//! the store.
//!
//! The newest entry says whether this version wrote before. If it did, a row without an entry is not an
//! old job but a planted one, and must never be entered.

use serde_json::Value;
use valetkey_domain::change::ActorKind;
use valetkey_domain::{Action, Actor, Id, Reason, Refusal, State};
use valetkey_store::ledger::JOBS_FORMAT;
use valetkey_store::{Job, JobState, JobWrite, Store, StoreError};

use crate::call::Call;
use crate::core::{OpenError, Service};
use crate::rights;
use crate::writer::Plan;

const JOBS_AT_ONCE: usize = 1_000;
/// How often this is tried if a job changes meanwhile.
const TRIES: usize = 3;

/// Enters old jobs into the ledger; writes nothing if there are none.
///
/// # Errors
/// Of the store, or if the entry can't be written.
pub(crate) async fn enter_old_jobs(service: &Service) -> Result<(), OpenError> {
    for _ in 1..TRIES {
        match enter(service).await? {
            Err(refusal) if refusal.reason == Reason::Conflict => {}
            entered => return entered.map_err(not_entered),
        }
    }
    enter(service).await?.map_err(not_entered)
}

fn not_entered(refusal: Refusal) -> OpenError {
    let why = refusal.note.unwrap_or_else(|| refusal.reason.as_str().to_owned());
    OpenError::Store(StoreError::Unavailable(format!("jobs of an earlier version can't be entered: {why}")))
}

async fn enter(service: &Service) -> Result<Result<(), Refusal>, StoreError> {
    let store = service.store();
    if !is_before_jobs(store).await? {
        return Ok(Ok(()));
    }
    let old = without_entry(store).await?;
    if old.is_empty() {
        return Ok(Ok(()));
    }
    let count = old.len();
    let call = Call::operator("upgrade");
    let written = service.command(&call, rights::MANAGE_BUSINESS.on_caller(), move |planner, allowed| {
        let state = planner.state();
        let jobs = old.iter().map(|job| JobWrite::Enter(with_actor(state, job))).collect();
        // No subjects: each row names this entry, and there may be a hundred thousand.
        let set = planner.finish(Action::JobsEntered, &allowed.caller, None, &[]);
        Ok((Plan { set, content: Vec::new(), jobs }, ()))
    });
    Ok(written.await.map(|_| tracing::info!(count, "jobs of an earlier version were entered in the ledger")))
}

/// Whether no entry is of a version that entered jobs.
async fn is_before_jobs(store: &dyn Store) -> Result<bool, StoreError> {
    let head = store.head().await?;
    let Some(before) = head.revision.checked_sub(1) else { return Ok(false) };
    Ok(store.tail(before, 1).await?.iter().all(|entry| entry.format < JOBS_FORMAT))
}

async fn without_entry(store: &dyn Store) -> Result<Vec<Job>, StoreError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let jobs = store.jobs_after(None, after, JOBS_AT_ONCE).await?;
        let Some(last) = jobs.last().map(|job| job.id) else { return Ok(found) };
        after = Some(last);
        found.extend(jobs.into_iter().filter(|job| job.revision.is_none()));
    }
}

/// An old job with its actor: the user of the token that its payload names. Without a token, either the
/// operator made it or somebody planted it, so the operator has to confirm it.
fn with_actor(state: &dyn State, job: &Job) -> Job {
    let payload: Option<Value> = serde_json::from_str(&job.payload).ok();
    let token = payload.as_ref().and_then(|p| p.get("token")).and_then(Value::as_str).and_then(Id::parse);
    let actor = token.and_then(|id| state.token(id)).map(|token| {
        let kind = if state.person(token.user).is_some() { ActorKind::Person } else { ActorKind::SystemUser };
        Actor { kind, id: Some(token.user.any()), token: Some(token.id) }
    });
    let state = if actor.is_some() { JobState::Waiting } else { JobState::Unconfirmed };
    if actor.is_none() {
        tracing::warn!(job = %job.id, "a job of an earlier version names no token; it waits for valetkey job confirm");
    }
    Job { actor, state, ..job.clone() }
}
