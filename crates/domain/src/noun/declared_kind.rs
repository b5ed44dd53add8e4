//! A kind of asset that the operator declared, as a record. Its fields stand in `kind.rs`, beside the
//! built-in kinds.

use super::Noun;
use crate::{DeclaredKind, Id, List, RecordKey};

impl Noun for DeclaredKind {
    fn key(&self) -> RecordKey {
        RecordKey::DeclaredKind(self.kind)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        Vec::new()
    }

    fn narrows(&self, after: &DeclaredKind) -> bool {
        let DeclaredKind { kind: _, word, title: _, tasks } = after;
        !tasks.starts_with(&self.tasks) || *word != self.word
    }
}
