//! Reading: makes a JSON object from a node and the requested fields.
//!
//! A field that the caller may not read is left out; one that does not exist is an error.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use valetkey_domain::{AssetId, AssetKind, BusinessId, Id, Reason};
use valetkey_service::authz::{Question, Sorts};
use valetkey_service::{Checked, Facts, rights};

use super::access;
use super::fields::{defaults, is_edge};
use super::input::{Input, Problem};
use super::shown::{Access, Place};
use super::values::{FieldValue, value};
use super::{Cx, Named, Node, Row, VISIBLE};
use crate::protocol::envelope;
use crate::protocol::fields::FieldSpec;
use crate::protocol::text::nearest;
use crate::schema::{self, Level, NodeType};

fn wanted_level(kind: &NodeType, specs: &[FieldSpec]) -> Level {
    access::wanted(kind, specs.iter().map(|spec| spec.name.as_str()))
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
    /// The highest level of the requested fields. Unreadable `fields` become an error later, after
    /// the right to the node is decided.
    pub fn wanted(&self, kind: &NodeType) -> Level {
        match self.field_specs(1, kind) {
            Ok(Some(specs)) => wanted_level(kind, &specs),
            Ok(None) | Err(_) => Level::Full,
        }
    }

    /// `GET /{id}`, for a node that was read.
    pub async fn read_node(&self, row: &Row) -> Result<Map<String, Value>, Problem> {
        let specs = self.field_specs(1, row.node.kind())?;
        let specs = specs.unwrap_or_else(|| defaults(row.node.kind(), false));
        let mut body = self.render(row, &specs, Place::Node).await?;
        if self.input.boolean("metadata")? == Some(true) {
            body.insert("metadata".to_owned(), metadata(&row.node));
        }
        Ok(body)
    }

    /// The body for an object that a POST created: always its id, and the requested fields that the
    /// caller may read.
    pub async fn made(&self, node: Node) -> Result<Map<String, Value>, Problem> {
        let id = node.printed_id();
        let mut body = Map::new();
        body.insert("id".to_owned(), Value::String(id));
        if let Some(specs) = self.field_specs(1, node.kind())? {
            let access = self.access_of(&node, wanted_level(node.kind(), &specs));
            if access != Access::Named {
                let mut row = Row::seen(node, access);
                self.add_details(std::iter::once(&mut row)).await?;
                body.extend(self.render(&row, &specs, Place::Node).await?);
            }
        }
        Ok(body)
    }

    /// One object. A field that the caller may not read is left out, so that one such field doesn't
    /// fail the call.
    pub fn render<'s>(
        &'s self,
        row: &'s Row,
        specs: &'s [FieldSpec],
        place: Place,
    ) -> BoxFuture<'s, Result<Map<String, Value>, Problem>> {
        Box::pin(async move {
            let kind = row.node.kind();
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
                let found = match row.extra.get(&spec.name) {
                    Some(value) => value.clone().into(),
                    None if !row.access.shows(&field, place) => FieldValue::Nothing,
                    None => value(self, &row.node, field.name),
                };
                if let Some(value) = self.finish(row, spec, found).await? {
                    body.insert(spec.output_name().to_owned(), value);
                }
            }
            self.complete(row, &mut body);
            Ok(body)
        })
    }

    /// Adds the fields that an object always shows.
    fn complete(&self, row: &Row, body: &mut Map<String, Value>) {
        for field in row.node.kind().fields.iter().filter(|f| f.always) {
            if body.contains_key(field.name) {
                continue;
            }
            if let FieldValue::Json(value) = value(self, &row.node, field.name) {
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

    async fn finish(&self, row: &Row, spec: &FieldSpec, found: FieldValue) -> Result<Option<Value>, Problem> {
        let value = match found {
            FieldValue::Json(Value::Object(map)) if !spec.children.is_empty() => {
                Some(Value::Object(pick(&map, &spec.children)))
            }
            FieldValue::Json(value) => Some(value),
            FieldValue::Nothing => None,
            FieldValue::Tasks => self.tasks_on(&row.node),
            FieldValue::PageToken => self.page_token(&row.node).await?,
            FieldValue::Node(id) => {
                let names = [FieldSpec::plain("id"), FieldSpec::plain("name")];
                let children = if spec.children.is_empty() { &names[..] } else { &spec.children[..] };
                let Some(inner) = self.inside(&row.node, id, children).await? else { return Ok(None) };
                // The inner object counts its own values.
                return Ok(Some(Value::Object(self.render(&inner, children, Place::Inside).await?)));
            }
        };
        if let Some(value) = &value {
            self.work.hold(value)?;
        }
        Ok(value)
    }

    /// An object inside another one, if the caller may see or name it. This is a step of its own
    /// and isn't counted. A user who sees a shared asset may also see the name of its owner.
    async fn inside(&self, outer: &Node, id: Id, children: &[FieldSpec]) -> Result<Option<Row>, Problem> {
        let named = Named { id, guard: self.service.guard(id).await? };
        let Some(kind) = named.kind() else { return Ok(None) };
        let level = wanted_level(kind, children);
        let read = |facts: &Facts<'_>| {
            let node = Node::known(&**facts, id)?;
            let access = access::of(facts, &node, level);
            Some(Row::seen(node, access))
        };
        if let Some(row) = self.service.quiet_step(self.call, named.question(&VISIBLE), read) {
            return Ok(row.into_inner());
        }
        if let Some(row) = self.known_by_name(&named, level) {
            return Ok(Some(row));
        }
        let is_owner = matches!(outer, Node::Asset(asset, _) if asset.business == Some(BusinessId::of(id)));
        let by_name = |facts: &Facts<'_>| {
            let deals_with = facts.allowed.page.is_none() && facts.allowed.caller.user().is_some();
            let node = Node::known(&**facts, id).filter(|_| is_owner && deals_with)?;
            Some(Row::seen(node, Access::Named))
        };
        Ok(self.service.quiet_step(self.call, Question::alive(), by_name).and_then(Checked::into_inner))
    }

    /// An edge inside braces. If it is refused, it is left out.
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
        let call = self.call.quietly();
        let inner = Cx { input: &input, call: &call, ..*self };
        match Box::pin(inner.list_edge(node, edge)).await {
            Ok(answer) => Ok(Some(answer.body)),
            Err(Problem::Refusal(refusal)) if is_of_rights(refusal.reason) => Ok(None),
            Err(problem) => Err(problem),
        }
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
        let Some(page) = node.asset_id() else { return Ok(None) };
        Ok(self.page_token_texts(&[page]).await?.pop().map(|(_, text)| Value::from(text)))
    }

    /// The page tokens that the caller may have among these Pages, made in at most one commit.
    pub async fn page_token_texts(&self, pages: &[AssetId]) -> Result<Vec<(AssetId, String)>, Problem> {
        let Some(own) = self.call.text() else { return Ok(Vec::new()) };
        let mut wanted = Vec::with_capacity(pages.len());
        for page in pages {
            match self.service.may(self.call, rights::PAGE_TOKEN.on_asset(*page, AssetKind::Page)) {
                // For a page token, the token of its Page is the page token itself.
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

/// Whether a refusal is about the caller's rights. An inner object that is refused so is left out.
/// Other refusals fail the call: an unreachable store must not look like a missing right.
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
