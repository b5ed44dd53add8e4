//! Access, seen: users by assets with their tasks, the paths to one asset as a picture and as text, and
//! whether a user can do what a cell says.

use valetkey_domain::{AssetId, AssetKind, IdKind, UserId};
use valetkey_http::Reply;
use valetkey_service::access::{AccessFilter, Held, Path, Row as Found, Rows, UserSort, Whose, Window};
use valetkey_service::explain::{Answer, Mend};
use valetkey_service::{Facts, rights};

use super::kinds::{self, Kind};
use crate::failure::Failure;
use crate::view::access::{AccessPage, Cell, Column, Group, PathRow, Paths, Row};
use crate::view::activity::Choice;
use crate::view::parts::{Link, Pager, Piece};
use crate::visit::{Visit, page};
use crate::{names, shell, words};

const HERE: &str = "/console/access";
/// The size of one window of the matrix.
const USERS: usize = 25;
const ASSETS: usize = 8;
/// How many paths the picture draws.
const DRAWN: usize = 8;
/// The height of one path in the picture, in its own units.
const STEP: usize = 56;
/// How many letters fit into a box of the picture.
const NAME_CHARS: usize = 24;
const PATH_CHARS: usize = 34;

/// The matrix.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let offset = |name: &str| visit.query.text(name).and_then(|n| n.parse::<u32>().ok()).unwrap_or_default() as usize;
    let (from_user, from_asset) = (offset("from"), offset("from_asset"));
    let business = visit.who.business;
    let manage = rights::MANAGE_BUSINESS.on_business(business);
    let kind = visit.step(manage, |facts| names::kind_of_word(&**facts, visit.query.text("kind")?))?;
    let sort = visit.query.text("sort").unwrap_or_default();
    let filter = AccessFilter {
        user_text: visit.query.text("users").map(str::to_owned),
        asset_text: visit.query.text("assets").map(str::to_owned),
        rows: Rows::parse(sort).unwrap_or_default(),
        kind,
        task: None,
    };
    let (users, assets) = (Window { offset: from_user, limit: USERS }, Window { offset: from_asset, limit: ASSETS });
    let found = visit.service.access_page(&visit.call, business, &filter, users, assets)?.into_inner();
    let chosen =
        (visit.query.text("user").map(str::to_owned), visit.query.id::<valetkey_domain::id::of::Asset>("asset"));
    let (columns, kinds) = visit.step(manage, |facts| {
        let column = |head: &valetkey_service::access::Head| Column {
            name: head.name.to_string(),
            href: names::asset_href(head.id),
            kind: names::kind_title(head.kind, facts.declared_kind(head.kind).as_ref()),
        };
        (found.heads.iter().map(column).collect::<Vec<_>>(), kind_choices(facts, kind))
    })?;
    let groups = groups(&visit, &found, &chosen);
    let paths = chosen.1.map(|asset| paths(&visit, asset, chosen.0.as_deref())).transpose()?.flatten();
    let last = |from: usize, shown: usize| from + shown;
    page(&AccessPage {
        shell: shell::of(&visit, "Access", HERE),
        users: visit.query.typed("users"),
        assets: visit.query.typed("assets"),
        sorts: sort_choices(sort),
        kinds,
        empty: found.rows.is_empty() || columns.is_empty(),
        words: format!(
            "Users {} to {} of {}, assets {} to {} of {}",
            from_user + 1,
            last(from_user, found.rows.len()),
            names::count(found.total_rows),
            from_asset + 1,
            last(from_asset, columns.len()),
            names::count(found.total_heads)
        ),
        user_pager: pager(&visit, "Users", ("from", from_user, USERS), found.total_rows),
        asset_pager: pager(&visit, "Assets", ("from_asset", from_asset, ASSETS), found.total_heads),
        columns,
        groups,
        paths,
    })
}

/// An address with what was chosen kept.
fn address(visit: &Visit, changed: &[(&str, String)]) -> String {
    let is_changed = |name: &str| changed.iter().any(|(other, _)| *other == name);
    let kept = visit.query.fields().iter().filter(|(name, value)| {
        ["users", "assets", "sort", "kind", "from", "from_asset"].contains(&name.as_str())
            && !value.is_empty()
            && !is_changed(name)
    });
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept);
    query.extend_pairs(changed);
    format!("{HERE}?{}", query.finish())
}

fn pager(visit: &Visit, what: &str, (field, from, size): (&str, usize, usize), total: usize) -> Option<Pager> {
    let at = |from: usize| address(visit, &[(field, from.to_string())]);
    (total > size).then(|| Pager {
        words: format!("{what}: {} of {}", names::count((from + size).min(total)), names::count(total)),
        previous: (from > 0).then(|| at(from.saturating_sub(size))),
        next: (from + size < total).then(|| at(from + size)),
    })
}

fn sort_choices(chosen: &str) -> Vec<Choice> {
    let all = [("", "All users"), ("person", "People"), ("system_user", "System users"), ("partner", "Partners")];
    all.into_iter()
        .map(|(word, label)| Choice { word: word.to_owned(), label: label.to_owned(), chosen: word == chosen })
        .collect()
}

fn kind_choices(facts: &Facts<'_>, chosen: Option<AssetKind>) -> Vec<Choice> {
    let all = Choice { word: String::new(), label: "All kinds".to_owned(), chosen: chosen.is_none() };
    let kinds = kinds::all(facts).into_iter().filter(|kind| kind.kind != AssetKind::App);
    let choice = |kind: Kind| Choice { word: kind.word(), label: kind.plural(), chosen: chosen == Some(kind.kind) };
    std::iter::once(all).chain(kinds.map(choice)).collect()
}

fn groups(
    visit: &Visit,
    found: &valetkey_service::access::AccessPage,
    chosen: &(Option<String>, Option<AssetId>),
) -> Vec<Group> {
    let mut groups: Vec<Group> =
        ["People", "System users", "Partners"].map(|title| Group { title, rows: Vec::new() }).into();
    for (row, cells) in found.rows.iter().zip(&found.cells) {
        let (place, id, name, href, role) = match row {
            Found::User { id, name, sort, role, status: _ } => {
                let (place, href) = match sort {
                    UserSort::Person => (0, names::person_href(*id)),
                    UserSort::SystemUser => (1, names::system_user_href(*id)),
                };
                (place, id.to_string(), name.to_string(), href, names::role(*role))
            }
            Found::Partner { id, name } => {
                (2, id.to_string(), name.to_string(), format!("/console/partners/{id}"), "Partner")
            }
        };
        let cell = |(head, held): (&valetkey_service::access::Head, &Option<Held>)| Cell {
            asset: head.name.to_string(),
            tasks: held.as_ref().map(|held| tasks(head.kind, held)).unwrap_or_default(),
            path: held.as_ref().map(|held| path_word(held.path)).unwrap_or_default(),
            href: format!("{}#paths", address(visit, &[("user", id.clone()), ("asset", head.id.to_string())])),
            current: chosen.0.as_deref() == Some(id.as_str()) && chosen.1 == Some(head.id),
        };
        let cells = found.heads.iter().zip(cells).map(cell).collect();
        if let Some(group) = groups.get_mut(place) {
            group.rows.push(Row { name, href, role: role.to_owned(), cells });
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    groups
}

/// "Everything" where that is held, else the labels of the tasks.
fn tasks(kind: AssetKind, held: &Held) -> String {
    let labels: Vec<String> = held.names.iter().map(|name| words::task(kind, name).label).collect();
    let is_everything = held.names.iter().any(|name| name == "MANAGE");
    if is_everything { words::task(kind, "MANAGE").label } else { labels.join(", ") }
}

fn path_word(path: Path) -> &'static str {
    match path {
        Path::Role => "By role",
        Path::Assignment { .. } => "Assigned",
        Path::Share { .. } => "Shared",
    }
}

/// The paths to one asset; `None` if the business doesn't have it.
fn paths(visit: &Visit, asset: AssetId, chosen: Option<&str>) -> Result<Option<Paths>, Failure> {
    let business = visit.who.business;
    let manage = rights::MANAGE_BUSINESS.on_business(business);
    let record = visit.step(manage, |facts| {
        let has = |asset: &valetkey_domain::noun::asset::Asset| {
            asset.business == Some(business) || facts.share(asset.id, business).is_some()
        };
        let record = facts.asset(asset).filter(has)?;
        let title = names::kind_title(record.kind, facts.declared_kind(record.kind).as_ref());
        Some((record, title))
    })?;
    let Some((record, title)) = record else { return Ok(None) };
    let found = visit.service.paths_to_asset(&visit.call, asset, 200, None)?.into_inner();
    // The chosen one is drawn whatever its place is.
    let mut rows = found.rows;
    rows.sort_by_key(|row| chosen != Some(row.who.id().to_string().as_str()));
    let total = found.total.max(rows.len());
    rows.truncate(DRAWN);
    let drawn: Vec<PathRow> = rows
        .iter()
        .enumerate()
        .map(|(place, row)| {
            let (name, href, who) = match &row.who {
                Whose::User(entry) => match entry.sort {
                    UserSort::Person => (entry.name.to_string(), Some(names::person_href(entry.id)), "Person"),
                    UserSort::SystemUser => {
                        (entry.name.to_string(), Some(names::system_user_href(entry.id)), "System user")
                    }
                },
                Whose::Partner { id, name } => {
                    let name = name.as_ref().map_or_else(|| id.to_string(), ToString::to_string);
                    (name, Some(format!("/console/partners/{id}")), "Partner")
                }
            };
            let tasks = tasks(record.kind, &row.held);
            let path = match row.held.path {
                Path::Role => format!("Role: {tasks}"),
                Path::Assignment { .. } => format!("Assignment: {tasks}"),
                Path::Share { .. } => format!("Share: up to {tasks}"),
            };
            PathRow {
                y: 1 + place * STEP,
                short_name: cut(&name, NAME_CHARS),
                name,
                href,
                who: who.to_owned(),
                short_path: cut(&path, PATH_CHARS),
                path,
                chosen: chosen == Some(row.who.id().to_string().as_str()),
            }
        })
        .collect();
    let height = drawn.len().max(1) * STEP;
    let (said, act) = said(visit, &record, chosen)?;
    Ok(Some(Paths {
        asset: Link::new(record.name.to_string(), names::asset_href(asset)),
        kind: title,
        more: (total > drawn.len()).then(|| {
            let label = format!("All {} that reach it", names::count(total));
            Link::new(label, names::asset_href(asset))
        }),
        height,
        middle: height / 2 - 22,
        rows: drawn,
        said,
        act,
    }))
}

fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    text.chars().take(chars - 1).chain(['…']).collect()
}

/// Whether the chosen user can do anything there, in a sentence, with what mends it.
fn said(
    visit: &Visit,
    asset: &valetkey_domain::noun::asset::Asset,
    chosen: Option<&str>,
) -> Result<(Option<Vec<Piece>>, Option<Link>), Failure> {
    let user: Option<UserId> = chosen.and_then(valetkey_domain::Id::parse);
    let is_user = |id: &UserId| matches!(id.kind(), Some(IdKind::Person | IdKind::SystemUser));
    let Some(user) = user.filter(is_user) else { return Ok((None, None)) };
    let can = visit.service.can(&visit.call, user, asset.id, None)?;
    let base = match user.kind() {
        Some(IdKind::Person) => names::person_href(user),
        Some(_) | None => names::system_user_href(user),
    };
    let label = match (can.answer, &can.mend) {
        (Answer::Passes, _) => Some("Change"),
        (Answer::Refused(_), Mend::Assign { .. }) => Some("Grant this"),
        (Answer::Refused(_) | Answer::Unknown, _) => None,
    };
    let act = label.map(|label| Link::new(label, format!("{base}/assign?asset={}", asset.id)));
    Ok((Some(vec![Piece::plain(can.sentence)]), act))
}
