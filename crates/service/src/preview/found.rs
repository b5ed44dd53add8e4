//! What a preview shows.

use valetkey_domain::noun::token::TokenKind;
use valetkey_domain::{AppId, AssetId, AssetKind, BusinessId, Name, ScopeSet, TokenId, UnixMs, UserId};

/// How many rows of each part are listed; the totals are exact.
pub const LISTED_LIMIT: usize = 100;

/// A part of a preview: its first rows, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    pub total: usize,
    pub rows: Vec<T>,
}

impl<T> Default for Part<T> {
    fn default() -> Part<T> {
        Part { total: 0, rows: Vec::new() }
    }
}

impl<T> Part<T> {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Counts one more, and lists it if there is room.
    pub(super) fn add(&mut self, row: impl FnOnce() -> T) {
        self.total += 1;
        if self.rows.len() < LISTED_LIMIT {
            self.rows.push(row());
        }
    }
}

/// A token that works now and would not work afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedToken {
    pub id: TokenId,
    pub kind: TokenKind,
    pub user: UserId,
    pub user_name: Option<Name>,
    pub app: Option<AppId>,
    pub app_name: Option<Name>,
    /// The Page of a page token.
    pub page: Option<AssetId>,
    pub page_name: Option<Name>,
    pub created_at: UnixMs,
    /// `None` never ends.
    pub expires_at: Option<UnixMs>,
    /// `None` if it was never used, or if the store can't say now.
    pub last_used_at: Option<UnixMs>,
    /// Uses in the last 30 days, counted by right: a call that used two rights counts twice. `None` if the
    /// store can't say now.
    pub uses_30_days: Option<i64>,
}

/// A token that would go on with fewer scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarrowedToken {
    pub token: StoppedToken,
    pub lost: ScopeSet,
}

/// An assignment that would end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedAssignment {
    pub user: UserId,
    pub user_name: Option<Name>,
    pub asset: AssetId,
    pub asset_name: Option<Name>,
    pub kind: Option<AssetKind>,
    pub tasks: Vec<String>,
}

/// A share that would end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedShare {
    pub asset: AssetId,
    pub asset_name: Option<Name>,
    pub kind: Option<AssetKind>,
    pub partner: BusinessId,
    pub partner_name: Option<Name>,
    pub tasks: Vec<String>,
}

/// A user that would reach less of an asset, by whatever path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostReach {
    pub user: UserId,
    pub user_name: Name,
    pub asset: AssetId,
    pub asset_name: Name,
    pub kind: AssetKind,
    /// The tasks that it could do and could not do any more, with what they imply.
    pub lost: Vec<String>,
    /// Whether anything is left.
    pub keeps_some: bool,
}

/// What a partner would lose, as a whole. Its users are not named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostByPartner {
    pub partner: BusinessId,
    pub partner_name: Option<Name>,
    pub asset: AssetId,
    pub asset_name: Option<Name>,
    pub kind: Option<AssetKind>,
    pub lost: Vec<String>,
}

/// What an act would take away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// The act would change nothing at all.
    pub changes_nothing: bool,
    /// The act counts as one that takes something away.
    pub narrows: bool,
    /// Tokens of users that would stop, page tokens left out.
    pub tokens: Part<StoppedToken>,
    pub page_tokens: Part<StoppedToken>,
    pub narrowed_tokens: Part<NarrowedToken>,
    pub assignments: Part<EndedAssignment>,
    pub shares: Part<EndedShare>,
    pub reach: Part<LostReach>,
    pub partners: Part<LostByPartner>,
}

impl Preview {
    /// Whether anything would stop or shrink.
    pub fn takes_away(&self) -> bool {
        let Preview {
            changes_nothing: _,
            narrows: _,
            tokens,
            page_tokens,
            narrowed_tokens,
            assignments,
            shares,
            reach,
            partners,
        } = self;
        let whole = [tokens.total, page_tokens.total, narrowed_tokens.total, assignments.total, shares.total];
        whole.iter().any(|total| *total > 0) || !reach.is_empty() || !partners.is_empty()
    }
}
