//! Apps: the list, one of them, its name, whether it is connected, and its end. Its scopes, its proof and
//! its secret have files of their own.

use std::collections::HashMap;

use valetkey_domain::noun::app::App;
use valetkey_domain::{AppId, BusinessId, ScopeSet, Status, TokenId, UserId, scope};
use valetkey_http::Reply;
use valetkey_service::token::{Listed, TokenStatus, status};
use valetkey_service::{Facts, rights};

use super::system_user::last_use;
use crate::failure::Failure;
use crate::shell::SOON_MS;
use crate::view::apps::{AllowedGroup, AppHead, AppPage, AppRow, ListPage, TokenRow};
use crate::view::parts::{Badge, Link, Time, Tone};
use crate::visit::{Visit, page};
use crate::{names, shell, words};

/// The entry of the navigation.
pub const HERE: &str = "/console/apps";
/// How many tokens are looked at to count those of each app.
const LOOKED_AT_LIMIT: usize = 20_000;
/// How many tokens and system users stand on the page of an app.
const SHOWN: usize = 50;

/// How an app is used.
#[derive(Debug, Clone, Copy, Default)]
struct Uses {
    tokens: usize,
    users: usize,
}

/// All apps.
///
/// # Errors
/// The refusal.
pub async fn list(visit: Visit) -> Result<Reply, Failure> {
    let (business, now) = (visit.who.business, visit.now());
    let (rows, cut) = visit.step(rights::MANAGE_BUSINESS.on_business(business), |facts| {
        let (uses, cut) = uses(facts, business, now);
        let mut apps: Vec<App> = facts.owned_apps(business).into_iter().filter_map(|id| facts.app(id)).collect();
        apps.sort_by_cached_key(|app| (app.name.as_str().to_lowercase(), app.id));
        let row = |app: &App| row(facts, business, app, uses.get(&app.id).copied().unwrap_or_default(), now);
        (apps.iter().map(row).collect(), cut)
    })?;
    page(&ListPage { shell: shell::of(&visit, "Apps", HERE), rows, cut })
}

/// Live tokens and installations of each app; whether not all tokens were looked at.
fn uses(facts: &Facts<'_>, business: BusinessId, now: i64) -> (HashMap<AppId, Uses>, bool) {
    let mut uses: HashMap<AppId, Uses> = HashMap::new();
    let mut looked_at = 0;
    for user in facts.system_users(business) {
        for app in facts.installed_apps(user) {
            uses.entry(app).or_default().users += 1;
        }
        for id in facts.tokens_of(user) {
            looked_at += 1;
            if looked_at > LOOKED_AT_LIMIT {
                return (uses, true);
            }
            let Some(token) = facts.token(id).filter(|token| token.page.is_none()) else { continue };
            if status(&**facts, &token, now) == TokenStatus::Live
                && let Some(app) = token.app
            {
                uses.entry(app).or_default().tokens += 1;
            }
        }
    }
    (uses, false)
}

fn row(facts: &Facts<'_>, business: BusinessId, app: &App, uses: Uses, now: i64) -> AppRow {
    AppRow {
        id: app.id.to_string(),
        name: app.name.to_string(),
        href: names::app_href(app.id),
        state: match facts.connection(business, app.id) {
            Some(_) => Badge::new("Connected", Tone::Good),
            None => Badge::new("Disconnected", Tone::Warning),
        },
        installed: match uses.users {
            0 => "None".to_owned(),
            count => names::counted(count, "system user", "system users"),
        },
        tokens: match uses.tokens {
            0 => "None".to_owned(),
            count => format!("{} live", names::count(count)),
        },
        scopes: scopes(app.allowed_scopes),
        proof: app.demands_proof,
        created: Time::date(app.created_at, now),
    }
}

/// "Every scope", "12 of 50 scopes".
fn scopes(allowed: ScopeSet) -> String {
    if allowed == ScopeSet::all() {
        return "Every scope".to_owned();
    }
    format!("{} of {} scopes", allowed.iter().count(), scope::TABLE.len())
}

/// The app of the address, which the business owns.
///
/// # Errors
/// The refusal, or `NotFound`.
pub fn of_path(visit: &Visit) -> Result<(App, AppHead), Failure> {
    let id: AppId = visit.id()?;
    let business = visit.who.business;
    visit.find(rights::MANAGE_BUSINESS.on_business(business), |facts| {
        let app = facts.app(id).filter(|app| app.business == business)?;
        let head = AppHead {
            id: id.to_string(),
            name: app.name.to_string(),
            href: names::app_href(id),
            connected: facts.connection(business, id).is_some(),
        };
        Some((app, head))
    })
}

/// The live tokens of an app, newest first, Page tokens left out; at most [`LOOKED_AT_LIMIT`] are
/// looked at.
pub fn live_tokens(facts: &Facts<'_>, business: BusinessId, app: AppId, now: i64) -> Vec<TokenId> {
    let users = facts.system_users(business).into_iter();
    let tokens = users.flat_map(|user| facts.tokens_of(user)).take(LOOKED_AT_LIMIT).filter_map(|id| facts.token(id));
    let is_live = |token: &valetkey_domain::noun::token::Token| {
        token.app == Some(app) && token.page.is_none() && status(&**facts, token, now) == TokenStatus::Live
    };
    let mut ids: Vec<TokenId> = tokens.filter(is_live).map(|token| token.id).collect();
    ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    ids
}

/// The page.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let (app, head) = of_path(&visit)?;
    let (business, now) = (visit.who.business, visit.now());
    let question = rights::MANAGE_BUSINESS.on_business(business);
    let (users, user_count, ids) = visit.step(question, |facts| {
        let (users, count) = users(facts, business, app.id);
        (users, count, live_tokens(facts, business, app.id, now))
    })?;
    let shown: Vec<TokenId> = ids.iter().copied().take(SHOWN).collect();
    let listed = visit.service.tokens(&visit.call, question, &shown).await?.into_inner();
    let tokens =
        visit.step(question, |facts| listed.iter().map(|listed| token_row(facts, listed, now)).collect::<Vec<_>>())?;
    page(&AppPage {
        shell: shell::of(&visit, app.name.as_str(), HERE),
        form: visit.new_form(),
        created: Time::date(app.created_at, now),
        previous_until: previous_until(&app, now),
        proof: app.demands_proof,
        scopes: scopes(app.allowed_scopes),
        groups: groups(app.allowed_scopes),
        users,
        user_count: names::count(user_count),
        tokens,
        token_count: format!("{} live", names::count(ids.len())),
        more_tokens: (ids.len() > SHOWN)
            .then(|| Link::new(format!("All {}", names::count(ids.len())), format!("/console/tokens?app={}", app.id))),
        app: head,
    })
}

/// When the secret before the present one stops, while it works.
pub fn previous_until(app: &App, now: i64) -> Option<Time> {
    let until = app.previous_secret.as_ref().map(|(_, until)| *until).filter(|until| *until > now);
    until.map(|until| Time::datetime(until, now))
}

/// The system users that an app is installed on: the first of them, and how many there are.
fn users(facts: &Facts<'_>, business: BusinessId, app: AppId) -> (Vec<Link>, usize) {
    let is_here = |user: &UserId| facts.installation(*user, app).is_some();
    let user = |id: UserId| facts.system_user(id).filter(|user| user.status != Status::Deleted);
    let all: Vec<_> = facts.system_users(business).into_iter().filter(is_here).filter_map(user).collect();
    let link = |user: &valetkey_domain::noun::system_user::SystemUser| {
        Link::new(user.name.to_string(), names::system_user_href(user.id))
    };
    (all.iter().take(SHOWN).map(link).collect(), all.len())
}

fn groups(allowed: ScopeSet) -> Vec<AllowedGroup> {
    let group = |title: &&str| {
        let all: Vec<scope::Scope> = scope::Scope::all().filter(|s| words::scope_group(*s) == *title).collect();
        let missing: Vec<String> = all.iter().filter(|s| !allowed.has(**s)).map(|s| s.name().to_owned()).collect();
        AllowedGroup {
            title: (*title).to_owned(),
            counted: format!("{} of {}", all.len() - missing.len(), all.len()),
            missing,
        }
    };
    words::SCOPE_GROUPS.iter().map(group).collect()
}

fn token_row(facts: &Facts<'_>, listed: &Listed, now: i64) -> TokenRow {
    let token = &listed.token;
    let user = names::system_user_href(token.user);
    TokenRow {
        href: format!("/console/tokens/{}", token.id),
        purpose: names::token(token),
        id: token.id.to_string(),
        ends: token.expires_at.map(|end| Time::relative(end, now)),
        soon: token.expires_at.is_none_or(|end| end < now + SOON_MS),
        last_used: listed.last_used.as_ref().map(|used| last_use(used, now)),
        revoke: format!("{user}/revoke?token={}", token.id),
        user: Link::new(names::user(&**facts, token.user), user),
    }
}
