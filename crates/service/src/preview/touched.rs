//! What has to be compared before and after a change set: whose tokens, and who on which assets.
//!
//! Every noun is looked at, so that a new one can't be forgotten.

use std::collections::BTreeSet;

use valetkey_domain::{AssetId, BusinessId, ChangeSet, Record, Role, State, UserId};

use crate::access::{Entry, assets_of_business};

/// What a change set touches.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Users any of whose tokens may stop.
    token_users: BTreeSet<UserId>,
    /// Businesses any of whose users' tokens may stop.
    token_businesses: BTreeSet<BusinessId>,
    /// Users that may reach less of one asset.
    pairs: BTreeSet<(UserId, AssetId)>,
    /// Users that may reach less of every asset.
    everywhere: BTreeSet<UserId>,
    /// Assets that ADMINs of a business may reach less of.
    of_admins: BTreeSet<(BusinessId, AssetId)>,
}

impl Touched {
    pub fn of(set: &ChangeSet) -> Touched {
        let mut touched = Touched::default();
        // What is made takes nothing from anybody.
        set.changes.iter().filter_map(|change| change.before.as_ref()).for_each(|before| touched.take(before));
        touched
    }

    fn take(&mut self, before: &Record) {
        match before {
            Record::Token(token) => {
                self.token_users.insert(token.user);
            }
            Record::Person(person) => {
                self.token_users.insert(person.id);
                self.everywhere.insert(person.id);
            }
            Record::SystemUser(user) => {
                self.token_users.insert(user.id);
                self.everywhere.insert(user.id);
            }
            Record::Connection(connection) => {
                self.token_businesses.insert(connection.business);
            }
            Record::Installation(installation) => {
                self.token_users.insert(installation.system_user);
            }
            Record::App(app) => {
                self.token_businesses.insert(app.business);
                self.of_admins.insert((app.business, app.id.into()));
            }
            Record::Asset(asset) => {
                self.of_admins.extend(asset.business.map(|owner| (owner, asset.id)));
            }
            Record::Assignment(assignment) => {
                self.pairs.insert((assignment.user, assignment.asset));
            }
            Record::Share(share) => {
                self.of_admins.insert((share.partner, share.asset));
            }
            // A human's entries are people, which change themselves; its passkeys only let it in.
            // A business goes with its users, and each of them is a change of its own. The others are no
            // path to anything.
            Record::Business(_)
            | Record::DeclaredKind(_)
            | Record::PageCounter(_)
            | Record::SignInCode(_)
            | Record::Human(_)
            | Record::Passkey(_)
            | Record::Terms(_) => {}
        }
    }

    /// The users whose tokens have to be compared, of this business or of all.
    pub fn users(&self, state: &dyn State, own: Option<BusinessId>) -> Vec<UserId> {
        let businesses = self.token_businesses.iter().copied().filter(|b| own.is_none_or(|own| own == *b));
        let all = businesses.flat_map(|b| state.system_users(b).into_iter().chain(state.people(b)));
        let mut users: BTreeSet<UserId> = all.collect();
        let is_own = |user: &UserId| own.is_none() || state.business_of(*user) == own;
        users.extend(self.token_users.iter().copied().filter(is_own));
        users.into_iter().collect()
    }

    /// The pairs of users and assets that have to be compared, of users of this business or of all.
    pub fn pairs(&self, state: &dyn State, own: Option<BusinessId>) -> Vec<(UserId, AssetId)> {
        let is_own = |user: UserId| own.is_none() || state.business_of(user) == own;
        let mut pairs: BTreeSet<(UserId, AssetId)> =
            self.pairs.iter().copied().filter(|(user, _)| is_own(*user)).collect();
        for user in self.everywhere.iter().copied().filter(|user| is_own(*user)) {
            let Some(entry) = Entry::of(state, user) else { continue };
            let assets = match entry.role {
                Role::Admin => assets_of_business(state, entry.business),
                Role::Employee => state.assets_of(user),
            };
            pairs.extend(assets.into_iter().map(|asset| (user, asset)));
        }
        let businesses: BTreeSet<BusinessId> = self.of_admins.iter().map(|(business, _)| *business).collect();
        for business in businesses.into_iter().filter(|b| own.is_none_or(|own| own == *b)) {
            let admins = Entry::all(state, business).into_iter().filter(|entry| entry.role == Role::Admin);
            let admins: Vec<UserId> = admins.map(|entry| entry.id).collect();
            let assets = self.of_admins.iter().filter(|(of, _)| *of == business);
            pairs.extend(assets.flat_map(|(_, asset)| admins.iter().map(move |admin| (*admin, *asset))));
        }
        pairs.into_iter().collect()
    }
}
