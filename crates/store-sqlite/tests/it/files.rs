//! The folder and its files: who may open them, what is refused, and what happens when the disk
//! is full.

use std::os::unix::fs::PermissionsExt;

use valetkey_domain::Change;
use valetkey_store::{Batch, CommitError, ContentWrite, Outcome, Store, StoreError, Write};
use valetkey_store_sqlite::{FILE_NAME, LOCK_NAME, SqliteStore};

use super::{Folder, asset_batch, content, id, sixteen, write};

#[tokio::test]
async fn a_folder_in_use_is_refused_until_its_store_is_closed() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    match SqliteStore::open(&folder.0) {
        Err(StoreError::InUse(text)) => {
            assert!(text.contains(folder.0.to_str().unwrap()) && text.contains("stop it"), "{text}")
        }
        other => panic!("{other:?}"),
    }
    // A clone and a held lock keep it open as well.
    let clone = store.clone();
    let lock = store.lock_head().await.unwrap();
    drop(store);
    assert!(matches!(SqliteStore::open(&folder.0), Err(StoreError::InUse(_))));
    drop(clone);
    assert!(matches!(SqliteStore::open(&folder.0), Err(StoreError::InUse(_))));
    lock.commit(asset_batch(1)).await.unwrap();
    assert_eq!(SqliteStore::open(&folder.0).unwrap().head().await.unwrap().revision, 1);
}

#[tokio::test]
async fn nobody_else_can_read_the_files_and_closing_empties_the_log() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    store.lock_head().await.unwrap().commit(asset_batch(1)).await.unwrap();
    store.tail(0, 10).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.0), 0o700);
    let mut names = 0;
    for file in std::fs::read_dir(&folder.0).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names += 1;
    }
    assert_eq!(names, 5, "the data, its log, the log's index, the lock, and the reserve");
    drop(store);
    assert!(!folder.0.join(format!("{FILE_NAME}-wal")).exists());
}

#[tokio::test]
async fn data_of_a_newer_format_and_data_of_others_is_refused_and_left_alone() {
    let folder = Folder::new();
    drop(SqliteStore::open(&folder.0).unwrap());
    let change = |sql: &str| {
        let connection = rusqlite::Connection::open(folder.0.join(FILE_NAME)).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    change("UPDATE meta SET value = value + 1 WHERE name = 'format'");
    let known = valetkey_store::sql::migrations::FORMAT;
    for _ in 0..2 {
        assert_eq!(SqliteStore::open(&folder.0).unwrap_err(), StoreError::Newer { found: known + 1, known });
    }
    change("UPDATE meta SET value = value - 1 WHERE name = 'format'");
    drop(SqliteStore::open(&folder.0).unwrap());
    change("UPDATE migrations SET checksum = 'other'");
    assert!(matches!(SqliteStore::open(&folder.0), Err(StoreError::Corrupt(_))));

    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).unwrap();
    let connection = rusqlite::Connection::open(folder.0.join(FILE_NAME)).unwrap();
    connection.execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    drop(connection);
    assert!(matches!(SqliteStore::open(&folder.0), Err(StoreError::Corrupt(text)) if text.contains("another program")));
    std::fs::write(folder.0.join(FILE_NAME), vec![7; 9_000]).unwrap();
    assert!(matches!(SqliteStore::open(&folder.0), Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_head_that_is_not_the_newest_entry_is_refused() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    for n in 1..=3 {
        store.lock_head().await.unwrap().commit(asset_batch(n)).await.unwrap();
    }
    drop(store);
    let connection = rusqlite::Connection::open(folder.0.join(FILE_NAME)).unwrap();
    connection.execute_batch("DELETE FROM ledger WHERE revision = 3").unwrap();
    drop(connection);
    assert!(matches!(SqliteStore::open(&folder.0), Err(StoreError::Corrupt(text)) if text.contains("revision 3")));
}

#[tokio::test]
async fn a_full_disk_refuses_the_batch_whole_and_the_store_goes_on() {
    let folder = Folder::new();
    let store = SqliteStore::open_with(&folder.0, Some(120)).unwrap();
    store.lock_head().await.unwrap().commit(asset_batch(1)).await.unwrap();
    let head = store.head().await.unwrap();
    let large = |n: u64, bytes: usize| Batch {
        commit_id: sixteen(n),
        writes: vec![
            asset_batch(n + 500).writes.remove(0),
            Write { content: vec![ContentWrite::Insert(content(n, "x".repeat(bytes)))], ..write(n, Vec::new()) },
        ],
    };
    let error = store.lock_head().await.unwrap().commit(large(2, 1_000_000)).await.unwrap_err();
    assert!(
        matches!(&error, CommitError::NotApplied(StoreError::Full(text)) if text.contains("free some space")),
        "{error:?}"
    );
    assert_eq!(store.head().await.unwrap(), head);
    assert_eq!(store.outcome(sixteen(2)).await.unwrap(), None);
    assert_eq!(store.content(id(2)).await.unwrap(), None);
    // What fits still goes in, and everything can be read.
    let outcomes = store.lock_head().await.unwrap().commit(large(3, 1_000)).await.unwrap();
    assert_eq!(outcomes, vec![Outcome::Applied { revision: 2 }, Outcome::Applied { revision: 3 }]);
    assert_eq!(store.tail(0, 10).await.unwrap().len(), 3);
    let refusal = valetkey_store::RefusalRow {
        trace: "t".to_owned(),
        at: 0,
        business: None,
        token: None,
        source: "s".to_owned(),
        reason: "r".to_owned(),
        body: "x".repeat(1_000_000),
    };
    let quotas = valetkey_store::Quotas { businesses: 10, business: 10, strangers: 10, source: 10 };
    let error = store.record_refusals(&[refusal], quotas, 0).await.unwrap_err();
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert!(store.refusals(None, 10).await.unwrap().is_empty());
    drop(store);
    assert_eq!(SqliteStore::open(&folder.0).unwrap().head().await.unwrap().revision, 3);
}

#[tokio::test]
async fn loading_may_stop_half_way() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    for start in 0..4u64 {
        let writes = (1..=5_000).map(|n| asset_batch(start * 5_000 + n).writes.remove(0)).collect();
        let batch = Batch { commit_id: sixteen(start), writes };
        store.lock_head().await.unwrap().commit(batch).await.unwrap();
    }
    for _ in 0..6 {
        let mut seen = 0;
        let mut sink = |_| seen += 1;
        let load = store.load(&mut sink);
        // Dropped after its first poll, as by a caller that is cancelled.
        let _ = futures_once(load).await;
    }
    let mut seen = 0;
    let head = store.load(&mut |_| seen += 1).await.unwrap();
    assert_eq!((seen, head.revision), (20_000, 20_000));
}

/// Polls once, then drops.
async fn futures_once<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        value = future => Some(value),
        () = std::future::ready(()) => None,
    }
}

/// A batch that takes away the asset that [`asset_batch`] makes.
fn removal(n: u64) -> Batch {
    let made = asset_batch(n).writes.remove(0).set.changes.remove(0).after;
    let change = Change { before: made, after: None };
    Batch { commit_id: sixteen(n + 10_000), writes: vec![write(n + 10_000, vec![change])] }
}

#[tokio::test]
async fn on_a_full_disk_only_what_takes_something_away_uses_the_reserve() {
    for has_reserve in [true, false] {
        let folder = Folder::new();
        if !has_reserve {
            std::fs::create_dir_all(folder.0.join("valetkey.reserve")).unwrap();
        }
        let store = SqliteStore::open_with(&folder.0, Some(150)).unwrap();
        let commit = async |batch: Batch| store.lock_head().await.unwrap().commit(batch).await;
        let full = |ended: &Result<_, CommitError>| matches!(ended, Err(CommitError::NotApplied(StoreError::Full(_))));
        let mut made = 0;
        while let Ok(outcomes) = commit(asset_batch(made + 1)).await {
            assert_eq!(outcomes.len(), 1);
            made += 1;
        }
        let mut removed = 0;
        let mut ended = Ok(Vec::new());
        while removed < made && ended.is_ok() {
            ended = commit(removal(removed + 1)).await;
            removed += u64::from(ended.is_ok());
        }
        if !has_reserve {
            assert!(removed < made && full(&ended), "{removed} of {made}: {ended:?}");
            continue;
        }
        assert_eq!(removed, made, "the reserve is there for that");
        // Together with anything else it is refused, and the reserve is whole again.
        let mut mixed = removal(made);
        mixed.writes.extend(asset_batch(made + 2).writes);
        assert!(full(&commit(mixed).await));
        // What still fits into the last pages of the database may be made; then it is full again.
        let mut fitted = 0;
        let refused = loop {
            let ended = commit(asset_batch(made + 3 + fitted)).await;
            if ended.is_err() {
                break ended;
            }
            fitted += 1;
            assert!(fitted < 20, "the reserve is not for new assets");
        };
        assert!(full(&refused));
        assert_eq!(std::fs::metadata(folder.0.join("valetkey.reserve")).unwrap().len(), 8 * 1024 * 1024);
        let head = store.head().await.unwrap();
        assert_eq!(head.revision, made * 2 + fitted);
        drop(store);
        assert_eq!(SqliteStore::open(&folder.0).unwrap().head().await.unwrap(), head);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_second_attempt_in_one_process_is_refused_and_takes_no_lock_away() {
    use std::os::unix::fs::MetadataExt;

    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    let file = format!(":{} ", std::fs::metadata(folder.0.join(FILE_NAME)).unwrap().ino());
    // SQLite's own lock on the file, which says to others that it is in use.
    let is_locked = || {
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| line.contains("POSIX") && line.contains(&file))
    };
    assert!(is_locked());
    std::fs::remove_file(folder.0.join(LOCK_NAME)).unwrap();
    assert!(matches!(SqliteStore::open(&folder.0), Err(StoreError::InUse(text)) if text.contains(FILE_NAME)));
    assert!(is_locked(), "the attempt took SQLite's lock away");
    store.lock_head().await.unwrap().commit(asset_batch(1)).await.unwrap();
    drop(store);
    assert_eq!(SqliteStore::open(&folder.0).unwrap().head().await.unwrap().revision, 1);
}
