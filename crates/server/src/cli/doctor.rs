//! `valetkey doctor`: looks for what keeps a server from working, and says what to do. It changes
//! nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::Outcome;
use super::args::On;
use super::screen;
use super::target::{Session, config};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    Ok,
    Warn,
    Fail,
}

struct Line {
    grade: Grade,
    what: String,
    advice: Option<String>,
}

fn line(grade: Grade, what: impl Into<String>, advice: Option<&str>) -> Line {
    Line { grade, what: what.into(), advice: advice.map(str::to_owned) }
}

/// `valetkey doctor`.
pub async fn run(on: &On) -> Outcome {
    let mut lines = Vec::new();
    match config(on) {
        Err(fail) => lines.push(line(Grade::Fail, fail.message(), fail.what_to_do())),
        Ok(config) => {
            lines.push(line(Grade::Ok, "the configuration can be read", None));
            if on.server.is_none() {
                folder(&config.data, &mut lines);
            }
            server(on, &mut lines).await;
        }
    }
    lines.push(clock());
    let failed = lines.iter().any(|l| l.grade == Grade::Fail);
    print(&lines, on.json);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn folder(data: &Path, lines: &mut Vec<Line>) {
    let shown = data.display();
    let Ok(meta) = std::fs::metadata(data) else {
        lines.push(line(Grade::Fail, format!("there is no data folder {shown}"), Some("valetkey init makes one, or name another with --data")));
        return;
    };
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        lines.push(line(Grade::Ok, format!("the data folder {shown} is its owner's alone"), None));
    } else {
        lines.push(line(Grade::Warn, format!("others can look into {shown} (mode {mode:03o})"), Some("chmod 700 it")));
    }
    let key = data.join(crate::keys::FILE_NAME);
    match std::fs::metadata(&key) {
        Ok(meta) if meta.permissions().mode() & 0o077 == 0 => lines.push(line(Grade::Ok, "the master key is its owner's alone", None)),
        Ok(_) => lines.push(line(Grade::Fail, "others can read the master key", Some("chmod 600 master.key, and rotate what it sealed"))),
        Err(_) => lines.push(line(Grade::Warn, "there is no master.key", Some("it must then come from VALETKEY_MASTER_KEY"))),
    }
}

async fn server(on: &On, lines: &mut Vec<Line>) {
    let session = match Session::open(on).await {
        Ok(session) => session,
        Err(fail) => return lines.push(line(Grade::Fail, fail.message(), fail.what_to_do())),
    };
    match session.call("status", json!({})).await {
        Ok(done) => {
            let revision = screen::cell(&done.result["revision"]);
            lines.push(line(Grade::Ok, format!("the store can be read, at revision {revision}"), None));
            if done.result.get("fresh") == Some(&Value::Bool(false)) {
                lines.push(line(Grade::Fail, "the node can't prove that it is up to date", Some("look into its log; restart it")));
            }
        }
        Err(fail) => lines.push(line(Grade::Fail, fail.message(), fail.what_to_do())),
    }
    session.close().await;
}

/// Tokens end by the clock, so one that is years off is worth a word.
fn clock() -> Line {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis());
    if now > valetkey_domain::id::EPOCH_MS as u128 {
        line(Grade::Ok, "the clock is past the beginning of time", None)
    } else {
        line(Grade::Fail, "the clock stands before 2025", Some("set it; tokens end by it"))
    }
}

fn print(lines: &[Line], as_json: bool) {
    let word = |grade: Grade| match grade {
        Grade::Ok => "ok",
        Grade::Warn => "warn",
        Grade::Fail => "fail",
    };
    if as_json {
        let rows: Vec<Value> = lines.iter().map(|l| json!({ "grade": word(l.grade), "what": l.what, "advice": l.advice })).collect();
        screen::json(&json!({ "rows": rows }));
        return;
    }
    for l in lines {
        let mark = match l.grade {
            Grade::Ok => format!("{}", "ok  ".green()),
            Grade::Warn => format!("{}", "warn".yellow()),
            Grade::Fail => format!("{}", "fail".red()),
        };
        anstream::println!("{mark}  {}", screen::clean(&l.what));
        if let Some(advice) = &l.advice {
            anstream::println!("      {}", screen::clean(advice).dimmed());
        }
    }
}
