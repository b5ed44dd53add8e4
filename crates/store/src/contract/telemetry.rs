//! Uses, what tokens are used for, and the journal of refusals with its quotas.

use valetkey_domain::{Scope, UnixMs};

use super::Home;
use super::world::*;
use crate::telemetry::{Quotas, REFUSALS_AT_ONCE, Usage, UsageBounds, UsageQuery, UsedFor};
use crate::{MemoryStore, RefusalRow, Store, TokenUse};

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
    // A late report adds to the count but does not move the time of the last use back.
    store.record_uses(&[used(1, 11, "d", 4)]).await.unwrap();
    let mut uses = store.uses(&[id(2), id(1), id(3), id(1)]).await.unwrap();
    uses.sort_by_key(|u| u.token);
    assert_eq!(uses, vec![used(1, 12, "c", 7), used(2, -5, "b", 1)]);
    // More than fit into one question, and into one transaction.
    let many: Vec<TokenUse> = (100..2_400).map(|n| used(n, 1, "x", 1)).collect();
    store.record_uses(&many).await.unwrap();
    let tokens: Vec<_> = (1..=3_000).map(id).collect();
    assert_eq!(store.uses(&tokens).await.unwrap().len(), 2_302);
}

const DAY: i64 = 20_000;
const ROOMY: UsageBounds = UsageBounds { rows_a_day: 100, first_day: 0 };

fn right(scope: &str, asset: Option<u64>, task: Option<u8>) -> UsedFor {
    UsedFor::Right { scope: Scope::parse(scope), asset: asset.map(id), task }
}

fn usage(token: u64, day: i64, what: UsedFor, at: (UnixMs, UnixMs), count: i64) -> Usage {
    let (first_at, last_at) = at;
    let (ip, user_agent) = (format!("ip {last_at}"), format!("agent {last_at}"));
    Usage { token: id(token), day, what, first_at, last_at, ip, user_agent, count }
}

fn all_of(token: u64) -> UsageQuery {
    UsageQuery { token: id(token), days: (i64::MIN, i64::MAX), after: None, limit: 10_000 }
}

pub(super) async fn usage_adds_up_by_day_and_right(home: &dyn Home) {
    let store = home.open().await;
    let post = right("pages_manage_posts", Some(7), Some(1));
    let rows = [
        usage(1, DAY, post, (10, 20), 2),
        usage(1, DAY, right("ads_read", Some(7), None), (11, 11), 1),
        usage(1, DAY, right("", None, None), (12, 12), 1),
        usage(1, DAY + 1, post, (5, 30), 3),
        usage(2, DAY, post, (1, 2), 9),
    ];
    store.record_usage(&rows, ROOMY).await.unwrap();
    store.record_usage(&[], ROOMY).await.unwrap();
    // A late report may move the first use back, but not the last one.
    store.record_usage(&[usage(1, DAY, post, (3, 15), 4), usage(2, DAY, post, (5, 9), 1)], ROOMY).await.unwrap();
    let expected =
        vec![rows[3].clone(), Usage { first_at: 3, count: 6, ..rows[0].clone() }, rows[1].clone(), rows[2].clone()];
    assert_eq!(store.usage(&all_of(1)).await.unwrap(), expected);
    assert_eq!(store.usage(&all_of(2)).await.unwrap(), vec![Usage { first_at: 1, ..usage(2, DAY, post, (1, 9), 10) }]);
    assert!(store.usage(&all_of(3)).await.unwrap().is_empty());
    // By days, and page by page.
    assert_eq!(store.usage(&UsageQuery { days: (DAY, DAY), ..all_of(1) }).await.unwrap(), expected[1..]);
    let mut paged = Vec::new();
    let mut query = UsageQuery { limit: 1, ..all_of(1) };
    while let Some(row) = store.usage(&query).await.unwrap().pop() {
        query.after = Some((row.day, row.what));
        paged.push(row);
    }
    assert_eq!(paged, expected);
}

pub(super) async fn usage_is_bounded_by_day_and_age(home: &dyn Home) {
    let store = home.open().await;
    let bounds = UsageBounds { rows_a_day: 3, first_day: 0 };
    let asset = |n: u64| right("ads_read", Some(n), None);
    let rows: Vec<Usage> = (1..=6).map(|n| usage(1, DAY, asset(n), (n as i64, n as i64), 10)).collect();
    store.record_usage(&rows, bounds).await.unwrap();
    let expected = |known: i64, other: (i64, i64, i64)| {
        let known = (1..=3).rev().map(|n| Usage { count: known, ..rows[n - 1].clone() });
        known.chain([usage(1, DAY, UsedFor::Other, (other.0, other.1), other.2)]).collect::<Vec<_>>()
    };
    assert_eq!(store.usage(&all_of(1)).await.unwrap(), expected(10, (4, 6, 30)));
    // A use that has a row still adds to it. Another day and another token have rows of their own.
    let more: Vec<Usage> = rows.iter().map(|row| Usage { count: 1, ..row.clone() }).collect();
    store.record_usage(&more, bounds).await.unwrap();
    assert_eq!(store.usage(&all_of(1)).await.unwrap(), expected(11, (4, 6, 33)));
    let elsewhere = [usage(1, DAY + 1, asset(9), (9, 9), 1), usage(2, DAY, asset(9), (9, 9), 1)];
    store.record_usage(&elsewhere, bounds).await.unwrap();
    assert_eq!(store.usage(&UsageQuery { days: (DAY + 1, DAY + 1), ..all_of(1) }).await.unwrap(), elsewhere[..1]);
    assert_eq!(store.usage(&all_of(2)).await.unwrap(), elsewhere[1..]);
    // Rows of days that are too old are dropped, for every token.
    store.record_usage(&[], UsageBounds { first_day: DAY + 1, ..bounds }).await.unwrap();
    assert_eq!(store.usage(&all_of(1)).await.unwrap(), elsewhere[..1]);
    assert!(store.usage(&all_of(2)).await.unwrap().is_empty());
    // More than fit into one transaction.
    let many: Vec<Usage> = (1..=2_500).map(|n| usage(5, DAY, asset(n), (1, 1), 1)).collect();
    store.record_usage(&many, UsageBounds { rows_a_day: 2_000, first_day: 0 }).await.unwrap();
    let found = store.usage(&all_of(5)).await.unwrap();
    assert_eq!((found.len(), found.iter().map(|row| row.count).sum::<i64>()), (2_001, 2_500));
}

const NO_AGE: UnixMs = i64::MIN;
const AMPLE: Quotas = Quotas { businesses: 1_000_000, business: 1_000_000, strangers: 1_000_000, source: 1_000_000 };

/// A refusal of a business or of nobody, from a source.
fn from(trace: &str, at: UnixMs, business: Option<u64>, source: &str) -> RefusalRow {
    RefusalRow {
        trace: trace.to_owned(),
        at,
        business: business.map(id),
        token: business.map(|n| id(n + 50)),
        source: source.to_owned(),
        reason: "task_missing".to_owned(),
        body: format!("{{\"trace\":\"{trace}\"}}"),
    }
}

fn refusal(trace: &str, at: UnixMs, business: Option<u64>) -> RefusalRow {
    from(trace, at, business, "s")
}

async fn traces(store: &dyn Store) -> Vec<String> {
    store.refusals(None, 10_000).await.unwrap().into_iter().map(|r| r.trace).collect()
}

pub(super) async fn refusals_are_found_by_trace_and_kept_by_age(home: &dyn Home) {
    let store = home.open().await;
    let rows = [refusal("a", 1, Some(1)), refusal("b", 2, Some(2)), refusal("c", 3, None), refusal("d", 4, Some(1))];
    store.record_refusals(&rows, AMPLE, NO_AGE).await.unwrap();
    assert_eq!(store.refusal("b").await.unwrap(), Some(rows[1].clone()));
    assert_eq!(store.refusal("B").await.unwrap(), None);
    assert_eq!(store.refusals(None, 10).await.unwrap(), rows.iter().rev().cloned().collect::<Vec<_>>());
    let of_one = store.refusals(Some(id(1)), 10).await.unwrap();
    assert_eq!(of_one, vec![rows[3].clone(), rows[0].clone()]);
    assert_eq!(store.refusals(None, 2).await.unwrap().len(), 2);
    assert!(store.refusals(None, 0).await.unwrap().is_empty());
    // Rows older than 2 are dropped, and new ones as old are not stored.
    store.record_refusals(&[refusal("old", 1, None)], AMPLE, 2).await.unwrap();
    assert_eq!(traces(&*store).await, ["d", "c", "b"]);
    // The same trace again replaces, wherever it comes from.
    let moved = [from("c", 6, Some(3), "t"), from("c", 5, Some(2), "u")];
    store.record_refusals(&[moved[1].clone(), moved[0].clone()], AMPLE, NO_AGE).await.unwrap();
    assert_eq!(store.refusal("c").await.unwrap(), Some(moved[0].clone()));
    assert_eq!(traces(&*store).await, ["c", "d", "b"]);
    // So it counts once: with a quota of three, three rows of two sources stay.
    let three = Quotas { businesses: 3, ..AMPLE };
    store.record_refusals(&[moved[0].clone()], three, NO_AGE).await.unwrap();
    assert_eq!(traces(&*store).await, ["c", "d", "b"]);
    // More than are dropped at once.
    let many: Vec<RefusalRow> = (0..5_000).map(|n| refusal(&format!("m{n}"), 2, None)).collect();
    store.record_refusals(&many, AMPLE, NO_AGE).await.unwrap();
    store.record_refusals(&[], AMPLE, 3).await.unwrap();
    assert_eq!(traces(&*store).await, ["c", "d"]);
    store.record_refusals(&many, AMPLE, NO_AGE).await.unwrap();
    store.record_refusals(&[], Quotas { strangers: 2, ..AMPLE }, NO_AGE).await.unwrap();
    assert_eq!(traces(&*store).await, ["c", "d", "m999", "m998"]);
}

pub(super) async fn refusals_of_strangers_leave_those_of_businesses(home: &dyn Home) {
    let store = home.open().await;
    let quotas = Quotas { businesses: 6, business: 6, strangers: 4, source: 3 };
    let own: Vec<RefusalRow> = (0..6).map(|n| from(&format!("own{n}"), n, Some(1 + n as u64 % 2), "t")).collect();
    store.record_refusals(&own, quotas, NO_AGE).await.unwrap();
    // One source after the other, then all at once; all newer than what the businesses have.
    for n in 0..40 {
        let row = from(&format!("one{n}"), 100 + n, None, &format!("s{}", n % 7));
        store.record_refusals(&[row], quotas, NO_AGE).await.unwrap();
    }
    let flood: Vec<RefusalRow> =
        (0..600).map(|n| from(&format!("all{n}"), 1_000 + n, None, &format!("f{n}"))).collect();
    store.record_refusals(&flood, quotas, NO_AGE).await.unwrap();
    let left = traces(&*store).await;
    let (strangers, businesses) = left.split_at(4);
    // Of sources with as many rows, the one with the oldest loses it.
    assert_eq!(strangers, ["all599", "all598", "all597", "all596"]);
    assert_eq!(businesses, ["own5", "own4", "own3", "own2", "own1", "own0"]);
    // A source that holds one row keeps it while another has more.
    let few = [from("quiet", 2_000, None, "quiet")];
    store.record_refusals(&few, quotas, NO_AGE).await.unwrap();
    for n in 0..9 {
        store.record_refusals(&[from(&format!("loud{n}"), 3_000 + n, None, "loud")], quotas, NO_AGE).await.unwrap();
    }
    assert_eq!(traces(&*store).await[..4], ["loud8", "quiet", "all599", "all598"]);
}

pub(super) async fn whoever_holds_most_refusals_loses_the_oldest(home: &dyn Home) {
    let store = home.open().await;
    let quotas = Quotas { businesses: 10, business: 7, strangers: 1, source: 5 };
    let put = async |name: &str, business: u64, source: &str, count: i64, at: i64| {
        let row = |n| from(&format!("{name}{n}"), at + n, Some(business), source);
        store.record_refusals(&(0..count).map(row).collect::<Vec<_>>(), quotas, NO_AGE).await.unwrap();
    };
    // One token may hold five rows.
    put("a", 1, "token a", 6, 10).await;
    assert_eq!(traces(&*store).await, ["a5", "a4", "a3", "a2", "a1"]);
    // A business may hold seven: the token with most rows loses its oldest, though the other token has
    // an older one.
    put("b", 1, "token b", 3, 0).await;
    assert_eq!(traces(&*store).await, ["a5", "a4", "a3", "a2", "b2", "b1", "b0"]);
    // All businesses may hold ten: another one takes rows from the one that holds most.
    put("c", 2, "token c", 4, 50).await;
    assert_eq!(traces(&*store).await, ["c3", "c2", "c1", "c0", "a5", "a4", "a3", "b2", "b1", "b0"]);
    // Once it holds most itself, it loses its own rows, and can't displace the other's.
    put("d", 2, "token d", 5, 100).await;
    put("e", 2, "token e", 5, 200).await;
    assert_eq!(store.refusals(Some(id(1)), 99).await.unwrap().len(), 5);
    assert_eq!(store.refusals(Some(id(2)), 99).await.unwrap().len(), 5);
    // A quota of 0 keeps nothing.
    let nothing = Quotas { businesses: 0, ..quotas };
    store.record_refusals(&[refusal("z", 900, Some(4))], nothing, NO_AGE).await.unwrap();
    assert!(traces(&*store).await.is_empty());
}

/// The engines against the model, over refusals that are drawn by a seed.
pub(super) async fn quotas_hold_for_refusals_of_any_order(home: &dyn Home) {
    let store = home.open().await;
    let model = MemoryStore::new();
    let mut seed = 0x5DEE_CE66_u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for step in 0..60u64 {
        let quotas = Quotas {
            businesses: 20 + draw(30),
            business: 10 + draw(20),
            strangers: 5 + draw(20),
            source: 1 + draw(12),
        };
        let count = if step % 20 == 19 { REFUSALS_AT_ONCE as u64 + 40 } else { draw(25) };
        let rows: Vec<RefusalRow> = (0..count)
            .map(|_| {
                let business = Some(draw(4)).filter(|n| *n > 0);
                let at = (step * 10 + draw(30)) as i64;
                from(&format!("{}", draw(400)), at, business, &format!("s{}", draw(6)))
            })
            .collect();
        let not_before = (step * 10) as i64 - 150 + draw(50) as i64;
        store.record_refusals(&rows, quotas, not_before).await.unwrap();
        model.record_refusals(&rows, quotas, not_before).await.unwrap();
        let (found, expected) = (store.refusals(None, 10_000).await, model.refusals(None, 10_000).await);
        let (found, expected) = (found.unwrap(), expected.unwrap());
        assert_eq!(found, expected, "step {step}");
        let of = |business: Option<u64>| found.iter().filter(|row| row.business == business.map(id)).count() as u64;
        assert!(of(None) <= quotas.strangers);
        assert!((1..4).all(|n| of(Some(n)) <= quotas.business));
        assert!(found.len() as u64 - of(None) <= quotas.businesses);
    }
}

pub(super) async fn texts_compare_byte_by_byte(home: &dyn Home) {
    let store = home.open().await;
    let texts = ["", " ", "A", "Z", "a", "aa", "ab", "b", "e\u{301}", "é", "z", "ä", "ß", "ﬀ", "中", "\u{FFFD}", "🧾"];
    let rows: Vec<RefusalRow> = texts.iter().map(|t| refusal(t, 1, None)).collect();
    store.record_refusals(&rows, AMPLE, NO_AGE).await.unwrap();
    let mut expected: Vec<Vec<u8>> = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
    expected.sort();
    expected.reverse();
    let found: Vec<Vec<u8>> = traces(&*store).await.into_iter().map(String::into_bytes).collect();
    assert_eq!(found, expected);
    for row in rows {
        assert_eq!(store.refusal(&row.trace).await.unwrap(), Some(row));
    }
}
