//! A company that is ready to work, made by the real use cases: an ADMIN person who accepted the
//! terms, an app, an ADMIN and an EMPLOYEE system user with a token each, and assets.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use serde_json::Map;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_domain::{AppId, AssetId, AssetKind, BusinessId, Name, Refusal, Role, ScopeSet, TokenId, UserId};
use valetkey_service::{Call, Service};

/// The company.
#[derive(Debug, Clone)]
pub struct Company {
    pub business: BusinessId,
    pub admin_person: UserId,
    /// A call of the ADMIN person.
    pub person: Call,
    pub app: AppId,
    pub secret: String,
    pub admin: UserId,
    pub admin_token: Issued,
    pub employee: UserId,
    pub employee_token: Issued,
    /// In the order in which their kinds were named.
    pub assets: Vec<AssetId>,
}

/// A token, with its text.
#[derive(Debug, Clone)]
pub struct Issued {
    pub id: TokenId,
    pub text: String,
}

impl Issued {
    pub fn call(&self) -> Call {
        Call::with_token(&self.text, "trace")
    }
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Makes one, with assets of these kinds.
pub async fn company(service: &Service, title: &str, email: &str, assets: &[(AssetKind, &str)]) -> Company {
    let operator = Call::operator("seed");
    let made = service.create_business(&operator, name(title), name("Ada"), email).await.unwrap();
    let (business, admin_person) = made.value;
    let code = service.create_sign_in_code(&operator, admin_person).await.unwrap().value;
    let (_, person) = service.redeem_sign_in_code("seed", code.reveal(), PersonToken::CommandLine).await.unwrap().value;
    let person = Call::with_token(person.reveal(), "seed");
    service.accept_terms(&person, 1).await.unwrap();
    let (app, secret) = service.create_app(&person, business, name("Publisher"), false).await.unwrap().value;
    let admin = service.create_system_user(&person, business, name("Manager"), Role::Admin, None).await.unwrap().value;
    let employee =
        service.create_system_user(&person, business, name("Employee"), Role::Employee, None).await.unwrap().value;
    let mut made = Vec::new();
    for (kind, title) in assets {
        made.push(service.create_asset(&person, *kind, business, name(title), Map::new()).await.unwrap().value);
    }
    for user in [admin, employee] {
        service.install_app(&person, user, app).await.unwrap();
    }
    let admin_token = issue(service, &person, admin, app, ScopeSet::all(), Lifetime::Never).await.unwrap();
    let employee_token = issue(service, &person, employee, app, ScopeSet::all(), Lifetime::Never).await.unwrap();
    Company { business, admin_person, person, app, secret, admin, admin_token, employee, employee_token, assets: made }
}

/// A token with these scopes and what they need.
///
/// # Errors
/// The refusal.
pub async fn issue(
    service: &Service,
    by: &Call,
    system_user: UserId,
    app: AppId,
    scopes: ScopeSet,
    lifetime: Lifetime,
) -> Result<Issued, Refusal> {
    let ask = IssueRequest { system_user, app, scopes, lifetime, add_dependencies: true, purpose: None };
    let (token, text) = service.issue_token(by, ask).await?.value;
    Ok(Issued { id: token.id, text: text.reveal().to_owned() })
}
