//! Jobs, as the operator sees and repairs them.

use serde_json::{Value, json};
use valetkey_domain::post::PostInput;
use valetkey_domain::{AssetKind, Id};
use valetkey_service::{Call, rights};
use valetkey_testkit::clock::HOUR_MS;

use crate::fixture::{By, Firm, Fixture};

/// The operator schedules a post in an hour; no command does that.
async fn schedule(fixture: &Fixture, page: &str) -> String {
    let at = fixture.service.now() + HOUR_MS;
    let input = PostInput {
        message: Some("Later".to_owned()),
        published: Some(false),
        scheduled_at: Some(at),
        ..PostInput::default()
    };
    let page = Id::parse(page).unwrap();
    let question = rights::PUBLISH.on_asset(page, AssetKind::Page);
    fixture.service.create_post(&Call::operator("t"), question, page, input).await.unwrap().value.id.to_string()
}

#[tokio::test]
async fn the_operator_lists_jobs_page_by_page_and_by_state() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let posts = [schedule(&fixture, &firm.page).await, schedule(&fixture, &firm.page).await];
    let list = |params: Value| fixture.call(By::Operator, "job.list", params);
    let first = list(json!({"limit": 1})).await;
    assert_eq!(first.result()["rows"].as_array().unwrap().len(), 1);
    assert_eq!(first.result()["next"], posts[0]);
    let second = list(json!({"limit": 1, "after": posts[0]})).await;
    assert_eq!((&second.result()["rows"][0]["id"], &second.result()["next"]), (&json!(posts[1]), &Value::Null));
    let row = &first.result()["rows"][0];
    assert_eq!(row["about"], posts[0]);
    assert_eq!((&row["kind"], &row["state"]), (&json!("publish_post"), &json!("waiting")));
    assert_eq!((&row["asset"], &row["asset_name"]), (&json!(firm.page), &json!("Bikes")));
    assert_eq!(row["actor"], json!({"type": "operator", "id": null, "token": null}));
    assert_eq!((&row["attempts"], &row["reason"], &row["tried_at"]), (&json!(0), &Value::Null, &Value::Null));
    assert!(row["due_at"].is_string() && row["next_at"] == row["due_at"]);
    assert!(list(json!({"state": "failed"})).await.result()["rows"].as_array().unwrap().is_empty());
    assert_eq!(list(json!({"state": "asleep"})).await.no(), (400, "invalid_parameter"));
}

#[tokio::test]
async fn a_refusal_about_a_job_says_what_to_do_instead() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    let job = schedule(&fixture, &firm.page).await;
    for (command, words) in [("job.confirm", "job.retry"), ("job.cancel", "change or delete")] {
        let refused = fixture.call(By::Operator, command, json!({"job": job})).await;
        assert_eq!(refused.no(), (400, "invalid_parameter"), "{command}");
        assert!(refused.error()["message"].as_str().unwrap().contains(words), "{}", refused.body);
        assert_eq!(refused.error()["field"], "job");
    }
    // A retry of a resting job lets it be tried as soon as it is due.
    fixture.clock.advance_ms(HOUR_MS);
    let retried = fixture.call(By::Operator, "job.retry", json!({"job": job})).await;
    assert!(retried.result().is_object() && retried.headers.contains_key("valetkey-revision"));
}
