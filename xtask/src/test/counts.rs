//! How many tests passed and failed, read from what runners print.
//!
//! It must never show a run as better than it was: tests that were skipped, cut off or not counted
//! count as failed, and if a runner's exit code disagrees with its text, the exit code wins.

use crate::{exec::Ended, out};

/// The result of a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    /// Why, if there is more to say than the numbers.
    pub note: Option<String>,
}

impl Counts {
    pub fn new(passed: u64, failed: u64) -> Self {
        Self { passed, failed, note: None }
    }

    pub fn with_note(mut self, note: &str) -> Self {
        self.note = Some(match self.note {
            None => note.to_string(),
            Some(before) => format!("{before}; {note}"),
        });
        self
    }

    /// Skipped tests count as failures, because they were not tested.
    fn with_skipped(mut self, skipped: u64) -> Self {
        if skipped == 0 {
            return self;
        }
        self.failed += skipped;
        self.with_note(&format!("{skipped} skipped, counted as failed"))
    }

    /// Checks that the counts agree with the runner's exit, and that any test ran at all.
    fn checked(mut self, ended: &Ended) -> Self {
        if !ended.success() && self.failed == 0 {
            self.failed = 1;
            self = self.with_note(&ended.how());
        }
        if self.passed + self.failed == 0 {
            self.failed = 1;
            self = self.with_note("ran no test");
        }
        self
    }
}

/// The result of `cargo nextest run`.
pub fn nextest(ended: &Ended) -> Counts {
    read(ended, |text| nextest_text(text).map(|(counts, skipped)| counts.with_skipped(skipped)))
}

/// The same for a run with a filter: tests outside the filter are not part of the suite.
pub fn nextest_of_some(ended: &Ended) -> Counts {
    read(ended, |text| nextest_text(text).map(|(counts, _)| counts))
}

/// The result of `cargo test`: all its binaries together.
pub fn cargo_test(ended: &Ended) -> Counts {
    read(ended, cargo_test_text)
}

/// The result of a story or system suite, from its last line.
pub fn closing_line(ended: &Ended) -> Counts {
    read(ended, closing_text)
}

fn read(ended: &Ended, parse: fn(&str) -> Option<Counts>) -> Counts {
    match parse(&out::plain(&ended.output)) {
        Some(counts) => counts.checked(ended),
        None => Counts::new(0, 1).with_note(&format!("printed no summary; {}", ended.how())),
    }
}

/// `Summary [  12.3s] 412 tests run: 410 passed (3 slow), 1 failed, 1 timed out, 0 skipped`, where
/// a run that was cut off says `400/412 tests run`: the tests that it did not reach count as failed. The
/// second result is the number of skipped tests.
fn nextest_text(text: &str) -> Option<(Counts, u64)> {
    let line = text.lines().rev().map(str::trim).find(|line| line.starts_with("Summary ["))?;
    let (head, parts) = line.split_once(" run: ")?;
    let mut counts = Counts::default();
    let mut skipped = 0;
    for part in without_brackets(parts).split(',') {
        let (number, what) = part.trim().split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match what.trim() {
            "passed" => counts.passed += number,
            "skipped" => skipped += number,
            _ => counts.failed += number,
        }
    }
    let (_, run) = head.split_once(']')?;
    if let Some((done, all)) = run.split_whitespace().next()?.split_once('/') {
        counts = counts.with_skipped(all.parse::<u64>().ok()?.saturating_sub(done.parse().ok()?));
    }
    Some((counts, skipped))
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for char in text.chars() {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(char),
            _ => {}
        }
    }
    kept
}

/// `test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s`,
/// once for each binary. A binary that doesn't compile or crashes has no such line: the exit code tells.
fn cargo_test_text(text: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    let mut skipped = 0;
    let mut found = false;
    for line in text.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
        let (_, parts) = line.split_once(". ")?;
        found = true;
        for part in parts.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => counts.passed += number,
                "failed" => counts.failed += number,
                "ignored" | "filtered out" => skipped += number,
                _ => {}
            }
        }
    }
    found.then(|| counts.with_skipped(skipped))
}

/// The last line that isn't blank: `12 passed, 0 failed`, which only `, 0 skipped` may follow.
fn closing_text(text: &str) -> Option<Counts> {
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    let mut counts = Counts::default();
    let mut skipped = 0;
    for (index, part) in line.split(", ").enumerate() {
        let (number, what) = part.split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match (index, what) {
            (0, "passed") => counts.passed = number,
            (1, "failed") => counts.failed = number,
            (2, "skipped") => skipped = number,
            _ => return None,
        }
    }
    line.contains(", ").then(|| counts.with_skipped(skipped))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;
    use std::time::Duration;

    use super::*;

    fn ended(code: i32, output: &str) -> Ended {
        let status = Some(ExitStatus::from_raw(code << 8));
        Ended { status, output: output.to_string(), duration: Duration::ZERO }
    }

    fn numbers(counts: Counts) -> (u64, u64) {
        (counts.passed, counts.failed)
    }

    #[test]
    fn nextest_summaries() {
        let table = [
            ("     Summary [   0.024s] 1 test run: 1 passed, 0 skipped", (1, 0)),
            (
                "Summary [  12.345s] 412 tests run: 410 passed (3 slow, 1 flaky), 1 failed, 1 timed out, 0 skipped",
                (410, 2),
            ),
            (
                "Summary [   1.000s] 4 tests run: 2 passed, 1 failed (1 due to being leaky), 1 exec failed, 0 skipped",
                (2, 2),
            ),
            ("Summary [   1.000s] 10/14 tests run: 10 passed, 0 skipped", (10, 4)),
            ("Summary [   1.000s] 5 tests run: 5 passed, 3 skipped", (5, 3)),
        ];
        for (line, wanted) in table {
            let coloured = format!("noise\n\u{1b}[32;1m{line}\u{1b}[0m\nmore noise\n");
            assert_eq!(numbers(nextest(&ended(0, &coloured))), wanted, "{line}");
        }
    }

    #[test]
    fn of_a_part_the_rest_is_not_missed_but_what_was_cut_off_is() {
        let counts = |line| numbers(nextest_of_some(&ended(0, line)));
        assert_eq!(counts("Summary [   1.000s] 5 tests run: 5 passed, 300 skipped"), (5, 0));
        assert_eq!(counts("Summary [   1.000s] 3/5 tests run: 3 passed, 300 skipped"), (3, 2));
        assert_eq!(counts("Summary [   1.000s] 0 tests run: 0 passed, 300 skipped"), (0, 1));
    }

    #[test]
    fn cargo_test_results_add_up() {
        let text = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    test result: FAILED. 4 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        assert_eq!(numbers(cargo_test(&ended(101, text))), (7, 3));
    }

    #[test]
    fn closing_lines() {
        assert_eq!(numbers(closing_line(&ended(0, "ok - a\n3 passed, 0 failed\n\n"))), (3, 0));
        assert_eq!(numbers(closing_line(&ended(1, "3 passed, 2 failed, 1 skipped\n"))), (3, 3));
        for text in ["", "3 passed", "3 passed, 0 failed\nTraceback", "passed, failed", "0 failed, 3 passed"] {
            assert_eq!(numbers(closing_line(&ended(0, text))), (0, 1), "{text:?}");
        }
    }

    #[test]
    fn the_exit_code_wins_over_the_text() {
        let counts = closing_line(&ended(2, "3 passed, 0 failed\n"));
        assert_eq!(numbers(counts.clone()), (3, 1));
        assert_eq!(counts.note.as_deref(), Some("exit code 2"));
    }

    #[test]
    fn a_suite_without_a_test_has_failed() {
        let text = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(numbers(cargo_test(&ended(0, text))), (0, 1));
        assert_eq!(numbers(nextest(&ended(0, "Summary [   0.000s] 0 tests run: 0 passed, 0 skipped"))), (0, 1));
        assert_eq!(numbers(closing_line(&ended(0, "0 passed, 0 failed"))), (0, 1));
    }
}
