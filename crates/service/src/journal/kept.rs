//! Questions and facts as the journal keeps them, and how they are read back, so that the same question
//! can be asked again.
//!
//! Rows of earlier versions lack parts. What is not there is absent; nothing here may guess it.

use serde::Deserialize;
use serde_json::{Value, json};
use valetkey_authz::{AppView, AssetView, Need, Own, Proof, Question, Reach, Sorts, Subject, Target, TokenView, View};
use valetkey_domain::noun::token::TokenKind;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, AssetKind, Id, Missing, Role, ScopeSet, Status, TaskSet};

const SORTS: [(&str, Sorts); 4] =
    [("system_user", Sorts::SYSTEM_USER), ("user", Sorts::USER), ("page", Sorts::PAGE), ("app", Sorts::APP)];
const NEEDS: [(&str, Need); 4] = [
    ("nothing", Need::Nothing),
    ("admin", Need::Admin),
    ("owner_admin", Need::OwnerAdmin),
    ("any_task", Need::AnyTask),
];
const PROOFS: [(&str, Proof); 3] = [("not_sent", Proof::NotSent), ("right", Proof::Right), ("wrong", Proof::Wrong)];

/// What the words about a question leave out.
pub(super) fn again(question: &Question) -> Value {
    let need = match question.need {
        Need::Tasks(tasks) => json!({ "tasks": tasks }),
        Need::Nothing | Need::Admin | Need::OwnerAdmin | Need::AnyTask => json!(word(&NEEDS, &question.need)),
    };
    json!({
        "sorts": sort_words(question.sorts),
        "scopes": question.scopes,
        "admin_scopes": question.admin_scopes,
        "scope_free": sort_words(question.scope_free),
        "need": need,
        "own": question.own.map(|own| json!({ "user": own.user, "scopes": own.scopes })),
        "proof": word(&PROOFS, &question.proof),
    })
}

fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word)
}

fn of_word<T: Copy>(table: &[(&'static str, T)], value: &Value) -> Option<T> {
    let text = value.as_str()?;
    table.iter().find(|(word, _)| *word == text).map(|(_, known)| *known)
}

fn sort_words(sorts: Sorts) -> Vec<&'static str> {
    SORTS.iter().filter(|(_, sort)| sorts.meets(*sort)).map(|(word, _)| *word).collect()
}

fn sorts(value: &Value) -> Option<Sorts> {
    value.as_array()?.iter().try_fold(Sorts::NONE, |all, word| Some(all.with(of_word(&SORTS, word)?)))
}

/// The question of a row, whole; `None` if the row does not hold it, or not for this reader.
pub(crate) fn question(body: &Value) -> Option<Question> {
    let kept = body.get("question")?;
    let again = kept.get("again")?;
    let own = again.get("own")?;
    let own =
        if own.is_null() { None } else { Some(Own { user: id(own.get("user"))?, scopes: parsed(own.get("scopes"))? }) };
    let need = again.get("need")?;
    let need = match need.get("tasks") {
        Some(tasks) => Need::Tasks(parsed(Some(tasks))?),
        None => of_word(&NEEDS, need)?,
    };
    Some(Question {
        target: target(kept.get("target")?)?,
        sorts: sorts(again.get("sorts")?)?,
        scopes: parsed(again.get("scopes"))?,
        admin_scopes: parsed(again.get("admin_scopes"))?,
        scope_free: sorts(again.get("scope_free")?)?,
        need,
        own,
        proof: of_word(&PROOFS, again.get("proof")?)?,
    })
}

fn target(value: &Value) -> Option<Target> {
    if value.is_null() {
        return Some(Target::Nothing);
    }
    if value.as_str() == Some("alive") {
        return Some(Target::Alive);
    }
    match id(value.get("asset")) {
        Some(asset) => Some(Target::Asset(asset)),
        None => id(value.get("business")).map(Target::Business),
    }
}

/// The asset that a row's question was about, if this reader may know.
pub(crate) fn target_asset(body: &Value) -> Option<AssetId> {
    id(body.pointer("/question/target/asset"))
}

/// The facts of a row as a view; what it does not hold is as if it were not there.
pub(crate) fn view(body: &Value) -> View {
    let revision = body.get("revision").and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(0);
    View { revision, subject: subject(body), asset: body.get("asset").and_then(asset) }
}

fn subject(body: &Value) -> Subject {
    let Some(facts) = body.get("facts") else { return Subject::Unknown };
    if let Some(token) = token(body, facts) {
        return Subject::Token(token);
    }
    if facts.get("caller").is_some() {
        return Subject::Operator;
    }
    if let Some(app) = app(facts, ScopeSet::EMPTY) {
        return Subject::App(app);
    }
    let is_malformed = facts.get("token").and_then(Value::as_str) == Some("malformed");
    if is_malformed { Subject::Malformed } else { Subject::Unknown }
}

fn app(facts: &Value, allowed_scopes: ScopeSet) -> Option<AppView> {
    Some(AppView {
        id: id(facts.get("app"))?,
        business: id(facts.get("business"))?,
        connected: flag(facts, "app_connected"),
        demands_proof: flag(facts, "app_demands_proof"),
        allowed_scopes,
    })
}

fn token(body: &Value, facts: &Value) -> Option<TokenView> {
    let scopes: ScopeSet = parsed(facts.get("scopes"))?;
    let is_hidden = flag(body, "hidden") && body.get("reason").and_then(Value::as_str) == Some("asset_not_assigned");
    Some(TokenView {
        id: id(facts.get("token"))?,
        kind: parsed::<TokenKind>(facts.get("type"))?,
        user: id(facts.get("user"))?,
        business: id(facts.get("business"))?,
        role: parsed::<Role>(facts.get("role"))?,
        status: parsed::<Status>(facts.get("user_status"))?,
        strict_visibility: is_hidden,
        // What it was good for then is all that its app let through.
        app: app(facts, scopes),
        installed: flag(facts, "app_installed"),
        scopes: parsed(facts.get("issued_scopes")).unwrap_or(scopes),
        expires_at: facts.get("expires_at_ms").and_then(Value::as_i64),
        revoked_at: facts.get("revoked_at_ms").and_then(Value::as_i64),
        parent_dead: false,
        page: id(facts.get("page")),
    })
}

fn asset(facts: &Value) -> Option<AssetView> {
    let kind = kind(facts)?;
    let reach = facts.get("reach")?;
    let reach = match (reach.as_str(), reach.get("shared")) {
        (_, Some(names)) => Reach::Shared(tasks(kind, facts.get("shared_bits"), Some(names))),
        (Some("owned"), None) => Reach::Owned,
        (Some(_) | None, None) => Reach::None,
    };
    let assigned = tasks(kind, facts.get("assigned_bits"), facts.get("assigned"));
    Some(AssetView { id: id(facts.get("id"))?, kind, reach, assigned })
}

/// The kind of the asset; rows of earlier versions have the word of a built-in kind alone.
fn kind(facts: &Value) -> Option<AssetKind> {
    parsed(facts.get("kind_number")).or_else(|| facts.get("kind").and_then(Value::as_str).and_then(AssetKind::parse))
}

/// Tasks as a number, or by their names as earlier versions kept them.
fn tasks(kind: AssetKind, bits: Option<&Value>, names: Option<&Value>) -> TaskSet {
    if let Some(set) = parsed(bits) {
        return set;
    }
    let words = Vocabulary::of(kind, None);
    let named = names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    named.filter_map(|name| words.and_then(|w| w.parse(name))).fold(TaskSet::EMPTY, TaskSet::with)
}

/// What was missing, as far as the row says it.
pub(crate) fn missing(body: &Value) -> Missing {
    let Some(facts) = body.get("missing") else { return Missing::default() };
    let kind = body.get("asset").and_then(kind);
    let set =
        |bits: &str, names: &str| kind.map_or(TaskSet::EMPTY, |kind| tasks(kind, facts.get(bits), facts.get(names)));
    Missing {
        scopes: parsed(facts.get("scopes_one_of")).unwrap_or_default(),
        tasks: set("tasks_bits", "tasks_one_of"),
        held: set("held_bits", "held"),
        kind,
        asset: id(facts.get("asset")),
    }
}

fn id<Of>(value: Option<&Value>) -> Option<Id<Of>> {
    value.and_then(Value::as_str).and_then(Id::parse)
}

fn flag(facts: &Value, name: &str) -> bool {
    facts.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn parsed<'a, T: Deserialize<'a>>(value: Option<&'a Value>) -> Option<T> {
    T::deserialize(value?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(target: Target) -> Question {
        Question {
            scopes: ScopeSet::of(&["ads_read", "ads_management"]),
            admin_scopes: ScopeSet::of(&["business_management"]),
            scope_free: Sorts::USER,
            ..Question::about(target).sorts(Sorts::USERS_AND_PAGE)
        }
    }

    fn read_back(question: &Question, target: Value) -> Option<Question> {
        super::question(&json!({ "question": { "target": target, "again": again(question) } }))
    }

    #[test]
    fn a_question_comes_back_as_it_was() {
        let (asset, business, user) = (Id::new(7).unwrap(), Id::new(8).unwrap(), Id::new(9).unwrap());
        let needs = [Need::Nothing, Need::Admin, Need::OwnerAdmin, Need::AnyTask, Need::Tasks(TaskSet(0b1010))];
        for (target, kept) in [
            (Target::Nothing, Value::Null),
            (Target::Alive, json!("alive")),
            (Target::Asset(asset), json!({ "asset": asset })),
            (Target::Business(business), json!({ "business": business })),
        ] {
            for need in needs {
                for proof in [Proof::NotSent, Proof::Right, Proof::Wrong] {
                    let question = of(target).need(need).proof(proof);
                    assert_eq!(read_back(&question, kept.clone()), Some(question));
                    let own = question.own(user, ScopeSet::of(&["ads_read"]));
                    assert_eq!(read_back(&own, kept.clone()), Some(own));
                }
            }
        }
    }

    #[test]
    fn a_row_of_an_earlier_version_gives_its_facts_and_no_question() {
        let body = json!({
            "revision": "12", "reason": "task_missing", "hidden": false, "ip": null,
            "facts": {
                "token": "101", "type": "SYSTEM_USER", "user": "102", "business": "103", "role": "EMPLOYEE",
                "user_status": "ACTIVE", "app": "104", "app_connected": true, "app_installed": true,
                "app_demands_proof": false, "scopes": ["public_profile", "ads_read"],
                "issued_scopes": ["public_profile", "ads_read", "ads_management"], "expires_at_ms": 5,
                "revoked_at_ms": null, "page": null,
            },
            "question": { "target": {"asset": "105"}, "scopes_one_of": ["ads_read"], "need": {"one_of": ["ADVERTISE"]},
                "proof": "NotSent" },
            "missing": { "scopes_one_of": [], "tasks_one_of": ["ADVERTISE"], "held": ["ANALYZE"], "asset": "105" },
            "asset": { "id": "105", "kind": "ad_account", "reach": "owned", "assigned": ["ANALYZE"] },
        });
        assert_eq!(question(&body), None);
        let view = view(&body);
        let Subject::Token(token) = view.subject else { panic!("{view:?}") };
        assert_eq!((view.revision, token.role, token.expires_at), (12, Role::Employee, Some(5)));
        assert_eq!(token.effective_scopes().names(), ["public_profile", "ads_read"]);
        let asset = view.asset.unwrap();
        assert_eq!((asset.kind, asset.reach), (AssetKind::AdAccount, Reach::Owned));
        let missing = missing(&body);
        let words = Vocabulary::of(AssetKind::AdAccount, None).unwrap();
        assert_eq!((words.names(missing.tasks), words.names(missing.held)), (vec!["ADVERTISE"], vec!["ANALYZE"]));
        assert_eq!(asset.assigned, missing.held);
        assert_eq!(super::view(&json!({})), View { revision: 0, subject: Subject::Unknown, asset: None });
        assert_eq!(super::view(&Value::Null).subject, Subject::Unknown);
    }
}
