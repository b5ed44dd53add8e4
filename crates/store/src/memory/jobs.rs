//! The jobs of the model.

use std::collections::BTreeMap;

use valetkey_domain::{JobId, UnixMs};

use crate::{Job, JobCount, JobRest, JobState, JobWrite, NextJob};

/// How many kinds [`Jobs::next`] names.
const KINDS_LIMIT: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Jobs(BTreeMap<JobId, Job>);

impl Jobs {
    pub fn get(&self, id: JobId) -> Option<&Job> {
        self.0.get(&id)
    }

    pub fn all(&self) -> impl Iterator<Item = &Job> {
        self.0.values()
    }

    /// Puts a job in its place, or removes it.
    pub fn set(&mut self, id: JobId, job: Option<Job>) {
        match job {
            Some(job) => self.0.insert(id, job),
            None => self.0.remove(&id),
        };
    }

    /// Writes a change under the entry of this revision. Returns whether its condition held, and the
    /// job as it was before.
    pub fn write(&mut self, change: &JobWrite, revision: u64) -> (bool, Option<Job>) {
        let old = self.0.get(&change.id()).cloned();
        let held = match change {
            JobWrite::Insert(_) => old.is_none(),
            JobWrite::Rearm { expected, now, .. } => {
                old.as_ref().is_some_and(|j| j.revision == Some(*expected) && !j.is_held(*now))
            }
            JobWrite::Enter(job) => old.as_ref().is_some_and(|j| {
                j.revision.is_none() && (&j.kind, j.due_at, &j.payload) == (&job.kind, job.due_at, &job.payload)
            }),
            JobWrite::Finish { holder, revision, now, .. } => old
                .as_ref()
                .is_some_and(|j| j.revision == Some(*revision) && j.due_at <= *now && is_held_by(j, holder, *now)),
            JobWrite::Cancel { .. } => true,
        };
        if !held {
            return (false, old);
        }
        let new = match change {
            JobWrite::Insert(job) | JobWrite::Rearm { job, .. } => Some(job.clone()),
            // The fields about attempts stay as they are.
            JobWrite::Enter(job) => {
                old.clone().map(|old| Job { actor: job.actor, state: job.state, not_before: job.not_before, ..old })
            }
            JobWrite::Finish { .. } | JobWrite::Cancel { .. } => None,
        };
        self.set(change.id(), new.map(|job| Job { revision: Some(revision), ..job }));
        (true, old)
    }

    pub fn claim(&mut self, kind: &str, holder: &str, now: UnixMs, lease_until: UnixMs, limit: usize) -> Vec<Job> {
        let free =
            |j: &&mut Job| j.kind == kind && j.state == JobState::Waiting && j.not_before <= now && !j.is_held(now);
        let mut due: Vec<&mut Job> = self.0.values_mut().filter(free).collect();
        due.sort_by_key(|j| (j.not_before, j.id));
        due.truncate(limit);
        for job in &mut due {
            job.attempts += 1;
            job.holder = Some(holder.to_owned());
            job.lease_until = Some(lease_until);
        }
        due.into_iter().map(|j| j.clone()).collect()
    }

    pub fn renew(&mut self, id: JobId, holder: &str, now: UnixMs, lease_until: UnixMs) -> bool {
        let Some(job) = self.0.get_mut(&id).filter(|j| is_held_by(j, holder, now)) else { return false };
        job.lease_until = Some(lease_until);
        true
    }

    pub fn put_back(&mut self, id: JobId, holder: &str, now: UnixMs, rest: &JobRest) -> bool {
        let Some(job) = self.0.get_mut(&id).filter(|j| is_held_by(j, holder, now)) else { return false };
        let JobRest { state, not_before, reason, at } = rest.clone();
        job.state = state;
        job.not_before = not_before;
        job.reason = Some(reason);
        job.tried_at = Some(at);
        job.lease_until = None;
        job.holder = None;
        true
    }

    pub fn next(&self) -> Vec<NextJob> {
        let mut times: BTreeMap<&str, UnixMs> = BTreeMap::new();
        for job in self.0.values().filter(|j| j.state == JobState::Waiting) {
            let at = job.not_before.max(job.lease_until.unwrap_or(job.not_before));
            times.entry(&job.kind).and_modify(|t| *t = at.min(*t)).or_insert(at);
        }
        times.into_iter().take(KINDS_LIMIT).map(|(kind, at)| NextJob { kind: kind.to_owned(), at }).collect()
    }

    pub fn counts(&self) -> Vec<JobCount> {
        let mut counts: BTreeMap<(&str, &str), JobCount> = BTreeMap::new();
        for Job { kind, state, .. } in self.0.values() {
            let none = || JobCount { kind: kind.clone(), state: *state, count: 0 };
            counts.entry((kind, state.as_str())).or_insert_with(none).count += 1;
        }
        counts.into_values().collect()
    }
}

fn is_held_by(job: &Job, holder: &str, now: UnixMs) -> bool {
    job.state == JobState::Waiting && job.holder.as_deref() == Some(holder) && job.is_held(now)
}
