//! Refusals explained in sentences, what a user can do, and tokens that are found by their text.

use serde_json::json;

use crate::fixture::{Firm, Fixture};

#[tokio::test]
async fn refusals_are_explained_in_sentences_with_what_mends_them() {
    let fixture = Fixture::new().await;
    let firm = Firm::found(&fixture, "velo").await;
    for _ in 0..2 {
        fixture.call(firm.employee(), "person.list", json!({})).await.error();
    }
    let rows = fixture.call(firm.admin(), "refusals.list", json!({"grouped": true})).await;
    let row = &rows.result()["rows"][0];
    assert_eq!((&row["short"], &row["times"]), (&json!("Poster could not manage velo"), &json!(2)));
    assert_eq!((&row["answer_now"], &rows.result()["still_refused"]), (&json!("refused"), &json!(1)));
    let each = fixture.call(firm.admin(), "refusals.list", json!({})).await;
    assert_eq!(each.result()["rows"].as_array().unwrap().len(), 2);
    let found = fixture.call(firm.admin(), "explain.trace", json!({"trace": row["trace"]})).await;
    let sentence =
        "Poster could not manage velo, because only an ADMIN person or ADMIN system user of the business can do this.";
    assert_eq!(found.result()["sentence"], sentence);
    assert_eq!(found.result()["checks"][4]["now"]["text"], "Has the role EMPLOYEE");
    let ask = json!({"user": firm.employee, "asset": firm.ad_account, "task": "ANALYZE"});
    let can = fixture.call(firm.admin(), "explain.can", ask).await;
    assert_eq!(can.result()["answer"], "refused");
    assert_eq!(can.result()["mend"]["do"], "assign");
    let command = format!("valetkey assignment assign {} {} ANALYZE", firm.ad_account, firm.employee);
    assert_eq!(can.result()["command"], command);
}

#[tokio::test]
async fn a_leaked_token_is_found_and_revoked_by_its_text_and_never_repeated() {
    let fixture = Fixture::new().await;
    let (firm, other) = (Firm::found(&fixture, "velo").await, Firm::found(&fixture, "other").await);
    let text = json!({"text": firm.employee_token});
    let found = fixture.call(firm.admin(), "token.find", text.clone()).await;
    assert_eq!((&found.result()["found"], &found.result()["user_name"]), (&json!("token"), &json!("Poster")));
    assert_eq!(found.result()["reach"][0]["tasks"], json!(["CREATE_CONTENT"]));
    assert_eq!(fixture.call(other.admin(), "token.find", text.clone()).await.result()["found"], "unknown");
    let cut = json!({"text": &firm.employee_token[..20]});
    assert_eq!(fixture.call(firm.admin(), "token.find", cut).await.result()["found"], "malformed");
    let foreign = fixture.call(other.admin(), "token.revoke-text", text.clone()).await;
    assert_eq!(foreign.no(), (400, "invalid_parameter"));
    let done = fixture.call(firm.admin(), "token.revoke-text", text.clone()).await;
    assert_eq!(done.result()["token"], firm.employee_token_id.as_str());
    assert_eq!(fixture.call(firm.employee(), "caller.show", json!({})).await.no(), (401, "token_revoked"));
    for answer in [found, foreign, done] {
        assert!(!answer.body.to_string().contains(&firm.employee_token));
    }
}
