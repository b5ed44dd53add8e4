//! Reads the ledger backwards for people, a bounded part at a time.
//!
//! The right is decided anew before each read and with each step that looks up names. No call may read
//! the whole ledger for a rare hit: it says how far it looked, and the next one goes on from there.

use valetkey_authz::Question;
use valetkey_domain::{BusinessId, Refusal, State, UnixMs};
use valetkey_store::Entry;

use super::compose::{Read, line};
use super::filter::ActivityFilter;
use super::line::ActivityLine;
use super::names::{Known, keep};
use crate::call::Call;
use crate::content::store_refusal;
use crate::core::Service;
use crate::rights;

/// The most lines of one page.
const PAGE_LIMIT: usize = 1_000;
/// How many entries one call reads at most.
const READ_LIMIT: usize = 10_000;
/// The same if each sentence has to be made to find a text in it.
const TEXT_READ_LIMIT: usize = 2_000;
/// How many entries one statement reads while a filter leaves some out.
const BATCH: usize = 500;
/// How many sentences are made in one step, since writers wait for it.
const MADE_AT_ONCE: usize = 50;
/// How far the clock may have gone back between two entries.
const CLOCK_SLACK_MS: i64 = 60 * 60 * 1_000;

/// A page of the timeline, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    pub lines: Vec<ActivityLine>,
    /// The value of `before` that goes on from here; none once everything was looked at.
    pub next: Option<u64>,
    /// How far this call looked if it stopped before the page was full.
    pub looked_back: Option<LookedBack>,
}

/// The oldest entry that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookedBack {
    pub revision: u64,
    pub at: UnixMs,
}

/// What one call collects.
struct Found {
    lines: Vec<ActivityLine>,
    /// Names of newer entries.
    later: Known,
    /// One line more than the page holds, to know whether more follow.
    most: usize,
}

impl Service {
    /// Entries of the ledger as lines for people, newest first, from before a revision on: for an ADMIN
    /// those of its own business, for the operator all. A page has at most 1,000 lines.
    ///
    /// # Errors
    /// The refusal, or of the store.
    pub async fn activity(
        &self,
        call: &Call,
        filter: &ActivityFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Activity, Refusal> {
        let question = activity_question(filter);
        let own = self.ask(call, question)?.caller.business();
        let wanted = filter.business.or(own);
        let limit = limit.clamp(1, PAGE_LIMIT);
        let budget = if filter.text.is_some() { TEXT_READ_LIMIT } else { READ_LIMIT };
        let mut found = Found { lines: Vec::new(), later: Known::new(), most: limit + 1 };
        let mut before = self.begin(wanted, filter, before).await?;
        let mut read = 0;
        loop {
            // Without a filter every entry is a line.
            let most = if filter.is_open() { found.most - found.lines.len() } else { BATCH.min(budget - read) };
            self.ask(call, question)?;
            let entries = self.entries_before(wanted, before, most).await?;
            let Some(last) = entries.last().map(|entry| LookedBack { revision: entry.revision, at: entry.at }) else {
                return Ok(Activity { lines: found.lines, next: None, looked_back: None });
            };
            read += entries.len();
            before = last.revision;
            self.add_lines(call, question, filter, &entries, &mut found)?;
            if found.lines.len() > limit {
                found.lines.truncate(limit);
                let next = found.lines.last().map(|line| line.revision);
                return Ok(Activity { lines: found.lines, next, looked_back: None });
            }
            let is_over = filter.since.is_some_and(|since| last.at < since.saturating_sub(CLOCK_SLACK_MS));
            if is_over || entries.len() < most {
                return Ok(Activity { lines: found.lines, next: None, looked_back: None });
            }
            if read >= budget {
                return Ok(Activity { lines: found.lines, next: Some(before), looked_back: Some(last) });
            }
        }
    }

    async fn entries_before(
        &self,
        business: Option<BusinessId>,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, Refusal> {
        let entries = match business {
            Some(business) => self.store().tail_of_before(business, before, limit).await,
            None => self.store().tail_before(before, limit).await,
        };
        entries.map_err(|e| store_refusal(&e))
    }

    /// The revision before which reading begins. With an end in time it is looked for by halves, since
    /// times grow with revisions but for a clock that goes back a little.
    async fn begin(
        &self,
        business: Option<BusinessId>,
        filter: &ActivityFilter,
        before: Option<u64>,
    ) -> Result<u64, Refusal> {
        let before = before.unwrap_or(u64::MAX);
        let Some(until) = filter.until.map(|until| until.saturating_add(CLOCK_SLACK_MS)) else { return Ok(before) };
        let newest = self.entries_before(business, before, 1).await?.pop();
        let Some(newest) = newest.filter(|entry| entry.at >= until) else { return Ok(before) };
        // Entries before `low` are older than the end, and the entry at `high` is not.
        let (mut low, mut high) = (0, newest.revision);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match self.entries_before(business, middle, 1).await?.pop() {
                Some(entry) if entry.at >= until => high = entry.revision,
                Some(_) | None => low = middle,
            }
        }
        Ok(high)
    }

    /// Makes lines of the entries that are wanted, some at a time.
    fn add_lines(
        &self,
        call: &Call,
        question: Question,
        filter: &ActivityFilter,
        entries: &[Entry],
        found: &mut Found,
    ) -> Result<(), Refusal> {
        let candidates: Vec<&Entry> = entries.iter().filter(|entry| filter.may_take(entry)).collect();
        for some in candidates.chunks(MADE_AT_ONCE) {
            if found.lines.len() >= found.most {
                return Ok(());
            }
            // Payloads are read before the step.
            let read = some.iter().map(|entry| (*entry, Read::of(entry)));
            let is_about = |(entry, read): &(&Entry, Read)| filter.is_about(entry, read.payload());
            let read: Vec<(&Entry, Read)> = read.filter(is_about).collect();
            let later = &mut found.later;
            let lines = self.step(call, question, |facts| {
                let state: &dyn State = &**facts;
                let reader = facts.allowed.caller.business();
                let make = |(entry, read): &(&Entry, Read)| {
                    let line = line(state, reader, entry, read, later);
                    keep(later, read.payload().map_or(&[], |payload| payload.changes.as_slice()));
                    line
                };
                read.iter().map(make).collect::<Vec<_>>()
            })?;
            let lines = lines.into_inner().into_iter().filter(|line| filter.is_in(&line.sentence.text()));
            let left = found.most - found.lines.len();
            found.lines.extend(lines.take(left));
        }
        Ok(())
    }
}

/// The right to read the activity of a business: its ADMIN's.
pub(super) fn activity_question(filter: &ActivityFilter) -> Question {
    let right = rights::MANAGE_BUSINESS;
    filter.business.map_or_else(|| right.on_caller(), |business| right.on_business(business))
}
