//! System users: the empty page, the list, and a new one.

use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::rules::terms;
use valetkey_domain::{Purpose, Refusal, Role, Status, TokenId};
use valetkey_http::Reply;
use valetkey_service::token::{Listed, TokenStatus};
use valetkey_service::{Facts, rights};

use super::find::Find;
use super::paging;
use crate::failure::Failure;
use crate::shell::SOON_MS;
use crate::view::parts::{Badge, Form, LastUse, Tab, Time, Tone};
use crate::view::system_user::{EmptyPage, ListPage, NewPage, UserRow};
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell};

/// The entry of the navigation.
pub const HERE: &str = "/console/system-users";

/// All system users, or the page that says there are none.
///
/// # Errors
/// The refusal.
pub async fn list(visit: Visit) -> Result<Reply, Failure> {
    let business = visit.who.business;
    let question = rights::MANAGE_BUSINESS.on_business(business);
    let all = visit.step(question, |facts| live(facts, business))?;
    if all.is_empty() {
        return empty(&visit);
    }
    let (find, shown) = (Find::of(&visit.query), visit.query.text("show"));
    let is_shown = |user: &&SystemUser| {
        let fits = match shown {
            Some("admins") => user.role == Role::Admin,
            Some("deactivated") => user.status == Status::Deactivated,
            Some(_) | None => true,
        };
        fits && find.fits(user.name.as_str(), &user.id)
    };
    let mut found: Vec<&SystemUser> = all.iter().filter(is_shown).collect();
    found.sort_by_cached_key(|user| (user.name.as_str().to_lowercase(), user.id));
    let (from, to) = paging::window(&visit, "from", found.len());
    let rows = rows(&visit, &found[from..to]).await?;
    let count_of = |fits: &dyn Fn(&SystemUser) -> bool| names::count(all.iter().filter(|user| fits(user)).count());
    let tab = |label: &str, word: &str, count: String| Tab {
        label: label.to_owned(),
        href: if word.is_empty() { HERE.to_owned() } else { format!("{HERE}?show={word}") },
        count: Some(count),
        current: shown.unwrap_or_default() == word,
    };
    page(&ListPage {
        shell: shell::of(&visit, "System users", HERE),
        query: visit.query.typed("q"),
        tabs: vec![
            tab("All", "", names::count(all.len())),
            tab("Admins", "admins", count_of(&|user| user.role == Role::Admin)),
            tab("Deactivated", "deactivated", count_of(&|user| user.status == Status::Deactivated)),
        ],
        rows,
        total: names::count(all.len()),
        has_app: visit.step(question, |facts| !facts.connected_apps(business).is_empty())?,
        pager: paging::pager(&visit, HERE, "from", found.len()),
    })
}

fn live(facts: &Facts<'_>, business: valetkey_domain::BusinessId) -> Vec<SystemUser> {
    let users = facts.system_users(business).into_iter().filter_map(|id| facts.system_user(id));
    users.filter(|user| user.status != Status::Deleted).collect()
}

fn empty(visit: &Visit) -> Result<Reply, Failure> {
    let business = visit.who.business;
    let (apps, terms_accepted) = visit.step(rights::MANAGE_BUSINESS.on_business(business), |facts| {
        let apps = facts.connected_apps(business).into_iter().filter_map(|id| facts.app(id));
        (apps.map(|app| app.name.to_string()).collect(), terms::are_accepted(&**facts, business))
    })?;
    page(&EmptyPage { shell: shell::of(visit, "System users", HERE), apps, terms_accepted })
}

async fn rows(visit: &Visit, users: &[&SystemUser]) -> Result<Vec<UserRow>, Failure> {
    let question = rights::MANAGE_BUSINESS.on_business(visit.who.business);
    let read = |facts: &Facts<'_>| {
        let of = |user: &&SystemUser| {
            let tokens: Vec<TokenId> = facts.tokens_of(user.id);
            (facts.assets_of(user.id).len(), tokens)
        };
        users.iter().map(of).collect::<Vec<_>>()
    };
    let seeds = visit.step(question, read)?;
    let ids: Vec<TokenId> = seeds.iter().flat_map(|(_, tokens)| tokens.iter().copied()).collect();
    let listed = visit.service.tokens(&visit.call, question, &ids).await?.into_inner();
    let now = visit.now();
    Ok(users
        .iter()
        .zip(&seeds)
        .map(|(user, (assets, _))| {
            let own: Vec<&Listed> = listed.iter().filter(|listed| listed.token.user == user.id).collect();
            row(user, *assets, &own, now)
        })
        .collect())
}

fn row(user: &SystemUser, assets: usize, tokens: &[&Listed], now: i64) -> UserRow {
    let is_live = |listed: &&&Listed| listed.status == TokenStatus::Live && listed.token.page.is_none();
    let live = tokens.iter().filter(is_live);
    let next_end = live.clone().filter_map(|listed| listed.token.expires_at).min();
    let last = tokens.iter().filter_map(|listed| listed.last_used.as_ref()).max_by_key(|used| used.used_at);
    UserRow {
        name: user.name.to_string(),
        href: names::system_user_href(user.id),
        description: user.description.as_ref().map(|text| text.as_str().to_owned()),
        role: names::role(user.role).to_owned(),
        badge: (user.status == Status::Deactivated).then(|| Badge::new("Deactivated", Tone::Warning)),
        reach: match user.role {
            Role::Admin => "Every asset".to_owned(),
            Role::Employee if assets == 0 => "None".to_owned(),
            Role::Employee => names::counted(assets, "asset", "assets"),
        },
        tokens: match live.count() {
            0 => "None".to_owned(),
            count => format!("{} live", names::count(count)),
        },
        next_end: next_end.map(|end| Time::relative(end, now)),
        soon: next_end.is_some_and(|end| end < now + SOON_MS),
        last_used: last.map(|used| last_use(used, now)),
    }
}

/// When and from where a token was last used.
pub fn last_use(used: &valetkey_service::store::TokenUse, now: i64) -> LastUse {
    let from = Some(used.ip.clone()).filter(|ip| !ip.is_empty());
    LastUse { at: Time::relative(used.used_at, now), from, did: None }
}

/// The form for a new one. Without an app or accepted terms it leads there first.
///
/// # Errors
/// The refusal.
pub async fn new(visit: Visit) -> Result<Reply, Failure> {
    let business = visit.who.business;
    let (has_app, accepted) = visit.step(rights::MANAGE_BUSINESS.on_business(business), |facts| {
        (!facts.connected_apps(business).is_empty(), terms::are_accepted(&**facts, business))
    })?;
    if !has_app {
        return Ok(reply::see_other("/console/apps/new?return_to=/console/system-users/new"));
    }
    if !accepted {
        return Ok(reply::see_other("/console/terms?return_to=/console/system-users/new"));
    }
    page(&new_view(&visit, visit.new_form()))
}

/// Makes it.
///
/// # Errors
/// The refusal.
pub async fn create(visit: Visit) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return page(&new_view(&visit, visit.new_form()));
    }
    visit.once(HERE).await?;
    let made = match fields(&visit) {
        Ok((name, description)) => {
            let role = forms::role(&visit.form);
            visit.service.create_system_user(&visit.call, visit.who.business, name, role, description).await
        }
        Err(refusal) => Err(refusal),
    };
    match made {
        Ok(done) => Ok(reply::see_other(&format!("{}?done=system-user", names::system_user_href(done.value)))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&new_view(&visit, Form { errors, ..visit.new_form() }))
        }
    }
}

fn fields(visit: &Visit) -> Result<(valetkey_domain::Name, Option<Purpose>), Refusal> {
    Ok((forms::name(&visit.form, "name")?, forms::purpose(&visit.form, "description")?))
}

fn new_view(visit: &Visit, form: Form) -> NewPage {
    let title = "New system user";
    NewPage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        name: visit.form.typed("name"),
        description: visit.form.typed("description"),
        admin: forms::role(&visit.form) == Role::Admin,
        alike: None,
    }
}
