//! One search over everything that the viewer may see: an id exactly, names by a part. A search stops
//! when it has found enough, and never looks at more than a bounded number of records.

use valetkey_domain::{AssetId, AssetKind, BusinessId, ContentId, Id, IdKind, Status, TokenId, UserId};
use valetkey_http::Reply;
use valetkey_service::authz::Question;
use valetkey_service::read::Guard;
use valetkey_service::{Facts, rights};

use super::creator::user_href;
use super::kinds::Kind;
use super::{content_list, tokens};
use crate::failure::Failure;
use crate::view::parts::Link;
use crate::view::search::{Hit, HitGroup, SearchPage};
use crate::view::shell::Shell;
use crate::visit::{Visit, page};
use crate::{names, shell};

/// How many hits of one sort are shown.
const SHOWN: usize = 20;
/// How many records of one sort are looked at.
const LOOKED_AT_LIMIT: usize = 20_000;
/// Shorter texts than this are no trace of a refusal.
const TRACE_CHARS_LEAST: usize = 8;
/// The longest text that is searched for.
const TEXT_LIMIT_CHARS: usize = 200;

/// What is looked for.
struct Wanted {
    /// In lower case.
    text: String,
    id: Option<Id>,
}

/// The hits of one sort while they are collected.
struct Group {
    title: &'static str,
    more: String,
    hits: Vec<Hit>,
    /// Whether there are further ones.
    cut: bool,
}

impl Group {
    fn new(title: &'static str, more: &str) -> Group {
        Group { title, more: more.to_owned(), hits: Vec::new(), cut: false }
    }

    /// Takes the hits among some candidates, until there are enough.
    fn fill<T>(mut self, all: impl Iterator<Item = T>, hit: impl Fn(T) -> Option<Hit>) -> Group {
        let mut hits = all.take(LOOKED_AT_LIMIT).filter_map(hit);
        self.hits = hits.by_ref().take(SHOWN).collect();
        self.cut = self.hits.len() == SHOWN && hits.next().is_some();
        self
    }
}

impl Wanted {
    fn is_in(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.text)
    }

    /// Whether something with this id and name is wanted.
    fn fits(&self, id: impl Into<Id>, name: &str) -> bool {
        self.id == Some(id.into()) || self.is_in(name)
    }
}

/// The results.
///
/// # Errors
/// The refusal, or of the store.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let query: String = visit.query.text("q").unwrap_or_default().chars().take(TEXT_LIMIT_CHARS).collect();
    let mut groups = Vec::new();
    if !query.is_empty() {
        let wanted = Wanted { text: query.to_lowercase(), id: Id::parse(&query) };
        let manage = rights::MANAGE_BUSINESS.on_business(visit.who.business);
        groups.extend(content(&visit, &wanted).await?);
        let found = match visit.part(manage, |facts| everything(facts, visit.who.business, &wanted)) {
            Some(found) => found,
            None => own(&visit, &wanted)?,
        };
        groups.extend(found);
        groups.extend(refusal(&visit, manage, &query).await?);
        groups.retain(|group| !group.hits.is_empty());
    }
    let total: usize = groups.iter().map(|group| group.hits.len()).sum();
    let cut = groups.iter().any(|group| group.cut);
    let group = |group: Group| HitGroup {
        title: group.title.to_owned(),
        more: group.cut.then(|| Link::new("All", with_query(&group.more, &query))).filter(|_| !group.more.is_empty()),
        hits: group.hits,
    };
    page(&SearchPage {
        shell: Shell { search: query.clone(), ..shell::of(&visit, "Search", "") },
        groups: groups.into_iter().map(group).collect(),
        total: if cut { format!("{} and more", names::count(total)) } else { names::count(total) },
        cut,
        pager: None,
        query,
    })
}

/// The address of a list that is filtered by what was searched for.
fn with_query(path: &str, query: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", query).finish();
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}{query}")
}

/// For who manages the business: all of it.
fn everything(facts: &Facts<'_>, business: BusinessId, wanted: &Wanted) -> Vec<Group> {
    let people = |id: UserId| {
        let person = facts.person(id).filter(|person| person.status != Status::Deleted)?;
        let fits = wanted.fits(id, person.name.as_str()) || wanted.is_in(&person.email);
        let detail = format!("{}, {}", names::role(person.role), person.email);
        fits.then(|| hit(person.name.to_string(), names::person_href(id), "user", detail, id))
    };
    let users = |id: UserId| {
        let user = facts.system_user(id).filter(|user| user.status != Status::Deleted)?;
        let about = user.description.as_ref().map(|text| text.as_str().to_owned());
        let fits = wanted.fits(id, user.name.as_str()) || about.as_deref().is_some_and(|text| wanted.is_in(text));
        let detail = about.unwrap_or_else(|| names::role(user.role).to_owned());
        fits.then(|| hit(user.name.to_string(), names::system_user_href(id), "system-user", detail, id))
    };
    let partners = |id: BusinessId| {
        let partner = facts.business(id).filter(|partner| wanted.fits(id, partner.name.as_str()))?;
        let href = format!("/console/partners/{id}");
        Some(hit(partner.name.to_string(), href, "handshake", "Partner".to_owned(), id))
    };
    let mut groups = vec![
        Group::new("People", "/console/people").fill(facts.people(business).into_iter(), people),
        Group::new("System users", "/console/system-users").fill(facts.system_users(business).into_iter(), users),
        Group::new("Partners", "/console/partners").fill(names::partners(&**facts, business).into_iter(), partners),
    ];
    groups.extend(assets(facts, business, wanted));
    let apps = |id| {
        let app = facts.app(id).filter(|app| wanted.fits(app.id, app.name.as_str()))?;
        let detail = if facts.connection(business, id).is_some() { "Connected" } else { "Disconnected" };
        Some(hit(app.name.to_string(), names::app_href(id), "boxes", detail.to_owned(), id))
    };
    groups.push(Group::new("Apps", "/console/apps").fill(facts.owned_apps(business).into_iter(), apps));
    groups.push(token_hits(facts, business, wanted));
    groups
}

/// Assets by kind, so that each group leads to its list. Of an exact id no others are looked at.
fn assets(facts: &Facts<'_>, business: BusinessId, wanted: &Wanted) -> Vec<Group> {
    let all: Vec<AssetId> = facts.owned_assets(business).into_iter().chain(facts.shared_assets(business)).collect();
    let exact = wanted.id.map(AssetId::of).filter(|id| all.contains(id));
    let ids = match exact {
        Some(id) => vec![id],
        None => all,
    };
    let hits = |id: AssetId| asset_hit(facts, wanted, id);
    let found = Group::new("Assets", "").fill(ids.into_iter(), hits);
    if found.hits.is_empty() { Vec::new() } else { vec![found] }
}

fn asset_hit(facts: &Facts<'_>, wanted: &Wanted, id: AssetId) -> Option<Hit> {
    let asset = facts.asset(id).filter(|asset| wanted.fits(id, asset.name.as_str()))?;
    let kind = Kind::on(facts, asset.kind);
    Some(hit(asset.name.to_string(), names::asset_href(id), kind.icon(), kind.title(), id))
}

/// Tokens by their id or what they are for; Page tokens and sessions only by their id.
fn token_hits(facts: &Facts<'_>, business: BusinessId, wanted: &Wanted) -> Group {
    let token = |id: TokenId| {
        let token = facts.token(id).filter(|token| token.business == business)?;
        let named = token.purpose.as_ref().is_some_and(|purpose| wanted.is_in(purpose.as_str()));
        if wanted.id != Some(id.any()) && !named {
            return None;
        }
        let state = if token.revoked_at.is_some() { ", revoked" } else { "" };
        let detail = format!("Token of {}{state}", names::user(&**facts, token.user));
        Some(hit(tokens::title(facts, &token), format!("{}/{id}", tokens::HERE), "key-round", detail, id))
    };
    let group = Group::new("Tokens", tokens::HERE);
    match wanted.id.filter(|id| id.kind() == Some(IdKind::Token)) {
        Some(id) => group.fill(std::iter::once(TokenId::of(id)), token),
        None => {
            let users = facts.system_users(business).into_iter();
            group.fill(users.flat_map(|user| facts.tokens_of(user)), token)
        }
    }
}

/// For an employee: itself, and what is assigned to it.
fn own(visit: &Visit, wanted: &Wanted) -> Result<Vec<Group>, Failure> {
    let person = visit.who.person;
    let question = rights::MANAGE_OR_SELF.on_user(visit.who.business, person);
    Ok(visit.step(question, |facts| {
        let me = |id: UserId| {
            let own = facts.person(id).filter(|own| wanted.fits(id, own.name.as_str()))?;
            Some(hit(own.name.to_string(), user_href(id), "user", names::role(own.role).to_owned(), id))
        };
        let assets = |id: AssetId| {
            // What is assigned and no longer shared is out of sight.
            facts.may(seeing(facts, id)?)?;
            asset_hit(facts, wanted, id)
        };
        vec![
            Group::new("People", "").fill(std::iter::once(person), me),
            Group::new("Assets", "").fill(facts.assets_of(person).into_iter(), assets),
        ]
    })?)
}

fn seeing(facts: &Facts<'_>, id: AssetId) -> Option<Question> {
    let kind: AssetKind = facts.asset(id)?.kind;
    Some(rights::READ_DECLARED.on_asset(id, kind))
}

/// A post or a campaign by its id, for who may read it.
async fn content(visit: &Visit, wanted: &Wanted) -> Result<Option<Group>, Failure> {
    let is_content = |id: &Id| matches!(id.kind(), Some(IdKind::Post | IdKind::Campaign));
    let Some(id) = wanted.id.filter(is_content) else { return Ok(None) };
    let id = ContentId::of(id);
    let guard = visit.service.guard(id).await?;
    let is_post = id.kind() == Some(IdKind::Post);
    let right = if is_post { rights::READ_SCHEDULED } else { rights::READ_ADS };
    let public = if is_post { rights::READ_POST } else { rights::READ_ADS };
    let Guard::Content { asset, .. } = guard else { return Ok(None) };
    // The page itself decides about what isn't published.
    if visit.may(guard.question(id, &right)).or(visit.may(guard.question(id, &public))).is_none() {
        return Ok(None);
    }
    let name = visit.part(guard.question(id, &public), |facts| facts.asset(asset)).flatten();
    let sort = if is_post { "Post" } else { "Campaign" };
    let detail = name.map(|asset| format!("On {}", asset.name)).unwrap_or_default();
    let icon = if is_post { "file-text" } else { "megaphone" };
    let mut group = Group::new("Content", "");
    group.hits.push(hit(format!("{sort} {id}"), content_list::href(id.any()), icon, detail, id));
    Ok(Some(group))
}

/// A refusal by its trace.
async fn refusal(visit: &Visit, manage: Question, query: &str) -> Result<Option<Group>, Failure> {
    let is_trace =
        query.len() >= TRACE_CHARS_LEAST && query.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !is_trace || visit.may(manage).is_none() {
        return Ok(None);
    }
    let Ok(found) = visit.service.explain(&visit.call, query).await else { return Ok(None) };
    let mut group = Group::new("Refusals", "");
    group.hits.push(Hit {
        name: "Refusal".to_owned(),
        href: format!("/console/refusals/{}", found.trace),
        icon: "ban",
        detail: found.reason.replace('_', " "),
        id: found.trace,
    });
    Ok(Some(group))
}

fn hit(name: String, href: String, icon: &'static str, detail: String, id: impl Into<Id>) -> Hit {
    let id: Id = id.into();
    Hit { name, href, icon, detail, id: id.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(name: usize) -> Option<Hit> {
        name.is_multiple_of(2).then(|| Hit {
            name: name.to_string(),
            href: String::new(),
            icon: "user",
            detail: String::new(),
            id: name.to_string(),
        })
    }

    #[test]
    fn a_search_stops_when_it_has_enough_and_says_so() {
        let found = Group::new("x", "").fill(0..10_000, some);
        assert_eq!((found.hits.len(), found.cut), (SHOWN, true));
        let found = Group::new("x", "").fill(0..(2 * SHOWN), some);
        assert_eq!((found.hits.len(), found.cut), (SHOWN, false));
        let found = Group::new("x", "").fill((LOOKED_AT_LIMIT + 1)..usize::MAX, |_| None);
        assert!(found.hits.is_empty() && !found.cut, "the work is bounded");
    }

    #[test]
    fn names_are_found_by_a_part_in_any_case() {
        let wanted = Wanted { text: "märz".to_owned(), id: None };
        assert!(wanted.is_in("Aktion MÄRZ 2026") && !wanted.is_in("April"));
        assert_eq!(with_query("/console/assets?kind=page", "a&b"), "/console/assets?kind=page&q=a%26b");
    }
}
