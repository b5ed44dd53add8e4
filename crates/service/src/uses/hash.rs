//! A hasher for ids that needs one multiplication.

use std::hash::{BuildHasher, Hasher};

/// Hashes ids. Only the server draws ids, so no caller can make them collide.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ByMixedId;

/// The hasher of one id.
#[derive(Debug, Default)]
pub(super) struct Mixer(u64);

/// An id's number, its bits spread over all of them.
pub(super) fn mixed(number: u64) -> u64 {
    let product = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    product ^ (product >> 32)
}

impl BuildHasher for ByMixedId {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        Mixer(0)
    }
}

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mixed(self.0 ^ number);
    }

    /// Not used for an id, which is one number.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::Hash;

    use valetkey_domain::id::EPOCH_MS;
    use valetkey_domain::{IdKind, IdSource};

    use super::*;

    #[test]
    fn ids_that_are_drawn_one_after_the_other_get_places_far_apart() {
        let mut ids = IdSource::new(3);
        let (mut buckets, mut shards) = (HashSet::new(), [0; 16]);
        for n in 0..4_096 {
            let id: valetkey_domain::TokenId = ids.next(IdKind::Token, EPOCH_MS + 1_000 + n / 64);
            let mut hasher = ByMixedId.build_hasher();
            id.hash(&mut hasher);
            assert_eq!(hasher.finish(), mixed(id.get()));
            buckets.insert(hasher.finish() % 4_096);
            shards[(hasher.finish() >> 60) as usize] += 1;
        }
        // A uniform hash fills 63 % of them.
        assert!(buckets.len() > 2_300, "{}", buckets.len());
        assert!(shards.iter().all(|count| (128..512).contains(count)), "{shards:?}");
    }
}
