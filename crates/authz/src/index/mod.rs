//! The index: every authority record of one revision, in memory, laid out for the check path.
//!
//! What a decision reads stands in small rows behind open tables (a handful of cache lines for a
//! check); everything else stands in ordered maps. Facts are indexed here, answers never: nothing
//! in the index may remember what was decided. See `docs/decisions/0001-index.md`.

mod arena;
mod fold;
mod humans;
mod loading;
mod rows;
mod state;
mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use valetkey_domain::credential::Digest;
use valetkey_domain::noun::app::{App, Connection, Installation};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::page_token::PageCounter;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::terms::Terms;
use valetkey_domain::noun::token::TokenKind;
use valetkey_domain::{
    AppId, AssetId, AssetKind, BusinessId, DeclaredKind, Id, Purpose, Status, TaskSet, TokenId, UserId,
};

use crate::question::Target;
use crate::view::{AppView, AssetView, Reach, Subject, TokenView, View};
use arena::Arena;
use humans::Humans;
pub use loading::Loading;
use rows::{AppRow, AssetEntry, BusinessRow, NONE, TokenRow, UserCold, UserRow, digest_hash};
use table::{PairTable, SlotEntry, SlotTable, Table, mix};

/// 512 shards: the memory of a further token is even, and one insert moves a few thousand entries
/// at most.
const TOKEN_SHARD_BITS: u32 = 9;

/// All authority records of one revision.
#[derive(Debug)]
pub struct Index {
    revision: u64,
    /// What made the index unfit to answer, if anything did.
    broken: Option<String>,
    tokens: Arena<TokenRow>,
    by_digest: SlotTable,
    token_ids: SlotTable,
    /// Parents that were not known when their child was folded, and the children by parent.
    late_parents: HashMap<u32, TokenId>,
    awaited: HashMap<TokenId, Vec<u32>>,
    revoked: HashMap<u32, i64>,
    /// What tokens are for, of those that say it: it costs other tokens nothing.
    purposes: HashMap<u32, Purpose>,
    users: Arena<UserRow>,
    user_colds: Arena<UserCold>,
    user_ids: SlotTable,
    installs: PairTable,
    assets: Table<AssetEntry>,
    asset_colds: Arena<Asset>,
    assignments: PairTable,
    shares: PairTable,
    apps: Vec<AppRow>,
    app_slots: HashMap<AppId, u32>,
    connections: PairTable,
    business_slots: HashMap<BusinessId, u32>,
    businesses: Vec<Business>,
    business_rows: Vec<BusinessRow>,
    records: Records,
}

/// The records that no check reads, in the order in which lists show them.
#[derive(Debug, Default)]
struct Records {
    terms: Option<Terms>,
    kinds: BTreeMap<AssetKind, DeclaredKind>,
    apps: BTreeMap<AppId, App>,
    connections: BTreeMap<(BusinessId, AppId), Connection>,
    installations: BTreeMap<(UserId, AppId), Installation>,
    assignments: BTreeMap<(UserId, AssetId), Assignment>,
    /// Asset, user.
    assigned_on: BTreeSet<(AssetId, UserId)>,
    shares: BTreeMap<(AssetId, BusinessId), Share>,
    /// Partner, asset.
    shared_with: BTreeSet<(BusinessId, AssetId)>,
    codes: BTreeMap<Digest, SignInCode>,
    humans: Humans,
    page_counters: BTreeMap<(TokenId, AssetId), PageCounter>,
    /// Slots of Page, business, user and token, of page tokens that are not revoked: whoever takes a
    /// path to a Page away finds its tokens here.
    page_tokens: BTreeSet<[u32; 4]>,
    /// Business, user.
    people: BTreeSet<(BusinessId, UserId)>,
    system_users: BTreeSet<(BusinessId, UserId)>,
    /// Business, asset.
    owned: BTreeSet<(BusinessId, AssetId)>,
}

impl Default for Index {
    fn default() -> Index {
        Index::new()
    }
}

impl Index {
    /// An index without records, at revision 0.
    pub fn new() -> Index {
        Index {
            revision: 0,
            broken: None,
            tokens: Arena::new(),
            by_digest: SlotTable::new(TOKEN_SHARD_BITS),
            token_ids: SlotTable::new(TOKEN_SHARD_BITS),
            late_parents: HashMap::new(),
            awaited: HashMap::new(),
            revoked: HashMap::new(),
            purposes: HashMap::new(),
            users: Arena::new(),
            user_colds: Arena::new(),
            user_ids: SlotTable::new(4),
            installs: PairTable::new(6),
            assets: Table::new(6),
            asset_colds: Arena::new(),
            assignments: PairTable::new(8),
            shares: PairTable::new(4),
            apps: Vec::new(),
            app_slots: HashMap::new(),
            connections: PairTable::new(2),
            business_slots: HashMap::new(),
            businesses: Vec::new(),
            business_rows: Vec::new(),
            records: Records::default(),
        }
    }

    /// The revision that the index shows.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Why the index may not be asked any more, if so: a change referred to something unknown.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Gathers the facts for a token: the check path. No allocation, no lock of its own.
    #[inline]
    pub fn gather(&self, digest: &Digest, target: Target) -> View {
        // The asset is looked up first: it does not depend on the token, so the processor can wait
        // for both lines at once.
        let entry = match target {
            Target::Asset(id) => self.assets.find(id.get(), |_| true),
            Target::Nothing | Target::Alive | Target::Business(_) => None,
        };
        let mut view = View { revision: self.revision, subject: Subject::Unknown, asset: None };
        let Some(row) = self.row_by_digest(digest) else {
            return view;
        };
        // The assignment needs the user's place alone, so it is looked up before the user is read.
        let assigned = entry.and_then(|e| self.assignments.value(row.user, e.slot)).unwrap_or(0);
        let Some(user) = self.users.get(row.user) else {
            return view;
        };
        view.asset = entry.map(|e| self.asset_view(e, user.business, assigned));
        view.subject = Subject::Token(self.token_view(row, user));
        view
    }

    fn row_by_digest(&self, digest: &Digest) -> Option<&TokenRow> {
        let is_it = |e: &SlotEntry| self.tokens.get(e.slot()).is_some_and(|row| row.digest == *digest);
        let entry = self.by_digest.find(digest_hash(digest), is_it)?;
        self.tokens.get(entry.slot())
    }

    fn token_view(&self, row: &TokenRow, user: &UserRow) -> TokenView {
        let business = self.business_rows.get(user.business as usize);
        // A user without a business can't be; the smallest id stands for it and owns nothing.
        let business_id = business.map_or(Id::MIN, |b| b.id);
        let app = self.apps.get(row.app as usize).map(|app| AppView {
            id: app.id,
            business: business_id,
            connected: if app.home == user.business {
                app.at_home
            } else {
                self.connections.value(user.business, row.app).is_some()
            },
            demands_proof: app.demands_proof,
            allowed_scopes: app.allowed_scopes,
        });
        let installed = row.app == NONE || user.is_person || self.is_installed(user, row.user, row.app);
        let page = self.asset_colds.get(row.page).map(|a| a.id);
        TokenView {
            id: row.id,
            kind: row.kind(),
            user: user.id,
            business: business_id,
            role: user.role,
            status: if business.is_some() { user.status } else { Status::Deleted },
            strict_visibility: business.is_some_and(|b| b.strict_visibility),
            app,
            installed,
            scopes: row.scopes,
            expires_at: row.expires_at(),
            revoked_at: row.is_revoked().then(|| self.revoked_at(row)).flatten(),
            parent_dead: row.kind() == TokenKind::Page && self.parent_dead(row),
            page,
        }
    }

    #[inline]
    fn is_installed(&self, user: &UserRow, user_slot: u32, app: u32) -> bool {
        user.apps.contains(&app) || user.more_apps && self.installs.value(user_slot, app).is_some()
    }

    fn revoked_at(&self, row: &TokenRow) -> Option<i64> {
        let slot = self.token_slot(row.id)?;
        // The mark in the row decides; the time is only shown.
        Some(self.revoked.get(&slot).copied().unwrap_or(0))
    }

    fn parent_dead(&self, row: &TokenRow) -> bool {
        self.tokens.get(row.parent).is_none_or(TokenRow::is_revoked)
    }

    fn asset_view(&self, entry: AssetEntry, business: u32, assigned: u32) -> AssetView {
        let reach = if entry.owner == business && business != NONE {
            Reach::Owned
        } else {
            self.shares.value(entry.slot, business).map_or(Reach::None, |tasks| Reach::Shared(TaskSet(tasks)))
        };
        AssetView { id: entry.id(), kind: entry.kind, reach, assigned: TaskSet(assigned) }
    }

    fn token_slot(&self, id: TokenId) -> Option<u32> {
        let is_it = |e: &SlotEntry| self.tokens.get(e.slot()).is_some_and(|row| row.id == id);
        self.token_ids.find(mix(id.get()), is_it).map(SlotEntry::slot)
    }

    fn user_slot(&self, id: UserId) -> Option<u32> {
        let is_it = |e: &SlotEntry| self.users.get(e.slot()).is_some_and(|row| row.id == id);
        self.user_ids.find(mix(id.get()), is_it).map(SlotEntry::slot)
    }

    fn asset_slot(&self, id: AssetId) -> Option<u32> {
        self.assets.find(id.get(), |_| true).map(|e| e.slot)
    }

    /// Bytes that the tokens take, tables included: for measurements.
    pub fn token_bytes(&self) -> usize {
        self.tokens.allocated_bytes() + self.by_digest.allocated_bytes() + self.token_ids.allocated_bytes()
    }
}
