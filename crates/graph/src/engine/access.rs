//! What a caller may read of a node, decided with the step that reads it.
//!
//! An access belongs to the row that it was decided for. It must never be kept for another one.

use valetkey_domain::{AssetId, AssetKind, BusinessId, Caller, Role};
use valetkey_service::Facts;
use valetkey_service::authz::{Allowed, Question, Target};
use valetkey_service::rights::{self, Right};

use super::cx::Cx;
use super::input::Problem;
use super::node::{Named, Node, Row, is_unpublished};
use super::shown::Access;
use crate::protocol::envelope;
use crate::schema::{self, APPLICATION, Edge, Level, NodeType};

/// The highest level among fields of a kind.
pub(crate) fn wanted<'s>(kind: &NodeType, names: impl Iterator<Item = &'s str>) -> Level {
    names.filter_map(|name| kind.field(name)).map(|f| f.level).max().unwrap_or(Level::Identity)
}

/// The access of a node, on the revision of a step.
pub(crate) fn of(facts: &Facts<'_>, node: &Node, wanted: Level) -> Access {
    decided(&questions(node, wanted), |question| facts.may(question))
}

/// The questions that decide an access, from the deepest level that is wanted to the shallowest.
fn questions(node: &Node, wanted: Level) -> Vec<(Access, Question)> {
    if matches!(node, Node::Row(..)) {
        return Vec::new();
    }
    of_rights(wanted, &node.identity_right(), &node.full_right(), &node.kind().guarded, |right| node.question(right))
}

fn of_rights(
    wanted: Level,
    identity: &Right,
    full: &Right,
    guarded: &Right,
    ask: impl Fn(&Right) -> Question,
) -> Vec<(Access, Question)> {
    let all = [(Level::Full, ask(full)), (Level::Guarded, ask(guarded)), (Level::Identity, ask(identity))];
    all.into_iter().filter(|(level, _)| *level <= wanted).map(|(level, q)| (Access::Level(level), q)).collect()
}

/// Picks the deepest access that is allowed. Guarded fields need the full right too.
fn decided(questions: &[(Access, Question)], mut may: impl FnMut(Question) -> Option<Allowed>) -> Access {
    let mut ask = |level: Level| {
        let asked = questions.iter().find(|(access, _)| *access == Access::Level(level));
        asked.is_some_and(|(_, question)| may(*question).is_some())
    };
    if questions.is_empty() {
        return Access::Level(Level::Full);
    }
    if ask(Level::Full) {
        return Access::Level(if ask(Level::Guarded) { Level::Guarded } else { Level::Full });
    }
    if ask(Level::Identity) { Access::Level(Level::Identity) } else { Access::Named }
}

/// The access to the content of one asset: to public and to unpublished content. Both are decided
/// before the statement that reads the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentAccess {
    public: Access,
    unpublished: Access,
}

impl ContentAccess {
    pub fn of(self, node: &Node) -> Access {
        if is_unpublished(node) { self.unpublished } else { self.public }
    }

    /// A row of content with the access that was decided for it.
    pub fn row(self, node: Node) -> Row {
        let access = self.of(&node);
        Row::seen(node, access)
    }
}

impl Cx<'_> {
    /// The access of a node that was already read: a token, or something just created.
    pub fn access_of(&self, node: &Node, wanted: Level) -> Access {
        let asked = questions(node, wanted);
        let questions: Vec<Question> = asked.iter().map(|(_, question)| *question).collect();
        let answers = self.service().may_each(self.call, &questions);
        decided(&asked, |question| questions.iter().position(|q| *q == question).and_then(|at| *answers.get(at)?))
    }

    /// The access of a piece of content.
    pub fn content_access(&self, named: &Named, wanted: Level) -> ContentAccess {
        let Some(kind) = named.kind() else {
            return ContentAccess { public: Access::Named, unpublished: Access::Named };
        };
        self.access_of_kind(kind, wanted, |right| named.question(right))
    }

    /// The access of a list's rows, for the fields that are asked for. `question` is about the asset
    /// whose content is listed.
    pub fn list_access(&self, edge: &Edge, question: Question) -> Result<ContentAccess, Problem> {
        let kind = schema::find(edge.rows).ok_or_else(envelope::server_fault)?;
        let asset_kind = if edge.rows == schema::POST.name { AssetKind::Page } else { AssetKind::AdAccount };
        let Target::Asset(asset) = question.target else { return Err(envelope::server_fault().into()) };
        Ok(self.access_of_kind(kind, self.wanted(kind), |right| right.on_asset(asset, asset_kind)))
    }

    /// The access of content of a kind. `ask` turns a right into the question about its asset.
    fn access_of_kind(&self, kind: &NodeType, wanted: Level, ask: impl Fn(&Right) -> Question) -> ContentAccess {
        let public = of_rights(wanted, &kind.identity, &kind.full, &kind.guarded, &ask);
        let soon = rights::READ_SCHEDULED;
        let unpublished = match kind.name {
            "PagePost" => of_rights(wanted, &soon, &soon, &kind.guarded, &ask),
            _ => public.clone(),
        };
        let questions: Vec<Question> = public.iter().chain(&unpublished).map(|(_, question)| *question).collect();
        let answers = self.service().may_each(self.call, &questions);
        let may = |question: Question| questions.iter().position(|q| *q == question).and_then(|at| *answers.get(at)?);
        ContentAccess { public: decided(&public, may), unpublished: decided(&unpublished, may) }
    }
}

/// Whether a business shares an asset with the caller's own, or the other way round, as far as the
/// caller can see.
pub(super) fn is_partner(facts: &Facts<'_>, business: BusinessId) -> bool {
    let allowed = facts.allowed;
    let (Some(own), Some(user), None) = (allowed.caller.business(), allowed.caller.user(), allowed.page) else {
        return false;
    };
    if own == business {
        return false;
    }
    let owned_by = |asset: &AssetId, owner: BusinessId| facts.asset(*asset).is_some_and(|a| a.business == Some(owner));
    if allowed.role == Role::Admin {
        let here = facts.shared_assets(own).iter().any(|a| owned_by(a, business));
        return here || facts.shared_assets(business).iter().any(|a| owned_by(a, own));
    }
    // An EMPLOYEE knows the owners of the assets assigned to it.
    facts.assets_of(user).iter().any(|a| owned_by(a, business))
}

/// What an app, or a token of it, may read of the app itself and of other apps of its business.
pub(super) fn app_access(
    facts: &Facts<'_>,
    named: &Named,
    business: Option<BusinessId>,
    wanted: Level,
) -> Option<Access> {
    let guarded = || wanted == Level::Guarded && facts.may(named.question(&APPLICATION.guarded)).is_some();
    match facts.allowed.caller {
        Caller::App { app, .. } | Caller::SystemUser { app, .. } if app.any() == named.id => {
            Some(Access::Level(if guarded() { Level::Guarded } else { Level::Full }))
        }
        Caller::App { business: own, .. } if business == Some(own) => Some(Access::Public),
        Caller::App { .. } | Caller::SystemUser { .. } | Caller::Person { .. } | Caller::Operator => None,
    }
}
