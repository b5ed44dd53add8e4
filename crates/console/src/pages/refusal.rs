//! Why refused: the refusals of the business, newest first, and each explained then and now with what
//! mends it.

use valetkey_domain::{AssetId, Id, IdKind, ScopeSet, UserId};
use valetkey_http::{Reply, RequestId};
use valetkey_service::explain::{Answer, CheckRow, Explained, Mend, Outcome, RefusalFilter, RefusalLine, RefusalPage};
use valetkey_service::{Facts, rights};

use crate::failure::Failure;
use crate::view::parts::{Badge, Link, Pager, Piece, Sentence, Tab, Time, Tone};
use crate::view::refusal::{self, Detail, Fact, RefusalRow, RefusalsPage};
use crate::view::system_user;
use crate::visit::{Visit, page};
use crate::web::reply;
use crate::{names, shell};

const HERE: &str = "/console/refusals";
/// How many are listed at once.
const LISTED_LIMIT: usize = 50;

/// The list.
///
/// # Errors
/// The refusal.
pub async fn list(visit: Visit) -> Result<Reply, Failure> {
    // Who pastes a trace wants that one refusal, however old it is.
    if let Some(trace) = visit.query.text("q").and_then(RequestId::parse) {
        let found = visit.service.explain_refusal(&visit.call.quietly(), trace.as_str()).await;
        if found.is_ok() {
            return Ok(reply::see_other(&format!("{HERE}/{trace}")));
        }
    }
    page(&view(&visit, None).await?)
}

/// One of them, beside the list.
///
/// # Errors
/// The refusal; `NotFound` for a trace that isn't remembered, or that is not for this business.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let explained = visit.service.explain_refusal(&visit.call, visit.word()).await;
    let explained = explained.map_err(|refusal| {
        if refusal.field.as_deref() == Some("trace") { Failure::NotFound } else { Failure::from(refusal) }
    })?;
    page(&view(&visit, Some(explained)).await?)
}

async fn view(visit: &Visit, chosen: Option<Explained>) -> Result<RefusalsPage, Failure> {
    let now = visit.now();
    let still_refused = match visit.query.text("show") {
        Some("refused") => Some(true),
        Some("passes") => Some(false),
        Some(_) | None => None,
    };
    let filter = RefusalFilter {
        user: visit.query.id("user"),
        asset: visit.query.id("asset"),
        reason: None,
        still_refused,
        search: visit.query.text("q").map(str::to_owned),
        is_grouped: true,
    };
    let after = visit.query.text("after");
    let list = visit.service.refusals_page(&visit.call, &filter, after, LISTED_LIMIT).await;
    // A page whose last line is gone by now begins anew.
    let list = match list {
        Err(refusal) if refusal.field.as_deref() == Some("after") => {
            visit.service.refusals_page(&visit.call, &filter, None, LISTED_LIMIT).await?
        }
        other => other?,
    };
    let trace = chosen.as_ref().map(|chosen| chosen.trace.clone());
    let rows: Vec<RefusalRow> = list.rows.iter().map(|line| row(visit, line, trace.as_deref(), now)).collect();
    let is_open = filter.user.is_none() && filter.asset.is_none() && filter.search.is_none();
    let detail = chosen.map(|chosen| detail(chosen, now));
    let title = detail.as_ref().map_or("Refusals", |detail| detail.sentence.as_str()).to_owned();
    Ok(RefusalsPage {
        shell: shell::of(visit, &title, HERE),
        query: visit.query.typed("q"),
        tabs: tabs(visit, &list),
        empty: list.all == 0 && is_open,
        pager: list.next.as_ref().map(|next| Pager {
            words: format!("{} of {}", names::count(rows.len()), names::count(list.all)),
            previous: None,
            next: Some(address(visit, HERE, &[("after", next)])),
        }),
        cut: list.is_cut,
        narrowed: narrowed(visit, &filter)?,
        rows,
        chosen: detail,
    })
}

/// An address with what was chosen kept.
fn address(visit: &Visit, path: &str, changed: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let is_kept = |name: &str| ["q", "user", "asset", "show"].contains(&name);
    let kept = visit.query.fields().iter().filter(|(name, _)| is_kept(name) && !changed.iter().any(|(n, _)| n == name));
    query.extend_pairs(kept);
    query.extend_pairs(changed.iter().filter(|(_, value)| !value.is_empty()));
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

fn tabs(visit: &Visit, list: &RefusalPage) -> Vec<Tab> {
    let shown = visit.query.text("show").unwrap_or_default();
    let tab = |label: &str, word: &str, count: usize| Tab {
        label: label.to_owned(),
        href: address(visit, HERE, &[("show", word)]),
        count: Some(names::count(count)),
        current: shown == word,
    };
    vec![
        tab("All", "", list.all),
        tab("Still refused", "refused", list.still_refused),
        tab("Would pass now", "passes", list.would_pass),
    ]
}

/// Whose or which refusals are shown alone.
fn narrowed(visit: &Visit, filter: &RefusalFilter) -> Result<Option<Link>, Failure> {
    let business = visit.who.business;
    let name = visit.step(rights::MANAGE_BUSINESS.on_business(business), |facts| {
        let user = filter.user.filter(|id| facts.business_of(*id) == Some(business));
        let user = user.map(|id| names::user(&**facts, id));
        user.or_else(|| Some(own_asset(facts, business, filter.asset?)?.to_string()))
    })?;
    Ok(name.map(|name| Link::new(name, HERE)))
}

fn own_asset(facts: &Facts<'_>, business: valetkey_domain::BusinessId, id: AssetId) -> Option<valetkey_domain::Name> {
    let asset = facts.asset(id)?;
    (asset.business == Some(business) || facts.share(id, business).is_some()).then_some(asset.name)
}

fn row(visit: &Visit, line: &RefusalLine, chosen: Option<&str>, now: i64) -> RefusalRow {
    RefusalRow {
        href: address(visit, &format!("{HERE}/{}", line.trace), &[]),
        at: Time::relative(line.at, now),
        times: times(line.times),
        short: line.said.short.clone(),
        because: line.said.because.clone(),
        now: (line.now == Answer::Passes).then(|| Badge::new("Would pass now", Tone::Good)),
        current: chosen == Some(line.trace.as_str()),
    }
}

fn times(times: u64) -> String {
    if times == 1 { "Once".to_owned() } else { format!("{times} times") }
}

fn detail(e: Explained, now: i64) -> Detail {
    let (headline, text) = match e.now {
        Answer::Passes => ("It would pass now", "What was missing has been granted since.".to_owned()),
        Answer::Refused(_) => ("Still refused now", e.now_because.clone().unwrap_or_default()),
        Answer::Unknown => ("Decided when it is called", e.now_because.clone().unwrap_or_default()),
    };
    let mend = if e.now == Answer::Passes { None } else { mend(&e.mend) };
    let text = mend.as_ref().map_or(text, |(_, says)| (*says).to_owned());
    Detail {
        trace: e.trace.clone(),
        at: Time::datetime(e.at, now),
        sentence: e.said.whole.clone(),
        now: headline.to_owned(),
        now_text: text,
        mend: mend.map(|(link, _)| link),
        checks: checks(&e.checks, now),
        facts: facts(&e, now),
    }
}

/// Where a refusal is mended, and what the page there has prepared.
fn mend(mend: &Mend) -> Option<(Link, &'static str)> {
    let user = |id: UserId| match id.kind() {
        Some(IdKind::Person) => names::person_href(id),
        Some(_) | None => names::system_user_href(id),
    };
    let with_scopes = |id: UserId, app: String, scopes: ScopeSet| {
        let scopes: String = scopes.iter().map(|scope| format!("&scope={}", scope.name())).collect();
        format!("{}/token?app={app}{scopes}", user(id))
    };
    Some(match mend {
        // Only the owner can share more; who reads this is the partner.
        Mend::None | Mend::Share { .. } => return None,
        Mend::Assign { user: id, asset, added, .. } => {
            let tasks: String = added.iter().map(|task| format!("&task={task}")).collect();
            let href = format!("{}/assign?asset={asset}{tasks}", user(*id));
            (
                Link::new("Grant this", href),
                "Opens the assignment with the missing task switched on, for you to check and save.",
            )
        }
        Mend::Scope { user, app, scopes } => (
            Link::new("Grant this", with_scopes(*user, app.to_string(), *scopes)),
            "Opens a new token with the missing scope ticked. The old one stays as it is.",
        ),
        Mend::Issue { user, app, scopes } => (
            Link::new("Generate a token", with_scopes(*user, app.to_string(), *scopes)),
            "The token is dead. A new one takes its place.",
        ),
        Mend::AllowScopes { app, .. } => (
            Link::new("Allow the scope", format!("{}/scopes", names::app_href(*app))),
            "The app holds the scope back; its tokens have it already.",
        ),
        Mend::Install { system_user, app } => (
            Link::new("Install the app", format!("{}/token?app={app}", names::system_user_href(*system_user))),
            "Generating a token installs the app on the way.",
        ),
        Mend::Connect { app, .. } => {
            (Link::new("Connect the app", names::app_href(*app)), "The app is not connected to the business.")
        }
        Mend::CreateApp { .. } => {
            (Link::new("Create app", "/console/apps/new"), "No app is connected to the business.")
        }
        Mend::Activate { user: id, .. } => {
            (Link::new("Switch it on", format!("{}/status", user(*id))), "The user is deactivated.")
        }
        Mend::AcceptTerms => (Link::new("Read the terms", "/console/terms"), "The terms in force are not accepted."),
    })
}

fn facts(e: &Explained, now: i64) -> Vec<Fact> {
    let who = e.who.id.and_then(|id| match id.kind() {
        Some(IdKind::SystemUser) => Some(names::system_user_href(Id::of(id))),
        Some(IdKind::Person) => Some(names::person_href(Id::of(id))),
        Some(_) | None => None,
    });
    let mut out = vec![Fact {
        label: "Who",
        value: named(&e.who.name, who),
        more: e.who.role.map(|role| names::role(role).to_owned()),
    }];
    if let Some(token) = &e.token {
        let href = format!("/console/tokens/{}", token.id);
        out.push(Fact {
            label: "Token",
            value: named(&token.id.to_string(), Some(href)),
            more: token.app_name.clone(),
        });
    }
    if let Some(subject) = &e.subject {
        let is_asset = !matches!(subject.id.kind(), Some(IdKind::Business | IdKind::Person | IdKind::SystemUser));
        let href = (is_asset && subject.name.is_some()).then(|| names::asset_href(AssetId::of(subject.id)));
        out.push(Fact { label: "On", value: named(&subject.label(), href), more: Some(subject.kind.clone()) });
    }
    if e.ip.is_some() || e.program.is_some() {
        let from = e.ip.clone().unwrap_or_else(|| "Not known".to_owned());
        out.push(Fact { label: "From", value: vec![Piece::plain(from)], more: e.program.clone() });
    }
    let often = vec![Piece::plain(times(e.times))];
    out.push(Fact { label: "How often", value: often, more: None });
    if e.times > 1 {
        out.push(Fact { label: "Since", value: vec![Piece::time(Time::datetime(e.since, now))], more: None });
    }
    out
}

fn named(name: &str, href: Option<String>) -> Sentence {
    match href {
        Some(href) => vec![Piece::link(name, href)],
        None => vec![Piece::strong(name)],
    }
}

fn checks(rows: &[CheckRow], now: i64) -> Vec<refusal::CheckRow> {
    let first = rows.iter().position(|row| matches!(row.then, Outcome::Failed(_)));
    let row = |(place, row): (usize, &CheckRow)| refusal::CheckRow {
        title: row.title.clone(),
        failed: first == Some(place),
        then: outcome(&row.then, now),
        now: outcome(&row.now, now),
    };
    rows.iter().enumerate().map(row).collect()
}

fn outcome(outcome: &Outcome, now: i64) -> refusal::Outcome {
    let (word, icon, found) = match outcome {
        Outcome::Passed(found) => ("Passed", Some("check"), Some(found)),
        Outcome::Failed(found) => ("Failed", Some("x"), Some(found)),
        Outcome::NotAsked => ("Not asked", None, None),
    };
    refusal::Outcome {
        word,
        icon,
        text: found.map(|found| found.text.clone()).unwrap_or_default(),
        time: found.and_then(|found| found.time).map(|at| Time::inside(at, now)),
    }
}

/// The newest refusals of a user, for its own page.
///
/// # Errors
/// The refusal.
pub async fn recent(visit: &Visit, user: UserId, limit: usize) -> Result<Vec<system_user::RefusalRow>, Failure> {
    let filter = RefusalFilter { user: Some(user), is_grouped: true, ..RefusalFilter::default() };
    let list = visit.service.refusals_page(&visit.call, &filter, None, limit).await?;
    let now = visit.now();
    let row = |line: RefusalLine| {
        let (badge, act) = match line.now {
            Answer::Passes => (Badge::new("Would pass", Tone::Good), "Why"),
            Answer::Refused(_) => (Badge::new("Still refused", Tone::Danger), "Why"),
            Answer::Unknown => (Badge::new("Open", Tone::Plain), "Why"),
        };
        system_user::RefusalRow {
            at: Time::relative(line.at, now),
            tried: vec![Piece::plain(line.said.short)],
            why: vec![Piece::plain(line.said.because)],
            now: badge,
            act: Link::new(act, format!("{HERE}/{}", line.trace)),
        }
    };
    Ok(list.rows.into_iter().map(row).collect())
}
