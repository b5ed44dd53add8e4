//! Filters of lists: which rows they leave, and which of them are refused.

use serde_json::{Value, json};

use crate::fixture::fixture;

#[tokio::test]
async fn filters_of_status_narrow_and_widen_as_they_say() {
    let fixture = fixture().await;
    let m = &fixture.company;
    for (title, status) in [("on", "ACTIVE"), ("off", "PAUSED"), ("old", "PAUSED"), ("gone", "PAUSED")] {
        let body =
            [("name", title), ("objective", "OUTCOME_TRAFFIC"), ("special_ad_categories", "[]"), ("status", status)];
        let made = fixture.post(&format!("/v26.0/act_{}/campaigns", m.account), &m.admin_token, &body).await;
        let id = made.str("id").to_owned();
        match title {
            "old" => assert_eq!(
                fixture.post(&format!("/v26.0/{id}"), &m.admin_token, &[("status", "ARCHIVED")]).await.status.as_u16(),
                200
            ),
            "gone" => {
                assert_eq!(fixture.delete(&format!("/v26.0/{id}"), &m.admin_token, &[]).await.status.as_u16(), 200)
            }
            _ => {}
        }
        fixture.clock.advance_ms(1000);
    }
    let filter = |f: &str, op: &str, v: Value| json!([{"field": f, "operator": op, "value": v}]).to_string();
    for (query, wanted) in [
        (vec![], vec!["off", "on"]),
        (vec![("effective_status", r#"["ARCHIVED","DELETED"]"#.to_owned())], vec!["gone", "old"]),
        (vec![("effective_status", r#"["IN_PROCESS"]"#.to_owned())], vec![]),
        (vec![("filtering", filter("campaign.effective_status", "IN", json!(["archived"])))], vec!["old"]),
        (vec![("filtering", filter("effective_status", "NOT_IN", json!(["DELETED", "ACTIVE"])))], vec!["old", "off"]),
        (
            vec![
                ("effective_status", r#"["ACTIVE","PAUSED"]"#.to_owned()),
                ("filtering", filter("effective_status", "NOT_IN", json!(["ACTIVE"]))),
            ],
            vec!["off"],
        ),
        (vec![("filtering", filter("name", "CONTAIN", json!("F")))], vec!["off"]),
        (vec![("limit", "1".to_owned()), ("filtering", filter("name", "CONTAIN", json!("o")))], vec!["off"]),
    ] {
        let query: Vec<(&str, &str)> =
            query.iter().map(|(n, v)| (*n, v.as_str())).chain([("fields", "name")]).collect();
        let answer =
            fixture.send("GET", &format!("/v26.0/act_{}/campaigns", m.account), Some(&m.admin_token), &query).await;
        let names: Vec<&str> = answer.body["data"]
            .as_array()
            .unwrap_or_else(|| panic!("{}", answer.text))
            .iter()
            .map(|r| r["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, wanted, "{query:?}");
        let counted = [&query[..], &[("summary", "true")]].concat();
        let counted =
            fixture.send("GET", &format!("/v26.0/act_{}/campaigns", m.account), Some(&m.admin_token), &counted).await;
        let whole = if query.iter().any(|q| q.0 == "limit") { 2 } else { wanted.len() };
        assert_eq!(counted.body["summary"]["total_count"], whole, "{query:?}: {}", counted.text);
    }
    // A condition that can't be applied is refused, and the error names what can be.
    for (query, named) in [
        (filter("impressions", "GREATER_THAN", json!(1)), "effective_status"),
        (filter("campaign.nothing", "EQUAL", json!("x")), "effective_status"),
        (filter("name", "SOUNDS_LIKE", json!("x")), "NOT_CONTAIN"),
        (filter("effective_status", "CONTAIN", json!("ACT")), "NOT_IN"),
        (json!([{ "field": "name" }]).to_string(), "operator"),
    ] {
        let path = format!("/v26.0/act_{}/campaigns", m.account);
        let answer = fixture.send("GET", &path, Some(&m.admin_token), &[("filtering", &query)]).await;
        assert_eq!(answer.body["error"]["code"], 100, "{query}: {}", answer.text);
        assert!(answer.text.contains("filtering") && answer.text.contains(named), "{query}: {}", answer.text);
    }
}
