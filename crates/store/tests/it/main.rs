//! The model keeps the contract, and the faulty wrapper fails as its schedule says.

use std::sync::Arc;

use async_trait::async_trait;
use valetkey_domain::change::ActorKind;
use valetkey_domain::noun::terms::Terms;
use valetkey_domain::{Action, Actor, Change, ChangeSet, Record};
use valetkey_store::contract::Home;
use valetkey_store::faulty::{Call, Fault, seeded};
use valetkey_store::{Batch, CommitError, Faulty, MemoryStore, Outcome, Store, StoreError, Write};

struct Shared(MemoryStore);

#[async_trait]
impl Home for Shared {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }

    async fn join(&self) -> Option<Arc<dyn Store>> {
        Some(Arc::new(self.0.join()))
    }
}

mod memory {
    use super::*;
    valetkey_store::contract_tests!(async { Box::new(Shared(MemoryStore::new())) as Box<dyn Home> });
}

mod faulty {
    use super::*;

    fn batch(n: u8) -> Batch {
        let set = ChangeSet {
            at: 0,
            action: Action::TermsReplaced,
            actor: Actor { kind: ActorKind::Operator, id: None, token: None },
            business: None,
            subjects: Vec::new(),
            changes: vec![Change {
                before: None,
                after: Some(Record::Terms(Terms { version: u32::from(n), text: "t".into() })),
            }],
        };
        Batch { commit_id: [n; 16], writes: vec![Write { set, content: Vec::new(), jobs: Vec::new(), salt: [n; 16] }] }
    }

    #[tokio::test]
    async fn a_commit_fails_before_without_effect_and_after_with_its_effect() {
        let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let store = Faulty::quiet(Arc::clone(&inner));
        let commit = async |n: u8| store.lock_head().await.unwrap().commit(batch(n)).await;
        assert_eq!(commit(1).await, Ok(vec![Outcome::Applied { revision: 1 }]));
        for (n, fault) in [(2, Fault::Before), (3, Fault::Lost), (4, Fault::After)] {
            store.fail_next(Call::Commit, fault);
            let result = commit(n).await;
            assert_eq!(matches!(result, Err(CommitError::NotApplied(_))), fault == Fault::Before);
            assert_eq!(matches!(result, Err(CommitError::Unknown(_))), fault != Fault::Before);
            let written = (fault == Fault::After).then_some((2, 2));
            assert_eq!(store.outcome([n; 16]).await.unwrap(), written, "{fault:?}");
        }
        assert_eq!(inner.head().await.unwrap().revision, 2);
    }

    #[tokio::test]
    async fn reads_and_the_lock_fail_once_and_writes_beside_the_ledger_by_kind() {
        let store = Faulty::quiet(Arc::new(MemoryStore::new()));
        store.fail_next(Call::Read, Fault::Before);
        assert!(matches!(store.head().await, Err(StoreError::Unavailable(_))));
        assert!(store.head().await.is_ok());
        store.fail_next(Call::LockHead, Fault::After);
        assert!(store.lock_head().await.is_err());
        assert!(store.lock_head().await.is_ok());
        store.fail_next(Call::Telemetry, Fault::After);
        assert!(store.take_lease("a", 1_000, None).await.is_err());
        assert!(!store.take_lease("b", 1_000, None).await.unwrap(), "nothing was done");
    }

    #[tokio::test]
    async fn the_same_seed_fails_the_same_calls() {
        let run = async |seed| {
            let store = Faulty::new(Arc::new(MemoryStore::new()), seeded(seed, 300));
            let mut answers = Vec::new();
            for _ in 0..200 {
                answers.push(store.head().await.is_ok());
            }
            answers
        };
        let first = run(5).await;
        assert_eq!(first, run(5).await);
        assert_ne!(first, run(6).await);
        let failed = first.iter().filter(|ok| !**ok).count();
        assert!((30..90).contains(&failed), "{failed}");
    }
}
