//! The goals of the design, and whether what was measured meets them.
//!
//! It must never leave out a goal: what was not measured says so, and what was missed says by how much
//! and why.

use std::fmt::Write as _;

use serde_json::Value;

use super::console::{KB_GOAL, MS_GOAL};
use super::figures::{Goal, number};

/// One goal of the design.
pub struct Row {
    pub what: &'static str,
    /// Where its figure stands in the results: a single figure, or one with `median`, `low`, `high`.
    at: &'static str,
    goal: Goal,
    unit: &'static str,
    digits: usize,
    /// The known cause, if the goal is missed.
    why: &'static str,
}

pub const ROWS: &[Row] = &[
    Row {
        what: "CPU of a check, as a share of the bare server's",
        at: "/check/cpu_us/ratio",
        goal: Goal::AtMost(1.10),
        unit: "",
        digits: 3,
        why: "both make the same two system calls for each request. By a sampling profile about a seventh of the server's \
              time goes into look-ups of token, user, assignment and asset, and a twenty-fifth into the note of the \
              use; both wait for memory, more so when other machines share the cache. Copies of the facts and five \
              headers about the caller take most of the rest",
    },
    Row {
        what: "Checks a second, as a share of the bare server's requests",
        at: "/check/per_s/ratio",
        goal: Goal::AtLeast(0.91),
        unit: "",
        digits: 3,
        why: "it follows from the CPU time, since one core answers",
    },
    Row {
        what: "A decision on a hot set, among a million tokens, with huge pages",
        at: "/decision/0/huge_pages/hot_ns",
        goal: Goal::AtMost(330.0),
        unit: " ns",
        digits: 0,
        why: "checksum and hash take their share, and other programs share the cache",
    },
    Row {
        what: "A decision on random tokens, of a million, with huge pages",
        at: "/decision/0/huge_pages/random_ns",
        goal: Goal::AtMost(750.0),
        unit: " ns",
        digits: 0,
        why: "each question waits for memory several times, one after the other, and other programs share the cache",
    },
    Row {
        what: "Each further question of a check that asks a hundred, CPU",
        at: "/adapters/further_question_us",
        goal: Goal::AtMost(0.5),
        unit: " µs",
        digits: 2,
        why: "reading and writing its JSON takes as long as the decision",
    },
    Row {
        what: "CPU of Graph `GET /me`, as a share of a bare answer of its size",
        at: "/adapters/ratios/me",
        goal: Goal::AtMost(2.0),
        unit: "",
        digits: 2,
        why: "parameters, the route, the body and the headers that clients look for are all put together anew",
    },
    Row {
        what: "CPU of one post, as a share of a bare answer of its size",
        at: "/adapters/ratios/post",
        goal: Goal::AtMost(3.5),
        unit: "",
        digits: 2,
        why: "two statements to the store, each with a change of threads",
    },
    Row {
        what: "CPU of a page of 25 posts, as a share of a bare answer of its size",
        at: "/adapters/ratios/posts",
        goal: Goal::AtMost(10.0),
        unit: "",
        digits: 1,
        why: "each row is read as JSON, rendered field by field, and written as JSON",
    },
    Row {
        what: "Seconds until a server with a million tokens answers",
        at: "/check/start_s",
        goal: Goal::AtMost(1.5),
        unit: " s",
        digits: 1,
        why: "one thread folds the rows while another reads them; folding a token or an assignment waits for memory several \
              times",
    },
    Row {
        what: "Memory that the index takes for each further token, worst step",
        at: "/memory/worst_counted_bytes_per_token",
        goal: Goal::AtMost(128.0),
        unit: " bytes",
        digits: 1,
        why: "rows and tables have grown",
    },
    Row {
        what: "Memory by which the process grows with it, worst step",
        at: "/memory/worst_resident_bytes_per_token",
        goal: Goal::AtMost(128.0),
        unit: " bytes",
        digits: 1,
        why: "the allocator keeps the room of tables that were outgrown and gives it to later ones, so some steps pay for \
              others",
    },
    Row {
        what: "Folds a second, at a million tokens",
        at: "/decision/0/folds_per_s",
        goal: Goal::AtLeast(100_000.0),
        unit: "",
        digits: 0,
        why: "other programs took the core",
    },
    Row {
        what: "The console's largest page with 10,000 assets, with style, script and icons",
        at: "/console/most_kb",
        goal: KB_GOAL,
        unit: " KB",
        digits: 1,
        why: "the section about the console's pages names each page above it",
    },
    Row {
        what: "The server's work on the console's slowest page with 10,000 assets, 95 of 100 answers",
        at: "/console/slowest_ms",
        goal: MS_GOAL,
        unit: " ms",
        digits: 2,
        why: "the section about the console's pages names each page above it",
    },
];

/// A figure and, if it was measured more than once, its interval.
struct Figure {
    value: f64,
    interval: Option<(f64, f64)>,
}

impl Figure {
    fn at(figures: &Value, place: &str) -> Option<Figure> {
        let found = figures.pointer(place)?;
        if let Some(value) = found.as_f64() {
            return Some(Figure { value, interval: None });
        }
        let part = |name: &str| found[name].as_f64();
        Some(Figure { value: part("median")?, interval: part("low").zip(part("high")) })
    }

    fn text(&self, digits: usize, unit: &str) -> String {
        let mut text = format!("{}{unit}", number(self.value, digits));
        if let Some((low, high)) = self.interval {
            let _ = write!(text, " ({} to {})", number(low, digits), number(high, digits));
        }
        text
    }
}

/// A measured figure, with its interval if there is one.
pub fn text_at(figures: &Value, place: &str, digits: usize) -> String {
    Figure::at(figures, place).map_or_else(|| "not measured".to_string(), |figure| figure.text(digits, ""))
}

/// The measured figure, and whether it meets the goal.
pub fn judged(row: &Row, figures: &Value) -> (String, String) {
    let Some(figure) = Figure::at(figures, row.at) else {
        return ("not measured in this run".to_string(), "not known".to_string());
    };
    let outcome = match row.goal.missed_by(figure.value) {
        None => "met".to_string(),
        Some(share) => {
            format!("**missed by {} %**: {}", number((share * 1000.0).ceil() / 10.0, 1), row.why)
        }
    };
    (figure.text(row.digits, row.unit), outcome)
}

/// A line for each goal, for the terminal.
pub fn summary(figures: &Value) -> Vec<String> {
    let line = |row: &Row| {
        let (measured, outcome) = judged(row, figures);
        format!("{}: {measured}, goal {}: {outcome}", row.what, goal_text(row))
    };
    ROWS.iter().map(line).collect()
}

/// The goal with its unit.
pub fn goal_text(row: &Row) -> String {
    // Goals are round numbers: two digits at most, and none that says nothing.
    let digits = (0..2).find(|digits| row.goal.is_exact_with(*digits)).unwrap_or(2);
    format!("{}{}", row.goal.text(digits), row.unit)
}
