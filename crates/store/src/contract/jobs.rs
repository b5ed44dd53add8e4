//! Jobs: claimed by one runner, freed when its lease runs out, finished by the holder alone.

use std::sync::Arc;

use super::Home;
use super::world::*;
use crate::{ContentWrite, Job, JobWrite, Outcome, Store, Write};

async fn insert(world: &World, store: &Arc<dyn Store>, jobs: impl IntoIterator<Item = Job>) {
    let jobs = jobs.into_iter().map(JobWrite::Insert).collect();
    world.done(store, vec![Write { jobs, ..world.content(Vec::new()) }]).await;
}

fn ids(jobs: &[Job]) -> Vec<u64> {
    jobs.iter().map(|j| j.id.get()).collect()
}

fn finish(n: u64, holder: &str, now: i64) -> JobWrite {
    JobWrite::Finish { id: id(n), holder: holder.to_owned(), now }
}

async fn outcome(world: &World, store: &Arc<dyn Store>, write: JobWrite) -> bool {
    // The effect of the job stands or falls with it.
    let effect = thing(9_000 + store.head().await.unwrap().revision, 0);
    let row = effect.id;
    let write = Write { jobs: vec![write], ..world.content(vec![ContentWrite::Insert(effect)]) };
    let outcomes = world.commit(store, vec![write]).await.unwrap();
    let applied = matches!(outcomes[..], [Outcome::Applied { .. }]);
    assert_eq!(store.content(row).await.unwrap().is_some(), applied);
    applied
}

pub(super) async fn claims_are_exclusive(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 50), job(2, 30), job(3, 30), job(4, 101), job(5, i64::MIN), job(6, i64::MAX)]).await;
    assert_eq!(store.next_job_at().await.unwrap(), Some(i64::MIN));
    let first = store.claim_jobs("a", 100, 200, 2).await.unwrap();
    assert_eq!(ids(&first), vec![5, 2]);
    assert_eq!(first[1], Job { attempts: 1, lease_until: Some(200), holder: Some("a".to_owned()), ..job(2, 30) });
    assert_eq!(ids(&store.claim_jobs("b", 100, 250, 10).await.unwrap()), vec![3, 1]);
    assert!(store.claim_jobs("c", 100, 300, 10).await.unwrap().is_empty());
    assert!(store.claim_jobs("c", 101, 300, 0).await.unwrap().is_empty());
    assert_eq!(store.next_job_at().await.unwrap(), Some(101));
    assert_eq!(ids(&store.claim_jobs("c", 101, 300, 10).await.unwrap()), vec![4]);
    // Nothing is free before the first lease ends.
    assert_eq!(store.next_job_at().await.unwrap(), Some(200));
    // An id that is taken is a conflict.
    assert!(!outcome(&world, &store, JobWrite::Insert(job(1, 7))).await);
}

pub(super) async fn a_lease_that_ran_out_frees_the_job(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 0)]).await;
    for (attempt, holder) in ["a", "b", "b"].into_iter().enumerate() {
        let now = i64::try_from(attempt).unwrap() * 100;
        if attempt > 0 {
            assert!(store.claim_jobs(holder, now - 1, now + 100, 1).await.unwrap().is_empty());
        }
        let jobs = store.claim_jobs(holder, now, now + 100, 1).await.unwrap();
        assert_eq!(ids(&jobs), vec![1]);
        assert_eq!(jobs[0].attempts, i64::try_from(attempt).unwrap() + 1);
        assert_eq!(jobs[0].holder.as_deref(), Some(holder));
    }
}

pub(super) async fn only_the_holder_finishes(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 0), job(2, 0)]).await;
    assert!(!outcome(&world, &store, finish(1, "a", 0)).await, "nobody holds it yet");
    store.claim_jobs("a", 0, 100, 2).await.unwrap();
    assert!(!outcome(&world, &store, finish(1, "b", 50)).await);
    assert!(!outcome(&world, &store, finish(1, "a", 100)).await, "the lease has run out");
    assert!(outcome(&world, &store, finish(1, "a", 99)).await);
    assert!(!outcome(&world, &store, finish(1, "a", 99)).await, "it is done already");
    // A stale holder comes back after another took over.
    store.claim_jobs("b", 100, 200, 2).await.unwrap();
    assert!(!outcome(&world, &store, finish(2, "a", 99)).await);
    assert!(outcome(&world, &store, finish(2, "b", 150)).await);
    assert_eq!(store.next_job_at().await.unwrap(), None);
}

pub(super) async fn moved_and_cancelled_jobs_are_nobodys(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    insert(&world, &store, [job(1, 0), job(2, 0)]).await;
    store.claim_jobs("a", 0, 100, 2).await.unwrap();
    assert!(outcome(&world, &store, JobWrite::Move { id: id(1), due_at: 50 }).await);
    assert!(!outcome(&world, &store, finish(1, "a", 1)).await, "it was moved meanwhile");
    assert!(store.claim_jobs("b", 49, 100, 2).await.unwrap().is_empty());
    assert_eq!(store.next_job_at().await.unwrap(), Some(50));
    let again = store.claim_jobs("b", 50, 100, 2).await.unwrap();
    assert_eq!((ids(&again), again[0].attempts), (vec![1], 2));
    assert!(outcome(&world, &store, JobWrite::Cancel { id: id(2) }).await);
    assert!(!outcome(&world, &store, finish(2, "a", 1)).await, "it was cancelled meanwhile");
    // Neither minds a job that is gone.
    assert!(outcome(&world, &store, JobWrite::Cancel { id: id(2) }).await);
    assert!(outcome(&world, &store, JobWrite::Move { id: id(2), due_at: 1 }).await);
    assert!(store.claim_jobs("b", 99, 100, 2).await.unwrap().is_empty());
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
                // Where two ask at once, one may go away with less than there is.
                while empty < 20 {
                    let jobs = store.claim_jobs(&format!("runner {n}"), 1, 100, 3).await.unwrap();
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
