//! Questions: what a call wants, in the terms that a decision knows.

use valetkey_domain::{AssetId, BusinessId, ScopeSet, TaskSet, UserId};

/// What the call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Nothing but the caller itself. Not for page tokens, which answer about their Page only.
    Nothing,
    /// Whether the credential is live, and whose it is: any sort may be asked that, and nothing else
    /// may be asked with it.
    Alive,
    /// An asset, or something that an asset holds.
    Asset(AssetId),
    /// A thing that belongs to a business without being an asset: the business itself, its users,
    /// tokens, apps.
    Business(BusinessId),
}

/// Sorts of credentials that a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sorts(u8);

impl Sorts {
    pub const SYSTEM_USER: Sorts = Sorts(1);
    pub const USER: Sorts = Sorts(2);
    pub const PAGE: Sorts = Sorts(4);
    pub const APP: Sorts = Sorts(8);
    /// System users and people: what most calls take.
    pub const USERS: Sorts = Sorts(3);
    /// Everything that knows Pages.
    pub const USERS_AND_PAGE: Sorts = Sorts(7);
    pub const ANY: Sorts = Sorts(15);

    pub const NONE: Sorts = Sorts(0);

    /// Whether the two share a sort.
    pub const fn meets(self, other: Sorts) -> bool {
        self.0 & other.0 != 0
    }

    /// The sorts of both.
    pub const fn with(self, other: Sorts) -> Sorts {
        Sorts(self.0 | other.0)
    }
}

/// What the caller must be or hold, once the target is visible and the scope is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing more.
    Nothing,
    /// The role ADMIN in its own business.
    Admin,
    /// The role ADMIN in the business that owns the asset.
    OwnerAdmin,
    /// Some task on the asset.
    AnyTask,
    /// One of these tasks on the asset.
    Tasks(TaskSet),
}

/// What is enough when the call is about the caller's own user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    pub user: UserId,
    /// One of these scopes; none if empty. The role is not asked for.
    pub scopes: ScopeSet,
}

/// What became of `appsecret_proof`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    NotSent,
    Right,
    Wrong,
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    pub target: Target,
    pub sorts: Sorts,
    /// One of these scopes; none if empty.
    pub scopes: ScopeSet,
    /// Scopes of which one is enough too, if the caller is an ADMIN.
    pub admin_scopes: ScopeSet,
    /// Sorts that need no scope at all.
    pub scope_free: Sorts,
    pub need: Need,
    pub own: Option<Own>,
    pub proof: Proof,
}

impl Question {
    /// A question about the caller alone, for any credential of a user.
    pub fn about(target: Target) -> Question {
        Question {
            target,
            sorts: Sorts::USERS,
            scopes: ScopeSet::EMPTY,
            admin_scopes: ScopeSet::EMPTY,
            scope_free: Sorts::NONE,
            need: Need::Nothing,
            own: None,
            proof: Proof::NotSent,
        }
    }

    /// The question about nothing but the credential: is it live, and whose is it?
    pub fn alive() -> Question {
        Question::about(Target::Alive).sorts(Sorts::ANY)
    }

    pub fn scopes(mut self, scopes: ScopeSet) -> Question {
        self.scopes = scopes;
        self
    }

    pub fn admin_scopes(mut self, scopes: ScopeSet) -> Question {
        self.admin_scopes = scopes;
        self
    }

    pub fn scope_free(mut self, sorts: Sorts) -> Question {
        self.scope_free = sorts;
        self
    }

    pub fn need(mut self, need: Need) -> Question {
        self.need = need;
        self
    }

    pub fn sorts(mut self, sorts: Sorts) -> Question {
        self.sorts = sorts;
        self
    }

    pub fn own(mut self, user: UserId, scopes: ScopeSet) -> Question {
        self.own = Some(Own { user, scopes });
        self
    }

    pub fn proof(mut self, proof: Proof) -> Question {
        self.proof = proof;
        self
    }
}
