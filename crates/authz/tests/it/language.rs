//! The language of the decision tables: words of one line become a view and a question, and an
//! answer is read back from a decision. An unknown word fails the test, so no row says nothing.

use valetkey_authz::{
    AppView, AssetView, Decision, Need, Proof, Question, Reach, Sorts, Subject, Target, TokenView, View, decide,
};
use valetkey_domain::task::{TaskSet, Vocabulary, expanded};
use valetkey_domain::token::TokenKind;
use valetkey_domain::{AssetKind, Caller, DeclaredKind, Id, Name, Role, Scope, ScopeSet, Status, UnixMs};

pub const NOW: UnixMs = 1_795_514_400_000;

pub fn id(number: u64) -> Id {
    Id::new(number).unwrap()
}

pub const BUSINESS: u64 = 1;
pub const OTHER_BUSINESS: u64 = 2;
pub const USER: u64 = 10;
pub const OTHER_USER: u64 = 11;
pub const APP: u64 = 20;
pub const ASSET: u64 = 30;
pub const OTHER_ASSET: u64 = 31;
pub const TOKEN: u64 = 40;

/// The declared kind of the tables.
pub fn warehouse() -> DeclaredKind {
    DeclaredKind {
        kind: AssetKind(AssetKind::FIRST_DECLARED),
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

/// What a line of a table says.
#[derive(Debug, Clone)]
pub struct Case {
    pub view: View,
    pub question: Question,
}

impl Case {
    /// Reads caller, asset and question. Later words win over earlier ones.
    pub fn read(caller: &str, asset: &str, question: &str) -> Case {
        let asset = read_asset(asset);
        let kind = asset.map_or(AssetKind::PAGE, |a| a.kind);
        let view = View { revision: 7, subject: read_caller(caller), asset };
        Case { view, question: read_question(question, kind) }
    }

    pub fn decide(&self) -> Decision {
        decide(&self.view, &self.question, NOW)
    }

    /// The answer in the words of the table; only what `wanted` speaks of beside the answer itself.
    pub fn answer(&self, wanted: &str) -> String {
        let decision = self.decide();
        let mut words = vec![match decision {
            Decision::Allow(_) => "allow".to_owned(),
            Decision::Deny(denial) => denial.reason.as_str().to_owned(),
        }];
        for key in wanted.split_whitespace().skip(1).map(|w| w.split('=').next().unwrap()) {
            words.push(format!("{key}={}", self.detail(key, &decision)));
        }
        words.join(" ")
    }

    fn detail(&self, key: &str, decision: &Decision) -> String {
        let kind = self.view.asset.map_or(AssetKind::PAGE, |a| a.kind);
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
            ("wire", Decision::Deny(d)) => d.refusal().reason.as_str().into(),
            ("lacks", Decision::Deny(d)) => {
                [d.missing.scopes.names().join(","), task_names(kind, d.missing.tasks)].concat()
            }
            ("holds", Decision::Deny(d)) => task_names(kind, d.missing.held),
            ("told", Decision::Deny(d)) => {
                let told = d.refusal().missing;
                [told.scopes.names().join(","), task_names(kind, told.tasks)].concat()
            }
            ("subject", Decision::Deny(d)) => match d.subject.map(Id::get) {
                None => "none".into(),
                Some(APP) => "app".into(),
                Some(ASSET) => "asset".into(),
                Some(BUSINESS) => "business".into(),
                Some(OTHER_BUSINESS) => "other-business".into(),
                Some(other) => panic!("subject {other}"),
            },
            ("at", Decision::Deny(d)) => d.time.map_or("none".into(), |t| format!("{:+}", t - NOW)),
            _ => format!("(no such detail: {decision:?})"),
        }
    }
}

fn read_caller(text: &str) -> Subject {
    let mut words = text.split_whitespace();
    let sort = words.next().unwrap();
    match sort {
        "malformed" => return Subject::Malformed,
        "unknown" => return Subject::Unknown,
        "operator" => return Subject::Operator,
        _ => {}
    }
    let mut app = AppView { id: id(APP), business: id(BUSINESS), connected: true, demands_proof: false };
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
        id: id(TOKEN),
        kind: token_kind,
        user: id(USER),
        business: id(BUSINESS),
        role: Role::Employee,
        status: Status::Active,
        strict_visibility: false,
        app: None,
        installed: true,
        scopes: ScopeSet::EMPTY,
        expires_at: None,
        revoked_at: None,
        parent_dead: false,
        page: (sort == "page").then(|| id(ASSET)),
    };
    let mut has_app = sort != "user";
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
            ("of", "other") => token.page = Some(id(OTHER_ASSET)),
            other => panic!("unknown word of a token: {other:?}"),
        }
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
    let mut view = AssetView { id: id(ASSET), kind, reach: Reach::None, assigned: TaskSet::EMPTY };
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
    let mut question = Question::about(Target::Asset(id(ASSET)));
    for word in text.split_whitespace() {
        question = match word.split_once('=').unwrap_or((word, "")) {
            ("asset", _) => Question { target: Target::Asset(id(ASSET)), ..question },
            ("other-asset", _) => Question { target: Target::Asset(id(OTHER_ASSET)), ..question },
            ("caller", _) => Question { target: Target::Nothing, ..question },
            ("business", _) => Question { target: Target::Business(id(BUSINESS)), ..question },
            ("other-business", _) => Question { target: Target::Business(id(OTHER_BUSINESS)), ..question },
            ("takes", letters) => question.sorts(sorts(letters)),
            ("scope", names) => question.scopes(scopes(names)),
            ("admin-scope", names) => question.admin_scopes(scopes(names)),
            ("needs", "ANY") => question.need(Need::AnyTask),
            ("needs", names) => question.need(Need::Tasks(tasks(kind, names))),
            ("needs-admin", _) => question.need(Need::Admin),
            ("needs-owner-admin", _) => question.need(Need::OwnerAdmin),
            ("own", names) => question.own(id(USER), scopes(names)),
            ("own-of-other", _) => question.own(id(OTHER_USER), ScopeSet::EMPTY),
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
pub fn rows(table: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    table
        .lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line.split('#').next().unwrap_or("").trim()))
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| (number, line.split('|').map(str::trim).collect()))
}
