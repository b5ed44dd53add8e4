//! Page tokens that die with a change: a page token rests on a path of its user to the Page. When a
//! change set ends a path (assignment, share, role, transfer) or takes the scope away, the page tokens
//! that rest on it are revoked in the same set, and nothing revives them.

use std::collections::BTreeSet;

use crate::draft::Draft;
use crate::noun::page_token::PageCounter;
use crate::noun::token::Token;
use crate::{AssetId, BusinessId, Change, Record, RecordKey, Role, Scope, Status, TokenId, UnixMs, UserId};

/// What a change ends for page tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ends {
    Nothing,
    /// A path of one user to one asset.
    PathOf {
        user: UserId,
        asset: AssetId,
    },
    /// The path of a partner's users to an asset.
    PathsIn {
        business: BusinessId,
        asset: AssetId,
    },
    /// Every path to an asset.
    PathsTo {
        asset: AssetId,
    },
    /// The path that a role is, to every asset.
    Role {
        user: UserId,
    },
    /// The scope that page tokens of this parent rest on.
    ScopeOf {
        parent: TokenId,
        user: UserId,
    },
    /// A page token lost that scope itself.
    Token {
        id: TokenId,
    },
}

/// Plans, within a change set that is about to be finished, that the page tokens die whose user loses
/// a path to their Page, and raises the counter of each page token that the set revokes.
pub(crate) fn end_with_their_paths(draft: &mut Draft<'_>, now: UnixMs) {
    // Many tokens of one user may lose a scope at once; that user's tokens are looked through once.
    let endings: BTreeSet<Ends> = draft.changes().iter().map(ends).collect();
    let mut dying: BTreeSet<TokenId> = endings.iter().flat_map(|ends| ended_tokens(draft, *ends)).collect();
    let of_scope = |e: &Ends| if let Ends::ScopeOf { parent, user } = e { Some((*user, *parent)) } else { None };
    let lost: BTreeSet<(UserId, TokenId)> = endings.iter().filter_map(of_scope).collect();
    for user in lost.iter().map(|(user, _)| *user).collect::<BTreeSet<_>>() {
        let derived = |t: &Token| t.page.is_some() && t.parent.is_some_and(|p| lost.contains(&(user, p)));
        dying.extend(page_tokens_where(draft, user, derived));
    }
    for id in dying {
        if let Some(Record::Token(token)) = draft.planned(RecordKey::Token(id))
            && token.page.is_some()
            && token.revoked_at.is_none()
        {
            let revoked_at = Some(now);
            draft.put(Record::Token(Token { revoked_at, ..token }));
        }
    }
    for (parent, page) in draft.changes().iter().filter_map(revoked_page_token).collect::<BTreeSet<_>>() {
        // Nothing comes of a dead parent any more, so its counters need not move.
        let lives = |r| matches!(r, Record::Token(t) if t.revoked_at.is_none());
        if draft.planned(RecordKey::Token(parent)).is_some_and(lives) {
            let counter = draft.state().times_ended(parent, page) + 1;
            draft.put(Record::PageCounter(PageCounter { parent, page, counter }));
        }
    }
}

/// Every pair of records is looked at, so that a new noun or a new path can't be forgotten.
fn ends(change: &Change) -> Ends {
    let Some(before) = &change.before else { return Ends::Nothing };
    match (before, &change.after) {
        (Record::Assignment(b), None) => Ends::PathOf { user: b.user, asset: b.asset },
        (Record::Share(b), None) => Ends::PathsIn { business: b.partner, asset: b.asset },
        (Record::Asset(b), None) => Ends::PathsTo { asset: b.id },
        (Record::Asset(b), Some(Record::Asset(a))) if a.business != b.business || a.deleted_at != b.deleted_at => {
            Ends::PathsTo { asset: b.id }
        }
        (Record::Person(b), Some(Record::Person(a))) => of_role((b.id, b.role), a.role, a.status),
        (Record::SystemUser(b), Some(Record::SystemUser(a))) => of_role((b.id, b.role), a.role, a.status),
        (Record::Token(b), Some(Record::Token(a))) => of_token(b, a),
        // Narrower tasks leave the path, and the rest is no path of a user to a Page.
        (
            Record::Assignment(_)
            | Record::Share(_)
            | Record::Asset(_)
            | Record::Person(_)
            | Record::SystemUser(_)
            | Record::Token(_)
            | Record::Business(_)
            | Record::App(_)
            | Record::Connection(_)
            | Record::Installation(_)
            | Record::DeclaredKind(_)
            | Record::PageCounter(_)
            | Record::SignInCode(_)
            | Record::Human(_)
            | Record::Passkey(_)
            | Record::Terms(_),
            _,
        ) => Ends::Nothing,
    }
}

fn of_role((user, before): (UserId, Role), after: Role, status: Status) -> Ends {
    match (before, after) {
        // A user that is deleted never comes back, nor do its tokens.
        (Role::Admin, Role::Employee) if status != Status::Deleted => Ends::Role { user },
        (Role::Admin, Role::Admin | Role::Employee) | (Role::Employee, _) => Ends::Nothing,
    }
}

fn of_token(before: &Token, after: &Token) -> Ends {
    let lost = before.scopes.has(Scope::PAGES_SHOW_LIST) && !after.scopes.has(Scope::PAGES_SHOW_LIST);
    match (lost, after.page) {
        (false, _) => Ends::Nothing,
        (true, None) => Ends::ScopeOf { parent: after.id, user: after.user },
        (true, Some(_)) => Ends::Token { id: after.id },
    }
}

/// The page tokens that may end so; those of a lost scope are found by user.
fn ended_tokens(draft: &Draft<'_>, ends: Ends) -> Vec<TokenId> {
    let state = draft.state();
    match ends {
        Ends::Nothing | Ends::ScopeOf { .. } => Vec::new(),
        Ends::PathOf { user, .. } if is_deleted(draft, user) => Vec::new(),
        Ends::PathOf { user, asset } => state.page_tokens_of(asset, user),
        Ends::PathsIn { business, asset } => state.page_tokens_in(asset, business),
        Ends::PathsTo { asset } => state.page_tokens_on(asset),
        Ends::Role { user } => page_tokens_where(draft, user, |t| t.page.is_some()),
        Ends::Token { id } => vec![id],
    }
}

fn page_tokens_where(draft: &Draft<'_>, user: UserId, pick: impl Fn(&Token) -> bool) -> Vec<TokenId> {
    let tokens = draft.state().tokens_of(user).into_iter().filter_map(|id| draft.state().token(id));
    tokens.filter(|t| pick(t)).map(|t| t.id).collect()
}

fn is_deleted(draft: &Draft<'_>, user: UserId) -> bool {
    let deleted = |r: &Record| {
        matches!(r, Record::SystemUser(u) if u.status == Status::Deleted)
            || matches!(r, Record::Person(p) if p.status == Status::Deleted)
    };
    [RecordKey::SystemUser(user), RecordKey::Person(user)]
        .iter()
        .any(|key| draft.planned(*key).as_ref().is_some_and(deleted))
}

/// Parent and Page of a page token that a change revokes.
fn revoked_page_token(change: &Change) -> Option<(TokenId, AssetId)> {
    let (Some(Record::Token(before)), Some(Record::Token(after))) = (&change.before, &change.after) else {
        return None;
    };
    let dies = before.revoked_at.is_none() && after.revoked_at.is_some();
    after.parent.zip(after.page).filter(|_| dies)
}
