//! The ledger on the command line: listed, verified, exported. The check runs here, entry by entry
//! and record by record, never in the server that is being checked.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use valetkey_domain::Id;
use valetkey_service::verify::{self, Progress, Report};
use valetkey_store::ledger::{ChainError, Verifier, to_hex};
use valetkey_store::{Entry, Store};
use valetkey_store_sqlite::{FILE_NAME, SqliteStore};

use super::fail::{Fail, Outcome};
use super::input::{Input, On};
use super::target::{self, Session, within};
use super::{client, names, screen};
use crate::config::{Config, StoreChoice};
use crate::lifecycle::connect_to_read;
use crate::lifecycle::folder::DataFolder;

/// The longest line of an export that is read: far more than any entry has.
const LINE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// How many findings of one sort people are shown; `--json` shows a thousand.
const SHOWN_LIMIT: usize = 20;

/// The first line of an export.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    /// The format of the export.
    valetkey_ledger: u32,
    /// The business whose entries these are; all entries if there is none.
    business: Option<String>,
}

/// `valetkey ledger verify`.
pub async fn verify(input: &Input) -> Outcome {
    let (on, expect, business) = (&input.on, input.text("expect"), input.text("business"));
    if let Some(file) = input.path("file") {
        return verify_file(&file)?.tell(expect, on.json);
    }
    // With access to the store, all of it is checked; otherwise only the entries that a server
    // shows.
    if business.is_none() && has_store(on).await? {
        return verify_store(on).await?.tell(expect, on.json);
    }
    within(on, async |s| verify_shown(s, business).await?.tell(expect, on.json)).await
}

/// `valetkey ledger export`.
pub async fn export_to(input: &Input) -> Outcome {
    let out = input.path("out").unwrap_or_default();
    within(&input.on, async |s| export(s, &out, input.text("business")).await).await
}

/// Whether the store can be read from here. A server may have been started with a store that only
/// its own command line names; then only the entries that it shows can be checked.
async fn has_store(on: &On) -> Result<bool, Fail> {
    if on.server.is_some() || on.as_login || target::shown_token(on).is_some() {
        return Ok(false);
    }
    let config = target::config(on)?;
    let is_elsewhere = matches!(config.store, StoreChoice::Sqlite) && !config.data.join(FILE_NAME).exists();
    Ok(!is_elsewhere || client::connect_socket(&config.data).await?.is_none())
}

/// The result of a check, and its scope.
#[derive(Debug, Default)]
struct Checked {
    report: Report,
    /// The one business whose entries were checked, if not all.
    business: Option<String>,
}

/// Checks entries that are shown one after another.
#[derive(Debug, Default)]
struct Checker {
    verifier: Verifier,
    report: Report,
}

impl Checker {
    /// A checker of all entries, or of one business's.
    fn of(business: Option<&str>) -> Result<Checker, Fail> {
        let verifier = match business {
            None => Verifier::default(),
            Some(text) => Verifier::of_business(
                Id::parse(text)
                    .ok_or_else(|| Fail::new(format!("\"{}\" is no id of a business", screen::clean(text))))?,
            ),
        };
        Ok(Checker { verifier, report: Report::default() })
    }

    /// Checks the next entry. After one that does not fit, nothing more is checked.
    fn take(&mut self, entry: &Entry) {
        if self.report.chain.is_some() {
            return;
        }
        match self.verifier.check(entry) {
            Ok(()) => {}
            Err(ChainError::NoPayload { revision }) => self.report.without_payload.add(revision),
            Err(error) => self.report.chain = Some(error.to_string()),
        }
    }

    fn end(mut self, business: Option<String>) -> Checked {
        self.report.entries = self.verifier.entries;
        self.report.last = self.verifier.last().unwrap_or((0, [0; 32]));
        Checked { report: self.report, business }
    }
}

/// Checks the store of a data folder by reading it directly, whether a server runs in it or not.
async fn verify_store(on: &On) -> Result<Checked, Fail> {
    let config = target::config(on)?;
    // If no server runs, the folder is locked, so that none starts during the check.
    let _taken = match client::connect_socket(&config.data).await? {
        Some(_) => None,
        None => Some(DataFolder::take(&config.data)?),
    };
    let store = open_to_read(&config).await?;
    let failed = |e: &dyn std::fmt::Display| {
        Fail::new(format!("the store can't be checked to its end: {e}")).hint("compare with an export or a backup")
    };
    let end = store.head().await.map_err(|e| failed(&e))?.revision;
    let bar = progress(Some(end));
    let mut said = |progress| match progress {
        Progress::Entries(revision) => bar.set_position(revision),
        Progress::Records(count) => show_count(&bar, count, "records"),
        Progress::Content(count) => show_count(&bar, count, "posts, campaigns and details"),
    };
    let report = verify::check(&*store, &mut said).await;
    bar.finish_and_clear();
    Ok(Checked { report: report.map_err(|e| failed(&e))?, business: None })
}

async fn open_to_read(config: &Config) -> Result<Arc<dyn Store>, Fail> {
    match &config.store {
        StoreChoice::Sqlite => {
            let folder = config.data.clone();
            let opened = tokio::task::spawn_blocking(move || SqliteStore::open_to_read(&folder)).await;
            let opened = opened.map_err(|e| Fail::new(format!("opening the store broke off: {e}")))?;
            Ok(Arc::new(opened.map_err(|e| Fail::new(e.to_string()))?))
        }
        StoreChoice::Postgres(address) => {
            connect_to_read(config, address).await.map_err(|e| Fail::new(format!("{e:#}")))
        }
    }
}

/// Checks the entries that a server shows: those of one business, or all for its operator.
async fn verify_shown(session: &Session, business: Option<&str>) -> Result<Checked, Fail> {
    // A token sees only the entries of its business, so that business's chain is checked.
    let business = match names::business(session, business).await? {
        Some(business) => Some(business),
        None => own_business(session).await?,
    };
    let head = session.call("ledger.head", json!({})).await?.result;
    let bar = progress(head.get("revision").and_then(Value::as_u64));
    let mut checker = Checker::of(business.as_deref())?;
    let pairs = business.as_ref().map_or_else(|| json!({}), |b| json!({ "business": b }));
    session
        .pages("ledger.list", pairs, |row| {
            let entry: Entry =
                serde_json::from_value(row.clone()).map_err(|e| Fail::new(format!("an entry can't be read: {e}")))?;
            checker.take(&entry);
            bar.set_position(entry.revision);
            Ok(())
        })
        .await?;
    bar.finish_and_clear();
    if business.is_none() && checker.report.chain.is_none() {
        checker.report.chain = cut_off(&checker.verifier, &head);
    }
    Ok(checker.end(business))
}

/// What is wrong if the entries end before the head that the store names.
fn cut_off(verifier: &Verifier, head: &Value) -> Option<String> {
    let revision = head.get("revision").and_then(Value::as_u64).unwrap_or_default();
    let hash = head.get("hash").and_then(Value::as_str).unwrap_or_default();
    let (last, last_hash) = verifier.last().unwrap_or((0, [0; 32]));
    // A running server may have written more since the head was read.
    let is_whole = last > revision || (last == revision && to_hex(&last_hash) == hash);
    (!is_whole)
        .then(|| format!("the entries end at {last}, and the head is {revision}: the end was cut off or altered"))
}

async fn own_business(session: &Session) -> Result<Option<String>, Fail> {
    let caller = session.call("caller.show", json!({})).await?.result;
    Ok(caller.pointer("/business/id").and_then(Value::as_str).map(str::to_owned))
}

fn verify_file(file: &Path) -> Result<Checked, Fail> {
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
    let mut checker = Checker::of(header.business.as_deref())?;
    let mut number = 1u64;
    while let Some(line) = next_line(&mut lines).map_err(|e| unreadable(&e))? {
        number += 1;
        bar.inc(line.len() as u64);
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Entry>(&line) {
            Ok(entry) => checker.take(&entry),
            Err(error) => checker.report.chain = Some(format!("line {number} is no entry: {error}")),
        }
        if checker.report.chain.is_some() {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(checker.end(header.business))
}

fn next_line(from: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = std::io::Read::take(&mut *from, LINE_LIMIT_BYTES).read_line(&mut line)?;
    if read as u64 == LINE_LIMIT_BYTES {
        return Err(std::io::Error::new(ErrorKind::InvalidData, "a line is longer than any entry"));
    }
    Ok((read > 0).then_some(line))
}

impl Checked {
    /// Prints the result. It is a success only if everything is in order.
    fn tell(&self, expect: Option<&str>, as_json: bool) -> Outcome {
        let problems = self.problems(expect);
        if as_json {
            screen::json(&self.json(&problems));
            return Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let Report { entries, compared, last, .. } = &self.report;
        if !problems.is_empty() {
            let problems = problems.join("\n");
            return Err(Fail::new(format!("the ledger is not intact, or not what is in force:\n{problems}"))
                .hint(format!("{entries} entries are in order; compare with an export or a backup")));
        }
        let of = match &self.business {
            None => "the whole ledger".to_owned(),
            Some(business) => format!("the entries of business {business} alone"),
        };
        screen::done(&format!("{of}: {entries} entries, nothing altered, removed or inserted"));
        match compared {
            Some(compared) => {
                let (records, content, jobs) = (compared.records, compared.content, compared.jobs);
                screen::done(&format!(
                    "the store holds what they say: {records} records, {content} posts, campaigns and details, {jobs} jobs"
                ));
                screen::note("a server that runs has in force what the store held when it started");
            }
            None => screen::note(
                "what is in force was not compared with them; that takes the store, as the configuration names it",
            ),
        }
        screen::pairs(&json!({ "head_revision": last.0, "head_hash": to_hex(&last.1) }));
        screen::note("keep this hash elsewhere: `valetkey ledger verify --expect HASH` then shows a cut-off end too");
        Ok(ExitCode::SUCCESS)
    }

    /// The problems, one line each. They hold no values, only kinds, ids and names of fields.
    fn problems(&self, expect: Option<&str>) -> Vec<String> {
        let Report { chain, without_payload, differences, not_verifiable, last, .. } = &self.report;
        let mut lines: Vec<String> = Vec::new();
        if let Some(chain) = chain {
            lines.push(format!("{chain}; nothing behind it was looked at"));
        }
        let gone =
            without_payload.named.iter().map(|revision| ChainError::NoPayload { revision: *revision }.to_string());
        put(&mut lines, gone, without_payload.count());
        let differing = differences.named.iter().map(|found| format!("{} {}", found.what, found.how));
        put(&mut lines, differing, differences.count());
        let unknown = not_verifiable
            .named
            .iter()
            .map(|what| format!("{what} can't be verified: an entry about it has no payload"));
        put(&mut lines, unknown, not_verifiable.count());
        let hash = to_hex(&last.1);
        if let Some(wanted) = expect.filter(|wanted| !wanted.eq_ignore_ascii_case(&hash)) {
            lines.push(format!(
                "the last entry has the hash {hash}, not the expected {wanted}: it was altered, or others follow or are missing"
            ));
        }
        lines
    }

    fn json(&self, problems: &[String]) -> Value {
        let Report { last, entries, chain: _, without_payload, compared, differences, not_verifiable } = &self.report;
        let differing: Vec<Value> =
            differences.named.iter().map(|found| json!({ "what": found.what, "how": found.how })).collect();
        json!({
            "intact": problems.is_empty(), "problem": problems.first(), "entries": entries,
            "revision": last.0, "hash": to_hex(&last.1), "business": self.business,
            "compared": compared.map(|c| json!({
                "records": c.records, "content": c.content, "jobs": c.jobs,
            })),
            "without_payload": { "count": without_payload.count(), "revisions": without_payload.named },
            "differences": { "count": differences.count(), "rows": differing },
            "not_verifiable": { "count": not_verifiable.count(), "rows": not_verifiable.named },
        })
    }
}

/// Adds the first of some lines, and how many more there are.
fn put(lines: &mut Vec<String>, some: impl Iterator<Item = String>, count: u64) {
    let before = lines.len();
    lines.extend(some.take(SHOWN_LIMIT));
    let more = count.saturating_sub((lines.len() - before) as u64);
    if more > 0 {
        lines.push(format!("… and {more} more; --json names a thousand"));
    }
}

async fn export(session: &Session, out: &Path, business: Option<&str>) -> Outcome {
    let mut business = names::business(session, business).await?;
    if business.is_none() && !session.is_operator() {
        business = own_business(session).await?;
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

/// A file that is written completely or not at all.
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

/// A progress bar on terminals; elsewhere nothing is drawn.
fn progress(end: Option<u64>) -> ProgressBar {
    bar(end.unwrap_or(0), "{bar:40} {pos}/{len} entries, {eta} left")
}

fn progress_bytes(end: u64) -> ProgressBar {
    bar(end, "{bar:40} {bytes}/{total_bytes}, {eta} left")
}

/// Switches the bar from entries to records, whose total is not known.
fn show_count(bar: &ProgressBar, count: u64, of: &str) {
    if let Ok(style) = ProgressStyle::with_template("{pos} {msg} compared") {
        bar.set_style(style);
    }
    bar.set_message(of.to_owned());
    bar.set_position(count);
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
    fn whatever_is_wrong_is_reported_and_is_no_success() {
        let good = Checked::default();
        assert!(good.problems(None).is_empty() && good.problems(Some(&"00".repeat(32))).is_empty());
        assert_eq!(good.tell(None, true).unwrap(), ExitCode::SUCCESS);
        let found = verify::Difference { what: "token 7".to_owned(), how: "is gone".to_owned() };
        type Change = fn(&mut Report, verify::Difference);
        let changes: [(&str, Change); 4] = [
            ("it broke; nothing behind it was looked at", |r, _| r.chain = Some("it broke".to_owned())),
            ("the payload of entry 7 is gone, and no entry says that it was erased", |r, _| r.without_payload.add(7)),
            ("token 7 is gone", |r, found| r.differences.add(found)),
            ("token 7 can't be verified: an entry about it has no payload", |r, f| r.not_verifiable.add(f.what)),
        ];
        for (line, change) in changes {
            let mut bad = Checked::default();
            change(&mut bad.report, found.clone());
            assert_eq!(bad.problems(None), [line]);
            assert!(bad.tell(None, false).unwrap_err().message().contains(line));
            assert_eq!(bad.tell(None, true).unwrap(), ExitCode::FAILURE);
        }
        assert!(good.tell(Some("11"), false).unwrap_err().message().contains("not the expected 11"));
        let mut many = Checked::default();
        (0..SHOWN_LIMIT as u64 + 3).for_each(|n| many.report.without_payload.add(n));
        assert_eq!(many.problems(None).last().map(String::as_str), Some("… and 3 more; --json names a thousand"));
    }

    #[test]
    fn what_is_no_export_is_named() {
        let folder = scratch();
        let file = folder.path().join("x.jsonl");
        for text in [
            "{\"valetkey_ledger\":1,\"business\":\"all\"}\n",
            "",
            "nonsense\n",
            "{}\n",
            "[]",
            "{\"valetkey_ledger\":2,\"business\":null}\n",
        ] {
            std::fs::write(&file, text).unwrap();
            assert!(verify_file(&file).is_err(), "{text}");
        }
        std::fs::write(&file, "{\"valetkey_ledger\":1,\"business\":null}\nnonsense\n").unwrap();
        assert!(verify_file(&file).unwrap().report.chain.unwrap().contains("line 2"));
        assert!(verify_file(&folder.path().join("none")).is_err());
    }
}
