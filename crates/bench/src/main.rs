//! The measuring programs behind `cargo xtask bench`. Each prints one JSON object.
//!
//! It is not part of the product. Nothing here asserts a time.

mod bare;
mod console;
mod decision;
mod durable;
mod large;
mod load;
mod median;
mod rows;
mod seed;
mod system;
mod world;

use std::time::Duration;

use anyhow::{Context, bail};

// The same allocator as the server's, for both sides of a comparison.
const MEASUREMENTS: &str = "decision, memory, seed, bare, load, console, issue, sqlite, fdatasync";

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
        "console" => console::run(&args.text("--data")?, args.number("--requests", 200)?)?,
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
