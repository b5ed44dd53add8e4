//! Sign-in codes and the tokens that they are redeemed for.

use http::Method;
use serde_json::json;
use valetkey_testkit::clock::{DAY_MS, HOUR_MS};

use crate::fixture::{Answer, By, Firm, Fixture};

async fn redeem(fixture: &Fixture, body: &str) -> Answer {
    fixture.send(By::Nobody, Method::POST, "/v1/sign-in", &[], body.as_bytes().to_vec()).await
}

#[tokio::test]
async fn a_code_works_once_and_its_token_for_two_hours() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let code = fixture.call(By::Operator, "sign-in.create", json!({"person": firm.person})).await;
    let listed = fixture.call(By::Operator, "sign-in.list", json!({})).await;
    assert_eq!(listed.result()["rows"][0]["person"], firm.person.as_str());
    assert!(!listed.body.to_string().contains("vkeyco_"));
    let body = json!({"code": code.text("code")}).to_string();
    let first = redeem(&fixture, &body).await;
    assert!(first.text("access_token").starts_with("vkeyus_"));
    assert_eq!(first.result()["person"]["email"], "ada@velo.example");
    assert!(first.headers.contains_key("valetkey-revision"));
    assert_eq!(first.headers["cache-control"], "no-store");
    let second = redeem(&fixture, &body).await;
    assert_eq!(second.no(), (401, "token_unknown"));
    assert!(second.error()["message"].as_str().unwrap().contains("used already"));
    let token = first.text("access_token");
    fixture.clock.advance_ms(2 * HOUR_MS);
    assert_eq!(fixture.call(By::Token(&token), "caller.show", json!({})).await.no(), (401, "token_expired"));
}

#[tokio::test]
async fn what_is_no_live_code_is_refused_with_its_reason() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let code = fixture.call(By::Operator, "sign-in.create", json!({"person": firm.person})).await.text("code");
    fixture.clock.advance_ms(DAY_MS);
    assert_eq!(redeem(&fixture, &json!({"code": code}).to_string()).await.no(), (401, "token_expired"));
    // No token, not even an ADMIN's, works as a code.
    for text in [firm.admin_token.as_str(), "", "vkeyco_x", &code[..40]] {
        let answer = redeem(&fixture, &json!({"code": text}).to_string()).await;
        assert_eq!(answer.no(), (401, "token_malformed"), "{text}");
        assert!(text.is_empty() || !answer.body.to_string().contains(text));
    }
    for body in ["", "{}", "[]", "{\"code\":1}", "{\"code\":\"a\",\"b\":1}", "nonsense"] {
        assert_eq!(redeem(&fixture, body).await.no(), (400, "invalid_parameter"), "{body}");
    }
    assert_eq!(fixture.call(By::Token(&code), "caller.show", json!({})).await.no(), (401, "token_unknown"));
}
