//! Malformed, hostile and contradictory input: a clear answer in the dialect's shape each time.

use crate::fixture::fixture;

#[tokio::test]
async fn each_kind_of_nonsense_has_its_answer() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let t = m.admin_token.as_str();
    let deep = format!("/v26.0/{}?fields={}name{}", m.page, "feed{".repeat(50), "}".repeat(50));
    let page = m.page;
    let cases: Vec<(&str, String, u64)> = vec![
        ("GET", "/v99.0/me".to_owned(), 2500),
        ("GET", "/v1.0/me".to_owned(), 2500),
        ("GET", format!("/v26.0/{page}/nonsense"), 100),
        ("GET", format!("/v26.0/{page}?fields=nonsense"), 100),
        ("GET", format!("/v26.0/{page}?fields=feed{{"), 2500),
        ("GET", deep, 100),
        ("POST", format!("/v26.0/{page}/nonsense"), 100),
        ("DELETE", format!("/v26.0/{}", m.business), 100),
        ("GET", format!("/v26.0/{page}/feed/more/of/it"), 2500),
        ("GET", "/v26.0/nobody".to_owned(), 803),
        ("GET", format!("/v26.0/{page}/feed?after=garbage"), 100),
        ("GET", format!("/v26.0/{page}/feed?limit=-1"), 100),
        ("GET", "/v26.0/?ids=".to_owned(), 100),
        ("GET", format!("/v26.0/?ids={}", (1..=51).map(|i| i.to_string()).collect::<Vec<_>>().join(",")), 100),
    ];
    for (method, target, code) in cases {
        let answer = fixture.send(method, &target, Some(t), &[]).await;
        assert_eq!(answer.code(), Some(code), "{method} {target}: {}", answer.text);
        assert!(answer.status.is_client_error(), "{method} {target}");
        assert!(answer.body["error"]["fbtrace_id"].is_string());
    }
}

#[tokio::test]
async fn names_roles_tasks_and_scopes_are_checked() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let t = m.admin_token.as_str();
    let users = format!("/v26.0/{}/system_users", m.business);
    let long = "x".repeat(10_000);
    for body in [
        vec![("name", long.as_str()), ("role", "EMPLOYEE")],
        vec![("name", "a\u{7}b"), ("role", "EMPLOYEE")],
        vec![("name", ""), ("role", "EMPLOYEE")],
        vec![("role", "EMPLOYEE")],
        vec![("name", "ok"), ("role", "BOSS")],
    ] {
        let answer = fixture.post(&users, t, &body).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some(100)), "{body:?}: {}", answer.text);
    }
    let assign = format!("/v26.0/{}/assigned_users", m.page);
    let employee = m.employee.to_string();
    for body in [
        vec![("user", employee.as_str())],
        vec![("user", employee.as_str()), ("tasks", "[\"FLY\"]")],
        vec![("user", employee.as_str()), ("tasks", "[\"MANAGE\"")],
        vec![("tasks", "[\"MANAGE\"]")],
        vec![("user", "12"), ("tasks", "[\"MANAGE\"]")],
    ] {
        let answer = fixture.post(&assign, t, &body).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some(100)), "{body:?}: {}", answer.text);
    }
    let issue = format!("/v26.0/{}/access_tokens", m.employee);
    let app = m.app.to_string();
    for scope in ["fly_to_the_moon", "pages_manage_posts"] {
        let answer = fixture.post(&issue, t, &[("business_app", &app), ("scope", scope)]).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some(100)), "{scope}: {}", answer.text);
    }
}

#[tokio::test]
async fn bodies_come_in_every_spelling() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let feed = format!("/v26.0/{}/feed?access_token={}", m.page, m.admin_token);
    let json =
        fixture.raw("POST", &feed, &[("content-type", "application/json")], br#"{"message":"as JSON"}"#.to_vec()).await;
    assert!(json.body.get("id").is_some(), "{}", json.text);
    let bare = fixture.raw("POST", &feed, &[], b"message=without+type".to_vec()).await;
    assert!(bare.body.get("id").is_some(), "{}", bare.text);
    let query = fixture.raw("POST", &format!("{feed}&message=in+the+query"), &[], Vec::new()).await;
    assert!(query.body.get("id").is_some(), "{}", query.text);
    let broken = fixture.raw("POST", &feed, &[("content-type", "application/json")], b"{\"message\":".to_vec()).await;
    assert_eq!(broken.code(), Some(100), "{}", broken.text);
    let post = json.str("id").to_owned();
    let by_method = fixture
        .raw("POST", &format!("/v26.0/{post}?method=delete&access_token={}", m.admin_token), &[], Vec::new())
        .await;
    assert_eq!(by_method.body["success"], true, "{}", by_method.text);
    let bearer =
        fixture.raw("GET", "/me", &[("authorization", &format!("Bearer {}", m.admin_token))], Vec::new()).await;
    assert_eq!(bearer.body["id"], m.admin.to_string());
}

#[tokio::test]
async fn an_etag_saves_the_body() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let target = format!("/v26.0/{}?fields=name&access_token={}", m.page, m.admin_token);
    let first = fixture.raw("GET", &target, &[], Vec::new()).await;
    let tag = first.header("etag").unwrap().to_owned();
    let again = fixture.raw("GET", &target, &[("if-none-match", &tag)], Vec::new()).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
}
