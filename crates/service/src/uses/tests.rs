//! What is noted about uses, and its bounds.

use valetkey_authz::Need;
use valetkey_domain::{AssetKind, Caller, Id, Role, TaskSet};

use super::*;

const SMALL: Bounds = Bounds { tokens: 2, rows: 30, rows_of_token: 12 };
const DAY_MS: UnixMs = 24 * 60 * 60 * 1000;

fn id<Of>(n: u64) -> Id<Of> {
    Id::new(n).unwrap()
}

fn asset(n: u64) -> UsedFor {
    UsedFor::Right { scope: Scope::parse("ads_read"), asset: Some(id(n)), task: None }
}

fn note(uses: &Uses, token: u64, what: &[UsedFor], now: UnixMs) {
    uses.note(id(token), what.iter().copied(), UsedFrom::default(), now);
}

/// For each right, how often.
fn counts(rows: &[Usage]) -> Vec<(UsedFor, i64)> {
    let mut counts: Vec<_> = rows.iter().map(|row| (row.what, row.count)).collect();
    counts.sort_by_key(|(what, _)| what.numbers());
    counts
}

#[test]
fn a_call_is_one_use_however_many_rights_it_had() {
    let uses = Uses::default();
    note(&uses, 1, &[asset(1), asset(2), asset(1)], 10);
    note(&uses, 1, &[asset(2)], 20);
    assert_eq!(uses.pending(id(1)).map(|used| (used.count, used.used_at)), Some((2, 20)));
    let expected = vec![(asset(1), 1), (asset(2), 2)];
    assert_eq!(counts(&uses.pending_rows(id(1))), expected);
    // Counts are written more often than uses by right; neither is returned twice.
    assert_eq!(uses.take_totals().iter().map(|used| used.count).collect::<Vec<_>>(), [2]);
    assert!(uses.take_totals().is_empty() && uses.pending(id(1)).is_none());
    assert_eq!(counts(&uses.pending_rows(id(1))), expected);
    note(&uses, 1, &[asset(1)], 30);
    let rows = uses.take_rows();
    assert_eq!(counts(&rows), [(asset(1), 2), (asset(2), 2)]);
    assert_eq!(rows.iter().map(|row| (row.first_at, row.last_at)).collect::<Vec<_>>(), [(10, 30), (10, 20)]);
    assert!(uses.take_rows().is_empty() && uses.pending_rows(id(1)).is_empty());
    assert_eq!(uses.take_totals().iter().map(|used| used.count).collect::<Vec<_>>(), [1]);
    assert!(uses.shards.iter().all(|shard| shard.lock().unwrap().tokens.is_empty()));
}

#[test]
fn each_day_has_a_row_and_the_last_use_says_from_where() {
    let uses = Uses::default();
    let from = |ip: &str, user_agent| UsedFrom { ip: Some(ip.parse().unwrap()), user_agent };
    let one = |from: UsedFrom<'_>, now| uses.note(id(1), [asset(1)].into_iter(), from, now);
    one(from("192.0.2.1", Some("old")), DAY_MS - 1);
    one(from("192.0.2.2", Some("new")), DAY_MS);
    one(from("192.0.2.3", Some("late report")), DAY_MS - 5);
    // Calls that the server makes for a token have no address, so they leave the last one as it is.
    one(UsedFrom::default(), DAY_MS + 1);
    let rows = uses.take_rows();
    let seen: Vec<_> = rows.iter().map(|r| (r.day, r.count, r.first_at, r.last_at, &*r.ip, &*r.user_agent)).collect();
    assert_eq!(
        seen,
        [(0, 2, DAY_MS - 5, DAY_MS - 1, "192.0.2.1", "old"), (1, 2, DAY_MS, DAY_MS + 1, "192.0.2.2", "new"),]
    );
    // If a program no longer sends its name, the old name is not kept.
    one(from("192.0.2.2", Some("named")), 5);
    one(from("192.0.2.2", None), 6);
    assert_eq!(uses.take_rows()[0].user_agent, "");
}

#[test]
fn what_is_beyond_a_bound_is_counted_as_the_rest() {
    let uses = Uses::with(SMALL);
    for round in 0..3 {
        for n in 1..=20 {
            note(&uses, 1, &[asset(n)], round);
        }
    }
    // Twelve rights of a token have a row; each of them is counted on.
    let rows = uses.pending_rows(id(1));
    assert_eq!(rows.len(), 13);
    assert_eq!(counts(&rows)[0], (UsedFor::Other, 24));
    assert!(counts(&rows)[1..].iter().all(|(_, count)| *count == 3));
    assert_eq!(counts(&uses.take_rows()), counts(&rows));
    // Taking the rows frees the whole bound.
    note(&uses, 1, &[asset(99)], 9);
    assert_eq!(counts(&uses.take_rows()), [(asset(99), 1)]);
    assert_eq!(uses.take_totals()[0].count, 61);
}

#[test]
fn the_rows_and_the_tokens_of_a_shard_are_bounded_and_no_use_goes_in_silence() {
    let uses = Uses::with(SMALL);
    // Tokens that share a shard with the first.
    let shard = |n: u64| mixed(n) >> 60;
    let tokens: Vec<u64> = (1..).filter(|n| shard(*n) == shard(1)).take(4).collect();
    for token in &tokens {
        for n in 1..=20 {
            note(&uses, *token, &[asset(n)], 1);
        }
    }
    assert_eq!(uses.take_beyond(), 40);
    assert_eq!(uses.take_beyond(), 0);
    let totals = uses.take_totals();
    assert_eq!(totals.iter().map(|used| used.count).collect::<Vec<_>>(), [20, 20]);
    let rows = uses.take_rows();
    assert_eq!(rows.iter().map(|row| row.count).sum::<i64>(), 40);
    // One call that fills the shard leaves another token its row for the rest.
    let many: Vec<UsedFor> = (1..=40).map(asset).collect();
    let wide = Uses::with(Bounds { rows: 10, ..SMALL });
    note(&wide, tokens[0], &many, 1);
    note(&wide, tokens[1], &many, 1);
    let rows = wide.take_rows();
    assert_eq!(rows.len(), 12);
    assert_eq!(rows.iter().filter(|row| row.what == UsedFor::Other).map(|row| row.count).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn noting_what_is_known_allocates_no_row() {
    let uses = Uses::default();
    let from = UsedFrom { ip: Some("192.0.2.1".parse().unwrap()), user_agent: Some("curl/8") };
    for now in 0..1_000 {
        uses.note(id(1), [asset(1)].into_iter(), from, now);
    }
    let shard = uses.shard(id(1)).lock().unwrap();
    assert_eq!((shard.rows, shard.tokens[&id(1)].few.len(), shard.many.len()), (1, 1, 0));
}

fn allowed(scopes: &[&str], held: TaskSet) -> Allowed {
    Allowed {
        revision: 1,
        caller: Caller::Person { person: id(5), business: id(6), token: None },
        role: Role::Employee,
        held,
        scopes: ScopeSet::of(scopes),
        page: None,
        expires_at: None,
    }
}

#[test]
fn a_use_is_for_the_first_scope_and_task_that_the_caller_has() {
    let page = Target::Asset(id(7));
    let words = valetkey_domain::task::Vocabulary::of(AssetKind::Page, None).unwrap();
    let (advertise, analyze) = (words.parse("ADVERTISE").unwrap(), words.parse("ANALYZE").unwrap());
    let both = Question::about(page)
        .scopes(ScopeSet::of(&["ads_management", "ads_read"]))
        .need(Need::Tasks(advertise.with(analyze)));
    let used = |question: &Question, allowed: &Allowed| match used_for(question, allowed) {
        UsedFor::Right { scope, asset, task } => (scope.map(Scope::name), asset, task),
        UsedFor::Other => panic!("a right"),
    };
    let bit = |task: TaskSet| Some(task.0.trailing_zeros() as u8);
    let has = allowed(&["ads_management", "pages_show_list"], analyze);
    assert_eq!(used(&both, &has), (Some("ads_management"), Some(id(7)), bit(analyze)));
    assert_eq!(used(&Question::about(page).need(Need::AnyTask), &has), (None, Some(id(7)), None));
    let business = Question::about(Target::Business(id(6)));
    assert_eq!(used(&business, &has), (None, None, None));
    // The scopes that an ADMIN may use instead, and those that are enough about oneself.
    let admin = business.scopes(ScopeSet::of(&["ads_read"])).admin_scopes(ScopeSet::of(&["pages_show_list"]));
    assert_eq!(used(&admin, &has).0, Some("pages_show_list"));
    let of = |user, scopes: &[&str]| used(&admin.own(id(user), ScopeSet::of(scopes)), &has).0;
    assert_eq!(of(5, &[]), None);
    assert_eq!(of(5, &["ads_management"]), Some("ads_management"));
    assert_eq!(of(5, &["read_insights"]), Some("pages_show_list"));
    assert_eq!(of(8, &["ads_management"]), Some("pages_show_list"));
}
