//! What an entry says about jobs: what happened to each, and a salted digest of what it is to do.

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use valetkey_domain::{Actor, Id, JobId, UnixMs};

use crate::digest::{finish, to_hex};
use crate::{Job, JobWrite};

/// What happened to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobDid {
    Insert,
    /// It was moved, or is to be tried anew.
    Rearm,
    /// It is from a version that wrote no entry for jobs.
    Enter,
    /// It was done, by this entry.
    Finish,
    Cancel,
}

/// What an entry says about one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobLine {
    pub did: JobDid,
    pub id: JobId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<UnixMs>,
    /// The actor that it runs as. `None` if the job was removed, or if an old row names no actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// [`job_digest`] of the job with the entry's salt, in hexadecimal; none where it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl JobLine {
    pub(super) fn of(change: &JobWrite, salt: &[u8]) -> JobLine {
        let did = match change {
            JobWrite::Insert(_) => JobDid::Insert,
            JobWrite::Rearm { .. } => JobDid::Rearm,
            JobWrite::Enter(_) => JobDid::Enter,
            JobWrite::Finish { .. } => JobDid::Finish,
            JobWrite::Cancel { .. } => JobDid::Cancel,
        };
        let job = change.left();
        JobLine {
            did,
            id: change.id(),
            kind: job.map(|j| j.kind.clone()),
            due_at: job.map(|j| j.due_at),
            actor: job.and_then(|j| j.actor),
            digest: job.map(|j| to_hex(&job_digest(salt, j))),
        }
    }

    /// Whether the job is gone after this line.
    pub fn is_removal(&self) -> bool {
        match self.did {
            JobDid::Insert | JobDid::Rearm | JobDid::Enter => false,
            JobDid::Finish | JobDid::Cancel => true,
        }
    }

    /// Whether the row is as this line left it. `salt` is that of the entry.
    pub fn left(&self, salt: &[u8], job: &Job) -> bool {
        !self.is_removal() && self.id == job.id && self.digest == Some(to_hex(&job_digest(salt, job)))
    }
}

/// SHA-256 of the salt and of all fields that say what a job is to do, when, and as which actor. Each
/// field is preceded by its length.
pub fn job_digest(salt: &[u8], job: &Job) -> [u8; 32] {
    let Job { id, kind, due_at, actor, payload, .. } = job;
    let mut context = Context::new(&SHA256);
    let mut field = |bytes: &[u8]| {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    let number = |id: Option<Id>| id.map_or(0, Id::get).to_be_bytes();
    field(b"valetkey job");
    field(salt);
    field(&number(Some(id.any())));
    field(kind.as_bytes());
    field(&due_at.to_be_bytes());
    field(actor.map_or("", |a| a.kind.as_str()).as_bytes());
    field(&number(actor.and_then(|a| a.id)));
    field(&number(actor.and_then(|a| a.token).map(Id::any)));
    field(payload.as_bytes());
    finish(context)
}

#[cfg(test)]
mod tests {
    use valetkey_domain::change::ActorKind;

    use super::*;
    use crate::JobState;

    fn id<Of>(n: u64) -> Id<Of> {
        Id::new(n).unwrap()
    }

    fn job() -> Job {
        let actor = Actor { kind: ActorKind::SystemUser, id: Some(id(31)), token: Some(id(50)) };
        Job::new(id(5), "publish_post", 9, Some(actor), "{}".to_owned())
    }

    #[test]
    fn a_line_fits_its_own_job_and_no_other() {
        let line = JobLine::of(&JobWrite::Insert(job()), &[7; 16]);
        assert!(line.left(&[7; 16], &job()));
        assert!(!line.left(&[8; 16], &job()), "the digest is salted");
        let changes: [fn(&mut Job); 8] = [
            |j| j.id = id(9),
            |j| j.kind.push('x'),
            |j| j.due_at += 1,
            |j| j.actor = None,
            |j| j.actor = Some(Actor { kind: ActorKind::Operator, ..j.actor.unwrap() }),
            |j| j.actor = Some(Actor { id: Some(id(32)), ..j.actor.unwrap() }),
            |j| j.actor = Some(Actor { token: Some(id(51)), ..j.actor.unwrap() }),
            |j| j.payload.push(' '),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let mut other = job();
            change(&mut other);
            assert!(!line.left(&[7; 16], &other), "change {n}");
        }
        // Fields about attempts are not part of it.
        let tried = Job { state: JobState::Failed, attempts: 3, not_before: 99, reason: Some("x".to_owned()), ..job() };
        assert!(line.left(&[7; 16], &tried));
        // After a removal no row matches.
        for did in [JobDid::Finish, JobDid::Cancel] {
            assert!(!JobLine { did, ..line.clone() }.left(&[7; 16], &job()));
        }
        assert!(!JobLine { digest: None, ..line }.left(&[7; 16], &job()));
    }
}
