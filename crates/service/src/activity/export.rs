//! The timeline as a file, a bounded part at a time: CSV or JSON lines, newest first.
//!
//! Each part is read under the caller's right, decided anew. A file that was cut says so in its last line.

use serde_json::json;
use valetkey_domain::{Id, Refusal};
use valetkey_store::ledger::to_hex;

use super::csv;
use super::filter::ActivityFilter;
use super::line::ActivityLine;
use super::phrase::iso;
use super::read::activity_question;
use crate::call::Call;
use crate::core::Service;

/// The most lines of one export.
const EXPORT_LIMIT: usize = 100_000;
/// How many lines one part has.
const PART: usize = 500;
const HEADINGS: [&str; 11] =
    ["time", "revision", "by_kind", "by_id", "by", "token", "action", "sentence", "subjects", "business", "hash"];

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Rows of quoted cells under headings.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl ExportFormat {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            ExportFormat::Csv => "text/csv; charset=utf-8",
            ExportFormat::JsonLines => "application/jsonl; charset=utf-8",
        }
    }

    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            ExportFormat::Csv => "csv",
            ExportFormat::JsonLines => "jsonl",
        }
    }
}

/// An export under way. Its parts are asked for one after another, so it never holds more than one.
#[derive(Debug)]
pub struct ActivityExport {
    service: Service,
    call: Call,
    filter: ActivityFilter,
    format: ExportFormat,
    before: Option<u64>,
    lines: usize,
    /// The most lines; tests have fewer.
    limit: usize,
    has_begun: bool,
    is_done: bool,
    cut_before: Option<u64>,
}

impl Service {
    /// An export of the activity that a filter takes: up to 100,000 lines. Nothing is read before the
    /// first part is asked for.
    ///
    /// # Errors
    /// The refusal.
    pub fn activity_export(
        &self,
        call: &Call,
        filter: ActivityFilter,
        format: ExportFormat,
    ) -> Result<ActivityExport, Refusal> {
        self.ask(call, activity_question(&filter))?;
        Ok(ActivityExport {
            service: self.clone(),
            call: call.clone(),
            filter,
            format,
            before: None,
            lines: 0,
            limit: EXPORT_LIMIT,
            has_begun: false,
            is_done: false,
            cut_before: None,
        })
    }
}

impl ActivityExport {
    /// The same with fewer lines.
    #[must_use]
    pub fn at_most(self, lines: usize) -> ActivityExport {
        ActivityExport { limit: lines.clamp(1, EXPORT_LIMIT), ..self }
    }

    /// The next part of the file; none after the last. A part is empty if nothing in a stretch of the
    /// ledger was wanted.
    ///
    /// # Errors
    /// The refusal, or of the store. The export can't go on then.
    pub async fn next_part(&mut self) -> Result<Option<String>, Refusal> {
        if self.is_done {
            return Ok(None);
        }
        let mut part = String::new();
        if !self.has_begun && self.format == ExportFormat::Csv {
            part.push_str(&csv::row(HEADINGS));
        }
        self.has_begun = true;
        let most = PART.min(self.limit - self.lines);
        let page = match self.service.activity(&self.call, &self.filter, self.before, most).await {
            Ok(page) => page,
            Err(refusal) => {
                self.is_done = true;
                return Err(refusal);
            }
        };
        for line in &page.lines {
            part.push_str(&self.written(line));
        }
        self.lines += page.lines.len();
        self.before = page.next;
        self.is_done = page.next.is_none();
        if let Some(next) = page.next.filter(|_| self.lines >= self.limit) {
            self.is_done = true;
            self.cut_before = Some(next);
            part.push_str(&self.cut(next));
        }
        Ok(Some(part))
    }

    /// How many lines were written so far.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// The revision before which further entries are, if the export was cut.
    pub fn cut_before(&self) -> Option<u64> {
        self.cut_before
    }

    fn written(&self, line: &ActivityLine) -> String {
        let subjects: Vec<String> = line.subjects.iter().map(|named| named.id.to_string()).collect();
        let (by, sentence) = (line.by.phrase().text(), line.sentence.text());
        match self.format {
            ExportFormat::Csv => {
                let id = |id: Option<Id>| id.map(|id| id.to_string()).unwrap_or_default();
                let cells = [
                    iso(line.at),
                    line.revision.to_string(),
                    line.by.kind.as_str().to_owned(),
                    id(line.by.id),
                    by,
                    id(line.by.token.map(Id::any)),
                    line.action_word.clone(),
                    sentence,
                    subjects.join(" "),
                    id(line.business.map(Id::any)),
                    to_hex(&line.hash),
                ];
                csv::row(cells.iter().map(String::as_str))
            }
            ExportFormat::JsonLines => {
                let subjects: Vec<_> = line
                    .subjects
                    .iter()
                    .map(|named| json!({ "sort": named.sort.as_str(), "id": named.id, "name": named.name }))
                    .collect();
                let object = json!({
                    "time": iso(line.at), "revision": line.revision,
                    "by": { "kind": line.by.kind.as_str(), "id": line.by.id, "name": by, "token": line.by.token },
                    "action": line.action_word, "sentence": sentence, "subjects": subjects,
                    "business": line.business, "hash": to_hex(&line.hash),
                });
                format!("{object}\n")
            }
        }
    }

    /// The last line of an export that was cut.
    fn cut(&self, next: u64) -> String {
        let what = format!("cut at {} lines; older entries are before revision {next}", self.lines);
        match self.format {
            ExportFormat::Csv => csv::row(["", "", "", "", "", "", "export_cut", what.as_str(), "", "", ""]),
            ExportFormat::JsonLines => {
                format!("{}\n", json!({ "action": "export_cut", "sentence": what, "before": next }))
            }
        }
    }
}
