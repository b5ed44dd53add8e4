//! The words of explanations, in one place, so that a translation is possible. The reasons' own
//! sentences stand in the domain, with all the other sentences about refusals.
//!
//! Texts are clauses or labels without a full stop, unless a function says so.

use valetkey_authz::{Need, Proof, Question, Subject, Target};
use valetkey_domain::sentences::closed;
use valetkey_domain::{AssetId, AssetKind, BusinessId, Reason, Refusal, TaskSet, Words};

use super::names::{About, Names, Who, WhoSort};
use super::side::{Check, Side};
use crate::rights::{self, Right};

/// A refusal in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What did not happen: "Campaign reporter could not change the campaigns of Alder & Pine Europe".
    pub short: String,
    /// Why, in a few words for a list: "Needs Manage campaigns on Alder & Pine Europe".
    pub because: String,
    /// Both as one whole sentence with its full stop.
    pub whole: String,
}

/// What each right on an asset is for, as a clause that its name follows. The first that fits is taken.
static ON_ASSETS: &[(Right, &str)] = &[
    (rights::PUBLISH, "publish on"),
    (rights::PUBLISH_ADS_POST, "make a post for ads on"),
    (rights::HIDE_POST, "hide or show a post of"),
    (rights::READ_FEED, "read the posts of"),
    (rights::READ_POST, "read a post of"),
    (rights::READ_SCHEDULED, "read the unpublished posts of"),
    (rights::READ_ADS_POSTS, "read the posts for ads of"),
    (rights::READ_PAGE, "read"),
    (rights::READ_PAGE_IDENTITY, "look up"),
    (rights::PAGE_TOKEN, "get the Page token of"),
    (rights::MANAGE_PAGE, "change"),
    (rights::READ_ADS, "read the campaigns of"),
    (rights::READ_ADS_IDENTITY, "look up"),
    (rights::WRITE_ADS, "change the campaigns of"),
    (rights::MANAGE_ADS, "change"),
    (rights::READ_CATALOG, "read"),
    (rights::MANAGE_CATALOG, "change"),
    (rights::READ_PIXEL, "read"),
    (rights::EDIT_PIXEL, "change"),
    (rights::READ_INSTAGRAM, "read"),
    (rights::READ_WHATSAPP, "read"),
    (rights::READ_DECLARED, "read"),
];

/// The same for rights on a business and what belongs to it.
static ON_BUSINESSES: &[(Right, &str)] = &[
    (rights::MANAGE_BUSINESS, "manage"),
    (rights::LIST_PEOPLE, "list the people of"),
    (rights::READ_BUSINESS, "read the details of"),
    (rights::CREATE_ADS_ASSET, "add an ad account or pixel to"),
    (rights::CREATE_CATALOG, "add a catalog to"),
];

/// What a call without a known question wanted.
pub(super) fn tried_something(has_subject: bool) -> String {
    if has_subject { "act on" } else { "make a call" }.to_owned()
}

/// What a question wants, as a clause that the name of its subject follows, if it has one.
pub(super) fn tried(names: &Names<'_>, question: &Question, kind: Option<AssetKind>) -> String {
    match question.target {
        Target::Alive => "use its token".to_owned(),
        Target::Nothing => on_nothing(question),
        Target::Business(id) => on_business(question, id),
        Target::Asset(id) => on_asset(names, question, id, kind),
    }
}

fn on_nothing(question: &Question) -> String {
    match question.need {
        Need::Admin | Need::OwnerAdmin => "manage the business".to_owned(),
        Need::AnyTask | Need::Tasks(_) => "list what is assigned".to_owned(),
        Need::Nothing => match question.scopes.first() {
            Some(scope) => format!("use the scope {}", scope.name()),
            None => "make a call".to_owned(),
        },
    }
}

fn on_business(question: &Question, id: BusinessId) -> String {
    if question.own.is_some() {
        return "manage a user of".to_owned();
    }
    let same = |right: &Right| right.on_business(id).proof(question.proof) == *question;
    let found = ON_BUSINESSES.iter().find(|(right, _)| same(right));
    let otherwise = if question.need == Need::Admin { "manage" } else { "read" };
    found.map_or(otherwise, |(_, clause)| *clause).to_owned()
}

fn on_asset(names: &Names<'_>, question: &Question, id: AssetId, kind: Option<AssetKind>) -> String {
    let Some(kind) = kind else { return "reach".to_owned() };
    let asked = question.proof(Proof::NotSent);
    if let Some((_, clause)) = ON_ASSETS.iter().find(|(right, _)| right.on_asset(id, kind) == asked) {
        return (*clause).to_owned();
    }
    if rights::share(id, kind) == asked {
        return "share".to_owned();
    }
    if rights::change_assigned(id, kind) == asked || rights::unassign(id, kind) == asked {
        return "change who is assigned to".to_owned();
    }
    match question.need {
        Need::Tasks(tasks) => format!("use {} on", either(&names.titles(kind, tasks))),
        Need::AnyTask => "reach".to_owned(),
        Need::Admin | Need::OwnerAdmin => "manage".to_owned(),
        Need::Nothing => "look up".to_owned(),
    }
}

/// How a refusal reads.
pub(super) fn said(names: &Names<'_>, who: &Who, tried: &str, about: Option<&About>, side: &Side) -> Said {
    let object = about.map_or_else(String::new, |about| format!(" {}", about.label()));
    let short = format!("{} could not {tried}{object}", who.name);
    let why = side.refusal.as_ref().map(|refusal| why(names, who, about, side, refusal));
    let because = side.refusal.as_ref().map(|refusal| few_words(names, about, side, refusal)).unwrap_or_default();
    let whole = match &why {
        Some(why) => closed(&format!("{short}, because {why}")),
        None => closed(&short),
    };
    Said { short, because, whole }
}

/// Why it was refused, as a clause.
pub(super) fn why(names: &Names<'_>, who: &Who, about: Option<&About>, side: &Side, refusal: &Refusal) -> String {
    let label = about.map_or_else(|| "it".to_owned(), About::label);
    let (it, has, object) = pronouns(who.sort);
    if let Some(kind) = refusal.missing.kind {
        let needs = either(&names.titles(kind, refusal.missing.tasks));
        let held = names.titles(kind, refusal.missing.held);
        if refusal.reason == Reason::TaskMissing {
            return format!("{it} {has} {} on {label} and this needs {needs}", all(&held));
        }
        if refusal.reason == Reason::AssetNotAssigned {
            let and = if refusal.missing.tasks.is_empty() { String::new() } else { format!(" and this needs {needs}") };
            return format!("{label} is not assigned to {object}{and}");
        }
    }
    if side.is_wrong_sort() {
        return "this sort of token can't be used for it".to_owned();
    }
    plain(names, side, refusal)
}

/// Why it was refused, in a few words.
fn few_words(names: &Names<'_>, about: Option<&About>, side: &Side, refusal: &Refusal) -> String {
    let label = about.map_or_else(|| "the asset".to_owned(), About::label);
    if refusal.reason == Reason::TaskMissing
        && let Some(kind) = refusal.missing.kind
    {
        return format!("Needs {} on {label}", either(&names.titles(kind, refusal.missing.tasks)));
    }
    if refusal.reason == Reason::AssetNotAssigned {
        return format!("{label} is not assigned");
    }
    if refusal.reason == Reason::ScopeMissing && !refusal.missing.scopes.is_empty() {
        return format!("Token lacks {}", either(&refusal.missing.scopes.names()));
    }
    if side.is_wrong_sort() {
        return "This sort of token can't be used for it".to_owned();
    }
    title(refusal)
}

/// The domain's own clause about a refusal. The time of an end is given beside the check, since each
/// reader has its own clock.
fn plain(names: &Names<'_>, side: &Side, refusal: &Refusal) -> String {
    let declared = refusal.missing.kind.and_then(|kind| names.state.declared_kind(kind));
    let app = match &side.view.subject {
        Subject::Token(token) => token.app.and_then(|app| names.app(app.id)),
        Subject::App(app) => names.app(app.id),
        Subject::Malformed | Subject::Unknown | Subject::Operator => None,
    };
    refusal.sentence(&Words { declared: declared.as_ref(), app: app.as_deref(), ..Words::default() }).what
}

/// The domain's heading of a refusal.
pub(super) fn title(refusal: &Refusal) -> String {
    refusal.sentence(&Words::default()).title
}

/// The heading of a check. `tasks` are the titles of those that would do.
pub(super) fn heading(check: Check, kind: Option<&str>, need: Option<Need>, tasks: &[String]) -> String {
    match check {
        Check::Token => "Token is live".to_owned(),
        Check::Proof => "Proof of the app's secret".to_owned(),
        Check::Visible => format!("{} is visible", kind.map_or_else(|| "What it is about".to_owned(), capitalised)),
        Check::Scope => "Scope".to_owned(),
        Check::Limits => "Limits and rules".to_owned(),
        Check::Task => match need {
            Some(Need::Admin | Need::OwnerAdmin) => "Role ADMIN".to_owned(),
            Some(Need::Tasks(_)) if !tasks.is_empty() => format!("Task {}", either(tasks)),
            Some(Need::AnyTask) => "Any task".to_owned(),
            Some(Need::Tasks(_) | Need::Nothing) | None => "Role and task".to_owned(),
        },
    }
}

/// Short texts beside a check.
pub(super) mod text {
    pub const USER_IS_ACTIVE: &str = "User is active";
    pub const ACTIVE: &str = "Active";
    pub const ENDS: &str = "Ends";
    pub const NEVER_ENDS: &str = "Never ends";
    pub const APP_CONNECTED: &str = "App is connected";
    pub const OPERATOR: &str = "The operator";
    pub const PROOF_RIGHT: &str = "Sent, and right";
    pub const PROOF_NOT_DEMANDED: &str = "Not demanded";
    pub const OWNED: &str = "Owned by the business";
    pub const SHARED: &str = "Shared with the business";
    pub const ASSIGNED: &str = "Assigned";
    pub const OWN_BUSINESS: &str = "Its own business";
    pub const NOT_VISIBLE: &str = "Neither owned nor shared";
    pub const SHARE_ENDED: &str = "No longer shared";
    pub const HIDDEN: &str = "Not assigned, so hidden";
    pub const NOT_ASSIGNED: &str = "Not assigned";
    pub const WRONG_SORT: &str = "Not for this sort of token";
    pub const NO_SCOPE_NEEDED: &str = "No scope needed";
    pub const OWN_USER: &str = "Its own user";
    pub const CLEAR: &str = "Nothing in the way";
}

/// "Only View performance".
pub(super) fn only(titles: &[String]) -> String {
    format!("Only {}", all(titles))
}

/// "Lacks ads_read or ads_management".
pub(super) fn lacks(scopes: &[&str]) -> String {
    format!("Lacks {}", either(scopes))
}

/// "Has the role EMPLOYEE".
pub(super) fn has_role(role: &str) -> String {
    format!("Has the role {role}")
}

/// What a user may do: "Poster may use Content on Bikes".
pub(super) fn may(who: &Who, tasks: &[String], about: &About, path: &str) -> String {
    closed(&format!("{} may use {} on {}: {path}", who.name, either(tasks), about.label()))
}

/// What a user may not do, and why.
pub(super) fn may_not(who: &Who, tasks: &[String], about: &About, why: Option<&str>) -> String {
    let because = why.map_or_else(String::new, |why| format!(", because {why}"));
    closed(&format!("{} may not use {} on {}{because}", who.name, either(tasks), about.label()))
}

/// The clauses of the paths to an asset.
pub(super) mod path {
    pub const ROLE: &str = "an ADMIN reaches every asset of the business";
    pub const ROLE_AND_SHARE: &str = "an ADMIN reaches what is shared with the business, as far as the share permits";
    pub const ASSIGNMENT: &str = "it is assigned";
    pub const ASSIGNMENT_AND_SHARE: &str = "it is shared with the business and assigned";
}

/// How a sentence goes on about a caller: it, has, it.
fn pronouns(sort: WhoSort) -> (&'static str, &'static str, &'static str) {
    match sort {
        WhoSort::Person => ("they", "have", "them"),
        WhoSort::SystemUser | WhoSort::App | WhoSort::Operator | WhoSort::Unknown => ("it", "has", "it"),
    }
}

/// "a", "a or b", "a, b or c"; "a task" if there is none.
fn either<T: AsRef<str>>(list: &[T]) -> String {
    joined(list, " or ", "a task")
}

/// "a", "a and b", "a, b and c"; "nothing" if there is none.
fn all<T: AsRef<str>>(list: &[T]) -> String {
    joined(list, " and ", "nothing")
}

fn joined<T: AsRef<str>>(list: &[T], last: &str, none: &str) -> String {
    match list {
        [] => none.to_owned(),
        [one] => one.as_ref().to_owned(),
        [first @ .., end] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{}{last}{}", first.join(", "), end.as_ref())
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The task of a set that grants least, by what each implies.
pub(super) fn narrowest(tasks: TaskSet, implied: impl Fn(TaskSet) -> TaskSet, preferred: TaskSet) -> TaskSet {
    if tasks.meets(preferred) {
        return preferred;
    }
    let bits = (0..32).map(|bit| TaskSet(1 << bit)).filter(|one| tasks.meets(*one));
    bits.min_by_key(|one| implied(*one).0.count_ones()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_well() {
        assert_eq!(either(&["a"]), "a");
        assert_eq!(either(&["a", "b", "c"]), "a, b or c");
        assert_eq!(all(&["a", "b"]), "a and b");
        assert_eq!(all::<&str>(&[]), "nothing");
    }

    #[test]
    fn of_several_tasks_the_narrowest_is_proposed() {
        let implied = |one: TaskSet| if one == TaskSet(1) { TaskSet(0b111) } else { one };
        assert_eq!(narrowest(TaskSet(0b011), implied, TaskSet::EMPTY), TaskSet(0b010));
        assert_eq!(narrowest(TaskSet(0b111), implied, TaskSet(0b100)), TaskSet(0b100));
        assert_eq!(narrowest(TaskSet(0b001), implied, TaskSet(0b100)), TaskSet(0b001));
        assert_eq!(narrowest(TaskSet::EMPTY, implied, TaskSet::EMPTY), TaskSet::EMPTY);
    }
}
