//! What a token is good for now, from the records alone.

use valetkey_domain::noun::token::Token;
use valetkey_domain::{Reason, State, Status, UnixMs, UserId};

/// What a token is good for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    Live,
    Expired,
    Revoked,
    /// Its user is deactivated or deleted.
    UserOff,
    /// Its app is disconnected or not installed.
    AppOff,
}

impl TokenStatus {
    /// The word in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenStatus::Live => "live",
            TokenStatus::Expired => "expired",
            TokenStatus::Revoked => "revoked",
            TokenStatus::UserOff => "user_off",
            TokenStatus::AppOff => "app_off",
        }
    }

    /// The reason that a check of the token would give.
    pub fn reason(self, state: &dyn State, token: &Token) -> Option<Reason> {
        match self {
            TokenStatus::Live => None,
            TokenStatus::Expired => Some(Reason::TokenExpired),
            TokenStatus::Revoked => Some(Reason::TokenRevoked),
            TokenStatus::UserOff => Some(match user_status(state, token.user) {
                Status::Deactivated => Reason::UserDeactivated,
                Status::Active | Status::Deleted => Reason::UserDeleted,
            }),
            TokenStatus::AppOff => Some(match token.app {
                Some(app) if state.connection(token.business, app).is_some() => Reason::AppNotInstalled,
                _ => Reason::AppDisconnected,
            }),
        }
    }
}

fn user_status(state: &dyn State, user: UserId) -> Status {
    let person = state.person(user).map(|p| p.status);
    person.or_else(|| state.system_user(user).map(|u| u.status)).unwrap_or(Status::Deleted)
}

/// The status of a token at a time.
pub fn status(state: &dyn State, token: &Token, now: UnixMs) -> TokenStatus {
    let parent_dead =
        token.page.is_some() && token.parent.and_then(|p| state.token(p)).is_none_or(|p| p.revoked_at.is_some());
    let installed = |app| state.person(token.user).is_some() || state.installation(token.user, app).is_some();
    if token.revoked_at.is_some() || parent_dead {
        TokenStatus::Revoked
    } else if user_status(state, token.user) != Status::Active {
        TokenStatus::UserOff
    } else if token.expires_at.is_some_and(|end| end <= now) {
        TokenStatus::Expired
    } else if token.app.is_some_and(|app| state.connection(token.business, app).is_none() || !installed(app)) {
        TokenStatus::AppOff
    } else {
        TokenStatus::Live
    }
}
