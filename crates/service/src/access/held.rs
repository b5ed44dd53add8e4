//! What a user holds on an asset and by which path, for lists and previews.
//!
//! It must say what the decision says, and a test holds the two against each other. Nothing here may be
//! used to decide.

use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::share::Share;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, BusinessId, DeclaredKind, Name, Role, State, Status, TaskSet, UnixMs, UserId};

/// The sort of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSort {
    Person,
    SystemUser,
}

impl UserSort {
    /// The word in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            UserSort::Person => "PERSON",
            UserSort::SystemUser => "SYSTEM_USER",
        }
    }
}

/// A person or a system user of a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: UserId,
    pub business: BusinessId,
    pub name: Name,
    pub sort: UserSort,
    pub role: Role,
    pub status: Status,
}

impl Entry {
    /// The entry of an id, unless it is deleted.
    pub(crate) fn of(state: &dyn State, id: UserId) -> Option<Entry> {
        let entry = match state.system_user(id) {
            Some(user) => Entry {
                id,
                business: user.business,
                name: user.name,
                sort: UserSort::SystemUser,
                role: user.role,
                status: user.status,
            },
            None => {
                let person = state.person(id)?;
                Entry {
                    id,
                    business: person.business,
                    name: person.name,
                    sort: UserSort::Person,
                    role: person.role,
                    status: person.status,
                }
            }
        };
        Some(entry).filter(|entry| entry.status != Status::Deleted)
    }

    /// Everybody of a business that is not deleted.
    pub(crate) fn all(state: &dyn State, business: BusinessId) -> Vec<Entry> {
        let ids = state.people(business).into_iter().chain(state.system_users(business));
        ids.filter_map(|id| Entry::of(state, id)).collect()
    }
}

/// By which path somebody reaches an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// The role ADMIN in its business.
    Role,
    /// An assignment: since when, and by whom; nobody stands for the operator.
    Assignment { since: UnixMs, by: Option<UserId> },
    /// A share, of a partner as a whole.
    Share { since: UnixMs, by: Option<UserId> },
}

impl Path {
    /// The word in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Path::Role => "role",
            Path::Assignment { .. } => "assignment",
            Path::Share { .. } => "share",
        }
    }

    /// Since when it is there, if the records say.
    pub fn since(self) -> Option<UnixMs> {
        match self {
            Path::Role => None,
            Path::Assignment { since, .. } | Path::Share { since, .. } => Some(since),
        }
    }

    /// Who gave it, if the records say.
    pub fn by(self) -> Option<UserId> {
        match self {
            Path::Role => None,
            Path::Assignment { by, .. } | Path::Share { by, .. } => by,
        }
    }
}

/// What somebody holds on an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// With what they imply, up to what is shared.
    pub tasks: TaskSet,
    /// The names as lists show them: as they were given; an ADMIN's are those that stand for everything,
    /// or all that is shared.
    pub names: Vec<String>,
    pub path: Path,
    /// The asset is another business's, and shared with this one.
    pub is_shared: bool,
}

/// An asset as one business stands to it.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub asset: Asset,
    declared: Option<DeclaredKind>,
    /// None for the owner.
    share: Option<Share>,
}

impl Column {
    /// None if the asset is neither the business's own nor shared with it.
    pub fn of(state: &dyn State, business: BusinessId, id: AssetId) -> Option<Column> {
        let asset = state.asset(id)?;
        let share = match asset.business == Some(business) {
            true => None,
            false => Some(state.share(id, business)?),
        };
        let declared = state.declared_kind(asset.kind);
        Some(Column { asset, declared, share })
    }

    /// The tasks that a name means for this kind of asset; none if the kind doesn't know it.
    pub fn task(&self, name: &str) -> Option<TaskSet> {
        self.words()?.parse(name)
    }

    /// A set with what it implies.
    pub fn expanded(&self, set: TaskSet) -> TaskSet {
        self.words().map_or(TaskSet::EMPTY, |words| words.expanded(set))
    }

    /// The names of a set.
    pub fn names(&self, set: TaskSet) -> Vec<String> {
        let words = self.words();
        words.map(|words| words.names(set).into_iter().map(str::to_owned).collect()).unwrap_or_default()
    }

    /// The same, where everything has the few names that stand for it.
    pub fn short_names(&self, set: TaskSet) -> Vec<String> {
        let is_all = set == self.expanded(TaskSet::ALL);
        self.names(if is_all { self.asset.kind.full_tasks() } else { set })
    }

    /// What a user of the business holds; none if nothing. Whether the user is switched off is not
    /// looked at.
    pub fn held(&self, state: &dyn State, user: &Entry) -> Option<Held> {
        let words = self.words()?;
        let cap = self.share.as_ref().map(|share| words.expanded(share.tasks));
        let capped = |set: TaskSet| cap.map_or(set, |cap| set.shared(cap));
        let (own, shown, path) = match user.role {
            Role::Admin => {
                let shown = self.share.as_ref().map_or_else(|| self.asset.kind.full_tasks(), |share| share.tasks);
                (words.expanded(TaskSet::ALL), shown, Path::Role)
            }
            Role::Employee => {
                let assignment = state.assignment(user.id, self.asset.id)?;
                let path = Path::Assignment { since: assignment.created_at, by: assignment.created_by };
                (words.expanded(assignment.tasks), capped(assignment.tasks), path)
            }
        };
        let tasks = capped(own);
        if tasks.is_empty() {
            return None;
        }
        Some(Held { tasks, names: self.names(shown), path, is_shared: self.share.is_some() })
    }

    /// What a partner may reach of it as a whole.
    pub fn shared_with(&self, state: &dyn State, partner: BusinessId) -> Option<Held> {
        let words = self.words()?;
        let share = state.share(self.asset.id, partner)?;
        let path = Path::Share { since: share.created_at, by: share.created_by };
        Some(Held { tasks: words.expanded(share.tasks), names: self.names(share.tasks), path, is_shared: true })
    }

    fn words(&self) -> Option<Vocabulary<'_>> {
        Vocabulary::of(self.asset.kind, self.declared.as_ref())
    }
}

/// All assets that a business owns or that are shared with it, apps among them, by id.
pub(crate) fn assets_of_business(state: &dyn State, business: BusinessId) -> Vec<AssetId> {
    let apps = state.owned_apps(business).into_iter().map(AssetId::from);
    let own = state.owned_assets(business).into_iter().chain(apps);
    let mut ids: Vec<AssetId> = own.chain(state.shared_assets(business)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
