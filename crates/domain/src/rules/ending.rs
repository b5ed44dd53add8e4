//! What ends with an asset: everything that leads to it. Part of a larger change, which marks the
//! asset itself.

use crate::{AssetId, Planner, RecordKey};

/// Plans that all assignments and shares of an asset end, whoever gave them. The page tokens that rest
/// on them die when the change is finished.
pub(super) fn end_paths_to(planner: &mut Planner<'_>, asset: AssetId) {
    let state = planner.state();
    for user in state.users_on(asset) {
        planner.remove(RecordKey::Assignment(user, asset));
    }
    for partner in state.partners_of(asset) {
        planner.remove(RecordKey::Share(asset, partner));
    }
}
