//! Views: the facts that one decision rests on, all of one revision.

use valetkey_domain::credential::Digest;
use valetkey_domain::noun::token::{Token, TokenKind, effective_scopes};
use valetkey_domain::task::expanded;
use valetkey_domain::{
    AppId, AssetId, AssetKind, BusinessId, Role, ScopeSet, State, Status, TaskSet, TokenId, UnixMs, UserId,
};

use crate::question::Target;

/// The facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    pub revision: u64,
    pub subject: Subject,
    pub asset: Option<AssetView>,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The text is no token of any form that is known here.
    Malformed,
    /// The form is right, and nothing is known of it.
    Unknown,
    Token(TokenView),
    App(AppView),
    /// The command line on the server's own socket.
    Operator,
}

/// A token, its user and its app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenView {
    pub id: TokenId,
    pub kind: TokenKind,
    pub user: UserId,
    pub business: BusinessId,
    pub role: Role,
    pub status: Status,
    /// The business hides from EMPLOYEEs what is not assigned to them.
    pub strict_visibility: bool,
    pub app: Option<AppView>,
    /// The app is installed on the user. True where no installation is asked for.
    pub installed: bool,
    /// What it was issued with. What it may be used for is worked out in the decision.
    pub scopes: ScopeSet,
    pub expires_at: Option<UnixMs>,
    pub revoked_at: Option<UnixMs>,
    /// The parent of a page token is revoked or has ended.
    pub parent_dead: bool,
    pub page: Option<AssetId>,
}

impl TokenView {
    /// What the token may be used for.
    #[inline]
    pub fn effective_scopes(&self) -> ScopeSet {
        effective_scopes(self.kind, self.scopes, self.role, self.app.map(|app| app.allowed_scopes))
    }
}

/// An app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppView {
    pub id: AppId,
    /// The business that the caller acts for.
    pub business: BusinessId,
    pub connected: bool,
    pub demands_proof: bool,
    /// What its tokens may be used for at most.
    pub allowed_scopes: ScopeSet,
}

/// How an asset is within reach of the caller's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Owned,
    /// Shared, up to these tasks (expanded).
    Shared(TaskSet),
    /// Neither: it does not exist as far as the caller may know.
    None,
}

/// An asset, as the caller's business and user stand to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetView {
    pub id: AssetId,
    pub kind: AssetKind,
    pub reach: Reach,
    /// What is assigned to the caller's user, with what it implies.
    pub assigned: TaskSet,
}

/// Gathers a view from any state. The index has a faster way to the same view; a test holds the
/// two against each other.
pub fn gather(state: &dyn State, revision: u64, digest: &Digest, target: Target) -> View {
    let Some(token) = state.token_by_digest(digest) else {
        return View { revision, subject: Subject::Unknown, asset: None };
    };
    let subject = token_view(state, &token);
    let asset = match target {
        Target::Asset(id) => asset_view(state, id, token.business, Some(token.user)),
        Target::Nothing | Target::Alive | Target::Business(_) => None,
    };
    View { revision, subject: Subject::Token(subject), asset }
}

/// Gathers the view of an app that proved itself with its secret.
pub fn gather_app(state: &dyn State, revision: u64, app: AppId, target: Target) -> View {
    let Some(record) = state.app(app) else {
        return View { revision, subject: Subject::Unknown, asset: None };
    };
    let view = AppView {
        id: app,
        business: record.business,
        connected: state.connection(record.business, app).is_some(),
        demands_proof: record.demands_proof,
        allowed_scopes: record.allowed_scopes,
    };
    let asset = match target {
        Target::Asset(id) => asset_view(state, id, record.business, None),
        Target::Nothing | Target::Alive | Target::Business(_) => None,
    };
    View { revision, subject: Subject::App(view), asset }
}

/// Gathers the view of a user as a token without an app and without an end would show it: for the
/// question what the user may do, whichever tokens it has. It carries no scope of an app, so a question
/// about it must ask for none.
pub fn gather_user(state: &dyn State, revision: u64, user: UserId, target: Target) -> View {
    let (kind, business) = match (state.system_user(user), state.person(user)) {
        (Some(user), _) => (TokenKind::SystemUser, user.business),
        (None, Some(person)) => (TokenKind::User, person.business),
        (None, None) => return View { revision, subject: Subject::Unknown, asset: None },
    };
    let (role, status) = standing(state, user);
    let subject = TokenView {
        // No token has the id of a user.
        id: TokenId::of(user.any()),
        kind,
        user,
        business,
        role,
        status,
        strict_visibility: state.business(business).is_some_and(|b| b.strict_visibility),
        app: None,
        installed: true,
        scopes: ScopeSet::EMPTY,
        expires_at: None,
        revoked_at: None,
        parent_dead: false,
        page: None,
    };
    let asset = match target {
        Target::Asset(id) => asset_view(state, id, business, Some(user)),
        Target::Nothing | Target::Alive | Target::Business(_) => None,
    };
    View { revision, subject: Subject::Token(subject), asset }
}

/// The role and status of a user; one without a record is deleted.
fn standing(state: &dyn State, user: UserId) -> (Role, Status) {
    match (state.system_user(user), state.person(user)) {
        (Some(user), _) => (user.role, user.status),
        (None, Some(person)) => (person.role, person.status),
        (None, None) => (Role::Employee, Status::Deleted),
    }
}

fn token_view(state: &dyn State, token: &Token) -> TokenView {
    let (role, status) = standing(state, token.user);
    let app = token.app.map(|id| {
        let record = state.app(id);
        AppView {
            id,
            business: token.business,
            connected: state.connection(token.business, id).is_some(),
            demands_proof: record.as_ref().is_some_and(|a| a.demands_proof),
            allowed_scopes: record.map(|a| a.allowed_scopes).unwrap_or_default(),
        }
    });
    let is_person = state.system_user(token.user).is_none();
    let parent_dead =
        token.page.is_some() && token.parent.and_then(|p| state.token(p)).is_none_or(|p| p.revoked_at.is_some());
    TokenView {
        id: token.id,
        kind: token.kind,
        user: token.user,
        business: token.business,
        role,
        status,
        strict_visibility: state.business(token.business).is_some_and(|b| b.strict_visibility),
        app,
        installed: is_person || token.app.is_none_or(|a| state.installation(token.user, a).is_some()),
        scopes: token.scopes,
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
        parent_dead,
        page: token.page,
    }
}

fn asset_view(state: &dyn State, id: AssetId, business: BusinessId, user: Option<UserId>) -> Option<AssetView> {
    // A deleted asset is known and out of everybody's reach, like a foreign one.
    let asset = state.asset_ever(id)?;
    let declared = state.declared_kind(asset.kind);
    let grown = |set| expanded(asset.kind, declared.as_ref(), set);
    let reach = if asset.business == Some(business) && asset.deleted_at.is_none() {
        Reach::Owned
    } else {
        state.share(id, business).map_or(Reach::None, |s| Reach::Shared(grown(s.tasks)))
    };
    let assigned = user.and_then(|user| state.assignment(user, id)).map_or(TaskSet::EMPTY, |a| grown(a.tasks));
    Some(AssetView { id, kind: asset.kind, reach, assigned })
}
