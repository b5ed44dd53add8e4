//! What a check of a store found, and its texts. They may contain no value of a record.

use std::collections::BTreeSet;

use serde_json::Value;
use valetkey_domain::{Record, RecordKey};

/// How many findings of one sort are named; the rest is counted.
pub(super) const NAMED_LIMIT: usize = 1_000;

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The entry up to which the ledger was read.
    Entries(u64),
    /// How many records were compared.
    Records(u64),
    /// How many rows of content were compared.
    Content(u64),
}

/// Findings of one sort: the first thousand by name, the rest by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings<T> {
    pub named: Vec<T>,
    pub more: u64,
}

impl<T> Default for Findings<T> {
    fn default() -> Findings<T> {
        Findings { named: Vec::new(), more: 0 }
    }
}

impl<T> Findings<T> {
    /// One more.
    pub fn add(&mut self, finding: T) {
        if self.named.len() < NAMED_LIMIT {
            self.named.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.named.len() as u64 + self.more
    }
}

/// Something that is not as the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Kind and id.
    pub what: String,
    /// In which way it differs.
    pub how: String,
}

/// What was compared beside the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    pub records: u64,
    pub content: u64,
    pub jobs: u64,
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Revision and hash of the last entry in order.
    pub last: (u64, [u8; 32]),
    pub entries: u64,
    /// What is wrong with the chain. Nothing is compared with a ledger that can't be trusted.
    pub chain: Option<String>,
    /// Revisions of entries whose payload is gone.
    pub without_payload: Findings<u64>,
    pub compared: Option<Compared>,
    pub differences: Findings<Difference>,
    /// Records, content and jobs that can't be checked, because a payload about them is gone.
    pub not_verifiable: Findings<String>,
}

impl Report {
    /// Whether there is no finding.
    pub fn is_intact(&self) -> bool {
        self.chain.is_none()
            && self.compared.is_some()
            && self.without_payload.count() == 0
            && self.differences.count() == 0
            && self.not_verifiable.count() == 0
    }
}

/// Kind and id of a record. A sign-in code has no id, so its person is named.
pub(super) fn name(key: RecordKey, record: Option<&Record>) -> String {
    match key {
        RecordKey::Business(id) => format!("business {id}"),
        RecordKey::Person(id) => format!("person {id}"),
        RecordKey::SystemUser(id) => format!("system user {id}"),
        RecordKey::App(id) => format!("app {id}"),
        RecordKey::Connection(business, app) => format!("connection of business {business} with app {app}"),
        RecordKey::Installation(user, app) => format!("installation of app {app} on system user {user}"),
        RecordKey::DeclaredKind(kind) => format!("declared kind {}", kind.number()),
        RecordKey::Asset(id) => format!("asset {id}"),
        RecordKey::Assignment(user, asset) => format!("assignment of user {user} on asset {asset}"),
        RecordKey::Share(asset, partner) => format!("share of asset {asset} with partner {partner}"),
        RecordKey::Token(id) => format!("token {id}"),
        RecordKey::PageCounter(token, page) => format!("page counter of token {token} and Page {page}"),
        RecordKey::SignInCode(_) => match record {
            Some(Record::SignInCode(code)) => format!("sign-in code of person {}", code.person),
            _ => "a sign-in code".to_owned(),
        },
        RecordKey::Terms => "terms".to_owned(),
        RecordKey::Human(id) => format!("human {id}"),
        RecordKey::Passkey(id) => format!("passkey {id}"),
    }
}

/// The names of the fields in which two records of one kind differ.
pub(super) fn fields(one: &Record, other: &Record) -> Vec<String> {
    let inside = |record: &Record| match serde_json::to_value(record) {
        Ok(Value::Object(map)) => map.into_iter().next().map_or(Value::Null, |(_, inner)| inner),
        _ => Value::Null,
    };
    match (inside(one), inside(other)) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
        }
        _ => Vec::new(),
    }
}

pub(super) fn are(fields: &[String]) -> String {
    match fields {
        [] => "is".to_owned(),
        [one] => format!("its {one} is"),
        several => format!("its {} are", several.join(", ")),
    }
}
