//! Every use case with a dead token, and with ids that are foreign, gone, or were never issued: the
//! token is checked first, and what the caller may not see looks like an id that was never issued.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Map;
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::business::BusinessEdit;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_domain::{AssetKind, Id, Reason, Refusal, Role, ScopeSet};
use valetkey_service::activity::ActivityFilter;
use valetkey_service::{Call, Service};

use crate::fixture::{Company, Fixture, fixture, issue, name, tasks};

/// What the id names.
#[derive(Debug, Clone, Copy)]
enum Names {
    Business,
    Person,
    SystemUser,
    App,
    Asset,
    Token,
}

impl Names {
    fn of(self, company: &Company) -> Id {
        match self {
            Names::Business => company.business.any(),
            Names::Person => company.admin_person.any(),
            Names::SystemUser => company.robot.any(),
            Names::App => company.app.any(),
            Names::Asset => company.page.any(),
            Names::Token => company.robot_token.id.any(),
        }
    }
}

type UseCase = for<'a> fn(&'a Service, &'a Call, Id, &'a Company) -> BoxFuture<'a, Result<(), Refusal>>;

/// Each use case that takes an id.
const CASES: &[(&str, Names, UseCase)] = &[
    ("update_business", Names::Business, |s, c, id, _| {
        async move { s.update_business(c, Id::of(id), BusinessEdit::default()).await.map(drop) }.boxed()
    }),
    ("create_person", Names::Business, |s, c, id, _| {
        async move { s.create_person(c, Id::of(id), name("P"), "p@example.com", Role::Employee).await.map(drop) }
            .boxed()
    }),
    ("update_person", Names::Person, |s, c, id, _| {
        async move { s.update_person(c, Id::of(id), PersonEdit::default()).await.map(drop) }.boxed()
    }),
    ("create_app", Names::Business, |s, c, id, _| {
        async move { s.create_app(c, Id::of(id), name("A"), false).await.map(drop) }.boxed()
    }),
    ("update_app", Names::App, |s, c, id, _| {
        async move { s.update_app(c, Id::of(id), AppEdit::default()).await.map(drop) }.boxed()
    }),
    ("rotate_app_secret", Names::App, |s, c, id, _| {
        async move { s.rotate_app_secret(c, Id::of(id), 0).await.map(drop) }.boxed()
    }),
    ("connect_app", Names::Business, |s, c, id, m| {
        async move { s.connect_app(c, Id::of(id), m.app).await.map(drop) }.boxed()
    }),
    ("disconnect_app", Names::Business, |s, c, id, m| {
        async move { s.disconnect_app(c, Id::of(id), m.app).await.map(drop) }.boxed()
    }),
    ("install_app", Names::SystemUser, |s, c, id, m| {
        async move { s.install_app(c, Id::of(id), m.app).await.map(drop) }.boxed()
    }),
    ("uninstall_app", Names::SystemUser, |s, c, id, m| {
        async move { s.uninstall_app(c, Id::of(id), m.app, false).await.map(drop) }.boxed()
    }),
    ("create_system_user", Names::Business, |s, c, id, _| {
        async move { s.create_system_user(c, Id::of(id), name("S"), Role::Employee, None).await.map(drop) }.boxed()
    }),
    ("update_system_user", Names::SystemUser, |s, c, id, _| {
        async move {
            let edit = SystemUserEdit { name: Some(name("N")), ..SystemUserEdit::default() };
            s.update_system_user(c, Id::of(id), edit).await.map(drop)
        }
        .boxed()
    }),
    ("delete_system_user", Names::SystemUser, |s, c, id, _| {
        async move { s.delete_system_user(c, Id::of(id)).await.map(drop) }.boxed()
    }),
    ("create_asset", Names::Business, |s, c, id, _| {
        async move { s.create_asset(c, AssetKind::Page, Id::of(id), name("P"), Map::new()).await.map(drop) }.boxed()
    }),
    ("assign", Names::Asset, |s, c, id, m| {
        async move { s.assign(c, Id::of(id), m.robot, tasks(&["MANAGE"])).await.map(drop) }.boxed()
    }),
    ("unassign", Names::Asset, |s, c, id, m| async move { s.unassign(c, Id::of(id), m.robot).await.map(drop) }.boxed()),
    ("share", Names::Asset, |s, c, id, m| {
        async move { s.share(c, Id::of(id), m.business, tasks(&["MANAGE"])).await.map(drop) }.boxed()
    }),
    ("unshare", Names::Asset, |s, c, id, m| {
        async move { s.unshare(c, Id::of(id), m.business).await.map(drop) }.boxed()
    }),
    ("issue_token", Names::SystemUser, |s, c, id, m| {
        async move {
            let (app, scopes) = (m.app, ScopeSet::EMPTY);
            let ask = IssueRequest {
                system_user: Id::of(id),
                app,
                scopes,
                lifetime: Lifetime::Never,
                add_dependencies: false,
                purpose: None,
            };
            s.issue_token(c, ask).await.map(drop)
        }
        .boxed()
    }),
    ("revoke_token", Names::Token, |s, c, id, _| async move { s.revoke_token(c, Id::of(id)).await.map(drop) }.boxed()),
    ("revoke_tokens", Names::SystemUser, |s, c, id, _| {
        async move { s.revoke_tokens(c, Id::of(id), None).await.map(drop) }.boxed()
    }),
    ("list_tokens", Names::SystemUser, |s, c, id, _| {
        async move { s.list_tokens(c, Id::of(id)).await.map(drop) }.boxed()
    }),
    ("list_business_tokens", Names::Business, |s, c, id, _| {
        async move { s.list_business_tokens(c, Id::of(id)).await.map(drop) }.boxed()
    }),
    ("get_token", Names::Token, |s, c, id, _| async move { s.get_token(c, Id::of(id)).await.map(drop) }.boxed()),
    ("activity", Names::Business, |s, c, id, _| {
        async move {
            let filter = ActivityFilter { business: Some(Id::of(id)), ..ActivityFilter::default() };
            s.activity(c, &filter, None, 9).await.map(drop)
        }
        .boxed()
    }),
    ("ledger", Names::Business, |s, c, id, _| {
        async move { s.ledger(c, Some(Id::of(id)), 0, 9).await.map(drop) }.boxed()
    }),
];

fn never() -> Id {
    Id::new(4_242).unwrap()
}

#[tokio::test]
async fn a_dead_token_is_answered_whatever_it_asks_for() {
    let fixture = fixture().await;
    let company = &fixture.company;
    let dead = issue(&fixture.service, &company.person, company.root, company.app).await;
    fixture.service.revoke_token(&company.person, dead.id).await.unwrap();
    let none = dead.call().with_credential(valetkey_service::Credential::None);
    let strange = Call::with_token("vkeysu_nothing", "t");
    for (call, wanted) in
        [(dead.call(), Reason::TokenRevoked), (none, Reason::TokenMalformed), (strange, Reason::TokenMalformed)]
    {
        for (what, names, case) in CASES {
            for id in [names.of(company), names.of(&fixture.agency), never()] {
                let refused = case(&fixture.service, &call, id, company).await.unwrap_err();
                assert_eq!(refused.reason, wanted, "{what} of {id}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_foreign_is_answered_like_what_never_was() {
    let fixture = fixture().await;
    let company = &fixture.company;
    for call in [company.root_token.call(), company.robot_token.call(), company.person.clone()] {
        for (what, names, case) in CASES {
            let (theirs, nobodys) = (names.of(&fixture.agency), never());
            let foreign = case(&fixture.service, &call, theirs, company).await.unwrap_err();
            let absent = case(&fixture.service, &call, nobodys, company).await.unwrap_err();
            assert_eq!(foreign.reason, Reason::NotVisible, "{what}");
            assert_eq!(foreign.subject, Some(theirs), "{what}: it speaks of what was named");
            assert_eq!(Refusal { subject: None, ..foreign }, Refusal { subject: None, ..absent.clone() }, "{what}");
            assert_eq!(absent.subject, Some(nobodys), "{what}");
        }
    }
}

/// Which use cases an EMPLOYEE may use on its own business: only those about itself.
#[tokio::test]
async fn an_employee_learns_which_role_it_lacks() {
    let fixture = fixture().await;
    let company = &fixture.company;
    let mut table = String::new();
    for (what, names, case) in CASES {
        let got = match case(&fixture.service, &company.robot_token.call(), names.of(company), company).await {
            Ok(()) => "ok",
            Err(refusal) => refusal.reason.as_str(),
        };
        table += &format!("{what}: {got}\n");
        if *what == "revoke_token" || *what == "revoke_tokens" {
            table += "  (and with that its token is gone)\n";
            break;
        }
    }
    insta::assert_snapshot!(table, @r"
    update_business: role_insufficient
    create_person: role_insufficient
    update_person: role_insufficient
    create_app: role_insufficient
    update_app: role_insufficient
    rotate_app_secret: role_insufficient
    connect_app: role_insufficient
    disconnect_app: role_insufficient
    install_app: role_insufficient
    uninstall_app: role_insufficient
    create_system_user: role_insufficient
    update_system_user: role_insufficient
    delete_system_user: role_insufficient
    create_asset: role_insufficient
    assign: role_insufficient
    unassign: role_insufficient
    share: role_insufficient
    unshare: role_insufficient
    issue_token: ok
    revoke_token: ok
      (and with that its token is gone)
    ");
}

#[tokio::test]
async fn what_is_the_operators_is_nobody_elses() {
    let fixture: Fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    for call in [company.root_token.call(), company.person.clone(), company.robot_token.call()] {
        let refusals = [
            service.create_business(&call, name("B"), name("A"), "x@example.com").await.map(drop),
            service.replace_terms(&call, "text").await.map(drop),
            service.create_unowned_asset(&call, AssetKind::Page, name("P"), Map::new()).await.map(drop),
        ];
        for refusal in refusals {
            assert_eq!(refusal.unwrap_err().reason, Reason::RoleInsufficient);
        }
    }
    // An ADMIN person may let people of its business in; software may not.
    for call in [company.root_token.call(), company.robot_token.call()] {
        let refused = service.create_sign_in_code(&call, company.admin_person).await;
        assert_eq!(refused.unwrap_err().reason, Reason::RoleInsufficient);
    }
    assert!(service.create_sign_in_code(&company.person, company.admin_person).await.is_ok());
    assert_eq!(service.accept_terms(&company.root_token.call(), 1).await.unwrap_err().reason, Reason::RoleInsufficient);
    assert_eq!(service.accept_terms(&Call::operator("x"), 1).await.unwrap_err().reason, Reason::RoleInsufficient);
}
