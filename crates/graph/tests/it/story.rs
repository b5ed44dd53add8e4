//! The main use case: software with few rights acts, and is cut off.

use serde_json::{Value, json};

use crate::fixture::fixture;

#[tokio::test]
async fn a_system_user_is_made_acts_is_refused_and_is_cut_off() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let admin = m.admin_token.as_str();
    let made = fixture
        .post(&format!("/v26.0/{}/system_users", m.business), admin, &[("name", "Poster"), ("role", "EMPLOYEE")])
        .await;
    let user = made.str("id").to_owned();
    assert!(made.header("valetkey-revision").is_some());
    let installed =
        fixture.post(&format!("/v26.0/{user}/applications"), admin, &[("business_app", &m.app.to_string())]).await;
    assert_eq!(installed.body, json!({"success": true}));
    let assigned = fixture
        .post(
            &format!("/v26.0/{}/assigned_users", m.page),
            admin,
            &[("user", &user), ("tasks", r#"["CREATE_CONTENT","ANALYZE"]"#)],
        )
        .await;
    assert_eq!(assigned.body, json!({"success": true}), "{}", assigned.text);
    let scope = "pages_manage_posts,pages_read_engagement,pages_show_list,ads_management,ads_read";
    let issued = fixture
        .post(&format!("/v26.0/{user}/access_tokens"), admin, &[("business_app", &m.app.to_string()), ("scope", scope)])
        .await;
    let token = issued.str("access_token").to_owned();

    let posted = fixture.post(&format!("/v26.0/{}/feed", m.page), &token, &[("message", "New: the city bike")]).await;
    let post = posted.str("id").to_owned();
    assert!(post.starts_with(&format!("{}_", m.page)));
    let read = fixture.get(&format!("/v26.0/{post}?fields=message,from,is_published"), &token).await;
    assert_eq!(read.body["message"], "New: the city bike");
    assert_eq!(read.body["from"], json!({"id": m.page.to_string(), "name": "City bikes"}));
    let feed = fixture.get(&format!("/v26.0/{}/feed", m.page), &token).await;
    assert_eq!(feed.body["data"].as_array().map(Vec::len), Some(1), "{}", feed.text);

    let refused = fixture.get(&format!("/v26.0/act_{}/campaigns", m.account), &token).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code(), refused.reason()),
        (403, Some(200), Some("asset_not_assigned"))
    );
    assert_eq!(refused.body["error"]["error_data"]["granted_by"], "ADMIN of the business");

    let revoked = fixture.delete(&format!("/v26.0/{user}/access_tokens"), admin, &[]).await;
    assert_eq!(revoked.body, json!({"success": true}));
    let dead = fixture.post(&format!("/v26.0/{}/feed", m.page), &token, &[("message", "again")]).await;
    assert_eq!((dead.status.as_u16(), dead.code(), dead.reason()), (401, Some(190), Some("token_revoked")));
    assert_eq!(dead.body["error"]["error_subcode"], 467);
    assert!(dead.header("www-authenticate").is_some());
}

#[tokio::test]
async fn lists_page_by_page_and_stop() {
    let fixture = fixture().await;
    let m = &fixture.company;
    for i in 0..5 {
        let name = format!("Campaign {i}");
        let body = [
            ("name", name.as_str()),
            ("objective", "OUTCOME_TRAFFIC"),
            ("special_ad_categories", "[]"),
            ("status", "PAUSED"),
        ];
        let made = fixture.post(&format!("/v26.0/act_{}/campaigns", m.account), &m.admin_token, &body).await;
        assert!(made.body.get("id").is_some(), "{}", made.text);
        fixture.clock.advance_ms(1000);
    }
    let mut next = format!("/v26.0/act_{}/campaigns?fields=name&limit=2&summary=true", m.account);
    let mut names = Vec::new();
    let mut first = true;
    loop {
        let page = if first {
            fixture.get(&next, &m.admin_token).await
        } else {
            fixture.raw("GET", &next, &[], Vec::new()).await
        };
        assert_eq!(page.body["summary"]["total_count"], 5, "{}", page.text);
        names.extend(page.body["data"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()));
        first = false;
        match page.body.pointer("/paging/next").and_then(Value::as_str) {
            Some(link) => next = link.strip_prefix("http://valetkey.test").unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["Campaign 4", "Campaign 3", "Campaign 2", "Campaign 1", "Campaign 0"]);
}

#[tokio::test]
async fn page_tokens_are_stable_act_and_die_with_their_parent() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let accounts = fixture.get("/v26.0/me/accounts", &m.admin_token).await;
    let page_token =
        accounts.body["data"][0]["access_token"].as_str().unwrap_or_else(|| panic!("{}", accounts.text)).to_owned();
    assert_eq!(
        accounts.body["data"][0]["access_token"],
        fixture.get("/v26.0/me/accounts", &m.admin_token).await.body["data"][0]["access_token"]
    );
    let me = fixture.get("/v26.0/me", &page_token).await;
    assert_eq!(me.body["id"], m.page.to_string());
    let posted = fixture.post("/v26.0/me/feed", &page_token, &[("message", "As the Page")]).await;
    assert!(posted.body.get("id").is_some(), "{}", posted.text);
    let elsewhere = fixture.get(&format!("/v26.0/act_{}", m.account), &page_token).await;
    assert_eq!((elsewhere.code(), elsewhere.body["error"]["error_subcode"].as_u64()), (Some(100), Some(33)));
    fixture.delete(&format!("/v26.0/{}/access_tokens", m.admin), &m.person_token, &[]).await;
    assert_eq!(fixture.get("/v26.0/me", &page_token).await.code(), Some(190));
}

#[tokio::test]
async fn a_batch_refers_to_its_own_parts() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let batch = json!([
        {"method": "POST", "name": "make", "relative_url": format!("{}/feed", m.page), "body": "message=first", "omit_response_on_success": false},
        {"method": "GET", "relative_url": "{result=make:$.id}?fields=message"},
        {"method": "GET", "relative_url": format!("{}?fields=nonsense", m.page)},
    ]);
    let answer = fixture.post("/v26.0/", &m.admin_token, &[("batch", &batch.to_string())]).await;
    let parts = answer.body.as_array().unwrap_or_else(|| panic!("{}", answer.text));
    assert_eq!(
        parts.iter().map(|p| p["code"].as_u64().unwrap()).collect::<Vec<_>>(),
        [200, 200, 400],
        "{}",
        answer.text
    );
    let second: Value = serde_json::from_str(parts[1]["body"].as_str().unwrap()).unwrap();
    assert_eq!(second["message"], "first");
}

#[tokio::test]
async fn tokens_are_inspected_refreshed_and_revoked_by_text() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let app_token = format!("{}|{}", m.app, m.app_secret);
    let seen = fixture.send("GET", "/v26.0/debug_token", Some(&app_token), &[("input_token", &m.employee_token)]).await;
    assert_eq!(seen.body["data"]["type"], "SYSTEM_USER", "{}", seen.text);
    assert_eq!(seen.body["data"]["is_valid"], true);
    let app_id = m.app.to_string();
    let pair = [("client_id", app_id.as_str()), ("client_secret", m.app_secret.as_str())];
    let ask = [
        pair[0],
        pair[1],
        ("grant_type", "fb_exchange_token"),
        ("fb_exchange_token", m.employee_token.as_str()),
        ("set_token_expires_in_60_days", "true"),
    ];
    let fresh = fixture.send("GET", "/oauth/access_token", None, &ask).await;
    let new = fresh.str("access_token").to_owned();
    assert_ne!(new, m.employee_token);
    assert_eq!(fresh.body["expires_in"], 5_184_000);
    let gone = fixture
        .send(
            "GET",
            "/v26.0/oauth/revoke",
            Some(&new),
            &[pair[0], pair[1], ("revoke_token", m.employee_token.as_str())],
        )
        .await;
    assert_eq!(gone.body, json!({"success": true}), "{}", gone.text);
    assert_eq!(fixture.get("/v26.0/me", &m.employee_token).await.code(), Some(190));
    assert_eq!(fixture.get("/v26.0/me", &new).await.status.as_u16(), 200);
}
