//! The chain: which changes are noticed, and which old entries can still be read.

use super::*;
use valetkey_domain::{BusinessId, Id};

fn id<Of>(n: u64) -> Id<Of> {
    Id::new(n).unwrap()
}

/// A chain of six entries of two businesses and none.
fn chain() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for n in 0..6u64 {
        let business = [Some(id(1)), Some(id(2)), None][(n % 3) as usize];
        let actor = Actor { kind: ActorKind::Operator, id: Some(id(n + 1)), token: None };
        let set = ChangeSet {
            at: 5,
            action: Action::TokenIssued,
            actor,
            business,
            subjects: vec![id(7), id(8)],
            changes: Vec::new(),
        };
        let write = Write { set, content: Vec::new(), jobs: Vec::new(), salt: [n as u8; 16] };
        let link = Link {
            revision: n + 1,
            prev: entries.last().map_or([0; 32], |e| e.hash),
            business_prev: entries
                .iter()
                .rev()
                .find(|e| business.is_some() && e.business == business)
                .map_or([0; 32], |e| e.hash),
        };
        entries.push(Entry::of_write(&write, [9; 16], link).unwrap());
    }
    entries
}

fn verify(entries: &[Entry]) -> Result<Verifier, ChainError> {
    let mut verifier = Verifier::default();
    entries.iter().try_for_each(|e| verifier.check(e))?;
    Ok(verifier)
}

#[test]
fn a_change_of_any_field_is_noticed() {
    let good = chain();
    assert_eq!(verify(&good).unwrap().entries, 6);
    let changes: [fn(&mut Entry); 15] = [
        |e| e.format = FIRST_FORMAT,
        |e| e.revision += 10,
        |e| e.at += 1,
        |e| e.commit_id[0] ^= 1,
        |e| e.class = Class::Authority,
        |e| e.action.push('s'),
        |e| e.actor.kind = ActorKind::App,
        |e| e.actor.id = None,
        |e| e.actor.token = Some(id(1)),
        |e| e.business = Some(id(3)),
        |e| e.subjects.swap(0, 1),
        |e| e.narrows = true,
        |e| e.body = Some("[{}]".to_owned()),
        |e| e.salt[0] ^= 1,
        |e| e.prev[0] ^= 1,
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut bad = good.clone();
        change(&mut bad[3]);
        assert!(verify(&bad).is_err(), "change {n} goes unnoticed");
        // If the altered entry is hashed anew, the next entry shows it.
        if bad[3].body == good[3].body && bad[3].salt == good[3].salt {
            bad[3].hash = bad[3].chain_hash();
            assert!(verify(&bad).is_err(), "change {n} with a new hash goes unnoticed");
        }
    }
}

#[test]
fn entries_that_are_missing_doubled_or_out_of_order_are_noticed() {
    let good = chain();
    let without =
        |n: usize| good.iter().enumerate().filter(|(i, _)| *i != n).map(|(_, e)| e.clone()).collect::<Vec<_>>();
    assert_eq!(verify(&without(2)).unwrap_err(), ChainError::Gap { after: 2, revision: 4 });
    assert_eq!(verify(&without(0)).unwrap_err(), ChainError::Gap { after: 0, revision: 2 });
    let mut doubled = good.clone();
    doubled.insert(3, good[2].clone());
    assert_eq!(verify(&doubled).unwrap_err(), ChainError::Link { revision: 3 });
    let mut swapped = good.clone();
    swapped.swap(1, 2);
    assert!(verify(&swapped).is_err());
    // The chain of one business shows what is missing in it.
    let mut verifier = Verifier::of_business(id(1));
    assert_eq!(verifier.check(&good[3]), Err(ChainError::Link { revision: 4 }));
}

#[test]
fn one_businesss_entries_are_its_own_alone() {
    let good = chain();
    let check = |shown: &[usize]| {
        let mut verifier = Verifier::of_business(id(1));
        shown.iter().try_for_each(|n| verifier.check(&good[*n])).map(|()| verifier.entries)
    };
    assert_eq!(check(&[0, 3]), Ok(2));
    // Entries of another business, or of none, are not part of this chain.
    let foreign = |revision| Err(ChainError::Foreign { revision, wanted: id(1) });
    assert_eq!(check(&[0, 1, 3]), foreign(2));
    assert_eq!(check(&[0, 2, 3]), foreign(3));
    assert_eq!(check(&[2]), foreign(3));
}

#[test]
fn a_payload_that_is_gone_is_named_and_the_chain_behind_it_still_checked() {
    let mut entries = chain();
    entries[2].body = None;
    assert_eq!(verify(&entries).unwrap_err(), ChainError::NoPayload { revision: 3 });
    assert!(entries[2].payload().unwrap_err().contains("entry 3"));
    entries[4].at += 1;
    let mut verifier = Verifier::default();
    let problems: Vec<ChainError> = entries.iter().filter_map(|e| verifier.check(e).err()).take(2).collect();
    assert_eq!(problems, [ChainError::NoPayload { revision: 3 }, ChainError::Hash { revision: 5 }]);
}

#[test]
fn no_byte_moves_between_salt_and_payload() {
    for (salt, body) in [(vec![3; 17], "]"), (vec![3; 15], "\u{3}[]"), (Vec::new(), "[]")] {
        let mut entries = chain();
        let entry = &mut entries[3];
        entry.salt = salt;
        entry.body = Some(body.to_owned());
        entry.digest = payload_digest(&entry.salt, body);
        entry.hash = entry.chain_hash();
        let bytes = entry.salt.len();
        assert_eq!(verify(&entries).unwrap_err(), ChainError::Salt { revision: 4, bytes });
    }
}

#[test]
fn debug_shows_no_payload() {
    let mut entry = chain().remove(0);
    entry.body = Some("sealed".to_owned());
    let shown = format!("{entry:?}");
    assert!(shown.contains("revision: 1") && !shown.contains("sealed"), "{shown}");
}

#[test]
fn entries_come_back_from_json_and_an_unknown_change_is_refused() {
    let entry = chain().remove(1);
    let text = serde_json::to_string(&entry).unwrap();
    assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
    let mut strange = Entry { class: Class::Authority, ..entry };
    strange.body = Some("[{\"after\":{\"spaceship\":{}}}]".to_owned());
    assert!(strange.change_set().unwrap_err().contains("entry 2"));
    let newer = Entry { format: FORMAT + 1, body: Some("[]".to_owned()), ..strange.clone() };
    assert!(newer.change_set().unwrap_err().contains("format 3"));
    let newer = Entry { class: Class::Content, ..newer };
    assert!(newer.change_set().unwrap_err().contains("format 3"));
    strange.action = "launched".to_owned();
    assert!(strange.change_set().unwrap_err().contains("launched"));
}

#[test]
fn hexadecimal_is_read_strictly() {
    assert_eq!(from_hex("00fFA1"), Some(vec![0, 255, 161]));
    for bad in ["0", "+f", "0x", "zz", " 1", "é"] {
        assert_eq!(from_hex(bad), None, "{bad}");
    }
}

#[test]
fn entries_of_the_first_format_still_verify() {
    let mut entries = chain();
    let mut prev = [0; 32];
    let mut of_business: std::collections::HashMap<BusinessId, [u8; 32]> = std::collections::HashMap::new();
    // The first four are from a version that did not enter jobs in the ledger.
    for entry in &mut entries {
        entry.format = if entry.revision <= 4 { FIRST_FORMAT } else { FORMAT };
        entry.prev = prev;
        entry.business_prev = entry.business.and_then(|b| of_business.get(&b)).copied().unwrap_or([0; 32]);
        entry.hash = entry.chain_hash();
        prev = entry.hash;
        entry.business.map(|b| of_business.insert(b, entry.hash));
    }
    assert_eq!(verify(&entries).unwrap().entries, 6);
    assert!(entries.iter().all(|e| e.payload().is_ok() && e.change_set().is_ok()));
    for format in [0, FORMAT + 1] {
        let mut strange = entries.clone();
        strange[2].format = format;
        strange[2].hash = strange[2].chain_hash();
        assert_eq!(verify(&strange).unwrap_err(), ChainError::Format { revision: 3, format });
    }
}
