//! What each token is used for, when, and from where: telemetry, gathered here and written in bulk.
//!
//! Noting a use takes one lock of a shard for a moment, and allocates nothing if the row exists. All of
//! it is bounded: uses beyond a bound are counted in one row for the rest, never dropped silently.
//! Nothing here may read the store or decide about a right.

mod hash;
mod list;
mod row;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use valetkey_authz::{Allowed, Need, Question, Target};
use valetkey_domain::{Scope, ScopeSet, TokenId, UnixMs};
use valetkey_store::telemetry::day_of;
use valetkey_store::{TokenUse, Usage, UsedFor};

use hash::{ByMixedId, mixed};
pub use list::TokenUsage;
pub use row::UsedFrom;
pub(crate) use row::program;
use row::{Rest, Row};

const SHARD_BITS: u32 = 4;
const SHARDS: usize = 1 << SHARD_BITS;

/// How much may wait in one shard, while the store is away or between two writings.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Tokens. Uses of further tokens are only counted together.
    tokens: usize,
    /// Rows of all tokens. Uses for further rights are counted in one row for each token.
    rows: usize,
    /// Rows of one token.
    rows_of_token: usize,
}

const BOUNDS: Bounds = Bounds { tokens: 65_536, rows: 16_384, rows_of_token: 1_024 };

/// How many rows of a token are searched one by one; further rows have an index.
const FEW: usize = 8;

/// What allowed a question: the first of its scopes, and the first of its tasks, that the caller has.
pub fn used_for(question: &Question, allowed: &Allowed) -> UsedFor {
    let first = |wanted: ScopeSet| wanted.shared(allowed.scopes).first();
    let asset = match question.target {
        Target::Asset(id) => Some(id),
        Target::Nothing | Target::Alive | Target::Business(_) => None,
    };
    let own = question.own.filter(|own| Some(own.user) == allowed.caller.user());
    let scope: Option<Scope> = match own {
        Some(own) if own.scopes.is_empty() => return UsedFor::Right { scope: None, asset, task: None },
        Some(own) if own.scopes.meets(allowed.scopes) => {
            return UsedFor::Right { scope: first(own.scopes), asset, task: None };
        }
        Some(_) | None if question.scopes.is_empty() => None,
        Some(_) | None => first(question.scopes).or_else(|| first(question.admin_scopes)),
    };
    let task = match question.need {
        Need::Tasks(tasks) => Some(tasks.shared(allowed.held)).filter(|tasks| !tasks.is_empty()),
        Need::Nothing | Need::Admin | Need::OwnerAdmin | Need::AnyTask => None,
    };
    UsedFor::Right { scope, asset, task: task.map(|tasks| tasks.0.trailing_zeros() as u8) }
}

/// Uses that were not written yet.
#[derive(Debug)]
pub(crate) struct Uses {
    shards: [Mutex<Shard>; SHARDS],
    bounds: Bounds,
    /// Uses of tokens beyond the bound, since the last writing.
    beyond: AtomicI64,
    /// Until when all uses are in the store.
    written_until: AtomicI64,
    /// When old rows were dropped last.
    pruned_at: AtomicI64,
    /// Locked for writing while rows move from here to the store. A reader that adds up both locks it for
    /// reading, so that it sees every row exactly once.
    pub moving: tokio::sync::RwLock<()>,
}

#[derive(Debug, Default)]
struct Shard {
    tokens: HashMap<TokenId, Noted, ByMixedId>,
    /// Rows of tokens that have more than [`FEW`], by token, day and use.
    many: HashMap<(TokenId, i64, UsedFor), Row>,
    /// Rows of both sorts.
    rows: usize,
    /// The number of the last call, so that a row counts no call twice.
    call: u64,
}

/// What is known of one token.
#[derive(Debug)]
struct Noted {
    at: UnixMs,
    ip: Option<IpAddr>,
    /// Uses that were not yet taken to be written.
    count: i64,
    few: Vec<Row>,
    many: usize,
    rest: Rest,
}

impl Default for Uses {
    fn default() -> Uses {
        Uses::with(BOUNDS)
    }
}

impl Uses {
    fn with(bounds: Bounds) -> Uses {
        Uses {
            shards: Default::default(),
            bounds,
            beyond: AtomicI64::new(0),
            written_until: AtomicI64::new(UnixMs::MIN),
            pruned_at: AtomicI64::new(0),
            moving: tokio::sync::RwLock::default(),
        }
    }

    fn shard(&self, token: TokenId) -> &Mutex<Shard> {
        &self.shards[(mixed(token.get()) >> (u64::BITS - SHARD_BITS)) as usize]
    }

    /// Counts one call of a token, for the rights that it was allowed by.
    pub fn note(&self, token: TokenId, rights: impl Iterator<Item = UsedFor>, from: UsedFrom<'_>, now: UnixMs) {
        let Ok(mut shard) = self.shard(token).lock() else { return };
        let Shard { tokens, many, rows, call } = &mut *shard;
        *call += 1;
        let is_full = tokens.len() >= self.bounds.tokens;
        let noted = match tokens.entry(token) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if is_full => {
                self.beyond.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Entry::Vacant(place) => place.insert(Noted::new(now)),
        };
        noted.at = now.max(noted.at);
        noted.ip = from.ip.or(noted.ip);
        noted.count += 1;
        let day = day_of(now);
        for what in rights {
            if let Some(row) = noted.few.iter_mut().find(|row| row.what == what && row.day == day) {
                row.note(from, now, *call);
            } else if noted.few.len() < FEW && *rows < self.bounds.rows {
                noted.few.push(Row::new(what, day, from, now, *call));
                *rows += 1;
            } else if let Some(row) = many.get_mut(&(token, day, what)) {
                row.note(from, now, *call);
            } else if noted.few.len() + noted.many < self.bounds.rows_of_token && *rows < self.bounds.rows {
                many.insert((token, day, what), Row::new(what, day, from, now, *call));
                noted.many += 1;
                *rows += 1;
            } else {
                noted.rest.note(now, *call);
            }
        }
    }

    /// Takes the counts of all tokens, to write them; sorted by token.
    pub fn take_totals(&self) -> Vec<TokenUse> {
        let mut taken = Vec::new();
        for shard in &self.shards {
            let Ok(mut shard) = shard.lock() else { continue };
            for (token, noted) in shard.tokens.iter_mut().filter(|(_, noted)| noted.count > 0) {
                taken.push((*token, noted.at, noted.ip, std::mem::take(&mut noted.count)));
            }
            shard.tokens.retain(|_, noted| !noted.few.is_empty() || noted.rest.count > 0);
        }
        // Texts are made when no lock is held.
        taken.sort_unstable_by_key(|(token, ..)| *token);
        taken.into_iter().map(|(token, used_at, ip, count)| total(token, used_at, ip, count)).collect()
    }

    /// Takes what the tokens were used for, to write it; sorted by token.
    pub fn take_rows(&self) -> Vec<Usage> {
        let mut taken: Vec<(TokenId, Row)> = Vec::new();
        for shard in &self.shards {
            let Ok(mut shard) = shard.lock() else { continue };
            let Shard { tokens, many, rows, .. } = &mut *shard;
            for (token, noted) in tokens.iter_mut() {
                taken.extend(noted.few.drain(..).map(|row| (*token, row)));
                taken.extend(noted.take_rest().map(|row| (*token, row)));
                noted.many = 0;
            }
            taken.extend(many.drain().map(|((token, ..), row)| (token, row)));
            *rows = 0;
            tokens.retain(|_, noted| noted.count > 0);
        }
        taken.sort_unstable_by_key(|(token, row)| (*token, row.day, row.what.numbers()));
        taken.into_iter().map(|(token, row)| row.usage(token)).collect()
    }

    /// Whether old rows were last dropped longer ago than `pause`. If so, `now` is noted as the new time.
    pub fn wants_pruning(&self, now: UnixMs, pause: UnixMs) -> bool {
        let is_due = (now - self.pruned_at.load(Ordering::Relaxed)).abs() >= pause;
        if is_due {
            self.pruned_at.store(now, Ordering::Relaxed);
        }
        is_due
    }

    /// Everything that was noted up to a moment is in the store.
    pub fn wrote(&self, until: UnixMs) {
        self.written_until.fetch_max(until, Ordering::AcqRel);
    }

    /// Until when everything is in the store; `None` before the first writing.
    pub fn written_until(&self) -> Option<UnixMs> {
        Some(self.written_until.load(Ordering::Acquire)).filter(|at| *at != UnixMs::MIN)
    }

    /// Uses of tokens that were beyond the bound, since this was asked last.
    pub fn take_beyond(&self) -> i64 {
        self.beyond.swap(0, Ordering::Relaxed)
    }

    /// The uses of one token that were not written yet.
    pub fn pending(&self, token: TokenId) -> Option<TokenUse> {
        let shard = self.shard(token).lock().ok()?;
        let waiting = shard.tokens.get(&token).filter(|noted| noted.count > 0);
        waiting.map(|noted| total(token, noted.at, noted.ip, noted.count))
    }

    /// The uses by right of one token that were not written yet.
    pub fn pending_rows(&self, token: TokenId) -> Vec<Usage> {
        let Ok(shard) = self.shard(token).lock() else { return Vec::new() };
        let Some(noted) = shard.tokens.get(&token) else { return Vec::new() };
        let mut found: Vec<Row> = noted.few.clone();
        found.extend(noted.rest_row());
        if noted.many > 0 {
            found.extend(shard.many.iter().filter(|((of, ..), _)| *of == token).map(|(_, row)| row.clone()));
        }
        drop(shard);
        found.into_iter().map(|row| row.usage(token)).collect()
    }
}

impl Noted {
    fn new(at: UnixMs) -> Noted {
        Noted { at, ip: None, count: 0, few: Vec::new(), many: 0, rest: Rest::default() }
    }

    fn rest_row(&self) -> Option<Row> {
        (self.rest.count > 0).then(|| self.rest.row(self.ip))
    }

    fn take_rest(&mut self) -> Option<Row> {
        let row = self.rest_row();
        self.rest = Rest::default();
        row
    }
}

fn total(token: TokenId, used_at: UnixMs, ip: Option<IpAddr>, count: i64) -> TokenUse {
    TokenUse { token, used_at, ip: ip.map(|ip| ip.to_string()).unwrap_or_default(), count }
}

#[cfg(test)]
mod tests;
