//! The payload of a ledger entry: the changes of records, and a line for each row of content and
//! for each job.
//!
//! A field that this version does not know is refused and never left out: it could have taken a
//! right away.

mod job;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use valetkey_domain::{Change, ContentId};

use crate::batch::Write;
use crate::content::{Content, ContentWrite};
use crate::digest::{finish, payload_digest, to_hex};
use crate::job::JobWrite;

pub use job::{JobDid, JobLine, job_digest};

/// Whether indexes must fold an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Changes of authority records; every index folds them.
    Authority,
    /// Changes of content; followers skip them.
    Content,
}

/// What one entry says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payload {
    pub changes: Vec<Change>,
    pub content: Vec<ContentLine>,
    pub jobs: Vec<JobLine>,
}

/// What happened to a row of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    Insert,
    Update,
    Delete,
}

/// What an entry says about one row of content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentLine {
    pub did: Did,
    pub id: ContentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The version that it has now, or had when it was deleted.
    pub version: i64,
    /// [`content_digest`] of the whole row with the entry's salt, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// SHA-256 of the body alone, in hexadecimal. The first entries have this one instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl ContentLine {
    fn of(change: &ContentWrite, salt: &[u8]) -> ContentLine {
        let (did, row) = match change {
            ContentWrite::Insert(row) => (Did::Insert, row),
            ContentWrite::Update { row, .. } => (Did::Update, row),
            ContentWrite::Delete { id, expected } => {
                let (did, version) = (Did::Delete, *expected);
                return ContentLine { did, id: *id, kind: None, status: None, version, digest: None, body: None };
            }
        };
        ContentLine {
            did,
            id: row.id,
            kind: Some(row.kind),
            status: Some(row.status.clone()),
            version: row.version,
            digest: Some(to_hex(&content_digest(salt, row))),
            body: None,
        }
    }

    /// Whether the row is as this line left it. `salt` is that of the entry.
    pub fn left(&self, salt: &[u8], row: &Content) -> bool {
        let own = match (&self.digest, &self.body) {
            (Some(digest), None) => *digest == to_hex(&content_digest(salt, row)),
            (None, Some(body)) => *body == to_hex(&payload_digest(&[], &row.body)),
            _ => false,
        };
        own && self.did != Did::Delete
            && (self.id, self.version) == (row.id, row.version)
            && (self.kind, self.status.as_deref()) == (Some(row.kind), Some(row.status.as_str()))
    }
}

/// SHA-256 of salt and row. Each field is preceded by its length.
pub fn content_digest(salt: &[u8], row: &Content) -> [u8; 32] {
    let Content { id, kind, asset, parent, status, sort_at, created_at, updated_at, version, body } = row;
    let mut context = Context::new(&SHA256);
    let mut field = |bytes: &[u8]| {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    field(b"valetkey content");
    field(salt);
    field(&[*kind]);
    for id in [id.any(), asset.any(), *parent] {
        field(&id.get().to_be_bytes());
    }
    field(status.as_bytes());
    for number in [sort_at, created_at, updated_at, version] {
        field(&number.to_be_bytes());
    }
    field(body.as_bytes());
    finish(context)
}

/// The form of a payload with both records and content.
#[derive(Serialize)]
struct Both<'a> {
    changes: &'a [Change],
    content: Vec<ContentLine>,
}

/// The same, for reading. Unknown fields are found afterwards by [`nothing_lost`].
#[derive(Deserialize)]
struct BothRead {
    changes: Vec<Change>,
    content: Vec<ContentLine>,
}

/// The form of a payload with jobs, beside content or alone.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WithJobs {
    content: Vec<ContentLine>,
    jobs: Vec<JobLine>,
}

/// Fails unless the newest entry about a job can be found by the first subject of entries of class
/// content.
fn check_jobs(write: &Write) -> Result<(), String> {
    if !write.jobs.is_empty() && !write.set.changes.is_empty() {
        return Err("a write that changes records holds a job; write it by itself".to_owned());
    }
    let first = write.set.subjects.first().copied();
    let is_found = |change: &JobWrite| match change {
        JobWrite::Enter(_) => first.is_none(),
        JobWrite::Insert(_) | JobWrite::Rearm { .. } | JobWrite::Finish { .. } | JobWrite::Cancel { .. } => {
            first == Some(change.id().any())
        }
    };
    match write.jobs.iter().find(|change| !is_found(change)) {
        None => Ok(()),
        Some(change) => Err(format!("job {} is not the first subject of the write that holds it", change.id())),
    }
}

/// The class and the body of a write's entry: a list of changes, a list of lines, or an object with
/// several lists. Nothing at all counts as content, for no index has to fold it.
pub(crate) fn write(write: &Write) -> Result<(Class, String), String> {
    check_jobs(write)?;
    written(write).map_err(|e| e.to_string())
}

fn written(write: &Write) -> serde_json::Result<(Class, String)> {
    let changes = &write.set.changes;
    let content: Vec<ContentLine> = write.content.iter().map(|change| ContentLine::of(change, &write.salt)).collect();
    if !write.jobs.is_empty() {
        let jobs = write.jobs.iter().map(|change| JobLine::of(change, &write.salt)).collect();
        return Ok((Class::Content, serde_json::to_string(&WithJobs { content, jobs })?));
    }
    if changes.is_empty() {
        Ok((Class::Content, serde_json::to_string(&content)?))
    } else if content.is_empty() {
        Ok((Class::Authority, serde_json::to_string(changes)?))
    } else {
        Ok((Class::Authority, serde_json::to_string(&Both { changes, content })?))
    }
}

/// Reads the body of an entry.
pub(crate) fn read(class: Class, body: &str) -> Result<Payload, String> {
    let unreadable = |e: serde_json::Error| format!("unreadable changes: {e}");
    if class == Class::Content {
        let WithJobs { content, jobs } = if is_object(body) {
            serde_json::from_str(body).map_err(unreadable)?
        } else {
            WithJobs { content: serde_json::from_str(body).map_err(unreadable)?, jobs: Vec::new() }
        };
        return Ok(Payload { changes: Vec::new(), content, jobs });
    }
    let is_both = is_object(body);
    let payload = if is_both {
        let BothRead { changes, content } = serde_json::from_str(body).map_err(unreadable)?;
        Payload { changes, content, jobs: Vec::new() }
    } else {
        let changes = serde_json::from_str(body).map_err(unreadable)?;
        Payload { changes, ..Payload::default() }
    };
    nothing_lost(body, is_both, &payload).map_err(|what| format!("unreadable changes: {what}"))?;
    Ok(payload)
}

fn is_object(body: &str) -> bool {
    body.trim_start().starts_with('{')
}

/// Fails if reading has left something out. What this version wrote reads back byte for byte, so only
/// entries of other versions need the slow comparison.
fn nothing_lost(body: &str, is_both: bool, read: &Payload) -> Result<(), String> {
    // A payload of class authority has no jobs.
    let Payload { changes, content, jobs: _ } = read;
    let again = if is_both {
        serde_json::to_string(&Both { changes, content: content.clone() })
    } else {
        serde_json::to_string(changes)
    };
    let again = again.map_err(|e| e.to_string())?;
    if again == body {
        return Ok(());
    }
    let parsed = |text: &str| serde_json::from_str::<Value>(text).map_err(|e| e.to_string());
    match lost(&parsed(body)?, &parsed(&again)?) {
        None => Ok(()),
        Some(path) => Err(format!("this version does not know the field {path}; use a newer valetkey")),
    }
}

/// The path of the first field that is in `written` and not in `read`.
fn lost(written: &Value, read: &Value) -> Option<String> {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            written.iter().filter(|(_, v)| !v.is_null()).find_map(|(name, v)| match read.get(name) {
                None => Some(name.clone()),
                Some(other) => lost(v, other).map(|path| format!("{name}.{path}")),
            })
        }
        (Value::Array(written), Value::Array(read)) => written.iter().zip(read).find_map(|(a, b)| lost(a, b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use valetkey_domain::Id;
    use valetkey_domain::change::ActorKind;
    use valetkey_domain::noun::terms::Terms;
    use valetkey_domain::{Action, Actor, ChangeSet, Record};

    use super::*;

    fn id<Of>(n: u64) -> Id<Of> {
        Id::new(n).unwrap()
    }

    fn row() -> Content {
        Content {
            id: id(5),
            kind: 13,
            asset: id(1),
            parent: id(2),
            status: "published".to_owned(),
            sort_at: 1,
            created_at: 2,
            updated_at: 3,
            version: 4,
            body: "{}".to_owned(),
        }
    }

    fn terms(version: u32) -> Vec<Change> {
        vec![Change { before: None, after: Some(Record::Terms(Terms { version, text: "t".to_owned() })) }]
    }

    fn a_write(changes: Vec<Change>, content: Vec<ContentWrite>) -> Write {
        let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
        let (action, subjects) = (Action::AssetCreated, Vec::new());
        let set = ChangeSet { at: 0, action, actor, business: None, subjects, changes };
        Write { set, content, jobs: Vec::new(), salt: [7; 16] }
    }

    #[test]
    fn whatever_a_write_changes_stands_in_its_payload() {
        let content = || vec![ContentWrite::Insert(row()), ContentWrite::Delete { id: id(6), expected: 2 }];
        for (changes, content, class, first) in [
            (terms(1), Vec::new(), Class::Authority, '['),
            (Vec::new(), content(), Class::Content, '['),
            (terms(1), content(), Class::Authority, '{'),
            (Vec::new(), Vec::new(), Class::Content, '['),
        ] {
            let the_write = a_write(changes, content);
            let (found, body) = write(&the_write).unwrap();
            assert_eq!((found, body.chars().next()), (class, Some(first)), "{body}");
            let payload = read(class, &body).unwrap();
            assert_eq!(payload.changes, the_write.set.changes);
            assert_eq!(payload.content.len(), the_write.content.len());
            if let Some(line) = payload.content.first() {
                assert!(line.left(&[7; 16], &row()));
                assert_eq!(payload.content[1].did, Did::Delete);
            }
        }
    }

    #[test]
    fn a_line_fits_its_own_row_and_no_other() {
        let (_, body) = write(&a_write(Vec::new(), vec![ContentWrite::Insert(row())])).unwrap();
        let line = read(Class::Content, &body).unwrap().content.remove(0);
        assert!(line.left(&[7; 16], &row()));
        assert!(!line.left(&[8; 16], &row()), "the digest is salted");
        let changes: [fn(&mut Content); 10] = [
            |r| r.id = id(9),
            |r| r.kind = 14,
            |r| r.asset = id(9),
            |r| r.parent = id(9),
            |r| r.status.push('x'),
            |r| r.sort_at += 1,
            |r| r.created_at += 1,
            |r| r.updated_at += 1,
            |r| r.version += 1,
            |r| r.body.push(' '),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let mut other = row();
            change(&mut other);
            assert!(!line.left(&[7; 16], &other), "change {n}");
            assert_ne!(content_digest(&[7; 16], &other), content_digest(&[7; 16], &row()), "change {n}");
        }
        // The first entries had a digest of the body alone.
        let old = ContentLine { digest: None, body: Some(to_hex(&payload_digest(&[], "{}"))), ..line.clone() };
        assert!(old.left(&[7; 16], &row()) && !old.left(&[7; 16], &Content { body: "[]".to_owned(), ..row() }));
        let none = ContentLine { digest: None, ..line.clone() };
        let deleted = ContentLine { did: Did::Delete, ..line };
        assert!(!none.left(&[7; 16], &row()) && !deleted.left(&[7; 16], &row()));
    }

    #[test]
    fn what_is_not_known_is_refused_and_never_left_out() {
        let known = serde_json::to_string(&terms(1)).unwrap();
        assert!(read(Class::Authority, &known).is_ok());
        // Other white space is no loss, nor is a field that is null.
        let spaced = known.replace(':', ": ").replace("\"version\"", "\"limit\": null, \"version\"");
        assert!(read(Class::Authority, &spaced).is_ok(), "{spaced}");
        for (written, path) in [
            (known.replace("\"version\"", "\"only_from\":\"10.0.0.1\",\"version\""), "after.terms.only_from"),
            (known.replace("{\"after\"", "{\"until\":5,\"after\""), "field until"),
            (format!("{{\"changes\":{known},\"content\":[],\"unless\":1}}"), "unless"),
            (format!("{{\"changes\":{known}}}"), "content"),
        ] {
            let error = read(Class::Authority, &written).unwrap_err();
            assert!(error.contains(path), "{written}: {error}");
        }
        let line = "[{\"did\":\"insert\",\"id\":\"5\",\"version\":1,\"hidden\":true}]";
        assert!(read(Class::Content, line).unwrap_err().contains("hidden"));
        assert!(read(Class::Content, "[{\"did\":\"swap\",\"id\":\"5\",\"version\":1}]").is_err());
    }
}
