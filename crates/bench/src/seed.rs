//! Fills a data folder, laid out as `valetkey init` does it, with a world and its tokens, so that
//! `valetkey serve --data` runs on it.
//!
//! It writes through the store's own commits, ledger and chain included, with many records in an entry.
//! It must never touch a folder that is not empty.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use valetkey_domain::Record;
use valetkey_seal::{KeyRing, MasterKey, OsRandom};
use valetkey_store::{KeyRow, Store};
use valetkey_store_sqlite::SqliteStore;

use crate::rows;
use crate::world::{self, FULL, SMALL, World};

/// Records in one entry of the ledger.
const RECORDS: usize = 5_000;
/// Questions in the file of targets.
const TARGETS: usize = 4_096;
/// From this number of tokens on, the whole world is large too.
const FULL_FROM: usize = 200_000;

/// Makes and fills the folder; returns what it holds.
pub fn run(data: &str, tokens: usize) -> anyhow::Result<Value> {
    let started = Instant::now();
    let folder = Path::new(data);
    let world = if tokens >= FULL_FROM { FULL } else { SMALL };
    fill(folder, world, tokens)?;
    let targets = folder.join("targets.txt");
    std::fs::write(&targets, lines(world, tokens, TARGETS))?;
    Ok(json!({
        "tokens": tokens,
        "system_users": world.users,
        "assignments": world.users * world::ASSIGNED,
        "targets": targets,
        "seconds": started.elapsed().as_secs_f64(),
    }))
}

/// Fills a new folder. The store is closed on return.
pub fn fill(folder: &Path, world: World, tokens: usize) -> anyhow::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    ensure!(std::fs::read_dir(folder)?.next().is_none(), "{} holds something; name a new folder", folder.display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = SqliteStore::open(folder)?;
        let key = make_keys(folder, &store).await?;
        drop(key);
        let records = world.records().chain(world.admin_tokens()).chain((0..tokens).map(|n| world.token(n)));
        let mut waiting = Vec::with_capacity(RECORDS);
        for record in records {
            waiting.push(record);
            if waiting.len() == RECORDS {
                write(&store, std::mem::take(&mut waiting)).await?;
            }
        }
        write(&store, waiting).await
    })
}

/// A store with a small world, and a ring to open a service on it.
pub async fn small(folder: &Path) -> anyhow::Result<(SqliteStore, KeyRing)> {
    let store = SqliteStore::open(folder)?;
    let ring = make_keys(folder, &store).await?;
    write(&store, SMALL.records().chain(SMALL.admin_tokens()).collect()).await?;
    Ok((store, ring))
}

async fn write(store: &SqliteStore, records: Vec<Record>) -> anyhow::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    rows::commit(store, vec![rows::bulk(records)?]).await
}

/// A new master key in the folder and a data key in the store; the ring of both.
pub async fn make_keys(folder: &Path, store: &SqliteStore) -> anyhow::Result<KeyRing> {
    let master = MasterKey::generate(&OsRandom)?;
    let path = folder.join("master.key");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(master.to_hex().expose())?;
    file.write_all(b"\n")?;
    let mut ring = KeyRing::open(&master, [])?;
    let key = ring.new_data_key(&master, &OsRandom)?;
    let row = KeyRow { key_id: key.key_id, master_id: key.master_id.clone(), bytes: key.bytes.clone() };
    store.replace_keys(&[row]).await.context("the data key can't be stored")?;
    ring.add(&master, key)?;
    Ok(ring)
}

/// Questions to `forward-auth` of tokens drawn evenly from all: path, space, token.
fn lines(world: World, tokens: usize, count: usize) -> String {
    let line = |i: usize| {
        let n = world::mixed(i as u64 ^ 0x5EED) as usize % tokens.max(1);
        let asset = world.asset(world.assigned(world.token_user(n), i % world::ASSIGNED));
        let (task, _) = world::TASK;
        let path = format!("/gateway/forward-auth?asset={asset}&task={task}&scope={}", world::SCOPE);
        format!("{path} {}\n", world::token_text(n).reveal())
    };
    (0..count).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_path_and_a_token() {
        let lines = lines(SMALL, 100, 3);
        assert_eq!(lines.lines().count(), 3);
        for line in lines.lines() {
            let (path, token) = line.split_once(' ').unwrap();
            assert!(path.starts_with("/gateway/forward-auth?asset="), "{path}");
            assert!(valetkey_domain::credential::read(token).is_some());
        }
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let scratch = rows::Scratch::new(&std::env::temp_dir().to_string_lossy(), "valetkey-bench-seed").unwrap();
        std::fs::write(scratch.path().join("file"), "x").unwrap();
        let error = fill(scratch.path(), SMALL, 1).unwrap_err().to_string();
        assert!(error.contains("holds something"), "{error}");
    }
}
