//! What the model keeps, and how a batch is applied or undone.
//!
//! Every change of a batch records its opposite, so that a failed batch can be undone.

use std::collections::BTreeMap;

use valetkey_domain::credential::Digest;
use valetkey_domain::{BusinessId, Change, ContentId, JobId, Record, RecordKey, Status, UnixMs};

use super::jobs::Jobs;
use super::telemetry::Telemetry;
use crate::ledger::Link;
use crate::{
    Batch, CommitError, Content, ContentQuery, ContentWrite, Entry, Head, Job, JobWrite, KeyRow, LeaseRow, Outcome,
    Verification, Write,
};

#[derive(Debug)]
pub(super) struct State {
    pub head: Head,
    pub ledger: Vec<Entry>,
    records: BTreeMap<RecordKey, Record>,
    unique: BTreeMap<Unique, RecordKey>,
    pub contents: BTreeMap<ContentId, Content>,
    pub jobs: Jobs,
    pub telemetry: Telemetry,
    pub keys: BTreeMap<u64, KeyRow>,
    pub lease: Option<LeaseRow>,
    pub verification: Option<Verification>,
}

impl Default for State {
    fn default() -> State {
        State {
            head: Head::EMPTY,
            ledger: Vec::new(),
            records: BTreeMap::new(),
            unique: BTreeMap::new(),
            contents: BTreeMap::new(),
            jobs: Jobs::default(),
            telemetry: Telemetry::default(),
            keys: BTreeMap::new(),
            lease: None,
            verification: None,
        }
    }
}

/// What no two records may share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Unique {
    TokenDigest(Digest),
    /// Business and address of a person that is not deleted.
    Email(BusinessId, String),
    /// The address of a human.
    SignIn(String),
    /// The credential id of a passkey.
    Credential(Vec<u8>),
    KindWord(String),
}

/// The opposite of one step.
enum Undo {
    Record(RecordKey, Option<Box<Record>>),
    Content(ContentId, Option<Box<Content>>),
    Job(JobId, Box<Option<Job>>),
}

impl State {
    /// Applies a batch, or nothing of it.
    pub fn commit(&mut self, batch: &Batch) -> Result<Vec<Outcome>, CommitError> {
        let head = self.head;
        let entries = self.ledger.len();
        let mut undo = Vec::new();
        let mut outcomes = Vec::with_capacity(batch.writes.len());
        for (index, write) in batch.writes.iter().enumerate() {
            let mark = undo.len();
            if !self.conditions_hold(write, &mut undo) {
                self.take_back(&mut undo, mark);
                outcomes.push(Outcome::Conflict);
                continue;
            }
            match self.apply(write, batch.commit_id, &mut undo) {
                Ok(revision) => outcomes.push(Outcome::Applied { revision }),
                Err(detail) => {
                    self.take_back(&mut undo, 0);
                    self.ledger.truncate(entries);
                    self.head = head;
                    return Err(CommitError::Refused { index, detail });
                }
            }
        }
        Ok(outcomes)
    }

    fn apply(&mut self, write: &Write, commit_id: [u8; 16], undo: &mut Vec<Undo>) -> Result<u64, String> {
        for change in &write.set.changes {
            self.change(change, undo)?;
        }
        let of_business = |e: &&Entry| write.set.business.is_some() && e.business == write.set.business;
        let link = Link {
            revision: self.head.revision + 1,
            prev: self.head.hash,
            business_prev: self.ledger.iter().rev().find(of_business).map_or([0; 32], |e| e.hash),
        };
        let entry = Entry::of_write(write, commit_id, link).map_err(|e| e.to_string())?;
        self.head = self.head.followed_by(&entry);
        self.ledger.push(entry);
        Ok(self.head.revision)
    }

    fn conditions_hold(&mut self, write: &Write, undo: &mut Vec<Undo>) -> bool {
        write.content.iter().all(|change| self.write_content(change, undo))
            && write.jobs.iter().all(|change| self.write_job(change, undo))
    }

    fn write_content(&mut self, change: &ContentWrite, undo: &mut Vec<Undo>) -> bool {
        let (id, new, expected) = match change {
            ContentWrite::Insert(row) => (row.id, Some(row), None),
            ContentWrite::Update { row, expected } => (row.id, Some(row), Some(*expected)),
            ContentWrite::Delete { id, expected } => (*id, None, Some(*expected)),
        };
        if self.contents.get(&id).map(|row| row.version) != expected {
            return false;
        }
        let old = match new {
            Some(row) => self.contents.insert(id, row.clone()),
            None => self.contents.remove(&id),
        };
        undo.push(Undo::Content(id, old.map(Box::new)));
        true
    }

    fn write_job(&mut self, change: &JobWrite, undo: &mut Vec<Undo>) -> bool {
        // The revision that the write gets if all of its conditions hold.
        let (held, old) = self.jobs.write(change, self.head.revision + 1);
        if held {
            undo.push(Undo::Job(change.id(), Box::new(old)));
        }
        held
    }

    fn change(&mut self, change: &Change, undo: &mut Vec<Undo>) -> Result<(), String> {
        let after = change.after.as_ref().map(Record::key);
        if let Some(key) = change.before.as_ref().map(Record::key).filter(|k| Some(*k) != after) {
            if self.records.values().any(|r| r.key() != key && parents(r).contains(&key)) {
                return Err(format!("{key:?} is still needed by others"));
            }
            let old = self.set(key, None);
            undo.push(Undo::Record(key, old.map(Box::new)));
        }
        if let Some(record) = &change.after {
            let key = record.key();
            if let Some(parent) = parents(record).into_iter().find(|p| !self.records.contains_key(p)) {
                return Err(format!("{key:?} needs {parent:?}, which is not there"));
            }
            if unique_of(record).is_some_and(|u| self.unique.get(&u).is_some_and(|other| *other != key)) {
                return Err(format!("{key:?} repeats what must be unique"));
            }
            let old = self.set(key, Some(record.clone()));
            undo.push(Undo::Record(key, old.map(Box::new)));
        }
        Ok(())
    }

    /// Puts or removes a record together with what it keeps unique.
    fn set(&mut self, key: RecordKey, record: Option<Record>) -> Option<Record> {
        let unique = record.as_ref().and_then(unique_of);
        let old = match record {
            Some(record) => self.records.insert(key, record),
            None => self.records.remove(&key),
        };
        if let Some(gone) = old.as_ref().and_then(unique_of) {
            self.unique.remove(&gone);
        }
        if let Some(unique) = unique {
            self.unique.insert(unique, key);
        }
        old
    }

    fn take_back(&mut self, undo: &mut Vec<Undo>, mark: usize) {
        for step in undo.drain(mark..).rev() {
            match step {
                Undo::Record(key, old) => {
                    self.set(key, old.map(|r| *r));
                }
                Undo::Content(id, Some(old)) => {
                    self.contents.insert(id, *old);
                }
                Undo::Content(id, None) => {
                    self.contents.remove(&id);
                }
                Undo::Job(id, old) => self.jobs.set(id, *old),
            }
        }
    }

    /// All records in the order that the port promises.
    pub fn load_order(&self) -> Vec<Record> {
        let mut records: Vec<(u8, &RecordKey, &Record)> =
            self.records.iter().map(|(key, record)| (rank(record), key, record)).collect();
        records.sort_by_key(|(rank, key, _)| (*rank, **key));
        records.into_iter().map(|(_, _, record)| record.clone()).collect()
    }

    /// The content that a query has without place and limit, in list order.
    pub fn filtered(&self, query: &ContentQuery) -> Vec<Content> {
        let wanted = |row: &&Content| {
            row.parent == query.parent
                && row.kind == query.kind
                && (query.statuses.is_empty() || query.statuses.contains(&row.status))
                && query.since.is_none_or(|since| row.sort_at >= since)
                && query.until.is_none_or(|until| row.sort_at < until)
        };
        let mut rows: Vec<Content> = self.contents.values().filter(wanted).cloned().collect();
        rows.sort_by_key(|row| (row.sort_at, row.id));
        if !query.ascending {
            rows.reverse();
        }
        rows
    }

    pub fn list(&self, query: &ContentQuery) -> Vec<Content> {
        let before = |a: (UnixMs, ContentId), b: (UnixMs, ContentId)| if query.ascending { a < b } else { a > b };
        let mut rows = self.filtered(query);
        rows.retain(|row| {
            let place = (row.sort_at, row.id);
            query.after.is_none_or(|after| before(after, place)) && query.before.is_none_or(|end| before(place, end))
        });
        if query.before.is_some() {
            rows.drain(..rows.len().saturating_sub(query.limit));
        }
        rows.truncate(query.limit);
        rows
    }

    /// The lease, if this holder has it.
    pub fn held_by(&mut self, holder: &str) -> Option<&mut LeaseRow> {
        self.lease.as_mut().filter(|row| row.holder == holder && !row.released)
    }
}

fn unique_of(record: &Record) -> Option<Unique> {
    match record {
        Record::Token(t) => Some(Unique::TokenDigest(t.digest)),
        Record::Person(p) if p.status != Status::Deleted => Some(Unique::Email(p.business, p.email.clone())),
        Record::DeclaredKind(k) => Some(Unique::KindWord(k.word.clone())),
        Record::Human(h) => Some(Unique::SignIn(h.email.clone())),
        Record::Passkey(p) => Some(Unique::Credential(p.credential.clone())),
        Record::Person(_)
        | Record::Business(_)
        | Record::SystemUser(_)
        | Record::App(_)
        | Record::Connection(_)
        | Record::Installation(_)
        | Record::Asset(_)
        | Record::Assignment(_)
        | Record::Share(_)
        | Record::PageCounter(_)
        | Record::SignInCode(_)
        | Record::Terms(_) => None,
    }
}

/// The records without which a record can't be stored.
fn parents(record: &Record) -> Vec<RecordKey> {
    match record {
        Record::Person(r) => {
            [Some(RecordKey::Business(r.business)), r.human.map(RecordKey::Human)].into_iter().flatten().collect()
        }
        Record::Passkey(r) => vec![RecordKey::Human(r.human)],
        Record::SystemUser(r) => vec![RecordKey::Business(r.business)],
        Record::App(r) => vec![RecordKey::Business(r.business)],
        Record::Connection(r) => vec![RecordKey::Business(r.business), RecordKey::App(r.app)],
        Record::Installation(r) => vec![RecordKey::SystemUser(r.system_user), RecordKey::App(r.app)],
        Record::Asset(r) => r.business.map(RecordKey::Business).into_iter().collect(),
        Record::Share(r) => vec![RecordKey::Business(r.partner)],
        Record::Assignment(r) => vec![RecordKey::Business(r.business)],
        Record::Token(r) => vec![RecordKey::Business(r.business)],
        Record::SignInCode(r) => vec![RecordKey::Person(r.person)],
        Record::Business(_)
        | Record::Human(_)
        | Record::DeclaredKind(_)
        | Record::PageCounter(_)
        | Record::Terms(_) => Vec::new(),
    }
}

fn rank(record: &Record) -> u8 {
    match record {
        Record::Terms(_) => 0,
        Record::DeclaredKind(_) => 1,
        Record::Business(_) => 2,
        Record::Human(_) => 3,
        Record::Passkey(_) => 4,
        Record::Person(_) => 5,
        Record::SystemUser(_) => 6,
        Record::App(_) => 7,
        Record::Connection(_) => 8,
        Record::Installation(_) => 9,
        Record::Asset(_) => 10,
        Record::Share(_) => 11,
        Record::Assignment(_) => 12,
        Record::Token(_) => 13,
        Record::PageCounter(_) => 14,
        Record::SignInCode(_) => 15,
    }
}
