//! `valetkey ledger`: list entries, check that nothing was altered, and write them to a file.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use valetkey_store::Entry;
use valetkey_store::ledger::{Verifier, to_hex};

use super::Outcome;
use super::args::{LedgerVerb, Of, On};
use super::fail::Fail;
use super::names;
use super::screen;
use super::target::Session;

/// `valetkey ledger …`.
pub async fn run(on: &On, verb: LedgerVerb) -> Outcome {
    if let LedgerVerb::Verify { file: Some(file), expect, .. } = &verb {
        return verify_file(file, expect.as_deref(), on.json);
    }
    let session = Session::open(on).await?;
    let outcome = within(&session, verb).await;
    session.close().await;
    outcome
}

async fn within(session: &Session, verb: LedgerVerb) -> Outcome {
    match verb {
        LedgerVerb::List { after, limit, of } => list(session, after, limit, &of).await,
        LedgerVerb::Verify { expect, of, .. } => {
            let params = of_business(session, &of).await?;
            let mut verifier = Verifier::default();
            verifier.of_business = params.get("business").is_some();
            session.pages("ledger.list", params, |row| check(&mut verifier, row)).await?;
            verified(&verifier, expect.as_deref(), session.json)
        }
        LedgerVerb::Export { out, of } => export(session, &out, &of).await,
    }
}

async fn of_business(session: &Session, of: &Of) -> Result<Value, Fail> {
    Ok(match names::business(session, of.business.as_deref()).await? {
        Some(business) => json!({ "business": business }),
        None => json!({}),
    })
}

async fn list(session: &Session, after: u64, limit: u32, of: &Of) -> Outcome {
    let mut params = of_business(session, of).await?;
    params["after"] = json!(after.to_string());
    params["limit"] = json!(limit);
    let result = session.call("ledger.list", params).await?.result;
    if session.json {
        return Ok(screen::json(&result));
    }
    let rows: Vec<Value> = result.get("rows").and_then(Value::as_array).cloned().unwrap_or_default().iter().map(shown).collect();
    screen::table(&rows, &[("revision", "revision"), ("at", "at"), ("action", "action"), ("actor", "actor"), ("subjects", "subjects"), ("hash", "hash")]);
    Ok(ExitCode::SUCCESS)
}

fn shown(entry: &Value) -> Value {
    let at = entry["at"].as_i64().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|t| t.to_string());
    let actor = format!("{} {}", screen::cell(&entry["actor"]["kind"]), screen::cell(&entry["actor"]["id"]));
    let hash = entry["hash"].as_str().and_then(|h| h.get(..12)).unwrap_or_default();
    json!({ "revision": entry["revision"], "at": at, "action": entry["action"], "actor": actor, "subjects": entry["subjects"], "hash": hash })
}

fn check(verifier: &mut Verifier, row: &Value) -> Result<(), Fail> {
    let entry: Entry = serde_json::from_value(row.clone()).map_err(|e| Fail::new(format!("an entry can't be read: {e}")))?;
    verifier.check(&entry).map_err(|e| Fail::new(e.to_string()).hint("the ledger was tampered with, or the medium failed: compare it with an earlier export"))
}

fn verify_file(file: &Path, expect: Option<&str>, as_json: bool) -> Outcome {
    let failed = |error: &dyn std::fmt::Display| Fail::new(format!("{}: {error}", file.display()));
    let reader = BufReader::new(std::fs::File::open(file).map_err(|e| failed(&e))?);
    let mut verifier = Verifier::default();
    for (number, line) in reader.lines().enumerate() {
        let line = line.map_err(|e| failed(&e))?;
        if line.trim().is_empty() {
            continue;
        }
        let row: Value = serde_json::from_str(&line).map_err(|e| failed(&format!("line {}: {e}", number + 1)))?;
        if number == 0 {
            // The export of one business begins anywhere and has gaps.
            verifier.of_business = row.get("revision").is_some_and(|r| r != &json!(1) && r != &json!("1"));
        }
        check(&mut verifier, &row)?;
    }
    verified(&verifier, expect, as_json)
}

fn verified(verifier: &Verifier, expect: Option<&str>, as_json: bool) -> Outcome {
    let last = verifier.last().map(|(revision, hash)| (revision, to_hex(&hash)));
    if let (Some(wanted), found) = (expect, &last)
        && found.as_ref().map(|(_, hash)| hash.as_str()) != Some(wanted)
    {
        return Err(Fail::new("the last entry is not the expected one").hint("the end may have been cut off, or entries were added since"));
    }
    let (revision, hash) = last.unwrap_or_default();
    let result = json!({ "entries": verifier.entries, "erased": verifier.erased, "last_revision": revision, "last_hash": hash });
    if as_json {
        return Ok(screen::json(&result));
    }
    screen::done("every entry follows the one before it, and none was altered");
    screen::pairs(&result, None);
    Ok(ExitCode::SUCCESS)
}

async fn export(session: &Session, out: &Path, of: &Of) -> Outcome {
    let failed = |error: std::io::Error| Fail::new(format!("{} can't be written: {error}", out.display()));
    let params = of_business(session, of).await?;
    let next = out.with_extension("next");
    let _ = std::fs::remove_file(&next);
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next).map_err(failed)?;
    let mut writer = BufWriter::new(file);
    let mut count = 0_u64;
    let written = session.pages("ledger.list", params, |row| {
        count += 1;
        writeln!(writer, "{row}").map_err(failed)
    });
    let written = written.await.and_then(|()| writer.flush().map_err(failed)).and_then(|()| writer.get_ref().sync_all().map_err(failed));
    if let Err(fail) = written.and_then(|()| std::fs::rename(&next, out).map_err(failed)) {
        let _ = std::fs::remove_file(&next);
        return Err(fail);
    }
    if session.json {
        return Ok(screen::json(&json!({ "entries": count, "file": out.display().to_string() })));
    }
    screen::done(&format!("{count} entries written to {}", out.display()));
    Ok(ExitCode::SUCCESS)
}
