//! Previews: refused like the act, and nothing is written by them. Deletes, and lists of access.

use serde_json::{Value, json};
use valetkey_api::commands;

use crate::fixture::{By, Firm, Fixture};

/// Parameters of every command that can be previewed, each with something to take away.
fn acts(firm: &Firm, other: &Firm) -> Vec<(&'static str, Value)> {
    let user = &firm.employee;
    vec![
        ("person.update", json!({"person": firm.person, "name": "Ada"})),
        ("person.delete", json!({"person": firm.person})),
        ("app.update", json!({"app": firm.app, "allowed_scopes": ["pages_show_list"]})),
        ("app.disconnect", json!({"business": firm.id, "app": firm.app})),
        ("app.uninstall", json!({"system_user": user, "app": firm.app})),
        ("app.delete", json!({"app": firm.app})),
        ("business.delete", json!({"business": firm.id})),
        ("system-user.deactivate", json!({"system_user": user})),
        ("system-user.delete", json!({"system_user": user})),
        ("asset.delete", json!({"asset": firm.page})),
        ("assignment.assign", json!({"asset": firm.page, "user": user, "tasks": ["ANALYZE"]})),
        ("assignment.unassign", json!({"asset": firm.page, "user": user})),
        ("share.share", json!({"asset": firm.page, "partner": other.id, "tasks": ["ANALYZE"]})),
        ("share.unshare", json!({"asset": firm.page, "partner": other.id})),
        ("token.revoke", json!({"token": firm.employee_token_id})),
        ("token.revoke-all", json!({"system_user": user})),
    ]
}

fn previewed(params: &Value) -> Value {
    let mut params = params.clone();
    params["preview"] = json!(true);
    params
}

#[tokio::test]
async fn a_preview_writes_nothing_and_is_refused_as_the_act_is() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let other = Firm::found(&fixture, "other").await;
    let tasks = json!(["CREATE_CONTENT", "ANALYZE"]);
    let share = json!({"asset": firm.page, "partner": other.id, "tasks": tasks});
    fixture.call(firm.admin(), "share.share", share).await.result();
    let acts = acts(&firm, &other);
    let named: Vec<&str> = acts.iter().map(|(name, _)| *name).collect();
    for command in commands().filter(|c| c.params.iter().any(|p| p.name == "preview")) {
        assert!(named.contains(&command.name), "{} is not tried", command.name);
    }
    for (name, params) in &acts {
        let before = fixture.call(By::Operator, "ledger.head", json!({})).await.result().clone();
        // Those who may not do it, and what the operator and an ADMIN get.
        for by in [other.admin(), other.employee(), firm.employee(), firm.admin(), By::Operator] {
            let seen = fixture.call(by, name, previewed(params)).await;
            let own = matches!(*name, "token.revoke" | "token.revoke-all");
            match (by, *name) {
                // A partner may end its share.
                (By::Token(text), "share.unshare") if text == other.admin_token => {
                    assert_eq!(seen.result()["shares"]["total"], 1);
                }
                (By::Token(text), _) if text == other.admin_token || text == other.employee_token => {
                    // Of an asset that is shared with it, an ADMIN learns that the user is none of its own.
                    let is_of_user = name.starts_with("assignment.") && seen.no() == (400, "invalid_parameter");
                    assert!(is_of_user || [403, 404].contains(&seen.no().0), "{name}: {}", seen.body);
                }
                (By::Token(text), _) if text == firm.employee_token && !own => {
                    assert_eq!(seen.no(), (403, "role_insufficient"), "{name}");
                }
                (_, "person.delete") => assert_eq!(seen.no(), (409, "last_admin"), "{name}"),
                (By::Operator, "business.delete") => assert_eq!(seen.no(), (400, "invalid_parameter"), "{name}"),
                (_, "business.delete") => assert_eq!(seen.no(), (403, "role_insufficient"), "{name}"),
                _ => {
                    assert_eq!(seen.result()["preview"], true, "{name}");
                    assert!(!seen.headers.contains_key("valetkey-revision"), "{name}: nothing was written");
                }
            }
        }
        let after = fixture.call(By::Operator, "ledger.head", json!({})).await.result().clone();
        assert_eq!(before, after, "{name} wrote something");
    }
}

#[tokio::test]
async fn a_preview_lists_the_tokens_that_stop_with_their_use() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    fixture.call(firm.employee(), "kind.list", json!({})).await.result();
    let delete = json!({"system_user": firm.employee, "preview": true});
    let seen = fixture.call(firm.admin(), "system-user.delete", delete).await;
    let found = seen.result();
    assert_eq!((&found["asks"], &found["changes_nothing"]), (&json!(true), &json!(false)));
    assert_eq!(found["tokens"]["total"], 1);
    let row = &found["tokens"]["rows"][0];
    assert_eq!((&row["id"], &row["user_name"]), (&json!(firm.employee_token_id), &json!("Poster")));
    assert_eq!((&row["app_name"], &row["uses_30_days"]), (&json!("Shop"), &json!(1)));
    assert_eq!(row["last_used_at"], "2026-11-24T10:00:00.000Z");
    assert_eq!(found["assignments"]["rows"][0]["tasks"], json!(["CREATE_CONTENT"]));
    assert_eq!(found["reach"]["rows"][0]["lost"], json!(["CREATE_CONTENT"]));
    assert!(!seen.body.to_string().contains(&firm.employee_token));
    let again = json!({"token": firm.employee_token_id, "preview": false});
    assert_eq!(fixture.call(firm.admin(), "token.revoke", again).await.status, 200, "false is no preview");
    let nothing = json!({"token": firm.employee_token_id, "preview": true});
    let nothing = fixture.call(firm.admin(), "token.revoke", nothing).await;
    assert_eq!((&nothing.result()["asks"], &nothing.result()["changes_nothing"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn what_was_deleted_is_like_what_never_was() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let about = json!({"asset": firm.page});
    fixture.call(firm.admin(), "asset.delete", json!({"asset": firm.app})).await.error();
    fixture.call(firm.admin(), "asset.delete", about.clone()).await.result();
    for command in ["asset.delete", "access.asset", "share.list", "assignment.list"] {
        assert_eq!(fixture.call(firm.admin(), command, about.clone()).await.no(), (404, "not_visible"), "{command}");
        assert_eq!(fixture.call(By::Operator, command, about.clone()).await.no(), (404, "not_visible"), "{command}");
    }
    let list = fixture.call(firm.admin(), "asset.list", json!({})).await;
    assert!(!list.body.to_string().contains(&firm.page));
    let found = fixture.call(firm.admin(), "name.find", json!({"sort": "asset", "name": "Bikes"})).await;
    assert_eq!(found.result()["rows"], json!([]));
    // The entry that deleted it keeps its name.
    let ledger = fixture.call(By::Operator, "ledger.list", json!({"limit": 1000})).await;
    assert!(ledger.body.to_string().contains("asset_deleted"));
}

#[tokio::test]
async fn access_is_listed_by_asset_by_user_and_as_a_window() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let other = Firm::found(&fixture, "other").await;
    let share = json!({"asset": firm.page, "partner": other.id, "tasks": ["ANALYZE"]});
    fixture.call(firm.admin(), "share.share", share).await.result();
    let on = fixture.call(firm.admin(), "access.asset", json!({"asset": firm.page})).await;
    let rows = on.result()["rows"].as_array().unwrap();
    let row = |id: &str| rows.iter().find(|r| r["id"] == id).unwrap_or_else(|| panic!("{id} in {rows:?}"));
    assert_eq!((rows.len(), &on.result()["total"]), (4, &json!(4)), "{rows:?}");
    let assigned = row(&firm.employee);
    assert_eq!((&assigned["path"], &assigned["tasks"]), (&json!("assignment"), &json!(["CREATE_CONTENT"])));
    assert_eq!(assigned["by"], json!(firm.person));
    assert_eq!(row(&firm.admin)["path"], "role");
    assert_eq!((&row(&other.id)["type"], &row(&other.id)["tasks"]), (&json!("PARTNER"), &json!(["ANALYZE"])));
    assert!(!on.body.to_string().contains(&other.admin), "a partner's users are not named");
    // An EMPLOYEE sees its own row; the partner sees its own users.
    let own = fixture.call(firm.employee(), "access.asset", json!({"asset": firm.page})).await;
    assert_eq!(own.result()["rows"].as_array().unwrap().len(), 1);
    let theirs = fixture.call(other.admin(), "access.asset", json!({"asset": firm.page})).await;
    assert!(theirs.body.to_string().contains(&other.admin) && !theirs.body.to_string().contains(&firm.employee));
    let of = fixture.call(firm.employee(), "access.user", json!({"user": firm.employee})).await;
    assert_eq!(of.result()["rows"][0]["id"], json!(firm.page));
    let ask = json!({"kind": "page", "task": "CREATE_CONTENT", "sort": "system_user"});
    let window = fixture.call(firm.admin(), "access.list", ask).await;
    let rows = window.result()["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &window.result()["total_users"]), (2, &json!(2)), "{rows:?}");
    assert_eq!(window.result()["total_assets"], 1);
    let wrong = fixture.call(firm.admin(), "access.list", json!({"kind": "spaceship"})).await;
    assert_eq!(wrong.no(), (400, "invalid_parameter"));
}
