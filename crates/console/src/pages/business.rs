//! Business info: the name, the terms, the limits and the rules for tokens and for what employees see.

use std::cmp::Reverse;

use valetkey_domain::limits::Limits;
use valetkey_domain::noun::business::Business;
use valetkey_domain::rules::business::BusinessEdit;
use valetkey_domain::rules::person::live_people;
use valetkey_domain::{Refusal, Role, State, Status, TokenId};
use valetkey_http::Reply;
use valetkey_service::rights;

use super::stale;
use crate::failure::Failure;
use crate::view::business::{AcceptedVersion, BusinessPage, LimitRow, TermsState, UnitChoice};
use crate::view::parts::{Form, Time};
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell};

/// The entry of the navigation.
const HERE: &str = "/console/business";
/// Of how many system users the live tokens are counted, for the limit: those with the most tokens in all.
const USERS_COUNTED: usize = 5;
/// The units of a lifetime: the word, its label and its seconds. The largest comes first.
static UNITS: [(&str, &str, i64); 4] =
    [("days", "days", 86_400), ("hours", "hours", 3_600), ("minutes", "minutes", 60), ("seconds", "seconds", 1)];
/// The longest life that can be set: ten years, as long as no certificate or contract lasts.
const LIFETIME_LIMIT_S: i64 = 3_650 * 86_400;

/// The page.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    page(&view(&visit, visit.new_form())?)
}

/// Renames the business.
///
/// # Errors
/// The refusal.
pub async fn rename(visit: Visit) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return page(&view(&visit, visit.new_form())?);
    }
    visit.once(HERE).await?;
    let business = visit.who.business;
    let now = visit.find(rights::MANAGE_BUSINESS.on_business(business), |facts| facts.business(business))?.name;
    if let Some(page) = stale::name(&visit, HERE, now.as_str(), HERE) {
        return page;
    }
    let name = match forms::name(&visit.form, "name") {
        Ok(name) => name,
        Err(refusal) => return refused(&visit, refusal),
    };
    save(&visit, BusinessEdit { name: Some(name), ..BusinessEdit::default() }).await
}

/// Sets or takes away the longest life of a new token.
///
/// # Errors
/// The refusal.
pub async fn set_lifetime(visit: Visit) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return page(&view(&visit, visit.new_form())?);
    }
    visit.once(HERE).await?;
    let limit = match lifetime_of(&visit) {
        Ok(limit) => limit,
        Err(refusal) => return refused(&visit, refusal),
    };
    let business = visit.who.business;
    let record = visit.find(rights::MANAGE_BUSINESS.on_business(business), |facts| facts.business(business))?;
    let was = seconds(record.token_lifetime_limit_s);
    if record.token_lifetime_limit_s != limit && visit.form.raw("was") != Some(was.as_str()) {
        let errors = forms::error("amount", "Somebody else changed it meanwhile. Nothing was overwritten.");
        return again(&view(&visit, Form { errors, ..visit.new_form() })?);
    }
    save(&visit, BusinessEdit { token_lifetime_limit_s: Some(limit), ..BusinessEdit::default() }).await
}

/// The life that was typed, in seconds; `None` for no limit.
fn lifetime_of(visit: &Visit) -> Result<Option<i64>, Refusal> {
    if visit.form.text("limit") != Some("yes") {
        return Ok(None);
    }
    let amount = visit.form.text("amount").ok_or_else(|| Refusal::required("amount"))?;
    let unit = UNITS.iter().find(|(word, ..)| visit.form.text("unit") == Some(*word)).map_or(86_400, |unit| unit.2);
    let seconds = amount.parse::<i64>().ok().filter(|amount| *amount > 0).and_then(|amount| amount.checked_mul(unit));
    match seconds {
        Some(seconds) if (60..=LIFETIME_LIMIT_S).contains(&seconds) => Ok(Some(seconds)),
        Some(_) | None => Err(Refusal::invalid("amount", "a number that makes one minute to ten years")),
    }
}

/// Lets employees see all of the business, or only what is assigned to them.
///
/// # Errors
/// The refusal.
pub async fn set_visibility(visit: Visit) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return page(&view(&visit, visit.new_form())?);
    }
    visit.once(HERE).await?;
    let strict = visit.form.text("strict") == Some("yes");
    save(&visit, BusinessEdit { strict_visibility: Some(strict), ..BusinessEdit::default() }).await
}

async fn save(visit: &Visit, edit: BusinessEdit) -> Result<Reply, Failure> {
    match visit.service.update_business(&visit.call, visit.who.business, edit).await {
        Ok(_) => Ok(reply::see_other(&format!("{HERE}?done=business-saved"))),
        Err(refusal) => refused(visit, refusal),
    }
}

fn refused(visit: &Visit, refusal: Refusal) -> Result<Reply, Failure> {
    let errors = forms::errors(refusal)?;
    again(&view(visit, Form { errors, ..visit.new_form() })?)
}

fn view(visit: &Visit, form: Form) -> Result<BusinessPage, Failure> {
    let (business, now) = (visit.who.business, visit.now());
    let seen = visit.find(rights::MANAGE_BUSINESS.on_business(business), |facts| {
        let record = facts.business(business)?;
        let (terms, limits) = (terms_of(&**facts, &record, now), limits_of(&**facts, &record, now));
        Some((record, terms, limits))
    })?;
    let (record, terms, limits) = seen;
    let title = "Business info";
    let sent = &visit.form;
    // Each form of the page sends its own fields; what a form did not send stands as it is.
    let typed = sent.raw("amount").is_some();
    let stored = record.token_lifetime_limit_s;
    let (amount, unit) = split(stored);
    let (amount, unit) = if typed { (sent.typed("amount"), sent.typed("unit")) } else { (amount, unit.to_owned()) };
    let limited = if typed { sent.text("limit") == Some("yes") } else { stored.is_some() };
    let named = sent.raw("name").is_some();
    Ok(BusinessPage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        id: record.id.to_string(),
        name: if named { sent.typed("name") } else { record.name.to_string() },
        was: if named { sent.typed("was") } else { record.name.to_string() },
        created: Time::date(record.created_at, now),
        terms,
        limits,
        limited,
        amount,
        units: units(&unit, stored),
        lifetime: stored.map(in_words),
        lifetime_was: seconds(stored),
        strict: if sent.has("visibility") { sent.text("strict") == Some("yes") } else { record.strict_visibility },
    })
}

/// A lifetime as the form carries it: seconds, or nothing.
fn seconds(limit: Option<i64>) -> String {
    limit.map(|seconds| seconds.to_string()).unwrap_or_default()
}

/// A lifetime as a number of the largest unit that fits it; 90 days where there is no limit.
fn split(limit: Option<i64>) -> (String, &'static str) {
    let limit = limit.unwrap_or(90 * 86_400);
    let fitting = UNITS.iter().find(|unit| limit % unit.2 == 0);
    fitting.map_or_else(|| (limit.to_string(), "seconds"), |unit| ((limit / unit.2).to_string(), unit.0))
}

fn in_words(limit: i64) -> String {
    let (amount, unit) = split(Some(limit));
    if amount == "1" { format!("1 {}", unit.trim_end_matches('s')) } else { format!("{amount} {unit}") }
}

/// The units to choose from. Seconds are there only for a limit that another unit can't say.
fn units(chosen: &str, stored: Option<i64>) -> Vec<UnitChoice> {
    let needs_seconds = split(stored).1 == "seconds";
    let offered = UNITS.iter().filter(|unit| unit.0 != "seconds" || needs_seconds);
    offered.map(|&(word, label, _)| UnitChoice { word, label, chosen: word == chosen }).collect()
}

fn terms_of(state: &dyn State, record: &Business, now: i64) -> TermsState {
    let version = state.terms().version;
    TermsState {
        version: version.to_string(),
        current: record.accepted.as_ref().is_some_and(|accepted| accepted.version == version),
        accepted: record.accepted.as_ref().map(|accepted| AcceptedVersion {
            version: accepted.version.to_string(),
            by: names::user(state, accepted.person),
            at: Time::datetime(accepted.at, now),
        }),
    }
}

/// The limits, counted as the rules count.
fn limits_of(state: &dyn State, record: &Business, now: i64) -> Vec<LimitRow> {
    let Limits { admin_system_users, employee_system_users, people, apps, assets, tokens_per_system_user } =
        record.limits;
    let users = state.system_users(record.id);
    let (mut admins, mut employees) = (0, 0);
    for user in users.iter().filter_map(|id| state.system_user(*id)).filter(|user| user.status != Status::Deleted) {
        match user.role {
            Role::Admin => admins += 1,
            Role::Employee => employees += 1,
        }
    }
    let mut by_tokens: Vec<Vec<TokenId>> = users.iter().map(|id| state.tokens_of(*id)).collect();
    by_tokens.sort_unstable_by_key(|tokens| Reverse(tokens.len()));
    let most_tokens = by_tokens.into_iter().take(USERS_COUNTED).map(|tokens| live(state, tokens, now));
    let most_tokens = most_tokens.max().unwrap_or_default();
    let system_users = "/console/system-users";
    vec![
        limit("People", live_people(state, record.id).len(), people, "/console/people"),
        limit("System users, admins", admins, admin_system_users, system_users),
        limit("System users, employees", employees, employee_system_users, system_users),
        limit("Apps", state.owned_apps(record.id).len(), apps, "/console/apps"),
        limit("Assets", state.owned_assets(record.id).len(), assets, "/console/assets"),
        limit("Tokens of one system user, the most", most_tokens, tokens_per_system_user, "/console/tokens"),
    ]
}

/// How many of a system user's tokens are live, page tokens left out.
fn live(state: &dyn State, tokens: Vec<TokenId>, now: i64) -> usize {
    let tokens = tokens.into_iter().filter_map(|id| state.token(id)).filter(|token| token.page.is_none());
    tokens.filter(|token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > now)).count()
}

fn limit(what: &'static str, used: usize, limit: u32, href: &'static str) -> LimitRow {
    let high = limit - limit / 10;
    let note = match used {
        used if used >= limit as usize => "Used up",
        used if used >= high as usize => "Nearly used up",
        _ => "",
    };
    LimitRow {
        what,
        used: names::count(used),
        limit: names::count(limit as usize),
        used_number: used,
        limit_number: limit,
        high,
        note,
        href,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_said_in_the_largest_unit_that_fits() {
        for (limit, words) in [(86_400, "1 day"), (7_776_000, "90 days"), (129_600, "36 hours"), (61, "61 seconds")] {
            assert_eq!(in_words(limit), words);
        }
    }

    #[test]
    fn a_limit_is_spoken_of_before_it_is_reached() {
        assert_eq!(limit("People", 8, 10, "").note, "");
        assert_eq!(limit("People", 9, 10, "").note, "Nearly used up");
        assert_eq!(limit("People", 10, 10, "").note, "Used up");
        assert_eq!(limit("Apps", 0, 1, "").note, "");
    }
}
