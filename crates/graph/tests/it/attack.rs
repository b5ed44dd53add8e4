//! Attacks: a weak token that reaches further, a stranger that learns what exists, a secret that
//! gets into an answer, a call that costs more than it should.

use http::StatusCode;
use serde_json::{Value, json};
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_domain::{AssetId, ScopeSet, UserId};
use valetkey_service::Call;

use crate::fixture::{Answer, Company, Fixture, fixture};

impl Fixture {
    /// A token of a system user with these scopes and those that they depend on.
    pub async fn token(&self, of: &Company, user: UserId, scopes: &[&'static str], lifetime: Lifetime) -> String {
        let person = Call::with_token(&of.person_token, "seed");
        let ask = IssueRequest {
            system_user: user,
            app: of.app,
            scopes: ScopeSet::of(scopes),
            lifetime,
            add_dependencies: true,
            purpose: None,
        };
        self.service.issue_token(&person, ask).await.unwrap().value.1.reveal().to_owned()
    }

    pub async fn assign(&self, of: &Company, asset: AssetId, user: UserId, tasks: &[&str]) {
        let person = Call::with_token(&of.person_token, "seed");
        self.service.assign(&person, asset, user, tasks.iter().map(|t| (*t).to_owned()).collect()).await.unwrap();
    }

    pub async fn page_token(&self, of: &Company, token: &str) -> String {
        let answer = self.get(&format!("/v26.0/{}?fields=access_token", of.page), token).await;
        answer.str("access_token").to_owned()
    }
}

pub fn outcome(answer: &Answer) -> (u16, Option<u64>, Option<String>) {
    (answer.status.as_u16(), answer.code(), answer.reason().map(str::to_owned))
}

pub fn no(status: u16, code: u64, reason: &str) -> (u16, Option<u64>, Option<String>) {
    (status, Some(code), Some(reason.to_owned()))
}

#[tokio::test]
async fn an_anonymous_report_tells_no_id_from_another() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let mut answers = Vec::new();
    for id in [
        m.app.to_string(),
        m.page.to_string(),
        m.business.to_string(),
        format!("act_{}", m.account),
        "123456789".to_owned(),
    ] {
        for edge in ["instruments", "activities"] {
            let answer = fixture.send("POST", &format!("/v26.0/{id}/{edge}"), None, &[("type", "crash")]).await;
            answers.push((answer.status, answer.without_trace(&id)));
        }
    }
    assert!(answers.iter().all(|a| *a == (StatusCode::OK, r#"{"success":true}"#.to_owned())), "{answers:?}");
}

#[tokio::test]
async fn an_employee_sees_no_more_than_the_name_of_who_made_it() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.assign(m, m.page, m.employee, &["CREATE_CONTENT"]).await;
    let wide = "id,name,role,email,status,created_time,business{id,name,system_users{id},business_users{email},access_tokens{id}},access_tokens{id},assigned_pages{id}";
    let person = json!({"id": m.admin_person.to_string(), "name": "Ada"});
    let me = fixture.get(&format!("/v26.0/me?fields=created_by{{{wide}}}"), &m.employee_token).await;
    assert_eq!(me.body["created_by"], person, "{}", me.text);
    let tokens = fixture.get(&format!("/v26.0/me/access_tokens?fields=created_by{{{wide}}}"), &m.employee_token).await;
    assert_eq!(tokens.body["data"][0]["created_by"], person, "{}", tokens.text);
    let post = fixture.post(&format!("/v26.0/{}/feed", m.page), &m.person_token, &[("message", "by a person")]).await;
    // A person has no app, but its token can still write its post.
    let read =
        fixture.get(&format!("/v26.0/{}?fields=admin_creator{{{wide}}}", post.str("id")), &m.employee_token).await;
    assert_eq!(read.body["admin_creator"], person, "{}", read.text);
    let business = fixture.get("/v26.0/me?fields=business{id,name,created_time,system_users{id},business_users{id,email},access_tokens{id},agencies{id}}", &m.employee_token).await;
    let mut sent: Vec<&String> = business.body["business"].as_object().unwrap().keys().collect();
    sent.sort();
    // The employee holds every scope, so it reads the business, but not the lists that only ADMINs
    // may read.
    assert_eq!(sent, ["created_time", "id", "name"], "{}", business.text);
}

#[tokio::test]
async fn the_right_to_hide_a_post_changes_nothing_else() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.assign(m, m.page, m.employee, &["MODERATE"]).await;
    let token = fixture.token(m, m.employee, &["pages_manage_engagement"], Lifetime::Never).await;
    let post = fixture
        .post(&format!("/v26.0/{}/feed", m.page), &m.admin_token, &[("message", "hello"), ("description", "ours")])
        .await;
    let post = format!("/v26.0/{}", post.str("id"));
    for more in [
        ("description", "theirs"),
        ("message", "theirs"),
        ("call_to_action", "{\"type\":\"BUY_NOW\"}"),
        ("is_published", "false"),
    ] {
        let answer = fixture.post(&post, &token, &[("is_hidden", "true"), more]).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (403, Some(10)), "{more:?}: {}", answer.text);
    }
    let same =
        fixture.post(&post, &token, &[("is_hidden", "true"), ("description", "ours"), ("message", "hello")]).await;
    assert_eq!(same.body, json!({"success": true}), "{}", same.text);
    let read = fixture.get(&format!("{post}?fields=description,message,is_hidden"), &m.admin_token).await;
    assert_eq!((&read.body["description"], &read.body["is_hidden"]), (&json!("ours"), &json!(true)));
}

#[tokio::test]
async fn a_page_token_of_an_admin_stands_for_its_page_alone() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let token = fixture.page_token(m, &m.admin_token).await;
    let page = m.page.to_string();
    let employee = m.employee.to_string();
    let inspected = fixture.get(&format!("/v26.0/debug_token?input_token={}", m.employee_token), &token).await;
    assert_eq!(outcome(&inspected), no(403, 200, "role_insufficient"), "{}", inspected.text);
    let own = fixture.get(&format!("/v26.0/debug_token?input_token={token}"), &token).await;
    assert_eq!((&own.body["data"]["type"], &own.body["data"]["profile_id"]), (&json!("PAGE"), &json!(page)));
    // As the Page, it may assign and share, but not unassign or unshare.
    let assigned = fixture
        .post(&format!("/v26.0/{page}/assigned_users"), &token, &[("user", &employee), ("tasks", "ANALYZE")])
        .await;
    assert_eq!(assigned.body, json!({"success": true}), "{}", assigned.text);
    let shared = fixture
        .post(
            &format!("/v26.0/{page}/agencies"),
            &token,
            &[("business", &fixture.agency.business.to_string()), ("permitted_tasks", "ANALYZE")],
        )
        .await;
    assert_eq!(shared.body, json!({"success": true}), "{}", shared.text);
    let taken = fixture.delete(&format!("/v26.0/{page}/assigned_users"), &token, &[("user", &employee)]).await;
    assert_eq!(
        (taken.status.as_u16(), taken.code(), taken.body["error"]["error_subcode"].as_u64()),
        (400, Some(100), Some(33)),
        "{}",
        taken.text
    );
    let ended = fixture
        .delete(&format!("/v26.0/{page}/agencies"), &token, &[("business", &fixture.agency.business.to_string())])
        .await;
    assert_eq!((ended.code(), ended.body["error"]["error_subcode"].as_u64()), (Some(100), Some(33)), "{}", ended.text);
    for path in [m.business.any(), m.admin.any(), m.employee.any(), m.catalog.any(), m.pixel.any()] {
        let answer = fixture.get(&format!("/v26.0/{path}"), &token).await;
        assert_eq!(
            (answer.code(), answer.body["error"]["error_subcode"].as_u64()),
            (Some(100), Some(33)),
            "{path}: {}",
            answer.text
        );
    }
    for edge in ["permissions", "accounts", "adaccounts", "businesses", "access_tokens", "business_users"] {
        let answer = fixture.get(&format!("/v26.0/me/{edge}"), &token).await;
        assert!(
            answer.body["error"]["message"].as_str().is_some_and(|t| t.ends_with("on node type (Page)")),
            "{edge}: {}",
            answer.text
        );
    }
    let nested =
        fixture.get("/v26.0/me?fields=name,business{id,name,owned_pages{id}},owner_business{id}", &token).await;
    assert_eq!(nested.body, json!({"id": page, "name": "City bikes"}), "{}", nested.text);
}

#[tokio::test]
async fn a_found_token_tells_nothing_without_the_proof_that_its_app_demands() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let set = fixture.post(&format!("/v26.0/{}", m.app), &m.person_token, &[("demands_proof", "true")]).await;
    assert_eq!(set.body, json!({"success": true}), "{}", set.text);
    let seen = fixture.get(&format!("/v26.0/debug_token?input_token={}", m.employee_token), &m.employee_token).await;
    assert_eq!(outcome(&seen), no(400, 100, "proof_missing"), "{}", seen.text);
    let wrong = fixture
        .get(&format!("/v26.0/debug_token?input_token={}&appsecret_proof=00", m.employee_token), &m.employee_token)
        .await;
    assert_eq!(outcome(&wrong), no(400, 100, "proof_invalid"), "{}", wrong.text);
}

#[tokio::test]
async fn a_dead_token_hears_of_its_death_and_a_disconnected_app_too() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let app = format!("{}|{}", m.app, m.app_secret);
    let business = format!("/v26.0/{}/owned_apps", m.business);
    fixture.delete(&business, &m.person_token, &[("app_id", &m.app.to_string())]).await;
    let seen =
        fixture.send("GET", "/v26.0/debug_token", Some(&m.employee_token), &[("input_token", &m.employee_token)]).await;
    assert_eq!(
        (&seen.body["data"]["is_valid"], &seen.body["data"]["error"]["subcode"]),
        (&json!(false), &json!(458)),
        "{}",
        seen.text
    );
    let seen = fixture.send("GET", "/v26.0/debug_token", Some(&app), &[("input_token", &app)]).await;
    assert_eq!(
        (&seen.body["data"]["is_valid"], &seen.body["data"]["type"]),
        (&json!(false), &json!("APP")),
        "{}",
        seen.text
    );
    let node = fixture.get(&format!("/v26.0/{}", m.app), &app.replace('|', "%7C")).await;
    assert_eq!(node.code(), Some(190));
}

#[tokio::test]
async fn no_answer_repeats_a_secret_that_was_put_in_the_wrong_place() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let app_token = format!("{}|{}", m.app, m.app_secret);
    for target in [
        format!("/v26.0/{}", m.employee_token),
        format!("/v26.0/{}/feed", m.employee_token),
        format!("/v26.0/?ids={}", m.employee_token),
        format!("/v26.0/?ids={},{}", m.page, app_token.replace('|', "%7C")),
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = fixture
                .raw(
                    method,
                    &format!("{target}{}access_token={}", if target.contains('?') { '&' } else { '?' }, m.admin_token),
                    &[],
                    Vec::new(),
                )
                .await;
            assert!(answer.code().is_some(), "{method} {target}");
            assert!(
                !answer.text.contains(&m.employee_token) && !answer.text.contains(&m.app_secret),
                "{method} {}",
                answer.text
            );
            assert!(!format!("{:?}", answer.headers).contains(&m.employee_token));
        }
    }
}

#[tokio::test]
async fn links_repeat_the_token_that_was_sent_and_no_other_secret() {
    let fixture = fixture().await;
    let m = &fixture.company;
    for _ in 0..2 {
        fixture.post(&format!("/v26.0/{}/owned_pages", m.business), &m.admin_token, &[("name", "More")]).await;
    }
    let secrets = "client_secret=s3cr3t&input_token=s3cr3t&fb_exchange_token=s3cr3t&revoke_token=s3cr3t";
    let target = format!("/v26.0/me/accounts?limit=1&fields=name&{secrets}");
    let by_header =
        fixture.raw("GET", &target, &[("authorization", &format!("Bearer {}", m.admin_token))], Vec::new()).await;
    let next = by_header.body["paging"]["next"].as_str().unwrap_or_else(|| panic!("{}", by_header.text)).to_owned();
    assert!(!next.contains("s3cr3t") && !next.contains(&m.admin_token) && !next.contains("access_token"), "{next}");
    let by_parameter = fixture.get(&target, &m.admin_token).await;
    let next = by_parameter.body["paging"]["next"].as_str().unwrap();
    assert!(next.contains(&m.admin_token) && !next.contains("s3cr3t"), "{next}");
    let batch = json!([{"method": "GET", "relative_url": "me/accounts?limit=1&fields=name"}]).to_string();
    let part = |a: &Answer| -> Value { serde_json::from_str(a.body[0]["body"].as_str().unwrap()).unwrap() };
    let in_batch = part(&fixture.post("/v26.0/", &m.admin_token, &[("batch", &batch)]).await);
    assert!(in_batch["paging"]["next"].as_str().unwrap().contains(&m.admin_token), "{in_batch}");
    let header = [("authorization", format!("Bearer {}", m.admin_token))];
    let header: Vec<(&str, &str)> = header.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let body = format!("batch={}", crate::fixture::encode(&batch));
    let in_batch = part(&fixture.raw("POST", "/v26.0/", &header, body.into_bytes()).await);
    assert!(!in_batch["paging"]["next"].as_str().unwrap().contains("access_token"), "{in_batch}");
}

#[tokio::test]
async fn an_item_without_a_token_of_its_own_uses_the_top_one_and_no_other_proof() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let batch = json!([
        {"method": "GET", "relative_url": "me?access_token=&fields=id"},
        {"method": "GET", "relative_url": "me?fields=id", "access_token": fixture.agency.employee_token},
        {"method": "GET", "relative_url": format!("me?fields=id&access_token={}", fixture.agency.admin_token)},
        {"method": "GET", "relative_url": format!("{}?fields=id", m.page), "access_token": fixture.agency.admin_token},
        {"method": "POST", "relative_url": "", "body": "batch=[]"},
        {"method": "GET", "relative_url": format!("{}?method=delete", m.page)},
    ]);
    let answer = fixture.post("/v26.0/", &m.admin_token, &[("batch", &batch.to_string())]).await;
    let parts: Vec<Value> = answer
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|p| serde_json::from_str(p["body"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(parts[0]["id"], m.admin.to_string(), "{}", answer.text);
    assert_eq!(parts[1]["id"], fixture.agency.employee.to_string(), "{}", answer.text);
    assert_eq!(parts[2]["id"], fixture.agency.admin.to_string(), "{}", answer.text);
    assert_eq!(parts[3]["error"]["error_subcode"], 33);
    assert_eq!(parts[4]["error"]["code"], 100);
    assert_eq!(parts[5]["error"]["code"], 100);
    assert!(!answer.text.contains(&fixture.agency.employee_token));
}

#[tokio::test]
async fn in_the_order_of_no_rights_come_before_parameters() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let t = m.employee_token.as_str();
    for (method, target) in [
        ("POST", format!("/v26.0/{}/access_tokens", m.admin)),
        ("POST", format!("/v26.0/{}/applications", m.employee)),
        ("POST", format!("/v26.0/{}/system_users", m.business)),
        ("POST", format!("/v26.0/{}/owned_apps", m.business)),
        ("POST", format!("/v26.0/{}", m.admin)),
        ("DELETE", format!("/v26.0/{}/owned_apps", m.business)),
        ("POST", format!("/v26.0/{}/adaccount", m.business)),
    ] {
        let answer = fixture.send(method, &target, Some(t), &[("status", "NONSENSE"), ("name", "")]).await;
        assert_eq!(outcome(&answer), no(403, 200, "role_insufficient"), "{method} {target}: {}", answer.text);
    }
    fixture.assign(m, m.page, m.employee, &["ANALYZE"]).await;
    let post = fixture.post(&format!("/v26.0/{}/feed", m.page), &m.admin_token, &[("message", "hello")]).await;
    let bad = fixture.post(&format!("/v26.0/{}", post.str("id")), t, &[("scheduled_publish_time", "nonsense")]).await;
    assert_eq!(outcome(&bad), no(403, 200, "task_missing"), "{}", bad.text);
}

#[tokio::test]
async fn an_exchange_never_makes_a_token_live_longer() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let hour = fixture.token(m, m.employee, &["pages_show_list"], Lifetime::Seconds(3600)).await;
    let app = m.app.to_string();
    let exchange = async |more: &[(&str, &str)]| {
        let mut ask = vec![
            ("client_id", app.as_str()),
            ("client_secret", m.app_secret.as_str()),
            ("grant_type", "fb_exchange_token"),
            ("fb_exchange_token", hour.as_str()),
        ];
        ask.extend_from_slice(more);
        fixture.send("POST", "/v26.0/oauth/access_token", None, &ask).await
    };
    for more in [("lifetime_s", "0"), ("lifetime_s", "3601"), ("set_token_expires_in_60_days", "true")] {
        let answer = exchange(&[more]).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (403, Some(200)), "{more:?}: {}", answer.text);
    }
    let same = exchange(&[]).await;
    assert_eq!(same.body["expires_in"], 3600, "{}", same.text);
    let wider = fixture
        .post(
            &format!("/v26.0/{}/access_tokens", m.employee),
            same.str("access_token"),
            &[("business_app", &app), ("scope", "pages_show_list")],
        )
        .await;
    assert_eq!(outcome(&wider), no(403, 200, "role_insufficient"), "{}", wider.text);
}

#[tokio::test]
async fn not_modified_stays_not_modified() {
    let fixture = fixture().await;
    let target = format!("/v26.0/me?suppress_http_code=1&access_token={}", fixture.company.admin_token);
    let tag = fixture.raw("GET", &target, &[], Vec::new()).await.header("etag").unwrap().to_owned();
    assert_eq!(
        fixture.raw("GET", &target, &[("if-none-match", &tag)], Vec::new()).await.status,
        StatusCode::NOT_MODIFIED
    );
    let wrong = fixture.get("/v26.0/1?suppress_http_code=1", &fixture.company.admin_token).await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::OK, Some(100)));
}
