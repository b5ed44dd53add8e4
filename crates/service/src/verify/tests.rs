//! Stores that are in order, in few and in many parts, and while others write. Stores that are not in
//! order are tested with a real file, in the tests of the SQLite store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt as _;
use valetkey_domain::change::ActorKind;
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::{Action, Actor, AssetKind, Change, ChangeSet, Id, Name, Record, RecordKey};
use valetkey_store::{Batch, Content, ContentWrite, Job, JobWrite, MemoryStore, Outcome, Write};

use super::report::{NAMED_LIMIT, are, fields, name};
use super::*;

fn id<Of>(n: u64) -> Id<Of> {
    Id::new(n).unwrap()
}

fn asset(n: u64, name: &str) -> Record {
    let name = Name::parse(name).unwrap();
    Record::Asset(Asset { id: id(n), kind: AssetKind::Page, business: None, name, created_at: 0, deleted_at: None })
}

fn content_row(n: u64, version: i64) -> Content {
    Content {
        id: id(n),
        kind: 13,
        asset: id(1),
        parent: id(1),
        status: "published".to_owned(),
        sort_at: 0,
        created_at: 0,
        updated_at: 0,
        version,
        body: format!("{{\"message\":\"{version}\"}}"),
    }
}

fn insert(n: u64) -> ContentWrite {
    ContentWrite::Insert(content_row(n, 1))
}

fn a_job(n: u64, due_at: i64) -> JobWrite {
    let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
    JobWrite::Insert(Job::new(id(n), "publish_post", due_at, Some(actor), "{}".to_owned()))
}

/// A store with a source of salts.
#[derive(Clone, Default)]
struct World {
    store: MemoryStore,
    drawn: Arc<AtomicU64>,
}

impl World {
    fn sixteen(&self) -> [u8; 16] {
        u128::from(self.drawn.fetch_add(1, Ordering::Relaxed) + 1).to_be_bytes()
    }

    /// The model in memory never waits, so this can be called from anywhere.
    fn commit(&self, changes: Vec<Change>, content: Vec<ContentWrite>) {
        self.write(Vec::new(), changes, content, Vec::new());
    }

    fn write(&self, subjects: Vec<Id>, changes: Vec<Change>, content: Vec<ContentWrite>, jobs: Vec<JobWrite>) {
        let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
        let set = ChangeSet { at: 0, action: Action::AssetCreated, actor, business: None, subjects, changes };
        let write = Write { set, content, jobs, salt: self.sixteen() };
        let batch = Batch { commit_id: self.sixteen(), writes: vec![write] };
        let work = async { self.store.lock_head().await.unwrap().commit(batch).await.unwrap() };
        // The runtime must not make it yield because the test has used its budget.
        let work = tokio::task::unconstrained(work);
        assert!(matches!(work.now_or_never().unwrap()[..], [Outcome::Applied { .. }]));
    }

    fn put(&self, record: Record) {
        self.commit(vec![Change { before: None, after: Some(record) }], Vec::new());
    }

    fn content(&self, content: Vec<ContentWrite>) {
        self.commit(Vec::new(), content);
    }

    /// Writes about one job.
    fn job(&self, jobs: Vec<JobWrite>) {
        self.write(vec![jobs[0].id().any()], Vec::new(), Vec::new(), jobs);
    }

    async fn run(&self, content_at_once: usize, mut progress: impl FnMut(Progress) + Send + Sync) -> Report {
        run(&self.store, &mut progress, content_at_once, None).await.unwrap()
    }
}

/// In many parts and in one.
const AT_ONCE: [usize; 4] = [1, 2, 7, 1_000];

/// Assets, one of them renamed and one removed; content, some of it changed or deleted.
fn furnished() -> World {
    let world = World::default();
    for n in 1..=5 {
        world.put(asset(n, "Page"));
    }
    world.put(asset(2, "Shop"));
    world.commit(vec![Change { before: Some(asset(3, "Page")), after: None }], Vec::new());
    let both = vec![Change { before: None, after: Some(asset(6, "Page")) }];
    world.commit(both, vec![insert(6)]);
    for n in 100..=120 {
        world.content(vec![insert(n)]);
    }
    world.content(vec![ContentWrite::Update { row: content_row(101, 2), expected: 1 }]);
    world.content(vec![ContentWrite::Delete { id: id(110), expected: 1 }]);
    for n in 200..=204 {
        world.job(vec![a_job(n, 5)]);
    }
    world.job(vec![JobWrite::Cancel { id: id(202) }, a_job(202, 6)]);
    world.job(vec![JobWrite::Cancel { id: id(203) }]);
    world
}

#[tokio::test]
async fn a_store_that_holds_what_its_ledger_says_is_in_order() {
    for at_once in AT_ONCE {
        let report = furnished().run(at_once, |_| {}).await;
        assert!(report.is_intact(), "{at_once}: {report:?}");
        let compared = Compared { records: 5, content: 21, jobs: 4 };
        assert_eq!((report.entries, report.compared), (38, Some(compared)), "{at_once}");
    }
    let empty = World::default().run(1, |_| {}).await;
    assert!(empty.is_intact() && empty.last == (0, [0; 32]), "{empty:?}");
}

#[tokio::test]
async fn others_may_write_meanwhile() {
    for at_once in AT_ONCE {
        let world = furnished();
        let mut round = 0;
        // At each step something is made, changed and removed, before and behind where the check is.
        let report = world
            .run(at_once, |progress| {
                // Each entry makes the ledger longer, so without a limit reading would never end.
                if round >= 60 || (matches!(progress, Progress::Entries(_)) && round >= 3) {
                    return;
                }
                round += 1;
                let n = 1_000 + round;
                world.put(asset(n, "New"));
                world.put(asset(1, &format!("Page {round}")));
                world.content(vec![insert(n), insert(20 + round)]);
                world.job(vec![a_job(n, 5)]);
                world.job(vec![a_job(20 + round, 5)]);
                world.job(vec![JobWrite::Cancel { id: id(201) }, a_job(201, 5 + i64::try_from(round).unwrap())]);
                let version = i64::try_from(round).unwrap();
                for id in [6, 115] {
                    world.content(vec![ContentWrite::Update { row: content_row(id, version + 1), expected: version }]);
                }
                if round > 1 {
                    let gone = ContentWrite::Delete { id: id(n - 1), expected: 1 };
                    let before = Some(asset(n - 1, "New"));
                    world.commit(vec![Change { before, after: None }], vec![gone]);
                    world.job(vec![JobWrite::Cancel { id: id(n - 1) }]);
                }
            })
            .await;
        assert!(report.is_intact(), "{at_once}: {report:?}");
    }
}

#[tokio::test]
async fn jobs_are_compared_page_by_page() {
    let world = World::default();
    for n in 1..=2_003 {
        world.job(vec![a_job(n, 5)]);
    }
    let report = world.run(1_000, |_| {}).await;
    assert!(report.is_intact() && report.compared.unwrap().jobs == 2_003, "{report:?}");
    // At the ends of pages, within one, and behind the last.
    let there = |n: u64| Job::new(id(n), "publish_post", 5, None, "{}".to_owned());
    for gone in [1, 1_000, 1_001, 2_003] {
        world.store.plant_job(id(gone), None);
    }
    for planted in [500, 2_000, 3_000] {
        world.store.plant_job(id(planted), Some(there(planted)));
    }
    let report = world.run(1_000, |_| {}).await;
    let named: Vec<&str> = report.differences.named.iter().map(|d| d.what.as_str()).collect();
    let mut expected: Vec<String> = [1, 500, 1_000, 1_001, 2_000, 2_003, 3_000].map(|n| format!("job {n}")).to_vec();
    expected.sort();
    let mut sorted = named.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected, "{report:?}");
}

#[test]
fn findings_beyond_the_limit_are_counted() {
    let mut findings = Findings::default();
    (0..NAMED_LIMIT + 5).for_each(|n| findings.add(n));
    assert_eq!((findings.named.len(), findings.more, findings.count()), (NAMED_LIMIT, 5, NAMED_LIMIT as u64 + 5));
}

#[test]
fn no_value_stands_in_the_words() {
    let (one, other) = (asset(1, "Page"), asset(1, "Shop"));
    assert_eq!(are(&fields(&one, &other)), "its name is");
    assert_eq!(are(&fields(&one, &one)), "is");
    let code = valetkey_domain::credential::Digest::of("code");
    assert_eq!(name(RecordKey::SignInCode(code), None), "a sign-in code");
}
