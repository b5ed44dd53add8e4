//! The newest lines about jobs that are not compared yet.

use valetkey_domain::JobId;
use valetkey_domain::id::of;
use valetkey_store::Job;
use valetkey_store::payload::JobLine;

use super::newest::{Line, Lines, Newest, News};

impl Line for JobLine {
    type Row = Job;
    type Of = of::Job;
    const NOUN: &'static str = "job";

    fn id(&self) -> JobId {
        self.id
    }

    fn is_removal(&self) -> bool {
        self.is_removal()
    }

    fn left(newest: &Newest<JobLine>, row: &Job) -> bool {
        row.revision == Some(newest.revision) && newest.line.left(&newest.salt, row)
    }

    fn row_id(row: &Job) -> JobId {
        row.id
    }

    fn among(news: &News) -> &[Newest<JobLine>] {
        &news.jobs
    }
}

/// The lines about jobs after the last that was compared.
#[derive(Debug, Default)]
pub(super) struct JobLines {
    pub behind: Option<JobId>,
    pub lines: Lines<JobLine>,
}

impl JobLines {
    pub(super) fn put(&mut self, newest: Newest<JobLine>) {
        let id = newest.line.id;
        if self.behind.is_some_and(|behind| id <= behind) {
            return;
        }
        if newest.line.is_removal() {
            self.lines.remove(&id);
        } else {
            self.lines.insert(id, newest);
        }
    }
}
