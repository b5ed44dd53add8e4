//! Page tokens and caps on the wire: what kills a page token, what its user may do but it may not,
//! and how an app and a role cap a token's scopes.

use serde_json::{Value, json};
use valetkey_domain::Role;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_graph::schema::{self, NodeType, Verb};
use valetkey_service::Call;

use crate::fixture::{Answer, Fixture, fixture, name};

impl Fixture {
    /// The page token that `me/accounts` shows for the company's Page, if it shows one.
    async fn shown(&self, token: &str) -> Option<String> {
        let accounts = self.get("/v26.0/me/accounts?fields=id,access_token", token).await;
        let rows = accounts.body["data"].as_array().unwrap_or_else(|| panic!("{}", accounts.text));
        let page = self.company.page.to_string();
        let row = rows.iter().find(|row| row["id"] == page.as_str()).unwrap_or_else(|| panic!("{}", accounts.text));
        row.get("access_token").map(|text| text.as_str().unwrap().to_owned())
    }

    async fn assign_page(&self, tasks: &str) {
        let (user, m) = (self.company.employee.to_string(), &self.company);
        let body = [("user", user.as_str()), ("tasks", tasks)];
        let done = self.post(&format!("/v26.0/{}/assigned_users", m.page), &m.person_token, &body).await;
        assert_eq!(done.body, json!({"success": true}), "{}", done.text);
    }

    async fn unassign(&self) {
        let (user, m) = (self.company.employee.to_string(), &self.company);
        let target = format!("/v26.0/{}/assigned_users", m.page);
        let done = self.delete(&target, &m.person_token, &[("user", &user)]).await;
        assert_eq!(done.body, json!({"success": true}), "{}", done.text);
    }

    async fn inspect(&self, text: &str, by: &str) -> Value {
        let seen = self.send("GET", "/v26.0/debug_token", Some(by), &[("input_token", text)]).await;
        seen.body["data"].clone()
    }
}

fn is_dead(answer: &Answer) -> bool {
    (answer.code(), &answer.body["error"]["error_subcode"]) == (Some(190), &json!(467))
}

async fn assert_dead(fixture: &Fixture, text: &str) {
    for call in ["/v26.0/me", "/v26.0/me/feed", &format!("/v26.0/{}", fixture.company.page)] {
        let answer = fixture.get(call, text).await;
        assert!(is_dead(&answer), "{call}: {}", answer.text);
    }
    let seen = fixture.inspect(text, &fixture.company.admin_token).await;
    assert_eq!((&seen["is_valid"], &seen["error"]["code"]), (&json!(false), &json!(190)), "{seen}");
    assert_eq!(seen["error"]["subcode"], 467, "{seen}");
    // The token gets the same answer about itself.
    let itself = fixture.inspect(text, text).await;
    assert_eq!((&itself["is_valid"], &itself["error"]["subcode"]), (&json!(false), &json!(467)), "{itself}");
}

#[tokio::test]
async fn whatever_ends_a_path_kills_the_token_and_me_accounts_gives_another() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.assign_page("[\"CREATE_CONTENT\"]").await;
    let first = fixture.shown(&m.employee_token).await.unwrap();
    assert_eq!(fixture.get("/v26.0/me", &first).await.body["id"], m.page.to_string());
    fixture.assign_page("[\"MODERATE\"]").await;
    assert_eq!(fixture.shown(&m.employee_token).await.unwrap(), first, "narrower tasks leave it");
    fixture.unassign().await;
    assert_dead(&fixture, &first).await;
    fixture.assign_page("[\"CREATE_CONTENT\"]").await;
    assert_dead(&fixture, &first).await;
    let second = fixture.shown(&m.employee_token).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(fixture.get("/v26.0/me", &second).await.body["id"], m.page.to_string());
    // Revoked by itself, by its id.
    let id = fixture.inspect(&second, &m.admin_token).await["token_id"].as_str().unwrap().to_owned();
    fixture.delete(&format!("/v26.0/{id}"), &m.person_token, &[]).await;
    assert_dead(&fixture, &second).await;
    let third = fixture.shown(&m.employee_token).await.unwrap();
    assert!(third != second && third != first);
    // As a field of the node it is the same.
    let node = fixture.get(&format!("/v26.0/{}?fields=access_token", m.page), &m.employee_token).await;
    assert_eq!(node.str("access_token"), third);
    // Its parent loses the scope that it depends on.
    let taken = fixture.delete("/v26.0/me/permissions/pages_show_list", &m.employee_token, &[]).await;
    assert_eq!(taken.body, json!({"success": true}), "{}", taken.text);
    assert_dead(&fixture, &third).await;
    assert_eq!(fixture.get("/v26.0/me/accounts", &m.employee_token).await.reason(), Some("scope_missing"));
    assert_eq!(fixture.get("/v26.0/me", &m.employee_token).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_share_that_ends_kills_the_partners_page_tokens() {
    let fixture = fixture().await;
    let (m, agency) = (&fixture.company, &fixture.agency);
    let target = format!("/v26.0/{}/agencies", m.page);
    let business = agency.business.to_string();
    let share = [("business", business.as_str()), ("permitted_tasks", "[\"MANAGE\"]")];
    fixture.post(&target, &m.person_token, &share).await;
    let first = fixture.shown(&agency.admin_token).await.unwrap();
    let own = fixture.shown(&m.admin_token).await.unwrap();
    fixture.delete(&target, &m.person_token, &share[..1]).await;
    assert!(is_dead(&fixture.get("/v26.0/me", &first).await));
    fixture.post(&target, &m.person_token, &share).await;
    assert!(is_dead(&fixture.get("/v26.0/me", &first).await));
    assert_ne!(fixture.shown(&agency.admin_token).await.unwrap(), first);
    assert_eq!(fixture.shown(&m.admin_token).await.unwrap(), own);
}

#[tokio::test]
async fn without_accepted_terms_a_row_leaves_the_new_token_out() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.assign_page("[\"CREATE_CONTENT\"]").await;
    let kept = fixture.shown(&m.admin_token).await.unwrap();
    fixture.service.replace_terms(&Call::operator("seed"), "New terms.").await.unwrap();
    assert_eq!(fixture.shown(&m.admin_token).await.unwrap(), kept);
    assert_eq!(fixture.get("/v26.0/me", &kept).await.status.as_u16(), 200);
    assert_eq!(fixture.shown(&m.employee_token).await, None);
    let node = fixture.get(&format!("/v26.0/{}?fields=name,access_token", m.page), &m.employee_token).await;
    assert!(node.body.get("access_token").is_none() && node.body["name"] == "City bikes", "{}", node.text);
    fixture.service.accept_terms(&Call::with_token(&m.person_token, "seed"), 2).await.unwrap();
    assert!(fixture.shown(&m.employee_token).await.is_some());
}

#[tokio::test]
async fn a_narrower_app_shows_everywhere_and_kills_nothing() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let page_token = fixture.shown(&m.admin_token).await.unwrap();
    let app = format!("/v26.0/{}", m.app);
    let narrow =
        fixture.post(&app, &m.person_token, &[("allowed_scopes", "[\"pages_manage_posts\",\"ads_read\"]")]).await;
    // The ADMIN's, the EMPLOYEE's, and the page token.
    assert_eq!(narrow.body, json!({"success": true, "tokens_narrowed": 3}), "{}", narrow.text);
    let left = json!(["public_profile", "ads_read", "pages_manage_posts"]);
    let seen = fixture.inspect(&m.admin_token, &m.person_token).await;
    assert_eq!((&seen["scopes"], &seen["is_valid"]), (&left, &json!(true)), "{seen}");
    let permissions = fixture.get("/v26.0/me/permissions", &m.admin_token).await;
    let names: Vec<&Value> = permissions.body["data"].as_array().unwrap().iter().map(|r| &r["permission"]).collect();
    assert_eq!(json!(names), left);
    let listed = fixture.get(&format!("/v26.0/{}/access_tokens?fields=scopes", m.admin), &m.person_token).await;
    assert_eq!(listed.body["data"][0]["scopes"], left, "{}", listed.text);
    assert_eq!(fixture.get("/v26.0/me/accounts", &m.admin_token).await.reason(), Some("scope_missing"));
    assert_eq!(fixture.inspect(&page_token, &m.person_token).await["is_valid"], true);
    for (method, call) in [("GET", "/v26.0/me"), ("GET", "/v26.0/me/feed"), ("POST", "/v26.0/me/feed")] {
        let answer = fixture.send(method, call, Some(&page_token), &[("message", "Hello")]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.reason()),
            (403, Some("scope_missing")),
            "{method} {call}: {}",
            answer.text
        );
    }
    let wide = fixture
        .post(&app, &m.person_token, &[("allowed_scopes", "[\"pages_manage_posts\",\"pages_show_list\"]")])
        .await;
    assert_eq!(wide.body["tokens_narrowed"], 3, "ads_read is gone: {}", wide.text);
    assert_eq!(fixture.get("/v26.0/me", &page_token).await.status.as_u16(), 200);
    assert_eq!(fixture.shown(&m.admin_token).await.unwrap(), page_token);
}

/// The calls of a node, each as a method and a path.
fn calls(node: &'static NodeType, id: &str) -> Vec<(&'static str, String)> {
    let verb = |verb| match verb {
        Verb::Get => "GET",
        Verb::Post => "POST",
        Verb::Delete => "DELETE",
    };
    let own = node.calls.iter().map(|call| (verb(call.verb), format!("/v26.0/{id}")));
    let edges = node.edges.iter().map(|edge| (verb(edge.verb), format!("/v26.0/{id}/{}", edge.name)));
    [("GET", format!("/v26.0/{id}"))].into_iter().chain(own).chain(edges).collect()
}

#[tokio::test]
async fn a_page_token_reaches_nothing_of_its_whole_user() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let token = fixture.shown(&m.admin_token).await.unwrap();
    let mut count = 0;
    for (kind, id) in
        [("Business", m.business.any()), ("SystemUser", m.admin.any()), ("BusinessUser", m.admin_person.any())]
    {
        for (method, call) in calls(schema::find(kind).unwrap(), &id.to_string()) {
            let answer = fixture.send(method, &call, Some(&token), &[]).await;
            let got = (answer.code(), answer.body["error"]["error_subcode"].as_u64());
            assert_eq!(got, (Some(100), Some(33)), "{method} {call}: {}", answer.text);
            count += 1;
        }
    }
    println!("{count} calls with an ADMIN's page token");
    assert!(count >= 80, "{count}");
    // It may not inspect or revoke its parent.
    let other = fixture.send("GET", "/v26.0/debug_token", Some(&token), &[("input_token", &m.admin_token)]).await;
    assert_eq!(other.reason(), Some("role_insufficient"), "{}", other.text);
    let app = m.app.to_string();
    let revoke = [("client_id", app.as_str()), ("client_secret", &m.app_secret), ("revoke_token", &m.admin_token)];
    let refused = fixture.send("POST", "/v26.0/oauth/revoke", Some(&token), &revoke).await;
    assert_eq!(refused.reason(), Some("role_insufficient"), "{}", refused.text);
    assert_eq!(fixture.get("/v26.0/me", &m.admin_token).await.status.as_u16(), 200);
    // In a batch each item is decided by itself.
    let batch = json!([
        {"method": "GET", "relative_url": "me"},
        {"method": "GET", "relative_url": m.business.to_string()},
        {"method": "GET", "relative_url": "me/accounts"},
        {"method": "GET", "relative_url": format!("{}/access_tokens", m.admin)},
        {"method": "GET", "relative_url": format!("search?type=adinterest")},
    ]);
    let answer = fixture.post("/v26.0/", &token, &[("batch", &batch.to_string())]).await;
    let codes: Vec<u64> = answer.body.as_array().unwrap().iter().map(|p| p["code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [200, 400, 400, 400, 403], "{}", answer.text);
}

async fn employee_person(fixture: &Fixture) -> (String, String) {
    let (service, m) = (&fixture.service, &fixture.company);
    let admin = Call::with_token(&m.person_token, "seed");
    let made = service.create_person(&admin, m.business, name("Bob"), "bob@rad.example", Role::Employee).await;
    let bob = made.unwrap().value;
    let code = service.create_sign_in_code(&Call::operator("seed"), bob).await.unwrap().value;
    let text = service.redeem_sign_in_code("trace", code.reveal(), PersonToken::CommandLine).await.unwrap().value.1;
    (bob.to_string(), text.reveal().to_owned())
}

#[tokio::test]
async fn an_employee_person_sees_its_business_and_its_own_entry() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let (bob, token) = employee_person(&fixture).await;
    let business = m.business.to_string();
    for call in ["/v26.0/me/businesses".to_owned(), format!("/v26.0/{bob}/businesses")] {
        let own = fixture.get(&call, &token).await;
        assert_eq!(own.body["data"][0]["id"], business.as_str(), "{call}: {}", own.text);
    }
    let people = fixture.get(&format!("/v26.0/{business}/business_users"), &token).await;
    let rows = people.body["data"].as_array().unwrap_or_else(|| panic!("{}", people.text));
    assert_eq!((rows.len(), &rows[0]["id"], rows[0].get("email")), (1, &json!(bob), None), "{}", people.text);
    // It sees nothing of other users. A system user needs the scope.
    let other = fixture.get(&format!("/v26.0/{}/businesses", m.admin_person), &token).await;
    assert_eq!((other.status.as_u16(), other.reason()), (403, Some("role_insufficient")), "{}", other.text);
    let permissions = fixture.get("/v26.0/me/permissions", &token).await;
    assert!(!permissions.text.contains("business_management") && permissions.text.contains("ads_management"));
    let seen = fixture.inspect(&token, &token).await;
    assert!(!seen["scopes"].as_array().unwrap().contains(&json!("business_management")), "{seen}");
    let taken = fixture.delete("/v26.0/me/permissions/ads_read", &token, &[]).await;
    assert_eq!((taken.status.as_u16(), taken.code()), (400, Some(100)), "{}", taken.text);
}

#[tokio::test]
async fn business_management_opens_nothing_to_an_employee_person() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let (bob, token) = employee_person(&fixture).await;
    let manages = |scopes: &[&str]| scopes == ["business_management"];
    let mut count = 0;
    let nodes = [("Business", m.business.to_string()), ("BusinessUser", bob), ("SystemUser", m.employee.to_string())];
    for (kind, id) in nodes {
        let node = schema::find(kind).unwrap();
        for edge in node.edges.iter().filter(|e| manages(e.right.scopes)) {
            let is_open = matches!(edge.name, "business_users" | "businesses") && edge.verb == Verb::Get;
            // A call on the caller itself needs no scope.
            if is_open || edge.right.own.is_some() && kind == "BusinessUser" {
                continue;
            }
            let method = match edge.verb {
                Verb::Get => "GET",
                Verb::Post => "POST",
                Verb::Delete => "DELETE",
            };
            let answer = fixture.send(method, &format!("/v26.0/{id}/{}", edge.name), Some(&token), &[]).await;
            assert_eq!(answer.status.as_u16(), 403, "{method} {kind}/{}: {}", edge.name, answer.text);
            count += 1;
        }
    }
    println!("{count} calls that ask for business_management alone");
    assert!(count > 20, "{count}");
}
