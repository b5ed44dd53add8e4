//! Apps: their secrets, `APPID|SECRET`, `appsecret_proof`, and two secrets that overlap.

use valetkey_domain::credential::app_secret_proof;
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::token::Lifetime;
use valetkey_domain::{AppId, Reason};
use valetkey_service::authz::{Decision, Sorts};
use valetkey_service::{Service, rights};

use crate::fixture::{Fixture, alive, fixture, issue};

fn app_token(fixture: &Fixture, secret: &str) -> String {
    format!("{}|{}", fixture.company.app, secret)
}

fn proven(service: &Service, app: AppId, secret: &str) -> bool {
    service.prove_app(app, secret).is_ok()
}

#[tokio::test]
async fn an_app_is_known_by_id_and_secret() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let right = app_token(&fixture, &company.secret);
    let table = [
        (right.clone(), "allow"),
        (app_token(&fixture, "0123"), "token_unknown"),
        (app_token(&fixture, ""), "token_unknown"),
        (app_token(&fixture, &fixture.agency.secret), "token_unknown"),
        (format!("{}|{}", fixture.agency.app, company.secret), "token_unknown"),
        (format!("|{}", company.secret), "token_malformed"),
        (format!("x|{}", company.secret), "token_malformed"),
        (format!("0{right}"), "token_malformed"),
        ("|".to_owned(), "token_malformed"),
        (format!("99|{}", company.secret), "token_unknown"),
        (format!("{right} "), "token_unknown"),
        (company.secret.clone(), "token_malformed"),
        (String::new(), "token_malformed"),
        ("vkeysu_".repeat(1_000), "token_malformed"),
        (fixture.company.robot_token.text.to_lowercase(), "token_malformed"),
    ];
    for (text, wanted) in table {
        assert_eq!(crate::fixture::answer(service, &text, alive()), wanted, "{}", text.len());
    }
    // It belongs to its own business and reaches nothing by tasks or roles.
    assert_eq!(crate::fixture::answer(service, &right, app_alone(company.business)), "allow");
    assert_eq!(crate::fixture::answer(service, &right, app_alone(fixture.agency.business)), "not_visible");
    let manage = rights::MANAGE_BUSINESS.on_business(company.business);
    assert_eq!(crate::fixture::answer(service, &right, manage), "role_insufficient");
    assert_eq!(crate::fixture::answer(service, &right, manage.sorts(Sorts::ANY)), "role_insufficient");
}

#[tokio::test]
async fn a_proof_is_checked_whenever_it_is_sent_and_missed_where_it_is_demanded() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let text = &company.robot_token.text;
    let right = app_secret_proof(company.secret.as_bytes(), text);
    let of_other_token = app_secret_proof(company.secret.as_bytes(), &company.root_token.text);
    let of_other_app = app_secret_proof(fixture.agency.secret.as_bytes(), text);
    let ask = |proof: Option<&str>| match service.check(text, proof, alive()).1 {
        Decision::Allow(_) => "allow",
        Decision::Deny(denial) => denial.reason.as_str(),
    };
    for demands in [false, true] {
        let edit = AppEdit { demands_proof: Some(demands), ..AppEdit::default() };
        service.update_app(&company.person, company.app, edit).await.unwrap();
        assert_eq!(ask(None), if demands { "proof_missing" } else { "allow" });
        assert_eq!(ask(Some(&right)), "allow");
        assert_eq!(ask(Some(&right.to_uppercase())), "allow", "hexadecimal of either case");
        for wrong in [of_other_token.as_str(), of_other_app.as_str(), "", "zz", &right[1..]] {
            assert_eq!(ask(Some(wrong)), "proof_invalid", "{}", wrong.len());
        }
    }
    // A person's token belongs to no app, so no proof can be right for it.
    let person = company.person.text().unwrap();
    assert!(
        matches!(service.check(person, Some(&right), alive()).1, Decision::Deny(d) if d.reason == Reason::ProofInvalid)
    );
}

#[tokio::test]
async fn two_secrets_work_until_the_overlap_is_over() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let new = service.rotate_app_secret(&company.person, company.app, 3_600).await.unwrap().value;
    assert_ne!(new, company.secret);
    let proof_of = |secret: &str| {
        let proof = app_secret_proof(secret.as_bytes(), &company.robot_token.text);
        matches!(service.check(&company.robot_token.text, Some(&proof), alive()).1, Decision::Allow(_))
    };
    for (after_ms, old_works) in [(0, true), (3_599_999, true), (1, false)] {
        fixture.ground.clock.advance_ms(after_ms);
        assert!(proven(service, company.app, &new));
        assert!(proof_of(&new));
        assert_eq!(proven(service, company.app, &company.secret), old_works);
        assert_eq!(proof_of(&company.secret), old_works);
    }
    // Without an overlap the old secret ends at once, and an even older one does not work either.
    let newest = service.rotate_app_secret(&company.person, company.app, 0).await.unwrap().value;
    assert!(
        proven(service, company.app, &newest)
            && !proven(service, company.app, &new)
            && !proven(service, company.app, &company.secret)
    );
    assert!(proven(&fixture.ground.node(3).await, company.app, &newest), "after a restart too");
}

#[tokio::test]
async fn a_refresh_is_for_the_app_of_the_token() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    let app = service.prove_app(company.app, &company.secret).unwrap();
    let strange = service.prove_app(agency.app, &agency.secret).unwrap();
    let none = company.person.with_credential(valetkey_service::Credential::None);
    let refresh = |app, text: &str| {
        let (none, text) = (none.clone(), text.to_owned());
        async move { service.refresh_token(&none, app, &text, None).await }
    };
    let (token, text) = refresh(app, &company.robot_token.text).await.unwrap().value;
    assert_eq!((token.parent, token.user), (Some(company.robot_token.id), company.robot));
    assert_eq!(crate::fixture::answer(service, text.reveal(), alive()), "allow");
    assert_eq!(fixture.ask(&company.robot_token, alive()), "allow", "the old one goes on");
    assert_eq!(refresh(strange, &company.robot_token.text).await.unwrap_err().reason, Reason::TokenUnknown);
    assert_eq!(refresh(app, "nonsense").await.unwrap_err().reason, Reason::TokenMalformed);
    let brief = crate::fixture::try_issue(service, &company.person, company.robot, company.app, Lifetime::Seconds(60))
        .await
        .unwrap();
    fixture.ground.clock.advance_ms(60_000);
    assert_eq!(refresh(app, &brief.text).await.unwrap_err().reason, Reason::TokenExpired);
    service.revoke_token(&company.person, company.robot_token.id).await.unwrap();
    assert_eq!(refresh(app, &company.robot_token.text).await.unwrap_err().reason, Reason::TokenRevoked);
}

#[tokio::test]
async fn who_may_take_a_token_back_by_its_text() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    let app = service.prove_app(company.app, &company.secret).unwrap();
    let second = issue(service, &company.person, company.robot, company.app).await;
    // A text that was never issued, or is another business's, counts as revoked already.
    for unknown in ["nonsense", &agency.robot_token.text] {
        service.revoke_token_text(&company.robot_token.call(), app, unknown).await.unwrap();
    }
    assert_eq!(fixture.ask(&agency.robot_token, alive()), "allow");
    let not_mine =
        service.revoke_token_text(&company.robot_token.call(), app, &company.root_token.text).await.unwrap_err();
    assert_eq!(not_mine.reason, Reason::RoleInsufficient);
    let stranger = service.revoke_token_text(&agency.root_token.call(), app, &second.text).await.unwrap_err();
    assert_eq!(stranger.reason, Reason::NotVisible);
    service.revoke_token_text(&company.robot_token.call(), app, &second.text).await.unwrap();
    assert_eq!(fixture.ask(&second, alive()), "token_revoked");
    service.revoke_token_text(&company.root_token.call(), app, &company.robot_token.text).await.unwrap();
    assert_eq!(fixture.ask(&company.robot_token, alive()), "token_revoked");
}

/// A question that only an app's own token passes.
fn app_alone(business: valetkey_domain::BusinessId) -> valetkey_authz::Question {
    use valetkey_authz::{Question, Sorts, Target};
    Question::about(Target::Business(business)).sorts(Sorts::APP)
}
