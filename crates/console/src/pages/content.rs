//! A post or a campaign as a page to read. Who may read it is decided as for the Graph; for everybody
//! else it isn't there.

use valetkey_domain::campaign::Campaign;
use valetkey_domain::post::{Post, PostState};
use valetkey_domain::{AssetId, AssetKind, ContentId, Id, IdKind};
use valetkey_http::Reply;
use valetkey_service::activity::ActivityFilter;
use valetkey_service::content::Item;
use valetkey_service::read::{Body, Guard};
use valetkey_service::rights::{self, Right};

use super::content_list::{campaign_status, post_status};
use super::creator;
use super::kinds::Kind;
use crate::failure::Failure;
use crate::view::content::{About, CampaignPage, Field, HistoryRow, PostPage};
use crate::view::parts::{Badge, Link, Sentence, Time};
use crate::visit::{Visit, page};
use crate::{names, shell};

/// How much of its history is shown.
const HISTORY_LIMIT: usize = 20;
/// How far apart two times of one write may lie.
const SAME_MS: i64 = 1_000;

/// The page.
///
/// # Errors
/// `NotFound` for what isn't there and for what the viewer may not read.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    // The Graph's id of a post names its Page too: PAGE_POST.
    let word = visit.word().rsplit('_').next().unwrap_or_default();
    let id: ContentId = Id::parse(word).ok_or(Failure::NotFound)?;
    let guard = visit.service.guard(id).await?;
    match guard {
        Guard::Content { kind: IdKind::Post, asset, .. } => post(&visit, id, &guard, asset).await,
        Guard::Content { kind: IdKind::Campaign, asset, .. } => campaign(&visit, id, &guard, asset).await,
        Guard::Content { .. }
        | Guard::Business
        | Guard::SystemUser { .. }
        | Guard::Person { .. }
        | Guard::App { .. }
        | Guard::Asset { .. }
        | Guard::Token { .. }
        | Guard::Absent => Err(Failure::NotFound),
    }
}

/// Reads it under a right. A viewer without the right gets the page of nothing.
async fn read(visit: &Visit, id: ContentId, guard: &Guard, right: &Right) -> Result<Body, Failure> {
    // Asked quietly first: what isn't shown is no refusal that an admin must read.
    visit.may(guard.question(id, right)).ok_or(Failure::NotFound)?;
    let permit = visit.service.permit(&visit.call, id, guard, right)?;
    let mut bodies = visit.service.bodies(&[permit]).await?;
    bodies.remove(&id).ok_or(Failure::NotFound)
}

async fn post(visit: &Visit, id: ContentId, guard: &Guard, asset: AssetId) -> Result<Reply, Failure> {
    let item: Item<Post> = read(visit, id, guard, &rights::READ_POST).await?.item()?;
    let post = &item.body;
    if post.state != PostState::Published {
        // What isn't published yet needs more.
        let soon = guard.question(id, &rights::READ_SCHEDULED);
        visit.may(soon).ok_or(Failure::NotFound)?;
        visit.service.ask(&visit.call, soon)?;
    }
    let now = visit.now();
    let by =
        visit.step(guard.question(id, &rights::READ_POST), |facts| creator::said_by(facts, post.author, post.app))?;
    let text = post.message.as_deref().unwrap_or_default();
    let (about, kind) =
        about(visit, &item, asset, "Post".to_owned(), post_status(post), by, fields(&post.more)).await?;
    page(&PostPage {
        shell: shell::of(visit, "Post", &kind.href()),
        about,
        lines: text.lines().map(str::to_owned).collect(),
        link: post.link.clone(),
        scheduled: post.scheduled_at.filter(|_| post.state == PostState::Scheduled).map(|at| Time::datetime(at, now)),
        published: (post.state == PostState::Published).then(|| Time::datetime(item.sort_at, now)),
        hidden: post.hidden,
        failed: post.failed.clone(),
    })
}

async fn campaign(visit: &Visit, id: ContentId, guard: &Guard, asset: AssetId) -> Result<Reply, Failure> {
    let item: Item<Campaign> = read(visit, id, guard, &rights::READ_ADS).await?.item()?;
    let campaign = &item.body;
    let now = visit.now();
    let details = visit.service.details(&visit.call, &[asset], |id, kind| rights::READ_ADS.on_asset(id, kind)).await?;
    let currency = details.get(&asset).and_then(|fields| fields.get("currency")?.as_str()).unwrap_or("USD");
    let budget = match (campaign.daily_budget, campaign.lifetime_budget) {
        (Some(daily), _) => Some(format!("{} a day", money(currency, daily))),
        (None, Some(whole)) => Some(format!("{} in all", money(currency, whole))),
        (None, None) => None,
    };
    let (title, status) = (campaign.name.to_string(), campaign_status(&campaign.status));
    let (about, kind) = about(visit, &item, asset, title, status, Vec::new(), fields(&campaign.more)).await?;
    page(&CampaignPage {
        shell: shell::of(visit, campaign.name.as_str(), &kind.href()),
        about,
        objective: readable(campaign.objective.trim_start_matches("OUTCOME_")),
        budget,
        cap: campaign.spend_cap.map(|cap| money(currency, cap)),
        starts: campaign.start_at.map(|at| Time::datetime(at, now)),
        stops: campaign.stop_at.map(|at| Time::datetime(at, now)),
        buying: readable(&campaign.buying_type),
        bidding: campaign.bid_strategy.as_deref().map(readable),
        categories: (!campaign.special_ad_categories.is_empty())
            .then(|| campaign.special_ad_categories.iter().map(|word| readable(word)).collect::<Vec<_>>().join(", ")),
    })
}

/// What posts and campaigns have in common, with the kind of their asset.
async fn about<T>(
    visit: &Visit,
    item: &Item<T>,
    asset: AssetId,
    title: String,
    status: Badge,
    by: Sentence,
    more: Vec<Field>,
) -> Result<(About, Kind), Failure> {
    let now = visit.now();
    // Who may read what an asset holds also sees its name.
    let seen = visit.find(rights::READ_DECLARED.on_asset(asset, asset_kind(item.id)), |facts| facts.asset(asset))?;
    let kind = Kind::of(&visit.service, seen.kind);
    let filter = ActivityFilter {
        business: Some(visit.who.business),
        about: Some(item.id.any()),
        since: Some(item.created_at),
        ..ActivityFilter::default()
    };
    let mut history = Vec::new();
    for line in creator::lines(visit, &filter, HISTORY_LIMIT).await? {
        let mut what = creator::pieces(&line.sentence, now);
        what.extend(creator::token(visit, &line, ", with ")?);
        history.push(HistoryRow { at: Time::datetime(line.at, now), what });
    }
    let about = About {
        id: item.id.to_string(),
        title,
        status,
        asset: Link::new(seen.name.to_string(), names::asset_href(asset)),
        list: kind.list(),
        by,
        created: Time::datetime(item.created_at, now),
        updated: (item.updated_at > item.created_at + SAME_MS).then(|| Time::datetime(item.updated_at, now)),
        history,
        more,
    };
    Ok((about, kind))
}

/// The kind of asset that holds content of this sort.
fn asset_kind(id: ContentId) -> AssetKind {
    if id.kind() == Some(IdKind::Campaign) { AssetKind::AdAccount } else { AssetKind::Page }
}

/// Further fields as text.
fn fields(more: &serde_json::Map<String, serde_json::Value>) -> Vec<Field> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    more.iter().map(|(name, value)| Field { name: name.clone(), value: text(value) }).collect()
}

/// An amount in minor units, as money: "EUR 12.00".
fn money(currency: &str, minor: i64) -> String {
    let whole = usize::try_from(minor / 100).unwrap_or_default();
    format!("{currency} {}.{:02}", names::count(whole), minor.rem_euclid(100))
}

/// `LOWEST_COST_WITH_BID_CAP` as "Lowest cost with bid cap".
fn readable(word: &str) -> String {
    let text = word.replace('_', " ").to_lowercase();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_words_are_written_for_people() {
        assert_eq!(money("EUR", 1_234_567), "EUR 12,345.67");
        assert_eq!(money("USD", 5), "USD 0.05");
        assert_eq!(readable("LOWEST_COST_WITH_BID_CAP"), "Lowest cost with bid cap");
        assert_eq!(readable(""), "");
    }
}
