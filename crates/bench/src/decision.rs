//! The decision in process: its time, the memory of each further token, and folds.
//!
//! A decision here is the whole check path except HTTP: checksum, SHA-256, the lock, the index and
//! `decide`. An answer that is not a yes would spoil the measurement, so it ends the run.

use std::hint::black_box;
use std::sync::RwLock;
use std::time::Instant;

use anyhow::ensure;
use serde_json::{Value, json};
use valetkey_authz::{Decision, Index, Need, Question, Sorts, Target, decide};
use valetkey_domain::change::ActorKind;
use valetkey_domain::credential::{Digest, read};
use valetkey_domain::{Action, Actor, Change, ChangeSet, Record, ScopeSet, State};

use crate::median::median;
use crate::world::{self, FULL, NOW, mixed};

const BLOCKS: usize = 101;
const PER_BLOCK: usize = 10_000;
const HOT: usize = 1_024;
const RANDOM: usize = 1_000_000;
const FOLDS: usize = 200_000;
const STEP: usize = 250_000;

/// One question, and the token that asks it.
struct Ask {
    text: String,
    question: Question,
}

/// Questions about tokens drawn evenly from all; another `spread` draws others.
fn asks(tokens: usize, count: usize, spread: u64) -> Vec<Ask> {
    let draw = |i: usize| {
        let n = (mixed((i as u64) << 8 | spread) % tokens as u64) as usize;
        let asset = FULL.asset(FULL.assigned(FULL.token_user(n), i % world::ASSIGNED));
        let question = Question::about(Target::Asset(asset))
            .sorts(Sorts::USERS_AND_PAGE)
            .scopes(ScopeSet::of(&[world::SCOPE]))
            .need(Need::Tasks(world::TASK.1));
        Ask { text: world::token_text(n).reveal().to_owned(), question }
    };
    (0..count).map(draw).collect()
}

fn is_allowed(index: &RwLock<Index>, ask: &Ask) -> bool {
    if read(&ask.text).is_none() {
        return false;
    }
    let digest = Digest::of(&ask.text);
    let view = match index.read() {
        Ok(index) => index.gather(&digest, ask.question.target),
        Err(_) => return false,
    };
    matches!(decide(&view, &ask.question, NOW), Decision::Allow(_))
}

/// Nanoseconds of one round, by blocks.
fn blocks(mut round: impl FnMut()) -> Value {
    let mut blocks = Vec::with_capacity(BLOCKS);
    for _ in 0..BLOCKS {
        let started = Instant::now();
        for _ in 0..PER_BLOCK {
            round();
        }
        blocks.push(started.elapsed().as_nanos() as f64 / PER_BLOCK as f64);
    }
    let (median, low, high) = median(&blocks);
    json!({ "median": rounded(median), "low": rounded(low), "high": rounded(high) })
}

fn in_turn<T>(items: &[T], mut each: impl FnMut(&T)) -> Value {
    let mut turn = items.iter().cycle();
    blocks(|| {
        if let Some(item) = turn.next() {
            each(item);
        }
    })
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Time of a decision on a hot set and on random tokens, of its hash alone, and folds a second.
pub fn decisions(tokens: usize) -> anyhow::Result<Value> {
    let mut index = Index::new();
    FULL.records().chain((0..tokens).map(|n| FULL.token(n))).for_each(|record| index.insert(record));
    let index = RwLock::new(index);
    let (hot, random) = (asks(tokens, HOT, 1), asks(tokens, RANDOM, 2));
    ensure!(hot.iter().chain(&random).all(|ask| is_allowed(&index, ask)), "a decision that was to be a yes is a no");
    let decide = |ask: &Ask| {
        black_box(is_allowed(&index, ask));
    };
    let (hot_ns, random_ns) = (in_turn(&hot, decide), in_turn(&random, decide));
    Ok(json!({
        "tokens": tokens,
        "system_users": FULL.users,
        "assignments": FULL.users * world::ASSIGNED,
        "hot_ns": hot_ns,
        "random_ns": random_ns,
        "parts_ns": parts(&index, &hot),
        "folds_per_s": folds_per_second(&index, tokens)?.round(),
    }))
}

/// The time of each step on the hot set. Alone a step takes longer, because the processor otherwise
/// overlaps it with other steps. So the sum is more than the whole.
fn parts(index: &RwLock<Index>, hot: &[Ask]) -> Value {
    let known: Vec<(Digest, Question)> = hot.iter().map(|ask| (Digest::of(&ask.text), ask.question)).collect();
    let gathered =
        |(digest, question): &(Digest, Question)| index.read().ok().map(|i| i.gather(digest, question.target));
    let views: Vec<_> = known.iter().filter_map(|one| Some((gathered(one)?, one.1))).collect();
    json!({
        "checksum": in_turn(hot, |ask| {
            black_box(read(black_box(&ask.text)));
        }),
        "sha256": in_turn(hot, |ask| {
            black_box(Digest::of(black_box(&ask.text)));
        }),
        "gather": in_turn(&known, |one| {
            black_box(gathered(black_box(one)));
        }),
        "decide": in_turn(&views, |(view, question)| {
            black_box(decide(black_box(view), question, NOW));
        }),
    })
}

fn change_set(before: Option<Record>, after: Option<Record>) -> ChangeSet {
    let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
    let changes = vec![Change { before, after }];
    ChangeSet { at: NOW, action: Action::Assigned, actor, business: None, subjects: Vec::new(), changes }
}

/// Issue, revoke, unassign and assign in turn, each folded alone under the lock, as the service
/// does it.
fn folds_per_second(index: &RwLock<Index>, tokens: usize) -> anyhow::Result<f64> {
    let one = |i: usize| {
        let issued = FULL.token(tokens + i / 4);
        let assignment = FULL.assignment(mixed(i as u64 / 4) as usize % FULL.users, 3);
        match i % 4 {
            0 => change_set(None, Some(issued)),
            1 => {
                let mut revoked = issued.clone();
                if let Record::Token(token) = &mut revoked {
                    token.revoked_at = Some(NOW);
                }
                change_set(Some(issued), Some(revoked))
            }
            2 => change_set(Some(assignment), None),
            _ => change_set(None, Some(assignment)),
        }
    };
    let sets: Vec<ChangeSet> = (0..FOLDS).map(one).collect();
    let started = Instant::now();
    for (set, revision) in sets.iter().zip(1..) {
        if let Ok(mut index) = index.write() {
            index.fold(revision, set);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let whole = index.read().is_ok_and(|index| index.broken().is_none() && index.revision() == FOLDS as u64);
    ensure!(whole, "the index broke while it was folded");
    Ok(FOLDS as f64 / seconds)
}

/// Bytes of each further token, in steps of 250,000: by the process's resident memory, and as the
/// index counts them.
pub fn memory(tokens: usize) -> anyhow::Result<Value> {
    let mut index = Index::new();
    FULL.records().for_each(|record| index.insert(record));
    let mut steps = Vec::new();
    let mut before = (resident_bytes()?, index.token_bytes() as f64);
    for end in (STEP..=tokens).step_by(STEP) {
        (end - STEP..end).for_each(|n| index.insert(FULL.token(n)));
        let now = (resident_bytes()?, index.token_bytes() as f64);
        steps.push(json!({
            "tokens": end,
            "resident_bytes_per_token": rounded((now.0 - before.0) / STEP as f64),
            "counted_bytes_per_token": rounded((now.1 - before.1) / STEP as f64),
        }));
        before = now;
    }
    let worst = |name: &str| steps.iter().filter_map(|step| step[name].as_f64()).fold(0.0, f64::max);
    ensure!(index.businesses().len() == FULL.businesses, "the world is not whole");
    Ok(json!({
        "worst_resident_bytes_per_token": worst("resident_bytes_per_token"),
        "worst_counted_bytes_per_token": worst("counted_bytes_per_token"),
        "steps": steps,
    }))
}

fn resident_bytes() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<f64>().ok());
    Ok(kib.unwrap_or_default() * 1024.0)
}
