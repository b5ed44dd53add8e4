//! The check of one store: the ledger, then the records; content and jobs are compared by their own
//! modules. It must never write, and never stop at the first difference.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use valetkey_domain::{Action, Change, Id, Record, RecordKey};
use valetkey_store::ledger::{ChainError, JOBS_FORMAT, Verifier, payload_digest};
use valetkey_store::{Class, Entry, Head, Store, StoreError};

use super::job_lines::JobLines;
use super::newest::{Line, Newest, News, Suspect};
use super::report::{Compared, Difference, NAMED_LIMIT, Progress, Report, are, fields, name};
use super::window::Window;

/// How many entries are read at once.
pub(super) const ENTRIES_AT_ONCE: usize = 1_000;

/// Sixteen bytes of a digest, to save memory: there may be millions of records.
type Mark = [u8; 16];

fn mark(record: &Record) -> Result<Mark, StoreError> {
    let text = serde_json::to_string(record).map_err(|e| StoreError::Other(format!("a record as JSON: {e}")))?;
    let digest = payload_digest(&[], &text);
    Ok(digest.first_chunk().copied().unwrap_or_default())
}

/// One record as the store holds it, and as the ledger left it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pair {
    held: Option<Mark>,
    /// With the revision that left it so.
    left: Option<(Mark, u64)>,
}

pub(super) struct Check<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) progress: &'a mut (dyn FnMut(Progress) + Send + Sync),
    pub(super) content_at_once: usize,
    /// How long it rests after each part that was read.
    pub(super) rest: Option<Duration>,
    pub(super) verifier: Verifier,
    pub(super) report: Report,
    pub(super) pairs: BTreeMap<RecordKey, Pair>,
    /// The revision of the records that were loaded; later changes are not folded.
    pub(super) records_through: u64,
    /// The hash of the entry at that revision.
    pub(super) at_head: Option<[u8; 32]>,
    pub(super) last_narrowing: u64,
    /// Subjects of entries without a payload, with the newest such revision.
    pub(super) gone: HashMap<Id, u64>,
    pub(super) window: Window,
    pub(super) jobs: JobLines,
    /// No entry so far is of a version that entered jobs.
    pub(super) is_before_jobs: bool,
}

impl Check<'_> {
    pub(super) async fn everything(&mut self) -> Result<(), StoreError> {
        self.read_on(None).await?;
        if self.report.chain.is_some() {
            return Ok(());
        }
        let (end, hash) = self.verifier.last().unwrap_or((0, [0; 32]));
        let (head, suspects) = self.load().await?;
        self.records_through = head.revision;
        self.at_head = Some(hash).filter(|_| head.revision == end);
        // Entries written since then come after those read so far.
        self.read_on(None).await?;
        self.compare_head(head);
        if self.report.chain.is_some() {
            return Ok(());
        }
        self.report.compared = Some(Compared::default());
        self.compare_records(&suspects).await?;
        self.compare_content().await?;
        self.compare_jobs().await
    }

    /// Reads the ledger from where reading ended before to its end. Lines about content and jobs go into
    /// `news`.
    async fn read_on(&mut self, mut news: Option<&mut News>) -> Result<(), StoreError> {
        while self.report.chain.is_none() {
            let after = self.verifier.last().map_or(0, |(revision, _)| revision);
            let entries = self.store.tail(after, ENTRIES_AT_ONCE).await?;
            let Some(last) = entries.last().map(|e| e.revision) else {
                return Ok(());
            };
            for entry in &entries {
                if let Err(problem) = self.take(entry, news.as_deref_mut()) {
                    self.report.chain = Some(problem);
                    return Ok(());
                }
            }
            (self.progress)(Progress::Entries(last));
            self.rest().await;
        }
        Ok(())
    }

    /// Leaves the store to others for a while, if that is wanted.
    pub(super) async fn rest(&self) {
        if let Some(rest) = self.rest {
            tokio::time::sleep(rest).await;
        }
    }

    fn take(&mut self, entry: &Entry, mut news: Option<&mut News>) -> Result<(), String> {
        let checked = self.verifier.check(entry);
        self.is_before_jobs &= entry.format < JOBS_FORMAT;
        let is_folded = entry.revision <= self.records_through;
        if entry.narrows && is_folded {
            self.last_narrowing = entry.revision;
        }
        if entry.revision == self.records_through {
            self.at_head = Some(entry.hash);
        }
        match checked {
            Ok(()) => {}
            Err(ChainError::NoPayload { revision }) => {
                self.report.without_payload.add(revision);
                self.gone.extend(entry.subjects.iter().map(|id| (*id, revision)));
                return Ok(());
            }
            Err(error) => return Err(error.to_string()),
        }
        let payload = entry.payload()?;
        if Action::parse(&entry.action).is_none() {
            return Err(format!("entry {}: unknown action {}", entry.revision, entry.action));
        }
        if is_folded && entry.class == Class::Authority {
            for change in &payload.changes {
                self.fold(change, entry.revision).map_err(|e| e.to_string())?;
            }
        }
        for line in payload.content {
            let newest = Newest { revision: entry.revision, salt: entry.salt.clone(), line };
            if let Some(news) = &mut news {
                news.content.push(newest.clone());
            }
            self.window.put(newest);
        }
        for line in payload.jobs {
            let newest = Newest { revision: entry.revision, salt: entry.salt.clone(), line };
            if let Some(news) = &mut news {
                news.jobs.push(newest.clone());
            }
            self.jobs.put(newest);
        }
        Ok(())
    }

    fn fold(&mut self, change: &Change, revision: u64) -> Result<(), StoreError> {
        let after = change.after.as_ref().map(Record::key);
        if let Some(before) = change.before.as_ref().map(Record::key).filter(|b| Some(*b) != after)
            && let Some(pair) = self.pairs.get_mut(&before)
        {
            pair.left = None;
            if pair.held.is_none() {
                self.pairs.remove(&before);
            }
        }
        if let Some(record) = &change.after {
            self.pairs.entry(record.key()).or_default().left = Some((mark(record)?, revision));
        }
        Ok(())
    }

    /// Loads all records of one revision. Those that differ from what was read so far are returned, to
    /// be compared field by field.
    async fn load(&mut self) -> Result<(Head, HashMap<RecordKey, Record>), StoreError> {
        let mut suspects = HashMap::new();
        let mut failed = None;
        let (pairs, progress) = (&mut self.pairs, &mut *self.progress);
        let mut count = 0u64;
        let mut sink = |record: Record| {
            let held = match mark(&record) {
                Ok(held) => held,
                Err(error) => {
                    failed = Some(error);
                    return;
                }
            };
            let key = record.key();
            let pair = pairs.entry(key).or_default();
            pair.held = Some(held);
            if pair.left.is_none_or(|(left, _)| left != held) && suspects.len() < NAMED_LIMIT {
                suspects.insert(key, record);
            }
            count += 1;
            if count.is_multiple_of(ENTRIES_AT_ONCE as u64) {
                progress(Progress::Records(count));
            }
        };
        let head = self.store.load(&mut sink).await?;
        progress(Progress::Records(count));
        failed.map_or(Ok((head, suspects)), Err)
    }

    fn compare_head(&mut self, head: Head) {
        if self.report.chain.is_some() {
            return;
        }
        if self.at_head != Some(head.hash) {
            let (revision, end) = (head.revision, self.verifier.last().map_or(0, |(end, _)| end));
            self.report.chain =
                Some(format!("the entries end at {end}, and the head is {revision}: the end was cut off or altered"));
        } else if head.last_narrowing != self.last_narrowing {
            let how = format!(
                "says that entry {} was the last to take something away, and that was entry {}",
                head.last_narrowing, self.last_narrowing
            );
            self.report.differences.add(Difference { what: "the head".to_owned(), how });
        }
    }

    async fn compare_records(&mut self, suspects: &HashMap<RecordKey, Record>) -> Result<(), StoreError> {
        let pairs = std::mem::take(&mut self.pairs);
        if let Some(compared) = &mut self.report.compared {
            compared.records = pairs.len() as u64;
        }
        for (key, pair) in pairs {
            let known = pair.left.map_or(0, |(_, revision)| revision);
            let is_gone = key.ids().into_iter().flatten().filter_map(|id| self.gone.get(&id)).any(|gone| *gone > known);
            if !is_gone && pair.held == pair.left.map(|(left, _)| left) {
                continue;
            }
            let is_named = self.report.differences.named.len() < NAMED_LIMIT;
            let left = match pair.left {
                Some((_, revision)) if is_named => self.record_of(key, revision).await?,
                _ => None,
            };
            let held = suspects.get(&key);
            let what = name(key, held.or(left.as_ref()));
            if is_gone {
                self.report.not_verifiable.add(what);
                continue;
            }
            let how = match (pair.held, pair.left) {
                (Some(_), Some((_, revision))) => match (held, &left) {
                    (Some(held), Some(left)) => {
                        format!("{} not what entry {revision} left", are(&fields(held, left)))
                    }
                    _ => format!("is not what entry {revision} left"),
                },
                (Some(_), None) => "is in force, and no entry left it so".to_owned(),
                (None, Some((_, revision))) => format!("is gone, and entry {revision} left it"),
                (None, None) => continue,
            };
            self.report.differences.add(Difference { what, how });
        }
        Ok(())
    }

    /// The record as an entry left it.
    async fn record_of(&self, key: RecordKey, revision: u64) -> Result<Option<Record>, StoreError> {
        let entries = self.store.tail(revision.saturating_sub(1), 1).await?;
        let payload = entries.first().and_then(|e| e.payload().ok()).unwrap_or_default();
        Ok(payload.changes.into_iter().rev().filter_map(|c| c.after).find(|record| record.key() == key))
    }

    /// If a row was written while it was compared, its line is further on in the ledger, which is read
    /// after the row.
    pub(super) async fn settle<L: Line>(&mut self, mut suspects: Vec<Suspect<L>>) -> Result<(), StoreError> {
        if suspects.is_empty() {
            return Ok(());
        }
        let mut news = News::default();
        self.read_on(Some(&mut news)).await?;
        suspects.retain(|suspect| !L::among(&news).iter().any(|line| suspect.is_explained_by(line)));
        for suspect in suspects {
            let known = suspect.newest.as_ref().map_or(0, |newest| newest.revision);
            if self.gone.get(&suspect.id.any()).is_some_and(|gone| *gone > known) {
                self.report.not_verifiable.add(suspect.what());
            } else {
                self.report.differences.add(suspect.difference());
            }
        }
        Ok(())
    }
}
