//! One line of the timeline: an entry of the ledger, in words.
//!
//! It holds no secret: neither sealed secrets nor digests of tokens and codes get in here.

use valetkey_domain::change::ActorKind;
use valetkey_domain::{Action, BusinessId, Id, TokenId, UnixMs};
use valetkey_store::payload::{Did, JobDid};

use super::phrase::{Named, Phrase};

/// One entry of the ledger for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityLine {
    pub revision: u64,
    pub at: UnixMs,
    pub by: ActivityBy,
    /// `None` if a newer version wrote it.
    pub action: Option<Action>,
    /// The action as the ledger has it.
    pub action_word: String,
    /// The business whose history it belongs to; none for the operator's own.
    pub business: Option<BusinessId>,
    /// What happened, from who did it to what it was done to, without a full stop.
    pub sentence: Phrase,
    pub subjects: Vec<Named>,
    /// Whether it took something away that was possible before.
    pub narrows: bool,
    pub detail: ActivityDetail,
    /// The hash of the entry in the ledger's chain.
    pub hash: [u8; 32],
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityBy {
    pub kind: ActorKind,
    pub id: Option<Id>,
    /// None for the operator.
    pub named: Option<Named>,
    /// The business of a user of another business; the user is then not named.
    pub of: Option<Named>,
    /// The token that it was done with.
    pub token: Option<TokenId>,
}

impl ActivityBy {
    /// Who, at the start of a sentence.
    pub fn phrase(&self) -> Phrase {
        match (&self.of, &self.named) {
            (Some(business), _) => {
                let who = match self.kind {
                    ActorKind::Person => "A person of ",
                    ActorKind::SystemUser => "A system user of ",
                    ActorKind::App => "An app of ",
                    ActorKind::Operator => "The operator of ",
                };
                Phrase::of(who).name(business.clone())
            }
            (None, Some(named)) if named.name.is_some() => Phrase::default().name(named.clone()),
            (None, Some(named)) => Phrase::of("The ").name(named.clone()),
            (None, None) => Phrase::of("The operator"),
        }
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActivityDetail {
    /// The payload of the entry is gone, so nobody can say what changed.
    Gone,
    /// This version can't read the payload.
    Unreadable,
    Known(ActivityChanges),
}

/// The changes of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityChanges {
    pub records: Vec<RecordChange>,
    pub content: Vec<ContentChange>,
    pub jobs: Vec<JobChange>,
    /// How many further changes there are; a line shows a bounded number.
    pub left_out: usize,
}

/// What happened to one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// Which record: `the assignment of Page Bikes to Poster`.
    pub record: Phrase,
    pub did: Did,
    /// The fields that differ; all that have a value if the record was made or removed.
    pub fields: Vec<FieldChange>,
}

/// One field before and after, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    pub label: &'static str,
    pub before: Option<Phrase>,
    pub after: Option<Phrase>,
}

/// What happened to one row of content. The ledger keeps a digest of the row, and not the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentChange {
    pub did: Did,
    /// The row; the asset itself for its descriptive fields.
    pub row: Named,
    pub status: Option<String>,
}

/// What happened to one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobChange {
    pub did: JobDid,
    pub job: Named,
    /// What it is to do, as a word.
    pub kind: Option<String>,
    pub due_at: Option<UnixMs>,
}
