//! What a token was used for, as a list.

use http::Method;
use serde_json::{Value, json};

use crate::fixture::{By, Firm, Fixture};

async fn uses(fixture: &Fixture, by: By<'_>, token: &str, more: Value) -> Value {
    let mut params = json!({"token": token});
    params.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    fixture.call(by, "token.uses", params).await.result().clone()
}

#[tokio::test]
async fn a_token_shows_what_it_was_used_for() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let (who, token) = (firm.employee(), firm.employee_token_id.as_str());
    let agent = [("user-agent", "Poster/1.0 \u{7f}")];
    for (command, params) in
        [("kind.list", json!({})), ("assignment.list", json!({"user": firm.employee})), ("kind.list", json!({}))]
    {
        let body = params.to_string().into_bytes();
        let path = format!("/v1/commands/{command}");
        let answer = fixture.send(who, Method::POST, &path, &agent[..0], body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    // A refused call is no use.
    fixture.call(who, "person.list", json!({})).await.error();
    let seen = uses(&fixture, firm.admin(), token, json!({})).await;
    assert_eq!(seen["as_of"], "2026-11-24T10:00:00.000Z");
    assert_eq!((&seen["written_until"], &seen["next"]), (&Value::Null, &Value::Null));
    let rows = seen["rows"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["uses"].as_i64().unwrap()).sum::<i64>(), 3, "{rows:?}");
    let row = &rows[0];
    assert_eq!((&row["day"], &row["other"]), (&json!("2026-11-24"), &json!(false)));
    assert_eq!(row["last_at"], "2026-11-24T10:00:00.000Z");
    let total = fixture.call(firm.admin(), "token.show", json!({"token": token})).await;
    assert_eq!(total.result()["uses"], 3);
}

#[tokio::test]
async fn uses_are_listed_by_day_and_page_by_page() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let token = firm.employee_token_id.as_str();
    for _ in 0..3 {
        fixture.call(firm.employee(), "kind.list", json!({})).await.result();
        fixture.clock.advance_ms(valetkey_testkit::clock::DAY_MS);
    }
    let days = |seen: &Value| -> Vec<String> {
        seen["rows"].as_array().unwrap().iter().map(|row| row["day"].as_str().unwrap().to_owned()).collect()
    };
    let all = uses(&fixture, By::Operator, token, json!({})).await;
    assert_eq!(days(&all), ["2026-11-26", "2026-11-25", "2026-11-24"]);
    let some = uses(&fixture, By::Operator, token, json!({"from_day": "2026-11-25", "until_day": "2026-11-25"})).await;
    assert_eq!(days(&some), ["2026-11-25"]);
    let first = uses(&fixture, By::Operator, token, json!({"limit": 2})).await;
    assert_eq!(days(&first), ["2026-11-26", "2026-11-25"]);
    let rest = uses(&fixture, By::Operator, token, json!({"limit": 2, "after": first["next"]})).await;
    assert_eq!((days(&rest), &rest["next"]), (vec!["2026-11-24".to_owned()], &Value::Null));
    for (name, value) in [("from_day", "24.11.2026"), ("until_day", "2026-13-01"), ("after", "page 2")] {
        let wrong = fixture.call(By::Operator, "token.uses", json!({"token": token, name: value})).await;
        assert_eq!(wrong.no(), (400, "invalid_parameter"), "{name}");
    }
}
