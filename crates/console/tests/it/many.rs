//! A large business: 10,000 assets, 500 system users and 1,000 tokens. Pages stay small, and lists are
//! cut with a way to the rest.

use http::Method;
use valetkey_console::Console;
use valetkey_domain::change::ActorKind;
use valetkey_domain::credential::Digest;
use valetkey_domain::noun::app::Installation;
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{
    Action, Actor, AssetId, AssetKind, Change, ChangeSet, IdKind, IdSource, Record, Role, ScopeSet, Status, TaskSet,
    TokenId, UserId,
};
use valetkey_http::{Adapter as _, Origin};
use valetkey_service::store::{Batch, Outcome, Write};
use valetkey_testkit::clock::{DAY_MS, START_MS};

use crate::fixture::{Answer, Fields, ORIGIN, Session, World, all_of, name, session_of};
use crate::html;
use crate::rules::faults;

const ASSETS: usize = 10_000;
const USERS: usize = 500;
/// How many records one write holds, and how many writes one commit.
const RECORDS_A_WRITE: usize = 50;
const WRITES_A_COMMIT: usize = 50;
/// The most that a page may weigh, in bytes.
const PAGE_LIMIT_BYTES: usize = 100_000;

/// What stands in the store beside the small company.
fn records(world: &World) -> (Vec<Record>, UserId) {
    let (at, business) = (START_MS - DAY_MS, world.company.business);
    let mut ids = IdSource::new(1);
    let mut records = Vec::with_capacity(ASSETS + 4 * USERS);
    let mut assets: Vec<AssetId> = Vec::with_capacity(ASSETS);
    for number in 0..ASSETS {
        let kind = if number % 4 == 0 { AssetKind::AdAccount } else { AssetKind::Page };
        let id: AssetId = ids.next(kind.id_kind(), at);
        let name = name(&format!("Branch {number:05} of the large business"));
        let (business, created_at, deleted_at) = (Some(business), at, None);
        records.push(Record::Asset(Asset { id, kind, business, name, created_at, deleted_at }));
        assets.push(id);
    }
    let users: Vec<UserId> = (0..USERS).map(|_| ids.next(IdKind::SystemUser, at)).collect();
    for (number, id) in users.iter().copied().enumerate() {
        let name = name(&format!("Machine {number:03}"));
        records.push(Record::SystemUser(SystemUser {
            id,
            business,
            name,
            role: Role::Employee,
            status: Status::Active,
            created_at: at,
            created_by: None,
            description: None,
        }));
        let app = world.company.app;
        records.push(Record::Installation(Installation { system_user: id, app, business, created_at: at }));
        for which in 0..2 {
            let token: TokenId = ids.next(IdKind::Token, at);
            records.push(Record::Token(Token {
                id: token,
                digest: Digest::of(&format!("{number} {which}")),
                kind: TokenKind::SystemUser,
                user: id,
                business,
                app: Some(app),
                scopes: ScopeSet::all(),
                created_at: at,
                expires_at: (which == 0).then_some(START_MS + 60 * DAY_MS),
                created_by: None,
                parent: None,
                page: None,
                revoked_at: None,
                purpose: None,
                session: false,
            }));
        }
    }
    // One of them reaches 2,000 assets.
    for asset in assets.iter().copied().take(2_000) {
        let (tasks, created_by) = (TaskSet(1), None);
        let user = users[0];
        records.push(Record::Assignment(Assignment { user, asset, business, tasks, created_at: at, created_by }));
    }
    (records, users[0])
}

/// Writes them past the rules, since ten thousand commands take too long here.
async fn put(world: &World, records: Vec<Record>) {
    let business = world.company.business;
    let write = |records: &[Record]| Write {
        set: ChangeSet {
            at: START_MS,
            action: Action::AssetCreated,
            actor: Actor { kind: ActorKind::Operator, id: None, token: None },
            business: Some(business),
            subjects: vec![business.any()],
            changes: records.iter().map(|record| Change { before: None, after: Some(record.clone()) }).collect(),
        },
        content: Vec::new(),
        jobs: Vec::new(),
        salt: [7; 16],
    };
    let writes: Vec<Write> = records.chunks(RECORDS_A_WRITE).map(write).collect();
    for (number, writes) in writes.chunks(WRITES_A_COMMIT).enumerate() {
        let batch = Batch { commit_id: (number as u128 + 1).to_be_bytes(), writes: writes.to_vec() };
        let outcomes = world.ground.store.lock_head().await.unwrap().commit(batch).await.unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied { .. })));
    }
}

/// The large business, with somebody signed in.
struct Large {
    small: World,
    console: Console,
    admin: Session,
}

impl Large {
    async fn open(&self, path: &str) -> Answer {
        let request = self.small.request(Method::GET, path, Some(&self.admin.text), &Fields::new());
        let trace = request.request_id.as_str().to_owned();
        Answer::of(self.console.handle(request, Origin::Network).await, trace)
    }
}

#[tokio::test]
async fn pages_stay_small_and_lists_are_cut() {
    let small = World::new().await;
    let (records, user) = records(&small);
    put(&small, records).await;
    // Another node, which loads what is in the store by now.
    let service = small.ground.node(9).await;
    let console = Console::new(service.clone(), Some(ORIGIN));
    let admin = session_of(&service, small.company.admin_person).await;
    let ids = small.ids();
    let large = Large { small, console, admin };
    let mut addresses: Vec<String> = all_of(Method::GET).iter().map(|route| ids.address(&route.path)).collect();
    for below in ["", "/assign", "/token", "/revoke", "/status", "/delete"] {
        addresses.push(format!("/console/system-users/{user}{below}"));
    }
    for more in [
        "assets?kind=ad_account",
        "assets?kind=page&q=branch",
        "assets?kind=page&from=5000",
        "system-users?q=machine&from=100",
        "tokens?filter=never",
        "tokens?show=ended",
        "search?q=a",
        "search?q=branch%2009999",
    ] {
        addresses.push(format!("/console/{more}"));
    }
    let mut wrong = Vec::new();
    for address in &addresses {
        let answer = large.open(address).await;
        wrong.extend(faults(&answer, address));
        // A download is as long as what it holds.
        if answer.html.len() > PAGE_LIMIT_BYTES && !address.contains("/export-") {
            wrong.push(format!("{address} has {} bytes", answer.html.len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (list, total) in [("assets?kind=page", "7,50"), ("system-users", "503"), ("tokens", "1,00")] {
        let page = large.open(&format!("/console/{list}")).await.html;
        let next = html::tags(&html::read(&page)).find(|tag| tag.get("rel") == Some("next")).cloned();
        let next = next.unwrap_or_else(|| panic!("{list} is not cut"));
        assert!(html::words(&page).contains(total), "{list} doesn't say how many there are");
        let further = large.open(next.get("href").unwrap()).await;
        assert_eq!(further.code(), 200);
        let further = html::tags(&html::read(&further.html)).any(|tag| tag.get("rel") == Some("prev"));
        assert!(further, "{list} has no way back");
    }
    let found = large.open("/console/search?q=branch%2009999").await.html;
    assert!(html::words(&found).contains("Branch 09999 of the large business"));
    let found = large.open("/console/assets?kind=page&q=09999").await.html;
    assert!(html::words(&found).contains("Branch 09999 of the large business"));
}
