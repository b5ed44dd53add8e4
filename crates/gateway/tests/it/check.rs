//! `POST /v1/check`.

use serde_json::{Value, json};
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::token::Lifetime;
use valetkey_domain::{AppId, ScopeSet};
use valetkey_http::{Adapter as _, Origin, Request};

use crate::fixture::{Answer, fixture, issue, proof};

#[tokio::test]
async fn a_token_asks_about_itself() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let yes = fixture
        .check(&m.employee_token, &json!({"asset": m.account.to_string(), "task": "ANALYZE", "scope": "ads_read"}));
    assert_eq!(yes.status.as_u16(), 200);
    let wanted = json!({
        "allowed": true, "user": m.employee.to_string(), "token": m.employee_token_id.to_string(),
        "type": "SYSTEM_USER",
        "revision": fixture.service.revision().to_string(), "trace": yes.body["trace"],
    });
    assert_eq!(yes.body, wanted, "{}", yes.text);
    assert_eq!(yes.header("cache-control"), Some("no-store"));
    let no = fixture.check(&m.employee_token, &json!({"asset": m.page.to_string()}));
    assert_eq!((no.no(), &no.body["allowed"]), ((200, "asset_not_assigned"), &json!(false)));
    for (body, wanted) in [
        (json!({"asset": m.account.to_string(), "task": "MANAGE"}), (200, "task_missing")),
        (json!({"asset": fixture.stranger.page.to_string()}), (200, "not_visible")),
        (json!({"asset": m.account.to_string(), "task": "FLY"}), (400, "invalid_parameter")),
        (json!({"asset": "nonsense"}), (400, "invalid_parameter")),
        (json!({"task": "ANALYZE"}), (400, "invalid_parameter")),
        (json!({"scope": "fly"}), (400, "invalid_parameter")),
        (json!({}), (400, "invalid_parameter")),
        (json!({"asset": m.account.to_string(), "questions": [{"scope": "ads_read"}]}), (400, "invalid_parameter")),
        (json!({"questions": []}), (400, "invalid_parameter")),
        (json!({"asset": m.account.to_string(), "appsecret_proof": "00"}), (200, "proof_invalid")),
    ] {
        let answer = fixture.check(&m.employee_token, &body);
        assert_eq!(answer.no(), wanted, "{body}: {}", answer.text);
    }
    let declared = fixture.check(&m.employee_token, &json!({"asset": m.warehouse.to_string(), "task": "PICK"}));
    assert_eq!(declared.body["allowed"], true, "{}", declared.text);
}

#[tokio::test]
async fn an_unreadable_body_is_refused_and_never_repeated() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let bearer = format!("Bearer {}", m.employee_token);
    let other = &m.admin_token;
    for body in [
        String::new(),
        "nonsense".to_owned(),
        format!("\"{other}\""),
        format!("[\"{other}\"]"),
        format!("{{\"{other}\":1}}"),
        format!("{{\"questions\":\"{other}\"}}"),
        format!("{{\"questions\":[\"{other}\"]}}"),
        format!("{{\"questions\":[[\"{}\",\"ANALYZE\"]]}}", m.account),
        format!("{{\"questions\":[{{\"token\":\"{other}\"}}]}}"),
        format!("{{\"asset\":1,\"token\":\"{other}\"}}"),
        format!("{{\"token\":\"{other}\",\"token\":\"{other}\"}}"),
        "{\"asset\":\"1\",\"asset\":\"2\"}".to_owned(),
        "{\"asset\":\"1\"} {}".to_owned(),
        "{".repeat(10_000),
        "{\"questions\":".to_owned() + &"[".repeat(10_000),
    ] {
        let answer = fixture.check_raw(&[("authorization", &bearer)], body.as_bytes());
        assert_eq!(answer.no(), (400, "invalid_parameter"), "{}", answer.text);
        assert!(!answer.text.contains("vkey"), "{}", answer.text);
    }
    assert_eq!(fixture.check_raw(&[("authorization", &bearer)], b"\xff\xfe").no(), (400, "invalid_parameter"));
    assert_eq!(fixture.check_raw(&[], b"{\"scope\":\"ads_read\"}").no(), (401, "token_malformed"));
    let get = fixture.ask("GET", "/v1/check", &[("authorization", &bearer)]);
    assert_eq!((get.status.as_u16(), get.header("allow")), (405, Some("POST")));
    let empty = Request::new(http::Method::POST, "/v1/check".parse().unwrap());
    assert!(fixture.gateway.check_path(&empty.head()).is_none());
    let empty = fixture.gateway.handle(empty, Origin::Network).await;
    assert_eq!(Answer::of(empty).no(), (400, "invalid_parameter"));
    // Other paths are not answered on the check path.
    let elsewhere = Request::new(http::Method::POST, "/v1/checks".parse().unwrap());
    assert!(fixture.gateway.check_path(&elsewhere.head()).is_none());
    assert!(fixture.gateway.check_path_with_body(&elsewhere.head(), &bytes::Bytes::new()).is_none());
}

#[tokio::test]
async fn a_batch_holds_a_thousand_questions_and_no_more() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let questions = |n: usize| -> Value {
        let one = |i: usize| match i % 4 {
            0 => json!({"asset": m.account.to_string(), "task": "ANALYZE"}),
            1 => json!({"asset": m.page.to_string()}),
            2 => json!({"asset": m.account.to_string(), "task": "FLY"}),
            _ => json!({"asset": fixture.stranger.page.to_string()}),
        };
        json!({"questions": (0..n).map(one).collect::<Vec<_>>()})
    };
    let full = fixture.check(&m.employee_token, &questions(1000));
    assert_eq!(full.status.as_u16(), 200);
    let decisions = full.body["decisions"].as_array().unwrap();
    assert_eq!(decisions.len(), 1000);
    assert_eq!(decisions[0], json!({"allowed": true}));
    assert_eq!(decisions[1], json!({"allowed": false, "reason": "asset_not_assigned"}));
    assert_eq!(
        decisions[2],
        json!({"allowed": false, "reason": "invalid_parameter", "message": "this asset's kind has no such task"})
    );
    assert_eq!(decisions[999], json!({"allowed": false, "reason": "not_visible"}));
    assert_eq!(fixture.check(&m.employee_token, &questions(1001)).no(), (400, "invalid_parameter"));
}

#[tokio::test]
async fn a_dead_token_is_no_caller_one_question_or_many() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.service.revoke_token(&m.person, m.employee_token_id).await.unwrap();
    let one = json!({"asset": m.account.to_string()});
    let dead = fixture.check(&m.employee_token, &one);
    assert_eq!(dead.no(), (401, "token_revoked"));
    let many = fixture.check(&m.employee_token, &json!({"questions": [one, one]}));
    assert_eq!((many.status.as_u16(), many.header("valetkey-reason")), (401, Some("token_revoked")), "{}", many.text);
    for token in ["nonsense", &format!("{}|wrong", m.app), &format!("{}|wrong", AppId::new(m.app.get() ^ 1).unwrap())] {
        for body in [one.clone(), json!({"questions": [one]})] {
            let stranger = fixture.check(token, &body);
            assert_eq!(stranger.status.as_u16(), 401, "{}", stranger.text);
            // The revision would show strangers how much is changed here.
            assert_eq!(stranger.body.get("revision"), None, "{}", stranger.text);
        }
    }
    // A refused check is no use of the token.
    let listed = fixture.service.get_token(&m.person, m.employee_token_id).await.unwrap();
    assert_eq!(listed.last_used.map_or(0, |u| u.count), 0);
}

#[tokio::test]
async fn only_an_app_of_the_same_business_asks_about_anothers_token() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let s = &fixture.stranger;
    let second = issue(&fixture.service, &m.person, m.employee, m.app, ScopeSet::all(), Lifetime::Never).await.1;
    let second = second.reveal();
    let ask = json!({"token": m.employee_token, "asset": m.account.to_string(), "task": "ANALYZE"});
    for app in [format!("{}|{}", m.app, m.secret), format!("{}|{}", m.other_app, m.other_secret)] {
        let answer = fixture.check(&app, &ask);
        assert_eq!(
            (&answer.body["allowed"], &answer.body["user"]),
            (&json!(true), &json!(m.employee.to_string())),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains("vkey") && !answer.text.contains(&m.secret));
    }
    let foreign_app = format!("{}|{}", s.app, s.secret);
    let foreign = fixture.check(&foreign_app, &ask);
    let made_up = valetkey_domain::credential::CredentialText::from_random(
        valetkey_domain::credential::CredentialKind::SystemUser,
        &[9; 24],
    );
    for text in [second, &format!("{}|{}", m.app, m.secret), made_up.reveal(), &format!("{}|wrong", m.app)] {
        let other =
            fixture.check(&foreign_app, &json!({"token": text, "asset": m.account.to_string(), "task": "ANALYZE"}));
        assert_eq!(
            (other.status, &other.text, &other.headers),
            (foreign.status, &foreign.text, &foreign.headers),
            "{}",
            other.text
        );
    }
    assert_eq!(foreign.no(), (200, "token_unknown"));
    assert_eq!(foreign.body.get("user"), None);
    for (bearer, wanted) in [
        (m.admin_token.as_str(), (403, "role_insufficient")),
        (m.person.text().unwrap(), (403, "role_insufficient")),
        (&format!("{}|wrong", m.app), (401, "token_unknown")),
        (&format!("{}|{}", AppId::new(m.app.get() ^ 1).unwrap(), m.secret), (401, "token_unknown")),
        (&format!("nonsense|{}", m.secret), (401, "token_malformed")),
    ] {
        let answer = fixture.check(bearer, &ask);
        assert_eq!(answer.no(), wanted, "{}", answer.text);
        assert!(!answer.text.contains("vkey") && !answer.text.contains(&m.secret));
    }
    // About another's dead token the status is 200, and the body holds the refusal.
    fixture.service.revoke_token(&m.person, m.employee_token_id).await.unwrap();
    let dead = fixture.check(&format!("{}|{}", m.app, m.secret), &ask);
    assert_eq!(dead.no(), (200, "token_revoked"), "{}", dead.text);
}

#[tokio::test]
async fn a_disconnected_app_may_ask_no_more() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let ask = json!({"token": m.employee_token, "asset": m.account.to_string()});
    let other = format!("{}|{}", m.other_app, m.other_secret);
    assert_eq!(fixture.check(&other, &ask).body["allowed"], true);
    fixture.service.disconnect_app(&m.person, m.business, m.other_app).await.unwrap();
    assert_eq!(fixture.check(&other, &ask).no(), (401, "app_disconnected"));
    fixture.service.set_fresh_until_ms(0);
    assert_eq!(fixture.check(&format!("{}|{}", m.app, m.secret), &ask).no(), (503, "not_fresh"));
    assert_eq!(fixture.check(&m.employee_token, &json!({"questions": [{"scope": "ads_read"}]})).status.as_u16(), 503);
}

#[tokio::test]
async fn an_app_needs_no_proof_for_its_own_tokens_and_one_for_others() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture
        .service
        .update_app(&m.person, m.app, AppEdit { demands_proof: Some(true), ..AppEdit::default() })
        .await
        .unwrap();
    let own = format!("{}|{}", m.app, m.secret);
    let other = format!("{}|{}", m.other_app, m.other_secret);
    let right = proof(&m.secret, &m.employee_token);
    let ask = |sent: Option<&str>| {
        let mut body = json!({"token": m.employee_token, "asset": m.account.to_string()});
        if let Some(sent) = sent {
            body["appsecret_proof"] = json!(sent);
        }
        body
    };
    assert_eq!(fixture.check(&own, &ask(None)).body["allowed"], true);
    assert_eq!(fixture.check(&own, &ask(Some(&right))).body["allowed"], true);
    assert_eq!(fixture.check(&own, &ask(Some("00"))).no(), (200, "proof_invalid"));
    assert_eq!(fixture.check(&other, &ask(None)).no(), (200, "proof_missing"));
    assert_eq!(fixture.check(&other, &ask(Some(&right))).body["allowed"], true);
    let itself = json!({"asset": m.account.to_string()});
    assert_eq!(fixture.check(&m.employee_token, &itself).no(), (200, "proof_missing"));
}

#[tokio::test]
async fn the_document_names_what_the_paths_take_and_nothing_else() {
    let fixture = fixture().await;
    let paths = fixture.gateway.paths();
    let item = |path: &str| paths.iter().find(|entry| entry.path == path).and_then(|entry| entry.item.clone()).unwrap();
    let check = item("/v1/check");
    let body = &check["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"];
    let unknown = |answer: &Answer| answer.text.contains("is not known here") || answer.text.contains("are known");
    let token = &fixture.company.employee_token;
    let value = |schema: &Value| match schema["type"].as_str() {
        Some("boolean") => json!(true),
        Some("array") => json!([{"alive": true}]),
        _ => json!("1"),
    };
    for (name, schema) in body.as_object().unwrap() {
        assert!(!unknown(&fixture.check(token, &json!({ name: value(schema) }))), "{name}");
    }
    let question = body["questions"]["items"]["properties"].as_object().unwrap();
    for (name, schema) in question {
        assert!(!unknown(&fixture.check(token, &json!({"questions": [{ name: value(schema) }]}))), "{name}");
    }
    let parameters = item("/gateway/forward-auth")["get"]["parameters"].as_array().unwrap().clone();
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    for name in &names {
        assert!(!unknown(&fixture.forward(&format!("{name}=true"), token)), "{name}");
    }
    assert_eq!(names, question.keys().map(String::as_str).collect::<Vec<_>>());
    let mut whole = names.clone();
    whole.extend(["questions", "token", "appsecret_proof"]);
    assert_eq!(body.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), whole);
    assert!(unknown(&fixture.check(token, &json!({"colour": "1"}))) && unknown(&fixture.forward("colour=1", token)));
}
