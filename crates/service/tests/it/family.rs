//! What is cut off stays cut off: a token with all that comes from it, and an app's tokens when the
//! app is connected again.

use valetkey_domain::Reason;
use valetkey_domain::token::{IssueRequest, Lifetime};
use valetkey_domain::{Id, Scope, ScopeSet};
use valetkey_service::{Call, Service};

use crate::house::{House, Issued, alive, answer, house, issue};

/// A token that the bearer of another issued.
async fn child(house: &House, parent: &Issued, system_user: Id) -> Issued {
    issue(&house.service, &parent.call(), system_user, house.maker.app).await
}

/// A person who is an ADMIN of the maker, signed in anew, whose token is going to leak.
async fn leaked(house: &House) -> Issued {
    let (service, maker) = (&house.service, &house.maker);
    let code = service.create_sign_in_code(&Call::operator("seed"), maker.admin_person).await.unwrap().value;
    let (token, text) = service.redeem_sign_in_code("seed", code.reveal()).await.unwrap().value;
    Issued { id: token.id, text: text.reveal().to_owned() }
}

fn told(service: &Service, tokens: &[&Issued]) -> Vec<&'static str> {
    tokens.iter().map(|t| answer(service, &t.text, alive())).collect()
}

#[tokio::test]
async fn a_leaked_token_is_cut_off_with_everything_it_made_in_one_commit() {
    let house = house().await;
    let (service, maker) = (&house.service, &house.maker);
    let leak = leaked(&house).await;
    let first = child(&house, &leak, maker.root).await;
    let second = child(&house, &first, maker.robot).await;
    let app = service.prove_app(maker.app, &maker.secret).unwrap();
    let call = Call { credential: valetkey_service::Credential::None, ..maker.person.clone() };
    let (token, text) = service.refresh_token(&call, app, &second.text, None).await.unwrap().value;
    let third = Issued { id: token.id, text: text.reveal().to_owned() };
    house.assign(maker.robot, maker.page, &["CREATE_CONTENT"]).await;
    let text = service.page_tokens(&third.call(), &[maker.page]).await.unwrap()[0].1.reveal().to_owned();
    let page = Issued { id: third.id, text };
    let all = [&leak, &first, &second, &third, &page];
    assert_eq!(told(service, &all), ["allow"; 5]);
    let before = service.revision();
    let done = service.revoke_token_with_descendants(&maker.root_token.call(), leak.id).await.unwrap();
    assert_eq!((done.value, done.revision), (5, before + 1));
    assert_eq!(told(service, &all), ["token_revoked"; 5]);
    assert_eq!(told(service, &[&maker.root_token, &maker.robot_token]), ["allow"; 2]);
    assert_eq!(service.head().await.unwrap().last_narrowing, done.revision);
    // Once more is no change; a restart knows it all.
    let again = service.revoke_token_with_descendants(&maker.person, leak.id).await.unwrap();
    assert_eq!((again.value, again.revision), (0, done.revision));
    assert_eq!(told(&house.ground.node(5).await, &all), ["token_revoked"; 5]);
}

#[tokio::test]
async fn who_may_cut_off_a_token_with_all_that_comes_from_it() {
    let house = house().await;
    let (service, maker, agency) = (&house.service, &house.maker, &house.agency);
    let cut = |call: Call, id| async move { service.revoke_token_with_descendants(&call, id).await };
    let made = child(&house, &maker.root_token, maker.robot).await;
    let refused = [
        (maker.robot_token.call(), maker.root_token.id, Reason::RoleInsufficient),
        (agency.root_token.call(), maker.root_token.id, Reason::NotVisible),
        (Call::operator("x"), Id::new(4_242).unwrap(), Reason::NotVisible),
    ];
    for (call, id, reason) in refused {
        assert_eq!(cut(call, id).await.unwrap_err().reason, reason);
    }
    // An ADMIN's own token without the scope to manage must not reach the tokens of others by itself.
    let scopes = [Scope::parse("ads_read").unwrap()].into_iter().collect::<ScopeSet>();
    let ask = IssueRequest {
        system_user: maker.root,
        app: maker.app,
        scopes,
        lifetime: Lifetime::Never,
        add_dependencies: false,
    };
    let (weak, text) = service.issue_token(&maker.root_token.call(), ask).await.unwrap().value;
    let weak = Issued { id: weak.id, text: text.reveal().to_owned() };
    assert_eq!(cut(weak.call(), maker.root_token.id).await.unwrap_err().reason, Reason::ScopeMissing);
    assert_eq!(told(service, &[&maker.root_token, &made, &weak]), ["allow"; 3], "a no revokes nothing");
    // One's own, an EMPLOYEE too.
    let own = child(&house, &maker.robot_token, maker.robot).await;
    assert_eq!(cut(maker.robot_token.call(), maker.robot_token.id).await.unwrap().value, 2);
    assert_eq!(told(service, &[&maker.robot_token, &own, &made]), ["token_revoked", "token_revoked", "allow"]);
    assert_eq!(cut(Call::operator("x"), maker.root_token.id).await.unwrap().value, 3);
}

#[tokio::test]
async fn an_app_that_is_connected_again_brings_no_token_back() {
    let house = house().await;
    let (service, maker) = (&house.service, &house.maker);
    house.assign(maker.robot, maker.page, &["CREATE_CONTENT"]).await;
    let text = service.page_tokens(&maker.robot_token.call(), &[maker.page]).await.unwrap()[0].1.reveal().to_owned();
    let page = Issued { id: maker.robot_token.id, text };
    let old = [&maker.root_token, &maker.robot_token, &page];
    service.disconnect_app(&maker.person, maker.business, maker.app).await.unwrap();
    assert_eq!(told(service, &old), ["app_disconnected"; 3]);
    let done = service.connect_app(&maker.person, maker.business, maker.app).await.unwrap();
    assert_eq!(told(service, &old), ["token_revoked"; 3]);
    assert_eq!(service.head().await.unwrap().last_narrowing, done.revision, "it takes something away");
    assert_eq!(told(service, &[&house.agency.root_token]), ["allow"]);
    // System users and installations stayed, so new tokens work at once.
    let new = issue(service, &maker.person, maker.robot, maker.app).await;
    assert_eq!(told(service, &[&new]), ["allow"]);
    let again = service.connect_app(&maker.person, maker.business, maker.app).await.unwrap();
    assert_eq!(told(service, &[&new]), ["allow"]);
    assert!(again.revision > done.revision && again.revision == service.revision(), "what is so already is no change");
}
