//! What counts as a use of a token: each allowed call counts once, however many questions it asks.
//! Refused calls and inspections don't count.

use valetkey_domain::rules::token::Lifetime;

use crate::fixture::{Company, Fixture, encode, fixture};

/// A token of the employee, its id, and a way to read its count.
struct Counted {
    token: String,
    id: String,
}

impl Counted {
    async fn new(fixture: &Fixture, m: &Company, scopes: &[&'static str]) -> Counted {
        let token = fixture.token(m, m.employee, scopes, Lifetime::Never).await;
        let shown = fixture.get(&format!("/v26.0/debug_token?input_token={}", encode(&token)), &m.admin_token).await;
        let id = shown.body["data"]["token_id"].as_str().unwrap_or_else(|| panic!("{}", shown.text)).to_owned();
        Counted { token, id }
    }

    async fn count(&self, fixture: &Fixture, m: &Company) -> i64 {
        let shown = fixture.get(&format!("/v26.0/{}?fields=use_count", self.id), &m.admin_token).await;
        shown.body["use_count"].as_i64().unwrap_or_else(|| panic!("{}", shown.text))
    }
}

const SCOPES: &[&str] =
    &["pages_show_list", "pages_read_engagement", "pages_manage_posts", "ads_read", "ads_management"];

async fn with_work(fixture: &Fixture, m: &Company) {
    let tasks = |asset: String, tasks: &'static str| {
        let body = [("user", m.employee.to_string()), ("tasks", tasks.to_owned())];
        (format!("/v26.0/{asset}/assigned_users"), body)
    };
    for (target, body) in [
        tasks(m.page.to_string(), r#"["CREATE_CONTENT","ANALYZE"]"#),
        tasks(format!("act_{}", m.account), r#"["ADVERTISE","ANALYZE"]"#),
    ] {
        let body: Vec<(&str, &str)> = body.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = fixture.post(&target, &m.admin_token, &body).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_call_is_one_use_whatever_it_asks_on_the_way() {
    let fixture = fixture().await;
    let m = &fixture.company;
    with_work(&fixture, m).await;
    let counted = Counted::new(&fixture, m, SCOPES).await;
    let posted = fixture.post(&format!("/v26.0/{}/feed", m.page), &counted.token, &[("message", "one")]).await;
    let post = posted.str("id").to_owned();
    assert_eq!(counted.count(&fixture, m).await, 1, "the post");
    let page = m.page;
    let wide = encode("id,name,category,posts.limit(3){id,message,from{name}},tasks,access_token");
    let reads = [
        "/v26.0/me".to_owned(),
        "/v26.0/me?fields=id,name,business{name},accounts{id,name,access_token}".to_owned(),
        "/v26.0/me/accounts".to_owned(),
        "/v26.0/me/permissions".to_owned(),
        format!("/v26.0/{page}"),
        format!("/v26.0/{page}?fields={wide}"),
        format!("/v26.0/{page}/posts?summary=total_count"),
        format!("/v26.0/{post}"),
        format!("/v26.0/?ids={page},{post}"),
        format!("/v26.0/posts?ids={page}"),
        format!("/v26.0/act_{}/campaigns", m.account),
        format!("/v26.0/{}/owned_pages", m.business),
        format!("/v26.0/{}?fields=id", m.app),
    ];
    for (at, target) in reads.iter().enumerate() {
        let answer = fixture.get(target, &counted.token).await;
        assert_eq!(answer.status.as_u16(), 200, "{target}: {}", answer.text);
        assert_eq!(counted.count(&fixture, m).await, at as i64 + 2, "{target}");
    }
    let before = counted.count(&fixture, m).await;
    let edited = fixture.post(&format!("/v26.0/{post}"), &counted.token, &[("message", "two")]).await;
    assert_eq!(edited.status.as_u16(), 200, "{}", edited.text);
    assert_eq!(counted.count(&fixture, m).await, before + 1, "an edit");
    fixture.delete(&format!("/v26.0/{post}"), &counted.token, &[]).await;
    assert_eq!(counted.count(&fixture, m).await, before + 2, "a deletion");
}

#[tokio::test]
async fn a_refused_call_is_no_use() {
    let fixture = fixture().await;
    let m = &fixture.company;
    with_work(&fixture, m).await;
    let counted = Counted::new(&fixture, m, &["pages_show_list"]).await;
    for (method, target) in [
        ("GET", format!("/v26.0/{}/posts", m.page)),
        ("POST", format!("/v26.0/{}/feed", m.page)),
        ("GET", format!("/v26.0/{}", m.catalog)),
        ("GET", format!("/v26.0/{}", fixture.agency.page)),
        ("GET", format!("/v26.0/?ids={},{}", m.employee, fixture.agency.page)),
        ("GET", format!("/v26.0/{}/system_users", m.business)),
        ("DELETE", format!("/v26.0/{}", m.admin)),
        ("GET", "/v26.0/no-such-path".to_owned()),
        ("GET", format!("/v26.0/{}/access_tokens", m.admin)),
    ] {
        let answer = fixture.send(method, &target, Some(&counted.token), &[("message", "x")]).await;
        assert!(answer.code().is_some(), "{method} {target}: {}", answer.text);
        assert_eq!(counted.count(&fixture, m).await, 0, "{method} {target}: {}", answer.text);
    }
}

#[tokio::test]
async fn of_a_batch_the_allowed_items_count() {
    let fixture = fixture().await;
    let m = &fixture.company;
    with_work(&fixture, m).await;
    let counted = Counted::new(&fixture, m, SCOPES).await;
    let batch = format!(
        r#"[{{"method":"GET","relative_url":"me"}},{{"method":"GET","relative_url":"{}/posts"}},
            {{"method":"GET","relative_url":"{}"}},{{"method":"POST","relative_url":"{}/feed","body":"message=x"}}]"#,
        m.page, fixture.agency.page, m.page
    );
    let answer = fixture.post("/v26.0/", &counted.token, &[("batch", &batch)]).await;
    let codes: Vec<i64> = answer.body.as_array().unwrap().iter().map(|part| part["code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [200, 200, 400, 200], "{}", answer.text);
    assert_eq!(counted.count(&fixture, m).await, 3);
}

#[tokio::test]
async fn an_inspection_is_no_use() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let counted = Counted::new(&fixture, m, SCOPES).await;
    let target = format!("/v26.0/debug_token?input_token={}", encode(&counted.token));
    for caller in [&counted.token, &m.admin_token, &format!("{}|{}", m.app, m.app_secret)] {
        let answer = fixture.get(&target, caller).await;
        assert_eq!(answer.body["data"]["is_valid"], true, "{}", answer.text);
    }
    assert_eq!(counted.count(&fixture, m).await, 0);
}
