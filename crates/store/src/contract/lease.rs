//! The lease: only its counter decides who may take it, and a node that lost it commits nothing.

use super::Home;
use super::world::*;
use crate::{LeaseRow, Renewal, StoreError};

fn row(holder: &str, counter: i64, length_ms: i64, released: bool) -> LeaseRow {
    LeaseRow { holder: holder.to_owned(), counter, length_ms, released }
}

pub(super) async fn a_lease_is_taken_by_its_counter_alone(home: &dyn Home) {
    let store = home.open().await;
    assert_eq!(store.lease().await.unwrap(), None);
    assert!(store.take_lease("a", 5_000, None).await.unwrap());
    let first = store.lease().await.unwrap().unwrap();
    assert_eq!(first, row("a", first.counter, 5_000, false));
    // A node that saw no row, or an older one, can't take it.
    assert!(!store.take_lease("b", 1, None).await.unwrap());
    assert!(matches!(store.renew_lease("a").await.unwrap(), Renewal::Held(_)));
    let second = store.lease().await.unwrap().unwrap();
    assert!(second.counter > first.counter, "a renewal moves the counter");
    assert!(!store.take_lease("b", 1, Some(&first)).await.unwrap());
    assert_eq!(store.lease().await.unwrap().unwrap(), second);
    // A node that saw the current row takes it, with a length of its own. How long a node waits before
    // that is the service's decision.
    assert!(store.take_lease("b", 1, Some(&second)).await.unwrap());
    let third = store.lease().await.unwrap().unwrap();
    assert!(third.counter > second.counter);
    assert_eq!(third, row("b", third.counter, 1, false));
    assert_eq!(store.renew_lease("a").await.unwrap(), Renewal::Gone);
    assert_eq!(store.lease().await.unwrap().unwrap(), third);
}

pub(super) async fn a_released_lease_is_free(home: &dyn Home) {
    let store = home.open().await;
    assert_eq!(store.renew_lease("a").await.unwrap(), Renewal::Gone, "nobody holds it");
    store.release_lease("a").await.unwrap();
    assert!(store.take_lease("a", 5_000, None).await.unwrap());
    let held = store.lease().await.unwrap().unwrap();
    // Only the holder can give it back.
    store.release_lease("b").await.unwrap();
    assert_eq!(store.lease().await.unwrap().unwrap(), held);
    store.release_lease("a").await.unwrap();
    let free = store.lease().await.unwrap().unwrap();
    assert!(free.released && free.counter > held.counter, "{free:?}");
    // A renewal that was sent before and comes late does not take it again.
    assert_eq!(store.renew_lease("a").await.unwrap(), Renewal::Gone);
    store.release_lease("a").await.unwrap();
    assert_eq!(store.lease().await.unwrap().unwrap(), free);
    assert!(store.take_lease("b", 5_000, Some(&free)).await.unwrap());
}

pub(super) async fn a_renewal_gives_the_head_that_it_read(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    assert!(store.take_lease("a", 5_000, None).await.unwrap());
    for _ in 0..2 {
        let head = store.head().await.unwrap();
        assert_eq!(store.renew_lease("a").await.unwrap(), Renewal::Held(Some(head)));
        if head.revision == 0 {
            world.furnish(&store).await;
        }
    }
    assert!(store.head().await.unwrap().revision > 0);
}

pub(super) async fn a_handle_without_the_lease_commits_nothing(home: &dyn Home) {
    let store = home.open().await;
    let world = World::default();
    // An engine that lets only one process in has nothing to test here.
    let Some(other) = home.join().await else { return };
    assert!(store.take_lease("a", 5_000, None).await.unwrap());
    world.furnish(&store).await;
    let head = store.head().await.unwrap();
    let seen = store.lease().await.unwrap();
    assert!(!other.take_lease("b", 5_000, None).await.unwrap());
    assert!(matches!(other.lock_head().await.map(drop), Err(StoreError::InUse(_))), "it did not get the lease");
    // Taking the lease waits for a commit under way. Afterwards the earlier holder can't commit.
    let lock = store.lock_head().await.unwrap();
    let taking = tokio::spawn({
        let (other, seen) = (std::sync::Arc::clone(&other), seen.clone());
        async move { other.take_lease("b", 5_000, seen.as_ref()).await }
    });
    for _ in 0..20 {
        tokio::task::yield_now().await;
        assert!(!taking.is_finished(), "it did not wait for a commit under way");
    }
    lock.commit(world.batch(vec![world.put([token(50, 1)])])).await.unwrap();
    assert!(taking.await.unwrap().unwrap());
    assert!(matches!(store.lock_head().await.map(drop), Err(StoreError::InUse(_))), "it lost the lease");
    assert!(store.replace_keys(&[]).await.is_err());
    assert_eq!(store.head().await.unwrap().revision, head.revision + 1);
    world.done(&other, vec![world.put([token(51, 1)])]).await;
    // A node that gave the lease back can't commit either.
    other.release_lease("b").await.unwrap();
    assert!(other.lock_head().await.is_err());
    assert_eq!(other.head().await.unwrap().revision, head.revision + 2);
}
