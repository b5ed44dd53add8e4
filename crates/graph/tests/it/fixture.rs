//! A fixture for tests: a bicycle company and its agency behind a Graph adapter, over the store that the
//! environment names.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use valetkey_domain::{AppId, AssetId, AssetKind, BusinessId, UserId};
use valetkey_graph::{Graph, GraphConfig};
use valetkey_http::{Request, RequestId};
use valetkey_service::Service;
use valetkey_testkit::clock::TestClock;
use valetkey_testkit::company;
pub use valetkey_testkit::company::name;
use valetkey_testkit::ground::Ground;

pub struct Fixture {
    pub service: Service,
    pub clock: Arc<TestClock>,
    pub company: Company,
    pub agency: Company,
    adapter: Adapter,
    _ground: Ground,
}

/// The adapter, and the calls that a test sends through it.
pub struct Adapter {
    graph: Graph,
    requests: AtomicU64,
}

impl std::ops::Deref for Fixture {
    type Target = Adapter;

    fn deref(&self) -> &Adapter {
        &self.adapter
    }
}

pub struct Company {
    pub business: BusinessId,
    pub admin_person: UserId,
    pub person_token: String,
    pub app: AppId,
    pub app_secret: String,
    pub admin: UserId,
    pub admin_token: String,
    pub employee: UserId,
    pub employee_token: String,
    pub page: AssetId,
    pub account: AssetId,
    pub catalog: AssetId,
    pub pixel: AssetId,
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

pub async fn fixture() -> Fixture {
    let ground = Ground::new().await;
    let service = ground.node(7).await;
    let company = make_company(&service, "Rad & Rad", "ada@rad.example").await;
    let agency = make_company(&service, "Laut", "kim@laut.example").await;
    let adapter = Adapter::new(service.clone());
    Fixture { service, clock: Arc::clone(&ground.clock), company, agency, adapter, _ground: ground }
}

async fn make_company(service: &Service, title: &str, email: &str) -> Company {
    let kinds = [
        (AssetKind::Page, "City bikes"),
        (AssetKind::AdAccount, "Ads EU"),
        (AssetKind::Catalog, "All bikes"),
        (AssetKind::Pixel, "Shop"),
    ];
    let made = company::company(service, title, email, &kinds).await;
    Company {
        business: made.business,
        admin_person: made.admin_person,
        person_token: made.person.text().unwrap().to_owned(),
        app: made.app,
        app_secret: made.secret,
        admin: made.admin,
        admin_token: made.admin_token.text,
        employee: made.employee,
        employee_token: made.employee_token.text,
        page: made.assets[0],
        account: made.assets[1],
        catalog: made.assets[2],
        pixel: made.assets[3],
    }
}

impl Adapter {
    pub fn new(service: Service) -> Adapter {
        let graph = Graph::new(service, GraphConfig { public_url: Some("http://valetkey.test".to_owned()) });
        Adapter { graph, requests: AtomicU64::new(1) }
    }

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
