//! Page tokens, people and roles at the gateway, and the question whether a token is alive.

use serde_json::{Value, json};
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::{AssetId, Role};
use valetkey_service::Call;

use crate::fixture::{Answer, Fixture, fixture, name};

/// The token of the company's Page, derived from the EMPLOYEE's token, with these tasks.
async fn page_token(fixture: &Fixture, tasks: &[&str]) -> String {
    let m = &fixture.company;
    let tasks = tasks.iter().map(|t| (*t).to_owned()).collect();
    fixture.service.assign(&m.person, m.page, m.employee, tasks).await.unwrap();
    derived(fixture, &m.employee_token, m.page).await
}

async fn derived(fixture: &Fixture, parent: &str, page: AssetId) -> String {
    let call = Call::with_token(parent, "trace");
    fixture.service.page_tokens(&call, &[page]).await.unwrap()[0].1.reveal().to_owned()
}

/// Asks both paths one question: gives status and reason of forward-auth, and the answer of the
/// check.
fn both(fixture: &Fixture, words: &[(&str, &str)], token: &str) -> (u16, String, Value) {
    let query: Vec<String> = words.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let forward = fixture.forward(&query.join("&"), token);
    let value = |(name, text): &(&str, &str)| {
        ((*name).to_owned(), if *name == "alive" { json!(*text == "true") } else { json!(text) })
    };
    let body = Value::Object(words.iter().map(value).collect());
    let check = fixture.check(token, &body);
    let reason = forward.header("valetkey-reason").unwrap_or_default().to_owned();
    let same = check.body["reason"].as_str().or(check.body["error"]["reason"].as_str()).unwrap_or_default();
    assert_eq!(reason, same, "{words:?}: {} {}", forward.text, check.text);
    (forward.status.as_u16(), reason, check.body)
}

fn reason(fixture: &Fixture, words: &[(&str, &str)], token: &str) -> String {
    both(fixture, words, token).1
}

#[tokio::test]
async fn a_page_token_answers_about_its_page_alone() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let token = page_token(&fixture, &["CREATE_CONTENT"]).await;
    let (page, account) = (m.page.to_string(), m.account.to_string());
    let (yes, _, body) = both(&fixture, &[("asset", &page), ("task", "CREATE_CONTENT")], &token);
    assert_eq!((yes, &body["type"], &body["page"]), (200, &json!("PAGE"), &json!(page)));
    // The user of the page token has every scope, and ADVERTISE on the account.
    for scope in ["public_profile", "ads_read", "business_management", "pages_manage_posts", "pages_show_list"] {
        assert_eq!(both(&fixture, &[("scope", scope)], &token).0, 403);
        assert_eq!(reason(&fixture, &[("scope", scope)], &token), "role_insufficient", "{scope}");
        assert_eq!(reason(&fixture, &[("scope", scope)], &m.employee_token), "", "{scope}");
    }
    assert_eq!(reason(&fixture, &[("role", "ADMIN")], &token), "role_insufficient");
    assert_eq!(reason(&fixture, &[("asset", &account)], &token), "not_visible");
    assert_eq!(reason(&fixture, &[("asset", &account), ("scope", "ads_read")], &token), "not_visible");
    // A page token derived from an ADMIN's token is treated the same.
    let admins = derived(&fixture, &m.admin_token, m.page).await;
    for words in [&[("scope", "business_management")][..], &[("role", "ADMIN")]] {
        assert_eq!(reason(&fixture, words, &admins), "role_insufficient");
        assert_eq!(reason(&fixture, words, &m.admin_token), "");
    }
    assert_eq!(reason(&fixture, &[("asset", &page), ("task", "MANAGE")], &admins), "");
    assert_eq!(reason(&fixture, &[("asset", &page), ("role", "ADMIN")], &admins), "not_visible");
}

#[tokio::test]
async fn a_page_token_is_dead_once_its_page_is_taken_away() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let page = m.page.to_string();
    let about_page = [("asset", page.as_str())];
    let questions = [&[("alive", "true")][..], &[("scope", "ads_read")], &about_page];
    let token = page_token(&fixture, &["CREATE_CONTENT"]).await;
    fixture.service.unassign(&m.person, m.page, m.employee).await.unwrap();
    let second = page_token(&fixture, &["CREATE_CONTENT"]).await;
    for words in questions {
        let (status, reason, _) = both(&fixture, words, &token);
        assert_eq!((status, reason.as_str()), (401, "token_revoked"), "{words:?}");
    }
    assert_eq!(reason(&fixture, &about_page, &second), "");
}

#[tokio::test]
async fn alive_is_asked_by_name_and_says_whose_token_it_is() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let page = page_token(&fixture, &["CREATE_CONTENT"]).await;
    let app = format!("{}|{}", m.app, m.secret);
    let person = m.person.text().unwrap();
    for (token, sort, on) in [
        (m.employee_token.as_str(), "SYSTEM_USER", None),
        (person, "USER", None),
        (&page, "PAGE", Some(m.page.to_string())),
        (&app, "APP", None),
    ] {
        let yes: Answer = fixture.forward("alive=true", token);
        assert_eq!((yes.status.as_u16(), yes.header("valetkey-token-type")), (200, Some(sort)), "{}", yes.text);
        assert_eq!(yes.header("valetkey-page"), on.as_deref());
        assert_eq!(yes.header("valetkey-business"), Some(m.business.to_string().as_str()));
        assert_eq!(yes.headers.contains_key("valetkey-user"), sort != "APP");
        let yes = fixture.check(token, &json!({"alive": true}));
        assert_eq!(
            (yes.body["allowed"].as_bool(), yes.body["type"].as_str()),
            (Some(true), Some(sort)),
            "{}",
            yes.text
        );
        assert_eq!(yes.body["page"].as_str(), on.as_deref());
        let many = fixture.check(token, &json!({"questions": [{"alive": true}, {"scope": "fly"}]}));
        assert_eq!(many.body["decisions"][0], json!({"allowed": true}), "{}", many.text);
    }
    // An app asks about a token of its business.
    let asked = fixture.check(&app, &json!({"token": page, "alive": true}));
    assert_eq!((&asked.body["allowed"], &asked.body["type"]), (&json!(true), &json!("PAGE")), "{}", asked.text);
    // `alive` must be the only parameter, and a check that asks nothing is refused.
    for query in ["", "alive=", "alive=false", "alive=1", "alive", "alive=true&alive=true", "alive=true&scope=ads_read"]
        .into_iter()
        .map(str::to_owned)
        .chain([format!("alive=true&asset={}", m.page), "alive=true&role=ADMIN".to_owned()])
    {
        assert_eq!(fixture.forward(&query, &m.employee_token).no(), (400, "invalid_parameter"), "{query}");
    }
    for body in [
        json!({}),
        json!({"alive": false}),
        json!({"alive": "true"}),
        json!({"alive": true, "scope": "ads_read"}),
        json!({"alive": true, "questions": [{"scope": "ads_read"}]}),
        json!({"role": "ADMIN", "questions": [{"scope": "ads_read"}]}),
    ] {
        assert_eq!(fixture.check(&m.employee_token, &body).no(), (400, "invalid_parameter"), "{body}");
    }
}

#[tokio::test]
async fn a_question_may_ask_for_a_role() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let admin = [("role", "ADMIN")];
    assert_eq!(reason(&fixture, &admin, &m.admin_token), "");
    assert_eq!(reason(&fixture, &admin, m.person.text().unwrap()), "");
    assert_eq!(reason(&fixture, &admin, &m.employee_token), "role_insufficient");
    assert_eq!(reason(&fixture, &admin, &format!("{}|{}", m.app, m.secret)), "role_insufficient");
    // With an asset, the caller must be an ADMIN of its own business and see the asset. With a
    // scope, the token must carry it too.
    let (page, foreign) = (m.page.to_string(), fixture.stranger.page.to_string());
    assert_eq!(reason(&fixture, &[("asset", &page), ("role", "ADMIN")], &m.admin_token), "");
    assert_eq!(reason(&fixture, &[("asset", &page), ("role", "ADMIN")], &m.employee_token), "role_insufficient");
    assert_eq!(reason(&fixture, &[("asset", &foreign), ("role", "ADMIN")], &m.admin_token), "not_visible");
    assert_eq!(reason(&fixture, &[("scope", "ads_read"), ("role", "ADMIN")], &m.admin_token), "");
    for words in [&[("role", "EMPLOYEE")][..], &[("role", "admin")], &[("role", "")]] {
        assert_eq!(reason(&fixture, words, &m.admin_token), "invalid_parameter", "{words:?}");
    }
    let with_task = [("asset", page.as_str()), ("task", "MANAGE"), ("role", "ADMIN")];
    assert_eq!(reason(&fixture, &with_task, &m.admin_token), "invalid_parameter");
}

#[tokio::test]
async fn an_employee_person_has_every_scope_but_business_management() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let service = &fixture.service;
    let made = service.create_person(&m.person, m.business, name("Bob"), "bob@b.example", Role::Employee).await;
    let bob = made.unwrap().value;
    let code = service.create_sign_in_code(&Call::operator("seed"), bob).await.unwrap().value;
    let token = service
        .redeem_sign_in_code("trace", code.reveal(), PersonToken::CommandLine)
        .await
        .unwrap()
        .value
        .1
        .reveal()
        .to_owned();
    let manage = [("scope", "business_management")];
    assert_eq!(both(&fixture, &manage, &token).1, "scope_missing");
    assert_eq!(reason(&fixture, &[("scope", "ads_management")], &token), "");
    assert_eq!(reason(&fixture, &[("role", "ADMIN")], &token), "role_insufficient");
    let edit = PersonEdit { role: Some(Role::Admin), ..PersonEdit::default() };
    service.update_person(&m.person, bob, edit).await.unwrap();
    assert_eq!(reason(&fixture, &manage, &token), "");
    assert_eq!(reason(&fixture, &manage, m.person.text().unwrap()), "");
}
