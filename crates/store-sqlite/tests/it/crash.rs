//! Kill -9 at any moment: every acknowledged batch is there, and no batch is half there.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

use valetkey_store::ledger::Verifier;
use valetkey_store::{Batch, CommitError, ContentWrite, Outcome, Store, StoreError, Write};
use valetkey_store_sqlite::SqliteStore;

use super::{Folder, asset_batch, content, id, sixteen, write};

const CHILD: &str = "VALETKEY_TEST_CHILD_FOLDER";
const SMALL_DISK_CHILD: &str = "VALETKEY_TEST_SMALL_DISK_FOLDER";

/// Batch `n`: two assets and a post, at 10 n, 10 n + 1 and 10 n + 2.
fn batch(n: u64) -> Batch {
    let mut writes = asset_batch(10 * n).writes;
    writes.extend(asset_batch(10 * n + 1).writes);
    writes.push(Write {
        content: vec![ContentWrite::Insert(content(10 * n + 2, "x".repeat(3_000)))],
        ..write(n, Vec::new())
    });
    Batch { commit_id: sixteen(n), writes }
}

/// Does nothing unless the parent started it: then it commits until it is killed.
#[tokio::test]
async fn child_that_commits_until_killed() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let store = SqliteStore::open(folder.as_ref()).unwrap();
    let mut n = store.head().await.unwrap().revision / 3;
    loop {
        n += 1;
        let outcomes = store.lock_head().await.unwrap().commit(batch(n)).await.unwrap();
        assert_eq!(outcomes.last(), Some(&Outcome::Applied { revision: 3 * n }));
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {n}").unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_and_nothing_is_half_there() {
    let folder = Folder::new();
    let mut before = 0;
    for round in 0..8u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child_that_commits_until_killed", "--nocapture"])
            .env(CHILD, &folder.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let acknowledged = |line: String| line.strip_prefix("acknowledged ").and_then(|n| n.parse::<u64>().ok());
        let target = before + 3 + round * 17;
        let seen = lines.by_ref().filter_map(acknowledged).find(|n| *n >= target);
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had printed before it died counts as well.
        let last = lines.filter_map(acknowledged).last().or(seen).expect("the child says what it has done");

        let store = SqliteStore::open(&folder.0).unwrap();
        let head = store.head().await.unwrap();
        assert!(head.revision >= 3 * last, "round {round}: {last} was acknowledged, but the head is {}", head.revision);
        assert_eq!(head.revision % 3, 0, "a batch is half there");
        let mut verifier = Verifier::default();
        for entry in store.tail(0, usize::MAX).await.unwrap() {
            verifier.check(&entry).unwrap();
        }
        assert_eq!(verifier.last(), Some((head.revision, head.hash)));
        let mut assets = 0;
        store.load(&mut |_| assets += 1).await.unwrap();
        assert_eq!(assets, head.revision / 3 * 2);
        for n in 1..=head.revision / 3 {
            assert_eq!(store.outcome(sixteen(n)).await.unwrap(), Some((3 * n - 2, 3 * n)));
            assert!(store.content(id(10 * n + 2)).await.unwrap().is_some());
        }
        before = head.revision / 3;
    }
    assert!(before > 100);
}

/// Does nothing unless the parent started it: then it commits on a disk that takes no file above
/// some size, says what became of each batch, and waits to be killed.
#[tokio::test]
async fn child_on_a_small_disk() {
    let Some(folder) = std::env::var_os(SMALL_DISK_CHILD) else { return };
    let store = SqliteStore::open(folder.as_ref()).unwrap();
    for n in 1..=400 {
        // Every tenth batch is larger than what is left of the disk.
        let bytes = if n % 10 == 0 { 2_000_000 } else { 6_000 };
        let content = vec![ContentWrite::Insert(content(n, "x".repeat(bytes)))];
        let batch = Batch { commit_id: sixteen(n), writes: vec![Write { content, ..write(n, Vec::new()) }] };
        let word = match store.lock_head().await.unwrap().commit(batch).await {
            Ok(_) => "acknowledged",
            Err(CommitError::NotApplied(StoreError::Full(_))) => "refused",
            Err(CommitError::Unknown(StoreError::Full(_))) => "unknown",
            Err(other) => panic!("{other:?}"),
        };
        println!("{word} {n}");
    }
    println!("done 0");
    std::future::pending::<()>().await;
}

/// The write that fails is the one of COMMIT itself here, which `max_page_count` can't do.
#[tokio::test]
async fn a_commit_that_fails_in_its_last_step_is_never_found_after_a_crash() {
    let folder = Folder::new();
    // The limit is in blocks of 512 or 1,024 bytes, whichever the shell likes: 1 or 2 MB.
    let script = "trap '' XFSZ; ulimit -f 2000; exec \"$0\" --exact crash::child_on_a_small_disk --nocapture";
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg(std::env::current_exe().unwrap())
        .env(SMALL_DISK_CHILD, &folder.0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        match line.split_once(' ').and_then(|(word, n)| Some((word.to_owned(), n.parse::<u64>().ok()?))) {
            Some((word, 0)) if word == "done" => break,
            Some(pair) => said.push(pair),
            None => {}
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let store = SqliteStore::open(&folder.0).unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for (word, n) in said {
        let there = store.outcome(sixteen(n)).await.unwrap().is_some();
        assert_eq!(store.content(id(n)).await.unwrap().is_some(), there, "batch {n} is half there");
        match word.as_str() {
            "acknowledged" => assert!(there, "batch {n} was acknowledged and is lost"),
            "refused" => assert!(!there, "batch {n} was refused and is there"),
            "unknown" => {}
            _ => continue,
        }
        *counts.entry(word).or_insert(0) += 1;
    }
    assert!(counts.get("acknowledged").is_some_and(|n| *n > 50), "{counts:?}");
    assert!(counts.get("refused").is_some_and(|n| *n > 20), "{counts:?}");
    let mut verifier = Verifier::default();
    for entry in store.tail(0, usize::MAX).await.unwrap() {
        verifier.check(&entry).unwrap();
    }
    println!("{counts:?}");
}
