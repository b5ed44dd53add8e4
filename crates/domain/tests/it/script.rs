//! The language of the rule tables. A file has a `base:` and cases; each case runs on a fresh world
//! after the base. A line is `ACTOR VERB WORDS -> ANSWER`; without an answer it must succeed.
//! Answers are `ok` or the reason, with the details that the line cares for.

use std::collections::{BTreeMap, BTreeSet};

use valetkey_authz::model::Model;
use valetkey_domain::limits::Limits;
use valetkey_domain::noun::app::SealedSecret;
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::human::{Human, PasswordHash};
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::token::Token;
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::business::BusinessEdit;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_domain::rules::{
    app, asset, assignment, business, page_token, person, revocation, share, sign_in, system_user, terms, token,
};
use valetkey_domain::task::{TaskSet, Vocabulary};
use valetkey_domain::{
    Action, AppId, AssetId, AssetKind, Caller, ChangeSet, DeclaredKind, Id, IdKind, IdSource, Name, Planner, Purpose,
    Record, RecordKey, Refusal, Role, Scope, State,
};
use valetkey_testkit::clock::START_MS;
use valetkey_testkit::random::SeededRandom;

use crate::words::{Args, Called, scopes, seconds};

/// What a command gave: its change set, or the refusal.
type Answer = Result<ChangeSet, Refusal>;

/// Which actions were seen, and whether they narrowed.
pub type Seen = BTreeMap<String, BTreeSet<bool>>;

pub struct World {
    pub model: Model,
    ids: IdSource,
    random: SeededRandom,
    now: i64,
    names: BTreeMap<String, Id>,
    texts: BTreeMap<String, String>,
    pub seen: Seen,
}

/// Runs a file; the failures, each with its place, and the actions that were seen.
pub fn run(file: &str, text: &str) -> (Vec<String>, usize, Seen) {
    let mut base = Vec::new();
    let mut cases: Vec<(&str, Vec<(usize, &str)>)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or("").trim();
        if line.is_empty() || line.starts_with('#') || line == "base:" {
            continue;
        }
        match (line.strip_prefix("case "), cases.last_mut()) {
            (Some(name), _) => cases.push((name, Vec::new())),
            (None, Some((_, lines))) => lines.push((number + 1, line)),
            (None, None) => base.push((number + 1, line)),
        }
    }
    let (mut wrong, mut seen) = (Vec::new(), Seen::new());
    let count = cases.len();
    for (name, lines) in cases {
        let mut world = World::new();
        for (number, line) in base.iter().chain(&lines) {
            if let Err(problem) = world.line(line) {
                wrong.push(format!("{file}:{number} (case {name}): `{line}`: {problem}"));
                break;
            }
        }
        for (action, narrowed) in world.seen {
            seen.entry(action).or_default().extend(narrowed);
        }
    }
    (wrong, count, seen)
}

impl World {
    fn new() -> World {
        World {
            model: Model::default(),
            ids: IdSource::new(1),
            random: SeededRandom::new(1),
            now: START_MS,
            names: BTreeMap::new(),
            texts: BTreeMap::new(),
            seen: Seen::new(),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let (command, wanted) = line.split_once("->").map_or((line, "ok"), |(c, w)| (c, w.trim()));
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[0] {
            "wait" => {
                self.now += seconds(words[1]) * 1000;
                return Ok(());
            }
            "see" => return self.see(&words[1..], wanted),
            _ => {}
        }
        let args = Args::new(&words[2..]);
        let answer = self.command(words[0], words[1], &args);
        let got = self.tell(&answer, wanted);
        if let Ok(set) = answer {
            let word = set.action.as_str();
            if !set.changes.is_empty() {
                self.seen.entry(word).or_default().insert(set.narrows());
            }
            self.model.fold(self.model.revision + 1, &set);
        }
        if got == wanted { Ok(()) } else { Err(format!("got `{got}`")) }
    }

    fn tell(&self, answer: &Answer, wanted: &str) -> String {
        let mut words = vec![match answer {
            Ok(_) => "ok".to_owned(),
            Err(refusal) => serde_json::to_value(refusal.reason).unwrap().as_str().unwrap().to_owned(),
        }];
        for word in wanted.split_whitespace().skip(1) {
            let (key, _) = word.split_once('=').unwrap_or((word, ""));
            words.push(match (key, answer) {
                ("narrows", Ok(set)) if set.narrows() => "narrows".into(),
                ("widens", Ok(set)) if !set.narrows() => "widens".into(),
                ("nothing", Ok(set)) if set.changes.is_empty() => "nothing".into(),
                ("changes", Ok(set)) => format!("changes={}", set.changes.len()),
                ("field", Err(r)) => format!("field={}", r.field.clone().unwrap_or_default()),
                ("value", Err(r)) => format!("value={}", r.value.clone().unwrap_or_default().replace(' ', "_")),
                ("needs", Err(r)) => format!("needs={}", r.expected.clone().unwrap_or_default()),
                ("count", Err(r)) => format!("count={}", r.count.unwrap_or(-1)),
                _ => format!("(not {key})"),
            });
        }
        words.join(" ")
    }

    fn id<Of>(&self, name: &str) -> Id<Of> {
        Id::of(*self.names.get(name).unwrap_or_else(|| panic!("no thing is called {name}")))
    }

    fn caller(&self, actor: &str) -> Caller {
        if actor == "operator" {
            return Caller::Operator;
        }
        let (user, with) = actor.split_once('/').map_or((actor, None), |(u, t)| (u, Some(self.id(t))));
        let app = self.id(user);
        let user = self.id(user);
        if let Some(record) = self.model.person(user) {
            return Caller::Person { person: user, business: record.business, token: with };
        }
        if let Some(record) = self.model.app(app) {
            return Caller::App { app, business: record.business };
        }
        let record = self.model.system_user(user).unwrap();
        let token = with.unwrap_or_else(|| panic!("{actor} needs a token, as in worker/T"));
        let app = self.model.token(token).and_then(|t| t.app).unwrap();
        Caller::SystemUser { system_user: user, business: record.business, app, token }
    }

    #[allow(clippy::too_many_lines)]
    fn command(&mut self, actor: &str, verb: &str, args: &Args<'_>) -> Answer {
        let by = if actor == "anybody" { Caller::Operator } else { self.caller(actor) };
        let names = self.names.clone();
        let of = Called { names: &names, args };
        let texts = args.get("of").and_then(|t| self.texts.get(t)).cloned();
        let (ids, random) = (&mut self.ids, &mut self.random);
        let mut planner = Planner::new(&self.model, self.now, ids, random);
        let p = &mut planner;
        let label = args.get("name").unwrap_or(args.words.first().copied().unwrap_or("x"));
        let name = || Name::parse(label).unwrap();
        let mut made: Option<(String, Id)> = None;
        let mut text = None;
        let first = args.words.first().map(|w| (*w).to_owned()).unwrap_or_default();
        let answer = match verb {
            "business" => {
                let admin = args.get("admin").unwrap();
                let email = args.get("email").map_or(format!("{admin}@example.com"), str::to_owned);
                business::create(p, &by, name(), Name::parse(admin).unwrap(), &email).map(|(set, b, person)| {
                    self.names.insert(admin.to_owned(), person.any());
                    made = Some((first, b.any()));
                    set
                })
            }
            "edit-business" => {
                let mut limits = self.model.business(of.at(0)).map_or(Limits::default(), |b| b.limits);
                let before = limits;
                args.set("limit.admins", &mut limits.admin_system_users);
                args.set("limit.employees", &mut limits.employee_system_users);
                args.set("limit.people", &mut limits.people);
                args.set("limit.apps", &mut limits.apps);
                args.set("limit.assets", &mut limits.assets);
                args.set("limit.tokens", &mut limits.tokens_per_system_user);
                let edit = BusinessEdit {
                    name: args.get("name").map(|n| Name::parse(n).unwrap()),
                    strict_visibility: args.get("strict").map(|s| s == "on"),
                    token_lifetime_limit_s: args.get("lifetime").map(|l| (l != "none").then(|| seconds(l))),
                    limits: (limits != before).then_some(limits),
                };
                business::update(p, &by, of.at(0), edit)
            }
            "person" => {
                let email = args.get("email").map_or(format!("{first}@example.com"), str::to_owned);
                person::create(p, &by, of.named("of").unwrap(), name(), &email, args.role()).map(|(set, id)| {
                    made = Some((first, id.any()));
                    set
                })
            }
            "edit-person" => {
                let edit = PersonEdit {
                    name: args.get("name").map(|n| Name::parse(n).unwrap()),
                    role: args.get("role").map(|r| Role::parse(r).unwrap()),
                    status: args.status(),
                };
                person::update(p, &by, of.at(0), edit)
            }
            "app" => {
                let mut seal = |id: AppId| Ok(SealedSecret(id.get().to_be_bytes().to_vec()));
                app::create(p, &by, of.named("of").unwrap(), name(), args.has("demands-proof"), &mut seal).map(
                    |(set, id)| {
                        made = Some((first, id.any()));
                        set
                    },
                )
            }
            "edit-app" => {
                let edit = AppEdit {
                    name: args.get("name").map(|n| Name::parse(n).unwrap()),
                    allowed_scopes: args.get("allowed").map(scopes),
                    demands_proof: args.get("proof").map(|d| d == "on"),
                };
                app::update(p, &by, of.at(0), edit)
            }
            "rotate" => app::rotate_secret(
                p,
                &by,
                of.at(0),
                SealedSecret(vec![9, 9]),
                args.get("overlap").unwrap().parse().unwrap(),
            ),
            "connect" => app::connect(p, &by, of.at(0), of.at(1)),
            "disconnect" => app::disconnect(p, &by, of.at(0), of.at(1)),
            "install" => app::install(p, &by, of.at(0), of.at(1)),
            "uninstall" => app::uninstall(p, &by, of.at(0), of.at(1)),
            "accept" => terms::accept(p, &by, args.at(0).parse().unwrap()),
            "terms" => terms::replace(p, &by, args.get("text").unwrap_or("a new text")),
            "user" => {
                let about = args.get("about").map(|t| Purpose::parse(t).unwrap());
                system_user::create(p, &by, of.named("of").unwrap(), name(), args.role(), about).map(|(set, id)| {
                    made = Some((first, id.any()));
                    set
                })
            }
            "edit-user" => {
                let edit = SystemUserEdit {
                    name: args.get("name").map(|n| Name::parse(n).unwrap()),
                    status: args.status(),
                    description: args.get("about").map(|t| (t != "none").then(|| Purpose::parse(t).unwrap())),
                };
                system_user::update(p, &by, of.at(0), edit)
            }
            "delete-user" => system_user::delete(p, &by, of.at(0)),
            "asset" => {
                let word = args.get("kind").unwrap();
                let declared = self.model.declared_kinds().into_iter().find(|k| k.word == word).map(|k| k.kind);
                let kind = AssetKind::parse(word).or(declared).unwrap_or(AssetKind::Declared(136));
                let owner = args.get("of").filter(|o| *o != "nobody").map(|name| of.called(name));
                asset::create(p, &by, kind, owner, name()).map(|(set, id)| {
                    made = Some((first, id.any()));
                    set
                })
            }
            "delete-asset" => asset::delete(p, &by, of.at(0)),
            "delete-app" => app::delete(p, &by, of.at(0)),
            "delete-business" => business::delete(p, &by, of.at(0)),
            "rename-asset" => asset::rename(p, &by, of.at(0), Name::parse(args.get("name").unwrap()).unwrap()),
            "declare" => {
                let kind = DeclaredKind {
                    kind: AssetKind::Page,
                    word: first,
                    title: Name::parse("Title").unwrap(),
                    tasks: args.list("tasks"),
                };
                asset::declare(p, &by, kind)
                    .map(|set| set.unwrap_or_else(|| p.finish(Action::KindDeclared, &by, None, &[])))
            }
            "assign" => assignment::assign(p, &by, of.named("as").unwrap(), of.at(0), of.at(1), &args.list("tasks")),
            "unassign" => assignment::unassign(p, &by, of.named("as").unwrap(), of.at(0), of.at(1)),
            "share" => share::share(p, &by, of.named("as").unwrap(), of.at(0), of.at(1), &args.list("tasks")),
            "unshare" => share::unshare(p, &by, of.named("as").unwrap(), of.at(0), of.at(1)),
            "issue" => {
                let ask = IssueRequest {
                    system_user: of.named("for").unwrap(),
                    app: of.named("app").unwrap(),
                    scopes: args.get("scopes").map(scopes).unwrap_or_default(),
                    lifetime: args.lifetime().unwrap_or(Lifetime::Never),
                    add_dependencies: args.has("complete"),
                    purpose: args.get("purpose").map(|t| Purpose::parse(t).unwrap()),
                };
                token::issue(p, &by, &ask).map(|(set, token, t)| {
                    text = Some((first.clone(), t.reveal().to_owned()));
                    made = Some((first, token.id.any()));
                    set
                })
            }
            "refresh" => {
                let old = self.model.token(of.named("from").unwrap()).unwrap();
                token::refresh(p, &by, &old, args.lifetime()).map(|(set, token, t)| {
                    text = Some((first.clone(), t.reveal().to_owned()));
                    made = Some((first, token.id.any()));
                    set
                })
            }
            "derive" => {
                let parent = self.model.token(of.named("of").unwrap()).unwrap();
                let secret = texts.unwrap();
                let pages: Vec<_> = args.list("pages").iter().map(|page| of.called(page)).collect();
                page_token::derive(p, &by, &parent, &secret, &pages).map(|(set, texts)| {
                    let mut new = set.changes.iter().filter_map(|c| match &c.after {
                        Some(valetkey_domain::Record::Token(t)) => Some(t.id),
                        _ => None,
                    });
                    made = new.next_back().map(|id| (first.clone(), id.any()));
                    text = texts.last().map(|(_, t)| (first, t.reveal().to_owned()));
                    set
                })
            }
            // No rule moves an asset to another owner yet, so the records are planned as such a rule will.
            "transfer" => {
                let asset = self.model.asset(of.at(0)).unwrap();
                p.put(valetkey_domain::Record::Asset(Asset { business: of.named("to"), ..asset }));
                Ok(p.finish(Action::BusinessUpdated, &by, None, &[]))
            }
            // As data of versions before the counters look.
            "forget-counter" => {
                p.remove(valetkey_domain::RecordKey::PageCounter(of.at(0), of.at(1)));
                Ok(p.finish(Action::TokenRevoked, &by, None, &[]))
            }
            // As data of earlier versions look.
            "forget-human" => {
                let person = self.model.person(of.at(0)).unwrap();
                p.put(Record::Person(Person { human: None, ..person.clone() }));
                p.remove(RecordKey::Human(person.human.unwrap()));
                Ok(p.finish(Action::BusinessUpdated, &by, None, &[]))
            }
            // What rules about factors will plan.
            "factor" => {
                let human = self.model.person(of.at(0)).and_then(|p| p.human).unwrap();
                if args.has("passkey") {
                    let (id, credential, data) = (p.new_id(IdKind::Passkey), vec![1], "{}".to_owned());
                    let name = name();
                    p.put(Record::Passkey(Passkey {
                        id,
                        human,
                        credential,
                        name,
                        data,
                        created_at: 0,
                        last_used_at: None,
                    }));
                } else {
                    let password = Some(PasswordHash(SealedSecret(vec![1])));
                    p.put(Record::Human(Human { password, ..self.model.human(human).unwrap() }));
                }
                Ok(p.finish(Action::BusinessUpdated, &by, None, &[]))
            }
            "demote" => {
                let user = self.model.system_user(of.at(0)).unwrap();
                p.put(valetkey_domain::Record::SystemUser(SystemUser { role: Role::Employee, ..user }));
                Ok(p.finish(Action::BusinessUpdated, &by, None, &[]))
            }
            "revoke" => token::revoke(p, &by, of.at(0)),
            "revoke-family" => token::revoke_with_descendants(p, &by, of.at(0)),
            "revoke-all" => token::revoke_all(p, &by, of.at(0), of.named("app")),
            "drop" => {
                token::drop_scope(p, &by, of.at(0), of.named("app"), Scope::parse(args.get("scope").unwrap()).unwrap())
            }
            "code" => sign_in::create(p, &by, of.named("for").unwrap()).map(|(set, t)| {
                text = Some((first, t.reveal().to_owned()));
                set
            }),
            "redeem" => {
                let code = self.texts.get(args.get("code").unwrap()).cloned().unwrap_or("no code".into());
                let gives = if args.has("session") { PersonToken::Session } else { PersonToken::CommandLine };
                sign_in::redeem(p, &code, gives).map(|(set, token, t)| {
                    text = Some((first.clone(), t.reveal().to_owned()));
                    made = Some((first, token.id.any()));
                    set
                })
            }
            other => panic!("unknown verb {other}"),
        };
        self.names.extend(made);
        self.texts.extend(text);
        answer
    }

    /// `see CHECK NAME… -> what`: the words that the answer gives are looked up and compared.
    fn see(&self, words: &[&str], wanted: &str) -> Result<(), String> {
        let got = match words[0] {
            "token" => {
                let token = self.model.token(self.id(words[1])).unwrap();
                let shown: Vec<String> = wanted.split_whitespace().map(|w| self.of_token(&token, w)).collect();
                shown.join(" ")
            }
            "assignment" => {
                let (user, asset) = (self.id(words[1]), self.id(words[2]));
                self.model.assignment(user, asset).map_or("none".into(), |a| self.tasks(asset, a.tasks))
            }
            "share" => {
                let asset = self.id(words[1]);
                self.model.share(asset, self.id(words[2])).map_or("none".into(), |s| self.tasks(asset, s.tasks))
            }
            "installed" => self.model.installation(self.id(words[1]), self.id(words[2])).is_some().to_string(),
            "connected" => self.model.connection(self.id(words[1]), self.id(words[2])).is_some().to_string(),
            "user" => self.model.system_user(self.id(words[1])).map_or("none".into(), |u| u.status.as_str().into()),
            "person" => self
                .model
                .person(self.id(words[1]))
                .map_or("none".into(), |p| format!("{} {}", p.role.as_str(), p.status.as_str())),
            "human" => {
                let human = self.model.person(self.id(words[1])).and_then(|p| p.human);
                human.map_or("none".into(), |human| {
                    let (entries, passkeys) = (self.model.entries_of(human), self.model.passkeys_of(human));
                    format!("entries={} passkeys={}", entries.len(), passkeys.len())
                })
            }
            "same-human" => {
                let [one, other] =
                    [words[1], words[2]].map(|w| self.model.person(self.id(w)).and_then(|p| p.human).unwrap());
                (one == other).to_string()
            }
            "humans" => self.model.records().filter(|r| matches!(r, Record::Human(_))).count().to_string(),
            "about" => {
                let user = self.model.system_user(self.id(words[1])).unwrap();
                user.description.map_or("none".into(), |d| d.to_string())
            }
            "counter" => self.model.times_ended(self.id(words[1]), self.id(words[2])).to_string(),
            "texts" => {
                let [one, other] =
                    [words[1], words[2]].map(|w| self.texts.get(w).unwrap_or_else(|| panic!("no text {w}")));
                if one == other { "same".into() } else { "other".into() }
            }
            "tokens" => revocation::tokens_of(&self.model, self.id(words[1])).len().to_string(),
            "codes" => self.model.sign_in_codes().len().to_string(),
            "ever" => self.model.asset_ever(self.id(words[1])).map_or("none".into(), |a| a.name.as_str().to_owned()),
            "business" => self.model.business(self.id(words[1])).map_or("none".into(), |b| b.name.as_str().to_owned()),
            "owned" => self.model.owned_assets(self.id(words[1])).len().to_string(),
            "businesses" => self.model.businesses().len().to_string(),
            "asset" => self.model.asset(self.id(words[1])).map_or("none".into(), |a| a.name.as_str().to_owned()),
            "app" => self.model.app(self.id(words[1])).map_or("none".into(), |a| match a.previous_secret {
                None => format!("{} secret", a.name),
                Some((_, until)) => format!("{} secrets until={:+}", a.name, (until - self.now) / 1000),
            }),
            other => panic!("unknown thing {other}"),
        };
        if got == wanted { Ok(()) } else { Err(format!("got `{got}`")) }
    }

    fn of_token(&self, token: &Token, word: &str) -> String {
        let called = |id: Option<Id>| {
            let name = |id: Id| self.names.iter().find(|(_, i)| **i == id).map_or(id.to_string(), |(n, _)| n.clone());
            id.map_or("none".to_owned(), name)
        };
        match word.split_once('=').unwrap_or((word, "")).0 {
            "live" | "revoked" => if token.revoked_at.is_some() { "revoked" } else { "live" }.to_owned(),
            "ends" => {
                let end = token.expires_at.map_or("never".to_owned(), |e| format!("{}d", (e - self.now) / 86_400_000));
                format!("ends={end}")
            }
            "ends_s" => format!("ends_s={}", token.expires_at.map_or(-1, |e| (e - self.now) / 1000)),
            "scopes" => format!("scopes={}", token.scopes.names().join(",")),
            "parent" => format!("parent={}", called(token.parent.map(Id::any))),
            "by" => format!("by={}", called(token.created_by.map(Id::any))),
            "user" => format!("user={}", called(Some(token.user.any()))),
            "page" => format!("page={}", called(token.page.map(Id::any))),
            "app" => format!("app={}", called(token.app.map(Id::any))),
            "session" | "command" => if token.session { "session" } else { "command" }.to_owned(),
            "purpose" => format!("purpose={}", token.purpose.as_ref().map_or("none", |p| p.as_str())),
            "kind" => format!("kind={}", token.kind.as_str()),
            other => panic!("unknown detail {other}"),
        }
    }

    fn tasks(&self, asset: AssetId, set: TaskSet) -> String {
        let kind = self.model.asset(asset).unwrap().kind;
        let declared = self.model.declared_kind(kind);
        Vocabulary::of(kind, declared.as_ref()).unwrap().names(set).join(",")
    }
}
