//! Jobs: what is to be done later, as which actor, and how the attempts went.
//!
//! Id, kind, due time, actor and payload say what is to be done. Their digest stands in the ledger
//! entry that the row names. All other fields are about attempts, and no entry holds them. A job
//! must never run because of its row alone.

use valetkey_domain::{Actor, JobId, UnixMs};

/// Something to be done later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    /// A word such as `publish_post`.
    pub kind: String,
    pub due_at: UnixMs,
    /// The actor that it runs as. `None` in a row of a version that wrote no actor: such a job does
    /// not run until the operator confirms it.
    pub actor: Option<Actor>,
    /// A JSON object.
    pub payload: String,
    /// The entry that made the job, or that changed it last. The store sets it and ignores the value
    /// in a write. `None` in a row of a version that wrote none.
    pub revision: Option<u64>,
    pub state: JobState,
    /// It is not tried before this time. Never before `due_at`.
    pub not_before: UnixMs,
    /// How often a runner took it since it was made or re-armed.
    pub attempts: i64,
    /// Until when a runner holds it.
    pub lease_until: Option<UnixMs>,
    /// Names the run that holds it.
    pub holder: Option<String>,
    /// Why the last attempt did not succeed: a stable word.
    pub reason: Option<String>,
    /// When the last attempt ended.
    pub tried_at: Option<UnixMs>,
}

impl Job {
    /// A new job that waits for its time.
    pub fn new(id: JobId, kind: &str, due_at: UnixMs, actor: Option<Actor>, payload: String) -> Job {
        Job {
            id,
            kind: kind.to_owned(),
            due_at,
            actor,
            payload,
            revision: None,
            state: JobState::Waiting,
            not_before: due_at,
            attempts: 0,
            lease_until: None,
            holder: None,
            reason: None,
            tried_at: None,
        }
    }

    /// Whether a run holds it at this time.
    pub fn is_held(&self, now: UnixMs) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }
}

/// Whether a job is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It is tried when its time comes. The only state in which a job can be claimed.
    Waiting,
    /// It has no actor. The operator has to confirm it.
    Unconfirmed,
    /// Its last attempt failed.
    Failed,
    /// It was not tried: the ledger does not back it, or this version does not know its kind.
    SetAside,
}

impl JobState {
    /// All states.
    pub const ALL: [JobState; 4] = [JobState::Waiting, JobState::Unconfirmed, JobState::Failed, JobState::SetAside];

    /// The word in stores and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            JobState::Waiting => "waiting",
            JobState::Unconfirmed => "unconfirmed",
            JobState::Failed => "failed",
            JobState::SetAside => "set_aside",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<JobState> {
        JobState::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A change of jobs, committed together with what the job does.
///
/// A write that holds one changes no records, and names the job as its first subject: that is how the
/// newest entry about a job is found. Only [`JobWrite::Enter`] may appear several times in one write,
/// under an entry without subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobWrite {
    /// Fails as a conflict when the id is taken.
    Insert(Job),
    /// Replaces the job if entry `expected` left it and nobody holds it at `now`; a conflict
    /// otherwise.
    Rearm { job: Job, expected: u64, now: UnixMs },
    /// Takes a row of a version that wrote no entry for it into the ledger, with this actor and
    /// state. A conflict if the row has an entry, or is not what was read.
    Enter(Job),
    /// Removes the job if entry `revision` left it, it is due at `now`, it is still held by `holder`,
    /// and its lease runs beyond `now`; a conflict otherwise.
    Finish { id: JobId, holder: String, revision: u64, now: UnixMs },
    /// Removes the job even if a runner holds it; no conflict if it is gone.
    Cancel { id: JobId },
}

impl JobWrite {
    /// The job that it is about.
    pub fn id(&self) -> JobId {
        match self {
            JobWrite::Insert(job) | JobWrite::Rearm { job, .. } | JobWrite::Enter(job) => job.id,
            JobWrite::Finish { id, .. } | JobWrite::Cancel { id } => *id,
        }
    }

    /// The job as it is after this change; `None` if it is removed.
    pub fn left(&self) -> Option<&Job> {
        match self {
            JobWrite::Insert(job) | JobWrite::Rearm { job, .. } | JobWrite::Enter(job) => Some(job),
            JobWrite::Finish { .. } | JobWrite::Cancel { .. } => None,
        }
    }
}

/// How a run that did not succeed leaves its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRest {
    pub state: JobState,
    pub not_before: UnixMs,
    /// A stable word.
    pub reason: String,
    pub at: UnixMs,
}

/// When a job of a kind can be claimed next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextJob {
    pub kind: String,
    pub at: UnixMs,
}

/// How many jobs of a kind are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCount {
    pub kind: String,
    pub state: JobState,
    pub count: u64,
}
