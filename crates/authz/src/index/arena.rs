//! Rows in chunks: where the index keeps tokens, users, apps and assets.
//!
//! A row is known by its **slot**, a number that stays with it and takes four
//! bytes wherever it is referred to. Rows stand in chunks of a fixed size, so
//! the arena grows by one chunk at a time: nothing that stands is moved, no
//! insert waits for a copy of millions of rows, and there is never a second
//! copy beside the first.
//!
//! The arena must never hand a slot out again by itself. Only its owner knows
//! whether something still refers to a row, so only its owner may call
//! [`Arena::vacate`].

use std::fmt;

/// Rows of one kind, each known by its slot.
///
/// `ROWS` is the number of rows in a chunk; a power of two makes lookups
/// cheapest. An arena with one row takes the room of a whole chunk.
pub struct Arena<T, const ROWS: usize = 4096> {
    // Every chunk but the last has all its rows.
    chunks: Vec<Vec<T>>,
    // Slots that have been vacated, in the order in which they will be reused
    // from the end, and the same as one bit per row, so that a slot can't be
    // vacated twice.
    free: Vec<u32>,
    vacant: Vec<u64>,
    pushed: u32,
}

impl<T, const ROWS: usize> Default for Arena<T, ROWS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const ROWS: usize> Arena<T, ROWS> {
    /// An empty arena. It takes no room before the first row.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(ROWS > 0 && ROWS <= 1 << 20, "a chunk has 1 to 2^20 rows") };
        Self { chunks: Vec::new(), free: Vec::new(), vacant: Vec::new(), pushed: 0 }
    }

    /// The number of rows that are in use.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.pushed as usize - self.free.len()
    }

    /// Whether no row is in use.
    #[cfg(test)]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that the arena has allocated, without what the rows own.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        let rows: usize = self.chunks.iter().map(Vec::capacity).sum();
        rows * size_of::<T>()
            + self.chunks.capacity() * size_of::<Vec<T>>()
            + self.free.capacity() * size_of::<u32>()
            + self.vacant.capacity() * size_of::<u64>()
    }

    /// Adds a row, on a vacated slot if there is one, and returns its slot.
    ///
    /// `None`, and the row is dropped, when all of the `u32::MAX` slots are
    /// taken. `u32::MAX` itself is never a slot, so it can stand for "none".
    #[must_use = "without its slot the row can't be reached"]
    pub fn push(&mut self, row: T) -> Option<u32> {
        if let Some(slot) = self.free.pop() {
            *self.get_mut(slot)? = row;
            self.mark(slot, false);
            return Some(slot);
        }
        if self.pushed == u32::MAX {
            return None;
        }
        let slot = self.pushed;
        if slot as usize / ROWS == self.chunks.len() {
            self.chunks.push(Vec::with_capacity(ROWS));
        }
        self.chunks.last_mut()?.push(row);
        self.pushed += 1;
        Some(slot)
    }

    /// The row at a slot; `None` if the slot was never handed out. On a vacated
    /// slot stands what [`Arena::vacate`] left there.
    #[inline]
    #[must_use]
    pub fn get(&self, slot: u32) -> Option<&T> {
        self.chunks.get(slot as usize / ROWS)?.get(slot as usize % ROWS)
    }

    /// Like [`Arena::get`], for changing the row.
    #[inline]
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.chunks.get_mut(slot as usize / ROWS)?.get_mut(slot as usize % ROWS)
    }

    /// Takes a row out, leaves `blank` in its place, and keeps the slot for a
    /// later [`Arena::push`].
    ///
    /// Call it only once nothing refers to the slot any more: a reference that
    /// was forgotten would later show another row. `None`, and nothing changes,
    /// if the slot is vacant already or was never handed out.
    #[cfg(test)]
    pub fn vacate(&mut self, slot: u32, blank: T) -> Option<T> {
        if self.is_vacant(slot) {
            return None;
        }
        let row = std::mem::replace(self.get_mut(slot)?, blank);
        self.mark(slot, true);
        self.free.push(slot);
        Some(row)
    }

    /// All rows in use with their slots, in the order of the slots.
    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let slots = 0..self.pushed;
        slots.zip(self.chunks.iter().flatten()).filter(|(slot, _)| !self.is_vacant(*slot))
    }

    #[cfg(test)]
    fn is_vacant(&self, slot: u32) -> bool {
        self.vacant.get(slot as usize / 64).is_some_and(|word| word & bit(slot) != 0)
    }

    fn mark(&mut self, slot: u32, vacant: bool) {
        let word = slot as usize / 64;
        if word >= self.vacant.len() {
            self.vacant.resize(word + 1, 0);
        }
        if let Some(word) = self.vacant.get_mut(word) {
            if vacant {
                *word |= bit(slot);
            } else {
                *word &= !bit(slot);
            }
        }
    }
}

impl<T, const ROWS: usize> fmt::Debug for Arena<T, ROWS> {
    // Rows may hold digests, so they are not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena").field("len", &self.len()).field("chunks", &self.chunks.len()).finish_non_exhaustive()
    }
}

/// The bit of a slot in its word of 64.
const fn bit(slot: u32) -> u64 {
    1 << (slot % 64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn rows_keep_their_slots_across_chunks() {
        let mut arena: Arena<u32, 4> = Arena::new();
        assert!(arena.is_empty());
        for n in 0..11 {
            assert_eq!(arena.push(n * 10), Some(n));
        }
        assert_eq!(arena.len(), 11);
        for n in 0..11 {
            assert_eq!(arena.get(n), Some(&(n * 10)));
        }
        assert_eq!(arena.get(11), None);
        assert_eq!(arena.get(u32::MAX), None);
        *arena.get_mut(5).unwrap() = 7;
        assert_eq!(arena.get(5), Some(&7));
        assert!(arena.get_mut(11).is_none());
    }

    #[test]
    fn growing_does_not_move_rows() {
        let mut arena: Arena<u64, 8> = Arena::new();
        assert_eq!(arena.push(1), Some(0));
        let first: *const u64 = arena.get(0).unwrap();
        for n in 0..1_000 {
            assert!(arena.push(n).is_some());
        }
        assert!(std::ptr::eq(first, arena.get(0).unwrap()));
    }

    #[test]
    fn it_grows_by_one_chunk_at_a_time() {
        let mut arena: Arena<u64, 1024> = Arena::new();
        let mut before = 0;
        for n in 0..100 * 1024 {
            assert!(arena.push(n).is_some());
            let now = arena.allocated_bytes();
            // One chunk, and now and then a longer list of chunks.
            assert!(now - before <= 1024 * 8 + 128 * 24);
            before = now;
        }
    }

    #[test]
    fn a_vacated_slot_is_used_again_and_only_once() {
        let mut arena: Arena<&str, 2> = Arena::new();
        for row in ["a", "b", "c"] {
            assert!(arena.push(row).is_some());
        }
        assert_eq!(arena.vacate(1, "-"), Some("b"));
        assert_eq!(arena.vacate(1, "-"), None);
        assert_eq!(arena.vacate(3, "-"), None);
        assert_eq!(arena.len(), 2);
        assert_eq!(arena.get(1), Some(&"-"));
        assert_eq!(arena.iter().collect::<Vec<_>>(), [(0, &"a"), (2, &"c")]);
        assert_eq!(arena.push("d"), Some(1));
        assert_eq!(arena.push("e"), Some(3));
        assert_eq!(arena.vacate(1, "-"), Some("d"));
    }

    #[test]
    fn agrees_with_a_standard_map() {
        let mut random = 0x1234_5678_9ABC_DEF1_u64;
        let mut arena: Arena<u64, 16> = Arena::new();
        let mut model = BTreeMap::new();
        for _ in 0..20_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if random % 100 < 55 {
                let slot = arena.push(random).unwrap();
                assert_eq!(model.insert(slot, random), None);
            } else {
                let slot = (random >> 32) as u32 % 1_500;
                assert_eq!(arena.vacate(slot, 0), model.remove(&slot));
            }
            assert_eq!(arena.len(), model.len());
        }
        assert!(arena.iter().eq(model.iter().map(|(slot, row)| (*slot, row))));
    }

    #[test]
    fn debug_output_shows_no_row() {
        let mut arena: Arena<u32, 4> = Arena::new();
        assert_eq!(arena.push(424_242), Some(0));
        assert_eq!(format!("{arena:?}"), "Arena { len: 1, chunks: 1, .. }");
    }
}
