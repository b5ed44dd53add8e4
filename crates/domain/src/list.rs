//! Lists of ids that a state can show. Each is in ascending order of ids.

use crate::{AssetId, BusinessId, HumanId, UserId};

/// A list. What it shows is written beside it; [`State`](crate::State) has a typed method for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum List {
    Businesses,
    /// People of a business, deleted ones included.
    People(BusinessId),
    /// System users of a business, deleted ones included.
    SystemUsers(BusinessId),
    /// Apps that a business owns.
    OwnedApps(BusinessId),
    /// Apps connected to a business.
    ConnectedApps(BusinessId),
    /// Assets that a business owns; apps are not among them.
    OwnedAssets(BusinessId),
    /// Assets shared with a business.
    SharedAssets(BusinessId),
    /// Apps installed on a system user.
    InstalledApps(UserId),
    /// Assets assigned to a user.
    AssetsOf(UserId),
    /// Users with an assignment on an asset, of any business.
    UsersOn(AssetId),
    /// Partners that an asset is shared with.
    PartnersOf(AssetId),
    /// Tokens of a user, dead ones and page tokens included.
    TokensOf(UserId),
    /// Page tokens of this Page that are not revoked, of any user.
    PageTokensOn(AssetId),
    /// Those of the users of one business.
    PageTokensIn {
        page: AssetId,
        business: BusinessId,
    },
    /// Those of one user.
    PageTokensOf {
        page: AssetId,
        user: UserId,
    },
    /// Passkeys of a human.
    PasskeysOf(HumanId),
    /// Entries of a human: the people that it is, in one business each. Deleted ones are not among them.
    EntriesOf(HumanId),
}
