//! A house for tests: a maker with two apps, an EMPLOYEE with few tasks, and a stranger beside it.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::{Map, Value};
use valetkey_domain::credential::{CredentialText, app_secret_proof};
use valetkey_domain::token::{IssueRequest, Lifetime, Token};
use valetkey_domain::{AssetKind, DeclaredKind, Id, Name, Role, ScopeSet};
use valetkey_gateway::Gateway;
use valetkey_http::{Reply, Request, RequestId};
use valetkey_seal::{KeyRing, MasterKey, OsRandom};
use valetkey_service::{Call, Deps, Service};
use valetkey_store::memory::MemoryStore;
use valetkey_testkit::clock::TestClock;
use valetkey_testkit::random::SeededRandom;

/// A kind that the operator declared.
pub const WAREHOUSE: AssetKind = AssetKind(64);

pub struct House {
    pub service: Service,
    pub gateway: Gateway,
    pub clock: Arc<TestClock>,
    pub maker: Company,
    pub stranger: Company,
}

pub struct Company {
    pub business: Id,
    pub person: Call,
    pub app: Id,
    pub secret: String,
    pub other_app: Id,
    pub other_secret: String,
    pub admin_token: String,
    pub clerk: Id,
    /// All scopes; ADVERTISE on the account, `PICK` in the warehouse, nothing on the Page.
    pub clerk_token: String,
    pub clerk_token_id: Id,
    pub page: Id,
    pub account: Id,
    pub warehouse: Id,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn of(reply: Reply) -> Answer {
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        Answer { status: reply.status, headers: reply.headers, body, text }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }

    /// Status and reason, which must be the same in header and body.
    pub fn no(&self) -> (u16, &str) {
        let inner = self.body.pointer("/error/reason").or_else(|| self.body.get("reason"));
        let reason = inner.and_then(Value::as_str).unwrap_or_else(|| panic!("no reason in {}", self.text));
        if self.status != StatusCode::OK {
            assert_eq!(self.header("valetkey-reason"), Some(reason), "{}", self.text);
            assert_eq!(self.header("cache-control"), Some("no-store"));
            assert_eq!(self.header("www-authenticate").is_some(), self.status == StatusCode::UNAUTHORIZED);
        }
        (self.status.as_u16(), reason)
    }
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub async fn house() -> House {
    let clock = Arc::new(TestClock::new());
    let master = MasterKey::generate(&OsRandom).unwrap();
    let mut keys = KeyRing::open(&master, []).unwrap();
    let wrapped = keys.new_data_key(&master, &OsRandom).unwrap();
    keys.add(&master, wrapped).unwrap();
    let deps = Deps {
        store: Arc::new(MemoryStore::new()),
        clock: Arc::clone(&clock) as Arc<dyn valetkey_service::Clock>,
        random: Box::new(SeededRandom::new(11)),
        keys,
        node: "test".to_owned(),
    };
    let service = Service::open(deps).await.unwrap();
    let kind = DeclaredKind {
        kind: WAREHOUSE,
        word: "warehouse".to_owned(),
        title: name("Warehouse"),
        tasks: ["MANAGE", "PICK", "COUNT"].map(str::to_owned).to_vec(),
    };
    service.declare_kind(&Call::operator("seed"), kind).await.unwrap();
    let maker = company(&service, "Rad & Rad", "ada@rad.example").await;
    let stranger = company(&service, "Laut", "kim@laut.example").await;
    House { gateway: Gateway::new(service.clone()), service, clock, maker, stranger }
}

async fn company(service: &Service, title: &str, email: &str) -> Company {
    let operator = Call::operator("seed");
    let (business, admin) = service.create_business(&operator, name(title), name("Ada"), email).await.unwrap().value;
    let code = service.create_sign_in_code(&operator, admin).await.unwrap().value;
    let (_, text) = service.redeem_sign_in_code("seed", code.reveal()).await.unwrap().value;
    let person = Call::with_token(text.reveal(), "seed");
    service.accept_terms(&person, 1).await.unwrap();
    let (app, secret) = service.create_app(&person, business, name("Proxy"), false).await.unwrap().value;
    let (other_app, other_secret) = service.create_app(&person, business, name("Other"), false).await.unwrap().value;
    let admin = service.create_system_user(&person, business, name("Manager"), Role::Admin).await.unwrap().value;
    let clerk = service.create_system_user(&person, business, name("Clerk"), Role::Employee).await.unwrap().value;
    let mut tokens = Vec::new();
    for user in [admin, clerk] {
        service.install_app(&person, user, app).await.unwrap();
        tokens.push(issue(service, &person, user, app, ScopeSet::all(), Lifetime::Never).await);
    }
    let mut assets = Vec::new();
    for (kind, title) in [(AssetKind::PAGE, "City bikes"), (AssetKind::AD_ACCOUNT, "Ads"), (WAREHOUSE, "North")] {
        assets.push(service.create_asset(&person, kind, business, name(title), Map::new()).await.unwrap().value);
    }
    service.assign(&person, assets[1], clerk, vec!["ADVERTISE".to_owned()]).await.unwrap();
    service.assign(&person, assets[2], clerk, vec!["PICK".to_owned()]).await.unwrap();
    let clerk_token_id = tokens[1].0.id;
    Company {
        business,
        person,
        app,
        secret,
        other_app,
        other_secret,
        admin_token: tokens[0].1.reveal().to_owned(),
        clerk,
        clerk_token: tokens[1].1.reveal().to_owned(),
        clerk_token_id,
        page: assets[0],
        account: assets[1],
        warehouse: assets[2],
    }
}

pub async fn issue(
    service: &Service,
    person: &Call,
    user: Id,
    app: Id,
    scopes: ScopeSet,
    lifetime: Lifetime,
) -> (Token, CredentialText) {
    let ask = IssueRequest { system_user: user, app, scopes, lifetime, add_dependencies: true };
    service.issue_token(person, ask).await.unwrap().value
}

pub fn proof(secret: &str, token: &str) -> String {
    app_secret_proof(secret.as_bytes(), token)
}

impl House {
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        let request = request(method, target, headers);
        Answer::of(self.gateway.fast(&request.head()).unwrap_or_else(|| panic!("{method} {target} was sent on")))
    }

    /// Forward-auth for a bearer.
    pub fn forward(&self, query: &str, token: &str) -> Answer {
        self.ask("GET", &format!("/gateway/forward-auth?{query}"), &[("authorization", &format!("Bearer {token}"))])
    }

    pub fn check_raw(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let request = request("POST", "/v1/check", headers);
        let body = bytes::Bytes::copy_from_slice(body);
        Answer::of(self.gateway.fast_with_body(&request.head(), &body).expect("answered"))
    }

    pub fn check(&self, token: &str, body: &Value) -> Answer {
        self.check_raw(&[("authorization", &format!("Bearer {token}"))], body.to_string().as_bytes())
    }
}

fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::new(Method::from_bytes(method.as_bytes()).unwrap(), target.parse().unwrap());
    for (name, value) in headers {
        let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    request.request_id = RequestId::from_bytes([7; 16]);
    request
}
