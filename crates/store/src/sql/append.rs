//! What a commit does, statement by statement, for any engine.
//!
//! An engine locks the head, asks [`Appender::businesses`] whose heads are needed, and reads them.
//! Then for each write: run [`conditions`] and compare the counts of rows; if one differs, roll
//! back to a savepoint from before the write and report a conflict. Otherwise run what
//! [`Appender::apply`] gives; any broken constraint fails the whole batch. At the end run what
//! [`Appender::finish`] gives, and commit. A write without conditions needs no savepoint.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use valetkey_domain::BusinessId;

use super::rows::{
    content_values, entered_values, entry_values, expected_revision, job_values, rearmed_values, stored_revision,
};
use super::statements as sql;
use super::{Step, records};
use crate::ledger::Link;
use crate::{Batch, ContentWrite, Entry, Head, JobWrite, StoreError, Write};

/// What one write became.
#[derive(Debug, Clone)]
pub struct Applied {
    pub revision: u64,
    pub steps: Vec<Step>,
}

/// Numbers and chains the entries of one batch.
#[derive(Debug)]
pub struct Appender {
    commit_id: [u8; 16],
    head: Head,
    known: HashMap<BusinessId, [u8; 32]>,
    written: BTreeMap<BusinessId, (u64, [u8; 32])>,
    applied: u64,
}

impl Appender {
    /// The businesses whose heads a batch needs, each once.
    pub fn businesses(batch: &Batch) -> Vec<BusinessId> {
        batch.writes.iter().filter_map(|w| w.set.business).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Starts a batch at the locked head. A business without a head yet is left out of
    /// `business_heads`.
    pub fn new(commit_id: [u8; 16], head: Head, business_heads: HashMap<BusinessId, [u8; 32]>) -> Appender {
        Appender { commit_id, head, known: business_heads, written: BTreeMap::new(), applied: 0 }
    }

    /// Gives the next revision to a write whose conditions held. After an error the batch must be
    /// rolled back as a whole.
    ///
    /// # Errors
    /// If something can't be written as JSON or has too many bits.
    pub fn apply(&mut self, write: &Write) -> Result<Applied, StoreError> {
        let business_prev = write.set.business.and_then(|b| self.known.get(&b)).copied().unwrap_or([0; 32]);
        let link = Link { revision: self.head.revision + 1, prev: self.head.hash, business_prev };
        let entry = Entry::of_write(write, self.commit_id, link)?;
        let mut steps = Vec::with_capacity(write.set.changes.len() + write.jobs.len() + 1);
        for change in &write.set.changes {
            steps.extend(records::steps(change)?);
        }
        steps.push(Step { statement: sql::INSERT_ENTRY, values: entry_values(&entry)?, expect: None });
        // Later writes of the batch may remove the job or make it again. Their steps follow this one, so
        // the row names the newest entry in the end.
        for job in write.jobs.iter().filter_map(JobWrite::left) {
            let values = vec![job.id.into(), stored_revision(entry.revision)?];
            steps.push(Step { statement: sql::SET_JOB_REVISION, values, expect: None });
        }
        self.head = self.head.followed_by(&entry);
        if let Some(business) = entry.business {
            self.known.insert(business, entry.hash);
            self.written.insert(business, (entry.revision, entry.hash));
        }
        self.applied += 1;
        Ok(Applied { revision: entry.revision, steps })
    }

    /// The statements that move the heads; none if nothing was applied.
    ///
    /// # Errors
    /// If a revision has too many bits.
    pub fn finish(&self) -> Result<Vec<Step>, StoreError> {
        if self.applied == 0 {
            return Ok(Vec::new());
        }
        let mut steps = Vec::with_capacity(self.written.len() + 1);
        for (business, (revision, hash)) in &self.written {
            let values = vec![(*business).into(), stored_revision(*revision)?, hash.as_slice().into()];
            steps.push(Step { statement: sql::SET_BUSINESS_HEAD, values, expect: None });
        }
        let Head { revision, hash, last_narrowing } = self.head;
        let values = vec![stored_revision(revision)?, hash.as_slice().into(), stored_revision(last_narrowing)?];
        steps.push(Step { statement: sql::SET_HEAD, values, expect: None });
        Ok(steps)
    }

    /// The head after everything that was applied so far.
    pub fn head(&self) -> Head {
        self.head
    }
}

/// The statements that write content and jobs, each with the number of rows that it must write.
pub fn conditions(write: &Write) -> Vec<Step> {
    let content = write.content.iter().map(|change| match change {
        ContentWrite::Insert(row) => {
            Step { statement: sql::INSERT_CONTENT, values: content_values(row), expect: Some(1) }
        }
        ContentWrite::Update { row, expected } => {
            let mut values = content_values(row);
            values.push((*expected).into());
            Step { statement: sql::UPDATE_CONTENT, values, expect: Some(1) }
        }
        ContentWrite::Delete { id, expected } => {
            Step { statement: sql::DELETE_CONTENT, values: vec![(*id).into(), (*expected).into()], expect: Some(1) }
        }
    });
    content.chain(write.jobs.iter().map(job_step)).collect()
}

fn job_step(change: &JobWrite) -> Step {
    match change {
        JobWrite::Insert(job) => Step { statement: sql::INSERT_JOB, values: job_values(job), expect: Some(1) },
        JobWrite::Rearm { job, expected, now } => {
            Step { statement: sql::REARM_JOB, values: rearmed_values(job, *expected, *now), expect: Some(1) }
        }
        JobWrite::Enter(job) => Step { statement: sql::ENTER_JOB, values: entered_values(job), expect: Some(1) },
        JobWrite::Finish { id, holder, revision, now } => {
            let values = vec![(*id).into(), holder.as_str().into(), (*now).into(), expected_revision(*revision)];
            Step { statement: sql::FINISH_JOB, values, expect: Some(1) }
        }
        JobWrite::Cancel { id } => Step { statement: sql::CANCEL_JOB, values: vec![(*id).into()], expect: None },
    }
}
