//! Everything about one token but its text, which nobody has.

use std::collections::HashMap;

use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{BusinessId, Scope, TokenId};
use valetkey_http::Reply;
use valetkey_service::explain::RefusalFilter;
use valetkey_service::store::telemetry::day_of;
use valetkey_service::store::{Usage, UsedFor};
use valetkey_service::token::{Listed, TokenStatus, status as status_of};
use valetkey_service::{Facts, rights};

use super::creator::user_href;
use super::kinds::Kind;
use super::system_user::last_use;
use super::tokens::{HERE, revoke_href, status, title, user_icon};
use super::{refused, token_reach};
use crate::failure::Failure;
use crate::shell::SOON_MS;
use crate::view::parts::{Chart, LastUse, Link, Piece, Sentence, Time};
use crate::view::tokens::{ChildRow, RightRow, ScopeLine, TokenPage};
use crate::visit::{Visit, page};
use crate::{names, shell, words};

/// How many tokens that were issued from it are written out.
const CHILDREN_SHOWN: usize = 20;
/// How many tokens are looked at to find them.
const LOOKED_AT_LIMIT: usize = 20_000;
/// How many rights stand in the table of uses.
const RIGHTS_SHOWN: usize = 20;
/// How many rows of uses are read.
const USAGE_LIMIT: usize = 2_000;
const CHART_DAYS: i64 = 30;

/// What the index says about a token.
struct Seen {
    purpose: String,
    user: Link,
    role: String,
    app: Option<Link>,
    page: Option<Link>,
    by: String,
    parent: Option<Link>,
    children: Vec<ChildRow>,
    children_more: Option<String>,
    can: Vec<Sentence>,
    can_more: Option<String>,
    status_sentence: Option<String>,
}

/// The page.
///
/// # Errors
/// The refusal; a token that the viewer may not see looks like none.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let id: TokenId = visit.id()?;
    let listed = visit.service.get_token(&visit.call, id).await?;
    let (token, now) = (&listed.token, visit.now());
    let manage = visit.may(rights::MANAGE_BUSINESS.on_business(token.business)).is_some();
    let question = rights::MANAGE_OR_SELF.on_user(token.business, token.user);
    let usage = usage(&visit, id, now).await?;
    let live = listed.status == TokenStatus::Live;
    let seen = visit.step(question, |facts| see(facts, &listed, manage, now))?;
    let rights = rights_used(&visit, token, &usage, now)?;
    let days = days(&usage, now);
    let filter = RefusalFilter { user: Some(token.user), ..RefusalFilter::default() };
    let refusals =
        if manage { refused::rows(&visit, filter, |line| line.token == Some(id)).await? } else { Vec::new() };
    let uses = listed.last_used.as_ref().map_or(0, |used| usize::try_from(used.count).unwrap_or_default());
    page(&TokenPage {
        shell: shell::of(&visit, &seen.purpose, HERE),
        id: id.to_string(),
        found: visit.query.has("found"),
        live,
        status: status(listed.status),
        status_sentence: seen.status_sentence,
        sort: sort(token).to_owned(),
        user: seen.user,
        user_icon: user_icon(token.user),
        role: seen.role,
        app: seen.app,
        page: seen.page,
        by: seen.by,
        issued: Time::datetime(token.created_at, now),
        ends: token.expires_at.map(|end| Time::datetime(end, now)),
        ends_in: token.expires_at.map(|end| Time::relative(end, now)),
        soon: live && token.expires_at.is_none_or(|end| end < now + SOON_MS),
        revoked: token.revoked_at.map(|at| Time::datetime(at, now)),
        last_used: listed.last_used.as_ref().map(|used| last_use(used, now)),
        uses: names::counted(uses, "use in all", "uses in all"),
        parent: seen.parent,
        children: seen.children,
        children_more: seen.children_more,
        scopes: listed.scopes.iter().map(scope_line).collect(),
        lost: if live { token.scopes.without(listed.scopes).names() } else { Vec::new() },
        can: seen.can,
        can_more: seen.can_more,
        chart_words: chart_words(&days),
        chart: Chart::of(&days, format!("{} uses in {CHART_DAYS} days", days.iter().sum::<u64>())),
        rights,
        refusals,
        revoke: token.revoked_at.is_none().then(|| revoke_href(token)),
        own: visit.who.token == id,
        purpose: seen.purpose,
    })
}

fn see(facts: &Facts<'_>, listed: &Listed, manage: bool, now: i64) -> Seen {
    let token = &listed.token;
    let app = token.app.and_then(|id| facts.app(id));
    let page = token.page.and_then(|id| facts.asset(id));
    let person = facts.person(token.user).map(|person| person.role);
    let role = person.or_else(|| facts.system_user(token.user).map(|user| user.role));
    let parent = token
        .parent
        .and_then(|id| facts.token(id))
        .filter(|parent| facts.may(rights::MANAGE_OR_SELF.on_user(parent.business, parent.user)).is_some());
    let mut children = if manage { children(facts, token, now) } else { Vec::new() };
    let more = children.len().saturating_sub(CHILDREN_SHOWN);
    children.truncate(CHILDREN_SHOWN);
    let (can, can_more) = match (listed.status, role) {
        (TokenStatus::Live, Some(role)) => token_reach::can(facts, token, role, listed.scopes),
        (
            TokenStatus::Live
            | TokenStatus::Expired
            | TokenStatus::Revoked
            | TokenStatus::UserOff
            | TokenStatus::AppOff,
            _,
        ) => (Vec::new(), None),
    };
    Seen {
        purpose: title(facts, token),
        user: Link::new(names::user(&**facts, token.user), user_href(token.user)),
        role: role.map(names::role).unwrap_or_default().to_owned(),
        app: app.map(|app| Link::new(app.name.to_string(), names::app_href(app.id))),
        page: page.map(|page| Link::new(page.name.to_string(), names::asset_href(page.id))),
        by: names::creator(&**facts, token.created_by),
        parent: parent.map(|parent| Link::new(title(facts, &parent), format!("{HERE}/{}", parent.id))),
        children,
        children_more: (more > 0).then(|| format!("and {} more", names::count(more))),
        can,
        can_more,
        status_sentence: status_sentence(listed.status),
    }
}

/// What was issued with a token, derived from it, or refreshed from it.
fn children(facts: &Facts<'_>, parent: &Token, now: i64) -> Vec<ChildRow> {
    let users = facts.system_users(parent.business).into_iter().chain(facts.people(parent.business));
    let tokens = users.flat_map(|user| facts.tokens_of(user)).take(LOOKED_AT_LIMIT).filter_map(|id| facts.token(id));
    let row = |token: Token| {
        let mut what = vec![Piece::link(title(facts, &token), format!("{HERE}/{}", token.id))];
        if token.user != parent.user {
            what.extend([Piece::plain(" of "), Piece::strong(names::user(&**facts, token.user))]);
        }
        ChildRow { what, status: status(status_of(&**facts, &token, now)) }
    };
    tokens.filter(|token| token.parent == Some(parent.id)).map(row).collect()
}

fn sort(token: &Token) -> &'static str {
    match (token.kind, token.session) {
        (TokenKind::SystemUser, _) => "Token of a system user",
        (TokenKind::Page, _) => "Page token",
        (TokenKind::User, true) => "Session of the console",
        (TokenKind::User, false) => "Sign-in for the command line",
    }
}

fn status_sentence(status: TokenStatus) -> Option<String> {
    let sentence = match status {
        TokenStatus::Live => return None,
        TokenStatus::Expired => "Its time is up. No server accepts it any more, and it can't be made longer.",
        TokenStatus::Revoked => "It was revoked. No server accepts it any more, and nothing brings it back.",
        TokenStatus::UserOff => {
            "Its user is deactivated or deleted. If the user is switched on again, the token works again: revoke it if it must not."
        }
        TokenStatus::AppOff => "Its app is disconnected or no longer installed, so no server accepts it.",
    };
    Some(sentence.to_owned())
}

fn scope_line(scope: Scope) -> ScopeLine {
    ScopeLine { name: scope.name(), sentence: words::scope_sentence(scope).to_owned() }
}

async fn usage(visit: &Visit, id: TokenId, now: i64) -> Result<Vec<Usage>, Failure> {
    let today = day_of(now);
    let days = (today - CHART_DAYS + 1, today);
    Ok(visit.service.token_usage(&visit.call, id, days, None, USAGE_LIMIT).await?.into_inner().rows)
}

/// The uses on each of the last days, the oldest first. A call that used several rights counts once a
/// day for the right that was used most.
fn days(usage: &[Usage], now: i64) -> Vec<u64> {
    let first = day_of(now) - CHART_DAYS + 1;
    let mut days: Vec<u64> = (0..CHART_DAYS).map(|_| 0).collect();
    for row in usage {
        if let Some(day) = usize::try_from(row.day - first).ok().and_then(|at| days.get_mut(at)) {
            *day = (*day).max(u64::try_from(row.count).unwrap_or_default());
        }
    }
    days
}

fn chart_words(days: &[u64]) -> String {
    let total: u64 = days.iter().sum();
    let used = days.iter().filter(|count| **count > 0).count();
    match (usize::try_from(total).unwrap_or(usize::MAX), used) {
        (0, _) => format!("No use in {CHART_DAYS} days"),
        (total, used) => {
            format!("{} on {}", names::counted(total, "use", "uses"), names::counted(used, "day", "days"))
        }
    }
}

/// The uses of the last days by right, the most used first.
fn rights_used(visit: &Visit, token: &Token, usage: &[Usage], now: i64) -> Result<Vec<RightRow>, Failure> {
    let mut sums: HashMap<UsedFor, (i64, &Usage)> = HashMap::new();
    for row in usage {
        let sum = sums.entry(row.what).or_insert((0, row));
        sum.0 += row.count;
        if row.last_at > sum.1.last_at {
            sum.1 = row;
        }
    }
    let mut sums: Vec<(UsedFor, i64, &Usage)> =
        sums.into_iter().map(|(what, (count, row))| (what, count, row)).collect();
    sums.sort_by_key(|(what, count, _)| (std::cmp::Reverse(*count), what.numbers()));
    let question = rights::MANAGE_OR_SELF.on_user(token.business, token.user);
    let rows = visit.step(question, |facts| {
        let row = |(what, count, last): &(UsedFor, i64, &Usage)| RightRow {
            what: right(facts, token.business, *what),
            scope: match what {
                UsedFor::Right { scope, .. } => scope.map(Scope::name),
                UsedFor::Other => None,
            },
            uses: names::count(usize::try_from(*count).unwrap_or_default()),
            last: LastUse {
                at: Time::relative(last.last_at, now),
                from: Some(last.ip.clone()).filter(|ip| !ip.is_empty()),
                did: Some(last.user_agent.clone()).filter(|program| !program.is_empty()),
            },
        };
        sums.iter().take(RIGHTS_SHOWN).map(row).collect()
    })?;
    Ok(rows)
}

/// A right that was used, in words.
fn right(facts: &Facts<'_>, business: BusinessId, what: UsedFor) -> Sentence {
    let UsedFor::Right { asset, task, .. } = what else {
        return vec![Piece::plain("Further rights, which were not kept apart")];
    };
    let Some(asset) = asset.and_then(|id| facts.asset(id)) else {
        return vec![Piece::plain("Its own user, or the business")];
    };
    let kind = Kind::on(facts, asset.kind);
    let label = task.and_then(|task| kind.label_at(task)).unwrap_or_else(|| "Read".to_owned());
    let seen = asset.business == Some(business) || facts.share(asset.id, business).is_some();
    let named = if seen {
        Piece::link(asset.name.to_string(), names::asset_href(asset.id))
    } else {
        // It is out of sight by now, and so is its name.
        Piece::plain(format!("the {} {}", kind.one(), asset.id))
    };
    vec![Piece::plain(label), Piece::plain(" on "), named]
}
