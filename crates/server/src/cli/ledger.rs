//! The ledger on the command line: listed, verified, exported. A check is made here, entry by entry,
//! and never left to the server that is being checked.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use valetkey_store::Entry;
use valetkey_store::ledger::{Verifier, to_hex};

use super::args::{LedgerVerb, On};
use super::fail::Fail;
use super::names;
use super::target::Session;
use super::{Outcome, screen};

/// The longest line of an export that is read: far more than any entry has.
const LINE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// The first line of an export.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    /// The format of the export.
    valetkey_ledger: u32,
    /// Whose entries these are; all if there is none.
    business: Option<String>,
}

/// `valetkey ledger …`.
pub async fn run(on: &On, verb: LedgerVerb) -> Outcome {
    match verb {
        LedgerVerb::List { after, limit, of } => {
            super::within(on, async |s| list(s, after, limit, of.business.as_deref()).await).await
        }
        LedgerVerb::Verify { file: Some(file), expect, .. } => {
            let (checked, business) = verify_file(&file)?;
            report(&checked, business, expect.as_deref(), on.json)
        }
        LedgerVerb::Verify { file: None, expect, of } => {
            super::within(on, async |s| verify(s, of.business.as_deref(), expect.as_deref()).await).await
        }
        LedgerVerb::Export { out, of } => {
            super::within(on, async |s| export(s, &out, of.business.as_deref()).await).await
        }
    }
}

async fn list(session: &Session, after: u64, limit: u32, business: Option<&str>) -> Outcome {
    let mut pairs = json!({ "after": after, "limit": limit });
    if let Some(business) = names::business(session, business).await? {
        pairs["business"] = json!(business);
    }
    let result = session.call("ledger.list", pairs).await?.result;
    if session.json {
        return Ok(screen::json(&result));
    }
    let rows: Vec<Vec<String>> = result.get("rows").and_then(Value::as_array).into_iter().flatten().map(line).collect();
    if rows.is_empty() {
        screen::note("no entries here");
        return Ok(ExitCode::SUCCESS);
    }
    screen::text_table(&["revision", "at", "action", "by", "with token", "about"], &rows);
    if let Some(next) = result.get("next").filter(|n| !n.is_null()) {
        screen::note(&format!("more may follow: --after {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(row: &Value) -> Vec<String> {
    let text = |name: &str| row.get(name).map(screen::cell).unwrap_or_default();
    let at = row.get("at").and_then(Value::as_i64).and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let at = at.map_or_else(|| text("at"), |t| screen::cell(&json!(format!("{t:.3}"))));
    let actor = |name: &str| row.pointer(&format!("/actor/{name}")).map(screen::cell).unwrap_or_default();
    let by = if actor("id") == "-" { actor("kind") } else { format!("{} {}", actor("kind"), actor("id")) };
    vec![text("revision"), at, text("action"), by, actor("token"), text("subjects")]
}

/// What a check found.
#[derive(Debug, Default)]
struct Checked {
    verifier: Verifier,
    wrong: Option<String>,
}

impl Checked {
    fn new(of_business: bool) -> Checked {
        let mut verifier = Verifier::default();
        verifier.of_business = of_business;
        Checked { verifier, wrong: None }
    }

    /// Checks the next entry; after the first wrong one nothing more is looked at.
    fn take(&mut self, entry: &Entry) {
        if self.wrong.is_none()
            && let Err(error) = self.verifier.check(entry)
        {
            self.wrong = Some(error.to_string());
        }
    }
}

async fn verify(session: &Session, business: Option<&str>, expect: Option<&str>) -> Outcome {
    let business = names::business(session, business).await?;
    // A token sees its business's entries alone, so their own chain is what counts.
    let of_business = business.is_some() || !session.is_operator();
    let head = session.call("ledger.head", json!({})).await?.result;
    let bar = progress(head.get("revision").and_then(Value::as_u64));
    let mut checked = Checked::new(of_business);
    let pairs = business.as_ref().map_or_else(|| json!({}), |b| json!({ "business": b }));
    session
        .pages("ledger.list", pairs, |row| {
            let entry: Entry =
                serde_json::from_value(row.clone()).map_err(|e| Fail::new(format!("an entry can't be read: {e}")))?;
            checked.take(&entry);
            bar.set_position(entry.revision);
            Ok(())
        })
        .await?;
    bar.finish_and_clear();
    if checked.wrong.is_none() && !of_business {
        checked.wrong = cut_off(&checked.verifier, &head);
    }
    let whose =
        if of_business { Some(business.unwrap_or_else(|| "the calling token's business".to_owned())) } else { None };
    report(&checked, whose, expect, session.json)
}

/// Whether the entries end before the head that the store itself names.
fn cut_off(verifier: &Verifier, head: &Value) -> Option<String> {
    let revision = head.get("revision").and_then(Value::as_u64).unwrap_or_default();
    let hash = head.get("hash").and_then(Value::as_str).unwrap_or_default();
    let (last, last_hash) = verifier.last().unwrap_or((0, [0; 32]));
    // A running server may have written more since the head was asked for.
    if last < revision || (last == revision && to_hex(&last_hash) != hash) {
        return Some(format!("the entries end at {last}, and the head is {revision}: the end was cut off or altered"));
    }
    None
}

fn verify_file(file: &Path) -> Result<(Checked, Option<String>), Fail> {
    let shown = file.display();
    let unreadable = |error: &dyn std::fmt::Display| Fail::new(format!("{shown} can't be read: {error}"));
    let opened = File::open(file).map_err(|e| unreadable(&e))?;
    let bytes = opened.metadata().map_or(0, |m| m.len());
    let bar = progress_bytes(bytes);
    let mut lines = BufReader::new(opened);
    let header = next_line(&mut lines).map_err(|e| unreadable(&e))?;
    let header: Option<Header> = header.and_then(|line| serde_json::from_str(&line).ok());
    let Some(header) = header else {
        return Err(Fail::new(format!("{shown} is not an export of a ledger: its first line is none"))
            .hint("valetkey ledger export makes one"));
    };
    if header.valetkey_ledger != 1 {
        return Err(Fail::new(format!(
            "{shown} has format {}, which this version does not know",
            header.valetkey_ledger
        )));
    }
    let mut checked = Checked::new(header.business.is_some());
    let mut number = 1u64;
    while let Some(line) = next_line(&mut lines).map_err(|e| unreadable(&e))? {
        number += 1;
        bar.inc(line.len() as u64);
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Entry>(&line) {
            Ok(entry) => checked.take(&entry),
            Err(error) => checked.wrong = checked.wrong.or(Some(format!("line {number} is no entry: {error}"))),
        }
        if checked.wrong.is_some() {
            break;
        }
    }
    bar.finish_and_clear();
    Ok((checked, header.business))
}

fn next_line(from: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = std::io::Read::take(&mut *from, LINE_LIMIT_BYTES).read_line(&mut line)?;
    if read as u64 == LINE_LIMIT_BYTES {
        return Err(std::io::Error::new(ErrorKind::InvalidData, "a line is longer than any entry"));
    }
    Ok((read > 0).then_some(line))
}

fn report(checked: &Checked, business: Option<String>, expect: Option<&str>, as_json: bool) -> Outcome {
    let (revision, hash) = checked.verifier.last().unwrap_or((0, [0; 32]));
    let hash = to_hex(&hash);
    let unexpected = expect.filter(|wanted| !wanted.eq_ignore_ascii_case(&hash));
    let other = unexpected.map(|wanted| format!("the last entry has the hash {hash}, not the expected {wanted}: it was altered, or others follow or are missing"));
    let wrong = checked.wrong.clone().or(other);
    let (entries, erased) = (checked.verifier.entries, checked.verifier.erased);
    if as_json {
        let all = json!({
            "intact": wrong.is_none(), "problem": wrong, "entries": entries, "erased": erased,
            "revision": revision, "hash": hash, "business": business,
        });
        screen::json(&all);
        return Ok(if wrong.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if let Some(wrong) = wrong {
        return Err(Fail::new(format!("the ledger is not intact: {wrong}"))
            .hint(format!("{entries} entries before that are in order; compare with an export or a backup")));
    }
    let of = business.map_or_else(|| "the whole ledger".to_owned(), |b| format!("the entries of business {b} alone"));
    screen::done(&format!("{of}: {entries} entries, nothing altered, removed or inserted"));
    if erased > 0 {
        screen::note(&format!("the payload of {erased} was erased; their place in the chain is proven"));
    }
    screen::pairs(&json!({ "head_revision": revision, "head_hash": hash }), None);
    screen::note("keep this hash elsewhere: `valetkey ledger verify --expect HASH` then shows a cut-off end too");
    Ok(ExitCode::SUCCESS)
}

async fn export(session: &Session, out: &Path, business: Option<&str>) -> Outcome {
    let mut business = names::business(session, business).await?;
    if business.is_none() && !session.is_operator() {
        let caller = session.call("caller.show", json!({})).await?.result;
        business = caller.pointer("/business/id").and_then(Value::as_str).map(str::to_owned);
    }
    let head = session.call("ledger.head", json!({})).await?.result;
    let bar = progress(head.get("revision").and_then(Value::as_u64));
    let draft = Draft::new(out)?;
    let mut writer = BufWriter::new(&draft.file);
    let failed = |error: std::io::Error| Fail::new(format!("{} can't be written: {error}", out.display()));
    let header = Header { valetkey_ledger: 1, business: business.clone() };
    writeln!(writer, "{}", json!(header)).map_err(failed)?;
    let mut count = 0u64;
    let pairs = business.as_ref().map_or_else(|| json!({}), |b| json!({ "business": b }));
    session
        .pages("ledger.list", pairs, |row| {
            writeln!(writer, "{row}").map_err(failed)?;
            count += 1;
            bar.set_position(row.get("revision").and_then(Value::as_u64).unwrap_or_default());
            Ok(())
        })
        .await?;
    writer.flush().map_err(failed)?;
    drop(writer);
    draft.finish().map_err(failed)?;
    bar.finish_and_clear();
    if session.json {
        return Ok(screen::json(&json!({ "file": out.display().to_string(), "entries": count, "business": business })));
    }
    screen::done(&format!("{count} entries written to {}", out.display()));
    screen::note(&format!("check it anywhere with: valetkey ledger verify --file {}", out.display()));
    Ok(ExitCode::SUCCESS)
}

/// A file that is there whole or not at all.
#[derive(Debug)]
struct Draft {
    file: File,
    draft: PathBuf,
    out: PathBuf,
    is_finished: bool,
}

impl Draft {
    fn new(out: &Path) -> Result<Draft, Fail> {
        let mut name = out.file_name().ok_or_else(|| Fail::new("--out must name a file"))?.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let draft = out.with_file_name(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
        let file = file.map_err(|e| Fail::new(format!("{} can't be written: {e}", draft.display())))?;
        Ok(Draft { file, draft, out: out.to_owned(), is_finished: false })
    }

    fn finish(mut self) -> std::io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.draft, &self.out)?;
        self.is_finished = true;
        let folder = self.out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_finished {
            let _ = std::fs::remove_file(&self.draft);
        }
    }
}

/// A bar on terminals; elsewhere nothing is drawn.
fn progress(end: Option<u64>) -> ProgressBar {
    bar(end.unwrap_or(0), "{bar:40} {pos}/{len} entries, {eta} left")
}

fn progress_bytes(end: u64) -> ProgressBar {
    bar(end, "{bar:40} {bytes}/{total_bytes}, {eta} left")
}

fn bar(end: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(end), ProgressDrawTarget::stderr()).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::folder::tests::scratch;

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = scratch();
        let out = folder.path().join("x.jsonl");
        std::fs::write(&out, "old").unwrap();
        drop(Draft::new(&out).unwrap());
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "old");
        let draft = Draft::new(&out).unwrap();
        (&draft.file).write_all(b"new").unwrap();
        draft.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays");
    }

    #[test]
    fn an_end_that_the_head_does_not_know_is_found() {
        let checked = Verifier::default();
        assert!(cut_off(&checked, &json!({"revision": 0, "hash": to_hex(&[0; 32])})).is_none());
        assert!(cut_off(&checked, &json!({"revision": 0, "hash": "11"})).is_some());
        assert!(cut_off(&checked, &json!({"revision": 1, "hash": "11"})).unwrap().contains("cut off"));
    }

    #[test]
    fn what_is_no_export_is_named() {
        let folder = scratch();
        let file = folder.path().join("x.jsonl");
        for text in ["", "nonsense\n", "{}\n", "[]", "{\"valetkey_ledger\":2,\"business\":null}\n"] {
            std::fs::write(&file, text).unwrap();
            assert!(verify_file(&file).is_err(), "{text}");
        }
        std::fs::write(&file, "{\"valetkey_ledger\":1,\"business\":null}\nnonsense\n").unwrap();
        let (checked, _) = verify_file(&file).unwrap();
        assert!(checked.wrong.unwrap().contains("line 2"));
        assert!(verify_file(&folder.path().join("none")).is_err());
    }
}
