//! What an asset holds, in short: posts of a Page, campaigns of an ad account, each with who made it.
//! Each list is read under the right that the Graph asks for it.

use std::collections::HashMap;

use valetkey_domain::campaign::Campaign;
use valetkey_domain::post::{Post, PostState};
use valetkey_domain::{AssetId, AssetKind, Id, IdKind};
use valetkey_service::authz::Question;
use valetkey_service::content::{ContentQuery, Item};
use valetkey_service::rights;

use super::creator;
use super::kinds::Kind;
use crate::failure::Failure;
use crate::view::asset::{ContentList, ContentRow};
use crate::view::parts::{Badge, Sentence, Time, Tone};
use crate::visit::Visit;

/// How many of each sort are shown.
const SHOWN: usize = 10;
/// How much of a text stands in a list, in characters.
const EXCERPT_CHARS: usize = 100;

/// The list for an asset; `None` if its kind holds none, or the viewer may read none of it.
///
/// # Errors
/// The refusal, or of the store.
pub async fn of(visit: &Visit, asset: AssetId, kind: &Kind, manage: bool) -> Result<Option<ContentList>, Failure> {
    match kind.kind {
        AssetKind::Page => posts(visit, asset, manage).await,
        AssetKind::AdAccount => campaigns(visit, asset, manage).await,
        AssetKind::Catalog
        | AssetKind::Pixel
        | AssetKind::InstagramAccount
        | AssetKind::WhatsappAccount
        | AssetKind::App
        | AssetKind::Declared(_) => Ok(None),
    }
}

fn query(asset: AssetId, kind: IdKind, statuses: &[&str]) -> ContentQuery {
    ContentQuery {
        parent: asset.any(),
        kind: kind as u8,
        statuses: statuses.iter().map(|status| (*status).to_owned()).collect(),
        after: None,
        before: None,
        since: None,
        until: None,
        ascending: false,
        limit: SHOWN,
    }
}

async fn posts(visit: &Visit, asset: AssetId, manage: bool) -> Result<Option<ContentList>, Failure> {
    let lists: [(Question, &[&str]); 2] = [
        (rights::READ_SCHEDULED.on_asset(asset, AssetKind::Page), &["scheduled", "unpublished"]),
        (rights::READ_FEED.on_asset(asset, AssetKind::Page), &["published"]),
    ];
    let (mut items, mut more, mut may_any): (Vec<Item<Post>>, bool, bool) = (Vec::new(), false, false);
    for (question, statuses) in lists {
        if visit.may(question).is_none() {
            continue;
        }
        may_any = true;
        let query = query(asset, IdKind::Post, statuses);
        let found = visit.service.list_content::<Post>(&visit.call, question, &query).await?.into_inner();
        more |= found.more;
        items.extend(found.rows);
    }
    if !may_any {
        return Ok(None);
    }
    let creators = creators(visit, asset, manage, items.iter().map(|item| item.created_at)).await?;
    let now = visit.now();
    let feed = rights::READ_FEED.on_asset(asset, AssetKind::Page);
    let question =
        if visit.may(feed).is_some() { feed } else { rights::READ_SCHEDULED.on_asset(asset, AssetKind::Page) };
    let rows = visit.step(question, |facts| {
        let row = |item: &Item<Post>| {
            let known = creators.get(&item.id.any()).cloned();
            let by = known.unwrap_or_else(|| creator::said_by(facts, item.body.author, item.body.app));
            post_row(item, by, now)
        };
        items.iter().map(row).collect::<Vec<_>>()
    })?;
    Ok(Some(ContentList {
        title: "Posts".to_owned(),
        none: "Nothing was published on it yet.".to_owned(),
        has_creators: rows.iter().any(|row| !row.by.is_empty()),
        rows,
        more,
    }))
}

fn post_row(item: &Item<Post>, by: Sentence, now: i64) -> ContentRow {
    let post = &item.body;
    let title = post.message.as_deref().or(post.link.as_deref()).map(excerpt).filter(|text| !text.is_empty());
    ContentRow {
        title: title.unwrap_or_else(|| "Post without text".to_owned()),
        href: href(item.id.any()),
        status: post_status(post),
        at: Time::relative(
            post.scheduled_at.filter(|_| post.state == PostState::Scheduled).unwrap_or(item.sort_at),
            now,
        ),
        by,
    }
}

/// Where a post stands.
pub fn post_status(post: &Post) -> Badge {
    match post.state {
        PostState::Published if post.hidden => Badge::new("Hidden", Tone::Plain),
        PostState::Published => Badge::new("Published", Tone::Good),
        PostState::Scheduled => Badge::new("Scheduled", Tone::Info),
        PostState::Unpublished if post.failed.is_some() => Badge::new("Not published", Tone::Danger),
        PostState::Unpublished => Badge::new("Draft", Tone::Plain),
    }
}

async fn campaigns(visit: &Visit, asset: AssetId, manage: bool) -> Result<Option<ContentList>, Failure> {
    let question = rights::READ_ADS.on_asset(asset, AssetKind::AdAccount);
    if visit.may(question).is_none() {
        return Ok(None);
    }
    let query = query(asset, IdKind::Campaign, &["ACTIVE", "PAUSED", "ARCHIVED"]);
    let found = visit.service.list_content::<Campaign>(&visit.call, question, &query).await?.into_inner();
    let creators = creators(visit, asset, manage, found.rows.iter().map(|item| item.created_at)).await?;
    let now = visit.now();
    let row = |item: &Item<Campaign>| ContentRow {
        title: item.body.name.to_string(),
        href: href(item.id.any()),
        status: campaign_status(&item.body.status),
        at: Time::relative(item.created_at, now),
        by: creators.get(&item.id.any()).cloned().unwrap_or_default(),
    };
    let rows: Vec<ContentRow> = found.rows.iter().map(row).collect();
    Ok(Some(ContentList {
        title: "Campaigns".to_owned(),
        none: "It has no campaigns yet.".to_owned(),
        has_creators: rows.iter().any(|row| !row.by.is_empty()),
        rows,
        more: found.more,
    }))
}

/// Where a campaign stands.
pub fn campaign_status(status: &str) -> Badge {
    match status {
        "ACTIVE" => Badge::new("Active", Tone::Good),
        "PAUSED" => Badge::new("Paused", Tone::Plain),
        "ARCHIVED" => Badge::new("Archived", Tone::Plain),
        "DELETED" => Badge::new("Deleted", Tone::Danger),
        other => Badge::new(other, Tone::Plain),
    }
}

/// Who made what was made between the oldest and the newest of some times.
async fn creators(
    visit: &Visit,
    asset: AssetId,
    manage: bool,
    times: impl Iterator<Item = i64>,
) -> Result<HashMap<Id, Sentence>, Failure> {
    let span = times.fold(None, |span: Option<(i64, i64)>, at| match span {
        Some((from, to)) => Some((from.min(at), to.max(at))),
        None => Some((at, at)),
    });
    match span.filter(|_| manage) {
        Some((from, to)) => creator::of_all(visit, asset, from, to).await,
        None => Ok(HashMap::new()),
    }
}

/// The page of a piece of content.
pub fn href(id: Id) -> String {
    format!("/console/content/{id}")
}

/// The beginning of a text: its first line, cut.
fn excerpt(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut out: String = line.chars().take(EXCERPT_CHARS).collect();
    if line.chars().nth(EXCERPT_CHARS).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_text_is_its_first_line() {
        assert_eq!(excerpt("\n  Open workshop  \nmore"), "Open workshop");
        assert_eq!(excerpt(""), "");
        let long = excerpt(&"ä".repeat(300));
        assert_eq!((long.chars().count(), long.ends_with('…')), (EXCERPT_CHARS + 1, true));
    }
}
