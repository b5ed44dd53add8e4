//! Folding: how a change set becomes part of the index.
//!
//! A change set is folded as a whole while nobody reads. A change that refers to something unknown
//! marks the index broken, and a broken index is not asked any more: it must never guess.

use valetkey_domain::noun::app::App;
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::token::Token;
use valetkey_domain::task::expanded;
use valetkey_domain::{
    AppId, AssetId, BusinessId, Change, ChangeSet, DeclaredKind, Record, Role, ScopeSet, Status, UserId,
};

use super::Index;
use super::rows::{AppRow, AssetEntry, BusinessRow, NONE, TokenRow, UserCold, UserRecord, UserRow, digest_hash};
use super::table::{SlotEntry, mix};

/// What an app demands of its tokens and may ask for; a deleted one nothing.
struct AppCap {
    demands_proof: bool,
    allowed_scopes: ScopeSet,
}

impl AppCap {
    fn of(app: &App) -> AppCap {
        match app.deleted_at {
            None => AppCap { demands_proof: app.demands_proof, allowed_scopes: app.allowed_scopes },
            Some(_) => AppCap { demands_proof: false, allowed_scopes: ScopeSet::EMPTY },
        }
    }
}

impl Index {
    /// Applies one change set. The caller holds the index alone for exactly this.
    pub fn fold(&mut self, revision: u64, set: &ChangeSet) {
        for Change { before, after } in &set.changes {
            match (before, after) {
                (_, Some(record)) => self.insert(record.clone()),
                (Some(record), None) => self.remove(record),
                (None, None) => self.breaks("a change without records"),
            }
        }
        self.revision = revision;
    }

    /// Puts one record, new or changed.
    pub fn insert(&mut self, record: Record) {
        match record {
            Record::Terms(terms) => self.records.terms = Some(terms),
            Record::DeclaredKind(kind) => self.put_kind(kind),
            Record::Business(business) => {
                // A deleted business has no rules any more.
                let strict_visibility = business.strict_visibility && business.deleted_at.is_none();
                let row = BusinessRow { id: business.id, strict_visibility };
                match self.business_slots.get(&business.id).copied() {
                    Some(slot) => {
                        self.business_rows[slot as usize] = row;
                        self.businesses[slot as usize] = business;
                    }
                    None => {
                        self.business_slots.insert(business.id, self.businesses.len() as u32);
                        self.business_rows.push(row);
                        self.businesses.push(business);
                    }
                }
            }
            Record::Human(human) => self.records.humans.put(human),
            Record::Passkey(passkey) => {
                if !self.records.humans.put_passkey(passkey) {
                    self.breaks("a passkey of an unknown human");
                }
            }
            Record::Person(person) => {
                self.list_entry(&person);
                self.records.people.insert((person.business, person.id));
                self.put_user(person.id, person.business, person.role, person.status, UserRecord::Person(person));
            }
            Record::SystemUser(user) => {
                self.records.system_users.insert((user.business, user.id));
                self.put_user(user.id, user.business, user.role, user.status, UserRecord::SystemUser(user));
            }
            Record::App(app) => {
                self.put_asset(app.as_asset());
                let cap = AppCap::of(&app);
                match self.app_slots.get(&app.id).copied() {
                    Some(slot) => {
                        let row = &mut self.apps[slot as usize];
                        row.demands_proof = cap.demands_proof;
                        row.allowed_scopes = cap.allowed_scopes;
                    }
                    None => {
                        self.app_slots.insert(app.id, self.apps.len() as u32);
                        let home = self.business_slots.get(&app.business).copied().unwrap_or(NONE);
                        let AppCap { demands_proof, allowed_scopes } = cap;
                        self.apps.push(AppRow { id: app.id, home, at_home: false, demands_proof, allowed_scopes });
                    }
                }
                self.records.apps.insert(app.id, app);
            }
            Record::Connection(connection) => match self.business_and_app(connection.business, connection.app) {
                Some((business, app)) => {
                    self.set_connected(business, app, true);
                    self.records.connections.insert((connection.business, connection.app), connection);
                }
                None => self.breaks("a connection of an unknown business or app"),
            },
            Record::Installation(installation) => {
                self.put_install(installation.system_user, installation.app);
                self.records.installations.insert((installation.system_user, installation.app), installation);
            }
            Record::Asset(asset) => {
                self.put_asset(asset);
            }
            Record::Assignment(assignment) => self.put_assignment(assignment),
            Record::Share(share) => self.put_share(share),
            Record::Token(token) => self.put_token(&token),
            Record::PageCounter(counter) => {
                self.records.page_counters.insert((counter.parent, counter.page), counter);
            }
            Record::SignInCode(code) => {
                self.records.codes.insert(code.digest, code);
            }
        }
    }

    fn remove(&mut self, record: &Record) {
        match record {
            Record::Connection(c) => {
                if let Some((business, app)) = self.business_and_app(c.business, c.app) {
                    self.set_connected(business, app, false);
                }
                self.records.connections.remove(&(c.business, c.app));
            }
            Record::Installation(i) => {
                self.remove_install(i.system_user, i.app);
                self.records.installations.remove(&(i.system_user, i.app));
            }
            Record::Assignment(a) => {
                if let (Some(user), Some(asset)) = (self.user_slot(a.user), self.asset_slot(a.asset)) {
                    self.assignments.unset(user, asset);
                }
                self.records.assignments.remove(&(a.user, a.asset));
                self.records.assigned_on.remove(&(a.asset, a.user));
            }
            Record::Share(s) => {
                if let (Some(asset), Some(partner)) = (self.asset_slot(s.asset), self.business_slots.get(&s.partner)) {
                    self.shares.unset(asset, *partner);
                }
                self.records.shares.remove(&(s.asset, s.partner));
                self.records.shared_with.remove(&(s.partner, s.asset));
            }
            Record::SignInCode(c) => {
                self.records.codes.remove(&c.digest);
            }
            Record::Human(h) => self.records.humans.remove(h.id),
            Record::Passkey(p) => self.records.humans.remove_passkey(p.id),
            // Everything else is marked, never removed. A removal comes from a newer program.
            Record::Terms(_)
            | Record::DeclaredKind(_)
            | Record::Business(_)
            | Record::Person(_)
            | Record::SystemUser(_)
            | Record::App(_)
            | Record::Asset(_)
            | Record::Token(_)
            | Record::PageCounter(_) => self.breaks("a removal of a record that this version never removes"),
        }
    }

    fn set_connected(&mut self, business: u32, app: u32, connected: bool) {
        match self.apps.get_mut(app as usize).filter(|row| row.home == business) {
            Some(row) => row.at_home = connected,
            None if connected => {
                self.connections.set(business, app, 1);
            }
            None => {
                self.connections.unset(business, app);
            }
        }
    }

    fn breaks(&mut self, what: &str) {
        self.broken.get_or_insert_with(|| what.to_owned());
    }

    fn business_and_app(&self, business: BusinessId, app: AppId) -> Option<(u32, u32)> {
        Some((*self.business_slots.get(&business)?, *self.app_slots.get(&app)?))
    }

    /// Keeps the entries of humans in step with a person.
    fn list_entry(&mut self, person: &Person) {
        let slot = self.user_slot(person.id);
        let before = match slot.and_then(|slot| self.user_colds.get(slot)).map(|cold| &cold.record) {
            Some(UserRecord::Person(before)) => Some(before),
            Some(UserRecord::SystemUser(_)) | None => None,
        };
        if !self.records.humans.put_entry(before, person) {
            self.breaks("an entry of an unknown human");
        }
    }

    fn put_user(&mut self, id: UserId, business: BusinessId, role: Role, status: Status, record: UserRecord) {
        let Some(business) = self.business_slots.get(&business).copied() else {
            return self.breaks("a user of an unknown business");
        };
        if let Some(slot) = self.user_slot(id) {
            if let Some(row) = self.users.get_mut(slot) {
                *row = UserRow { business, role, status, ..row.clone() };
            }
            if let Some(cold) = self.user_colds.get_mut(slot) {
                cold.record = record;
            }
            return;
        }
        let is_person = matches!(record, UserRecord::Person(_));
        let row = UserRow { id, business, role, status, is_person, more_apps: false, apps: [NONE; 4] };
        let hot = self.users.push(row);
        let cold = self.user_colds.push(UserCold { record, first_token: NONE });
        match hot.filter(|slot| Some(*slot) == cold).and_then(|slot| SlotEntry::new(mix(id.get()), slot)) {
            Some(entry) => {
                self.user_ids.insert(mix(id.get()), entry, |_| false);
            }
            None => self.breaks("more users than the index can hold"),
        }
    }

    fn put_install(&mut self, user: UserId, app: AppId) {
        let (Some(slot), Some(app)) = (self.user_slot(user), self.app_slots.get(&app).copied()) else {
            return self.breaks("an installation on an unknown user or of an unknown app");
        };
        let Some(row) = self.users.get_mut(slot) else { return };
        if row.apps.contains(&app) {
            return;
        }
        match row.apps.iter_mut().find(|place| **place == NONE) {
            Some(place) => *place = app,
            None => {
                row.more_apps = true;
                self.installs.set(slot, app, 1);
            }
        }
    }

    fn remove_install(&mut self, user: UserId, app: AppId) {
        let (Some(slot), Some(app)) = (self.user_slot(user), self.app_slots.get(&app).copied()) else { return };
        self.installs.unset(slot, app);
        if let Some(row) = self.users.get_mut(slot)
            && let Some(place) = row.apps.iter_mut().find(|place| **place == app)
        {
            *place = NONE;
        }
    }

    fn put_asset(&mut self, asset: Asset) -> Option<()> {
        let owner = match asset.business {
            Some(business) => match self.business_slots.get(&business) {
                Some(slot) => *slot,
                None => {
                    self.breaks("an asset of an unknown business");
                    return None;
                }
            },
            None => NONE,
        };
        // A deleted asset keeps its place, so that its id is never drawn again; nobody reaches it.
        let is_deleted = asset.deleted_at.is_some();
        let owner = if is_deleted { NONE } else { owner };
        let (id, kind) = (asset.id, asset.kind);
        let is_app = kind == valetkey_domain::AssetKind::App;
        let slot = match self.asset_slot(id) {
            Some(slot) => {
                let old = self.asset_colds.get_mut(slot)?;
                if let Some(before) = old.business {
                    self.records.owned.remove(&(before, id));
                }
                *old = asset.clone();
                slot
            }
            None => match self.asset_colds.push(asset.clone()) {
                Some(slot) => slot,
                None => {
                    self.breaks("more assets than the index can hold");
                    return None;
                }
            },
        };
        if let Some(business) = asset.business.filter(|_| !is_app && !is_deleted) {
            self.records.owned.insert((business, id));
        }
        self.assets.insert(id.get(), AssetEntry::new(id, owner, slot, kind), |_| true);
        Some(())
    }

    fn put_assignment(&mut self, assignment: Assignment) {
        let listed = (assignment.asset, assignment.user);
        if self.place_assignment(assignment) {
            self.records.assigned_on.insert(listed);
        }
    }

    /// All of an assignment but its place in the list of users on the asset. Says whether it fits.
    pub(super) fn place_assignment(&mut self, assignment: Assignment) -> bool {
        let (Some(user), Some(entry)) =
            (self.user_slot(assignment.user), self.assets.find(assignment.asset.get(), |_| true))
        else {
            self.breaks("an assignment of an unknown user or asset");
            return false;
        };
        let tasks = expanded(entry.kind, self.records.kinds.get(&entry.kind), assignment.tasks);
        self.assignments.set(user, entry.slot, tasks.0);
        self.records.assignments.insert((assignment.user, assignment.asset), assignment);
        true
    }

    fn put_share(&mut self, share: Share) {
        let (Some(partner), Some(entry)) =
            (self.business_slots.get(&share.partner).copied(), self.assets.find(share.asset.get(), |_| true))
        else {
            return self.breaks("a share of an unknown asset or with an unknown partner");
        };
        let tasks = expanded(entry.kind, self.records.kinds.get(&entry.kind), share.tasks);
        self.shares.set(entry.slot, partner, tasks.0);
        self.records.shared_with.insert((share.partner, share.asset));
        self.records.shares.insert((share.asset, share.partner), share);
    }

    /// A declared kind that grew a task: what `MANAGE` implies grew with it.
    fn put_kind(&mut self, kind: DeclaredKind) {
        let number = kind.kind;
        self.records.kinds.insert(number, kind);
        let of_kind = |id: AssetId| self.assets.find(id.get(), |_| true).is_some_and(|e| e.kind == number);
        let assignments: Vec<Assignment> =
            self.records.assignments.values().filter(|a| of_kind(a.asset)).cloned().collect();
        let shares: Vec<Share> = self.records.shares.values().filter(|s| of_kind(s.asset)).cloned().collect();
        assignments.into_iter().for_each(|a| self.put_assignment(a));
        shares.into_iter().for_each(|s| self.put_share(s));
    }

    fn put_token(&mut self, token: &Token) {
        if let Some(slot) = self.token_slot(token.id) {
            return self.change_token(slot, token);
        }
        let Some(user) = self.user_slot(token.user) else {
            return self.breaks("a token of an unknown user");
        };
        let app = token.app.map(|id| self.app_slots.get(&id).copied());
        let page = token.page.map(|id| self.asset_slot(id));
        if app == Some(None) || page == Some(None) {
            return self.breaks("a token of an unknown app or Page");
        }
        let mut row = TokenRow::new(token.digest, token.id, token.scopes, token.kind, token.created_at);
        row.user = user;
        row.app = app.flatten().unwrap_or(NONE);
        row.page = page.flatten().unwrap_or(NONE);
        row.creator = token.created_by.and_then(|id| self.user_slot(id)).unwrap_or(NONE);
        row.parent = token.parent.and_then(|id| self.token_slot(id)).unwrap_or(NONE);
        row.next = self.user_colds.get(user).map_or(NONE, |c| c.first_token);
        row.set_expires_at(token.expires_at);
        row.set_revoked(token.revoked_at.is_some());
        row.set_session(token.session);
        let late_parent = token.parent.filter(|_| row.parent == NONE);
        let hash = digest_hash(&token.digest);
        let slot = self.tokens.push(row);
        let entries = slot.and_then(|s| Some((s, SlotEntry::new(hash, s)?, SlotEntry::new(mix(token.id.get()), s)?)));
        let Some((slot, by_digest, by_id)) = entries else {
            return self.breaks("more tokens than the index can hold");
        };
        self.by_digest.insert(hash, by_digest, |_| false);
        self.token_ids.insert(mix(token.id.get()), by_id, |_| false);
        if let Some(cold) = self.user_colds.get_mut(user) {
            cold.first_token = slot;
        }
        if let Some(parent) = late_parent {
            self.late_parents.insert(slot, parent);
            self.awaited.entry(parent).or_default().push(slot);
        }
        // Tokens are loaded by id, and the ids of two nodes are not in the order of time.
        for child in self.awaited.remove(&token.id).unwrap_or_default() {
            self.late_parents.remove(&child);
            if let Some(row) = self.tokens.get_mut(child) {
                row.parent = slot;
            }
        }
        if let Some(at) = token.revoked_at {
            self.revoked.insert(slot, at);
        }
        if let Some(purpose) = &token.purpose {
            self.purposes.insert(slot, purpose.clone());
        }
        self.list_page_token(slot, token.revoked_at.is_none());
    }

    /// Keeps the list of page tokens in step with the row in a slot.
    fn list_page_token(&mut self, slot: u32, is_live: bool) {
        let Some(row) = self.tokens.get(slot).filter(|row| row.page != NONE) else { return };
        let Some(business) = self.users.get(row.user).map(|user| user.business) else { return };
        let entry = [row.page, business, row.user, slot];
        if is_live {
            self.records.page_tokens.insert(entry);
        } else {
            self.records.page_tokens.remove(&entry);
        }
    }

    fn change_token(&mut self, slot: u32, token: &Token) {
        if let Some(row) = self.tokens.get_mut(slot) {
            row.scopes = token.scopes;
            row.set_expires_at(token.expires_at);
            row.set_revoked(token.revoked_at.is_some());
            row.set_session(token.session);
        }
        match &token.purpose {
            Some(purpose) => self.purposes.insert(slot, purpose.clone()),
            None => self.purposes.remove(&slot),
        };
        match token.revoked_at {
            Some(at) => self.revoked.insert(slot, at),
            None => self.revoked.remove(&slot),
        };
        self.list_page_token(slot, token.revoked_at.is_none());
    }
}
