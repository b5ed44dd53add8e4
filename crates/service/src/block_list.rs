//! Blocks: rights that were taken away while the change could not be written yet. Every decision
//! takes them into account beside the index.
//!
//! They are facts like those of the index and pass through the same decision. A block may only take
//! something away, and it is in force on this node alone: if the process ends before the change is
//! written, its blocks are lost.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use valetkey_authz::{Subject, TokenView, View};
use valetkey_domain::noun::token::Token;
use valetkey_domain::{AppId, BusinessId, Change, ChangeSet, Reason, Record, State, Status, TokenId, UnixMs, UserId};

use crate::token_status::TokenStatus;

/// What one block takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    /// A token is revoked since a time; the page tokens that came from it die with it.
    Token { token: TokenId, at: UnixMs },
    /// A user is switched off or deleted.
    User { user: UserId, status: Status },
    /// An app is taken off a system user.
    Installation { user: UserId, app: AppId },
    /// An app is taken off a business.
    Connection { business: BusinessId, app: AppId },
}

/// All blocks that are in force.
#[derive(Debug, Default)]
pub(crate) struct BlockList {
    /// Whether there is any block: usually the only field that a decision reads.
    any: AtomicBool,
    blocks: RwLock<Blocks>,
}

#[derive(Debug, Default)]
struct Blocks {
    tokens: HashMap<TokenId, UnixMs>,
    users: HashMap<UserId, Status>,
    installations: HashSet<(UserId, AppId)>,
    connections: HashSet<(BusinessId, AppId)>,
}

impl BlockList {
    /// Puts further blocks in force. A later block of a user replaces the earlier one.
    pub fn add(&self, blocks: &[Block]) {
        let mut held = self.blocks.write().unwrap_or_else(PoisonError::into_inner);
        blocks.iter().for_each(|block| held.add(*block));
        self.any.store(!held.is_empty(), Ordering::Release);
    }

    /// Puts these blocks in force, and no others.
    pub fn replace(&self, blocks: impl Iterator<Item = Block>) {
        let mut new = Blocks::default();
        blocks.for_each(|block| new.add(block));
        let mut held = self.blocks.write().unwrap_or_else(PoisonError::into_inner);
        *held = new;
        self.any.store(!held.is_empty(), Ordering::Release);
    }

    /// Status and reason of a token that a block makes dead, as lists and inspections show them.
    pub fn status_of(&self, token: &Token) -> Option<(TokenStatus, Reason)> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        self.blocks.read().unwrap_or_else(PoisonError::into_inner).status_of(token)
    }

    /// Applies the blocks to a view. Called while the lock on the view's state is held, so that no block
    /// is lifted before its change is in that state.
    #[inline]
    pub fn apply(&self, view: &mut View, state: &dyn State) {
        if self.any.load(Ordering::Acquire) {
            self.blocks.read().unwrap_or_else(PoisonError::into_inner).apply(view, state);
        }
    }
}

impl Blocks {
    fn add(&mut self, block: Block) {
        match block {
            Block::Token { token, at } => {
                self.tokens.insert(token, at);
            }
            Block::User { user, status } => {
                self.users.insert(user, status);
            }
            Block::Installation { user, app } => {
                self.installations.insert((user, app));
            }
            Block::Connection { business, app } => {
                self.connections.insert((business, app));
            }
        }
    }

    fn is_empty(&self) -> bool {
        let Blocks { tokens, users, installations, connections } = self;
        tokens.is_empty() && users.is_empty() && installations.is_empty() && connections.is_empty()
    }

    fn status_of(&self, token: &Token) -> Option<(TokenStatus, Reason)> {
        let parent = token.parent.filter(|_| token.page.is_some());
        if [Some(token.id), parent].into_iter().flatten().any(|id| self.tokens.contains_key(&id)) {
            return Some((TokenStatus::Revoked, Reason::TokenRevoked));
        }
        match self.users.get(&token.user) {
            Some(Status::Deactivated) => return Some((TokenStatus::UserOff, Reason::UserDeactivated)),
            Some(Status::Deleted) => return Some((TokenStatus::UserOff, Reason::UserDeleted)),
            Some(Status::Active) | None => {}
        }
        let app = token.app?;
        if self.connections.contains(&(token.business, app)) {
            return Some((TokenStatus::AppOff, Reason::AppDisconnected));
        }
        let is_off = self.installations.contains(&(token.user, app));
        is_off.then_some((TokenStatus::AppOff, Reason::AppNotInstalled))
    }

    #[cold]
    fn apply(&self, view: &mut View, state: &dyn State) {
        match &mut view.subject {
            Subject::Token(token) => self.apply_to_token(token, state),
            Subject::App(app) => app.connected &= !self.connections.contains(&(app.business, app.id)),
            Subject::Malformed | Subject::Unknown | Subject::Operator => {}
        }
    }

    fn apply_to_token(&self, token: &mut TokenView, state: &dyn State) {
        if token.revoked_at.is_none() {
            token.revoked_at = self.tokens.get(&token.id).copied();
        }
        if token.page.is_some() {
            let parent = state.token(token.id).and_then(|t| t.parent);
            token.parent_dead |= parent.is_some_and(|parent| self.tokens.contains_key(&parent));
        }
        if let Some(status) = self.users.get(&token.user) {
            token.status = *status;
        }
        if let Some(app) = &mut token.app {
            app.connected &= !self.connections.contains(&(token.business, app.id));
            token.installed &= !self.installations.contains(&(token.user, app.id));
        }
    }
}

/// The blocks that put a narrowing change set in force. `None` if some change of it can't be put in
/// force as a block: then the whole command waits for the store.
pub(crate) fn blocks_of(set: &ChangeSet) -> Option<Vec<Block>> {
    let blocks: Vec<Block> = set.changes.iter().filter_map(block_of).collect();
    let covered = |change: &Change| block_of(change).is_some() || follows(change, &blocks);
    (!blocks.is_empty() && set.changes.iter().all(covered)).then_some(blocks)
}

fn block_of(change: &Change) -> Option<Block> {
    match (change.before.as_ref()?, change.after.as_ref()) {
        (Record::Token(before), Some(Record::Token(after))) => {
            let at = after.revoked_at?;
            let alone = Token { revoked_at: before.revoked_at, ..after.clone() } == *before;
            (before.revoked_at.is_none() && alone).then_some(Block::Token { token: after.id, at })
        }
        (Record::Person(before), Some(Record::Person(after))) => user_block(after.id, before.status, after.status),
        (Record::SystemUser(before), Some(Record::SystemUser(after))) => {
            user_block(after.id, before.status, after.status)
        }
        (Record::Installation(gone), None) => Some(Block::Installation { user: gone.system_user, app: gone.app }),
        (Record::Connection(gone), None) => Some(Block::Connection { business: gone.business, app: gone.app }),
        (
            Record::Token(_)
            | Record::Person(_)
            | Record::SystemUser(_)
            | Record::Installation(_)
            | Record::Connection(_)
            | Record::Business(_)
            | Record::App(_)
            | Record::DeclaredKind(_)
            | Record::Asset(_)
            | Record::Assignment(_)
            | Record::Share(_)
            | Record::PageCounter(_)
            | Record::SignInCode(_)
            | Record::Human(_)
            | Record::Passkey(_)
            | Record::Terms(_),
            _,
        ) => None,
    }
}

/// A user that is deactivated or deleted can use nothing, so other changes to it need no block.
fn user_block(user: UserId, before: Status, after: Status) -> Option<Block> {
    (after != before && after != Status::Active).then_some(Block::User { user, status: after })
}

/// Whether a change takes away no more than the blocks do.
fn follows(change: &Change, blocks: &[Block]) -> bool {
    match change.before.as_ref().or(change.after.as_ref()) {
        // An assignment of a user that is off.
        Some(Record::Assignment(gone)) => {
            let is_off = |block: &Block| matches!(block, Block::User { user, .. } if *user == gone.user);
            change.after.is_none() && blocks.iter().any(is_off)
        }
        // They go with the last person that their human is, when it is deleted; nothing else is signed in
        // with them.
        Some(Record::Human(_) | Record::Passkey(_)) => {
            let is_deleted = |block: &Block| matches!(block, Block::User { status: Status::Deleted, .. });
            change.after.is_none() && blocks.iter().any(is_deleted)
        }
        // The counter keeps the text of a dead page token from being derived again, and nothing is
        // derived while the change can't be written.
        Some(Record::PageCounter(_)) => true,
        Some(
            Record::Token(_)
            | Record::Person(_)
            | Record::SystemUser(_)
            | Record::Installation(_)
            | Record::Connection(_)
            | Record::Business(_)
            | Record::App(_)
            | Record::DeclaredKind(_)
            | Record::Asset(_)
            | Record::Share(_)
            | Record::SignInCode(_)
            | Record::Terms(_),
        )
        | None => false,
    }
}
