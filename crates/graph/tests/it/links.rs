//! Links and cursors: each continues its own list, over the caller's own host and scheme, with the
//! parameters that the caller sent.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use valetkey_graph::{Graph, GraphConfig};
use valetkey_http::Request;

use crate::fixture::{Answer, Company, Fixture, encode, fixture};

const BASE: &str = "http://valetkey.test";

/// Two Pages of the company with three posts each.
async fn two_pages(fixture: &Fixture, m: &Company) -> [String; 2] {
    let made = fixture.post(&format!("/v26.0/{}/owned_pages", m.business), &m.admin_token, &[("name", "Second")]).await;
    let pages = [m.page.to_string(), made.str("id").to_owned()];
    for i in 0..3 {
        for page in &pages {
            let text = format!("{page} {i}");
            let post = fixture.post(&format!("/v26.0/{page}/feed"), &m.admin_token, &[("message", &text)]).await;
            assert!(post.body["id"].is_string(), "{}", post.text);
            fixture.clock.advance_ms(1000);
        }
    }
    pages
}

fn messages(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|r| r["message"].as_str().unwrap()).collect()
}

fn parts(answer: &Answer) -> Vec<Value> {
    let parts = answer.body.as_array().unwrap_or_else(|| panic!("{}", answer.text));
    parts.iter().map(|p| serde_json::from_str(p["body"].as_str().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn the_list_of_each_id_goes_on_by_itself() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let pages = two_pages(&fixture, m).await;
    for target in [
        format!("/v25.0/feed?ids={},{}&limit=2&fields=message", pages[0], pages[1]),
        format!("/v25.0/?ids={},{}&fields=feed.limit(2){{message}}", pages[0], pages[1]),
    ] {
        let answer = fixture.get(&target, &m.admin_token).await;
        for page in &pages {
            let list = answer.body.get(page).unwrap_or_else(|| panic!("{}", answer.text));
            let list = list.get("feed").unwrap_or(list);
            let next = list["paging"]["next"].as_str().unwrap_or_else(|| panic!("{}", answer.text));
            assert!(next.starts_with(&format!("{BASE}/v25.0/{page}/feed?")) && !next.contains("ids="), "{next}");
            let rest = fixture.raw("GET", next.strip_prefix(BASE).unwrap(), &[], Vec::new()).await;
            assert_eq!(messages(&rest.body), [format!("{page} 0")], "{next}: {}", rest.text);
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_alone() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let pages = two_pages(&fixture, m).await;
    let first = fixture.get(&format!("/v26.0/{}/feed?limit=1", pages[0]), &m.admin_token).await;
    let after = first.body["paging"]["cursors"]["after"].as_str().unwrap().to_owned();
    assert_eq!(
        fixture.get(&format!("/v26.0/{}/feed?after={after}", pages[0]), &m.admin_token).await.status,
        StatusCode::OK
    );
    let users = fixture.get(&format!("/v26.0/{}/access_tokens?limit=1", m.admin), &m.admin_token).await;
    let token = users.body["paging"]["cursors"]["after"].as_str().unwrap().to_owned();
    for target in [
        format!("/v26.0/{}/feed?after={after}", pages[1]),
        format!("/v26.0/{}/posts?before={after}", pages[0]),
        format!("/v26.0/{}/access_tokens?after={token}", m.employee),
    ] {
        let answer = fixture.get(&target, &m.admin_token).await;
        assert_eq!(
            (answer.code(), answer.body["error"]["message"].as_str()),
            (Some(100), Some("(#100) Invalid cursor")),
            "{target}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn links_in_a_batch_keep_version_token_and_proof() {
    let fixture = fixture().await;
    let m = &fixture.company;
    two_pages(&fixture, m).await;
    let set = fixture.post(&format!("/v26.0/{}", m.app), &m.person_token, &[("demands_proof", "true")]).await;
    assert_eq!(set.body, json!({"success": true}), "{}", set.text);
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, m.app_secret.as_bytes());
    let proof: String =
        aws_lc_rs::hmac::sign(&key, m.admin_token.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    let batch = json!([
        {"method": "GET", "relative_url": format!("{}/feed?limit=1", m.page)},
        {"method": "GET", "relative_url": format!("v24.0/{}/feed?limit=1", m.page)},
        {"method": "GET", "relative_url": "me/businesses", "access_token": fixture.agency.admin_token},
    ])
    .to_string();
    let form = [("batch", batch.as_str()), ("appsecret_proof", proof.as_str())];
    let answer = fixture.post("/v25.0/", &m.admin_token, &form).await;
    let bodies = parts(&answer);
    for (body, version) in bodies.iter().zip(["v25.0", "v24.0"]) {
        let next = body["paging"]["next"].as_str().unwrap_or_else(|| panic!("{}", answer.text));
        assert!(next.starts_with(&format!("{BASE}/{version}/{}/feed?", m.page)), "{next}");
        let followed = fixture.raw("GET", next.strip_prefix(BASE).unwrap(), &[], Vec::new()).await;
        assert_eq!(followed.status, StatusCode::OK, "{}", followed.text);
    }
    // The proof of the top token is no proof for another token.
    assert!(bodies[2]["data"].is_array(), "{}", answer.text);
    // A token that came in the header is in no link, and neither is its proof.
    let header = [("authorization", format!("Bearer {}", m.admin_token))];
    let header: Vec<(&str, &str)> = header.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let body = format!("batch={}&appsecret_proof={proof}", encode(&batch));
    let answer = fixture.raw("POST", "/v25.0/", &header, body.into_bytes()).await;
    let next = parts(&answer)[0]["paging"]["next"].as_str().unwrap().to_owned();
    assert!(!next.contains("access_token") && !next.contains("appsecret_proof"), "{next}");
}

#[tokio::test]
async fn in_a_batch_as_elsewhere_the_body_counts_before_the_query() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let batch = json!([
        {"method": "POST", "relative_url": format!("{}?about=query", m.page), "body": "about=body"},
        {"method": "POST", "relative_url": format!("{}/feed?message=query&caption=query", m.page), "body": "message=body&caption=body"},
    ]);
    let answer = fixture.post("/v26.0/", &m.admin_token, &[("batch", &batch.to_string())]).await;
    let post = parts(&answer)[1]["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
    let page = fixture.get(&format!("/v26.0/{}?fields=about", m.page), &m.admin_token).await;
    assert_eq!(page.body["about"], "body", "{}", page.text);
    let post = fixture.get(&format!("/v26.0/{post}?fields=message,caption"), &m.admin_token).await;
    assert_eq!((&post.body["message"], &post.body["caption"]), (&json!("body"), &json!("body")), "{}", post.text);
}

#[tokio::test]
async fn a_adapter_that_does_not_know_its_address_links_nowhere() {
    let fixture = fixture().await;
    let m = &fixture.company;
    two_pages(&fixture, m).await;
    let adapter = Graph::new(fixture.service.clone(), GraphConfig::default());
    let ask = async |headers: &[(&'static str, &str)], client: Option<&str>| -> Value {
        let target =
            format!("/v26.0/{}/feed?limit=1&fields=message,permalink_url&access_token={}", m.page, m.admin_token);
        let mut request = Request::new(Method::GET, target.parse().unwrap());
        for (name, value) in headers {
            request.headers.insert(*name, value.parse().unwrap());
        }
        if let Some(ip) = client {
            request.client_ip = ip.parse().unwrap();
        }
        serde_json::from_slice(&adapter.handle(request).await.body).unwrap()
    };
    let host = ("host", "graph.example");
    let direct = ask(&[host], None).await;
    assert!(direct["paging"]["next"].as_str().unwrap().starts_with("http://graph.example/v26.0/"), "{direct}");
    let secure = ask(&[host, ("x-forwarded-proto", "https")], Some("203.0.113.7")).await;
    assert!(secure["paging"]["next"].as_str().unwrap().starts_with("https://graph.example/v26.0/"), "{secure}");
    for (headers, client) in
        [(vec![], None), (vec![host], Some("203.0.113.7")), (vec![host, ("x-forwarded-for", "203.0.113.7")], None)]
    {
        let answer = ask(&headers, client).await;
        assert!(answer["paging"]["cursors"]["after"].is_string(), "{answer}");
        let text = answer.to_string();
        assert!(!text.contains("next") && !text.contains(&m.admin_token) && !text.contains("permalink_url"), "{text}");
        assert!(!text.contains("127.0.0.1"), "{text}");
    }
}
