//! Every row of the table with no, dead, foreign and weak credentials, and with the right one.

use serde_json::{Value, json};
use valetkey_api::{Access, Command, commands};

use crate::fixture::{By, Firm, Fixture};

/// Valid parameters of a command about a business, or `None` for a command that is missing here.
fn params(name: &str, firm: &Firm, other: &Firm) -> Option<Value> {
    let user = &firm.employee;
    Some(match name {
        "business.create" => json!({"name": "New", "admin_email": "new@example.com"}),
        "business.list" | "app.list" | "person.list" | "system-user.list" | "asset.list" | "share.list"
        | "sign-in.list" | "ledger.list" | "activity.list" | "token.list" => json!({"limit": 5}),
        "access.list" => json!({"user_limit": 5}),
        "business.update" => json!({"business": firm.id, "strict_visibility": false}),
        "person.create" => json!({"business": firm.id, "name": "Bo", "email": "bo@example.com"}),
        "person.update" => json!({"person": firm.person, "name": "Ada"}),
        "person.delete" | "sign-in.create" => json!({"person": firm.person}),
        "app.create" => json!({"business": firm.id, "name": "Second"}),
        "app.update" => json!({"app": firm.app, "name": "Shop 2"}),
        "app.narrowing" => json!({"app": firm.app, "allowed_scopes": ["pages_show_list"]}),
        "app.rotate-secret" => json!({"app": firm.app, "overlap_s": 60}),
        "app.connect" | "app.disconnect" => json!({"business": firm.id, "app": firm.app}),
        "app.install" | "app.uninstall" => json!({"system_user": user, "app": firm.app}),
        "system-user.create" => json!({"business": firm.id, "name": "More"}),
        "system-user.rename" => json!({"system_user": user, "name": "Writer"}),
        "system-user.describe" => json!({"system_user": user, "description": "Posts"}),
        "system-user.activate" | "system-user.deactivate" | "system-user.delete" => json!({"system_user": user}),
        "asset.create" => json!({"business": firm.id, "kind": "catalog", "name": "Parts"}),
        "asset.delete" => json!({"asset": firm.page}),
        "app.delete" => json!({"app": firm.app}),
        "business.delete" => json!({"business": firm.id}),
        "access.asset" => json!({"asset": firm.page}),
        "access.user" => json!({"user": user}),
        "asset.rename" => json!({"asset": firm.page, "name": "Wheels"}),
        "assignment.assign" => json!({"asset": firm.ad_account, "user": user, "tasks": ["ANALYZE"]}),
        "assignment.unassign" => json!({"asset": firm.page, "user": user}),
        "assignment.list" => json!({"user": user}),
        "share.share" => json!({"asset": firm.page, "partner": other.id, "tasks": ["ANALYZE"]}),
        "share.unshare" => json!({"asset": firm.page, "partner": other.id}),
        "token.issue" => {
            json!({"system_user": user, "app": firm.app, "scopes": ["business_management"], "add_dependencies": true, "lifetime_s": 60})
        }
        "token.show" | "token.uses" | "token.revoke" => json!({"token": firm.employee_token_id}),
        "token.revoke-all" => json!({"system_user": user}),
        "token.find" | "token.revoke-text" => json!({"text": firm.employee_token}),
        "terms.accept" => json!({"version": 1}),
        "terms.replace" => json!({"text": "New terms."}),
        "explain.trace" => json!({"trace": "Azzzzzzzzzzzzzzzzzzzzz"}),
        // This is no job's id. Other tests try existing jobs.
        "job.retry" | "job.confirm" | "job.cancel" => json!({"job": firm.page}),
        "job.list" => json!({"state": "failed", "limit": 5}),
        "explain.question" => json!({"token": firm.employee_token_id, "asset": firm.page}),
        "explain.can" => json!({"user": user, "asset": firm.page, "task": "CREATE_CONTENT"}),
        "name.find" => json!({"sort": "app", "name": "Shop"}),
        "terms.show" | "ledger.head" | "refusals.list" | "kind.list" | "scope.list" | "caller.show" | "status" => {
            json!({})
        }
        _ => return None,
    })
}

/// The answers to a caller of another business: a refusal, or only its own data.
fn foreign(command: &Command) -> &'static [(u16, &'static str)] {
    match (command.access, command.name) {
        (Access::Operator, _) => &[(403, "role_insufficient")],
        (Access::AdminPerson, _) => &[(403, "role_insufficient")],
        (Access::Anyone, _) => &[],
        (
            _,
            "business.list" | "app.list" | "person.list" | "system-user.list" | "asset.list" | "share.list"
            | "sign-in.list" | "access.list",
        ) => &[],
        (
            _,
            "ledger.list" | "activity.list" | "ledger.head" | "refusals.list" | "name.find" | "status" | "token.list"
            | "token.find",
        ) => &[],
        (_, "explain.trace" | "token.revoke-text") => &[(400, "invalid_parameter")],
        _ => &[(404, "not_visible")],
    }
}

#[tokio::test]
async fn every_command_has_parameters_here() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    for command in commands() {
        assert!(params(command.name, &firm, &firm).is_some(), "{} is not walked", command.name);
    }
}

#[tokio::test]
async fn no_and_dead_credentials_get_401_before_anything_else_is_looked_at() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let revoked = Firm::found(&fixture, "gone").await;
    fixture.call(By::Operator, "token.revoke-all", json!({"system_user": revoked.admin})).await.result();
    let cut = &firm.admin_token[..30];
    let cases = [
        (By::Nobody, "token_malformed"),
        (By::Token("garbage"), "token_malformed"),
        (By::Token(cut), "token_malformed"),
        (By::Token(&revoked.admin_token), "token_revoked"),
        (By::Token("123|secret"), "token_unknown"),
    ];
    for command in commands() {
        for (by, reason) in cases {
            for body in [params(command.name, &firm, &revoked).unwrap(), json!({"nonsense": 1}), json!([])] {
                let answer = fixture.call(by, command.name, body).await;
                assert_eq!(answer.no(), (401, reason), "{} by {by:?}", command.name);
                assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
                assert!(!answer.body.to_string().contains("secret"), "{}", answer.body);
            }
        }
    }
}

/// A page token acts for its Page alone. It does not have the ADMIN rights of its user.
#[tokio::test]
async fn an_admins_page_token_reaches_nothing_but_its_page() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let other = Firm::found(&fixture, "other").await;
    let page = valetkey_domain::Id::parse(&firm.page).unwrap();
    let call = valetkey_service::Call::with_token(&firm.admin_token, "trace");
    let token = fixture.service.page_tokens(&call, &[page]).await.unwrap().remove(0).1;
    let mut passed = Vec::new();
    for command in commands() {
        let answer =
            fixture.call(By::Token(token.reveal()), command.name, params(command.name, &firm, &other).unwrap());
        let answer = answer.await;
        if answer.status == 200 {
            passed.push(command.name);
        } else {
            assert!([400, 403, 404].contains(&answer.no().0), "{}: {}", command.name, answer.body);
        }
    }
    assert_eq!(passed, PAGE_COMMANDS, "what a page token may do");
}

/// The commands that an ADMIN's page token may call, for its own Page only.
const PAGE_COMMANDS: &[&str] = &["share.share"];

#[tokio::test]
async fn an_employee_gets_what_is_its_own_and_nothing_else() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let other = Firm::found(&fixture, "other").await;
    for command in commands() {
        // Other tests try the commands that would revoke the token of this walk.
        if ["token.revoke", "token.revoke-all"].contains(&command.name) {
            continue;
        }
        let answer = fixture.call(firm.employee(), command.name, params(command.name, &firm, &other).unwrap()).await;
        let own = command.name == "token.list";
        match command.access {
            Access::Anyone | Access::AdminOrSelf if !own => {
                assert_eq!(answer.status, 200, "{}: {}", command.name, answer.body)
            }
            _ => assert_eq!(answer.no(), (403, "role_insufficient"), "{}", command.name),
        }
    }
    let own = fixture.call(firm.employee(), "token.list", json!({"user": firm.employee})).await;
    assert!(!own.result()["rows"].as_array().unwrap().is_empty());
    let about_chief = json!({"user": firm.admin});
    for command in ["token.list", "assignment.list"] {
        assert_eq!(fixture.call(firm.employee(), command, about_chief.clone()).await.no(), (403, "role_insufficient"));
    }
}

#[tokio::test]
async fn a_foreign_admin_learns_nothing() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let other = Firm::found(&fixture, "other").await;
    fixture
        .call(By::Operator, "share.share", json!({"asset": firm.ad_account, "partner": other.id, "tasks": ["ANALYZE"]}))
        .await
        .result();
    for command in commands() {
        let body = params(command.name, &firm, &other).unwrap();
        let by = other.admin();
        let before = fixture.call(By::Operator, "ledger.head", json!({})).await.result().clone();
        let answer = fixture.call(by, command.name, body.clone()).await;
        match foreign(command) {
            [] => {
                assert_eq!(answer.status, 200, "{}: {}", command.name, answer.body);
                let text = answer.body.to_string();
                for secret in [&firm.page, &firm.employee, &firm.admin, &firm.person] {
                    assert!(!text.contains(secret.as_str()), "{} shows {secret}: {text}", command.name);
                }
                continue;
            }
            allowed if command.name.starts_with("share.") || command.name.starts_with("assignment.") => {
                let no = answer.no();
                assert!(allowed.contains(&no) || no == (400, "invalid_parameter"), "{}: {no:?}", command.name);
            }
            allowed => assert!(allowed.contains(&answer.no()), "{}: {}", command.name, answer.body),
        }
        let after = fixture.call(By::Operator, "ledger.head", json!({})).await.result().clone();
        assert_eq!(before, after, "{} wrote something", command.name);
    }
}

#[tokio::test]
async fn a_foreign_id_looks_like_one_that_never_was() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let other = Firm::found(&fixture, "other").await;
    let named =
        [&firm.id, &firm.person, &firm.app, &firm.employee, &firm.page, &firm.ad_account, &firm.employee_token_id];
    for command in commands() {
        let body = params(command.name, &firm, &other).unwrap().to_string();
        let Some(id) = named.iter().find(|id| body.contains(id.as_str())) else { continue };
        // Another id of the same length that nothing has.
        let never = format!("{}{}", &id[..id.len() - 1], (id.as_bytes()[id.len() - 1] - b'0' + 5) % 10);
        let unknown = body.replace(id.as_str(), &never);
        let answer = |text: String| {
            let fixture = &fixture;
            let by = other.admin();
            async move {
                let mut found = fixture.call(by, command.name, serde_json::from_str(&text).unwrap()).await;
                found.body["error"]["trace"] = json!(null);
                (found.status, found.body)
            }
        };
        let (there, gone) = (answer(body).await, answer(unknown).await);
        assert_eq!(there.0, gone.0, "{}: {} / {}", command.name, there.1, gone.1);
        let masked = there.1.to_string().replace(id.as_str(), &never);
        assert_eq!(masked, gone.1.to_string(), "{}", command.name);
    }
}

#[tokio::test]
async fn the_operator_and_an_admin_get_through_all_of_it() {
    for operator in [true, false] {
        let fixture = Fixture::new().await;
        let firm = Firm::found(&fixture, "velo").await;
        let other = Firm::found(&fixture, "other").await;
        // Commands that end something come last, in an order in which each still has something to
        // end.
        let last = [
            "token.revoke",
            "token.revoke-text",
            "token.revoke-all",
            "app.uninstall",
            "system-user.deactivate",
            "system-user.delete",
            "app.disconnect",
            "asset.delete",
            "app.delete",
            "business.delete",
        ];
        let ends = |c: &&Command| last.iter().position(|n| *n == c.name);
        let mut rows: Vec<&Command> = commands().collect();
        rows.sort_by_key(|c| (ends(c).map_or(0, |at| at + 1), c.name == "share.unshare", c.name == "terms.replace"));
        for command in rows {
            let by = if operator { By::Operator } else { By::Token(&firm.person_token) };
            let mut body = params(command.name, &firm, &other).unwrap();
            if operator
                && [
                    "app.list",
                    "person.list",
                    "system-user.list",
                    "asset.list",
                    "share.list",
                    "token.list",
                    "access.list",
                ]
                .contains(&command.name)
            {
                body["business"] = json!(firm.id);
            }
            let answer = fixture.call(by, command.name, body).await;
            match (operator, command.access, command.name) {
                (_, _, "explain.trace") => assert_eq!(answer.no(), (400, "invalid_parameter")),
                (true, _, "job.retry" | "job.confirm" | "job.cancel") => {
                    assert_eq!(answer.no(), (404, "not_visible"), "{}", command.name)
                }
                (_, _, "person.delete") => assert_eq!(answer.no(), (409, "last_admin")),
                // It still has an asset.
                (true, _, "business.delete") => assert_eq!(answer.no(), (400, "invalid_parameter")),
                (true, Access::AdminPerson, _) | (false, Access::Operator, _) => {
                    assert_eq!(answer.no(), (403, "role_insufficient"), "{}", command.name);
                }
                _ => {
                    answer.result();
                    assert_eq!(answer.headers.contains_key("valetkey-revision"), command.writes, "{}", command.name);
                    assert!(answer.body["revision"].as_str().is_some_and(|r| r.parse::<u64>().is_ok()));
                }
            }
        }
    }
}
