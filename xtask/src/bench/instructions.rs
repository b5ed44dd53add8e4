//! Instructions of one request, in user space, by valgrind: the difference between two runs of
//! different length, so that starting and stopping cancel out.
//!
//! It must never be read as time: valgrind simulates an older processor, and the kernel's part of a
//! request is not counted.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::check::{Side, Sized, load};
use super::tools::{Bench, write};
use crate::out;

/// Few tokens suffice: what a request executes hardly depends on their number.
const TOKENS: usize = 1_000;
const CONNECTIONS: &str = "4";

pub(super) fn measure(bench: &Bench<'_>) -> Result<Value> {
    let (short, long) = if bench.quick { (200, 400) } else { (2_000, 12_000) };
    let (data, targets) = bench.seed("instructions", TOKENS)?;
    // One token: uses are recorded by token and time, and time passes differently under valgrind.
    let one = bench.folder.join("one-target.txt");
    let text = std::fs::read_to_string(&targets).context("there are no targets")?;
    write(&one, &format!("{}\n", text.lines().next().unwrap_or_default()))?;
    let mut counts = Vec::new();
    for bare in [false, true] {
        let mut totals = Vec::new();
        for requests in [short, long] {
            let kept = bench.folder.join(format!("callgrind-{bare}-{requests}"));
            let file = format!("--callgrind-out-file={}", kept.display());
            let under = ["valgrind", "--tool=callgrind", "--quiet", &file];
            let side = if bare {
                Side::bare(bench, Sized::AsCheck, Some(&under))?
            } else {
                Side::product(bench, &data, Some(&under))?
            };
            load(bench, &side.address, &one, requests, CONNECTIONS)?;
            side.stop(if bare { "bare server" } else { "server" })?;
            totals.push(total(&kept)?);
        }
        let each = (totals[1] - totals[0]) / (long - short) as f64;
        out::detail(&format!("{}: {each:.0} instructions a request", if bare { "bare server" } else { "server" }));
        counts.push(each);
    }
    Ok(json!({ "product": counts[0], "bare": counts[1], "ratio": counts[0] / counts[1], "requests": long - short }))
}

fn total(file: &Path) -> Result<f64> {
    let text = std::fs::read_to_string(file).context("valgrind left no counts behind")?;
    parse(&text).context("valgrind's counts have no total")
}

fn parse(text: &str) -> Option<f64> {
    let total =
        |line: &str| line.strip_prefix("totals:").or_else(|| line.strip_prefix("summary:"))?.trim().parse().ok();
    text.lines().rev().find_map(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found() {
        assert_eq!(parse("events: Ir\nsummary: 12\nfn=(1)\n5 7\ntotals: 345\n"), Some(345.0));
        assert_eq!(parse("events: Ir\nsummary: 12\nfn=(1)\n"), Some(12.0));
        assert_eq!(parse("events: Ir\n"), None);
    }
}
