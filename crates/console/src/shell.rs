//! The frame of a page: the navigation with its counts, what needs a person, and what has just been
//! done. It shows an employee only what an employee may see.

use valetkey_domain::rules::terms;
use valetkey_domain::{AssetKind, BusinessId, IdKind, State, Status, kind};
use valetkey_service::{Facts, rights};

use crate::done;
use crate::names;
use crate::view::parts::{Form, Link, Piece, Time, Tone};
use crate::view::shell::{Banner, Bare, BusinessHead, Flash, NavEntry, NavGroup, PersonFoot, Shell};
use crate::visit::Visit;

/// How long before its end a token is spoken of: two weeks.
pub const SOON_MS: i64 = 14 * 24 * 60 * 60 * 1000;
/// How many tokens are looked at for the banner; a business with more has its page of tokens.
const LOOKED_AT_LIMIT: usize = 5_000;

/// The frame of a page of this title. `current` is the address of the entry that the page belongs to.
pub fn of(visit: &Visit, title: &str, current: &str) -> Shell {
    let business = visit.who.business;
    let manage = rights::MANAGE_BUSINESS.on_business(business);
    let counts = visit.part(manage, |facts| Counts::of(facts, business, visit.now()));
    let nav = match &counts {
        Some(counts) => admin_nav(counts, current),
        None => employee_nav(current),
    };
    Shell {
        title: title.to_owned(),
        failed: false,
        business: BusinessHead {
            id: business.to_string(),
            name: visit.who.business_name.to_string(),
            initials: names::initials(visit.who.business_name.as_str()),
        },
        person: PersonFoot {
            name: visit.who.name.to_string(),
            role: names::role(visit.who.role).to_owned(),
            initials: names::initials(visit.who.name.as_str()),
        },
        nav,
        banners: unverified(visit)
            .into_iter()
            .chain(counts.map(|counts| counts.banners(visit.now())).unwrap_or_default())
            .collect(),
        flash: visit
            .query
            .text("done")
            .and_then(done::sentence)
            .map(|text| Flash { tone: Tone::Good, text: text.to_owned() }),
        search: String::new(),
        admin: visit.who.is_admin(),
        sign_out_form: visit.form_id(),
    }
}

/// Says that the ledger does not verify, if the last check that this node knows of found something.
fn unverified(visit: &Visit) -> Option<Banner> {
    let found = visit.service.known_verification().filter(|found| visit.who.is_admin() && !found.is_ok())?;
    let text = vec![
        Piece::plain(format!("The ledger does not verify: {found}. Checked ")),
        Piece::time(Time::inside(found.at, visit.now())),
        Piece::plain("."),
    ];
    Some(Banner { tone: Tone::Danger, text, link: Some(Link::new("See the activity", "/console/activity")) })
}

/// The same around a form, which may have been refused.
pub fn of_form(visit: &Visit, title: &str, current: &str, form: &Form) -> Shell {
    let shell = of(visit, title, current);
    if form.errors.is_empty() { shell } else { refused(shell) }
}

/// The same around something that was refused.
pub fn refused(shell: Shell) -> Shell {
    Shell { failed: true, flash: None, ..shell }
}

/// The frame of a page for nobody in particular.
pub fn bare(title: &str, signed_in: bool) -> Bare {
    let home = if signed_in { "/console" } else { "/console/sign-in" };
    Bare { title: title.to_owned(), failed: false, home: home.to_owned(), signed_in }
}

/// What the navigation counts and the banners say.
struct Counts {
    people: usize,
    partners: usize,
    system_users: usize,
    apps: usize,
    /// Each kind with its title, its page and how many there are: the table of kinds, then the declared.
    assets: Vec<(AssetKind, String, String, usize)>,
    terms_wait: bool,
    /// The token that ends next, and how many end soon.
    ending: Option<(String, String, i64, usize)>,
}

impl Counts {
    fn of(facts: &Facts<'_>, business: BusinessId, now: i64) -> Counts {
        let is_live_user =
            |id: &valetkey_domain::UserId| facts.system_user(*id).is_some_and(|u| u.status != Status::Deleted);
        let users: Vec<_> = facts.system_users(business).into_iter().filter(is_live_user).collect();
        let people = facts.people(business);
        let people = people.into_iter().filter(|id| facts.person(*id).is_some_and(|p| p.status != Status::Deleted));
        let mut ending: Option<(String, String, i64, usize)> = None;
        let tokens = users.iter().flat_map(|user| facts.tokens_of(*user)).take(LOOKED_AT_LIMIT);
        for token in tokens.filter_map(|id| facts.token(id)) {
            let Some(end) = token.expires_at.filter(|end| (now..now + SOON_MS).contains(end)) else { continue };
            if token.revoked_at.is_some() || token.page.is_some() {
                continue;
            }
            let count = ending.as_ref().map_or(0, |known| known.3) + 1;
            ending = Some(match ending {
                Some((href, name, known, _)) if known <= end => (href, name, known, count),
                Some(_) | None => {
                    let replace = format!("{}/token", names::system_user_href(token.user));
                    (replace, names::token(&token), end, count)
                }
            });
        }
        Counts {
            people: people.count(),
            partners: partners(&**facts, business),
            system_users: users.len(),
            apps: facts.connected_apps(business).len(),
            assets: assets(&**facts, business),
            terms_wait: !users.is_empty() && !terms::are_accepted(&**facts, business),
            ending,
        }
    }

    fn banners(&self, now: i64) -> Vec<Banner> {
        let mut banners = Vec::new();
        if self.terms_wait {
            banners.push(Banner {
                tone: Tone::Warning,
                text: vec![Piece::plain(
                    "The terms have a new version. New system users and tokens wait until an admin accepts it.",
                )],
                link: Some(Link::new("Read the terms", "/console/terms")),
            });
        }
        if let Some((href, name, end, count)) = &self.ending {
            let mut text = vec![
                Piece::plain("The token "),
                Piece::strong(name),
                Piece::plain(" ends "),
                Piece::time(Time::inside(*end, now)),
            ];
            text.push(Piece::plain(match count {
                1 => ".".to_owned(),
                count => format!(", and {} more end within two weeks.", count - 1),
            }));
            banners.push(Banner { tone: Tone::Warning, text, link: Some(Link::new("Generate a replacement", href)) });
        }
        banners
    }
}

/// How many businesses an asset of this one is shared with, or share one with it.
fn partners(state: &dyn State, business: BusinessId) -> usize {
    names::partners(state, business).len()
}

/// The kinds of assets that the business has, owned or shared with it. The id says the kind, so that no
/// record is read for it; only declared kinds share one sort of id.
fn assets(state: &dyn State, business: BusinessId) -> Vec<(AssetKind, String, String, usize)> {
    let all: Vec<_> = state.owned_assets(business).into_iter().chain(state.shared_assets(business)).collect();
    let mut counts = Vec::new();
    for row in kind::TABLE.iter().filter(|row| row.kind != AssetKind::App) {
        let count = all.iter().filter(|id| id.kind() == Some(row.id_kind)).count();
        counts.push((row.kind, names::kind_plural(row.kind, None), names::kind_href(row.kind, None), count));
    }
    let declared: Vec<_> = all.iter().filter(|id| id.kind() == Some(IdKind::DeclaredAsset)).collect();
    for kind in state.declared_kinds() {
        let count = declared.iter().filter(|id| state.asset(***id).is_some_and(|a| a.kind == kind.kind)).count();
        counts.push((kind.kind, kind.title.to_string(), names::kind_href(kind.kind, Some(&kind)), count));
    }
    counts
}

fn entry(label: &str, href: &str, icon: &'static str, count: Option<usize>, current: &str) -> NavEntry {
    NavEntry {
        label: label.to_owned(),
        href: href.to_owned(),
        icon,
        count: count.map(names::count),
        current: href == current,
    }
}

fn admin_nav(counts: &Counts, current: &str) -> Vec<NavGroup> {
    let users = vec![
        entry("People", "/console/people", "users", Some(counts.people), current),
        entry("Partners", "/console/partners", "handshake", Some(counts.partners), current),
        entry("System users", "/console/system-users", "system-user", Some(counts.system_users), current),
    ];
    // The four kinds that everybody knows are always there; the others once there is one.
    let is_shown = |kind: AssetKind, count: usize| {
        count > 0
            || match kind {
                AssetKind::Page
                | AssetKind::AdAccount
                | AssetKind::Catalog
                | AssetKind::Pixel
                | AssetKind::Declared(_) => true,
                AssetKind::InstagramAccount | AssetKind::WhatsappAccount | AssetKind::App => false,
            }
    };
    let shown = counts.assets.iter().filter(|(kind, .., count)| is_shown(*kind, *count));
    let accounts =
        shown.map(|(kind, title, href, count)| entry(title, href, names::kind_icon(*kind), Some(*count), current));
    let tools = vec![
        entry("Apps", "/console/apps", "boxes", Some(counts.apps), current),
        entry("Tokens", "/console/tokens", "key-round", None, current),
        entry("Access", "/console/access", "shield-check", None, current),
        entry("Refusals", "/console/refusals", "ban", None, current),
        entry("Activity", "/console/activity", "activity", None, current),
    ];
    let rest = vec![
        entry("Security", "/console/security", "lock", None, current),
        entry("Business info", "/console/business", "briefcase-business", None, current),
    ];
    vec![
        NavGroup { heading: Some("Users".to_owned()), entries: users },
        NavGroup { heading: Some("Accounts".to_owned()), entries: accounts.collect() },
        NavGroup { heading: None, entries: tools },
        NavGroup { heading: None, entries: rest },
    ]
}

/// An employee sees what is assigned to it, and its own sign-in.
fn employee_nav(current: &str) -> Vec<NavGroup> {
    let entries = vec![
        entry("Your access", "/console/you", "shield-check", None, current),
        entry("Security", "/console/security", "lock", None, current),
    ];
    vec![NavGroup { heading: None, entries }]
}
