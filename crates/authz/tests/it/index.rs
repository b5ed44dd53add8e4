//! The index against the naive model: whatever happened, both must say the same.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use valetkey_authz::model::Model;
use valetkey_authz::{Index, Loading, Reach, Subject, Target, gather};
use valetkey_domain::change::ActorKind;
use valetkey_domain::credential::Digest;
use valetkey_domain::noun::app::{App, Connection, Installation, SealedSecret};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{
    Action, Actor, AssetId, AssetKind, BusinessId, Change, ChangeSet, DeclaredKind, Id, Name, Record, Role, ScopeSet,
    State, Status, TaskSet,
};

use crate::world::{Command, Ids, Seen, World, passkey};

pub fn commands(most: usize) -> impl Strategy<Value = Vec<Command>> {
    prop::collection::vec((0u8..34, any::<u16>(), any::<u16>(), any::<u16>()), 1..most)
}

/// Every view that can be asked for: each token, and a text that is none, with each asset.
fn assert_same_views(index: &Index, model: &Model, seen: &Seen, what: &str) {
    let ids = Ids::of(model);
    let strange = AssetId::new(987_654_321).unwrap();
    let digests = seen.digests.iter().copied().chain([Digest::of("nothing")]);
    for digest in digests {
        let assets = ids.assets.iter().copied().chain([strange]).map(Target::Asset);
        let others = [Target::Nothing, Target::Business(BusinessId::of(strange.any()))];
        for target in assets.chain(others) {
            let wanted = gather(model, model.revision, &digest, target);
            let got = index.gather(&digest, target);
            let whole = gather(index, index.revision(), &digest, target);
            // An asset is only looked at for a token that is known.
            assert_eq!(got, wanted, "{what}: {target:?}");
            assert_eq!(whole, wanted, "{what}: the index read as a state, {target:?}");
        }
    }
}

/// The order in which a store gives its records to an index.
fn load_rank(record: &Record) -> u8 {
    match record {
        Record::Terms(_) => 0,
        Record::DeclaredKind(_) => 1,
        Record::Business(_) => 2,
        Record::Human(_) => 3,
        Record::Passkey(_) => 4,
        Record::Person(_) => 5,
        Record::SystemUser(_) => 6,
        Record::App(_) => 7,
        Record::Connection(_) => 8,
        Record::Installation(_) => 9,
        Record::Asset(_) => 10,
        Record::Share(_) => 11,
        Record::Assignment(_) => 12,
        Record::Token(_) => 13,
        Record::PageCounter(_) => 14,
        Record::SignInCode(_) => 15,
    }
}

fn loaded(model: &Model) -> Index {
    let mut records: Vec<Record> = model.records().cloned().collect();
    records.sort_by_key(|r| (load_rank(r), r.key()));
    let mut loading = Loading::new();
    records.into_iter().for_each(|r| loading.insert(r));
    loading.finish(model.revision)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_says_what_the_model_says(seed in any::<u64>(), commands in commands(140)) {
        let mut world = World::new(seed);
        let (mut model, mut index, mut seen) = (Model::default(), Index::new(), Seen::default());
        let mut revision = 0;
        for (step, command) in World::opening().into_iter().chain(commands).enumerate() {
            let Some(set) = world.run(&model, command) else { continue };
            revision += 1;
            model.fold(revision, &set);
            index.fold(revision, &set);
            seen.note(&set);
            prop_assert_eq!(index.broken(), None);
            prop_assert_eq!(index.revision(), revision);
            if step % 24 == 0 {
                seen.assert_same(&index, &model, "on the way");
            }
        }
        seen.assert_same(&index, &model, "at the end");
        assert_same_views(&index, &model, &seen, "at the end");
        let restarted = loaded(&model);
        prop_assert_eq!(restarted.broken(), None);
        seen.assert_same(&restarted, &model, "after a restart");
        assert_same_views(&restarted, &model, &seen, "after a restart");
    }
}

/// That random histories are worth something: every command is carried out now and then.
#[test]
fn random_histories_reach_every_command() {
    let mut random = valetkey_testkit::random::SeededRandom::new(11);
    let mut done = std::collections::BTreeMap::<u8, usize>::new();
    for seed in 0..12 {
        let mut world = World::new(seed);
        let mut model = Model::default();
        let draw = |_| (random.below(34) as u8, random.number() as u16, random.number() as u16, random.number() as u16);
        let commands: Vec<Command> = (0..300).map(draw).collect();
        for (i, command) in World::opening().into_iter().chain(commands).enumerate() {
            if let Some(set) = world.run(&model, command) {
                *done.entry(command.0).or_default() += usize::from(!set.changes.is_empty());
                model.fold(i as u64, &set);
            }
        }
    }
    for verb in 0..34u8 {
        assert!(done.get(&verb).is_some_and(|n| *n > 0), "command {verb} never did anything: {done:?}");
    }
}

fn id<Of>(n: u64) -> Id<Of> {
    Id::new(n).unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn set(changes: Vec<Change>) -> ChangeSet {
    let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
    ChangeSet { at: 0, action: Action::Assigned, actor, business: None, subjects: Vec::new(), changes }
}

fn put(record: Record) -> Change {
    Change { before: None, after: Some(record) }
}

fn removal(record: Record) -> Change {
    Change { before: Some(record), after: None }
}

fn business(n: u64) -> Record {
    Record::Business(Business {
        id: id(n),
        name: name("B"),
        created_at: 0,
        accepted: None,
        limits: valetkey_domain::limits::Limits::default(),
        strict_visibility: false,
        token_lifetime_limit_s: None,
        deleted_at: None,
    })
}

fn system_user(n: u64, business: u64) -> Record {
    Record::SystemUser(SystemUser {
        id: id(n),
        business: id(business),
        name: name("S"),
        role: Role::Employee,
        status: Status::Active,
        created_at: 0,
        created_by: None,
        description: None,
    })
}

fn person(n: u64, business: u64) -> Record {
    let (email, human) = ("a@example.com".to_owned(), None);
    let (role, status) = (Role::Admin, Status::Active);
    let (id, business, name) = (id(n), id(business), name("P"));
    Record::Person(Person { id, business, name, email, role, status, created_at: 0, human })
}

fn entry(n: u64, business: u64, human: u64) -> Record {
    Record::Person(Person { human: Some(id(human)), ..Person::from_record(person(n, business)).unwrap() })
}

fn app(n: u64, business: u64) -> Record {
    Record::App(App {
        id: id(n),
        business: id(business),
        name: name("A"),
        created_at: 0,
        secret: SealedSecret(vec![1]),
        previous_secret: None,
        allowed_scopes: ScopeSet::all(),
        demands_proof: false,
        deleted_at: None,
    })
}

fn asset(n: u64, business: Option<u64>, kind: AssetKind) -> Record {
    let business = business.map(id);
    Record::Asset(Asset { id: id(n), kind, business, name: name("X"), created_at: 0, deleted_at: None })
}

fn connection(business: u64, app: u64) -> Record {
    Record::Connection(Connection { business: id(business), app: id(app), created_at: 0 })
}

fn installation(user: u64, app: u64) -> Record {
    Record::Installation(Installation { system_user: id(user), app: id(app), business: id(1), created_at: 0 })
}

fn assignment(user: u64, asset: u64, business: u64, tasks: u32) -> Record {
    let (user, asset, business) = (id(user), id(asset), id(business));
    Record::Assignment(Assignment { user, asset, business, tasks: TaskSet(tasks), created_at: 0, created_by: None })
}

fn share(asset: u64, partner: u64, tasks: u32) -> Record {
    Record::Share(Share {
        asset: id(asset),
        partner: id(partner),
        tasks: TaskSet(tasks),
        created_at: 0,
        created_by: None,
    })
}

fn token(n: u64, user: u64, app: Option<u64>, page: Option<u64>) -> Record {
    Record::Token(Token {
        id: id(n),
        digest: Digest::of(&n.to_string()),
        kind: if page.is_some() { TokenKind::Page } else { TokenKind::SystemUser },
        user: id(user),
        business: id(1),
        app: app.map(id),
        scopes: ScopeSet::EMPTY,
        created_at: valetkey_testkit::clock::START_MS,
        expires_at: None,
        created_by: None,
        parent: None,
        page: page.map(id),
        revoked_at: None,
        purpose: None,
        session: false,
    })
}

fn page_token(n: u64, parent: u64) -> Record {
    match token(n, 10, Some(20), Some(30)) {
        Record::Token(t) => Record::Token(Token { parent: Some(id(parent)), ..t }),
        other => other,
    }
}

/// Two businesses, a system user of each, an app, a Page of the first.
fn small() -> Vec<Change> {
    let records = [
        business(1),
        business(2),
        system_user(10, 1),
        system_user(12, 2),
        person(11, 1),
        app(20, 1),
        connection(1, 20),
        installation(10, 20),
        asset(30, Some(1), AssetKind::Page),
    ];
    records.into_iter().map(put).collect()
}

#[test]
fn a_change_that_speaks_of_something_unknown_breaks_the_index_for_good() {
    let table: Vec<(&str, Change)> = vec![
        ("a person of an unknown business", put(person(99, 9))),
        ("a system user of an unknown business", put(system_user(99, 9))),
        ("an app of an unknown business", put(app(99, 9))),
        ("a connection of an unknown business", put(connection(9, 20))),
        ("a connection of an unknown app", put(connection(1, 99))),
        ("an installation on an unknown user", put(installation(99, 20))),
        ("an installation of an unknown app", put(installation(10, 99))),
        ("an asset of an unknown business", put(asset(99, Some(9), AssetKind::Page))),
        ("an assignment of an unknown user", put(assignment(99, 30, 1, 1))),
        ("an assignment of an unknown asset", put(assignment(10, 99, 1, 1))),
        ("a share of an unknown asset", put(share(99, 2, 1))),
        ("a share with an unknown partner", put(share(30, 9, 1))),
        ("a token of an unknown user", put(token(99, 98, Some(20), None))),
        ("a token of an unknown app", put(token(99, 10, Some(98), None))),
        ("a token of an unknown Page", put(token(99, 10, Some(20), Some(98)))),
        ("a removed business", removal(business(1))),
        ("a removed person", removal(person(11, 1))),
        ("a removed system user", removal(system_user(10, 1))),
        ("a removed app", removal(app(20, 1))),
        ("a removed asset", removal(asset(30, Some(1), AssetKind::Page))),
        ("a removed token", removal(token(40, 10, Some(20), None))),
        ("a change without records", Change { before: None, after: None }),
        ("an entry of an unknown human", put(entry(99, 1, 98))),
        ("a passkey of an unknown human", put(passkey(99, 98))),
    ];
    for (what, change) in table {
        let mut index = Index::new();
        index.fold(1, &set(small()));
        assert_eq!(index.broken(), None, "{what}");
        index.fold(2, &set(vec![change]));
        assert!(index.broken().is_some(), "{what}");
        index.fold(3, &set(small()));
        assert!(index.broken().is_some(), "{what}: a later change does not heal it");
    }
}

#[test]
fn an_app_is_connected_to_each_business_by_itself() {
    // The index keeps the connection to an app's own business apart from those elsewhere, which
    // rules may allow one day.
    let mut index = Index::new();
    index.fold(1, &set(small()));
    let of_partner = match token(41, 12, Some(20), None) {
        Record::Token(t) => Record::Token(Token { business: id(2), ..t }),
        other => other,
    };
    index.fold(2, &set([token(40, 10, Some(20), None), of_partner].into_iter().map(put).collect()));
    let steps = [
        (None, [true, false]),
        (Some(put(connection(2, 20))), [true, true]),
        (Some(removal(connection(1, 20))), [false, true]),
        (Some(put(connection(1, 20))), [true, true]),
        (Some(removal(connection(2, 20))), [true, false]),
    ];
    for ((change, wanted), revision) in steps.into_iter().zip(3..) {
        let what = format!("{change:?}");
        index.fold(revision, &set(change.into_iter().collect()));
        let connected = ["40", "41"].map(|text| {
            let digest = Digest::of(text);
            let view = index.gather(&digest, Target::Nothing);
            assert_eq!(view, gather(&index, revision, &digest, Target::Nothing), "{what}");
            matches!(view.subject, Subject::Token(t) if t.app.is_some_and(|a| a.connected))
        });
        assert_eq!(connected, wanted, "{what}");
    }
}

#[test]
fn a_page_token_lives_though_its_parent_was_folded_after_it() {
    // Ids of two nodes whose clocks differ: the parent's may be the greater, so a restart, which
    // loads tokens by id, meets the child first.
    let mut index = Index::new();
    index.fold(1, &set(small()));
    index.fold(2, &set(vec![put(page_token(41, 50))]));
    let dead = |index: &Index| match index.gather(&Digest::of("41"), Target::Nothing).subject {
        Subject::Token(t) => t.parent_dead,
        other => panic!("{other:?}"),
    };
    assert!(dead(&index), "an unknown parent is no living parent");
    index.fold(3, &set(vec![put(token(50, 10, Some(20), None))]));
    assert!(!dead(&index));
    assert_eq!(index.token(id(41)).unwrap().parent, Some(id(50)));
    let Record::Token(parent) = token(50, 10, Some(20), None) else { panic!() };
    index.fold(4, &set(vec![put(Record::Token(Token { revoked_at: Some(5), ..parent }))]));
    assert!(dead(&index));
}

#[test]
fn what_manage_implies_grows_with_a_declared_kind() {
    let kind = AssetKind::Declared(0);
    let declared = |tasks: &[&str]| {
        let tasks = tasks.iter().map(|t| (*t).to_owned()).collect();
        Record::DeclaredKind(DeclaredKind { kind, word: "depot".into(), title: name("Depot"), tasks })
    };
    let mut changes = small();
    changes.extend([
        put(declared(&["MANAGE", "PICK"])),
        put(asset(31, Some(1), kind)),
        put(assignment(10, 31, 1, 1)),
        put(share(31, 2, 1)),
        put(assignment(12, 31, 2, 2)),
        put(token(40, 10, Some(20), None)),
        put(token(42, 12, None, None)),
    ]);
    let mut index = Index::new();
    index.fold(1, &set(changes));
    let view = |index: &Index, text: &str| index.gather(&Digest::of(text), Target::Asset(id(31))).asset.unwrap();
    assert_eq!(view(&index, "40").assigned, TaskSet(0b11));
    assert_eq!(view(&index, "42").reach, Reach::Shared(TaskSet(0b11)));
    index.fold(2, &set(vec![put(declared(&["MANAGE", "PICK", "SHIP"]))]));
    assert_eq!(view(&index, "40").assigned, TaskSet(0b111), "MANAGE holds the new task");
    assert_eq!(view(&index, "42").reach, Reach::Shared(TaskSet(0b111)));
    assert_eq!(view(&index, "42").assigned, TaskSet(0b10), "PICK stays PICK");
}

#[test]
fn an_asset_that_changes_hands_leaves_the_one_and_reaches_the_other() {
    let mut changes = small();
    changes.extend([put(token(40, 10, Some(20), None)), put(token(42, 12, None, None))]);
    let mut index = Index::new();
    index.fold(1, &set(changes));
    let mut revision = 1;
    for owner in [None, Some(1), Some(2), None, Some(2), Some(1)] {
        revision += 1;
        index.fold(revision, &set(vec![put(asset(31, owner, AssetKind::Page))]));
        for (business, text) in [(1, "40"), (2, "42")] {
            let owns = owner == Some(business);
            let view = index.gather(&Digest::of(text), Target::Asset(id(31))).asset.unwrap();
            assert_eq!(view.reach == Reach::Owned, owns, "{owner:?} {business}");
            let listed = index.list(valetkey_domain::List::OwnedAssets(id(business))).contains(&id(31));
            assert_eq!(listed, owns, "{owner:?} {business}");
        }
    }
}

#[test]
fn many_apps_on_one_user_come_and_go() {
    // The first four stand in the user's row, further ones beside it.
    let mut index = Index::new();
    let mut changes = small();
    for n in 21..30 {
        changes.extend([put(app(n, 1)), put(connection(1, n)), put(token(100 + n, 10, Some(n), None))]);
    }
    index.fold(1, &set(changes));
    let installed = |index: &Index| -> Vec<u64> {
        (21..30)
            .filter(|n| match index.gather(&Digest::of(&(100 + n).to_string()), Target::Nothing).subject {
                Subject::Token(t) => t.installed,
                other => panic!("{other:?}"),
            })
            .collect()
    };
    let mut wanted = std::collections::BTreeSet::new();
    let mut random = valetkey_testkit::random::SeededRandom::new(3);
    for step in 2..400 {
        let n = 21 + random.below(9) as u64;
        if random.chance(50) {
            wanted.insert(n);
            index.fold(step, &set(vec![put(installation(10, n))]));
        } else {
            wanted.remove(&n);
            index.fold(step, &set(vec![removal(installation(10, n))]));
        }
        assert_eq!(installed(&index), wanted.iter().copied().collect::<Vec<_>>());
    }
}

#[test]
fn nobody_ever_sees_half_a_change_set() {
    // One set changes the cap and what is assigned under it; a reader that saw the one without the
    // other would see a cap of one task beside an assignment of another.
    let mut changes = small();
    changes.extend([put(token(42, 12, None, None)), put(share(30, 2, 2)), put(assignment(12, 30, 2, 2))]);
    let mut index = Index::new();
    index.fold(1, &set(changes));
    let index = RwLock::new(index);
    let (done, digest) = (AtomicBool::new(false), Digest::of("42"));
    let rounds = 3_000;
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = std::collections::BTreeSet::new();
                    while !done.load(Ordering::Acquire) {
                        let view = index.read().unwrap().gather(&digest, Target::Asset(id(30)));
                        let asset = view.asset.unwrap();
                        let task = if view.revision % 2 == 1 { TaskSet(2) } else { TaskSet(4) };
                        assert_eq!((asset.reach, asset.assigned), (Reach::Shared(task), task));
                        seen.insert(view.revision);
                    }
                    seen.len()
                })
            })
            .collect();
        for revision in 2..rounds {
            let task = if revision % 2 == 1 { 2 } else { 4 };
            let both = set(vec![put(share(30, 2, task)), put(assignment(12, 30, 2, task))]);
            index.write().unwrap().fold(revision, &both);
            std::thread::yield_now();
        }
        done.store(true, Ordering::Release);
        for reader in readers {
            reader.join().unwrap();
        }
    });
    assert_eq!(index.read().unwrap().revision(), rounds - 1);
}

#[test]
fn times_come_back_as_they_went_in() {
    let start = valetkey_domain::id::EPOCH_MS;
    for (created, ends) in [
        (start, None),
        (start + 1, Some(start)),
        (start + 5, Some(start + 1)),
        (start + (1 << 45), Some(start + (1 << 46))),
    ] {
        let Record::Token(base) = token(40, 10, Some(20), None) else { panic!() };
        let wanted = Token { created_at: created, expires_at: ends, ..base };
        let mut index = Index::new();
        index.fold(1, &set(small()));
        index.fold(2, &set(vec![put(Record::Token(wanted.clone()))]));
        assert_eq!(index.token(id(40)), Some(wanted));
    }
}
