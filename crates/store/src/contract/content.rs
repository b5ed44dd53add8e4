//! Content: versions, lists in both directions, counts.

use std::sync::Arc;

use super::Home;
use super::world::*;
use crate::{Content, ContentQuery, ContentWrite, Outcome, Store};

pub(super) async fn content_changes_by_version(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    let mut row = Content {
        id: id(i64::MAX as u64),
        kind: u8::MAX,
        asset: id(1),
        parent: id(2),
        status: "e\u{301}é🧾".to_owned(),
        sort_at: i64::MIN,
        created_at: i64::MAX,
        updated_at: -1,
        version: 1,
        body: "{\"x\":\"\u{1F9FE} '\\\"; -- $1 ?1 :a @b\"}".to_owned(),
    };
    world.done(&store, vec![world.content(vec![ContentWrite::Insert(row.clone())])]).await;
    assert_eq!(store.content(row.id).await.unwrap(), Some(row.clone()));
    // Several changes within one write see each other.
    row = Content {
        version: 3,
        asset: id(3),
        parent: id(4),
        status: String::new(),
        kind: 0,
        sort_at: 7,
        created_at: 8,
        updated_at: 9,
        body: "{}".to_owned(),
        ..row
    };
    let between = Content { version: 2, ..row.clone() };
    let both = vec![
        ContentWrite::Update { row: between, expected: 1 },
        ContentWrite::Update { row: row.clone(), expected: 2 },
    ];
    world.done(&store, vec![world.content(both)]).await;
    assert_eq!(store.content(row.id).await.unwrap(), Some(row.clone()));
    for stale in [1, 2, 4] {
        let writes = vec![world.content(vec![ContentWrite::Delete { id: row.id, expected: stale }])];
        assert_eq!(world.commit(&store, writes).await.unwrap(), vec![Outcome::Conflict]);
    }
    world.done(&store, vec![world.content(vec![ContentWrite::Delete { id: row.id, expected: 3 }])]).await;
    assert_eq!(store.content(row.id).await.unwrap(), None);
    // The id is free again.
    world.done(&store, vec![world.content(vec![ContentWrite::Insert(row.clone())])]).await;
}

/// Rows with many ties, of two parents, two kinds and four words.
async fn fill(store: &Arc<dyn Store>, world: &World) -> Vec<Content> {
    let mut dice = Dice(99);
    let words = ["ACTIVE", "active", "PAUSED", "A_TIVE"];
    let rows: Vec<Content> = (0..60)
        .map(|n| Content {
            id: id(1 + (n * 37) % 61),
            parent: id(41 + dice.below(2)),
            kind: 13 + u8::from(dice.below(4) == 0),
            status: words[usize::try_from(dice.below(4)).unwrap()].to_owned(),
            ..content_row(1, i64::try_from(dice.below(9)).unwrap() - 4)
        })
        .collect();
    let writes = rows.chunks(7).map(|c| world.content(c.iter().cloned().map(ContentWrite::Insert).collect())).collect();
    world.done(store, writes).await;
    rows
}

fn naive(rows: &[Content], query: &ContentQuery) -> (Vec<Content>, u64) {
    let mut rows: Vec<&Content> = rows
        .iter()
        .filter(|r| r.parent == query.parent && r.kind == query.kind)
        .filter(|r| query.statuses.is_empty() || query.statuses.contains(&r.status))
        .filter(|r| query.since.is_none_or(|t| r.sort_at >= t) && query.until.is_none_or(|t| r.sort_at < t))
        .collect();
    let count = rows.len() as u64;
    rows.sort_by_key(|r| (r.sort_at, r.id));
    if !query.ascending {
        rows.reverse();
    }
    // A place need not be that of an existing row, so places are compared and not looked up.
    let in_order = |a: (i64, _), b: (i64, _)| if query.ascending { a < b } else { b < a };
    let behind: Vec<&Content> =
        rows.into_iter().filter(|r| query.after.is_none_or(|p| in_order(p, (r.sort_at, r.id)))).collect();
    let between: Vec<&Content> =
        behind.into_iter().filter(|r| query.before.is_none_or(|p| in_order((r.sort_at, r.id), p))).collect();
    let skip = if query.before.is_some() { between.len().saturating_sub(query.limit) } else { 0 };
    (between.into_iter().skip(skip).take(query.limit).cloned().collect(), count)
}

pub(super) async fn lists_equal_a_naive_list(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    let rows = fill(&store, &world).await;
    let mut dice = Dice(7);
    let mut seen = 0;
    for round in 0..400 {
        let some_statuses = match dice.below(4) {
            0 => vec!["ACTIVE".to_owned()],
            1 => vec!["A_TIVE".to_owned(), "PAUSED".to_owned(), "none".to_owned()],
            _ => Vec::new(),
        };
        let mut place = |odds: u64| {
            let at = i64::try_from(dice.below(9)).unwrap() - 4;
            let tie = id(1 + dice.below(62));
            (dice.below(odds) == 0).then_some((at, tie))
        };
        let (after, before) = (place(2), place(3));
        let query = ContentQuery {
            parent: id(41 + dice.below(2)),
            kind: 13,
            statuses: some_statuses,
            after,
            before,
            since: (dice.below(4) == 0).then(|| i64::try_from(dice.below(9)).unwrap() - 4),
            until: (dice.below(4) == 0).then(|| i64::try_from(dice.below(9)).unwrap() - 4),
            ascending: dice.coin(),
            limit: usize::try_from(dice.below(8)).unwrap(),
        };
        let (expected, count) = naive(&rows, &query);
        seen += expected.len();
        assert_eq!(store.list_content(&query).await.unwrap(), expected, "{round}: {query:?}");
        assert_eq!(store.count_content(&query).await.unwrap(), count, "{round}: {query:?}");
    }
    assert!(seen > 300, "the questions are too narrow to say anything: {seen}");
    // Page by page, forth and back again, every row once.
    for ascending in [false, true] {
        let base = ContentQuery {
            parent: id(41),
            kind: 13,
            statuses: Vec::new(),
            after: None,
            before: None,
            since: None,
            until: None,
            ascending,
            limit: usize::MAX,
        };
        let all = store.list_content(&base).await.unwrap();
        let mut forth: Vec<Content> = Vec::new();
        loop {
            let after = forth.last().map(|r| (r.sort_at, r.id));
            let page = store.list_content(&ContentQuery { after, limit: 4, ..base.clone() }).await.unwrap();
            if page.is_empty() {
                break;
            }
            forth.extend(page);
        }
        assert_eq!(forth, all);
        let mut back: Vec<Content> = all.last().cloned().into_iter().collect();
        loop {
            let before = back.first().map(|r| (r.sort_at, r.id));
            let mut page = store.list_content(&ContentQuery { before, limit: 4, ..base.clone() }).await.unwrap();
            if page.is_empty() {
                break;
            }
            page.append(&mut back);
            back = page;
        }
        assert_eq!(back, all);
    }
}

pub(super) async fn several_are_found_by_id(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    let inserts = (1..=250).map(|n| ContentWrite::Insert(content_row(n, 0))).collect();
    world.done(&store, vec![world.content(inserts)]).await;
    let wanted: Vec<_> = (0..300).map(|n| id(1 + n * 2)).collect();
    let mut found = store.contents(&wanted).await.unwrap();
    found.sort_by_key(|r| r.id);
    assert_eq!(found, (0..125).map(|n| content_row(1 + n * 2, 0)).collect::<Vec<_>>());
    // The same id twice is one row.
    assert_eq!(store.contents(&[id(1), id(1), id(999)]).await.unwrap(), vec![content_row(1, 0)]);
}

pub(super) async fn all_content_is_listed_in_the_order_of_ids(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    let ids = [7, 3, i64::MAX as u64, 1, 5];
    for n in ids {
        world.done(&store, vec![world.content(vec![ContentWrite::Insert(content_row(n, 0))])]).await;
    }
    let all = store.contents_after(None, usize::MAX).await.unwrap();
    let expected: Vec<Content> = [1, 3, 5, 7, i64::MAX as u64].map(|n| content_row(n, 0)).to_vec();
    assert_eq!(all, expected);
    assert_eq!(store.contents_after(Some(id(3)), 2).await.unwrap(), expected[2..4]);
    assert_eq!(store.contents_after(Some(id(i64::MAX as u64)), 2).await.unwrap(), []);
}
