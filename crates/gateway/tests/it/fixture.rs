//! A fixture for tests: a company with two apps, an EMPLOYEE with few tasks, and a stranger beside it.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::Value;
use valetkey_domain::credential::{CredentialText, app_secret_proof};
use valetkey_domain::noun::token::Token;
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_domain::{AppId, AssetId, AssetKind, BusinessId, DeclaredKind, ScopeSet, TokenId, UserId};
use valetkey_gateway::Gateway;
use valetkey_http::{Adapter as _, Reply, Request, RequestId};
use valetkey_service::{Call, Service};
use valetkey_testkit::clock::TestClock;
use valetkey_testkit::company;
pub use valetkey_testkit::company::name;
use valetkey_testkit::ground::Ground;

/// A kind that the operator declared.
pub const WAREHOUSE: AssetKind = AssetKind::Declared(0);

pub struct Fixture {
    pub service: Service,
    pub gateway: Gateway,
    pub clock: Arc<TestClock>,
    pub company: Company,
    pub stranger: Company,
    _ground: Ground,
}

pub struct Company {
    pub business: BusinessId,
    pub person: Call,
    pub app: AppId,
    pub secret: String,
    pub other_app: AppId,
    pub other_secret: String,
    pub admin_token: String,
    pub employee: UserId,
    /// All scopes; ADVERTISE on the account, `PICK` in the warehouse, nothing on the Page.
    pub employee_token: String,
    pub employee_token_id: TokenId,
    pub page: AssetId,
    pub account: AssetId,
    pub warehouse: AssetId,
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

pub async fn fixture() -> Fixture {
    let ground = Ground::new().await;
    let service = ground.node(11).await;
    let kind = DeclaredKind {
        kind: WAREHOUSE,
        word: "warehouse".to_owned(),
        title: name("Warehouse"),
        tasks: ["MANAGE", "PICK", "COUNT"].map(str::to_owned).to_vec(),
    };
    service.declare_kind(&Call::operator("seed"), kind).await.unwrap();
    let company = make_company(&service, "Rad & Rad", "ada@rad.example").await;
    let stranger = make_company(&service, "Laut", "kim@laut.example").await;
    let (gateway, clock) = (Gateway::new(service.clone()), Arc::clone(&ground.clock));
    Fixture { gateway, service, clock, company, stranger, _ground: ground }
}

async fn make_company(service: &Service, title: &str, email: &str) -> Company {
    let kinds = [(AssetKind::Page, "City bikes"), (AssetKind::AdAccount, "Ads"), (WAREHOUSE, "North")];
    let made = company::company(service, title, email, &kinds).await;
    let person = made.person;
    let other = service.create_app(&person, made.business, name("Other"), false).await.unwrap().value;
    let (page, account, warehouse) = (made.assets[0], made.assets[1], made.assets[2]);
    service.assign(&person, account, made.employee, vec!["ADVERTISE".to_owned()]).await.unwrap();
    service.assign(&person, warehouse, made.employee, vec!["PICK".to_owned()]).await.unwrap();
    Company {
        business: made.business,
        person,
        app: made.app,
        secret: made.secret,
        other_app: other.0,
        other_secret: other.1,
        admin_token: made.admin_token.text,
        employee: made.employee,
        employee_token: made.employee_token.text,
        employee_token_id: made.employee_token.id,
        page,
        account,
        warehouse,
    }
}

pub async fn issue(
    service: &Service,
    person: &Call,
    user: UserId,
    app: AppId,
    scopes: ScopeSet,
    lifetime: Lifetime,
) -> (Token, CredentialText) {
    let ask = IssueRequest { system_user: user, app, scopes, lifetime, add_dependencies: true, purpose: None };
    service.issue_token(person, ask).await.unwrap().value
}

pub fn proof(secret: &str, token: &str) -> String {
    app_secret_proof(secret.as_bytes(), token)
}

impl Fixture {
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        let request = request(method, target, headers);
        Answer::of(self.gateway.check_path(&request.head()).unwrap_or_else(|| panic!("{method} {target} was sent on")))
    }

    /// Forward-auth for a bearer.
    pub fn forward(&self, query: &str, token: &str) -> Answer {
        self.ask("GET", &format!("/gateway/forward-auth?{query}"), &[("authorization", &format!("Bearer {token}"))])
    }

    pub fn check_raw(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let request = request("POST", "/v1/check", headers);
        let body = bytes::Bytes::copy_from_slice(body);
        Answer::of(self.gateway.check_path_with_body(&request.head(), &body).expect("answered"))
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
