//! The check path under load beside the bare server: pairs of runs in turn, each pair a ratio.
//!
//! It must only compare runs that followed each other directly, and never count a wrong answer as an
//! answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::tools::{Bench, SERVER_CORE, triple};
use crate::server::{Background, Look};
use crate::{exec, out};

const START_LIMIT: Duration = Duration::from_secs(300);
const STOP_LIMIT: Duration = Duration::from_secs(60);
const CONNECTIONS: &str = "64";

/// How large a bare answer is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sized {
    /// Like the check path's yes, with as many headers.
    AsCheck,
    /// This many bytes, head and body together.
    Bytes(u64),
}

/// A server that runs.
pub(super) struct Side<'a> {
    process: Background<'a>,
    pub address: String,
    pid: u32,
    started_s: f64,
}

/// The figures of one run of the load against a server.
struct Run {
    load: Value,
    cpu_us: f64,
}

impl Run {
    fn figure(&self, name: &str) -> f64 {
        self.load[name].as_f64().unwrap_or(f64::NAN)
    }
}

impl<'a> Side<'a> {
    /// `valetkey serve` on a data folder, under another program if one is named.
    pub fn product(bench: &Bench<'a>, data: &Path, under: Option<&[&str]>) -> Result<Self> {
        Self::product_on(bench, data, Some(SERVER_CORE), under)
    }

    /// Seconds from the start of the process to its first answer, on all cores: the median of three.
    fn start_s(bench: &Bench<'a>, data: &Path) -> Result<f64> {
        let mut seconds = Vec::new();
        for _ in 0..3 {
            let side = Self::product_on(bench, data, None, None)?;
            seconds.push(side.started_s);
            side.stop("server")?;
        }
        seconds.sort_by(f64::total_cmp);
        Ok(seconds[1])
    }

    fn product_on(bench: &Bench<'a>, data: &Path, core: Option<&str>, under: Option<&[&str]>) -> Result<Self> {
        let mut args = vec!["serve", "--data"];
        let folder = data.to_string_lossy();
        args.extend([&*folder, "--listen", "127.0.0.1:0"]);
        if under.is_some() {
            // If the server re-executed itself, it would no longer run under that program.
            args.push("--no-reexec");
        }
        let side = Self::start(bench, "server", &bench.server, &args, (core, under), |text| {
            text.split_whitespace().find_map(|word| word.strip_prefix("http://")).map(String::from)
        })?;
        // The lock file holds the server's process number.
        let pid = std::fs::read_to_string(data.join("node.lock")).unwrap_or_default();
        let pid = pid.trim().parse().context("the server's lock holds no process number")?;
        Ok(Self { pid, ..side })
    }

    /// The demo, with what its file says.
    pub fn demo(bench: &Bench<'a>) -> Result<(Self, Value)> {
        let data = bench.folder.join("demo");
        let folder = data.to_string_lossy();
        let args = ["demo", "--port", "0", "--data", &*folder];
        let file = data.join("demo.json");
        let read = || serde_json::from_slice::<Value>(&std::fs::read(&file).ok()?).ok();
        let side = Self::start(bench, "demo", &bench.server, &args, (Some(SERVER_CORE), None), |_| {
            let demo = read()?;
            demo["base_url"].as_str()?.strip_prefix("http://").map(|address| address.trim_end_matches('/').to_owned())
        })?;
        let pid = std::fs::read_to_string(data.join("node.lock")).unwrap_or_default();
        let pid = pid.trim().parse().context("the server's lock holds no process number")?;
        Ok((Self { pid, ..side }, read().context("the demo's file can't be read")?))
    }

    /// One answer as JSON.
    pub fn get(&self, path: &str, token: &str) -> Result<Value> {
        let mut stream = TcpStream::connect(&self.address)?;
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("the answer has no end of its head")?;
        serde_json::from_str(body).context("the answer is no JSON")
    }

    pub fn bare(bench: &Bench<'a>, sized: Sized, under: Option<&[&str]>) -> Result<Self> {
        let bytes;
        let args: &[&str] = match sized {
            Sized::AsCheck => &["bare"],
            Sized::Bytes(count) => {
                bytes = count.to_string();
                &["bare", "--answer-bytes", &bytes]
            }
        };
        let said = |text: &str| text.lines().find_map(|line| serde_json::from_str::<Value>(line).ok());
        let side = Self::start(bench, "bare server", &bench.programs, args, (Some(SERVER_CORE), under), |text| {
            said(text).and_then(|said| said["address"].as_str().map(String::from))
        })?;
        let pid = said(&side.process.printed()).and_then(|said| said["pid"].as_u64()).context("no process number")?;
        Ok(Self { pid: u32::try_from(pid)?, ..side })
    }

    fn start(
        bench: &Bench<'a>,
        name: &str,
        program: &Path,
        args: &[&str],
        (core, under): (Option<&str>, Option<&[&str]>),
        address: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut command = match under {
            None => bench.pinned(core, program),
            Some(words) => {
                let mut command = bench.pinned(core, Path::new(words[0]));
                command.args(&words[1..]).arg(program);
                command
            }
        };
        command.args(args);
        let started = Instant::now();
        let mut process = Background::start(bench.reaper, command, &bench.folder.join(format!("{name}.log")))?;
        let found = process.until(START_LIMIT, |process| match address(&out::plain(&process.printed())) {
            Some(address) => Look::Ready(address),
            None => Look::NotYet,
        });
        let address = match found {
            Ok(address) => address,
            Err(error) => {
                process.show(name);
                return Err(error.context(format!("the {name} did not start")));
            }
        };
        Ok(Self { process, address, pid: 0, started_s: started.elapsed().as_secs_f64() })
    }

    pub fn stop(mut self, name: &str) -> Result<()> {
        self.process.stop("TERM", STOP_LIMIT).map(|_| ()).with_context(|| format!("the {name} did not stop"))
    }

    fn resident_mib(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<f64>().ok());
        kib.unwrap_or(0.0) / 1024.0
    }

    /// CPU seconds of all its threads since its start, in the kernel and outside.
    fn cpu_s(&self, ticks_per_s: f64) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).context("the server has ended")?;
        cpu_ticks(&text).map(|ticks| ticks / ticks_per_s).context("the server's CPU time can't be read")
    }

    fn run(
        &self,
        bench: &Bench<'_>,
        targets: &Path,
        requests: usize,
        connections: &str,
        ticks_per_s: f64,
    ) -> Result<Run> {
        let before = self.cpu_s(ticks_per_s)?;
        let load = load(bench, &self.address, targets, requests, connections)?;
        let cpu_us = (self.cpu_s(ticks_per_s)? - before) * 1e6 / requests as f64;
        Ok(Run { load, cpu_us })
    }
}

/// Sends this many requests; an answer that is not 200 ends the measurement.
pub(super) fn load(
    bench: &Bench<'_>,
    address: &str,
    targets: &Path,
    requests: usize,
    connections: &str,
) -> Result<Value> {
    let targets = targets.to_string_lossy();
    let requests = requests.to_string();
    let args =
        ["load", "--address", address, "--targets", &targets, "--requests", &requests, "--connections", connections];
    let figures = bench.ask(&args)?;
    ensure!(figures["not_ok"] == 0, "{} of {requests} answers were not 200", figures["not_ok"]);
    Ok(figures)
}

/// The 14th and 15th field of a process's line; its name, the second, may hold spaces.
fn cpu_ticks(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?)
}

pub(super) fn measure(bench: &Bench<'_>) -> Result<Value> {
    let (tokens, pairs, requests) = if bench.quick { (20_000, 3, 5_000) } else { (1_000_000, 21, 200_000) };
    let (data, targets) = bench.seed("check", tokens)?;
    let start_s = Side::start_s(bench, &data)?;
    let product = Side::product(bench, &data, None)?;
    let bare = Side::bare(bench, Sized::AsCheck, None)?;
    let resident_mib = product.resident_mib();
    let mut found = measured_pairs(bench, [&product, &bare], &targets, pairs, requests, CONNECTIONS)?;
    found["tokens"] = tokens.into();
    found["start_s"] = start_s.into();
    found["resident_mib"] = resident_mib.into();
    found["resident_after_mib"] = product.resident_mib().into();
    product.stop("server")?;
    bare.stop("bare server")?;
    bench.reaper.remove(&data);
    Ok(found)
}

/// By which share the sizes of the two servers' answers may differ.
const SIZE_TOLERANCE: f64 = 0.02;

/// Runs both sides in turn and gives each figure of both with their ratio, by pairs.
pub(super) fn measured_pairs(
    bench: &Bench<'_>,
    [product, bare]: [&Side<'_>; 2],
    targets: &Path,
    pairs: usize,
    requests: usize,
    connections: &str,
) -> Result<Value> {
    let ticks_per_s = exec::answer("getconf", &["CLK_TCK"]).and_then(|text| text.parse().ok()).unwrap_or(100.0);
    let one = |side: &Side<'_>| side.run(bench, targets, requests, connections, ticks_per_s);
    for side in [product, bare] {
        one(side)?;
    }
    let mut runs = Vec::with_capacity(pairs);
    for pair in 0..pairs {
        // The order alternates, so that a machine that gets busier or warmer favours neither side.
        let (product, bare) = if pair % 2 == 0 {
            let product = one(product)?;
            (product, one(bare)?)
        } else {
            let bare = one(bare)?;
            (one(product)?, bare)
        };
        // The Graph's usage headers get longer with their counts, so a few bytes may differ.
        for name in ["answer_bytes_least", "answer_bytes_most"] {
            let (ours, theirs) = (product.figure(name), bare.figure(name));
            let is_alike = (ours - theirs).abs() <= theirs * SIZE_TOLERANCE;
            ensure!(is_alike, "the servers' answers differ in size: {ours} bytes beside {theirs}");
        }
        out::detail(&format!(
            "pair {:>2}: {:.0} and {:.0} requests a second, {:.2} and {:.2} us of CPU for each",
            pair + 1,
            product.figure("per_s"),
            bare.figure("per_s"),
            product.cpu_us,
            bare.cpu_us,
        ));
        runs.push((product, bare));
    }
    let of = |figure: &dyn Fn(&Run) -> f64| {
        let list = |pick: &dyn Fn(&(Run, Run)) -> f64| triple(&runs.iter().map(pick).collect::<Vec<f64>>());
        json!({
            "product": list(&|(ours, _)| figure(ours)),
            "bare": list(&|(_, theirs)| figure(theirs)),
            "ratio": list(&|(ours, theirs)| figure(ours) / figure(theirs)),
        })
    };
    Ok(json!({
        "pairs": pairs,
        "requests": requests,
        "connections": connections,
        "answer_bytes": runs.first().map(|(ours, _)| ours.figure("answer_bytes_most")),
        "per_s": of(&|run| run.figure("per_s")),
        "cpu_us": of(&|run| run.cpu_us),
        "p50_us": of(&|run| run.figure("p50_us")),
        "p99_us": of(&|run| run.figure("p99_us")),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_whatever_the_name_is() {
        let stat = "17 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 40 2 0 0 20 0 1 0 5 6";
        assert_eq!(cpu_ticks(stat), Some(42.0));
        assert_eq!(cpu_ticks("17 (a) S 1"), None);
        assert_eq!(cpu_ticks(""), None);
    }
}
