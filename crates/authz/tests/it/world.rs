//! Random histories, made by the real rules: commands on people, apps, assets and tokens, planned
//! on one state and kept as change sets. Two id makers stand for two nodes whose clocks differ.

use valetkey_domain::credential::Digest;
use valetkey_domain::noun::app::SealedSecret;
use valetkey_domain::noun::human::{Human, PasswordHash};
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::rules::business::BusinessEdit;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_domain::rules::{
    app, asset, assignment, business, page_token, person, revocation, share, sign_in, system_user, terms, token,
};
use valetkey_domain::{
    Action, AppId, AssetId, AssetKind, BusinessId, Caller, ChangeSet, DeclaredKind, HumanId, Id, IdKind, IdSource,
    List, Name, PasskeyId, Planner, Purpose, Record, RecordKey, Refusal, Role, Scope, ScopeSet, State, Status, TokenId,
    UserId,
};
use valetkey_testkit::clock::START_MS;
use valetkey_testkit::random::SeededRandom;

/// What makes the choices of a command.
pub type Command = (u8, u16, u16, u16);

pub struct World {
    ids: [IdSource; 2],
    random: SeededRandom,
    now: i64,
    /// Texts of tokens, so that page tokens can be derived.
    texts: Vec<(TokenId, String)>,
    pub codes: Vec<String>,
    names: u64,
}

impl World {
    pub fn new(seed: u64) -> World {
        World {
            ids: [IdSource::new(seed), IdSource::new(seed)],
            random: SeededRandom::new(seed),
            now: START_MS,
            texts: Vec::new(),
            codes: Vec::new(),
            names: 0,
        }
    }

    fn plan<T>(
        &mut self,
        state: &dyn State,
        node: usize,
        rule: impl FnOnce(&mut Planner<'_>) -> Result<T, Refusal>,
    ) -> Option<T> {
        // The second node's clock is a minute behind, so its ids are smaller than those before.
        let now = self.now - 60_000 * node as i64;
        let mut planner = Planner::new(state, now, &mut self.ids[node], &mut self.random);
        rule(&mut planner).ok()
    }

    fn name(&mut self) -> Name {
        self.names += 1;
        Name::parse(&format!("Name {}", self.names)).unwrap()
    }

    /// The commands that make a small company, so that random ones have something to work on.
    pub fn opening() -> Vec<Command> {
        let mut commands = Vec::new();
        for n in 0..2 {
            commands.extend([(0, n, 0, 0), (2, n, 0, 0), (4, n, 0, 0), (1, n, 0, 0)]);
            commands.extend((0..3).map(|role| (5, n, role, 0)));
            commands.extend((0..3).map(|kind| (8, n, kind, 0)));
        }
        commands.push((7, 0, 0, 0));
        commands.extend((0..6).map(|n| (6, n, n % 2, 0)));
        commands.extend((0..6).map(|n| (13, n, 0, 0)));
        commands
    }

    /// Plans one command on a state; `None` if a rule refuses it.
    #[allow(clippy::too_many_lines)]
    pub fn run(&mut self, state: &dyn State, (verb, a, b, c): Command) -> Option<ChangeSet> {
        self.now += 1 + i64::from(c % 50);
        let node = usize::from(c % 2);
        let ids = Ids::of(state);
        let by = Caller::Operator;
        let name = self.name();
        match verb % 34 {
            0 => {
                let email = format!("p{}@example.com", self.names);
                self.plan(state, node, |p| business::create(p, &by, name.clone(), name, &email)).map(|r| r.0)
            }
            1 => {
                let business = pick(&ids.businesses, a)?;
                // Few addresses, so that some are in use: then the operator gives a human another entry.
                let email = format!("q{}@example.com", self.names % 9);
                let role = if b % 2 == 0 { Role::Admin } else { Role::Employee };
                self.plan(state, node, |p| person::create(p, &by, business, name, &email, role)).map(|r| r.0)
            }
            2 => {
                let business = pick(&ids.businesses, a)?;
                let mut seal = |id: AppId| Ok(SealedSecret(id.get().to_be_bytes().to_vec()));
                self.plan(state, node, |p| app::create(p, &by, business, name, b % 2 == 0, &mut seal)).map(|r| r.0)
            }
            3 => {
                let app = pick(&ids.apps, a)?;
                let allowed: ScopeSet = Scope::all().skip(usize::from(c % 5)).collect();
                let allowed_scopes = Some(allowed).filter(|_| c % 3 == 0);
                let edit = app::AppEdit { name: Some(name), demands_proof: Some(b % 2 == 0), allowed_scopes };
                self.plan(state, node, |p| app::update(p, &by, app, edit))
            }
            4 => {
                let person = pick(&ids.people, a)?;
                let record = state.person(person)?;
                let by = Caller::Person { person, business: record.business, token: None };
                self.plan(state, node, |p| terms::accept(p, &by, state.terms().version))
            }
            5 => {
                let business = pick(&ids.businesses, a)?;
                let role = if b % 3 == 0 { Role::Admin } else { Role::Employee };
                let said = Purpose::from(name.clone());
                self.plan(state, node, |p| system_user::create(p, &by, business, name, role, Some(said))).map(|r| r.0)
            }
            6 => {
                let (user, app) = (pick(&ids.system_users, a)?, pick(&ids.apps, b)?);
                self.plan(state, node, |p| app::install(p, &by, user, app))
            }
            7 => {
                let tasks = ["MANAGE", "PICK", "SHIP", "COUNT", "MOVE", "PACK"];
                let kind = DeclaredKind {
                    kind: AssetKind::Page,
                    word: format!("depot{}", a % 3),
                    title: name,
                    tasks: tasks[..2 + usize::from(b % 5)].iter().map(|t| (*t).to_owned()).collect(),
                };
                self.plan(state, node, |p| asset::declare(p, &by, kind)).flatten()
            }
            8 => {
                let business = pick(&ids.businesses, a);
                let declared: Vec<AssetKind> = state.declared_kinds().iter().map(|k| k.kind).collect();
                let kinds = [AssetKind::Page, AssetKind::AdAccount, AssetKind::Pixel, AssetKind::Catalog];
                let all: Vec<AssetKind> = kinds.into_iter().chain(declared).collect();
                let kind = all[usize::from(b) % all.len()];
                let owner = if c % 11 == 10 { None } else { business };
                self.plan(state, node, |p| asset::create(p, &by, kind, owner, name)).map(|r| r.0)
            }
            9 => {
                let asset = pick(&ids.assets, a)?;
                if b % 6 == 0 {
                    return self.plan(state, node, |p| asset::delete(p, &by, asset));
                }
                self.plan(state, node, |p| asset::rename(p, &by, asset, name))
            }
            10 | 11 => {
                let (asset, user) = (pick(&ids.assets, a)?, pick(&ids.users, b)?);
                let business = state.business_of(user)?;
                let tasks = self.tasks(state, asset, c);
                self.plan(state, node, |p| assignment::assign(p, &by, business, asset, user, &tasks))
            }
            12 => {
                let (user, asset) = pick(&ids.assignments, a)?;
                let business = state.assignment(user, asset)?.business;
                self.plan(state, node, |p| assignment::unassign(p, &by, business, asset, user))
            }
            13 | 14 => {
                let (asset, partner) = (pick(&ids.assets, a)?, pick(&ids.businesses, b)?);
                let owner = state.asset(asset)?.business?;
                let tasks = self.tasks(state, asset, c);
                self.plan(state, node, |p| share::share(p, &by, owner, asset, partner, &tasks))
            }
            15 => {
                let (asset, partner) = pick(&ids.shares, a)?;
                self.plan(state, node, |p| share::unshare(p, &by, partner, asset, partner))
            }
            16..=18 => self.issue(state, node, &ids, (a, b, c)),
            19 => {
                let token = state.token(pick(&ids.tokens, a)?)?;
                let lifetime = if b % 2 == 0 { None } else { Some(Lifetime::Seconds(1 + i64::from(b))) };
                let (set, token, text) = self.plan(state, node, |p| token::refresh(p, &by, &token, lifetime))?;
                self.texts.push((token.id, text.reveal().to_owned()));
                Some(set)
            }
            20 | 21 => {
                let (parent, text) = self.texts.get(usize::from(a) % self.texts.len().max(1))?.clone();
                let of_kind = |id: &AssetId| state.asset(*id).is_some_and(|a| a.kind == AssetKind::Page);
                let pages: Vec<AssetId> = ids.assets.iter().copied().filter(of_kind).collect();
                let chosen = [pick(&pages, b)?, pick(&pages, c)?];
                let parent = state.token(parent)?;
                self.plan(state, node, |p| page_token::derive(p, &by, &parent, &text, &chosen)).map(|(set, _)| set)
            }
            22 => {
                let token = pick(&ids.tokens, a)?;
                self.plan(state, node, |p| token::revoke(p, &by, token))
            }
            23 => {
                let (user, app) = (pick(&ids.users, a)?, pick(&ids.apps, b));
                self.plan(state, node, |p| token::revoke_all(p, &by, user, app.filter(|_| c % 2 == 0)))
            }
            24 => {
                let (user, app) = (pick(&ids.system_users, a)?, pick(&ids.apps, b));
                let scope = Scope::all().nth(usize::from(c) % 12)?;
                self.plan(state, node, |p| token::drop_scope(p, &by, user, app, scope))
            }
            25 => {
                let (user, app) = pick(&ids.installations, a)?;
                self.plan(state, node, |p| app::uninstall(p, &by, user, app))
            }
            26 => {
                let (business, app) = pick(&ids.connections, a)?;
                if b % 6 == 0 {
                    return self.plan(state, node, |p| app::delete(p, &by, app));
                }
                self.plan(state, node, |p| app::disconnect(p, &by, business, app))
            }
            27 => {
                let app = pick(&ids.apps, a)?;
                let business = state.app(app)?.business;
                self.plan(state, node, |p| app::connect(p, &by, business, app))
            }
            28 => {
                let user = pick(&ids.system_users, a)?;
                if b % 4 == 0 {
                    return self.plan(state, node, |p| system_user::delete(p, &by, user));
                }
                let status = if b % 2 == 0 { Status::Active } else { Status::Deactivated };
                let description = (b % 3 == 0).then(|| (c % 2 == 0).then(|| Purpose::from(name.clone())));
                let edit = SystemUserEdit { name: Some(name), status: Some(status), description };
                self.plan(state, node, |p| system_user::update(p, &by, user, edit))
            }
            29 => {
                let person = pick(&ids.people, a)?;
                let status = [Status::Active, Status::Deactivated, Status::Deleted][usize::from(b % 3)];
                let role = if c % 2 == 0 { Role::Admin } else { Role::Employee };
                let edit = PersonEdit { name: None, role: Some(role), status: Some(status) };
                self.plan(state, node, |p| person::update(p, &by, person, edit))
            }
            30 => {
                if a % 2 == 0 {
                    let person = pick(&ids.people, b)?;
                    let (set, text) = self.plan(state, node, |p| sign_in::create(p, &by, person))?;
                    self.codes.push(text.reveal().to_owned());
                    return Some(set);
                }
                let code = self.codes.get(usize::from(b) % self.codes.len().max(1))?.clone();
                let gives = if c % 2 == 0 { PersonToken::Session } else { PersonToken::CommandLine };
                let (set, token, text) = self.plan(state, node, |p| sign_in::redeem(p, &code, gives))?;
                self.texts.push((token.id, text.reveal().to_owned()));
                Some(set)
            }
            // What rules about factors will plan.
            32 => {
                let (human, data) = (pick(&ids.humans, a)?, format!("{{\"counter\":{b}}}"));
                let credential = self.names.to_be_bytes().to_vec();
                let known = pick(&ids.passkeys, b).filter(|_| c % 3 == 0).and_then(|id| state.passkey(id));
                self.plan(state, node, |p| {
                    let (created_at, last_used_at) = (p.now(), (c % 2 == 0).then_some(p.now()));
                    let passkey = match known {
                        Some(known) => Passkey { data, last_used_at, ..known },
                        None => {
                            let id = p.new_id(IdKind::Passkey);
                            Passkey { id, human, credential, name, data, created_at, last_used_at }
                        }
                    };
                    p.put(Record::Passkey(passkey));
                    Ok(p.finish(Action::PersonUpdated, &by, None, &[]))
                })
            }
            33 => {
                let human = state.human(pick(&ids.humans, a)?)?;
                let passkey = pick(&ids.passkeys, b).filter(|_| c % 3 == 0);
                let email = format!("h{}@example.com", self.names);
                self.plan(state, node, |p| {
                    if let Some(passkey) = passkey {
                        p.remove(RecordKey::Passkey(passkey));
                    }
                    let password = (b % 2 == 0).then(|| PasswordHash(SealedSecret(vec![1])));
                    p.put(Record::Human(Human { email, password, recovery_codes: vec![Digest::of("r")], ..human }));
                    Ok(p.finish(Action::PersonUpdated, &by, None, &[]))
                })
            }
            _ => {
                if c % 5 == 0 {
                    return self.plan(state, node, |p| terms::replace(p, &by, &format!("text {a}")));
                }
                let business = pick(&ids.businesses, a)?;
                if c % 7 == 0 {
                    return self.plan(state, node, |p| business::delete(p, &by, business));
                }
                let edit = BusinessEdit {
                    name: Some(name),
                    strict_visibility: Some(b % 2 == 0),
                    token_lifetime_limit_s: None,
                    limits: None,
                };
                self.plan(state, node, |p| business::update(p, &by, business, edit))
            }
        }
    }

    fn issue(&mut self, state: &dyn State, node: usize, ids: &Ids, (a, b, c): (u16, u16, u16)) -> Option<ChangeSet> {
        let (user, app) = pick(&ids.installations, a)?;
        let parents = revocation::tokens_of(state, user);
        let parent = parents.get(usize::from(b) % parents.len().max(1)).filter(|_| c % 3 == 0);
        let by = match parent {
            Some(parent) => Caller::SystemUser { system_user: user, business: parent.business, app, token: parent.id },
            None => Caller::Operator,
        };
        let lifetime = if c % 4 == 0 { Lifetime::Seconds(i64::from(c)) } else { Lifetime::Never };
        let scopes: ScopeSet = Scope::all().skip(usize::from(b % 8)).step_by(3).take(4).collect();
        let purpose = (c % 2 == 0).then(|| Purpose::parse(&format!("Purpose {c}")).unwrap());
        let ask = IssueRequest { system_user: user, app, scopes, lifetime, add_dependencies: true, purpose };
        let (set, token, text) = self.plan(state, node, |p| token::issue(p, &by, &ask))?;
        self.texts.push((token.id, text.reveal().to_owned()));
        Some(set)
    }

    fn tasks(&mut self, state: &dyn State, asset: AssetId, choice: u16) -> Vec<String> {
        let Some(record) = state.asset(asset) else { return Vec::new() };
        let declared = state.declared_kind(record.kind);
        let words = valetkey_domain::task::Vocabulary::of(record.kind, declared.as_ref());
        let all = words.map(|w| w.all_names()).unwrap_or_default();
        (0..all.len()).filter(|i| choice >> (i % 16) & 1 == 1).map(|i| all[i].to_owned()).collect()
    }
}

/// The ids of a state, to choose from and to compare with.
#[derive(Debug, Default)]
pub struct Ids {
    pub businesses: Vec<BusinessId>,
    pub people: Vec<UserId>,
    pub system_users: Vec<UserId>,
    pub users: Vec<UserId>,
    pub apps: Vec<AppId>,
    pub assets: Vec<AssetId>,
    pub tokens: Vec<TokenId>,
    pub assignments: Vec<(UserId, AssetId)>,
    pub shares: Vec<(AssetId, BusinessId)>,
    pub installations: Vec<(UserId, AppId)>,
    pub connections: Vec<(BusinessId, AppId)>,
    pub humans: Vec<HumanId>,
    pub passkeys: Vec<PasskeyId>,
}

impl Ids {
    pub fn of(state: &dyn State) -> Ids {
        let mut t = Ids { businesses: state.businesses(), ..Ids::default() };
        for b in t.businesses.clone() {
            t.people.extend(state.people(b));
            t.system_users.extend(state.system_users(b));
            t.apps.extend(state.owned_apps(b));
            t.assets.extend(state.owned_assets(b));
            t.connections.extend(state.connected_apps(b).into_iter().map(|a| (b, a)));
        }
        t.users = t.people.iter().chain(&t.system_users).copied().collect();
        t.humans = t.people.iter().filter_map(|id| state.person(*id)?.human).collect();
        t.humans.sort_unstable();
        t.humans.dedup();
        t.passkeys = t.humans.iter().flat_map(|human| state.passkeys_of(*human)).collect();
        t.assets.extend(t.apps.iter().copied().map(AssetId::from));
        for u in &t.users {
            t.tokens.extend(state.tokens_of(*u));
            t.assignments.extend(state.assets_of(*u).into_iter().map(|a| (*u, a)));
            t.installations.extend(state.installed_apps(*u).into_iter().map(|a| (*u, a)));
        }
        for a in &t.assets {
            t.shares.extend(state.partners_of(*a).into_iter().map(|p| (*a, p)));
        }
        t
    }
}

fn pick<T: Copy>(from: &[T], choice: u16) -> Option<T> {
    from.get(usize::from(choice) % from.len().max(1)).copied()
}

pub fn passkey(n: u64, human: u64) -> Record {
    let (id, human, name) = (Id::new(n).unwrap(), Id::new(human).unwrap(), Name::parse("Key").unwrap());
    let (credential, data) = (n.to_be_bytes().to_vec(), "{}".to_owned());
    Record::Passkey(Passkey { id, human, credential, name, data, created_at: 0, last_used_at: None })
}

/// Every key and id that a history ever spoke of.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub keys: std::collections::BTreeSet<RecordKey>,
    pub ids: std::collections::BTreeSet<Id>,
    pub digests: std::collections::BTreeSet<Digest>,
    /// Pages that a token was derived for.
    pub pages: std::collections::BTreeSet<AssetId>,
    pub emails: std::collections::BTreeSet<String>,
    /// Apart from the ids: a batch that removes a human keeps its id from being given again.
    pub humans: std::collections::BTreeSet<Id>,
}

impl Seen {
    pub fn note(&mut self, set: &ChangeSet) {
        self.ids.extend(&set.subjects);
        for record in set.changes.iter().flat_map(|c| [&c.before, &c.after]).flatten() {
            self.keys.insert(record.key());
            match record {
                Record::Token(t) => {
                    self.digests.insert(t.digest);
                    self.pages.extend(t.page);
                    self.ids.insert(t.id.any());
                }
                Record::SignInCode(c) => {
                    self.digests.insert(c.digest);
                }
                Record::Asset(a) => {
                    self.ids.insert(a.id.any());
                }
                Record::Human(h) => {
                    self.humans.insert(h.id.any());
                    self.emails.insert(h.email.clone());
                }
                Record::Passkey(p) => {
                    self.digests.insert(p.credential_digest());
                }
                Record::Person(p) => {
                    self.emails.insert(p.email.clone());
                }
                _ => {}
            }
        }
    }

    /// Reads everything from both states and fails on the first difference.
    pub fn assert_same(&self, got: &dyn State, wanted: &dyn State, what: &str) {
        for key in &self.keys {
            assert_eq!(got.record(*key), wanted.record(*key), "{what}: {key:?}");
        }
        for digest in &self.digests {
            assert_eq!(got.token_by_digest(digest), wanted.token_by_digest(digest), "{what}: by digest");
            assert_eq!(got.sign_in_code(digest), wanted.sign_in_code(digest), "{what}: code");
            let (one, other) = (got.passkey_by_credential(digest), wanted.passkey_by_credential(digest));
            assert_eq!(one, other, "{what}: passkey");
        }
        for email in &self.emails {
            assert_eq!(got.human_by_email(email), wanted.human_by_email(email), "{what}: {email}");
            assert_eq!(got.people_without_human(email), wanted.people_without_human(email), "{what}: {email}");
        }
        assert_eq!(got.businesses(), wanted.businesses(), "{what}");
        let strange = Id::new(987_654_321).unwrap();
        for id in self.ids.iter().copied().chain([strange]) {
            assert_eq!(got.exists(id), wanted.exists(id), "{what}: exists {id}");
            assert_eq!(got.asset(AssetId::of(id)), wanted.asset(AssetId::of(id)), "{what}: asset {id}");
            for list in lists(id) {
                assert_eq!(got.list(list), wanted.list(list), "{what}: {list:?}");
            }
            for other in self.pages.iter().flat_map(|page| {
                [
                    List::PageTokensIn { page: *page, business: Id::of(id) },
                    List::PageTokensOf { page: *page, user: Id::of(id) },
                ]
            }) {
                assert_eq!(got.list(other), wanted.list(other), "{what}: {other:?}");
            }
        }
        for list in self.humans.iter().flat_map(|id| lists(*id)) {
            assert_eq!(got.list(list), wanted.list(list), "{what}: {list:?}");
        }
        assert_eq!(got.declared_kinds(), wanted.declared_kinds(), "{what}: kinds");
        assert_eq!(got.sign_in_codes(), wanted.sign_in_codes(), "{what}: codes");
        assert_eq!(got.terms(), wanted.terms(), "{what}: terms");
    }
}

/// Every listing about one id.
pub fn lists(id: Id) -> [List; 14] {
    [
        List::People(Id::of(id)),
        List::SystemUsers(Id::of(id)),
        List::OwnedApps(Id::of(id)),
        List::ConnectedApps(Id::of(id)),
        List::OwnedAssets(Id::of(id)),
        List::SharedAssets(Id::of(id)),
        List::InstalledApps(Id::of(id)),
        List::AssetsOf(Id::of(id)),
        List::UsersOn(Id::of(id)),
        List::PartnersOf(Id::of(id)),
        List::TokensOf(Id::of(id)),
        List::PageTokensOn(Id::of(id)),
        List::PasskeysOf(Id::of(id)),
        List::EntriesOf(Id::of(id)),
    ]
}
