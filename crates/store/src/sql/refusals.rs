//! How the journal of refusals is kept within its quotas, as rounds of statements that both engines run.
//!
//! Tables beside the rows hold the number of rows of each source and each business, so that nothing is
//! counted anew. All rounds of one [`Keeper`] run in one transaction; its first statement locks the row
//! of the total, so two nodes don't count at once. The model in memory defines the rules, not this file.

use std::collections::{BTreeMap, BTreeSet};

use super::statements::{self as sql, Statement};
use super::{RowRead, Value};
use crate::telemetry::{DROPS_AT_ONCE, Holder, Quotas, give_up};
use crate::{RefusalRow, StoreError};
use valetkey_domain::UnixMs;

/// The owner of rows without a business. No business has this number.
pub const STRANGERS: i64 = 0;
/// How many traces the statements that look for traces take.
const TRACES: usize = 64;
/// How many rows that are too old one transaction drops.
const AGED_AT_ONCE: i64 = 2_000;

/// Statements of one round.
pub type Round = Vec<(Statement, Vec<Value>)>;

/// Every statement of a round that reads answers with rows of this shape.
#[derive(Debug, Clone)]
pub struct Held {
    owner: i64,
    source: String,
    rows: i64,
    oldest: UnixMs,
}

/// Reads a row of any statement of a round.
pub fn read_held(row: &dyn RowRead) -> Result<Held, StoreError> {
    Ok(Held { owner: row.int(0)?, source: row.text(1)?, rows: row.int(2)?, oldest: row.int(3)? })
}

/// The parameters of `ADD_REFUSAL`.
fn refusal_values(refusal: &RefusalRow) -> Vec<Value> {
    let RefusalRow { trace, at, business, token, source, reason, body } = refusal;
    vec![
        trace.as_str().into(),
        (*at).into(),
        (*business).into(),
        (*token).into(),
        reason.as_str().into(),
        body.as_str().into(),
        source.as_str().into(),
    ]
}

fn owner(row: &RefusalRow) -> i64 {
    row.business.map_or(STRANGERS, valetkey_domain::Id::as_i64)
}

/// A source, under its owner.
type Key = (i64, String);

/// Writes some refusals, and drops what is too old or over a quota.
#[derive(Debug)]
pub struct Keeper {
    rows: Vec<RefusalRow>,
    quotas: Quotas,
    not_before: UnixMs,
    stage: Stage,
    more: bool,
}

#[derive(Debug)]
enum Stage {
    Begin,
    /// The first `old` statements asked for the old rows, the others for the sources of the new ones.
    Known {
        old: usize,
    },
    Added,
    /// Each owner, and how many rows it gives up.
    Sources(Vec<(i64, u64)>),
    End,
}

impl Keeper {
    /// Of several rows with one trace, the last counts.
    pub fn new(rows: &[RefusalRow], quotas: Quotas, not_before: UnixMs) -> Keeper {
        let mut by_trace: BTreeMap<&str, &RefusalRow> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.at >= not_before) {
            by_trace.insert(&row.trace, row);
        }
        let rows = by_trace.into_values().cloned().collect();
        Keeper { rows, quotas, not_before, stage: Stage::Begin, more: false }
    }

    /// Whether more has to be dropped than one transaction drops. Asked once the last round is over.
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// The statements to run next, by what the last ones answered; `None` when all is done.
    ///
    /// # Errors
    /// `Corrupt` when the counts can't be right.
    pub fn next(&mut self, answers: Vec<Vec<Held>>) -> Result<Option<Round>, StoreError> {
        let round = match std::mem::replace(&mut self.stage, Stage::End) {
            Stage::Begin => self.look(),
            Stage::Known { old } => self.write(&answers, old)?,
            Stage::Added => self.owners(&answers)?,
            Stage::Sources(owners) => self.drop_rows(owners, answers)?,
            Stage::End => return Ok(None),
        };
        Ok((!round.is_empty()).then_some(round))
    }

    /// Removes the rows that are replaced or too old, and asks for the sources of the new rows.
    fn look(&mut self) -> Round {
        let mut round = vec![(sql::LOCK_REFUSALS, Vec::new())];
        for some in self.rows.chunks(TRACES) {
            let last = some.last().map(|row| row.trace.as_str()).unwrap_or_default();
            let traces = some.iter().map(|row| row.trace.as_str()).chain(std::iter::repeat(last)).take(TRACES);
            let values: Vec<Value> = traces.map(Value::from).collect();
            round.push((sql::REFUSALS_AT, values.clone()));
            round.push((sql::DELETE_REFUSALS_AT, values));
        }
        let aged = vec![self.not_before.into(), AGED_AT_ONCE.into()];
        round.push((sql::AGED_REFUSALS, aged.clone()));
        round.push((sql::DELETE_AGED_REFUSALS, aged));
        self.stage = Stage::Known { old: round.len() };
        let sources: BTreeSet<(i64, &str)> = self.rows.iter().map(|row| (owner(row), row.source.as_str())).collect();
        round.extend(
            sources.into_iter().map(|(owner, source)| (sql::REFUSAL_SOURCE, vec![owner.into(), source.into()])),
        );
        round
    }

    /// Adds the new rows, cuts the sources that are over their quota now, and asks who holds most.
    fn write(&mut self, answers: &[Vec<Held>], old: usize) -> Result<Round, StoreError> {
        let (gone, known) = answers.split_at_checked(old).ok_or_else(lost)?;
        let mut changes: BTreeMap<Key, i64> = BTreeMap::new();
        let mut aged = 0;
        for held in gone.iter().flatten() {
            *changes.entry((held.owner, held.source.clone())).or_default() -= held.rows;
            aged += held.rows;
        }
        // As many as were asked for: there may be more of them.
        self.more = aged >= AGED_AT_ONCE;
        let known: BTreeMap<Key, i64> =
            known.iter().flatten().map(|held| ((held.owner, held.source.clone()), held.rows)).collect();
        let mut new: BTreeSet<Key> = BTreeSet::new();
        let mut round = Round::new();
        for row in &self.rows {
            let key = (owner(row), row.source.clone());
            *changes.entry(key.clone()).or_default() += 1;
            new.insert(key);
            round.push((sql::ADD_REFUSAL, refusal_values(row)));
        }
        let quota = i64::try_from(self.quotas.source).unwrap_or(i64::MAX);
        for key in new {
            let held = known.get(&key).copied().unwrap_or(0) + changes.get(&key).copied().unwrap_or(0);
            if held > quota {
                *changes.entry(key.clone()).or_default() -= held - quota;
                round.push(cut(&key, held - quota));
            }
        }
        count(&mut round, &changes);
        round.push((sql::STRANGERS_HELD, Vec::new()));
        round.push((sql::BUSINESSES_HELD, Vec::new()));
        round.push((sql::TOP_OWNERS, vec![limit(DROPS_AT_ONCE)]));
        self.stage = Stage::Added;
        Ok(round)
    }

    /// Says who gives up how many rows, and asks for the sources of those.
    fn owners(&mut self, answers: &[Vec<Held>]) -> Result<Round, StoreError> {
        let [.., strangers, businesses, top] = answers else { return Err(lost()) };
        let rows = |held: &[Held]| held.first().map_or(0, |h| u64::try_from(h.rows).unwrap_or(0));
        let mut budget = Budget { left: DROPS_AT_ONCE, was_short: false };
        let mut owners: BTreeMap<i64, u64> = BTreeMap::new();
        let excess = budget.take(rows(strangers).saturating_sub(self.quotas.strangers));
        owners.insert(STRANGERS, excess);
        let mut total = rows(businesses);
        let mut holders = Vec::with_capacity(top.len());
        for held in top {
            let held_rows = u64::try_from(held.rows).unwrap_or(0);
            let excess = budget.take(held_rows.saturating_sub(self.quotas.business));
            owners.insert(held.owner, excess);
            total = total.saturating_sub(excess);
            holders.push(Holder { key: held.owner, rows: held_rows - excess, oldest: 0 });
        }
        let excess = budget.take(total.saturating_sub(self.quotas.businesses));
        for (owner, rows) in give_up(holders, excess) {
            *owners.entry(owner).or_default() += rows;
        }
        self.more |= budget.was_short;
        let owners: Vec<(i64, u64)> = owners.into_iter().filter(|(_, rows)| *rows > 0).collect();
        let round =
            owners.iter().map(|(owner, rows)| (sql::TOP_SOURCES, vec![(*owner).into(), limit(*rows)])).collect();
        self.stage = Stage::Sources(owners);
        Ok(round)
    }

    fn drop_rows(&mut self, owners: Vec<(i64, u64)>, answers: Vec<Vec<Held>>) -> Result<Round, StoreError> {
        let mut round = Round::new();
        let mut changes = BTreeMap::new();
        for ((owner, excess), sources) in owners.into_iter().zip(answers) {
            let holder = |h: Held| Holder { key: h.source, rows: u64::try_from(h.rows).unwrap_or(0), oldest: h.oldest };
            for (source, rows) in give_up(sources.into_iter().map(holder).collect(), excess) {
                let rows = i64::try_from(rows).map_err(|_| lost())?;
                let key = (owner, source);
                round.push(cut(&key, rows));
                changes.insert(key, -rows);
            }
        }
        count(&mut round, &changes);
        self.stage = Stage::End;
        Ok(round)
    }
}

/// How many rows may still be dropped in this transaction.
struct Budget {
    left: u64,
    was_short: bool,
}

impl Budget {
    fn take(&mut self, wanted: u64) -> u64 {
        let granted = wanted.min(self.left);
        self.left -= granted;
        self.was_short |= granted < wanted;
        granted
    }
}

/// Takes the oldest rows of a source.
fn cut((owner, source): &Key, rows: i64) -> (Statement, Vec<Value>) {
    (sql::DELETE_OLDEST_REFUSALS, vec![(*owner).into(), source.as_str().into(), rows.into()])
}

/// Brings the counts of sources, owners and all businesses up to date with the rows.
fn count(round: &mut Round, changes: &BTreeMap<Key, i64>) {
    let mut owners: BTreeMap<i64, i64> = BTreeMap::new();
    for ((owner, source), change) in changes {
        *owners.entry(*owner).or_default() += change;
        // Even if the number stays the same, the oldest row may be another one.
        round.push((sql::COUNT_SOURCE, vec![(*owner).into(), source.as_str().into(), (*change).into()]));
        if *change <= 0 {
            round.push((sql::CLEAR_SOURCE, vec![(*owner).into(), source.as_str().into()]));
        }
    }
    let businesses: i64 = owners.iter().filter(|(owner, _)| **owner != STRANGERS).map(|(_, change)| change).sum();
    for (owner, change) in owners.into_iter().filter(|(_, change)| *change != 0) {
        round.push((sql::COUNT_OWNER, vec![owner.into(), change.into()]));
    }
    if businesses != 0 {
        round.push((sql::COUNT_BUSINESSES, vec![businesses.into()]));
    }
}

fn limit(rows: u64) -> Value {
    Value::Int(i64::try_from(rows).unwrap_or(i64::MAX))
}

fn lost() -> StoreError {
    StoreError::Other("the engine did not answer every statement of a round".to_owned())
}
