//! The inventory: every token of the business, with what asks for a person, and filters over it.

use std::collections::HashMap;

use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{AppId, IdKind, UserId};
use valetkey_http::Reply;
use valetkey_service::token::{Listed, TokenStatus};
use valetkey_service::{Facts, rights};

use super::creator::user_href;
use super::find::Find;
use super::paging;
use super::system_user::last_use;
use crate::failure::Failure;
use crate::shell::SOON_MS;
use crate::view::parts::{Badge, Kept, Link, Tab, Time, Tone};
use crate::view::tokens::{Card, ListPage, TokenRow};
use crate::visit::{Visit, page};
use crate::{names, shell};

/// The entry of the navigation.
pub const HERE: &str = "/console/tokens";
/// From when on a token counts as not used: 90 days.
const IDLE_MS: i64 = 90 * 24 * 60 * 60 * 1000;

/// Which tokens a tab shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Live,
    Pages,
    SignIns,
    Ended,
}

impl Show {
    const ALL: [Show; 4] = [Show::Live, Show::SignIns, Show::Pages, Show::Ended];

    fn word(self) -> &'static str {
        match self {
            Show::Live => "",
            Show::Pages => "pages",
            Show::SignIns => "sign-ins",
            Show::Ended => "ended",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Show::Live => "Live",
            Show::Pages => "Page tokens",
            Show::SignIns => "Sign-ins of people",
            Show::Ended => "Ended and revoked",
        }
    }

    /// The tab that a token stands in; none for ended Page tokens and sign-ins, which are too many to
    /// read. Each still has its page.
    fn of(listed: &Listed) -> Option<Show> {
        let is_live = listed.status == TokenStatus::Live;
        match listed.token.kind {
            TokenKind::SystemUser => Some(if is_live { Show::Live } else { Show::Ended }),
            TokenKind::Page => is_live.then_some(Show::Pages),
            TokenKind::User => is_live.then_some(Show::SignIns),
        }
    }
}

/// A card: what asks for a person among the live tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Concern {
    Soon,
    Never,
    Idle,
    Unused,
}

impl Concern {
    const ALL: [Concern; 4] = [Concern::Soon, Concern::Never, Concern::Idle, Concern::Unused];

    /// Its word in addresses, its label, and what to do.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Concern::Soon => ("soon", "Ends within 14 days", "Generate a replacement before the end"),
            Concern::Never => ("never", "Never ends", "Works until somebody revokes it"),
            Concern::Idle => ("idle", "Not used for 90 days", "May be forgotten"),
            Concern::Unused => ("unused", "Never used", "Perhaps never needed"),
        }
    }

    fn is_of(self, listed: &Listed, now: i64) -> bool {
        let used_at = listed.last_used.as_ref().map(|used| used.used_at);
        match self {
            Concern::Soon => listed.token.expires_at.is_some_and(|end| end < now + SOON_MS),
            Concern::Never => listed.token.expires_at.is_none(),
            Concern::Idle => used_at.is_some_and(|at| at < now - IDLE_MS),
            Concern::Unused => used_at.is_none(),
        }
    }
}

/// What the address asks for.
struct Wanted {
    show: Show,
    concern: Option<Concern>,
    user: Option<UserId>,
    app: Option<AppId>,
    /// In lower case.
    find: Find,
}

impl Wanted {
    fn of(visit: &Visit) -> Wanted {
        let word = visit.query.text("show").unwrap_or_default();
        let filter = visit.query.text("filter");
        let concern = Concern::ALL.into_iter().find(|concern| Some(concern.words().0) == filter);
        let show = Show::ALL.into_iter().find(|show| show.word() == word).unwrap_or(Show::Live);
        Wanted {
            // A card is about live tokens.
            show: if concern.is_some() { Show::Live } else { show },
            concern,
            user: visit.query.id("user"),
            app: visit.query.id("app"),
            find: Find::of(&visit.query),
        }
    }

    /// Whether a token is of the wanted user and app.
    fn is_in(&self, token: &Token) -> bool {
        self.user.is_none_or(|user| token.user == user) && self.app.is_none_or(|app| token.app == Some(app))
    }
}

/// The inventory.
///
/// # Errors
/// The refusal.
pub async fn list(visit: Visit) -> Result<Reply, Failure> {
    let (business, now) = (visit.who.business, visit.now());
    let wanted = Wanted::of(&visit);
    let all = visit.service.list_business_tokens(&visit.call, business).await?.into_inner();
    let scope: Vec<&Listed> = all.iter().filter(|listed| wanted.is_in(&listed.token)).collect();
    let count = |show: Show| scope.iter().filter(|listed| Show::of(listed) == Some(show)).count();
    let tab = |show: Show| {
        let word = Some(show.word()).filter(|word| !word.is_empty());
        let path = without(&visit, "filter");
        Tab {
            label: show.label().to_owned(),
            href: with(&path, "show", word),
            count: Some(names::count(count(show))),
            current: wanted.show == show && wanted.concern.is_none(),
        }
    };
    let live: Vec<&Listed> = scope.iter().copied().filter(|listed| Show::of(listed) == Some(Show::Live)).collect();
    let cards = Concern::ALL.into_iter().map(|concern| card(&visit, concern, &live, &wanted, now)).collect();
    let is_shown = |listed: &&Listed| {
        Show::of(listed) == Some(wanted.show) && wanted.concern.is_none_or(|concern| concern.is_of(listed, now))
    };
    let shown: Vec<&Listed> = scope.iter().copied().filter(is_shown).collect();
    let (rows, found, narrowed) = visit.step(rights::MANAGE_BUSINESS.on_business(business), |facts| {
        let found = matching(facts, shown, &wanted.find);
        let (from, to) = paging::window(&visit, "from", found.len());
        let rows: Vec<TokenRow> = found[from..to].iter().map(|listed| row(facts, listed, now)).collect();
        (rows, found.len(), narrowed(facts, &visit, &wanted))
    })?;
    page(&ListPage {
        shell: shell::of(&visit, "Tokens", HERE),
        cards,
        tabs: Show::ALL.into_iter().map(tab).collect(),
        query: visit.query.typed("q"),
        narrowed,
        kept: kept(&visit),
        empty: all.iter().all(|listed| listed.token.kind == TokenKind::User),
        all: HERE.to_owned(),
        pager: paging::pager(&visit, HERE, "from", found),
        rows,
    })
}

/// The address of this list without a field.
fn without(visit: &Visit, field: &str) -> String {
    let address = paging::href(visit, HERE, field, None);
    let Some((path, query)) = address.split_once('?') else { return address };
    // A tab replaces the tab before it.
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "show");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// An address with one more field, whose value is plain letters.
fn with(address: &str, field: &str, value: Option<&str>) -> String {
    match value {
        None => address.to_owned(),
        Some(value) if address.contains('?') => format!("{address}&{field}={value}"),
        Some(value) => format!("{address}?{field}={value}"),
    }
}

fn card(visit: &Visit, concern: Concern, live: &[&Listed], wanted: &Wanted, now: i64) -> Card {
    let (word, label, detail) = concern.words();
    let count = live.iter().filter(|listed| concern.is_of(listed, now)).count();
    let current = wanted.concern == Some(concern);
    let base = without(visit, "filter");
    Card {
        label,
        count: names::count(count),
        detail,
        // A second press takes the filter away.
        href: with(&base, "filter", (!current).then_some(word)),
        current,
        warn: count > 0,
    }
}

/// The tokens in which a text is found: in the purpose, the names of user and app, or as the whole id.
fn matching<'a>(facts: &Facts<'_>, tokens: Vec<&'a Listed>, find: &Find) -> Vec<&'a Listed> {
    if find.is_empty() {
        return tokens;
    }
    let mut users: HashMap<UserId, bool> = HashMap::new();
    let mut apps: HashMap<AppId, bool> = HashMap::new();
    let fits = |listed: &&Listed| {
        let token = &listed.token;
        let is_user = *users.entry(token.user).or_insert_with(|| find.is_in(&names::user(&**facts, token.user)));
        let is_app = token.app.is_some_and(|id| {
            *apps.entry(id).or_insert_with(|| facts.app(id).is_some_and(|app| find.is_in(app.name.as_str())))
        });
        is_user || is_app || find.fits(&names::token(token), &token.id)
    };
    tokens.into_iter().filter(fits).collect()
}

/// What else narrows the list, with the way to take it away.
fn narrowed(facts: &Facts<'_>, visit: &Visit, wanted: &Wanted) -> Option<Link> {
    let business = visit.who.business;
    // What isn't the business's own is not named, whatever the address says.
    let own = |id: &UserId| facts.business_of(*id) == Some(business);
    let of_user = wanted.user.filter(own).map(|id| (names::user(&**facts, id), "user"));
    let of_app = || {
        let app = facts.app(wanted.app?)?;
        facts.connection(business, app.id).map(|_| (app.name.to_string(), "app"))
    };
    let (name, field) = of_user.or_else(of_app)?;
    Some(Link::new(name, paging::href(visit, HERE, field, None)))
}

/// The fields that the search keeps.
fn kept(visit: &Visit) -> Vec<Kept> {
    let fields =
        visit.query.fields().iter().filter(|(name, _)| matches!(name.as_str(), "show" | "filter" | "user" | "app"));
    fields.map(|(name, value)| Kept { name: name.clone(), value: value.clone() }).collect()
}

fn row(facts: &Facts<'_>, listed: &Listed, now: i64) -> TokenRow {
    let token = &listed.token;
    let app = token.app.and_then(|id| facts.app(id));
    TokenRow {
        href: format!("{HERE}/{}", token.id),
        purpose: title(facts, token),
        id: token.id.to_string(),
        user: Link::new(names::user(&**facts, token.user), user_href(token.user)),
        user_icon: user_icon(token.user),
        app: app.map(|app| Link::new(app.name.to_string(), names::app_href(app.id))),
        by: names::creator(&**facts, token.created_by),
        issued: Time::date(token.created_at, now),
        ends: token.expires_at.map(|end| Time::relative(end, now)),
        soon: listed.status == TokenStatus::Live && token.expires_at.is_none_or(|end| end < now + SOON_MS),
        last_used: listed.last_used.as_ref().map(|used| last_use(used, now)),
        status: (listed.status != TokenStatus::Live).then(|| status(listed.status)),
        revoke: token.revoked_at.is_none().then(|| revoke_href(token)),
    }
}

/// What a token is called: its purpose; what it is for sessions and Page tokens; else its id.
pub fn title(facts: &Facts<'_>, token: &Token) -> String {
    match (token.page, token.session) {
        (Some(page), _) if token.purpose.is_none() => {
            let page = facts.asset(page).map(|page| page.name.to_string());
            page.map_or_else(|| "Page token".to_owned(), |page| format!("Page token for {page}"))
        }
        (None, true) => "Session of the console".to_owned(),
        (None, false) if token.kind == TokenKind::User && token.purpose.is_none() => {
            "Sign-in for the command line".to_owned()
        }
        (Some(_) | None, _) => names::token(token),
    }
}

/// The icon of whose token it is.
pub fn user_icon(user: UserId) -> &'static str {
    if user.kind() == Some(IdKind::Person) { "user" } else { "system-user" }
}

/// What a token is good for, in a word.
pub fn status(status: TokenStatus) -> Badge {
    match status {
        TokenStatus::Live => Badge::new("Live", Tone::Good),
        TokenStatus::Expired => Badge::new("Ended", Tone::Plain),
        TokenStatus::Revoked => Badge::new("Revoked", Tone::Plain),
        TokenStatus::UserOff => Badge::new("User is off", Tone::Warning),
        TokenStatus::AppOff => Badge::new("App is off", Tone::Warning),
    }
}

/// The page that revokes a token: those of system users have one of their own, with a receipt.
pub fn revoke_href(token: &Token) -> String {
    match token.kind {
        TokenKind::SystemUser => format!("{}/revoke?token={}", names::system_user_href(token.user), token.id),
        TokenKind::Page | TokenKind::User => format!("{HERE}/{}/revoke", token.id),
    }
}
