//! Generate a token: the form, and the one page that shows the token.

use jiff::civil::{Date, Time as Time24};
use jiff::tz::Offset;
use valetkey_domain::noun::app::App;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::rules::token::{IssueRequest, Lifetime, SIXTY_DAYS_S};
use valetkey_domain::{AppId, Refusal, Scope, ScopeSet};
use valetkey_http::Reply;
use valetkey_service::rights;

use super::scope_choice::Choice;
use super::system_user::HERE;
use super::token_once;
use super::token_once::Issued;
use super::user::{head, of_path};
use crate::failure::Failure;
use crate::view::parts::{Form, Time};
use crate::view::token::{AppChoice, EndChoice, TokenPage};
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What the form is about.
struct Asked {
    user: SystemUser,
    app: App,
    installed: bool,
    apps: Vec<AppChoice>,
    choice: Choice,
    ticked: ScopeSet,
}

/// The form.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    match asked(&visit)? {
        Some(asked) => page(&view(&visit, &asked, visit.new_form())),
        None => Ok(reply::see_other(&format!("/console/apps/new?return_to={}", visit.here))),
    }
}

/// What the form sent: shown again with what was ticked, or the token.
///
/// # Errors
/// The refusal.
pub async fn send(visit: Visit) -> Result<Reply, Failure> {
    let Some(asked) = asked(&visit)? else {
        return Ok(reply::see_other("/console/apps/new"));
    };
    if visit.form.text("go") != Some("generate") || visit.is_resumed() {
        return page(&view(&visit, &asked, visit.new_form()));
    }
    visit.once(&format!("{}?done=token-shown", names::system_user_href(asked.user.id))).await?;
    match issue(&visit, &asked).await {
        Ok(issued) => token_once::show(&visit, issued),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&view(&visit, &asked, Form { errors, ..visit.new_form() }))
        }
    }
}

async fn issue(visit: &Visit, asked: &Asked) -> Result<Issued, Refusal> {
    let purpose = forms::purpose(&visit.form, "purpose")?;
    let lifetime = lifetime(visit)?;
    if !asked.installed {
        visit.service.install_app(&visit.call, asked.user.id, asked.app.id).await?;
    }
    let request = IssueRequest {
        system_user: asked.user.id,
        app: asked.app.id,
        scopes: asked.ticked,
        lifetime,
        add_dependencies: true,
        purpose,
    };
    let (token, text) = visit.service.issue_token(&visit.call, request).await?.value;
    let can = asked.choice.in_short(asked.ticked);
    Ok(Issued { user: asked.user.clone(), app: asked.app.clone(), token, text, can })
}

/// `None` if no app is connected.
fn asked(visit: &Visit) -> Result<Option<Asked>, Failure> {
    let user = of_path(visit)?;
    let business = visit.who.business;
    let wanted: Option<AppId> = visit.form.id("app").or(visit.query.id("app"));
    let found = visit.step(rights::MANAGE_BUSINESS.on_business(business), |facts| {
        let installed = facts.installed_apps(user.id);
        let connected: Vec<App> = facts.connected_apps(business).into_iter().filter_map(|id| facts.app(id)).collect();
        let by_wish = connected.iter().find(|app| Some(app.id) == wanted);
        let app =
            by_wish.or_else(|| connected.iter().find(|app| installed.contains(&app.id))).or(connected.first())?.clone();
        let apps = connected.iter().map(|other| AppChoice {
            id: other.id.to_string(),
            name: other.name.to_string(),
            installed: installed.contains(&other.id),
            chosen: other.id == app.id,
        });
        Some((installed.contains(&app.id), apps.collect::<Vec<_>>(), Choice::of(facts, &user, &app), app))
    })?;
    let Some((installed, apps, choice, app)) = found else { return Ok(None) };
    let ticked = ticked(visit, &choice);
    Ok(Some(Asked { user, app, installed, apps, choice, ticked }))
}

/// What is ticked: what was sent, with the one button that ticks or unticks. The first time, and for
/// another app, what the assignments need.
fn ticked(visit: &Visit, choice: &Choice) -> ScopeSet {
    let go = visit.form.text("go");
    let is_first = visit.form.fields().is_empty() || go == Some("app");
    if is_first {
        let asked: ScopeSet = visit.query.all("scope").filter_map(Scope::parse).collect();
        return choice.preselected().with(choice.full(asked).shared(asked));
    }
    let mut ticked: ScopeSet = visit.form.all("scope").filter_map(Scope::parse).collect();
    let named = |prefix: &str| go.and_then(|go| go.strip_prefix(prefix)).and_then(Scope::parse);
    if let Some(scope) = named("tick:") {
        ticked = ticked.with([scope].into_iter().collect());
    }
    if let Some(scope) = named("untick:") {
        ticked = ticked.without([scope].into_iter().collect());
    }
    ticked
}

fn end(visit: &Visit) -> EndChoice {
    match visit.form.text("end") {
        Some("date") => EndChoice::Date,
        Some("never") => EndChoice::Never,
        Some(_) | None => EndChoice::Days60,
    }
}

/// The last moment of a day that was typed, in UTC.
fn end_of_day(text: &str) -> Option<i64> {
    let day: Date = text.parse().ok()?;
    let next = day.tomorrow().ok()?.to_datetime(Time24::midnight());
    Some(Offset::UTC.to_timestamp(next).ok()?.as_millisecond() - 1000)
}

fn lifetime(visit: &Visit) -> Result<Lifetime, Refusal> {
    match end(visit) {
        EndChoice::Days60 => Ok(Lifetime::Seconds(SIXTY_DAYS_S)),
        EndChoice::Never => Ok(Lifetime::Never),
        EndChoice::Date => {
            let end = visit.form.text("date").and_then(end_of_day);
            let rest_s = end.map(|end| (end - visit.now()) / 1000).filter(|rest_s| *rest_s > 0);
            rest_s.map(Lifetime::Seconds).ok_or_else(|| Refusal::invalid("date", "a day from today on"))
        }
    }
}

fn view(visit: &Visit, asked: &Asked, form: Form) -> TokenPage {
    let title = format!("Generate token for {}", asked.user.name);
    let now = visit.now();
    let in_60_days = Time::date(now + SIXTY_DAYS_S * 1000, now);
    let end = end(visit);
    let (groups, more) = asked.choice.groups(asked.ticked);
    TokenPage {
        shell: shell::of_form(visit, &title, HERE, &form),
        form,
        user: head(&asked.user),
        apps: asked.apps.clone(),
        app: asked.app.name.to_string(),
        installed: asked.installed,
        purpose: visit.form.typed("purpose"),
        end,
        in_60_days,
        date: visit.form.typed("date"),
        date_from: day_text(now + DAY_MS),
        ends: match end {
            EndChoice::Days60 => Some(in_60_days),
            EndChoice::Date => visit.form.text("date").and_then(end_of_day).map(|end| Time::date(end, now)),
            EndChoice::Never => None,
        },
        more_count: more.iter().map(|group| group.rows.len()).sum(),
        groups,
        more,
        can: asked.choice.can(asked.ticked),
        mismatches: asked.choice.mismatches(asked.ticked),
    }
}

/// A day as a date field writes it.
fn day_text(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    Offset::UTC.to_datetime(at).date().to_string()
}
