//! Attacks on hidden, shared or unpublished objects: by a partner, by an EMPLOYEE under strict
//! visibility, on a scheduled post of a dead token, on a post for ads.

use http::StatusCode;
use serde_json::{Value, json};
use valetkey_domain::rules::token::Lifetime;

use crate::attack::{no, outcome};
use crate::fixture::fixture;

/// With `strict_visibility`, an object that an EMPLOYEE is not assigned to looks like one that
/// never existed: as a path, in `ids`, in a batch, and inside another object.
#[tokio::test]
async fn strict_visibility_has_no_hole() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let set = fixture.post(&format!("/v26.0/{}", m.business), &m.admin_token, &[("strict_visibility", "true")]).await;
    assert_eq!(set.body, json!({"success": true}), "{}", set.text);
    let posted = fixture.post(&format!("/v26.0/{}/feed", m.page), &m.admin_token, &[("message", "hello")]).await;
    let campaign = fixture
        .post(
            &format!("/v26.0/act_{}/campaigns", m.account),
            &m.admin_token,
            &[("name", "C"), ("objective", "OUTCOME_TRAFFIC"), ("special_ad_categories", "[]")],
        )
        .await;
    let t = m.employee_token.as_str();
    let hidden = [
        m.page.to_string(),
        format!("act_{}", m.account),
        m.catalog.to_string(),
        m.pixel.to_string(),
        posted.str("id").to_owned(),
        campaign.str("id").to_owned(),
    ];
    for id in &hidden {
        let never: String = {
            let mut bytes = id.clone().into_bytes();
            let last = bytes.len() - 1;
            bytes[last] = if bytes[last] == b'9' { b'0' } else { bytes[last] + 1 };
            String::from_utf8(bytes).unwrap()
        };
        let calls: [(&str, &str, &str); 8] = [
            ("GET", "/v26.0/{}", ""),
            ("POST", "/v26.0/{}", "name=x"),
            ("DELETE", "/v26.0/{}", ""),
            ("GET", "/v26.0/{}/assigned_users", ""),
            ("POST", "/v26.0/{}/assigned_users", "user=1&tasks=ANALYZE"),
            ("GET", "/v26.0/?ids={}", ""),
            ("GET", "/v26.0/assigned_users?ids={}", ""),
            ("POST", "/v26.0/", "batch=[{\"method\":\"GET\",\"relative_url\":\"{}\"}]"),
        ];
        for (method, target, body) in calls {
            let call = async |id: &str| {
                let target = target.replace("{}", id);
                let header = [("authorization", format!("Bearer {t}"))];
                let header: Vec<(&str, &str)> = header.iter().map(|(n, v)| (*n, v.as_str())).collect();
                let answer = fixture.raw(method, &target, &header, body.replace("{}", id).into_bytes()).await;
                let text = match answer.body.pointer("/0/body").and_then(Value::as_str) {
                    Some(part) => {
                        let mut part: Value = serde_json::from_str(part).unwrap();
                        part["error"]["fbtrace_id"] = json!("TRACE");
                        part.to_string().replace(id, "ID")
                    }
                    None => answer.without_trace(id),
                };
                (answer.status, answer.headers.keys().map(|k| k.as_str().to_owned()).collect::<Vec<_>>(), text)
            };
            let (seen, unknown) = (call(id).await, call(&never).await);
            assert_eq!(seen, unknown, "{method} {target} {id}");
            assert!(seen.2.contains("\"error\""), "{method} {target} {id}: {}", seen.2);
        }
    }
    for edge in
        ["owned_pages", "owned_ad_accounts", "owned_product_catalogs", "owned_pixels", "adspixels", "client_pages"]
    {
        let list = fixture.get(&format!("/v26.0/{}/{edge}?summary=true", m.business), t).await;
        assert_eq!(
            (&list.body["data"], &list.body["summary"]["total_count"]),
            (&json!([]), &json!(0)),
            "{edge}: {}",
            list.text
        );
    }
    // Assigned, then unassigned.
    fixture.assign(m, m.page, m.employee, &["ANALYZE"]).await;
    let page_token = fixture.page_token(m, t).await;
    assert_eq!(fixture.get(&format!("/v26.0/{}", m.page), t).await.body["id"], m.page.to_string());
    fixture
        .delete(&format!("/v26.0/{}/assigned_users", m.page), &m.admin_token, &[("user", &m.employee.to_string())])
        .await;
    let gone = fixture.get("/v26.0/me", &page_token).await;
    assert_eq!((gone.code(), gone.body["error"]["error_subcode"].as_u64()), (Some(190), Some(467)), "{}", gone.text);
    let tokens = fixture.get("/v26.0/me/access_tokens?fields=type,page{id,name,feed{id}}", t).await;
    assert!(tokens.text.contains("\"PAGE\"") && !tokens.text.contains("City bikes"), "{}", tokens.text);
}

#[tokio::test]
async fn a_scheduled_post_of_a_revoked_page_token_is_not_published() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let page_token = fixture.page_token(m, &m.admin_token).await;
    let at = (fixture.service.now() / 1000 + 3600).to_string();
    let post = fixture
        .post(
            "/v26.0/me/feed",
            &page_token,
            &[("message", "later"), ("published", "false"), ("scheduled_publish_time", &at)],
        )
        .await;
    let id = post.str("id").to_owned();
    fixture.delete(&format!("/v26.0/{}/access_tokens", m.admin), &m.person_token, &[]).await;
    fixture.clock.advance_ms(3_601_000);
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn({
        let (service, stop) = (fixture.service.clone(), stop.clone());
        async move { service.run_background(stop).await }
    });
    let mut failed = Value::Null;
    for _ in 0..10_000 {
        let read = fixture.get(&format!("/v26.0/{id}?fields=failed,is_published"), &m.person_token).await;
        assert_ne!(read.body["is_published"], true, "{}", read.text);
        failed = read.body["failed"].clone();
        if failed.is_string() {
            break;
        }
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.await.unwrap();
    assert_eq!(failed, "token_revoked");
}

#[tokio::test]
async fn a_partner_sees_the_owners_name_and_nothing_behind_it() {
    let fixture = fixture().await;
    let (m, a) = (&fixture.company, &fixture.agency);
    let fields = "business{id,name,created_time,verification_status,owned_pages{id},system_users{id},business_users{email},agencies{id}}";
    let before = fixture.get(&format!("/v26.0/{}", m.business), &a.admin_token).await;
    assert_eq!(before.body["error"]["error_subcode"], 33);
    fixture
        .post(
            &format!("/v26.0/{}/agencies", m.page),
            &m.admin_token,
            &[("business", &a.business.to_string()), ("permitted_tasks", "ANALYZE")],
        )
        .await;
    let owner = json!({"id": m.business.to_string(), "name": "Rad & Rad"});
    let page = fixture.get(&format!("/v26.0/{}?fields={fields}", m.page), &a.admin_token).await;
    assert_eq!(page.body["business"], owner, "{}", page.text);
    for token in [&a.admin_token, &a.person_token] {
        let node = fixture
            .get(
                &format!(
                    "/v26.0/{}?fields=id,name,created_time,verification_status,owned_pages,system_users",
                    m.business
                ),
                token,
            )
            .await;
        assert_eq!(node.body, owner, "{}", node.text);
    }
    for (method, edge) in [
        ("GET", "/owned_pages"),
        ("GET", "/system_users"),
        ("POST", "/system_users"),
        ("POST", ""),
        ("GET", "/agencies"),
        ("GET", "/access_tokens"),
    ] {
        let answer = fixture
            .send(method, &format!("/v26.0/{}{edge}", m.business), Some(&a.admin_token), &[("name", "mine")])
            .await;
        assert_eq!(
            (answer.code(), answer.body["error"]["error_subcode"].as_u64()),
            (Some(100), Some(33)),
            "{method} {edge}: {}",
            answer.text
        );
    }
    // The agency's EMPLOYEE works on nothing of the company's, so it doesn't know it.
    let employee = fixture.get(&format!("/v26.0/{}", m.business), &a.employee_token).await;
    assert_eq!(employee.body["error"]["error_subcode"], 33);
    fixture
        .delete(&format!("/v26.0/{}/agencies", m.page), &a.admin_token, &[("business", &a.business.to_string())])
        .await;
    let after = fixture.get(&format!("/v26.0/{}", m.business), &a.admin_token).await;
    assert_eq!(after.without_trace(&m.business.to_string()), before.without_trace(&m.business.to_string()));
}

#[tokio::test]
async fn a_post_for_ads_is_never_shown_on_the_page() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.assign(m, m.page, m.employee, &["ADVERTISE"]).await;
    let token = fixture.token(m, m.employee, &["pages_manage_ads"], Lifetime::Never).await;
    let feed = format!("/v26.0/{}/feed", m.page);
    let ads = ("unpublished_content_type", "ADS_POST");
    let at = (fixture.service.now() / 1000 + 3600).to_string();
    for more in [vec![("published", "true")], vec![("published", "false"), ("scheduled_publish_time", at.as_str())]] {
        let body: Vec<_> = [("message", "for ads"), ads].into_iter().chain(more).collect();
        let answer = fixture.post(&feed, &token, &body).await;
        assert_eq!(outcome(&answer), no(403, 10, "scope_missing"), "{body:?}: {}", answer.text);
    }
    let made = fixture.post(&feed, &token, &[("message", "for ads"), ads]).await;
    assert!(made.body.get("id").is_some(), "{}", made.text);
    assert_eq!(fixture.get(&feed, &m.admin_token).await.body, json!({"data": []}));
    let list = fixture.get(&format!("/v26.0/{}/ads_posts", m.page), &token).await;
    assert_eq!(list.body["data"][0]["message"], "for ads", "{}", list.text);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_programs_read() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let t = m.admin_token.as_str();
    for (method, target) in [
        ("GET", "/v26.0/me"),
        ("HEAD", "/v26.0/me"),
        ("GET", "/v26.0/1"),
        ("GET", "/v99.0/me"),
        ("GET", "/v26.0/me?method=brew"),
        ("POST", "/v26.0/?batch=nonsense"),
        ("POST", "/v26.0/?batch=[]"),
    ] {
        for token in [None, Some(t), Some("nonsense")] {
            let answer = fixture.send(method, target, token, &[]).await;
            for header in ["x-app-usage", "x-fb-trace-id", "facebook-api-version", "cache-control"] {
                assert!(answer.header(header).is_some(), "{method} {target}: no {header}");
            }
            let usage: Value = serde_json::from_str(answer.header("x-app-usage").unwrap()).unwrap();
            assert_eq!(usage.as_object().map(serde_json::Map::len), Some(3));
        }
    }
    let options = fixture.raw("OPTIONS", "/v26.0/me", &[], Vec::new()).await;
    assert_eq!((options.status, options.text.as_str()), (StatusCode::NO_CONTENT, ""));
    let account = fixture.get(&format!("/v26.0/act_{}", m.account), t).await;
    let usage: Value = serde_json::from_str(account.header("x-business-use-case-usage").unwrap()).unwrap();
    let mut keys: Vec<&String> = usage[m.account.to_string()][0].as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        ["ads_api_access_tier", "call_count", "estimated_time_to_regain_access", "total_cputime", "total_time", "type"]
    );
}
