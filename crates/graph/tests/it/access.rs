//! Rows of the access table where a mistake is easy: which callers, tokens and fields.

use serde_json::{Value, json};
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::rules::token::Lifetime;
use valetkey_service::Call;

use crate::fixture::{fixture, name};

#[tokio::test]
async fn an_app_is_seen_in_full_by_itself_its_tokens_and_admins() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let person = Call::with_token(&m.person_token, "seed");
    let (other, secret) = fixture.service.create_app(&person, m.business, name("Reader"), false).await.unwrap().value;
    let own = format!("{}|{}", m.app, m.app_secret);
    let another = format!("{other}|{secret}");
    let fields = "id,name,link,category,created_time,business{id,name},allowed_scopes,demands_proof";
    let target = |id: &str| format!("/v26.0/{id}?fields={fields}");
    let keys = |body: &Value| {
        let mut keys = body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        keys.sort();
        keys
    };
    let page_token = fixture.page_token(m, &m.admin_token).await;
    let app = m.app.to_string();
    for (token, wanted) in [
        (own.as_str(), vec!["business", "category", "created_time", "id", "link", "name"]),
        (another.as_str(), vec!["category", "id", "link", "name"]),
        (m.employee_token.as_str(), vec!["business", "category", "created_time", "id", "link", "name"]),
        (page_token.as_str(), vec!["category", "created_time", "id", "link", "name"]),
        (
            m.admin_token.as_str(),
            vec!["allowed_scopes", "business", "category", "created_time", "demands_proof", "id", "link", "name"],
        ),
        (
            m.person_token.as_str(),
            vec!["allowed_scopes", "business", "category", "created_time", "demands_proof", "id", "link", "name"],
        ),
    ] {
        let answer = fixture.send("GET", &target(&app), Some(token), &[]).await;
        assert_eq!(keys(&answer.body), wanted, "{}", answer.text);
        assert!(!answer.text.contains(&m.app_secret));
    }
    // Another app of the business is visible to an ADMIN with the scope, and to no lesser caller.
    let other = other.to_string();
    assert_eq!(fixture.send("GET", &target(&other), Some(&m.admin_token), &[]).await.body["name"], "Reader");
    let employee = fixture.get(&target(&other), &m.employee_token).await;
    assert_eq!(
        (employee.status.as_u16(), employee.code(), employee.reason()),
        (403, Some(200), Some("role_insufficient")),
        "{}",
        employee.text
    );
    let narrow = fixture.token(m, m.admin, &["pages_show_list"], Lifetime::Never).await;
    let narrow = fixture.get(&target(&other), &narrow).await;
    assert_eq!(
        (narrow.status.as_u16(), narrow.code(), narrow.reason()),
        (403, Some(10), Some("scope_missing")),
        "{}",
        narrow.text
    );
    assert_eq!(fixture.send("GET", "/v26.0/app", Some(&own), &[]).await.body["id"], app);
    assert_eq!(fixture.get("/v26.0/app", &page_token).await.body["id"], app);
    let default = fixture.send("GET", &format!("/v26.0/{app}"), Some(&own), &[]).await;
    assert_eq!(keys(&default.body), ["category", "id", "link", "name"]);
    for caller in [&another, &m.employee_token] {
        let answer = fixture.send("GET", &format!("/v26.0/{app}/permissions"), Some(caller), &[]).await;
        assert_eq!((answer.code(), answer.reason()), (Some(200), Some("role_insufficient")), "{}", answer.text);
    }
    let agency = fixture.get(&target(&app), &fixture.agency.admin_token).await;
    assert_eq!(agency.body["error"]["error_subcode"], 33);
}

#[tokio::test]
async fn an_app_token_reaches_nothing_but_its_rows() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let app = format!("{}|{}", m.app, m.app_secret);
    let me = fixture.send("GET", "/v26.0/me", Some(&app), &[]).await;
    assert_eq!((me.status.as_u16(), me.code()), (400, Some(2500)));
    for target in [
        m.business.any(),
        m.employee.any(),
        m.admin_person.any(),
        m.page.any(),
        m.account.any(),
        m.catalog.any(),
        m.pixel.any(),
    ] {
        for edge in ["", "/assigned_users", "/system_users", "/feed", "/access_tokens"] {
            let answer = fixture.send("GET", &format!("/v26.0/{target}{edge}"), Some(&app), &[]).await;
            let unknown = answer.code() == Some(100)
                && answer.body["error"]["message"].as_str().is_some_and(|t| t.contains("nonexisting field"));
            let refused = (answer.code(), answer.reason()) == (Some(200), Some("role_insufficient"));
            assert!(unknown || refused, "{target}{edge}: {}", answer.text);
        }
    }
    let foreign = fixture.send("GET", &format!("/v26.0/{}", fixture.agency.page), Some(&app), &[]).await;
    assert_eq!(foreign.body["error"]["error_subcode"], 33);
}

#[tokio::test]
async fn a_token_of_ones_own_business_says_why_it_may_not_be_read() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let list = fixture.get(&format!("/v26.0/{}/access_tokens", m.admin), &m.admin_token).await;
    let id = list.body["data"][0]["id"].as_str().unwrap();
    let employee = fixture.get(&format!("/v26.0/{id}"), &m.employee_token).await;
    assert_eq!(
        (employee.status.as_u16(), employee.code(), employee.reason()),
        (403, Some(200), Some("role_insufficient")),
        "{}",
        employee.text
    );
    let admin = fixture.get(&format!("/v26.0/{id}?fields=status"), &m.admin_token).await;
    assert_eq!(admin.body, json!({"id": id, "status": "live"}));
    let second = fixture
        .service
        .create_system_user(
            &Call::with_token(&m.person_token, "seed"),
            m.business,
            name("Second"),
            valetkey_domain::Role::Employee,
            None,
        )
        .await
        .unwrap()
        .value;
    fixture.service.install_app(&Call::with_token(&m.person_token, "seed"), second, m.app).await.unwrap();
    let narrow = fixture.token(m, second, &["pages_show_list"], Lifetime::Never).await;
    let own = fixture.get("/v26.0/me/access_tokens", &narrow).await;
    assert_eq!(own.body["data"].as_array().map(Vec::len), Some(1), "{}", own.text);
}

#[tokio::test]
async fn the_tokens_of_a_business_come_page_by_page_newest_first() {
    let fixture = fixture().await;
    let m = &fixture.company;
    for _ in 0..3 {
        fixture.token(m, m.employee, &["pages_show_list"], Lifetime::Never).await;
    }
    let all = fixture
        .get(&format!("/v26.0/{}/access_tokens?summary=1&fields=id&limit=100", m.business), &m.admin_token)
        .await;
    let ids = |v: &Value| {
        v["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["id"].as_str().unwrap().parse::<u64>().unwrap())
            .collect::<Vec<_>>()
    };
    let wanted = ids(&all.body);
    assert_eq!(all.body["summary"]["total_count"], wanted.len());
    assert!(wanted.is_sorted_by(|a, b| a > b));
    let mut next = format!("/v26.0/{}/access_tokens?fields=id&limit=2&access_token={}", m.business, m.admin_token);
    let (mut got, mut previous) = (Vec::new(), None);
    loop {
        let page = fixture.raw("GET", &next, &[], Vec::new()).await;
        got.extend(ids(&page.body));
        if let Some(link) = page.body["paging"]["previous"].as_str() {
            previous = Some((link.strip_prefix("http://valetkey.test").unwrap().to_owned(), got.len()));
        }
        match page.body["paging"]["next"].as_str() {
            Some(link) => next = link.strip_prefix("http://valetkey.test").unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(got, wanted);
    let (link, _) = previous.unwrap();
    let back = fixture.raw("GET", &link, &[], Vec::new()).await;
    let last = wanted.len() - if wanted.len() % 2 == 0 { 2 } else { 1 };
    assert_eq!(ids(&back.body), wanted[last - 2..last], "{}", back.text);
}

#[tokio::test]
async fn people_see_themselves_and_admins_everybody() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let person = Call::with_token(&m.person_token, "seed");
    let eve = fixture
        .service
        .create_person(&person, m.business, name("Eve"), "eve@rad.example", valetkey_domain::Role::Employee)
        .await
        .unwrap()
        .value;
    let code = fixture.service.create_sign_in_code(&Call::operator("seed"), eve).await.unwrap().value;
    let (_, text) =
        fixture.service.redeem_sign_in_code("seed", code.reveal(), PersonToken::CommandLine).await.unwrap().value;
    let token = text.reveal();
    let people = format!("/v26.0/{}/business_users?fields=id,name,email,role", m.business);
    let own = fixture.get(&people, token).await;
    // An e-mail address is for ADMINs.
    assert_eq!(own.body["data"], json!([{"id": eve.to_string(), "name": "Eve", "role": "EMPLOYEE"}]), "{}", own.text);
    let all = fixture.get(&people, &m.admin_token).await;
    assert_eq!(all.body["data"].as_array().map(Vec::len), Some(2), "{}", all.text);
    assert!(all.text.contains("eve@rad.example"));
    let software = fixture.get(&people, &m.employee_token).await;
    assert_eq!((software.code(), software.reason()), (Some(200), Some("role_insufficient")), "{}", software.text);
    let users = fixture.get("/v26.0/me/business_users", token).await;
    assert_eq!(users.body["data"][0]["id"], eve.to_string(), "{}", users.text);
    assert_eq!(fixture.get("/v26.0/me/business_users", &m.employee_token).await.body, json!({"data": []}));

    let node = format!("/v26.0/{eve}");
    assert_eq!(fixture.post(&node, token, &[("name", "Evi")]).await.body, json!({"success": true}));
    let promoted = fixture.post(&node, token, &[("role", "ADMIN")]).await;
    assert_eq!((promoted.code(), promoted.reason()), (Some(10), Some("scope_missing")), "{}", promoted.text);
    let foreign = fixture.post(&format!("/v26.0/{}", m.admin_person), token, &[("name", "Mine")]).await;
    assert_eq!((foreign.code(), foreign.reason()), (Some(10), Some("scope_missing")), "{}", foreign.text);
    assert_eq!(fixture.delete(&node, token, &[]).await.body, json!({"success": true}));
    assert_eq!(fixture.get("/v26.0/me", token).await.code(), Some(190));
    let last = fixture.delete(&format!("/v26.0/{}", m.admin_person), &m.person_token, &[]).await;
    assert_eq!(
        (last.code(), last.body["error"]["error_subcode"].as_u64()),
        (Some(100), Some(9_000_015)),
        "{}",
        last.text
    );
}

#[tokio::test]
async fn a_row_shows_what_its_list_shows_and_the_rest_by_the_nodes_own_right() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.assign(m, m.page, m.employee, &["ANALYZE"]).await;
    fixture
        .post(&format!("/v26.0/{}", m.page), &m.admin_token, &[("about", "We make bikes"), ("category", "Shop")])
        .await;
    let token = fixture.token(m, m.employee, &["business_management"], Lifetime::Never).await;
    for scope in ["pages_show_list", "pages_read_engagement"] {
        let dropped = fixture.delete(&format!("/v26.0/me/permissions/{scope}"), &token, &[]).await;
        assert_eq!(dropped.body, json!({"success": true}), "{}", dropped.text);
    }
    let pages =
        format!("/v26.0/{}/owned_pages?fields=id,name,category,about,access_token,link,business{{id}}", m.business);
    let rows = fixture.get(&pages, &token).await;
    assert_eq!(rows.body["data"], json!([{"id": m.page.to_string(), "name": "City bikes"}]), "{}", rows.text);
    let node = fixture.get(&format!("/v26.0/{}", m.page), &token).await;
    assert_eq!((node.code(), node.reason()), (Some(10), Some("scope_missing")), "{}", node.text);
}

#[tokio::test]
async fn assigned_users_shows_ones_own_row_unless_one_manages() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let person = Call::with_token(&m.person_token, "seed");
    let second = fixture
        .service
        .create_system_user(&person, m.business, name("Second"), valetkey_domain::Role::Employee, None)
        .await
        .unwrap()
        .value;
    fixture.assign(m, m.page, m.employee, &["ANALYZE"]).await;
    fixture.assign(m, m.page, second, &["ADVERTISE"]).await;
    let users = format!("/v26.0/{}/assigned_users?summary=true", m.page);
    let ids = |v: &Value| {
        v["data"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let own = fixture.get(&users, &m.employee_token).await;
    assert_eq!(ids(&own.body), [m.employee.to_string()], "{}", own.text);
    assert_eq!(own.body["summary"]["total_count"], 1);
    assert_eq!(ids(&fixture.get(&users, &m.admin_token).await.body).len(), 2);
    fixture.assign(m, m.page, m.employee, &["MANAGE"]).await;
    assert_eq!(ids(&fixture.get(&users, &m.employee_token).await.body).len(), 2);
    // MANAGE is a task, not a role: it can't assign users.
    let assign = fixture
        .post(
            &format!("/v26.0/{}/assigned_users", m.page),
            &m.employee_token,
            &[("user", &second.to_string()), ("tasks", "MANAGE")],
        )
        .await;
    assert_eq!((assign.code(), assign.reason()), (Some(200), Some("role_insufficient")), "{}", assign.text);
    // A partner's ADMIN sees the partner's own people, and not the owner's.
    let a = &fixture.agency;
    fixture
        .post(
            &format!("/v26.0/{}/agencies", m.page),
            &m.admin_token,
            &[("business", &a.business.to_string()), ("permitted_tasks", "ANALYZE")],
        )
        .await;
    assert_eq!(fixture.get(&users, &a.admin_token).await.body["data"], json!([]));
    let asked = fixture.get(&format!("{users}&business={}", m.business), &a.admin_token).await;
    assert_eq!((&asked.body["data"], &asked.body["summary"]["total_count"]), (&json!([]), &json!(0)), "{}", asked.text);
    // The owner's ADMINs see who of the partner works on it; its EMPLOYEEs don't, MANAGE or not.
    fixture.assign(a, m.page, a.employee, &["ANALYZE"]).await;
    let theirs = format!("{users}&business={}", a.business);
    assert_eq!(ids(&fixture.get(&theirs, &m.admin_token).await.body), [a.employee.to_string()]);
    assert_eq!(fixture.get(&theirs, &m.employee_token).await.body["data"], json!([]));
}

#[tokio::test]
async fn revoking_by_text_takes_every_sort_of_token_of_the_app() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let page_token = fixture.page_token(m, &m.admin_token).await;
    let app = m.app.to_string();
    let body =
        [("client_id", app.as_str()), ("client_secret", m.app_secret.as_str()), ("revoke_token", page_token.as_str())];
    let foreign = fixture.send("POST", "/v26.0/oauth/revoke", Some(&fixture.agency.admin_token), &body).await;
    assert_eq!(foreign.code(), Some(100), "{}", foreign.text);
    assert_eq!(fixture.get("/v26.0/me", &page_token).await.body["id"], m.page.to_string());
    let done = fixture.send("POST", "/v26.0/oauth/revoke", Some(&page_token), &body).await;
    assert_eq!(done.body, json!({"success": true}), "{}", done.text);
    assert_eq!(fixture.get("/v26.0/me", &page_token).await.code(), Some(190));
    let again = fixture.send("POST", "/v26.0/oauth/revoke", Some(&m.admin_token), &body).await;
    assert_eq!(again.body, json!({"success": true}), "{}", again.text);
    let never = [body[0], body[1], ("revoke_token", "never-issued")];
    let unknown = fixture.send("GET", "/oauth/revoke", Some(&m.admin_token), &never).await;
    assert_eq!(unknown.body, json!({"success": true}), "{}", unknown.text);
    let theirs = [body[0], body[1], ("revoke_token", fixture.agency.employee_token.as_str())];
    let kept = fixture.send("GET", "/oauth/revoke", Some(&m.admin_token), &theirs).await;
    assert_eq!((kept.without_trace("-"), kept.status), (unknown.without_trace("-"), unknown.status));
    assert_eq!(fixture.get("/v26.0/me", &fixture.agency.employee_token).await.status.as_u16(), 200);
    assert_eq!(fixture.delete("/v26.0/oauth/revoke", &m.admin_token, &body).await.code(), Some(100));
}

#[tokio::test]
async fn errors_about_apps_use_their_known_words() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let app = m.app.to_string();
    let secret = m.app_secret.as_str();
    let grant = ("grant_type", "client_credentials");
    for (body, code, words) in [
        (vec![grant, ("client_id", app.as_str()), ("client_secret", "wrong")], 101, "Error validating client secret."),
        (
            vec![grant, ("client_id", "12345"), ("client_secret", secret)],
            101,
            "Error validating application. Cannot get application info due to a system error.",
        ),
        (vec![grant, ("client_secret", secret)], 101, "Missing client_id parameter."),
        (vec![grant, ("client_id", app.as_str())], 101, "Missing client_secret parameter."),
        (
            vec![("client_id", app.as_str()), ("client_secret", secret)],
            100,
            "(#100) Param grant_type must be one of {client_credentials, fb_exchange_token}",
        ),
        (
            vec![("grant_type", "password"), ("client_id", app.as_str()), ("client_secret", secret)],
            100,
            "(#100) Param grant_type must be one of {client_credentials, fb_exchange_token}",
        ),
        (vec![("code", "abc")], 100, "Invalid verification code format."),
        (
            vec![("grant_type", "fb_exchange_token"), ("client_id", app.as_str()), ("client_secret", secret)],
            100,
            "(#100) The parameter fb_exchange_token is required",
        ),
    ] {
        let answer = fixture.send("GET", "/v26.0/oauth/access_token", None, &body).await;
        let status = if code == 190 { 401 } else { 400 };
        assert_eq!(
            (answer.status.as_u16(), answer.code(), answer.body["error"]["message"].as_str()),
            (status, Some(code), Some(words)),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains(secret));
    }
    let theirs = [
        ("grant_type", "fb_exchange_token"),
        ("client_id", app.as_str()),
        ("client_secret", secret),
        ("fb_exchange_token", fixture.agency.employee_token.as_str()),
    ];
    let foreign = fixture.send("GET", "/v26.0/oauth/access_token", None, &theirs).await;
    assert_eq!((foreign.status.as_u16(), foreign.code()), (401, Some(190)), "{}", foreign.text);
}

#[tokio::test]
async fn assigned_assets_are_listed_with_their_tasks_whatever_their_kind() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.assign(m, m.page, m.employee, &["ANALYZE"]).await;
    fixture.assign(m, m.account, m.employee, &["ADVERTISE"]).await;
    let all = fixture.get("/v26.0/me/assigned_assets", &m.employee_token).await;
    let mut rows = all.body["data"].as_array().unwrap_or_else(|| panic!("{}", all.text)).clone();
    rows.sort_by_key(|r| r["id"].to_string());
    assert_eq!(rows[0]["tasks"], json!(["ANALYZE"]), "{}", all.text);
    assert_eq!(
        (&rows[1]["id"], &rows[1]["tasks"]),
        (&json!(format!("act_{}", m.account)), &json!(["ADVERTISE"])),
        "{}",
        all.text
    );
    for (edge, id) in [("assigned_pages", m.page.to_string()), ("assigned_ad_accounts", format!("act_{}", m.account))] {
        let list =
            fixture.get(&format!("/v26.0/{}/{edge}?fields=id&summary=total_count", m.employee), &m.admin_token).await;
        assert_eq!(list.body["data"][0]["id"], id, "{}", list.text);
        assert_eq!(list.body["summary"]["total_count"], 1);
    }
    for edge in [
        "assigned_product_catalogs",
        "assigned_pixels",
        "assigned_applications",
        "assigned_instagram_accounts",
        "assigned_business_asset_groups",
    ] {
        assert_eq!(
            fixture.get(&format!("/v26.0/me/{edge}"), &m.employee_token).await.body,
            json!({"data": []}),
            "{edge}"
        );
    }
}

#[tokio::test]
async fn a_token_is_deleted_with_all_that_came_from_it_by_who_may() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let issue = format!("/v26.0/{}/access_tokens", m.employee);
    let app = m.app.to_string();
    let mut made = Vec::new();
    for (by, scope) in [(m.admin_token.clone(), "ads_read,pages_show_list"), (String::new(), "ads_read")] {
        let by = if by.is_empty() { made.last().map(|(_, text): &(String, String)| text.clone()).unwrap() } else { by };
        let answer = fixture.post(&issue, &by, &[("business_app", &app), ("scope", scope)]).await;
        made.push((answer.str("token_id").to_owned(), answer.str("access_token").to_owned()));
    }
    let target = format!("/v26.0/{}", made[0].0);
    let cut = [("with_descendants", "true")];
    let alive = async |text: &str| fixture.get("/v26.0/me?fields=id", text).await.status.is_success();
    let stranger = fixture.delete(&target, &fixture.agency.admin_token, &cut).await;
    let nothing = fixture.delete("/v26.0/424242", &fixture.agency.admin_token, &cut).await;
    assert_eq!(stranger.without_trace(&made[0].0), nothing.without_trace("424242"));
    let wrong = fixture.delete(&target, &m.admin_token, &[("with_descendants", "perhaps")]).await;
    assert_eq!(wrong.code(), Some(100), "{}", wrong.text);
    let admins = fixture.get(&format!("/v26.0/{}/access_tokens", m.admin), &m.admin_token).await;
    let admins = admins.body["data"][0]["id"].as_str().unwrap().to_owned();
    let employee = fixture.delete(&format!("/v26.0/{admins}"), &m.employee_token, &cut).await;
    assert_eq!((employee.code(), employee.reason()), (Some(200), Some("role_insufficient")), "{}", employee.text);
    assert!(alive(&made[0].1).await && alive(&made[1].1).await && alive(&m.admin_token).await);
    // Without `with_descendants` only the token itself is revoked. With it, its descendants are
    // revoked too, even though it is already dead.
    fixture.delete(&target, &m.admin_token, &[("with_descendants", "0")]).await;
    assert!(!alive(&made[0].1).await && alive(&made[1].1).await);
    let done = fixture.delete(&target, &m.admin_token, &cut).await;
    assert_eq!(done.body, json!({"success": true}));
    assert!(done.header("valetkey-revision").is_some() && !alive(&made[1].1).await && alive(&m.admin_token).await);
}
