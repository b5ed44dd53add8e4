//! The summary: a table of suites and a closing line.
//!
//! Its last line must always be `N passed, N failed`: scripts look for it there.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::counts::Counts;
use crate::out;

/// The outcome of one suite.
#[derive(Debug)]
pub struct Outcome {
    name: String,
    counts: Counts,
    duration: Duration,
}

impl Outcome {
    pub fn new(name: &str, counts: Counts, duration: Duration) -> Self {
        Self { name: name.to_string(), counts, duration }
    }

    /// A suite that could not run at all counts as one failure.
    pub fn broken(name: &str, start: Instant, error: &anyhow::Error) -> Self {
        out::problem(&format!("{name}: {error:#}"));
        Self::new(name, Counts::new(0, 1).with_note(&format!("{error:#}")), start.elapsed())
    }

    pub fn went_well(&self) -> bool {
        self.counts.failed == 0 && self.counts.passed > 0
    }

    fn row(&self) -> String {
        let (passed, failed) = (self.counts.passed, self.counts.failed);
        let seconds = self.duration.as_secs_f64();
        let row = format!("{:<20} {passed:>8} {failed:>8} {seconds:>9.1}", self.name);
        if self.went_well() { row } else { out::red(&row) }
    }
}

/// The outcomes of a run, in the order in which they came.
#[derive(Debug, Default)]
pub struct Report {
    outcomes: Vec<Outcome>,
}

impl Report {
    pub fn add(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
    }

    fn line(&self) -> String {
        let passed: u64 = self.outcomes.iter().map(|outcome| outcome.counts.passed).sum();
        let failed: u64 = self.outcomes.iter().map(|outcome| outcome.counts.failed).sum();
        format!("{passed} passed, {failed} failed")
    }

    fn went_well(&self) -> bool {
        !self.outcomes.is_empty() && self.outcomes.iter().all(Outcome::went_well)
    }

    /// Prints the table and the closing line, writes the line to a file, and returns whether all passed.
    pub fn finish(&self, duration: Duration, kept: &Path) -> Result<bool> {
        out::line("");
        out::line(&format!("{:<20} {:>8} {:>8} {:>9}", "suite", "passed", "failed", "seconds"));
        for outcome in &self.outcomes {
            out::line(&outcome.row());
        }
        for outcome in &self.outcomes {
            if let Some(note) = &outcome.counts.note {
                out::line(&format!("{}: {note}", outcome.name));
            }
        }
        out::line(&format!("all together: {}", out::took(duration)));
        out::line("");
        let line = self.line();
        std::fs::write(kept, format!("{line}\n")).with_context(|| format!("can't write {}", kept.display()))?;
        out::line(&line);
        Ok(self.went_well())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reaper::Reaper;

    fn report(outcomes: &[(u64, u64)]) -> Report {
        let mut report = Report::default();
        for (passed, failed) in outcomes {
            report.add(Outcome::new("suite", Counts::new(*passed, *failed), Duration::from_secs(1)));
        }
        report
    }

    #[test]
    fn totals_are_kept_and_decide() {
        let reaper = Reaper::start().unwrap();
        let file = reaper.folder("report").unwrap().join("summary.txt");
        assert!(report(&[(3, 0), (4, 0)]).finish(Duration::ZERO, &file).unwrap());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "7 passed, 0 failed\n");
        assert!(!report(&[(3, 0), (4, 1)]).finish(Duration::ZERO, &file).unwrap());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "7 passed, 1 failed\n");
    }

    #[test]
    fn nothing_run_is_not_well() {
        assert!(!report(&[]).went_well());
        assert!(!report(&[(3, 0), (0, 0)]).went_well());
    }
}
