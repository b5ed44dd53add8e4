//! Jobs: claimed by one run, freed when its lease runs out, finished by the holder alone, and each in
//! the ledger entry that its row names.

use std::sync::Arc;

use super::Home;
use super::world::*;
use crate::payload::JobDid;
use crate::{
    Class, CommitError, ContentWrite, Job, JobCount, JobRest, JobState, JobWrite, NextJob, Outcome, Store, Write,
};

async fn insert(world: &World, store: &Arc<dyn Store>, jobs: impl IntoIterator<Item = Job>) {
    let one = |job: Job| world.about(job.id, vec![JobWrite::Insert(job)], Vec::new());
    world.done(store, jobs.into_iter().map(one).collect()).await;
}

fn ids(jobs: &[Job]) -> Vec<u64> {
    jobs.iter().map(|j| j.id.get()).collect()
}

/// The row of a job.
async fn held(store: &Arc<dyn Store>, n: u64) -> Job {
    store.job(id(n)).await.unwrap().unwrap()
}

async fn finish(store: &Arc<dyn Store>, n: u64, holder: &str, now: i64) -> JobWrite {
    let revision = store.job(id(n)).await.unwrap().and_then(|j| j.revision).unwrap_or(1);
    JobWrite::Finish { id: id(n), holder: holder.to_owned(), revision, now }
}

async fn outcome(world: &World, store: &Arc<dyn Store>, write: JobWrite) -> bool {
    // The job's effect is written only if the job is finished.
    let effect = content_row(9_000 + store.head().await.unwrap().revision, 0);
    let row = effect.id;
    let write = world.about(write.id(), vec![write], vec![ContentWrite::Insert(effect)]);
    let outcomes = world.commit(store, vec![write]).await.unwrap();
    let applied = matches!(outcomes[..], [Outcome::Applied { .. }]);
    assert_eq!(store.content(row).await.unwrap().is_some(), applied);
    applied
}

async fn claim(store: &Arc<dyn Store>, holder: &str, now: i64, until: i64, limit: usize) -> Vec<Job> {
    store.claim_jobs(PUBLISH, holder, now, until, limit).await.unwrap()
}

async fn next_at(store: &Arc<dyn Store>) -> Option<i64> {
    match store.next_jobs().await.unwrap().as_slice() {
        [] => None,
        [NextJob { kind, at }] if kind == PUBLISH => Some(*at),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn claims_are_exclusive(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 50), job(2, 30), job(3, 30), job(4, 101), job(5, i64::MIN), job(6, i64::MAX)]).await;
    assert_eq!(next_at(&store).await, Some(i64::MIN));
    let first = claim(&store, "a", 100, 200, 2).await;
    assert_eq!(ids(&first), vec![5, 2]);
    let taken =
        Job { attempts: 1, lease_until: Some(200), holder: Some("a".to_owned()), revision: Some(2), ..job(2, 30) };
    assert_eq!(first[1], taken);
    assert_eq!(held(&store, 2).await, taken);
    assert_eq!(ids(&claim(&store, "b", 100, 250, 10).await), vec![3, 1]);
    assert!(claim(&store, "c", 100, 300, 10).await.is_empty());
    assert!(claim(&store, "c", 101, 300, 0).await.is_empty());
    assert_eq!(next_at(&store).await, Some(101));
    assert_eq!(ids(&claim(&store, "c", 101, 300, 10).await), vec![4]);
    // Nothing is free before the first lease ends.
    assert_eq!(next_at(&store).await, Some(200));
    // An id that is taken is a conflict.
    assert!(!outcome(&world, &store, JobWrite::Insert(job(1, 7))).await);
}

pub(super) async fn jobs_are_claimed_kind_by_kind(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    let of = |n: u64, kind: &str, due_at: i64| Job { kind: kind.to_owned(), ..job(n, due_at) };
    insert(&world, &store, [of(1, "b", 9), of(2, "a", 7), of(3, "é", 5), of(4, "b", 3), of(5, "a", 8)]).await;
    let next = |list: &[(&str, i64)]| -> Vec<NextJob> {
        list.iter().map(|(kind, at)| NextJob { kind: (*kind).to_owned(), at: *at }).collect()
    };
    assert_eq!(store.next_jobs().await.unwrap(), next(&[("a", 7), ("b", 3), ("é", 5)]));
    assert_eq!(ids(&store.claim_jobs("b", "x", 100, 200, 10).await.unwrap()), vec![4, 1]);
    assert!(store.claim_jobs("c", "x", 100, 200, 10).await.unwrap().is_empty());
    assert_eq!(store.next_jobs().await.unwrap(), next(&[("a", 7), ("b", 200), ("é", 5)]));
    let count = |kind: &str, state, count| JobCount { kind: kind.to_owned(), state, count };
    let rest = JobRest { state: JobState::Failed, not_before: 9, reason: "why".to_owned(), at: 101 };
    assert!(store.put_back_job(id(1), "x", 101, &rest).await.unwrap());
    let counts = [
        count("a", JobState::Waiting, 2),
        count("b", JobState::Failed, 1),
        count("b", JobState::Waiting, 1),
        count("é", JobState::Waiting, 1),
    ];
    assert_eq!(store.job_counts().await.unwrap(), counts);
}

pub(super) async fn a_lease_that_ran_out_frees_the_job(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 0)]).await;
    for (attempt, holder) in ["a", "b", "b"].into_iter().enumerate() {
        let now = i64::try_from(attempt).unwrap() * 100;
        if attempt > 0 {
            assert!(claim(&store, holder, now - 1, now + 100, 1).await.is_empty());
        }
        let jobs = claim(&store, holder, now, now + 100, 1).await;
        assert_eq!(ids(&jobs), vec![1]);
        assert_eq!(jobs[0].attempts, i64::try_from(attempt).unwrap() + 1);
        assert_eq!(jobs[0].holder.as_deref(), Some(holder));
    }
}

pub(super) async fn a_lease_is_renewed_by_its_holder_alone(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 0)]).await;
    assert!(!store.renew_job(id(1), "a", 0, 100).await.unwrap(), "nobody holds it");
    claim(&store, "a", 0, 100, 1).await;
    assert!(!store.renew_job(id(1), "b", 50, 900).await.unwrap());
    assert!(!store.renew_job(id(1), "a", 100, 900).await.unwrap(), "it ran out");
    assert!(!store.renew_job(id(2), "a", 50, 900).await.unwrap());
    assert_eq!(held(&store, 1).await.lease_until, Some(100));
    assert!(store.renew_job(id(1), "a", 99, 300).await.unwrap());
    assert!(claim(&store, "b", 299, 900, 1).await.is_empty());
    let job = claim(&store, "b", 300, 900, 1).await;
    assert_eq!((ids(&job), job[0].attempts), (vec![1], 2));
}

pub(super) async fn a_job_is_put_back_by_its_holder_alone(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 0), job(2, 0)]).await;
    let rest = |state, not_before| JobRest { state, not_before, reason: "why".to_owned(), at: 60 };
    assert!(!store.put_back_job(id(1), "a", 0, &rest(JobState::Failed, 0)).await.unwrap(), "nobody holds it");
    claim(&store, "a", 0, 100, 2).await;
    for (holder, now) in [("b", 50), ("a", 100)] {
        assert!(!store.put_back_job(id(1), holder, now, &rest(JobState::Failed, 0)).await.unwrap());
    }
    // It waits, and is tried later.
    assert!(store.put_back_job(id(1), "a", 60, &rest(JobState::Waiting, 80)).await.unwrap());
    let row = held(&store, 1).await;
    let expected = Job { attempts: 1, not_before: 80, reason: Some("why".to_owned()), tried_at: Some(60), ..job(1, 0) };
    assert_eq!(row, Job { revision: Some(1), ..expected });
    assert_eq!(next_at(&store).await, Some(80));
    assert!(claim(&store, "b", 79, 200, 9).await.is_empty());
    assert_eq!(ids(&claim(&store, "b", 80, 200, 9).await), vec![1]);
    // In any other state it is not tried, nor finished.
    for state in [JobState::Failed, JobState::SetAside, JobState::Unconfirmed] {
        let until = 300 + state as i64 * 10;
        if state != JobState::Failed {
            insert(&world, &store, [job(10 + state as u64, 0)]).await;
        }
        let n = if state == JobState::Failed { 2 } else { 10 + state as u64 };
        if state != JobState::Failed {
            claim(&store, "a", 90, until, 1).await;
        }
        assert!(store.put_back_job(id(n), "a", 95, &rest(state, 0)).await.unwrap(), "{state:?}");
        assert!(!store.renew_job(id(n), "a", 95, until).await.unwrap());
        assert_eq!(held(&store, n).await.state, state);
    }
    assert!(claim(&store, "c", 150, 300, 9).await.is_empty());
    assert_eq!(next_at(&store).await, Some(200));
    assert_eq!(ids(&store.jobs_after(Some(JobState::Failed), None, 9).await.unwrap()), vec![2]);
}

pub(super) async fn only_the_holder_finishes(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 0), job(2, 0), job(3, 120)]).await;
    assert!(!outcome(&world, &store, finish(&store, 1, "a", 0).await).await, "nobody holds it yet");
    claim(&store, "a", 0, 100, 2).await;
    assert!(!outcome(&world, &store, finish(&store, 1, "b", 50).await).await);
    assert!(!outcome(&world, &store, finish(&store, 1, "a", 100).await).await, "the lease has run out");
    let foreign = JobWrite::Finish { id: id(1), holder: "a".to_owned(), revision: 2, now: 50 };
    assert!(!outcome(&world, &store, foreign).await, "another entry left it");
    assert!(outcome(&world, &store, finish(&store, 1, "a", 99).await).await);
    assert!(!outcome(&world, &store, finish(&store, 1, "a", 99).await).await, "it is done already");
    // A stale holder comes back after another took over.
    let stale = finish(&store, 2, "a", 99).await;
    claim(&store, "b", 100, 200, 2).await;
    assert!(!outcome(&world, &store, stale).await);
    assert!(outcome(&world, &store, finish(&store, 2, "b", 150).await).await);
    // It is held but not due, as after a clock that went back.
    claim(&store, "a", 120, 900, 1).await;
    assert!(!outcome(&world, &store, finish(&store, 3, "a", 119).await).await);
    assert!(outcome(&world, &store, finish(&store, 3, "a", 120).await).await);
    assert_eq!(next_at(&store).await, None);
}

pub(super) async fn rearmed_and_cancelled_jobs_are_nobodys(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 0), job(2, 0)]).await;
    claim(&store, "a", 0, 100, 2).await;
    let rearm = |due_at, expected, now| JobWrite::Rearm { job: job(1, due_at), expected, now };
    assert!(!outcome(&world, &store, rearm(50, 1, 99)).await, "somebody holds it");
    assert!(!outcome(&world, &store, rearm(50, 2, 100)).await, "another entry left it");
    assert!(!outcome(&world, &store, JobWrite::Rearm { job: job(9, 0), expected: 1, now: 100 }).await, "it is gone");
    let head = store.head().await.unwrap().revision;
    assert!(outcome(&world, &store, rearm(150, 1, 100)).await);
    assert_eq!(held(&store, 1).await, Job { revision: Some(head + 1), ..job(1, 150) });
    assert!(!outcome(&world, &store, finish(&store, 1, "a", 99).await).await, "it was re-armed meanwhile");
    assert!(outcome(&world, &store, JobWrite::Cancel { id: id(2) }).await);
    assert!(claim(&store, "b", 149, 300, 2).await.is_empty());
    assert_eq!(next_at(&store).await, Some(150));
    let again = claim(&store, "b", 150, 300, 2).await;
    assert_eq!((ids(&again), again[0].attempts), (vec![1], 1));
    assert!(!outcome(&world, &store, finish(&store, 2, "a", 1).await).await, "it was cancelled meanwhile");
    // A job can be cancelled while it is held, and even if it is gone already.
    assert!(outcome(&world, &store, JobWrite::Cancel { id: id(2) }).await);
    assert!(outcome(&world, &store, JobWrite::Cancel { id: id(1) }).await);
    assert!(store.job(id(1)).await.unwrap().is_none());
}

pub(super) async fn every_job_stands_in_the_entry_that_its_row_names(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    // In one batch: one job made twice, one made and cancelled, one between conflicts.
    let writes = vec![
        world.about(id(101), vec![JobWrite::Insert(job(101, 5))], vec![ContentWrite::Insert(content_row(101, 0))]),
        world.about(id(102), vec![JobWrite::Insert(job(102, 5))], Vec::new()),
        world.about(id(102), vec![JobWrite::Insert(job(102, 6))], Vec::new()),
        world.about(id(102), vec![JobWrite::Cancel { id: id(102) }], Vec::new()),
        world.about(
            id(101),
            vec![JobWrite::Cancel { id: id(101) }, JobWrite::Insert(job(101, 7))],
            vec![ContentWrite::Delete { id: id(101), expected: 1 }],
        ),
        world.about(id(10), Vec::new(), vec![ContentWrite::Insert(content_row(10, 0))]),
        world.about(id(1011), vec![JobWrite::Insert(job(1011, 8))], Vec::new()),
    ];
    let outcomes = world.commit(&store, writes).await.unwrap();
    assert_eq!(outcomes.iter().filter(|o| **o == Outcome::Conflict).count(), 1, "{outcomes:?}");
    let rows = store.jobs_after(None, None, 10).await.unwrap();
    assert_eq!(ids(&rows), vec![101, 1011]);
    assert_eq!(rows[0], Job { revision: Some(7), ..job(101, 7) });
    for row in &rows {
        let revision = row.revision.unwrap();
        let entry = store.tail(revision - 1, 1).await.unwrap().remove(0);
        assert_eq!((entry.revision, entry.class), (revision, Class::Content));
        let line = entry.payload().unwrap().jobs.pop().unwrap();
        assert!(line.left(&entry.salt, row), "{row:?}");
        assert_eq!((line.due_at, line.actor), (Some(row.due_at), row.actor));
    }
    // The entries about a job, and about no other whose id begins alike.
    let of = |n: u64, after: u64| {
        let store = Arc::clone(&store);
        async move {
            let entries = store.entries_about(id(n), after, 10).await.unwrap();
            entries.iter().map(|e| e.revision).collect::<Vec<_>>()
        }
    };
    assert_eq!(of(101, 0).await, [4, 7]);
    assert_eq!(of(101, 4).await, [7]);
    assert_eq!(of(102, 0).await, [5, 6]);
    assert_eq!(of(10, 0).await, [8]);
    assert_eq!(of(1011, 0).await, [9]);
    assert_eq!(of(1, 0).await, [0u64; 0], "entries of class authority are not among them");
    assert_eq!(store.entries_about(id(101), 0, 1).await.unwrap().len(), 1);
    // The only subject, and the longest id.
    let long = i64::MAX as u64;
    let mut alone = world.about(id(long), vec![JobWrite::Insert(job(long, 0))], Vec::new());
    alone.set.subjects.truncate(1);
    world.done(&store, vec![alone]).await;
    assert_eq!(of(long, 0).await, [10]);
    assert_eq!(ids(&store.jobs_after(None, Some(id(101)), 1).await.unwrap()), vec![1011]);
}

pub(super) async fn a_job_that_its_entry_could_not_show_is_refused(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    world.furnish(&store).await;
    let with_records = Write { jobs: vec![JobWrite::Insert(job(1, 0))], ..world.put([token(50, 1)]) };
    let mut other_first = world.about(id(1), vec![JobWrite::Insert(job(1, 0))], Vec::new());
    other_first.set.subjects.reverse();
    let nobody = Write { jobs: vec![JobWrite::Cancel { id: id(1) }], ..world.content(Vec::new()) };
    let entered_with_subject = world.about(id(1), vec![JobWrite::Enter(job(1, 0))], Vec::new());
    for write in [with_records, other_first, nobody, entered_with_subject] {
        let refused = world.commit(&store, vec![write.clone()]).await;
        // An engine that runs the conditions first reports a conflict for a job that does not exist.
        let conflict = matches!(&refused, Ok(outcomes) if outcomes[..] == [Outcome::Conflict]);
        assert!(
            conflict || matches!(refused, Err(CommitError::NotApplied(_) | CommitError::Refused { .. })),
            "{refused:?}"
        );
        assert!(store.jobs_after(None, None, 9).await.unwrap().is_empty());
        assert_eq!(store.head().await.unwrap().revision, 3);
    }
}

pub(super) async fn a_job_with_an_entry_is_not_entered_again(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 0)]).await;
    for n in [1, 2] {
        let enter = Write { jobs: vec![JobWrite::Enter(job(n, 0))], ..world.content(Vec::new()) };
        assert_eq!(world.commit(&store, vec![enter]).await.unwrap(), vec![Outcome::Conflict], "{n}");
    }
    assert_eq!(held(&store, 1).await.revision, Some(1));
    let lines: Vec<JobDid> =
        ledger(&store).await.iter().flat_map(|e| e.payload().unwrap().jobs).map(|line| line.did).collect();
    assert_eq!(lines, [JobDid::Insert]);
}

pub(super) async fn runners_that_race_share_nothing(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, (1..=60).map(|n| job(n, 0))).await;
    let other = home.join().await.unwrap_or_else(|| Arc::clone(&store));
    let runners: Vec<_> = (0..6)
        .map(|n| {
            let store = Arc::clone(if n % 2 == 0 { &store } else { &other });
            tokio::spawn(async move {
                let mut mine = Vec::new();
                let mut empty = 0;
                // If two ask at once, one may get fewer jobs than there are.
                while empty < 20 {
                    let jobs = store.claim_jobs(PUBLISH, &format!("runner {n}"), 1, 100, 3).await.unwrap();
                    empty = if jobs.is_empty() { empty + 1 } else { 0 };
                    mine.extend(ids(&jobs));
                    tokio::task::yield_now().await;
                }
                mine
            })
        })
        .collect();
    let mut all = Vec::new();
    for runner in runners {
        all.extend(runner.await.unwrap());
    }
    all.sort_unstable();
    assert_eq!(all, (1..=60).collect::<Vec<_>>());
}
