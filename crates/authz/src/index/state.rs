//! The index as a [`State`]: what rules and lists read.

use valetkey_domain::credential::Digest;
use valetkey_domain::noun::human::Human;
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::token::Token;
use valetkey_domain::{
    AssetId, AssetKind, BusinessId, DeclaredKind, HumanId, Id, List, PasskeyId, Record, RecordKey, State, TokenId,
    UserId,
};

use super::Index;
use super::rows::{NONE, TokenRow, UserRecord};

impl State for Index {
    fn record(&self, key: RecordKey) -> Option<Record> {
        let r = &self.records;
        match key {
            RecordKey::Business(id) => {
                let slot = *self.business_slots.get(&id)?;
                self.businesses.get(slot as usize).cloned().map(Record::Business)
            }
            RecordKey::Person(id) => match &self.user_colds.get(self.user_slot(id)?)?.record {
                UserRecord::Person(person) => Some(Record::Person(person.clone())),
                UserRecord::SystemUser(_) => None,
            },
            RecordKey::SystemUser(id) => match &self.user_colds.get(self.user_slot(id)?)?.record {
                UserRecord::SystemUser(user) => Some(Record::SystemUser(user.clone())),
                UserRecord::Person(_) => None,
            },
            RecordKey::App(id) => r.apps.get(&id).cloned().map(Record::App),
            RecordKey::Connection(business, app) => {
                r.connections.get(&(business, app)).cloned().map(Record::Connection)
            }
            RecordKey::Installation(user, app) => r.installations.get(&(user, app)).cloned().map(Record::Installation),
            RecordKey::DeclaredKind(kind) => r.kinds.get(&kind).cloned().map(Record::DeclaredKind),
            RecordKey::Asset(id) => {
                let asset = self.asset_colds.get(self.asset_slot(id)?)?;
                (asset.kind != AssetKind::App).then(|| Record::Asset(asset.clone()))
            }
            RecordKey::Assignment(user, asset) => r.assignments.get(&(user, asset)).cloned().map(Record::Assignment),
            RecordKey::Share(asset, partner) => r.shares.get(&(asset, partner)).cloned().map(Record::Share),
            RecordKey::Token(id) => {
                let slot = self.token_slot(id)?;
                self.token_of(slot, self.tokens.get(slot)?).map(Record::Token)
            }
            RecordKey::PageCounter(parent, page) => {
                r.page_counters.get(&(parent, page)).cloned().map(Record::PageCounter)
            }
            RecordKey::SignInCode(digest) => r.codes.get(&digest).cloned().map(Record::SignInCode),
            RecordKey::Terms => r.terms.clone().map(Record::Terms),
            RecordKey::Human(id) => r.humans.get(id).cloned().map(Record::Human),
            RecordKey::Passkey(id) => r.humans.get_passkey(id).cloned().map(Record::Passkey),
        }
    }

    fn token_by_digest(&self, digest: &Digest) -> Option<Token> {
        let row = self.row_by_digest(digest)?;
        self.token_of(self.token_slot(row.id)?, row)
    }

    fn declared_kinds(&self) -> Vec<DeclaredKind> {
        self.records.kinds.values().cloned().collect()
    }

    fn sign_in_codes(&self) -> Vec<SignInCode> {
        self.records.codes.values().cloned().collect()
    }

    fn list(&self, list: List) -> Vec<Id> {
        let r = &self.records;
        match list {
            List::Businesses => {
                let live = self.businesses.iter().filter(|business| business.deleted_at.is_none());
                let mut ids: Vec<Id> = live.map(|business| business.id.any()).collect();
                ids.sort_unstable();
                ids
            }
            List::People(b) => second(r.people.range((b, Id::MIN)..=(b, Id::MAX))),
            List::SystemUsers(b) => second(r.system_users.range((b, Id::MIN)..=(b, Id::MAX))),
            List::OwnedApps(b) => {
                let own = r.apps.values().filter(|a| a.business == b && a.deleted_at.is_none());
                own.map(|a| a.id.any()).collect()
            }
            List::ConnectedApps(b) => second(r.connections.range((b, Id::MIN)..=(b, Id::MAX)).map(|(k, _)| k)),
            List::OwnedAssets(b) => second(r.owned.range((b, Id::MIN)..=(b, Id::MAX))),
            List::SharedAssets(b) => second(r.shared_with.range((b, Id::MIN)..=(b, Id::MAX))),
            List::InstalledApps(u) => second(r.installations.range((u, Id::MIN)..=(u, Id::MAX)).map(|(k, _)| k)),
            List::AssetsOf(u) => second(r.assignments.range((u, Id::MIN)..=(u, Id::MAX)).map(|(k, _)| k)),
            List::UsersOn(a) => second(r.assigned_on.range((a, Id::MIN)..=(a, Id::MAX))),
            List::PartnersOf(a) => second(r.shares.range((a, Id::MIN)..=(a, Id::MAX)).map(|(k, _)| k)),
            List::TokensOf(u) => self.tokens_of_user(u),
            List::PageTokensOn(page) => self.page_tokens(self.asset_slot(page), None),
            List::PageTokensIn { page, business } => {
                let business = self.business_slots.get(&business).copied();
                business.map_or_else(Vec::new, |b| self.page_tokens(self.asset_slot(page), Some((b, None))))
            }
            List::PageTokensOf { page, user } => {
                let slot = self.user_slot(user);
                let place = slot.and_then(|s| Some((self.users.get(s)?.business, Some(s))));
                place.map_or_else(Vec::new, |place| self.page_tokens(self.asset_slot(page), Some(place)))
            }
            List::PasskeysOf(human) => second(r.humans.passkeys_of(human)),
            List::EntriesOf(human) => second(r.humans.entries_of(human)),
        }
    }

    fn exists(&self, id: Id) -> bool {
        self.business_slots.contains_key(&BusinessId::of(id))
            || self.user_slot(UserId::of(id)).is_some()
            || self.asset_slot(AssetId::of(id)).is_some()
            || self.token_slot(TokenId::of(id)).is_some()
            || self.records.humans.get(HumanId::of(id)).is_some()
            || self.records.humans.get_passkey(PasskeyId::of(id)).is_some()
    }

    fn human_by_email(&self, email: &str) -> Option<Human> {
        self.records.humans.by_email(email).cloned()
    }

    fn passkey_by_credential(&self, digest: &Digest) -> Option<Passkey> {
        self.records.humans.by_credential(digest).cloned()
    }

    fn people_without_human(&self, email: &str) -> Vec<UserId> {
        self.records.humans.without(email)
    }
}

impl Index {
    fn token_of(&self, slot: u32, row: &TokenRow) -> Option<Token> {
        let user = self.users.get(row.user)?;
        let parent = self.tokens.get(row.parent).map(|p| p.id);
        Some(Token {
            id: row.id,
            digest: row.digest,
            kind: row.kind(),
            user: user.id,
            business: self.businesses.get(user.business as usize)?.id,
            app: self.apps.get(row.app as usize).map(|a| a.id),
            scopes: row.scopes,
            created_at: row.created_at(),
            expires_at: row.expires_at(),
            created_by: self.users.get(row.creator).map(|u| u.id),
            parent: parent.or_else(|| self.late_parents.get(&slot).copied()),
            page: self.asset_colds.get(row.page).map(|a| a.id),
            revoked_at: self.revoked.get(&slot).copied(),
            purpose: self.purposes.get(&slot).cloned(),
            session: row.is_session(),
        })
    }

    /// Page tokens of a Page, and within it of a business, and within that of a user.
    fn page_tokens(&self, page: Option<u32>, within: Option<(u32, Option<u32>)>) -> Vec<Id> {
        let Some(page) = page else { return Vec::new() };
        let (first, last) = match within {
            None => ([page, 0, 0, 0], [page, NONE, NONE, NONE]),
            Some((business, None)) => ([page, business, 0, 0], [page, business, NONE, NONE]),
            Some((business, Some(user))) => ([page, business, user, 0], [page, business, user, NONE]),
        };
        let slots = self.records.page_tokens.range(first..=last).map(|entry| entry[3]);
        let mut ids: Vec<Id> = slots.filter_map(|slot| self.tokens.get(slot)).map(|row| row.id.any()).collect();
        ids.sort_unstable();
        ids
    }

    fn tokens_of_user(&self, user: UserId) -> Vec<Id> {
        let first = self.user_slot(user).and_then(|s| self.user_colds.get(s)).map_or(NONE, |c| c.first_token);
        let rows = std::iter::successors(self.tokens.get(first), |row| self.tokens.get(row.next));
        let mut ids: Vec<Id> = rows.map(|row| row.id.any()).collect();
        ids.sort_unstable();
        ids
    }
}

fn second<'a, A: 'a, B: 'a>(pairs: impl Iterator<Item = &'a (Id<A>, Id<B>)>) -> Vec<Id> {
    pairs.map(|(_, id)| id.any()).collect()
}
