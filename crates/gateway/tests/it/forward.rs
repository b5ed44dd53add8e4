//! `GET /gateway/forward-auth`.

use valetkey_domain::ScopeSet;
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::rules::token::Lifetime;
use valetkey_domain::{AssetId, AssetKind, Status};

use crate::fixture::{fixture, issue, proof};

#[tokio::test]
async fn the_yes_says_who_it_is_and_nothing_secret() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let yes = fixture.forward(&format!("asset=act_{}&task=ANALYZE&scope=ads_read", m.account), &m.employee_token);
    assert_eq!((yes.status.as_u16(), yes.text.as_str()), (200, r#"{"allowed":true}"#));
    let mut names: Vec<&str> = yes.headers.keys().map(|k| k.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "cache-control",
            "content-type",
            "valetkey-app",
            "valetkey-business",
            "valetkey-token",
            "valetkey-token-type",
            "valetkey-user"
        ]
    );
    assert_eq!(yes.header("valetkey-token-type"), Some("SYSTEM_USER"));
    for (header, id) in [
        ("valetkey-user", m.employee.any()),
        ("valetkey-business", m.business.any()),
        ("valetkey-token", m.employee_token_id.any()),
        ("valetkey-app", m.app.any()),
    ] {
        assert_eq!(yes.header(header), Some(id.to_string().as_str()));
    }
    assert_eq!(yes.header("cache-control"), Some("no-store"));
    let person = fixture.forward("scope=public_profile", m.person.text().unwrap());
    assert_eq!((person.status.as_u16(), person.header("valetkey-app")), (200, None));
    // The method doesn't matter: some proxies pass on the visitor's method.
    let post = fixture.ask(
        "POST",
        &format!("/gateway/forward-auth?asset={}", m.account),
        &[("authorization", &format!("OAuth {}", m.employee_token))],
    );
    assert_eq!(post.status.as_u16(), 200);
}

#[tokio::test]
async fn each_no_has_its_status_and_its_reason() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let narrow =
        issue(&fixture.service, &m.person, m.employee, m.app, ScopeSet::of(&["ads_read"]), Lifetime::Seconds(60))
            .await
            .1;
    let narrow = narrow.reveal();
    let never = format!("{}", AssetId::new(m.page.get() ^ 1).unwrap());
    let account = m.account;
    for (query, token, wanted) in [
        (format!("asset={account}&task=MANAGE"), m.employee_token.as_str(), (403, "task_missing")),
        (format!("asset={}&task=CREATE_CONTENT", m.page), &m.employee_token, (403, "asset_not_assigned")),
        (format!("asset={}", m.page), &m.employee_token, (403, "asset_not_assigned")),
        (format!("asset={account}&scope=ads_management"), narrow, (403, "scope_missing")),
        (format!("asset={}", fixture.stranger.page), &m.admin_token, (403, "not_visible")),
        (format!("asset={never}"), &m.admin_token, (403, "not_visible")),
        (format!("asset={}&task=PICK", fixture.stranger.warehouse), &m.admin_token, (403, "not_visible")),
        (format!("asset={}&task=FLY", fixture.stranger.warehouse), &m.admin_token, (403, "not_visible")),
        (format!("asset={account}"), "nonsense", (401, "token_malformed")),
        (format!("asset={account}"), "", (401, "token_malformed")),
        (format!("asset={account}&task=ANALYZE"), &format!("{}|{}", m.app, m.secret), (403, "role_insufficient")),
        (format!("asset={account}"), &format!("{}|wrong", m.app), (401, "token_unknown")),
        (format!("asset={account}&task=FLY"), &m.employee_token, (400, "invalid_parameter")),
        (format!("asset={account}&task=FLY"), &m.admin_token, (400, "invalid_parameter")),
        (format!("asset={}&task=FLY", m.warehouse), &m.employee_token, (400, "invalid_parameter")),
        (format!("asset={}&task=FLY", fixture.stranger.page), &m.employee_token, (403, "not_visible")),
    ] {
        let answer = fixture.forward(&query, token);
        assert_eq!(answer.no(), wanted, "{query}: {}", answer.text);
        assert!(!answer.text.contains("vkey") && !answer.text.contains(&m.secret), "{}", answer.text);
    }
    fixture.clock.advance_ms(60_000);
    assert_eq!(fixture.forward(&format!("asset={account}"), narrow).no(), (401, "token_expired"));
}

#[tokio::test]
async fn a_foreign_asset_answers_like_one_that_was_never_made() {
    let fixture = fixture().await;
    let m = &fixture.company;
    for foreign in
        [fixture.stranger.page, fixture.stranger.account, fixture.stranger.warehouse, fixture.stranger.app.into()]
    {
        let never = AssetId::new(foreign.get() ^ 1).unwrap();
        for query in ["", "&task=MANAGE", "&task=PICK", "&task=FLY", "&scope=ads_read", "&task=DEVELOP"] {
            for token in [&m.admin_token, &m.employee_token] {
                let (a, b) = (
                    fixture.forward(&format!("asset={foreign}{query}"), token),
                    fixture.forward(&format!("asset={never}{query}"), token),
                );
                assert_eq!((a.status, &a.text, &a.headers), (b.status, &b.text, &b.headers), "{foreign}{query}");
                assert_eq!(a.no(), (403, "not_visible"));
            }
        }
    }
}

#[tokio::test]
async fn contradictory_or_unknown_words_are_refused_before_anything_is_looked_up() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let account = m.account;
    for query in [
        format!("asset={account}&asset={}", m.page),
        format!("asset={account}&task=ANALYZE&task=MANAGE"),
        format!("scope=ads_read&scope=ads_read&asset={account}"),
        format!("asset={account}&route=x"),
        format!("asset={account}&access_token={}", m.employee_token),
        format!("asset={account}&Task=ANALYZE"),
        String::new(),
        "task=ANALYZE".to_owned(),
        "asset=".to_owned(),
        "asset=me".to_owned(),
        "asset=99999999999999999999".to_owned(),
        "asset=-1".to_owned(),
        format!("asset={account}&scope=fly"),
        format!("asset={account}&scope=ads_read,ads_management"),
    ] {
        let answer = fixture.forward(&query, &m.employee_token);
        assert_eq!(answer.no(), (400, "invalid_parameter"), "{query}: {}", answer.text);
        assert!(!answer.text.contains("vkey"), "{}", answer.text);
    }
    let target = format!("/gateway/forward-auth?asset={account}");
    assert_eq!(fixture.ask("GET", &target, &[]).no(), (401, "token_malformed"));
    let bearer = format!("Bearer {}", m.employee_token);
    let two = fixture.ask("GET", &target, &[("authorization", bearer.as_str()), ("authorization", bearer.as_str())]);
    assert_eq!(two.no(), (401, "token_malformed"));
    assert_eq!(fixture.ask("GET", &target, &[("authorization", "Basic YTpi")]).no(), (401, "token_malformed"));
    assert_eq!(
        fixture.ask("GET", &format!("{target}&access_token=x"), &[("authorization", bearer.as_str())]).no(),
        (400, "invalid_parameter")
    );
}

#[tokio::test]
async fn declared_kinds_know_their_own_tasks() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let north = m.warehouse;
    assert_eq!(north.kind(), Some(valetkey_domain::IdKind::DeclaredAsset));
    assert!(AssetKind::Page.row().is_some());
    assert_eq!(fixture.forward(&format!("asset={north}&task=PICK"), &m.employee_token).status.as_u16(), 200);
    assert_eq!(fixture.forward(&format!("asset={north}&task=COUNT"), &m.employee_token).no(), (403, "task_missing"));
    assert_eq!(fixture.forward(&format!("asset={north}&task=COUNT"), &m.admin_token).status.as_u16(), 200);
    // Task names must be exactly those of the kind.
    assert_eq!(
        fixture.forward(&format!("asset={north}&task=Pick"), &m.employee_token).no(),
        (400, "invalid_parameter")
    );
    assert_eq!(
        fixture.forward(&format!("asset={north}&task=ANALYZE"), &m.employee_token).no(),
        (400, "invalid_parameter")
    );
}

#[tokio::test]
async fn a_proof_is_checked_when_sent_and_demanded_where_the_app_says_so() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let target = format!("/gateway/forward-auth?asset={}", m.account);
    let bearer = format!("Bearer {}", m.employee_token);
    let right = proof(&m.secret, &m.employee_token);
    let ask = |proofs: &[&str]| {
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(proofs.iter().map(|p| ("x-appsecret-proof", *p)));
        fixture.ask("GET", &target, &headers)
    };
    assert_eq!(ask(&[]).status.as_u16(), 200);
    assert_eq!(ask(&[&right]).status.as_u16(), 200);
    assert_eq!(ask(&[&proof(&m.other_secret, &m.employee_token)]).no(), (403, "proof_invalid"));
    let edit = AppEdit { demands_proof: Some(true), ..AppEdit::default() };
    fixture.service.update_app(&m.person, m.app, edit).await.unwrap();
    assert_eq!(ask(&[]).no(), (403, "proof_missing"));
    assert_eq!(ask(&[&right]).status.as_u16(), 200);
    // An unreadable proof doesn't count as absent, and two proofs are not accepted.
    assert_eq!(ask(&["é"]).no(), (403, "proof_invalid"));
    assert_eq!(ask(&[&right, &right]).no(), (403, "proof_invalid"));
    assert_eq!(ask(&[""]).no(), (403, "proof_invalid"));
}

#[tokio::test]
async fn revoked_means_revoked_for_each_way_to_take_a_right_back() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let query = format!("asset={}", m.account);
    let token =
        || async { issue(&fixture.service, &m.person, m.employee, m.app, ScopeSet::all(), Lifetime::Never).await };
    let ask = |text: &str| fixture.forward(&query, text);

    let (record, text) = token().await;
    assert_eq!(ask(text.reveal()).status.as_u16(), 200);
    fixture.service.revoke_token(&m.person, record.id).await.unwrap();
    assert_eq!(ask(text.reveal()).no(), (401, "token_revoked"));

    let off = SystemUserEdit { status: Some(Status::Deactivated), ..SystemUserEdit::default() };
    fixture.service.update_system_user(&m.person, m.employee, off).await.unwrap();
    assert_eq!(ask(&m.employee_token).no(), (401, "user_deactivated"));
    let on = SystemUserEdit { status: Some(Status::Active), ..SystemUserEdit::default() };
    fixture.service.update_system_user(&m.person, m.employee, on).await.unwrap();
    assert_eq!(ask(&m.employee_token).status.as_u16(), 200);

    fixture.service.unassign(&m.person, m.account, m.employee).await.unwrap();
    assert_eq!(ask(&m.employee_token).no(), (403, "asset_not_assigned"));
    fixture.service.assign(&m.person, m.account, m.employee, vec!["ANALYZE".to_owned()]).await.unwrap();

    fixture.service.uninstall_app(&m.person, m.employee, m.app, false).await.unwrap();
    let dead = ask(&m.employee_token);
    assert_eq!(dead.status.as_u16(), 401, "{}", dead.text);
    fixture.service.install_app(&m.person, m.employee, m.app).await.unwrap();
    assert_eq!(ask(&m.employee_token).status.as_u16(), 401, "an installation brings no dead token back");

    let (_, text) = token().await;
    fixture.service.disconnect_app(&m.person, m.business, m.app).await.unwrap();
    assert_eq!(ask(text.reveal()).no(), (401, "app_disconnected"));
    fixture.service.connect_app(&m.person, m.business, m.app).await.unwrap();
    assert_eq!(ask(text.reveal()).no(), (401, "token_revoked"), "nor does a connection");

    let (_, text) = token().await;
    fixture.service.delete_system_user(&m.person, m.employee).await.unwrap();
    assert_eq!(ask(text.reveal()).no(), (401, "user_deleted"));
}

#[tokio::test]
async fn a_node_that_is_not_fresh_refuses() {
    let fixture = fixture().await;
    let m = &fixture.company;
    fixture.service.set_fresh_until_ms(0);
    let answer = fixture.forward(&format!("asset={}&task=MANAGE", m.account), &m.admin_token);
    assert_eq!(answer.no(), (503, "not_fresh"));
    let answer = fixture.forward(&format!("asset={}&task=PICK", m.warehouse), &m.admin_token);
    assert_eq!(answer.no(), (503, "not_fresh"));
}

#[tokio::test]
async fn the_trace_of_a_no_finds_it_again() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let no = fixture.forward(&format!("asset={}&task=MANAGE", m.account), &m.employee_token);
    let trace = no.body["trace"].as_str().unwrap();
    let found = fixture.service.explain(&m.person, trace).await.unwrap();
    assert_eq!((found.reason.as_str(), found.token), ("task_missing", Some(m.employee_token_id)));
    assert!(!serde_json::to_string(&found).unwrap().contains("vkey"));
    assert!(fixture.service.explain(&fixture.stranger.person, trace).await.is_err());
}
