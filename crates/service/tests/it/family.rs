//! What was revoked stays revoked: a token with everything issued or derived from it, and an app's
//! tokens when the app is connected again.

use valetkey_domain::Reason;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_domain::{Id, Scope, ScopeSet, UserId};
use valetkey_service::{Call, Service};

use crate::fixture::{Fixture, Issued, alive, answer, fixture, issue};

/// A token that the bearer of another issued.
async fn child(fixture: &Fixture, parent: &Issued, system_user: UserId) -> Issued {
    issue(&fixture.service, &parent.call(), system_user, fixture.company.app).await
}

/// A new sign-in of the company's ADMIN person, with a token that leaks in the test.
async fn leaked(fixture: &Fixture) -> Issued {
    let (service, company) = (&fixture.service, &fixture.company);
    let code = service.create_sign_in_code(&Call::operator("seed"), company.admin_person).await.unwrap().value;
    let (token, text) =
        service.redeem_sign_in_code("seed", code.reveal(), PersonToken::CommandLine).await.unwrap().value;
    Issued { id: token.id, text: text.reveal().to_owned() }
}

fn said(service: &Service, tokens: &[&Issued]) -> Vec<&'static str> {
    tokens.iter().map(|t| answer(service, &t.text, alive())).collect()
}

#[tokio::test]
async fn a_leaked_token_is_cut_off_with_everything_it_made_in_one_commit() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let leak = leaked(&fixture).await;
    let first = child(&fixture, &leak, company.root).await;
    let second = child(&fixture, &first, company.robot).await;
    let app = service.prove_app(company.app, &company.secret).unwrap();
    let call = company.person.with_credential(valetkey_service::Credential::None);
    let (token, text) = service.refresh_token(&call, app, &second.text, None).await.unwrap().value;
    let third = Issued { id: token.id, text: text.reveal().to_owned() };
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let text = service.page_tokens(&third.call(), &[company.page]).await.unwrap()[0].1.reveal().to_owned();
    let page = Issued { id: third.id, text };
    let all = [&leak, &first, &second, &third, &page];
    assert_eq!(said(service, &all), ["allow"; 5]);
    let before = service.revision();
    let done = service.revoke_token_with_descendants(&company.root_token.call(), leak.id).await.unwrap();
    assert_eq!((done.value, done.revision), (5, before + 1));
    assert_eq!(said(service, &all), ["token_revoked"; 5]);
    assert_eq!(said(service, &[&company.root_token, &company.robot_token]), ["allow"; 2]);
    assert_eq!(service.head().await.unwrap().last_narrowing, done.revision);
    // Doing it again changes nothing, and the state survives a restart.
    let again = service.revoke_token_with_descendants(&company.person, leak.id).await.unwrap();
    assert_eq!((again.value, again.revision), (0, done.revision));
    assert_eq!(said(&fixture.ground.node(5).await, &all), ["token_revoked"; 5]);
}

#[tokio::test]
async fn who_may_cut_off_a_token_with_all_that_comes_from_it() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    let cut = |call: Call, id| async move { service.revoke_token_with_descendants(&call, id).await };
    let made = child(&fixture, &company.root_token, company.robot).await;
    let refused = [
        (company.robot_token.call(), company.root_token.id, Reason::RoleInsufficient),
        (agency.root_token.call(), company.root_token.id, Reason::NotVisible),
        (Call::operator("x"), Id::new(4_242).unwrap(), Reason::NotVisible),
    ];
    for (call, id, reason) in refused {
        assert_eq!(cut(call, id).await.unwrap_err().reason, reason);
    }
    // An ADMIN's token without the scope to manage must not revoke the tokens of others.
    let scopes = [Scope::parse("ads_read").unwrap()].into_iter().collect::<ScopeSet>();
    let ask = IssueRequest {
        system_user: company.root,
        app: company.app,
        scopes,
        lifetime: Lifetime::Never,
        add_dependencies: false,
        purpose: None,
    };
    let (weak, text) = service.issue_token(&company.root_token.call(), ask).await.unwrap().value;
    let weak = Issued { id: weak.id, text: text.reveal().to_owned() };
    assert_eq!(cut(weak.call(), company.root_token.id).await.unwrap_err().reason, Reason::ScopeMissing);
    assert_eq!(said(service, &[&company.root_token, &made, &weak]), ["allow"; 3], "a no revokes nothing");
    // An EMPLOYEE may revoke its own tokens too.
    let own = child(&fixture, &company.robot_token, company.robot).await;
    assert_eq!(cut(company.robot_token.call(), company.robot_token.id).await.unwrap().value, 2);
    assert_eq!(said(service, &[&company.robot_token, &own, &made]), ["token_revoked", "token_revoked", "allow"]);
    assert_eq!(cut(Call::operator("x"), company.root_token.id).await.unwrap().value, 3);
}

#[tokio::test]
async fn an_app_that_is_connected_again_brings_no_token_back() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let text =
        service.page_tokens(&company.robot_token.call(), &[company.page]).await.unwrap()[0].1.reveal().to_owned();
    let page = Issued { id: company.robot_token.id, text };
    let old = [&company.root_token, &company.robot_token, &page];
    service.disconnect_app(&company.person, company.business, company.app).await.unwrap();
    assert_eq!(said(service, &old), ["app_disconnected"; 3]);
    let done = service.connect_app(&company.person, company.business, company.app).await.unwrap();
    assert_eq!(said(service, &old), ["token_revoked"; 3]);
    assert_eq!(service.head().await.unwrap().last_narrowing, done.revision, "it takes something away");
    assert_eq!(said(service, &[&fixture.agency.root_token]), ["allow"]);
    // System users and installations stayed, so new tokens work at once.
    let new = issue(service, &company.person, company.robot, company.app).await;
    assert_eq!(said(service, &[&new]), ["allow"]);
    let again = service.connect_app(&company.person, company.business, company.app).await.unwrap();
    assert_eq!(said(service, &[&new]), ["allow"]);
    assert!(again.revision > done.revision && again.revision == service.revision(), "what is so already is no change");
}
