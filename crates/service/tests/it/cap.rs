//! What an app may ask for caps its tokens in the decision, and a person's role its own.

use valetkey_authz::{Question, Target};
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_domain::{Id, Reason, Role, Scope, ScopeSet};
use valetkey_service::rights;

use crate::fixture::{Company, Fixture, Issued, answer, fixture, name};

/// Lets the app of the first company ask for these scopes alone; gives how many tokens lost which.
async fn allow(fixture: &Fixture, scopes: ScopeSet) -> (usize, Vec<(&'static str, usize)>) {
    let company = &fixture.company;
    let edit = AppEdit { allowed_scopes: Some(scopes), ..AppEdit::default() };
    let done = fixture.service.update_app(&company.person, company.app, edit).await.unwrap();
    (done.value.tokens, done.value.scopes.iter().map(|(scope, n)| (scope.name(), *n)).collect())
}

fn with_scope(name: &'static str) -> Question {
    Question::about(Target::Nothing).scopes(ScopeSet::of(&[name]))
}

fn all_but(names: &[&str]) -> ScopeSet {
    ScopeSet::all().without(ScopeSet::of(names))
}

#[tokio::test]
async fn a_narrower_app_is_narrower_at_once_and_says_how_many_tokens_lose_what() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let page = service.page_tokens(&company.robot_token.call(), &[company.page]).await.unwrap().remove(0).1;
    let narrow = service.narrowing_effect(&company.person, company.app, all_but(&["ads_read"])).await.unwrap();
    assert_eq!((narrow.tokens, narrow.scopes.get(&Scope::parse("ads_read").unwrap())), (3, Some(&3)));
    assert_eq!(fixture.ask(&company.robot_token, with_scope("ads_read")), "allow", "counting changes nothing");
    assert_eq!(allow(&fixture, all_but(&["ads_read"])).await, (3, vec![("ads_read", 3)]));
    assert_eq!(fixture.ask(&company.robot_token, with_scope("ads_read")), "scope_missing");
    assert_eq!(fixture.ask(&company.robot_token, with_scope("ads_management")), "allow");
    assert_eq!(fixture.ask(&fixture.agency.robot_token, with_scope("ads_read")), "allow", "another app");
    // The cap changes what a token may do, and not its record, so a wider cap gives the scope back.
    let business = rights::MANAGE_BUSINESS.on_business(company.business);
    assert_eq!(allow(&fixture, all_but(&["business_management"])).await.0, 3);
    assert_eq!(fixture.ask(&company.root_token, business), "scope_missing");
    let listed = service.get_token(&company.person, company.root_token.id).await.unwrap();
    assert!(!listed.scopes.has(Scope::BUSINESS_MANAGEMENT) && listed.token.scopes.has(Scope::BUSINESS_MANAGEMENT));
    // A newly started node applies it too.
    let again = fixture.ground.node(8).await;
    assert_eq!(answer(&again, &company.root_token.text, business), "scope_missing");
    assert_eq!(allow(&fixture, ScopeSet::all()).await, (0, vec![]));
    for question in [business, with_scope("ads_read")] {
        assert_eq!(fixture.ask(&company.root_token, question), "allow");
    }
    assert_eq!(answer(service, page.reveal(), crate::fixture::publish(company.page)), "allow");
    // Dead and ended tokens lose nothing.
    service.revoke_token(&company.person, company.robot_token.id).await.unwrap();
    assert_eq!(allow(&fixture, all_but(&["ads_read"])).await.0, 1);
}

#[tokio::test]
async fn only_who_may_change_an_app_counts_its_tokens() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let count = |by: &Issued, app| {
        let call = by.call();
        async move { service.narrowing_effect(&call, app, ScopeSet::EMPTY).await }
    };
    assert_eq!(count(&company.robot_token, company.app).await.unwrap_err().reason, Reason::RoleInsufficient);
    assert_eq!(count(&company.root_token, fixture.agency.app).await.unwrap_err().reason, Reason::NotVisible);
    assert_eq!(count(&company.root_token, Id::of(company.page.any())).await.unwrap_err().reason, Reason::NotVisible);
    assert_eq!(count(&company.root_token, company.app).await.unwrap().tokens, 2);
}

/// A capped token can't use its original scopes to get a token of another app.
#[tokio::test]
async fn a_capped_token_makes_no_wider_one_for_another_app() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let (other, _) = service.create_app(&company.person, company.business, name("Other"), false).await.unwrap().value;
    for user in [company.robot, company.root] {
        service.install_app(&company.person, user, other).await.unwrap();
    }
    allow(&fixture, ScopeSet::of(&["ads_read"])).await;
    let issue = |by: &Issued, user, scopes: &'static [&'static str]| {
        let (call, lifetime) = (by.call(), Lifetime::Never);
        let ask = IssueRequest {
            system_user: user,
            app: other,
            scopes: ScopeSet::of(scopes),
            lifetime,
            add_dependencies: false,
            purpose: None,
        };
        async move { service.issue_token(&call, ask).await }
    };
    let wider = issue(&company.robot_token, company.robot, &["ads_management"]).await.unwrap_err();
    assert_eq!(wider.reason, Reason::WiderThanCaller);
    issue(&company.robot_token, company.robot, &["ads_read"]).await.unwrap();
    // An ADMIN's token can't manage the business any more either.
    let wider = issue(&company.root_token, company.root, &["ads_management"]).await.unwrap_err();
    assert_eq!(wider.reason, Reason::WiderThanCaller);
    let of_others = issue(&company.root_token, company.robot, &["ads_read"]).await.unwrap_err();
    assert_eq!(of_others.reason, Reason::ScopeMissing);
}

async fn person_with_role(fixture: &Fixture, company: &Company, role: Role) -> (valetkey_domain::UserId, Issued) {
    let service = &fixture.service;
    let done = service.create_person(&company.person, company.business, name("Bob"), "bob@rad.example", role).await;
    let person = done.unwrap().value;
    let code = service.create_sign_in_code(&crate::fixture::operator(), person).await.unwrap().value;
    let (token, text) =
        service.redeem_sign_in_code("trace", code.reveal(), PersonToken::CommandLine).await.unwrap().value;
    (person, Issued { id: token.id, text: text.reveal().to_owned() })
}

#[tokio::test]
async fn a_persons_scopes_follow_its_role_at_each_decision() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let (bob, token) = person_with_role(&fixture, company, Role::Employee).await;
    let manage = with_scope("business_management");
    assert_eq!(fixture.ask(&token, with_scope("ads_read")), "allow");
    assert_eq!(fixture.ask(&token, manage), "scope_missing");
    let edit = |role| PersonEdit { role: Some(role), ..PersonEdit::default() };
    service.update_person(&company.person, bob, edit(Role::Admin)).await.unwrap();
    assert_eq!(fixture.ask(&token, manage), "allow");
    assert!(service.ask(&token.call(), manage).unwrap().scopes.has(Scope::BUSINESS_MANAGEMENT));
    service.update_person(&company.person, bob, edit(Role::Employee)).await.unwrap();
    assert_eq!(fixture.ask(&token, manage), "scope_missing");
    let listed = service.get_token(&company.person, token.id).await.unwrap();
    assert!(!listed.scopes.has(Scope::BUSINESS_MANAGEMENT));
    // They can't be taken off a token, so a call that seems to do so is refused.
    let refused = service.drop_scope(&token.call(), Scope::parse("ads_read").unwrap()).await.unwrap_err();
    assert_eq!(refused.reason, Reason::Invalid);
}

#[tokio::test]
async fn a_person_that_is_no_admin_any_more_loses_its_page_tokens() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let (bob, token) = person_with_role(&fixture, company, Role::Admin).await;
    let pages = [company.page];
    let first = service.page_tokens(&token.call(), &pages).await.unwrap().remove(0).1;
    let publish = crate::fixture::publish(company.page);
    assert_eq!(answer(service, first.reveal(), publish), "allow");
    let edit = |role| PersonEdit { role: Some(role), ..PersonEdit::default() };
    service.update_person(&company.person, bob, edit(Role::Employee)).await.unwrap();
    assert_eq!(answer(service, first.reveal(), publish), "token_revoked");
    service.update_person(&company.person, bob, edit(Role::Admin)).await.unwrap();
    assert_eq!(answer(service, first.reveal(), publish), "token_revoked");
    let second = service.page_tokens(&token.call(), &pages).await.unwrap().remove(0).1;
    assert_ne!(second.reveal(), first.reveal());
}
