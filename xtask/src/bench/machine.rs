//! What a run was measured on: the machine, the tools, how busy it was.
//!
//! It must never tell whose machine it was: no name, no path, no address.

use std::path::Path;

use serde_json::{Value, json};

use crate::exec::answer;

pub fn describe(folder: &Path, pins: bool, valgrind: bool) -> Value {
    let cpu = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_string());
    let virtual_machine = std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" hypervisor"));
    let memory_kib = line_of("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let disk = answer("stat", &["-f", "-c", "%T", &folder.to_string_lossy()]).unwrap_or_else(|| "unknown".to_string());
    json!({
        "cpu": cpu,
        "virtual": virtual_machine,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "memory_gib": (memory_kib.unwrap_or(0.0) / 1_048_576.0).round(),
        "kernel": answer("uname", &["-sr"]).unwrap_or_default(),
        "file_system": disk,
        "rustc": answer("rustc", &["--version"]).unwrap_or_default(),
        "valgrind": if valgrind { answer("valgrind", &["--version"]) } else { None },
        "pinned": pins,
        "load_before": load(),
    })
}

/// Processes that ran or waited, over the last minute.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

fn line_of(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_string())
}
