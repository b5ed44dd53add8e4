//! Calls that would cost more than they should: refused before they begin, or kept within bounds.

use serde_json::{Value, json};
use valetkey_domain::rules::token::Lifetime;

use crate::fixture::{Answer, fixture};

#[tokio::test]
async fn a_list_of_page_tokens_costs_one_commit() {
    let fixture = fixture().await;
    let m = &fixture.company;
    for _ in 0..4 {
        fixture.post(&format!("/v26.0/{}/owned_pages", m.business), &m.admin_token, &[("name", "More")]).await;
    }
    let before = fixture.service.revision();
    let pages = fixture.get(&format!("/v26.0/{}/owned_pages?fields=access_token", m.business), &m.admin_token).await;
    assert_eq!(
        pages.body["data"].as_array().unwrap().iter().filter(|p| p["access_token"].is_string()).count(),
        5,
        "{}",
        pages.text
    );
    assert_eq!(fixture.service.revision(), before + 1);
    fixture.get(&format!("/v26.0/{}/owned_pages?fields=access_token", m.business), &m.admin_token).await;
    assert_eq!(fixture.service.revision(), before + 1);
    // A caller that may not have them gets the rows without tokens, and nothing is written.
    let person =
        fixture.get(&format!("/v26.0/{}/owned_pages?fields=access_token,tasks", m.business), &m.employee_token).await;
    assert_eq!(person.body, json!({"data": []}));
    assert_eq!(fixture.service.revision(), before + 1);
}

#[tokio::test]
async fn what_would_cost_too_much_is_refused_before_it_is_begun() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let t = m.admin_token.as_str();
    // If a name is asked for twice, once under an alias, both must be counted.
    let inner = "feed,feed.as(f){id,message,from}".to_owned();
    let hidden =
        (0..3).fold(inner, |inner, _| format!("business,business.as(b){{owned_pages,owned_pages.as(p){{{inner}}}}}"));
    let ids = vec![m.page.to_string(); 1].join(",");
    for target in [
        format!("/v26.0/{}?fields={hidden}", m.page),
        format!(
            "/v26.0/?ids={ids}&fields=business{{owned_pages.limit(5000){{business{{owned_pages.limit(5000){{id}}}}}}}}"
        ),
        format!("/v26.0/{}/owned_pages?limit=5000&fields=feed.limit(5000){{message}}", m.business),
    ] {
        let answer = fixture.get(&target, t).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some(100)), "{target}: {}", answer.text);
        assert!(answer.text.contains("reduce the amount of data"), "{}", answer.text);
    }
    let account = format!("/v26.0/act_{}/campaigns", m.account);
    let many: Vec<Value> = (0..21).map(|_| json!({"field": "name", "operator": "CONTAIN", "value": "x"})).collect();
    let long =
        json!([{"field": "name", "operator": "IN", "value": (0..1001).map(|i| i.to_string()).collect::<Vec<_>>()}]);
    for filtering in [Value::from(many), long] {
        let answer = fixture.post(&account, t, &[("method", "get"), ("filtering", &filtering.to_string())]).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some(100)), "{}", answer.text);
    }
    let repeated = json!(vec!["ACTIVE"; 9_000]).to_string();
    let answer = fixture.post(&account, t, &[("method", "get"), ("effective_status", &repeated)]).await;
    assert_eq!(answer.body["data"], json!([]), "{}", answer.text);
}

#[tokio::test]
async fn an_answer_is_never_larger_than_it_may_be() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let t = m.admin_token.as_str();
    let long = "x".repeat(60_000);
    for _ in 0..12 {
        assert!(
            fixture.post(&format!("/v26.0/{}/feed", m.page), t, &[("message", &long)]).await.body.get("id").is_some()
        );
    }
    let feed = format!("{}/feed?fields=message&limit=5000", m.page);
    assert_eq!(fixture.get(&format!("/v26.0/{feed}"), t).await.body["data"].as_array().map(Vec::len), Some(12));
    // Fifty such items are more than one answer may hold.
    let batch: Vec<Value> = (0..50).map(|_| json!({"method": "GET", "relative_url": feed})).collect();
    let answer =
        fixture.post("/v26.0/", t, &[("batch", &Value::from(batch).to_string()), ("include_headers", "false")]).await;
    let codes: Vec<u64> = answer.body.as_array().unwrap().iter().map(|p| p["code"].as_u64().unwrap()).collect();
    assert_eq!((codes[0], codes[40], codes[49]), (200, 200, 400));
    assert!(answer.text.len() < 40 * 1024 * 1024);
    assert!(answer.body[49]["body"].as_str().unwrap().contains("reduce the amount of data"));
}

#[tokio::test]
async fn long_lists_are_whole_although_they_are_read_in_pieces() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let t = m.admin_token.as_str();
    for i in 0..520 {
        let made = fixture.post(&format!("/v26.0/{}/feed", m.page), t, &[("message", &i.to_string())]).await;
        assert!(made.body.get("id").is_some());
        fixture.clock.advance_ms(10);
    }
    let messages = |a: &Answer| {
        a.body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["message"].as_str().unwrap().parse::<u32>().unwrap())
            .collect::<Vec<_>>()
    };
    let feed = format!("/v26.0/{}/feed?fields=message", m.page);
    let all = fixture.get(&format!("{feed}&limit=5000"), t).await;
    assert_eq!(messages(&all), (0..520).rev().collect::<Vec<_>>());
    assert!(all.body["paging"].get("next").is_none());
    let first = fixture.get(&format!("{feed}&limit=510"), t).await;
    assert_eq!(messages(&first), (10..520).rev().collect::<Vec<_>>());
    let after = first.body["paging"]["cursors"]["after"].as_str().unwrap();
    assert!(first.body["paging"]["next"].is_string());
    let rest = fixture.get(&format!("{feed}&limit=510&after={after}"), t).await;
    assert_eq!(messages(&rest), (0..10).rev().collect::<Vec<_>>());
    let before = rest.body["paging"]["cursors"]["before"].as_str().unwrap();
    let back = fixture.get(&format!("{feed}&limit=505&before={before}"), t).await;
    assert_eq!(messages(&back), (10..515).rev().collect::<Vec<_>>());
    assert!(back.body["paging"]["previous"].is_string());
}

#[tokio::test]
async fn what_one_part_of_a_batch_may_see_is_not_shown_to_the_next() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.post(&format!("/v26.0/{}", m.page), &m.admin_token, &[("about", "We make bikes")]).await;
    fixture.assign(m, m.page, m.employee, &["ANALYZE"]).await;
    let weak = fixture.token(m, m.employee, &["pages_show_list"], Lifetime::Never).await;
    let url = format!("{}?fields=about,followers_count", m.page);
    let batch = json!([
        {"method": "GET", "relative_url": url},
        {"method": "GET", "relative_url": url, "access_token": weak},
        {"method": "GET", "relative_url": url},
    ]);
    let answer = fixture.post("/v26.0/", &m.admin_token, &[("batch", &batch.to_string())]).await;
    let parts: Vec<Value> = answer
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|p| serde_json::from_str(p["body"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(parts[0]["about"], "We make bikes", "{}", answer.text);
    assert_eq!(parts[1], json!({"id": m.page.to_string()}), "{}", answer.text);
    assert_eq!(parts[2], parts[0]);
}
