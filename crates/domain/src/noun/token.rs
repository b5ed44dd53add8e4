//! A token: it stands for a user, for one app, with scopes and an end. Its text is never kept.

use serde::{Deserialize, Serialize};

use super::Noun;
use crate::credential::Digest;
use crate::{AppId, AssetId, BusinessId, Id, List, Purpose, RecordKey, Role, ScopeSet, TokenId, UnixMs, UserId};

/// What sort of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TokenKind {
    SystemUser,
    Page,
    User,
}

impl TokenKind {
    /// The word in `debug_token` and in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenKind::SystemUser => "SYSTEM_USER",
            TokenKind::Page => "PAGE",
            TokenKind::User => "USER",
        }
    }
}

/// A token, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: TokenId,
    pub digest: Digest,
    pub kind: TokenKind,
    /// The system user or person that the token stands for.
    pub user: UserId,
    pub business: BusinessId,
    /// The app that the token was issued for; none for a person's.
    pub app: Option<AppId>,
    pub scopes: ScopeSet,
    pub created_at: UnixMs,
    /// `None` never ends.
    pub expires_at: Option<UnixMs>,
    /// Who issued it; `None` for the operator.
    pub created_by: Option<UserId>,
    /// The token that it was issued with, refreshed from, or derived from.
    pub parent: Option<TokenId>,
    /// The one Page that a page token may touch.
    pub page: Option<AssetId>,
    pub revoked_at: Option<UnixMs>,
    /// What it is for, in the words of whoever issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// It is a session of the console. A person's other tokens are for the command line.
    #[serde(default, skip_serializing_if = "is_false")]
    pub session: bool,
}

/// Fields that are false stay out of the ledger, so that tokens are written as they always were.
fn is_false(value: &bool) -> bool {
    !*value
}

/// What a token may be used for. For the token of a person that follows from its role. Any other has
/// the scopes that it was issued with, up to `allowed`: what its app may ask for, if it has an app.
pub const fn effective_scopes(kind: TokenKind, issued: ScopeSet, role: Role, allowed: Option<ScopeSet>) -> ScopeSet {
    match (kind, allowed) {
        (TokenKind::SystemUser | TokenKind::Page, Some(allowed)) => issued.capped(allowed),
        // Only people have tokens without an app, and page tokens derived from such.
        (TokenKind::User | TokenKind::Page, None) => ScopeSet::of_person(role),
        (TokenKind::User, Some(allowed)) => ScopeSet::of_person(role).shared(issued.capped(allowed)),
        (TokenKind::SystemUser, None) => ScopeSet::EMPTY,
    }
}

impl Noun for Token {
    fn key(&self) -> RecordKey {
        RecordKey::Token(self.id)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        let mut listings = vec![List::TokensOf(self.user)];
        if let (Some(page), None) = (self.page, self.revoked_at) {
            listings.push(List::PageTokensOn(page));
            listings.push(List::PageTokensIn { page, business: self.business });
            listings.push(List::PageTokensOf { page, user: self.user });
        }
        listings.into_iter().map(|list| (list, self.id.any())).collect()
    }

    fn narrows(&self, after: &Token) -> bool {
        let Token {
            id: _,
            digest,
            kind,
            user,
            business,
            app,
            scopes,
            created_at: _,
            expires_at,
            created_by: _,
            parent,
            page,
            revoked_at,
            purpose: _,
            session,
        } = after;
        let later = |x: Option<UnixMs>| x.unwrap_or(UnixMs::MAX);
        let whose = (*digest, *kind, *user, *business, *app, *parent, *page, *session);
        revoked_at.is_some()
            || !scopes.covers(self.scopes)
            || later(*expires_at) < later(self.expires_at)
            || whose
                != (self.digest, self.kind, self.user, self.business, self.app, self.parent, self.page, self.session)
    }
}
