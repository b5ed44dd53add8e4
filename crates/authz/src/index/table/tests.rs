//! Tests of the table, beside a standard map and at its edges. They must never
//! rest on where an entry stands, only on what can be found.

use std::collections::HashMap;

use super::*;

/// An entry whose hash the test chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chosen {
    hash: u32,
    key: u32,
    value: u32,
}

impl Entry for Chosen {
    type Key = u32;

    const VACANT: Self = Self { hash: 0, key: u32::MAX, value: 0 };

    fn is_vacant(&self) -> bool {
        self.key == u32::MAX
    }

    fn hash(&self) -> u32 {
        self.hash
    }

    fn hash_of(key: u32) -> u32 {
        key
    }

    fn may_be(&self, key: u32) -> bool {
        self.hash == key
    }
}

struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u32 {
        (self.next() % end) as u32
    }
}

/// Whether every entry can be found, and every shard keeps its bound.
fn assert_sound(table: &Table<Chosen>) {
    assert_eq!(table.iter().count(), table.len());
    for entry in table.iter() {
        assert_eq!(table.find(entry.hash, |e| *e == entry), Some(entry));
    }
    for shard in &table.shards {
        let taken = shard.cells.iter().filter(|e| !e.is_vacant()).count();
        assert_eq!(taken, shard.len as usize);
        assert!(taken * 5 <= shard.cells.len() * 4);
    }
}

/// Does the same to a table and to a standard map; they must agree always.
fn against_model(seed: u64, shard_bits: u32, keys: u64, hash_of: fn(u32) -> u32) {
    let mut random = XorShift(seed);
    let mut table = Table::<Chosen>::new(shard_bits);
    let mut model = HashMap::new();
    for step in 0..20_000 {
        let key = random.below(keys);
        let hash = hash_of(key);
        // Phases in which more is added alternate with phases of removal.
        let adds = if (step / 2_000) % 2 == 0 { 70 } else { 30 };
        if random.below(100) < adds {
            let entry = Chosen { hash, key, value: step };
            let before = table.insert(hash, entry, |e| e.key == key).map(|e| e.value);
            assert_eq!(before, model.insert(key, step));
        } else {
            let before = table.remove(hash, |e| e.key == key).map(|e| e.value);
            assert_eq!(before, model.remove(&key));
        }
        assert_eq!(table.len(), model.len());
        let other = random.below(keys);
        let found = table.find(hash_of(other), |e| e.key == other).map(|e| e.value);
        assert_eq!(found, model.get(&other).copied());
    }
    assert_sound(&table);
    let listed: HashMap<u32, u32> = table.iter().map(|e| (e.key, e.value)).collect();
    assert_eq!(listed, model);
}

#[test]
fn agrees_with_a_standard_map() {
    for (seed, bits) in [(1, 0), (2, 1), (3, 4), (4, 8)] {
        against_model(seed, bits, 1_000, |key| mix(u64::from(key)));
        against_model(seed + 10, bits, 20_000, |key| mix(u64::from(key)));
    }
}

#[test]
fn agrees_with_a_standard_map_when_hashes_are_bad() {
    // All the same; four values; crowded at the end, so that searches wrap.
    against_model(21, 0, 200, |_| 7);
    against_model(22, 2, 300, |key| (key % 4) << 30);
    against_model(23, 0, 500, |key| u32::MAX - key % 50);
    against_model(24, 3, 500, |key| u32::MAX - key % 50);
    against_model(25, 3, 500, |key| u32::MAX - key % 50);
}

#[test]
fn an_empty_table_answers() {
    let mut table = PairTable::new(3);
    assert!(table.is_empty());
    assert_eq!(table.value(1, 2), None);
    assert_eq!(table.unset(1, 2), None);
    assert_eq!(table.iter().count(), 0);
}

#[test]
fn what_looks_vacant_or_has_another_key_is_not_taken() {
    assert_eq!(SlotEntry::new(5, u32::MAX), None);
    let mut table = SlotTable::new(0);
    assert_eq!(table.insert(u32::MAX, SlotEntry::VACANT, |_| true), None);
    assert_eq!(table.insert(6, SlotEntry::new(5, 1).unwrap(), |_| true), None);
    assert!(table.is_empty());
    let mut table = PairTable::new(0);
    assert_eq!(table.set(u32::MAX, 0, 9), None);
    assert!(table.is_empty());
}

#[test]
fn a_vacant_cell_is_never_found() {
    // The hash and the pair that a vacant cell has as well.
    let mut slots = SlotTable::new(0);
    slots.insert(1, SlotEntry::new(1, 1).unwrap(), |_| true);
    assert_eq!(slots.find(u32::MAX, |_| true), None);
    slots.insert(u32::MAX, SlotEntry::new(u32::MAX, 2).unwrap(), |_| true);
    assert_eq!(slots.find(u32::MAX, |_| true).map(SlotEntry::slot), Some(2));
    let mut pairs = PairTable::new(0);
    pairs.set(1, 1, 1);
    assert_eq!(pairs.value(u32::MAX, u32::MAX), None);
}

#[test]
fn the_caller_distinguishes_two_rows_with_one_hash() {
    let mut table = SlotTable::new(0);
    for slot in 0..20 {
        let entry = SlotEntry::new(77, slot).unwrap();
        assert_eq!(table.insert(77, entry, |e| e.slot() == slot), None);
    }
    assert_eq!(table.len(), 20);
    assert_eq!(table.find(77, |e| e.slot() == 19).map(SlotEntry::slot), Some(19));
    assert_eq!(table.remove(77, |e| e.slot() == 8).map(SlotEntry::slot), Some(8));
    assert_eq!(table.find(77, |e| e.slot() == 19).map(SlotEntry::slot), Some(19));
    assert_eq!(table.find(77, |e| e.slot() == 8), None);
}

#[test]
fn only_entries_that_may_be_meant_are_asked_about() {
    let mut table = Table::<Chosen>::new(0);
    for key in 0..100 {
        let hash = key << 25;
        table.insert(hash, Chosen { hash, key, value: 0 }, |_| false);
    }
    let mut asked = Vec::new();
    let found = table.find(3 << 25, |e| {
        asked.push(e.key);
        false
    });
    assert_eq!(found, None);
    assert_eq!(asked, [3]);
}

#[test]
fn a_pair_is_replaced_and_forgotten() {
    let mut table = PairTable::new(2);
    assert_eq!(table.set(1, 2, 10), None);
    assert_eq!(table.set(2, 1, 20), None);
    assert_eq!(table.set(1, 2, 11), Some(10));
    assert_eq!(table.len(), 2);
    assert_eq!(table.value(1, 2), Some(11));
    assert_eq!(table.unset(1, 2), Some(11));
    assert_eq!(table.value(1, 2), None);
    assert_eq!(table.value(2, 1), Some(20));
}

#[test]
fn one_insert_moves_one_shard() {
    let mut table = SlotTable::new(4);
    let capacities = |table: &SlotTable| -> Vec<usize> { table.shards.iter().map(|shard| shard.cells.len()).collect() };
    let mut before = capacities(&table);
    for i in 0..40_000 {
        let hash = mix(u64::from(i));
        table.insert(hash, SlotEntry::new(hash, i).unwrap(), |_| false);
        let now = capacities(&table);
        let grown: Vec<_> = before.iter().zip(&now).filter(|(b, n)| b != n).collect();
        assert!(grown.len() <= 1);
        assert!(grown.iter().all(|(b, n)| **n <= **b + (**b / 4).max(8)), "{grown:?}");
        before = now;
    }
}

#[test]
fn memory_grows_evenly() {
    let mut table = SlotTable::new(6);
    let mut before = 0;
    for step in 0..40 {
        for i in step * 5_000..(step + 1) * 5_000 {
            let hash = mix(u64::from(i));
            table.insert(hash, SlotEntry::new(hash, i).unwrap(), |_| false);
        }
        let now = table.allocated_bytes();
        // Eight bytes at a load between 0.64 and 0.8 are 10 to 12.5. If all
        // shards grew in step, some steps would take several times as much.
        let each = (now - before) / 5_000;
        assert!(step < 10 || each <= 16, "{each} bytes in step {step}");
        before = now;
    }
    assert!(before / table.len() <= 12, "{}", before / table.len());
}

#[test]
fn neighbouring_keys_are_spread() {
    // Sixteen buckets, each within a quarter of its fair part.
    for stride in [1_u64, 1 << 14, 1 << 22, 1 << 32] {
        let mut buckets = [0_u32; 16];
        for i in 0..16_000 {
            buckets[(mix(i * stride) >> 28) as usize] += 1;
        }
        assert!(buckets.iter().all(|n| (750..=1_250).contains(n)), "{stride}: {buckets:?}");
    }
}

#[test]
fn debug_output_shows_no_part_of_a_digest() {
    let entry = SlotEntry::new(0x5EC2_E75E, 3).unwrap();
    assert_eq!(format!("{entry:?}"), "SlotEntry { slot: 3, .. }");
    let mut table = SlotTable::new(0);
    table.insert(0x5EC2_E75E, entry, |_| false);
    assert_eq!(format!("{table:?}"), "Table { len: 1, shards: 1, .. }");
}
