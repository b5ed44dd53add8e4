//! Errors and headers of answers: the order of checks, the texts, and that every refusal can be
//! explained.

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use valetkey_domain::rules::token::Lifetime;
use valetkey_graph::{Graph, GraphConfig};
use valetkey_http::{BadRequest, Failure, Late, Request};
use valetkey_service::Call;

use crate::fixture::{Answer, Fixture, fixture, name};

fn message(answer: &Answer) -> &str {
    answer.body["error"]["message"].as_str().unwrap_or_else(|| panic!("{}", answer.text))
}

#[tokio::test]
async fn a_dead_token_is_answered_before_anything_else() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let dead = m.employee_token.as_str();
    fixture.delete(&format!("/v26.0/{}/access_tokens", m.employee), &m.admin_token, &[]).await;
    let json = [("content-type", "application/json")];
    let broken = b"{bad".to_vec();
    for (token, status, wanted) in [(dead, 401, 190), (m.admin_token.as_str(), 400, 100)] {
        let answer = fixture.raw("POST", &format!("/v26.0/me?access_token={token}"), &json, broken.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, Some(wanted)), "{}", answer.text);
        let bearer = [json[0], ("authorization", &format!("Bearer {token}"))];
        let answer = fixture.raw("POST", "/v26.0/me", &bearer, broken.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, Some(wanted)), "{}", answer.text);
    }
    for (method, target, alive) in [
        ("GET", "/v99.0/me", 2500),
        ("GET", "/v26.0/me?method=brew", 100),
        ("GET", "/v26.0/a/b/c", 2500),
        ("GET", "/v26.0/oauth/nothing", 2500),
        ("POST", "/v26.0/search", 100),
        ("POST", "/v26.0/debug_token", 100),
        ("POST", "/v26.0/?batch=nonsense", 100),
    ] {
        assert_eq!(fixture.send(method, target, Some(dead), &[]).await.code(), Some(190), "{method} {target}");
        assert_eq!(
            fixture.send(method, target, Some(&m.admin_token), &[]).await.code(),
            Some(alive),
            "{method} {target}"
        );
    }
    let batch = json!([{"method": "GET", "relative_url": "v99.0/me", "access_token": dead}]).to_string();
    let answer = fixture.post("/v26.0/", &m.admin_token, &[("batch", &batch)]).await;
    assert_eq!(answer.body[0]["code"], 401, "{}", answer.text);
    // The proof may be in the part that can't be read.
    fixture.post(&format!("/v26.0/{}", m.app), &m.person_token, &[("demands_proof", "true")]).await;
    let answer = fixture.raw("POST", &format!("/v26.0/me?access_token={}", m.admin_token), &json, broken).await;
    assert_eq!((answer.code(), answer.reason()), (Some(100), None), "{}", answer.text);
    let error = &answer.body["error"];
    assert_eq!(error["error_user_title"], "Not JSON", "{}", answer.text);
    assert!(error["error_user_msg"].as_str().unwrap().contains("line 1, column 2"), "{}", answer.text);
}

#[tokio::test]
async fn a_missing_scope_is_reported_before_fields_that_cant_be_read() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.assign(m, m.account, m.employee, &["ANALYZE"]).await;
    let weak = fixture.token(m, m.employee, &["pages_show_list"], Lifetime::Never).await;
    let target = format!("/v26.0/act_{}?fields=name{{", m.account);
    assert_eq!(fixture.get(&target, &weak).await.reason(), Some("scope_missing"));
    assert_eq!(fixture.get(&target, &m.admin_token).await.code(), Some(2500));
}

#[tokio::test]
async fn without_a_token_the_answer_is_the_same_everywhere() {
    let fixture = fixture().await;
    for (method, target) in [
        ("GET", "/v26.0/app"),
        ("GET", "/v26.0/app/permissions"),
        ("GET", "/v26.0/debug_token?input_token=x"),
        ("GET", "/v26.0/search?type=adinterest"),
        ("POST", "/v26.0/search"),
        ("POST", "/v26.0/"),
        ("GET", "/v26.0/?ids=1"),
        ("GET", "/v26.0/1"),
    ] {
        let answer = fixture.send(method, target, None, &[]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code(), message(&answer)),
            (401, Some(190), "An access token is required to request this resource."),
            "{method} {target}"
        );
    }
}

#[tokio::test]
async fn no_error_repeats_a_token_whole_or_cut_off() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let whole = fixture.token(m, m.employee, &["pages_show_list"], Lifetime::Never).await;
    let cut = &whole[..whole.len() - 6];
    let tail = &whole[9..];
    for secret in [whole.as_str(), cut, tail] {
        let shown = |answer: &Answer| {
            let said = format!("{} {:?}", answer.text, answer.headers);
            (said.contains(&secret[10..20])).then_some(said)
        };
        for target in [
            format!("/v26.0/{secret}"),
            format!("/v26.0/me/{secret}"),
            format!("/v26.0/{}/{secret}", m.page),
            format!("/v26.0/a/b/{secret}"),
            format!("/v26.0/me?fields={secret}"),
            format!("/v26.0/me?fields={secret}.limit(1),{secret}"),
            format!("/v26.0/{}?fields=id,name%20{secret}", m.page),
            format!("/v26.0/?ids={secret}"),
            format!("/v26.0/me?method={secret}"),
        ] {
            for method in ["GET", "POST", "DELETE"] {
                let answer = fixture.send(method, &target, Some(&m.admin_token), &[]).await;
                assert_eq!(shown(&answer), None, "{method} {target}");
            }
        }
        let batch = json!([
            {"method": "GET", "relative_url": secret},
            {"method": "GET", "relative_url": format!("{{result={secret}:$.id}}")},
            {"method": secret, "relative_url": "me"},
        ]);
        let answer = fixture.post("/v26.0/", &m.admin_token, &[("batch", &batch.to_string())]).await;
        assert_eq!(shown(&answer), None, "batch");
    }
    let two = format!("/v26.0/{}/owned_pages", m.business);
    fixture.post(&two, &m.admin_token, &[("name", "More")]).await;
    let linked =
        fixture.get(&format!("{two}?limit=1&q={whole}&refresh_token=s3cr3t&code=s3cr3t"), &m.admin_token).await;
    let next = linked.body["paging"]["next"].as_str().unwrap_or_else(|| panic!("{}", linked.text));
    assert!(!next.contains(&whole) && !next.contains("s3cr3t") && next.contains(&m.admin_token), "{next}");
}

/// The headers that every answer has.
fn complete(headers: &HeaderMap, what: &str) {
    for name in ["x-app-usage", "x-fb-trace-id", "facebook-api-version", "cache-control", "x-content-type-options"] {
        assert!(headers.contains_key(name), "{what}: no {name}");
    }
    assert!(headers["cache-control"].to_str().unwrap().contains("no-store"), "{what}");
    assert_eq!(headers["access-control-allow-origin"], "*", "{what}");
    let usage: Value = serde_json::from_str(headers["x-app-usage"].to_str().unwrap()).unwrap();
    assert_eq!(usage.as_object().map(serde_json::Map::len), Some(3), "{what}");
}

#[tokio::test]
async fn batches_and_what_never_reached_the_adapter_have_the_headers_too() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let batch = json!([
        {"method": "GET", "relative_url": "me"},
        {"method": "GET", "relative_url": "v99.0/me"},
        {"method": "GET"},
        {"method": "GET", "relative_url": "{result=nobody:$.id}"},
    ]);
    let answer = fixture.post("/v25.0/", &m.admin_token, &[("batch", &batch.to_string())]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    complete(&answer.headers, "batch");
    for part in answer.body.as_array().unwrap() {
        let mut headers = HeaderMap::new();
        for header in part["headers"].as_array().unwrap() {
            let name = http::HeaderName::from_bytes(header["name"].as_str().unwrap().as_bytes()).unwrap();
            headers.insert(name, header["value"].as_str().unwrap().parse().unwrap());
        }
        complete(&headers, &part.to_string());
    }
    assert_eq!(answer.header("facebook-api-version"), Some("v25.0"));
    let request = Request::new(Method::GET, "/v24.0/me".parse().unwrap());
    let head = request.head();
    let graph = Graph::new(fixture.service.clone(), GraphConfig::default());
    for (what, failure) in [
        ("too large", Failure::TooLarge { limit_bytes: 10 }),
        ("fault", Failure::Fault),
        ("busy", Failure::Busy),
        ("bad request", Failure::BadRequest(BadRequest::Connect)),
        ("late", Failure::Late(Late::Answer)),
    ] {
        let reply = valetkey_http::Adapter::failed(&graph, &head, failure);
        complete(&reply.headers, what);
        assert_eq!(reply.headers["facebook-api-version"], "v24.0", "{what}");
    }
}

async fn explained(fixture: &Fixture, answer: &Answer) -> Option<String> {
    let trace = answer.body["error"]["fbtrace_id"].as_str().unwrap_or_else(|| panic!("{}", answer.text));
    let person = Call::with_token(&fixture.company.person_token, "seed");
    fixture.service.explain(&person, trace).await.ok().map(|e| e.reason)
}

#[tokio::test]
async fn every_no_about_a_role_can_be_explained() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let person = Call::with_token(&m.person_token, "seed");
    let (other, secret) = fixture.service.create_app(&person, m.business, name("Reader"), false).await.unwrap().value;
    let another = format!("{other}|{secret}");
    let own = format!("{}|{}", m.app, m.app_secret);
    let page_token = fixture.page_token(m, &m.admin_token).await;
    for (method, target, token) in [
        ("GET", format!("/v26.0/{}/business_users", m.business), m.employee_token.as_str()),
        ("GET", format!("/v26.0/{}/permissions", m.app), m.employee_token.as_str()),
        ("GET", format!("/v26.0/{}/permissions", m.app), another.as_str()),
        ("GET", format!("/v26.0/debug_token?input_token={}", m.admin_token), m.employee_token.as_str()),
        ("GET", format!("/v26.0/debug_token?input_token={}", m.admin_token), page_token.as_str()),
        ("GET", format!("/v26.0/debug_token?input_token={}", own.replace('|', "%7C")), m.employee_token.as_str()),
        ("DELETE", format!("/v26.0/{}/permissions", m.admin), m.employee_token.as_str()),
        ("DELETE", format!("/v26.0/{}/permissions/ads_read", m.admin), m.employee_token.as_str()),
    ] {
        let answer = fixture.send(method, &target, Some(token), &[]).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (403, Some(200)), "{method} {target}: {}", answer.text);
        assert_eq!(explained(&fixture, &answer).await.as_deref(), Some("role_insufficient"), "{method} {target}");
    }
}

#[tokio::test]
async fn where_no_role_would_do_none_is_asked_for() {
    let fixture = fixture().await;
    let (m, a) = (&fixture.company, &fixture.agency);
    let agencies = format!("/v26.0/{}/agencies", m.page);
    let share = [("business", a.business.to_string()), ("permitted_tasks", "ANALYZE".to_owned())];
    let share: Vec<(&str, &str)> = share.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(fixture.post(&agencies, &m.admin_token, &share).await.body, json!({"success": true}));
    let passed = fixture.post(&agencies, &a.admin_token, &[("business", "1"), ("permitted_tasks", "ANALYZE")]).await;
    assert_eq!(
        (passed.status.as_u16(), message(&passed)),
        (403, "(#200) Only the owner has permission to share this Page"),
        "{}",
        passed.text
    );
    assert_eq!(
        passed.body["error"]["error_data"],
        json!({"reason": "role_insufficient", "granted_by": "ADMIN of the owning business"})
    );
    // In the owner's own business it is the role that is missing.
    let employee = fixture.post(&agencies, &m.employee_token, &share).await;
    assert_eq!(employee.body["error"]["error_data"]["missing"], json!({"role": "ADMIN"}), "{}", employee.text);
    let others = fixture.get(&format!("/v26.0/{}/accounts", m.employee), &m.admin_token).await;
    assert_eq!(message(&others), "(#200) Only the user itself has permission to ask for this", "{}", others.text);
    assert_eq!(others.body["error"]["error_data"], json!({"reason": "role_insufficient"}));
}

#[tokio::test]
async fn permissions_are_dropped_by_their_user_alone() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let page_token = fixture.page_token(m, &m.admin_token).await;
    for (target, token) in [
        ("/v26.0/me/permissions/ads_read".to_owned(), page_token.as_str()),
        (format!("/v26.0/{}/permissions/ads_read", m.page), m.admin_token.as_str()),
        (format!("/v26.0/{}/permissions/ads_read", m.business), m.admin_token.as_str()),
    ] {
        let answer = fixture.delete(&target, token, &[]).await;
        assert_eq!(
            (answer.code(), message(&answer)),
            (Some(100), "Unsupported request - method type: delete"),
            "{target}: {}",
            answer.text
        );
    }
    let own = fixture.delete(&format!("/v26.0/{}/permissions/ads_read", m.employee), &m.employee_token, &[]).await;
    assert_eq!(own.body, json!({"success": true}), "{}", own.text);
}

#[tokio::test]
async fn a_token_is_inspected_by_itself_its_app_and_admins_alone() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let second = fixture.token(m, m.employee, &["pages_show_list"], Lifetime::Never).await;
    let debug =
        async |input: &str, token: &str| fixture.get(&format!("/v26.0/debug_token?input_token={input}"), token).await;
    assert_eq!(debug(&second, &second).await.body["data"]["is_valid"], true);
    assert_eq!(debug(&second, &m.admin_token).await.body["data"]["is_valid"], true);
    let sister = debug(&second, &m.employee_token).await;
    assert_eq!((sister.code(), sister.reason()), (Some(200), Some("role_insufficient")), "{}", sister.text);
    let person = Call::with_token(&m.person_token, "seed");
    let (other, secret) = fixture.service.create_app(&person, m.business, name("Reader"), false).await.unwrap().value;
    let of_another = debug(&second, &format!("{other}|{secret}")).await;
    let mismatch = json!({"data": {
        "error": {"code": 100, "message": "(#100) The App_id in the input_token did not match the Viewing App"},
        "is_valid": false,
        "scopes": [],
    }});
    assert_eq!((of_another.status, of_another.body), (StatusCode::OK, mismatch));
    // The finder of a dead token of an app that demands proofs may learn that it is dead, and why.
    fixture.post(&format!("/v26.0/{}", m.app), &m.person_token, &[("demands_proof", "true")]).await;
    fixture.delete(&format!("/v26.0/{}/access_tokens", m.employee), &m.person_token, &[]).await;
    let found = debug(&second, &second).await;
    let names: Vec<&String> =
        found.body["data"].as_object().unwrap_or_else(|| panic!("{}", found.text)).keys().collect();
    assert_eq!(names.len(), 3, "{}", found.text);
    assert_eq!(
        (&found.body["data"]["is_valid"], &found.body["data"]["scopes"]),
        (&json!(false), &json!([])),
        "{}",
        found.text
    );
    assert_eq!(found.body["data"]["error"]["subcode"], 467);
    fixture.post(&format!("/v26.0/{}", m.app), &m.person_token, &[("demands_proof", "false")]).await;
    assert_eq!(debug(&second, &second).await.body["data"]["user_id"], m.employee.to_string());
}

#[tokio::test]
async fn a_wrong_proof_names_the_app() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let app = fixture.get(&format!("/v26.0/{}", m.app), &m.admin_token).await.str("name").to_owned();
    let wrong = fixture.get("/v26.0/me?appsecret_proof=00", &m.employee_token).await;
    let said = wrong.body["error"]["error_user_msg"].as_str().unwrap_or_else(|| panic!("{}", wrong.text));
    assert!(said.contains(&format!("the secret of the app {app};")), "{said}");
    assert_eq!(wrong.reason(), Some("proof_invalid"));
}

#[tokio::test]
async fn method_is_heard_with_get_and_post_alone() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let post = fixture.post(&format!("/v26.0/{}/feed", m.page), &m.admin_token, &[("message", "stays")]).await;
    let post = format!("/v26.0/{}", post.str("id"));
    let head =
        fixture.raw("HEAD", &format!("{post}?method=delete&access_token={}", m.admin_token), &[], Vec::new()).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(fixture.get(&post, &m.admin_token).await.body["message"], "stays");
    let deleted = fixture.delete(&format!("{post}?method=get"), &m.admin_token, &[]).await;
    assert_eq!(deleted.body, json!({"success": true}), "{}", deleted.text);
}

#[tokio::test]
async fn a_deleted_system_user_is_renamed_like_a_foreign_one() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let users = format!("/v26.0/{}/system_users", m.business);
    let gone = m.employee.to_string();
    fixture.delete(&format!("/v26.0/{gone}"), &m.admin_token, &[]).await;
    let foreign = fixture.agency.employee.to_string();
    let rename =
        async |id: &str| fixture.post(&users, &m.admin_token, &[("system_user_id", id), ("name", "New")]).await;
    let (deleted, foreign_answer) = (rename(&gone).await, rename(&foreign).await);
    assert_eq!(message(&deleted), "(#100) Invalid parameter", "{}", deleted.text);
    assert_eq!(deleted.without_trace(&gone), foreign_answer.without_trace(&foreign));
}
