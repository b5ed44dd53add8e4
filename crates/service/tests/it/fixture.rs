//! A fixture for tests: one business with an app, an ADMIN and an EMPLOYEE system user, a Page and an
//! ad account, and a partner, over the store that the environment names.

use tokio_util::sync::CancellationToken;
use valetkey_domain::post::PostInput;
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_domain::{AppId, AssetId, AssetKind, BusinessId, Refusal, ScopeSet, UserId};
use valetkey_service::authz::{Decision, Question};
use valetkey_service::{Call, Service, rights};
use valetkey_testkit::company;
pub use valetkey_testkit::company::{Issued, name};
pub use valetkey_testkit::ground::Ground;

pub struct Fixture {
    pub ground: Ground,
    pub service: Service,
    pub company: Company,
    pub agency: Company,
}

pub struct Company {
    pub business: BusinessId,
    pub admin_person: UserId,
    pub person: Call,
    pub app: AppId,
    pub secret: String,
    pub root: UserId,
    pub root_token: Issued,
    pub robot: UserId,
    pub robot_token: Issued,
    pub page: AssetId,
    pub account: AssetId,
}

pub fn operator() -> Call {
    Call::operator("seed")
}

pub async fn fixture() -> Fixture {
    Fixture::on(Ground::new().await).await
}

/// For tests with paused time.
pub async fn fixture_in_memory() -> Fixture {
    Fixture::on(Ground::in_memory().await).await
}

pub async fn make_company(service: &Service, title: &str, email: &str) -> Company {
    let kinds = [(AssetKind::Page, "Asset"), (AssetKind::AdAccount, "Asset")];
    let made = company::company(service, title, email, &kinds).await;
    Company {
        business: made.business,
        admin_person: made.admin_person,
        person: made.person,
        app: made.app,
        secret: made.secret,
        root: made.admin,
        root_token: made.admin_token,
        robot: made.employee,
        robot_token: made.employee_token,
        page: made.assets[0],
        account: made.assets[1],
    }
}

/// A token with every scope and without end.
pub async fn issue(service: &Service, by: &Call, system_user: UserId, app: AppId) -> Issued {
    try_issue(service, by, system_user, app, Lifetime::Never).await.unwrap()
}

pub async fn try_issue(
    service: &Service,
    by: &Call,
    system_user: UserId,
    app: AppId,
    lifetime: Lifetime,
) -> Result<Issued, Refusal> {
    let ask =
        IssueRequest { system_user, app, scopes: ScopeSet::all(), lifetime, add_dependencies: false, purpose: None };
    let (token, text) = service.issue_token(by, ask).await?.value;
    Ok(Issued { id: token.id, text: text.reveal().to_owned() })
}

pub fn alive() -> Question {
    Question::alive()
}

pub fn publish(page: AssetId) -> Question {
    rights::PUBLISH.on_asset(page, AssetKind::Page)
}

pub fn post(message: &str) -> PostInput {
    PostInput { message: Some(message.to_owned()), ..PostInput::default() }
}

pub fn tasks(names: &[&str]) -> Vec<String> {
    names.iter().map(|t| (*t).to_owned()).collect()
}

/// The answer to a question, as `allow` or the reason.
pub fn answer(service: &Service, text: &str, question: Question) -> &'static str {
    match service.check(text, None, question).1 {
        Decision::Allow(_) => "allow",
        Decision::Deny(denial) => denial.reason.as_str(),
    }
}

impl Fixture {
    pub async fn on(ground: Ground) -> Fixture {
        let service = ground.node(7).await;
        let company = make_company(&service, "Rad", "ada@rad.example").await;
        let agency = make_company(&service, "Laut", "kim@laut.example").await;
        Fixture { ground, service, company, agency }
    }

    /// Writes what waits, as the background work does at its end.
    pub async fn flush(&self) {
        let stop = CancellationToken::new();
        stop.cancel();
        self.service.run_background(stop).await;
    }

    pub async fn assign(&self, user: UserId, asset: AssetId, names: &[&str]) {
        self.service.assign(&self.company.person, asset, user, tasks(names)).await.unwrap();
    }

    pub fn ask(&self, token: &Issued, question: Question) -> &'static str {
        answer(&self.service, &token.text, question)
    }
}

/// The operator, who reads what a test compares.
pub fn reader(service: &Service) -> valetkey_service::operator::Operator<'_> {
    valetkey_service::operator::Operator::of(service, "test")
}
