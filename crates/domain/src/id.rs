//! Ids: 63 bits, 41 for milliseconds since 2025-01-01, 8 for the kind, 14 for a counter.
//!
//! An id names a thing and grants nothing. Ids must never be drawn outside a commit: the planner
//! checks each new one against the state, and draws again when it is taken.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::UnixMs;

/// 2025-01-01T00:00:00Z in unix milliseconds: the zero of the time part.
pub const EPOCH_MS: UnixMs = 1_735_689_600_000;
const TIME_BITS: u32 = 41;
const KIND_BITS: u32 = 8;
const COUNTER_BITS: u32 = 14;
const COUNTER_MASK: u64 = (1 << COUNTER_BITS) - 1;

/// The id of one object, printed as a decimal string. `Of` says what sort of object it names, so that
/// swapped arguments do not compile; `Id` alone is the id of anything, as it comes from a request.
pub struct Id<Of = of::Anything>(NonZeroU64, PhantomData<fn() -> Of>);

/// What an id may name. These types have no values; they only mark ids.
pub mod of {
    /// Any object: what it is has not been looked up.
    #[derive(Debug, Clone, Copy)]
    pub enum Anything {}
    #[derive(Debug, Clone, Copy)]
    pub enum Business {}
    /// A person or a system user.
    #[derive(Debug, Clone, Copy)]
    pub enum User {}
    #[derive(Debug, Clone, Copy)]
    pub enum App {}
    /// An asset. An app is one too, under the same number.
    #[derive(Debug, Clone, Copy)]
    pub enum Asset {}
    #[derive(Debug, Clone, Copy)]
    pub enum Token {}
    /// A post, a campaign, or any other kind of content.
    #[derive(Debug, Clone, Copy)]
    pub enum Content {}
    #[derive(Debug, Clone, Copy)]
    pub enum Job {}
    /// A human being who signs in, whoever it works for.
    #[derive(Debug, Clone, Copy)]
    pub enum Human {}
    #[derive(Debug, Clone, Copy)]
    pub enum Passkey {}
}

pub type BusinessId = Id<of::Business>;
pub type UserId = Id<of::User>;
pub type AppId = Id<of::App>;
pub type AssetId = Id<of::Asset>;
pub type TokenId = Id<of::Token>;
pub type ContentId = Id<of::Content>;
pub type JobId = Id<of::Job>;
pub type HumanId = Id<of::Human>;
pub type PasskeyId = Id<of::Passkey>;

/// What an id names. The numbers are stored; never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum IdKind {
    Business = 1,
    Person = 2,
    SystemUser = 3,
    App = 4,
    Page = 5,
    AdAccount = 6,
    Catalog = 7,
    Pixel = 8,
    InstagramAccount = 9,
    WhatsAppAccount = 10,
    /// All kinds that the operator declares share this one.
    DeclaredAsset = 11,
    Token = 12,
    Post = 13,
    Campaign = 14,
    Job = 15,
    Human = 16,
    Passkey = 17,
}

impl IdKind {
    fn from_u8(value: u8) -> Option<IdKind> {
        Some(match value {
            1 => IdKind::Business,
            2 => IdKind::Person,
            3 => IdKind::SystemUser,
            4 => IdKind::App,
            5 => IdKind::Page,
            6 => IdKind::AdAccount,
            7 => IdKind::Catalog,
            8 => IdKind::Pixel,
            9 => IdKind::InstagramAccount,
            10 => IdKind::WhatsAppAccount,
            11 => IdKind::DeclaredAsset,
            12 => IdKind::Token,
            13 => IdKind::Post,
            14 => IdKind::Campaign,
            15 => IdKind::Job,
            16 => IdKind::Human,
            17 => IdKind::Passkey,
            _ => return None,
        })
    }
}

impl<Of> Id<Of> {
    /// The smallest and the largest id: ends of ranges, never drawn.
    pub const MIN: Id<Of> = Id(NonZeroU64::MIN, PhantomData);
    pub const MAX: Id<Of> = Id(NonZeroU64::MAX, PhantomData);

    /// The id with this number, if it fits into 63 bits and is not zero.
    pub fn new(value: u64) -> Option<Id<Of>> {
        if value > i64::MAX as u64 {
            return None;
        }
        NonZeroU64::new(value).map(|value| Id(value, PhantomData))
    }

    /// Takes an id for the id of this sort of object. Whether such an object exists is not checked:
    /// the look-up that follows finds it or not.
    pub const fn of(id: Id) -> Id<Of> {
        Id(id.0, PhantomData)
    }

    /// The same id without its sort.
    pub const fn any(self) -> Id {
        Id(self.0, PhantomData)
    }

    /// Reads the decimal form: digits only, no sign, no leading zero.
    pub fn parse(text: &str) -> Option<Id<Of>> {
        if text.is_empty() || text.len() > 19 || text.starts_with('0') || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Id::new(text.parse().ok()?)
    }

    /// The number itself.
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// The number as the stores keep it.
    pub fn as_i64(self) -> i64 {
        self.get() as i64
    }

    /// Reads the number back from a store.
    pub fn from_i64(value: i64) -> Option<Id<Of>> {
        u64::try_from(value).ok().and_then(Id::new)
    }

    /// What the id names, if the kind bits are known.
    pub fn kind(self) -> Option<IdKind> {
        IdKind::from_u8((self.get() >> COUNTER_BITS) as u8)
    }

    /// When the id was drawn.
    pub fn time(self) -> UnixMs {
        (self.get() >> (KIND_BITS + COUNTER_BITS)) as i64 + EPOCH_MS
    }
}

// Derives would ask the same of `Of`, which has no values.
impl<Of> Clone for Id<Of> {
    fn clone(&self) -> Id<Of> {
        *self
    }
}

impl<Of> Copy for Id<Of> {}

impl<Of> PartialEq for Id<Of> {
    fn eq(&self, other: &Id<Of>) -> bool {
        self.0 == other.0
    }
}

impl<Of> Eq for Id<Of> {}

impl<Of> PartialOrd for Id<Of> {
    fn partial_cmp(&self, other: &Id<Of>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<Of> Ord for Id<Of> {
    fn cmp(&self, other: &Id<Of>) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<Of> Hash for Id<Of> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// Any id may stand where its sort does not matter.
macro_rules! any_from {
    ($($typed:ident),*) => {
        $(impl From<$typed> for Id {
            fn from(id: $typed) -> Id {
                id.any()
            }
        })*
    };
}

any_from!(BusinessId, UserId, AppId, AssetId, TokenId, ContentId, JobId, HumanId, PasskeyId);

/// An app is an asset of kind app, under the same number.
impl From<AppId> for AssetId {
    fn from(app: AppId) -> AssetId {
        AssetId::of(app.any())
    }
}

impl<Of> fmt::Display for Id<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<Of> fmt::Debug for Id<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<Of> Serialize for Id<Of> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, Of> Deserialize<'de> for Id<Of> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Id<Of>, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Id::parse(&text).ok_or_else(|| serde::de::Error::custom("not an id: 1 to 19 digits"))
    }
}

/// Draws ids. The counter starts at a random place, so that two nodes seldom meet; when they do,
/// the planner finds the id taken and draws the next.
#[derive(Debug, Clone)]
pub struct IdSource {
    last_ms: u64,
    counter: u64,
    drawn_in_ms: u64,
}

impl IdSource {
    /// A source whose counter starts at `start` (only the low 14 bits count).
    pub fn new(start: u64) -> IdSource {
        IdSource { last_ms: 0, counter: start & COUNTER_MASK, drawn_in_ms: 0 }
    }

    /// The next id. When one millisecond's 16,384 counters are used up, or the clock went back,
    /// the source runs on in its own time rather than repeat itself.
    pub fn next<Of>(&mut self, kind: IdKind, now: UnixMs) -> Id<Of> {
        let max_ms = (1u64 << TIME_BITS) - 1;
        let now_ms = u64::try_from(now - EPOCH_MS).unwrap_or(0).clamp(1, max_ms);
        if now_ms > self.last_ms {
            self.last_ms = now_ms;
            self.drawn_in_ms = 0;
        } else if self.drawn_in_ms > COUNTER_MASK {
            self.last_ms = (self.last_ms + 1).min(max_ms);
            self.drawn_in_ms = 0;
        }
        self.counter = (self.counter + 1) & COUNTER_MASK;
        self.drawn_in_ms += 1;
        let value =
            (self.last_ms << (KIND_BITS + COUNTER_BITS)) | (u64::from(kind as u8) << COUNTER_BITS) | self.counter;
        // The time part is at least one, so the value is never zero.
        Id(NonZeroU64::new(value).unwrap_or(NonZeroU64::MIN), PhantomData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_of_one_millisecond_differ_even_past_the_counter() {
        let mut source = IdSource::new(16_380);
        let now = EPOCH_MS + 1000;
        let mut seen = std::collections::HashSet::new();
        for _ in 0..40_000 {
            assert!(seen.insert(source.next::<of::Token>(IdKind::Token, now)));
        }
    }

    #[test]
    fn a_clock_that_goes_back_repeats_nothing() {
        let mut source = IdSource::new(0);
        let mut seen = std::collections::HashSet::new();
        for step in 0..1000 {
            let now = EPOCH_MS + if step % 2 == 0 { 5000 } else { 1 };
            assert!(seen.insert(source.next::<of::Content>(IdKind::Post, now)));
        }
    }

    proptest! {
        #[test]
        fn id_text_round_trips(value in 1u64..=i64::MAX as u64) {
            let id = TokenId::new(value).unwrap();
            prop_assert_eq!(<Id>::parse(&id.to_string()), Some(id.any()));
            prop_assert_eq!(TokenId::from_i64(id.as_i64()), Some(id));
        }

        #[test]
        fn parse_is_total(text in ".{0,24}") {
            if let Some(id) = <Id>::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn kind_and_time_are_read_back(ms in 1i64..(1 << 41), start in any::<u64>()) {
            let id: ContentId = IdSource::new(start).next(IdKind::Campaign, EPOCH_MS + ms);
            prop_assert_eq!(id.kind(), Some(IdKind::Campaign));
            prop_assert_eq!(id.time(), EPOCH_MS + ms);
        }
    }
}
