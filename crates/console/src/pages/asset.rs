//! The assets of one kind. Ids say their kind, so that a list reads only the records that it shows.

use std::cmp::Reverse;

use valetkey_domain::{AssetId, AssetKind, BusinessId, Role, Status, UserId};
use valetkey_http::Reply;
use valetkey_service::{Facts, rights};

use super::find::Find;
use super::kinds::{self, Kind};
use super::paging::{self, PAGE_SIZE};
use crate::failure::Failure;
use crate::view::asset::{AssetRow, ListPage};
use crate::view::parts::Tab;
use crate::visit::{Visit, page};
use crate::web::reply;
use crate::{names, shell};

const PATH: &str = "/console/assets";

/// What the list is to show.
struct Wanted<'a> {
    show: &'a str,
    find: Find,
    from: usize,
}

/// What it shows.
struct Found {
    rows: Vec<AssetRow>,
    owned: usize,
    shared: usize,
    /// How many pass the filter; `None` if that was not counted.
    count: Option<usize>,
    more: bool,
}

/// The list.
///
/// # Errors
/// The refusal, or `NotFound` for a kind that doesn't exist.
pub async fn list(visit: Visit) -> Result<Reply, Failure> {
    let Some(word) = visit.query.text("kind") else {
        return Ok(reply::see_other(&names::kind_href(AssetKind::Page, None)));
    };
    let kind = Kind::of_word(&visit.service, word).ok_or(Failure::NotFound)?;
    if kind.kind == AssetKind::App {
        return Ok(reply::see_other("/console/apps"));
    }
    let business = visit.who.business;
    let wanted = Wanted {
        show: visit.query.text("show").unwrap_or_default(),
        find: Find::of(&visit.query),
        from: paging::from(&visit),
    };
    let question = rights::MANAGE_BUSINESS.on_business(business);
    let found = visit.step(question, |facts| find(facts, business, &kind, &wanted))?;
    let title = kind.plural();
    let tab = |label: &str, word: &str, count: usize| Tab {
        label: label.to_owned(),
        href: paging::href(&visit, PATH, "show", Some(word).filter(|word| !word.is_empty())),
        count: Some(names::count(count)),
        current: wanted.show == word,
    };
    let tabs = vec![
        tab("All", "", found.owned + found.shared),
        tab("Owned", "owned", found.owned),
        tab("Shared with us", "shared", found.shared),
    ];
    page(&ListPage {
        shell: shell::of(&visit, &title, &kind.href()),
        kind: kind.word(),
        one: kind.one(),
        icon: kind.icon(),
        about: kind.about().to_owned(),
        query: visit.query.typed("q"),
        tabs,
        total: names::count(found.owned + found.shared),
        empty: found.owned + found.shared == 0,
        pager: match found.count {
            Some(count) => paging::pager(&visit, PATH, "from", count),
            None => paging::open_pager(&visit, PATH, found.rows.len(), found.more),
        },
        rows: found.rows,
        title,
    })
}

fn find(facts: &Facts<'_>, business: BusinessId, kind: &Kind, wanted: &Wanted<'_>) -> Found {
    let is_of = |id: &AssetId| kinds::is_of(facts, *id, kind.kind);
    let owned: Vec<AssetId> = facts.owned_assets(business).into_iter().filter(&is_of).collect();
    let shared: Vec<AssetId> = facts.shared_assets(business).into_iter().filter(&is_of).collect();
    let (owned_count, shared_count) = (owned.len(), shared.len());
    let mut ids = match wanted.show {
        "owned" => owned,
        "shared" => shared,
        _ => owned.into_iter().chain(shared).collect(),
    };
    // The newest first.
    ids.sort_unstable_by_key(|id| Reverse(*id));
    let count = wanted.find.is_empty().then_some(ids.len());
    let from = if count.is_some_and(|count| wanted.from >= count) { 0 } else { wanted.from };
    let fits = |id: &AssetId| wanted.find.fits_asset(facts, *id);
    let mut shown: Vec<AssetId> = ids.into_iter().filter(fits).skip(from).take(PAGE_SIZE + 1).collect();
    let more = shown.len() > PAGE_SIZE;
    shown.truncate(PAGE_SIZE);
    let admins = admins(facts, business);
    let rows = shown.into_iter().filter_map(|id| row(facts, business, kind, id, admins)).collect();
    Found { rows, owned: owned_count, shared: shared_count, count, more }
}

/// How many ADMINs the business has: they reach every asset.
fn admins(facts: &Facts<'_>, business: BusinessId) -> usize {
    let all = facts.people(business).into_iter().chain(facts.system_users(business));
    all.filter(|id| role(facts, *id) == Some(Role::Admin)).count()
}

/// The role of a user that is switched on.
fn role(facts: &Facts<'_>, id: UserId) -> Option<Role> {
    let person = facts.person(id).map(|person| (person.role, person.status));
    let user = person.or_else(|| facts.system_user(id).map(|user| (user.role, user.status)));
    user.filter(|(_, status)| *status == Status::Active).map(|(role, _)| role)
}

fn row(facts: &Facts<'_>, business: BusinessId, kind: &Kind, id: AssetId, admins: usize) -> Option<AssetRow> {
    let asset = facts.asset(id)?;
    let is_own = asset.business == Some(business);
    let owner = asset.business.and_then(|owner| facts.business(owner)).map(|owner| owner.name.to_string());
    let share = facts.share(id, business).filter(|_| !is_own);
    let is_assigned = |user: &UserId| {
        facts.assignment(*user, id).is_some_and(|shared_out| shared_out.business == business)
            && role(facts, *user) == Some(Role::Employee)
    };
    let assigned = facts.users_on(id).into_iter().filter(is_assigned).count();
    let partners = if is_own { facts.partners_of(id).len() } else { 0 };
    Some(AssetRow {
        id: id.to_string(),
        name: asset.name.to_string(),
        href: names::asset_href(id),
        owner: match (is_own, owner) {
            (true, Some(owner)) => owner,
            (false, Some(owner)) => format!("Shared by {owner}"),
            (_, None) => "Nobody".to_owned(),
        },
        cap: share.map(|share| format!("Up to {}", kind.labels(share.tasks).join(", "))),
        reach: format!("{} assigned, {}", names::count(assigned), names::counted(admins, "admin", "admins")),
        partners: (partners > 0).then(|| format!("Shared with {}", names::counted(partners, "partner", "partners"))),
    })
}
