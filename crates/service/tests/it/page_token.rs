//! Page tokens: the same text each time, on record from the first, dead with parent and assignment.

use futures_util::future;
use valetkey_domain::{Reason, Scope};
use valetkey_service::token::TokenStatus;
use valetkey_service::{Call, authz};

use crate::fixture::{Fixture, Issued, alive, fixture, issue, post, publish};

async fn page_token(fixture: &Fixture, parent: &Issued) -> Issued {
    let page = fixture.company.page;
    let tokens = fixture.service.page_tokens(&parent.call(), &[page]).await.unwrap();
    let text = tokens[0].1.reveal().to_owned();
    let digest = valetkey_domain::credential::Digest::of(&text);
    let id = fixture.service.read(|s| s.token_by_digest(&digest)).unwrap().unwrap().id;
    Issued { id, text }
}

async fn prepared() -> (Fixture, Issued) {
    let fixture = fixture().await;
    fixture.assign(fixture.company.robot, fixture.company.page, &["CREATE_CONTENT"]).await;
    let token = page_token(&fixture, &fixture.company.robot_token).await;
    (fixture, token)
}

#[tokio::test]
async fn the_text_is_stable_and_the_token_is_listed_under_its_parent() {
    let (fixture, token) = prepared().await;
    let company = &fixture.company;
    let before = fixture.service.revision();
    assert_eq!(page_token(&fixture, &company.robot_token).await.text, token.text);
    assert_eq!(fixture.service.revision(), before, "the second time writes nothing");
    let twice = [company.page, company.page];
    assert_eq!(fixture.service.page_tokens(&company.robot_token.call(), &twice).await.unwrap().len(), 2);
    let listed = fixture.service.list_tokens(&company.root_token.call(), company.robot).await.unwrap();
    let found = listed.iter().find(|l| l.token.id == token.id).unwrap();
    assert_eq!((found.token.parent, found.token.page), (Some(company.robot_token.id), Some(company.page)));
    // Another parent has another one, and a restart knows both.
    let other = issue(&fixture.service, &company.person, company.robot, company.app).await;
    assert_ne!(page_token(&fixture, &other).await.text, token.text);
    let again = fixture.ground.node(8).await;
    assert_eq!(crate::fixture::answer(&again, &token.text, publish(company.page)), "allow");
}

#[tokio::test]
async fn two_who_ask_at_once_get_one_token() {
    let fixture = fixture().await;
    let company = &fixture.company;
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let call = company.robot_token.call();
    let (one, other) =
        future::join(fixture.service.page_tokens(&call, &[company.page]), fixture.service.page_tokens(&call, &[company.page]))
            .await;
    assert_eq!(one.unwrap()[0].1.reveal(), other.unwrap()[0].1.reveal());
    assert_eq!(fixture.service.list_tokens(&company.root_token.call(), company.robot).await.unwrap().len(), 2);
}

#[tokio::test]
async fn it_acts_on_its_page_and_sees_nothing_else() {
    let (fixture, token) = prepared().await;
    let company = &fixture.company;
    assert_eq!(fixture.ask(&token, publish(company.page)), "allow");
    fixture.service.create_post(&token.call(), publish(company.page), company.page, post("As the Page")).await.unwrap();
    let account = authz::Question::about(authz::Target::Asset(company.account)).sorts(authz::Sorts::ANY);
    assert_eq!(fixture.ask(&token, account), "not_visible");
    let call = token.call();
    let issue =
        crate::fixture::try_issue(&fixture.service, &call, company.robot, company.app, valetkey_domain::token::Lifetime::Never);
    assert_eq!(issue.await.unwrap_err().reason, Reason::NotVisible);
    let derived = fixture.service.page_tokens(&token.call(), &[company.page]).await.unwrap_err();
    assert_eq!(derived.reason, Reason::RoleInsufficient, "no token of a token of a Page");
}

#[tokio::test]
async fn it_dies_with_its_parent_for_good() {
    let (fixture, token) = prepared().await;
    let company = &fixture.company;
    fixture.service.revoke_token(&company.person, company.robot_token.id).await.unwrap();
    assert_eq!(fixture.ask(&token, alive()), "token_revoked");
    let again = fixture.service.page_tokens(&company.robot_token.call(), &[company.page]).await;
    // The text can be worked out by whoever has the parent's, but it opens nothing.
    assert!(again.is_err() || fixture.ask(&token, alive()) == "token_revoked");
    let listed = fixture.service.get_token(&company.root_token.call(), token.id).await.unwrap();
    assert_eq!(listed.status, TokenStatus::Revoked);
}

#[tokio::test]
async fn it_ends_with_assignment_and_scope() {
    let (fixture, token) = prepared().await;
    let (service, company) = (&fixture.service, &fixture.company);
    service.unassign(&company.person, company.page, company.robot).await.unwrap();
    assert_eq!(fixture.ask(&token, publish(company.page)), "asset_not_assigned");
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    assert_eq!(fixture.ask(&token, publish(company.page)), "allow");
    let scope = Scope::parse("pages_manage_posts").unwrap();
    service.drop_scope(&company.robot_token.call(), scope).await.unwrap();
    assert_eq!(fixture.ask(&token, publish(company.page)), "scope_missing");
}

#[tokio::test]
async fn one_that_was_revoked_is_not_made_anew() {
    let (fixture, token) = prepared().await;
    let company = &fixture.company;
    fixture.service.revoke_token(&company.person, token.id).await.unwrap();
    let again = page_token(&fixture, &company.robot_token).await;
    assert_eq!(again.id, token.id);
    assert_eq!(fixture.ask(&token, alive()), "token_revoked");
    assert_eq!(fixture.ask(&company.robot_token, publish(company.page)), "allow");
}

#[tokio::test]
async fn a_page_token_takes_itself_back_with_the_apps_secret() {
    let (fixture, token) = prepared().await;
    let company = &fixture.company;
    let app = fixture.service.prove_app(company.app, &company.secret).unwrap();
    fixture.service.revoke_token_text(&token.call(), app, &token.text).await.unwrap();
    assert_eq!(fixture.ask(&token, alive()), "token_revoked");
    assert_eq!(fixture.ask(&company.robot_token, alive()), "allow");
}

#[tokio::test]
async fn a_page_of_strangers_or_nowhere_has_no_page_token() {
    let fixture = fixture().await;
    let company = &fixture.company;
    for strange in [valetkey_domain::Id::new(77).unwrap(), company.account] {
        let refused = fixture.service.page_tokens(&company.robot_token.call(), &[strange]).await.unwrap_err();
        assert_eq!(refused.reason, Reason::NotVisible);
    }
    assert!(fixture.service.is_fresh(), "the index is whole");
    let none = Call { credential: valetkey_service::Credential::None, ..company.person.clone() };
    assert_eq!(fixture.service.page_tokens(&none, &[company.page]).await.unwrap_err().reason, Reason::Invalid);
}
