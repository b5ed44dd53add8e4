//! Commits, revisions and the ledger.

use std::sync::Arc;

use valetkey_domain::change::ActorKind;
use valetkey_domain::{Action, Actor, Change, Record};

use super::Home;
use super::world::*;
use crate::ledger::Verifier;
use crate::payload::{Did, content_digest};
use crate::{Class, CommitError, ContentWrite, Head, JobWrite, Outcome, Store};

fn revisions(outcomes: &[Outcome]) -> Vec<u64> {
    outcomes
        .iter()
        .filter_map(|o| match o {
            Outcome::Applied { revision } => Some(*revision),
            Outcome::Conflict => None,
        })
        .collect()
}

/// Checks the whole chain, the chains of businesses, and that the head is the last entry's.
async fn verify(store: &Arc<dyn Store>) {
    let mut verifier = Verifier::default();
    let mut last_narrowing = 0;
    for entry in ledger(store).await {
        verifier.check(&entry).unwrap();
        if entry.narrows {
            last_narrowing = entry.revision;
        }
    }
    let head = store.head().await.unwrap();
    assert_eq!(verifier.last().unwrap_or((0, [0; 32])), (head.revision, head.hash));
    assert_eq!(head.last_narrowing, last_narrowing);
    let mut of_businesses = 0;
    for n in 1..=3 {
        let mut verifier = Verifier::of_business(id(n));
        for entry in store.tail_of(id(n), 0, usize::MAX).await.unwrap() {
            assert_eq!(entry.business, Some(id(n)));
            verifier.check(&entry).unwrap();
            of_businesses += 1;
        }
    }
    let others = ledger(store).await.iter().filter(|e| e.business.is_none()).count();
    assert_eq!(of_businesses + others, usize::try_from(head.revision).unwrap());
}

pub(super) async fn an_empty_store_has_nothing(home: &dyn Home) {
    let store = home.open().await;
    assert_eq!(store.head().await.unwrap(), Head::EMPTY);
    assert_eq!(store.lock_head().await.unwrap().head(), Head::EMPTY);
    assert!(loaded(&store).await.is_empty());
    assert!(ledger(&store).await.is_empty());
    assert_eq!(store.outcome([7; 16]).await.unwrap(), None);
    assert_eq!(store.content(id(1)).await.unwrap(), None);
    assert!(store.contents(&[]).await.unwrap().is_empty());
    assert!(store.uses(&[]).await.unwrap().is_empty());
    assert!(store.next_jobs().await.unwrap().is_empty());
    assert!(store.keys().await.unwrap().is_empty());
    assert!(store.refusals(None, 10).await.unwrap().is_empty());
    assert!(!store.engine().is_empty());
}

pub(super) async fn revisions_have_no_gaps_and_the_chain_verifies(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    let mut dice = Dice(1);
    let mut expected = 4;
    for round in 0..40u64 {
        let writes = (0..=dice.below(4)).map(|i| match dice.below(5) {
            0 => world.content(vec![ContentWrite::Insert(content_row(1_000 + round * 10 + i, 0))]),
            1 => world.put([terms(u32::try_from(round).unwrap())]),
            2 => {
                // An empty write is harmless.
                world.write(None, Vec::new())
            }
            _ => world.put([token(2_000 + round * 10 + i, 1 + dice.below(3))]),
        });
        let lock = store.lock_head().await.unwrap();
        assert_eq!(lock.head().revision, expected - 1);
        let batch = world.batch(writes.collect());
        let outcomes = lock.commit(batch).await.unwrap();
        for revision in revisions(&outcomes) {
            assert_eq!(revision, expected);
            expected += 1;
        }
        assert_eq!(store.head().await.unwrap().revision, expected - 1);
    }
    verify(&store).await;
    drop(store);
    verify(&home.open().await).await;
}

pub(super) async fn a_batch_is_whole(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    // A set that changes several records, and a second write that builds on the first.
    let one = world.put([asset(41, Some(1)), assignment(31, 41, 1, 3), token(50, 1)]);
    let mut token_51 = token_of(50, 1);
    token_51.revoked_at = Some(AT);
    let two = world.write(
        Some(id(1)),
        vec![
            Change { before: Some(token(50, 1)), after: Some(Record::Token(token_51.clone())) },
            Change { before: Some(assignment(31, 41, 1, 3)), after: None },
        ],
    );
    world.done(&store, vec![one, two]).await;
    let records = loaded(&store).await;
    assert_eq!(records.get(&token(50, 1).key()), Some(&Record::Token(token_51)));
    assert_eq!(records.get(&asset(41, None).key()), Some(&asset(41, Some(1))));
    assert!(!records.contains_key(&assignment(31, 41, 1, 3).key()));
    assert_eq!(store.head().await.unwrap().last_narrowing, 5);
}

pub(super) async fn a_conflict_fails_one_write_only(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    let mut newer = content_row(1, 5);
    newer.version = 2;
    let writes = vec![
        world.content(vec![ContentWrite::Insert(content_row(1, 5))]),
        // Its first half would hold, its second does not: neither may stay.
        world.content(vec![ContentWrite::Insert(content_row(2, 5)), ContentWrite::Insert(content_row(1, 5))]),
        world.content(vec![ContentWrite::Update { row: newer.clone(), expected: 1 }]),
        world.content(vec![ContentWrite::Update { row: newer.clone(), expected: 1 }]),
        world.content(vec![ContentWrite::Delete { id: id(1), expected: 1 }]),
        world.content(vec![ContentWrite::Update { row: content_row(99, 0), expected: 1 }]),
        // If one part of a write is refused, its records and jobs are not written either.
        crate::Write { content: vec![ContentWrite::Delete { id: id(98), expected: 1 }], ..world.put([token(60, 1)]) },
        world.about(id(70), vec![JobWrite::Insert(job(70, 1))], vec![ContentWrite::Delete { id: id(98), expected: 1 }]),
        world.about(
            id(71),
            vec![
                JobWrite::Insert(job(71, 1)),
                JobWrite::Finish { id: id(71), holder: "a".to_owned(), revision: 9, now: 0 },
            ],
            vec![ContentWrite::Insert(content_row(3, 5))],
        ),
        world.put([token(61, 1)]),
    ];
    let outcomes = world.commit(&store, writes).await.unwrap();
    let applied = |revision| Outcome::Applied { revision };
    let conflict = || Outcome::Conflict;
    assert_eq!(
        outcomes,
        vec![
            applied(4),
            conflict(),
            applied(5),
            conflict(),
            conflict(),
            conflict(),
            conflict(),
            conflict(),
            conflict(),
            applied(6)
        ]
    );
    assert_eq!(store.content(id(1)).await.unwrap(), Some(newer));
    for absent in [2, 3, 99] {
        assert_eq!(store.content(id(absent)).await.unwrap(), None, "{absent}");
    }
    assert!(store.next_jobs().await.unwrap().is_empty());
    let records = loaded(&store).await;
    assert!(records.contains_key(&token(61, 1).key()) && !records.contains_key(&token(60, 1).key()));
    verify(&store).await;
    // A batch in which nothing holds writes nothing.
    let head = store.head().await.unwrap();
    let writes = vec![world.content(vec![ContentWrite::Delete { id: id(1), expected: 9 }])];
    assert_eq!(world.commit(&store, writes).await.unwrap(), vec![Outcome::Conflict]);
    assert_eq!(world.commit(&store, Vec::new()).await.unwrap(), Vec::new());
    assert_eq!(store.head().await.unwrap(), head);
}

pub(super) async fn a_broken_constraint_names_the_write_and_leaves_nothing(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    world.done(&store, vec![world.put([token(50, 1)])]).await;
    let head = store.head().await.unwrap();
    let records = loaded(&store).await;
    let mut twin = token_of(51, 1);
    twin.digest = token_of(50, 1).digest;
    let batch = world.batch(vec![
        world.about(id(70), vec![JobWrite::Insert(job(70, 1))], vec![ContentWrite::Insert(content_row(1, 1))]),
        world.put([token(52, 1), asset(41, Some(2))]),
        world.put([token(53, 1), Record::Token(twin)]),
        world.put([token(54, 1)]),
    ]);
    let commit_id = batch.commit_id;
    let error = store.lock_head().await.unwrap().commit(batch).await.unwrap_err();
    assert!(matches!(&error, CommitError::Refused { index: 2, detail } if !detail.is_empty()), "{error:?}");
    assert_eq!(store.head().await.unwrap(), head);
    assert_eq!(loaded(&store).await, records);
    assert_eq!(store.content(id(1)).await.unwrap(), None);
    assert!(store.next_jobs().await.unwrap().is_empty());
    assert_eq!(store.outcome(commit_id).await.unwrap(), None);
    // The store still works.
    world.done(&store, vec![world.put([token(54, 1)])]).await;
    assert_eq!(store.head().await.unwrap().revision, head.revision + 1);
    verify(&store).await;
}

pub(super) async fn two_committers_exclude_each_other(home: &dyn Home) {
    let store = home.open().await;
    let world = Arc::new(World::default());
    world.furnish(&store).await;
    let other = home.join().await.unwrap_or_else(|| Arc::clone(&store));
    let mut tasks = Vec::new();
    for committer in 0..6u64 {
        let store = Arc::clone(if committer.is_multiple_of(2) { &store } else { &other });
        let world = Arc::clone(&world);
        tasks.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            for round in 0..15u64 {
                let lock = store.lock_head().await.unwrap();
                let head = lock.head();
                tokio::task::yield_now().await;
                let writes = vec![
                    world.put([token(1_000 + committer * 100 + round * 2, 1)]),
                    world.put([token(1_001 + committer * 100 + round * 2, 2)]),
                ];
                let batch = world.batch(writes);
                let outcomes = lock.commit(batch).await.unwrap();
                // Nobody came between the look at the head and the commit.
                assert_eq!(revisions(&outcomes), vec![head.revision + 1, head.revision + 2]);
                assert!(store.head().await.unwrap().revision >= head.revision + 2);
                seen.extend(revisions(&outcomes));
            }
            seen
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        let seen = task.await.unwrap();
        assert!(seen.is_sorted());
        all.extend(seen);
    }
    all.sort_unstable();
    assert_eq!(all, (4..4 + 180).collect::<Vec<_>>());
    for handle in [&store, &other] {
        verify(handle).await;
        assert_eq!(handle.head().await.unwrap().revision, 183);
    }
}

pub(super) async fn a_dropped_lock_lets_go(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    let lock = store.lock_head().await.unwrap();
    // While it is held, nobody else gets it.
    let waiter = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.lock_head().await.map(|l| l.head()) })
    };
    for _ in 0..20 {
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
    }
    drop(lock);
    assert_eq!(waiter.await.unwrap().unwrap(), Head::EMPTY);
    // A commit releases the lock, even one that is refused.
    world.furnish(&store).await;
    let orphan = world.put([token(50, 9)]);
    assert!(matches!(world.commit(&store, vec![orphan]).await, Err(CommitError::Refused { index: 0, .. })));
    world.done(&store, vec![world.put([token(50, 1)])]).await;
}

pub(super) async fn outcomes_are_found_by_commit(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    let batch = world.batch(vec![
        world.content(vec![ContentWrite::Delete { id: id(1), expected: 1 }]),
        world.put([token(50, 1)]),
        world.put([token(51, 1)]),
        world.put([token(52, 1)]),
    ]);
    let commit_id = batch.commit_id;
    let single = world.batch(vec![world.put([token(53, 1)])]);
    let single_id = single.commit_id;
    store.lock_head().await.unwrap().commit(batch).await.unwrap();
    store.lock_head().await.unwrap().commit(single).await.unwrap();
    assert_eq!(store.outcome(commit_id).await.unwrap(), Some((4, 6)));
    assert_eq!(store.outcome(single_id).await.unwrap(), Some((7, 7)));
    assert_eq!(store.outcome([0; 16]).await.unwrap(), None);
    // An answer that nobody waits for does not undo the commit.
    let batch = world.batch(vec![world.put([token(54, 1)])]);
    let commit_id = batch.commit_id;
    let lock = store.lock_head().await.unwrap();
    let task = tokio::spawn(lock.commit(batch));
    tokio::task::yield_now().await;
    task.abort();
    let _ = task.await;
    let head = store.lock_head().await.unwrap().head();
    let expected = (head.revision == 8).then_some((8, 8));
    assert_eq!(store.outcome(commit_id).await.unwrap(), expected);
    verify(&store).await;
}

pub(super) async fn tails_come_in_pages(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    for n in 0..7 {
        world.done(&store, vec![world.put([token(50 + n, 1 + n % 2)])]).await;
    }
    let all = ledger(&store).await;
    assert_eq!(all.len(), 10);
    let mut paged = Vec::new();
    loop {
        let after = paged.last().map_or(0, |e: &crate::Entry| e.revision);
        let page = store.tail(after, 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let of_two = |e: &&crate::Entry| e.business == Some(id(2));
    let expected: Vec<_> = all.iter().filter(of_two).cloned().collect();
    assert_eq!(store.tail_of(id(2), 0, usize::MAX).await.unwrap(), expected);
    assert_eq!(store.tail_of(id(2), expected[0].revision, 2).await.unwrap(), expected[1..3].to_vec());
    assert!(store.tail(10, 5).await.unwrap().is_empty());
    assert!(store.tail(0, 0).await.unwrap().is_empty());
    assert!(store.tail_of(id(7), 0, 5).await.unwrap().is_empty());
}

pub(super) async fn tails_go_backwards_in_pages(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    for n in 0..7 {
        world.done(&store, vec![world.put([token(50 + n, 1 + n % 2)])]).await;
    }
    let mut all = ledger(&store).await;
    all.reverse();
    for limit in [1, 3, 100] {
        let mut paged = Vec::new();
        loop {
            let before = paged.last().map_or(u64::MAX, |e: &crate::Entry| e.revision);
            let page = store.tail_before(before, limit).await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= limit);
            paged.extend(page);
        }
        assert_eq!(paged, all);
    }
    let expected: Vec<_> = all.iter().filter(|e| e.business == Some(id(2))).cloned().collect();
    assert!(expected.len() > 2);
    assert_eq!(store.tail_of_before(id(2), u64::MAX, usize::MAX).await.unwrap(), expected);
    assert_eq!(store.tail_of_before(id(2), expected[0].revision, 2).await.unwrap(), expected[1..3].to_vec());
    let last = expected.last().unwrap().revision;
    assert!(store.tail_of_before(id(2), last, 5).await.unwrap().is_empty());
    assert!(store.tail_before(1, 5).await.unwrap().is_empty());
    assert!(store.tail_before(0, 5).await.unwrap().is_empty());
    assert!(store.tail_before(u64::MAX, 0).await.unwrap().is_empty());
    assert!(store.tail_of_before(id(7), u64::MAX, 5).await.unwrap().is_empty());
    // An end beyond all entries begins with the newest, however large it is.
    assert_eq!(store.tail_before(i64::MAX as u64 + 1, 1).await.unwrap(), all[..1].to_vec());
}

pub(super) async fn entries_say_what_was_done(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    let mut write = world.put([token(i64::MAX as u64, 1)]);
    write.set.at = i64::MIN;
    write.set.action = Action::TokenIssued;
    write.set.actor = Actor { kind: ActorKind::SystemUser, id: Some(id(i64::MAX as u64)), token: Some(id(1)) };
    write.set.subjects = vec![id(i64::MAX as u64), id(1), id(7)];
    let set = write.set.clone();
    let mut body = content_row(1, 5);
    body.body = "{\"message\":\"e\u{301} 🧾 \\u0000 'q' \\\"\"}".to_owned();
    let mut content = world.content(vec![ContentWrite::Insert(body.clone())]);
    content.set.at = i64::MAX;
    // Records and content in one write: both stand in its entry.
    let both = crate::Write {
        content: vec![ContentWrite::Insert(content_row(2, 6)), ContentWrite::Delete { id: id(1), expected: 1 }],
        ..world.put([token(60, 1)])
    };
    let (content_salt, both_salt, both_set) = (content.salt, both.salt, both.set.clone());
    let batch = world.batch(vec![write, content, both]);
    let commit_id = batch.commit_id;
    store.lock_head().await.unwrap().commit(batch).await.unwrap();
    let entries = store.tail(3, 10).await.unwrap();
    assert_eq!(entries[0].change_set().unwrap(), set);
    assert_eq!(entries[0].class, Class::Authority);
    assert_eq!(entries[0].commit_id, commit_id);
    assert!(!entries[0].narrows);
    assert_eq!(entries[1].class, Class::Content);
    assert_eq!(entries[1].at, i64::MAX);
    assert!(entries[1].change_set().unwrap().changes.is_empty());
    // The entry holds a salted digest of the row, and not the row.
    let payload = entries[1].body.clone().unwrap();
    assert!(!payload.contains("message"));
    let line = entries[1].payload().unwrap().content.remove(0);
    assert_eq!(line.digest, Some(crate::ledger::to_hex(&content_digest(&content_salt, &body))));
    assert_eq!(entries[2].class, Class::Authority);
    assert_eq!(entries[2].change_set().unwrap(), both_set);
    let lines = entries[2].payload().unwrap().content;
    assert!(lines[0].left(&both_salt, &content_row(2, 6)));
    assert_eq!((lines[1].did, lines[1].id), (Did::Delete, id(1)));
    assert_eq!(store.content(id(1)).await.unwrap(), None);
    verify(&store).await;
}
