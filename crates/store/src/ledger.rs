//! The ledger: one entry for each command, chained by hashes, globally and for each business.
//!
//! The chain covers the payload of an entry only through a salted digest, so that personal data can
//! be erased and the chain still verifies. Nothing erases yet, so a missing payload is an error: no
//! entry says who erased it.

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use valetkey_domain::change::ActorKind;
use valetkey_domain::{Action, Actor, BusinessId, ChangeSet, Id, UnixMs};

use crate::batch::Write;
use crate::digest::finish;
use crate::error::StoreError;
use crate::payload::{self, Class, Payload};

pub use crate::digest::{from_hex, payload_digest, to_hex};

/// The format of entries that this version writes.
///
/// 1: jobs are not in the ledger. 2: every job is in the entry that made it or changed it, with a
/// digest.
pub const FORMAT: u32 = JOBS_FORMAT;
/// The first format whose writer enters every job.
pub const JOBS_FORMAT: u32 = 2;
/// The first format; entries of all formats from here on can be read.
const FIRST_FORMAT: u32 = 1;
/// The length of every salt. With any other, bytes could move between salt and payload unnoticed.
pub const SALT_BYTES: usize = 16;

/// One entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub format: u32,
    pub revision: u64,
    pub at: UnixMs,
    #[serde(with = "hex_bytes")]
    pub commit_id: Vec<u8>,
    pub class: Class,
    pub action: String,
    pub actor: Actor,
    pub business: Option<BusinessId>,
    pub subjects: Vec<Id>,
    pub narrows: bool,
    /// The changes as JSON; `None` if they are gone.
    pub body: Option<String>,
    #[serde(with = "hex_bytes")]
    pub salt: Vec<u8>,
    /// SHA-256 of salt and body.
    #[serde(with = "hex_32")]
    pub digest: [u8; 32],
    /// The hash of the previous entry; zeros for the first.
    #[serde(with = "hex_32")]
    pub prev: [u8; 32],
    /// The hash of the previous entry of the same business; zeros for the first.
    #[serde(with = "hex_32")]
    pub business_prev: [u8; 32],
    #[serde(with = "hex_32")]
    pub hash: [u8; 32],
}

/// What a new entry is chained to.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    pub revision: u64,
    pub prev: [u8; 32],
    pub business_prev: [u8; 32],
}

/// Shows no payload: it holds sealed secrets and what people wrote.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Entry { revision, at, class, action, actor, business, subjects, narrows, hash, .. } = self;
        f.debug_struct("Entry")
            .field("revision", revision)
            .field("at", at)
            .field("class", class)
            .field("action", action)
            .field("actor", actor)
            .field("business", business)
            .field("subjects", subjects)
            .field("narrows", narrows)
            .field("hash", &to_hex(hash))
            .finish_non_exhaustive()
    }
}

impl Entry {
    /// The entry of a change set with this payload.
    pub fn new(set: &ChangeSet, class: Class, body: String, salt: [u8; 16], commit_id: [u8; 16], link: Link) -> Entry {
        let mut entry = Entry {
            format: FORMAT,
            revision: link.revision,
            at: set.at,
            commit_id: commit_id.to_vec(),
            class,
            action: set.action.as_str(),
            actor: set.actor,
            business: set.business,
            subjects: set.subjects.clone(),
            narrows: set.narrows(),
            digest: payload_digest(&salt, &body),
            body: Some(body),
            salt: salt.to_vec(),
            prev: link.prev,
            business_prev: link.business_prev,
            hash: [0; 32],
        };
        entry.hash = entry.chain_hash();
        entry
    }

    /// The entry of a write: of class authority when records change. Its payload is the changes,
    /// and what happened to which content and to which jobs, with a salted digest of each.
    ///
    /// # Errors
    /// If the payload can't be written as JSON, or if the entry about a job could not be found.
    pub fn of_write(write: &Write, commit_id: [u8; 16], link: Link) -> Result<Entry, StoreError> {
        let (class, body) = payload::write(write)
            .map_err(|e| StoreError::Other(format!("the payload of entry {}: {e}", link.revision)))?;
        Ok(Entry::new(&write.set, class, body, write.salt, commit_id, link))
    }

    /// The hash over everything but the payload itself. Each field is preceded by its length, so
    /// that no two entries can read the same.
    pub fn chain_hash(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        let mut field = |bytes: &[u8]| {
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        };
        let id = |id: Option<Id>| id.map_or(0, Id::get).to_be_bytes();
        field(b"valetkey ledger entry");
        field(&self.format.to_be_bytes());
        field(&self.revision.to_be_bytes());
        field(&self.at.to_be_bytes());
        field(&self.commit_id);
        field(match self.class {
            Class::Authority => b"authority",
            Class::Content => b"content",
        });
        field(self.action.as_bytes());
        field(self.actor.kind.as_str().as_bytes());
        field(&id(self.actor.id));
        field(&id(self.actor.token.map(Id::any)));
        field(&id(self.business.map(Id::any)));
        for subject in &self.subjects {
            field(&id(Some(*subject)));
        }
        field(&[u8::from(self.narrows)]);
        field(&self.digest);
        field(&self.prev);
        field(&self.business_prev);
        finish(context)
    }

    /// The change set of an authority entry, for an index to fold.
    ///
    /// # Errors
    /// Says why the entry can't be read: an unknown kind of change makes a node refuse.
    pub fn change_set(&self) -> Result<ChangeSet, String> {
        let at = |what: &str| format!("ledger entry {}: {what}", self.revision);
        let action = Action::parse(&self.action).ok_or_else(|| at(&format!("unknown action {}", self.action)))?;
        // Indexes hold no content.
        let changes = match self.class {
            Class::Authority => self.payload()?.changes,
            Class::Content => {
                self.check_format()?;
                Vec::new()
            }
        };
        Ok(ChangeSet {
            at: self.at,
            action,
            actor: self.actor,
            business: self.business,
            subjects: self.subjects.clone(),
            changes,
        })
    }

    /// Everything that the entry says.
    ///
    /// # Errors
    /// As [`Entry::change_set`]: unknown fields are refused, never left out.
    pub fn payload(&self) -> Result<Payload, String> {
        let at = |what: &str| format!("ledger entry {}: {what}", self.revision);
        self.check_format()?;
        let body = self.body.as_deref().ok_or_else(|| at("its payload is gone"))?;
        payload::read(self.class, body).map_err(|what| at(&what))
    }

    fn check_format(&self) -> Result<(), String> {
        let (revision, format) = (self.revision, self.format);
        if is_known(format) { Ok(()) } else { Err(ChainError::Format { revision, format }.to_string()) }
    }
}

fn is_known(format: u32) -> bool {
    (FIRST_FORMAT..=FORMAT).contains(&format)
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    #[error("entry {revision} was altered: its hash does not match its fields")]
    Hash { revision: u64 },
    #[error("entry {revision} was altered: its payload does not match its digest")]
    Payload { revision: u64 },
    #[error("entry {revision} was altered: its salt has {bytes} bytes and not 16")]
    Salt { revision: u64, bytes: usize },
    #[error("the payload of entry {revision} is gone, and no entry says that it was erased")]
    NoPayload { revision: u64 },
    #[error("entry {revision} is not one of business {wanted}")]
    Foreign { revision: u64, wanted: BusinessId },
    #[error("entry {revision} does not follow the one before it: something was removed, inserted or altered")]
    Link { revision: u64 },
    #[error("entry {revision} follows entry {after}: {} are missing", revision - after - 1)]
    Gap { after: u64, revision: u64 },
    #[error("entry {revision} has format {format}, which this version does not know; use a newer valetkey")]
    Format { revision: u64, format: u32 },
}

/// Checks entries one after another, offline: all there are, or those of one business.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    /// If set, only entries of this business are checked: revisions may have gaps, and its own chain
    /// counts.
    business: Option<BusinessId>,
    last: Option<(u64, [u8; 32])>,
    business_last: std::collections::HashMap<BusinessId, [u8; 32]>,
    /// How many entries were checked and are in order.
    pub entries: u64,
}

impl Verifier {
    /// Checks the entries of one business alone.
    pub fn of_business(business: BusinessId) -> Verifier {
        Verifier { business: Some(business), ..Verifier::default() }
    }

    /// Checks the next entry.
    ///
    /// # Errors
    /// The first fault. After `NoPayload` the next entry can be checked, because the chain holds
    /// without payloads. After any other error the verifier can't go on.
    pub fn check(&mut self, entry: &Entry) -> Result<(), ChainError> {
        let revision = entry.revision;
        check_alone(entry)?;
        match self.business {
            None => self.check_link(entry)?,
            Some(wanted) if entry.business != Some(wanted) => return Err(ChainError::Foreign { revision, wanted }),
            Some(_) => {}
        }
        if let Some(business) = entry.business {
            let prev = self.business_last.insert(business, entry.hash).unwrap_or([0; 32]);
            if entry.business_prev != prev {
                return Err(ChainError::Link { revision });
            }
        }
        self.last = Some((revision, entry.hash));
        self.entries += 1;
        if entry.body.is_none() { Err(ChainError::NoPayload { revision }) } else { Ok(()) }
    }

    fn check_link(&self, entry: &Entry) -> Result<(), ChainError> {
        let revision = entry.revision;
        let (after, prev) = self.last.unwrap_or((0, [0; 32]));
        match revision.checked_sub(after) {
            Some(1) if entry.prev == prev => Ok(()),
            Some(2..) => Err(ChainError::Gap { after, revision }),
            _ => Err(ChainError::Link { revision }),
        }
    }

    /// Revision and hash of the last entry checked.
    pub fn last(&self) -> Option<(u64, [u8; 32])> {
        self.last
    }
}

/// Checks what an entry shows without the entries around it.
///
/// # Errors
/// The first fault.
pub fn check_alone(entry: &Entry) -> Result<(), ChainError> {
    let revision = entry.revision;
    if !is_known(entry.format) {
        return Err(ChainError::Format { revision, format: entry.format });
    }
    if entry.salt.len() != SALT_BYTES {
        return Err(ChainError::Salt { revision, bytes: entry.salt.len() });
    }
    if entry.chain_hash() != entry.hash {
        return Err(ChainError::Hash { revision });
    }
    match &entry.body {
        Some(body) if payload_digest(&entry.salt, body) != entry.digest => Err(ChainError::Payload { revision }),
        _ => Ok(()),
    }
}

/// Reads the word by which the stores keep a kind of actor.
pub fn actor_kind(word: &str) -> Option<ActorKind> {
    [ActorKind::Operator, ActorKind::Person, ActorKind::SystemUser, ActorKind::App]
        .into_iter()
        .find(|k| k.as_str() == word)
}

mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::to_hex(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        super::from_hex(&String::deserialize(deserializer)?).ok_or_else(|| serde::de::Error::custom("not hexadecimal"))
    }
}

mod hex_32 {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::to_hex(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        super::from_hex(&String::deserialize(deserializer)?)
            .and_then(|b| b.try_into().ok())
            .ok_or_else(|| serde::de::Error::custom("not 32 bytes in hexadecimal"))
    }
}

#[cfg(test)]
mod tests;
