//! The page of one asset: what it is, who can do what on it and by which path, what it holds, and what
//! was refused about it.

use std::collections::HashSet;

use valetkey_domain::noun::asset::Asset;
use valetkey_domain::{AppId, AssetId, AssetKind, BusinessId, Role, Status, UserId};
use valetkey_http::Reply;
use valetkey_service::access::{OnAsset, Path, UserSort, Whose};
use valetkey_service::authz::{Question, Sorts};
use valetkey_service::explain::RefusalFilter;
use valetkey_service::read::Guard;
use valetkey_service::rights::Right;
use valetkey_service::{Facts, rights};

use super::kinds::Kind;
use super::{content_list, refused};
use crate::failure::Failure;
use crate::view::asset::{AssetHead, AssetPage, Choice, Detail, HolderRow};
use crate::view::parts::{Link, Pager, Piece, Time};
use crate::visit::{Visit, page};
use crate::web::reply;
use crate::{names, shell};

/// How many users stand on one page.
const PEOPLE_LIMIT: usize = 50;
/// How many partners are listed.
const PARTNERS_LIMIT: usize = 50;
/// How many users can be chosen to be given access; the others have their own pages.
const OTHERS_LIMIT: usize = 200;

/// The fields that are shown, with their labels; others that were kept stay with programs.
const DETAILS: &[(&str, &str)] = &[
    ("category", "Category"),
    ("about", "About"),
    ("website", "Website"),
    ("phone", "Phone"),
    ("fan_count", "Fans"),
    ("currency", "Currency"),
    ("timezone_name", "Time zone"),
    ("spend_cap", "Spending limit, in minor units"),
    ("end_advertiser", "Advertiser"),
    ("media_agency", "Media agency"),
    ("partner", "Partner"),
    ("vertical", "Vertical"),
    ("username", "User name"),
];

/// What the viewer sees of the asset itself.
struct Seen {
    asset: Asset,
    owner: String,
    cap: Option<String>,
    partners: Vec<HolderRow>,
    others: Vec<Choice>,
}

/// The asset of the address, for who holds any task on it.
///
/// # Errors
/// `NotFound`, or the refusal.
pub fn of_path(visit: &Visit) -> Result<(Asset, Kind), Failure> {
    let id: AssetId = visit.id()?;
    let kind = kind_of(visit, id)?;
    let asset = visit.find(seeing(id, kind.kind), |facts| facts.asset(id))?;
    Ok((asset, kind))
}

/// The question whether somebody sees an asset: who holds any task on it does.
fn seeing(id: AssetId, kind: AssetKind) -> Question {
    Right { tasks: rights::Tasks::Any, ..rights::OPEN }.on_asset(id, kind)
}

fn kind_of(visit: &Visit, id: AssetId) -> Result<Kind, Failure> {
    match visit.service.record_guard(id)? {
        Guard::Asset { kind } => Ok(Kind::of(&visit.service, kind)),
        Guard::Business
        | Guard::SystemUser { .. }
        | Guard::Person { .. }
        | Guard::App { .. }
        | Guard::Token { .. }
        | Guard::Content { .. }
        | Guard::Absent => Err(Failure::NotFound),
    }
}

/// The question about renaming it: for an ADMIN of its owner.
pub fn renaming(id: AssetId, kind: AssetKind) -> Question {
    rights::share(id, kind).sorts(Sorts::USERS)
}

/// The asset at the head of a page.
pub fn head(asset: &Asset, kind: &Kind) -> AssetHead {
    AssetHead {
        id: asset.id.to_string(),
        name: asset.name.to_string(),
        href: names::asset_href(asset.id),
        kind: kind.title(),
        icon: kind.icon(),
    }
}

/// The page.
///
/// # Errors
/// `NotFound`, or the refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let id: AssetId = visit.id()?;
    if matches!(visit.service.record_guard(id)?, Guard::App { .. }) {
        return Ok(reply::see_other(&names::app_href(AppId::of(id.any()))));
    }
    let kind = kind_of(&visit, id)?;
    let (business, now) = (visit.who.business, visit.now());
    let manage = visit.may(rights::MANAGE_BUSINESS.on_business(business)).is_some();
    let seen = visit.find(seeing(id, kind.kind), |facts| see(facts, business, &kind, id, manage, now))?;
    let owns = visit.may(renaming(id, kind.kind)).is_some();
    let on_it = visit.service.paths_to_asset(&visit.call, id, PEOPLE_LIMIT, visit.query.id("after"))?.into_inner();
    let people = visit.step(seeing(id, kind.kind), |facts| {
        let users = on_it.rows.iter().filter(|row| matches!(row.who, Whose::User(_)));
        users.filter_map(|row| holder(facts, &kind, id, row, manage, now)).collect::<Vec<_>>()
    })?;
    let filter = RefusalFilter { asset: Some(id), ..RefusalFilter::default() };
    let users = on_it.total.saturating_sub(seen.partners.len());
    page(&AssetPage {
        shell: shell::of(&visit, seen.asset.name.as_str(), &kind.href()),
        asset: head(&seen.asset, &kind),
        list: kind.list(),
        owner: seen.owner,
        cap: seen.cap,
        created: Time::date(seen.asset.created_at, now),
        details: details(&visit, id, kind.kind).await?,
        owns,
        manage,
        people,
        people_count: names::count(users),
        pager: pager(&visit, id, on_it.rows.len(), on_it.total, on_it.next.map(|next| next.to_string())),
        others: seen.others,
        partners: seen.partners,
        content: content_list::of(&visit, id, &kind, manage).await?,
        refusals: if manage { refused::rows(&visit, filter, |_| true).await? } else { Vec::new() },
    })
}

fn see(facts: &Facts<'_>, business: BusinessId, kind: &Kind, id: AssetId, manage: bool, now: i64) -> Option<Seen> {
    let asset = facts.asset(id)?;
    let is_own = asset.business == Some(business);
    let owner = asset.business.and_then(|owner| facts.business(owner)).map(|owner| owner.name.to_string());
    let share = facts.share(id, business).filter(|_| !is_own);
    Some(Seen {
        owner: owner.unwrap_or_else(|| "Nobody".to_owned()),
        cap: share.map(|share| format!("Shared with us up to {}", kind.labels(share.tasks).join(", "))),
        partners: if manage && is_own { partners(facts, kind, id, now) } else { Vec::new() },
        others: if manage { others(facts, business, id) } else { Vec::new() },
        asset,
    })
}

/// Partners, each as a whole; their users are never named.
fn partners(facts: &Facts<'_>, kind: &Kind, id: AssetId, now: i64) -> Vec<HolderRow> {
    let row = |partner: BusinessId| {
        let share = facts.share(id, partner)?;
        let href = format!("/console/partners/{partner}");
        Some(HolderRow {
            name: facts.business(partner)?.name.to_string(),
            icon: "handshake",
            sort: "Partner".to_owned(),
            tasks: kind.labels(share.tasks).join(", "),
            path: vec![
                Piece::plain("Shared by "),
                Piece::strong(names::creator(&**facts, share.created_by)),
                Piece::plain(", "),
                Piece::time(Time::date(share.created_at, now)),
            ],
            change: Some(Link::new("Change", href.clone())),
            href,
        })
    };
    facts.partners_of(id).into_iter().take(PARTNERS_LIMIT).filter_map(row).collect()
}

/// EMPLOYEEs of the business that have nothing on the asset yet.
fn others(facts: &Facts<'_>, business: BusinessId, id: AssetId) -> Vec<Choice> {
    let assigned: HashSet<UserId> = facts.users_on(id).into_iter().collect();
    let is_choice = |role: Role, status: Status| role == Role::Employee && status == Status::Active;
    let user = |id: UserId| {
        let user = facts.system_user(id).filter(|user| is_choice(user.role, user.status))?;
        Some(Choice { value: id.to_string(), label: format!("{} (system user)", user.name), chosen: false })
    };
    let person = |id: UserId| {
        let person = facts.person(id).filter(|person| is_choice(person.role, person.status))?;
        Some(Choice { value: id.to_string(), label: format!("{} (person)", person.name), chosen: false })
    };
    let users = facts.system_users(business).into_iter().filter(|id| !assigned.contains(id)).filter_map(user);
    let people = facts.people(business).into_iter().filter(|id| !assigned.contains(id)).filter_map(person);
    users.chain(people).take(OTHERS_LIMIT).collect()
}

fn holder(facts: &Facts<'_>, kind: &Kind, id: AssetId, row: &OnAsset, manage: bool, now: i64) -> Option<HolderRow> {
    let Whose::User(entry) = &row.who else { return None };
    let (icon, sort, href) = match entry.sort {
        UserSort::Person => ("user", "Person", names::person_href(entry.id)),
        UserSort::SystemUser => ("system-user", "System user", names::system_user_href(entry.id)),
    };
    let by = |who: Option<UserId>, at: i64, verb: &str| {
        vec![
            Piece::plain(format!("{verb} by ")),
            Piece::strong(names::creator(&**facts, who)),
            Piece::plain(", "),
            Piece::time(Time::date(at, now)),
        ]
    };
    let (mut path, change) = match row.held.path {
        Path::Role => (vec![Piece::plain("Role: an admin reaches every asset")], None),
        Path::Assignment { since, by: who } => {
            (by(who, since, "Assigned"), Some(Link::new("Change", format!("{href}/assign?asset={id}"))))
        }
        Path::Share { since, by: who } => (by(who, since, "Shared"), None),
    };
    if row.held.is_shared {
        path.push(Piece::plain(", within the share"));
    }
    Some(HolderRow {
        name: entry.name.to_string(),
        href,
        icon,
        sort: format!("{sort}, {}", names::role(entry.role).to_lowercase()),
        tasks: kind.labels_of(&row.held.names).join(", "),
        path,
        change: change.filter(|_| manage),
    })
}

fn pager(visit: &Visit, id: AssetId, shown: usize, total: usize, next: Option<String>) -> Option<Pager> {
    let after = visit.query.text("after");
    if next.is_none() && after.is_none() {
        return None;
    }
    let here = names::asset_href(id);
    Some(Pager {
        words: format!("{} of {}", names::count(shown), names::count(total)),
        previous: after.map(|_| format!("{here}#people")),
        next: next.map(|next| format!("{here}?after={next}#people")),
    })
}

/// The right to read an asset in full, as the Graph has it.
fn reading(kind: AssetKind) -> Right {
    match kind {
        AssetKind::Page => rights::READ_PAGE,
        AssetKind::AdAccount => rights::READ_ADS,
        AssetKind::Catalog => rights::READ_CATALOG,
        AssetKind::Pixel => rights::READ_PIXEL,
        AssetKind::InstagramAccount => rights::READ_INSTAGRAM,
        AssetKind::WhatsappAccount => rights::READ_WHATSAPP,
        AssetKind::App | AssetKind::Declared(_) => rights::READ_DECLARED,
    }
}

async fn details(visit: &Visit, id: AssetId, kind: AssetKind) -> Result<Vec<Detail>, Failure> {
    let found = visit.service.details(&visit.call, &[id], |id, of| reading(of).on_asset(id, of)).await?;
    let Some(fields) = found.get(&id) else { return Ok(Vec::new()) };
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(is) => Some(if *is { "Yes" } else { "No" }.to_owned()),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    };
    let shown = DETAILS.iter().filter(|(name, _)| *name != "partner" || kind == AssetKind::AdAccount);
    let row = |(name, label): &(&str, &str)| {
        let value = fields.get(*name).and_then(text)?;
        Some(Detail { label: (*label).to_owned(), value })
    };
    Ok(shown.filter_map(row).collect())
}
