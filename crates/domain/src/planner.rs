//! The planner: what a rule works with. It reads one state, collects changes, draws ids and
//! credentials, and never touches the world.

use crate::credential::{CredentialKind, CredentialText, RANDOM_BYTES};
use crate::draft::Draft;
use crate::noun::human::HANDLE_BYTES;
use crate::refusal::{Refusal, role};
use crate::{
    Action, Actor, AppId, BusinessId, ChangeSet, Id, IdKind, IdSource, Reason, Record, RecordKey, State, TokenId,
    UnixMs, UserId, page_endings,
};

/// A source of random bytes, handed in.
pub trait Random: Send {
    /// Fills the buffer, or says that it can't; then nothing secret is made.
    fn fill(&mut self, buffer: &mut [u8]) -> bool;
}

/// Who calls. Made by the check of a credential, never by an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Whoever holds the machine: the command line on the server's own socket.
    Operator,
    Person {
        person: UserId,
        business: BusinessId,
        token: Option<TokenId>,
    },
    SystemUser {
        system_user: UserId,
        business: BusinessId,
        app: AppId,
        token: TokenId,
    },
    App {
        app: AppId,
        business: BusinessId,
    },
}

impl Caller {
    /// The person or system user, if there is one.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Caller::Person { person, .. } => Some(*person),
            Caller::SystemUser { system_user, .. } => Some(*system_user),
            Caller::Operator | Caller::App { .. } => None,
        }
    }

    /// The business that the caller acts for.
    pub fn business(&self) -> Option<BusinessId> {
        match self {
            Caller::Person { business, .. } | Caller::SystemUser { business, .. } | Caller::App { business, .. } => {
                Some(*business)
            }
            Caller::Operator => None,
        }
    }

    /// The token that the caller called with.
    pub fn token(&self) -> Option<TokenId> {
        match self {
            Caller::Person { token, .. } => *token,
            Caller::SystemUser { token, .. } => Some(*token),
            Caller::Operator | Caller::App { .. } => None,
        }
    }

    /// Fails for everybody but the operator.
    pub fn require_operator(&self) -> Result<(), Refusal> {
        match self {
            Caller::Operator => Ok(()),
            Caller::Person { .. } | Caller::SystemUser { .. } | Caller::App { .. } => {
                Err(Refusal::needs(role::OPERATOR))
            }
        }
    }

    /// How the ledger names the caller.
    pub fn actor(&self) -> Actor {
        use crate::change::ActorKind;
        let kind = match self {
            Caller::Operator => ActorKind::Operator,
            Caller::Person { .. } => ActorKind::Person,
            Caller::SystemUser { .. } => ActorKind::SystemUser,
            Caller::App { .. } => ActorKind::App,
        };
        let id = match self {
            Caller::App { app, .. } => Some(app.any()),
            Caller::Operator | Caller::Person { .. } | Caller::SystemUser { .. } => self.user().map(UserId::any),
        };
        Actor { kind, id, token: self.token() }
    }
}

/// How often a taken id or a repeated credential is drawn again.
const DRAW_LIMIT: usize = 1 << 15;
const CREDENTIAL_DRAW_LIMIT: usize = 4;

/// Collects what one command changes.
pub struct Planner<'a> {
    now: UnixMs,
    ids: &'a mut IdSource,
    random: &'a mut dyn Random,
    draft: Draft<'a>,
}

impl std::fmt::Debug for Planner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planner")
            .field("now", &self.now)
            .field("changes", &self.draft.changes().len())
            .finish_non_exhaustive()
    }
}

impl<'a> Planner<'a> {
    /// A planner over one state at one time.
    pub fn new(state: &'a dyn State, now: UnixMs, ids: &'a mut IdSource, random: &'a mut dyn Random) -> Planner<'a> {
        Planner { now, ids, random, draft: Draft::new(state) }
    }

    /// The state before this command.
    pub fn state(&self) -> &'a dyn State {
        self.draft.state()
    }

    /// The time of this command.
    pub fn now(&self) -> UnixMs {
        self.now
    }

    /// The random source, for secrets that are not credentials of this crate.
    pub fn random(&mut self) -> &mut dyn Random {
        self.random
    }

    /// A free id.
    pub fn new_id<Of>(&mut self, kind: IdKind) -> Id<Of> {
        let mut id = self.ids.next(kind, self.now);
        for _ in 0..DRAW_LIMIT {
            if !self.state().exists(id.any()) {
                break;
            }
            id = self.ids.next(kind, self.now);
        }
        id
    }

    /// A fresh credential. A random source that repeats itself makes none.
    pub fn new_credential(&mut self, kind: CredentialKind) -> Result<CredentialText, Refusal> {
        for _ in 0..CREDENTIAL_DRAW_LIMIT {
            let mut bytes = [0u8; RANDOM_BYTES];
            if !self.random.fill(&mut bytes) {
                break;
            }
            let text = CredentialText::from_random(kind, &bytes);
            let digest = text.digest();
            if self.state().token_by_digest(&digest).is_none() && self.state().sign_in_code(&digest).is_none() {
                return Ok(text);
            }
        }
        Err(Refusal::of(Reason::Fault).with_note("the random source failed or repeats itself; no credential was made"))
    }

    /// A random handle for a new human.
    ///
    /// # Errors
    /// If the random source fails.
    pub fn new_handle(&mut self) -> Result<[u8; HANDLE_BYTES], Refusal> {
        let mut handle = [0; HANDLE_BYTES];
        if self.random.fill(&mut handle) {
            return Ok(handle);
        }
        Err(Refusal::of(Reason::Fault).with_note("the random source failed; no handle was made"))
    }

    /// Plans that a record shall be like this. A record that is so already is no change.
    pub fn put(&mut self, after: Record) {
        self.draft.put(after);
    }

    /// Plans that a record shall be gone.
    pub fn remove(&mut self, key: RecordKey) {
        self.draft.remove(key);
    }

    /// The finished change set, with the page tokens that end with what it takes away.
    pub fn finish(&mut self, action: Action, by: &Caller, business: Option<BusinessId>, subjects: &[Id]) -> ChangeSet {
        page_endings::end_with_their_paths(&mut self.draft, self.now);
        ChangeSet {
            at: self.now,
            action,
            actor: by.actor(),
            business,
            subjects: subjects.to_vec(),
            changes: self.draft.take_changes(),
        }
    }
}
