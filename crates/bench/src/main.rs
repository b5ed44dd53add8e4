//! The measuring programs behind `cargo xtask bench`. Each prints one JSON object.
//!
//! It stands beside the house and never in the product. Nothing here asserts a time.

mod bare;
mod decision;
mod durable;
mod load;
mod rows;
mod seed;
mod world;

use std::time::Duration;

use anyhow::{Context, bail};

// The same allocator as the server's, for both sides of a comparison.
const MEASUREMENTS: &str = "decision, memory, seed, bare, load, issue, sqlite, fdatasync";

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let command = args.next().with_context(|| format!("which measurement? {MEASUREMENTS}"))?;
    let args = Args(args.collect());
    let report = match command.as_str() {
        "decision" => decision::decisions(args.number("--tokens", 1_000_000)?)?,
        "memory" => decision::memory(args.number("--tokens", 3_000_000)?)?,
        "seed" => seed::run(&args.text("--data")?, args.number("--tokens", 1_000_000)?)?,
        "bare" => {
            let bytes = args.value("--answer-bytes")?.map(|bytes| bytes.parse()).transpose()?;
            return bare::serve(bytes);
        }
        "load" => load::run(&load::Plan {
            address: args.text("--address")?,
            targets: args.text("--targets")?,
            connections: args.number("--connections", 64)?,
            requests: args.number("--requests", 100_000)?,
        })?,
        "issue" => durable::issue(&args.text("--data")?, args.number("--callers", 1)?, args.seconds()?)?,
        "sqlite" => durable::sqlite(&args.text("--data")?, args.number("--group", 1)?, args.seconds()?)?,
        "fdatasync" => durable::fdatasync(&args.text("--data")?, args.seconds()?)?,
        other => bail!("there is no measurement {other}; there are {MEASUREMENTS}"),
    };
    println!("{report}");
    Ok(())
}

struct Args(Vec<String>);

impl Args {
    fn value(&self, name: &str) -> anyhow::Result<Option<&String>> {
        match self.0.iter().position(|arg| arg == name) {
            None => Ok(None),
            Some(at) => self.0.get(at + 1).map(Some).with_context(|| format!("{name} needs a value")),
        }
    }

    fn text(&self, name: &str) -> anyhow::Result<String> {
        self.value(name)?.cloned().with_context(|| format!("{name} is missing"))
    }

    fn number(&self, name: &str, default: usize) -> anyhow::Result<usize> {
        let value = self.value(name)?;
        value.map_or(Ok(default), |v| v.parse().with_context(|| format!("{name} must be a number, not {v}")))
    }

    fn seconds(&self) -> anyhow::Result<Duration> {
        Ok(Duration::from_secs(self.number("--seconds", 3)? as u64))
    }
}

/// The median of measured values, and its 95 percent interval by rank, from the binomial
/// distribution: nothing is presumed of how the values are spread.
pub fn median(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    let Some(last) = count.checked_sub(1) else { return (0.0, 0.0, 0.0) };
    let reach = (0.98 * (count as f64).sqrt()).ceil() as usize;
    let middle = (sorted[last / 2] + sorted[count / 2]) / 2.0;
    (middle, sorted[(last / 2).saturating_sub(reach)], sorted[(count / 2 + reach).min(last)])
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn a_median_stands_between_its_ranks() {
        let values: Vec<f64> = (1..=15).map(f64::from).rev().collect();
        assert_eq!(median(&values), (8.0, 4.0, 12.0));
        assert_eq!(median(&[4.0, 1.0]), (2.5, 1.0, 4.0));
        assert_eq!(median(&[7.0]), (7.0, 7.0, 7.0));
        assert_eq!(median(&[]), (0.0, 0.0, 0.0));
    }
}
