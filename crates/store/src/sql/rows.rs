//! Rows of everything that is not an authority record: the head, ledger entries, content, jobs,
//! uses, refusals, keys, the last check of the ledger.

use valetkey_domain::{Actor, ContentId, Id, JobId, UnixMs};

use super::columns::{digest, id, opt_id};
use super::{RowRead, Value};
use crate::ledger::{SALT_BYTES, actor_kind};
use crate::telemetry::{USAGE_DROPS_AT_ONCE, Usage, UsageQuery, UsedFor};
use crate::{
    Class, Content, ContentGuard, Entry, Head, Job, JobCount, JobRest, JobState, KeyRow, LeaseRow, NextJob, RefusalRow,
    StoreError, Ticket, TokenUse, Verification,
};

/// Reads the row of `HEAD`.
pub fn read_head(row: &dyn RowRead) -> Result<Head, StoreError> {
    let hash = match row.opt_blob(1)? {
        None => [0; 32],
        Some(bytes) => hash(bytes)?,
    };
    Ok(Head { revision: revision(row.int(0)?)?, hash, last_narrowing: revision(row.int(2)?)? })
}

/// Reads the row of `BUSINESS_HEAD`.
pub fn read_business_head(row: &dyn RowRead) -> Result<[u8; 32], StoreError> {
    hash(row.blob(0)?)
}

/// Reads the row of `NEWEST_ENTRY`.
pub fn read_newest(row: &dyn RowRead) -> Result<(u64, [u8; 32]), StoreError> {
    Ok((revision(row.int(0)?)?, hash(row.blob(1)?)?))
}

/// Fails unless the head is that of the newest entry; otherwise something outside changed one of them.
pub fn check_head(head: Head, newest: Option<(u64, [u8; 32])>) -> Result<(), StoreError> {
    if newest.unwrap_or((0, [0; 32])) == (head.revision, head.hash) {
        return Ok(());
    }
    Err(StoreError::Corrupt(format!(
        "the head says revision {}, but the newest ledger entry is {}; restore a backup",
        head.revision,
        newest.map_or(0, |(r, _)| r)
    )))
}

/// Reads the row of `LEASE`.
pub fn read_lease(row: &dyn RowRead) -> Result<LeaseRow, StoreError> {
    Ok(LeaseRow { holder: row.text(0)?, counter: row.int(1)?, length_ms: row.int(2)?, released: row.int(3)? != 0 })
}

/// Reads the row of `OUTCOME`.
pub fn read_outcome(row: &dyn RowRead) -> Result<Option<(u64, u64)>, StoreError> {
    match (row.opt_int(0)?, row.opt_int(1)?) {
        (Some(first), Some(last)) => Ok(Some((revision(first)?, revision(last)?))),
        _ => Ok(None),
    }
}

/// The parameters of `INSERT_ENTRY`.
pub fn entry_values(entry: &Entry) -> Result<Vec<Value>, StoreError> {
    let Entry {
        format,
        revision,
        at,
        commit_id,
        class,
        action,
        actor,
        business,
        subjects,
        narrows,
        body,
        salt,
        digest,
        prev,
        business_prev,
        hash,
    } = entry;
    let subjects: Vec<String> = subjects.iter().map(Id::to_string).collect();
    Ok(vec![
        stored_revision(*revision)?,
        i64::from(*format).into(),
        (*at).into(),
        commit_id.as_slice().into(),
        class_word(*class).into(),
        action.as_str().into(),
        actor.kind.as_str().into(),
        actor.id.into(),
        actor.token.into(),
        (*business).into(),
        Value::Text(subjects.join(",")),
        (*narrows).into(),
        body.as_deref().into(),
        salt.as_slice().into(),
        digest.as_slice().into(),
        prev.as_slice().into(),
        business_prev.as_slice().into(),
        hash.as_slice().into(),
    ])
}

/// Reads a row of `TAIL`, `TAIL_OF`, or of their backward forms.
pub fn read_entry(row: &dyn RowRead) -> Result<Entry, StoreError> {
    let revision = revision(row.int(0)?)?;
    let wrong = |what: String| StoreError::Corrupt(format!("ledger entry {revision}: {what}"));
    let class = row.text(4)?;
    let kind = row.text(6)?;
    let subjects = row.text(10)?;
    let salt = row.blob(13)?;
    if salt.len() != SALT_BYTES {
        return Err(wrong(format!("its salt has {} bytes and not {SALT_BYTES}; it was altered", salt.len())));
    }
    Ok(Entry {
        format: u32::try_from(row.int(1)?).map_err(|_| wrong("its format is not a valid number".into()))?,
        revision,
        at: row.int(2)?,
        commit_id: row.blob(3)?,
        class: [Class::Authority, Class::Content]
            .into_iter()
            .find(|c| class_word(*c) == class)
            .ok_or_else(|| wrong(format!("unknown class {class}")))?,
        action: row.text(5)?,
        actor: Actor {
            kind: actor_kind(&kind).ok_or_else(|| wrong(format!("unknown kind of actor {kind}")))?,
            id: opt_id(row, 7)?,
            token: opt_id(row, 8)?,
        },
        business: opt_id(row, 9)?,
        subjects: subjects
            .split(',')
            .filter(|s| !s.is_empty())
            .map(|s| Id::parse(s).ok_or_else(|| wrong(format!("subject {s} is not an id"))))
            .collect::<Result<_, _>>()?,
        narrows: row.int(11)? != 0,
        body: row.opt_text(12)?,
        salt,
        digest: hash(row.blob(14)?)?,
        prev: hash(row.blob(15)?)?,
        business_prev: hash(row.blob(16)?)?,
        hash: hash(row.blob(17)?)?,
    })
}

fn class_word(class: Class) -> &'static str {
    match class {
        Class::Authority => "authority",
        Class::Content => "content",
    }
}

/// The parameters of `INSERT_CONTENT`, and the first ten of `UPDATE_CONTENT`.
pub fn content_values(content: &Content) -> Vec<Value> {
    let Content { id, kind, asset, parent, status, sort_at, created_at, updated_at, version, body } = content;
    vec![
        (*id).into(),
        i64::from(*kind).into(),
        (*asset).into(),
        (*parent).into(),
        status.as_str().into(),
        (*sort_at).into(),
        (*created_at).into(),
        (*updated_at).into(),
        (*version).into(),
        body.as_str().into(),
    ]
}

/// The parameters of `CONTENTS_AFTER`. Without `after`, it starts below every valid id, so that a row
/// with an invalid id is found too.
pub fn contents_after_values(after: Option<ContentId>, limit: usize) -> Vec<Value> {
    vec![after.map_or(Value::Int(i64::MIN), Value::from), stored_limit(limit)]
}

/// Reads a row of content.
pub fn read_content(row: &dyn RowRead) -> Result<Content, StoreError> {
    let kind = row.int(1)?;
    Ok(Content {
        id: id(row, 0)?,
        kind: u8::try_from(kind).map_err(|_| StoreError::Corrupt(format!("unknown kind of content {kind}")))?,
        asset: id(row, 2)?,
        parent: id(row, 3)?,
        status: row.text(4)?,
        sort_at: row.int(5)?,
        created_at: row.int(6)?,
        updated_at: row.int(7)?,
        version: row.int(8)?,
        body: row.text(9)?,
    })
}

/// What guards a row of content.
pub fn read_guard(row: &dyn RowRead) -> Result<ContentGuard, StoreError> {
    let kind = row.int(1)?;
    let kind = u8::try_from(kind).map_err(|_| StoreError::Corrupt(format!("unknown kind of content {kind}")))?;
    Ok(ContentGuard { id: id(row, 0)?, kind, asset: id(row, 2)? })
}

/// The parameters of `INSERT_JOB`, and the first of `REARM_JOB`.
pub fn job_values(job: &Job) -> Vec<Value> {
    let Job {
        id,
        kind,
        due_at,
        actor,
        payload,
        // The store sets it once the entry has its revision.
        revision: _,
        state,
        not_before,
        attempts,
        lease_until,
        holder,
        reason,
        tried_at,
    } = job;
    vec![
        (*id).into(),
        kind.as_str().into(),
        (*due_at).into(),
        payload.as_str().into(),
        (*attempts).into(),
        (*lease_until).into(),
        holder.as_deref().into(),
        actor.map(|a| a.kind.as_str()).into(),
        actor.and_then(|a| a.id).into(),
        actor.and_then(|a| a.token).into(),
        state.as_str().into(),
        (*not_before).into(),
        reason.as_deref().into(),
        (*tried_at).into(),
    ]
}

/// The parameters of `REARM_JOB`.
pub fn rearmed_values(job: &Job, expected: u64, now: UnixMs) -> Vec<Value> {
    let mut values = job_values(job);
    values.extend([expected_revision(expected), now.into()]);
    values
}

/// The parameters of `ENTER_JOB`.
pub fn entered_values(job: &Job) -> Vec<Value> {
    let Job { id, kind, due_at, actor, payload, state, not_before, .. } = job;
    vec![
        (*id).into(),
        kind.as_str().into(),
        (*due_at).into(),
        payload.as_str().into(),
        actor.map(|a| a.kind.as_str()).into(),
        actor.and_then(|a| a.id).into(),
        actor.and_then(|a| a.token).into(),
        state.as_str().into(),
        (*not_before).into(),
    ]
}

/// A revision to compare with. One that is too large for a store matches no row.
pub fn expected_revision(revision: u64) -> Value {
    Value::Int(i64::try_from(revision).unwrap_or(-1))
}

/// The parameters of `CLAIM_JOBS`.
pub fn claim_values(kind: &str, holder: &str, now: UnixMs, lease_until: UnixMs, limit: usize) -> Vec<Value> {
    vec![holder.into(), lease_until.into(), now.into(), stored_limit(limit), kind.into()]
}

/// The parameters of `PUT_BACK_JOB`.
pub fn rest_values(id: JobId, holder: &str, now: UnixMs, rest: &JobRest) -> Vec<Value> {
    let JobRest { state, not_before, reason, at } = rest;
    vec![
        id.into(),
        holder.into(),
        now.into(),
        state.as_str().into(),
        (*not_before).into(),
        reason.as_str().into(),
        (*at).into(),
    ]
}

/// The parameters of `JOBS_AFTER`. Without `after`, it starts below every valid id.
pub fn jobs_after_values(state: Option<JobState>, after: Option<JobId>, limit: usize) -> Vec<Value> {
    vec![
        after.map_or(Value::Int(i64::MIN), Value::from),
        stored_limit(limit),
        state.map_or("", JobState::as_str).into(),
    ]
}

/// The parameters of `ENTRIES_ABOUT`: the subject, alone or before others, as a range of texts.
pub fn about_values(subject: Id, after: u64, limit: usize) -> Result<Vec<Value>, StoreError> {
    let (from, to) = (format!("{subject},"), format!("{subject}-"));
    Ok(vec![Value::Text(from), Value::Text(to), stored_revision(after)?, stored_limit(limit)])
}

/// Reads a row of jobs.
pub fn read_job(row: &dyn RowRead) -> Result<Job, StoreError> {
    let id = id(row, 0)?;
    let wrong = |what: String| StoreError::Corrupt(format!("job {id}: {what}"));
    let actor = match row.opt_text(7)? {
        None => None,
        Some(kind) => Some(Actor {
            kind: actor_kind(&kind).ok_or_else(|| wrong(format!("unknown kind of actor {kind}")))?,
            id: opt_id(row, 8)?,
            token: opt_id(row, 9)?,
        }),
    };
    let state = row.text(10)?;
    Ok(Job {
        id,
        kind: row.text(1)?,
        due_at: row.int(2)?,
        payload: row.text(3)?,
        attempts: row.int(4)?,
        lease_until: row.opt_int(5)?,
        holder: row.opt_text(6)?,
        actor,
        state: JobState::parse(&state).ok_or_else(|| wrong(format!("unknown state {state}")))?,
        not_before: row.int(11)?,
        reason: row.opt_text(12)?,
        tried_at: row.opt_int(13)?,
        revision: row.opt_int(14)?.map(revision).transpose()?,
    })
}

/// Reads a row of `NEXT_JOBS`.
pub fn read_next_job(row: &dyn RowRead) -> Result<Option<NextJob>, StoreError> {
    let at = row.opt_int(1)?.into_iter().chain(row.opt_int(2)?).min();
    // A kind whose last job was removed meanwhile has no time.
    at.map(|at| row.text(0).map(|kind| NextJob { kind, at })).transpose()
}

/// Reads a row of `JOB_COUNTS`.
pub fn read_job_count(row: &dyn RowRead) -> Result<JobCount, StoreError> {
    let (kind, word, count) = (row.text(0)?, row.text(1)?, row.int(2)?);
    let state = JobState::parse(&word).ok_or_else(|| StoreError::Corrupt(format!("unknown state of a job {word}")))?;
    let count = u64::try_from(count).map_err(|_| StoreError::Corrupt(format!("a count of {count}")))?;
    Ok(JobCount { kind, state, count })
}

/// The parameters of `PUT_TICKET` and `PUT_NEW_TICKET`.
pub fn ticket_values(ticket: &Ticket) -> Vec<Value> {
    let Ticket { key, purpose, owner, body, created_at, expires_at } = ticket;
    vec![
        key.0.as_slice().into(),
        purpose.as_str().into(),
        (*owner).into(),
        body.as_slice().into(),
        (*created_at).into(),
        (*expires_at).into(),
    ]
}

/// Reads the row of `TAKE_TICKET`.
pub fn read_ticket(row: &dyn RowRead) -> Result<Ticket, StoreError> {
    Ok(Ticket {
        key: digest(row, 0)?,
        purpose: row.text(1)?,
        owner: opt_id(row, 2)?,
        body: row.blob(3)?,
        created_at: row.int(4)?,
        expires_at: row.int(5)?,
    })
}

/// The parameters of `ADD_USE`.
pub fn use_values(used: &TokenUse) -> Vec<Value> {
    let TokenUse { token, used_at, ip, count } = used;
    vec![(*token).into(), (*used_at).into(), ip.as_str().into(), (*count).into()]
}

/// Reads a row of uses.
pub fn read_use(row: &dyn RowRead) -> Result<TokenUse, StoreError> {
    Ok(TokenUse { token: id(row, 0)?, used_at: row.int(1)?, ip: row.text(2)?, count: row.int(3)? })
}

/// The parameters of `ADD_USAGE`.
pub fn usage_values(usage: &Usage, rows_a_day: u32) -> Vec<Value> {
    let Usage { token, day, what, first_at, last_at, ip, user_agent, count } = usage;
    let (scope, asset, task) = what.numbers();
    vec![
        (*token).into(),
        (*day).into(),
        scope.into(),
        asset.into(),
        task.into(),
        (*first_at).into(),
        (*last_at).into(),
        ip.as_str().into(),
        user_agent.as_str().into(),
        (*count).into(),
        i64::from(rows_a_day).into(),
    ]
}

/// The parameters of `PRUNE_USAGE`.
pub fn prune_usage_values(first_day: i64) -> Vec<Value> {
    vec![first_day.into(), stored_limit(USAGE_DROPS_AT_ONCE)]
}

/// The parameters of `USAGE`. Without a place to go on from, it starts behind the last day.
pub fn usage_query_values(query: &UsageQuery) -> Vec<Value> {
    let UsageQuery { token, days, after, limit } = query;
    let (day, (scope, asset, task)) = after.map_or((i64::MAX, (0, 0, 0)), |(day, what)| (day, what.numbers()));
    let mut values: Vec<Value> = vec![(*token).into()];
    values.extend([days.0, days.1, day, scope, asset, task].map(Value::Int));
    values.push(stored_limit(*limit));
    values
}

/// Reads a row of `USAGE`.
pub fn read_usage(row: &dyn RowRead) -> Result<Usage, StoreError> {
    let (scope, asset, task) = (row.int(2)?, row.int(3)?, row.int(4)?);
    let unknown = || StoreError::Corrupt(format!("a use of scope {scope}, asset {asset}, task {task}"));
    Ok(Usage {
        token: id(row, 0)?,
        day: row.int(1)?,
        what: UsedFor::from_numbers(scope, asset, task).ok_or_else(unknown)?,
        first_at: row.int(5)?,
        last_at: row.int(6)?,
        ip: row.text(7)?,
        user_agent: row.text(8)?,
        count: row.int(9)?,
    })
}

/// Reads a row of refusals.
pub fn read_refusal(row: &dyn RowRead) -> Result<RefusalRow, StoreError> {
    Ok(RefusalRow {
        trace: row.text(0)?,
        at: row.int(1)?,
        business: opt_id(row, 2)?,
        token: opt_id(row, 3)?,
        reason: row.text(4)?,
        body: row.text(5)?,
        source: row.text(6)?,
    })
}

/// The parameters of `INSERT_KEY`.
pub fn key_values(key: &KeyRow) -> Result<Vec<Value>, StoreError> {
    let KeyRow { key_id, master_id, bytes } = key;
    let id = i64::try_from(*key_id).map_err(|_| StoreError::Other(format!("key id {key_id} has more than 63 bits")))?;
    Ok(vec![id.into(), master_id.as_str().into(), bytes.as_slice().into()])
}

/// Reads a row of `KEYS`.
pub fn read_key(row: &dyn RowRead) -> Result<KeyRow, StoreError> {
    Ok(KeyRow { key_id: revision(row.int(0)?)?, master_id: row.text(1)?, bytes: row.blob(2)? })
}

/// The parameters of `NOTE_VERIFICATION`.
pub fn verification_values(found: &Verification) -> Result<Vec<Value>, StoreError> {
    let Verification { at, revision, is_chain_whole, differences, not_verifiable } = *found;
    let count = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    Ok(vec![at.into(), stored_revision(revision)?, is_chain_whole.into(), count(differences), count(not_verifiable)])
}

/// Reads the row of `VERIFICATION`.
pub fn read_verification(row: &dyn RowRead) -> Result<Option<Verification>, StoreError> {
    let Some(at) = row.opt_int(0)? else { return Ok(None) };
    Ok(Some(Verification {
        at,
        revision: revision(row.int(1)?)?,
        is_chain_whole: row.int(2)? == 1,
        differences: revision(row.int(3)?)?,
        not_verifiable: revision(row.int(4)?)?,
    }))
}

/// A revision as the stores keep it.
pub fn stored_revision(revision: u64) -> Result<Value, StoreError> {
    i64::try_from(revision)
        .map(Value::Int)
        .map_err(|_| StoreError::Other(format!("revision {revision} has more than 63 bits")))
}

/// The end of a list that goes backwards. No stored revision has more than 63 bits, so a larger one
/// begins with the newest.
pub fn before_revision(before: u64) -> Value {
    Value::Int(i64::try_from(before).unwrap_or(i64::MAX))
}

/// A count or limit as a parameter.
pub fn stored_limit(limit: usize) -> Value {
    Value::Int(i64::try_from(limit).unwrap_or(i64::MAX))
}

fn revision(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Corrupt(format!("a revision of {value}")))
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    let length = bytes.len();
    bytes.try_into().map_err(|_| StoreError::Corrupt(format!("a hash of {length} bytes")))
}
