//! What the commands do, and the texts of their refusals.

use aws_lc_rs::hmac;
use http::Method;
use serde_json::{Value, json};
use valetkey_testkit::clock::DAY_MS;

use crate::fixture::{By, Firm, Fixture};

#[tokio::test]
async fn a_token_is_issued_used_explained_and_revoked() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let ask = json!({"system_user": firm.employee, "app": firm.app, "scopes": ["public_profile"]});
    let issued = fixture.call(firm.admin(), "token.issue", ask).await;
    let (id, text) = (issued.text("token_id"), issued.text("access_token"));
    assert_eq!(issued.text("expires_at"), "2027-01-23T10:00:00.000Z", "60 days are the default");
    let who = fixture.call(By::Token(&text), "caller.show", json!({})).await;
    assert_eq!((&who.result()["id"], &who.result()["name"]), (&json!(firm.employee), &json!("Poster")));
    // Asking who the caller is doesn't count as a use of its token.
    let row = fixture.call(firm.admin(), "token.show", json!({"token": id})).await;
    assert_eq!(row.result()["uses"], 0);
    fixture.call(By::Token(&text), "terms.show", json!({})).await;
    let row = fixture.call(firm.admin(), "token.show", json!({"token": id})).await;
    assert_eq!((&row.result()["status"], &row.result()["uses"]), (&json!("live"), &json!(1)));
    assert!(!row.body.to_string().contains(&text));

    let refused = fixture.call(By::Token(&text), "person.list", json!({})).await;
    assert_eq!(refused.no(), (403, "scope_missing"));
    assert_eq!(refused.error()["missing"], json!({"scope": ["business_management"]}));
    assert_eq!(refused.error()["granted_by"], "ADMIN of the business");

    let revoked = fixture.call(firm.admin(), "token.revoke", json!({"token": id})).await;
    assert_eq!(fixture.call(By::Token(&text), "caller.show", json!({})).await.no(), (401, "token_revoked"));
    let revision = revoked.headers["valetkey-revision"].to_str().unwrap();
    assert_eq!(revoked.body["revision"], revision);
    let receipt = fixture.get(firm.employee(), &format!("/v1/receipts/{revision}")).await;
    assert_eq!((&receipt.body["complete"], &receipt.body["nodes"][0]["node"]), (&json!(true), &json!("node")));
}

#[tokio::test]
async fn a_token_is_revoked_with_all_that_came_from_it() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let ask = json!({"system_user": firm.employee, "app": firm.app, "scopes": ["public_profile"]});
    let first = fixture.call(firm.admin(), "token.issue", ask.clone()).await;
    let text = first.text("access_token");
    let second = fixture.call(By::Token(&text), "token.issue", ask).await.text("access_token");
    let id = first.text("token_id");
    let whole = json!({"token": id, "with_descendants": true});
    let wrong = fixture.call(firm.admin(), "token.revoke", json!({"token": id, "with_descendants": "all"})).await;
    assert_eq!(wrong.no(), (400, "invalid_parameter"));
    assert_eq!(fixture.call(By::Token(&second), "caller.show", json!({})).await.status, 200);
    let done = fixture.call(firm.admin(), "token.revoke", whole).await;
    assert_eq!(done.result(), &json!({"revoked": 2}));
    for dead in [&text, &second] {
        assert_eq!(fixture.call(By::Token(dead), "caller.show", json!({})).await.no(), (401, "token_revoked"));
    }
}

#[tokio::test]
async fn receipts_want_a_live_token_and_a_known_revision() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    assert_eq!(fixture.get(By::Nobody, "/v1/receipts/1").await.no(), (401, "token_malformed"));
    let own_app = format!("{}|{}", firm.app, firm.secret);
    assert_eq!(fixture.get(By::Token(&own_app), "/v1/receipts/1").await.status, 200);
    for unknown in ["0", "999999", "9223372036854775807"] {
        assert_eq!(
            fixture.get(firm.admin(), &format!("/v1/receipts/{unknown}")).await.no(),
            (404, "unknown_revision"),
            "{unknown}"
        );
    }
    for bad in ["x", "-1", "1.0", "99999999999999999999", "%31"] {
        assert_eq!(
            fixture.get(firm.admin(), &format!("/v1/receipts/{bad}")).await.no(),
            (400, "invalid_parameter"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn the_proof_is_taken_from_header_and_parameter() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    fixture.call(firm.admin(), "app.update", json!({"app": firm.app, "demands_proof": true})).await.result();
    assert_eq!(fixture.call(firm.admin(), "status", json!({})).await.no(), (400, "proof_missing"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, firm.secret.as_bytes());
    let tag = hmac::sign(&key, firm.admin_token.as_bytes());
    let proof: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    fixture.call(firm.admin(), "status", json!({"appsecret_proof": proof})).await.result();
    let path = "/v1/commands/status";
    fixture.send(firm.admin(), Method::POST, path, &[("appsecret-proof", &proof)], Vec::new()).await.result();
    let wrong = fixture.send(firm.admin(), Method::POST, path, &[("appsecret-proof", "00")], Vec::new()).await;
    assert_eq!(wrong.no(), (400, "proof_invalid"));
    let both = json!({"appsecret_proof": "11"}).to_string().into_bytes();
    let contradictory = fixture.send(firm.admin(), Method::POST, path, &[("appsecret-proof", &proof)], both).await;
    assert_eq!(contradictory.no(), (400, "invalid_parameter"));
    for body in [json!({"appsecret_proof": 1}), json!({"appsecret_proof": ["a"]})] {
        assert_eq!(fixture.call(firm.admin(), "status", body).await.no(), (400, "invalid_parameter"));
    }
}

#[tokio::test]
async fn an_app_proves_itself_and_reaches_no_command() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let text = format!("{}|{}", firm.app, firm.secret);
    assert_eq!(fixture.call(By::Token(&text), "person.list", json!({})).await.no(), (403, "role_insufficient"));
    let wrong = format!("{}|{}", firm.app, "0".repeat(32));
    assert_eq!(fixture.call(By::Token(&wrong), "person.list", json!({})).await.no(), (401, "token_unknown"));
}

#[tokio::test]
async fn two_credentials_or_another_scheme_are_no_credential() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let path = "/v1/commands/status";
    let bearer = format!("Bearer {}", firm.admin_token);
    for headers in [
        vec![("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
        vec![("authorization", "Basic YTpi")],
    ] {
        let answer = fixture.send(By::Nobody, Method::POST, path, &headers, Vec::new()).await;
        assert_eq!(answer.no(), (401, "token_malformed"));
        assert!(!answer.body.to_string().contains(&firm.admin_token));
    }
    // A token sent over the operator's socket counts as that token, so that a person can act there.
    let answer = fixture
        .send(By::Operator, Method::POST, "/v1/commands/caller.show", &[("authorization", &bearer)], Vec::new())
        .await;
    assert_eq!(answer.result()["type"], "system_user");
    let answer = fixture
        .send(
            By::Operator,
            Method::POST,
            "/v1/commands/caller.show",
            &[("authorization", "Bearer garbage")],
            Vec::new(),
        )
        .await;
    assert_eq!(answer.no(), (401, "token_malformed"));
}

#[tokio::test]
async fn refusals_are_found_again_by_their_trace() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let refused = fixture.call(firm.employee(), "person.list", json!({})).await;
    let trace = refused.error()["trace"].as_str().unwrap().to_owned();
    let found = fixture.call(firm.admin(), "explain.trace", json!({"trace": trace})).await;
    assert_eq!(found.result()["reason"], "role_insufficient");
    assert_eq!(found.result()["then"]["facts"]["role"], "EMPLOYEE");
    assert_eq!(found.result()["now"]["facts"]["role"], "EMPLOYEE");
    let rows = fixture.call(firm.admin(), "refusals.list", json!({"limit": 1})).await;
    assert_eq!(rows.result()["rows"][0]["trace"], trace.as_str());
    let question = json!({"token": firm.employee_token_id, "asset": firm.ad_account, "task": "ANALYZE"});
    let asked = fixture.call(firm.admin(), "explain.question", question).await;
    assert_eq!((&asked.result()["answer"], &asked.result()["reason"]), (&json!("deny"), &json!("asset_not_assigned")));
}

#[tokio::test]
async fn explanations_do_not_reach_behind_the_wall_between_businesses() {
    let fixture = Fixture::new().await;
    let (firm, other) = (Firm::found(&fixture, "velo").await, Firm::found(&fixture, "other").await);
    let foreign = fixture.call(other.admin(), "asset.rename", json!({"asset": firm.page, "name": "x"})).await;
    let never = fixture.call(other.admin(), "asset.rename", json!({"asset": "12", "name": "x"})).await;
    let mut answers = Vec::new();
    for refused in [&foreign, &never] {
        let trace = refused.error()["trace"].as_str().unwrap();
        let mut found = fixture.call(other.admin(), "explain.trace", json!({"trace": trace})).await;
        assert_eq!(found.no(), (400, "invalid_parameter"));
        found.body["error"]["trace"] = json!(null);
        answers.push(found.body);
    }
    assert_eq!(answers[0], answers[1]);
    let rows = fixture.call(other.admin(), "refusals.list", json!({})).await;
    assert!(!rows.body.to_string().contains(&firm.page));
    // The operator sees the question behind the refusal.
    let trace = foreign.error()["trace"].clone();
    let found = fixture.call(By::Operator, "explain.trace", json!({"trace": trace})).await;
    assert_eq!(found.result()["then"]["question"]["target"]["asset"], firm.page.as_str());
    for task in [Value::Null, json!("ANALYZE")] {
        let ask = |asset: &str| json!({"token": other.employee_token_id, "asset": asset, "task": task});
        for asset in [firm.page.as_str(), "12"] {
            let asked = fixture.call(other.admin(), "explain.question", ask(asset)).await;
            assert_eq!(asked.no(), (404, "not_visible"), "{asset} {task}");
        }
    }
}

#[tokio::test]
async fn lists_come_in_pages_that_miss_and_repeat_nothing() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    for i in 0..7 {
        fixture
            .call(
                firm.admin(),
                "person.create",
                json!({"name": format!("P{i}"), "email": format!("p{i}@velo.example")}),
            )
            .await
            .result();
        fixture
            .call(firm.admin(), "asset.create", json!({"kind": "pixel", "name": format!("Pixel {i}")}))
            .await
            .result();
    }
    let all = |command: &'static str, extra: Value| {
        let (fixture, by) = (&fixture, firm.admin());
        async move {
            let mut seen: Vec<String> = Vec::new();
            let mut after = Value::Null;
            loop {
                let mut body = extra.clone();
                body["limit"] = json!(3);
                body["after"] = after;
                let page = fixture.call(by, command, body).await;
                let rows = page.result()["rows"].as_array().unwrap();
                assert!(rows.len() <= 3);
                seen.extend(rows.iter().map(|r| r["id"].as_str().unwrap().to_owned()));
                after = page.result()["next"].clone();
                if after.is_null() {
                    return seen;
                }
            }
        }
    };
    let people = all("person.list", json!({})).await;
    let pixels = all("asset.list", json!({"kind": "pixel"})).await;
    let tokens = all("token.list", json!({})).await;
    for (list, count) in [(&people, 8), (&pixels, 7), (&tokens, 3)] {
        let unique: std::collections::HashSet<_> = list.iter().collect();
        assert_eq!((list.len(), unique.len()), (count, count));
    }
    assert!(people.is_sorted() && tokens.iter().rev().is_sorted());
    for limit in [json!(0), json!(1001), json!(-1), json!("5"), json!(1.5)] {
        assert_eq!(
            fixture.call(firm.admin(), "person.list", json!({"limit": limit})).await.no(),
            (400, "invalid_parameter")
        );
    }
}

#[tokio::test]
async fn the_ledger_is_listed_whole_and_verifies() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    Firm::found(&fixture, "other").await;
    let head = fixture.call(By::Operator, "ledger.head", json!({})).await.result().clone();
    let mut verifier = valetkey_store::ledger::Verifier::default();
    let mut after = json!(0);
    while !after.is_null() {
        let page = fixture.call(By::Operator, "ledger.list", json!({"after": after, "limit": 4})).await;
        for row in page.result()["rows"].as_array().unwrap() {
            verifier.check(&serde_json::from_value(row.clone()).unwrap()).unwrap();
        }
        after = page.result()["next"].clone();
    }
    let (revision, hash) = verifier.last().unwrap();
    assert_eq!(
        (json!(revision), json!(valetkey_store::ledger::to_hex(&hash))),
        (head["revision"].clone(), head["hash"].clone())
    );
    let own = fixture.call(firm.admin(), "ledger.list", json!({"limit": 1000})).await;
    assert!(own.result()["rows"].as_array().unwrap().iter().all(|r| r["business"] == firm.id.as_str()));
    // No clear secret is anywhere in what the ledger shows.
    let text = fixture.call(By::Operator, "ledger.list", json!({"limit": 1000})).await.body.to_string();
    for secret in [&firm.secret, &firm.admin_token, &firm.employee_token, &firm.person_token] {
        assert!(!text.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn names_lead_to_ids_within_what_is_visible() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let other = Firm::found(&fixture, "other").await;
    let find = |by, sort: &str, name: &str| {
        let (fixture, body) = (&fixture, json!({"sort": sort, "name": name}));
        async move {
            let found = fixture.call(by, "name.find", body).await;
            found.result()["rows"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(find(By::Operator, "app", "Shop").await, [firm.app.clone(), other.app.clone()]);
    assert_eq!(find(firm.admin(), "app", "Shop").await, std::slice::from_ref(&firm.app));
    assert_eq!(find(firm.admin(), "person", "ADA@velo.example").await, std::slice::from_ref(&firm.person));
    assert_eq!(find(firm.admin(), "business", "other").await, Vec::<String>::new());
    assert_eq!(find(firm.admin(), "system_user", "poster").await, Vec::<String>::new(), "names are whole and exact");
    fixture
        .call(firm.admin(), "share.share", json!({"asset": firm.page, "partner": other.id, "tasks": ["ANALYZE"]}))
        .await
        .result();
    assert_eq!(
        find(By::Operator, "asset", "Bikes").await,
        [firm.page.clone(), other.page.clone()],
        "a shared one is one"
    );
    assert_eq!(find(other.admin(), "asset", "Bikes").await, [other.page.clone(), firm.page.clone()]);
    fixture.call(firm.admin(), "system-user.delete", json!({"system_user": firm.employee})).await.result();
    assert_eq!(find(firm.admin(), "system_user", "Poster").await, Vec::<String>::new());
    let foreign =
        fixture.call(firm.admin(), "name.find", json!({"sort": "app", "name": "Shop", "business": other.id})).await;
    assert_eq!(foreign.no(), (404, "not_visible"));
}

#[tokio::test]
async fn a_business_is_implied_where_there_is_one_and_asked_for_where_there_are_more() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.call(By::Operator, "person.list", json!({})).await.no(), (400, "invalid_parameter"));
    let firm = Firm::found(&fixture, "velo").await;
    assert_eq!(
        fixture.call(By::Operator, "person.list", json!({})).await.result()["rows"][0]["id"],
        firm.person.as_str()
    );
    let other = Firm::found(&fixture, "other").await;
    let open = fixture.call(By::Operator, "person.list", json!({})).await;
    assert_eq!((open.no(), &open.error()["field"]), ((400, "invalid_parameter"), &json!("business")));
    assert_eq!(fixture.call(By::Operator, "person.list", json!({"business": "12"})).await.no(), (404, "not_visible"));
    assert_eq!(
        fixture.call(firm.admin(), "person.list", json!({"business": other.id})).await.no(),
        (404, "not_visible")
    );
}

#[tokio::test]
async fn shares_are_seen_by_both_sides_and_each_sees_its_own() {
    let fixture = Fixture::new().await;
    let (firm, partner, third) = (
        Firm::found(&fixture, "velo").await,
        Firm::found(&fixture, "partner").await,
        Firm::found(&fixture, "third").await,
    );
    for to in [&partner, &third] {
        fixture
            .call(firm.admin(), "share.share", json!({"asset": firm.page, "partner": to.id, "tasks": ["ADVERTISE"]}))
            .await
            .result();
    }
    let on_page = json!({"asset": firm.page});
    assert_eq!(
        fixture.call(firm.admin(), "share.list", on_page.clone()).await.result()["rows"].as_array().unwrap().len(),
        2
    );
    let seen = fixture.call(partner.admin(), "share.list", on_page.clone()).await;
    assert_eq!(seen.result()["rows"].as_array().unwrap().len(), 1);
    assert_eq!(seen.result()["rows"][0]["partner"], partner.id.as_str());
    let got = fixture.call(partner.admin(), "asset.list", json!({"reach": "shared"})).await;
    assert_eq!(got.result()["rows"][0]["permitted_tasks"], json!(["ADVERTISE"]));
    // Each side lists only the users that it assigned itself.
    let give = json!({"asset": firm.page, "user": partner.employee, "tasks": ["ADVERTISE"]});
    fixture.call(partner.admin(), "assignment.assign", give).await.result();
    let users = fixture.call(firm.admin(), "assignment.list", on_page.clone()).await;
    assert_eq!(users.result()["rows"].as_array().unwrap().len(), 1);
    assert_eq!(users.result()["rows"][0]["user"], firm.employee.as_str());
    // A partner may neither rename nor pass on what was shared with it.
    let rename = fixture.call(partner.admin(), "asset.rename", json!({"asset": firm.page, "name": "Mine"})).await;
    assert_eq!(rename.no(), (403, "role_insufficient"));
    let pass = fixture
        .call(partner.admin(), "share.share", json!({"asset": firm.page, "partner": third.id, "tasks": ["ADVERTISE"]}))
        .await;
    assert_eq!(pass.no(), (403, "role_insufficient"));
    fixture.call(partner.admin(), "share.unshare", on_page.clone()).await.result();
    assert_eq!(fixture.call(partner.admin(), "share.list", on_page).await.no(), (404, "not_visible"));
}

#[tokio::test]
async fn wrong_values_name_the_parameter_as_it_is_called_here() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let other = Firm::found(&fixture, "other").await;
    let issue = |key: &str, value: Value| {
        let mut body = json!({"system_user": firm.employee, "app": firm.app, "scopes": ["public_profile"]});
        body[key] = value;
        body
    };
    let cases = [
        ("token.issue", issue("scopes", json!(["nope"])), 400, "scopes[0]"),
        ("token.issue", issue("app", json!(other.app)), 400, "app"),
        ("token.issue", issue("lifetime_s", json!(0)), 400, "lifetime_s"),
        ("app.install", json!({"system_user": firm.employee, "app": "5"}), 400, "app"),
        ("app.connect", json!({"app": other.app}), 400, "app"),
        ("assignment.assign", json!({"asset": firm.page, "user": firm.employee, "tasks": ["DANCE"]}), 400, "tasks[0]"),
        ("assignment.assign", json!({"asset": firm.page, "user": firm.employee, "tasks": []}), 400, "tasks"),
        ("assignment.assign", json!({"asset": firm.page, "user": other.employee, "tasks": ["MANAGE"]}), 400, "user"),
        ("share.share", json!({"asset": firm.page, "partner": "7", "tasks": ["MANAGE"]}), 400, "partner"),
        ("asset.create", json!({"kind": "boat", "name": "x"}), 400, "kind"),
        ("asset.create", json!({"kind": "app", "name": "x"}), 400, "kind"),
        ("asset.create", json!({"kind": "page", "name": "a".repeat(10_000)}), 400, "name"),
        ("asset.create", json!({"kind": "page", "name": "a\u{7}b"}), 400, "name"),
        ("person.create", json!({"name": "x", "email": "nobody"}), 400, "email"),
        ("business.update", json!({"token_lifetime_limit_s": 5}), 400, "token_lifetime_limit_s"),
        ("system-user.create", json!({"name": "x", "role": "ANALYST"}), 400, "role"),
        ("asset.rename", json!({"asset": firm.app, "name": "x"}), 400, "asset"),
    ];
    for (command, body, status, field) in cases {
        let answer = fixture.call(firm.admin(), command, body.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.error()["field"]),
            (status, &json!(field)),
            "{command} {body}: {}",
            answer.body
        );
    }
    let both = fixture.call(firm.admin(), "token.issue", {
        let mut body = issue("lifetime_s", json!(60));
        body["never"] = json!(true);
        body
    });
    assert_eq!(both.await.no(), (400, "invalid_parameter"));
}

#[tokio::test]
async fn states_that_forbid_answer_409_with_what_to_do() {
    let fixture = Fixture::new().await;
    let made =
        fixture.call(By::Operator, "business.create", json!({"name": "Fresh", "admin_email": "ada@example.com"})).await;
    let person = made.text("admin");
    let create = json!({"name": "First"});
    let no_app = fixture.call(By::Operator, "system-user.create", create.clone()).await;
    assert_eq!(no_app.no(), (409, "no_connected_app"));
    fixture.call(By::Operator, "app.create", json!({"name": "App"})).await.result();
    let no_terms = fixture.call(By::Operator, "system-user.create", create.clone()).await;
    assert_eq!(
        (no_terms.no(), &no_terms.error()["granted_by"]),
        ((409, "terms_not_accepted"), &json!("ADMIN person of the business"))
    );
    assert_eq!(
        fixture.call(By::Operator, "terms.accept", json!({"version": 1})).await.no(),
        (403, "role_insufficient")
    );
    let token = fixture.sign_in(&person).await;
    fixture.call(By::Token(&token), "terms.accept", json!({"version": 1})).await.result();
    fixture.call(By::Operator, "business.update", json!({"employee_system_users_limit": 1})).await.result();
    fixture.call(By::Operator, "system-user.create", create.clone()).await.result();
    assert_eq!(fixture.call(By::Operator, "system-user.create", create).await.no(), (409, "limit_reached"));
    assert_eq!(fixture.call(By::Operator, "person.delete", json!({"person": person})).await.no(), (409, "last_admin"));
    // Only the operator may change limits.
    let raised = fixture.call(By::Token(&token), "business.update", json!({"employee_system_users_limit": 9})).await;
    assert_eq!(
        (raised.no(), &raised.error()["granted_by"]),
        ((403, "role_insufficient"), &json!("the operator of the server"))
    );
}

#[tokio::test]
async fn a_secret_goes_on_for_as_long_as_was_said() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let rotated = fixture.call(firm.admin(), "app.rotate-secret", json!({"app": firm.app, "overlap_s": 86_400})).await;
    let (old, new) = (format!("{}|{}", firm.app, firm.secret), format!("{}|{}", firm.app, rotated.text("secret")));
    for text in [&old, &new] {
        assert_eq!(fixture.get(By::Token(text), "/v1/receipts/1").await.status, 200);
    }
    let row = fixture.call(firm.admin(), "app.list", json!({})).await.result()["rows"][0].clone();
    assert_eq!(row["old_secret_works_until"], "2026-11-25T10:00:00.000Z");
    fixture.clock.advance_ms(DAY_MS);
    assert_eq!(fixture.get(By::Token(&old), "/v1/receipts/1").await.no(), (401, "token_unknown"));
    assert_eq!(fixture.get(By::Token(&new), "/v1/receipts/1").await.status, 200);
}
