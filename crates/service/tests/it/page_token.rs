//! Page tokens: the same text each time, on record from the first time, dead when the parent token or
//! the assignment ends.

use futures_util::future;
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::{Reason, Scope, ScopeSet};
use valetkey_service::authz;
use valetkey_service::token::TokenStatus;

use crate::fixture::{Fixture, Issued, alive, answer, fixture, issue, post, publish, reader, tasks};

async fn page_token(fixture: &Fixture, parent: &Issued) -> Issued {
    let page = fixture.company.page;
    let tokens = fixture.service.page_tokens(&parent.call(), &[page]).await.unwrap();
    let text = tokens[0].1.reveal().to_owned();
    let digest = valetkey_domain::credential::Digest::of(&text);
    let id = reader(&fixture.service).read(|s| s.token_by_digest(&digest)).unwrap().unwrap().id;
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
    let (one, other) = future::join(
        fixture.service.page_tokens(&call, &[company.page]),
        fixture.service.page_tokens(&call, &[company.page]),
    )
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
    let issue = crate::fixture::try_issue(
        &fixture.service,
        &call,
        company.robot,
        company.app,
        valetkey_domain::rules::token::Lifetime::Never,
    );
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
    // A holder of the parent token can compute the text, but it is not valid.
    assert!(again.is_err() || fixture.ask(&token, alive()) == "token_revoked");
    let listed = fixture.service.get_token(&company.root_token.call(), token.id).await.unwrap();
    assert_eq!(listed.status, TokenStatus::Revoked);
}

#[tokio::test]
async fn an_assignment_that_ends_kills_it_and_nothing_revives_it() {
    let (fixture, token) = prepared().await;
    let (service, company) = (&fixture.service, &fixture.company);
    // Fewer tasks on the Page keep the page token alive.
    fixture.assign(company.robot, company.page, &["MODERATE"]).await;
    assert_eq!(fixture.ask(&token, publish(company.page)), "task_missing");
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    assert_eq!(fixture.ask(&token, publish(company.page)), "allow");
    service.unassign(&company.person, company.page, company.robot).await.unwrap();
    for question in [alive(), publish(company.page)] {
        assert_eq!(fixture.ask(&token, question), "token_revoked");
    }
    let refused = service.page_tokens(&company.robot_token.call(), &[company.page]).await.unwrap_err();
    assert_eq!(refused.reason, Reason::AssetNotAssigned);
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    assert_eq!(fixture.ask(&token, alive()), "token_revoked");
    let second = page_token(&fixture, &company.robot_token).await;
    assert_ne!(second.text, token.text);
    assert_eq!(fixture.ask(&second, publish(company.page)), "allow");
    // A newly started node agrees about what is dead, and which text comes next.
    let again = fixture.ground.node(8).await;
    assert_eq!(answer(&again, &token.text, alive()), "token_revoked");
    assert_eq!(answer(&again, &second.text, publish(company.page)), "allow");
    let call = company.robot_token.call();
    assert_eq!(again.page_tokens(&call, &[company.page]).await.unwrap()[0].1.reveal(), second.text);
    again.unassign(&company.person, company.page, company.robot).await.unwrap();
    again.assign(&company.person, company.page, company.robot, vec!["MANAGE".to_owned()]).await.unwrap();
    let third = again.page_tokens(&call, &[company.page]).await.unwrap()[0].1.reveal().to_owned();
    assert!(third != token.text && third != second.text);
}

#[tokio::test]
async fn another_scope_that_is_taken_leaves_it_and_pages_show_list_kills_it() {
    let (fixture, token) = prepared().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let scope = Scope::parse("pages_manage_posts").unwrap();
    service.drop_scope(&company.robot_token.call(), scope).await.unwrap();
    assert_eq!(fixture.ask(&token, publish(company.page)), "scope_missing");
    assert_eq!(fixture.ask(&token, alive()), "allow");
    service.drop_scope(&company.robot_token.call(), Scope::PAGES_SHOW_LIST).await.unwrap();
    assert_eq!(fixture.ask(&token, alive()), "token_revoked");
    assert_eq!(fixture.ask(&company.robot_token, alive()), "allow");
}

#[tokio::test]
async fn a_share_that_ends_kills_the_tokens_of_the_partners_users() {
    let (fixture, own) = prepared().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    let share = || service.share(&company.person, company.page, agency.business, tasks(&["MANAGE"]));
    share().await.unwrap();
    let call = agency.root_token.call();
    let theirs = service.page_tokens(&call, &[company.page]).await.unwrap()[0].1.reveal().to_owned();
    assert_eq!(answer(service, &theirs, publish(company.page)), "allow");
    service.unshare(&company.person, company.page, agency.business).await.unwrap();
    assert_eq!(answer(service, &theirs, alive()), "token_revoked");
    assert_eq!(fixture.ask(&own, alive()), "allow");
    share().await.unwrap();
    assert_eq!(answer(service, &theirs, alive()), "token_revoked");
    let second = service.page_tokens(&call, &[company.page]).await.unwrap()[0].1.reveal().to_owned();
    assert_ne!(second, theirs);
}

#[tokio::test]
async fn one_that_was_revoked_by_itself_stays_dead_and_its_parent_gives_another() {
    let (fixture, token) = prepared().await;
    let company = &fixture.company;
    fixture.service.revoke_token(&company.person, token.id).await.unwrap();
    let again = page_token(&fixture, &company.robot_token).await;
    assert_ne!((again.id, &again.text), (token.id, &token.text));
    assert_eq!(fixture.ask(&token, alive()), "token_revoked");
    assert_eq!(fixture.ask(&again, publish(company.page)), "allow");
    assert_eq!(fixture.ask(&company.robot_token, publish(company.page)), "allow");
}

/// The command to derive waits behind one that ends the right: it is decided when it is planned.
#[tokio::test]
async fn no_token_is_put_on_record_after_its_path_ended() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let call = company.robot_token.call();
    let (ended, derived) = future::join(
        service.unassign(&company.person, company.page, company.robot),
        service.page_tokens(&call, &[company.page]),
    )
    .await;
    ended.unwrap();
    assert!(derived.map_or(true, |tokens| tokens.is_empty()), "a token was given after its path ended");
    let listed = service.list_tokens(&company.root_token.call(), company.robot).await.unwrap();
    assert_eq!(listed.iter().filter(|l| l.token.page.is_some()).count(), 0);
    // In the opposite order the token is on record first, and then dies.
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let (derived, ended) = future::join(
        service.page_tokens(&call, &[company.page]),
        service.unassign(&company.person, company.page, company.robot),
    )
    .await;
    ended.unwrap();
    let text = derived.unwrap()[0].1.reveal().to_owned();
    assert_eq!(answer(service, &text, alive()), "token_revoked");
}

#[tokio::test]
async fn without_accepted_terms_no_new_one_is_put_on_record_and_old_ones_go_on() {
    let (fixture, token) = prepared().await;
    let (service, company) = (&fixture.service, &fixture.company);
    service.replace_terms(&crate::fixture::operator(), "New terms.").await.unwrap();
    let call = company.robot_token.call();
    assert_eq!(service.page_tokens(&call, &[company.page]).await.unwrap()[0].1.reveal(), token.text);
    assert_eq!(fixture.ask(&token, publish(company.page)), "allow");
    let before = service.revision();
    let other = &company.root_token;
    assert!(service.page_tokens(&other.call(), &[company.page]).await.unwrap().is_empty());
    assert_eq!(service.revision(), before, "nothing is written");
    service.accept_terms(&company.person, 2).await.unwrap();
    assert_eq!(service.page_tokens(&other.call(), &[company.page]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_narrower_app_kills_no_token_and_a_wider_one_restores_it() {
    let (fixture, token) = prepared().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let allow = |names: &'static [&'static str]| {
        let edit = AppEdit { allowed_scopes: Some(ScopeSet::of(names)), ..AppEdit::default() };
        service.update_app(&company.person, company.app, edit)
    };
    allow(&["pages_manage_posts"]).await.unwrap();
    assert_eq!(fixture.ask(&token, publish(company.page)), "scope_missing");
    assert_eq!(fixture.ask(&token, alive()), "allow");
    assert_eq!(fixture.ask(&company.robot_token, publish(company.page)), "allow");
    let refused = service.page_tokens(&company.robot_token.call(), &[company.page]).await.unwrap_err();
    assert_eq!(refused.reason, Reason::ScopeMissing);
    allow(&["pages_manage_posts", "pages_show_list"]).await.unwrap();
    assert_eq!(fixture.ask(&token, publish(company.page)), "allow");
    assert_eq!(page_token(&fixture, &company.robot_token).await.text, token.text);
}

#[tokio::test]
async fn a_page_token_takes_back_nothing_else_of_its_user() {
    let (fixture, token) = prepared().await;
    let company = &fixture.company;
    let app = fixture.service.prove_app(company.app, &company.secret).unwrap();
    for other in [&company.robot_token, &company.root_token] {
        let refused = fixture.service.revoke_token_text(&token.call(), app, &other.text).await.unwrap_err();
        assert_eq!(refused.reason, Reason::RoleInsufficient);
        assert_eq!(fixture.ask(other, alive()), "allow");
    }
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
    let none = company.person.with_credential(valetkey_service::Credential::None);
    assert_eq!(fixture.service.page_tokens(&none, &[company.page]).await.unwrap_err().reason, Reason::Invalid);
}
