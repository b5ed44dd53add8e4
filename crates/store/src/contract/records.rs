//! Records: they are read back as they were written, in order, and invalid ones are refused.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::human::Human;
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::noun::person::Person;
use valetkey_domain::{Change, Name, Record, RecordKey, Status};

use super::Home;
use super::world::*;
use crate::{CommitError, ContentWrite, Head, JobWrite, KeyRow, RefusalRow, TokenUse};

pub(super) async fn every_record_comes_back_as_it_was(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    const LAST: u64 = i64::MAX as u64;
    let mut far = token_of(LAST, 1);
    (far.created_at, far.expires_at, far.revoked_at) = (i64::MIN, Some(i64::MAX), Some(-1));
    let mut odd = Asset::from_record(asset(42, None)).unwrap();
    odd.name = Name::parse("👩\u{200D}👩\u{200D}👧 ﬀ \\ ' \" $1 ?1").unwrap();
    odd.created_at = -1;
    odd.deleted_at = Some(-1);
    let mut records = vec![
        terms(u32::MAX),
        kind(64),
        kind(254),
        connection(1, 11),
        connection(1, 12),
        connection(2, 11),
        installation(31, 11, 1),
        installation(31, 12, 1),
        installation(32, 11, 2),
        asset(41, Some(1)),
        Record::Asset(odd),
        share(41, 2, u32::MAX),
        share(41, 3, 0),
        assignment(21, 41, 1, u32::MAX),
        assignment(31, 41, 1, 6),
        assignment(31, 42, 1, 7),
        Record::Token(far),
        page_counter(100, 41, 1),
        page_counter(100, 42, i64::MAX.unsigned_abs()),
        // Its parent was never on record, or was removed.
        page_counter(99, 41, 7),
        code(1, 21, 1),
        code(2, 22, 2),
        human(84),
        passkey(91, 82),
        passkey(92, 82),
        passkey(93, 84),
    ];
    records.extend((0..30).map(|n| token(100 + n, 1 + n % 3)));
    world.done(&store, records.iter().map(|r| world.put([r.clone()])).collect()).await;
    let mut shown = Vec::new();
    let head = store.load(&mut |record| shown.push(record)).await.unwrap();
    assert_eq!(head, store.head().await.unwrap());
    // In the order that the port promises, which is not that of keys.
    let order: Vec<(usize, RecordKey)> = shown.iter().map(|r| (rank(r), r.key())).collect();
    assert!(order.is_sorted(), "{order:?}");
    let mut expected: BTreeMap<RecordKey, Record> = records.into_iter().map(|r| (r.key(), r)).collect();
    for n in 1..=3 {
        for record in [business(n), human(80 + n), app(10 + n, n), person(20 + n, n), system_user(30 + n, n)] {
            expected.insert(record.key(), record);
        }
    }
    assert_eq!(shown.into_iter().map(|r| (r.key(), r)).collect::<BTreeMap<_, _>>(), expected);
}

fn rank(record: &Record) -> usize {
    match record {
        Record::Terms(_) => 0,
        Record::DeclaredKind(_) => 1,
        Record::Business(_) => 2,
        Record::Human(_) => 3,
        Record::Passkey(_) => 4,
        Record::Person(_) => 5,
        Record::SystemUser(_) => 6,
        Record::App(_) => 7,
        Record::Connection(_) => 8,
        Record::Installation(_) => 9,
        Record::Asset(_) => 10,
        Record::Share(_) => 11,
        Record::Assignment(_) => 12,
        Record::Token(_) => 13,
        Record::PageCounter(_) => 14,
        Record::SignInCode(_) => 15,
    }
}

/// A record of a small universe, so that the same keys come again and again.
fn random_record(dice: &mut Dice) -> Record {
    let b = 1 + dice.below(3);
    match dice.below(16) {
        0 => business(b),
        1 => person(21 + dice.below(3), b),
        2 => system_user(31 + dice.below(3), b),
        3 => app(11 + dice.below(3), b),
        4 => connection(b, 11 + dice.below(3)),
        5 => installation(31 + dice.below(3), 11 + dice.below(3), b),
        6 => kind(64 + u8::try_from(dice.below(2)).unwrap()),
        7 => asset(41 + dice.below(4), dice.coin().then_some(b)),
        8 => share(41 + dice.below(4), b, u32::try_from(dice.below(1 << 32)).unwrap()),
        9 => assignment(31 + dice.below(3), 41 + dice.below(4), b, u32::try_from(dice.below(1 << 32)).unwrap()),
        10 => {
            let mut token = token_of(51 + dice.below(8), b);
            token.revoked_at = dice.coin().then_some(AT);
            Record::Token(token)
        }
        12 => page_counter(51 + dice.below(8), 41 + dice.below(4), dice.below(1 << 40)),
        11 => code(dice.below(3), 21 + dice.below(3), b),
        14 => human(81 + dice.below(3)),
        15 => passkey(91 + dice.below(3), 81 + dice.below(3)),
        _ => terms(u32::try_from(dice.below(5)).unwrap()),
    }
}

pub(super) async fn a_load_equals_the_fold_of_the_ledger(home: &dyn Home) {
    let mut store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    let mut model = loaded(&store).await;
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let mut writes = Vec::new();
        for _ in 0..=dice.below(4) {
            let mut changes = Vec::new();
            for _ in 0..=dice.below(4) {
                let record = random_record(&mut dice);
                let before = model.get(&record.key()).cloned();
                let others_need_it = matches!(
                    record,
                    Record::Business(_) | Record::App(_) | Record::Person(_) | Record::SystemUser(_) | Record::Human(_)
                );
                if before.is_some() && !others_need_it && dice.below(3) == 0 {
                    model.remove(&record.key());
                    changes.push(Change { before, after: None });
                } else {
                    model.insert(record.key(), record.clone());
                    changes.push(Change { before, after: Some(record) });
                }
            }
            writes.push(world.write(Some(id(1 + dice.below(3))), changes));
        }
        world.done(&store, writes).await;
        if seed % 20 == 19 {
            assert_eq!(loaded(&store).await, model, "after seed {seed}");
        }
    }
    let fold = |entries: Vec<crate::Entry>| {
        let mut fold = BTreeMap::new();
        for change in entries.iter().flat_map(|e| e.change_set().unwrap().changes) {
            match (change.key().unwrap(), change.after) {
                (key, Some(record)) => fold.insert(key, record),
                (key, None) => fold.remove(&key),
            };
        }
        fold
    };
    assert_eq!(fold(ledger(&store).await), model);
    drop(store);
    store = home.open().await;
    assert_eq!(loaded(&store).await, model);
    assert_eq!(fold(ledger(&store).await), model);
}

pub(super) async fn constraints_are_a_backstop(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    world.done(&store, vec![world.put([token(50, 1), kind(64), code(1, 21, 1), passkey(91, 82)])]).await;
    let with_email = |n: u64, email: &str, status: Status| {
        let person = Person::from_record(person(n, 1)).unwrap();
        Record::Person(Person { email: email.to_owned(), status, ..person })
    };
    let mut twin = token_of(51, 2);
    twin.digest = token_of(50, 1).digest;
    let twin_word = match (kind(64), kind(65)) {
        (Record::DeclaredKind(old), Record::DeclaredKind(new)) => {
            Record::DeclaredKind(valetkey_domain::DeclaredKind { word: old.word, ..new })
        }
        _ => unreachable!(),
    };
    let twin_human = match (human(81), human(84)) {
        (Record::Human(old), Record::Human(new)) => Record::Human(Human { email: old.email, ..new }),
        _ => unreachable!(),
    };
    let twin_key = match (passkey(91, 82), passkey(92, 81)) {
        (Record::Passkey(old), Record::Passkey(new)) => Record::Passkey(Passkey { credential: old.credential, ..new }),
        _ => unreachable!(),
    };
    let of_nobody = Record::Person(Person { human: Some(id(89)), ..Person::from_record(person(24, 1)).unwrap() });
    let broken = [
        twin_human,
        twin_key,
        of_nobody,
        passkey(93, 89),
        Record::Token(twin),
        twin_word,
        with_email(24, "p21@example.com", Status::Deactivated),
        person(24, 9),
        system_user(34, 9),
        app(14, 9),
        asset(41, Some(9)),
        connection(9, 11),
        connection(1, 19),
        installation(39, 11, 1),
        installation(31, 19, 1),
        share(41, 9, 1),
        assignment(31, 41, 9, 1),
        token(52, 9),
        code(2, 29, 1),
    ];
    let before = loaded(&store).await;
    for record in broken {
        let key = record.key();
        let result = world.commit(&store, vec![world.write(None, Vec::new()), world.put([record])]).await;
        assert!(matches!(result, Err(CommitError::Refused { index: 1, .. })), "{key:?}: {result:?}");
    }
    // A record that others refer to can't be removed.
    for record in [business(1), person(21, 1), human(82)] {
        let removal = world.write(None, vec![Change { before: Some(record), after: None }]);
        assert!(matches!(world.commit(&store, vec![removal]).await, Err(CommitError::Refused { index: 0, .. })));
    }
    assert_eq!(loaded(&store).await, before);
    // Addresses are compared byte by byte, and those of deleted people are free.
    let fine = [
        with_email(24, "P21@example.com", Status::Active),
        with_email(25, "p21@example.com", Status::Deleted),
        with_email(26, "é@example.com", Status::Active),
        with_email(27, "e\u{301}@example.com", Status::Active),
    ];
    world.done(&store, fine.into_iter().map(|r| world.put([r])).collect()).await;
}

pub(super) async fn a_load_shows_one_revision(home: &dyn Home) {
    let store = home.open().await;
    let world = Arc::new(World::default());
    world.furnish(&store).await;
    let stop = Arc::new(AtomicBool::new(false));
    // Each write changes two tables at once, so a load between two revisions would show.
    let writer = {
        let (store, world, stop) = (Arc::clone(&store), Arc::clone(&world), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) && n < 2_000 {
                world.done(&store, vec![world.put([asset(1_000 + n, Some(1)), token(100_000 + n, 1)])]).await;
                n += 1;
            }
        })
    };
    for _ in 0..20 {
        let (mut assets, mut tokens) = (0, 0);
        let head = store
            .load(&mut |record| {
                assets += u64::from(matches!(record, Record::Asset(_)));
                tokens += u64::from(matches!(record, Record::Token(_)));
            })
            .await
            .unwrap();
        assert_eq!((assets, tokens), (head.revision - 3, head.revision - 3));
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

pub(super) async fn reopening_keeps_everything(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    let write = crate::Write { content: vec![ContentWrite::Insert(content_row(1, 5))], ..world.put([token(50, 1)]) };
    let batch = world.batch(vec![write, world.about(id(70), vec![JobWrite::Insert(job(70, 9))], Vec::new())]);
    let commit_id = batch.commit_id;
    store.lock_head().await.unwrap().commit(batch).await.unwrap();
    let used = TokenUse { token: id(50), used_at: AT, ip: "2001:db8::1".to_owned(), count: 3 };
    let refusal = RefusalRow {
        trace: "A1".to_owned(),
        at: AT,
        business: None,
        token: None,
        source: "192.0.2.1".to_owned(),
        reason: "token_unknown".to_owned(),
        body: "{}".to_owned(),
    };
    let key = KeyRow { key_id: 1, master_id: "m".to_owned(), bytes: vec![0, 1, 255] };
    store.record_uses(std::slice::from_ref(&used)).await.unwrap();
    let quotas = crate::Quotas { businesses: 1, business: 1, strangers: 1, source: 1 };
    store.record_refusals(std::slice::from_ref(&refusal), quotas, i64::MIN).await.unwrap();
    store.replace_keys(std::slice::from_ref(&key)).await.unwrap();
    let (head, records, entries) = (store.head().await.unwrap(), loaded(&store).await, ledger(&store).await);
    assert_ne!(head, Head::EMPTY);
    drop(store);
    for _ in 0..2 {
        let store = home.open().await;
        assert_eq!(store.head().await.unwrap(), head);
        assert_eq!(loaded(&store).await, records);
        assert_eq!(ledger(&store).await, entries);
        assert_eq!(store.outcome(commit_id).await.unwrap(), Some((4, 5)));
        assert_eq!(store.content(id(1)).await.unwrap(), Some(content_row(1, 5)));
        assert_eq!(store.job(id(70)).await.unwrap(), Some(crate::Job { revision: Some(5), ..job(70, 9) }));
        assert_eq!(store.uses(&[id(50)]).await.unwrap(), vec![used.clone()]);
        assert_eq!(store.refusal("A1").await.unwrap(), Some(refusal.clone()));
        assert_eq!(store.keys().await.unwrap(), vec![key.clone()]);
    }
    let store = home.open().await;
    world.done(&store, vec![world.put([token(51, 1)])]).await;
    assert_eq!(store.head().await.unwrap().revision, head.revision + 1);
}
