//! A check of the whole store finds every change in the file that no ledger entry made, in any table,
//! and can read while another process writes.

use valetkey_domain::change::ActorKind;
use valetkey_domain::credential::Digest;
use valetkey_domain::limits::Limits;
use valetkey_domain::noun::app::{App, Connection, Installation, SealedSecret};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::human::{Human, PasswordHash};
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::terms::Terms;
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{
    Action, Actor, AssetKind, Change, ChangeSet, DeclaredKind, Id, Name, Record, Role, ScopeSet, Status, TaskSet,
};
use valetkey_service::verify::{Report, check};
use valetkey_store::{Batch, ContentWrite, Store, StoreError, Write};
use valetkey_store_sqlite::{FILE_NAME, SqliteStore};

use super::{Folder, asset_batch, content, id, sixteen};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn token(revoked_at: Option<i64>) -> Record {
    Record::Token(Token {
        id: id(50),
        digest: Digest::of("token"),
        kind: TokenKind::SystemUser,
        user: id(31),
        business: id(1),
        app: Some(id(11)),
        scopes: ScopeSet::all(),
        created_at: 0,
        expires_at: None,
        created_by: Some(id(21)),
        parent: None,
        page: None,
        revoked_at,
        purpose: None,
        session: false,
    })
}

fn records() -> Vec<Record> {
    let (business, created_at, created_by) = (id(1), 0, None);
    vec![
        Record::Terms(Terms { version: 2, text: "t".to_owned() }),
        Record::DeclaredKind(DeclaredKind {
            kind: AssetKind::Declared(136),
            word: "depot".to_owned(),
            title: name("Depot"),
            tasks: vec!["MANAGE".to_owned()],
        }),
        Record::Business(Business {
            id: business,
            name: name("Velo"),
            created_at,
            accepted: None,
            limits: Limits::default(),
            strict_visibility: true,
            token_lifetime_limit_s: None,
            deleted_at: None,
        }),
        Record::Human(Human {
            id: id(81),
            email: "ada@example.com".to_owned(),
            handle: [7; 16],
            password: Some(PasswordHash(SealedSecret(vec![201]))),
            totp: None,
            recovery_codes: vec![Digest::of("recovery")],
            created_at,
            updated_at: created_at,
        }),
        Record::Passkey(Passkey {
            id: id(91),
            human: id(81),
            credential: vec![1],
            name: name("Laptop"),
            data: "{}".to_owned(),
            created_at,
            last_used_at: None,
        }),
        Record::Person(Person {
            id: id(21),
            business,
            name: name("Ada"),
            email: "ada@example.com".to_owned(),
            role: Role::Employee,
            status: Status::Active,
            created_at,
            human: Some(id(81)),
        }),
        Record::SystemUser(SystemUser {
            id: id(31),
            business,
            name: name("Robot"),
            role: Role::Employee,
            status: Status::Deactivated,
            created_at,
            created_by,
            description: None,
        }),
        Record::App(App {
            id: id(11),
            business,
            name: name("Shop"),
            created_at,
            secret: SealedSecret(vec![201, 202, 203]),
            previous_secret: None,
            allowed_scopes: ScopeSet::all(),
            demands_proof: true,
            deleted_at: None,
        }),
        Record::Connection(Connection { business, app: id(11), created_at }),
        Record::Installation(Installation { system_user: id(31), app: id(11), business, created_at }),
        Record::Asset(Asset {
            id: id(41),
            kind: AssetKind::Page,
            business: Some(business),
            name: name("Page"),
            created_at,
            deleted_at: None,
        }),
        Record::Share(Share { asset: id(41), partner: business, tasks: TaskSet(1), created_at, created_by }),
        Record::Assignment(Assignment {
            user: id(31),
            asset: id(41),
            business,
            tasks: TaskSet(1),
            created_at,
            created_by,
        }),
        token(None),
        Record::SignInCode(SignInCode {
            digest: Digest::of("code"),
            person: id(21),
            business,
            created_at,
            expires_at: 5,
            created_by,
        }),
    ]
}

fn batch(n: u64, subjects: Vec<Id>, changes: Vec<Change>, content: Vec<ContentWrite>) -> Batch {
    let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
    let set = ChangeSet { at: 0, action: Action::BusinessUpdated, actor, business: Some(id(1)), subjects, changes };
    Batch { commit_id: sixteen(n), writes: vec![Write { set, content, jobs: Vec::new(), salt: sixteen(n) }] }
}

/// A store with one record of every kind. Entry 1 makes them, 2 revokes the token, 3 and 4 write
/// content, 5 is about the token again.
async fn furnished() -> Folder {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0).unwrap();
    let made = records().into_iter().map(|r| Change { before: None, after: Some(r) }).collect();
    let revoked = vec![Change { before: Some(token(None)), after: Some(token(Some(9))) }];
    let mut newer = content(60, "{\"message\":\"two\"}".to_owned());
    newer.version = 2;
    let insert = |n| ContentWrite::Insert(content(n, "{\"message\":\"one\"}".to_owned()));
    for batch in [
        batch(1, vec![id(1)], made, Vec::new()),
        batch(2, vec![id(50)], revoked, Vec::new()),
        batch(3, vec![id(60)], Vec::new(), vec![insert(60), insert(61)]),
        batch(4, vec![id(60)], Vec::new(), vec![ContentWrite::Update { row: newer, expected: 1 }]),
        batch(5, vec![id(50)], Vec::new(), Vec::new()),
    ] {
        store.lock_head().await.unwrap().commit(batch).await.unwrap();
    }
    folder
}

fn alter(folder: &Folder, sql: &str) {
    let connection = rusqlite::Connection::open(folder.0.join(FILE_NAME)).unwrap();
    connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    assert!(connection.changes() > 0, "{sql}");
}

async fn checked(folder: &Folder) -> Report {
    let store = SqliteStore::open_to_read(&folder.0).unwrap();
    check(&store, &mut |_| {}).await.unwrap()
}

/// Alters one thing in a store that is in order, and gives the report.
async fn after(sql: &str) -> Report {
    let folder = furnished().await;
    assert!(checked(&folder).await.is_intact());
    alter(&folder, sql);
    let report = checked(&folder).await;
    assert!(!report.is_intact(), "{sql}");
    report
}

fn problems(report: &Report) -> Vec<String> {
    report.differences.named.iter().map(|d| format!("{} — {}", d.what, d.how)).collect()
}

#[tokio::test]
async fn what_is_in_force_past_the_ledger_is_named_in_every_table() {
    for (sql, expected) in [
        ("UPDATE tokens SET revoked_at = NULL", "token 50 — its revoked_at is not what entry 2 left"),
        (
            "UPDATE assignments SET tasks = 255",
            "assignment of user 31 on asset 41 — its tasks is not what entry 1 left",
        ),
        ("UPDATE shares SET tasks = 255", "share of asset 41 with partner 1 — its tasks is not what entry 1 left"),
        (
            "UPDATE system_users SET role = 'ADMIN', status = 'ACTIVE'",
            "system user 31 — its role, status are not what entry 1 left",
        ),
        ("UPDATE people SET role = 'ADMIN'", "person 21 — its role is not what entry 1 left"),
        ("UPDATE apps SET demands_proof = 0", "app 11 — its demands_proof is not what entry 1 left"),
        ("UPDATE apps SET secret = x'C9'", "app 11 — its secret is not what entry 1 left"),
        ("UPDATE businesses SET strict_visibility = 0", "business 1 — its strict_visibility is not what entry 1 left"),
        ("UPDATE assets SET business_id = NULL", "asset 41 — its business is not what entry 1 left"),
        ("UPDATE terms SET body = 'u'", "terms — its text is not what entry 1 left"),
        (
            "UPDATE declared_kinds SET tasks = '[\"MANAGE\",\"LOOK\"]'",
            "declared kind 200 — its tasks is not what entry 1 left",
        ),
        (
            "UPDATE connections SET created_at = 1",
            "connection of business 1 with app 11 — its created_at is not what entry 1 left",
        ),
        ("DELETE FROM installations", "installation of app 11 on system user 31 — is gone, and entry 1 left it"),
        (
            "UPDATE sign_in_codes SET expires_at = 6",
            "sign-in code of person 21 — its expires_at is not what entry 1 left",
        ),
        ("UPDATE humans SET password = x'CA'", "human 81 — its password is not what entry 1 left"),
        ("UPDATE humans SET recovery_codes = x''", "human 81 — its recovery_codes is not what entry 1 left"),
        ("UPDATE passkeys SET data = '{\"a\":1}'", "passkey 91 — its data is not what entry 1 left"),
        ("DELETE FROM passkeys", "passkey 91 — is gone, and entry 1 left it"),
        ("UPDATE people SET human_id = NULL", "person 21 — its human is not what entry 1 left"),
        ("UPDATE tokens SET session = 1", "token 50 — its session is not what entry 2 left"),
        ("DELETE FROM sign_in_codes", "sign-in code of person 21 — is gone, and entry 1 left it"),
        (
            "INSERT INTO assignments SELECT 32, asset_id, business_id, tasks, created_at, created_by FROM assignments",
            "assignment of user 32 on asset 41 — is in force, and no entry left it so",
        ),
        ("UPDATE contents SET body = '{}' WHERE id = 60", "content 60 — is not what entry 4 left"),
        ("UPDATE contents SET asset_id = 42 WHERE id = 61", "content 61 — is not what entry 3 left"),
        ("DELETE FROM contents WHERE id = 61", "content 61 — is gone, and entry 3 left it"),
        (
            "INSERT INTO contents SELECT 62, kind, asset_id, parent_id, status, sort_at, created_at, updated_at, \
             version, body FROM contents WHERE id = 61",
            "content 62 — is there, and no entry left it",
        ),
        (
            "UPDATE head SET last_narrowing = 0",
            "the head — says that entry 0 was the last to take something away, and that was entry 2",
        ),
    ] {
        let report = after(sql).await;
        assert_eq!(problems(&report), [expected], "{sql}");
        assert_eq!((&report.chain, report.entries), (&None, 5), "{sql}");
    }
}

#[tokio::test]
async fn several_changes_are_all_named_and_no_value_is() {
    let report = after(
        "UPDATE people SET email = 'eve@example.com'; UPDATE tokens SET digest = zeroblob(32); \
         UPDATE sign_in_codes SET digest = zeroblob(32); UPDATE contents SET body = '{\"message\":\"eve\"}'",
    )
    .await;
    assert_eq!(
        problems(&report),
        [
            "person 21 — its email is not what entry 1 left",
            "token 50 — its digest is not what entry 2 left",
            "sign-in code of person 21 — is in force, and no entry left it so",
            "sign-in code of person 21 — is gone, and entry 1 left it",
            "content 60 — is not what entry 4 left",
            "content 61 — is not what entry 3 left",
        ]
    );
    let all = format!("{report:?}");
    for secret in ["example.com", "00000000", "message", &Digest::of("token").to_hex()[..8]] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

#[tokio::test]
async fn an_entry_without_a_payload_is_named_and_what_it_is_about_can_t_be_verified() {
    // The revocation is gone from the ledger and from the record, so the two agree, wrongly.
    let report = after("UPDATE ledger SET body = NULL WHERE revision = 2; UPDATE tokens SET revoked_at = NULL").await;
    assert_eq!(report.without_payload.named, [2]);
    assert_eq!(report.not_verifiable.named, ["token 50"]);
    assert_eq!((problems(&report), &report.chain), (Vec::new(), &None));
    let report = after("UPDATE ledger SET body = NULL WHERE revision = 4").await;
    assert_eq!((report.without_payload.named, report.not_verifiable.named), (vec![4], vec!["content 60".to_owned()]));
}

#[tokio::test]
async fn nothing_is_compared_with_a_ledger_that_is_not_in_order() {
    for (sql, expected) in [
        ("UPDATE ledger SET actor_id = 7 WHERE revision = 3", "entry 3 was altered"),
        ("DELETE FROM ledger WHERE revision = 3", "entry 4 follows entry 2"),
        ("DELETE FROM ledger WHERE revision = 5", "the entries end at 4, and the head is 5"),
        ("UPDATE head SET revision = 4", "the entries end at 5, and the head is 4"),
        ("UPDATE head SET hash = zeroblob(32)", "the entries end at 5, and the head is 5"),
        ("UPDATE head SET revision = 0, hash = NULL", "the entries end at 5, and the head is 0"),
    ] {
        let report = after(sql).await;
        assert!(report.chain.as_ref().is_some_and(|chain| chain.contains(expected)), "{sql}: {report:?}");
        assert_eq!(report.compared, None, "{sql}");
    }
    // The salt's length shows as soon as the row is read.
    let folder = furnished().await;
    alter(&folder, "UPDATE ledger SET salt = CAST(salt || x'5B' AS BLOB), body = SUBSTR(body, 2) WHERE revision = 3");
    let store = SqliteStore::open_to_read(&folder.0).unwrap();
    let error = check(&store, &mut |_| {}).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(text) if text.contains("entry 3: its salt has 17 bytes")), "{error}");
}

#[tokio::test]
async fn a_reader_sees_what_another_writes_and_writes_nothing() {
    let folder = Folder::new();
    assert!(matches!(SqliteStore::open_to_read(&folder.0), Err(StoreError::Unavailable(_))));
    let store = SqliteStore::open(&folder.0).unwrap();
    let reader = SqliteStore::open_to_read(&folder.0).unwrap();
    for n in 1..=3 {
        store.lock_head().await.unwrap().commit(asset_batch(n)).await.unwrap();
        assert_eq!(reader.head().await.unwrap(), store.head().await.unwrap());
        assert_eq!(reader.tail(0, 10).await.unwrap(), store.tail(0, 10).await.unwrap());
    }
    assert!(check(&reader, &mut |_| {}).await.unwrap().is_intact());
    assert!(reader.lock_head().await.is_err());
    assert!(reader.replace_keys(&[]).await.is_err());
    assert!(reader.release_lease("a").await.is_err());
    // The writer may close first, and the folder is free all the same.
    drop(store);
    assert_eq!(reader.head().await.unwrap().revision, 3);
    drop(SqliteStore::open(&folder.0).unwrap());
    drop(reader);
    // Data of a newer program, and a file that is no store, are refused and not changed.
    alter(&folder, "UPDATE meta SET value = value + 1 WHERE name = 'format'");
    assert!(matches!(SqliteStore::open_to_read(&folder.0), Err(StoreError::Newer { .. })));
    alter(&folder, "DELETE FROM migrations; DELETE FROM meta WHERE name = 'format'");
    let older = SqliteStore::open_to_read(&folder.0).unwrap_err().to_string();
    assert!(older.contains("start the server once"), "{older}");
}
