//! Rows: makes the rows of a list from its ids.
//!
//! Rows are made for one page only. Which ids the caller may see was decided before.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use valetkey_domain::{AssetId, AssetKind, BusinessId, Id, UserId};
use valetkey_service::Facts;
use valetkey_service::authz::Question;
use valetkey_service::read::Guard;

use super::access::{self, app_access};
use super::fields::defaults;
use super::input::Problem;
use super::shown::Access;
use super::{Cx, Named, Node, Row};
use crate::protocol::fields::FieldSpec;
use crate::schema::{self, Edge, Level, Listing, Op};

impl Cx<'_> {
    /// The rows of some ids, in their order, read in one step under the list's own right.
    pub async fn materialise(
        &self,
        node: &Node,
        (edge, listing): (&'static Edge, Listing),
        question: Question,
        ids: &[Id],
    ) -> Result<Vec<Row>, Problem> {
        // For a list of mixed kinds, rows are decided up to the deepest level.
        let level = schema::find(edge.rows).map_or(Level::Guarded, |kind| self.wanted(kind));
        match listing {
            Listing::AssignedUsers => self.assigned_rows(node, question, ids),
            Listing::Partners => self.partner_rows(node, question, ids),
            Listing::Tokens | Listing::BusinessTokens => {
                let listed = self.service().tokens(self.call, question, &named(ids)).await?;
                let rows = listed.into_inner().into_iter().map(|t| Node::Token(Box::new(t)));
                Ok(rows.map(|node| self.row_of(node, level)).collect())
            }
            Listing::Assigned(_) | Listing::AssignedAssets => {
                self.rows_with_tasks(node, question, ids, level, true).await
            }
            Listing::MyPages
            | Listing::MyAdAccounts
            | Listing::Owned(_)
            | Listing::Client(_)
            | Listing::Reachable(_)
            | Listing::InstalledApps => self.rows_with_tasks(node, question, ids, level, false).await,
            Listing::Agencies => self.agency_rows(node, question, ids, level),
            Listing::SystemUsers
            | Listing::People
            | Listing::Clients
            | Listing::MyBusinesses
            | Listing::MyBusinessUsers
            | Listing::MyPermissions
            | Listing::AppPermissions
            | Listing::Empty => {
                let read = |facts: &Facts<'_>| {
                    let known = ids.iter().filter_map(|id| Node::known(&**facts, *id));
                    known.map(|node| row_in(facts, node, level)).collect::<Vec<_>>()
                };
                Ok(self.service().step(self.call, question, read)?.into_inner())
            }
        }
    }

    fn row_of(&self, node: Node, level: Level) -> Row {
        let access = self.access_of(&node, level);
        Row::seen(node, access)
    }

    /// Assets with the tasks of the list's user. With `always` the tasks are shown even if not
    /// asked for.
    async fn rows_with_tasks(
        &self,
        node: &Node,
        question: Question,
        ids: &[Id],
        level: Level,
        always: bool,
    ) -> Result<Vec<Row>, Problem> {
        let user = node.user();
        let read = |facts: &Facts<'_>| {
            let row = |id: &AssetId| {
                let asset = facts.asset(*id)?;
                let assigned = user.and_then(|u| facts.assignment(u, *id)).map(|a| a.tasks);
                let partner = node.business().filter(|b| asset.business != Some(*b));
                let permitted = partner.and_then(|b| facts.share(*id, b)).map(|s| s.tasks);
                let kind = asset.kind;
                Some((row_in(facts, Node::Asset(asset, Map::new()), level), kind, assigned, permitted))
            };
            named(ids).iter().filter_map(row).collect::<Vec<_>>()
        };
        let read = self.service().step(self.call, question, read)?.into_inner();
        let mut rows = Vec::with_capacity(read.len());
        for (mut row, kind, assigned, permitted) in read {
            if let Some(tasks) = assigned {
                row.extra.insert("tasks".to_owned(), json!(self.printed_tasks(kind, tasks)));
            }
            if let Some(tasks) = permitted {
                row.extra.insert("permitted_tasks".to_owned(), json!(self.printed_tasks(kind, tasks)));
            }
            if always {
                row.always = &["tasks"];
            }
            rows.push(row);
        }
        self.add_details(rows.iter_mut()).await?;
        Ok(rows)
    }

    /// The tokens of the Pages among these rows, if they are asked for, made together in at most
    /// one commit.
    pub async fn tokens_of_rows(
        &self,
        listing: Listing,
        ids: &[Id],
    ) -> Result<Option<HashMap<AssetId, String>>, Problem> {
        let pages = of_kind(ids.to_vec(), AssetKind::Page);
        let shows_assets = matches!(
            listing,
            Listing::MyPages | Listing::Owned(_) | Listing::Client(_) | Listing::Assigned(_) | Listing::AssignedAssets
        );
        let names = |specs: Vec<FieldSpec>| specs.iter().any(|s| s.name == "access_token" || s.name == "page_token");
        let wanted =
            || Ok::<_, Problem>(self.field_specs(1, &schema::PAGE)?.map_or(listing == Listing::MyPages, names));
        if pages.is_empty() || !shows_assets || !wanted()? {
            return Ok(None);
        }
        Ok(Some(self.page_token_texts(&named(&pages)).await?.into_iter().collect()))
    }

    /// Partners of a business with the assets shared with each, by kind. Only kinds for which the
    /// Graph has such a list are shown.
    fn agency_rows(&self, node: &Node, question: Question, ids: &[Id], level: Level) -> Result<Vec<Row>, Problem> {
        let Node::Business(business) = node else { return Ok(Vec::new()) };
        let business = business.id;
        let read = |facts: &Facts<'_>| {
            let owned = facts.owned_assets(business);
            self.work.spend(owned.len() as u64 * ids.len() as u64);
            let shared = |partner: BusinessId| {
                let share = |id: &AssetId| Some((facts.asset(*id)?, facts.share(*id, partner)?.tasks));
                owned.iter().filter_map(share).collect::<Vec<_>>()
            };
            let row = |id: &BusinessId| Some((row_in(facts, Node::known(&**facts, id.any())?, level), shared(*id)));
            named(ids).iter().filter_map(row).collect::<Vec<_>>()
        };
        let found = self.service().step(self.call, question, read)?.into_inner();
        Ok(found
            .into_iter()
            .map(|(partner, shared)| {
                let mut row = partner;
                for (kind, name) in PERMISSION_LISTS {
                    let of_kind = shared.iter().filter(|(asset, _)| asset.kind == *kind);
                    let rows: Vec<Value> = of_kind
                        .map(|(asset, tasks)| {
                            json!({
                                "id": Node::Asset(asset.clone(), Map::new()).printed_id(),
                                "permitted_tasks": self.printed_tasks(*kind, *tasks),
                                "access_status": "CONFIRMED",
                            })
                        })
                        .collect();
                    row.extra.insert((*name).to_owned(), Value::from(rows));
                }
                row
            })
            .collect())
    }

    fn assigned_rows(&self, node: &Node, question: Question, ids: &[Id]) -> Result<Vec<Row>, Problem> {
        let Node::Asset(asset, _) = node else { return Ok(Vec::new()) };
        let read = |s: &Facts<'_>| {
            let row = |id: &UserId| {
                let assigned = s.assignment(*id, asset.id)?;
                let (name, role, kind) = match (s.system_user(*id), s.person(*id)) {
                    (Some(u), _) => (u.name, u.role, "system_user"),
                    (None, Some(p)) => (p.name, p.role, "business_user"),
                    (None, None) => return None,
                };
                Some((
                    *id,
                    name,
                    role,
                    kind,
                    assigned,
                    s.business(s.assignment(*id, asset.id)?.business).map(|b| b.name),
                ))
            };
            named(ids).iter().filter_map(row).collect::<Vec<_>>()
        };
        let found = self.service().step(self.call, question, read)?.into_inner();
        Ok(found
            .into_iter()
            .map(|(id, name, role, kind, assigned, business)| {
                plain(
                    &schema::ASSIGNED_USER,
                    &[
                        ("id", json!(id)),
                        ("name", json!(name)),
                        ("tasks", json!(self.printed_tasks(asset.kind, assigned.tasks))),
                        ("user_type", json!(kind)),
                        ("role", json!(role.as_str())),
                        ("business", json!({ "id": assigned.business, "name": business })),
                    ],
                )
            })
            .collect())
    }

    fn partner_rows(&self, node: &Node, question: Question, ids: &[Id]) -> Result<Vec<Row>, Problem> {
        let Node::Asset(asset, _) = node else { return Ok(Vec::new()) };
        let read = |s: &Facts<'_>| {
            let row = |id: &BusinessId| Some((*id, s.business(*id)?.name, s.share(asset.id, *id)?.tasks));
            named(ids).iter().filter_map(row).collect::<Vec<_>>()
        };
        let found = self.service().step(self.call, question, read)?.into_inner();
        Ok(found
            .into_iter()
            .map(|(id, name, tasks)| {
                plain(
                    &schema::PARTNER,
                    &[
                        ("id", json!(id)),
                        ("name", json!(name)),
                        ("permitted_tasks", json!(self.printed_tasks(asset.kind, tasks))),
                        ("access_status", json!("CONFIRMED")),
                    ],
                )
            })
            .collect())
    }
}

/// The ids of a list, typed.
fn named<Of>(ids: &[Id]) -> Vec<Id<Of>> {
    ids.iter().copied().map(Id::of).collect()
}

/// A row with the caller's access to it, decided in the step that reads it.
fn row_in(facts: &Facts<'_>, node: Node, level: Level) -> Row {
    let access = match &node {
        Node::Asset(asset, _) if asset.kind == AssetKind::App => {
            let named = Named { id: asset.id.any(), guard: Guard::App { business: asset.business } };
            app_access(facts, &named, asset.business, level)
        }
        Node::Business(_)
        | Node::SystemUser(_)
        | Node::Person(_)
        | Node::Asset(..)
        | Node::Token(_)
        | Node::Post(_)
        | Node::Campaign(_)
        | Node::Row(..) => None,
    };
    let access = access.unwrap_or_else(|| access::of(facts, &node, level));
    Row::seen(node, access)
}

/// What a row shows when nothing is asked for. `accounts` shows more than other lists of Pages,
/// because programs take page tokens from it.
pub(super) fn row_defaults(edge: &Edge, kind: &'static schema::NodeType) -> Vec<FieldSpec> {
    match edge.op {
        Op::List(Listing::MyPages) => {
            ["access_token", "category", "category_list", "name", "id", "tasks"].map(FieldSpec::plain).to_vec()
        }
        // These lists also show what the share permits, if there is a share.
        Op::List(Listing::Client(AssetKind::Page) | Listing::Assigned(_) | Listing::AssignedAssets) => {
            let mut shown = defaults(kind, true);
            shown.push(FieldSpec::plain("permitted_tasks"));
            shown
        }
        Op::List(Listing::Agencies) => {
            let lists = PERMISSION_LISTS.iter().map(|(_, name)| FieldSpec::plain(name));
            defaults(kind, true).into_iter().chain(lists).collect()
        }
        Op::List(_) | Op::Posts(_) | Op::Campaigns | Op::Write(_) => defaults(kind, true),
    }
}

/// The lists in a business's `agencies` rows.
const PERMISSION_LISTS: &[(AssetKind, &str)] = &[
    (AssetKind::AdAccount, "adaccount_permissions"),
    (AssetKind::Page, "page_permissions"),
    (AssetKind::App, "application_permissions"),
    (AssetKind::Catalog, "productcatalog_permissions"),
];

/// Adds its token to each Page for which the caller may have one.
pub(super) fn give_tokens(rows: &mut [Row], tokens: &mut HashMap<AssetId, String>) {
    for row in rows {
        let Some(id) = row.node.id() else { continue };
        // Null marks a token that the caller may not have, so that no row asks again.
        let text = tokens.remove(&AssetId::of(id)).map_or(Value::Null, Value::from);
        row.extra.insert("access_token".to_owned(), text.clone());
        row.extra.insert("page_token".to_owned(), text);
    }
}

/// A row without an id of its own.
pub(super) fn plain(kind: &'static schema::NodeType, fields: &[(&str, Value)]) -> Row {
    let map: Map<String, Value> = fields.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    Row::seen(Node::Row(kind, map), Access::Level(Level::Full))
}

/// The ids whose kind bits are those of this kind.
pub(super) fn of_kind(ids: Vec<Id>, kind: AssetKind) -> Vec<Id> {
    ids.into_iter().filter(|id| id.kind() == Some(kind.id_kind())).collect()
}
