//! From words to a question: an asset's id, a task of its kind, a scope.

use valetkey_domain::task::{TaskSet, Vocabulary};
use valetkey_domain::{AssetKind, Id, IdKind, Scope, ScopeSet};
use valetkey_service::Service;
use valetkey_service::authz::{Decision, Need, Proof, Question, Sorts, Target};

/// What a check asks, as it came.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Words<'a> {
    pub asset: Option<&'a str>,
    pub task: Option<&'a str>,
    pub scope: Option<&'a str>,
}

/// A question, and what is wrong with its words if the caller may be told.
#[derive(Debug)]
pub(crate) struct Asked {
    pub question: Question,
    /// The task is none of the asset's kind. Told only once the asset is seen to be visible.
    pub unknown_task: bool,
}

impl Words<'_> {
    /// Reads the words.
    ///
    /// # Errors
    /// What is wrong with them; nothing that depends on what exists.
    pub fn ask(&self, service: &Service) -> Result<Asked, &'static str> {
        let scopes = match self.scope {
            None => ScopeSet::EMPTY,
            Some(name) => [Scope::parse(name).ok_or("scope is not one that this server knows")?].into_iter().collect(),
        };
        let base = Question {
            target: Target::Nothing,
            sorts: Sorts::ANY,
            scopes,
            admin_scopes: ScopeSet::EMPTY,
            need: Need::Nothing,
            own: None,
            proof: Proof::NotSent,
        };
        let Some(text) = self.asset else {
            return match (self.task, self.scope) {
                (Some(_), _) => Err("task needs an asset"),
                (None, None) => Err("name an asset, a task on it, or a scope"),
                (None, Some(_)) => Ok(Asked { question: base, unknown_task: false }),
            };
        };
        let asset = text.strip_prefix("act_").unwrap_or(text);
        let asset = Id::parse(asset).ok_or("asset is not an id")?;
        let (need, unknown_task) = match self.task {
            None => (Need::AnyTask, false),
            Some(name) => match task_of(service, asset, name) {
                Some(task) => (Need::Tasks(task), false),
                None => (Need::Tasks(TaskSet::EMPTY), true),
            },
        };
        Ok(Asked { question: Question { target: Target::Asset(asset), need, ..base }, unknown_task })
    }
}

impl Asked {
    /// Whether the words are to be blamed rather than the caller's rights.
    pub fn blames_words(&self, decision: &Decision) -> bool {
        use valetkey_domain::Reason::{AssetNotAssigned, TaskMissing};
        self.unknown_task
            && matches!(decision, Decision::Deny(d) if !d.hidden && matches!(d.reason, TaskMissing | AssetNotAssigned))
    }
}

/// The bits of a task. The kind of a built-in asset is in its id, so no look-up is needed.
fn task_of(service: &Service, asset: Id, name: &str) -> Option<TaskSet> {
    let kind = match asset.kind()? {
        IdKind::Page => AssetKind::PAGE,
        IdKind::AdAccount => AssetKind::AD_ACCOUNT,
        IdKind::Catalog => AssetKind::CATALOG,
        IdKind::Pixel => AssetKind::PIXEL,
        IdKind::InstagramAccount => AssetKind::INSTAGRAM_ACCOUNT,
        IdKind::WhatsAppAccount => AssetKind::WHATSAPP_ACCOUNT,
        IdKind::App => AssetKind::APP,
        IdKind::DeclaredAsset => {
            let declared = service.read(|s| s.asset(asset).and_then(|a| s.declared_kind(a.kind))).ok()??;
            return Vocabulary::Declared(&declared).parse(name);
        }
        _ => return None,
    };
    Vocabulary::of(kind, None)?.parse(name)
}
