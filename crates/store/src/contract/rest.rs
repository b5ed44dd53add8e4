//! Uses, refusals, keys, and the lease of the one node.

use super::Home;
use super::world::*;
use crate::{KeyRow, LeaseOutcome, RefusalRow, TokenUse};

pub(super) async fn uses_add_up(home: &dyn Home) {
    let store = home.open().await;
    let used = |token: u64, used_at: i64, ip: &str, count: i64| TokenUse {
        token: id(token),
        used_at,
        ip: ip.to_owned(),
        count,
    };
    store.record_uses(&[used(1, 10, "a", 2), used(2, -5, "b", 1), used(1, 12, "c", 1)]).await.unwrap();
    store.record_uses(&[]).await.unwrap();
    // A late report adds to the count but does not turn the time back.
    store.record_uses(&[used(1, 11, "d", 4)]).await.unwrap();
    let mut uses = store.uses(&[id(2), id(1), id(3), id(1)]).await.unwrap();
    uses.sort_by_key(|u| u.token);
    assert_eq!(uses, vec![used(1, 12, "c", 7), used(2, -5, "b", 1)]);
    // More than fit into one question.
    let many: Vec<TokenUse> = (100..400).map(|n| used(n, 1, "x", 1)).collect();
    store.record_uses(&many).await.unwrap();
    let tokens: Vec<_> = (1..=1_000).map(id).collect();
    assert_eq!(store.uses(&tokens).await.unwrap().len(), 302);
}

fn refusal(trace: &str, at: i64, business: Option<u64>) -> RefusalRow {
    RefusalRow {
        trace: trace.to_owned(),
        at,
        business: business.map(id),
        token: business.map(|n| id(n + 50)),
        reason: "task_missing".to_owned(),
        body: format!("{{\"trace\":\"{trace}\"}}"),
    }
}

pub(super) async fn refusals_are_kept_by_count_and_age(home: &dyn Home) {
    let store = home.open().await;
    let traces = |rows: Vec<RefusalRow>| rows.into_iter().map(|r| r.trace).collect::<Vec<_>>();
    let rows = [refusal("a", 1, Some(1)), refusal("b", 2, Some(2)), refusal("c", 3, None), refusal("d", 4, Some(1))];
    store.record_refusals(&rows, 10, i64::MIN).await.unwrap();
    assert_eq!(store.refusal("b").await.unwrap(), Some(rows[1].clone()));
    assert_eq!(store.refusal("B").await.unwrap(), None);
    assert_eq!(store.refusals(None, 10).await.unwrap(), rows.iter().rev().cloned().collect::<Vec<_>>());
    assert_eq!(traces(store.refusals(Some(id(1)), 10).await.unwrap()), vec!["d", "a"]);
    assert_eq!(traces(store.refusals(None, 2).await.unwrap()), vec!["d", "c"]);
    assert!(store.refusals(None, 0).await.unwrap().is_empty());
    // By age: what is older than 2 goes. By count: the newest 3 stay.
    store.record_refusals(&[], 10, 2).await.unwrap();
    assert_eq!(traces(store.refusals(None, 10).await.unwrap()), vec!["d", "c", "b"]);
    store.record_refusals(&[refusal("e", 5, None)], 3, i64::MIN).await.unwrap();
    assert_eq!(traces(store.refusals(None, 10).await.unwrap()), vec!["e", "d", "c"]);
    // The same trace again replaces, so it takes no second place.
    store.record_refusals(&[refusal("c", 6, Some(3))], 3, i64::MIN).await.unwrap();
    assert_eq!(store.refusal("c").await.unwrap(), Some(refusal("c", 6, Some(3))));
    assert_eq!(traces(store.refusals(None, 10).await.unwrap()), vec!["c", "e", "d"]);
    // Of one moment, ties go by trace.
    store
        .record_refusals(&[refusal("y", 9, None), refusal("x", 9, None), refusal("z", 9, None)], 2, i64::MIN)
        .await
        .unwrap();
    assert_eq!(traces(store.refusals(None, 10).await.unwrap()), vec!["z", "y"]);
    store.record_refusals(&[refusal("q", 10, None)], 0, i64::MIN).await.unwrap();
    assert!(store.refusals(None, 10).await.unwrap().is_empty());
}

pub(super) async fn texts_compare_byte_by_byte(home: &dyn Home) {
    let store = home.open().await;
    let texts = ["", " ", "A", "Z", "a", "aa", "ab", "b", "e\u{301}", "é", "z", "ä", "ß", "ﬀ", "中", "\u{FFFD}", "🧾"];
    let rows: Vec<RefusalRow> = texts.iter().map(|t| refusal(t, 1, None)).collect();
    store.record_refusals(&rows, 100, i64::MIN).await.unwrap();
    let mut expected: Vec<Vec<u8>> = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
    expected.sort();
    expected.reverse();
    let found: Vec<Vec<u8>> =
        store.refusals(None, 100).await.unwrap().into_iter().map(|r| r.trace.into_bytes()).collect();
    assert_eq!(found, expected);
    for row in rows {
        assert_eq!(store.refusal(&row.trace).await.unwrap(), Some(row));
    }
}

pub(super) async fn keys_are_replaced_as_one(home: &dyn Home) {
    let store = home.open().await;
    let key =
        |key_id: u64, bytes: &[u8]| KeyRow { key_id, master_id: format!("master {key_id}"), bytes: bytes.to_vec() };
    let last = i64::MAX as u64;
    store.replace_keys(&[key(last, &[1]), key(1, &[]), key(2, &[0, 255])]).await.unwrap();
    assert_eq!(store.keys().await.unwrap(), vec![key(1, &[]), key(2, &[0, 255]), key(last, &[1])]);
    store.replace_keys(&[key(2, &[7]), key(3, &[8])]).await.unwrap();
    let kept = vec![key(2, &[7]), key(3, &[8])];
    assert_eq!(store.keys().await.unwrap(), kept);
    // A list that can't be stored leaves the old one whole.
    assert!(store.replace_keys(&[key(4, &[9]), key(5, &[9]), key(4, &[9])]).await.is_err());
    assert!(store.replace_keys(&[key(6, &[9]), key(last + 1, &[9])]).await.is_err());
    assert_eq!(store.keys().await.unwrap(), kept);
    store.replace_keys(&[]).await.unwrap();
    assert!(store.keys().await.unwrap().is_empty());
}

pub(super) async fn one_node_holds_the_lease(home: &dyn Home) {
    const HOUR_MS: i64 = 3_600_000;
    let store = home.open().await;
    assert_eq!(store.hold_lease("a", HOUR_MS).await.unwrap(), LeaseOutcome::Held);
    match store.hold_lease("b", HOUR_MS).await.unwrap() {
        LeaseOutcome::Taken { holder, remaining_ms } => {
            assert_eq!(holder, "a");
            assert!((1..=HOUR_MS).contains(&remaining_ms), "{remaining_ms}");
        }
        LeaseOutcome::Held => panic!("two nodes hold the lease"),
    }
    assert_eq!(store.hold_lease("a", 2 * HOUR_MS).await.unwrap(), LeaseOutcome::Held);
    // Nobody gives back what another holds.
    store.release_lease("b").await.unwrap();
    assert!(
        matches!(store.hold_lease("b", 1).await.unwrap(), LeaseOutcome::Taken { remaining_ms, .. } if remaining_ms > HOUR_MS)
    );
    store.release_lease("a").await.unwrap();
    store.release_lease("a").await.unwrap();
    assert_eq!(store.hold_lease("b", HOUR_MS).await.unwrap(), LeaseOutcome::Held);
    // A lease that has run out may be taken by anybody.
    assert_eq!(store.hold_lease("b", 0).await.unwrap(), LeaseOutcome::Held);
    assert_eq!(store.hold_lease("a", HOUR_MS).await.unwrap(), LeaseOutcome::Held);
    assert!(matches!(store.hold_lease("b", HOUR_MS).await.unwrap(), LeaseOutcome::Taken { .. }));
}
