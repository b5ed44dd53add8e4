//! People: the list, a new one with the link that lets it in, and the page of one.
//!
//! A sign-in link stands on the page that answers the form, and nowhere else. Whom else a human works for
//! must never be shown here.

use valetkey_domain::noun::person::Person;
use valetkey_domain::rules::human::is_open;
use valetkey_domain::rules::person::{PersonEdit, live_people};
use valetkey_domain::rules::sign_in::CODE_LIFETIME_MS;
use valetkey_domain::{AssetId, Reason, Refusal, Role, State, Status, UserId};
use valetkey_http::Reply;
use valetkey_service::{Facts, rights};

use super::find::Find;
use super::kinds::Kind;
use super::paging::{PAGE_SIZE, pager, window};
use super::security::{self, SignIns};
use super::stale;
use crate::failure::Failure;
use crate::view::parts::{Badge, Form, Link, Tab, Time, Tone, UserHead};
use crate::view::person::{LinkPage, ListPage, NewPage, PersonPage, PersonRow, RenamePage};
use crate::view::system_user::AssetRow;
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell, words};

/// The entry of the navigation.
pub const HERE: &str = "/console/people";
/// How many of a person's newest tokens are looked at for its last sign-in.
const TOKENS_LOOKED_AT: usize = 100;

/// All people of the business.
///
/// # Errors
/// The refusal.
pub async fn list(visit: Visit) -> Result<Reply, Failure> {
    let (business, now) = (visit.who.business, visit.now());
    let question = rights::MANAGE_BUSINESS.on_business(business);
    let all = visit.step(question, |facts| live_people(&**facts, business))?;
    let find = Find::of(&visit.query);
    let show = visit.query.text("show").unwrap_or_default();
    let is_shown = |person: &&Person| {
        let fits = match show {
            "admins" => person.role == Role::Admin,
            "deactivated" => person.status == Status::Deactivated,
            _ => true,
        };
        fits && (find.fits(person.name.as_str(), &person.id) || find.is_in(&person.email))
    };
    let mut found: Vec<&Person> = all.iter().filter(is_shown).collect();
    found.sort_by_cached_key(|person| (person.name.as_str().to_lowercase(), person.id));
    let (from, to) = window(&visit, "from", found.len());
    let rows = visit.step(question, |facts| {
        found[from..to].iter().map(|person| row(&**facts, person, visit.who.person, now)).collect()
    })?;
    let count_of = |fits: &dyn Fn(&Person) -> bool| all.iter().filter(|person| fits(person)).count();
    let tab = |label: &str, word: &str, count: usize| Tab {
        label: label.to_owned(),
        href: if word.is_empty() { HERE.to_owned() } else { format!("{HERE}?show={word}") },
        count: Some(names::count(count)),
        current: show == word,
    };
    let is_active_admin = |person: &Person| person.role == Role::Admin && person.status == Status::Active;
    page(&ListPage {
        shell: shell::of(&visit, "People", HERE),
        query: visit.query.typed("q"),
        show: show.to_owned(),
        tabs: vec![
            tab("All", "", all.len()),
            tab("Admins", "admins", count_of(&|person| person.role == Role::Admin)),
            tab("Deactivated", "deactivated", count_of(&|person| person.status == Status::Deactivated)),
        ],
        rows,
        total: names::count(all.len()),
        one_admin: count_of(&is_active_admin) == 1,
        pager: pager(&visit, HERE, "from", found.len()),
    })
}

fn row(state: &dyn State, person: &Person, viewer: UserId, now: i64) -> PersonRow {
    PersonRow {
        name: person.name.to_string(),
        href: names::person_href(person.id),
        you: person.id == viewer,
        badge: (person.status == Status::Deactivated).then(|| Badge::new("Deactivated", Tone::Warning)),
        email: person.email.clone(),
        role: names::role(person.role).to_owned(),
        signs_in: signs_in(state, person),
        last_sign_in: last_sign_in(state, person.id).map(|at| Time::relative(at, now)),
    }
}

/// How a person signs in, in words.
fn signs_in(state: &dyn State, person: &Person) -> String {
    let human = person.human.and_then(|id| state.human(id));
    let passkeys = human.as_ref().map_or(0, |human| state.passkeys_of(human.id).len());
    let has_password = human.is_some_and(|human| human.password.is_some());
    match (passkeys, has_password) {
        (0, false) => "Link only".to_owned(),
        (0, true) => "Password and code".to_owned(),
        (count, false) => names::counted(count, "passkey", "passkeys"),
        (count, true) => format!("{}, password and code", names::counted(count, "passkey", "passkeys")),
    }
}

/// When somebody last signed in as this person: by the newest of its tokens that is no Page's.
fn last_sign_in(state: &dyn State, person: UserId) -> Option<i64> {
    let newest = state.tokens_of(person).into_iter().rev().take(TOKENS_LOOKED_AT);
    newest.filter_map(|id| state.token(id)).find(|token| token.page.is_none()).map(|token| token.created_at)
}

/// The form for a new one.
///
/// # Errors
/// None.
pub async fn new(visit: Visit) -> Result<Reply, Failure> {
    page(&new_view(&visit, visit.new_form()))
}

/// Adds the person, and shows the link that lets it in.
///
/// # Errors
/// The refusal.
pub async fn create(visit: Visit) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return page(&new_view(&visit, visit.new_form()));
    }
    visit.once(HERE).await?;
    let role = forms::role(&visit.form);
    let email = visit.form.text("email");
    let made = match (forms::name(&visit.form, "name"), email) {
        (Ok(name), Some(email)) => {
            visit.service.create_person(&visit.call, visit.who.business, name, email, role).await
        }
        (Ok(_), None) => Err(Refusal::required("email")),
        (Err(refusal), _) => Err(refusal),
    };
    match made {
        Ok(done) => {
            let question = rights::MANAGE_BUSINESS.on_business(visit.who.business);
            let person = visit.find(question, |facts| facts.person(done.value))?;
            link_page(&visit, &person, true).await
        }
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&new_view(&visit, Form { errors, ..visit.new_form() }))
        }
    }
}

fn new_view(visit: &Visit, form: Form) -> NewPage {
    let title = "Add person";
    NewPage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        name: visit.form.typed("name"),
        email: visit.form.typed("email"),
        admin: forms::role(&visit.form) == Role::Admin,
    }
}

/// Makes a sign-in link for a person, and shows it.
///
/// # Errors
/// The refusal.
pub async fn link(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    let back = names::person_href(person.id);
    if visit.is_resumed() {
        return Ok(reply::see_other(&back));
    }
    visit.once(&back).await?;
    link_page(&visit, &person, false).await
}

/// The page with a new link. If there may be none for this person, its page says what to do instead.
async fn link_page(visit: &Visit, person: &Person, added: bool) -> Result<Reply, Failure> {
    let back = names::person_href(person.id);
    let code = match visit.service.create_sign_in_code(&visit.call, person.id).await {
        Ok(done) => done.value,
        Err(refusal) if refusal.reason == Reason::RoleInsufficient => return Ok(reply::see_other(&back)),
        Err(refusal) => return Err(refusal.into()),
    };
    let now = visit.now();
    page(&LinkPage {
        shell: shell::of(visit, "Sign-in link", HERE),
        person: head(person),
        email: person.email.clone(),
        link: visit.address.sign_in_link(code.reveal()),
        ends: Time::inside(now + CODE_LIFETIME_MS, now),
        added,
    })
}

/// Who a page is about, for its head.
pub fn head(person: &Person) -> UserHead {
    UserHead {
        id: person.id.to_string(),
        name: person.name.to_string(),
        href: names::person_href(person.id),
        role: names::role(person.role).to_owned(),
        admin: person.role == Role::Admin,
        active: person.status == Status::Active,
    }
}

/// The person of the address. Each sees itself; the others are for admins.
///
/// # Errors
/// The refusal, or `NotFound`.
pub fn of_path(visit: &Visit) -> Result<Person, Failure> {
    let (id, business): (UserId, _) = (visit.id()?, visit.who.business);
    let is_here = |person: &Person| person.business == business && person.status != Status::Deleted;
    visit.find(rights::MANAGE_OR_SELF.on_user(business, id), |facts| facts.person(id).filter(is_here))
}

/// The page of one person.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    let (id, now) = (person.id, visit.now());
    let SignIns { sessions, tokens } = security::sign_ins(&visit, id).await?;
    let seen = visit.step(rights::MANAGE_OR_SELF.on_user(visit.who.business, id), |facts| {
        let assigned = facts.assets_of(id);
        let rows = assigned.iter().take(PAGE_SIZE).filter_map(|asset| asset_row(facts, &person, *asset, now)).collect();
        let ways = (signs_in(&**facts, &person), last_sign_in(&**facts, id), is_open(&**facts, &person));
        (rows, assigned.len(), ways)
    })?;
    let (assets, asset_count, (signs_in, last_sign_in, is_open)) = seen;
    page(&PersonPage {
        shell: shell::of(&visit, person.name.as_str(), HERE),
        form: visit.new_form(),
        person: head(&person),
        you: id == visit.who.person,
        email: person.email.clone(),
        role_sentence: words::person_role(person.role).to_owned(),
        signs_in,
        last_sign_in: last_sign_in.map(|at| Time::relative(at, now)),
        created: Time::date(person.created_at, now),
        manage: visit.who.is_admin(),
        assets,
        asset_count: names::count(asset_count),
        more_assets: (asset_count > PAGE_SIZE).then(|| {
            Link::new(format!("All {} assets", names::count(asset_count)), format!("/console/access/list?user={id}"))
        }),
        live: sessions.len() + tokens.len(),
        sessions,
        tokens,
        can_link: is_open && person.status == Status::Active,
    })
}

fn asset_row(facts: &Facts<'_>, person: &Person, id: AssetId, now: i64) -> Option<AssetRow> {
    let (asset, assignment) = (facts.asset(id)?, facts.assignment(person.id, id)?);
    let declared = facts.declared_kind(asset.kind);
    Some(AssetRow {
        name: asset.name.to_string(),
        href: names::asset_href(id),
        icon: names::kind_icon(asset.kind),
        kind: names::kind_title(asset.kind, declared.as_ref()),
        tasks: Kind::on(facts, asset.kind).labels(assignment.tasks).join(", "),
        note: Vec::new(),
        by: names::creator(&**facts, assignment.created_by),
        at: Time::date(assignment.created_at, now),
        change: format!("{}/assign?asset={id}", names::person_href(person.id)),
    })
}

/// Ends one of a person's sessions or tokens, or all.
///
/// # Errors
/// The refusal.
pub async fn end(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    let back = names::person_href(person.id);
    if visit.is_resumed() {
        return Ok(reply::see_other(&back));
    }
    visit.once_to_end(&back).await?;
    let done = security::end_for(&visit, person.id).await?;
    Ok(reply::see_other(&format!("{back}?done={done}")))
}

/// The form for another name. Each may rename itself.
///
/// # Errors
/// The refusal.
pub async fn name(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    page(&rename_view(&visit, &person, person.name.to_string(), visit.new_form()))
}

/// Renames.
///
/// # Errors
/// The refusal.
pub async fn rename(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    let (back, typed) = (names::person_href(person.id), visit.form.typed("name"));
    if visit.is_resumed() {
        return page(&rename_view(&visit, &person, typed, visit.new_form()));
    }
    visit.once(&back).await?;
    if let Some(page) = stale::name(&visit, HERE, person.name.as_str(), &back) {
        return page;
    }
    let renamed = match forms::name(&visit.form, "name") {
        Ok(name) => {
            let edit = PersonEdit { name: Some(name), ..PersonEdit::default() };
            visit.service.update_person(&visit.call, person.id, edit).await.map(drop)
        }
        Err(refusal) => Err(refusal),
    };
    match renamed {
        Ok(()) => Ok(reply::see_other(&format!("{back}?done=renamed"))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&rename_view(&visit, &person, typed, Form { errors, ..visit.new_form() }))
        }
    }
}

fn rename_view(visit: &Visit, person: &Person, name: String, form: Form) -> RenamePage {
    let title = "Rename";
    RenamePage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        person: head(person),
        name,
        // What the form was opened with stays when it comes back with a mistake.
        was: visit.form.text("was").map_or_else(|| person.name.to_string(), str::to_owned),
        you: person.id == visit.who.person,
    }
}
