//! Writes for the store as the service makes them, without a service.
//!
//! Their rows must have the sizes of real ones, because their figures are compared with those of the
//! service.

use std::path::Path;

use anyhow::Context as _;
use valetkey_domain::change::ActorKind;
use valetkey_domain::{Action, Actor, Change, ChangeSet, Id, Record};
use valetkey_store::{Batch, CommitError, Outcome, Store, Write};

use crate::world::{MADE_AT, World};

/// Random bytes of the system.
pub fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0u8; N];
    aws_lc_rs::rand::fill(&mut bytes).ok().context("the system's random source failed")?;
    Ok(bytes)
}

/// New records in one entry of the ledger.
pub fn bulk(records: Vec<Record>) -> anyhow::Result<Write> {
    let changes = records.into_iter().map(|record| Change { before: None, after: Some(record) }).collect();
    let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
    entry(ChangeSet { at: MADE_AT, action: Action::TokenIssued, actor, business: None, subjects: Vec::new(), changes })
}

/// One entry of the ledger.
pub fn entry(set: ChangeSet) -> anyhow::Result<Write> {
    Ok(Write { set, content: Vec::new(), jobs: Vec::new(), salt: random()? })
}

/// The write of one token that an ADMIN system user issued.
pub fn issued(world: World, n: usize) -> anyhow::Result<Write> {
    let record = world.token(n);
    let Record::Token(token) = &record else { anyhow::bail!("the record of a token has another type") };
    let actor = Actor { kind: ActorKind::SystemUser, id: token.created_by.map(Id::any), token: Some(token.id) };
    let subjects: Vec<Id> =
        [Some(token.id.any()), Some(token.user.any()), token.app.map(Id::any)].into_iter().flatten().collect();
    let business = Some(token.business);
    let changes = vec![Change { before: None, after: Some(record) }];
    entry(ChangeSet { at: MADE_AT, action: Action::TokenIssued, actor, business, subjects, changes })
}

/// Commits writes together.
pub async fn commit(store: &dyn Store, writes: Vec<Write>) -> anyhow::Result<()> {
    let batch = Batch { commit_id: random()?, writes };
    let outcomes = store.lock_head().await?.commit(batch).await.map_err(|error: CommitError| anyhow::anyhow!(error))?;
    anyhow::ensure!(outcomes.iter().all(|o| matches!(o, Outcome::Applied { .. })), "a write was not applied");
    Ok(())
}

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub struct Scratch(std::path::PathBuf);

impl Scratch {
    pub fn new(within: &str, name: &str) -> anyhow::Result<Scratch> {
        let path = Path::new(within).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("can't make {}", path.display()))?;
        Ok(Scratch(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
