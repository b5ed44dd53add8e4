//! Page tokens: the same text each time, on record from the first, dead with parent and assignment.

use futures_util::future;
use valetkey_domain::{Reason, Scope};
use valetkey_service::token::TokenStatus;
use valetkey_service::{Call, authz};

use crate::house::{House, Issued, alive, house, issue, post, publish};

async fn page_token(house: &House, parent: &Issued) -> Issued {
    let page = house.maker.page;
    let tokens = house.service.page_tokens(&parent.call(), &[page]).await.unwrap();
    let text = tokens[0].1.reveal().to_owned();
    let digest = valetkey_domain::credential::Digest::of(&text);
    let id = house.service.read(|s| s.token_by_digest(&digest)).unwrap().unwrap().id;
    Issued { id, text }
}

async fn prepared() -> (House, Issued) {
    let house = house().await;
    house.assign(house.maker.robot, house.maker.page, &["CREATE_CONTENT"]).await;
    let token = page_token(&house, &house.maker.robot_token).await;
    (house, token)
}

#[tokio::test]
async fn the_text_is_stable_and_the_token_is_listed_under_its_parent() {
    let (house, token) = prepared().await;
    let maker = &house.maker;
    let before = house.service.revision();
    assert_eq!(page_token(&house, &maker.robot_token).await.text, token.text);
    assert_eq!(house.service.revision(), before, "the second time writes nothing");
    let twice = [maker.page, maker.page];
    assert_eq!(house.service.page_tokens(&maker.robot_token.call(), &twice).await.unwrap().len(), 2);
    let listed = house.service.list_tokens(&maker.root_token.call(), maker.robot).await.unwrap();
    let found = listed.iter().find(|l| l.token.id == token.id).unwrap();
    assert_eq!((found.token.parent, found.token.page), (Some(maker.robot_token.id), Some(maker.page)));
    // Another parent has another one, and a restart knows both.
    let other = issue(&house.service, &maker.person, maker.robot, maker.app).await;
    assert_ne!(page_token(&house, &other).await.text, token.text);
    let again = house.ground.node(8).await;
    assert_eq!(crate::house::answer(&again, &token.text, publish(maker.page)), "allow");
}

#[tokio::test]
async fn two_who_ask_at_once_get_one_token() {
    let house = house().await;
    let maker = &house.maker;
    house.assign(maker.robot, maker.page, &["CREATE_CONTENT"]).await;
    let call = maker.robot_token.call();
    let (one, other) =
        future::join(house.service.page_tokens(&call, &[maker.page]), house.service.page_tokens(&call, &[maker.page]))
            .await;
    assert_eq!(one.unwrap()[0].1.reveal(), other.unwrap()[0].1.reveal());
    assert_eq!(house.service.list_tokens(&maker.root_token.call(), maker.robot).await.unwrap().len(), 2);
}

#[tokio::test]
async fn it_acts_on_its_page_and_sees_nothing_else() {
    let (house, token) = prepared().await;
    let maker = &house.maker;
    assert_eq!(house.ask(&token, publish(maker.page)), "allow");
    house.service.create_post(&token.call(), publish(maker.page), maker.page, post("As the Page")).await.unwrap();
    let account = authz::Question::about(authz::Target::Asset(maker.account)).sorts(authz::Sorts::ANY);
    assert_eq!(house.ask(&token, account), "not_visible");
    let call = token.call();
    let issue =
        crate::house::try_issue(&house.service, &call, maker.robot, maker.app, valetkey_domain::token::Lifetime::Never);
    assert_eq!(issue.await.unwrap_err().reason, Reason::NotVisible);
    let derived = house.service.page_tokens(&token.call(), &[maker.page]).await.unwrap_err();
    assert_eq!(derived.reason, Reason::RoleInsufficient, "no token of a token of a Page");
}

#[tokio::test]
async fn it_dies_with_its_parent_for_good() {
    let (house, token) = prepared().await;
    let maker = &house.maker;
    house.service.revoke_token(&maker.person, maker.robot_token.id).await.unwrap();
    assert_eq!(house.ask(&token, alive()), "token_revoked");
    let again = house.service.page_tokens(&maker.robot_token.call(), &[maker.page]).await;
    // The text can be worked out by whoever has the parent's, but it opens nothing.
    assert!(again.is_err() || house.ask(&token, alive()) == "token_revoked");
    let listed = house.service.get_token(&maker.root_token.call(), token.id).await.unwrap();
    assert_eq!(listed.status, TokenStatus::Revoked);
}

#[tokio::test]
async fn it_ends_with_assignment_and_scope() {
    let (house, token) = prepared().await;
    let (service, maker) = (&house.service, &house.maker);
    service.unassign(&maker.person, maker.page, maker.robot).await.unwrap();
    assert_eq!(house.ask(&token, publish(maker.page)), "asset_not_assigned");
    house.assign(maker.robot, maker.page, &["CREATE_CONTENT"]).await;
    assert_eq!(house.ask(&token, publish(maker.page)), "allow");
    let scope = Scope::parse("pages_manage_posts").unwrap();
    service.drop_scope(&maker.robot_token.call(), scope).await.unwrap();
    assert_eq!(house.ask(&token, publish(maker.page)), "scope_missing");
}

#[tokio::test]
async fn one_that_was_revoked_is_not_made_anew() {
    let (house, token) = prepared().await;
    let maker = &house.maker;
    house.service.revoke_token(&maker.person, token.id).await.unwrap();
    let again = page_token(&house, &maker.robot_token).await;
    assert_eq!(again.id, token.id);
    assert_eq!(house.ask(&token, alive()), "token_revoked");
    assert_eq!(house.ask(&maker.robot_token, publish(maker.page)), "allow");
}

#[tokio::test]
async fn a_page_token_takes_itself_back_with_the_apps_secret() {
    let (house, token) = prepared().await;
    let maker = &house.maker;
    let app = house.service.prove_app(maker.app, &maker.secret).unwrap();
    house.service.revoke_token_text(&token.call(), app, &token.text).await.unwrap();
    assert_eq!(house.ask(&token, alive()), "token_revoked");
    assert_eq!(house.ask(&maker.robot_token, alive()), "allow");
}

#[tokio::test]
async fn a_page_of_strangers_or_nowhere_has_no_page_token() {
    let house = house().await;
    let maker = &house.maker;
    for strange in [valetkey_domain::Id::new(77).unwrap(), maker.account] {
        let refused = house.service.page_tokens(&maker.robot_token.call(), &[strange]).await.unwrap_err();
        assert_eq!(refused.reason, Reason::NotVisible);
    }
    assert!(house.service.is_fresh(), "the index is whole");
    let none = Call { credential: valetkey_service::Credential::None, ..maker.person.clone() };
    assert_eq!(house.service.page_tokens(&none, &[maker.page]).await.unwrap_err().reason, Reason::Invalid);
}
