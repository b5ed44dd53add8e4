//! One large business, for measurements of pages: people, partners, apps, system users, assets of six
//! kinds, assignments, shares and tokens. Each has an entry of its own in the ledger, as real ones have.
//!
//! It is written past the rules, since commands one by one would take too long. Nothing here is secret
//! or random, and the product must never use it.

use valetkey_domain::change::ActorKind;
use valetkey_domain::limits::Limits;
use valetkey_domain::noun::app::{App, Connection, Installation, SealedSecret};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::terms::Acceptance;
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{
    Action, Actor, AppId, AssetId, AssetKind, BusinessId, Change, ChangeSet, Id, IdKind, IdSource, Purpose, Record,
    Role, ScopeSet, Status, TokenId, UnixMs, UserId,
};
use valetkey_store::{Store, Write};

use crate::rows;
use crate::world::{self, title};

const DAY_MS: UnixMs = 24 * 60 * 60 * 1000;
/// How many entries of the ledger are committed together.
const WRITES_A_COMMIT: usize = 500;
/// So many assets share the first assignments of all system users, so that several work on each.
const BUSY_ASSETS: usize = 10;

/// How many of each.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub assets: usize,
    pub users: usize,
    /// A quarter of them are the first system user's.
    pub assignments: usize,
    pub tokens: usize,
    pub people: usize,
    pub partners: usize,
    /// Assets that are shared with partners; each partner shares one too.
    pub shares: usize,
    pub apps: usize,
}

/// The sizes that the design names, with a plausible number of everything else.
pub const LARGE: Sizes = Sizes {
    assets: 10_000,
    users: 500,
    assignments: 2_000,
    tokens: 1_000,
    people: 50,
    partners: 20,
    shares: 100,
    apps: 5,
};

/// The business before it is written.
#[derive(Debug)]
pub struct Large {
    pub business: BusinessId,
    /// An ADMIN person.
    pub admin: UserId,
    /// The system user with the most assignments; token number 0 is its own.
    pub user: UserId,
    /// A Page that this user may publish on.
    pub page: AssetId,
    sets: Vec<ChangeSet>,
}

impl Large {
    /// A business of this size that was made a month ago. Some of its tokens end soon.
    pub fn new(sizes: Sizes, now: UnixMs) -> Large {
        let at = now - 30 * DAY_MS;
        let mut ids = IdSource::new(1);
        let business: BusinessId = ids.next(IdKind::Business, at);
        let admin: UserId = ids.next(IdKind::Person, at);
        let mut draft = Draft { sizes, ids, at, now, business, admin, sets: Vec::new() };
        draft.add_people();
        let apps = draft.add_apps();
        let users = draft.add_users(&apps);
        let assets = draft.add_assets();
        draft.add_assignments(&users, &assets);
        draft.add_partners(&assets);
        draft.add_tokens(&users, &apps);
        Large { business, admin, user: users[0], page: assets[0], sets: draft.sets }
    }

    /// Writes it through the store's own commits.
    pub async fn write(&self, store: &dyn Store) -> anyhow::Result<()> {
        for sets in self.sets.chunks(WRITES_A_COMMIT) {
            let writes: Vec<Write> = sets.iter().cloned().map(rows::entry).collect::<Result<_, _>>()?;
            rows::commit(store, writes).await?;
        }
        Ok(())
    }
}

/// What is there so far.
struct Draft {
    sizes: Sizes,
    ids: IdSource,
    at: UnixMs,
    now: UnixMs,
    business: BusinessId,
    admin: UserId,
    sets: Vec<ChangeSet>,
}

impl Draft {
    fn put(&mut self, action: Action, subjects: &[Id], record: Record) {
        self.put_in(self.business, action, subjects, record);
    }

    fn put_in(&mut self, business: BusinessId, action: Action, subjects: &[Id], record: Record) {
        self.sets.push(ChangeSet {
            at: self.at,
            action,
            actor: Actor { kind: ActorKind::Person, id: Some(self.admin.any()), token: None },
            business: Some(business),
            subjects: subjects.to_vec(),
            changes: vec![Change { before: None, after: Some(record) }],
        });
    }

    fn business_record(&self, id: BusinessId, (what, n): (&str, usize)) -> Record {
        Record::Business(Business {
            id,
            name: title(what, n),
            created_at: self.at,
            accepted: Some(Acceptance { version: 1, person: self.admin, at: self.at }),
            limits: Limits::default(),
            strict_visibility: false,
            token_lifetime_limit_s: None,
            deleted_at: None,
        })
    }

    /// The business itself, and who works there.
    fn add_people(&mut self) {
        let (at, business) = (self.at, self.business);
        let record = self.business_record(business, ("Large business", 1));
        self.put(Action::BusinessCreated, &[business.any()], record);
        for n in 0..self.sizes.people {
            let id = if n == 0 { self.admin } else { self.ids.next(IdKind::Person, at) };
            let person = Person {
                id,
                business,
                name: title("Person", n),
                email: format!("person{n}@example.com"),
                role: if n == 0 { Role::Admin } else { Role::Employee },
                status: Status::Active,
                created_at: at,
                human: None,
            };
            self.put(Action::PersonCreated, &[id.any()], Record::Person(person));
        }
    }

    fn add_apps(&mut self) -> Vec<AppId> {
        let (at, business) = (self.at, self.business);
        let apps: Vec<AppId> = (0..self.sizes.apps).map(|_| self.ids.next(IdKind::App, at)).collect();
        for (n, app) in apps.iter().copied().enumerate() {
            let record = App {
                id: app,
                business,
                name: title("App", n),
                created_at: at,
                // Never opened: no measured page shows a secret.
                secret: SealedSecret(vec![0; 64]),
                previous_secret: None,
                allowed_scopes: ScopeSet::all(),
                demands_proof: false,
                deleted_at: None,
            };
            self.put(Action::AppCreated, &[app.any()], Record::App(record));
            let connection = Connection { business, app, created_at: at };
            self.put(Action::AppConnected, &[app.any()], Record::Connection(connection));
        }
        apps
    }

    fn add_users(&mut self, apps: &[AppId]) -> Vec<UserId> {
        let (at, business, admin) = (self.at, self.business, self.admin);
        let users: Vec<UserId> = (0..self.sizes.users).map(|_| self.ids.next(IdKind::SystemUser, at)).collect();
        for (n, id) in users.iter().copied().enumerate() {
            let user = SystemUser {
                id,
                business,
                name: title("Machine", n),
                role: if n % 50 == 1 { Role::Admin } else { Role::Employee },
                status: Status::Active,
                created_at: at,
                created_by: Some(admin),
                description: Some(Purpose::from(title("Counts every night what was sold in region", n))),
            };
            self.put(Action::SystemUserCreated, &[id.any()], Record::SystemUser(user));
            let app = apps[n % apps.len()];
            let installation = Installation { system_user: id, app, business, created_at: at };
            self.put(Action::AppInstalled, &[id.any(), app.any()], Record::Installation(installation));
        }
        users
    }

    fn asset(&mut self, business: BusinessId, kind: AssetKind, n: usize) -> AssetId {
        let id: AssetId = self.ids.next(kind.id_kind(), self.at);
        let name = title("Branch office", n);
        let asset = Asset { id, kind, business: Some(business), name, created_at: self.at, deleted_at: None };
        self.put_in(business, Action::AssetCreated, &[id.any()], Record::Asset(asset));
        id
    }

    fn add_assets(&mut self) -> Vec<AssetId> {
        (0..self.sizes.assets).map(|n| self.asset(self.business, kind(n), n)).collect()
    }

    /// A quarter for the first system user; the others have about as many as each other, the first of
    /// them on a busy asset.
    fn add_assignments(&mut self, users: &[UserId], assets: &[AssetId]) {
        let (created_at, business, created_by) = (self.at, self.business, Some(self.admin));
        let of_first = self.sizes.assignments / 4;
        let others = users.len() - 1;
        for n in 0..self.sizes.assignments {
            let (user, asset) = match n.checked_sub(of_first) {
                None => (0, n),
                Some(k) if k < others => (1 + k, k % BUSY_ASSETS),
                Some(k) => {
                    let spread = (1 + k % others) * 17 + k / others * 4_001;
                    (1 + k % others, of_first + spread % (assets.len() - of_first))
                }
            };
            let (user, asset) = (users[user], assets[asset]);
            // Every kind has a second task; that of Pages is the one to publish.
            let record = Assignment { user, asset, business, tasks: world::TASK.1, created_at, created_by };
            self.put(Action::Assigned, &[user.any(), asset.any()], Record::Assignment(record));
        }
    }

    /// Partners with whom assets are shared, and who share one each.
    fn add_partners(&mut self, assets: &[AssetId]) {
        let (created_at, business, by) = (self.at, self.business, self.admin);
        let partners: Vec<BusinessId> =
            (0..self.sizes.partners).map(|_| self.ids.next(IdKind::Business, created_at)).collect();
        let share = |asset, partner, created_by| {
            Record::Share(Share { asset, partner, tasks: world::TASK.1, created_at, created_by })
        };
        for (n, partner) in partners.iter().copied().enumerate() {
            let record = self.business_record(partner, ("Partner", n));
            self.put_in(partner, Action::BusinessCreated, &[partner.any()], record);
            let asset = self.asset(partner, AssetKind::Page, assets.len() + n);
            self.put_in(partner, Action::Shared, &[asset.any(), business.any()], share(asset, business, None));
        }
        for (n, asset) in assets.iter().copied().take(self.sizes.shares).enumerate() {
            let partner = partners[n % partners.len()];
            self.put(Action::Shared, &[asset.any(), partner.any()], share(asset, partner, Some(by)));
        }
    }

    /// Tokens of the system users in turn. A third never ends.
    fn add_tokens(&mut self, users: &[UserId], apps: &[AppId]) {
        let scopes = ScopeSet::of(&[world::SCOPE, "pages_read_engagement", "pages_show_list", "ads_read"]);
        for n in 0..self.sizes.tokens {
            let (user, app) = (n % users.len(), n % users.len() % apps.len());
            let (user, app) = (users[user], apps[app]);
            let id: TokenId = self.ids.next(IdKind::Token, self.at);
            let token = Token {
                id,
                digest: world::token_text(n).digest(),
                kind: TokenKind::SystemUser,
                user,
                business: self.business,
                app: Some(app),
                scopes,
                created_at: self.at,
                expires_at: (!n.is_multiple_of(3)).then_some(self.now + (n % 90 + 1) as UnixMs * DAY_MS),
                created_by: Some(self.admin),
                parent: None,
                page: None,
                revoked_at: None,
                purpose: Some(Purpose::from(title("Nightly job", n))),
                session: false,
            };
            self.put(Action::TokenIssued, &[id.any(), user.any(), app.any()], Record::Token(token));
        }
    }
}

/// Half of the assets are Pages, a third ad accounts, and the rest four other kinds.
fn kind(n: usize) -> AssetKind {
    match (n % 10, n / 10 % 3) {
        (0..=4, _) => AssetKind::Page,
        (5..=7, _) => AssetKind::AdAccount,
        (8, _) => AssetKind::Catalog,
        (_, 0) => AssetKind::Pixel,
        (_, 1) => AssetKind::InstagramAccount,
        (_, _) => AssetKind::WhatsappAccount,
    }
}

/// A small business of the same form, for tests.
#[cfg(test)]
pub const SMALL: Sizes =
    Sizes { assets: 100, users: 10, assignments: 40, tokens: 20, people: 3, partners: 2, shares: 4, apps: 2 };

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_records_have_one_key() {
        for sizes in [LARGE, SMALL] {
            let large = Large::new(sizes, world::NOW);
            let mut keys = HashSet::new();
            let mut assignments = 0;
            for change in large.sets.iter().flat_map(|set| &set.changes) {
                assert!(keys.insert(change.key()), "{change:?}");
                assignments += usize::from(matches!(change.after, Some(Record::Assignment(_))));
            }
            assert_eq!(assignments, sizes.assignments);
        }
    }
}
