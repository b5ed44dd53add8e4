//! Reading: from a node and the fields asked for to a JSON object.
//!
//! A field that the caller may not read is left out; one that does not exist is an error.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use valetkey_domain::AssetKind;
use valetkey_service::rights;

use super::fields::{defaults, is_edge};
use super::input::{Input, Problem};
use super::values::{Given, value};
use super::{Cx, Node, Row};
use crate::protocol::envelope;
use crate::protocol::fields::FieldSpec;
use crate::protocol::text::nearest;
use crate::schema::Level;

impl Cx<'_> {
    /// `GET /{id}`: the right to see the node is asked for out loud, the rest in silence.
    pub async fn read_node(&self, node: Node) -> Result<Map<String, Value>, Problem> {
        let specs = self.field_specs()?;
        self.ask(&node, &node.identity_right())?;
        let row = Row::of(node);
        let specs = specs.unwrap_or_else(|| defaults(row.node.kind(), false));
        let mut body = self.render(&row, &specs, false).await?;
        if self.input.boolean("metadata")? == Some(true) {
            body.insert("metadata".to_owned(), metadata(&row.node));
        }
        Ok(body)
    }

    /// The fields of something that a POST made, if they are asked for and may be read; its id
    /// in any case.
    pub async fn made(&self, node: Node) -> Result<Map<String, Value>, Problem> {
        let id = node.printed_id();
        let mut body = Map::new();
        body.insert("id".to_owned(), Value::String(id));
        if let Some(specs) = self.field_specs()?
            && self.service.may(self.call, node.question(&node.identity_right())).is_some()
        {
            body.extend(self.render(&Row::of(node), &specs, false).await?);
        }
        Ok(body)
    }

    /// The highest level of fields that the caller may read of a node.
    fn level(&self, node: &Node) -> Level {
        let may = |right: &rights::Right| self.service.may(self.call, node.question(right)).is_some();
        if !may(&node.full_right()) {
            return Level::Identity;
        }
        if may(&node.kind().guarded) { Level::Guarded } else { Level::Full }
    }

    /// One object. `nested` marks an object inside another: what may not be read there is left
    /// out, so that a wide list of fields never fails for one of them.
    pub fn render<'s>(&'s self, row: &'s Row, specs: &'s [FieldSpec], nested: bool) -> BoxFuture<'s, Result<Map<String, Value>, Problem>> {
        Box::pin(async move {
            let kind = row.node.kind();
            let level = self.level(&row.node);
            let mut body = Map::new();
            for spec in specs {
                if is_edge(&row.node, &spec.name) && !row.extra.contains_key(&spec.name) {
                    if let Some(list) = self.nested_edge(&row.node, spec).await? {
                        body.insert(spec.output_name().to_owned(), list);
                    }
                    continue;
                }
                let Some(field) = kind.field(&spec.name) else {
                    return Err(envelope::unknown_field(&spec.name, kind.name, nearest(&spec.name, kind.names())).into());
                };
                let given = match row.extra.get(&spec.name) {
                    Some(value) => Given::Json(value.clone()),
                    None if field.level > level => Given::Nothing,
                    None => value(self, &row.node, field.name),
                };
                let value = self.finish(row, spec, given, nested).await?;
                if let Some(value) = value {
                    body.insert(spec.output_name().to_owned(), value);
                }
            }
            for field in kind.fields.iter().filter(|f| f.always) {
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
            Ok(body)
        })
    }

    async fn finish(&self, row: &Row, spec: &FieldSpec, given: Given, nested: bool) -> Result<Option<Value>, Problem> {
        Ok(match given {
            Given::Json(Value::Object(map)) if !spec.children.is_empty() => Some(Value::Object(pick(&map, &spec.children))),
            Given::Json(value) => Some(value),
            Given::Nothing => None,
            Given::Tasks => self.tasks_on(&row.node),
            Given::PageToken => self.page_token(&row.node).await,
            Given::Node(node) => {
                let names = [FieldSpec::plain("id"), FieldSpec::plain("name")];
                let children = if spec.children.is_empty() { &names[..] } else { &spec.children[..] };
                if self.service.may(self.call, node.question(&rights::Right { sorts: valetkey_service::authz::Sorts::ANY, ..rights::OPEN })).is_none() {
                    return Ok(None);
                }
                match self.render(&Row::of(*node), children, true).await {
                    Ok(body) => Some(Value::Object(body)),
                    Err(Problem::Refusal(_)) if nested => None,
                    Err(problem) => return Err(problem),
                }
            }
        })
    }

    /// An edge inside braces: refused means left out.
    async fn nested_edge(&self, node: &Node, spec: &FieldSpec) -> Result<Option<Value>, Problem> {
        let Some(edge) = node.kind().edge(&spec.name, crate::schema::Verb::Get) else { return Ok(None) };
        let mut pairs: Vec<(String, String)> =
            spec.modifiers.iter().map(|m| (m.name.clone(), m.argument.clone())).collect();
        if !spec.children.is_empty() {
            pairs.push(("fields".to_owned(), crate::protocol::fields::to_text(&spec.children)));
        }
        if self.input.token_in_params
            && let Some(token) = self.input.raw("access_token")
        {
            pairs.push(("access_token".to_owned(), token.to_owned()));
        }
        let version = self.input.path.trim_start_matches('/').split('/').next().filter(|s| s.starts_with('v')).unwrap_or("v26.0");
        let input = Input {
            verb: crate::schema::Verb::Get,
            path: format!("/{version}/{}/{}", node.printed_id(), spec.name),
            segments: vec![node.printed_id(), spec.name.clone()],
            pairs,
            token_in_params: self.input.token_in_params,
            uploads: Vec::new(),
            base_url: self.input.base_url.clone(),
        };
        let inner = Cx { input: &input, ..*self };
        match Box::pin(inner.list_edge(node, edge)).await {
            Ok(answer) => Ok(Some(answer.body)),
            Err(Problem::Refusal(_)) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// What the caller holds on the asset of a node.
    fn tasks_on(&self, node: &Node) -> Option<Value> {
        let Node::Asset(asset, _) = node else { return None };
        let right = rights::Right { sorts: valetkey_service::authz::Sorts::ANY, ..rights::OPEN };
        let allowed = self.service.may(self.call, right.on_asset(asset.id, asset.kind))?;
        let names = self.printed_tasks(asset.kind, allowed.held);
        Some(Value::from(names))
    }

    async fn page_token(&self, node: &Node) -> Option<Value> {
        let Node::Asset(page, _) = node else { return None };
        let allowed = self.service.may(self.call, rights::PAGE_TOKEN.on_asset(page.id, AssetKind::PAGE))?;
        if allowed.page.is_some() {
            // A page token asked for its Page's token: that is the token itself.
            return self.call.text().map(Value::from);
        }
        let tokens = self.service.page_tokens(self.call, &[page.id]).await.ok()?;
        tokens.first().map(|(_, text)| Value::from(text.reveal()))
    }
}

fn pick(map: &Map<String, Value>, children: &[FieldSpec]) -> Map<String, Value> {
    children.iter().filter_map(|c| map.get(&c.name).map(|v| (c.output_name().to_owned(), v.clone()))).collect()
}

fn metadata(node: &Node) -> Value {
    let kind = node.kind();
    let fields: Vec<Value> = kind.names().map(|n| serde_json::json!({ "name": n })).collect();
    let connections: Map<String, Value> =
        kind.edges.iter().map(|e| (e.name.to_owned(), Value::String(format!("/{}/{}", node.printed_id(), e.name)))).collect();
    serde_json::json!({ "type": kind.name.to_lowercase(), "fields": fields, "connections": connections })
}
