//! Batches to write, and what the ledger says about them afterwards.

use std::sync::atomic::{AtomicU64, Ordering};

use valetkey_domain::change::ActorKind;
use valetkey_domain::id::of;
use valetkey_domain::limits::Limits;
use valetkey_domain::noun::business::Business;
use valetkey_domain::{Action, Actor, AssetId, Change, ChangeSet, ContentId, Id, Name, Record};
use valetkey_store::ledger::Verifier;
use valetkey_store::{Batch, CommitError, Content, ContentWrite, Entry, Outcome, Store, StoreError, Write};
use valetkey_store_postgres::PostgresStore;
use valetkey_testkit::postgres::Server;

static NEXT: AtomicU64 = AtomicU64::new(1_000);

pub fn new_id<Of>() -> Id<Of> {
    Id::new(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap()
}

/// A store on a fresh database of the shared server; its name comes along.
pub async fn fresh() -> (PostgresStore, String) {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    (PostgresStore::connect(&server.dsn(&database)).await.unwrap(), database)
}

/// Makes a business of its own.
pub fn write() -> Write {
    let id = new_id();
    let business = Business {
        id,
        name: Name::parse("Café 🗝").unwrap(),
        created_at: 1,
        accepted: None,
        limits: Limits::default(),
        strict_visibility: false,
        token_lifetime_limit_s: None,
        deleted_at: None,
    };
    let set = ChangeSet {
        at: 1,
        action: Action::BusinessCreated,
        actor: Actor { kind: ActorKind::Operator, id: None, token: None },
        business: Some(id),
        subjects: vec![id.any()],
        changes: vec![Change { before: None, after: Some(Record::Business(business)) }],
    };
    Write { set, content: Vec::new(), jobs: Vec::new(), salt: [7; 16] }
}

/// The same with one row of content.
pub fn write_with_content(id: ContentId) -> Write {
    let mut write = write();
    write.content.push(ContentWrite::Insert(Content {
        id,
        kind: 13,
        asset: AssetId::of(id.any()),
        parent: id.any(),
        status: "published".to_owned(),
        sort_at: 1,
        created_at: 1,
        updated_at: 1,
        version: 1,
        body: "{}".to_owned(),
    }));
    write
}

pub fn batch(writes: Vec<Write>) -> Batch {
    let mut commit_id = [0; 16];
    commit_id[..8].copy_from_slice(&new_id::<of::Content>().get().to_be_bytes());
    Batch { commit_id, writes }
}

pub async fn commit(store: &dyn Store, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
    store.lock_head().await.map_err(CommitError::NotApplied)?.commit(batch).await
}

/// The whole ledger, verified from the first entry on.
pub async fn verified_ledger(store: &dyn Store) -> Vec<Entry> {
    let mut verifier = Verifier::default();
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |e| e.revision);
        let more = store.tail(after, 500).await.unwrap();
        if more.is_empty() {
            break;
        }
        for entry in more {
            verifier.check(&entry).unwrap();
            entries.push(entry);
        }
    }
    let head = store.head().await.unwrap();
    assert_eq!(verifier.last().unwrap_or((0, [0; 32])), (head.revision, head.hash));
    entries
}

/// Asks until the store can be reached again; bounded by its own limits for connecting.
pub async fn outcome(store: &dyn Store, commit_id: [u8; 16]) -> Option<(u64, u64)> {
    for _ in 0..100 {
        match store.outcome(commit_id).await {
            Ok(outcome) => return outcome,
            Err(StoreError::Unavailable(_)) => {}
            Err(e) => panic!("{e}"),
        }
    }
    panic!("the store can't be reached");
}
