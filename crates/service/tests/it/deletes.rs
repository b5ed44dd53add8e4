//! Deletes of assets, apps and businesses: what stops working with them, and that it stays so after a
//! restart.

use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::{AssetKind, Reason};
use valetkey_service::read::Guard;
use valetkey_service::{Service, rights};

use crate::fixture::{Fixture, alive, answer, fixture, issue, operator, post, publish, reader, tasks};

/// A company whose page is assigned, shared and has page tokens on both sides; gives their texts.
async fn prepared() -> (Fixture, String, String) {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    service.share(&company.person, company.page, agency.business, tasks(&["MANAGE"])).await.unwrap();
    service.assign(&agency.person, company.page, agency.robot, tasks(&["MODERATE"])).await.unwrap();
    let mut texts = Vec::new();
    for token in [&company.robot_token, &agency.robot_token] {
        let made = service.page_tokens(&token.call(), &[company.page]).await.unwrap();
        texts.push(made[0].1.reveal().to_owned());
    }
    let theirs = texts.pop().unwrap();
    let own = texts.pop().unwrap();
    (fixture, own, theirs)
}

#[tokio::test]
async fn an_asset_goes_with_assignments_shares_and_page_tokens_also_after_a_restart() {
    let (fixture, own, theirs) = prepared().await;
    let (company, agency) = (&fixture.company, &fixture.agency);
    let call = company.robot_token.call();
    let made = fixture.service.create_post(&call, publish(company.page), company.page, post("Hello")).await.unwrap();
    let (id, page) = (made.value.id, company.page);
    fixture.service.delete_asset(&company.person, page).await.unwrap();
    for service in [fixture.service.clone(), fixture.ground.node(9).await] {
        for text in [&own, &theirs] {
            assert_eq!(answer(&service, text, alive()), "token_revoked");
        }
        for token in [&company.root_token, &company.robot_token, &agency.root_token, &agency.robot_token] {
            assert_eq!(answer(&service, &token.text, alive()), "allow");
            assert_eq!(answer(&service, &token.text, publish(page)), "not_visible");
        }
        // The record and its content are kept, and out of reach.
        let kept = reader(&service).read(|s| (s.asset(page), s.asset_ever(page), s.exists(page.any()))).unwrap();
        assert!(kept.0.is_none() && kept.1.is_some() && kept.2);
        assert_eq!(service.guard(id).await.unwrap(), Guard::Absent);
        let lists = reader(&service).read(|s| {
            let shared = s.shared_assets(agency.business);
            (s.owned_assets(company.business).contains(&page), shared.contains(&page), s.users_on(page).len())
        });
        assert_eq!(lists.unwrap(), (false, false, 0));
    }
    let again = fixture.service.delete_asset(&company.person, page).await.unwrap_err();
    assert_eq!(again.reason, Reason::NotVisible);
}

#[tokio::test]
async fn only_an_admin_of_the_owner_deletes_an_asset() {
    let (fixture, own, _) = prepared().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    for (call, reason) in [
        (company.robot_token.call(), Reason::RoleInsufficient),
        (agency.person.clone(), Reason::RoleInsufficient),
        (valetkey_service::Call::with_token(&own, "page"), Reason::NotVisible),
    ] {
        assert_eq!(service.delete_asset(&call, company.page).await.unwrap_err().reason, reason);
    }
    let hidden = service.delete_asset(&agency.person, company.account).await.unwrap_err();
    assert_eq!(hidden.reason, Reason::NotVisible);
    service.delete_asset(&company.root_token.call(), company.account).await.unwrap();
}

#[tokio::test]
async fn an_app_goes_with_its_tokens_and_its_secret_also_after_a_restart() {
    let (fixture, own, _) = prepared().await;
    let company = &fixture.company;
    let (second, _) = fixture
        .service
        .create_app(&company.person, company.business, crate::fixture::name("Second"), false)
        .await
        .unwrap()
        .value;
    fixture.service.install_app(&company.person, company.robot, second).await.unwrap();
    let stays = issue(&fixture.service, &company.person, company.robot, second).await;
    let stranger = fixture.service.delete_app(&fixture.agency.person, company.app).await.unwrap_err();
    assert_eq!(stranger.reason, Reason::NotVisible);
    fixture.service.delete_app(&company.person, company.app).await.unwrap();
    for service in [fixture.service.clone(), fixture.ground.node(9).await] {
        for text in [&company.root_token.text, &company.robot_token.text, &own] {
            assert_eq!(answer(&service, text, alive()), "token_revoked");
        }
        assert_eq!(answer(&service, &stays.text, alive()), "allow");
        assert_eq!(answer(&service, &format!("{}|{}", company.app, company.secret), alive()), "token_unknown");
        assert!(service.prove_app(company.app, &company.secret).is_err());
        let left = reader(&service).read(|s| (s.installed_apps(company.robot), s.connected_apps(company.business)));
        assert_eq!(left.unwrap(), (vec![second], vec![second]));
        let gone = service.update_app(&company.person, company.app, AppEdit::default()).await.unwrap_err();
        assert_eq!(gone.reason, Reason::NotVisible);
    }
}

#[tokio::test]
async fn an_empty_business_is_deleted_by_the_operator_alone() {
    let fixture = fixture().await;
    let service = &fixture.service;
    let name = crate::fixture::name;
    let operator = operator();
    let made = service.create_business(&operator, name("Mistake"), name("Eve"), "eve@mistake.example").await;
    let (business, eve) = made.unwrap().value;
    for call in [&fixture.company.person, &fixture.company.root_token.call()] {
        let refused = service.delete_business(call, business).await.unwrap_err();
        assert_eq!(refused.reason, Reason::RoleInsufficient);
    }
    let asset = service.create_asset(&operator, AssetKind::Page, business, name("P"), serde_json::Map::new()).await;
    let asset = asset.unwrap().value;
    let full = service.delete_business(&operator, business).await.unwrap_err();
    assert!(full.note.is_some_and(|note| note.contains("assets (1)")));
    service.delete_asset(&operator, asset).await.unwrap();
    service.delete_business(&operator, business).await.unwrap();
    let again: Service = fixture.ground.node(9).await;
    for service in [service, &again] {
        let seen = reader(service).read(|s| (s.business(business), s.businesses().contains(&business), s.person(eve)));
        let (record, is_listed, person) = seen.unwrap();
        assert!(record.is_none() && !is_listed);
        assert_eq!(person.unwrap().status, valetkey_domain::Status::Deleted);
        let refused = service.ask(&fixture.company.person, rights::MANAGE_BUSINESS.on_business(business));
        assert_eq!(refused.unwrap_err().reason, Reason::NotVisible);
    }
}
