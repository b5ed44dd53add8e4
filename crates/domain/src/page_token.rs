//! Page tokens: derived from a parent token for one Page, and dead for good once a path of their user
//! to the Page ended.
//!
//! The text follows from the parent's text, the Page and a counter. Whatever revokes a page token
//! raises the counter in the same change set, so that the parent gives another text from then on. A
//! counter outlives every token row: it must never fall, and no rule may remove it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::credential::{CredentialText, Digest};
use crate::refusal::Refusal;
use crate::token::{Token, TokenKind};
use crate::{
    Action, AssetKind, Caller, Change, ChangeSet, Id, IdKind, List, Planner, Reason, Record, RecordKey, Role, Scope,
    State, Status,
};

/// How often the page token of a Page was ended for a parent token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageCounter {
    /// The token that the page tokens are derived from.
    pub parent: Id,
    pub page: Id,
    pub counter: u64,
}

/// The counter of a parent and a Page now.
pub fn counter(state: &dyn State, parent: Id, page: Id) -> u64 {
    state.page_counter(parent, page).map_or(0, |c| c.counter)
}

/// The page token that is in force, if it is on record.
pub fn find(state: &dyn State, parent: &Token, parent_text: &str, page: Id) -> Option<CredentialText> {
    let text = CredentialText::for_page(parent_text, page, counter(state, parent.id, page));
    state.token_by_digest(&text.digest()).is_some_and(|t| t.revoked_at.is_none()).then_some(text)
}

/// The page tokens of a parent, put on record when they are first seen. Whoever calls has decided for
/// each Page, on this very state, that the caller may have its token. Without accepted terms nothing
/// new is put on record, and only those that are on record already are given.
///
/// # Errors
/// `not_visible` for what is no Page, and `token_unknown` if the text is not the parent's.
pub fn derive(
    planner: &mut Planner<'_>,
    by: &Caller,
    parent: &Token,
    parent_text: &str,
    pages: &[Id],
) -> Result<(ChangeSet, Vec<(Id, CredentialText)>), Refusal> {
    if Digest::of(parent_text) != parent.digest || parent.page.is_some() {
        return Err(Refusal::of(Reason::TokenUnknown));
    }
    let accepted = crate::terms::are_accepted(planner.state(), parent.business);
    let mut made = Vec::with_capacity(pages.len());
    let mut seen = BTreeSet::new();
    for page in pages.iter().filter(|page| seen.insert(**page)) {
        if planner.state().asset(*page).is_none_or(|a| a.kind != AssetKind::PAGE) {
            return Err(Refusal::not_visible(*page));
        }
        let known = counter(planner.state(), parent.id, *page);
        let (counter, text, on_record) = in_force(planner.state(), parent_text, *page, known);
        if !on_record && !accepted {
            continue;
        }
        if counter != known {
            planner.put(Record::PageCounter(PageCounter { parent: parent.id, page: *page, counter }));
        }
        if !on_record {
            let token = Token {
                id: planner.new_id(IdKind::Token),
                digest: text.digest(),
                kind: TokenKind::Page,
                created_at: planner.now(),
                created_by: Some(parent.user),
                parent: Some(parent.id),
                page: Some(*page),
                revoked_at: None,
                ..parent.clone()
            };
            planner.put(Record::Token(token));
        }
        made.push((*page, text));
    }
    Ok((planner.finish(Action::PageTokenDerived, by, Some(parent.business), &[parent.id]), made))
}

/// The first text from a counter on that is not dead, with its counter, and whether it is on record.
/// Tokens that were revoked before there were counters stand at a counter that was never raised.
fn in_force(state: &dyn State, parent_text: &str, page: Id, from: u64) -> (u64, CredentialText, bool) {
    let mut counter = from;
    loop {
        let text = CredentialText::for_page(parent_text, page, counter);
        match state.token_by_digest(&text.digest()) {
            None => return (counter, text, false),
            Some(token) if token.revoked_at.is_none() => return (counter, text, true),
            Some(_) => counter += 1,
        }
    }
}

/// What a change ends for page tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ends {
    Nothing,
    /// A path of one user to one asset.
    PathOf {
        user: Id,
        asset: Id,
    },
    /// The path of a partner's users to an asset.
    PathsIn {
        business: Id,
        asset: Id,
    },
    /// Every path to an asset.
    PathsTo {
        asset: Id,
    },
    /// The path that a role is, to every asset.
    Role {
        user: Id,
    },
    /// The scope that page tokens of this parent rest on.
    ScopeOf {
        parent: Id,
        user: Id,
    },
    /// A page token lost that scope itself.
    Token {
        id: Id,
    },
}

/// Plans, within a change set that is about to be finished, that the page tokens die whose user loses
/// a path to their Page, and raises the counter of each page token that the set revokes.
pub(crate) fn end_with_their_paths(planner: &mut Planner<'_>) {
    // Many tokens of one user may lose a scope at once; that user's tokens are looked through once.
    let endings: BTreeSet<Ends> = planner.changes().iter().map(ends).collect();
    let mut dying: BTreeSet<Id> = endings.iter().flat_map(|ends| tokens_of(planner, *ends)).collect();
    let of_scope = |e: &Ends| if let Ends::ScopeOf { parent, user } = e { Some((*user, *parent)) } else { None };
    let bereft: BTreeSet<(Id, Id)> = endings.iter().filter_map(of_scope).collect();
    for user in bereft.iter().map(|(user, _)| *user).collect::<BTreeSet<_>>() {
        let derived = |t: &Token| t.page.is_some() && t.parent.is_some_and(|p| bereft.contains(&(user, p)));
        dying.extend(page_tokens_where(planner, user, derived));
    }
    for id in dying {
        if let Some(Record::Token(token)) = planner.planned(RecordKey::Token(id))
            && token.page.is_some()
            && token.revoked_at.is_none()
        {
            let revoked_at = Some(planner.now());
            planner.put(Record::Token(Token { revoked_at, ..token }));
        }
    }
    for (parent, page) in planner.changes().iter().filter_map(revoked_page_token).collect::<BTreeSet<_>>() {
        // Nothing comes of a dead parent any more, so its counters need not move.
        let lives = |r| matches!(r, Record::Token(t) if t.revoked_at.is_none());
        if planner.planned(RecordKey::Token(parent)).is_some_and(lives) {
            let counter = counter(planner.state(), parent, page) + 1;
            planner.put(Record::PageCounter(PageCounter { parent, page, counter }));
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
        (Record::Asset(b), Some(Record::Asset(a))) if a.business != b.business => Ends::PathsTo { asset: b.id },
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
            | Record::Terms(_),
            _,
        ) => Ends::Nothing,
    }
}

fn of_role((user, before): (Id, Role), after: Role, status: Status) -> Ends {
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
fn tokens_of(planner: &Planner<'_>, ends: Ends) -> Vec<Id> {
    let state = planner.state();
    match ends {
        Ends::Nothing | Ends::ScopeOf { .. } => Vec::new(),
        Ends::PathOf { user, .. } if is_deleted(planner, user) => Vec::new(),
        Ends::PathOf { user, asset } => state.list(List::PageTokensOf { page: asset, user }),
        Ends::PathsIn { business, asset } => state.list(List::PageTokensIn { page: asset, business }),
        Ends::PathsTo { asset } => state.list(List::PageTokensOn(asset)),
        Ends::Role { user } => page_tokens_where(planner, user, |t| t.page.is_some()),
        Ends::Token { id } => vec![id],
    }
}

fn page_tokens_where(planner: &Planner<'_>, user: Id, pick: impl Fn(&Token) -> bool) -> Vec<Id> {
    let tokens = crate::token::tokens_of(planner.state(), user);
    tokens.into_iter().filter(|t| pick(t)).map(|t| t.id).collect()
}

fn is_deleted(planner: &Planner<'_>, user: Id) -> bool {
    let deleted = |r: &Record| {
        matches!(r, Record::SystemUser(u) if u.status == Status::Deleted)
            || matches!(r, Record::Person(p) if p.status == Status::Deleted)
    };
    [RecordKey::SystemUser(user), RecordKey::Person(user)]
        .iter()
        .any(|key| planner.planned(*key).as_ref().is_some_and(deleted))
}

/// Parent and Page of a page token that a change revokes.
fn revoked_page_token(change: &Change) -> Option<(Id, Id)> {
    let (Some(Record::Token(before)), Some(Record::Token(after))) = (&change.before, &change.after) else {
        return None;
    };
    let dies = before.revoked_at.is_none() && after.revoked_at.is_some();
    after.parent.zip(after.page).filter(|_| dies)
}
