//! The paths to one asset, and the assets that one user reaches.

use std::collections::BTreeSet;

use valetkey_authz::{Own, Question};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::{AssetId, BusinessId, Id, Name, Refusal, Role, ScopeSet, Status, UserId};

use super::held::{Column, Entry, Held, assets_of_business};
use crate::ask::{Checked, Facts};
use crate::call::Call;
use crate::core::Service;
use crate::person::about;
use crate::rights;

/// The most rows of one page.
const PAGE_LIMIT: usize = 1_000;

/// A page of a list in the order of ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// How many rows all pages have.
    pub total: usize,
    /// The id after which the next page begins, if there is one.
    pub next: Option<Id>,
}

/// Who reaches an asset.
#[derive(Debug, Clone, PartialEq)]
pub enum Whose {
    /// A user of the caller's business.
    User(Entry),
    /// A partner, as a whole.
    Partner { id: BusinessId, name: Option<Name> },
}

impl Whose {
    /// The id of the user or the partner.
    pub fn id(&self) -> Id {
        match self {
            Whose::User(entry) => entry.id.any(),
            Whose::Partner { id, .. } => id.any(),
        }
    }
}

/// That somebody reaches an asset.
#[derive(Debug, Clone, PartialEq)]
pub struct OnAsset {
    pub who: Whose,
    pub held: Held,
}

/// That a user reaches an asset.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    pub asset: Asset,
    pub held: Held,
}

impl Service {
    /// Who of the caller's business reaches an asset, and, for its owner, which partners do; by id. For
    /// the operator the business is the owner.
    ///
    /// # Errors
    /// The refusal.
    pub fn paths_to_asset(
        &self,
        call: &Call,
        asset: AssetId,
        limit: usize,
        after: Option<Id>,
    ) -> Result<Checked<Page<OnAsset>>, Refusal> {
        let kind = self.kind_of(call, asset)?;
        let manage = rights::MANAGE_BUSINESS.on_asset(asset, kind);
        let question = Question { own: self.own_of(call), ..manage };
        self.step(call, question, |facts| {
            let owner = facts.asset(asset).and_then(|a| a.business);
            let business = facts.allowed.caller.business().or(owner);
            let Some(column) = business.and_then(|business| Column::of(&**facts, business, asset)) else {
                return Page::empty();
            };
            let mut rows = users_on(facts, &column, business, manage);
            if owner == business && facts.may(manage).is_some() {
                rows.extend(
                    facts
                        .partners_of(asset)
                        .into_iter()
                        .map(|id| Whose::Partner { id, name: facts.business(id).map(|partner| partner.name) }),
                );
            }
            rows.sort_by_key(Whose::id);
            paged(rows, limit, after, Whose::id).filled(|who| {
                let held = match &who {
                    Whose::User(entry) => column.held(&**facts, entry),
                    Whose::Partner { id, .. } => column.shared_with(&**facts, *id),
                }?;
                Some(OnAsset { who, held })
            })
        })
    }

    /// The assets that a user reaches while it is switched on, by id.
    ///
    /// # Errors
    /// The refusal.
    pub fn reach_of_user(
        &self,
        call: &Call,
        user: UserId,
        limit: usize,
        after: Option<Id>,
    ) -> Result<Checked<Page<Reached>>, Refusal> {
        let business = self.read(|s| s.business_of(user))?.ok_or_else(|| self.absent(call, user))?;
        let question = rights::MANAGE_OR_SELF.on_user(business, user);
        let read = |facts: &Facts<'_>| {
            let Some(entry) = Entry::of(&**facts, user) else {
                return Page::empty();
            };
            let ids = match entry.role {
                Role::Admin => assets_of_business(&**facts, business),
                Role::Employee => facts.assets_of(user),
            };
            paged(ids, limit, after, |id: &AssetId| id.any()).filled(|id| {
                let column = Column::of(&**facts, business, id)?;
                let held = column.held(&**facts, &entry)?;
                Some(Reached { asset: column.asset, held })
            })
        };
        self.step(call, question, read).map_err(|r| about(r, user))
    }

    /// That a question about the caller's own user is enough without any scope.
    pub(super) fn own_of(&self, call: &Call) -> Option<Own> {
        let user = self.may(call, Question::alive())?.caller.user()?;
        Some(Own { user, scopes: ScopeSet::EMPTY })
    }
}

/// The users of a business that hold something on an asset; the caller alone, if it doesn't manage it.
fn users_on(facts: &Facts<'_>, column: &Column, business: Option<BusinessId>, manage: Question) -> Vec<Whose> {
    let Some(business) = business else { return Vec::new() };
    let entries = match facts.may(manage) {
        Some(_) => {
            // An EMPLOYEE reaches an asset only by an assignment.
            let assigned: BTreeSet<UserId> = facts.users_on(column.asset.id).into_iter().collect();
            let mut all = Entry::all(&**facts, business);
            all.retain(|entry| entry.role == Role::Admin || assigned.contains(&entry.id));
            all
        }
        None => facts.allowed.caller.user().and_then(|own| Entry::of(&**facts, own)).into_iter().collect(),
    };
    let holds = |entry: &Entry| entry.status == Status::Active && column.held(&**facts, entry).is_some();
    entries.into_iter().filter(holds).map(Whose::User).collect()
}

/// The rows of one page, of rows in the order of their ids.
fn paged<T>(rows: Vec<T>, limit: usize, after: Option<Id>, id: impl Fn(&T) -> Id) -> Page<T> {
    let total = rows.len();
    let start = after.map_or(0, |after| rows.partition_point(|row| id(row) <= after));
    let limit = limit.clamp(1, PAGE_LIMIT);
    let has_more = total - start > limit;
    let rows: Vec<T> = rows.into_iter().skip(start).take(limit).collect();
    let next = rows.last().map(id).filter(|_| has_more);
    Page { rows, total, next }
}

impl<T> Page<T> {
    fn empty() -> Page<T> {
        Page { rows: Vec::new(), total: 0, next: None }
    }

    /// The same page with what each row shows.
    fn filled<R>(self, row: impl FnMut(T) -> Option<R>) -> Page<R> {
        Page { rows: self.rows.into_iter().filter_map(row).collect(), total: self.total, next: self.next }
    }
}
