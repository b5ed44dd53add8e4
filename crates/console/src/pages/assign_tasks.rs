//! The switches of tasks for one or several assets, and what they change when they come back.

use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, AssetKind, BusinessId, TaskSet, UserId};
use valetkey_service::Facts;

use super::draft::{Drafts, stored};
use super::kinds::Kind;
use super::picker::implied_by;
use crate::names;
use crate::view::assign::TaskSwitch;
use crate::view::parts::Tone;
use crate::web::form::Form;
use crate::words;

/// One asset with its tasks as they stand and as they are wanted.
pub struct Asset {
    pub id: AssetId,
    pub kind: AssetKind,
    pub name: String,
    pub stored: TaskSet,
    pub want: TaskSet,
    /// If another business shares it: that one's name, and up to which tasks.
    share: Option<(String, TaskSet)>,
}

impl Asset {
    /// An asset that the business owns or is shared; `None` for any other.
    pub fn of(facts: &Facts<'_>, user: UserId, id: AssetId, business: BusinessId, drafts: &Drafts) -> Option<Asset> {
        let record = facts.asset(id)?;
        let share = if record.business == Some(business) {
            None
        } else {
            let share = facts.share(id, business)?;
            let owner = record.business.and_then(|owner| facts.business(owner));
            Some((owner.map(|owner| owner.name.to_string()).unwrap_or_default(), share.tasks))
        };
        let stored = stored(&**facts, user, id);
        let want = drafts.wanted(id, stored);
        Some(Asset { id, kind: record.kind, name: record.name.to_string(), stored, want, share })
    }

    /// "Has Content", "Shared by Tailwind Agency, up to Insights", or nothing.
    pub fn detail(&self, facts: &Facts<'_>) -> String {
        let kind = Kind::on(facts, self.kind);
        let labels = |set: TaskSet| kind.labels(set).join(", ");
        let has = (!self.want.is_empty()).then(|| format!("Has {}", labels(self.want)));
        let shared = self.share.as_ref().map(|(owner, up_to)| format!("Shared by {owner}, up to {}", labels(*up_to)));
        match (has, shared) {
            (Some(has), Some(shared)) => format!("{has}. {shared}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "Nothing assigned".to_owned(),
        }
    }

    /// Whether a task may be given on it at all.
    fn permits(&self, words: &Vocabulary<'_>, task: TaskSet) -> bool {
        self.share.as_ref().is_none_or(|(_, up_to)| words.expanded(*up_to).covers(words.expanded(task)))
    }

    /// Whether another wanted task brings this one with it.
    fn implies(&self, words: &Vocabulary<'_>, task: TaskSet) -> Option<&'static str> {
        implied_by(words, self.want.without(task), task)
    }
}

/// The names of a set of tasks on an asset, for the service.
pub fn task_names(facts: &Facts<'_>, asset: AssetId, set: TaskSet) -> Vec<String> {
    let Some(record) = facts.asset(asset) else { return Vec::new() };
    let declared = facts.declared_kind(record.kind);
    let names = Vocabulary::of(record.kind, declared.as_ref()).map(|words| words.names(set)).unwrap_or_default();
    names.into_iter().map(str::to_owned).collect()
}

/// A switch with where it stands.
pub struct Switch {
    pub full: bool,
    pub view: TaskSwitch,
}

/// The switches for some assets of one kind. Rare tasks show only where one of the assets has them.
pub fn switches(facts: &Facts<'_>, kind: AssetKind, assets: &[Asset]) -> Vec<Switch> {
    let declared = facts.declared_kind(kind);
    let Some(vocabulary) = Vocabulary::of(kind, declared.as_ref()) else { return Vec::new() };
    if assets.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    for name in vocabulary.all_names() {
        let Some(task) = vocabulary.parse(name) else { continue };
        let shown = words::task(kind, name);
        let is_used = assets.iter().any(|asset| asset.stored.meets(task) || asset.want.meets(task));
        if shown.sentence.is_empty() && !is_used && kind.declared_number().is_none() {
            continue;
        }
        let (state, tone) = state(assets, task);
        let on = assets.iter().filter(|asset| asset.want.meets(task)).count();
        let locked = locked(&vocabulary, kind, assets, task);
        let is_implied = assets.iter().all(|asset| asset.implies(&vocabulary, task).is_some());
        out.push(Switch {
            full: shown.full,
            view: TaskSwitch {
                name: name.to_owned(),
                label: shown.label,
                sentence: shown.sentence,
                on: on == assets.len() || is_implied,
                mixed: on > 0 && on < assets.len() && !is_implied,
                locked,
                state,
                tone,
            },
        });
    }
    out
}

/// Why a switch can't be moved: another task brings it, or nobody shares so much.
fn locked(words: &Vocabulary<'_>, kind: AssetKind, assets: &[Asset], task: TaskSet) -> Option<String> {
    let by = assets.iter().map(|asset| asset.implies(words, task)).collect::<Option<Vec<_>>>();
    if let Some(name) = by.and_then(|by| by.first().copied()) {
        return Some(words::included_by(&words::task(kind, name).label));
    }
    let is_permitted = assets.iter().any(|asset| asset.permits(words, task));
    (!is_permitted).then(|| "Not shared with this business".to_owned())
}

/// "On both", "Off", "Added to Workshop".
fn state(assets: &[Asset], task: TaskSet) -> (String, Tone) {
    let named = |wanted: &dyn Fn(&&Asset) -> bool| {
        let found: Vec<String> = assets.iter().filter(wanted).map(|asset| asset.name.clone()).collect();
        if found.len() > 2 { names::counted(found.len(), "asset", "assets") } else { names::and(&found) }
    };
    let added = named(&|asset| asset.want.meets(task) && !asset.stored.meets(task));
    let taken = named(&|asset| !asset.want.meets(task) && asset.stored.meets(task));
    let on = assets.iter().filter(|asset| asset.want.meets(task)).count();
    match (added.is_empty(), taken.is_empty()) {
        (false, _) => (format!("Added to {added}"), Tone::Good),
        (true, false) => (format!("Taken from {taken}"), Tone::Danger),
        (true, true) if on == 0 => ("Off".to_owned(), Tone::Plain),
        (true, true) if on < assets.len() => (format!("On {}", named(&|asset| asset.want.meets(task))), Tone::Plain),
        (true, true) => {
            let words = match assets.len() {
                1 => "On".to_owned(),
                2 => "On both".to_owned(),
                count => format!("On all {count}"),
            };
            (words, Tone::Plain)
        }
    }
}

/// Works the switches that were sent into the drafts of the assets that they were drawn for. A switch
/// that could not be moved when it was drawn changes nothing.
pub fn switch(facts: &Facts<'_>, kind: AssetKind, assets: &[Asset], form: &Form, drafts: &mut Drafts) {
    let declared = facts.declared_kind(kind);
    let Some(vocabulary) = Vocabulary::of(kind, declared.as_ref()) else { return };
    let assets: Vec<&Asset> = assets.iter().filter(|asset| asset.kind == kind).collect();
    let on: Vec<&str> = form.all("task").collect();
    let mixed: Vec<&str> = form.all("mixed").collect();
    for asset in &assets {
        let mut want = asset.want;
        for name in vocabulary.all_names() {
            let Some(task) = vocabulary.parse(name) else { continue };
            let shown = words::task(kind, name);
            let is_used = assets.iter().any(|other| other.stored.meets(task) || other.want.meets(task));
            let is_drawn = !shown.sentence.is_empty() || is_used || kind.declared_number().is_some();
            let is_locked = assets.iter().all(|other| other.implies(&vocabulary, task).is_some())
                || !assets.iter().any(|other| other.permits(&vocabulary, task));
            if !is_drawn || is_locked {
                continue;
            }
            if on.contains(&name) {
                if asset.permits(&vocabulary, task) {
                    want = want.with(task);
                }
            } else if !mixed.contains(&name) {
                want = want.without(task);
            }
        }
        drafts.set(asset.id, asset.stored, want);
    }
}
