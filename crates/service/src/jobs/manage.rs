//! Jobs for the operator: list, retry, confirm, cancel.
//!
//! A retry never makes the operator the actor: the job runs as its own actor, whose right is decided
//! when it runs. A job that the ledger does not back may only be cancelled.

use valetkey_authz::Allowed;
use valetkey_domain::change::ActorKind;
use valetkey_domain::{Action, Actor, AssetId, ContentId, Id, JobId, Planner, Reason, Refusal, UnixMs};
use valetkey_store::{Content, ContentWrite, Job, JobState, JobWrite};

use super::backing::{Unbacked, compare};
use super::kind::{About, Kind};
use super::registry::{KINDS, about};
use crate::call::Call;
use crate::content::store_refusal;
use crate::core::Service;
use crate::rights;
use crate::writer::{Done, Plan};

/// A job as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    pub id: JobId,
    pub kind: String,
    pub state: JobState,
    /// Whether a run holds it now.
    pub is_running: bool,
    pub due_at: UnixMs,
    /// When it is tried next; none if it is not.
    pub next_at: Option<UnixMs>,
    pub attempts: i64,
    /// Why the last attempt did not succeed: a stable word.
    pub reason: Option<String>,
    pub tried_at: Option<UnixMs>,
    /// The actor that it runs as.
    pub actor: Option<Actor>,
    /// What it is about: the content, such as a post, and the asset of that content, with its name.
    pub content: Option<ContentId>,
    pub asset: Option<AssetId>,
    pub asset_name: Option<String>,
}

/// How many jobs of a kind are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobTally {
    pub kind: String,
    pub state: JobState,
    pub count: u64,
}

/// The reason shown for a job that waits for a confirmation; no run left one.
const NOT_CONFIRMED: &str = "not_confirmed";

impl Service {
    /// Jobs after an id, in the order of ids: all, or those in a state. For the operator.
    ///
    /// # Errors
    /// The refusal.
    pub async fn list_jobs(
        &self,
        call: &Call,
        state: Option<JobState>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobRow>, Refusal> {
        self.ask_operator(call)?;
        let jobs = self.store().jobs_after(state, after, limit).await.map_err(|e| store_refusal(&e))?;
        let now = self.now();
        self.read(|s| {
            let name = |asset: Option<AssetId>| asset.and_then(|id| s.asset(id)).map(|a| a.name.to_string());
            jobs.into_iter().map(|job| row(job, now, name)).collect()
        })
    }

    /// How many jobs there are, by kind and state, for monitoring.
    ///
    /// # Errors
    /// Of the store.
    pub async fn job_tallies(&self) -> Result<Vec<JobTally>, Refusal> {
        let counts = self.store().job_counts().await.map_err(|e| store_refusal(&e))?;
        let tally = |c: valetkey_store::JobCount| JobTally { kind: c.kind, state: c.state, count: c.count };
        Ok(counts.into_iter().map(tally).collect())
    }

    /// Lets a job that failed, was set aside or waits for its next attempt be tried at once, as its own
    /// actor and with all its attempts again. For the operator.
    ///
    /// # Errors
    /// The refusal; `invalid` if the job has no actor, has no known kind, or is not backed by the ledger;
    /// `conflict` if it runs now.
    pub async fn retry_job(&self, call: &Call, id: JobId) -> Result<Done<()>, Refusal> {
        let job = self.job_at_rest(call, id).await?;
        let revision = self.compared(&job).await?;
        if job.actor.is_none() {
            let note = "the job has no actor; job.confirm lets it run as the operator";
            return Err(Refusal::invalid("job", "one that has an actor").with_note(note));
        }
        self.rearm(call, Action::JobRetried, job, revision).await
    }

    /// Lets a job of a version that wrote no actor run as the operator. For the operator.
    ///
    /// # Errors
    /// The refusal; `invalid` if the job has an actor, or is not backed by the ledger.
    pub async fn confirm_job(&self, call: &Call, id: JobId) -> Result<Done<()>, Refusal> {
        let job = self.job_at_rest(call, id).await?;
        let revision = self.compared(&job).await?;
        if job.actor.is_some() {
            let note = "the job has an actor, and can't run as another one; job.retry lets it be tried again";
            return Err(Refusal::invalid("job", "one that waits for a confirmation").with_note(note));
        }
        let actor = Some(Actor { kind: ActorKind::Operator, id: None, token: None });
        self.rearm(call, Action::JobConfirmed, Job { actor, ..job }, revision).await
    }

    /// Removes a job that failed, was set aside, or waits for a confirmation. Its effect does not happen:
    /// a post that waited for it stays unpublished. For the operator.
    ///
    /// # Errors
    /// The refusal; `invalid` if the job is in order and waits for its time.
    pub async fn cancel_job(&self, call: &Call, id: JobId) -> Result<Done<()>, Refusal> {
        let job = self.job_at_rest(call, id).await?;
        let backing = compare(self.store(), &job).await;
        let is_backed = match backing {
            Ok(_) => true,
            Err(Unbacked::Store(error)) => return Err(store_refusal(&error)),
            Err(_) => false,
        };
        if is_backed && job.state == JobState::Waiting {
            let note = "the job is in order and waits for its time; change or delete what it is about instead";
            return Err(Refusal::invalid("job", "one that does not run by itself").with_note(note));
        }
        // The content that a planted row names is not changed.
        let content = match about(&job).content.filter(|_| is_backed) {
            Some(content) => self.store().content(content).await.map_err(|e| store_refusal(&e))?,
            None => None,
        };
        self.command(call, rights::MANAGE_BUSINESS.on_caller(), move |planner, allowed| {
            allowed.caller.require_operator()?;
            let content = cancelled(planner, &job, content.as_ref())?;
            let jobs = vec![JobWrite::Cancel { id: job.id }];
            Ok((plan(planner, allowed, Action::JobCancelled, &job, content, jobs), ()))
        })
        .await
    }

    fn ask_operator(&self, call: &Call) -> Result<(), Refusal> {
        self.ask(call, rights::MANAGE_BUSINESS.on_caller())?.caller.require_operator()
    }

    /// A job that no run holds.
    async fn job_at_rest(&self, call: &Call, id: JobId) -> Result<Job, Refusal> {
        self.ask_operator(call)?;
        let job = self.store().job(id).await.map_err(|e| store_refusal(&e))?;
        let job = job.ok_or_else(|| Refusal::not_visible(id))?;
        if job.is_held(self.now()) {
            return Err(Refusal::of(Reason::Conflict).with_note("the job runs now; see how it ends first"));
        }
        Ok(job)
    }

    /// The entry that backs a job of a known kind.
    async fn compared(&self, job: &Job) -> Result<u64, Refusal> {
        let revision = compare(self.store(), job).await.map_err(|why| match why {
            Unbacked::Store(error) => store_refusal(&error),
            other @ (Unbacked::NoEntry
            | Unbacked::EntryAltered
            | Unbacked::Altered
            | Unbacked::Superseded
            | Unbacked::NoActor) => {
                let note = format!(
                    "the ledger does not back this job ({}): it was planted or altered; job.cancel removes it",
                    other.as_str()
                );
                Refusal::invalid("job", "one that the ledger backs").with_note(&note)
            }
        })?;
        if Kind::find(KINDS, &job.kind).is_none() {
            let note = "this version does not know the kind of the job; use the version that made it";
            return Err(Refusal::invalid("job", "of a known kind").with_note(note));
        }
        Ok(revision)
    }

    async fn rearm(&self, call: &Call, action: Action, job: Job, expected: u64) -> Result<Done<()>, Refusal> {
        self.command(call, rights::MANAGE_BUSINESS.on_caller(), move |planner, allowed| {
            allowed.caller.require_operator()?;
            let anew = Job { reason: job.reason.clone(), tried_at: job.tried_at, ..fresh(&job) };
            let jobs = vec![JobWrite::Rearm { job: anew, expected, now: planner.now() }];
            Ok((plan(planner, allowed, action, &job, None, jobs), ()))
        })
        .await
    }
}

/// The same job before its first attempt.
fn fresh(job: &Job) -> Job {
    Job::new(job.id, &job.kind, job.due_at, job.actor, job.payload.clone())
}

/// The entry's first subject is the job; then comes what the job is about.
fn plan(
    planner: &mut Planner<'_>,
    allowed: &Allowed,
    action: Action,
    job: &Job,
    content: Option<ContentWrite>,
    jobs: Vec<JobWrite>,
) -> Plan {
    let About { content: about, asset } = about(job);
    let mut subjects = vec![job.id.any()];
    let about = about.map(Id::any).into_iter().chain(asset.map(Id::any));
    subjects.extend(about.filter(|id| *id != job.id.any()));
    let set = planner.finish(action, &allowed.caller, allowed.caller.business(), &subjects);
    Plan { set, content: content.into_iter().collect(), jobs }
}

fn cancelled(planner: &Planner<'_>, job: &Job, content: Option<&Content>) -> Result<Option<ContentWrite>, Refusal> {
    let (Some(row), Some(kind)) = (content, Kind::find(KINDS, &job.kind)) else { return Ok(None) };
    let changed = (kind.cancelled)(row, job, planner.now())?;
    Ok(changed.map(|changed| ContentWrite::Update { row: changed, expected: row.version }))
}

fn row(job: Job, now: UnixMs, name: impl Fn(Option<AssetId>) -> Option<String>) -> JobRow {
    let About { content, asset } = about(&job);
    let is_running = job.state == JobState::Waiting && job.is_held(now);
    let unsaid = || (job.state == JobState::Unconfirmed).then(|| NOT_CONFIRMED.to_owned());
    JobRow {
        reason: job.reason.clone().or_else(unsaid),
        id: job.id,
        state: job.state,
        is_running,
        due_at: job.due_at,
        next_at: (job.state == JobState::Waiting && !is_running).then_some(job.not_before),
        attempts: job.attempts,
        tried_at: job.tried_at,
        actor: job.actor,
        content,
        asset,
        asset_name: name(asset),
        kind: job.kind,
    }
}
