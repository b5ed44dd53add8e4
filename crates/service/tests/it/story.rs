//! The whole story once: a system user acts on a Page, is refused on an ad account, and is revoked.

use valetkey_domain::campaign::CampaignInput;
use valetkey_domain::post::Post;
use valetkey_domain::rules::token::Lifetime;
use valetkey_domain::{AssetKind, Reason, Role};
use valetkey_service::operator::Operator;
use valetkey_service::token::TokenStatus;
use valetkey_service::{Call, rights};

use crate::fixture::{alive, fixture, issue, name, post, publish, tasks, try_issue};

#[tokio::test]
async fn a_system_user_acts_on_a_page_and_is_cut_off() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let root = company.root_token.call();
    let robot =
        service.create_system_user(&root, company.business, name("Poster"), Role::Employee, None).await.unwrap().value;
    let early = try_issue(service, &root, robot, company.app, Lifetime::Never).await.unwrap_err();
    assert_eq!(early.reason, Reason::AppNotInstalledForIssue);
    service.install_app(&root, robot, company.app).await.unwrap();
    let token = issue(service, &root, robot, company.app).await;
    assert_eq!(fixture.ask(&token, publish(company.page)), "asset_not_assigned");
    service.assign(&root, company.page, robot, tasks(&["CREATE_CONTENT"])).await.unwrap();
    assert_eq!(fixture.ask(&token, publish(company.page)), "allow");

    let call = Call::with_token(&token.text, "t1").with_source(Some("192.0.2.7".parse().unwrap()), None);
    let made = service.create_post(&call, publish(company.page), company.page, post("Spring is here")).await.unwrap();
    service.finish(&call);
    let read = Operator::of(service, "t").content::<Post>(made.value.id).await.unwrap().unwrap();
    assert_eq!((read.body.message.as_deref(), read.body.author), (Some("Spring is here"), Some(robot)));

    let question = rights::WRITE_ADS.on_asset(company.account, AssetKind::AdAccount);
    let campaign = CampaignInput { name: Some("C".into()), ..CampaignInput::default() };
    let refused = service.create_campaign(&call, question, company.account, campaign).await.unwrap_err();
    assert_eq!(refused.reason, Reason::AssetNotAssigned);
    assert_eq!(refused.missing.asset, Some(company.account));

    let listed = service.get_token(&root, token.id).await.unwrap();
    assert_eq!(listed.status, TokenStatus::Live);
    assert_eq!((listed.token.created_by, listed.token.parent), (Some(company.root), Some(company.root_token.id)));
    let used = listed.last_used.expect("a token that only wrote was used too");
    assert_eq!((used.used_at, used.ip.as_str()), (service.now(), "192.0.2.7"));

    let done = service.revoke_token(&root, token.id).await.unwrap();
    assert_eq!(fixture.ask(&token, publish(company.page)), "token_revoked");
    let late = service.create_post(&call, publish(company.page), company.page, post("Too late")).await.unwrap_err();
    assert_eq!(late.reason, Reason::TokenRevoked);
    assert_eq!(service.get_token(&root, token.id).await.unwrap().status, TokenStatus::Revoked);

    let receipt = service.receipt(done.revision).unwrap().unwrap();
    assert!(receipt.complete);
    assert_eq!(receipt.nodes.iter().map(|n| n.node.as_str()).collect::<Vec<_>>(), ["node"]);
    assert_eq!(receipt.nodes[0].confirmed_at, service.now());
    assert_eq!(service.receipt(done.revision + 1).unwrap(), None);
    assert_eq!(service.receipt(0).unwrap(), None);
}

#[tokio::test]
async fn a_restart_finds_everything_as_it_was() {
    let fixture = fixture().await;
    let company = &fixture.company;
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    fixture.service.revoke_token(&company.person, company.root_token.id).await.unwrap();
    let before = fixture.service.revision();
    let again = fixture.ground.node(99).await;
    assert_eq!(again.revision(), before);
    for question in [alive(), publish(company.page), rights::READ_ADS.on_asset(company.account, AssetKind::AdAccount)] {
        for token in [&company.robot_token, &company.root_token, &fixture.agency.robot_token] {
            let said = crate::fixture::answer(&again, &token.text, question);
            assert_eq!(said, fixture.ask(token, question), "{question:?}");
        }
    }
    // What was folded before the start is confirmed by the start.
    fixture.ground.clock.advance_ms(5_000);
    assert_eq!(again.receipt(1).unwrap().unwrap().nodes[0].confirmed_at, again.now() - 5_000);
}

#[tokio::test]
async fn what_is_already_so_is_no_change_and_has_a_revision_all_the_same() {
    let fixture = fixture().await;
    let company = &fixture.company;
    let first = fixture.service.revoke_token(&company.person, company.robot_token.id).await.unwrap();
    let again = fixture.service.revoke_token(&company.person, company.robot_token.id).await.unwrap();
    assert_eq!(again.revision, first.revision);
    let head = fixture.service.head().await.unwrap();
    assert_eq!((head.revision, head.last_narrowing), (first.revision, first.revision));
}
