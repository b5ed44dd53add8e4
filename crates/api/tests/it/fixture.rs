//! A service with two businesses, and a way to call the adapter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use valetkey_api::Api;
use valetkey_http::{Reply, Request, RequestId};
use valetkey_service::Service;
use valetkey_testkit::clock::TestClock;
use valetkey_testkit::ground::Ground;

/// A parsed answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    fn of(reply: Reply) -> Answer {
        let body = serde_json::from_slice(&reply.body).unwrap_or_else(|e| panic!("{e}: {:?}", reply.body));
        Answer { status: reply.status, headers: reply.headers, body }
    }

    /// The result of a command that succeeded.
    pub fn result(&self) -> &Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        &self.body["result"]
    }

    pub fn error(&self) -> &Value {
        assert_ne!(self.status, StatusCode::OK, "{}", self.body);
        &self.body["error"]
    }

    /// Status and reason of a refusal.
    pub fn no(&self) -> (u16, &str) {
        (self.status.as_u16(), self.error()["reason"].as_str().unwrap())
    }

    pub fn text(&self, name: &str) -> String {
        self.result()[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.body)).to_owned()
    }
}

pub struct Fixture {
    pub api: Api,
    pub service: Service,
    pub clock: Arc<TestClock>,
    requests: AtomicU64,
    _ground: Ground,
}

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    Operator,
    Token(&'a str),
    Nobody,
}

impl Fixture {
    pub async fn new() -> Fixture {
        let ground = Ground::new().await;
        let service = ground.node(7).await;
        let clock = Arc::clone(&ground.clock);
        Fixture { api: Api::new(service.clone()), service, clock, requests: AtomicU64::new(1), _ground: ground }
    }

    pub async fn call(&self, by: By<'_>, command: &str, params: Value) -> Answer {
        self.send(by, Method::POST, &format!("/v1/commands/{command}"), &[], params.to_string().into_bytes()).await
    }

    pub async fn send(
        &self,
        by: By<'_>,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::new(method, path.parse().unwrap());
        request.body = Bytes::from(body);
        let number = u128::from(self.requests.fetch_add(1, Ordering::Relaxed));
        request.request_id = RequestId::from_bytes(number.to_be_bytes());
        for (name, value) in headers {
            request.headers.append(*name, value.parse().unwrap());
        }
        if let By::Token(text) = by {
            request.headers.insert("authorization", format!("Bearer {text}").parse().unwrap());
        }
        Answer::of(self.api.handle(request, matches!(by, By::Operator)).await)
    }

    pub async fn get(&self, by: By<'_>, path: &str) -> Answer {
        self.send(by, Method::GET, path, &[], Vec::new()).await
    }

    /// Redeems a fresh code for a person.
    pub async fn sign_in(&self, person: &str) -> String {
        let code = self.call(By::Operator, "sign-in.create", json!({"person": person})).await.text("code");
        let body = json!({"code": code}).to_string().into_bytes();
        self.send(By::Nobody, Method::POST, "/v1/sign-in", &[], body).await.text("access_token")
    }
}

/// A business that is ready to work.
#[derive(Debug, Clone)]
pub struct Firm {
    pub id: String,
    pub person: String,
    pub person_token: String,
    pub app: String,
    pub secret: String,
    pub admin: String,
    pub admin_token: String,
    pub employee: String,
    pub employee_token: String,
    pub employee_token_id: String,
    pub page: String,
    pub ad_account: String,
}

impl Firm {
    pub async fn found(fixture: &Fixture, name: &str) -> Firm {
        let op = By::Operator;
        let email = format!("ada@{name}.example");
        let made = fixture.call(op, "business.create", json!({"name": name, "admin_email": email})).await;
        let (id, person) = (made.text("id"), made.text("admin"));
        let person_token = fixture.sign_in(&person).await;
        let by = By::Token(&person_token);
        fixture.call(by, "terms.accept", json!({"version": 1})).await.result();
        let app = fixture.call(by, "app.create", json!({"name": "Shop"})).await;
        let (app, secret) = (app.text("id"), app.text("secret"));
        let admin = fixture.call(by, "system-user.create", json!({"name": "Chief", "role": "ADMIN"})).await.text("id");
        let employee = fixture.call(by, "system-user.create", json!({"name": "Poster"})).await.text("id");
        for user in [&admin, &employee] {
            fixture.call(by, "app.install", json!({"system_user": user, "app": app})).await.result();
        }
        let scopes = ["business_management", "pages_manage_posts"];
        let ask = |user: &str| json!({"system_user": user, "app": app, "scopes": scopes, "add_dependencies": true});
        let admin_token = fixture.call(by, "token.issue", ask(&admin)).await.text("access_token");
        let issued = fixture.call(by, "token.issue", ask(&employee)).await;
        let page = fixture.call(by, "asset.create", json!({"kind": "page", "name": "Bikes"})).await.text("id");
        let ad_account =
            fixture.call(by, "asset.create", json!({"kind": "ad_account", "name": "Ads"})).await.text("id");
        fixture
            .call(by, "assignment.assign", json!({"asset": page, "user": employee, "tasks": ["CREATE_CONTENT"]}))
            .await
            .result();
        Firm {
            id,
            person,
            person_token,
            app,
            secret,
            admin,
            admin_token,
            employee,
            employee_token: issued.text("access_token"),
            employee_token_id: issued.text("token_id"),
            page,
            ad_account,
        }
    }

    pub fn admin(&self) -> By<'_> {
        By::Token(&self.admin_token)
    }

    pub fn employee(&self) -> By<'_> {
        By::Token(&self.employee_token)
    }
}
