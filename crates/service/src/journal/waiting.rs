//! Refusals that wait to be written. Quotas bound their number, and a flood from one source does not
//! displace the rows of others.
//!
//! An insertion costs a few steps in trees, however many rows wait. Nothing here may block.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use valetkey_domain::BusinessId;
use valetkey_store::{Quotas, RefusalRow};

/// The rows, by the order in which they came.
#[derive(Debug)]
pub(super) struct Waiting {
    quotas: Quotas,
    rows: BTreeMap<u64, RefusalRow>,
    by_trace: HashMap<String, u64>,
    /// Whose rows they are; `None` holds those without a business.
    owners: HashMap<Option<BusinessId>, Owner>,
    /// Businesses by how many rows they hold, and how many that is together.
    businesses: BTreeSet<(u64, Option<BusinessId>)>,
    rows_of_businesses: u64,
    next: u64,
}

#[derive(Debug, Default)]
struct Owner {
    rows: u64,
    /// The places of the rows of each source.
    sources: HashMap<String, BTreeSet<u64>>,
    /// Sources by how many rows they hold; of equals, the last is the one with the oldest row.
    by_rows: BTreeSet<(u64, Reverse<u64>, String)>,
}

impl Owner {
    fn change(&mut self, source: &str, change: impl FnOnce(&mut BTreeSet<u64>)) {
        let mut places = self.sources.remove(source).unwrap_or_default();
        if let Some(oldest) = places.first() {
            self.by_rows.remove(&(places.len() as u64, Reverse(*oldest), source.to_owned()));
        }
        self.rows -= places.len() as u64;
        change(&mut places);
        self.rows += places.len() as u64;
        if let Some(oldest) = places.first() {
            self.by_rows.insert((places.len() as u64, Reverse(*oldest), source.to_owned()));
            self.sources.insert(source.to_owned(), places);
        }
    }

    /// The oldest row of the source that holds most.
    fn victim(&self) -> Option<u64> {
        self.by_rows.last().map(|(_, Reverse(oldest), _)| *oldest)
    }
}

impl Waiting {
    pub fn new(quotas: Quotas) -> Waiting {
        Waiting {
            quotas,
            rows: BTreeMap::new(),
            by_trace: HashMap::new(),
            owners: HashMap::new(),
            businesses: BTreeSet::new(),
            rows_of_businesses: 0,
            next: 0,
        }
    }

    /// Adds a row, in place of one with the same trace, and drops one if a quota is passed.
    pub fn insert(&mut self, row: RefusalRow) {
        if let Some(place) = self.by_trace.get(&row.trace) {
            self.remove(*place);
        }
        let place = self.next;
        self.next += 1;
        self.put(place, row);
    }

    /// Puts back rows that were taken, each at its old place. A newer row of the same trace stays.
    pub fn restore(&mut self, taken: Vec<(u64, RefusalRow)>) {
        for (place, row) in taken {
            if !self.by_trace.contains_key(&row.trace) {
                self.put(place, row);
            }
        }
    }

    /// Takes everything, the oldest first.
    pub fn take(&mut self) -> Vec<(u64, RefusalRow)> {
        let Waiting { quotas, rows, next, .. } = std::mem::replace(self, Waiting::new(self.quotas));
        self.quotas = quotas;
        self.next = next;
        rows.into_iter().collect()
    }

    pub fn get(&self, trace: &str) -> Option<&RefusalRow> {
        self.by_trace.get(trace).and_then(|place| self.rows.get(place))
    }

    /// All rows, the newest first.
    pub fn newest(&self) -> impl Iterator<Item = &RefusalRow> {
        self.rows.values().rev()
    }

    fn put(&mut self, place: u64, row: RefusalRow) {
        let (owner, source) = (row.business, row.source.clone());
        self.by_trace.insert(row.trace.clone(), place);
        self.rows.insert(place, row);
        self.change(owner, &source, |places| {
            places.insert(place);
        });
        let quotas = self.quotas;
        let of_owner = self.owners.get(&owner);
        let of_source = of_owner.and_then(|o| o.sources.get(&source));
        let space = if owner.is_some() { quotas.business } else { quotas.strangers };
        let victim = if of_source.is_some_and(|places| places.len() as u64 > quotas.source) {
            of_source.and_then(|places| places.first().copied())
        } else if of_owner.is_some_and(|o| o.rows > space) {
            of_owner.and_then(Owner::victim)
        } else if self.rows_of_businesses > quotas.businesses {
            self.businesses.last().and_then(|(_, most)| self.owners.get(most)).and_then(Owner::victim)
        } else {
            None
        };
        if let Some(place) = victim {
            self.remove(place);
        }
    }

    fn remove(&mut self, place: u64) {
        let Some(row) = self.rows.remove(&place) else { return };
        self.by_trace.remove(&row.trace);
        self.change(row.business, &row.source, |places| {
            places.remove(&place);
        });
    }

    fn change(&mut self, owner: Option<BusinessId>, source: &str, change: impl FnOnce(&mut BTreeSet<u64>)) {
        let entry = self.owners.entry(owner).or_default();
        let before = entry.rows;
        entry.change(source, change);
        let after = entry.rows;
        if after == 0 {
            self.owners.remove(&owner);
        }
        if owner.is_some() {
            self.businesses.remove(&(before, owner));
            if after > 0 {
                self.businesses.insert((after, owner));
            }
            self.rows_of_businesses = self.rows_of_businesses - before + after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTAS: Quotas = Quotas { businesses: 12, business: 8, strangers: 6, source: 4 };

    fn row(trace: String, business: Option<u64>, source: &str) -> RefusalRow {
        RefusalRow {
            trace,
            at: 0,
            business: business.and_then(BusinessId::new),
            token: None,
            source: source.to_owned(),
            reason: "r".to_owned(),
            body: "{}".to_owned(),
        }
    }

    fn add(waiting: &mut Waiting, name: &str, count: u32, business: Option<u64>, source: impl Fn(u32) -> String) {
        for n in 0..count {
            waiting.insert(row(format!("{name}{n}"), business, &source(n)));
        }
    }

    fn traces(waiting: &Waiting) -> Vec<&str> {
        waiting.newest().map(|row| row.trace.as_str()).collect()
    }

    #[test]
    fn a_flood_of_strangers_leaves_the_rows_of_businesses_and_of_a_quiet_source() {
        let mut waiting = Waiting::new(QUOTAS);
        add(&mut waiting, "own", 3, Some(1), |_| "token".to_owned());
        add(&mut waiting, "quiet", 1, None, |_| "quiet".to_owned());
        add(&mut waiting, "loud", 1_000, None, |n| format!("loud {}", n % 3));
        let left = traces(&waiting);
        assert_eq!(left.len(), 9);
        assert_eq!(left[5..], ["quiet0", "own2", "own1", "own0"]);
    }

    #[test]
    fn tokens_of_one_business_leave_the_rows_of_another() {
        let mut waiting = Waiting::new(QUOTAS);
        add(&mut waiting, "small", 4, Some(2), |n| format!("token {n}"));
        add(&mut waiting, "few", 2, Some(1), |_| "few".to_owned());
        add(&mut waiting, "big", 1_000, Some(1), |n| format!("token {}", n % 7));
        assert!((0..4).all(|n| waiting.get(&format!("small{n}")).is_some()));
        assert_eq!(traces(&waiting).len(), 12);
        // Two more businesses: each gets rows from the one that holds most.
        add(&mut waiting, "third", 3, Some(3), |_| "t".to_owned());
        add(&mut waiting, "fourth", 3, Some(4), |_| "t".to_owned());
        let of = |business| waiting.newest().filter(|row| row.business == BusinessId::new(business)).count();
        assert_eq!([1, 2, 3, 4].map(of), [3, 3, 3, 3]);
    }

    #[test]
    fn a_source_keeps_its_newest_rows_and_a_trace_one_place() {
        let mut waiting = Waiting::new(QUOTAS);
        add(&mut waiting, "a", 6, Some(1), |_| "token".to_owned());
        assert_eq!(traces(&waiting), ["a5", "a4", "a3", "a2"]);
        waiting.insert(row("a3".to_owned(), Some(1), "another"));
        assert_eq!(traces(&waiting), ["a3", "a5", "a4", "a2"]);
        // Rows that were taken come back at their places, unless there is a newer one by now.
        let taken = waiting.take();
        assert!(traces(&waiting).is_empty());
        add(&mut waiting, "b", 1, None, |_| "s".to_owned());
        waiting.insert(row("a2".to_owned(), Some(1), "newer"));
        waiting.restore(taken);
        assert_eq!(traces(&waiting), ["a2", "b0", "a3", "a5", "a4"]);
        assert_eq!(waiting.get("a2").unwrap().source, "newer");
        waiting.take();
        assert!(waiting.owners.is_empty() && waiting.businesses.is_empty() && waiting.by_trace.is_empty());
    }
}
