//! The journal of refusals: a refusal is found by its trace, with the facts that it rested on.

use valetkey_domain::{Id, Reason, Role};
use valetkey_service::Call;

use crate::fixture::{Fixture, alive, fixture, name, publish};

fn traced(fixture: &Fixture, trace: &str) -> Call {
    Call::with_token(&fixture.company.robot_token.text, trace)
}

#[tokio::test]
async fn a_refusal_is_found_by_its_trace_before_and_after_it_is_written() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let root = company.root_token.call();
    service.ask(&traced(&fixture, "A1"), publish(company.page)).unwrap_err();
    for written in [false, true] {
        if written {
            fixture.flush().await;
            assert!(fixture.ground.store.refusal("A1").await.unwrap().is_some());
        }
        let said = service.explain(&root, "A1").await.unwrap();
        assert_eq!((said.reason.as_str(), said.token), ("asset_not_assigned", Some(company.robot_token.id)));
        assert_eq!(said.at, service.now());
        let page = company.page.to_string();
        assert_eq!(said.then.pointer("/question/target/asset").and_then(|v| v.as_str()), Some(page.as_str()));
        assert_eq!(said.then["question"]["need"]["one_of"][0], "CREATE_CONTENT");
        assert_eq!(said.then["asset"]["reach"], "owned");
        assert_eq!(said.then["asset"]["assigned"], serde_json::json!([]));
    }
}

#[tokio::test]
async fn then_stands_beside_now() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    service.ask(&traced(&fixture, "A2"), publish(company.page)).unwrap_err();
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let said = service.explain(&company.root_token.call(), "A2").await.unwrap();
    assert_eq!(said.then["asset"]["assigned"], serde_json::json!([]));
    assert_eq!(said.now.unwrap()["asset"]["assigned"], serde_json::json!(["CREATE_CONTENT"]));
}

#[tokio::test]
async fn who_may_look() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    service.ask(&traced(&fixture, "A3"), publish(company.page)).unwrap_err();
    assert!(service.explain(&Call::operator("x"), "A3").await.is_ok());
    assert!(service.explain(&company.person, "A3").await.is_ok());
    let employee = service.explain(&company.robot_token.call(), "A3").await.unwrap_err();
    assert_eq!(employee.reason, Reason::RoleInsufficient);
    let strangers = service.explain(&fixture.agency.root_token.call(), "A3").await.unwrap_err();
    let nothing = service.explain(&fixture.agency.root_token.call(), "never").await.unwrap_err();
    assert_eq!(strangers, nothing);
    assert!(
        service
            .refusals(&fixture.agency.person, 99)
            .await
            .unwrap()
            .iter()
            .all(|r| r.business == Some(fixture.agency.business))
    );
}

#[tokio::test]
async fn refusals_of_commands_and_of_rules_are_remembered_too() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let root = company.root_token.call();
    let robot = traced(&fixture, "C1");
    service.create_system_user(&robot, company.business, name("S"), Role::Employee, None).await.unwrap_err();
    let by_rule = root.with_trace("C2".to_owned());
    service.create_person(&by_rule, company.business, name("Ada"), "ada@rad.example", Role::Admin).await.unwrap_err();
    let stranger = root.with_trace("C3".to_owned());
    service.install_app(&stranger, Id::new(4_242).unwrap(), company.app).await.unwrap_err();
    let operator = Call::operator("x");
    for (trace, reason, by) in
        [("C1", "role_insufficient", &root), ("C2", "invalid_parameter", &root), ("C3", "not_visible", &operator)]
    {
        assert_eq!(service.explain(by, trace).await.unwrap().reason, reason, "{trace}");
    }
}

#[tokio::test]
async fn a_flood_from_one_source_is_cut_and_others_are_heard() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    for n in 0..500 {
        service.ask(&traced(&fixture, &format!("F{n}")), publish(company.page)).unwrap_err();
    }
    let other = Call::with_token(&fixture.agency.robot_token.text, "other");
    service.ask(&other, publish(company.page)).unwrap_err();
    let all = service.refusals(&Call::operator("x"), 10_000).await.unwrap();
    assert_eq!(all.iter().filter(|r| r.trace.starts_with('F')).count(), 120);
    assert!(all.iter().any(|r| r.trace == "other"));
    // A minute later the source may write again.
    fixture.ground.clock.advance_ms(60_000);
    service.ask(&traced(&fixture, "later"), publish(company.page)).unwrap_err();
    assert!(service.explain(&Call::operator("x"), "later").await.is_ok());
}

#[tokio::test]
async fn the_journal_holds_no_secret() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let secret = format!("{}|{}", company.app, company.secret);
    service.ask(&Call::with_token(&secret, "S1"), publish(company.page)).unwrap_err();
    service.ask(&traced(&fixture, "S2").with_proof(Some("00".repeat(32))), alive()).unwrap_err();
    service.ask(&Call::with_token("vkeysu_nonsense", "S3"), alive()).unwrap_err();
    let rows = service.refusals(&Call::operator("x"), 99).await.unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let shown = format!("{row:?}");
        for hidden in [&company.secret, &company.robot_token.text, &"00".repeat(32), &"nonsense".to_owned()] {
            assert!(!shown.contains(hidden.as_str()), "{}", row.trace);
        }
    }
    assert!(!format!("{:?}", traced(&fixture, "x")).contains(&company.robot_token.text));
}
