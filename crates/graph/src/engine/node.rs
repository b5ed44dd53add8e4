//! Nodes: which object an id names, and which question guards it.

use serde_json::{Map, Value};
use valetkey_domain::campaign::Campaign;
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::post::{Post, PostState};
use valetkey_domain::{AssetId, AssetKind, BusinessId, Id, IdKind, State, UserId};
use valetkey_service::authz::Question;
use valetkey_service::content::Item;
use valetkey_service::read::Guard;
use valetkey_service::rights::{self, Right};
use valetkey_service::token::Listed;

use super::shown::Access;
use crate::schema::{self, Edge, NodeType};

/// An object that a path or a field names.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Business(Business),
    SystemUser(SystemUser),
    Person(Person),
    /// An asset with its descriptive fields; an app is one of kind app.
    Asset(Asset, Map<String, Value>),
    Token(Box<Listed>),
    Post(Item<Post>),
    Campaign(Item<Campaign>),
    /// A row without an id of its own: an assigned user, a scope.
    Row(&'static NodeType, Map<String, Value>),
}

/// A node in an answer, with the values that only this answer has.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub node: Node,
    /// What the caller may read of it, decided with the step that read it.
    pub access: Access,
    /// Values that the list knows: tasks, a page token.
    pub extra: Map<String, Value>,
    /// Which of them are shown in every row, even if not asked for.
    pub always: &'static [&'static str],
}

impl Row {
    /// A node with what the caller may read of it.
    pub fn seen(node: Node, access: Access) -> Row {
        Row { node, access, extra: Map::new(), always: &[] }
    }
}

impl Node {
    /// A business, user, app or asset, read from the index alone. Deleted users are included.
    pub fn known(state: &dyn State, id: Id) -> Option<Node> {
        let user_id = UserId::of(id);
        let business = state.business(BusinessId::of(id)).map(Node::Business);
        let user = || state.system_user(user_id).map(Node::SystemUser);
        let person = || state.person(user_id).map(Node::Person);
        let asset = || state.asset(AssetId::of(id)).map(|a| Node::Asset(a, Map::new()));
        business.or_else(user).or_else(person).or_else(asset)
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

    /// The id of the node. Rows without an id of their own have none.
    pub fn id(&self) -> Option<Id> {
        Some(match self {
            Node::Business(b) => b.id.any(),
            Node::SystemUser(u) => u.id.any(),
            Node::Person(p) => p.id.any(),
            Node::Asset(a, _) => a.id.any(),
            Node::Token(t) => t.token.id.any(),
            Node::Post(p) => p.id.any(),
            Node::Campaign(c) => c.id.any(),
            Node::Row(..) => return None,
        })
    }

    /// The person or system user that the node is.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Node::SystemUser(user) => Some(user.id),
            Node::Person(person) => Some(person.id),
            Node::Business(_)
            | Node::Asset(..)
            | Node::Token(_)
            | Node::Post(_)
            | Node::Campaign(_)
            | Node::Row(..) => None,
        }
    }

    /// The asset that the node is.
    pub fn asset_id(&self) -> Option<AssetId> {
        if let Node::Asset(asset, _) = self { Some(asset.id) } else { None }
    }

    /// The asset that a call on this node is about, and the use case that counts it.
    pub fn use_case(&self, edge: Option<&Edge>) -> Option<(AssetId, &'static str)> {
        match self {
            Node::Asset(asset, _) => match asset.kind {
                AssetKind::Page => Some((asset.id, "pages")),
                AssetKind::AdAccount
                    if edge.is_none_or(|e| !matches!(e.name, "assigned_users" | "agencies" | "users")) =>
                {
                    Some((asset.id, "ads_management"))
                }
                AssetKind::Catalog => Some((asset.id, "catalog_management")),
                AssetKind::AdAccount
                | AssetKind::Pixel
                | AssetKind::InstagramAccount
                | AssetKind::WhatsappAccount
                | AssetKind::App
                | AssetKind::Declared(_) => None,
            },
            Node::Post(post) => Some((post.asset, "pages")),
            Node::Campaign(campaign) => Some((campaign.asset, "ads_management")),
            Node::Business(_) | Node::SystemUser(_) | Node::Person(_) | Node::Token(_) | Node::Row(..) => None,
        }
    }

    /// The id as the Graph prints it.
    pub fn printed_id(&self) -> String {
        match self {
            Node::Asset(a, _) if a.kind == AssetKind::AdAccount => format!("act_{}", a.id),
            Node::Post(p) => format!("{}_{}", p.asset, p.id),
            Node::Row(_, fields) => fields.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
            Node::Business(_)
            | Node::SystemUser(_)
            | Node::Person(_)
            | Node::Asset(..)
            | Node::Token(_)
            | Node::Campaign(_) => self.id().map(|id| id.to_string()).unwrap_or_default(),
        }
    }

    /// The question that asks a right about this node.
    pub fn question(&self, right: &Right) -> Question {
        match self {
            Node::Business(b) => right.on_business(b.id),
            Node::SystemUser(u) => right.on_user(u.business, u.id),
            Node::Person(p) => right.on_user(p.business, p.id),
            Node::Asset(a, _) if a.kind == AssetKind::App => {
                a.business.map_or(right.on_caller(), |b| right.on_business(b))
            }
            Node::Asset(a, _) => right.on_asset(a.id, a.kind),
            Node::Token(t) => right.on_user(t.token.business, t.token.user),
            Node::Post(p) => right.on_asset(p.asset, AssetKind::Page),
            Node::Campaign(c) => right.on_asset(c.asset, AssetKind::AdAccount),
            Node::Row(..) => right.on_caller(),
        }
    }

    /// The right to see the node at all. Unpublished content needs a stronger one.
    pub fn identity_right(&self) -> Right {
        if is_unpublished(self) { rights::READ_SCHEDULED } else { self.kind().identity }
    }

    pub fn full_right(&self) -> Right {
        if is_unpublished(self) { rights::READ_SCHEDULED } else { self.kind().full }
    }

    /// The business that the node belongs to, if any.
    pub fn business(&self) -> Option<BusinessId> {
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
        AssetKind::Page => &schema::PAGE,
        AssetKind::AdAccount => &schema::AD_ACCOUNT,
        AssetKind::Catalog => &schema::CATALOG,
        AssetKind::Pixel => &schema::PIXEL,
        AssetKind::InstagramAccount => &schema::INSTAGRAM_ACCOUNT,
        AssetKind::WhatsappAccount => &schema::WHATSAPP_ACCOUNT,
        AssetKind::App => &schema::APPLICATION,
        AssetKind::Declared(_) => &schema::DECLARED_ASSET,
    }
}

/// What a path or a parameter names, before the node is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    pub id: Id,
    pub guard: Guard,
}

impl Named {
    /// The kind of node that its guard says; none if the id names nothing.
    pub fn kind(&self) -> Option<&'static NodeType> {
        Some(match self.guard {
            Guard::Business => &schema::BUSINESS,
            Guard::SystemUser { .. } => &schema::SYSTEM_USER,
            Guard::Person { .. } => &schema::BUSINESS_USER,
            Guard::App { .. } => &schema::APPLICATION,
            Guard::Asset { kind } => asset_type(kind),
            Guard::Token { .. } => &schema::ACCESS_TOKEN,
            Guard::Content { kind: IdKind::Post, .. } => &schema::POST,
            Guard::Content { kind: IdKind::Campaign, .. } => &schema::CAMPAIGN,
            Guard::Content { .. } | Guard::Absent => return None,
        })
    }

    /// The question that asks a right about it.
    pub fn question(&self, right: &Right) -> Question {
        self.guard.question(self.id, right)
    }
}

/// Whether a node is content that is not public yet.
pub(crate) fn is_unpublished(node: &Node) -> bool {
    matches!(node, Node::Post(post) if post.body.state != PostState::Published)
}
