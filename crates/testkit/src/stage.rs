//! The facts of the decision tables, as records in a store: a view becomes records, so that a service
//! that loads the store, and the adapters above it, can be asked the same questions as `decide`.
//!
//! The facts are written without the rules, because the tables also hold facts that no rule makes.
//! Each case has its own records, so one store holds all cases.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use valetkey_authz::tables::{Ids, NOW, warehouse};
use valetkey_authz::{AppView, AssetView, Reach, Subject, TokenView, View};
use valetkey_domain::change::ActorKind;
use valetkey_domain::credential::{CredentialKind, CredentialText, RANDOM_BYTES, app_secret_proof};
use valetkey_domain::limits::Limits;
use valetkey_domain::noun::app::{App, Connection, Installation, SealedSecret};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{
    Action, Actor, AppId, AssetId, AssetKind, BusinessId, Change, ChangeSet, Id, IdKind, IdSource, Name, Random,
    Record, Role, ScopeSet, Status, TaskSet, UserId,
};
use valetkey_seal::KeyRing;
use valetkey_store::{Batch, Outcome, Store, Write};

use crate::random::SeededRandom;

/// The app secret of every case.
const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// The purpose that app secrets are sealed for. It is part of every stored secret, so it can't change.
const PURPOSE: &str = "app-secret";
/// How many cases one commit holds.
const BATCH: usize = 100;

/// Who asks, and about what.
#[derive(Debug, Clone)]
pub struct Staged {
    pub ids: Ids,
    /// The text of the credential; none for the operator.
    pub credential: Option<String>,
}

impl Staged {
    /// The proof that the app demands for this credential.
    pub fn proof(&self) -> String {
        app_secret_proof(SECRET.as_bytes(), self.credential.as_deref().unwrap_or_default())
    }
}

/// Makes facts, and keeps them until they are written.
pub struct Stage {
    keys: KeyRing,
    ids: IdSource,
    random: SeededRandom,
    writes: Vec<Write>,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("writes", &self.writes.len()).finish_non_exhaustive()
    }
}

impl Stage {
    pub fn new(keys: KeyRing) -> Stage {
        let mut stage = Stage { keys, ids: IdSource::new(1), random: SeededRandom::new(1), writes: Vec::new() };
        stage.put(None, vec![Record::DeclaredKind(warehouse())]);
        stage
    }

    /// Makes the facts of a view. They are in the store once [`Stage::write`] has run.
    ///
    /// # Errors
    /// Why no records can express this view.
    pub fn set(&mut self, view: &View) -> Result<Staged, &'static str> {
        let kind = view.asset.map_or(AssetKind::Page, |a| a.kind);
        let ids = self.draw(kind, matches!(&view.subject, Subject::Token(t) if is_person(t)));
        let mut records: Vec<Record> = [ids.business, ids.other_business].map(business).to_vec();
        let credential = match &view.subject {
            Subject::Malformed => Some("vkeysu_cut_off".to_owned()),
            Subject::Unknown => Some(self.text(CredentialKind::SystemUser).reveal().to_owned()),
            Subject::Operator => None,
            Subject::App(app) => {
                records.extend(self.app(&ids, app));
                Some(format!("{}|{SECRET}", ids.app))
            }
            Subject::Token(token) => {
                // If a case is about an app as an asset, the calling app is another one.
                if let Some(app) = &token.app {
                    records.extend(self.app(&ids, app));
                }
                if token.page.is_some() && view.asset.is_none() {
                    records.push(asset(ids.asset, AssetKind::Page, ids.business));
                }
                Some(self.token(&mut records, &ids, token)?)
            }
        };
        if let Some(asset) = &view.asset {
            // Without a known caller there is no user to assign.
            let user_is_there = matches!(view.subject, Subject::Token(_));
            self.asset(&mut records, &ids, asset, user_is_there);
        }
        if let Record::Business(own) = &mut records[0] {
            own.strict_visibility = matches!(&view.subject, Subject::Token(t) if t.strict_visibility);
        }
        self.put(Some(ids.business), records);
        Ok(Staged { ids, credential })
    }

    /// Writes everything that was set.
    pub async fn write(self, store: &dyn Store) {
        for (number, writes) in self.writes.chunks(BATCH).enumerate() {
            let batch = Batch { commit_id: (number as u128 + 1).to_be_bytes(), writes: writes.to_vec() };
            let outcomes = store.lock_head().await.unwrap().commit(batch).await.unwrap();
            assert!(outcomes.iter().all(|o| matches!(o, Outcome::Applied { .. })));
        }
    }

    fn draw(&mut self, kind: AssetKind, is_person: bool) -> Ids {
        let ids = &mut self.ids;
        let user = if is_person { IdKind::Person } else { IdKind::SystemUser };
        Ids {
            business: ids.next(IdKind::Business, NOW),
            other_business: ids.next(IdKind::Business, NOW),
            user: ids.next(user, NOW),
            other_user: ids.next(IdKind::SystemUser, NOW),
            app: ids.next(IdKind::App, NOW),
            asset: ids.next(kind.id_kind(), NOW),
            other_asset: ids.next(kind.id_kind(), NOW),
            token: ids.next(IdKind::Token, NOW),
        }
    }

    fn text(&mut self, kind: CredentialKind) -> CredentialText {
        let mut bytes = [0u8; RANDOM_BYTES];
        self.random.fill(&mut bytes);
        CredentialText::from_random(kind, &bytes)
    }

    fn sealed(&self, app: AppId) -> SealedSecret {
        SealedSecret(self.keys.seal(PURPOSE, app.get(), SECRET.as_bytes()).unwrap().to_bytes())
    }

    fn app_record(&self, id: AppId, business: BusinessId, demands_proof: bool, allowed_scopes: ScopeSet) -> Record {
        Record::App(App {
            id,
            business,
            name: name("App"),
            created_at: NOW,
            secret: self.sealed(id),
            previous_secret: None,
            allowed_scopes,
            demands_proof,
            deleted_at: None,
        })
    }

    fn app(&self, ids: &Ids, app: &AppView) -> Vec<Record> {
        let record = self.app_record(ids.app, ids.business, app.demands_proof, app.allowed_scopes);
        let connection = Connection { business: ids.business, app: ids.app, created_at: NOW };
        [record].into_iter().chain(app.connected.then_some(Record::Connection(connection))).collect()
    }

    /// The user and its token; gives the token's text.
    fn token(&mut self, records: &mut Vec<Record>, ids: &Ids, token: &TokenView) -> Result<String, &'static str> {
        let app = token.app.map(|_| ids.app);
        records.push(user(ids, token));
        if !is_person(token) && token.installed && app.is_some() {
            let (system_user, business) = (ids.user, ids.business);
            records.push(Record::Installation(Installation { system_user, app: ids.app, business, created_at: NOW }));
        }
        let mut record = Token {
            id: ids.token,
            digest: self.text(CredentialKind::SystemUser).digest(),
            kind: token.kind,
            user: ids.user,
            business: ids.business,
            app,
            scopes: token.scopes,
            created_at: NOW - 10,
            expires_at: token.expires_at,
            created_by: None,
            parent: None,
            page: None,
            revoked_at: token.revoked_at,
            purpose: None,
            session: false,
        };
        if token.kind == TokenKind::Page {
            let parent = Token {
                id: self.ids.next(IdKind::Token, NOW),
                kind: TokenKind::SystemUser,
                expires_at: None,
                revoked_at: token.parent_dead.then_some(NOW - 1),
                ..record.clone()
            };
            let own = token.page == Some(Ids::of_tables().asset);
            record.page = Some(if own { ids.asset } else { ids.other_asset });
            record.parent = Some(parent.id);
            if !own {
                records.push(asset(ids.other_asset, AssetKind::Page, ids.business));
            }
            records.push(Record::Token(parent));
        } else if token.parent_dead {
            return Err("only a token of a Page ends with its parent");
        }
        let text = self.text(match token.kind {
            TokenKind::SystemUser => CredentialKind::SystemUser,
            TokenKind::Page => CredentialKind::Page,
            TokenKind::User => CredentialKind::User,
        });
        record.digest = text.digest();
        records.push(Record::Token(record));
        Ok(text.reveal().to_owned())
    }

    fn asset(&self, records: &mut Vec<Record>, ids: &Ids, view: &AssetView, user_is_there: bool) {
        let owner = if view.reach == Reach::Owned { ids.business } else { ids.other_business };
        records.push(if view.kind == AssetKind::App {
            self.app_record(AppId::of(ids.asset.any()), owner, false, ScopeSet::all())
        } else {
            asset(ids.asset, view.kind, owner)
        });
        if let Reach::Shared(tasks) = view.reach {
            let partner = ids.business;
            records.push(Record::Share(Share { asset: ids.asset, partner, tasks, created_at: NOW, created_by: None }));
        }
        if user_is_there && view.assigned != TaskSet::EMPTY {
            records.push(Record::Assignment(Assignment {
                user: ids.user,
                asset: ids.asset,
                business: ids.business,
                tasks: view.assigned,
                created_at: NOW,
                created_by: None,
            }));
        }
    }

    fn put(&mut self, business: Option<BusinessId>, records: Vec<Record>) {
        let changes = records.into_iter().map(|record| Change { before: None, after: Some(record) }).collect();
        let actor = Actor { kind: ActorKind::Operator, id: None, token: None };
        let action = Action::BusinessCreated;
        let set = ChangeSet {
            at: NOW,
            action,
            actor,
            business,
            subjects: business.map(Id::any).into_iter().collect(),
            changes,
        };
        self.writes.push(Write { set, content: Vec::new(), jobs: Vec::new(), salt: [7; 16] });
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn business(id: BusinessId) -> Record {
    Record::Business(Business {
        id,
        name: name("Business"),
        created_at: NOW,
        accepted: None,
        limits: Limits::default(),
        strict_visibility: false,
        token_lifetime_limit_s: None,
        deleted_at: None,
    })
}

fn asset(id: AssetId, kind: AssetKind, owner: BusinessId) -> Record {
    Record::Asset(Asset { id, kind, business: Some(owner), name: name("Asset"), created_at: NOW, deleted_at: None })
}

/// A person's tokens have no app, and neither do its page tokens.
fn is_person(token: &TokenView) -> bool {
    token.kind == TokenKind::User || token.app.is_none()
}

fn user(ids: &Ids, token: &TokenView) -> Record {
    let (id, business, role, status): (UserId, BusinessId, Role, Status) =
        (ids.user, ids.business, token.role, token.status);
    if is_person(token) {
        let email = format!("p{id}@example.com");
        let (name, human) = (name("Person"), None);
        return Record::Person(Person { id, business, name, email, role, status, created_at: NOW, human });
    }
    let (name, description) = (name("System user"), None);
    Record::SystemUser(SystemUser { id, business, name, role, status, created_at: NOW, created_by: None, description })
}
