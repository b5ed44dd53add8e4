//! Share assets with a partner: which business, which of our assets, up to which tasks. Nothing is saved
//! before its changes stood on the page.
//!
//! Until something is shared, a business that doesn't exist and one that does must look alike here.

use valetkey_domain::credential::Digest;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, AssetKind, BusinessId, Id, IdKind, Reason, Refusal, TaskSet};
use valetkey_http::Reply;
use valetkey_service::preview::Act;
use valetkey_service::{Facts, rights};

use super::kinds::Kind;
use super::partner::{HERE, href, is_partner};
use super::picker::{self, Listed, implied_by};
use crate::failure::Failure;
use crate::view::assign::{ChangeRow, Picker, Summary, TaskSwitch};
use crate::view::parts::{FieldError, Form, Kept, Piece, Sentence, Tone};
use crate::view::share::{ReviewPage, SharePage};
use crate::visit::{Visit, again, page};
use crate::web::{form, reply};
use crate::{forms, names, shell, stops, words};

/// How many can be shared at once.
const AT_ONCE_LIMIT: usize = 50;
/// What is said of an id that is none, that nobody has, or that is our own: they look alike.
const UNKNOWN: &str = "This is the ID of no other business on this server. Your partner finds its own under \
                       Business info.";

/// What the form carries.
struct Carried {
    /// As typed.
    business: String,
    /// The id in it, if it is one of another business; whether there is one is not known.
    partner: Option<BusinessId>,
    kind: AssetKind,
    query: String,
    /// Assets of ours, of this kind.
    ticked: Vec<AssetId>,
    /// As switched on.
    tasks: TaskSet,
}

impl Carried {
    fn of(facts: &Facts<'_>, us: BusinessId, sent: &form::Form) -> Carried {
        let wanted = sent.text("go").and_then(|go| go.strip_prefix("kind:"));
        let typed = sent.text("business").unwrap_or_default();
        let partner = Id::parse(typed).filter(|id: &BusinessId| *id != us && id.kind() == Some(IdKind::Business));
        let all: Vec<AssetId> = sent.all("asset").filter_map(Id::parse).collect();
        let ours = |id: &AssetId| facts.asset(*id).filter(|asset| asset.business == Some(us));
        let named = wanted.or(sent.text("kind")).and_then(|word| names::kind_of_word(&**facts, word));
        let kind = named.or_else(|| all.iter().find_map(ours).map(|asset| asset.kind)).unwrap_or(AssetKind::Page);
        let mut ticked: Vec<AssetId> =
            all.into_iter().filter(|id| ours(id).is_some_and(|asset| asset.kind == kind)).collect();
        ticked.sort_unstable();
        ticked.dedup();
        let declared = facts.declared_kind(kind);
        let parse = |name: &str| Vocabulary::of(kind, declared.as_ref()).and_then(|known| known.parse(name));
        let tasks = sent.all("task").filter_map(parse).fold(TaskSet::EMPTY, TaskSet::with);
        let carried = Carried { business: typed.to_owned(), partner, kind, query: sent.typed("q"), ticked, tasks };
        // Another kind has other tasks and other names.
        if wanted.is_some() { Carried { query: String::new(), tasks: TaskSet::EMPTY, ..carried } } else { carried }
    }

    /// What the ticked asset permits now, for a form that a link opened to change it.
    fn with_stored(self, facts: &Facts<'_>) -> Carried {
        let stored = |partner| self.ticked.first().and_then(|asset| facts.share(*asset, partner));
        match self.partner.and_then(stored) {
            Some(share) if self.tasks.is_empty() => Carried { tasks: share.tasks, ..self },
            Some(_) | None => self,
        }
    }
}

fn read<R>(visit: &Visit, read: impl FnOnce(&Facts<'_>) -> R) -> Result<R, Refusal> {
    visit.step(rights::MANAGE_BUSINESS.on_business(visit.who.business), read)
}

/// The form, as a link opens it: with a partner, an asset, both, or nothing.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let us = visit.who.business;
    let carried = read(&visit, |facts| Carried::of(facts, us, &visit.query).with_stored(facts))?;
    page(&view(&visit, &carried, visit.new_form())?)
}

/// What the form sent.
///
/// # Errors
/// The refusal.
pub async fn send(visit: Visit) -> Result<Reply, Failure> {
    let us = visit.who.business;
    let carried = read(&visit, |facts| Carried::of(facts, us, &visit.form))?;
    match visit.form.text("go") {
        Some("review") => review(&visit, &carried, Vec::new()).await,
        Some("save") if !visit.is_resumed() => save(&visit, &carried).await,
        Some(_) | None => page(&view(&visit, &carried, visit.new_form())?),
    }
}

/// What is wrong with what was chosen.
fn mistakes(carried: &Carried) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if carried.partner.is_none() {
        errors.extend(forms::error("business", UNKNOWN));
    }
    if carried.ticked.is_empty() {
        errors.extend(forms::error("assets", "Tick the assets to share."));
    }
    if carried.ticked.len() > AT_ONCE_LIMIT {
        errors.extend(forms::error("assets", format!("Share up to {AT_ONCE_LIMIT} assets at a time.")));
    }
    if carried.tasks.is_empty() && !carried.ticked.is_empty() {
        errors.extend(forms::error("tasks", "Switch on what the partner may do at most."));
    }
    errors
}

/// An asset whose share would change.
struct Changed {
    id: AssetId,
    name: String,
    /// What is shared now; nothing if it isn't.
    stored: TaskSet,
}

/// The changes that saving would make, and the digest of what they start from.
struct Changes {
    partner: BusinessId,
    names: Vec<String>,
    rows: Vec<Changed>,
    seen: String,
}

fn changes(visit: &Visit, carried: &Carried, partner: BusinessId) -> Result<Changes, Refusal> {
    read(visit, |facts| {
        let declared = facts.declared_kind(carried.kind);
        let vocabulary = Vocabulary::of(carried.kind, declared.as_ref());
        let task_names = vocabulary.map(|known| known.names(carried.tasks)).unwrap_or_default();
        let mut seen = format!("{partner} {}", carried.tasks.0);
        let mut rows = Vec::new();
        for id in &carried.ticked {
            let Some(asset) = facts.asset(*id) else { continue };
            let stored = facts.share(*id, partner).map(|share| share.tasks).unwrap_or_default();
            seen.push_str(&format!(" {id} {}", stored.0));
            let expanded = |set: TaskSet| vocabulary.map_or(set, |known| known.expanded(set));
            if expanded(stored) != expanded(carried.tasks) {
                rows.push(Changed { id: *id, name: asset.name.to_string(), stored });
            }
        }
        let names = task_names.into_iter().map(str::to_owned).collect();
        Changes { partner, names, rows, seen: Digest::of(&seen).to_hex() }
    })
}

/// The changes in full. Each is planned as it would be saved, so that what the rules refuse is said here.
async fn review(visit: &Visit, carried: &Carried, errors: Vec<FieldError>) -> Result<Reply, Failure> {
    let wrong = mistakes(carried);
    let Some(partner) = carried.partner.filter(|_| wrong.is_empty()) else {
        return again(&view(visit, carried, Form { errors: wrong, ..visit.new_form() })?);
    };
    let changes = changes(visit, carried, partner)?;
    let mut stops: Vec<Sentence> = Vec::new();
    for row in &changes.rows {
        let act = Act::Share { asset: row.id, partner, tasks: changes.names.clone() };
        match visit.service.preview(&visit.call, act).await {
            Ok(preview) => stops.extend(stops::sentences(&preview, visit.now())),
            Err(refusal) => return refused(visit, carried, refusal),
        }
    }
    let (summary, known, plural) = read(visit, |facts| {
        let declared = facts.declared_kind(carried.kind);
        let is_known = is_partner(&**facts, visit.who.business, partner);
        let known = facts.business(partner).filter(|_| is_known).map(|business| business.name.to_string());
        (summary(facts, carried, &changes), known, names::kind_plural(carried.kind, declared.as_ref()))
    })?;
    let count = changes.rows.len();
    let shown = ReviewPage {
        shell: shell::of(visit, "Review shares", HERE),
        form: Form { errors, ..visit.new_form() },
        is_new: known.is_none(),
        partner: known.unwrap_or_else(|| partner.to_string()),
        kept: kept(visit, carried, &changes)?,
        summary,
        stops,
        button: match changes.rows.as_slice() {
            [only] if only.stored.is_empty() => format!("Share {}", only.name),
            [only] => format!("Change {}", only.name),
            _ => format!("Save {} {plural}", names::count(count)),
        },
    };
    if shown.form.errors.is_empty() { page(&shown) } else { again(&shown) }
}

fn kept(visit: &Visit, carried: &Carried, changes: &Changes) -> Result<Vec<Kept>, Refusal> {
    let word = read(visit, |facts| names::kind_word(carried.kind, facts.declared_kind(carried.kind).as_ref()))?;
    let one = |name: &str, value: String| Kept { name: name.to_owned(), value };
    let mut kept = vec![one("business", carried.business.clone()), one("kind", word)];
    kept.extend(carried.ticked.iter().map(|id| one("asset", id.to_string())));
    kept.extend(changes.names.iter().map(|name| one("task", name.clone())));
    Ok(kept)
}

fn summary(facts: &Facts<'_>, carried: &Carried, changes: &Changes) -> Summary {
    let declared = facts.declared_kind(carried.kind);
    let vocabulary = Vocabulary::of(carried.kind, declared.as_ref());
    let expanded = |set: TaskSet| vocabulary.map_or(set, |known| known.expanded(set));
    let in_words = |set: TaskSet| Kind::on(facts, carried.kind).labels(set).join(", ");
    let mut rows = Vec::new();
    for row in &changes.rows {
        let (was, will) = (expanded(row.stored), expanded(carried.tasks));
        let changed = |added: bool, task: String, follows: &str| ChangeRow {
            added,
            asset: row.name.clone(),
            task,
            follows: vec![Piece::plain(follows)],
        };
        if row.stored.is_empty() {
            rows.push(changed(true, in_words(carried.tasks), "New share. The partner assigns it to its own users."));
            continue;
        }
        let (added, taken) = (TaskSet(will.0 & !was.0), TaskSet(was.0 & !will.0));
        if !added.is_empty() {
            rows.push(changed(true, in_words(added), "The partner may assign it to its own users."));
        }
        if !taken.is_empty() {
            rows.push(changed(false, in_words(taken), "Taken from the partner's users at once."));
        }
    }
    let same = carried.ticked.len().saturating_sub(changes.rows.len());
    let counted = names::counted(same, "asset is shared", "assets are shared");
    Summary {
        count: rows.len(),
        rows,
        stays: (same > 0).then(|| format!("{counted} so already.")),
        seen: changes.seen.clone(),
    }
}

/// The form again, with what the rules say.
fn refused(visit: &Visit, carried: &Carried, refusal: Refusal) -> Result<Reply, Failure> {
    let is_unknown = refusal.reason == Reason::UnknownReference;
    let errors = if is_unknown { forms::error("business", UNKNOWN) } else { forms::errors(refusal)? };
    again(&view(visit, carried, Form { errors, ..visit.new_form() })?)
}

async fn save(visit: &Visit, carried: &Carried) -> Result<Reply, Failure> {
    let Some(partner) = carried.partner.filter(|_| mistakes(carried).is_empty()) else {
        return review(visit, carried, Vec::new()).await;
    };
    let changes = changes(visit, carried, partner)?;
    if visit.form.text("seen") != Some(changes.seen.as_str()) {
        let errors = forms::error("", "Somebody else changed these shares meanwhile. This is what would change now.");
        return review(visit, carried, errors).await;
    }
    visit.once(&href(partner)).await?;
    for (at, row) in changes.rows.iter().enumerate() {
        let done = visit.service.share(&visit.call, row.id, changes.partner, changes.names.clone()).await;
        match done {
            Ok(_) => {}
            Err(refusal) if at == 0 => return refused(visit, carried, refusal),
            Err(refusal) => {
                let why = forms::errors(refusal)?.into_iter().next().map(|error| error.text).unwrap_or_default();
                let shared = names::counted(at, "asset was shared", "assets were shared");
                return review(visit, carried, forms::error("", format!("{shared}, then it stopped: {why}"))).await;
            }
        }
    }
    Ok(reply::see_other(&format!("{}?done=shared", href(partner))))
}

/// What the business owns: no more can be shared.
fn owned(facts: &Facts<'_>, us: BusinessId) -> Vec<AssetId> {
    let apps = facts.owned_apps(us).into_iter().map(AssetId::from);
    facts.owned_assets(us).into_iter().chain(apps).collect()
}

fn view(visit: &Visit, carried: &Carried, form: Form) -> Result<SharePage, Failure> {
    let us = visit.who.business;
    let (kinds, kind, listed, partner, switches) = read(visit, |facts| {
        let all = owned(facts, us);
        let known = carried.partner.filter(|partner| is_partner(&**facts, us, *partner));
        let detail = |id: AssetId| detail(facts, carried, id);
        (
            picker::kind_rows(facts, &all, carried.kind, |_| 0),
            Kind::on(facts, carried.kind),
            Listed::of(facts, &all, carried.kind, &carried.query, &carried.ticked, detail),
            known.and_then(|partner| facts.business(partner)).map(|business| business.name.to_string()),
            switches(facts, carried),
        )
    })?;
    let count = carried.ticked.len();
    let (full, partial) = switches.into_iter().partition::<Vec<(bool, TaskSwitch)>, _>(|(full, _)| *full);
    let plain = |list: Vec<(bool, TaskSwitch)>| list.into_iter().map(|(_, switch)| switch).collect();
    let title = "Share assets";
    Ok(SharePage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        business: carried.business.clone(),
        back: carried.partner.filter(|_| partner.is_some()).map_or_else(|| HERE.to_owned(), href),
        partner,
        picker: Picker {
            kinds,
            kind: kind.word(),
            kind_title: kind.plural(),
            query: carried.query.clone(),
            none: "The business owns none of this kind. What is shared with it can't be shared on.",
            hidden_ticked: listed.hidden(&carried.ticked),
            selected: format!("{} selected", names::count(count)),
            cut: listed.cut,
            assets: listed.rows,
            tasks_title: match count {
                0 | 1 => "Up to which tasks".to_owned(),
                count => format!("Up to which tasks, on {} {}", names::count(count), kind.plural()),
            },
            tasks_hint: (count == 0).then_some("Select one or more assets to choose what the partner may do at most."),
            partial: plain(partial),
            full: plain(full),
        },
    })
}

/// "Shared with it up to Content", "Shared with 2 partners", or that it isn't shared.
fn detail(facts: &Facts<'_>, carried: &Carried, id: AssetId) -> String {
    if let Some(share) = carried.partner.and_then(|partner| facts.share(id, partner)) {
        return format!("Shared with it up to {}", Kind::on(facts, carried.kind).labels(share.tasks).join(", "));
    }
    match facts.partners_of(id).len() {
        0 => "Not shared".to_owned(),
        count => format!("Shared with {}", names::counted(count, "partner", "partners")),
    }
}

/// The switches of a kind, each with whether it gives full control. One that another brings along is on
/// and locked.
fn switches(facts: &Facts<'_>, carried: &Carried) -> Vec<(bool, TaskSwitch)> {
    let declared = facts.declared_kind(carried.kind);
    let Some(vocabulary) = Vocabulary::of(carried.kind, declared.as_ref()) else { return Vec::new() };
    if carried.ticked.is_empty() {
        return Vec::new();
    }
    let switch = |name: &str| {
        let task = vocabulary.parse(name)?;
        let others = TaskSet(carried.tasks.0 & !task.0);
        let by = implied_by(&vocabulary, others, task);
        let shown = words::task(carried.kind, name);
        let on = vocabulary.expanded(carried.tasks).covers(task) || carried.tasks.meets(task);
        let switch = TaskSwitch {
            name: name.to_owned(),
            label: shown.label,
            sentence: shown.sentence,
            on,
            mixed: false,
            locked: by.map(|by| words::included_by(&words::task(carried.kind, by).label)),
            state: if on { "Permitted".to_owned() } else { "Off".to_owned() },
            tone: Tone::Plain,
        };
        Some((shown.full, switch))
    };
    vocabulary.all_names().into_iter().filter_map(switch).collect()
}
