//! Reading: from a node and the fields asked for to a JSON object.
//!
//! A field that the caller may not read is left out; one that does not exist is an error.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use valetkey_domain::{AssetKind, Caller, Id, Reason};
use valetkey_service::authz::{Question, Sorts};
use valetkey_service::rights;

use super::fields::{defaults, is_edge};
use super::input::{Input, Problem};
use super::values::{Given, value};
use super::{Cx, Node, Row};
use crate::protocol::envelope;
use crate::protocol::fields::FieldSpec;
use crate::protocol::text::nearest;
use crate::schema::{self, Field, Level, NodeType};

/// Where an object stands in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is what the path names; the right to see it was asked for.
    Node,
    /// It is a row of a list, whose own right was asked for.
    Row,
    /// It is a single object inside another.
    Inside,
}

/// What a caller may read of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// That it is there: id and name.
    Named,
    /// What an app tells the other apps of its business.
    Public,
    Level(Level),
}

impl Sight {
    fn shows(self, field: &Field, place: Place) -> bool {
        if matches!(field.name, "id" | "name") {
            return true;
        }
        // The right of the list covers what its rows show unasked, guarded fields aside.
        if place == Place::Row && field.in_rows && field.level < Level::Guarded {
            return true;
        }
        match self {
            Sight::Named => false,
            Sight::Public => matches!(field.name, "category" | "link"),
            Sight::Level(level) => field.level <= level,
        }
    }
}

/// The questions that decide a sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    identity: Question,
    full: Question,
    wanted: Level,
}

/// Whether a name belongs to the other kind of user.
fn of_another_user(kind: &NodeType, name: &str) -> bool {
    match kind.name {
        "SystemUser" => schema::BUSINESS_USER.field(name).is_some(),
        "BusinessUser" => schema::SYSTEM_USER.field(name).is_some(),
        _ => false,
    }
}

impl Cx<'_> {
    /// `GET /{id}`: the right to see the node is asked for out loud, the rest in silence.
    pub async fn read_node(&self, node: Node) -> Result<Map<String, Value>, Problem> {
        self.may_read(&node)?;
        let specs = self.field_specs(1, node.kind())?;
        let row = Row::of(node);
        let specs = specs.unwrap_or_else(|| defaults(row.node.kind(), false));
        let mut body = self.render(&row, &specs, Place::Node).await?;
        if self.input.boolean("metadata")? == Some(true) {
            body.insert("metadata".to_owned(), metadata(&row.node));
        }
        Ok(body)
    }

    fn may_read(&self, node: &Node) -> Result<(), Problem> {
        if let Some(id) = node.app_id() {
            // An app may be read by itself, by whatever carries a token of it, and by ADMINs.
            if self.stands_for_app(id) || self.is_other_app_of(node) {
                return Ok(());
            }
        }
        if let Node::Business(business) = node
            && self.is_partner(business.id)
        {
            return Ok(());
        }
        self.ask(node, &node.identity_right())?;
        Ok(())
    }

    /// The fields of something that a POST made, if they are asked for and may be read; its id
    /// in any case.
    pub async fn made(&self, node: Node) -> Result<Map<String, Value>, Problem> {
        let id = node.printed_id();
        let mut body = Map::new();
        body.insert("id".to_owned(), Value::String(id));
        if let Some(specs) = self.field_specs(1, node.kind())?
            && self.service.may(self.call, node.question(&node.identity_right())).is_some()
        {
            body.extend(self.render(&Row::of(node), &specs, Place::Node).await?);
        }
        Ok(body)
    }

    /// What the caller may read of a node, as far as the fields asked for make a difference.
    fn sight(&self, node: &Node, specs: &[FieldSpec]) -> Sight {
        let kind = node.kind();
        if matches!(node, Node::Row(..)) {
            return Sight::Level(Level::Full);
        }
        let wanted = specs.iter().filter_map(|s| kind.field(&s.name)).map(|f| f.level).max().unwrap_or(Level::Identity);
        let ask =
            Asked { identity: node.question(&node.identity_right()), full: node.question(&node.full_right()), wanted };
        // Rows of one asset ask the same: a list of campaigns is decided once.
        if let Some(sight) = self.work.seen(&ask) {
            return sight;
        }
        let sight = self.look(node, &ask);
        self.work.remember(ask, sight);
        sight
    }

    fn look(&self, node: &Node, ask: &Asked) -> Sight {
        let may = |question| self.service.may(self.call, question).is_some();
        if node.app_id().is_some_and(|id| self.stands_for_app(id)) {
            let manages = ask.wanted == Level::Guarded && may(node.question(&node.kind().guarded));
            return Sight::Level(if manages { Level::Guarded } else { Level::Full });
        }
        if self.is_other_app_of(node) {
            return Sight::Public;
        }
        if ask.wanted > Level::Identity && may(ask.full) {
            let guarded = ask.wanted == Level::Guarded && may(node.question(&node.kind().guarded));
            return Sight::Level(if guarded { Level::Guarded } else { Level::Full });
        }
        if may(ask.identity) { Sight::Level(Level::Identity) } else { Sight::Named }
    }

    /// One object. What may not be read is left out, so that a wide list of fields never fails for
    /// one of them.
    pub fn render<'s>(
        &'s self,
        row: &'s Row,
        specs: &'s [FieldSpec],
        place: Place,
    ) -> BoxFuture<'s, Result<Map<String, Value>, Problem>> {
        Box::pin(async move {
            let kind = row.node.kind();
            let sight = self.sight(&row.node, specs);
            self.work.spend(1 + specs.len() as u64);
            let mut body = Map::new();
            for spec in specs {
                if is_edge(&row.node, &spec.name) && !row.extra.contains_key(&spec.name) {
                    if let Some(list) = self.nested_edge(&row.node, spec).await? {
                        body.insert(spec.output_name().to_owned(), list);
                    }
                    continue;
                }
                let Some(field) = kind.field(&spec.name) else {
                    // Users are people or system users, and a caller can't know which.
                    if place == Place::Inside && of_another_user(kind, &spec.name) {
                        continue;
                    }
                    return Err(
                        envelope::unknown_field(&spec.name, kind.name, nearest(&spec.name, kind.names())).into()
                    );
                };
                let given = match row.extra.get(&spec.name) {
                    Some(value) => value.clone().into(),
                    None if !sight.shows(&field, place) => Given::Nothing,
                    None => value(self, &row.node, field.name),
                };
                if let Some(value) = self.finish(row, spec, given).await? {
                    body.insert(spec.output_name().to_owned(), value);
                }
            }
            self.complete(row, &mut body);
            Ok(body)
        })
    }

    /// What stands in an object whatever is asked for.
    fn complete(&self, row: &Row, body: &mut Map<String, Value>) {
        for field in row.node.kind().fields.iter().filter(|f| f.always) {
            if body.contains_key(field.name) {
                continue;
            }
            if let Given::Json(value) = value(self, &row.node, field.name) {
                body.insert(field.name.to_owned(), value);
            }
        }
        for name in row.always {
            if let Some(value) = row.extra.get(*name)
                && !body.contains_key(*name)
            {
                body.insert((*name).to_owned(), value.clone());
            }
        }
        if row.node.id().is_some() && !body.contains_key("id") {
            body.insert("id".to_owned(), Value::String(row.node.printed_id()));
        }
    }

    async fn finish(&self, row: &Row, spec: &FieldSpec, given: Given) -> Result<Option<Value>, Problem> {
        let value = match given {
            Given::Json(Value::Object(map)) if !spec.children.is_empty() => {
                Some(Value::Object(pick(&map, &spec.children)))
            }
            Given::Json(value) => Some(value),
            Given::Nothing => None,
            Given::Tasks => self.tasks_on(&row.node),
            Given::PageToken => self.page_token(&row.node).await?,
            Given::Node(node) => {
                if !self.sees(&row.node, &node) {
                    return Ok(None);
                }
                let names = [FieldSpec::plain("id"), FieldSpec::plain("name")];
                let children = if spec.children.is_empty() { &names[..] } else { &spec.children[..] };
                // What stands inside counts there.
                return Ok(Some(Value::Object(self.render(&Row::of(*node), children, Place::Inside).await?)));
            }
        };
        if let Some(value) = &value {
            self.work.hold(value)?;
        }
        Ok(value)
    }

    /// Whether an object inside another may be named. The owner of a shared asset is: who sees the
    /// asset deals with that business.
    fn sees(&self, outer: &Node, node: &Node) -> bool {
        let open = rights::Right { sorts: Sorts::ANY, ..rights::OPEN };
        if self.service.may(self.call, node.question(&open)).is_some() {
            return true;
        }
        match (outer, node) {
            (Node::Asset(asset, _), Node::Business(owner)) if asset.business == Some(owner.id) => {
                self.service.may(self.call, Cx::alive()).is_some_and(|a| a.page.is_none() && a.caller.user().is_some())
            }
            (_, node) => node.app_id().is_some_and(|id| self.stands_for_app(id)),
        }
    }

    /// An edge inside braces: refused means left out.
    async fn nested_edge(&self, node: &Node, spec: &FieldSpec) -> Result<Option<Value>, Problem> {
        let Some(edge) = node.kind().edge(&spec.name, crate::schema::Verb::Get) else { return Ok(None) };
        self.work.check()?;
        let mut pairs: Vec<(String, String)> =
            spec.modifiers.iter().map(|m| (m.name.clone(), m.argument.clone())).collect();
        if !spec.children.is_empty() {
            pairs.push(("fields".to_owned(), crate::protocol::fields::to_text(&spec.children)));
        }
        if self.input.token_in_params {
            // Links of the inner list carry what the caller's own parameters carried.
            let carried = ["access_token", "appsecret_proof"].into_iter();
            pairs.extend(carried.filter_map(|n| Some((n.to_owned(), self.input.get(n)?.to_owned()))));
        }
        let version = self.input.version;
        let input = Input {
            verb: crate::schema::Verb::Get,
            version,
            path: format!("/{version}/{}/{}", node.printed_id(), spec.name),
            segments: vec![node.printed_id(), spec.name.clone()],
            pairs,
            token_in_params: self.input.token_in_params,
            nodes: 1,
            base_url: self.input.base_url.clone(),
        };
        let inner = Cx { input: &input, ..*self };
        match Box::pin(inner.list_edge(node, edge)).await {
            Ok(answer) => Ok(Some(answer.body)),
            Err(Problem::Refusal(refusal)) if is_of_rights(refusal.reason) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Whether the caller is this app, or carries a token of it.
    pub fn stands_for_app(&self, id: Id) -> bool {
        let caller = self.service.may(self.call, Cx::alive()).map(|a| a.caller);
        matches!(caller, Some(Caller::App { app, .. } | Caller::SystemUser { app, .. }) if app == id)
    }

    /// Whether the caller is another app of the business that owns this one.
    fn is_other_app_of(&self, node: &Node) -> bool {
        let caller = || self.service.may(self.call, Cx::alive()).map(|a| a.caller);
        node.app_id().is_some_and(|id| matches!(caller(), Some(Caller::App { app, business }) if app != id && node.business() == Some(business)))
    }

    /// What the caller holds on the asset of a node.
    fn tasks_on(&self, node: &Node) -> Option<Value> {
        let Node::Asset(asset, _) = node else { return None };
        let right = rights::Right { sorts: Sorts::ANY, ..rights::OPEN };
        let allowed = self.service.may(self.call, right.on_asset(asset.id, asset.kind))?;
        let names = self.printed_tasks(asset.kind, allowed.held);
        Some(Value::from(names))
    }

    async fn page_token(&self, node: &Node) -> Result<Option<Value>, Problem> {
        let Some(page) = node.id() else { return Ok(None) };
        Ok(self.page_token_texts(&[page]).await?.pop().map(|(_, text)| Value::from(text)))
    }

    /// The tokens of those Pages for which the caller may have one, made in one commit at most.
    pub async fn page_token_texts(&self, pages: &[Id]) -> Result<Vec<(Id, String)>, Problem> {
        let Some(own) = self.call.text() else { return Ok(Vec::new()) };
        let mut wanted = Vec::with_capacity(pages.len());
        for page in pages {
            match self.service.may(self.call, rights::PAGE_TOKEN.on_asset(*page, AssetKind::PAGE)) {
                // A page token that is asked for its Page's token is that token itself.
                Some(allowed) if allowed.page.is_some() => return Ok(vec![(*page, own.to_owned())]),
                Some(_) => wanted.push(*page),
                None => {}
            }
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let made = self.service.page_tokens(self.call, &wanted).await;
        let made = match made {
            Err(refusal) if is_of_rights(refusal.reason) => return Ok(Vec::new()),
            other => other?,
        };
        Ok(made.into_iter().map(|(id, text)| (id, text.reveal().to_owned())).collect())
    }
}

/// Whether a refusal is about what the caller may do, so that what was asked for inside something
/// else is left out. All others fail the call: a store that is away must not look like a missing
/// right.
fn is_of_rights(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NotVisible
            | Reason::ShareEnded
            | Reason::ScopeMissing
            | Reason::AssetNotAssigned
            | Reason::TaskMissing
            | Reason::RoleInsufficient
    )
}

fn pick(map: &Map<String, Value>, children: &[FieldSpec]) -> Map<String, Value> {
    children.iter().filter_map(|c| map.get(&c.name).map(|v| (c.output_name().to_owned(), v.clone()))).collect()
}

fn metadata(node: &Node) -> Value {
    let kind = node.kind();
    let fields: Vec<Value> = kind.names().map(|n| serde_json::json!({ "name": n })).collect();
    let connections: Map<String, Value> = kind
        .edges
        .iter()
        .map(|e| (e.name.to_owned(), Value::String(format!("/{}/{}", node.printed_id(), e.name))))
        .collect();
    serde_json::json!({ "type": kind.name.to_lowercase(), "fields": fields, "connections": connections })
}
