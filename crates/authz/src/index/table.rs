//! The open-addressing table under the index: from a token's digest, an id or
//! a pair of slots to the fact that is kept for it.
//!
//! Entries stand inline, and a table of tokens costs about eleven bytes for
//! each. Four decisions make it small, fast and even:
//!
//! - **Neighbouring cells are searched one after the other.** Most entries
//!   stand in one of the first two cells, in one cache line, and the processor
//!   goes on with the row that it guesses before the line has arrived.
//!   Comparing whole cache lines at once was slower: it can't guess.
//! - **Any capacity, not only powers of two.** A shard grows by an eighth to a
//!   quarter, each time by another part, so that shards don't grow in step with
//!   each other. The memory for one further entry is nearly the same at every
//!   size, and no single insert moves more than one shard.
//! - **The place follows the order of the hash.** The high bits of the hash
//!   choose the shard, the rest is scaled to the shard's capacity. Growing a
//!   shard therefore reads the old cells and writes the new ones front to back.
//! - **Removal closes the gap** by moving later entries back, so a table in
//!   which entries come and go for years stays as fast as a fresh one.
//!
//! The table must never look outside its own cells: where the key is not in the
//! entry, whoever calls says with a closure which entry is meant. It must never
//! give up or panic, whatever the hashes are: equal hashes make it slow, not
//! wrong.

use std::fmt;

/// What can stand in a [`Table`]: a small value that knows its own hash.
///
/// The hash must not change while the entry is in the table, and must be spread
/// over all 32 bits; [`mix`] does that for ids and pairs of slots.
pub trait Entry: Copy {
    /// What is known of the entry that is looked for.
    type Key: Copy;

    /// The value of a cell in which nothing stands. It can't be inserted.
    const VACANT: Self;

    /// Whether this is [`Entry::VACANT`].
    fn is_vacant(&self) -> bool;

    /// The hash of the entry; the same as [`Entry::hash_of`] its key.
    fn hash(&self) -> u32;

    /// The hash of a key.
    fn hash_of(key: Self::Key) -> u32;

    /// Whether the entry may be the one with this key. It is called for each
    /// cell on the way, so it should only compare a few bits.
    fn may_be(&self, key: Self::Key) -> bool;
}

/// Spreads the bits of a key over a hash.
///
/// For keys that count up or share their high bits, such as ids and pairs of
/// slots. Not meant against keys that an attacker can choose freely: whoever
/// can create millions of entries with ids of his own choice can make lookups
/// in one shard slow.
#[must_use]
pub const fn mix(key: u64) -> u32 {
    let folded = (key ^ (key >> 32)).wrapping_mul(0x9E6C_63D0_876A_68E5);
    let folded = (folded ^ (folded >> 29)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (folded >> 32) as u32
}

/// An entry of eight bytes: a hash and the slot of the row that it stands for.
///
/// Its key in the table is the hash. The true key, a digest or an id, is in the
/// row, so whoever looks it up compares the row's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SlotEntry(u64);

impl SlotEntry {
    /// An entry for the row at `slot`; `None` for `u32::MAX`, which is no slot.
    #[must_use]
    pub const fn new(hash: u32, slot: u32) -> Option<Self> {
        if slot == u32::MAX { None } else { Some(Self((hash as u64) << 32 | slot as u64)) }
    }

    /// The row that the entry stands for.
    #[must_use]
    pub const fn slot(self) -> u32 {
        self.0 as u32
    }
}

impl Entry for SlotEntry {
    type Key = u32;

    const VACANT: Self = Self(u64::MAX);

    #[inline]
    fn is_vacant(&self) -> bool {
        self.slot() == u32::MAX
    }

    #[inline]
    fn hash(&self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    fn hash_of(key: u32) -> u32 {
        key
    }

    #[inline]
    fn may_be(&self, key: u32) -> bool {
        self.hash() == key
    }
}

impl fmt::Debug for SlotEntry {
    // The hash may be a part of a token's digest, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotEntry").field("slot", &self.slot()).finish_non_exhaustive()
    }
}

/// Rows by digest or by id.
pub type SlotTable = Table<SlotEntry>;

/// An entry of twelve bytes: two slots as the key and 32 bits kept for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairEntry {
    left: u32,
    right: u32,
    /// What is kept for the pair, such as task bits.
    pub value: u32,
}

impl PairEntry {
    /// The slots of the key.
    #[must_use]
    pub const fn pair(self) -> (u32, u32) {
        (self.left, self.right)
    }
}

impl Entry for PairEntry {
    type Key = (u32, u32);

    const VACANT: Self = Self { left: u32::MAX, right: u32::MAX, value: 0 };

    #[inline]
    fn is_vacant(&self) -> bool {
        self.left == u32::MAX
    }

    #[inline]
    fn hash(&self) -> u32 {
        Self::hash_of(self.pair())
    }

    #[inline]
    fn hash_of((left, right): (u32, u32)) -> u32 {
        mix(u64::from(left) << 32 | u64::from(right))
    }

    #[inline]
    fn may_be(&self, (left, right): (u32, u32)) -> bool {
        (self.left ^ left) | (self.right ^ right) == 0
    }
}

/// Facts by a pair of slots, such as assignments.
pub type PairTable = Table<PairEntry>;

impl Table<PairEntry> {
    /// What is kept for the pair.
    #[inline]
    #[must_use]
    pub fn value(&self, left: u32, right: u32) -> Option<u32> {
        self.find((left, right), |_| true).map(|entry| entry.value)
    }

    /// Keeps `value` for the pair; returns what was kept before. Does nothing
    /// when `left` is `u32::MAX`, which is no slot.
    pub fn set(&mut self, left: u32, right: u32, value: u32) -> Option<u32> {
        let entry = PairEntry { left, right, value };
        self.insert((left, right), entry, |_| true).map(|before| before.value)
    }

    /// Forgets the pair; returns what was kept for it.
    pub fn unset(&mut self, left: u32, right: u32) -> Option<u32> {
        self.remove((left, right), |_| true).map(|entry| entry.value)
    }
}

/// The most bits of the hash that choose a shard.
const MAX_SHARD_BITS: u32 = 12;

/// The capacity of a shard that holds its first entry.
const FIRST_CAPACITY: usize = 8;

/// A hash table with inline entries, in shards that grow one at a time.
///
/// Room is never given back: a shard that has been emptied keeps its capacity
/// for the entries to come.
pub struct Table<E> {
    shards: Box<[Shard<E>]>,
    shard_bits: u32,
    len: usize,
}

impl<E: Entry> Table<E> {
    /// An empty table of `2^shard_bits` shards (at most 12 bits; more counts as
    /// 12). It takes no room for entries before the first.
    ///
    /// An insert moves at most one shard, so the bits bound its pause: with
    /// three million entries in 2^8 shards it moves about 12,000 of them.
    /// Zero bits fit tables that stay below some thousand entries.
    #[must_use]
    pub fn new(shard_bits: u32) -> Self {
        let shard_bits = shard_bits.min(MAX_SHARD_BITS);
        let shards = (0..1_u32 << shard_bits).map(Shard::new).collect();
        Self { shards, shard_bits, len: 0 }
    }

    /// The number of entries.
    #[cfg(test)]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    #[cfg(test)]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes that the table has allocated.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        let cells: usize = self.shards.iter().map(|shard| shard.cells.len()).sum();
        cells * size_of::<E>() + size_of_val(&*self.shards)
    }

    /// The entry with this key for which `is_it` holds.
    ///
    /// `is_it` is only asked about entries that may have the key.
    #[inline]
    pub fn find(&self, key: E::Key, is_it: impl FnMut(&E) -> bool) -> Option<E> {
        let (shard, place) = self.split(E::hash_of(key));
        self.shards.get(shard)?.search(key, place, is_it).map(|(_, entry)| *entry)
    }

    /// Inserts an entry, in the place of the one that has the same key and for
    /// which `is_it` holds. Returns the entry that had to make room.
    ///
    /// [`Entry::VACANT`] and an entry with another key are not inserted.
    pub fn insert(&mut self, key: E::Key, entry: E, is_it: impl FnMut(&E) -> bool) -> Option<E> {
        if entry.is_vacant() || !entry.may_be(key) {
            return None;
        }
        let (shard, place) = self.split(E::hash_of(key));
        let bits = self.shard_bits;
        let shard = self.shards.get_mut(shard)?;
        if let Some((at, before)) = shard.search(key, place, is_it) {
            let before = *before;
            shard.write(at, entry);
            return Some(before);
        }
        shard.make_space(bits);
        put(&mut shard.cells, place, entry);
        shard.len += 1;
        self.len += 1;
        None
    }

    /// Takes the entry with this key for which `is_it` holds out of the table.
    pub fn remove(&mut self, key: E::Key, is_it: impl FnMut(&E) -> bool) -> Option<E> {
        let (shard, place) = self.split(E::hash_of(key));
        let bits = self.shard_bits;
        let shard = self.shards.get_mut(shard)?;
        let (at, removed) = shard.search(key, place, is_it)?;
        let removed = *removed;
        shard.close_gap(at, bits);
        shard.len -= 1;
        self.len -= 1;
        Some(removed)
    }

    /// All entries, in no promised order.
    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = E> + '_ {
        let cells = self.shards.iter().flat_map(|shard| &shard.cells);
        cells.copied().filter(|entry| !entry.is_vacant())
    }

    /// The shard of a hash, and what is left of the hash for the place in it.
    #[inline]
    const fn split(&self, hash: u32) -> (usize, u32) {
        let shifted = (hash as u64) << self.shard_bits;
        ((shifted >> 32) as usize, shifted as u32)
    }
}

impl<E> fmt::Debug for Table<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("len", &self.len).field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

/// One part of a table. At most four fifths of its cells are taken, so that
/// every search meets a vacant cell.
struct Shard<E> {
    cells: Box<[E]>,
    len: u32,
    number: u32,
}

impl<E: Entry> Shard<E> {
    /// The empty shard with this number in its table.
    fn new(number: u32) -> Self {
        Self { cells: Box::default(), len: 0, number }
    }

    /// The entry and the cell in which it stands.
    #[inline]
    fn search(&self, key: E::Key, place: u32, mut is_it: impl FnMut(&E) -> bool) -> Option<(usize, &E)> {
        let home = home(place, self.cells.len());
        for (offset, cell) in self.cells.get(home..)?.iter().enumerate() {
            if cell.is_vacant() {
                return None;
            }
            if cell.may_be(key) && is_it(cell) {
                return Some((home + offset, cell));
            }
        }
        // Seldom, the search goes on from the first cell.
        for (at, cell) in self.cells.get(..home)?.iter().enumerate() {
            if cell.is_vacant() {
                return None;
            }
            if cell.may_be(key) && is_it(cell) {
                return Some((at, cell));
            }
        }
        None
    }

    /// Grows when one more entry would take more than four fifths of the cells.
    fn make_space(&mut self, shard_bits: u32) {
        let capacity = self.cells.len();
        if (self.len as usize + 1) * 5 <= capacity * 4 {
            return;
        }
        // By 16 to 31 parts of 128; which, differs by shard and by capacity.
        let parts = 16 + mix(u64::from(self.number) << 32 | capacity as u64) % 16;
        // Two cells more at the least, or a small shard would grow by nothing.
        let step = (capacity * parts as usize / 128).max(2);
        let capacity = (capacity + step).max(FIRST_CAPACITY);
        let mut cells = vec![E::VACANT; capacity].into_boxed_slice();
        for entry in self.cells.iter().filter(|entry| !entry.is_vacant()) {
            put(&mut cells, entry.hash() << shard_bits, *entry);
        }
        self.cells = cells;
    }

    /// Empties a cell, and moves entries behind it back as far as their homes
    /// allow, so that no search stops at the gap too early.
    fn close_gap(&mut self, at: usize, shard_bits: u32) {
        let capacity = self.cells.len();
        let mut gap = at;
        let mut next = at;
        for _ in 1..capacity {
            next = if next + 1 < capacity { next + 1 } else { 0 };
            let Some(entry) = self.cells.get(next).copied().filter(|entry| !entry.is_vacant()) else {
                break;
            };
            let home = home(entry.hash() << shard_bits, capacity);
            // It may move if the gap is not before its home, seen in a circle.
            if distance(home, next, capacity) >= distance(gap, next, capacity) {
                self.write(gap, entry);
                gap = next;
            }
        }
        self.write(gap, E::VACANT);
    }

    fn write(&mut self, at: usize, entry: E) {
        if let Some(cell) = self.cells.get_mut(at) {
            *cell = entry;
        }
    }
}

/// Writes an entry into the first vacant cell from its home on.
fn put<E: Entry>(cells: &mut [E], place: u32, entry: E) {
    let home = home(place, cells.len()).min(cells.len());
    let (before, after) = cells.split_at_mut(home);
    if let Some(cell) = after.iter_mut().chain(before).find(|cell| cell.is_vacant()) {
        *cell = entry;
    }
}

/// The cell where the search for a place starts, in a shard of this capacity.
#[inline]
const fn home(place: u32, capacity: usize) -> usize {
    ((place as u64 * capacity as u64) >> 32) as usize
}

/// The steps from one cell forward to another, in a circle.
const fn distance(from: usize, to: usize, capacity: usize) -> usize {
    if to >= from { to - from } else { to + capacity - from }
}

#[cfg(test)]
mod tests;
