//! The page of one system user: who it is, what it reaches, its tokens, and what it was refused.

use std::collections::HashMap;

use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::rules::system_user::live;
use valetkey_domain::task_scopes::scopes_for;
use valetkey_domain::{Role, ScopeSet, Status, TokenId, UserId};
use valetkey_http::Reply;
use valetkey_service::store::telemetry::day_of;
use valetkey_service::token::{Listed, TokenStatus};
use valetkey_service::{Facts, rights};

use super::kinds::Kind;
use super::refusal;
use super::system_user::{HERE, last_use};
use crate::failure::Failure;
use crate::shell::SOON_MS;
use crate::view::parts::{Chart, Link, Piece, Time, UserHead};
use crate::view::system_user::{AssetRow, TokenRow, UserPage};
use crate::visit::{Visit, page};
use crate::{names, shell, words};

/// How many assets the page lists; the rest stands on a page of its own.
const ASSETS_LIMIT: usize = 50;
/// How many refusals it shows.
const REFUSALS_LIMIT: usize = 5;
/// For how many tokens uses are drawn.
const CHARTS_LIMIT: usize = 20;
const CHART_DAYS: i64 = 30;
/// Rows of uses that are read for one chart.
const USAGE_LIMIT: usize = 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Who a page is about, for its head.
pub fn head(user: &SystemUser) -> UserHead {
    UserHead {
        id: user.id.to_string(),
        name: user.name.to_string(),
        href: names::system_user_href(user.id),
        role: names::role(user.role).to_owned(),
        admin: user.role == Role::Admin,
        active: user.status == Status::Active,
    }
}

/// The system user of the address.
///
/// # Errors
/// The refusal, or `NotFound`.
pub fn of_path(visit: &Visit) -> Result<SystemUser, Failure> {
    let id: UserId = visit.id()?;
    let question = rights::MANAGE_BUSINESS.on_business(visit.who.business);
    visit.find(question, |facts| live(&**facts, id).filter(|user| user.business == visit.who.business))
}

/// The page.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let user = of_path(&visit)?;
    let now = visit.now();
    let question = rights::MANAGE_BUSINESS.on_business(visit.who.business);
    let tokens = visit.service.list_tokens(&visit.call, user.id).await?.into_inner();
    let is_own = |listed: &&Listed| listed.token.page.is_none();
    let live_tokens: Vec<&Listed> =
        tokens.iter().filter(is_own).filter(|listed| listed.status == TokenStatus::Live).collect();
    let scopes = live_tokens.iter().fold(ScopeSet::EMPTY, |all, listed| all.with(listed.scopes));
    let mut charts = HashMap::new();
    for listed in live_tokens.iter().take(CHARTS_LIMIT) {
        charts.insert(listed.token.id, days(&visit, listed.token.id, now).await?);
    }
    let asset_count = visit.step(question, |facts| facts.assets_of(user.id).len())?;
    let rows = |facts: &Facts<'_>| {
        let tokens = live_tokens.iter().map(|listed| token_row(facts, listed, charts.get(&listed.token.id), now));
        (
            assets(facts, &user, scopes, now),
            apps(facts, user.id),
            names::creator(&**facts, user.created_by),
            tokens.collect(),
        )
    };
    let (assets, apps, created_by, token_rows) = visit.step(question, rows)?;
    let last = tokens.iter().filter_map(|listed| listed.last_used.as_ref()).max_by_key(|used| used.used_at);
    let dead = tokens.iter().filter(is_own).count() - live_tokens.len();
    page(&UserPage {
        shell: shell::of(&visit, user.name.as_str(), HERE),
        user: head(&user),
        description: user.description.as_ref().map(|text| text.as_str().to_owned()),
        role_sentence: words::system_user_role(user.role).to_owned(),
        last_used: last.map(|used| last_use(used, now)),
        created: Time::date(user.created_at, now),
        created_by,
        apps,
        manage: visit.who.is_admin(),
        assets,
        asset_count: names::count(asset_count),
        more_assets: (asset_count > ASSETS_LIMIT).then(|| {
            Link::new(
                format!("All {} assets", names::count(asset_count)),
                format!(
                    "/console/access?users={}",
                    form_urlencoded::byte_serialize(user.name.as_str().as_bytes()).collect::<String>()
                ),
            )
        }),
        tokens: token_rows,
        live: live_tokens.len(),
        ended: (dead > 0).then(|| {
            let label = format!("Show {}", names::counted(dead, "ended or revoked token", "ended and revoked tokens"));
            Link::new(label, format!("/console/tokens?user={}&show=ended", user.id))
        }),
        refusals: refusal::recent(&visit, user.id, REFUSALS_LIMIT).await?,
    })
}

fn apps(facts: &Facts<'_>, user: UserId) -> Vec<Link> {
    let apps = facts.installed_apps(user).into_iter().filter_map(|id| facts.app(id));
    apps.map(|app| Link::new(app.name.to_string(), names::app_href(app.id))).collect()
}

fn assets(facts: &Facts<'_>, user: &SystemUser, scopes: ScopeSet, now: i64) -> Vec<AssetRow> {
    let assigned = facts.assets_of(user.id).into_iter().take(ASSETS_LIMIT);
    let row = |id| {
        let (asset, assignment) = (facts.asset(id)?, facts.assignment(user.id, id)?);
        let declared = facts.declared_kind(asset.kind);
        let needed = scopes_for(asset.kind, declared.as_ref(), assignment.tasks);
        let is_out_of_reach = !needed.is_empty() && !needed.meets(scopes);
        let note = is_out_of_reach.then(|| {
            let generate = format!("{}/token", names::system_user_href(user.id));
            vec![Piece::plain("No live token has a scope for this. "), Piece::link("Generate one", generate)]
        });
        Some(AssetRow {
            name: asset.name.to_string(),
            href: names::asset_href(id),
            icon: names::kind_icon(asset.kind),
            kind: names::kind_title(asset.kind, declared.as_ref()),
            tasks: Kind::on(facts, asset.kind).labels(assignment.tasks).join(", "),
            note: note.unwrap_or_default(),
            by: names::creator(&**facts, assignment.created_by),
            at: Time::date(assignment.created_at, now),
            change: format!("{}/assign?asset={id}", names::system_user_href(user.id)),
        })
    };
    assigned.filter_map(row).collect()
}

/// The uses of a token on each of the last days, the oldest first. A call that used several rights
/// counts once a day for the right that was used most.
pub async fn days(visit: &Visit, token: TokenId, now: i64) -> Result<Vec<u64>, Failure> {
    let today = day_of(now);
    let first = today - CHART_DAYS + 1;
    let usage = visit.service.token_usage(&visit.call, token, (first, today), None, USAGE_LIMIT).await?;
    let mut days = vec![0u64; CHART_DAYS as usize];
    for row in &usage.rows {
        if let Some(day) = usize::try_from(row.day - first).ok().and_then(|at| days.get_mut(at)) {
            *day = (*day).max(u64::try_from(row.count).unwrap_or_default());
        }
    }
    Ok(days)
}

fn token_row(facts: &Facts<'_>, listed: &Listed, days: Option<&Vec<u64>>, now: i64) -> TokenRow {
    let token = &listed.token;
    let none = Vec::new();
    let days = days.unwrap_or(&none);
    let total: u64 = days.iter().sum();
    let age = (now - token.created_at) / DAY_MS;
    TokenRow {
        href: format!("/console/tokens/{}", token.id),
        purpose: names::token(token),
        app: token.app.and_then(|id| facts.app(id)).map(|app| app.name.to_string()).unwrap_or_default(),
        mark: token.id.to_string(),
        by: names::creator(&**facts, token.created_by),
        issued: Time::date(token.created_at, now),
        ends: token.expires_at.map(|end| Time::date(end, now)),
        ends_in: token.expires_at.map(|end| Time::relative(end, now)),
        soon: token.expires_at.is_none_or(|end| end < now + SOON_MS),
        last_used: listed.last_used.as_ref().map(|used| last_use(used, now)),
        unused: match age {
            0 => "Issued today".to_owned(),
            days => format!(
                "{} since it was issued",
                names::counted(usize::try_from(days).unwrap_or_default(), "day", "days")
            ),
        },
        chart: Chart::of(days, format!("{total} uses in {CHART_DAYS} days")),
        uses: per_day(total, age),
        revoke: format!("{}/revoke?token={}", names::system_user_href(token.user), token.id),
    }
}

/// The uses a day, over the days that the token exists.
fn per_day(total: u64, age_days: i64) -> String {
    let days = u64::try_from((age_days + 1).clamp(1, CHART_DAYS)).unwrap_or(1);
    match (total, total.div_ceil(days)) {
        (0, _) => "None".to_owned(),
        (_, rate) => format!("{rate} a day"),
    }
}
