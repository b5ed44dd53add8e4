//! Durable issue of tokens beside SQLite's own rate for the same rows and the disk's own rate, in
//! rounds that hold all of them.
//!
//! It must never measure on a file system in memory.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::tools::{Bench, triple};
use crate::{exec, out};

const ROUNDS: usize = 7;

pub(super) fn measure(bench: &Bench<'_>) -> Result<Value> {
    let within = bench.folder.to_string_lossy();
    if exec::answer("stat", &["-f", "-c", "%T", &within]).is_some_and(|kind| kind == "tmpfs") {
        bail!("the system's temporary folder is in memory; set TMPDIR to a folder on a disk");
    }
    let (rounds, seconds) = if bench.quick { (1, "1") } else { (ROUNDS, "3") };
    let ways: [(&str, &[&str]); 5] = [
        ("fdatasync", &["fdatasync"]),
        ("sqlite_1", &["sqlite", "--group", "1"]),
        ("issue_1", &["issue", "--callers", "1"]),
        ("sqlite_64", &["sqlite", "--group", "64"]),
        ("issue_64", &["issue", "--callers", "64"]),
    ];
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); ways.len()];
    let mut per_commit = Vec::new();
    for round in 0..rounds {
        for ((_, way), rates) in ways.iter().zip(&mut rates) {
            let mut args = way.to_vec();
            args.extend(["--data", &within, "--seconds", seconds]);
            // On all cores: the store's writer is a thread of its own.
            let figures = bench.ask_on(None, &args)?;
            rates.push(figures["per_s"].as_f64().unwrap_or(0.0));
            if figures["callers"] == 64 {
                per_commit.extend(figures["per_commit"].as_f64());
            }
        }
        let last: Vec<String> = ways
            .iter()
            .zip(&rates)
            .map(|((name, _), rates)| format!("{name} {:.0}", rates.last().copied().unwrap_or(0.0)))
            .collect();
        out::detail(&format!("round {} of {rounds}, a second: {}", round + 1, last.join(", ")));
    }
    let ratio = |ours: usize, theirs: usize| {
        triple(&rates[ours].iter().zip(&rates[theirs]).map(|(ours, theirs)| ours / theirs).collect::<Vec<f64>>())
    };
    let mut figures = json!({
        "rounds": rounds,
        "seconds": seconds,
        "per_commit_64": triple(&per_commit),
        "issue_1_to_sqlite_1": ratio(2, 1),
        "issue_1_to_fdatasync": ratio(2, 0),
        "issue_64_to_sqlite_64": ratio(4, 3),
    });
    for ((name, _), rates) in ways.iter().zip(&rates) {
        figures[*name] = triple(rates);
    }
    Ok(figures)
}
