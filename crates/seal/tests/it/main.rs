//! Sealing through the public interface: what opens, and everything that must not.

// The helpers of a test binary may fail loudly, as its tests do.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU8, Ordering};

use valetkey_seal::*;

const PURPOSE: &str = "app-secret";
const PLAIN: &[u8] = b"s3cret";

/// Gives 32 different bytes at each call, the same in each run.
#[derive(Default)]
struct Counting(AtomicU8);

impl Random for Counting {
    fn fill(&self, target: &mut [u8]) -> Result<(), RandomFailed> {
        for byte in target {
            *byte = self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

struct Failing;

impl Random for Failing {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomFailed> {
        Err(RandomFailed)
    }
}

/// Claims success and writes nothing.
struct Lazy;

impl Random for Lazy {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomFailed> {
        Ok(())
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// A ring with data keys 1 to `keys`, and the wrapped keys as a store keeps them.
fn ring(keys: u64) -> (MasterKey, KeyRing, Vec<WrappedKey>) {
    let master = MasterKey::generate(&OsRandom).unwrap();
    let mut ring = KeyRing::open(&master, []).unwrap();
    let mut stored = Vec::new();
    for _ in 0..keys {
        let wrapped = ring.new_data_key(&master, &OsRandom).unwrap();
        ring.add(&master, wrapped.clone()).unwrap();
        stored.push(wrapped);
    }
    (master, ring, stored)
}

fn reopen(ring: &KeyRing, bytes: &[u8]) -> Result<Secret, SealError> {
    ring.unseal(PURPOSE, 42, &Sealed::from_bytes(bytes)?)
}

fn open_failed(purpose: &str, id: u64, key_id: u64) -> SealError {
    let purpose = purpose.to_owned();
    SealError::OpenFailed { purpose, id, key_id }
}

#[test]
fn values_come_back_after_a_restart() {
    let (master, ring, stored) = ring(2);
    for plain in [&b""[..], PLAIN, &[7; PLAIN_LIMIT_BYTES]] {
        let bytes = ring.seal(PURPOSE, 42, plain).unwrap().to_bytes();
        assert_eq!(bytes.len(), 1 + 8 + 12 + plain.len() + 16);
        let master = MasterKey::from_hex(master.to_hex().expose_str().unwrap()).unwrap();
        let ring = KeyRing::open(&master, stored.clone()).unwrap();
        assert_eq!(reopen(&ring, &bytes).unwrap().expose(), plain);
    }
}

/// Made by an independent implementation of the layout, so that an upgrade of
/// this crate or its cipher can't quietly lose what is stored.
#[test]
fn the_stored_form_is_stable() {
    let master = MasterKey::generate(&Counting::default()).unwrap();
    assert_eq!(master.id(), "db5ebde86e724c28");
    let wrapped = WrappedKey {
        key_id: 7,
        master_id: master.id().to_owned(),
        bytes: from_hex(
            "01000102030405060708090a0b0743945881a0845cc508ddc0fda43622d387d567a42e092b603ebfde41345eed5d363b3c61d0c066ef8f8cc75a5bb8c0",
        ),
    };
    let sealed = from_hex("0100000000000000076465666768696a6b6c6d6e6f824d651630e67cd6673857a0b02c7c8f0648c3f4402f");
    let ring = KeyRing::open(&master, [wrapped]).unwrap();
    assert_eq!(reopen(&ring, &sealed).unwrap().expose(), PLAIN);
    assert_eq!(Sealed::from_bytes(&sealed).unwrap().to_bytes(), sealed);
}

#[test]
fn no_flipped_bit_opens() {
    // Flips in the key id of key 3 also reach the keys 1 and 2, which exist.
    let (_, ring, _) = ring(3);
    let bytes = ring.seal(PURPOSE, 42, PLAIN).unwrap().to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(reopen(&ring, &bytes).is_err(), "bit {bit}");
    }
    let mut other_key = bytes.clone();
    other_key[8] = 1;
    assert_eq!(reopen(&ring, &other_key).err(), Some(open_failed(PURPOSE, 42, 1)));
}

#[test]
fn no_other_length_opens() {
    let (_, ring, _) = ring(1);
    let mut bytes = ring.seal(PURPOSE, 42, PLAIN).unwrap().to_bytes();
    for length in 0..bytes.len() {
        assert!(reopen(&ring, &bytes[..length]).is_err(), "{length} bytes opened");
    }
    bytes.push(0);
    assert_eq!(reopen(&ring, &bytes).err(), Some(open_failed(PURPOSE, 42, 1)));
}

#[test]
fn malformed_values_say_what_is_wrong() {
    let head = |version: u8, key_id: u64, rest: usize| {
        let mut bytes = vec![version];
        bytes.extend_from_slice(&key_id.to_be_bytes());
        bytes.resize(9 + rest, 0);
        Sealed::from_bytes(&bytes)
    };
    let malformed = |what| Err(SealError::Malformed { what });
    assert_eq!(Sealed::from_bytes(&[]), malformed("it is empty"));
    assert_eq!(head(0, 1, 28), malformed("its version is unknown"));
    assert_eq!(head(2, 1, 28), malformed("its version is unknown"));
    assert_eq!(head(1, 0, 28), malformed("its data key id is out of range"));
    assert_eq!(head(1, KEY_ID_LIMIT + 1, 28), malformed("its data key id is out of range"));
    assert_eq!(head(1, 1, 27), malformed("it is cut off"));
    assert!(head(1, 1, 28).is_ok());
    assert!(head(1, 1, 28 + PLAIN_LIMIT_BYTES).is_ok());
    assert_eq!(head(1, 1, 29 + PLAIN_LIMIT_BYTES), malformed("it is too long"));
}

#[test]
fn a_value_opens_for_its_own_record_and_purpose_alone() {
    let (_, ring, _) = ring(1);
    let sealed = ring.seal(PURPOSE, 42, PLAIN).unwrap();
    for (purpose, id) in [(PURPOSE, 43), ("app-secreT", 42), ("app-secre", 42)] {
        let failed = ring.unseal(purpose, id, &sealed);
        assert_eq!(failed.err(), Some(open_failed(purpose, id, 1)));
    }
}

#[test]
fn limits_are_kept() {
    let (_, ring, _) = ring(1);
    let found = PLAIN_LIMIT_BYTES + 1;
    let too_long = ring.seal(PURPOSE, 42, &vec![0; found]);
    assert_eq!(too_long, Err(SealError::PlainTooLong { found }));
    let longest = "p".repeat(PURPOSE_LIMIT_BYTES);
    assert!(ring.seal(&longest, 42, PLAIN).is_ok());
    let sealed = ring.seal(PURPOSE, 42, PLAIN).unwrap();
    for found in [0, PURPOSE_LIMIT_BYTES + 1, 256 + 10] {
        let purpose = "p".repeat(found);
        let error = SealError::PurposeLength { found };
        assert_eq!(ring.seal(&purpose, 42, PLAIN), Err(error.clone()));
        assert_eq!(ring.unseal(&purpose, 42, &sealed).err(), Some(error));
    }
}

#[test]
fn the_same_value_never_seals_to_the_same_bytes() {
    let (_, ring, _) = ring(1);
    let mut seen = std::collections::HashSet::new();
    assert!((0..100).all(|_| seen.insert(ring.seal(PURPOSE, 42, PLAIN).unwrap().to_bytes())));
}

#[test]
fn another_master_key_is_refused_by_name() {
    let (master, mut ring, stored) = ring(1);
    let other = MasterKey::generate(&OsRandom).unwrap();
    let wrong = SealError::WrongMaster { needed: master.id().to_owned(), found: other.id().to_owned() };
    assert_eq!(KeyRing::open(&other, stored.clone()).err(), Some(wrong.clone()));
    assert_eq!(ring.new_data_key(&other, &OsRandom).err(), Some(wrong.clone()));
    assert_eq!(ring.add(&other, stored[0].clone()).err(), Some(wrong.clone()));
    assert_eq!(ring.rewrap_all(&other, &master).err(), Some(wrong));

    // Relabelled, it gets past the name and still does not unwrap.
    let mut relabelled = stored[0].clone();
    relabelled.master_id = other.id().to_owned();
    assert_eq!(KeyRing::open(&other, [relabelled]).err(), Some(SealError::CorruptKey { key_id: 1 }));
}

#[test]
fn an_altered_data_key_is_named() {
    let (master, _, stored) = ring(2);
    let corrupt = Some(SealError::CorruptKey { key_id: 2 });
    let open = |second: WrappedKey| KeyRing::open(&master, [stored[0].clone(), second]).err();
    let with_bytes = |bytes: Vec<u8>| {
        let second = stored[1].clone();
        open(WrappedKey { bytes, ..second })
    };
    let bytes = &stored[1].bytes;
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(with_bytes(bytes), corrupt, "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert_eq!(with_bytes(bytes[..length].to_vec()), corrupt);
    }
    // The first key under the second's number, and a master id of the wrong form.
    assert_eq!(with_bytes(stored[0].bytes.clone()), corrupt);
    let mut renamed = stored[1].clone();
    renamed.master_id = "\u{1b}[2J".to_owned();
    assert_eq!(open(renamed), corrupt);
    let mut doubled = stored[1].clone();
    doubled.key_id = 1;
    assert_eq!(open(doubled), Some(SealError::DuplicateKey { key_id: 1 }));
    for key_id in [0, KEY_ID_LIMIT + 1, u64::MAX] {
        let key = stored[1].clone();
        let out_of_range = open(WrappedKey { key_id, ..key });
        assert_eq!(out_of_range, Some(SealError::CorruptKey { key_id }));
    }
}

#[test]
fn a_new_data_key_takes_over_only_once_added() {
    let (master, mut ring, mut stored) = ring(1);
    let old = ring.seal(PURPOSE, 42, PLAIN).unwrap();
    let second = ring.new_data_key(&master, &OsRandom).unwrap();
    assert_eq!((second.key_id, ring.current_key_id()), (2, Some(1)));
    assert!(!ring.needs_reseal(&old));

    let before = ring.clone();
    ring.add(&master, second.clone()).unwrap();
    ring.add(&master, second.clone()).unwrap();
    assert!(ring.needs_reseal(&old));
    let plain = ring.unseal(PURPOSE, 42, &old).unwrap();
    let new = ring.seal(PURPOSE, 42, plain.expose()).unwrap();
    assert_eq!(new.key_id(), 2);
    assert!(!ring.needs_reseal(&new));

    // A node that has not seen the key yet neither opens nor downgrades it.
    assert!(!before.needs_reseal(&new));
    let unknown = Some(SealError::UnknownKey { key_id: 2 });
    assert_eq!(before.unseal(PURPOSE, 42, &new).err(), unknown);

    // The newest key seals in whatever order the store lists them.
    stored.insert(0, second);
    let ring = KeyRing::open(&master, stored).unwrap();
    assert_eq!(ring.current_key_id(), Some(2));
}

#[test]
fn master_key_rotation_keeps_every_value() {
    let (old, mut ring, stored) = ring(2);
    let sealed = ring.seal(PURPOSE, 42, PLAIN).unwrap();
    let new = MasterKey::generate(&OsRandom).unwrap();
    let rewrapped = ring.rewrap_all(&old, &new).unwrap();
    assert_eq!(rewrapped.iter().map(|key| key.key_id).sum::<u64>(), 3);

    let rotated = KeyRing::open(&new, rewrapped.clone()).unwrap();
    assert_eq!(rotated.master_id(), new.id());
    let plain = rotated.unseal(PURPOSE, 42, &sealed).unwrap();
    assert_eq!(plain.expose(), PLAIN);
    assert!(!rotated.needs_reseal(&sealed));
    assert!(KeyRing::open(&old, rewrapped.clone()).is_err());
    let mixed = [stored[0].clone(), rewrapped[1].clone()];
    assert!(KeyRing::open(&new, mixed).is_err());
    assert!(ring.add(&new, rewrapped[0].clone()).is_err());

    let id = old.id().to_owned();
    let same = ring.rewrap_all(&old, &old).err();
    assert_eq!(same, Some(SealError::SameMaster { id }));
}

#[test]
fn an_empty_ring_seals_nothing() {
    let (_, ring, _) = ring(0);
    assert_eq!(ring.seal(PURPOSE, 42, PLAIN).err(), Some(SealError::NoDataKey));
    assert_eq!(ring.current_key_id(), None);
}

#[test]
fn a_bad_random_source_makes_no_key() {
    let (master, ring, _) = ring(1);
    let failed = Some(SealError::Random(RandomFailed));
    for random in [&Failing as &dyn Random, &Lazy] {
        assert_eq!(MasterKey::generate(random).err(), failed);
        assert_eq!(ring.new_data_key(&master, random).err(), failed);
    }
}

#[test]
fn the_master_keys_text_is_checked() {
    let hex = "0123456789abcdef".repeat(4);
    let master = MasterKey::from_hex(&format!(" {}\r\n", hex.to_uppercase())).unwrap();
    assert_eq!(master.to_hex().expose_str(), Some(hex.as_str()));
    assert_eq!((master.id().len(), hex.contains(master.id())), (16, false));

    let error = |text: &str| MasterKey::from_hex(text).err();
    for found in [0, 63, 65] {
        let text = "a".repeat(found);
        assert_eq!(error(&text), Some(SealError::MasterLength { found }));
    }
    assert_eq!(error(&"00".repeat(32)), Some(SealError::MasterPlaceholder));
    for bad in ["é", "+1", "g0"] {
        let text = format!("{}{bad}", &hex[..62]);
        let position = 63;
        assert_eq!(error(&text), Some(SealError::MasterDigit { position }));
    }
}

#[test]
fn debug_and_errors_show_no_secret() {
    let (master, ring, stored) = ring(1);
    let sealed = ring.seal(PURPOSE, 42, PLAIN).unwrap();
    let secret = ring.unseal(PURPOSE, 42, &sealed).unwrap();
    let hex = master.to_hex();
    let shown = [
        format!("{master:?}"),
        format!("{hex:?}"),
        format!("{:?}", stored[0]),
        format!("{ring:?}"),
        format!("{sealed:?}"),
        format!("{secret:?}"),
    ];
    let master_id = master.id();
    let expected = [
        format!("MasterKey {{ id: {master_id:?}, .. }}"),
        "Secret(hidden)".to_owned(),
        format!("WrappedKey {{ key_id: 1, master_id: {master_id:?}, .. }}"),
        format!("KeyRing {{ master_id: {master_id:?}, key_ids: [1] }}"),
        "Sealed { key_id: 1, .. }".to_owned(),
        "Secret(hidden)".to_owned(),
    ];
    assert_eq!(shown, expected);

    // A mistyped master key is not repeated in the refusal.
    let mistyped = format!("{}zz", &hex.expose_str().unwrap()[..62]);
    let error = MasterKey::from_hex(&mistyped).unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(!said.contains(&mistyped[..8]) && !said.contains("zz"));
}

#[test]
fn keys_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<MasterKey>();
    shared::<KeyRing>();
    shared::<Secret>();
}
