//! Names in place of ids, as far as the reader may see them.
//!
//! An asset that the reader's business doesn't see has no name here, whatever it is called.

use valetkey_authz::{Allowed, Subject, Target};
use valetkey_domain::sentences::task_title;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AppId, AssetKind, BusinessId, Id, Role, State, TaskSet, UserId};

use super::see::{is_of, sees};

/// What sort of caller it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhoSort {
    SystemUser,
    Person,
    /// An app with its own secret.
    App,
    Operator,
    /// Its token is not known here, or can't be read.
    Unknown,
}

impl WhoSort {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            WhoSort::SystemUser => "system_user",
            WhoSort::Person => "person",
            WhoSort::App => "app",
            WhoSort::Operator => "operator",
            WhoSort::Unknown => "unknown",
        }
    }
}

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    pub id: Option<Id>,
    /// Its name, or words that stand for it at the beginning of a sentence.
    pub name: String,
    pub sort: WhoSort,
    pub role: Option<Role>,
}

/// What a call was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub id: Id,
    /// What sort of thing it is, in words for people: `Page`, `ad account`, `business`.
    pub kind: String,
    /// `None` if the reader doesn't see it any more.
    pub name: Option<String>,
}

impl About {
    /// Its name, or words in place of it.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("the {} {}", self.kind, self.id))
    }
}

/// The names of one revision, for one reader.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub state: &'a dyn State,
    pub allowed: &'a Allowed,
}

impl Names<'_> {
    pub fn who(&self, subject: &Subject) -> Who {
        let plain = |name: &str, sort| Who { id: None, name: name.to_owned(), sort, role: None };
        match subject {
            Subject::Malformed => plain("Unreadable token", WhoSort::Unknown),
            Subject::Unknown => plain("Unknown token", WhoSort::Unknown),
            Subject::Operator => plain("The operator", WhoSort::Operator),
            Subject::App(app) => {
                let name = self.app(app.id).unwrap_or_else(|| format!("App {}", app.id));
                Who { id: Some(app.id.any()), name, sort: WhoSort::App, role: None }
            }
            Subject::Token(token) => Who { role: Some(token.role), ..self.user(token.user) },
        }
    }

    /// A user as it is now.
    pub fn user(&self, id: UserId) -> Who {
        let system_user = self.state.system_user(id).filter(|user| is_of(self.allowed, user.business));
        let person = self.state.person(id).filter(|person| is_of(self.allowed, person.business));
        let (name, sort, role) = match (system_user, person) {
            (Some(user), _) => (user.name.to_string(), WhoSort::SystemUser, Some(user.role)),
            (None, Some(person)) => (person.name.to_string(), WhoSort::Person, Some(person.role)),
            (None, None) => (format!("User {id}"), WhoSort::Unknown, None),
        };
        Who { id: Some(id.any()), name, sort, role }
    }

    pub fn app(&self, id: AppId) -> Option<String> {
        self.state.app(id).map(|app| app.name.to_string())
    }

    /// What a question was about; `kind` is the kind of the asset as it was known then.
    pub fn about(&self, target: Target, kind: Option<AssetKind>) -> Option<About> {
        match target {
            Target::Nothing | Target::Alive => None,
            Target::Business(id) => Some(self.business(id)),
            Target::Asset(id) => {
                let asset = self.state.asset(id).filter(|_| sees(self.state, self.allowed, id));
                let kind = asset.as_ref().map(|asset| asset.kind).or(kind);
                let kind = kind.map_or_else(|| "object".to_owned(), |kind| self.kind(kind));
                Some(About { id: id.any(), kind, name: asset.map(|asset| asset.name.to_string()) })
            }
        }
    }

    fn business(&self, id: BusinessId) -> About {
        let record = self.state.business(id).filter(|_| is_of(self.allowed, id));
        About { id: id.any(), kind: "business".to_owned(), name: record.map(|business| business.name.to_string()) }
    }

    /// The words for a kind of asset.
    pub fn kind(&self, kind: AssetKind) -> String {
        let built_in = kind.row().map(|row| row.title.to_owned());
        built_in
            .or_else(|| self.state.declared_kind(kind).map(|declared| declared.title.to_string()))
            .unwrap_or_else(|| "asset".to_owned())
    }

    /// The names of tasks on the wire.
    pub fn tasks(&self, kind: AssetKind, set: TaskSet) -> Vec<String> {
        let declared = self.state.declared_kind(kind);
        let words = Vocabulary::of(kind, declared.as_ref());
        words.map(|words| words.names(set).into_iter().map(str::to_owned).collect()).unwrap_or_default()
    }

    /// The names of tasks for people.
    pub fn titles(&self, kind: AssetKind, set: TaskSet) -> Vec<String> {
        self.tasks(kind, set).iter().map(|task| task_title(kind, task)).collect()
    }
}
