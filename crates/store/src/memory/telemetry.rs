//! What the model keeps of telemetry, in the simplest way: it counts and sorts again each time.

use std::collections::{BTreeMap, BTreeSet};

use valetkey_domain::credential::Digest;
use valetkey_domain::{BusinessId, TokenId, UnixMs};

use crate::telemetry::{DROPS_AT_ONCE, Holder, Quotas, USAGE_DROPS_AT_ONCE, Usage, UsageBounds, UsageQuery, UsedFor};
use crate::telemetry::{REFUSALS_AT_ONCE, give_up};
use crate::{RefusalRow, Ticket, TokenUse};

/// Token, day, and the stored form of what it was used for.
type UsageKey = (TokenId, i64, (i64, i64, i64));

#[derive(Debug, Default)]
pub(super) struct Telemetry {
    pub uses: BTreeMap<TokenId, TokenUse>,
    pub refusals: BTreeMap<String, RefusalRow>,
    usage: BTreeMap<UsageKey, Usage>,
    tickets: BTreeMap<Digest, Ticket>,
}

/// Times and traces of refusals, by business and source.
type Held<'a> = BTreeMap<Option<BusinessId>, BTreeMap<&'a str, Vec<(UnixMs, &'a str)>>>;

impl Telemetry {
    pub fn add_use(&mut self, used: &TokenUse) {
        let sum = self.uses.entry(used.token).or_insert(TokenUse { count: 0, ..used.clone() });
        sum.count += used.count;
        if used.used_at >= sum.used_at {
            sum.used_at = used.used_at;
            sum.ip.clone_from(&used.ip);
        }
    }

    pub fn add_usage(&mut self, row: &Usage, rows_a_day: u32) {
        let mut row = row.clone();
        let key = (row.token, row.day, row.what.numbers());
        let of_the_day = self.usage.keys().filter(|(token, day, _)| (*token, *day) == (row.token, row.day)).count();
        if !self.usage.contains_key(&key) && of_the_day >= rows_a_day as usize {
            row.what = UsedFor::Other;
        }
        let key = (row.token, row.day, row.what.numbers());
        let Some(sum) = self.usage.get_mut(&key) else {
            self.usage.insert(key, row);
            return;
        };
        sum.count += row.count;
        sum.first_at = sum.first_at.min(row.first_at);
        if row.last_at >= sum.last_at {
            *sum = Usage { first_at: sum.first_at, count: sum.count, ..row };
        }
    }

    pub fn prune_usage(&mut self, bounds: UsageBounds) {
        let old = self.usage.keys().filter(|(_, day, _)| *day < bounds.first_day);
        let old: Vec<UsageKey> = old.take(USAGE_DROPS_AT_ONCE).copied().collect();
        for key in old {
            self.usage.remove(&key);
        }
    }

    pub fn usage(&self, query: &UsageQuery) -> Vec<Usage> {
        let after = query.after.map(|(day, what)| (day, what.numbers()));
        let wanted = |(token, day, what): &UsageKey| {
            *token == query.token
                && (query.days.0..=query.days.1).contains(day)
                && after.is_none_or(|after| (*day, *what) < after)
        };
        let rows = self.usage.iter().rev().filter(|(key, _)| wanted(key)).map(|(_, row)| row.clone());
        rows.take(query.limit).collect()
    }

    pub fn record_refusals(&mut self, rows: &[RefusalRow], quotas: Quotas, not_before: UnixMs) {
        self.refusals.retain(|_, row| row.at >= not_before);
        let rows: Vec<&RefusalRow> = rows.iter().filter(|row| row.at >= not_before).collect();
        for some in rows.chunks(REFUSALS_AT_ONCE) {
            for row in some {
                self.refusals.insert(row.trace.clone(), (*row).clone());
            }
            self.cut_sources(some, quotas.source);
            while self.drop_some(quotas) {}
        }
        if rows.is_empty() {
            while self.drop_some(quotas) {}
        }
    }

    /// The rows of each source under each owner, the oldest first.
    fn held(&self) -> Held<'_> {
        let mut held: Held<'_> = BTreeMap::new();
        for row in self.refusals.values() {
            let sources = held.entry(row.business).or_default();
            sources.entry(&row.source).or_default().push((row.at, &row.trace));
        }
        held.values_mut().flat_map(BTreeMap::values_mut).for_each(|rows| rows.sort_unstable());
        held
    }

    fn remove(&mut self, traces: Vec<String>) {
        for trace in traces {
            self.refusals.remove(&trace);
        }
    }

    /// For each source of these rows that is over its quota, drops its oldest rows.
    fn cut_sources(&mut self, rows: &[&RefusalRow], quota: u64) {
        let new: BTreeSet<(Option<BusinessId>, &str)> =
            rows.iter().map(|row| (row.business, row.source.as_str())).collect();
        let mut gone = Vec::new();
        for (owner, sources) in self.held() {
            for (_, held) in sources.into_iter().filter(|(source, _)| new.contains(&(owner, *source))) {
                gone.extend(oldest(&held, (held.len() as u64).saturating_sub(quota)));
            }
        }
        self.remove(gone);
    }

    /// Drops as much as one transaction drops; returns whether there is more.
    fn drop_some(&mut self, quotas: Quotas) -> bool {
        let (mut left, mut wanted) = (DROPS_AT_ONCE, 0);
        let mut take = |excess: u64| {
            wanted += excess;
            let dropped = excess.min(left);
            left -= dropped;
            dropped
        };
        let held = self.held();
        let rows_of =
            |owner| held.get(&owner).map_or(0, |sources| sources.values().map(|rows| rows.len() as u64).sum());
        let mut dropped: BTreeMap<Option<BusinessId>, u64> = BTreeMap::new();
        dropped.insert(None, take(u64::saturating_sub(rows_of(None), quotas.strangers)));
        let businesses = held.keys().copied().filter(Option::is_some);
        let mut by_rows: Vec<(Option<BusinessId>, u64)> = businesses.map(|owner| (owner, rows_of(owner))).collect();
        by_rows.sort_by_key(|(owner, rows)| (std::cmp::Reverse(*rows), *owner));
        for (owner, rows) in &mut by_rows {
            let excess = take(rows.saturating_sub(quotas.business));
            dropped.insert(*owner, excess);
            *rows -= excess;
        }
        let total: u64 = by_rows.iter().map(|(_, rows)| rows).sum();
        let holders = by_rows.into_iter().map(|(key, rows)| Holder { key, rows, oldest: 0 }).collect();
        for (owner, rows) in give_up(holders, take(total.saturating_sub(quotas.businesses))) {
            *dropped.entry(owner).or_default() += rows;
        }
        let mut gone = Vec::new();
        for (owner, sources) in &held {
            let holder = |(key, rows): (&&str, &Vec<(UnixMs, &str)>)| Holder {
                key: (*key).to_owned(),
                rows: rows.len() as u64,
                oldest: rows.first().map_or(0, |(at, _)| *at),
            };
            let excess = dropped.get(owner).copied().unwrap_or(0);
            for (source, rows) in give_up(sources.iter().map(holder).collect(), excess) {
                gone.extend(oldest(&sources[source.as_str()], rows));
            }
        }
        self.remove(gone);
        wanted > DROPS_AT_ONCE
    }

    pub fn put_ticket(&mut self, ticket: &Ticket) {
        self.tickets.insert(ticket.key, ticket.clone());
    }

    pub fn put_new_ticket(&mut self, ticket: &Ticket) -> bool {
        let lives = self.tickets.get(&ticket.key).is_some_and(|old| old.expires_at > ticket.created_at);
        if !lives {
            self.put_ticket(ticket);
        }
        !lives
    }

    pub fn take_ticket(&mut self, key: &Digest, now: UnixMs) -> Option<Ticket> {
        self.tickets.remove(key).filter(|ticket| ticket.expires_at > now)
    }

    pub fn purge_tickets(&mut self, now: UnixMs, limit: usize) -> usize {
        let mut ended: Vec<(UnixMs, Digest)> =
            self.tickets.values().filter(|t| t.expires_at <= now).map(|t| (t.expires_at, t.key)).collect();
        ended.sort_unstable();
        ended.truncate(limit);
        for (_, key) in &ended {
            self.tickets.remove(key);
        }
        ended.len()
    }

    /// Refusals, newest first.
    pub fn newest_refusals(&self, business: Option<BusinessId>) -> Vec<RefusalRow> {
        let wanted = |row: &&RefusalRow| business.is_none() || row.business == business;
        let mut rows: Vec<RefusalRow> = self.refusals.values().filter(wanted).cloned().collect();
        rows.sort_by(|a, b| (b.at, &b.trace).cmp(&(a.at, &a.trace)));
        rows
    }
}

fn oldest(rows: &[(UnixMs, &str)], count: u64) -> Vec<String> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    rows.iter().take(count).map(|(_, trace)| (*trace).to_owned()).collect()
}
