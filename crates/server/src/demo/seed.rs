//! Creates the demo's company, or finds it again. Each object is looked up first, by the id of an
//! earlier start or by its name, and created only if it is missing. So an interrupted start
//! continues where it stopped, and deleted objects are created again.
//!
//! Everything goes through the service, as the operator and as the people of the company, so that
//! the rules apply and the ledger shows the true history.

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use valetkey_domain::campaign::CampaignInput;
use valetkey_domain::id::of;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::post::PostInput;
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::rules::{person, system_user};
use valetkey_domain::{
    AppId, AssetId, AssetKind, BusinessId, Id, IdKind, Name, Purpose, Role, ScopeSet, Status, UserId,
};
use valetkey_service::operator::Operator;
use valetkey_service::{Call, Service, rights};

use super::company::{self, AdAccountSketch, HelperSketch, PageSketch, TRACE};
use super::file::{self, Demo};
use super::person::Session;
use super::tokens;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Is called with what is being made, to show the progress.
pub type Progress<'a> = &'a mut (dyn FnMut(&str) + Send);

/// A business with the session of its admin person.
struct Seeded<'a> {
    service: &'a Service,
    business: BusinessId,
    admin: UserId,
    session: Session<'a>,
}

/// The whole company, with everything that scripts need.
///
/// # Errors
/// When a step is refused: the demo's data were changed too far.
pub async fn ensure(
    service: &Service,
    old: Option<&Demo>,
    base_url: &str,
    progress: Progress<'_>,
) -> anyhow::Result<Demo> {
    let mut company_of = Seeded::find(service, company::BUSINESS, company::ADMIN, old.map(|o| o.business.id)).await?;
    progress(company::BUSINESS);
    let app = company_of.app(company::APPS[0], false, old.map(|o| (o.app.id, o.app.secret.as_str()))).await?;
    let second =
        company_of.app(company::APPS[1], true, old.map(|o| (o.second_app.id, o.second_app.secret.as_str()))).await?;
    company_of.accept_terms().await?;
    let colleague = company_of.colleague().await?;
    let admin_user =
        company_of.system_user(company::ADMIN_SYSTEM_USER, Role::Admin, old.map(|o| o.admin_system_user.id)).await?;
    company_of.install(admin_user.id, &[app.id, second.id]).await?;
    let old_token = old.map(|o| o.admin_system_user.token.as_str());
    let admin_token = company_of.admin_token(admin_user.id, &app, old_token).await?;
    let by_admin = tokens::call(&admin_token, &app.secret);

    let pages = company_of.pages(&by_admin, old, progress).await?;
    let ad_accounts = company_of.ad_accounts(&by_admin, old, progress).await?;
    let old_ids = |pick: fn(&Demo) -> AssetId| old.map(pick);
    let catalog =
        company_of.asset(AssetKind::Catalog, company::CATALOG, old_ids(|o| o.catalog.id), company::catalog_details());
    let catalog = catalog.await?;
    let pixel = company_of.asset(AssetKind::Pixel, company::PIXEL, old_ids(|o| o.pixel.id), Map::new()).await?;
    if let Some(page) = pages.get(1) {
        company_of.assign(page.id, colleague, company::COLLEAGUE_TASKS).await?;
    }

    let places = Places { pages: &pages, ad_accounts: &ad_accounts, catalog: catalog.id };
    let mut system_users = Vec::new();
    for (i, sketch) in company::HELPERS.iter().enumerate() {
        progress(sketch.name);
        let old = old.and_then(|o| o.system_users.get(i));
        let user = company_of.system_user((sketch.name, sketch.description), Role::Employee, old.map(|o| o.id)).await?;
        company_of.install(user.id, &[app.id]).await?;
        company_of.equip(user.id, sketch, &places).await?;
        let scopes = ScopeSet::of(sketch.scopes);
        let wish = tokens::Wish { scopes, lifetime: tokens::SIXTY_DAYS, purpose: sketch.token_purpose };
        let old_token = old.map(|o| o.token.as_str());
        let token = tokens::keep_or_issue(service, &by_admin, user.id, &app, wish, old_token).await?;
        system_users.push(file::SystemUser { id: user.id, name: user.name, role: Role::Employee, token });
    }
    let business = company_of.named()?;
    company_of.session.end().await;

    let partner = partner(service, old, progress).await?;
    let sign_in = service.create_sign_in_code(&Call::operator(TRACE), company_of.admin).await?.value;
    Ok(Demo {
        base_url: base_url.to_owned(),
        business,
        app,
        second_app: second,
        partner,
        pages,
        ad_accounts,
        catalog: file::Bare { id: catalog.id },
        pixel: file::Bare { id: pixel.id },
        admin_system_user: file::AdminSystemUser { id: admin_user.id, name: admin_user.name, token: admin_token },
        system_users,
        sign_in: sign_in.reveal().to_owned(),
    })
}

/// The agency that works beside the company.
async fn partner(service: &Service, old: Option<&Demo>, progress: Progress<'_>) -> anyhow::Result<file::Partner> {
    progress(company::PARTNER);
    let old = old.map(|o| &o.partner);
    let mut company_of =
        Seeded::find(service, company::PARTNER, company::PARTNER_ADMIN, old.map(|o| o.business.id)).await?;
    let app = company_of.app(company::PARTNER_APP, false, old.map(|o| (o.app.id, o.app.secret.as_str()))).await?;
    company_of.accept_terms().await?;
    let user = company_of.system_user(company::PARTNER_SYSTEM_USER, Role::Admin, None).await?;
    company_of.install(user.id, &[app.id]).await?;
    let admin_token = company_of.admin_token(user.id, &app, old.map(|o| o.admin_token.as_str())).await?;
    let business = company_of.named()?;
    company_of.session.end().await;
    Ok(file::Partner { business, app: file::PartnerApp { id: app.id, secret: app.secret }, admin_token })
}

/// The assets that assignments refer to.
struct Places<'a> {
    pages: &'a [file::Named<of::Asset>],
    ad_accounts: &'a [file::AdAccount],
    catalog: AssetId,
}

impl<'a> Seeded<'a> {
    async fn find(
        service: &'a Service,
        name: &str,
        admin: (&str, &str),
        old: Option<BusinessId>,
    ) -> anyhow::Result<Seeded<'a>> {
        let found = Operator::of(service, TRACE).read(|state| {
            let known = old.and_then(|id| state.business(id));
            let mut all = state.businesses().into_iter().filter_map(|id| state.business(id));
            known.or_else(|| all.find(|b| b.name.as_str() == name)).map(|b| b.id)
        })?;
        let business = match found {
            Some(id) => id,
            None => {
                let made =
                    service.create_business(&Call::operator(TRACE), name_of(name)?, name_of(admin.0)?, admin.1).await;
                made.with_context(|| format!("the business {name}"))?.value.0
            }
        };
        let admin = Operator::of(service, TRACE).read(|state| {
            let mut people = person::live_people(state, business);
            people.retain(|p| p.role == Role::Admin && p.status == Status::Active);
            people.iter().find(|p| p.email == admin.1).or_else(|| people.first()).map(|p| p.id)
        })?;
        let admin = admin.with_context(|| format!("{name} has no admin person any more"))?;
        Ok(Seeded { service, business, admin, session: Session::new(service, admin) })
    }

    fn named(&self) -> anyhow::Result<file::Named<of::Business>> {
        let found = Operator::of(self.service, TRACE).read(|state| state.business(self.business))?;
        let found = found.context("the business is gone")?;
        Ok(file::Named { id: found.id, name: found.name.to_string() })
    }

    /// An app with a secret that works, connected.
    async fn app(&mut self, name: &str, demands_proof: bool, old: Option<(AppId, &str)>) -> anyhow::Result<file::App> {
        let business = self.business;
        let found = Operator::of(self.service, TRACE).read(|state| {
            let mut own = state.owned_apps(business).into_iter().filter_map(|id| state.app(id));
            let known = old.and_then(|(id, _)| state.app(id)).filter(|app| app.business == business);
            known.or_else(|| own.find(|app| app.name.as_str() == name))
        })?;
        let call = self.session.call().await?;
        let Some(found) = found else {
            let made = self.service.create_app(&call, business, name_of(name)?, demands_proof).await;
            let (id, secret) = made.with_context(|| format!("the app {name}"))?.value;
            return Ok(file::App { id, secret, name: name.to_owned() });
        };
        if Operator::of(self.service, TRACE).read(|state| state.connection(business, found.id).is_none())? {
            self.service.connect_app(&call, business, found.id).await?;
        }
        if found.demands_proof != demands_proof {
            // Scripts rely on which of the two demands it.
            let edit = AppEdit { demands_proof: Some(demands_proof), ..AppEdit::default() };
            self.service.update_app(&call, found.id, edit).await?;
        }
        let secret = match old.filter(|(id, secret)| *id == found.id && self.service.prove_app(*id, secret).is_ok()) {
            Some((_, secret)) => secret.to_owned(),
            None => self.service.rotate_app_secret(&call, found.id, 0).await?.value,
        };
        Ok(file::App { id: found.id, secret, name: found.name.to_string() })
    }

    async fn accept_terms(&mut self) -> anyhow::Result<()> {
        let business = self.business;
        let (accepted, version) = Operator::of(self.service, TRACE).read(|state| {
            let accepted = state.business(business).and_then(|b| b.accepted).map(|a| a.version);
            (accepted, state.terms().version)
        })?;
        if accepted != Some(version) {
            let call = self.session.call().await?;
            self.service.accept_terms(&call, version).await.context("the terms")?;
        }
        Ok(())
    }

    async fn colleague(&mut self) -> anyhow::Result<UserId> {
        let (name, email) = company::COLLEAGUE;
        let business = self.business;
        let found = Operator::of(self.service, TRACE)
            .read(|state| person::live_people(state, business).into_iter().find(|p| p.email == email))?;
        if let Some(found) = found {
            return Ok(found.id);
        }
        let call = self.session.call().await?;
        let made = self.service.create_person(&call, business, name_of(name)?, email, Role::Employee).await;
        Ok(made.with_context(|| format!("the person {name}"))?.value)
    }

    /// A system user that exists and is active.
    async fn system_user(
        &mut self,
        (name, description): (&str, &str),
        role: Role,
        old: Option<UserId>,
    ) -> anyhow::Result<file::Named<of::User>> {
        let business = self.business;
        let found = Operator::of(self.service, TRACE).read(|state| {
            let of_role = |user: &SystemUser| user.business == business && user.role == role;
            let known = old.and_then(|id| system_user::live(state, id)).filter(of_role);
            let all = state.system_users(business).into_iter().filter_map(|id| system_user::live(state, id));
            known.or_else(|| all.filter(of_role).find(|user| user.name.as_str() == name))
        })?;
        if let Some(found) = found {
            if found.status != Status::Active {
                let call = self.session.call().await?;
                let edit = SystemUserEdit { status: Some(Status::Active), ..SystemUserEdit::default() };
                self.service.update_system_user(&call, found.id, edit).await?;
            }
            return Ok(file::Named { id: found.id, name: found.name.to_string() });
        }
        let call = self.session.call().await?;
        let made = self
            .service
            .create_system_user(&call, business, name_of(name)?, role, Purpose::parse(description).ok())
            .await;
        Ok(file::Named { id: made.with_context(|| format!("the system user {name}"))?.value, name: name.to_owned() })
    }

    async fn install(&mut self, user: UserId, apps: &[AppId]) -> anyhow::Result<()> {
        for app in apps {
            if Operator::of(self.service, TRACE).read(|state| state.installation(user, *app).is_none())? {
                let call = self.session.call().await?;
                self.service.install_app(&call, user, *app).await.context("an app could not be installed")?;
            }
        }
        Ok(())
    }

    /// The token with every scope that its app may ask for, issued by the admin person.
    async fn admin_token(&mut self, user: UserId, app: &file::App, old: Option<&str>) -> anyhow::Result<String> {
        let service = self.service;
        if let Some(token) = tokens::keep(service, user, app, ScopeSet::all(), old)? {
            return Ok(token);
        }
        let call = self.session.call().await?;
        let wish =
            tokens::Wish { scopes: ScopeSet::all(), lifetime: tokens::NEVER, purpose: company::ADMIN_TOKEN_PURPOSE };
        tokens::issue(service, &call, user, app, wish).await
    }

    async fn asset(
        &mut self,
        kind: AssetKind,
        name: &str,
        old: Option<AssetId>,
        details: Map<String, Value>,
    ) -> anyhow::Result<file::Named<of::Asset>> {
        let business = self.business;
        let found = Operator::of(self.service, TRACE).read(|state| {
            let mut own = state.owned_assets(business).into_iter().filter_map(|id| state.asset(id));
            let known = old.and_then(|id| state.asset(id)).filter(|a| a.kind == kind && a.business == Some(business));
            known.or_else(|| own.find(|a| a.kind == kind && a.name.as_str() == name))
        })?;
        if let Some(found) = found {
            return Ok(file::Named { id: found.id, name: found.name.to_string() });
        }
        let call = self.session.call().await?;
        let made = self.service.create_asset(&call, kind, business, name_of(name)?, details).await;
        Ok(file::Named { id: made.with_context(|| format!("the asset {name}"))?.value, name: name.to_owned() })
    }

    async fn pages(
        &mut self,
        by: &Call,
        old: Option<&Demo>,
        progress: Progress<'_>,
    ) -> anyhow::Result<Vec<file::Named<of::Asset>>> {
        let mut pages = Vec::new();
        for (i, sketch) in company::PAGES.iter().enumerate() {
            progress(sketch.name);
            let old = old.and_then(|o| o.pages.get(i)).map(|page| page.id);
            let page = self.asset(AssetKind::Page, sketch.name, old, sketch.details()).await?;
            if is_empty(self.service, IdKind::Post, page.id.any()).await? {
                fill_page(self.service, by, page.id, sketch, i == 0).await?;
            }
            pages.push(page);
        }
        Ok(pages)
    }

    async fn ad_accounts(
        &mut self,
        by: &Call,
        old: Option<&Demo>,
        progress: Progress<'_>,
    ) -> anyhow::Result<Vec<file::AdAccount>> {
        let mut accounts = Vec::new();
        for (i, sketch) in company::AD_ACCOUNTS.iter().enumerate() {
            progress(sketch.name);
            let old = old.and_then(|o| o.ad_accounts.get(i)).map(|account| account.account_id);
            let account = self.asset(AssetKind::AdAccount, sketch.name, old, sketch.details()).await?;
            if is_empty(self.service, IdKind::Campaign, account.id.any()).await? {
                fill_ad_account(self.service, by, account.id, sketch).await?;
            }
            accounts.push(file::AdAccount {
                id: format!("act_{}", account.id),
                account_id: account.id,
                name: account.name,
            });
        }
        Ok(accounts)
    }

    async fn assign(&mut self, asset: AssetId, user: UserId, tasks: &[&str]) -> anyhow::Result<()> {
        if Operator::of(self.service, TRACE).read(|state| state.assignment(user, asset).is_none())? {
            let call = self.session.call().await?;
            let tasks = tasks.iter().map(|task| (*task).to_owned()).collect();
            self.service.assign(&call, asset, user, tasks).await.context("an asset could not be assigned")?;
        }
        Ok(())
    }

    /// Assigns a system user the assets that its work needs.
    async fn equip(&mut self, user: UserId, sketch: &HelperSketch, places: &Places<'_>) -> anyhow::Result<()> {
        for (at, tasks) in sketch.pages {
            let Some(page) = places.pages.get(*at) else { bail!("there is no Page {at}") };
            self.assign(page.id, user, tasks).await?;
        }
        for (at, tasks) in sketch.ad_accounts {
            let Some(account) = places.ad_accounts.get(*at) else { bail!("there is no ad account {at}") };
            self.assign(account.account_id, user, tasks).await?;
        }
        if !sketch.catalog.is_empty() {
            self.assign(places.catalog, user, sketch.catalog).await?;
        }
        Ok(())
    }
}

async fn is_empty(service: &Service, kind: IdKind, parent: Id) -> anyhow::Result<bool> {
    Ok(Operator::of(service, TRACE).count_content(kind, parent).await? == 0)
}

async fn fill_page(
    service: &Service,
    by: &Call,
    page: AssetId,
    sketch: &PageSketch,
    with_scheduled: bool,
) -> anyhow::Result<()> {
    let question = rights::PUBLISH.on_asset(page, AssetKind::Page);
    for (message, link) in sketch.posts {
        let post =
            PostInput { message: Some((*message).to_owned()), link: link.map(str::to_owned), ..PostInput::default() };
        service.create_post(by, question, page, post).await.context("a post")?;
    }
    if with_scheduled {
        let post = PostInput {
            message: Some(company::SCHEDULED_POST.to_owned()),
            published: Some(false),
            scheduled_at: Some(service.now() + 2 * DAY_MS),
            ..PostInput::default()
        };
        service.create_post(by, question, page, post).await.context("a scheduled post")?;
    }
    Ok(())
}

async fn fill_ad_account(
    service: &Service,
    by: &Call,
    account: AssetId,
    sketch: &AdAccountSketch,
) -> anyhow::Result<()> {
    let question = rights::WRITE_ADS.on_asset(account, AssetKind::AdAccount);
    for campaign in sketch.campaigns {
        let input = CampaignInput {
            name: Some(campaign.name.to_owned()),
            objective: Some(campaign.objective.to_owned()),
            status: Some(campaign.status.to_owned()),
            special_ad_categories: Some(Vec::new()),
            daily_budget: Some(campaign.daily_budget),
            bid_strategy: Some("LOWEST_COST_WITHOUT_CAP".to_owned()),
            ..CampaignInput::default()
        };
        service.create_campaign(by, question, account, input).await.context("a campaign")?;
    }
    Ok(())
}

fn name_of(text: &str) -> anyhow::Result<Name> {
    Name::parse(text).map_err(|error| anyhow::anyhow!("the name {text:?} {}", error.message()))
}
