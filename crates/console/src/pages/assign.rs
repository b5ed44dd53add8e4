//! Assign assets: the form that collects changes, the list of them, and the save. Nothing is saved
//! before its changes stood on the page.

use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, AssetKind, BusinessId, Refusal, Role, Status, TaskSet, UserId};
use valetkey_http::Reply;
use valetkey_service::{Facts, rights};

use super::assign_tasks::{self, Asset};
use super::draft::{Drafts, stored};
use super::kinds::Kind;
use super::picker::Listed;
use super::subject::Subject;
use super::{assign_summary, kinds, picker, user};
use crate::failure::Failure;
use crate::view::assign::{AssignPage, Picker, ReviewPage};
use crate::view::parts::{FieldError, Form, UserHead};
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell};

/// The form for a system user.
///
/// # Errors
/// The refusal.
pub async fn show_user(visit: Visit) -> Result<Reply, Failure> {
    let subject = system_user(&visit)?;
    open(&visit, &subject)
}

/// What the form for a system user sent.
///
/// # Errors
/// The refusal.
pub async fn send_user(visit: Visit) -> Result<Reply, Failure> {
    let subject = system_user(&visit)?;
    sent(&visit, &subject).await
}

/// The form for a person.
///
/// # Errors
/// The refusal.
pub async fn show_person(visit: Visit) -> Result<Reply, Failure> {
    let subject = person(&visit)?;
    open(&visit, &subject)
}

/// What the form for a person sent.
///
/// # Errors
/// The refusal.
pub async fn send_person(visit: Visit) -> Result<Reply, Failure> {
    let subject = person(&visit)?;
    sent(&visit, &subject).await
}

fn system_user(visit: &Visit) -> Result<Subject, Failure> {
    let user = user::of_path(visit)?;
    Ok(Subject { id: user.id, head: user::head(&user), here: "/console/system-users" })
}

fn person(visit: &Visit) -> Result<Subject, Failure> {
    let id: UserId = visit.id()?;
    let business = visit.who.business;
    let find = |facts: &Facts<'_>| facts.person(id).filter(|p| p.business == business && p.status != Status::Deleted);
    let person = visit.find(rights::MANAGE_BUSINESS.on_business(business), find)?;
    let head = UserHead {
        id: id.to_string(),
        name: person.name.to_string(),
        href: names::person_href(id),
        role: names::role(person.role).to_owned(),
        admin: person.role == Role::Admin,
        active: person.status == Status::Active,
    };
    Ok(Subject { id, head, here: "/console/people" })
}

/// What the form carries.
pub struct Carried {
    kind: AssetKind,
    query: String,
    ticked: Vec<AssetId>,
    drafts: Drafts,
}

/// The form as a link opens it: a kind, an asset that is ticked, and a task that is switched on for it.
fn open(visit: &Visit, subject: &Subject) -> Result<Reply, Failure> {
    let asset: Option<AssetId> = visit.query.id("asset");
    let carried = read(visit, |facts| {
        let has = |id: &AssetId| Asset::of(facts, subject.id, *id, visit.who.business, &Drafts::default()).is_some();
        let record = asset.filter(has).and_then(|id| facts.asset(id));
        let kind = visit.query.text("kind").and_then(|word| names::kind_of_word(&**facts, word));
        let kind = record.as_ref().map(|asset| asset.kind).or(kind).unwrap_or(AssetKind::Page);
        let mut drafts = Drafts::default();
        if let Some(record) = &record {
            let declared = facts.declared_kind(record.kind);
            let words = Vocabulary::of(record.kind, declared.as_ref());
            let stored = stored(&**facts, subject.id, record.id);
            let asked = visit.query.all("task").filter_map(|name| words.and_then(|words| words.parse(name)));
            drafts.set(record.id, stored, asked.fold(stored, TaskSet::with));
        }
        Carried { kind, query: String::new(), ticked: record.map(|asset| asset.id).into_iter().collect(), drafts }
    })?;
    page(&view(visit, subject, &carried, visit.new_form())?)
}

fn read<R>(visit: &Visit, read: impl FnOnce(&Facts<'_>) -> R) -> Result<R, Refusal> {
    visit.step(rights::MANAGE_BUSINESS.on_business(visit.who.business), read)
}

/// What was sent, with the switches of the page worked into the drafts.
fn carried(visit: &Visit, subject: &Subject) -> Result<Carried, Failure> {
    let form = &visit.form;
    let mut drafts = Drafts::parse(form.all("draft"));
    let shown: Vec<AssetId> = form.all("shown").filter_map(valetkey_domain::Id::parse).collect();
    let mut ticked: Vec<AssetId> = form.all("asset").filter_map(valetkey_domain::Id::parse).collect();
    let go = form.text("go").unwrap_or("refresh");
    let kind_word = form.text("kind").unwrap_or("page");
    let carried = read(visit, |facts| {
        let kind = names::kind_of_word(&**facts, kind_word).unwrap_or(AssetKind::Page);
        // What the business doesn't have is dropped, so that it looks like an id that was never issued.
        let has = |id: AssetId| Asset::of(facts, subject.id, id, visit.who.business, &Drafts::default()).is_some();
        drafts.retain(has);
        ticked.retain(|id| has(*id));
        let assets: Vec<Asset> =
            shown.iter().filter_map(|id| Asset::of(facts, subject.id, *id, visit.who.business, &drafts)).collect();
        assign_tasks::switch(facts, kind, &assets, form, &mut drafts);
        let other = go.strip_prefix("kind:").and_then(|word| names::kind_of_word(&**facts, word));
        match other {
            Some(other) => Carried { kind: other, query: String::new(), ticked: Vec::new(), drafts },
            None => Carried { kind, query: form.typed("q"), ticked, drafts },
        }
    })?;
    Ok(carried)
}

async fn sent(visit: &Visit, subject: &Subject) -> Result<Reply, Failure> {
    let mut carried = carried(visit, subject)?;
    match visit.form.text("go") {
        Some("review") => review(visit, subject, &carried),
        Some("save") if !visit.is_resumed() => {
            // What the person saw must be what is saved; without script the switches may say more.
            if visit.form.text("seen") != Some(carried.drafts.digest().as_str()) {
                return review(visit, subject, &carried);
            }
            visit.once(&subject.head.href).await?;
            match save(visit, subject, &mut carried.drafts).await {
                Ok(()) => Ok(reply::see_other(&format!("{}?done=assigned", subject.head.href))),
                Err(errors) => {
                    let form = Form { errors: errors?, ..visit.new_form() };
                    again(&view(visit, subject, &carried, form)?)
                }
            }
        }
        Some(_) | None => page(&view(visit, subject, &carried, visit.new_form())?),
    }
}

/// Saves asset by asset. Those that are saved leave the drafts, so that the form can be sent again.
async fn save(visit: &Visit, subject: &Subject, drafts: &mut Drafts) -> Result<(), Result<Vec<FieldError>, Failure>> {
    let stale = read(visit, |facts| {
        let asset = drafts.stale(&**facts, subject.id)?;
        let known = Asset::of(facts, subject.id, asset, visit.who.business, drafts);
        Some((asset, known.map_or_else(|| "an asset".to_owned(), |known| known.name)))
    });
    if let Some((asset, name)) = stale.map_err(|refusal| Err(refusal.into()))? {
        drafts.saved(asset);
        let text = format!("Somebody else changed {name} meanwhile. Nothing was saved; look at its tasks again.");
        return Err(Ok(forms::error("", text)));
    }
    for (asset, draft) in drafts.clone().iter() {
        let done = if draft.want.is_empty() {
            visit.service.unassign(&visit.call, asset, subject.id).await
        } else {
            let names = read(visit, |facts| assign_tasks::task_names(facts, asset, draft.want));
            let names = names.map_err(|refusal| Err(refusal.into()))?;
            visit.service.assign(&visit.call, asset, subject.id, names).await
        };
        done.map_err(forms::errors)?;
        drafts.saved(asset);
    }
    Ok(())
}

fn review(visit: &Visit, subject: &Subject, carried: &Carried) -> Result<Reply, Failure> {
    let summary = assign_summary::of(visit, subject, &carried.drafts)?;
    let word = read(visit, |facts| names::kind_word(carried.kind, facts.declared_kind(carried.kind).as_ref()))?;
    page(&ReviewPage {
        shell: shell::of(visit, "Review changes", subject.here),
        form: visit.new_form(),
        user: subject.head.clone(),
        kind: word,
        drafts: carried.drafts.texts(),
        summary,
    })
}

/// Everything that can be assigned: assets of the business, assets shared with it, and its apps.
fn all(facts: &Facts<'_>, business: BusinessId) -> Vec<AssetId> {
    let apps = facts.owned_apps(business).into_iter().map(|app| AssetId::of(app.any()));
    facts.owned_assets(business).into_iter().chain(facts.shared_assets(business)).chain(apps).collect()
}

fn view(visit: &Visit, subject: &Subject, carried: &Carried, form: Form) -> Result<AssignPage, Failure> {
    let title = format!("Assign assets to {}", subject.head.name);
    let drafts = &carried.drafts;
    let summary = assign_summary::of(visit, subject, drafts)?;
    let business = visit.who.business;
    let (listed, kinds, switches, kind) = read(visit, |facts| {
        let all = all(facts, business);
        let asset = |id: AssetId| Asset::of(facts, subject.id, id, business, drafts);
        let ticked: Vec<Asset> = carried.ticked.iter().filter_map(|id| asset(*id)).collect();
        let detail = |id: AssetId| asset(id).map(|asset| asset.detail(facts)).unwrap_or_default();
        let changed = |kind: AssetKind| drafts.iter().filter(|(id, _)| kinds::is_of(facts, *id, kind)).count();
        (
            Listed::of(facts, &all, carried.kind, &carried.query, &carried.ticked, detail),
            picker::kind_rows(facts, &all, carried.kind, changed),
            assign_tasks::switches(facts, carried.kind, &ticked),
            Kind::on(facts, carried.kind),
        )
    })?;
    let count = carried.ticked.len();
    let tasks_title = match listed.rows.iter().filter(|row| row.ticked).collect::<Vec<_>>().as_slice() {
        [only] if count == 1 => format!("Tasks on {}", only.name),
        _ if count == 0 => "Tasks".to_owned(),
        _ => format!("Tasks on {count} {}", kind.plural()),
    };
    let (full, partial) = switches.into_iter().partition(|switch| switch.full);
    let plain = |list: Vec<assign_tasks::Switch>| list.into_iter().map(|switch| switch.view).collect();
    Ok(AssignPage {
        shell: shell::of_form(visit, &title, subject.here, &form),
        form,
        user: subject.head.clone(),
        picker: Picker {
            kinds,
            kind: kind.word(),
            kind_title: kind.plural(),
            query: carried.query.clone(),
            none: "There are none of this kind yet.",
            hidden_ticked: listed.hidden(&carried.ticked),
            selected: format!("{count} of {} selected", names::count(listed.total)),
            cut: listed.cut,
            assets: listed.rows,
            tasks_title,
            tasks_hint: (count == 0).then_some("Select one or more assets to see what may be done on them."),
            partial: plain(partial),
            full: plain(full),
        },
        shown: carried.ticked.iter().map(ToString::to_string).collect(),
        drafts: drafts.texts(),
        summary,
    })
}
