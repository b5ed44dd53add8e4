//! Which tokens a change revokes: those of a user, or of all users of a business, that a filter picks.
//!
//! Whatever ends tokens as part of a larger change does it here.

use crate::noun::token::Token;
use crate::{BusinessId, Planner, Record, State, UserId};

/// Marks every live token of the user that the filter picks; part of a larger change.
pub fn revoke_where(planner: &mut Planner<'_>, user: UserId, pick: impl Fn(&Token) -> bool) {
    let now = planner.now();
    for mut token in tokens_of(planner.state(), user) {
        if token.revoked_at.is_none() && pick(&token) {
            token.revoked_at = Some(now);
            planner.put(Record::Token(token));
        }
    }
}

/// The same for all users of a business.
pub fn revoke_in_business(planner: &mut Planner<'_>, business: BusinessId, pick: impl Fn(&Token) -> bool) {
    for user in users_of(planner.state(), business) {
        revoke_where(planner, user, &pick);
    }
}

fn users_of(state: &dyn State, business: BusinessId) -> Vec<UserId> {
    let mut users = state.system_users(business);
    users.extend(state.people(business));
    users
}

/// All tokens of all users of a business, dead ones included.
pub(super) fn tokens_in(state: &dyn State, business: BusinessId) -> impl Iterator<Item = Token> {
    users_of(state, business).into_iter().flat_map(move |user| tokens_of(state, user))
}

/// All tokens of a user, dead ones included.
pub fn tokens_of(state: &dyn State, user: UserId) -> Vec<Token> {
    state.tokens_of(user).into_iter().filter_map(|id| state.token(id)).collect()
}
