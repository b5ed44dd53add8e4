//! Keys, whether anything can be written, and what the last check of the ledger found.

use super::Home;
use crate::{KeyRow, Verification};

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

pub(super) async fn a_trial_write_leaves_no_trace(home: &dyn Home) {
    let store = home.open().await;
    let before = store.head().await.unwrap();
    for _ in 0..3 {
        store.try_write().await.unwrap();
    }
    assert_eq!(store.head().await.unwrap(), before);
    assert!(store.tail(0, 10).await.unwrap().is_empty());
    // It does not wait for the head lock.
    let lock = store.lock_head().await.unwrap();
    store.try_write().await.unwrap();
    drop(lock);
    drop(store);
    assert_eq!(home.open().await.head().await.unwrap(), before);
}

pub(super) async fn the_last_check_of_the_ledger_is_kept(home: &dyn Home) {
    let store = home.open().await;
    let before = store.head().await.unwrap();
    assert_eq!(store.verification().await.unwrap(), None);
    let whole = Verification { at: 1_700, revision: i64::MAX as u64, is_chain_whole: true, ..Verification::default() };
    store.note_verification(&whole).await.unwrap();
    assert_eq!(store.verification().await.unwrap(), Some(whole));
    // The next outcome takes its place, as a whole.
    let broken = Verification { at: 1_600, revision: 0, is_chain_whole: false, differences: 7, not_verifiable: 8 };
    store.note_verification(&broken).await.unwrap();
    // It is no entry of the ledger.
    assert_eq!(store.head().await.unwrap(), before);
    drop(store);
    assert_eq!(home.open().await.verification().await.unwrap(), Some(broken));
}
