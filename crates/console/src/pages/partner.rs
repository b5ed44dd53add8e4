//! Partners: the businesses that assets are shared with, and those that share some with this one; one of
//! them, and the end of a share.
//!
//! Of another business only its name, its id and what is shared is shown, and only while something is.

use std::collections::{BTreeMap, BTreeSet};

use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::share::Share;
use valetkey_domain::{AppId, AssetId, BusinessId, State, UserId};
use valetkey_http::Reply;
use valetkey_service::preview::Act;
use valetkey_service::{Facts, rights};

use super::find::Find;
use super::kinds::Kind;
use super::paging::{pager, window};
use crate::failure::Failure;
use crate::view::partner::{EndPage, ListPage, PartnerPage, PartnerRow, ReceivedRow, SharedRow};
use crate::view::parts::{Form, Piece, Sentence, Time};
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell, stops};

/// The entry of the navigation.
pub const HERE: &str = "/console/partners";
/// How many of ours are named beside an asset; the rest is counted.
const NAMED: usize = 3;

/// The page of a partner.
pub fn href(partner: BusinessId) -> String {
    format!("{HERE}/{partner}")
}

/// What this business shares with another: apps too.
pub fn shared(state: &dyn State, us: BusinessId, them: BusinessId) -> Vec<AssetId> {
    let (owned, apps) = (state.owned_assets(us), state.owned_apps(us));
    let is_ours = |id: &AssetId| owned.binary_search(id).is_ok() || apps.binary_search(&AppId::of(id.any())).is_ok();
    state.shared_assets(them).into_iter().filter(is_ours).collect()
}

/// What another business shares with this one.
fn received(state: &dyn State, us: BusinessId, them: BusinessId) -> Vec<AssetId> {
    let is_theirs = |id: &AssetId| state.asset(*id).is_some_and(|asset| asset.business == Some(them));
    state.shared_assets(us).into_iter().filter(is_theirs).collect()
}

/// Whether two businesses share anything, whichever way.
pub fn is_partner(state: &dyn State, us: BusinessId, them: BusinessId) -> bool {
    us != them && !(shared(state, us, them).is_empty() && received(state, us, them).is_empty())
}

/// What is shared between this business and a partner.
#[derive(Debug, Default)]
struct Between {
    shared: usize,
    received: Vec<AssetId>,
}

fn all(state: &dyn State, us: BusinessId) -> BTreeMap<BusinessId, Between> {
    let mut found: BTreeMap<BusinessId, Between> = BTreeMap::new();
    let apps = state.owned_apps(us).into_iter().map(AssetId::from);
    for asset in state.owned_assets(us).into_iter().chain(apps) {
        for partner in state.partners_of(asset) {
            found.entry(partner).or_default().shared += 1;
        }
    }
    for id in state.shared_assets(us) {
        if let Some(owner) = state.asset(id).and_then(|asset| asset.business) {
            found.entry(owner).or_default().received.push(id);
        }
    }
    found.remove(&us);
    found
}

/// Who of a business is assigned on an asset.
fn assigned(state: &dyn State, us: BusinessId, asset: AssetId) -> Vec<UserId> {
    let is_ours = |user: &UserId| state.assignment(*user, asset).is_some_and(|assignment| assignment.business == us);
    state.users_on(asset).into_iter().filter(is_ours).collect()
}

/// All partners.
///
/// # Errors
/// The refusal.
pub async fn list(visit: Visit) -> Result<Reply, Failure> {
    let us = visit.who.business;
    let find = Find::of(&visit.query);
    let (rows, total, count) = visit.step(rights::MANAGE_BUSINESS.on_business(us), |facts| {
        let all = all(&**facts, us);
        let total = all.len();
        let mut found: Vec<(String, BusinessId, Between)> = all
            .into_iter()
            .filter_map(|(id, between)| Some((facts.business(id)?.name.to_string(), id, between)))
            .collect();
        found.retain(|(name, id, _)| find.fits(name, id));
        found.sort_by_cached_key(|(name, id, _)| (name.to_lowercase(), *id));
        let (from, to) = window(&visit, "from", found.len());
        let rows: Vec<PartnerRow> =
            found[from..to].iter().map(|(name, id, between)| row(&**facts, us, name, *id, between)).collect();
        (rows, total, found.len())
    })?;
    page(&ListPage {
        shell: shell::of(&visit, "Partners", HERE),
        query: visit.query.typed("q"),
        rows,
        total: names::count(total),
        empty: total == 0,
        own_id: us.to_string(),
        pager: pager(&visit, HERE, "from", count),
    })
}

fn row(state: &dyn State, us: BusinessId, name: &str, id: BusinessId, between: &Between) -> PartnerRow {
    let counted = |count: usize| match count {
        0 => "Nothing".to_owned(),
        count => names::counted(count, "asset", "assets"),
    };
    let users: BTreeSet<UserId> = between.received.iter().flat_map(|asset| assigned(state, us, *asset)).collect();
    PartnerRow {
        name: name.to_owned(),
        href: href(id),
        id: id.to_string(),
        shared: counted(between.shared),
        received: counted(between.received.len()),
        users: match users.len() {
            0 => "Nobody".to_owned(),
            count => names::counted(count, "user", "users"),
        },
    }
}

/// One partner. A business with which nothing is shared looks like one that doesn't exist.
///
/// # Errors
/// The refusal, or `NotFound`.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let (us, now): (BusinessId, i64) = (visit.who.business, visit.now());
    let them: BusinessId = visit.id()?;
    let find = Find::of(&visit.query);
    let path = href(them);
    let seen = visit.find(rights::MANAGE_BUSINESS.on_business(us), |facts| {
        let (shared, received) = (shared(&**facts, us, them), received(&**facts, us, them));
        let name = facts.business(them).filter(|_| !(shared.is_empty() && received.is_empty()))?.name;
        let counts = (shared.len(), received.len());
        let (shared, received) = (matching(facts, shared, &find), matching(facts, received, &find));
        let found = (shared.len(), received.len());
        let (from, to) = window(&visit, "shared", shared.len());
        let shared: Vec<SharedRow> =
            shared[from..to].iter().filter_map(|id| shared_row(facts, them, *id, now)).collect();
        let (from, to) = window(&visit, "received", received.len());
        let received: Vec<ReceivedRow> =
            received[from..to].iter().filter_map(|id| received_row(facts, us, them, *id, now)).collect();
        Some((name, shared, received, counts, found))
    })?;
    let (name, shared, received, counts, found) = seen;
    page(&PartnerPage {
        shell: shell::of(&visit, name.as_str(), HERE),
        id: them.to_string(),
        name: name.to_string(),
        query: visit.query.typed("q"),
        shared,
        shared_count: names::count(counts.0),
        shared_pager: pager(&visit, &path, "shared", found.0),
        received,
        received_count: names::count(counts.1),
        received_pager: pager(&visit, &path, "received", found.1),
        href: path,
    })
}

/// The assets whose name or id fits. Records are read only if something was typed.
fn matching(facts: &Facts<'_>, ids: Vec<AssetId>, find: &Find) -> Vec<AssetId> {
    ids.into_iter().filter(|id| find.fits_asset(facts, *id)).collect()
}

fn shared_row(facts: &Facts<'_>, them: BusinessId, id: AssetId, now: i64) -> Option<SharedRow> {
    let (asset, share) = (facts.asset(id)?, facts.share(id, them)?);
    let declared = facts.declared_kind(asset.kind);
    Some(SharedRow {
        name: asset.name.to_string(),
        href: names::asset_href(id),
        icon: names::kind_icon(asset.kind),
        kind: names::kind_title(asset.kind, declared.as_ref()),
        tasks: Kind::on(facts, asset.kind).labels(share.tasks).join(", "),
        since: Time::date(share.created_at, now),
        by: names::creator(&**facts, share.created_by),
        change: format!("{HERE}/share?business={them}&asset={id}"),
        end: format!("{}/end?asset={id}", href(them)),
    })
}

fn received_row(facts: &Facts<'_>, us: BusinessId, them: BusinessId, id: AssetId, now: i64) -> Option<ReceivedRow> {
    let (asset, share) = (facts.asset(id)?, facts.share(id, us)?);
    let declared = facts.declared_kind(asset.kind);
    Some(ReceivedRow {
        name: asset.name.to_string(),
        href: names::asset_href(id),
        icon: names::kind_icon(asset.kind),
        kind: names::kind_title(asset.kind, declared.as_ref()),
        tasks: Kind::on(facts, asset.kind).labels(share.tasks).join(", "),
        since: Time::date(share.created_at, now),
        assigned: assigned_words(facts, us, id),
        end: format!("{}/end?asset={id}", href(them)),
    })
}

/// Who of ours is assigned on an asset: the first by name, the rest counted.
fn assigned_words(facts: &Facts<'_>, us: BusinessId, asset: AssetId) -> Sentence {
    let users = assigned(&**facts, us, asset);
    let mut pieces = Vec::new();
    for user in users.iter().take(NAMED) {
        if !pieces.is_empty() {
            pieces.push(Piece::plain(", "));
        }
        let is_person = facts.person(*user).is_some();
        let href = if is_person { names::person_href(*user) } else { names::system_user_href(*user) };
        pieces.push(Piece::link(names::user(&**facts, *user), href));
    }
    if users.len() > NAMED {
        pieces.push(Piece::plain(format!(" and {} more", names::count(users.len() - NAMED))));
    }
    if pieces.is_empty() { vec![Piece::plain("Nobody by name; admins reach it")] } else { pieces }
}

/// A share that is to end.
struct Ending {
    them: BusinessId,
    partner: String,
    asset: Asset,
    share: Share,
    ours: bool,
    kind: String,
    tasks: String,
}

/// The share of the address and of `asset`.
fn ending(visit: &Visit, asset: Option<AssetId>) -> Result<Ending, Failure> {
    let (us, them): (BusinessId, BusinessId) = (visit.who.business, visit.id()?);
    let id = asset.ok_or(Failure::NotFound)?;
    visit.find(rights::MANAGE_BUSINESS.on_business(us), |facts| {
        let asset = facts.asset(id)?;
        let ours = asset.business == Some(us);
        let taker = if ours { them } else { us };
        let share = facts.share(id, taker).filter(|_| ours || asset.business == Some(them))?;
        let declared = facts.declared_kind(asset.kind);
        Some(Ending {
            them,
            partner: facts.business(them)?.name.to_string(),
            kind: names::kind_title(asset.kind, declared.as_ref()),
            tasks: Kind::on(facts, asset.kind).labels(share.tasks).join(", "),
            asset,
            share,
            ours,
        })
    })
}

/// What stops when a share ends.
///
/// # Errors
/// The refusal, or `NotFound`.
pub async fn end(visit: Visit) -> Result<Reply, Failure> {
    let ending = ending(&visit, visit.query.id("asset"))?;
    page(&end_view(&visit, &ending, visit.new_form()).await?)
}

/// Ends it, or gives it back.
///
/// # Errors
/// The refusal, or `NotFound`.
pub async fn do_end(visit: Visit) -> Result<Reply, Failure> {
    let ending = ending(&visit, visit.form.id("asset"))?;
    if visit.is_resumed() {
        return page(&end_view(&visit, &ending, visit.new_form()).await?);
    }
    visit.once(HERE).await?;
    match visit.service.unshare(&visit.call, ending.asset.id, ending.share.partner).await {
        Ok(_) => {
            let us = visit.who.business;
            let question = rights::MANAGE_BUSINESS.on_business(us);
            let goes_on = visit.step(question, |facts| is_partner(&**facts, us, ending.them))?;
            let back = if goes_on { href(ending.them) } else { HERE.to_owned() };
            let done = if ending.ours { "share-ended" } else { "share-returned" };
            Ok(reply::see_other(&format!("{back}?done={done}")))
        }
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&end_view(&visit, &ending, Form { errors, ..visit.new_form() }).await?)
        }
    }
}

async fn end_view(visit: &Visit, ending: &Ending, form: Form) -> Result<EndPage, Failure> {
    let now = visit.now();
    let act = Act::Unshare { asset: ending.asset.id, partner: ending.share.partner };
    let preview = visit.service.preview(&visit.call, act).await?;
    let said = |text: String| vec![Piece::plain(text)];
    let mut stops = stops::sentences(&preview, now);
    if stops.is_empty() {
        stops.push(said("Nothing that works now stops.".to_owned()));
    }
    let stays = if ending.ours {
        vec![
            said("The asset stays, with everything that was published or made on it.".to_owned()),
            said("What is assigned to your own users stays.".to_owned()),
        ]
    } else {
        vec![
            said("What your users published or made on it stays there.".to_owned()),
            said(format!("Only {} can share it again.", ending.partner)),
        ]
    };
    let title = if ending.ours { "End share" } else { "Give back" };
    Ok(EndPage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        partner: ending.partner.clone(),
        href: href(ending.them),
        asset: ending.asset.name.to_string(),
        asset_id: ending.asset.id.to_string(),
        kind: ending.kind.clone(),
        tasks: ending.tasks.clone(),
        ours: ending.ours,
        stops,
        stays,
        lately: stops::lately(&preview, now),
    })
}
