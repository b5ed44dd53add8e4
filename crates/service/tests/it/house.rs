//! A house for tests: one business with an app, an ADMIN and an EMPLOYEE system user, a Page and an
//! ad account, and a partner, over the memory store with a wrapper that fails on purpose.

use std::sync::Arc;

use serde_json::Map;
use valetkey_domain::post::PostInput;
use valetkey_domain::token::{IssueRequest, Lifetime};
use valetkey_domain::{AssetKind, Id, Name, Random, Refusal, Role, ScopeSet};
use valetkey_seal::{KeyRing, MasterKey, OsRandom, WrappedKey};
use valetkey_service::authz::{Decision, Question, Target};
use valetkey_service::{Call, Deps, OpenError, Service, rights};
use valetkey_store::{Faulty, MemoryStore, Store};
use valetkey_testkit::clock::TestClock;
use valetkey_testkit::random::SeededRandom;

/// What outlives a restart: the store, the master key, the time.
pub struct Ground {
    pub store: MemoryStore,
    pub faulty: Faulty,
    pub clock: Arc<TestClock>,
    master: MasterKey,
    wrapped: Vec<WrappedKey>,
}

impl Ground {
    pub fn new() -> Ground {
        let master = MasterKey::generate(&OsRandom).unwrap();
        let ring = KeyRing::open(&master, []).unwrap();
        let wrapped = vec![ring.new_data_key(&master, &OsRandom).unwrap()];
        let store = MemoryStore::new();
        let faulty = Faulty::quiet(Arc::new(store.clone()));
        Ground { store, faulty, clock: Arc::new(TestClock::new()), master, wrapped }
    }

    pub fn deps(&self, store: Arc<dyn Store>, random: Box<dyn Random>, node: &str) -> Deps {
        let keys = KeyRing::open(&self.master, self.wrapped.clone()).unwrap();
        let clock = Arc::clone(&self.clock) as Arc<dyn valetkey_service::Clock>;
        Deps { store, clock, random, keys, node: node.to_owned() }
    }

    /// One more node, with its own random source.
    pub async fn node(&self, seed: u64) -> Service {
        self.open(Box::new(SeededRandom::new(seed))).await.unwrap()
    }

    pub async fn open(&self, random: Box<dyn Random>) -> Result<Service, OpenError> {
        Service::open(self.deps(Arc::new(self.faulty.clone()), random, "node")).await
    }
}

pub struct House {
    pub ground: Ground,
    pub service: Service,
    pub maker: Company,
    pub agency: Company,
}

pub struct Company {
    pub business: Id,
    pub admin_person: Id,
    pub person: Call,
    pub app: Id,
    pub secret: String,
    pub root: Id,
    pub root_token: Issued,
    pub robot: Id,
    pub robot_token: Issued,
    pub page: Id,
    pub account: Id,
}

#[derive(Debug, Clone)]
pub struct Issued {
    pub id: Id,
    pub text: String,
}

impl Issued {
    pub fn call(&self) -> Call {
        Call::with_token(&self.text, "trace")
    }
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn operator() -> Call {
    Call::operator("seed")
}

pub async fn house() -> House {
    let ground = Ground::new();
    let service = ground.node(7).await;
    let maker = company(&service, "Rad", "ada@rad.example").await;
    let agency = company(&service, "Laut", "kim@laut.example").await;
    House { ground, service, maker, agency }
}

pub async fn company(service: &Service, title: &str, email: &str) -> Company {
    let (business, admin_person) =
        service.create_business(&operator(), name(title), name("Ada"), email).await.unwrap().value;
    let code = service.create_sign_in_code(&operator(), admin_person).await.unwrap().value;
    let (_, person) = service.redeem_sign_in_code("seed", code.reveal()).await.unwrap().value;
    let person = Call::with_token(person.reveal(), "seed");
    service.accept_terms(&person, 1).await.unwrap();
    let (app, secret) = service.create_app(&person, business, name("Publisher"), false).await.unwrap().value;
    let root = service.create_system_user(&person, business, name("Root"), Role::Admin).await.unwrap().value;
    let robot = service.create_system_user(&person, business, name("Robot"), Role::Employee).await.unwrap().value;
    let mut assets = Vec::new();
    for kind in [AssetKind::PAGE, AssetKind::AD_ACCOUNT] {
        assets.push(service.create_asset(&person, kind, business, name("Asset"), Map::new()).await.unwrap().value);
    }
    for user in [root, robot] {
        service.install_app(&person, user, app).await.unwrap();
    }
    let root_token = issue(service, &person, root, app).await;
    let robot_token = issue(service, &person, robot, app).await;
    let (page, account) = (assets[0], assets[1]);
    Company { business, admin_person, person, app, secret, root, root_token, robot, robot_token, page, account }
}

/// A token with every scope and without end.
pub async fn issue(service: &Service, by: &Call, system_user: Id, app: Id) -> Issued {
    try_issue(service, by, system_user, app, Lifetime::Never).await.unwrap()
}

pub async fn try_issue(
    service: &Service,
    by: &Call,
    system_user: Id,
    app: Id,
    lifetime: Lifetime,
) -> Result<Issued, Refusal> {
    let ask = IssueRequest { system_user, app, scopes: ScopeSet::all(), lifetime, add_dependencies: false };
    let (token, text) = service.issue_token(by, ask).await?.value;
    Ok(Issued { id: token.id, text: text.reveal().to_owned() })
}

pub fn alive() -> Question {
    Question::about(Target::Nothing).sorts(valetkey_service::authz::Sorts::ANY)
}

pub fn publish(page: Id) -> Question {
    rights::PUBLISH.on_asset(page, AssetKind::PAGE)
}

pub fn post(message: &str) -> PostInput {
    PostInput { message: Some(message.to_owned()), ..PostInput::default() }
}

pub fn tasks(names: &[&str]) -> Vec<String> {
    names.iter().map(|t| (*t).to_owned()).collect()
}

/// The answer to a question, as `allow` or the reason.
pub fn answer(service: &Service, text: &str, question: Question) -> &'static str {
    match service.check(text, None, question).1 {
        Decision::Allow(_) => "allow",
        Decision::Deny(denial) => denial.reason.as_str(),
    }
}

impl House {
    pub async fn assign(&self, user: Id, asset: Id, names: &[&str]) {
        self.service.assign(&self.maker.person, asset, user, tasks(names)).await.unwrap();
    }

    pub fn ask(&self, token: &Issued, question: Question) -> &'static str {
        answer(&self.service, &token.text, question)
    }
}
