//! SQLite keeps the contract, and never loses what it has acknowledged.
#![allow(clippy::unwrap_used)]

mod crash;
mod files;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use valetkey_domain::change::ActorKind;
use valetkey_domain::{Action, Actor, Change, ChangeSet, Id, Record};
use valetkey_store::contract::Home;
use valetkey_store::{Batch, Content, Store, Write};
use valetkey_store_sqlite::SqliteStore;

/// A folder that is deleted when the test ends.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Folder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("valetkey-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[async_trait]
impl Home for Folder {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.0).unwrap())
    }

    async fn join(&self) -> Option<Arc<dyn Store>> {
        None
    }
}

mod contract {
    use super::*;
    valetkey_store::contract_tests!(async { Box::new(Folder::new()) as Box<dyn Home> });
}

pub fn id<Of>(n: u64) -> Id<Of> {
    Id::new(n).unwrap()
}

/// A write without a business.
pub fn write(salt: u64, changes: Vec<Change>) -> Write {
    let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
    let set = ChangeSet { at: 0, action: Action::AssetCreated, actor, business: None, subjects: Vec::new(), changes };
    Write { set, content: Vec::new(), jobs: Vec::new(), salt: sixteen(salt) }
}

pub fn sixteen(n: u64) -> [u8; 16] {
    u128::from(n).to_be_bytes()
}

/// A batch that makes one asset without an owner.
pub fn asset_batch(n: u64) -> Batch {
    let asset = Record::Asset(valetkey_domain::noun::asset::Asset {
        id: id(n),
        kind: valetkey_domain::AssetKind::Page,
        business: None,
        name: valetkey_domain::Name::parse("Page").unwrap(),
        created_at: 0,
        deleted_at: None,
    });
    Batch { commit_id: sixteen(n), writes: vec![write(n, vec![Change { before: None, after: Some(asset) }])] }
}

pub fn content(n: u64, body: String) -> Content {
    Content {
        id: id(n),
        kind: 13,
        asset: id(1),
        parent: id(1),
        status: "published".to_owned(),
        sort_at: 0,
        created_at: 0,
        updated_at: 0,
        version: 1,
        body,
    }
}
