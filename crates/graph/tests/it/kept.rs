//! Which values calls store, and which of them lists show.

use serde_json::{Value, json};
use valetkey_domain::rules::token::Lifetime;

use crate::fixture::fixture;

#[tokio::test]
async fn media_in_pieces_is_kept_whole() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let feed = format!("/v26.0/{}/feed", m.page);
    let media = json!([{"media_fbid": "1"}, {"media_fbid": "2"}]);
    for body in [
        vec![("attached_media[0]", r#"{"media_fbid":"1"}"#), ("attached_media[1]", r#"{"media_fbid":"2"}"#)],
        vec![("attached_media", r#"[{"media_fbid":"1"},{"media_fbid":"2"}]"#)],
    ] {
        let made = fixture.post(&feed, &m.admin_token, &body).await;
        let id = made.body["id"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned();
        let operator = valetkey_service::operator::Operator::of(&fixture.service, "t");
        let post = operator.content::<valetkey_domain::post::Post>(
            id.split('_').nth(1).unwrap().parse::<u64>().ok().and_then(valetkey_domain::Id::new).unwrap(),
        );
        assert_eq!(post.await.unwrap().unwrap().body.more["attached_media"], media, "{body:?}");
    }
}

#[tokio::test]
async fn an_ad_account_keeps_what_it_is_made_and_changed_with() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let body = [
        ("name", "Ads"),
        ("currency", "EUR"),
        ("timezone_id", "47"),
        ("end_advertiser", "NONE"),
        ("media_agency", "UNFOUND"),
        ("partner", "NONE"),
    ];
    let made = fixture.post(&format!("/v26.0/{}/adaccount", m.business), &m.admin_token, &body).await;
    let node = format!("/v26.0/{}", made.str("id"));
    let fields = format!("{node}?fields=timezone_id,end_advertiser,media_agency,partner");
    let read = fixture.get(&fields, &m.admin_token).await;
    assert_eq!(
        (&read.body["timezone_id"], &read.body["end_advertiser"], &read.body["media_agency"], &read.body["partner"]),
        (&json!(47), &json!("NONE"), &json!("UNFOUND"), &json!("NONE")),
        "{}",
        read.text
    );
    assert_eq!(fixture.post(&node, &m.admin_token, &[("timezone_id", "58")]).await.body, json!({"success": true}));
    assert_eq!(fixture.get(&fields, &m.admin_token).await.body["timezone_id"], 58);
    for wrong in ["-1", "Berlin"] {
        assert_eq!(fixture.post(&node, &m.admin_token, &[("timezone_id", wrong)]).await.code(), Some(100), "{wrong}");
    }
}

#[tokio::test]
async fn lists_say_what_a_share_permits() {
    let fixture = fixture().await;
    let (m, a) = (&fixture.company, &fixture.agency);
    let agency = a.business.to_string();
    for (id, tasks) in [(m.page.to_string(), "ANALYZE"), (format!("act_{}", m.account), "ADVERTISE")] {
        let body = [("business", agency.as_str()), ("permitted_tasks", tasks)];
        let shared = fixture.post(&format!("/v26.0/{id}/agencies"), &m.admin_token, &body).await;
        assert_eq!(shared.body, json!({"success": true}), "{}", shared.text);
    }
    let pages = fixture.get(&format!("/v26.0/{agency}/client_pages"), &a.admin_token).await;
    let row = json!({"id": m.page.to_string(), "name": "City bikes", "permitted_tasks": ["ANALYZE"]});
    assert_eq!(pages.body["data"], json!([row]), "{}", pages.text);
    let narrow = fixture.get(&format!("/v26.0/{agency}/client_pages?fields=id"), &a.admin_token).await;
    assert_eq!(narrow.body["data"], json!([{"id": m.page.to_string()}]), "{}", narrow.text);
    fixture.assign(a, m.page, a.employee, &["ANALYZE"]).await;
    let assigned = fixture.get(&format!("/v26.0/{}/assigned_pages", a.employee), &a.admin_token).await;
    assert_eq!(assigned.body["data"][0]["permitted_tasks"], json!(["ANALYZE"]), "{}", assigned.text);

    let list = fixture.get(&format!("/v26.0/{}/agencies", m.business), &m.admin_token).await;
    let permission =
        |id: String, tasks: &[&str]| json!([{"id": id, "permitted_tasks": tasks, "access_status": "CONFIRMED"}]);
    assert_eq!(
        list.body["data"],
        json!([{
            "id": agency,
            "name": "Laut",
            "page_permissions": permission(m.page.to_string(), &["ANALYZE"]),
            "adaccount_permissions": permission(format!("act_{}", m.account), &["ADVERTISE"]),
            "application_permissions": [],
            "productcatalog_permissions": [],
        }]),
        "{}",
        list.text
    );
    let node = fixture.get(&format!("/v26.0/{}?fields=page_permissions", m.business), &m.admin_token).await;
    assert_eq!(node.body, json!({"id": m.business.to_string()}), "{}", node.text);
}

#[tokio::test]
async fn what_is_as_it_was_is_no_change_of_a_post() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.assign(m, m.page, m.employee, &["MODERATE"]).await;
    let token = fixture.token(m, m.employee, &["pages_manage_engagement"], Lifetime::Never).await;
    let made = fixture.post(&format!("/v26.0/{}/feed", m.page), &m.admin_token, &[("message", "hello")]).await;
    let post = format!("/v26.0/{}", made.str("id"));
    let same = fixture.post(&post, &token, &[("is_hidden", "true"), ("is_published", "true")]).await;
    assert_eq!(same.body, json!({"success": true}), "{}", same.text);
    let other = fixture.post(&post, &token, &[("is_hidden", "true"), ("is_published", "false")]).await;
    assert_eq!(other.reason(), Some("scope_missing"), "{}", other.text);
}

#[tokio::test]
async fn what_braces_pick_counts_for_the_size_of_an_answer() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let place = json!({"name": "x".repeat(19_000)}).to_string();
    for _ in 0..30 {
        let made = fixture
            .post(&format!("/v26.0/{}/feed", m.page), &m.admin_token, &[("message", "m"), ("place", &place)])
            .await;
        assert!(made.body["id"].is_string(), "{}", made.text);
    }
    let url = format!("{}/feed?fields=place{{name}}&limit=5000", m.page);
    let one = fixture.get(&format!("/v26.0/{url}"), &m.admin_token).await;
    assert_eq!(one.body["data"][0]["place"]["name"].as_str().map(str::len), Some(19_000));
    // With ten more posts, fifty items are 38 MB.
    for _ in 0..10 {
        fixture.post(&format!("/v26.0/{}/feed", m.page), &m.admin_token, &[("message", "m"), ("place", &place)]).await;
    }
    let batch: Vec<Value> = (0..50).map(|_| json!({"method": "GET", "relative_url": url})).collect();
    let form = [("batch", Value::from(batch).to_string()), ("include_headers", "false".to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let answer = fixture.post("/v26.0/", &m.admin_token, &form).await;
    let codes: Vec<u64> = answer.body.as_array().unwrap().iter().map(|p| p["code"].as_u64().unwrap()).collect();
    assert_eq!((codes[0], codes[49]), (200, 400));
    assert!(answer.text.len() < 40 * 1024 * 1024, "{}", answer.text.len());
}

#[tokio::test]
async fn nothing_is_kept_that_is_nested_too_deep_to_be_read_again() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let feed = format!("/v26.0/{}/feed", m.page);
    for depth in [10, 60, 100, 126] {
        let place = "[".repeat(depth) + &"]".repeat(depth);
        let made = fixture.post(&feed, &m.admin_token, &[("message", "Deep"), ("targeting", &place)]).await;
        match made.status.as_u16() {
            200 => assert!(depth <= 64, "{depth}"),
            _ => assert!(depth > 64 && made.text.contains("targeting"), "{depth}: {}", made.text),
        }
        let list = fixture.get(&feed, &m.admin_token).await;
        assert_eq!(list.status.as_u16(), 200, "{depth}: {}", list.text);
    }
}
