//! The measuring programs behind `cargo xtask bench`. Each prints one JSON object.
//!
//! It stands beside the house and never in the product. Nothing here asserts a time.

mod bare;
mod decision;
mod durable;
mod load;
mod world;

use anyhow::{Context, bail};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let command = args.next().context("which measurement? decision, memory, seed, bare, load, issue, sqlite, fdatasync")?;
    let rest: Vec<String> = args.collect();
    let report = match command.as_str() {
        "decision" => decision::decisions(number(&rest, "--tokens", 1_000_000)?)?,
        "memory" => decision::memory(number(&rest, "--tokens", 3_000_000)?)?,
        "seed" => durable::seed(&text(&rest, "--data")?, number(&rest, "--tokens", 1_000_000)?)?,
        "bare" => return bare::serve(number(&rest, "--port", 0)? as u16),
        "load" => load::run(&load::Plan {
            address: text(&rest, "--address")?,
            targets: text(&rest, "--targets")?,
            connections: number(&rest, "--connections", 64)?,
            requests: number(&rest, "--requests", 100_000)?,
        })?,
        "issue" => durable::issue(&text(&rest, "--data")?, number(&rest, "--callers", 1)?, number(&rest, "--tokens", 20_000)?)?,
        "sqlite" => durable::sqlite(&text(&rest, "--data")?, number(&rest, "--group", 1)?, number(&rest, "--rows", 20_000)?)?,
        "fdatasync" => durable::fdatasync(&text(&rest, "--data")?, number(&rest, "--writes", 5_000)?)?,
        other => bail!("unknown measurement {other}"),
    };
    println!("{report}");
    Ok(())
}

fn text(args: &[String], name: &str) -> anyhow::Result<String> {
    let at = args.iter().position(|a| a == name).with_context(|| format!("{name} is missing"))?;
    args.get(at + 1).cloned().with_context(|| format!("{name} needs a value"))
}

fn number(args: &[String], name: &str, default: usize) -> anyhow::Result<usize> {
    match args.iter().position(|a| a == name) {
        None => Ok(default),
        Some(at) => args.get(at + 1).and_then(|v| v.parse().ok()).with_context(|| format!("{name} needs a number")),
    }
}

/// Median, and the interval of the middle 95 of a hundred by rank (the binomial interval of the
/// median), of measured values.
pub fn median(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    if n == 0 {
        return (0.0, 0.0, 0.0);
    }
    let spread = (0.98 * (n as f64).sqrt()).ceil() as usize;
    let low = (n / 2).saturating_sub(spread);
    let high = (n / 2 + spread).min(n - 1);
    (sorted[n / 2], sorted[low], sorted[high])
}
