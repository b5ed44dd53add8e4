//! A house for tests: a bicycle maker and its agency behind a Graph door over the memory store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};
use valetkey_domain::token::{IssueRequest, Lifetime};
use valetkey_domain::{AssetKind, Id, Name, Role, ScopeSet};
use valetkey_graph::{Graph, GraphConfig};
use valetkey_http::{Request, RequestId};
use valetkey_seal::{KeyRing, MasterKey, OsRandom};
use valetkey_service::{Call, Deps, Service};
use valetkey_store::memory::MemoryStore;
use valetkey_testkit::clock::TestClock;
use valetkey_testkit::random::SeededRandom;

pub struct House {
    pub service: Service,
    pub graph: Graph,
    pub clock: Arc<TestClock>,
    pub maker: Company,
    pub agency: Company,
    requests: AtomicU64,
}

pub struct Company {
    pub business: Id,
    pub admin_person: Id,
    pub person_token: String,
    pub app: Id,
    pub app_secret: String,
    pub admin: Id,
    pub admin_token: String,
    pub clerk: Id,
    pub clerk_token: String,
    pub page: Id,
    pub account: Id,
    pub catalog: Id,
    pub pixel: Id,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn code(&self) -> Option<u64> {
        self.body.pointer("/error/code").and_then(Value::as_u64)
    }

    pub fn reason(&self) -> Option<&str> {
        self.body.pointer("/error/error_data/reason").and_then(Value::as_str)
    }

    pub fn str(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The answer without what may differ between two equal ones.
    pub fn without_trace(&self, id: &str) -> String {
        let trace = self.body.pointer("/error/fbtrace_id").and_then(Value::as_str).unwrap_or("-");
        self.text.replace(trace, "TRACE").replace(id, "ID")
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
        random: Box::new(SeededRandom::new(7)),
        keys,
        node: "test".to_owned(),
    };
    let service = Service::open(deps).await.unwrap();
    let graph = Graph::new(service.clone(), GraphConfig { public_url: Some("http://valetkey.test".to_owned()) });
    let maker = company(&service, "Rad & Rad", "ada@rad.example").await;
    let agency = company(&service, "Laut", "kim@laut.example").await;
    House { service, graph, clock, maker, agency, requests: AtomicU64::new(1) }
}

async fn company(service: &Service, title: &str, email: &str) -> Company {
    let operator = Call::operator("seed");
    let made = service.create_business(&operator, name(title), name("Ada"), email).await.unwrap();
    let (business, admin_person) = made.value;
    let code = service.create_sign_in_code(&operator, admin_person).await.unwrap().value;
    let (_, person) = service.redeem_sign_in_code("seed", code.reveal()).await.unwrap().value;
    let person = Call::with_token(person.reveal(), "seed");
    service.accept_terms(&person, 1).await.unwrap();
    let (app, app_secret) = service.create_app(&person, business, name("Publisher"), false).await.unwrap().value;
    let admin = service.create_system_user(&person, business, name("Manager"), Role::Admin).await.unwrap().value;
    let clerk = service.create_system_user(&person, business, name("Clerk"), Role::Employee).await.unwrap().value;
    let mut tokens = Vec::new();
    for user in [admin, clerk] {
        service.install_app(&person, user, app).await.unwrap();
        let ask = IssueRequest {
            system_user: user,
            app,
            scopes: ScopeSet::all(),
            lifetime: Lifetime::Never,
            add_dependencies: false,
        };
        tokens.push(service.issue_token(&person, ask).await.unwrap().value.1.reveal().to_owned());
    }
    let mut assets = Vec::new();
    for (kind, title) in [
        (AssetKind::PAGE, "City bikes"),
        (AssetKind::AD_ACCOUNT, "Ads EU"),
        (AssetKind::CATALOG, "All bikes"),
        (AssetKind::PIXEL, "Shop"),
    ] {
        assets.push(service.create_asset(&person, kind, business, name(title), Map::new()).await.unwrap().value);
    }
    Company {
        business,
        admin_person,
        person_token: person.text().unwrap().to_owned(),
        app,
        app_secret,
        admin,
        admin_token: tokens[0].clone(),
        clerk,
        clerk_token: tokens[1].clone(),
        page: assets[0],
        account: assets[1],
        catalog: assets[2],
        pixel: assets[3],
    }
}

impl House {
    pub async fn send(&self, method: &str, target: &str, token: Option<&str>, body: &[(&str, &str)]) -> Answer {
        let mut form = form(body);
        if let Some(token) = token {
            form = if form.is_empty() { form } else { form + "&" };
            form += &format!("access_token={}", encode(token));
        }
        let (target, body) = match method {
            "GET" | "DELETE" if !form.is_empty() => {
                (format!("{target}{}{form}", if target.contains('?') { "&" } else { "?" }), String::new())
            }
            _ => (target.to_owned(), form),
        };
        self.raw(method, &target, &[("content-type", "application/x-www-form-urlencoded")], body.into_bytes()).await
    }

    pub async fn raw(&self, method: &str, target: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::new(Method::from_bytes(method.as_bytes()).unwrap(), target.parse().unwrap());
        for (name, value) in headers {
            request.headers.insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        request.request_id = RequestId::from_bytes(u128::from(number).to_be_bytes());
        request.body = body.into();
        let reply = self.graph.handle(request).await;
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: reply.status, headers: reply.headers, body, text }
    }

    pub async fn get(&self, target: &str, token: &str) -> Answer {
        self.send("GET", target, Some(token), &[]).await
    }

    pub async fn post(&self, target: &str, token: &str, body: &[(&str, &str)]) -> Answer {
        self.send("POST", target, Some(token), body).await
    }

    pub async fn delete(&self, target: &str, token: &str, body: &[(&str, &str)]) -> Answer {
        self.send("DELETE", target, Some(token), body).await
    }
}

fn form(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect::<Vec<_>>().join("&")
}

pub fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
