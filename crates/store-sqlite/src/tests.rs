//! What only this crate can see of a commit.

use super::*;

#[tokio::test]
async fn a_commit_that_nobody_waits_for_keeps_the_lock_until_it_has_ended() {
    let folder = std::env::temp_dir().join(format!("valetkey-lock-{}", std::process::id()));
    let store = SqliteStore::open(&folder).unwrap();
    // The thread is busy until `go` is sent.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let busy = store.clone();
    let (begun, begins) = tokio::sync::oneshot::channel::<()>();
    let busy = tokio::spawn(async move {
        let work = move |_: &mut _| begun.send(()).is_ok() && wait.recv().is_ok();
        busy.writing()?.writer.run(work).await
    });
    begins.await.unwrap();
    let lock = store.lock_head().await.unwrap();
    let mut commit = Box::pin(lock.commit(Batch { commit_id: [1; 16], writes: Vec::new() }));
    tokio::select! {
        biased;
        _ = &mut commit => panic!("the thread is not busy"),
        () = tokio::task::yield_now() => {}
    }
    drop(commit);
    assert_eq!(store.writing().unwrap().head_lock.available_permits(), 0);
    go.send(()).unwrap();
    assert_eq!(busy.await.unwrap(), Ok(true));
    assert!(store.lock_head().await.is_ok());
    drop(store);
    std::fs::remove_dir_all(&folder).unwrap();
}
