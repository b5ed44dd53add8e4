//! Helpers for the cases: short ways to make records, writes and batches, and a source of numbers
//! that is the same each time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use valetkey_domain::change::ActorKind;
use valetkey_domain::credential::Digest;
use valetkey_domain::kind::DECLARED_LIMIT;
use valetkey_domain::limits::Limits;
use valetkey_domain::noun::app::{App, Connection, Installation, SealedSecret};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::human::{Human, PasswordHash, Totp};
use valetkey_domain::noun::page_token::PageCounter;
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::terms::{Acceptance, Terms};
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{
    Action, Actor, AssetKind, BusinessId, Change, ChangeSet, DeclaredKind, Id, JobId, Name, Purpose, Record, RecordKey,
    Role, ScopeSet, Status, TaskSet, UnixMs,
};

use crate::{Batch, CommitError, Content, ContentWrite, Entry, Job, JobWrite, Outcome, Store, Write};

pub(super) const AT: UnixMs = 1_790_000_000_123;

pub(super) fn id<Of>(value: u64) -> Id<Of> {
    Id::new(value).unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Numbers without end, the same for the same seed.
pub(super) struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn coin(&mut self) -> bool {
        self.below(2) == 1
    }
}

/// Makes commit ids and salts that never repeat within a case.
#[derive(Default)]
pub(super) struct World {
    drawn: AtomicU64,
}

impl World {
    fn sixteen(&self) -> [u8; 16] {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed) + 1;
        let mut bytes = [0xA5; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        bytes
    }

    pub fn write(&self, business: Option<BusinessId>, changes: Vec<Change>) -> Write {
        let subjects = changes.iter().filter_map(|change| change.key()?.own_id()).collect();
        let action = if changes.is_empty() { Action::ContentUpdated } else { Action::BusinessUpdated };
        let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
        let set = ChangeSet { at: AT, action, actor, business, subjects, changes };
        Write { set, content: Vec::new(), jobs: Vec::new(), salt: self.sixteen() }
    }

    pub fn put(&self, records: impl IntoIterator<Item = Record>) -> Write {
        let changes: Vec<Change> = records.into_iter().map(|r| Change { before: None, after: Some(r) }).collect();
        let business = changes.first().and_then(|c| c.after.as_ref()).and_then(business_of);
        self.write(business, changes)
    }

    pub fn content(&self, content: Vec<ContentWrite>) -> Write {
        Write { content, ..self.write(Some(id(1)), Vec::new()) }
    }

    /// A write about a job, which is its first subject.
    pub fn about(&self, job: JobId, jobs: Vec<JobWrite>, content: Vec<ContentWrite>) -> Write {
        let mut write = self.content(content);
        write.set.subjects = vec![job.any(), id(41)];
        Write { jobs, ..write }
    }

    pub fn batch(&self, writes: Vec<Write>) -> Batch {
        Batch { commit_id: self.sixteen(), writes }
    }

    pub async fn commit(&self, store: &Arc<dyn Store>, writes: Vec<Write>) -> Result<Vec<Outcome>, CommitError> {
        store.lock_head().await.unwrap().commit(self.batch(writes)).await
    }

    /// Commits writes that must all be applied.
    pub async fn done(&self, store: &Arc<dyn Store>, writes: Vec<Write>) {
        let outcomes = self.commit(store, writes).await.unwrap();
        assert!(outcomes.iter().all(|o| matches!(o, Outcome::Applied { .. })), "{outcomes:?}");
    }

    /// A store with businesses 1 to 3, each with a human (81 to 83), an app (11 to 13), a person (21 to 23)
    /// and a system user (31 to 33). Person 22 is human 82; the others are as earlier versions made them.
    pub async fn furnish(&self, store: &Arc<dyn Store>) {
        let writes = (1..=3)
            .map(|n| self.put([business(n), human(80 + n), app(10 + n, n), person(20 + n, n), system_user(30 + n, n)]))
            .collect();
        self.done(store, writes).await;
    }
}

fn business_of(record: &Record) -> Option<BusinessId> {
    match record {
        Record::Business(r) => Some(r.id),
        Record::Person(r) => Some(r.business),
        Record::SystemUser(r) => Some(r.business),
        Record::App(r) => Some(r.business),
        Record::Token(r) => Some(r.business),
        Record::Asset(r) => r.business,
        Record::Connection(_)
        | Record::Installation(_)
        | Record::DeclaredKind(_)
        | Record::Assignment(_)
        | Record::Share(_)
        | Record::PageCounter(_)
        | Record::SignInCode(_)
        | Record::Human(_)
        | Record::Passkey(_)
        | Record::Terms(_) => None,
    }
}

pub(super) fn business(n: u64) -> Record {
    Record::Business(Business {
        id: id(n),
        name: name(&format!("Business {n}")),
        created_at: AT,
        accepted: n.is_multiple_of(2).then(|| Acceptance { version: u32::MAX, person: id(20 + n), at: -1 }),
        limits: Limits { people: u32::MAX, apps: 0, ..Limits::default() },
        strict_visibility: n == 1,
        token_lifetime_limit_s: (n == 2).then_some(i64::MAX),
        deleted_at: (n == 3).then_some(i64::MAX),
    })
}

pub(super) fn person(n: u64, business: u64) -> Record {
    Record::Person(Person {
        id: id(n),
        business: id(business),
        name: name("Zoë 🧑‍🚀"),
        email: format!("p{n}@example.com"),
        role: if n.is_multiple_of(2) { Role::Admin } else { Role::Employee },
        status: Status::Active,
        created_at: AT,
        human: (n == 22).then(|| id(82)),
    })
}

pub(super) fn system_user(n: u64, business: u64) -> Record {
    Record::SystemUser(SystemUser {
        id: id(n),
        business: id(business),
        name: name(&format!("robot {n}")),
        role: Role::Employee,
        status: [Status::Active, Status::Deactivated, Status::Deleted][(n % 3) as usize],
        created_at: AT,
        created_by: n.is_multiple_of(2).then(|| id(20)),
        description: n.is_multiple_of(2).then(|| Purpose::parse("Reports — «nightly» 'é'").unwrap()),
    })
}

pub(super) fn app(n: u64, business: u64) -> Record {
    Record::App(App {
        id: id(n),
        business: id(business),
        name: name("App"),
        created_at: AT,
        secret: SealedSecret(vec![0, 255, 39, 92, n as u8]),
        previous_secret: n.is_multiple_of(2).then(|| (SealedSecret(Vec::new()), AT)),
        allowed_scopes: ScopeSet::all(),
        demands_proof: n.is_multiple_of(2),
        deleted_at: (n == 12).then_some(AT),
    })
}

pub(super) fn connection(business: u64, app: u64) -> Record {
    Record::Connection(Connection { business: id(business), app: id(app), created_at: AT })
}

pub(super) fn installation(user: u64, app: u64, business: u64) -> Record {
    Record::Installation(Installation { system_user: id(user), app: id(app), business: id(business), created_at: AT })
}

pub(super) fn kind(number: u8) -> Record {
    Record::DeclaredKind(DeclaredKind {
        kind: AssetKind::from_number(number).unwrap(),
        word: format!("kind_{number}"),
        title: name("Kind \"quoted\" 'so' \\"),
        tasks: vec!["MANAGE".to_owned(), "LOOK".to_owned()],
    })
}

pub(super) fn asset(n: u64, business: Option<u64>) -> Record {
    let kind = if n.is_multiple_of(2) { AssetKind::Page } else { AssetKind::Declared(DECLARED_LIMIT - 1) };
    let business = business.map(id);
    Record::Asset(Asset { id: id(n), kind, business, name: name("資産"), created_at: AT, deleted_at: None })
}

pub(super) fn share(asset: u64, partner: u64, tasks: u32) -> Record {
    let created_by = tasks.is_multiple_of(2).then(|| id(20));
    Record::Share(Share { asset: id(asset), partner: id(partner), tasks: TaskSet(tasks), created_at: AT, created_by })
}

pub(super) fn assignment(user: u64, asset: u64, business: u64, tasks: u32) -> Record {
    Record::Assignment(Assignment {
        user: id(user),
        asset: id(asset),
        business: id(business),
        tasks: TaskSet(tasks),
        created_at: AT,
        created_by: tasks.is_multiple_of(2).then(|| id(20)),
    })
}

pub(super) fn token_of(n: u64, business: u64) -> Token {
    Token {
        id: id(n),
        digest: Digest::of(&format!("token {n}")),
        kind: [TokenKind::SystemUser, TokenKind::Page, TokenKind::User][(n % 3) as usize],
        user: id(31),
        business: id(business),
        app: n.is_multiple_of(2).then(|| id(11)),
        scopes: ScopeSet::from_bits(n),
        created_at: AT,
        expires_at: n.is_multiple_of(3).then_some(i64::MAX),
        created_by: n.is_multiple_of(5).then(|| id(21)),
        parent: n.is_multiple_of(7).then(|| id(n)),
        page: n.is_multiple_of(4).then(|| id(41)),
        revoked_at: None,
        purpose: n.is_multiple_of(5).then(|| Purpose::parse("Wofür? 🧾").unwrap()),
        session: n.is_multiple_of(3),
    }
}

pub(super) fn token(n: u64, business: u64) -> Record {
    Record::Token(token_of(n, business))
}

pub(super) fn page_counter(parent: u64, page: u64, counter: u64) -> Record {
    Record::PageCounter(PageCounter { parent: id(parent), page: id(page), counter })
}

pub(super) fn code(n: u64, person: u64, business: u64) -> Record {
    Record::SignInCode(SignInCode {
        digest: Digest::of(&format!("code {n}")),
        person: id(person),
        business: id(business),
        created_at: AT,
        expires_at: AT + 1,
        created_by: n.is_multiple_of(2).then(|| id(20)),
    })
}

/// Odd ones have no factor.
pub(super) fn human(n: u64) -> Record {
    let has_factors = n.is_multiple_of(2);
    let codes = if has_factors { 3 } else { 0 };
    Record::Human(Human {
        id: id(n),
        email: format!("h{n}@example.com"),
        handle: [n as u8; 16],
        password: has_factors.then(|| PasswordHash(SealedSecret(vec![0, 255, n as u8]))),
        totp: has_factors.then(|| Totp {
            seed: SealedSecret(vec![7, 0, 39]),
            last_step: n.is_multiple_of(4).then_some(i64::MAX),
            confirmed_at: -1,
        }),
        recovery_codes: (0..codes).map(|code| Digest::of(&format!("recovery {n} {code}"))).collect(),
        created_at: AT,
        updated_at: AT + 1,
    })
}

pub(super) fn passkey(n: u64, human: u64) -> Record {
    Record::Passkey(Passkey {
        id: id(n),
        human: id(human),
        credential: vec![0, 255, n as u8],
        name: name("Schlüssel 🔑"),
        data: "{\"cred\":'\\'}".to_owned(),
        created_at: AT,
        last_used_at: n.is_multiple_of(2).then_some(-1),
    })
}

pub(super) fn terms(version: u32) -> Record {
    Record::Terms(Terms { version, text: format!("Terms {version}\nline\t'two' \"three\" \\ — ﬀ e\u{301} 🧾") })
}

pub(super) fn content_row(n: u64, sort_at: UnixMs) -> Content {
    Content {
        id: id(n),
        kind: 13,
        asset: id(41),
        parent: id(41),
        status: "published".to_owned(),
        sort_at,
        created_at: AT,
        updated_at: AT,
        version: 1,
        body: format!("{{\"message\":\"{n}\"}}"),
    }
}

pub(super) const PUBLISH: &str = "publish_post";

pub(super) fn job(n: u64, due_at: UnixMs) -> Job {
    let actor = Actor { kind: ActorKind::SystemUser, id: Some(id(31)), token: Some(id(50)) };
    Job::new(id(n), PUBLISH, due_at, Some(actor), "{\"post\":\"7\"}".to_owned())
}

/// All records by key.
pub(super) async fn loaded(store: &Arc<dyn Store>) -> BTreeMap<RecordKey, Record> {
    let mut records = BTreeMap::new();
    store
        .load(&mut |record| {
            assert!(records.insert(record.key(), record).is_none(), "a record is shown twice");
        })
        .await
        .unwrap();
    records
}

/// The whole ledger.
pub(super) async fn ledger(store: &Arc<dyn Store>) -> Vec<Entry> {
    store.tail(0, usize::MAX).await.unwrap()
}
