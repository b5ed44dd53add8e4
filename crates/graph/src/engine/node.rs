//! Nodes: how an id becomes a thing, and which question guards it.

use serde_json::{Map, Value};
use valetkey_domain::asset::Asset;
use valetkey_domain::business::Business;
use valetkey_domain::campaign::Campaign;
use valetkey_domain::person::Person;
use valetkey_domain::post::{Post, PostState};
use valetkey_domain::system_user::SystemUser;
use valetkey_domain::{AssetKind, Id, IdKind, Reason, State, Status, TaskSet};
use valetkey_service::authz::{Question, Target};
use valetkey_service::content::Thing;
use valetkey_service::rights::{self, Right};
use valetkey_service::token::Listed;

use super::Cx;
use super::input::Problem;
use crate::protocol::value::{self, IdText};
use crate::schema::{self, NodeType};

/// A thing that a path or a field names.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Business(Business),
    SystemUser(SystemUser),
    Person(Person),
    /// An asset with its descriptive fields; an app is one of kind app.
    Asset(Asset, Map<String, Value>),
    Token(Box<Listed>),
    Post(Thing<Post>),
    Campaign(Thing<Campaign>),
    /// A row that is no thing of its own: an assigned user, a scope.
    Row(&'static NodeType, Map<String, Value>),
}

/// A node in an answer, with what only this answer knows of it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub node: Node,
    /// Values that the list knows: tasks, a page token.
    pub extra: Map<String, Value>,
    /// Which of them stand in every row, whatever fields are asked for.
    pub always: &'static [&'static str],
}

impl Row {
    pub fn of(node: Node) -> Row {
        Row { node, extra: Map::new(), always: &[] }
    }
}

impl Node {
    /// A business, user, app or asset, without anything from the store; deleted users too.
    pub fn known(state: &dyn State, id: Id) -> Option<Node> {
        let business = state.business(id).map(Node::Business);
        let user = || state.system_user(id).map(Node::SystemUser);
        let person = || state.person(id).map(Node::Person);
        business.or_else(user).or_else(person).or_else(|| state.asset(id).map(|a| Node::Asset(a, Map::new())))
    }

    fn is_deleted(&self) -> bool {
        match self {
            Node::SystemUser(user) => user.status == Status::Deleted,
            Node::Person(person) => person.status == Status::Deleted,
            _ => false,
        }
    }

    pub fn kind(&self) -> &'static NodeType {
        match self {
            Node::Business(_) => &schema::BUSINESS,
            Node::SystemUser(_) => &schema::SYSTEM_USER,
            Node::Person(_) => &schema::BUSINESS_USER,
            Node::Asset(asset, _) => asset_type(asset.kind),
            Node::Token(_) => &schema::ACCESS_TOKEN,
            Node::Post(_) => &schema::POST,
            Node::Campaign(_) => &schema::CAMPAIGN,
            Node::Row(kind, _) => kind,
        }
    }

    /// The id, if the node is an app.
    pub fn app_id(&self) -> Option<Id> {
        match self {
            Node::Asset(asset, _) if asset.kind == AssetKind::APP => Some(asset.id),
            _ => None,
        }
    }

    /// The number behind the node; rows that are no thing have none.
    pub fn id(&self) -> Option<Id> {
        Some(match self {
            Node::Business(b) => b.id,
            Node::SystemUser(u) => u.id,
            Node::Person(p) => p.id,
            Node::Asset(a, _) => a.id,
            Node::Token(t) => t.token.id,
            Node::Post(p) => p.id,
            Node::Campaign(c) => c.id,
            Node::Row(..) => return None,
        })
    }

    /// The id as the Graph prints it.
    pub fn printed_id(&self) -> String {
        match self {
            Node::Asset(a, _) if a.kind == AssetKind::AD_ACCOUNT => format!("act_{}", a.id),
            Node::Post(p) => format!("{}_{}", p.asset, p.id),
            Node::Row(_, fields) => fields.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
            node => node.id().map(|id| id.to_string()).unwrap_or_default(),
        }
    }

    /// The question of a right about this node.
    pub fn question(&self, right: &Right) -> Question {
        match self {
            Node::Business(b) => right.on_business(b.id),
            Node::SystemUser(u) => right.on_user(u.business, u.id),
            Node::Person(p) => right.on_user(p.business, p.id),
            Node::Asset(a, _) if a.kind == AssetKind::APP => {
                a.business.map_or(right.on_caller(), |b| right.on_business(b))
            }
            Node::Asset(a, _) => right.on_asset(a.id, a.kind),
            Node::Token(t) => right.on_user(t.token.business, t.token.user),
            Node::Post(p) => right.on_asset(p.asset, AssetKind::PAGE),
            Node::Campaign(c) => right.on_asset(c.asset, AssetKind::AD_ACCOUNT),
            Node::Row(..) => right.on_caller(),
        }
    }

    /// The right that shows the node at all; content that isn't public yet asks for more.
    pub fn identity_right(&self) -> Right {
        match self {
            Node::Post(p) if p.body.state != PostState::Published => rights::READ_SCHEDULED,
            node => node.kind().identity,
        }
    }

    pub fn full_right(&self) -> Right {
        match self {
            Node::Post(p) if p.body.state != PostState::Published => rights::READ_SCHEDULED,
            node => node.kind().full,
        }
    }

    /// The business that the node stands in, if it stands in one.
    pub fn business(&self) -> Option<Id> {
        match self {
            Node::Business(b) => Some(b.id),
            Node::SystemUser(u) => Some(u.business),
            Node::Person(p) => Some(p.business),
            Node::Asset(a, _) => a.business,
            Node::Token(t) => Some(t.token.business),
            Node::Post(_) | Node::Campaign(_) | Node::Row(..) => None,
        }
    }
}

/// The kind of node that an asset is.
pub(crate) fn asset_type(kind: AssetKind) -> &'static NodeType {
    match kind {
        AssetKind::PAGE => &schema::PAGE,
        AssetKind::AD_ACCOUNT => &schema::AD_ACCOUNT,
        AssetKind::CATALOG => &schema::CATALOG,
        AssetKind::PIXEL => &schema::PIXEL,
        AssetKind::INSTAGRAM_ACCOUNT => &schema::INSTAGRAM_ACCOUNT,
        AssetKind::WHATSAPP_ACCOUNT => &schema::WHATSAPP_ACCOUNT,
        AssetKind::APP => &schema::APPLICATION,
        _ => &schema::DECLARED_ASSET,
    }
}

impl Cx<'_> {
    /// The node that a path segment or a parameter names; `None` covers everything from a text
    /// that is no id to an id that was never issued.
    pub async fn find(&self, text: &str) -> Result<Option<Node>, Problem> {
        let (id, wanted) = match value::id(text) {
            Ok(IdText::Object(n)) => (Id::new(n), None),
            Ok(IdText::AdAccount(n)) => (Id::new(n), Some(AssetKind::AD_ACCOUNT)),
            // `{page}_{post}`: the second number names the post; the first must be its Page.
            Ok(IdText::Pair(page, post)) => {
                let (Some(page), Some(post)) = (Id::new(page), Id::new(post)) else { return Ok(None) };
                let found = self.find_id(post).await?;
                return Ok(found.filter(|n| matches!(n, Node::Post(p) if p.asset == page)));
            }
            Err(_) => (None, None),
        };
        let Some(id) = id else { return Ok(None) };
        let node = self.find_id(id).await?;
        Ok(node.filter(|n| wanted.is_none_or(|kind| matches!(n, Node::Asset(a, _) if a.kind == kind))))
    }

    /// The node behind an id, an asset without its descriptive fields.
    pub async fn find_id(&self, id: Id) -> Result<Option<Node>, Problem> {
        match id.kind() {
            Some(IdKind::Post) => return Ok(self.service().content(IdKind::Post, id).await?.map(Node::Post)),
            Some(IdKind::Campaign) => {
                return Ok(self.service().content(IdKind::Campaign, id).await?.map(Node::Campaign));
            }
            Some(IdKind::Token) => {
                // The listing asks for the right itself; what is not visible looks like an id that
                // was never issued, and every other no is told.
                return match self.service().get_token(self.call, id).await {
                    Ok(token) => Ok(Some(Node::Token(Box::new(token)))),
                    Err(refusal) if refusal.reason == Reason::NotVisible => Ok(None),
                    Err(refusal) => Err(refusal.into()),
                };
            }
            _ => {}
        }
        Ok(self.service().read(|state| Node::known(state, id))?.filter(|node| !node.is_deleted()))
    }

    /// The node with the descriptive fields of an asset. The caller has asked before whether the
    /// node may be seen.
    pub async fn with_details(&self, node: Node) -> Result<Node, Problem> {
        Ok(match node {
            Node::Asset(asset, _) => {
                let details = self.service().details(&[asset.id]).await?.remove(&asset.id).unwrap_or_default();
                Node::Asset(asset, details)
            }
            other => other,
        })
    }

    /// What the caller holds on an asset, as the Graph prints it.
    pub fn printed_tasks(&self, kind: AssetKind, held: TaskSet) -> Vec<String> {
        use valetkey_domain::task::Vocabulary;
        let declared = self.service().read(|s| s.declared_kind(kind)).ok().flatten();
        let set = if held == TaskSet::ALL { kind.full_tasks() } else { held };
        Vocabulary::of(kind, declared.as_ref())
            .map(|w| w.names(set).into_iter().map(str::to_owned).collect())
            .unwrap_or_default()
    }

    /// A question about nothing but the credential: is it alive?
    pub fn alive() -> Question {
        Question::about(Target::Nothing).sorts(valetkey_service::authz::Sorts::ANY)
    }
}
