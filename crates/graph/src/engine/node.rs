//! Nodes: which object an id names, and which question guards it.

use serde_json::{Map, Value};
use valetkey_domain::campaign::Campaign;
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::post::{Post, PostState};
use valetkey_domain::{AssetId, AssetKind, BusinessId, ContentId, Id, IdKind, State, TaskSet, TokenId, UserId};
use valetkey_service::Facts;
use valetkey_service::authz::{Question, Sorts};
use valetkey_service::content::Item;
use valetkey_service::read::{Body, Guard};
use valetkey_service::rights::{self, Right};
use valetkey_service::token::Listed;

use super::Cx;
use super::access::{self, Access, ContentAccess};
use super::input::Problem;
use crate::protocol::value::{self, IdText};
use crate::refusal::missing_object;
use crate::schema::{self, Level, NodeType};

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

impl Cx<'_> {
    /// What texts name, in their order; `None` for a text that can't be an id.
    pub async fn named(&self, texts: &[&str]) -> Result<Vec<Option<Named>>, Problem> {
        let read: Vec<_> = texts.iter().map(|text| value::id(text).ok()).collect();
        let id_of = |text: &IdText| match text {
            IdText::Object(n) | IdText::AdAccount(n) | IdText::Pair(_, n) => Id::new(*n),
        };
        let ids: Vec<Id> = read.iter().flatten().filter_map(id_of).collect();
        let guards = self.service().guards(&ids).await?;
        let named = |text: &Option<IdText>| {
            let text = text.as_ref()?;
            let id = id_of(text)?;
            let guard = guards.get(&id).copied().unwrap_or(Guard::Absent);
            let fits = match text {
                IdText::Object(_) => true,
                IdText::AdAccount(_) => guard == Guard::Asset { kind: AssetKind::AdAccount },
                // `{page}_{post}`: the second number names the post; the first must be its Page.
                IdText::Pair(page, _) => {
                    matches!(guard, Guard::Content { kind: IdKind::Post, asset, .. } if asset.get() == *page)
                }
            };
            let is_there =
                !matches!(guard, Guard::SystemUser { deleted: true, .. } | Guard::Person { deleted: true, .. });
            Some(Named { id, guard: if fits && is_there { guard } else { Guard::Absent } })
        };
        Ok(read.iter().map(named).collect())
    }

    /// What an id names.
    pub async fn named_id(&self, id: Id) -> Result<Named, Problem> {
        Ok(Named { id, guard: self.service().guard(id).await? })
    }

    /// Reads a node under a right, which is decided just before. `wanted` is the highest level of
    /// the requested fields. An asset is read without its descriptive fields.
    pub async fn load(&self, named: &Named, right: &Right, wanted: Level) -> Result<Row, Problem> {
        let mut rows = self.load_all(&[(*named, *right)], wanted).await?;
        rows.pop().flatten().ok_or_else(|| missing_object(self.input.verb, self.input.named().unwrap_or("me")).into())
    }

    /// The same with the descriptive fields of an asset.
    pub async fn load_whole(&self, named: &Named, right: &Right, wanted: Level) -> Result<Row, Problem> {
        let mut row = self.load(named, right, wanted).await?;
        self.add_details(std::iter::once(&mut row)).await?;
        Ok(row)
    }

    /// Reads several nodes, each under its right. The first refusal in their order is the answer.
    /// All bodies of content are read by one statement; content deleted meanwhile is `None`.
    pub async fn load_all(&self, wanted: &[(Named, Right)], level: Level) -> Result<Vec<Option<Row>>, Problem> {
        let mut rows: Vec<Option<Row>> = Vec::with_capacity(wanted.len());
        let mut permits = Vec::new();
        for (at, (named, right)) in wanted.iter().enumerate() {
            rows.push(match named.guard {
                Guard::Content { .. } => {
                    let permit = self.service().permit(self.call, ContentId::of(named.id), &named.guard, right)?;
                    permits.push((at, permit, self.content_access(named, level)));
                    None
                }
                Guard::Token { .. } => Some(self.load_token(named, level).await?),
                Guard::Business
                | Guard::SystemUser { .. }
                | Guard::Person { .. }
                | Guard::App { .. }
                | Guard::Asset { .. }
                | Guard::Absent => self.load_record(named, right, level)?,
            });
        }
        let (places, permits): (Vec<_>, Vec<_>) = permits.into_iter().map(|(at, p, s)| ((at, s), p)).unzip();
        if permits.is_empty() {
            return Ok(rows);
        }
        let bodies = self.service().bodies(&permits).await?;
        for ((at, access), (named, right)) in places.into_iter().filter_map(|place| Some((place, wanted.get(place.0)?)))
        {
            let Some(body) = bodies.get(&ContentId::of(named.id)) else { continue };
            let row = content_row(&named.guard, body, access)?;
            // Unpublished content needs another right than published content.
            if right.scopes == rights::READ_POST.scopes && is_unpublished(&row.node) {
                self.service().ask(self.call, named.question(&rights::READ_SCHEDULED))?;
            }
            if let Some(place) = rows.get_mut(at) {
                *place = Some(row);
            }
        }
        Ok(rows)
    }

    fn load_record(&self, named: &Named, right: &Right, level: Level) -> Result<Option<Row>, Problem> {
        if let Some(row) = self.known_by_name(named, level) {
            // The lookup above isn't counted. The answer must count as a use of the token.
            self.service().ask(self.call, Question::alive())?;
            return Ok(Some(row));
        }
        let read = |facts: &Facts<'_>| {
            let node = Node::known(&**facts, named.id)?;
            let access = access::of(facts, &node, level);
            Some(Row::seen(node, access))
        };
        Ok(self.service().step(self.call, named.question(right), read)?.into_inner())
    }

    /// The service asks the right itself. A token that isn't visible looks like an id that was
    /// never issued; every other refusal is answered as it is.
    async fn load_token(&self, named: &Named, level: Level) -> Result<Row, Problem> {
        let token = self.service().get_token(self.call, TokenId::of(named.id)).await?;
        let node = Node::Token(Box::new(token));
        let access = self.access_of(&node, level);
        Ok(Row::seen(node, access))
    }

    /// Adds the descriptive fields of assets. Seeing the asset is the only right they need.
    pub async fn add_details<'r>(&self, rows: impl Iterator<Item = &'r mut Row>) -> Result<(), Problem> {
        let mut assets: Vec<(AssetId, &mut Map<String, Value>)> = rows
            .filter_map(|row| {
                let Node::Asset(asset, details) = &mut row.node else { return None };
                (asset.kind != AssetKind::App).then_some((asset.id, details))
            })
            .collect();
        if assets.is_empty() {
            return Ok(());
        }
        let ids: Vec<AssetId> = assets.iter().map(|(id, _)| *id).collect();
        let open = Right { sorts: Sorts::ANY, ..rights::OPEN };
        let mut read = self.service().details(self.call, &ids, |id, kind| open.on_asset(id, kind)).await?;
        for (id, details) in &mut assets {
            **details = read.remove(id).unwrap_or_default();
        }
        Ok(())
    }

    /// What the caller holds on an asset, as the Graph prints it.
    pub fn printed_tasks(&self, kind: AssetKind, held: TaskSet) -> Vec<String> {
        use valetkey_domain::task::Vocabulary;
        let declared = self.service().declared_kind(kind);
        let set = if held == TaskSet::ALL { kind.full_tasks() } else { held };
        Vocabulary::of(kind, declared.as_ref())
            .map(|w| w.names(set).into_iter().map(str::to_owned).collect())
            .unwrap_or_default()
    }
}

fn content_row(guard: &Guard, body: &Body, access: ContentAccess) -> Result<Row, Problem> {
    let node = match guard {
        Guard::Content { kind: IdKind::Post, .. } => Node::Post(body.item()?),
        Guard::Content { kind: IdKind::Campaign, .. } => Node::Campaign(body.item()?),
        Guard::Content { .. }
        | Guard::Business
        | Guard::SystemUser { .. }
        | Guard::Person { .. }
        | Guard::App { .. }
        | Guard::Asset { .. }
        | Guard::Token { .. }
        | Guard::Absent => return Err(crate::protocol::envelope::server_fault().into()),
    };
    let access = access.of(&node);
    Ok(Row::seen(node, access))
}

/// Whether a node is content that is not public yet.
pub(crate) fn is_unpublished(node: &Node) -> bool {
    matches!(node, Node::Post(post) if post.body.state != PostState::Published)
}
