//! The decision tables, and their language: words of one line become a view and a question, and an
//! answer is read back from a decision. An unknown word fails the test, so no row says nothing.
//!
//! The same rows are held against `decide`, against the service and against the Graph adapter. Only
//! tests ask for this module, with the feature `tables`.
#![allow(clippy::unwrap_used, clippy::panic)]

mod matrix;

use valetkey_domain::noun::token::TokenKind;
use valetkey_domain::task::{TaskSet, Vocabulary, expanded};
use valetkey_domain::{
    AppId, AssetId, AssetKind, BusinessId, Caller, DeclaredKind, Id, Name, Role, Scope, ScopeSet, Status, TokenId,
    UnixMs, UserId,
};

pub use matrix::{Situation, situations, summary};

use crate::{
    AppView, AssetView, Decision, Need, Proof, Question, Reach, Sorts, Subject, Target, TokenView, View, decide,
};

/// The rules of a decision, one a line.
const DECISIONS: &str = include_str!("decision.txt");
/// Which of two failures is told.
const ORDER: &str = include_str!("order.txt");
/// A call that passes; the failures of the second table are added to its columns.
const PASSES: [&str; 3] =
    ["su scopes=pages_manage_posts", "page owned has=CREATE_CONTENT", "scope=pages_manage_posts needs=CREATE_CONTENT"];

/// The moment of every case.
pub const NOW: UnixMs = 1_795_514_400_000;

/// The declared kind of the tables.
pub fn warehouse() -> DeclaredKind {
    DeclaredKind {
        kind: AssetKind::Declared(0),
        word: "warehouse".into(),
        title: Name::parse("Warehouse").unwrap(),
        tasks: ["MANAGE", "PICK", "SHIP"].map(String::from).to_vec(),
    }
}

pub fn kind(word: &str) -> AssetKind {
    if word == "warehouse" { warehouse().kind } else { AssetKind::parse(word).unwrap_or_else(|| panic!("kind {word}")) }
}

/// Tasks by name, as they are stored.
pub fn tasks(kind: AssetKind, names: &str) -> TaskSet {
    let declared = warehouse();
    let words = Vocabulary::of(kind, Some(&declared)).unwrap();
    let each = names.split(',').filter(|n| !n.is_empty());
    each.map(|n| words.parse(n).unwrap_or_else(|| panic!("task {n}"))).fold(TaskSet::EMPTY, TaskSet::with)
}

/// Tasks with what they imply, as a view shows them.
pub fn grown(kind: AssetKind, names: &str) -> TaskSet {
    expanded(kind, Some(&warehouse()), tasks(kind, names))
}

pub fn task_names(kind: AssetKind, set: TaskSet) -> String {
    let declared = warehouse();
    Vocabulary::of(kind, Some(&declared)).unwrap().names(set).join(",")
}

pub fn scopes(names: &str) -> ScopeSet {
    let each = names.split(',').filter(|n| !n.is_empty());
    each.map(|n| Scope::parse(n).unwrap_or_else(|| panic!("scope {n}"))).collect()
}

/// The things that a case speaks of.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    pub business: BusinessId,
    pub other_business: BusinessId,
    pub user: UserId,
    pub other_user: UserId,
    pub app: AppId,
    pub asset: AssetId,
    pub other_asset: AssetId,
    pub token: TokenId,
}

impl Ids {
    /// The ids of the tables themselves.
    pub fn of_tables() -> Ids {
        Ids::counted_from(1)
    }

    /// Eight ids in a row, for cases that stand beside each other in one store.
    pub fn counted_from(first: u64) -> Ids {
        Ids {
            business: Id::new(first).unwrap(),
            other_business: Id::new(first + 1).unwrap(),
            user: Id::new(first + 2).unwrap(),
            other_user: Id::new(first + 3).unwrap(),
            app: Id::new(first + 4).unwrap(),
            asset: Id::new(first + 5).unwrap(),
            other_asset: Id::new(first + 6).unwrap(),
            token: Id::new(first + 7).unwrap(),
        }
    }
}

/// The other id of the pair that begins with this one.
fn exchanged<Of>(id: Id<Of>, pairs: &[(Id<Of>, Id<Of>)]) -> Id<Of> {
    pairs.iter().find(|(from, _)| *from == id).map_or(id, |(_, to)| *to)
}

/// What a line of a table says.
#[derive(Debug, Clone)]
pub struct Case {
    /// Where it stands, for messages.
    pub line: String,
    pub view: View,
    pub question: Question,
    /// The answer, in the words of the table.
    pub wanted: String,
    /// The call of the Graph that asks this, where the row names one.
    pub call: Option<String>,
}

/// All rows of `decision.txt`.
pub fn decisions() -> Vec<Case> {
    let read = |(line, columns): (usize, Vec<&str>)| {
        let (row, call) = match columns[..] {
            [caller, asset, question, wanted] => ([caller, asset, question, wanted], None),
            [caller, asset, question, wanted, call] => ([caller, asset, question, wanted], Some(call.to_owned())),
            _ => panic!("decision.txt:{line}: four or five columns"),
        };
        let [caller, asset, question, wanted] = row;
        let wanted = wanted.split_whitespace().collect::<Vec<_>>().join(" ");
        Case { line: format!("decision.txt:{line}"), wanted, call, ..Case::read(caller, asset, question) }
    };
    rows(DECISIONS).map(read).collect()
}

/// The words of a question that `decision.txt` gives a name to.
fn named(name: &str) -> Option<&'static str> {
    let definitions = DECISIONS.lines().filter_map(|line| line.split_once(" := "));
    definitions.into_iter().find(|(of, _)| *of == name).map(|(_, words)| words.trim())
}

/// The question that has a name in `decision.txt`, about an asset of this kind.
pub fn named_question(name: &str, kind: AssetKind, ids: &Ids) -> Question {
    let question = read_question(name, kind);
    Case { question, ..Case::read("unknown", "-", "caller") }.question_about(ids)
}

/// All failures of `order.txt`: each alone, and each pair, of which the upper one is told.
pub fn orders() -> Vec<Case> {
    let failures: Vec<(usize, Vec<&str>)> = rows(ORDER).collect();
    let case = |line: String, words: &[&Vec<&str>], wanted: &str| {
        let column = |i: usize| [PASSES[i]].into_iter().chain(words.iter().map(|w| w[i])).collect::<Vec<_>>().join(" ");
        // The call can't be made to take other sorts of callers.
        let call =
            words.iter().all(|w| !w[2].contains("takes=")).then(|| "POST /{asset}/feed message=Hello".to_owned());
        Case { line, wanted: wanted.to_owned(), call, ..Case::read(&column(0), &column(1), &column(2)) }
    };
    let mut cases = vec![case("order.txt: no failure".to_owned(), &[], "allow")];
    for (i, (line, earlier)) in failures.iter().enumerate() {
        cases.push(case(format!("order.txt:{line} alone"), &[earlier], earlier[3]));
        for (other, later) in &failures[i + 1..] {
            cases.push(case(format!("order.txt:{line} with line {other}"), &[later, earlier], earlier[3]));
        }
    }
    cases
}

impl Case {
    /// Reads caller, asset and question. Later words win over earlier ones.
    pub fn read(caller: &str, asset: &str, question: &str) -> Case {
        // A thing that is not there has a kind too, for the words of the question: `none pixel`.
        let absent = asset.strip_prefix("none ").map(kind);
        let asset = read_asset(asset);
        let kind = absent.or(asset.map(|a| a.kind)).unwrap_or(AssetKind::Page);
        let view = View { revision: 7, subject: read_caller(caller), asset };
        let question = read_question(question, kind);
        Case { line: String::new(), view, question, wanted: String::new(), call: None }
    }

    pub fn decide(&self) -> Decision {
        decide(&self.view, &self.question, NOW)
    }

    /// The decision in the words of the table; only what `wanted` speaks of beside the answer itself.
    pub fn answer(&self, decision: &Decision, ids: &Ids) -> String {
        let mut words = vec![match decision {
            Decision::Allow(_) => "allow".to_owned(),
            Decision::Deny(denial) => denial.reason.as_str().to_owned(),
        }];
        for key in self.wanted.split_whitespace().skip(1).map(|w| w.split('=').next().unwrap()) {
            words.push(format!("{key}={}", self.detail(key, decision, ids)));
        }
        words.join(" ")
    }

    /// The question about other things than those of the tables.
    pub fn question_about(&self, ids: &Ids) -> Question {
        let table = Ids::of_tables();
        let businesses = [(table.business, ids.business), (table.other_business, ids.other_business)];
        let users = [(table.user, ids.user), (table.other_user, ids.other_user)];
        let assets = [(table.asset, ids.asset), (table.other_asset, ids.other_asset)];
        let target = match self.question.target {
            Target::Nothing => Target::Nothing,
            Target::Alive => Target::Alive,
            Target::Asset(id) => Target::Asset(exchanged(id, &assets)),
            Target::Business(id) => Target::Business(exchanged(id, &businesses)),
        };
        let own = self.question.own.map(|own| crate::Own { user: exchanged(own.user, &users), ..own });
        Question { target, own, ..self.question }
    }

    fn detail(&self, key: &str, decision: &Decision, ids: &Ids) -> String {
        let kind = self.view.asset.map_or(AssetKind::Page, |a| a.kind);
        match (key, decision) {
            ("as", Decision::Allow(a)) => match a.caller {
                Caller::Operator => "operator".into(),
                Caller::Person { .. } => "person".into(),
                Caller::SystemUser { .. } => "system_user".into(),
                Caller::App { .. } => "app".into(),
            },
            ("held", Decision::Allow(a)) if a.held == TaskSet::ALL => "ALL".into(),
            ("held", Decision::Allow(a)) => task_names(kind, a.held),
            ("role", Decision::Allow(a)) => a.role.as_str().into(),
            ("may", Decision::Allow(a)) if a.scopes == ScopeSet::all() => "ALL".into(),
            ("may", Decision::Allow(a)) => a.scopes.names().join(","),
            ("may-not", Decision::Allow(a)) => ScopeSet::all().without(a.scopes).names().join(","),
            ("wire", Decision::Deny(d)) => d.refusal().reason.as_str().into(),
            ("lacks", Decision::Deny(d)) => {
                [d.missing.scopes.names().join(","), task_names(kind, d.missing.tasks)].concat()
            }
            ("holds", Decision::Deny(d)) => task_names(kind, d.missing.held),
            ("told", Decision::Deny(d)) => {
                let answer = d.refusal().missing;
                [answer.scopes.names().join(","), task_names(kind, answer.tasks)].concat()
            }
            ("subject", Decision::Deny(d)) => match d.subject {
                None => "none".into(),
                Some(id) if id == ids.app.any() => "app".into(),
                Some(id) if id == ids.asset.any() => "asset".into(),
                Some(id) if id == ids.business.any() => "business".into(),
                Some(id) if id == ids.other_business.any() => "other-business".into(),
                Some(other) => panic!("subject {other}"),
            },
            ("at", Decision::Deny(d)) => d.time.map_or("none".into(), |t| format!("{:+}", t - NOW)),
            _ => format!("(no such detail: {decision:?})"),
        }
    }
}

fn read_caller(text: &str) -> Subject {
    let ids = Ids::of_tables();
    let mut words = text.split_whitespace();
    let sort = words.next().unwrap();
    match sort {
        "malformed" => return Subject::Malformed,
        "unknown" => return Subject::Unknown,
        "operator" => return Subject::Operator,
        _ => {}
    }
    let mut app = AppView {
        id: ids.app,
        business: ids.business,
        connected: true,
        demands_proof: false,
        allowed_scopes: ScopeSet::all(),
    };
    if sort == "app" {
        for word in words {
            match word {
                "disconnected" => app.connected = false,
                "demands-proof" => app.demands_proof = true,
                other => panic!("unknown word of an app: {other}"),
            }
        }
        return Subject::App(app);
    }
    let token_kind = match sort {
        "su" => TokenKind::SystemUser,
        "user" => TokenKind::User,
        "page" => TokenKind::Page,
        other => panic!("unknown sort of caller: {other}"),
    };
    let mut token = TokenView {
        id: ids.token,
        kind: token_kind,
        user: ids.user,
        business: ids.business,
        role: Role::Employee,
        status: Status::Active,
        strict_visibility: false,
        app: None,
        installed: true,
        scopes: ScopeSet::EMPTY,
        expires_at: None,
        revoked_at: None,
        parent_dead: false,
        page: (sort == "page").then_some(ids.asset),
    };
    let (mut has_app, mut listed) = (sort != "user", sort == "page");
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("admin", _) => token.role = Role::Admin,
            ("employee", _) => token.role = Role::Employee,
            ("off", _) => token.status = Status::Deactivated,
            ("deleted", _) => token.status = Status::Deleted,
            ("revoked", _) => token.revoked_at = Some(NOW - 5),
            ("parent-dead", _) => token.parent_dead = true,
            ("ends", at) => token.expires_at = Some(NOW + at.parse::<i64>().unwrap()),
            ("disconnected", _) => app.connected = false,
            ("uninstalled", _) => token.installed = false,
            ("demands-proof", _) => app.demands_proof = true,
            ("no-app", _) => has_app = false,
            ("strict", _) => token.strict_visibility = true,
            ("scopes", names) => token.scopes = scopes(names),
            ("allows", names) => app.allowed_scopes = scopes(names),
            ("unlisted", _) => listed = false,
            ("of", "other") => token.page = Some(ids.other_asset),
            other => panic!("unknown word of a token: {other:?}"),
        }
    }
    if listed {
        token.scopes = token.scopes.with(scopes("pages_show_list"));
    }
    token.app = has_app.then_some(app);
    Subject::Token(token)
}

fn read_asset(text: &str) -> Option<AssetView> {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or("-");
    if first == "-" || first == "none" {
        return None;
    }
    let kind = kind(first);
    let mut view = AssetView { id: Ids::of_tables().asset, kind, reach: Reach::None, assigned: TaskSet::EMPTY };
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("owned", _) => view.reach = Reach::Owned,
            ("foreign", _) => view.reach = Reach::None,
            ("shared", names) => view.reach = Reach::Shared(grown(kind, names)),
            ("has", names) => view.assigned = grown(kind, names),
            other => panic!("unknown word of an asset: {other:?}"),
        }
    }
    Some(view)
}

fn read_question(text: &str, kind: AssetKind) -> Question {
    let ids = Ids::of_tables();
    let mut question = Question::about(Target::Asset(ids.asset));
    let words = text.split_whitespace().flat_map(|word| match named(word) {
        // A name may stand on another, and no further.
        Some(words) => words.split_whitespace().flat_map(|w| named(w).unwrap_or(w).split_whitespace()).collect(),
        None => vec![word],
    });
    for word in words {
        question = match word.split_once('=').unwrap_or((word, "")) {
            ("asset", _) => Question { target: Target::Asset(ids.asset), ..question },
            ("other-asset", _) => Question { target: Target::Asset(ids.other_asset), ..question },
            ("caller", _) => Question { target: Target::Nothing, ..question },
            ("alive", _) => Question { target: Target::Alive, sorts: Sorts::ANY, ..question },
            ("scope-free", letters) => question.scope_free(sorts(letters)),
            ("business", _) => Question { target: Target::Business(ids.business), ..question },
            ("other-business", _) => Question { target: Target::Business(ids.other_business), ..question },
            ("takes", letters) => question.sorts(sorts(letters)),
            ("scope", names) => question.scopes(scopes(names)),
            ("admin-scope", names) => question.admin_scopes(scopes(names)),
            ("needs", "ANY") => question.need(Need::AnyTask),
            ("needs", names) => question.need(Need::Tasks(tasks(kind, names))),
            ("needs-admin", _) => question.need(Need::Admin),
            ("needs-owner-admin", _) => question.need(Need::OwnerAdmin),
            ("own", names) => question.own(ids.user, scopes(names)),
            ("own-of-other", _) => question.own(ids.other_user, ScopeSet::EMPTY),
            ("proof", "right") => question.proof(Proof::Right),
            ("proof", "wrong") => question.proof(Proof::Wrong),
            other => panic!("unknown word of a question: {other:?}"),
        };
    }
    question
}

fn sorts(letters: &str) -> Sorts {
    let mut all = letters.chars().map(|letter| match letter {
        'S' => Sorts::SYSTEM_USER,
        'U' => Sorts::USER,
        'P' => Sorts::PAGE,
        'A' => Sorts::APP,
        other => panic!("unknown sort {other}"),
    });
    let first = all.next().unwrap();
    all.fold(first, Sorts::with)
}

/// The rows of a table: line number and trimmed columns. `#` begins a remark.
fn rows(table: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    table
        .lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line.split('#').next().unwrap_or("").trim()))
        .filter(|(_, line)| !line.is_empty() && !line.contains(":="))
        .map(|(number, line)| (number, line.split('|').map(str::trim).collect()))
}
