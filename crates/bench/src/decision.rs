//! The decision in process: time, memory, folds, and that nothing is allocated by it.

use std::hint::black_box;
use std::sync::RwLock;
use std::time::Instant;

use serde_json::{Value, json};
use valetkey_authz::{Decision, Index, Need, Question, Sorts, Target, decide};
use valetkey_domain::credential::{Digest, read};
use valetkey_domain::{Action, Actor, Change, ChangeSet, Record, ScopeSet, State, TaskSet};

use crate::median;
use crate::world::{self, NOW, mixed};

const BLOCKS: usize = 101;
const PER_BLOCK: usize = 10_000;

fn question(asset: valetkey_domain::Id) -> Question {
    Question::about(Target::Asset(asset))
        .sorts(Sorts::USERS_AND_PAGE)
        .scopes(ScopeSet::of(&["pages_manage_posts"]))
        .need(Need::Tasks(TaskSet(0b10)))
}

struct Ask {
    text: String,
    question: Question,
}

fn asks(tokens: usize, count: usize, spread: u64) -> Vec<Ask> {
    (0..count)
        .map(|i| {
            let n = (mixed(i as u64 ^ spread) % tokens as u64) as usize;
            let user = world::token_user(n);
            let asset = world::asset(world::assigned(user, i % world::ASSIGNED));
            Ask { text: world::token_text(n).reveal().to_owned(), question: question(asset) }
        })
        .collect()
}

fn full(index: &RwLock<Index>, ask: &Ask) -> bool {
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

fn time(index: &RwLock<Index>, asks: &[Ask]) -> (f64, f64, f64) {
    let mut at = 0;
    let mut blocks = Vec::with_capacity(BLOCKS);
    for _ in 0..BLOCKS {
        let started = Instant::now();
        for _ in 0..PER_BLOCK {
            black_box(full(index, &asks[at]));
            at = (at + 1) % asks.len();
        }
        blocks.push(started.elapsed().as_nanos() as f64 / PER_BLOCK as f64);
    }
    median(&blocks)
}

fn build(tokens: usize) -> Index {
    let mut index = Index::new();
    world::records().for_each(|r| index.insert(r));
    (0..tokens).for_each(|n| index.insert(world::token(n)));
    index
}

/// Nanoseconds for a whole check in process, checksum and SHA-256 included, and folds a second.
pub fn decisions(tokens: usize) -> anyhow::Result<Value> {
    let index = RwLock::new(build(tokens));
    let hot = asks(tokens, 1_024, 1);
    let random = asks(tokens, 1_000_000, 2);
    anyhow::ensure!(random.iter().all(|a| full(&index, a)), "a measured decision was a no");
    let warm = time(&index, &hot);
    let cold = time(&index, &random);
    let hash = {
        let mut blocks = Vec::new();
        for _ in 0..BLOCKS {
            let started = Instant::now();
            for i in 0..PER_BLOCK {
                black_box(Digest::of(&hot[i % hot.len()].text));
            }
            blocks.push(started.elapsed().as_nanos() as f64 / PER_BLOCK as f64);
        }
        median(&blocks)
    };
    let folds = folds_per_second(&index, tokens);
    Ok(json!({
        "tokens": tokens,
        "system_users": world::USERS,
        "assignments": world::USERS * world::ASSIGNED,
        "hot_ns": triple(warm),
        "random_ns": triple(cold),
        "sha256_ns": triple(hash),
        "folds_per_s": folds.round(),
    }))
}

fn triple((median, low, high): (f64, f64, f64)) -> Value {
    json!({ "median": round(median), "low": round(low), "high": round(high) })
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn set(changes: Vec<Change>) -> ChangeSet {
    let actor = Actor { kind: valetkey_domain::change::ActorKind::Operator, id: None, token: None };
    ChangeSet { at: NOW, action: Action::Assigned, actor, business: None, subjects: Vec::new(), changes }
}

/// Issue, revoke, assign, unassign in turn, each folded under the lock as the service does it.
fn folds_per_second(index: &RwLock<Index>, tokens: usize) -> f64 {
    let count = 200_000;
    let sets: Vec<ChangeSet> = (0..count)
        .map(|i| {
            let n = tokens + i / 4;
            match i % 4 {
                0 => set(vec![Change { before: None, after: Some(world::token(n)) }]),
                1 => {
                    let mut record = world::token(n);
                    if let Record::Token(token) = &mut record {
                        token.revoked_at = Some(NOW);
                    }
                    set(vec![Change { before: Some(world::token(n)), after: Some(record) }])
                }
                2 => set(vec![Change { before: Some(world::assignment(i % world::USERS, 3)), after: None }]),
                _ => set(vec![Change { before: None, after: Some(world::assignment((i - 1) % world::USERS, 3)) }]),
            }
        })
        .collect();
    let started = Instant::now();
    for (i, set) in sets.iter().enumerate() {
        if let Ok(mut index) = index.write() {
            index.fold(i as u64 + 1, set);
        }
    }
    count as f64 / started.elapsed().as_secs_f64()
}

/// Bytes for each further token, in steps of 250,000, by the process's resident memory.
pub fn memory(tokens: usize) -> anyhow::Result<Value> {
    let mut index = Index::new();
    world::records().for_each(|r| index.insert(r));
    let mut steps = Vec::new();
    let mut resident = resident_bytes()?;
    let mut counted = index.token_bytes() as f64;
    let step = 250_000;
    for end in (step..=tokens).step_by(step) {
        (end - step..end).for_each(|n| index.insert(world::token(n)));
        let now = (resident_bytes()?, index.token_bytes() as f64);
        steps.push(json!({
            "tokens": end,
            "resident_bytes_per_token": round((now.0 - resident) / step as f64),
            "counted_bytes_per_token": round((now.1 - counted) / step as f64),
        }));
        (resident, counted) = now;
    }
    let worst = |name: &str| steps.iter().filter_map(|s| s[name].as_f64()).fold(0.0, f64::max);
    anyhow::ensure!(index.list(valetkey_domain::List::Businesses).len() == world::BUSINESSES, "the world is not whole");
    Ok(json!({
        "worst_resident_bytes_per_token": worst("resident_bytes_per_token"),
        "worst_counted_bytes_per_token": worst("counted_bytes_per_token"),
        "steps": steps,
    }))
}

fn resident_bytes() -> anyhow::Result<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: f64 = statm.split(' ').nth(1).and_then(|p| p.parse().ok()).unwrap_or(0.0);
    Ok(pages * 4096.0)
}
