//! Explanations show nothing of another business; the operator sees everything.

use serde_json::Value;
use valetkey_domain::{AssetId, Id, Reason};
use valetkey_service::Call;

use crate::fixture::{Fixture, alive, fixture, publish, tasks};

fn never<Of>() -> Id<Of> {
    Id::new(4_242).unwrap()
}

fn operator() -> Call {
    Call::operator("x")
}

/// Refusals of the agency about the company's Page, and about one that never was, under the traces
/// `foreign` and `never`.
async fn refused(fixture: &Fixture, text: &str) -> (AssetId, &'static [&'static str]) {
    let (service, page) = (&fixture.service, fixture.company.page);
    service.ask(&Call::with_token(text, "foreign"), publish(page)).unwrap_err();
    // As an adapter asks about an id that it does not find.
    let nothing = valetkey_service::authz::Question::about(valetkey_service::authz::Target::Asset(never()));
    service.ask(&Call::with_token(text, "never"), nothing).unwrap_err();
    (page, &["foreign", "never"])
}

#[tokio::test]
async fn a_refusal_of_what_is_not_visible_is_the_operators_alone() {
    let fixture = fixture().await;
    let (service, agency) = (&fixture.service, &fixture.agency);
    let (page, traces) = refused(&fixture, &agency.robot_token.text).await;
    for _ in 0..2 {
        let nothing = service.explain(&agency.person, "no such trace").await.unwrap_err();
        for trace in traces {
            assert_eq!(service.explain(&agency.person, trace).await.unwrap_err(), nothing, "{trace}");
        }
        assert!(service.refusals(&agency.person, 99).await.unwrap().is_empty());
        let said = service.explain(&operator(), "foreign").await.unwrap();
        assert_eq!(said.then["question"]["target"]["asset"], page.to_string());
        assert_eq!(said.then["asset"]["reach"], "neither owned nor shared");
        assert_eq!(said.now.unwrap()["asset"]["kind"], "page");
        assert_eq!(service.refusals(&operator(), 99).await.unwrap().len(), 2);
        // The same once the rows are written.
        fixture.flush().await;
    }
}

#[tokio::test]
async fn a_refusal_before_the_look_up_tells_nothing_of_a_foreign_id() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    service.revoke_token(&agency.person, agency.robot_token.id).await.unwrap();
    refused(&fixture, &agency.robot_token.text).await;
    // A user that is of another business is asked about with that business.
    let call = Call::with_token(&agency.robot_token.text, "user");
    service.delete_system_user(&call, company.robot).await.unwrap_err();
    let mut said = Vec::new();
    for trace in ["foreign", "never", "user"] {
        let found = service.explain(&agency.person, trace).await.unwrap();
        assert_eq!(found.reason, "token_revoked");
        said.push((found.then, found.now));
    }
    assert!(said.iter().all(|t| *t == said[0]), "{said:?}");
    let shown = format!("{said:?} {:?}", service.refusals(&agency.person, 99).await.unwrap());
    for hidden in [company.page, Id::of(company.business.any()), never()] {
        assert!(!shown.contains(&hidden.to_string()), "{shown}");
    }
    let found = service.explain(&operator(), "user").await.unwrap();
    assert_eq!(found.then["question"]["target"]["business"], company.business.to_string());
}

#[tokio::test]
async fn a_question_about_a_foreign_asset_is_answered_like_one_about_none() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    let token = agency.robot_token.id;
    let ask = |call: &Call, token, asset, task| service.explain_question(call, token, asset, task, None);
    for task in [None, Some("ANALYZE"), Some("NO_SUCH_TASK")] {
        for asset in [company.page, never()] {
            let refusal = ask(&agency.person, token, asset, task).unwrap_err();
            assert_eq!((refusal.reason, refusal.subject), (Reason::NotVisible, Some(asset.any())), "{task:?}");
        }
    }
    for strange in [company.robot_token.id, never()] {
        let refusal = ask(&agency.person, strange, agency.page, None).unwrap_err();
        assert_eq!((refusal.reason, refusal.subject), (Reason::NotVisible, Some(strange.any())));
    }
    let seen = ask(&operator(), token, company.page, None).unwrap();
    assert_eq!((&seen["answer"], &seen["reason"]), (&Value::from("deny"), &Value::from("not_visible")));
    // Shared assets are visible.
    service.share(&company.person, company.page, agency.business, tasks(&["ANALYZE"])).await.unwrap();
    assert_eq!(ask(&agency.person, token, company.page, None).unwrap()["reason"], "asset_not_assigned");
}

#[tokio::test]
async fn that_a_share_ended_is_reported_beside_what_was_then() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    service.share(&company.person, company.page, agency.business, tasks(&["ANALYZE"])).await.unwrap();
    service.ask(&Call::with_token(&agency.robot_token.text, "shared"), publish(company.page)).unwrap_err();
    service.ask(&Call::with_token(&agency.robot_token.text, "own"), publish(agency.page)).unwrap_err();
    let now = |by: Call, trace: &'static str| async move { service.explain(&by, trace).await.unwrap().now.unwrap() };
    assert_eq!(now(agency.person.clone(), "shared").await["reason"], Value::Null);
    service.unshare(&company.person, company.page, agency.business).await.unwrap();
    let theirs = now(agency.person.clone(), "shared").await;
    assert_eq!((&theirs["reason"], &theirs["asset"]), (&Value::from("share_ended"), &Value::Null));
    let operators = now(operator(), "shared").await;
    assert_eq!(operators["reason"], "share_ended");
    assert_eq!(operators["asset"]["reach"], "neither owned nor shared");
    assert_eq!(now(agency.person.clone(), "own").await["reason"], Value::Null);
    // A call made now learns only that there is nothing.
    assert_eq!(fixture.ask(&agency.robot_token, publish(company.page)), "not_visible");
    assert_eq!(fixture.ask(&agency.robot_token, alive()), "allow");
}
