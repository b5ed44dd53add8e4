//! Makes a question of parameters: an asset's id, a task of its kind, a scope, a role, or whether a
//! token is alive. A check that asks nothing must be refused.

use valetkey_domain::task::{TaskSet, Vocabulary};
use valetkey_domain::{AssetId, AssetKind, Id, IdKind, Scope, ScopeSet};
use valetkey_service::Service;
use valetkey_service::authz::{Decision, Need, Question, Sorts, Target};
use valetkey_service::read::Guard;

/// The parameters of a check, as they were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Words<'a> {
    pub asset: Option<&'a str>,
    pub task: Option<&'a str>,
    pub scope: Option<&'a str>,
    pub role: Option<&'a str>,
    pub alive: Option<bool>,
}

/// A question, and whether its task is unknown.
#[derive(Debug)]
pub(crate) struct Asked {
    pub question: Question,
    /// The asset's kind has no such task. The caller learns that only if the asset is visible to
    /// it.
    pub unknown_task: bool,
}

impl Words<'_> {
    /// Reads the parameters.
    ///
    /// # Errors
    /// What is wrong with them. It never depends on what exists.
    pub fn ask(&self, service: &Service) -> Result<Asked, &'static str> {
        if let Some(alive) = self.alive {
            return self.ask_alive(alive);
        }
        let scopes = match self.scope {
            None => ScopeSet::EMPTY,
            Some(name) => ScopeSet::one(Scope::parse(name).ok_or("scope is not one that this server knows")?),
        };
        let asset = self.asset.map(asset_id).transpose()?;
        let (need, unknown_task) = match (self.role, self.task, asset) {
            (Some(_), Some(_), _) => {
                return Err("ask for a role or for a task: an ADMIN holds every task of what its business owns");
            }
            (Some("ADMIN"), None, _) => (Need::Admin, false),
            (Some(_), None, _) => return Err("role can only be ADMIN"),
            (None, Some(_), None) => return Err("task needs an asset"),
            (None, Some(name), Some(asset)) => match task_of(service, asset, name) {
                Some(task) => (Need::Tasks(task), false),
                None => (Need::Tasks(TaskSet::EMPTY), true),
            },
            (None, None, Some(_)) => (Need::AnyTask, false),
            (None, None, None) if self.scope.is_none() => {
                return Err("name an asset, a task on it, a scope or a role, or ask for alive");
            }
            (None, None, None) => (Need::Nothing, false),
        };
        let question = Question {
            target: asset.map_or(Target::Nothing, Target::Asset),
            // A role belongs to a user, and a page token acts for its Page alone.
            sorts: if need == Need::Admin { WITH_A_ROLE } else { Sorts::ANY },
            scopes,
            need,
            ..Question::about(Target::Nothing)
        };
        Ok(Asked { question, unknown_task })
    }

    /// Asks whether the token is live, and whose it is. It can't be combined with other parameters,
    /// so that no proxy takes the answer for more than that.
    fn ask_alive(&self, alive: bool) -> Result<Asked, &'static str> {
        if !alive {
            return Err("alive can only be true");
        }
        if [self.asset, self.task, self.scope, self.role].iter().any(Option::is_some) {
            return Err("alive is asked alone: every other question asks for it too");
        }
        Ok(Asked { question: Question::alive(), unknown_task: false })
    }
}

/// The sorts of credentials that a question with a role accepts.
const WITH_A_ROLE: Sorts = Sorts::USERS.with(Sorts::APP);

fn asset_id(text: &str) -> Result<AssetId, &'static str> {
    Id::parse(text.strip_prefix("act_").unwrap_or(text)).ok_or("asset is not an id")
}

impl Asked {
    /// Whether the parameters are wrong, and not the caller's rights.
    pub fn blames_words(&self, decision: &Decision) -> bool {
        use valetkey_domain::Reason::{AssetNotAssigned, TaskMissing};
        self.unknown_task
            && matches!(decision, Decision::Deny(d) if !d.hidden && matches!(d.reason, TaskMissing | AssetNotAssigned))
    }
}

/// The bits of a task. The kind of a built-in asset is in its id, so no look-up is needed.
fn task_of(service: &Service, asset: AssetId, name: &str) -> Option<TaskSet> {
    let kind = match asset.kind()? {
        IdKind::Page => AssetKind::Page,
        IdKind::AdAccount => AssetKind::AdAccount,
        IdKind::Catalog => AssetKind::Catalog,
        IdKind::Pixel => AssetKind::Pixel,
        IdKind::InstagramAccount => AssetKind::InstagramAccount,
        IdKind::WhatsAppAccount => AssetKind::WhatsappAccount,
        IdKind::App => AssetKind::App,
        IdKind::DeclaredAsset => {
            let Ok(Guard::Asset { kind }) = service.record_guard(asset) else { return None };
            let declared = service.declared_kind(kind)?;
            return Vocabulary::Declared(&declared).parse(name);
        }
        IdKind::Business
        | IdKind::Person
        | IdKind::SystemUser
        | IdKind::Token
        | IdKind::Post
        | IdKind::Campaign
        | IdKind::Job
        | IdKind::Human
        | IdKind::Passkey => return None,
    };
    Vocabulary::of(kind, None)?.parse(name)
}
